//! Checkpoints (C2SP tlog-checkpoint): origin, size and root of a log at one moment, as a signed note.

use crate::cosignature::{Cosignature, cosignatures};
use crate::hash::{Hash, empty_root};
use crate::key::{NAME_BYTES_MAX, NoteSigner, SignatureKind, VerifierKey};
use crate::note::{Note, NoteError};
use crate::text::decimal;

/// Entries of a log, at most: 2^63 - 1, so that every sum of two indices is a number.
pub const SIZE_MAX: u64 = i64::MAX.unsigned_abs();

/// Why a note is not a checkpoint of the expected log.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum CheckpointError {
    /// The note.
    #[error(transparent)]
    Note(#[from] NoteError),
    /// No known key of the log has signed it.
    #[error("checkpoint: not signed by a known key of the log")]
    Unsigned,
    /// Not origin, size, root and extension lines, none of them empty.
    #[error("checkpoint: not the lines origin, size, root hash")]
    Form,
    /// Signed by the log's key for another origin than the key's name.
    #[error("checkpoint: of another origin than its log's key")]
    Origin,
    /// The tree without entries has one root only.
    #[error("checkpoint: size 0 with a root that is not the empty tree's")]
    EmptyRoot,
}

/// The text of a checkpoint.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Checkpoint {
    /// Which log. Its key has the same name.
    pub origin: String,
    /// Entries, at most [`SIZE_MAX`].
    pub size: u64,
    /// Root of the tree over them (RFC 6962 section 2.1).
    pub root: Hash,
    /// Opaque lines; ours have none.
    pub extensions: Vec<String>,
}

impl Checkpoint {
    /// Without extension lines.
    #[must_use]
    pub fn new(origin: &str, size: u64, root: Hash) -> Self {
        Self { origin: origin.to_owned(), size, root, extensions: Vec::new() }
    }

    /// Reads a note's text. Says nothing about who signed it: only for finding the keys to check it with.
    ///
    /// # Errors
    /// `Form`.
    pub fn parse_unverified(text: &str) -> Result<Self, CheckpointError> {
        let body = text.strip_suffix('\n').ok_or(CheckpointError::Form)?;
        let mut lines = body.split('\n');
        let mut next = || lines.next().filter(|l| !l.is_empty()).ok_or(CheckpointError::Form);
        let (origin, size, root) = (next()?, next()?, next()?);
        let extensions: Vec<String> = lines.map(str::to_owned).collect();
        if origin.len() > NAME_BYTES_MAX || extensions.iter().any(String::is_empty) {
            return Err(CheckpointError::Form);
        }
        Ok(Self {
            origin: origin.to_owned(),
            size: decimal(size).filter(|s| *s <= SIZE_MAX).ok_or(CheckpointError::Form)?,
            root: Hash::from_base64(root).ok_or(CheckpointError::Form)?,
            extensions,
        })
    }

    /// The note text.
    #[must_use]
    pub fn to_text(&self) -> String {
        let head = format!("{}\n{}\n{}\n", self.origin, self.size, self.root.to_base64());
        self.extensions.iter().fold(head, |text, line| text + line + "\n")
    }
}

/// A checkpoint that a known key of its log has signed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SignedCheckpoint {
    checkpoint: Checkpoint,
    note: Note,
}

impl SignedCheckpoint {
    /// Signs. The caller has recomputed the root; `signer` is the log's own key, so the origin is its name. `None` for a
    /// witness's key.
    pub(crate) fn sign(size: u64, root: Hash, signer: &NoteSigner) -> Option<Self> {
        let key = signer.verifier();
        if key.kind() != SignatureKind::Ed25519 {
            return None;
        }
        let checkpoint = Checkpoint::new(key.name(), size, root);
        Some(Self { note: Note::sign(checkpoint.to_text(), signer), checkpoint })
    }

    /// Reads a note, checks that one of `keys` has signed it, and only then reads the text.
    ///
    /// # Errors
    /// `CheckpointError`. A line that names one of `keys` and does not verify spoils the whole note.
    pub fn open(bytes: &[u8], keys: &[VerifierKey]) -> Result<Self, CheckpointError> {
        Self::of_note(Note::parse(bytes)?, keys)
    }

    pub(crate) fn of_note(note: Note, keys: &[VerifierKey]) -> Result<Self, CheckpointError> {
        let mut signer = None;
        for key in keys.iter().filter(|k| k.kind() == SignatureKind::Ed25519) {
            if note.signed_by(key)?.is_some() {
                signer = Some(key);
            }
        }
        let signer = signer.ok_or(CheckpointError::Unsigned)?;
        let checkpoint = Checkpoint::parse_unverified(note.text())?;
        if checkpoint.origin != signer.name() {
            return Err(CheckpointError::Origin);
        }
        if checkpoint.size == 0 && checkpoint.root != empty_root() {
            return Err(CheckpointError::EmptyRoot);
        }
        Ok(Self { checkpoint, note })
    }

    /// What was signed.
    #[must_use]
    pub fn checkpoint(&self) -> &Checkpoint {
        &self.checkpoint
    }

    /// The note it came as, with all its lines.
    #[must_use]
    pub fn note(&self) -> &Note {
        &self.note
    }

    /// The same checkpoint with the lines of `keys` alone: what strangers have added is not kept.
    #[must_use]
    pub fn with_lines_of(&self, keys: &[VerifierKey]) -> Self {
        let mut note = self.note.clone();
        note.retain(|line| keys.iter().any(|key| line.is_of(key)));
        Self { checkpoint: self.checkpoint.clone(), note }
    }

    /// The cosignatures of known witnesses, each witness once.
    ///
    /// # Errors
    /// `BadSignature` when a line of a known witness does not verify.
    pub fn cosignatures(&self, witnesses: &[VerifierKey]) -> Result<Vec<Cosignature>, NoteError> {
        cosignatures(&self.note, witnesses)
    }

    /// Takes the latest cosignature of `witness` out of its answer; lines of other keys are ignored. One line a witness is kept, the
    /// latest: a witness that answers with many must not crowd out the others.
    ///
    /// # Errors
    /// `Line`, `TooMany`, `TooLong`; `BadSignature`; `NoSignatures` when no line is the witness's. Nothing is added then.
    pub fn add_cosignatures(
        &mut self,
        answer: &[u8],
        witness: &VerifierKey,
    ) -> Result<Cosignature, NoteError> {
        let mut whole = self.note.text().as_bytes().to_vec();
        whole.push(b'\n');
        whole.extend_from_slice(answer);
        let theirs = Note::parse(&whole)?;
        // An answer with a blank line in it would make a text of its own.
        if theirs.text() != self.note.text() {
            return Err(NoteError::NoSignatures);
        }
        let signed = theirs.signed_by(witness)?.ok_or(NoteError::NoSignatures)?;
        let time = signed.time.ok_or(NoteError::NoSignatures)?;
        if self.note.signed_by(witness)?.is_none_or(|own| own.time < signed.time) {
            self.note.retain(|line| !line.is_of(witness));
            self.note.add(signed.line.clone());
        }
        Ok(Cosignature { name: witness.name().to_owned(), time })
    }
}
