//! Milliseconds since 1970-01-01 UTC as civil dates and back, with no clock and no time zone data.
//!
//! Howard Hinnant's `civil_from_days` and `days_from_civil` (chrono-Compatible Low-Level Date Algorithms), for the
//! proleptic Gregorian calendar.

/// RFC 3339 in UTC with whole seconds, `2026-11-22T15:04:05Z`.
#[must_use]
pub fn rfc3339(unix_ms: u64) -> String {
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

/// Days from 1970-01-01 to a civil date, or `None` before 1970, after 9999 or for a date that does not exist.
#[must_use]
pub fn days_from_civil(year: u16, month: u8, day: u8) -> Option<u64> {
    let leap = year.is_multiple_of(4) && (!year.is_multiple_of(100) || year.is_multiple_of(400));
    let last = match month {
        4 | 6 | 9 | 11 => 30,
        2 => 28 + u8::from(leap),
        1..=12 => 31,
        _ => return None,
    };
    if !(1970..=9999).contains(&year) || day == 0 || day > last {
        return None;
    }
    let y = u64::from(year) - u64::from(month <= 2);
    let (era, year_of_era) = (y / 400, y % 400);
    let month_from_march = (u64::from(month) + 9) % 12;
    let day_of_year = (153 * month_from_march + 2) / 5 + u64::from(day) - 1;
    let day_of_era = year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year;
    Some(era * 146_097 + day_of_era - 719_468)
}

#[cfg(test)]
mod tests {
    use super::{days_from_civil, rfc3339};

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
    fn every_day_of_four_centuries_comes_back() {
        let mut days = 0;
        for year in 1970..2371u16 {
            for month in 1..=12u8 {
                for day in 1..=31u8 {
                    let Some(found) = days_from_civil(year, month, day) else { continue };
                    assert_eq!(found, days, "{year}-{month}-{day}");
                    assert_eq!(
                        rfc3339(days * 86_400_000),
                        format!("{year:04}-{month:02}-{day:02}T00:00:00Z")
                    );
                    days += 1;
                }
            }
        }
        assert_eq!(days, 401 * 365 + 97);
    }

    #[test]
    fn dates_that_do_not_exist_are_refused() {
        for (y, m, d) in
            [(2023, 2, 29), (2100, 2, 29), (2026, 13, 1), (2026, 0, 1), (2026, 1, 0), (1969, 12, 31)]
        {
            assert_eq!(days_from_civil(y, m, d), None);
        }
    }
}
