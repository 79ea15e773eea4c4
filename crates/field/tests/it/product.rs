//! Multiplication by assembly, by integers and by arkworks.

use ark_bn254::{Fq, Fr};
use ark_ff::{BigInt, Field as _, PrimeField, UniformRand as _};
use bailiwick_field::lanes::{Columns, Lanes};
use bailiwick_field::modulus::{BASE, LIMBS, Modulus, SCALAR, WIDTH};
use bailiwick_field::product::{multiply_add, multiply_add_fast};
use proptest::prelude::*;

const NONE: Columns = [[0; WIDTH]; LIMBS];
const HALF: i64 = 1 << 50;

/// `2^255`.
fn r<F: PrimeField>() -> F {
    F::from(2u64).pow([255u64])
}

/// Limbs in `0..2^51` of a canonical element.
fn limbs<F: PrimeField<BigInt = BigInt<4>>>(x: F) -> [i64; LIMBS] {
    let mut n = x.into_bigint();
    core::array::from_fn(|_| {
        let low = n.0[0] & ((1 << 51) - 1);
        n >>= 51;
        low.cast_signed()
    })
}

/// The value of limbs, however large and of whatever sign.
fn value<F: PrimeField>(limbs: [i64; LIMBS]) -> F {
    let two_51 = F::from(1u64 << 51);
    limbs.iter().rev().fold(F::ZERO, |acc, l| {
        let l = if *l < 0 { -F::from(l.unsigned_abs()) } else { F::from(l.unsigned_abs()) };
        acc * two_51 + l
    })
}

fn check<F: PrimeField<BigInt = BigInt<4>>>(
    a: &[[i64; LIMBS]; WIDTH],
    b: &[[i64; LIMBS]; WIDTH],
    modulus: &Modulus,
) {
    // Columns large, the value not: the sum must be below 2^255.
    let more: [[i64; LIMBS]; WIDTH] = core::array::from_fn(|i| {
        let mut more: [i64; LIMBS] = core::array::from_fn(|j| a[i][j] * 37 - b[i][j]);
        more[LIMBS - 1] = a[i][LIMBS - 1] / 8 - b[i][LIMBS - 1] / 16;
        more
    });
    let addend: Columns = core::array::from_fn(|j| core::array::from_fn(|i| more[i][j]));
    let (x, y) = (Lanes::from_limbs(a), Lanes::from_limbs(b));
    for (extra, plus) in [(&NONE, 0u64), (&addend, 1)] {
        let slow = multiply_add(&x, &y, extra, modulus);
        let fast = multiply_add_fast(&x, &y, extra, modulus);
        for i in 0..WIDTH {
            let (va, vb) = (value::<F>(a[i]), value::<F>(b[i]));
            let wanted =
                va * vb * r::<F>().inverse().expect("not zero") + F::from(plus) * value::<F>(more[i]);
            assert_eq!(value::<F>(slow.limbs(i)), wanted, "integers, lane {i}");
            assert_eq!(value::<F>(fast.limbs(i)), wanted, "assembly, lane {i}");
            for limbs in [slow.limbs(i), fast.limbs(i)] {
                // Half the modulus and no more is added to the product's own size: the top limb shows it, to carries from below.
                let product = (i128::from(a[i][LIMBS - 1]) * i128::from(b[i][LIMBS - 1])).abs() >> 51;
                let added = if plus == 1 { more[i][LIMBS - 1].abs() } else { 0 };
                let half = i128::from(limbs_of_modulus::<F>() / 2);
                assert!(
                    i128::from(limbs[LIMBS - 1]).abs() <= product + i128::from(added) + half + 80,
                    "lane {i}: {limbs:?}"
                );
            }
            for low in &fast.limbs(i)[..LIMBS - 1] {
                assert!((-HALF..HALF).contains(low), "limb {low} is not balanced");
            }
        }
    }
}

/// The modulus's top limb.
fn limbs_of_modulus<F: PrimeField<BigInt = BigInt<4>>>() -> i64 {
    (F::MODULUS.0[3] >> 12).cast_signed()
}

/// Every pair of values at the edges of what a limb or an element can be.
#[test]
fn edges_multiply_as_in_arkworks() {
    let top = (1 << 50) - 1;
    let edges: [[i64; LIMBS]; 12] = [
        [0; 5],
        [1, 0, 0, 0, 0],
        [-1, 0, 0, 0, 0],
        [HALF, 0, 0, 0, 0],
        [-HALF; 5],
        [HALF, HALF, HALF, HALF, top],
        [2 * HALF, 2 * HALF, 2 * HALF, 2 * HALF, top],
        [-2 * HALF, -2 * HALF, -2 * HALF, -2 * HALF, -top],
        limbs(-Fr::ONE),
        limbs(-Fq::ONE),
        limbs(Fr::from(1u64 << 63)),
        [0, 0, 0, 0, top],
    ];
    for (n, a) in edges.iter().enumerate() {
        let b: [[i64; LIMBS]; WIDTH] = core::array::from_fn(|i| edges[(i + n) % edges.len()]);
        let c: [[i64; LIMBS]; WIDTH] = core::array::from_fn(|i| edges[(i + n + 4) % edges.len()]);
        for other in [b, c] {
            check::<Fr>(&[*a; WIDTH], &other, &SCALAR);
            check::<Fq>(&[*a; WIDTH], &other, &BASE);
        }
    }
}

/// A factor of the reduction that is exactly 2^50 modulo 2^51 is a tie: rounding may go either way.
#[test]
fn ties_of_the_reduction_are_right_modulo_the_modulus() {
    let a = [[HALF, 0, 0, 0, 0], [HALF, HALF, 0, 0, 0], [HALF, 1, HALF, 0, 0], [HALF, -1, 0, HALF, 1]];
    let a: [[i64; LIMBS]; WIDTH] = core::array::from_fn(|i| a[i % 4]);
    let one = [[1, 0, 0, 0, 0]; WIDTH];
    check::<Fr>(&a, &one, &SCALAR);
    check::<Fq>(&a, &one, &BASE);
}

#[test]
fn a_million_random_products_are_those_of_arkworks() {
    let mut rng = ark_std::test_rng();
    let scale = r::<Fr>().inverse().expect("not zero");
    for _ in 0..1_000_000 / WIDTH {
        let a: [Fr; WIDTH] = core::array::from_fn(|_| Fr::rand(&mut rng));
        let b: [Fr; WIDTH] = core::array::from_fn(|_| Fr::rand(&mut rng));
        let (x, y) = (Lanes::from_limbs(&a.map(limbs)), Lanes::from_limbs(&b.map(limbs)));
        let z = multiply_add_fast(&x, &y, &NONE, &SCALAR);
        for i in 0..WIDTH {
            assert_eq!(z.element::<Fr>(i), a[i] * b[i] * scale);
        }
    }
}

proptest! {
    /// Any limbs within the bounds, of either field.
    #[test]
    fn any_limbs_within_bounds_multiply(
        a in prop::array::uniform8((prop::array::uniform4(-2 * HALF..=2 * HALF), -HALF..HALF)),
        b in prop::array::uniform8((prop::array::uniform4(-2 * HALF..=2 * HALF), -HALF..HALF)),
    ) {
        let whole = |(l, top): ([i64; 4], i64)| [l[0], l[1], l[2], l[3], top];
        let (a, b) = (a.map(whole), b.map(whole));
        check::<Fr>(&a, &b, &SCALAR);
        check::<Fq>(&a, &b, &BASE);
    }

    /// Elements go in and come out, whatever their sign and size.
    #[test]
    fn lanes_are_the_elements_they_were_made_of(words in prop::array::uniform4(any::<u64>()), negative: bool) {
        let mut words = words;
        words[3] >>= 2;
        let x = Fr::from_be_bytes_mod_order(&words.iter().rev().flat_map(|w| w.to_be_bytes()).collect::<Vec<_>>());
        let mut n = BigInt::<4>::new(words);
        let limbs: [i64; LIMBS] = core::array::from_fn(|_| {
            let low = n.0[0] & ((1 << 51) - 1);
            n >>= 51;
            low.cast_signed()
        });
        let limbs = if negative { limbs.map(|l| -l) } else { limbs };
        let lanes = Lanes::splat(&limbs);
        prop_assert_eq!(lanes.limbs(5), limbs);
        prop_assert_eq!(lanes.element::<Fr>(5), if negative { -x } else { x });
    }
}
