//! Judging a proof offline: which log, which witnesses, how many of them.

use crate::bundle::{TlogProof, TlogProofError};
use crate::checkpoint::{CheckpointError, SignedCheckpoint};
use crate::cosignature::Cosignature;
use crate::hash::{Hash, leaf_hash};
use crate::key::{SignatureKind, VerifierKey};
use crate::merkle::{MerkleError, verify_consistency, verify_inclusion};
use crate::note::NoteError;

/// What a reader trusts: one log, some witnesses, and how many of them must have cosigned.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LogPolicy {
    log: VerifierKey,
    witnesses: Vec<VerifierKey>,
    quorum: usize,
}

/// Why a policy makes no sense.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum PolicyError {
    /// The log's key is a witness's, or the other way round.
    #[error("log policy: {name} is a key of the wrong kind")]
    Kind {
        /// Its name.
        name: String,
    },
    /// One key twice, or one name twice: a witness must not count twice, nor a log witness itself.
    #[error("log policy: the key or the name {name} occurs twice")]
    Repeated {
        /// Its name.
        name: String,
    },
    /// More cosignatures asked for than there are witnesses.
    #[error("log policy: quorum {quorum} of {witnesses} witnesses")]
    Quorum {
        /// Asked for.
        quorum: usize,
        /// There are.
        witnesses: usize,
    },
}

impl LogPolicy {
    /// `quorum` of `witnesses` must have cosigned a checkpoint of `log`; 0 asks for none.
    ///
    /// # Errors
    /// `PolicyError`.
    pub fn new(log: VerifierKey, witnesses: Vec<VerifierKey>, quorum: usize) -> Result<Self, PolicyError> {
        let kinds = witnesses.iter().map(|w| (w, SignatureKind::Cosignature));
        for (key, kind) in kinds.chain([(&log, SignatureKind::Ed25519)]) {
            if key.kind() != kind {
                return Err(PolicyError::Kind { name: key.name().to_owned() });
            }
        }
        for (i, key) in witnesses.iter().enumerate() {
            // Cosignatures do not cover the witness's name, so one key under two names would count twice.
            let twice = |other: &VerifierKey| other.public() == key.public() || other.name() == key.name();
            if key.public() == log.public() || witnesses[..i].iter().any(twice) {
                return Err(PolicyError::Repeated { name: key.name().to_owned() });
            }
        }
        if quorum > witnesses.len() {
            return Err(PolicyError::Quorum { quorum, witnesses: witnesses.len() });
        }
        Ok(Self { log, witnesses, quorum })
    }

    /// The log's key; its name is the origin.
    #[must_use]
    pub fn log(&self) -> &VerifierKey {
        &self.log
    }

    /// The witnesses that count.
    #[must_use]
    pub fn witnesses(&self) -> &[VerifierKey] {
        &self.witnesses
    }

    /// Cosignatures needed.
    #[must_use]
    pub const fn quorum(&self) -> usize {
        self.quorum
    }

    /// Opens a checkpoint of this log that enough witnesses have cosigned.
    ///
    /// # Errors
    /// `Checkpoint`, `Unwitnessed`.
    pub fn open(&self, note: &[u8]) -> Result<(SignedCheckpoint, Vec<Cosignature>), ProofError> {
        let signed = SignedCheckpoint::open(note, core::slice::from_ref(&self.log))?;
        let found = signed.cosignatures(&self.witnesses).map_err(CheckpointError::Note)?;
        if found.len() < self.quorum {
            return Err(ProofError::Unwitnessed { found: found.len(), quorum: self.quorum });
        }
        Ok((signed, found))
    }
}

/// Why a proof does not hold.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ProofError {
    /// Not a proof file.
    #[error(transparent)]
    Form(#[from] TlogProofError),
    /// Its checkpoint.
    #[error(transparent)]
    Checkpoint(#[from] CheckpointError),
    /// Signed by the log, but too few known witnesses have cosigned: neither proven nor refuted.
    #[error("unwitnessed: {found} cosignatures of known witnesses, {quorum} are needed")]
    Unwitnessed {
        /// Found.
        found: usize,
        /// Needed.
        quorum: usize,
    },
    /// Its path.
    #[error(transparent)]
    Merkle(#[from] MerkleError),
}

impl From<NoteError> for ProofError {
    fn from(error: NoteError) -> Self {
        Self::Checkpoint(error.into())
    }
}

/// What a proof shows.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Verified {
    /// Index of the entry.
    pub index: u64,
    /// Entries of the log at the checkpoint.
    pub size: u64,
    /// Its root.
    pub root: Hash,
    /// Known witnesses that have cosigned, each once, with their time in seconds since 1970-01-01 UTC.
    pub witnessed: Vec<(String, u64)>,
}

impl Verified {
    /// The latest second by which `quorum` witnesses say the entry was in the log, by their clocks: the time a policy on staleness may
    /// compare with. `None` when `quorum` is 0 or more than have cosigned.
    #[must_use]
    pub fn witnessed_at(&self, quorum: usize) -> Option<u64> {
        let mut times: Vec<u64> = self.witnessed.iter().map(|(_, time)| *time).collect();
        times.sort_unstable_by(|a, b| b.cmp(a));
        times.get(quorum.checked_sub(1)?).copied()
    }
}

/// Judges a `.tlog-proof` file: `entry` is in the log of `policy`, and enough of its witnesses have seen the log with it.
///
/// # Errors
/// `ProofError`; `Unwitnessed` tells apart what lacks cosignatures only.
pub fn verify_proof(proof: &[u8], entry: &[u8], policy: &LogPolicy) -> Result<Verified, ProofError> {
    let proof = TlogProof::parse(proof)?;
    let (signed, cosignatures) = policy.open(&proof.checkpoint)?;
    let checkpoint = signed.checkpoint();
    verify_inclusion(&leaf_hash(entry), proof.index, checkpoint.size, &proof.path, &checkpoint.root)?;
    Ok(Verified {
        index: proof.index,
        size: checkpoint.size,
        root: checkpoint.root,
        witnessed: cosignatures.into_iter().map(|c| (c.name, c.time)).collect(),
    })
}

/// Judges two checkpoints of one log: the newer one has only been appended to the older one.
///
/// # Errors
/// `Checkpoint` with `Origin` when they are of different logs; `Merkle`: of one size with two roots, this is a split view.
pub fn verify_growth(
    old: &SignedCheckpoint,
    new: &SignedCheckpoint,
    path: &[Hash],
) -> Result<(), ProofError> {
    let (old, new) = (old.checkpoint(), new.checkpoint());
    if old.origin != new.origin {
        return Err(CheckpointError::Origin.into());
    }
    Ok(verify_consistency(old.size, &old.root, new.size, &new.root, path)?)
}
