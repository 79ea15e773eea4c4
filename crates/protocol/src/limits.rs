//! Bounds on everything that comes from outside, each with its reason.

/// Bytes of an encoded envelope, at most: 64 hybrid recipients of about 1.2 KiB fit four times over,
/// and a node can hold thousands in memory.
pub const ENVELOPE_BYTES_MAX: usize = 256 * 1024;

/// Recipients of one envelope, at most (each costs one KEM decapsulation to try).
pub const RECIPIENTS_MAX: usize = 64;

/// Storage commitments of one envelope, at most: one per scheme, and few schemes will exist.
pub const COMMITMENTS_MAX: usize = 4;

/// Objects one challenge may name. Larger scopes are what the inventory of an epoch is for.
pub const CHALLENGE_OBJECTS_MAX: usize = 4096;

/// Bytes of an encoded challenge, at most: `CHALLENGE_OBJECTS_MAX` references of less than 256 bytes each, and the header.
pub const CHALLENGE_BYTES_MAX: usize = CHALLENGE_OBJECTS_MAX * 256 + 4096;

/// Bytes of an encoded possession response, at most: a 128-byte proof, a signature and a digest.
pub const RESPONSE_BYTES_MAX: usize = 1024;

/// Range probes one audit may record.
pub const RANGE_OUTCOMES_MAX: usize = 4096;

/// Bytes of an evidence bundle, at most.
pub const BUNDLE_BYTES_MAX: usize = 1 << 30;

/// Bytes of a body, at most: the capacity of the deepest pinned class (S=64 D=8), 496 · 16^7.
pub const BODY_BYTES_MAX: u64 = 496 << 28;

/// Clear text of an object name inside the ciphertext, bytes, at most (POSIX `NAME_MAX` is 255; names here may hold a path).
pub const NAME_BYTES_MAX: usize = 4096;

/// Clear text of a media type, bytes, at most (RFC 6838 section 4.2 allows 127 + 1 + 127).
pub const MEDIA_TYPE_BYTES_MAX: usize = 255;

const _: () = assert!(BODY_BYTES_MAX == 133_143_986_176);
