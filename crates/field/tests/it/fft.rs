//! Transforms against `ark-poly`.

use ark_bn254::Fr;
use ark_ff::{AdditiveGroup as _, BigInt, FftField as _, Field as _, PrimeField as _, UniformRand as _};
use ark_poly::{EvaluationDomain as _, Radix2EvaluationDomain};
use bailiwick_field::fft::{LOG_MIN, Root, Transform, constant};
use bailiwick_field::lanes::Lanes;
use bailiwick_field::modulus::WIDTH;

/// Elements in natural order, eight by eight, as arkworks keeps them.
fn natural(t: &Transform, x: &[Fr]) -> Vec<Lanes> {
    x.as_chunks::<WIDTH>().0.iter().map(|x| t.load(&x.map(|x| x.0.0))).collect()
}

/// Elements times `scale`; the one at (row, lane) is number `number(row, lane)`.
fn elements(t: &Transform, x: &[Lanes], scale: Fr, number: impl Fn(usize, usize) -> usize) -> Vec<Fr> {
    let (scale, zero) = (constant(scale), constant(Fr::ZERO));
    let mut out = vec![Fr::ZERO; x.len() * WIDTH];
    for (row, x) in x.iter().enumerate() {
        for (lane, words) in t.sum_of_products(x, &scale, x, &zero).into_iter().enumerate() {
            assert!(BigInt(words) < Fr::MODULUS, "canonical");
            out[number(row, lane)] = Fr::new_unchecked(BigInt(words));
        }
    }
    out
}

fn assert_equal_to_ark(t: &Transform, coefficients: &[Fr]) {
    let n = coefficients.len();
    let domain = Radix2EvaluationDomain::<Fr>::new(n).expect("size");
    let shift = Fr::get_root_of_unity(2 * n as u64).expect("size");
    for (root, theirs) in
        [(Root::Cyclic, domain), (Root::Negacyclic, domain.get_coset(shift).expect("not zero"))]
    {
        let mut ours = natural(t, coefficients);
        t.down(&mut ours, root as usize);
        let values = elements(t, &ours, Fr::ONE, |row, lane| t.leaf(row, lane));
        assert_eq!(values, theirs.fft(coefficients), "{root:?} of {n}");
        t.up(&mut ours, root as usize);
        let scale = Fr::from(n as u64).inverse().expect("not zero");
        assert_eq!(
            elements(t, &ours, scale, |row, lane| WIDTH * row + lane),
            coefficients,
            "{root:?} of {n}"
        );
    }
}

#[test]
fn transforms_of_all_sizes_are_those_of_ark_poly() {
    let mut rng = ark_std::test_rng();
    for log in (LOG_MIN..=12).chain([16]) {
        let Some(t) = Transform::new(log) else { return };
        let n = t.size();
        let random: Vec<Fr> = (0..n).map(|_| Fr::rand(&mut rng)).collect();
        assert_equal_to_ark(&t, &random);
        if log <= 12 {
            // The largest values and limbs there are, everywhere, in turns, and alone.
            let half = Fr::from(2u64).inverse().expect("not zero");
            for (even, odd) in
                [(-Fr::ONE, -Fr::ONE), (-Fr::ONE, Fr::ZERO), (half, -half), (Fr::ONE, -Fr::ONE)]
            {
                let edge: Vec<Fr> = (0..n).map(|i| if i % 2 == 0 { even } else { odd }).collect();
                assert_equal_to_ark(&t, &edge);
            }
            let mut alone = vec![Fr::ZERO; n];
            assert_equal_to_ark(&t, &alone);
            alone[n - 1] = -Fr::ONE;
            assert_equal_to_ark(&t, &alone);
        }
    }
}

/// `x y / 2^255`, of arkworks' forms (`2^256` times an element): twice the product in that form.
#[test]
fn products_are_those_of_the_field() {
    let mut rng = ark_std::test_rng();
    let Some(t) = Transform::new(LOG_MIN) else { return };
    for _ in 0..1000 {
        let (x, y) = ([(); WIDTH].map(|()| Fr::rand(&mut rng)), [(); WIDTH].map(|()| Fr::rand(&mut rng)));
        let mut product = natural(&t, &x);
        t.times(&mut product[0], &natural(&t, &y)[0]);
        let found = elements(&t, &product, Fr::ONE, |_, lane| lane);
        let expected: Vec<Fr> = x.iter().zip(&y).map(|(x, y)| (*x * y).double()).collect();
        assert_eq!(found, expected);
    }
}

/// Too small, too large for a root of unity of twice the order.
#[test]
fn sizes_without_a_transform_are_refused() {
    assert!([0, 5, 28, 31].into_iter().all(|log| Transform::new(log).is_none()));
}
