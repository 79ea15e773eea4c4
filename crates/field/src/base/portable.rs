//! The backend for every processor: arkworks, an element at a time. `R = 2^256`, everything canonical.

use ark_bn254::Fq;
use ark_ff::{AdditiveGroup as _, BigInt, Field as _, PrimeField as _, Zero as _, batch_inversion};

use super::{Backend, Eight, Words};
use crate::modulus::WIDTH;

/// One element at a time, by arkworks.
#[derive(Clone, Copy, Debug)]
pub struct Scalar;

type Lanes = [Fq; WIDTH];

/// A packed element as arkworks has it.
#[must_use]
pub fn unpack(words: &Words) -> Fq {
    let mut n = BigInt::new(*words);
    while n >= Fq::MODULUS {
        let p = Fq::MODULUS;
        ark_ff::BigInteger::sub_with_borrow(&mut n, &p);
    }
    Fq::new_unchecked(n)
}

fn map(f: impl Fn(usize) -> Fq) -> Lanes {
    core::array::from_fn(f)
}

impl Backend for Scalar {
    type Lanes = Lanes;

    fn zero(self) -> Lanes {
        [Fq::ZERO; WIDTH]
    }

    fn load(self, from: Eight<'_>) -> Lanes {
        from.map(unpack)
    }

    fn store(self, coordinates: &Lanes) -> [Words; WIDTH] {
        coordinates.map(|x| x.0.0)
    }

    fn replace(self, lanes: &mut Lanes, lane: usize, with: &Words) {
        lanes[lane] = unpack(with);
    }

    fn sub(self, a: &Lanes, b: &Lanes) -> Lanes {
        map(|i| a[i] - b[i])
    }

    fn mul(self, a: &Lanes, b: &Lanes) -> Lanes {
        map(|i| a[i] * b[i])
    }

    fn invert(self, a: &Lanes) -> Option<Lanes> {
        let mut inverses = *a;
        if a.iter().any(Fq::is_zero) {
            return None;
        }
        batch_inversion(&mut inverses);
        Some(inverses)
    }

    fn square_minus(self, q: &Lanes, a: &Lanes, b: &Lanes) -> Lanes {
        map(|i| q[i].square() - a[i] - b[i])
    }

    fn mul_minus(self, q: &Lanes, d: &Lanes, c: &Lanes) -> Lanes {
        map(|i| q[i] * d[i] - c[i])
    }

    fn norm(self, d: &[Lanes; 2]) -> Lanes {
        map(|i| d[0][i].square() + d[1][i].square())
    }

    fn divide2(self, n: &[Lanes; 2], d: &[Lanes; 2], inverse: &Lanes) -> [Lanes; 2] {
        let conjugate = [map(|i| d[0][i] * inverse[i]), map(|i| -(d[1][i] * inverse[i]))];
        product2(n, &conjugate)
    }

    fn square_minus2(self, q: &[Lanes; 2], a: &[Lanes; 2], b: &[Lanes; 2]) -> [Lanes; 2] {
        [
            map(|i| (q[0][i] + q[1][i]) * (q[0][i] - q[1][i]) - a[0][i] - b[0][i]),
            map(|i| (q[0][i] * q[1][i]).double() - a[1][i] - b[1][i]),
        ]
    }

    fn mul_minus2(self, q: &[Lanes; 2], d: &[Lanes; 2], c: &[Lanes; 2]) -> [Lanes; 2] {
        let [c0, c1] = product2(q, d);
        [map(|i| c0[i] - c[0][i]), map(|i| c1[i] - c[1][i])]
    }
}

/// In the extension, by Karatsuba.
fn product2(a: &[Lanes; 2], b: &[Lanes; 2]) -> [Lanes; 2] {
    let (low, high) = (map(|i| a[0][i] * b[0][i]), map(|i| a[1][i] * b[1][i]));
    let both = map(|i| (a[0][i] + a[1][i]) * (b[0][i] + b[1][i]));
    [map(|i| low[i] - high[i]), map(|i| both[i] - low[i] - high[i])]
}
