//! The fields that coordinates are in: the base field and its quadratic extension, packed in memory and eight at a time.

use ark_bn254::{Fq, Fq2};
use ark_ff::{Field, PrimeField as _};
use bailiwick_field::base::portable::unpack;
use bailiwick_field::base::{Backend, Words};
use bailiwick_field::modulus::WIDTH;

/// A field of coordinates. Operations on eight elements, and which may follow which, are [`Backend`]'s.
pub(crate) trait Coordinate: Field {
    /// In memory.
    type Packed: Copy + Send + Sync + PartialEq;
    /// Eight.
    type Wide<B: Backend>: Copy;
    /// Zero and one.
    const PACKED: [Self::Packed; 2];

    fn pack(&self) -> Self::Packed;
    /// Of the negative, where `negative`; no branch depends on it.
    fn pack_signed(&self, negative: bool) -> Self::Packed;
    fn unpack(packed: &Self::Packed) -> Self;
    fn load<B: Backend>(b: B, from: [&Self::Packed; WIDTH]) -> Self::Wide<B>;
    fn store<B: Backend>(b: B, wide: &Self::Wide<B>) -> [Self::Packed; WIDTH];
    fn replace<B: Backend>(b: B, wide: &mut Self::Wide<B>, lane: usize, with: &Self::Packed);
    fn minus<B: Backend>(b: B, x: &Self::Wide<B>, y: &Self::Wide<B>) -> Self::Wide<B>;
    /// What is inverted instead of a difference.
    fn norm<B: Backend>(b: B, d: &Self::Wide<B>) -> B::Lanes;
    /// `n / d`, with the inverse of the norm of `d`.
    fn divide<B: Backend>(b: B, n: &Self::Wide<B>, d: &Self::Wide<B>, inverse: &B::Lanes) -> Self::Wide<B>;
    fn square_minus<B: Backend>(
        b: B,
        q: &Self::Wide<B>,
        x: &Self::Wide<B>,
        y: &Self::Wide<B>,
    ) -> Self::Wide<B>;
    fn mul_minus<B: Backend>(b: B, q: &Self::Wide<B>, d: &Self::Wide<B>, c: &Self::Wide<B>) -> Self::Wide<B>;
}

/// A point, not infinity, unless `y` is zero: no point of the groups has that, since their orders are odd.
#[derive(Clone, Copy)]
pub(crate) struct Point<F: Coordinate> {
    pub(crate) x: F::Packed,
    pub(crate) y: F::Packed,
}

impl<F: Coordinate> Point<F> {
    pub(crate) const INFINITY: Self = Self { x: F::PACKED[0], y: F::PACKED[0] };

    pub(crate) fn is_infinity(&self) -> bool {
        self.y == F::PACKED[0]
    }
}

impl Coordinate for Fq {
    type Packed = Words;
    type Wide<B: Backend> = B::Lanes;
    const PACKED: [Words; 2] = [[0; 4], <Fq as Field>::ONE.0.0];

    fn pack(&self) -> Words {
        self.0.0
    }

    fn pack_signed(&self, negative: bool) -> Words {
        let p = Fq::MODULUS.0;
        let (x, mask) = (self.0.0, u64::from(negative).wrapping_neg());
        let mut borrow = false;
        core::array::from_fn(|i| {
            let (d, b) = p[i].borrowing_sub(x[i], borrow);
            borrow = b;
            x[i] ^ ((x[i] ^ d) & mask)
        })
    }

    fn unpack(packed: &Words) -> Self {
        unpack(packed)
    }

    fn load<B: Backend>(b: B, from: [&Words; WIDTH]) -> B::Lanes {
        b.load(from)
    }

    fn store<B: Backend>(b: B, wide: &B::Lanes) -> [Words; WIDTH] {
        b.store(wide)
    }

    fn replace<B: Backend>(b: B, wide: &mut B::Lanes, lane: usize, with: &Words) {
        b.replace(wide, lane, with);
    }

    fn minus<B: Backend>(b: B, x: &B::Lanes, y: &B::Lanes) -> B::Lanes {
        b.sub(x, y)
    }

    fn norm<B: Backend>(_: B, d: &B::Lanes) -> B::Lanes {
        *d
    }

    fn divide<B: Backend>(b: B, n: &B::Lanes, _: &B::Lanes, inverse: &B::Lanes) -> B::Lanes {
        b.divide(n, inverse)
    }

    fn square_minus<B: Backend>(b: B, q: &B::Lanes, x: &B::Lanes, y: &B::Lanes) -> B::Lanes {
        b.square_minus(q, x, y)
    }

    fn mul_minus<B: Backend>(b: B, q: &B::Lanes, d: &B::Lanes, c: &B::Lanes) -> B::Lanes {
        b.mul_minus(q, d, c)
    }
}

impl Coordinate for Fq2 {
    type Packed = [Words; 2];
    type Wide<B: Backend> = [B::Lanes; 2];
    const PACKED: [[Words; 2]; 2] = [[[0; 4]; 2], [<Fq as Field>::ONE.0.0, [0; 4]]];

    fn pack(&self) -> [Words; 2] {
        [self.c0.pack(), self.c1.pack()]
    }

    fn pack_signed(&self, negative: bool) -> [Words; 2] {
        [self.c0.pack_signed(negative), self.c1.pack_signed(negative)]
    }

    fn unpack([c0, c1]: &[Words; 2]) -> Self {
        Self::new(unpack(c0), unpack(c1))
    }

    fn load<B: Backend>(b: B, from: [&[Words; 2]; WIDTH]) -> [B::Lanes; 2] {
        [b.load(from.map(|x| &x[0])), b.load(from.map(|x| &x[1]))]
    }

    fn store<B: Backend>(b: B, [c0, c1]: &[B::Lanes; 2]) -> [[Words; 2]; WIDTH] {
        let (c0, c1) = (b.store(c0), b.store(c1));
        core::array::from_fn(|i| [c0[i], c1[i]])
    }

    fn replace<B: Backend>(b: B, [w0, w1]: &mut [B::Lanes; 2], lane: usize, [c0, c1]: &[Words; 2]) {
        b.replace(w0, lane, c0);
        b.replace(w1, lane, c1);
    }

    fn minus<B: Backend>(b: B, [x0, x1]: &[B::Lanes; 2], [y0, y1]: &[B::Lanes; 2]) -> [B::Lanes; 2] {
        [b.sub(x0, y0), b.sub(x1, y1)]
    }

    fn norm<B: Backend>(b: B, d: &[B::Lanes; 2]) -> B::Lanes {
        b.norm(d)
    }

    fn divide<B: Backend>(b: B, n: &[B::Lanes; 2], d: &[B::Lanes; 2], inverse: &B::Lanes) -> [B::Lanes; 2] {
        b.divide2(n, d, inverse)
    }

    fn square_minus<B: Backend>(
        b: B,
        q: &[B::Lanes; 2],
        x: &[B::Lanes; 2],
        y: &[B::Lanes; 2],
    ) -> [B::Lanes; 2] {
        b.square_minus2(q, x, y)
    }

    fn mul_minus<B: Backend>(b: B, q: &[B::Lanes; 2], d: &[B::Lanes; 2], c: &[B::Lanes; 2]) -> [B::Lanes; 2] {
        b.mul_minus2(q, d, c)
    }
}
