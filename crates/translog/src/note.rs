//! Signed notes (C2SP signed-note): text, a blank line, signature lines.

use crate::cosignature;
use crate::key::{NoteSigner, SignatureKind, VerifierKey, is_name};
use crate::text::{base64, from_base64};

/// Bytes of a note, at most: 16 post-quantum signatures (of nearly 5 kB, 7 kB in base64) must fit, and twice do.
pub const NOTE_BYTES_MAX: usize = 256 * 1024;
/// Signature lines of a note, at most; the specification asks for at least 16.
pub const SIGNATURES_MAX: usize = 64;
/// What a signature line begins with: an em dash and a space.
const DASH: &str = "\u{2014} ";

/// Why bytes are not a note, or a note is not to be relied on.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum NoteError {
    /// Longer than [`NOTE_BYTES_MAX`].
    #[error("note: {len} bytes, more than the limit of {NOTE_BYTES_MAX}")]
    TooLong {
        /// Bytes found.
        len: usize,
    },
    /// Not UTF-8, or a control character other than the newline.
    #[error("note: not UTF-8 text without control characters")]
    Text,
    /// No blank line, no signature, or something else at the end.
    #[error("note: no signature block after a blank line at the end")]
    NoSignatures,
    /// A signature line that is not `— name base64`.
    #[error("note: signature line {line} is malformed")]
    Line {
        /// Counted from 1.
        line: usize,
    },
    /// More than [`SIGNATURES_MAX`] signature lines.
    #[error("note: more than {SIGNATURES_MAX} signatures")]
    TooMany,
    /// A line names a known key and does not verify under it.
    #[error("note: a signature of the known key {name} does not verify")]
    BadSignature {
        /// The key's name.
        name: String,
    },
}

/// One signature line. Means nothing before it was verified.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NoteSignature {
    name: String,
    id: [u8; 4],
    bytes: Vec<u8>,
}

impl NoteSignature {
    pub(crate) fn new(key: &VerifierKey, bytes: Vec<u8>) -> Self {
        Self { name: key.name().to_owned(), id: key.id(), bytes }
    }

    /// Reads `— name base64(id ‖ signature)` without its newline; `None` for anything else.
    pub(crate) fn parse(line: &str) -> Option<Self> {
        let (name, field) = line.strip_prefix(DASH)?.split_once(' ')?;
        let bytes = from_base64(field)?;
        let (id, signature) = bytes.split_first_chunk::<4>()?;
        (is_name(name) && !signature.is_empty()).then(|| Self {
            name: name.to_owned(),
            id: *id,
            bytes: signature.to_vec(),
        })
    }

    /// The line, with its newline.
    #[must_use]
    pub fn to_line(&self) -> String {
        format!("{DASH}{} {}\n", self.name, base64(&[&self.id, self.bytes.as_slice()].concat()))
    }

    /// Name of the key that is said to have signed.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    pub(crate) fn is_of(&self, key: &VerifierKey) -> bool {
        self.name == key.name() && self.id == key.id()
    }
}

/// A note whose form was checked, and nothing else.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Note {
    text: String,
    signatures: Vec<NoteSignature>,
}

/// What a verified line says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Signed<'n> {
    /// The line.
    pub(crate) line: &'n NoteSignature,
    /// Of a cosignature, seconds since 1970-01-01 UTC.
    pub(crate) time: Option<u64>,
}

impl Note {
    /// A note over `text`, which ends in a newline, signed by `signer` with the kind of signature its key is for.
    pub(crate) fn sign(text: String, signer: &NoteSigner) -> Self {
        let signature = NoteSignature::new(signer.verifier(), signer.sign(text.as_bytes()).to_vec());
        Self { text, signatures: vec![signature] }
    }

    /// Checks the form. Only one text has this meaning: `to_text` gives the same bytes back.
    ///
    /// # Errors
    /// All of `NoteError` but `BadSignature`.
    pub fn parse(bytes: &[u8]) -> Result<Self, NoteError> {
        if bytes.len() > NOTE_BYTES_MAX {
            return Err(NoteError::TooLong { len: bytes.len() });
        }
        let all = core::str::from_utf8(bytes).map_err(|_| NoteError::Text)?;
        if all.bytes().any(|b| b < 0x20 && b != b'\n') {
            return Err(NoteError::Text);
        }
        // The text is separated from the signatures by the last empty line.
        let blank = all.rfind("\n\n").ok_or(NoteError::NoSignatures)?;
        let lines = all[blank + 2..].strip_suffix('\n').ok_or(NoteError::NoSignatures)?;
        let mut signatures = Vec::new();
        for (i, line) in lines.split('\n').enumerate() {
            if i == SIGNATURES_MAX {
                return Err(NoteError::TooMany);
            }
            signatures.push(NoteSignature::parse(line).ok_or(NoteError::Line { line: i + 1 })?);
        }
        Ok(Self { text: all[..=blank].to_owned(), signatures })
    }

    /// The note as it travels.
    #[must_use]
    pub fn to_text(&self) -> String {
        self.signatures.iter().fold(format!("{}\n", self.text), |text, s| text + &s.to_line())
    }

    /// The signed text, ending in a newline.
    #[must_use]
    pub fn text(&self) -> &str {
        &self.text
    }

    /// All signature lines, of unknown keys too.
    #[must_use]
    pub fn signatures(&self) -> &[NoteSignature] {
        &self.signatures
    }

    /// The lines that name `key`.
    pub(crate) fn lines_of(&self, key: &VerifierKey) -> impl Iterator<Item = &NoteSignature> {
        self.signatures.iter().filter(move |s| s.is_of(key))
    }

    /// Drops the lines that `keep` does not want.
    pub(crate) fn retain(&mut self, keep: impl FnMut(&NoteSignature) -> bool) {
        self.signatures.retain(keep);
    }

    /// Adds a line.
    pub(crate) fn add(&mut self, signature: NoteSignature) {
        self.signatures.push(signature);
    }

    /// Verifies every line that names `key`, by name and id; `None` when there is none. Lines of other keys are ignored, also
    /// when they share the name or the id. Of several good cosignatures the latest counts.
    ///
    /// # Errors
    /// `BadSignature` when one of the lines does not verify: the whole note is refused.
    pub(crate) fn signed_by(&self, key: &VerifierKey) -> Result<Option<Signed<'_>>, NoteError> {
        let bad = || NoteError::BadSignature { name: key.name().to_owned() };
        let mut found: Option<Signed<'_>> = None;
        for line in self.lines_of(key) {
            let time = match key.kind() {
                SignatureKind::Ed25519 => {
                    let signature = line.bytes.as_slice().try_into().map_err(|_| bad())?;
                    if !key.verifies(self.text.as_bytes(), signature) {
                        return Err(bad());
                    }
                    None
                }
                SignatureKind::Cosignature => {
                    Some(cosignature::verified_time(key, &self.text, &line.bytes).ok_or_else(bad)?)
                }
            };
            if found.is_none_or(|f| f.time < time) {
                found = Some(Signed { line, time });
            }
        }
        Ok(found)
    }
}
