//! Bounds on everything that comes from outside, each with its reason.

/// Bytes of an encoded envelope, at most: 64 hybrid recipients of about 1.2 KiB fit four times over,
/// and a node can hold thousands in memory.
pub const ENVELOPE_BYTES_MAX: usize = 256 * 1024;

/// Recipients of one envelope, at most (each costs one KEM decapsulation to try).
pub const RECIPIENTS_MAX: usize = 64;

/// Shards of one object, at most; more than anyone has hosts, and each costs an envelope.
pub const SHARDS_MAX: u16 = 255;

/// Memory of a passphrase entry's Argon2id, KiB, at most: 1 GiB.
pub const PASSPHRASE_MEMORY_KIB_MAX: u32 = 1 << 20;

/// Passes of a passphrase entry's Argon2id, at most.
pub const PASSPHRASE_PASSES_MAX: u32 = 32;

/// Lanes of a passphrase entry's Argon2id, at most.
pub const PASSPHRASE_LANES_MAX: u32 = 16;

/// Memory times passes of a passphrase entry, KiB, at most: twice RFC 9106's first recommended choice (2 GiB, one pass), some seconds.
pub const PASSPHRASE_WORK_KIB_MAX: u64 = 4 << 20;

/// Bytes of an encoded custody dealing, at most: 128 custodians with their jurisdictions and a hybrid share each.
pub const CUSTODY_DEALING_BYTES_MAX: usize = 168 * 1024;

/// Storage commitments of one envelope, at most: one per scheme, and few schemes will exist.
pub const COMMITMENTS_MAX: usize = 4;

/// Bytes of a storage commitment of another scheme than the cell tree, at most.
pub const FURTHER_COMMITMENT_BYTES_MAX: usize = 1024;

/// Bytes of a possession proof of any scheme, at most; Groth16's has 128.
pub const POSSESSION_PROOF_BYTES_MAX: usize = 512;

/// Objects one challenge may name. Larger scopes are what the inventory of an epoch is for.
pub const CHALLENGE_OBJECTS_MAX: usize = 4096;

/// Bytes of an encoded challenge, at most: `CHALLENGE_OBJECTS_MAX` references of less than 256 bytes each, and the header.
pub const CHALLENGE_BYTES_MAX: usize = CHALLENGE_OBJECTS_MAX * 256 + 4096;

/// Bytes of an encoded possession response, at most: a 128-byte proof, a signature and a digest.
pub const RESPONSE_BYTES_MAX: usize = 1024;

/// Objects one inventory may list: 2^32, more than one machine indexes.
pub const INVENTORY_LEAVES_MAX: u64 = 1 << 32;

/// Siblings of one leaf's path: ceil(log2(`INVENTORY_LEAVES_MAX`)).
pub const INVENTORY_PATH_MAX: usize = 32;

/// Nodes around a range of leaves: a path on either side.
pub const RANGE_PROOF_NODES_MAX: usize = 2 * INVENTORY_PATH_MAX;

/// Bytes of an encoded inventory (root and counts), at most.
pub const INVENTORY_HEAD_BYTES_MAX: usize = 256;

/// Leaves one proof may open: at most one for each sample of a class (S <= 1024).
pub const OPENED_LEAVES_MAX: usize = 1024;

/// Bytes of the openings of one proof, or of an owner's range: 1024 paths of 32 nodes, and envelopes.
pub const INVENTORY_OPENINGS_BYTES_MAX: usize = 64 * 1024 * 1024;

/// Hosts one schedule may name: their inventories' digests must fit one log entry (65,535 bytes).
pub const SCHEDULE_HOSTS_MAX: usize = 512;

/// Bytes of one log entry, at most (C2SP tlog-tiles: entries have a 16-bit length).
pub const LOG_ENTRY_BYTES_MAX: usize = 65_535;

/// Bytes of a tlog-proof, at most: 63 hashes and checkpoint with 64 cosignatures, in base64.
pub const LOG_PROOF_BYTES_MAX: usize = 32 * 1024;

/// Bytes of a dossier, at most.
pub const DOSSIER_BYTES_MAX: usize = 256 * 1024 * 1024;

/// Audits one dossier may hold.
pub const DOSSIER_AUDITS_MAX: usize = 100_000;

/// Bytes of a signed roster, at most: 4096 principals of about 1 KiB.
pub const ROSTER_BYTES_MAX: usize = 4 * 1024 * 1024;

/// Range probes one audit may record.
pub const RANGE_OUTCOMES_MAX: usize = 4096;

/// Bytes of an evidence bundle, at most: an envelope with `RECIPIENTS_MAX` hybrid recipients has less than 77 KiB, so
/// `CHALLENGE_OBJECTS_MAX` of them fit, or 1024 opened leaves with their paths and envelopes of any size.
pub const BUNDLE_BYTES_MAX: usize = 328 << 20;

/// Bytes of a body, at most: the capacity of the deepest pinned class (S=64 D=8), 496 · 16^7.
pub const BODY_BYTES_MAX: u64 = 496 << 28;

/// Clear text of an object name inside the ciphertext, bytes, at most (POSIX `NAME_MAX` is 255; names here may hold a path).
pub const NAME_BYTES_MAX: usize = 4096;

/// Clear text of a media type, bytes, at most (RFC 6838 section 4.2 allows 127 + 1 + 127).
pub const MEDIA_TYPE_BYTES_MAX: usize = 255;

const _: () = assert!(CHALLENGE_OBJECTS_MAX * 77 * 1024 + CHALLENGE_BYTES_MAX <= BUNDLE_BYTES_MAX);
const _: () = assert!(
    OPENED_LEAVES_MAX * ENVELOPE_BYTES_MAX + INVENTORY_OPENINGS_BYTES_MAX + CHALLENGE_BYTES_MAX
        <= BUNDLE_BYTES_MAX
);
const _: () = assert!(BODY_BYTES_MAX == 133_143_986_176);
