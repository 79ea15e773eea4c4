//! Multiples of the key's input points: an input costs 64 additions instead of 254 doublings and as many additions by half.

use ark_bn254::{Fr, G1Affine, G1Projective};
use ark_ec::{AffineRepr, CurveGroup};
use ark_ff::{PrimeField, Zero};

/// Bits of a window.
const WINDOW: usize = 4;
const WINDOWS: usize = 256 / WINDOW;
/// Multiples in a window, zero left out.
const DIGITS: usize = (1 << WINDOW) - 1;
/// Inputs of a key that gets tables, at most. The statements of this project have one.
const INPUTS_MAX: usize = 4;

/// `j 16^i P` for `j` in `1..16`, windows one after the other.
#[derive(Clone, Debug)]
pub(crate) struct Multiples(Vec<G1Affine>);

/// Of each point, or none when there are many.
pub(crate) fn tables(points: &[G1Affine]) -> Vec<Multiples> {
    if points.len() > INPUTS_MAX {
        return Vec::new();
    }
    points.iter().map(Multiples::new).collect()
}

impl Multiples {
    fn new(point: &G1Affine) -> Self {
        let mut all = Vec::with_capacity(WINDOWS * DIGITS);
        let mut base = point.into_group();
        for _ in 0..WINDOWS {
            let mut multiple = base;
            for _ in 0..DIGITS {
                all.push(multiple);
                multiple += base;
            }
            base = multiple;
        }
        Self(G1Projective::normalize_batch(&all))
    }

    /// `x P`.
    pub(crate) fn times(&self, x: &Fr) -> G1Projective {
        let words = x.into_bigint().0;
        let mut sum = G1Projective::zero();
        for (i, window) in self.0.chunks_exact(DIGITS).enumerate() {
            let bit = i * WINDOW;
            let digit = usize::from((words[bit / 64] >> (bit % 64)).to_le_bytes()[0]) & DIGITS;
            if let Some(multiple) = digit.checked_sub(1).and_then(|j| window.get(j)) {
                sum += multiple;
            }
        }
        sum
    }
}

#[cfg(test)]
mod tests {
    use ark_ff::{AdditiveGroup as _, Field as _};

    use super::*;

    /// Zero, one, minus one, every digit the largest, one digit alone, any.
    #[test]
    fn multiples_are_arkworks_products() {
        let point = (G1Affine::generator() * Fr::from(77u64)).into_affine();
        let [table] = &tables(&[point])[..] else { panic!("one point, one table") };
        let two = Fr::from(2u64);
        let all =
            [Fr::ZERO, Fr::ONE, -Fr::ONE, two.pow([252]) - Fr::ONE, two.pow([248]) * two, Fr::from(15u64)];
        for x in all.into_iter().chain((1..20u64).map(|i| Fr::from(i).pow([157]))) {
            assert_eq!(table.times(&x), point * x);
        }
        assert!(tables(&[point; INPUTS_MAX + 1]).is_empty());
    }
}
