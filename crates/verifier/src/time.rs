//! Moments and durations as text, with no clock and no time zone data.

use bailiwick_protocol::time::rfc3339;

/// A moment, as a number and as text.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize)]
pub struct Moment {
    /// Milliseconds since 1970-01-01 UTC.
    pub unix_ms: u64,
    /// RFC 3339 in UTC with seconds, `2026-11-22T15:04:05Z`.
    pub utc: String,
}

impl Moment {
    /// The moment `unix_ms`.
    #[must_use]
    pub fn new(unix_ms: u64) -> Self {
        Self { unix_ms, utc: rfc3339(unix_ms) }
    }
}

/// A duration in words of a sensible unit: `850 ms`, `12.3 s`, `4.2 min`, `3.1 h`, `2.0 days`.
#[must_use]
pub fn duration(ms: u64) -> String {
    // Integer tenths, so that no rounding differs between machines.
    let tenths = |unit: u64| format!("{}.{}", ms / unit, ms % unit * 10 / unit);
    match ms {
        0..1000 => format!("{ms} ms"),
        1000..60_000 => format!("{} s", tenths(1000)),
        60_000..3_600_000 => format!("{} min", tenths(60_000)),
        3_600_000..172_800_000 => format!("{} h", tenths(3_600_000)),
        _ => format!("{} days", tenths(86_400_000)),
    }
}

#[cfg(test)]
mod tests {
    use super::duration;

    #[test]
    fn durations_change_unit() {
        assert_eq!(duration(999), "999 ms");
        assert_eq!(duration(12_390), "12.3 s");
        assert_eq!(duration(90_000), "1.5 min");
        assert_eq!(duration(36 * 3_600_000), "36.0 h");
        assert_eq!(duration(72 * 3_600_000), "3.0 days");
    }
}
