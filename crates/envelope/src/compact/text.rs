//! Text forms: `bwc1.` and base64url (RFC 4648 section 5) without padding, or `0x` and lower-case hexadecimal.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

use super::{CompactError, SEALED_BYTES_MAX};

const PREFIX: &str = "bwc1.";

/// `bwc1.` and base64url: for arguments that are text (Fabric, XuperChain) and for JSON. 5 + ceil(4 n / 3) characters.
#[must_use]
pub fn to_text(sealed: &[u8]) -> String {
    format!("{PREFIX}{}", URL_SAFE_NO_PAD.encode(sealed))
}

/// `0x` and lower-case hexadecimal, as tools of EVM chains write calldata. 2 + 2 n characters.
#[must_use]
pub fn to_hex(sealed: &[u8]) -> String {
    format!("0x{}", hex::encode(sealed))
}

/// Reads either form.
///
/// # Errors
/// `Text` for any other spelling, upper case and padding included; `TooLong`.
pub fn from_text(text: &str) -> Result<Vec<u8>, CompactError> {
    if text.len() > 2 + 2 * SEALED_BYTES_MAX {
        return Err(CompactError::TooLong { found: text.len() / 2 });
    }
    if let Some(digits) = text.strip_prefix("0x") {
        if digits.bytes().any(|b| b.is_ascii_uppercase()) {
            return Err(CompactError::Text);
        }
        return hex::decode(digits).map_err(|_| CompactError::Text);
    }
    let body = text.strip_prefix(PREFIX).ok_or(CompactError::Text)?;
    URL_SAFE_NO_PAD.decode(body).map_err(|_| CompactError::Text)
}
