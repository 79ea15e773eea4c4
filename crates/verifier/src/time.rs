//! Milliseconds since 1970-01-01 UTC as text, with no clock and no time zone data.

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

/// RFC 3339 in UTC; the civil date from the day count by Howard Hinnant's `civil_from_days`
/// (chrono-Compatible Low-Level Date Algorithms), for the proleptic Gregorian calendar.
fn rfc3339(unix_ms: u64) -> String {
    let seconds = unix_ms / 1000;
    let (days, rest) = (seconds / 86_400, seconds % 86_400);
    let z = days + 719_468;
    let (era, day_of_era) = (z / 146_097, z % 146_097);
    let year_of_era = (day_of_era - day_of_era / 1460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let month_from_march = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * month_from_march + 2) / 5 + 1;
    let month = if month_from_march < 10 { month_from_march + 3 } else { month_from_march - 9 };
    let year = year_of_era + era * 400 + u64::from(month <= 2);
    let (h, m, s) = (rest / 3600, rest / 60 % 60, rest % 60);
    format!("{year:04}-{month:02}-{day:02}T{h:02}:{m:02}:{s:02}Z")
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
    use super::{duration, rfc3339};

    /// Known answers of `date -u -d @N +%FT%TZ` (GNU coreutils).
    #[test]
    fn dates_match_gnu_date() {
        for (seconds, text) in [
            (0, "1970-01-01T00:00:00Z"),
            (951_782_400, "2000-02-29T00:00:00Z"),
            (1_767_225_599, "2025-12-31T23:59:59Z"),
            (1_795_359_845, "2026-11-22T15:04:05Z"),
            (4_107_542_400, "2100-03-01T00:00:00Z"),
        ] {
            assert_eq!(rfc3339(seconds * 1000 + 999), text);
        }
    }

    #[test]
    fn durations_change_unit() {
        assert_eq!(duration(999), "999 ms");
        assert_eq!(duration(12_390), "12.3 s");
        assert_eq!(duration(90_000), "1.5 min");
        assert_eq!(duration(36 * 3_600_000), "36.0 h");
        assert_eq!(duration(72 * 3_600_000), "3.0 days");
    }
}
