//! Small values for transaction arguments: up to 64 KiB sealed into one short string of bytes (spec compact).
//!
//! A value is bound to a chain, a contract, a function and a record of it: moved to another, it does not open. Four forms, each
//! with the fewest bytes its promise needs:
//!
//! | form | bytes beside the value | promise |
//! |---|---|---|
//! | one recipient, X25519 | 57 | opens for that key |
//! | one recipient, P-256 | 90 | the same, for keys on tokens |
//! | one recipient, X-Wing | 1,145 | opens for that key, also against a recording adversary with a quantum computer |
//! | n recipients | 50 and for each 90 (X25519), 123 (P-256), 1,178 (X-Wing) | every recipient sees the same value, or none (key-committing) |
//! | in a batch | 29, and the batch's header once | as n recipients, at symmetric speed |
//!
//! A signature of the owner adds 64 bytes; *without it anyone could have sealed the value*. Nothing is padded unless [`Pad`] says
//! so: the length of a value is visible to the byte, as are key ids, form, order and time. Contracts cannot compute on sealed values.
//!
//! ```
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! use bailiwick_envelope::compact::{BatchOpener, BatchSealer, Context, Options, open, seal};
//! use bailiwick_envelope::RecipientSecretKey;
//! use bailiwick_protocol::envelope::Kem;
//! # use rand::SeedableRng;
//! # let mut rng = rand::rngs::StdRng::from_seed([7; 32]); // a program uses the system's generator
//!
//! let reader = RecipientSecretKey::generate(Kem::X25519, &mut rng);
//! let context = Context::new("fabric:trade", "invoices", "Put")?.record("invoice-17")?;
//! let sealed = seal(b"1,250.00 EUR", &context, &[reader.public()], &Options::default(), &mut rng)?;
//! assert_eq!(sealed.len(), 12 + 57);
//! assert_eq!(*open(&sealed, &context, &[reader], None)?.value, b"1,250.00 EUR");
//!
//! // Many values for the same readers: the public-key work is done once.
//! let reader = RecipientSecretKey::generate(Kem::XWing, &mut rng);
//! let context = Context::new("eip155:1", "0x5fbdb2315678afecb367f032d93f642f64180aa3", "add(bytes)")?;
//! let mut batch = BatchSealer::new(&context, &[reader.public()], Options::default(), &mut rng)?;
//! let value = batch.seal("", b"21.5")?;
//! assert_eq!(value.len(), 4 + 29);
//! let opener = BatchOpener::new(batch.header(), &context, &[reader], None)?;
//! assert_eq!(*opener.open("", &value)?.value, b"21.5");
//! # Ok(()) }
//! ```

mod batch;
mod binding;
mod error;
mod keys;
mod layout;
mod open;
mod padding;
mod recipients;
mod seal;
mod text;

pub use batch::{BatchOpener, BatchSealer};
pub use binding::Context;
pub use error::CompactError;
pub use layout::{Form, form};
pub use open::{OpenedValue, open};
pub use padding::Pad;
pub use seal::{Options, seal};
pub use text::{from_text, to_hex, to_text};

/// Bytes of a value, at most: what one transaction argument sensibly holds. Larger data goes into an object, its name into the argument.
pub const VALUE_BYTES_MAX: usize = 64 * 1024;

/// Bytes a padded value may have: the Padmé length of the largest value and its mark.
pub const PADDED_BYTES_MAX: usize = 67_584;

/// Recipients of one value or batch, at most; each costs 90 bytes or more in every argument.
pub const RECIPIENTS_MAX: usize = 16;

/// Bytes of each part of a context, at most.
pub const CONTEXT_PART_BYTES_MAX: usize = 255;

/// Bytes of a sealed value, at most: 16 X-Wing recipients, a padded value, commitment, tag and signature, rounded up.
pub const SEALED_BYTES_MAX: usize = 96 * 1024;

const _: () = assert!(crate::layout::padme(VALUE_BYTES_MAX as u64 + 1) == PADDED_BYTES_MAX as u64);
const _: () =
    assert!(2 + RECIPIENTS_MAX * (2 + 8 + 1120 + 48) + 32 + PADDED_BYTES_MAX + 16 + 64 <= SEALED_BYTES_MAX);
