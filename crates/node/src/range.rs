//! One byte range of a body (RFC 9110 section 14).

use bailiwick_store::StoreError;

use crate::error::ApiError;

/// First byte and length; the length is not zero.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct ByteRange {
    pub(crate) offset: u64,
    pub(crate) length: u64,
}

/// Reads a `Range` header for a body of `size` bytes: `bytes=a-b`, `bytes=a-` or `bytes=-n`.
///
/// RFC 9110 lets a server ignore a range it does not like; this one refuses instead, so that a caller that meant a
/// few bytes never gets 100 GB. Several ranges are refused as such (A17).
pub(crate) fn parse(header: &str, size: u64) -> Result<ByteRange, ApiError> {
    let outside = |offset| ApiError::from(StoreError::OutOfRange { offset, size });
    let malformed =
        || ApiError::bad_request("Range: one range, bytes=FIRST-LAST, bytes=FIRST- or bytes=-LENGTH");
    let spec = header.strip_prefix("bytes=").ok_or_else(malformed)?;
    let (first, last) = spec.split_once('-').ok_or_else(malformed)?;
    let number = |text: &str| {
        // No sign, no space, and nothing that does not fit.
        let digits = !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit());
        if digits { text.parse::<u64>().map_err(|_| malformed()) } else { Err(malformed()) }
    };
    if first.is_empty() {
        let length = number(last)?.min(size);
        if length == 0 {
            return Err(outside(size));
        }
        return Ok(ByteRange { offset: size - length, length });
    }
    let offset = number(first)?;
    let last = if last.is_empty() { u64::MAX } else { number(last)? };
    if last < offset {
        return Err(malformed());
    }
    if offset >= size {
        return Err(outside(offset));
    }
    Ok(ByteRange { offset, length: last.min(size - 1) - offset + 1 })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn status(header: &str, size: u64) -> u16 {
        parse(header, size).unwrap_err().status().as_u16()
    }

    /// A17: single ranges in all three forms.
    #[test]
    fn a17_single_ranges() {
        let ok = |h| parse(h, 1000).map(|r| (r.offset, r.length)).unwrap();
        assert_eq!(ok("bytes=0-0"), (0, 1));
        assert_eq!(ok("bytes=10-19"), (10, 10));
        assert_eq!(ok("bytes=990-"), (990, 10));
        assert_eq!(ok("bytes=990-5000"), (990, 10));
        assert_eq!(ok("bytes=-10"), (990, 10));
        assert_eq!(ok("bytes=-5000"), (0, 1000));
        assert_eq!(ok("bytes=0-18446744073709551615"), (0, 1000));
    }

    /// A17: overlapping, reversed, many, past the end, not numbers.
    #[test]
    fn a17_refused_ranges() {
        let many = format!("bytes={}", vec!["0-1"; 10_000].join(","));
        for bad in [
            "bytes=0-1,0-1",
            "bytes=0-1, 5-6",
            many.as_str(),
            "bytes=5-4",
            "bytes=-",
            "bytes=",
            "bytes",
            "",
            "bytes=+1-2",
            "bytes=1 -2",
            "bytes=a-b",
            "bytes=1-2-3",
            "items=0-1",
            "bytes=18446744073709551616-",
            "bytes= 0-1",
        ] {
            assert_eq!(status(bad, 1000), 400, "{}", &bad[..bad.len().min(40)]);
        }
        for outside in ["bytes=1000-", "bytes=1000-1001", "bytes=-0", "bytes=18446744073709551615-"] {
            assert_eq!(status(outside, 1000), 416, "{outside}");
        }
        assert_eq!(status("bytes=0-0", 0), 416);
    }
}
