//! The witness protocol (C2SP tlog-witness) as a function: what a witness knows and a request, to an answer and what it knows then.
//!
//! The caller's part: hold one lock a log from reading the known head until the new one is durable, and answer only after that.

use crate::bundle::next_line;
use crate::checkpoint::{Checkpoint, CheckpointError, SignedCheckpoint};
use crate::hash::Hash;
use crate::key::VerifierKey;
use crate::merkle::verify_consistency;
use crate::note::{NOTE_BYTES_MAX, Note};
use crate::text::decimal;

/// Lines of a consistency proof, at most.
pub const PROOF_LINES_MAX: usize = 63;
/// Bytes of a request, at most: the old size's line, the proof's lines and a note.
pub const REQUEST_BYTES_MAX: usize = 32 + PROOF_LINES_MAX * 45 + NOTE_BYTES_MAX;
/// `Content-Type` of an answer with the size a witness knows.
pub const SIZE_CONTENT_TYPE: &str = "text/x.tlog.size";

/// A request whose form was checked, and nothing else.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AddCheckpoint {
    /// Size the proof starts from.
    pub old_size: u64,
    /// Consistency proof.
    pub proof: Vec<Hash>,
    /// The checkpoint.
    pub note: Note,
}

impl AddCheckpoint {
    /// The body of a request.
    #[must_use]
    pub fn to_bytes(&self) -> Vec<u8> {
        let mut text = format!("old {}\n", self.old_size);
        for hash in &self.proof {
            text += &hash.to_base64();
            text.push('\n');
        }
        (text + "\n" + &self.note.to_text()).into_bytes()
    }

    /// Reads the body of a request.
    ///
    /// # Errors
    /// `Refusal::Malformed`.
    pub fn parse(bytes: &[u8]) -> Result<Self, Refusal> {
        Self::parse_form(bytes).ok_or(Refusal::Malformed)
    }

    fn parse_form(bytes: &[u8]) -> Option<Self> {
        if bytes.len() > REQUEST_BYTES_MAX {
            return None;
        }
        let mut rest = bytes;
        let old_size = next_line(&mut rest)?.strip_prefix("old ").and_then(decimal)?;
        let mut proof = Vec::new();
        loop {
            match next_line(&mut rest)? {
                "" => break,
                line if proof.len() < PROOF_LINES_MAX => proof.push(Hash::from_base64(line)?),
                _ => return None,
            }
        }
        Some(Self { old_size, proof, note: Note::parse(rest).ok()? })
    }

    /// The log the checkpoint is said to be of, to find what is known of it. Not authenticated.
    ///
    /// # Errors
    /// `Refusal::Malformed`.
    pub fn origin(&self) -> Result<String, Refusal> {
        Ok(Checkpoint::parse_unverified(self.note.text()).map_err(|_| Refusal::Malformed)?.origin)
    }
}

/// Why a witness does not cosign.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Refusal {
    /// Not a request: too long, too many proof lines, not a note, not a checkpoint.
    #[error("malformed request")]
    Malformed,
    /// A log this witness does not know.
    #[error("unknown log")]
    UnknownLog,
    /// Not signed by a known key of the log, or a line of such a key does not verify.
    #[error("not signed by a known key of the log")]
    Unsigned,
    /// The old size is above the checkpoint's.
    #[error("old size is above the checkpoint's size")]
    Shrinks,
    /// The old size is not the one of the latest checkpoint this witness has cosigned.
    #[error("old size is not {size}, the latest cosigned")]
    Stale {
        /// That size.
        size: u64,
    },
    /// The log has signed something that contradicts what it signed before, or sent a proof that shows nothing.
    #[error("not consistent with the latest cosigned checkpoint")]
    Inconsistent,
}

impl Refusal {
    /// HTTP status.
    #[must_use]
    pub const fn status(self) -> u16 {
        match self {
            Self::Malformed | Self::Shrinks => 400,
            Self::Unsigned => 403,
            Self::UnknownLog => 404,
            Self::Stale { .. } => 409,
            Self::Inconsistent => 422,
        }
    }
}

/// Decides about a request. `keys` are all log keys the witness knows; `known` is the latest checkpoint it has cosigned for this
/// origin. The answer is what to make durable, and then to cosign and to remember as the latest.
///
/// # Errors
/// `Refusal`; nothing changes then. [`convicts`] tells whether what was refused is evidence.
pub fn decide(
    request: &AddCheckpoint,
    keys: &[VerifierKey],
    known: Option<&Checkpoint>,
) -> Result<SignedCheckpoint, Refusal> {
    let origin = request.origin()?;
    let keys = keys_of(&origin, keys);
    if keys.is_empty() {
        return Err(Refusal::UnknownLog);
    }
    let signed = match SignedCheckpoint::of_note(request.note.clone(), &keys) {
        Ok(signed) => Some(signed),
        // Signed, of size 0, with a root that no tree of that size has: judged below, after the sizes.
        Err(CheckpointError::EmptyRoot) => None,
        Err(CheckpointError::Form | CheckpointError::Origin) => return Err(Refusal::Malformed),
        Err(_) => return Err(Refusal::Unsigned),
    };
    if request.old_size > signed.as_ref().map_or(0, |s| s.checkpoint().size) {
        return Err(Refusal::Shrinks);
    }
    let size = known.map_or(0, |k| k.size);
    if request.old_size != size {
        return Err(Refusal::Stale { size });
    }
    let signed = signed.ok_or(Refusal::Inconsistent)?;
    let new = signed.checkpoint();
    let root = known.map_or_else(crate::hash::empty_root, |k| k.root);
    verify_consistency(size, &root, new.size, &new.root, &request.proof)
        .map_err(|_| Refusal::Inconsistent)?;
    Ok(signed)
}

/// Whether the checkpoint of a request and `known`, both signed by the log, convict it whatever proof came with them: two roots of one
/// size, or size 0 with another root than the empty tree's. A proof that does not hold convicts nobody: anyone can send one with a
/// genuine checkpoint.
#[must_use]
pub fn convicts(request: &AddCheckpoint, keys: &[VerifierKey], known: Option<&Checkpoint>) -> bool {
    let Ok(origin) = request.origin() else { return false };
    match SignedCheckpoint::of_note(request.note.clone(), &keys_of(&origin, keys)) {
        Ok(signed) => {
            let new = signed.checkpoint();
            known.is_some_and(|k| k.origin == origin && k.size == new.size && k.root != new.root)
        }
        Err(error) => error == CheckpointError::EmptyRoot,
    }
}

fn keys_of(origin: &str, keys: &[VerifierKey]) -> Vec<VerifierKey> {
    keys.iter().filter(|k| k.name() == origin).cloned().collect()
}
