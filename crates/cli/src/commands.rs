//! One file per command.

pub(crate) mod audit;
pub(crate) mod beacon;
pub(crate) mod check_inventory;
pub(crate) mod circuit;
pub(crate) mod commit;
pub(crate) mod custody;
pub(crate) mod demo;
pub(crate) mod destroy;
pub(crate) mod export;
pub(crate) mod get;
pub(crate) mod inspect;
pub(crate) mod key;
pub(crate) mod log;
pub(crate) mod ls;
pub(crate) mod node;
pub(crate) mod open;
pub(crate) mod policy;
pub(crate) mod put;
pub(crate) mod repair;
pub(crate) mod rewrap;
pub(crate) mod roster;
pub(crate) mod rotate;
pub(crate) mod seal;
pub(crate) mod verify;
pub(crate) mod witness;
