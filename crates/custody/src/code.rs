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
#[cfg(test)]
pub(crate) fn evaluate(coefficients: &[Scalar], x: &Scalar) -> Scalar {
    coefficients.iter().rev().fold(Scalar::ZERO, |sum, c| sum * x + c)
}

/// Values at 1..=n, n at most 128, of the polynomial with these coefficients.
///
/// The points are small, so Horner's rule runs over integers of 512 bits and is reduced only when the next step might not fit: much
/// less work than a product of scalars for each step.
pub(crate) fn evaluate_all(coefficients: &[Scalar], n: usize) -> Vec<Scalar> {
    let limbs: Vec<[u64; 4]> = coefficients.iter().rev().map(limbs).collect();
    (1..=n as u64).map(|x| evaluate_at(&limbs, x)).collect()
}

/// Steps before a reduction. With a start below 2^253 and 128·v + 2^253 for each step, v stays below 2^(253 + 7·36 + 1).
const STEPS: usize = 36;

/// Horner's rule at the small number `x`, highest coefficient first.
fn evaluate_at(coefficients: &[[u64; 4]], x: u64) -> Scalar {
    let mut value = Scalar::ZERO;
    for part in coefficients.chunks(STEPS) {
        let mut sum = [0u64; 8];
        sum[..4].copy_from_slice(&limbs(&value));
        for c in part {
            let mut carry = 0u128;
            for (i, limb) in sum.iter_mut().enumerate() {
                carry += u128::from(*limb) * u128::from(x) + u128::from(c.get(i).copied().unwrap_or(0));
                *limb = low(carry);
                carry >>= 64;
            }
        }
        value = reduced(&sum);
    }
    value
}

fn low(v: u128) -> u64 {
    u64::try_from(v & u128::from(u64::MAX)).expect("the upper half is masked")
}

fn reduced(sum: &[u64; 8]) -> Scalar {
    let mut wide = [0; 64];
    for (bytes, limb) in wide.chunks_exact_mut(8).zip(sum) {
        bytes.copy_from_slice(&limb.to_le_bytes());
    }
    Scalar::from_bytes_mod_order_wide(&wide)
}

fn limbs(s: &Scalar) -> [u64; 4] {
    let (limbs, _) = s.as_bytes().as_chunks::<8>();
    core::array::from_fn(|i| u64::from_le_bytes(limbs[i]))
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

    /// Against one evaluation each: numbers of coefficients around those of a reduction, and the largest numbers everywhere.
    #[test]
    fn small_points_give_the_same_values() {
        let largest = -Scalar::ONE;
        for k in [1, 2, 8, STEPS - 1, STEPS, STEPS + 1, 2 * STEPS, 2 * STEPS + 1, 127] {
            let drawn: Vec<Scalar> = (0..k as u64).map(|i| Scalar::from(7 * i + 3).invert()).collect();
            for coefficients in [drawn, vec![largest; k]] {
                for n in [1, 2, 20, 128] {
                    let expected: Vec<_> = (0..n).map(|i| evaluate(&coefficients, &at(i))).collect();
                    assert_eq!(evaluate_all(&coefficients, n), expected, "{k} coefficients, {n} points");
                }
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
