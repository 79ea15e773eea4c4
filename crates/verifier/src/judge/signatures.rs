//! Signatures of one judgement. A dossier shows the same envelope in many audits and holds thousands of signatures of few
//! keys: a signature that passed is not checked again, and a key is read once.
//!
//! Every check has the answer of [`bailiwick_protocol::signing::verify`], the strict rules of one signature by itself. Batched
//! verification is not used: the equation of many signatures together, unlike that of each, does not see a small-order part of
//! `R` reliably, so it would take signatures that the strict rules refuse.

use std::collections::{HashMap, HashSet};
use std::sync::{Arc, Mutex, PoisonError};

use bailiwick_protocol::codec::{Canonical, CodecError};
use bailiwick_protocol::signing::{PublicKey, Signed, SignedMessage};

#[cfg(test)]
mod tests;

/// Keys kept, at most; what comes later is read each time.
const KEYS_MAX: usize = 1 << 14;

/// Signatures remembered, at most, 32 bytes each.
const PASSED_MAX: usize = 1 << 18;

/// What was checked before.
#[derive(Default)]
pub(super) struct Signatures {
    /// Digests of label, key, payload and signature that passed together. Nothing else is ever remembered.
    passed: Mutex<HashSet<[u8; 32]>>,
    keys: Mutex<HashMap<[u8; 32], Arc<PublicKey>>>,
}

impl Signatures {
    /// As [`Signed::verify`].
    ///
    /// # Errors
    /// `BadSignature`, or what decoding reports.
    pub(super) fn verify<T: SignedMessage>(
        &self,
        signed: &Signed<T>,
        key: &[u8; 32],
    ) -> Result<T, CodecError> {
        signed.verify_with(self.key(key)?.as_ref())
    }

    /// The same of a message that is likely to come again: if these very bytes passed under this key, only decodes.
    ///
    /// # Errors
    /// `BadSignature`, or what decoding reports.
    pub(super) fn verify_repeated<T: SignedMessage>(
        &self,
        signed: &Signed<T>,
        key: &[u8; 32],
    ) -> Result<T, CodecError> {
        let digest = digest(signed, key);
        if self.passed.lock().unwrap_or_else(PoisonError::into_inner).contains(&digest) {
            return signed.decode_unverified();
        }
        let message = self.verify(signed, key)?;
        let mut passed = self.passed.lock().unwrap_or_else(PoisonError::into_inner);
        if passed.len() < PASSED_MAX {
            passed.insert(digest);
        }
        Ok(message)
    }

    fn key(&self, bytes: &[u8; 32]) -> Result<Arc<PublicKey>, CodecError> {
        if let Some(key) = self.keys.lock().unwrap_or_else(PoisonError::into_inner).get(bytes) {
            return Ok(key.clone());
        }
        let key = Arc::new(PublicKey::new(bytes)?);
        let mut keys = self.keys.lock().unwrap_or_else(PoisonError::into_inner);
        if keys.len() < KEYS_MAX {
            keys.insert(*bytes, key.clone());
        }
        Ok(key)
    }
}

/// Of everything that decides whether the signature holds; label and key are of fixed length for a kind of message.
fn digest<T: SignedMessage>(signed: &Signed<T>, key: &[u8; 32]) -> [u8; 32] {
    let label = T::LABEL.as_bytes();
    let mut h = blake3::Hasher::new();
    h.update(&(label.len() as u64).to_le_bytes()).update(label).update(key).update(&signed.to_bytes());
    h.finalize().into()
}
