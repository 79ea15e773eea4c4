//! Hiding the length of a value, where asked for: ISO/IEC 7816-4 padding, a byte 0x80 and zeros.

use zeroize::Zeroizing;

use super::{CompactError, PADDED_BYTES_MAX, VALUE_BYTES_MAX};
use crate::layout::padme;

/// How the length of a value is hidden.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum Pad {
    /// Not at all: every byte of an argument costs, and most fields have a known length anyway.
    #[default]
    None,
    /// Up to the Padmé length of value and mark. Hides little of values below some hundred bytes: use [`Pad::To`] there.
    Padme,
    /// All values alike: up to this many bytes, mark included.
    To(u32),
}

impl Pad {
    /// The value as it is encrypted.
    pub(super) fn apply(self, value: &[u8]) -> Result<Zeroizing<Vec<u8>>, CompactError> {
        if value.len() > VALUE_BYTES_MAX {
            return Err(CompactError::ValueTooLarge { found: value.len() });
        }
        let len = match self {
            Self::None => return Ok(Zeroizing::new(value.to_vec())),
            Self::Padme => usize::try_from(padme(value.len() as u64 + 1)).unwrap_or(usize::MAX),
            Self::To(to) => usize::try_from(to).unwrap_or(usize::MAX),
        };
        if len <= value.len() || len > PADDED_BYTES_MAX {
            return Err(CompactError::PadTo {
                found: value.len(),
                to: u32::try_from(len).unwrap_or(u32::MAX),
            });
        }
        let mut out = Zeroizing::new(Vec::with_capacity(len));
        out.extend_from_slice(value);
        out.push(0x80);
        out.resize(len, 0);
        Ok(out)
    }

    pub(super) fn is_some(self) -> bool {
        self != Self::None
    }
}

/// Takes mark and zeros off.
pub(super) fn strip(mut padded: Zeroizing<Vec<u8>>) -> Result<Zeroizing<Vec<u8>>, CompactError> {
    let mark = padded.iter().rposition(|b| *b != 0).filter(|at| padded[*at] == 0x80);
    padded.truncate(mark.ok_or(CompactError::Padding)?);
    if padded.len() > VALUE_BYTES_MAX {
        return Err(CompactError::Padding);
    }
    Ok(padded)
}
