//! The two text forms all formats of C2SP use: standard base64 (RFC 4648 section 4) and decimals without leading zeros.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

/// Base64 with padding.
pub(crate) fn base64(bytes: &[u8]) -> String {
    STANDARD.encode(bytes)
}

/// The inverse; only what [`base64`] writes is accepted (padding, no stray bits).
pub(crate) fn from_base64(text: &str) -> Option<Vec<u8>> {
    STANDARD.decode(text).ok()
}

/// A decimal without sign or leading zeros.
pub(crate) fn decimal(text: &str) -> Option<u64> {
    let canonical = !text.is_empty()
        && text.bytes().all(|b| b.is_ascii_digit())
        && (text == "0" || !text.starts_with('0'));
    canonical.then(|| text.parse().ok()).flatten()
}

#[cfg(test)]
mod tests {
    use super::{base64, decimal, from_base64};

    #[test]
    fn only_canonical_decimals_are_read() {
        assert_eq!(decimal("0"), Some(0));
        assert_eq!(decimal("18446744073709551615"), Some(u64::MAX));
        for bad in ["", "00", "01", "+1", "-1", " 1", "1 ", "1\n", "18446744073709551616", "0x1", "\u{661}"] {
            assert_eq!(decimal(bad), None, "{bad:?}");
        }
    }

    #[test]
    fn only_canonical_base64_is_read() {
        assert_eq!(base64(b"\xff"), "/w==");
        assert_eq!(from_base64("/w=="), Some(vec![0xff]));
        for bad in ["/w", "/w=", "/x==", "_w==", "/w== ", "/w==\n"] {
            assert_eq!(from_base64(bad), None, "{bad:?}");
        }
    }
}
