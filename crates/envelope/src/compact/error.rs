//! What can be wrong with a small value.

use super::{CONTEXT_PART_BYTES_MAX, RECIPIENTS_MAX, SEALED_BYTES_MAX, VALUE_BYTES_MAX};
use crate::kem::KeyError;

/// Why a small value cannot be sealed or opened.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum CompactError {
    /// More data than fits; seal it as an object and put the object's name into the argument.
    #[error(
        "the value has {found} bytes, more than {VALUE_BYTES_MAX}: seal it as an object and pass the object's name"
    )]
    ValueTooLarge {
        /// Bytes given.
        found: usize,
    },
    /// A fixed length below the value's, or above the limit.
    #[error("a value of {found} bytes and its mark cannot be padded to {to}")]
    PadTo {
        /// Bytes of the value.
        found: usize,
        /// Length asked for.
        to: u32,
    },
    /// A part of the context is missing or too long.
    #[error("{part}: 1 to {CONTEXT_PART_BYTES_MAX} bytes are needed (a record may be empty), {found} given")]
    Context {
        /// Which part.
        part: &'static str,
        /// Bytes given.
        found: usize,
    },
    /// A value nobody can open.
    #[error("no recipient")]
    NoRecipients,
    /// More recipients than a value may have.
    #[error("{found} recipients, more than the limit of {RECIPIENTS_MAX}")]
    TooManyRecipients {
        /// Recipients given or declared.
        found: usize,
    },
    /// The same key twice.
    #[error("a recipient key is there twice")]
    DuplicateRecipient,
    /// A recipient key that cannot be used.
    #[error("recipient key")]
    Key(#[from] KeyError),
    /// A key mechanism that compact values do not have.
    #[error(
        "key mechanism {id:#06x} is not one of compact values (0x0010 P-256, 0x0020 X25519, 0x647a X-Wing)"
    )]
    Mechanism {
        /// Registered id.
        id: u16,
    },
    /// All indices of the batch are used; a new batch has a new key.
    #[error("the batch is full: begin a new one")]
    BatchFull,
    /// Longer than any sealed value.
    #[error("{found} bytes, more than the {SEALED_BYTES_MAX} a sealed value can have")]
    TooLong {
        /// Bytes given.
        found: usize,
    },
    /// Ends inside a field.
    #[error("cut short: {what} is not whole")]
    CutShort {
        /// Which field.
        what: &'static str,
    },
    /// Bytes after the end.
    #[error("{found} bytes too many at the end")]
    Trailing {
        /// Bytes left over.
        found: usize,
    },
    /// Another version, or no compact value at all.
    #[error("first byte {found:#04x} begins no compact value of version 1")]
    Version {
        /// The first byte.
        found: u8,
    },
    /// A value, header or batch value where another of them was expected.
    #[error("this is a {found}, where a {expected} is expected")]
    WrongForm {
        /// What it is.
        found: &'static str,
        /// What was asked for.
        expected: &'static str,
    },
    /// Neither `bwc1.` with base64url nor `0x` with lower-case hexadecimal, or not in its one canonical spelling.
    #[error(
        "not the text of a compact value: `bwc1.` and base64url without padding, or `0x` and lower-case hexadecimal"
    )]
    Text,
    /// None of the keys is one the value names.
    #[error("none of the given keys is a recipient of this value")]
    NoRecipient,
    /// The tag does not verify, for every cause alike.
    #[error(
        "the value does not open: it was changed, or sealed for another chain, contract, function, record or sender"
    )]
    NotOpened,
    /// The wrapped key is not the one committed to.
    #[error("the key a recipient entry holds is not the one the value commits to")]
    Commitment,
    /// The mark that ends a padded value is missing or something follows it.
    #[error("the padding is malformed")]
    Padding,
    /// The value names the batch it belongs to, and it is not this one.
    #[error("the value belongs to another batch")]
    OtherBatch,
    /// A batch in which an index comes twice: a value was replayed, or made by someone who only holds the batch's key.
    #[error("index {index} comes twice in the batch")]
    IndexRepeated {
        /// The index.
        index: u32,
    },
    /// The value is signed, and no key to check that with was given.
    #[error("the value is signed: give the owner's key to check it with")]
    OwnerNeeded,
    /// An owner was expected and the value is not signed.
    #[error("the value is not signed: anyone could have sealed it")]
    NotSigned,
    /// Not signed by the expected owner for this context.
    #[error("the signature is not the expected owner's for this context")]
    Signature,
}
