//! Sealing one value.

use bailiwick_protocol::ids::OwnerKey;
use bailiwick_protocol::labels::Label;
use bailiwick_protocol::secret::Secret;
use bailiwick_protocol::signing::SigningKey;
use rand_core::CryptoRng;

use super::keys::Schedule;
use super::layout::Form;
use super::recipients::{check, seal_to, value_info, wrap};
use super::{CompactError, Context, Pad};
use crate::kem::RecipientPublicKey;

/// How to seal.
#[derive(Clone, Copy, Debug, Default)]
pub struct Options<'a> {
    /// How the length is hidden.
    pub pad: Pad,
    /// Signs what is sealed (64 bytes more). Without it anyone who knows the recipients' keys could have sealed the value.
    pub signer: Option<&'a SigningKey>,
    /// The committing form for one recipient, too (83 more bytes): a sender then cannot make bytes that open to one value in
    /// one context and to another elsewhere. Several recipients always get it.
    pub committing: bool,
}

/// Seals `value`, at most 64 KiB, for `recipients`, 1 to 16 different keys.
///
/// # Errors
/// `ValueTooLarge`, `PadTo`, `NoRecipients`, `TooManyRecipients`, `DuplicateRecipient`, `Mechanism`, `Key`.
pub fn seal(
    value: &[u8],
    context: &Context,
    recipients: &[RecipientPublicKey],
    options: &Options<'_>,
    rng: &mut impl CryptoRng,
) -> Result<Vec<u8>, CompactError> {
    check(recipients)?;
    let plain = options.pad.apply(value)?;
    let form = match recipients {
        [one] if !options.committing => Form::One(one.kem()),
        _ => Form::Several,
    };
    let first = form.byte(options.pad.is_some(), options.signer.is_some());
    let owner = options.signer.map(|k| OwnerKey(k.public()));
    let binding = context.binding(first, owner.as_ref());
    let mut out = vec![first];
    if let (Form::One(_), [one]) = (form, recipients) {
        let key_id = one.key_id();
        let (enc, sealed) = seal_to(one, &value_info(&binding, &key_id), &plain, rng)?;
        out.extend_from_slice(&key_id);
        out.extend_from_slice(&enc);
        out.extend_from_slice(&sealed);
    } else {
        let key = Secret::<32>::init_with(|k| rng.fill_bytes(k));
        let entries = wrap(recipients, &key, &binding, rng)?;
        let schedule = Schedule::derive(&key, &binding, &entries);
        out.extend_from_slice(&entries);
        out.extend_from_slice(schedule.commitment());
        out.extend_from_slice(&schedule.seal(0, &plain, &[]));
    }
    if let Some(signer) = options.signer {
        sign(&mut out, &binding, &[], signer);
    }
    Ok(out)
}

/// Appends the signature over binding ‖ `batch` ‖ everything before it (spec compact, clause CV7).
pub(super) fn sign(out: &mut Vec<u8>, binding: &[u8], batch: &[u8], signer: &SigningKey) {
    let message = [binding, batch, out].concat();
    out.extend_from_slice(&signer.sign(Label::CompactSignature, &message).0);
}
