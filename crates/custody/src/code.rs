//! Polynomials over the scalar field at the points 1..=n: evaluation, the dual code, Lagrange at 0.

use curve25519_dalek::scalar::Scalar;
use zeroize::Zeroizing;

/// Custodian `i` (from 0) stands at the point `i + 1`; the secret at 0.
pub(crate) fn at(i: usize) -> Scalar {
    Scalar::from(i as u64 + 1)
}

/// `v_i = prod_{j != i} (i - j)^-1` over 1..=n, that is (-1)^(n-i) / ((i-1)! (n-i)!): one inversion.
pub(crate) fn dual_weights(n: usize) -> Vec<Scalar> {
    let mut factorial = Scalar::ONE;
    for i in 1..n {
        factorial *= Scalar::from(i as u64);
    }
    // inverse[k] = 1 / k!, from the top down.
    let mut inverse = vec![Scalar::ONE; n];
    let mut last = factorial.invert();
    for k in (0..n).rev() {
        inverse[k] = last;
        last *= Scalar::from(k as u64);
    }
    (1..=n)
        .map(|i| {
            let v = inverse[i - 1] * inverse[n - i];
            if (n - i).is_multiple_of(2) { v } else { -v }
        })
        .collect()
}

/// Value at `x` of the polynomial with these coefficients, constant term first (Horner).
pub(crate) fn evaluate(coefficients: &[Scalar], x: &Scalar) -> Scalar {
    coefficients.iter().rev().fold(Scalar::ZERO, |sum, c| sum * x + c)
}

/// Values at 1..=n of the polynomial with these coefficients: as many by [`evaluate`] as it has coefficients, the others by adding up
/// differences, which costs no multiplications.
pub(crate) fn evaluate_all(coefficients: &[Scalar], n: usize) -> Vec<Scalar> {
    let k = coefficients.len().min(n);
    let mut values: Vec<Scalar> = (0..k).map(|i| evaluate(coefficients, &at(i))).collect();
    // differences[j]: the last j-th forward difference of the values so far; the (k-1)-th is constant.
    let mut differences = Vec::with_capacity(k);
    let mut row = values.clone();
    while let Some(last) = row.last() {
        differences.push(*last);
        row = row.windows(2).map(|w| w[1] - w[0]).collect();
    }
    for _ in k..n {
        for j in (0..k.saturating_sub(1)).rev() {
            differences[j] = differences[j] + differences[j + 1];
        }
        values.extend(differences.first());
    }
    values
}

/// As [`evaluate`] for secret coefficients without a constant term: coefficients of X, X^2, …
pub(crate) fn evaluate_secret(coefficients: &[Zeroizing<Scalar>], x: &Scalar) -> Zeroizing<Scalar> {
    let mut sum = Zeroizing::new(Scalar::ZERO);
    for c in coefficients.iter().rev() {
        *sum = (*sum + **c) * x;
    }
    sum
}

/// `lambda_i = prod_{j != i} x_j / (x_j - x_i)` for custodians `indices` (from 0, distinct): one inversion for all.
pub(crate) fn lagrange_at_zero(indices: &[usize]) -> Vec<Scalar> {
    let points: Vec<Scalar> = indices.iter().map(|i| at(*i)).collect();
    let mut denominators: Vec<Scalar> = Vec::with_capacity(points.len());
    let mut numerators = Vec::with_capacity(points.len());
    for (i, xi) in points.iter().enumerate() {
        let (mut above, mut below) = (Scalar::ONE, Scalar::ONE);
        for xj in points.iter().enumerate().filter_map(|(j, x)| (j != i).then_some(x)) {
            above *= xj;
            below *= xj - xi;
        }
        numerators.push(above);
        denominators.push(below);
    }
    Scalar::invert_batch_alloc(&mut denominators);
    numerators.into_iter().zip(denominators).map(|(a, b)| a * b).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Against the definition, one inversion each.
    #[test]
    fn weights_are_those_of_the_definition() {
        for n in [2, 3, 5, 20] {
            let v = dual_weights(n);
            for (i, found) in v.iter().enumerate() {
                let product: Scalar = (0..n).filter(|j| *j != i).map(|j| at(i) - at(j)).product();
                assert_eq!(*found, product.invert(), "n={n} i={i}");
            }
        }
    }

    /// Against one evaluation each, for every number of coefficients.
    #[test]
    fn differences_give_the_same_values() {
        for k in 1..9 {
            let coefficients: Vec<Scalar> = (0..k).map(|i| Scalar::from(7 * i + 3u64)).collect();
            for n in [1, 2, 7, 20] {
                let expected: Vec<_> = (0..n).map(|i| evaluate(&coefficients, &at(i))).collect();
                assert_eq!(evaluate_all(&coefficients, n), expected, "{k} coefficients, {n} points");
            }
        }
    }

    #[test]
    fn a_polynomial_is_recovered_at_zero_from_any_points() {
        let coefficients: Vec<Scalar> = (3..6u64).map(Scalar::from).collect();
        for set in [[0, 1, 2], [4, 0, 9], [7, 6, 5]] {
            let sum: Scalar = set
                .iter()
                .zip(lagrange_at_zero(&set))
                .map(|(i, l)| l * evaluate(&coefficients, &at(*i)))
                .sum();
            assert_eq!(sum, Scalar::from(3u64));
        }
        let secret: Vec<_> = coefficients[1..].iter().map(|c| Zeroizing::new(*c)).collect();
        assert_eq!(*evaluate_secret(&secret, &at(6)) + coefficients[0], evaluate(&coefficients, &at(6)));
    }
}
