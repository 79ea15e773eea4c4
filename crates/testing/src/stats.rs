//! Exact tests for what a simulation counted: no normal approximation.

use std::ops::RangeInclusive;

/// ln n!, by summation.
fn ln_factorials(n: u64) -> Vec<f64> {
    let mut out = vec![0.0];
    let mut sum = 0.0;
    for i in 1..=n {
        sum += (i as f64).ln();
        out.push(sum);
    }
    out
}

/// Probabilities of 0 to `n` successes in `n` independent trials of probability `p` in (0, 1).
#[must_use]
pub fn binomial(n: u64, p: f64) -> Vec<f64> {
    let ln_factorial = ln_factorials(n);
    let total = ln_factorial[ln_factorial.len() - 1];
    let (hit, miss) = (p.ln(), (-p).ln_1p());
    let term = |(k, (up, down)): (usize, (&f64, &f64))| {
        let k = k as f64;
        (total - up - down + k * hit + (n as f64 - k) * miss).exp()
    };
    ln_factorial.iter().zip(ln_factorial.iter().rev()).enumerate().map(term).collect()
}

/// Numbers of successes that are no surprise at `confidence` (as 0.99): outside, below or above, lies at most half of the rest each.
#[must_use]
pub fn binomial_bounds(n: u64, p: f64, confidence: f64) -> RangeInclusive<u64> {
    let tail = (1.0 - confidence) / 2.0;
    let pmf = binomial(n, p);
    // How many values from one end together stay within the tail.
    let outside = |values: &mut dyn Iterator<Item = &f64>| {
        let mut sum = 0.0;
        values
            .take_while(|v| {
                sum += **v;
                sum <= tail
            })
            .count() as u64
    };
    outside(&mut pmf.iter())..=n - outside(&mut pmf.iter().rev())
}

/// The statistic of Pearson's chi-square test: sum of (observed - expected)^2 / expected.
#[must_use]
pub fn chi_square(observed: &[u64], expected: &[f64]) -> f64 {
    observed.iter().zip(expected).map(|(o, e)| (*o as f64 - e).powi(2) / e).sum()
}

/// Probability that a chi-square variable of `freedom` degrees, at least 1, exceeds `statistic`: the regularised upper incomplete
/// gamma function Q(freedom / 2, statistic / 2), by series or continued fraction (Numerical Recipes, 3rd ed., section 6.2).
#[must_use]
pub fn chi_square_tail(statistic: f64, freedom: u64) -> f64 {
    let (a, x) = (freedom as f64 / 2.0, statistic / 2.0);
    if x <= 0.0 {
        return 1.0;
    }
    let scale = (a * x.ln() - x - ln_gamma_of_half(freedom)).exp();
    if x < a + 1.0 { 1.0 - scale * lower_series(a, x) } else { scale * upper_fraction(a, x) }
}

/// ln Γ(n / 2), from Γ(1/2) = √π, Γ(1) = 1 and Γ(z + 1) = z Γ(z).
fn ln_gamma_of_half(n: u64) -> f64 {
    let (first, start) = if n.is_multiple_of(2) { (2, 0.0) } else { (1, core::f64::consts::PI.sqrt().ln()) };
    (first..n).step_by(2).fold(start, |sum, i| sum + (i as f64 / 2.0).ln())
}

fn lower_series(a: f64, x: f64) -> f64 {
    let (mut term, mut sum, mut n) = (1.0 / a, 1.0 / a, a);
    while term > sum * 1e-16 {
        n += 1.0;
        term *= x / n;
        sum += term;
    }
    sum
}

/// Lentz's method.
fn upper_fraction(a: f64, x: f64) -> f64 {
    let tiny = 1e-300;
    let mut b = x + 1.0 - a;
    let (mut c, mut d) = (1.0 / tiny, 1.0 / b);
    let mut h = d;
    for i in 1..100_000 {
        let an = -f64::from(i) * (f64::from(i) - a);
        b += 2.0;
        d = 1.0 / nonzero(an * d + b, tiny);
        c = nonzero(b + an / c, tiny);
        h *= d * c;
        if (d * c - 1.0).abs() < 1e-15 {
            break;
        }
    }
    h
}

fn nonzero(x: f64, tiny: f64) -> f64 {
    if x.abs() < tiny { tiny } else { x }
}

#[cfg(test)]
mod tests {
    use super::{binomial, binomial_bounds, chi_square, chi_square_tail};

    /// 10 fair coins: 1, 10, 45, 120, 210, 252 of 1024.
    #[test]
    fn a_fair_coin() {
        let pmf = binomial(10, 0.5);
        for (k, ways) in [1.0, 10.0, 45.0, 120.0, 210.0, 252.0].into_iter().enumerate() {
            assert!((pmf[k] - ways / 1024.0).abs() < 1e-14);
            assert!((pmf[10 - k] - ways / 1024.0).abs() < 1e-14);
        }
        // 0: 0.00098 is within 0.005, 0 and 1 together (0.0107) are not.
        assert_eq!(binomial_bounds(10, 0.5, 0.99), 1..=9);
        // At 97.8 % both tails of 0 and 1 may be left out.
        assert_eq!(binomial_bounds(10, 0.5, 0.978), 2..=8);
    }

    #[test]
    fn bounds_at_the_ends() {
        assert_eq!(binomial_bounds(800, 1.0 - 1.0 / 65_536.0, 0.99), 799..=800);
        assert_eq!(binomial_bounds(800, 1.0 / 65_536.0, 0.99), 0..=1);
        let sum: f64 = binomial(4500, 0.148_54).iter().sum();
        assert!((sum - 1.0).abs() < 1e-9);
    }

    /// Critical values as tables of the distribution print them.
    #[test]
    fn chi_square_tables() {
        for (freedom, statistic, tail) in [
            (1, 3.841, 0.05),
            (1, 6.635, 0.01),
            (2, 9.210, 0.01),
            (10, 18.307, 0.05),
            (99, 134.642, 0.01),
            (100, 124.342, 0.05),
        ] {
            let found = chi_square_tail(statistic, freedom);
            assert!((found - tail).abs() < tail * 2e-3, "{freedom} {statistic}: {found}");
        }
        assert_eq!(chi_square(&[8, 12], &[10.0, 10.0]), 0.8);
        assert_eq!(chi_square_tail(0.0, 3), 1.0);
    }
}
