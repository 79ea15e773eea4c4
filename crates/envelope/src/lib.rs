//! Seal and open: the sealed object format (spec envelope).
//!
//! An object is a small signed *envelope* and a *body* of ciphertext. [`seal()`] makes both in one streaming
//! pass; [`Opener`] verifies the envelope under a pinned owner key and decrypts the body whole or by range;
//! [`commit`] signs a storage commitment later. Nothing here touches a file, a clock or the system's
//! randomness: readers, writers and the generator are arguments. With feature `parallel` reading,
//! encryption and writing overlap and large machines spread chunks over their cores; memory stays bounded either way.
//!
//! ```
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! use bailiwick_envelope::{Metadata, Opener, Padding, RecipientSecretKey, SealOptions, random_object_id, seal};
//! use bailiwick_protocol::{codec::Canonical, envelope::Kem, ids::{OwnerKey, Unit}, secret::Secret, signing::SigningKey};
//! # use rand::SeedableRng;
//! # let mut rng = rand::rngs::StdRng::from_seed([7; 32]); // a program uses the system's generator
//!
//! let owner = SigningKey::from_seed(&Secret::init_with(|seed| rand_core::Rng::fill_bytes(&mut rng, seed)));
//! let pinned = OwnerKey(owner.public());
//! let reader = RecipientSecretKey::generate(Kem::XWing, &mut rng);
//!
//! // Seal: the body streams into any writer.
//! let options = SealOptions {
//!     owner: pinned,
//!     object: random_object_id(&mut rng),
//!     unit: Unit::WHOLE,
//!     recipients: &[reader.public()],
//!     passphrase: None,
//!     anonymous: false,
//!     metadata: Metadata { name: "measurements.csv".into(), media_type: "text/csv".into() },
//!     padding: Padding::Padme,
//! };
//! let data = b"time,value\n0,21.5\n1,21.7\n";
//! let mut body = Vec::new();
//! let envelope = seal(data.as_slice(), &mut body, &options, &mut rng)?.envelope(None, &owner)?.to_bytes();
//!
//! // Open: whole, then ten bytes from offset 11.
//! let opener = Opener::new(&pinned, &envelope, &[reader])?;
//! let mut whole = Vec::new();
//! assert_eq!(opener.open(body.as_slice(), &mut whole)?.metadata.name, "measurements.csv");
//! assert_eq!(whole, data);
//! let mut some = Vec::new();
//! opener.open_range(&mut body.as_slice(), 11, 6, &mut some)?;
//! assert_eq!(some, b"0,21.5");
//! # Ok(()) }
//! ```
//!
//! What a host learns of an object: suite, owner key, number, kind and (unless anonymous) key ids of the
//! recipients, the padded size, the generation. Not the name, the media type, the true length or a hash of the plaintext.

pub mod cobblestone;
pub mod compact;
mod custody;
mod kem;
mod layout;
mod open;
mod passphrase;
mod pipeline;
mod rewrap;
mod seal;
mod shard;
mod sink;

pub use cobblestone::{CobblestoneError, RangeAuthenticity, ReadAt, Seekable};
pub use custody::{open_custody_secret, seal_custody_secret};
pub use kem::{KeyError, RecipientPublicKey, RecipientSecretKey, SECRET_KEY_BYTES};
pub use layout::{LayoutError, Metadata, Padding, padme};
pub use open::{OpenError, Opened, OpenedRange, Opener, unwrap_requests, verify};
pub use passphrase::{
    PASSPHRASE_BYTES_MAX, Passphrase, PassphraseCost, PassphraseError, PassphraseRecipient,
};
pub use rewrap::{
    PassphraseChange, RecipientChange, Rewrap, RewrapError, RollbackError, Succession, check_newer, rewrap,
};
pub use seal::{SealError, SealOptions, SealedBody, commit, random_object_id, seal, sign_next};
pub use shard::{PaddedReader, PaddedWriter, ShardBody, ShardCipher, ShardSealer, read_metadata};
