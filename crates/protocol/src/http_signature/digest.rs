//! Digest fields (RFC 9530), SHA-256 only.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use sha2::Digest as _;

/// SHA-256 of `bytes`.
#[must_use]
pub fn sha256(bytes: &[u8]) -> [u8; 32] {
    sha2::Sha256::digest(bytes).into()
}

/// Value of a digest field: `sha-256=:BASE64:`.
#[must_use]
pub fn format_digest(digest: &[u8; 32]) -> String {
    format!("sha-256=:{}:", STANDARD.encode(digest))
}

/// Inverse of [`format_digest`]; `None` for any other text, also one that RFC 9530 allows.
#[must_use]
pub fn parse_digest(text: &str) -> Option<[u8; 32]> {
    let encoded = text.strip_prefix("sha-256=:")?.strip_suffix(':')?;
    STANDARD.decode(encoded).ok()?.try_into().ok()
}
