//! How likely one audit is to notice a loss (constructions 4).
//!
//! The S slots are drawn with replacement, each over all T cells of the audit. A host that lost the
//! fraction f of the C cells of a scope is caught unless all S slots miss them:
//! `1 - (1 - f·C/T)^S`. Only IEEE 754 basic operations are used, so every machine prints the same digits.

use serde::Serialize;

/// Detection of one loss.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Detection {
    /// f, fraction of the scope's cells lost.
    pub lost_fraction: f64,
    /// Probability that one audit notices; below 1 whenever `miss` is above 0.
    pub probability: f64,
    /// Probability that it does not.
    pub miss: f64,
}

/// Detection of the loss of `lost_fraction` of the `cells` of a scope, out of `total`, by `samples` slots.
///
/// `cells <= total`, `total >= 1`, `lost_fraction` in (0, 1].
#[must_use]
pub fn detection(lost_fraction: f64, cells: u64, total: u64, samples: u16) -> Detection {
    let hit = lost_fraction * (cells as f64 / total as f64);
    let miss = power(1.0 - hit, u32::from(samples));
    let probability = 1.0 - miss;
    // 1 - 2^-64 rounds to 1 in binary64; never print certainty that is not there.
    let probability = if miss > 0.0 && probability >= 1.0 { 1.0 - f64::EPSILON / 2.0 } else { probability };
    Detection { lost_fraction, probability, miss }
}

/// `base^exponent` by repeated squaring.
pub(crate) fn power(base: f64, mut exponent: u32) -> f64 {
    let (mut result, mut square) = (1.0, base);
    while exponent > 0 {
        if exponent & 1 == 1 {
            result *= square;
        }
        square *= square;
        exponent >>= 1;
    }
    result
}

/// A probability or fraction in per cent with two decimals, rounded down: what is printed is never better than what holds.
#[must_use]
pub fn percent(p: f64) -> String {
    if p >= 1.0 {
        return "100 %".to_owned();
    }
    if p > 0.9999 {
        return "more than 99.99 %".to_owned();
    }
    if p > 0.0 && p < 0.0001 {
        return "less than 0.01 %".to_owned();
    }
    // The small term keeps 1 - 0.92 (binary 0.07999…) from being printed as 7.99 %.
    let hundredths = (p * 10_000.0 + 1e-7).floor();
    let text = format!("{:.2}", hundredths / 100.0);
    format!("{} %", text.trim_end_matches('0').trim_end_matches('.'))
}

/// The chance of missing a loss, never printed better than it is: `99.29 %` rounded up, `1 in 65536` rounded down, or a
/// power of two that it is below; `none` when it is zero.
#[must_use]
pub fn chance_of_missing(p: f64) -> String {
    let n = 1.0 / p;
    if p <= 0.0 {
        "none".to_owned()
    } else if p > 0.1 {
        let hundredths = (p * 10_000.0 - 1e-7).ceil();
        let text = format!("{:.2}", hundredths / 100.0);
        format!("{} %", text.trim_end_matches('0').trim_end_matches('.'))
    } else if n < 1e7 {
        format!("1 in {:.0}", n.floor())
    } else {
        // The exponent of a normal binary64 is floor(log2 n), exactly and on every machine.
        let exponent = (n.to_bits() >> 52) - 1023;
        format!("less than 1 in 2^{exponent}")
    }
}

#[cfg(test)]
mod tests {
    use super::{chance_of_missing, detection, percent};

    #[test]
    fn half_of_everything_is_missed_once_in_two_to_the_samples() {
        let d = detection(0.5, 10, 10, 16);
        assert_eq!(d.miss, 1.0 / 65_536.0);
        assert_eq!(d.probability, 1.0 - 1.0 / 65_536.0);
        assert_eq!(chance_of_missing(d.miss), "1 in 65536");
        assert_eq!(chance_of_missing(detection(0.5, 1, 1, 64).miss), "less than 1 in 2^64");
        assert_eq!(chance_of_missing(detection(0.4, 1, 1, 64).miss), "less than 1 in 2^47");
        assert_eq!(chance_of_missing(0.928_31), "92.84 %");
        assert_eq!(chance_of_missing(0.99), "99 %");
        assert_eq!(chance_of_missing(0.0), "none");
        // What is printed is never better than what holds, and no worse than it must be.
        assert_eq!(chance_of_missing(1.0 - (1.0 - 0.138)), "13.8 %");
        assert_eq!(chance_of_missing(1.0 / 10.9), "1 in 10");
    }

    /// Ateniese et al., "Provable Data Possession" (CCS 2007), section 4.2.2: 460 blocks find 1 % loss with 99 %.
    #[test]
    fn ateniese_2007_figure() {
        assert!(detection(0.01, 10_000, 10_000, 460).probability >= 0.99);
        assert!(detection(0.01, 10_000, 10_000, 450).probability < 0.99);
    }

    #[test]
    fn a_scope_that_is_part_of_the_audit_is_seen_less() {
        let whole = detection(0.1, 100, 100, 64).probability;
        let part = detection(0.1, 10, 100, 64).probability;
        assert!(part < whole);
        assert_eq!(part, detection(0.01, 100, 100, 64).probability);
    }

    #[test]
    fn certainty_is_only_printed_when_everything_is_lost() {
        assert!(detection(0.5, 1, 1, 1024).probability < 1.0);
        assert_eq!(detection(1.0, 1, 1, 1).probability, 1.0);
        assert_eq!(percent(1.0), "100 %");
        assert_eq!(percent(1.0 - f64::EPSILON), "more than 99.99 %");
        assert_eq!(percent(0.4744), "47.44 %");
        assert_eq!(percent(0.07), "7 %");
        assert_eq!(percent(0.9899999), "98.99 %");
        assert_eq!(percent(0.01), "1 %");
        assert_eq!(percent(1.0 - 0.92), "8 %");
        assert_eq!(percent(0.000_1), "0.01 %");
        assert_eq!(percent(0.000_09), "less than 0.01 %");
        assert_eq!(percent(0.0), "0 %");
    }
}
