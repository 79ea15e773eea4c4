//! Each step at the edge of what it may be given: the result is congruent, and below its bound.

use ark_ff::{Field, UniformRand};
use ark_std::rand::{Rng, SeedableRng, rngs::StdRng};

use super::super::{WIDTH, external, full_round, params, partial_round};
use super::*;

const ALL_ONES: Lane = [u64::MAX; 4];

/// `x · k` with one word more.
fn scaled(x: &[u64], k: u64) -> Vec<u64> {
    let mut carry = 0;
    let mut out: Vec<u64> = x
        .iter()
        .map(|word| {
            let t = u128::from(*word) * u128::from(k) + carry;
            carry = t >> 64;
            u64::try_from(t & u128::from(u64::MAX)).expect("masked")
        })
        .collect();
    out.push(u64::try_from(carry).expect("one word"));
    out
}

/// Whether `x < hundredths / 100 · p`.
fn below(x: &[u64], hundredths: u64) -> bool {
    let (mut left, mut right) = (scaled(x, 100), scaled(&P, hundredths));
    let length = left.len().max(right.len());
    left.resize(length, 0);
    right.resize(length, 0);
    left.iter().rev().lt(right.iter().rev())
}

/// The largest number below `hundredths / 100 · p`, as five words.
fn largest_below(hundredths: u64) -> Wide {
    let mut rest = 0u128;
    let mut out = [0; 5];
    for (word, slot) in scaled(&P, hundredths).iter().zip(&mut out).rev() {
        let t = rest << 64 | u128::from(*word);
        *slot = u64::try_from(t / 100).expect("rest is below 100");
        rest = t % 100;
    }
    // Exactly a hundredth of p for no number of hundredths here but whole ones.
    if rest == 0 { minus_one(out) } else { out }
}

fn minus_one(x: Wide) -> Wide {
    let mut out = x;
    for word in &mut out {
        let borrow;
        (*word, borrow) = word.overflowing_sub(1);
        if !borrow {
            break;
        }
    }
    out
}

fn narrow(x: Wide) -> Lane {
    let [a, b, c, d, 0] = x else { panic!("{x:?} is not below 2^256") };
    [a, b, c, d]
}

/// The residue, of the number itself and not of what it is the Montgomery form of.
fn residue(x: &[u64]) -> Fr {
    let bytes: Vec<u8> = x.iter().flat_map(|word| word.to_le_bytes()).collect();
    Fr::from_le_bytes_mod_order(&bytes)
}

/// 2^256.
fn radix() -> Fr {
    residue(&[0, 0, 0, 0, 1])
}

fn rng() -> StdRng {
    StdRng::seed_from_u64(7)
}

/// Numbers up to `hundredths / 100 · p` that carries and borrows like least: its edge, those of `p`, and words of zeros and ones.
fn edges(hundredths: u64) -> Vec<Lane> {
    let mut out: Vec<Lane> = (100..hundredths).step_by(100).map(|h| narrow(largest_below(h))).collect();
    out.extend([[0; 4], [1, 0, 0, 0], P, add(&P, &[1, 0, 0, 0]), narrow(largest_below(hundredths))]);
    let mut rng = rng();
    while out.len() < 60 {
        let lane: Lane = core::array::from_fn(|_| match rng.gen_range(0..4) {
            0 => 0,
            1 => u64::MAX,
            _ => rng.r#gen(),
        });
        if below(&lane, hundredths) {
            out.push(lane);
        }
    }
    out
}

/// The second factor is what the missing carry word limits: exactly 2^256 − p, and the 4.07 of the table.
#[test]
fn multiply_at_its_bounds() {
    let limit = subtract([0; 4], P).0;
    assert!(!below(&limit, 429) && below(&limit, 430));
    for y in edges(407).into_iter().chain([limit]) {
        for x in edges(413).into_iter().chain([ALL_ONES]) {
            let z = multiply(&x, &y);
            assert_eq!(residue(&z) * radix(), residue(&x) * residue(&y));
            // x / 2^256 < 1, so below y + p.
            assert!(below(&z, 530));
            let (less, borrow) = subtract(z, y);
            assert!(borrow || below(&less, 100));
        }
    }
}

/// From below 4.03: 4.0701, 4.1314 and 4.1473.
#[test]
fn fifth_power_at_its_bounds() {
    for x in edges(403) {
        let square = multiply(&x, &x);
        let fourth = multiply(&square, &square);
        let fifth = fifth_power(&x);
        assert!(below(&square, 408) && below(&fourth, 414) && below(&fifth, 415));
        let inverse = radix().inverse().expect("not zero");
        assert_eq!(residue(&fifth) * inverse, (residue(&x) * inverse).pow([5]));
    }
}

/// From any 256 bits, 2^256 − 1 among them, with any factor: below 2.01, which holds though the quotient is up to 2 too small.
#[test]
fn multiply_by_at_its_bounds() {
    let mut rng = rng();
    let mut factors = vec![Fr::from(0u64), Fr::from(1u64), Fr::from(2u64), -Fr::from(1u64), -Fr::from(2u64)];
    factors.extend(params().diagonal);
    factors.extend((0..8).map(|_| Fr::rand(&mut rng)));
    let mut seen_above_p = false;
    for d in factors {
        let factor = Factor::new(d);
        for x in edges(529).into_iter().chain([ALL_ONES]) {
            let z = multiply_by(&x, &factor);
            assert_eq!(residue(&z), residue(&x) * d);
            assert!(below(&z, 201));
            seen_above_p |= !below(&z, 100);
        }
    }
    assert!(seen_above_p, "the estimate is rounded down somewhere");
}

/// Around every multiple of p up to 400, and with all and no bits below the 31 the estimate sees.
#[test]
fn reduce_at_its_bounds() {
    let p = widen(&P);
    let mut multiple = [0; 5];
    let mut cases = vec![];
    for _ in 0..400 {
        let up = add_wide(&multiple, &[1, 0, 0, 0, 0]);
        cases.extend([multiple, up]);
        multiple = add_wide(&multiple, &p);
        let down = minus_one(multiple);
        cases.extend([down, minus_one(down)]);
    }
    assert_eq!(minus_one(multiple), largest_below(40_000));
    let mut rng = rng();
    while cases.len() < 60_000 {
        let high: Wide = [0, 0, 0, rng.r#gen::<u64>() >> 40 << 40, rng.gen_range(0..76)];
        let full = [u64::MAX, u64::MAX, u64::MAX, high[3] | (u64::MAX >> 24), high[4]];
        cases.extend([high, full].into_iter().filter(|x| below(x, 40_000)));
    }
    for x in cases {
        let z = reduce(&x);
        assert_eq!(residue(&z), residue(&x));
        assert!(below(&z, 101), "{x:?}");
    }
}

/// `element` takes off p once and no more: around 0, p and its bound.
#[test]
fn element_is_canonical() {
    for x in edges(101).into_iter().chain([narrow(largest_below(200))]) {
        let e = element(x);
        assert!(below(&lane(e), 100));
        assert_eq!(residue(&lane(e)), residue(&x));
    }
}

/// The factor's quotient is floor(2^256 d / p): times p it is at most 2^256 d, and less than p away.
#[test]
fn a_factors_quotient_is_the_whole_one() {
    for d in params().diagonal.into_iter().chain([Fr::from(1u64), -Fr::from(1u64)]) {
        let Factor { value, quotient } = Factor::new(d);
        assert_eq!(value, d.into_bigint().0);
        // 2^256 d − q p modulo 2^256 is −q p; below p means that q is neither too large nor too small.
        let rest = subtract([0; 4], low_words(&quotient, &P)).0;
        assert!(below(&rest, 100));
        assert_eq!(residue(&rest), d * radix());
    }
}

/// States of `hundredths / 100 · p`: every lane at the bound, one of them, and mixtures of edges.
fn states(hundredths: u64) -> Vec<[Lane; WIDTH]> {
    let top = narrow(largest_below(hundredths));
    let mut out = vec![[top; WIDTH], [[0; 4]; WIDTH]];
    out.extend((0..WIDTH).map(|i| {
        let mut state = [[0; 4]; WIDTH];
        state[i] = top;
        state
    }));
    let (edges, mut rng) = (edges(hundredths), rng());
    out.extend((0..50).map(|_| core::array::from_fn(|_| edges[rng.gen_range(0..edges.len())])));
    out
}

/// The external matrix, straight from the paper.
fn external_plainly(x: &[Fr; WIDTH]) -> [Fr; WIDTH] {
    const M4: [[u64; 4]; 4] = [[5, 7, 1, 3], [4, 6, 1, 1], [1, 3, 5, 7], [1, 1, 4, 6]];
    core::array::from_fn(|i| {
        (0..WIDTH).map(|j| x[j] * Fr::from(M4[i % 4][j % 4] * (1 + u64::from(i / 4 == j / 4)))).sum()
    })
}

#[test]
fn external_at_its_bounds() {
    for state in states(420) {
        let mut out = state;
        external(&mut out);
        assert!(out.iter().all(|x| below(x, 101)));
        assert_eq!(out.map(|x| residue(&x)), external_plainly(&state.map(|x| residue(&x))));
    }
}

/// The largest constants there are, p − 1 in Montgomery form, and the true ones.
#[test]
fn rounds_at_their_bounds() {
    let largest = element(narrow(minus_one(widen(&P))));
    let inverse = radix().inverse().expect("not zero");
    let elements = |state: &[Lane; WIDTH]| state.map(|x| residue(&x) * inverse);
    let factors = params().diagonal.map(Factor::new);
    for state in states(303) {
        for constants in [[largest; WIDTH], params().initial[0]] {
            let mut out = state;
            full_round(&mut out, &constants);
            assert!(out.iter().all(|x| below(x, 101)));
            let mut expected = elements(&state);
            expected.iter_mut().zip(&constants).for_each(|(x, c)| *x = (*x + c).pow([5]));
            assert_eq!(elements(&out), external_plainly(&expected));

            let mut out = state;
            partial_round(&mut out, &constants[0], &factors);
            assert!(out.iter().all(|x| below(x, 303)));
            let mut expected = elements(&state);
            expected[0] = (expected[0] + constants[0]).pow([5]);
            let sum: Fr = expected.iter().sum();
            expected.iter_mut().zip(&params().diagonal).for_each(|(x, d)| *x = *x * d + sum);
            assert_eq!(elements(&out), expected);
        }
    }
}
