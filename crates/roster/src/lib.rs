//! The roster: a signed, versioned list of who takes part, with keys, places and the laws that reach them.
//!
//! Soil is not law: where a disk stands, which law controls its operator, and which law controls the operator's
//! parent are three fields. Who can push code or keys to a principal reaches it too. [`Roster::reach`] follows all of
//! these paths and says of each jurisdiction by which one it arrives; the claims *opaque*, *custody* and *survivable*
//! rest on it. A roster is the word of its authority about facts nobody can prove by computation: it makes the
//! assumptions explicit, comparable ([`diff`]) and accountable; it does not make them true.
//!
//! Normative: `docs/spec/v1/roster.md` (clauses J).

mod blocs;
mod blocs_toml;
mod codec;
mod country;
mod diff;
mod fault;
mod jurisdiction;
mod name;
mod open;
mod principal;
mod reach;
mod roster;
mod roster_toml;
mod share;
mod toml_text;

pub use blocs::{BLOCS_BYTES_MAX, Bloc, BlocKind, Blocs};
pub use country::{COUNTRIES, CodeError, Country, Law};
pub use diff::{Diff, FieldChange, KeyMove, PrincipalChange, diff};
pub use fault::{Fault, Field, TomlError};
pub use jurisdiction::{Jurisdiction, JurisdictionError};
pub use name::{NAME_CHARS_MAX, Quoted};
pub use open::{LastSeen, OpenError, open};
pub use principal::{Coordinates, KEYS_MAX, KeyKind, PUSHERS_MAX, Parent, Principal, PublicKey, Role};
pub use reach::{Attribute, OtherBlocs, Reach, Reason, own_reach};
pub use roster::{PRINCIPALS_MAX, ROSTER_FORMAT, Roster, SignedRoster};
pub use roster_toml::ROSTER_TOML_BYTES_MAX;
pub use share::{Part, ShareBy, Shares};
