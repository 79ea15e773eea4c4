//! Tiled transparency logs (C2SP tlog-tiles): what a log, a witness, a monitor and a skeptic compute. Normative for this
//! project: `docs/spec/v1/log.md`.
//!
//! Pure: no file system, no network, no clock. Reading and writing tiles are traits ([`TileSource`], [`Storage`]); the time of a
//! cosignature is an argument.
//!
//! - [`verify_proof`] judges a `.tlog-proof` file offline against a [`LogPolicy`]; [`verify_growth`] judges two checkpoints.
//! - [`Log`] sequences entries and signs only what it has read back from storage and hashed again.
//! - [`witness`] is the witness protocol as a function from old state and request to answer and new state.
//! - [`fsck`] derives a whole log again from its entries and names what does not fit.

mod bundle;
mod checkpoint;
mod cosignature;
mod fsck;
mod hash;
mod key;
mod log;
mod merkle;
mod note;
mod policy;
mod text;
mod tile;
mod tree;
pub mod witness;

pub use bundle::{EXTRA_BYTES_MAX, PROOF_BYTES_MAX, TlogProof, TlogProofError};
pub use checkpoint::{Checkpoint, CheckpointError, SIZE_MAX, SignedCheckpoint};
pub use cosignature::{Cosignature, cosign};
pub use fsck::{Damage, Fault, FsckReport, fsck};
pub use hash::{Hash, empty_root, leaf_hash, node_hash};
pub use key::{KeyError, NAME_BYTES_MAX, NoteSigner, SignatureKind, VerifierKey};
pub use log::{Appended, BATCH_BYTES_MAX, Log, LogError, Storage};
pub use merkle::{MerkleError, verify_consistency, verify_inclusion};
pub use note::{NOTE_BYTES_MAX, Note, NoteError, NoteSignature, SIGNATURES_MAX};
pub use policy::{LogPolicy, PolicyError, ProofError, Verified, verify_growth, verify_proof};
pub use tile::{
    BUNDLE_BYTES_MAX, ENTRY_BYTES_MAX, Level, TILE_WIDTH, Tile, TileError, decode_bundle, decode_hashes,
    encode_bundle,
};
pub use tree::{TileSource, Tree, TreeError};
