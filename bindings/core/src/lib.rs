//! What the bindings for other languages offer, in Rust: keys, [`seal()`], [`Object`] (open and ranges), [`rewrap()`], small values
//! ([`seal_value`]), [`verify_evidence`].
//!
//! One error type with stable codes ([`Code`]), so that each language can make its own kinds of errors of them. Unlike the libraries below this
//! crate does touch files, the clock and the system's randomness: it stands where the command line stands.
//!
//! Secret keys are opaque: they come from [`OwnerKey::generate`] or a key file and go into a key file, and no function gives their bytes.

mod error;
mod files;
mod keys;
mod object;
mod seal;
mod stream;
mod value;
mod verify;

pub use error::{Code, Error, Result};
pub use files::{NewFile, read_bounded};
pub use keys::{Algorithm, OwnerKey, OwnerPublic, Recipient, RecipientKey};
pub use object::{Object, Opened, OpenedRange, Rewrap, rewrap};
pub use seal::{Options, Sealed, seal, seal_file};
pub use stream::{OpenStream, SealStream};
pub use value::{
    Place, ValueOptions, open_value, open_values, seal_value, seal_values, value_from_text, value_text,
};
pub use verify::{Evidence, Verdict, verify_evidence, verifying_keys};

// What callers of [`Object::range`] implement or wrap.
pub use bailiwick_envelope::{ReadAt, Seekable};
