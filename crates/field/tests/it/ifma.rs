//! Integers of 52 bits: products and reductions against arkworks, on every code this processor runs.

use ark_bn254::{Fq, Fr};
use ark_ff::{BigInt, PrimeField};
use bailiwick_field::ifma::{
    Avx512, Element, Emulated, Factor, LIMB_BITS, Lanes64, Modulus, carry, limbs, multiply, multiply_by,
    reduce, words,
};
use bailiwick_field::modulus::{LIMBS, WIDTH};
use proptest::prelude::*;

type Limbs = [u64; LIMBS];
const ONES: u64 = (1 << LIMB_BITS) - 1;

fn value<F: PrimeField>(limbs: &Limbs) -> F {
    let two_52 = F::from(1u64 << LIMB_BITS);
    limbs.iter().rev().fold(F::ZERO, |acc, l| acc * two_52 + F::from(*l))
}

/// `x / p`, from above.
fn multiple<F: PrimeField<BigInt = BigInt<4>>>(x: &Limbs) -> f64 {
    let real = |l: &Limbs| l.iter().rev().fold(0.0, |acc, l| acc * 2f64.powi(52) + *l as f64);
    real(x) / real(&limbs(F::MODULUS.0)) * (1.0 + 1e-12)
}

fn lanes<I: Lanes64>(isa: I, x: &[Limbs; WIDTH]) -> Element<I> {
    core::array::from_fn(|j| isa.load(&core::array::from_fn(|i| x[i][j])))
}

fn out<I: Lanes64>(isa: I, x: &Element<I>) -> [Limbs; WIDTH] {
    let rows = x.map(|l| isa.store(l));
    core::array::from_fn(|i| core::array::from_fn(|j| rows[j][i]))
}

fn check<I: Lanes64, F: PrimeField<BigInt = BigInt<4>>>(isa: I, a: &[Limbs; WIDTH], b: &[Limbs; WIDTH]) {
    let modulus = Modulus::new::<F>();
    let inverse = F::from(2u64).pow([260]).inverse().expect("not zero");
    let (x, y) = (lanes(isa, a), lanes(isa, b));
    let product = out(isa, &multiply(isa, &x, &y, &modulus));
    let reduced = out(isa, &reduce(isa, &x, &modulus));
    let d: F = value(&b[0]);
    let by = out(isa, &multiply_by(isa, &Factor::new(d), &x, &y, &modulus));
    for i in 0..WIDTH {
        let (s, t) = (multiple::<F>(&a[i]), multiple::<F>(&b[i]));
        if s * t < 84.0 * 83.0 {
            assert_eq!(value::<F>(&product[i]), value::<F>(&a[i]) * value::<F>(&b[i]) * inverse);
            assert!(multiple::<F>(&product[i]) <= s * t / 84.64 + 1.13, "{s} {t}: {:?}", product[i]);
        }
        assert_eq!(value::<F>(&reduced[i]), value::<F>(&a[i]));
        assert!(multiple::<F>(&reduced[i]) <= 1.001, "{s}: {:?}", reduced[i]);
        if t < 78.0 {
            assert_eq!(value::<F>(&by[i]), value::<F>(&a[i]) * d + value::<F>(&b[i]));
            assert!(multiple::<F>(&by[i]) <= 6.0 + t);
        }
        for l in product[i].iter().chain(&reduced[i]).chain(&by[i]) {
            assert!(*l <= ONES, "carried");
        }
    }
}

/// On emulated lanes, and on real ones where there are some.
fn both<F: PrimeField<BigInt = BigInt<4>>>(a: &[Limbs; WIDTH], b: &[Limbs; WIDTH]) {
    check::<_, F>(Emulated, a, b);
    if let Some(isa) = Avx512::detect() {
        check::<_, F>(isa, a, b);
    }
}

fn edges<F: PrimeField<BigInt = BigInt<4>>>() -> Vec<Limbs> {
    let p = limbs(F::MODULUS.0);
    let mut up = p;
    up[0] += 1;
    vec![
        [0; LIMBS],
        [1, 0, 0, 0, 0],
        limbs((-F::ONE).into_bigint().0),
        p,
        up,
        limbs([u64::MAX; 4]),
        // Eight times the modulus is just below.
        [ONES, ONES, ONES, ONES, (8 * p[4]) - 1],
        [ONES, ONES, ONES, ONES, 0],
        [ONES; LIMBS],
        [0, 0, 0, 0, ONES],
        [ONES, 0, ONES, 0, 1 << 46],
        limbs(F::from(2u64).inverse().expect("not zero").into_bigint().0),
        [0, 1, 0, 0, 0],
    ]
}

#[test]
fn edges_multiply_as_in_arkworks() {
    fn all<F: PrimeField<BigInt = BigInt<4>>>() {
        let edges = edges::<F>();
        for (n, a) in edges.iter().enumerate() {
            for from in [0, 6] {
                let b = core::array::from_fn(|i| edges[(i + n + from) % edges.len()]);
                both::<F>(&[*a; WIDTH], &b);
                both::<F>(&b, &[*a; WIDTH]);
            }
        }
    }
    all::<Fr>();
    all::<Fq>();
}

#[test]
fn random_products_are_those_of_arkworks() {
    fn all<F: PrimeField<BigInt = BigInt<4>>>() {
        let mut rng = ark_std::test_rng();
        let mut some = || core::array::from_fn(|_| limbs(F::rand(&mut rng).into_bigint().0));
        for _ in 0..2_000 {
            both::<F>(&some(), &some());
        }
    }
    all::<Fr>();
    all::<Fq>();
}

/// Columns far beyond 52 bits, as sums of a layer leave them, up to 1024 times the modulus.
#[test]
fn columns_are_reduced_at_their_bounds() {
    fn all<F: PrimeField<BigInt = BigInt<4>>>() {
        let modulus = Modulus::new::<F>();
        let p = limbs(F::MODULUS.0);
        for k in 1..=1023u64 {
            for (low, add) in [(0u64, 0u64), (1 << 61, 0), ((1 << 61) + 12_345, 1), (ONES, 0)] {
                let mut x = p.map(|l| l * k);
                x[4] += add;
                for l in &mut x[..3] {
                    *l = (*l + low) % (1 << 62);
                }
                // Exactly k p, and one less.
                let mut less = p.map(|l| l * k);
                less[0] -= 1;
                let given = core::array::from_fn(|i| [x, less, p.map(|l| l * k)][i % 3]);
                let got = out(Emulated, &reduce(Emulated, &lanes(Emulated, &given), &modulus));
                for (x, y) in given.iter().zip(&got) {
                    assert_eq!(value::<F>(x), value::<F>(y), "{k} {low} {add}");
                    assert!(multiple::<F>(y) <= 1.001, "{k} {low} {add}: {y:?}");
                }
            }
        }
    }
    all::<Fr>();
    all::<Fq>();
}

proptest! {
    /// Any carried limbs below 8 p, and any columns.
    #[test]
    fn any_limbs_multiply(
        a in prop::array::uniform8((prop::array::uniform4(0..=ONES), 0..1u64 << 48)),
        b in prop::array::uniform8((prop::array::uniform4(0..=ONES), 0..1u64 << 48)),
    ) {
        let whole = |(l, top): ([u64; 4], u64)| [l[0], l[1], l[2], l[3], top];
        let (a, b) = (a.map(whole), b.map(whole));
        both::<Fr>(&a, &b);
        both::<Fq>(&a, &b);
    }

    /// Words and limbs are one another's inverse, and carrying changes no value.
    #[test]
    fn limbs_are_the_words_they_were_made_of(x in prop::array::uniform4(any::<u64>()), k in 1..1u64 << 10) {
        prop_assert_eq!(words(limbs(x)), x);
        let mut columns = limbs(x);
        columns[4] >>= 4;
        let columns = columns.map(|l| l * k % (1 << 62));
        if columns[4] < ONES {
            let got = out(Emulated, &carry(Emulated, &lanes(Emulated, &[columns; WIDTH])));
            prop_assert_eq!(value::<Fr>(&got[4]), value::<Fr>(&columns));
            prop_assert!(got[4].iter().all(|l| *l <= ONES));
        }
    }
}
