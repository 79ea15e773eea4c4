//! Cosignatures of witnesses (C2SP tlog-cosignature), version 1: Ed25519 over a time and the whole checkpoint text.

use crate::checkpoint::SignedCheckpoint;
use crate::key::{NoteSigner, SignatureKind, VerifierKey};
use crate::note::{Note, NoteError, NoteSignature};

/// Latest time a cosignature may carry: 2^63 - 1.
const TIME_MAX: u64 = i64::MAX.unsigned_abs();

fn message(time: u64, text: &str) -> Vec<u8> {
    format!("cosignature/v1\ntime {time}\n{text}").into_bytes()
}

/// The time of a line's bytes (`time ‖ signature`), if they verify.
pub(crate) fn verified_time(key: &VerifierKey, text: &str, bytes: &[u8]) -> Option<u64> {
    let (time, signature) = bytes.split_first_chunk::<8>()?;
    let time = u64::from_be_bytes(*time);
    let good = time <= TIME_MAX && key.verifies(&message(time, text), signature.try_into().ok()?);
    good.then_some(time)
}

/// A verified cosignature.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Cosignature {
    /// Name of the witness.
    pub name: String,
    /// When, in seconds since 1970-01-01 UTC, by the witness's clock.
    pub time: u64,
}

/// The line a witness answers with. The caller has checked consistency, and has made durable what it cosigns.
///
/// `None` when `signer` is not a witness's key, or `time` (seconds since 1970-01-01 UTC) is beyond 2^63 - 1.
#[must_use]
pub fn cosign(checkpoint: &SignedCheckpoint, signer: &NoteSigner, time: u64) -> Option<NoteSignature> {
    if signer.verifier().kind() != SignatureKind::Cosignature || time > TIME_MAX {
        return None;
    }
    let signature = signer.sign(&message(time, checkpoint.note().text()));
    let bytes = [time.to_be_bytes().as_slice(), &signature].concat();
    Some(NoteSignature::new(signer.verifier(), bytes))
}

/// The cosignatures by `witnesses` on a note, in their order.
///
/// # Errors
/// `BadSignature` of the first known witness whose line does not verify.
pub(crate) fn cosignatures(note: &Note, witnesses: &[VerifierKey]) -> Result<Vec<Cosignature>, NoteError> {
    let mut found = Vec::new();
    for key in witnesses {
        if let Some(time) = note.signed_by(key)?.and_then(|s| s.time) {
            found.push(Cosignature { name: key.name().to_owned(), time });
        }
    }
    Ok(found)
}
