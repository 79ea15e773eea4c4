//! One file per command.

pub(crate) mod commit;
pub(crate) mod inspect;
pub(crate) mod key;
pub(crate) mod open;
pub(crate) mod seal;
