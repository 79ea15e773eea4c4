//! Where the fields of a sealed value lie (spec compact, clause CV2).

use bailiwick_protocol::envelope::Kem;

use super::{CompactError, RECIPIENTS_MAX, SEALED_BYTES_MAX};

/// Bits of the first byte: version, padding, signature, form.
pub(super) const VERSION_1: u8 = 0x20;
pub(super) const PADDED: u8 = 0x10;
pub(super) const SIGNED: u8 = 0x08;
const VERSION_MASK: u8 = 0xe0;
const FORM_MASK: u8 = 0x07;

pub(super) const KEY_ID_BYTES: usize = 8;
pub(super) const TAG_BYTES: usize = 16;
pub(super) const WRAPPED_BYTES: usize = 48;
pub(super) const COMMITMENT_BYTES: usize = 32;
pub(super) const SIGNATURE_BYTES: usize = 64;
pub(super) const BATCH_ID_BYTES: usize = 8;
pub(super) const INDEX_BYTES: usize = 4;

/// What a string of bytes is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Form {
    /// A value for one recipient.
    One(Kem),
    /// A value for several.
    Several,
    /// The header of a batch.
    BatchHeader,
    /// A value of a batch.
    BatchValue,
}

impl Form {
    const fn id(self) -> u8 {
        match self {
            Self::One(Kem::X25519) => 0,
            Self::One(Kem::XWing) => 1,
            Self::Several => 2,
            Self::BatchHeader => 3,
            Self::BatchValue => 4,
            Self::One(Kem::P256) => 5,
        }
    }

    pub(super) const fn name(self) -> &'static str {
        match self {
            Self::One(_) | Self::Several => "value",
            Self::BatchHeader => "batch header",
            Self::BatchValue => "value of a batch",
        }
    }

    /// The first byte of this form.
    pub(super) fn byte(self, padded: bool, signed: bool) -> u8 {
        VERSION_1 | self.id() | if padded { PADDED } else { 0 } | if signed { SIGNED } else { 0 }
    }
}

/// The form of `sealed`, from its first byte.
///
/// # Errors
/// `CutShort` for no bytes, `TooLong`, `Version`.
pub fn form(sealed: &[u8]) -> Result<Form, CompactError> {
    if sealed.len() > SEALED_BYTES_MAX {
        return Err(CompactError::TooLong { found: sealed.len() });
    }
    let first = *sealed.first().ok_or(CompactError::CutShort { what: "the first byte" })?;
    let form = match first & FORM_MASK {
        0 => Form::One(Kem::X25519),
        1 => Form::One(Kem::XWing),
        2 => Form::Several,
        3 => Form::BatchHeader,
        4 => Form::BatchValue,
        5 => Form::One(Kem::P256),
        _ => return Err(CompactError::Version { found: first }),
    };
    // A header has nothing to pad, so the bit would be a second spelling.
    let padded_header = form == Form::BatchHeader && first & PADDED != 0;
    if first & VERSION_MASK != VERSION_1 || padded_header {
        return Err(CompactError::Version { found: first });
    }
    Ok(form)
}

/// Reads fields from the front.
pub(super) struct Fields<'a>(pub(super) &'a [u8]);

impl<'a> Fields<'a> {
    pub(super) fn take(&mut self, n: usize, what: &'static str) -> Result<&'a [u8], CompactError> {
        let (field, rest) = self.0.split_at_checked(n).ok_or(CompactError::CutShort { what })?;
        self.0 = rest;
        Ok(field)
    }

    pub(super) fn array<const N: usize>(&mut self, what: &'static str) -> Result<&'a [u8; N], CompactError> {
        let (field, rest) = self.0.split_first_chunk().ok_or(CompactError::CutShort { what })?;
        self.0 = rest;
        Ok(field)
    }

    /// Ciphertext and tag: all that is left.
    pub(super) fn ciphertext(&mut self) -> Result<&'a [u8], CompactError> {
        if self.0.len() < TAG_BYTES {
            return Err(CompactError::CutShort { what: "the tag" });
        }
        let all = self.0;
        self.0 = &[];
        Ok(all)
    }
}

/// `sealed` without its signature, and the signature when the first byte says there is one.
pub(super) fn split_signature(
    sealed: &[u8],
) -> Result<(&[u8], Option<&[u8; SIGNATURE_BYTES]>), CompactError> {
    if sealed.first().is_none_or(|b| b & SIGNED == 0) {
        return Ok((sealed, None));
    }
    let (rest, signature) =
        sealed.split_last_chunk().ok_or(CompactError::CutShort { what: "the signature" })?;
    Ok((rest, Some(signature)))
}

/// One recipient's entry: mechanism, key id, encapsulated key, wrapped key.
pub(super) struct Entry<'a> {
    pub(super) kem: Kem,
    pub(super) key_id: &'a [u8; KEY_ID_BYTES],
    pub(super) enc: &'a [u8],
    pub(super) wrapped: &'a [u8],
}

/// Count and entries; also the bytes they were read from.
pub(super) fn entries<'a>(fields: &mut Fields<'a>) -> Result<(Vec<Entry<'a>>, &'a [u8]), CompactError> {
    let all = fields.0;
    let count = usize::from(fields.array::<1>("the number of recipients")?[0]);
    if count == 0 {
        return Err(CompactError::NoRecipients);
    }
    if count > RECIPIENTS_MAX {
        return Err(CompactError::TooManyRecipients { found: count });
    }
    let mut out: Vec<Entry<'a>> = Vec::with_capacity(count);
    for _ in 0..count {
        let id = u16::from_be_bytes(*fields.array("a recipient's mechanism")?);
        let kem = Kem::from_id(id).ok_or(CompactError::Mechanism { id })?;
        let key_id = fields.array("a recipient's key id")?;
        if out.iter().any(|e| e.key_id == key_id) {
            return Err(CompactError::DuplicateRecipient);
        }
        let enc = fields.take(kem.enc_bytes(), "an encapsulated key")?;
        let wrapped = fields.take(WRAPPED_BYTES, "a wrapped key")?;
        out.push(Entry { kem, key_id, enc, wrapped });
    }
    Ok((out, &all[..all.len() - fields.0.len()]))
}
