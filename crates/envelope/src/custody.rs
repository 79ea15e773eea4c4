//! Recipients of a custody dealing's secret (spec custody, clauses K16 and K17): they are sent S and the proof that custodians share it.
//!
//! What the 96 bytes mean is the custody crate's business; here they are sealed to and opened by recipients' keys like any other role.

use bailiwick_protocol::envelope::{Envelope, RecipientEntry, Role};
use bailiwick_protocol::secret::Secret;
use rand_core::CryptoRng;

use crate::kem::{Context, KeyError, RecipientPublicKey, RecipientSecretKey, decapsulate, encapsulate};

/// An entry of role custody-secret of `envelope` for `key`.
///
/// # Errors
/// `KeyError`.
pub fn seal_custody_secret(
    envelope: &Envelope,
    key: &RecipientPublicKey,
    content: &Secret<96>,
    rng: &mut impl CryptoRng,
) -> Result<RecipientEntry, KeyError> {
    encapsulate(&Context::of(envelope), key, false, Role::CustodySecret, content.expose_secret(), rng)
}

/// What a recipient of role custody-secret was sent; none when no entry of that role is for any of `secrets`. Verify the envelope first.
#[must_use]
pub fn open_custody_secret(envelope: &Envelope, secrets: &[RecipientSecretKey]) -> Option<Secret<96>> {
    let context = Context::of(envelope);
    let entries = || envelope.recipients.iter().filter(|e| e.role == Role::CustodySecret);
    let opened = secrets.iter().find_map(|key| {
        let id = key.public().key_id();
        let mine = entries().filter(|e| e.key_id.is_none_or(|named| named == id));
        mine.into_iter().find_map(|entry| decapsulate(&context, key, entry))
    })?;
    let content: &[u8; 96] = opened.as_slice().try_into().ok()?;
    Some(Secret::init_with(|b| b.copy_from_slice(content)))
}
