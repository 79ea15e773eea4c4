//! Whether two implementations of lanes compute the same: every operation, and products of both fields, at edges and at random.

use ark_bn254::{Fq, Fr};

use super::{Element, Factor, LIMB_BITS, Lanes64, MASK, Modulus, multiply, multiply_by, reduce};
use crate::modulus::{LIMBS, WIDTH};

const EDGES: [u64; 12] = [
    0,
    1,
    2,
    MASK,
    MASK - 1,
    1 << 51,
    (1 << 26) - 1,
    1 << 26,
    u64::MAX,
    u64::MAX - 1,
    1 << LIMB_BITS,
    0x0123_4567_89ab_cdef,
];

/// Marsaglia's xorshift: numbers that are anything, the same on every machine.
fn next(x: &mut u64) -> u64 {
    *x ^= *x << 13;
    *x ^= *x >> 7;
    *x ^= *x << 17;
    *x
}

/// Whether each operation and 320 products of each field agree.
pub(crate) fn agree<A: Lanes64, B: Lanes64>(a: A, b: B) -> bool {
    let mut seed = 0x9e37_79b9_7f4a_7c15;
    let rows: Vec<[u64; WIDTH]> = (0..40)
        .map(|n| {
            core::array::from_fn(|i| {
                if n < EDGES.len() { EDGES[(n + i * i) % EDGES.len()] } else { next(&mut seed) }
            })
        })
        .collect();
    let same = |n: usize| {
        let [x, y, z] = [rows[n], rows[(n + 7) % rows.len()], rows[(n + 19) % rows.len()]];
        operations(a, [x, y, z]) == operations(b, [x, y, z])
    };
    let elements = |n: usize| -> [[u64; WIDTH]; LIMBS] {
        // Below 8 p: two bits less than 2^260 and two more.
        core::array::from_fn(|j| {
            rows[(n + 3 * j) % rows.len()].map(|l| if j == 4 { l & (MASK >> 4) } else { l & MASK })
        })
    };
    let [fr, fq] = [Modulus::new::<Fr>(), Modulus::new::<Fq>()];
    let factor = Factor::new(-Fr::from(3u64));
    (0..rows.len()).all(|n| {
        let (x, y) = (elements(n), elements(n + 11));
        same(n)
            && [&fr, &fq].iter().all(|m| products(a, &x, &y, &factor, m) == products(b, &x, &y, &factor, m))
    })
}

fn operations<I: Lanes64>(isa: I, x: [[u64; WIDTH]; 3]) -> [[u64; WIDTH]; 16] {
    let f = |isa: I, x: [[u64; WIDTH]; 3]| {
        let [a, b, c] = x.map(|x| isa.load(&x));
        let rows: [[u64; 4]; WIDTH] =
            core::array::from_fn(|i| core::array::from_fn(|k| x[k % 3][(i + k) % WIDTH]));
        let [g, h, i, j] = isa.gather(rows.each_ref());
        let scattered = isa.scatter([a, b, c, g]);
        let computed = [
            isa.multiply_add_low(a, b, c),
            isa.multiply_add_high(a, b, c),
            isa.add(a, b),
            isa.sub(a, b),
            isa.and(a, b),
            isa.shift_right::<LIMB_BITS>(a),
            isa.shift_left::<2>(a),
            isa.splat(x[0][3]),
            g,
            h,
            i,
            j,
        ]
        .map(|v| isa.store(v));
        core::array::from_fn(|n| match n.checked_sub(computed.len()) {
            None => computed[n],
            Some(k) => scattered.map(|words| words[k]),
        })
    };
    isa.run(f, x)
}

type Limbs = [[u64; WIDTH]; LIMBS];

fn products<I: Lanes64>(isa: I, x: &Limbs, y: &Limbs, d: &Factor, modulus: &Modulus) -> [Limbs; 3] {
    let f = |isa: I, (x, y): (&Limbs, &Limbs)| {
        let load = |x: &Limbs| -> Element<I> { x.map(|l| isa.load(&l)) };
        let (x, y) = (load(x), load(y));
        let z = multiply(isa, &x, &y, modulus);
        [z, multiply_by(isa, d, &x, &y, modulus), reduce(isa, &y, modulus)].map(|z| z.map(|l| isa.store(l)))
    };
    isa.run(f, (x, y))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ifma::Emulated;

    /// Lanes of which one operation is wrong, in one lane, and only where its result is not zero.
    #[derive(Clone, Copy, Debug)]
    struct Faulty(u32);

    impl Faulty {
        fn spoil(self, operation: u32, mut x: [u64; WIDTH]) -> [u64; WIDTH] {
            x[5] ^= u64::from(self.0 == operation && x[5] != 0);
            x
        }
    }

    impl Lanes64 for Faulty {
        type V = [u64; WIDTH];

        fn splat(self, x: u64) -> Self::V {
            self.spoil(0, Emulated.splat(x))
        }

        fn load(self, x: &[u64; WIDTH]) -> Self::V {
            self.spoil(1, Emulated.load(x))
        }

        fn store(self, x: Self::V) -> [u64; WIDTH] {
            self.spoil(2, Emulated.store(x))
        }

        fn multiply_add_low(self, acc: Self::V, a: Self::V, b: Self::V) -> Self::V {
            self.spoil(3, Emulated.multiply_add_low(acc, a, b))
        }

        fn multiply_add_high(self, acc: Self::V, a: Self::V, b: Self::V) -> Self::V {
            self.spoil(4, Emulated.multiply_add_high(acc, a, b))
        }

        fn add(self, a: Self::V, b: Self::V) -> Self::V {
            self.spoil(5, Emulated.add(a, b))
        }

        fn and(self, a: Self::V, b: Self::V) -> Self::V {
            self.spoil(6, Emulated.and(a, b))
        }

        fn shift_right<const BITS: u32>(self, a: Self::V) -> Self::V {
            self.spoil(7, Emulated.shift_right::<BITS>(a))
        }

        fn shift_left<const BITS: u32>(self, a: Self::V) -> Self::V {
            self.spoil(8, Emulated.shift_left::<BITS>(a))
        }

        fn sub(self, a: Self::V, b: Self::V) -> Self::V {
            self.spoil(9, Emulated.sub(a, b))
        }

        fn gather(self, from: [&[u64; 4]; WIDTH]) -> [Self::V; 4] {
            let [a, b, c, d] = Emulated.gather(from);
            [a, b, self.spoil(10, c), d]
        }

        fn scatter(self, words: [Self::V; 4]) -> [[u64; 4]; WIDTH] {
            let mut out = Emulated.scatter(words);
            out[5][3] ^= u64::from(self.0 == 11 && out[5][3] != 0);
            out
        }

        fn run<T, U, F: Fn(Self, T) -> U>(self, f: F, x: T) -> U {
            f(self, x)
        }
    }

    /// A processor that does any one operation wrong is found out; one that does none is not.
    #[test]
    fn one_wrong_operation_is_found() {
        for operation in 0..12 {
            assert!(!agree(Faulty(operation), Emulated), "operation {operation}");
        }
        assert!(agree(Faulty(12), Emulated));
    }
}
