//! Durable objects and their index: one directory, one file an object, an embedded index that can be rebuilt.
//!
//! The format on disk, the write order and the start-up rules are normative in `docs/spec/v1/store.md`; why
//! they are so is in `docs/adr/0003-store-write-path.md`. Three promises:
//!
//! - **Acknowledged means durable.** [`Upload::finish`] and [`Store::delete`] return `Ok` only after every
//!   `fsync` the outcome rests on has succeeded. One failed `fsync` turns the store read-only for good.
//! - **Damaged bytes are never returned.** Every read of a body is checked, before it is handed out, against
//!   BLAKE3 chaining values that lead to the content id in the stored envelope; the envelope against a checksum of the file.
//!   The owner's signature over it is verified at admission, when a file is taken up without the index, and by scrub, not on
//!   every read: this finds rot, not a host that rewrites a whole file. Clients verify the signature themselves.
//! - **Data is the authority.** The index is a cache of what the object files say.
//!
//! Calls block; a server runs them on threads made for that. All types are `Send + Sync`.

mod accounts;
mod disk;
mod envelope_file;
mod error;
mod evidence;
pub mod files;
mod index;
mod inventories;
mod layout;
mod object_file;
mod pieces;
mod reader;
mod record;
mod recovery;
mod replace;
mod retained;
mod scrub;
mod store;
mod upload;

pub use accounts::{OwnerUsage, Usage};
pub use disk::SyncFailure;
pub use error::{DamagedPart, StoreError};
pub use evidence::Equivocation;
pub use inventories::Held;
pub use layout::FORMAT_VERSION;
pub use pieces::PIECE_BYTES;
pub use reader::BodyReader;
pub use record::{Object, ObjectRecord};
pub use recovery::OpenReport;
pub use retained::Wanted;
pub use scrub::{CellCheck, Damage, ScrubProgress, ScrubReport};
pub use store::{Options, Store};
pub use upload::{Admission, Stored, Upload};
