//! Lanes one after the other, on any processor.

use super::{LIMB_BITS, Lanes64, MASK};
use crate::modulus::WIDTH;

/// Plain integers.
#[derive(Clone, Copy, Debug)]
pub struct Emulated;

fn product(a: u64, b: u64) -> u128 {
    u128::from(a & MASK) * u128::from(b & MASK)
}

fn each(a: [u64; WIDTH], b: [u64; WIDTH], f: impl Fn(u64, u64) -> u64) -> [u64; WIDTH] {
    core::array::from_fn(|i| f(a[i], b[i]))
}

impl Lanes64 for Emulated {
    type V = [u64; WIDTH];

    fn splat(self, x: u64) -> Self::V {
        [x; WIDTH]
    }

    fn load(self, x: &[u64; WIDTH]) -> Self::V {
        *x
    }

    fn store(self, x: Self::V) -> [u64; WIDTH] {
        x
    }

    fn gather(self, from: [&[u64; 4]; WIDTH]) -> [Self::V; 4] {
        core::array::from_fn(|k| from.map(|words| words[k]))
    }

    fn scatter(self, words: [Self::V; 4]) -> [[u64; 4]; WIDTH] {
        core::array::from_fn(|i| words.map(|word| word[i]))
    }

    #[expect(clippy::cast_possible_truncation, reason = "masked to 52 bits")]
    fn multiply_add_low(self, acc: Self::V, a: Self::V, b: Self::V) -> Self::V {
        each(acc, each(a, b, |a, b| (product(a, b) & u128::from(MASK)) as u64), u64::wrapping_add)
    }

    #[expect(clippy::cast_possible_truncation, reason = "a product is below 2^104")]
    fn multiply_add_high(self, acc: Self::V, a: Self::V, b: Self::V) -> Self::V {
        each(acc, each(a, b, |a, b| (product(a, b) >> LIMB_BITS) as u64), u64::wrapping_add)
    }

    fn add(self, a: Self::V, b: Self::V) -> Self::V {
        each(a, b, u64::wrapping_add)
    }

    fn sub(self, a: Self::V, b: Self::V) -> Self::V {
        each(a, b, u64::wrapping_sub)
    }

    fn and(self, a: Self::V, b: Self::V) -> Self::V {
        each(a, b, |a, b| a & b)
    }

    fn shift_right<const BITS: u32>(self, a: Self::V) -> Self::V {
        a.map(|x| x >> BITS)
    }

    fn shift_left<const BITS: u32>(self, a: Self::V) -> Self::V {
        a.map(|x| x << BITS)
    }

    fn run<T, U, F: Fn(Self, T) -> U>(self, f: F, x: T) -> U {
        f(self, x)
    }
}
