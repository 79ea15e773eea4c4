//! The quotient eight coefficients at a time, on the coset of the odd powers of a root of unity of order 2n: there `X^n = −1`, so
//! `h = (c − a·b mod (X^n + 1)) / 2`.

use core::array::from_fn;

use ark_bn254::Fr;
use ark_ff::{AdditiveGroup, BigInt, Field};
use bailiwick_field::fft::{Eighths, Root, Transform, constant, eighths};
use bailiwick_field::lanes::Lanes;
use bailiwick_field::modulus::WIDTH;
use rayon::prelude::*;

/// Lanes that one thread transforms: 2^12 elements, which the second-level cache of a core holds.
const ONE_THREAD: usize = 512;
/// Lanes of each eighth that one thread takes of a step over a larger block.
const SLICE: usize = 64;

/// Coefficients of h, n − 1 of them, where `a(i)` and `b(i)` are the values at root of unity number `i`.
pub(super) fn quotient(
    t: &Transform,
    a: impl Fn(usize) -> Fr + Sync,
    b: impl Fn(usize) -> Fr + Sync,
) -> Vec<Fr> {
    let (mut a, mut b) = (load(t, a), load(t, b));
    // Elements come as arkworks keeps them, times 2^256; each product is with 2^-255, each way up with a factor n: c is 2n times
    // itself, a·b 2n³ times.
    let mut c: Vec<Lanes> = a.clone();
    times(t, &mut c, &b);
    for values in [&mut a, &mut b, &mut c] {
        up(t, values, Root::Cyclic as usize);
    }
    for values in [&mut a, &mut b] {
        down(t, values, Root::Negacyclic as usize);
    }
    times(t, &mut a, &b);
    drop(b);
    up(t, &mut a, Root::Negacyclic as usize);

    let n = Fr::from(t.size() as u64);
    let scale = |x: Fr| x.inverse().expect("a power of two is not zero");
    let (of_c, of_ab) =
        (constant(scale(n.double().double())), constant(-scale(n.pow([3]).double().double())));
    let mut h = vec![Fr::default(); t.size()];
    h.par_chunks_exact_mut(WIDTH).with_min_len(SLICE).zip(c).zip(a).for_each(|((h, c), ab)| {
        let words = t.sum_of_products(&c, &of_c, &ab, &of_ab);
        // Words below the modulus, in the form of arkworks.
        h.copy_from_slice(&words.map(|w| Fr::new_unchecked(BigInt(w))));
    });
    h.truncate(t.size() - 1);
    h
}

fn load(t: &Transform, value: impl Fn(usize) -> Fr + Sync) -> Vec<Lanes> {
    let row = |row| t.load(&from_fn(|lane| value(t.leaf(row, lane)).0.0));
    (0..t.size() / WIDTH).into_par_iter().with_min_len(SLICE).map(row).collect()
}

fn times(t: &Transform, x: &mut [Lanes], y: &[Lanes]) {
    x.par_iter_mut().with_min_len(SLICE).zip(y).for_each(|(x, y)| t.times(x, y));
}

/// [`Transform::down`] on all threads.
fn down(t: &Transform, values: &mut [Lanes], block: usize) {
    if values.len() <= ONE_THREAD {
        return t.down(values, block);
    }
    in_slices(eighths(values), &|parts| t.down_three(parts, block));
    let part = values.len() / 8;
    values.par_chunks_exact_mut(part).enumerate().for_each(|(i, part)| down(t, part, 8 * block + i));
}

/// [`Transform::up`] on all threads.
fn up(t: &Transform, values: &mut [Lanes], block: usize) {
    if values.len() <= ONE_THREAD {
        return t.up(values, block);
    }
    let part = values.len() / 8;
    values.par_chunks_exact_mut(part).enumerate().for_each(|(i, part)| up(t, part, 8 * block + i));
    in_slices(eighths(values), &|parts| t.up_three(parts, block));
}

fn in_slices(parts: Eighths<'_>, step: &(impl Fn(Eighths<'_>) + Sync)) {
    let length = parts[0].len();
    if length <= SLICE {
        return step(parts);
    }
    let [a, b, c, d, e, f, g, h] = parts.map(|part| part.split_at_mut(length / 2));
    rayon::join(
        || in_slices([a.0, b.0, c.0, d.0, e.0, f.0, g.0, h.0], step),
        || in_slices([a.1, b.1, c.1, d.1, e.1, f.1, g.1, h.1], step),
    );
}
