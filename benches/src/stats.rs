//! Medians and percentiles.

/// Middle value of a non-empty list (upper one of two).
///
/// # Panics
/// When the list is empty.
#[must_use]
pub fn median(values: &[f64]) -> f64 {
    percentile(values, 0.5)
}

/// Value below which the fraction `q` of a non-empty list lies (nearest rank).
///
/// # Panics
/// When the list is empty.
#[must_use]
pub fn percentile(values: &[f64], q: f64) -> f64 {
    assert!(!values.is_empty(), "no values measured");
    let mut sorted = values.to_vec();
    sorted.sort_by(f64::total_cmp);
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        clippy::cast_precision_loss,
        reason = "lists of measurements are short"
    )]
    let rank = (q * sorted.len() as f64) as usize;
    sorted[rank.min(sorted.len() - 1)]
}

#[cfg(test)]
mod tests {
    use super::{median, percentile};

    #[test]
    fn ranks() {
        let v: Vec<f64> = (1..=100).rev().map(f64::from).collect();
        assert!((median(&v) - 51.0).abs() < 1e-9);
        assert!((percentile(&v, 0.99) - 100.0).abs() < 1e-9);
        assert!((median(&[7.0]) - 7.0).abs() < 1e-9);
    }
}
