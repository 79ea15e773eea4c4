//! Opening one value.

use bailiwick_protocol::ids::{OwnerKey, Signature};
use bailiwick_protocol::labels::Label;
use bailiwick_protocol::signing;
use zeroize::Zeroizing;

use super::keys::Schedule;
use super::layout::{Fields, Form, PADDED, SIGNATURE_BYTES, entries, form, split_signature};
use super::padding::strip;
use super::recipients::{open_with, unwrap, value_info};
use super::{CompactError, Context, VALUE_BYTES_MAX};
use crate::kem::RecipientSecretKey;

/// A value that opened.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct OpenedValue {
    /// The value. Wiped on drop.
    pub value: Zeroizing<Vec<u8>>,
    /// Who sealed it, if it is signed; none: anyone could have.
    pub owner: Option<OwnerKey>,
    /// Its place in its batch; 0 outside one.
    pub index: u32,
}

/// Opens a value of form *one* or *several* with one of `secrets`. With `owner` it must carry that owner's signature.
///
/// # Errors
/// `TooLong`, `CutShort`, `Version`, `WrongForm`, `TooManyRecipients`, `DuplicateRecipient`, `Mechanism` for bytes that are no such
/// value; `OwnerNeeded`, `NotSigned`, `Signature`; `NoRecipient`, `NotOpened`, `Commitment`, `Padding`.
pub fn open(
    sealed: &[u8],
    context: &Context,
    secrets: &[RecipientSecretKey],
    owner: Option<&OwnerKey>,
) -> Result<OpenedValue, CompactError> {
    let form = form(sealed)?;
    let binding = authentic(sealed, context, owner, &[], || match form {
        Form::One(_) | Form::Several => Ok(()),
        other => Err(CompactError::WrongForm { found: other.name(), expected: "value" }),
    })?;
    let (unsigned, _) = split_signature(sealed)?;
    let first = unsigned[0];
    let mut fields = Fields(&unsigned[1..]);
    let plain = if let Form::One(kem) = form {
        let key_id = fields.array("the key id")?;
        let enc = fields.take(kem.enc_bytes(), "the encapsulated key")?;
        let sealed = fields.ciphertext()?;
        let key = secrets.iter().find(|k| k.kem() == kem && k.key_id() == *key_id);
        let key = key.ok_or(CompactError::NoRecipient)?;
        open_with(key, enc, &value_info(&binding, key_id), sealed).ok_or(CompactError::NotOpened)?
    } else {
        let (recipients, section) = entries(&mut fields)?;
        let commitment = fields.array("the key commitment")?;
        let sealed = fields.ciphertext()?;
        let key = unwrap(&recipients, secrets, &binding)?;
        let schedule = Schedule::derive(&key, &binding, section);
        if !schedule.commits(commitment) {
            return Err(CompactError::Commitment);
        }
        schedule.open(0, sealed, &[]).ok_or(CompactError::NotOpened)?
    };
    Ok(OpenedValue { value: unpad(first, plain)?, owner: owner.copied(), index: 0 })
}

/// Checks the form, then who signed; gives the binding of these bytes.
pub(super) fn authentic(
    sealed: &[u8],
    context: &Context,
    owner: Option<&OwnerKey>,
    batch: &[u8],
    check_form: impl FnOnce() -> Result<(), CompactError>,
) -> Result<Vec<u8>, CompactError> {
    check_form()?;
    let (unsigned, signature) = split_signature(sealed)?;
    let first = *unsigned.first().ok_or(CompactError::CutShort { what: "the first byte" })?;
    match (owner, signature) {
        (None, None) => Ok(context.binding(first, None)),
        (None, Some(_)) => Err(CompactError::OwnerNeeded),
        (Some(_), None) => Err(CompactError::NotSigned),
        (Some(owner), Some(signature)) => {
            let binding = context.binding(first, Some(owner));
            check_signature(unsigned, &binding, batch, owner, signature)?;
            Ok(binding)
        }
    }
}

fn check_signature(
    unsigned: &[u8],
    binding: &[u8],
    batch: &[u8],
    owner: &OwnerKey,
    signature: &[u8; SIGNATURE_BYTES],
) -> Result<(), CompactError> {
    let message = [binding, batch, unsigned].concat();
    signing::verify(owner.as_bytes(), Label::CompactSignature, &message, &Signature(*signature))
        .map_err(|_| CompactError::Signature)
}

/// Takes the padding off when the first byte says there is some; refuses a value above the limit.
pub(super) fn unpad(first: u8, plain: Zeroizing<Vec<u8>>) -> Result<Zeroizing<Vec<u8>>, CompactError> {
    if first & PADDED != 0 {
        return strip(plain);
    }
    if plain.len() > VALUE_BYTES_MAX {
        return Err(CompactError::ValueTooLarge { found: plain.len() });
    }
    Ok(plain)
}
