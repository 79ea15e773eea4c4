//! Sums equal to arkworks' for random input, and for input made to meet every case an addition has.

use ark_bn254::{Fr, G1Projective, G2Projective};
use ark_ec::short_weierstrass::{Affine, Projective, SWCurveConfig};
use ark_ec::{AffineRepr as _, CurveGroup as _, PrimeGroup as _, VariableBaseMSM as _};
use ark_ff::{AdditiveGroup as _, Field as _, UniformRand as _};
use ark_std::rand::{Rng as _, SeedableRng as _, rngs::StdRng};
use bailiwick_msm::{msm_g1, msm_g2};
use proptest::prelude::*;

/// One of the groups.
trait Group: SWCurveConfig<ScalarField = Fr> {
    fn ours(bases: &[Affine<Self>], scalars: &[Fr]) -> Projective<Self>;
}

impl Group for ark_bn254::g1::Config {
    fn ours(bases: &[Affine<Self>], scalars: &[Fr]) -> G1Projective {
        msm_g1(bases, scalars)
    }
}

impl Group for ark_bn254::g2::Config {
    fn ours(bases: &[Affine<Self>], scalars: &[Fr]) -> G2Projective {
        msm_g2(bases, scalars)
    }
}

type G1 = ark_bn254::g1::Config;
type G2 = ark_bn254::g2::Config;

/// `n` points, fast: a progression, so that sums of them, with signs, are often equal or opposite.
fn points<P: Group>(n: usize, seed: u64) -> Vec<Affine<P>> {
    let mut rng = StdRng::seed_from_u64(seed);
    let (mut p, step) = (Projective::<P>::rand(&mut rng), Projective::<P>::rand(&mut rng));
    let points: Vec<_> = (0..n)
        .map(|_| {
            p += step;
            p
        })
        .collect();
    Projective::normalize_batch(&points)
}

fn scalars(n: usize, seed: u64) -> Vec<Fr> {
    let mut rng = StdRng::seed_from_u64(seed);
    (0..n).map(|_| Fr::rand(&mut rng)).collect()
}

fn check<P: Group>(bases: &[Affine<P>], scalars: &[Fr]) {
    let n = bases.len().min(scalars.len());
    let wanted = Projective::<P>::msm_unchecked(&bases[..n], &scalars[..n]);
    assert!(P::ours(bases, scalars) == wanted, "{n} points");
}

fn sizes<P: Group>(sizes: &[usize]) {
    let (bases, scalars) = (points::<P>(3000, 1), scalars(3000, 2));
    for n in sizes {
        check(&bases[..*n], &scalars[..*n]);
    }
}

#[test]
fn any_number_of_points_g1() {
    sizes::<G1>(&[0, 1, 2, 3, 63, 64, 65, 72, 127, 200, 511, 1000, 2048, 3000]);
}

#[test]
fn any_number_of_points_g2() {
    sizes::<G2>(&[0, 1, 63, 64, 65, 200, 1000]);
}

#[test]
fn as_many_points_as_a_small_circuit_has() {
    let (bases, scalars) = (points::<G1>(1 << 14, 1), scalars(1 << 14, 2));
    check(&bases, &scalars);
}

#[test]
fn the_longer_is_cut() {
    let (bases, scalars) = (points::<G1>(500, 1), scalars(700, 2));
    check(&bases, &scalars);
    check(&bases[..300], &scalars);
    assert_eq!(msm_g1(&bases, &[]), G1Projective::ZERO);
    assert_eq!(msm_g1(&[], &scalars), G1Projective::ZERO);
}

/// One scalar for all points: every window has one full bucket, of more points than a batch holds.
fn one_scalar<P: Group>(n: usize) {
    let bases = points::<P>(n, 3);
    let half = Fr::from(2u64).inverse().expect("odd");
    for s in [Fr::ZERO, Fr::ONE, -Fr::ONE, half, -half, Fr::from(1u64 << 15), -Fr::from(1u64 << 15)] {
        check(&bases, &vec![s; n]);
    }
}

#[test]
fn one_scalar_for_all_g1() {
    one_scalar::<G1>(20_000);
}

#[test]
fn one_scalar_for_all_g2() {
    one_scalar::<G2>(300);
}

/// The same point again and again, with signs: sums of equal and of opposite points in every round.
fn one_point<P: Group>(n: usize) {
    let base = points::<P>(1, 4)[0];
    let bases: Vec<_> = (0..n).map(|i| if i % 3 == 0 { -base } else { base }).collect();
    check(&bases, &vec![Fr::ONE; n]);
    check(&vec![base; n], &vec![Fr::ONE; n]);
    check(&vec![base; n], &scalars(n, 5));
    let alternating: Vec<_> = (0..n).map(|i| if i % 2 == 0 { Fr::ONE } else { -Fr::ONE }).collect();
    check(&vec![base; n], &alternating);
    assert_eq!(P::ours(&vec![base; n & !1], &alternating[..n & !1]), Projective::ZERO);
}

#[test]
fn one_point_for_all_g1() {
    one_point::<G1>(9000);
}

#[test]
fn one_point_for_all_g2() {
    one_point::<G2>(300);
}

/// Bits, and bases of which many are infinity, as in a proving key and a witness.
fn witness<P: Group>(n: usize) {
    let mut rng = StdRng::seed_from_u64(6);
    let mut bases = points::<P>(n, 7);
    let mut scalars = scalars(n, 8);
    for (base, scalar) in bases.iter_mut().zip(&mut scalars) {
        if rng.gen_ratio(1, 3) {
            *base = Affine::zero();
        }
        match rng.gen_range(0..5) {
            0 => *scalar = Fr::ZERO,
            1 => *scalar = Fr::ONE,
            2 => *scalar = Fr::from(rng.gen_range(0u64..256)),
            _ => (),
        }
    }
    check(&bases, &scalars);
}

#[test]
fn bits_and_infinities_g1() {
    witness::<G1>(5000);
    check(&vec![Affine::<G1>::zero(); 200], &scalars(200, 1));
}

#[test]
fn bits_and_infinities_g2() {
    witness::<G2>(500);
}

/// Small multiples of the generator: sums in different windows and buckets meet again.
fn related<P: Group>(choices: &[(i8, i64)]) {
    let multiple = |k: i8| {
        let p = Projective::<P>::generator() * Fr::from(k.unsigned_abs());
        if k < 0 { (-p).into_affine() } else { p.into_affine() }
    };
    let table: Vec<_> = (-8..=8).map(multiple).collect();
    let bases: Vec<_> = choices.iter().map(|(k, _)| table[usize::from((k + 8).unsigned_abs())]).collect();
    let scalars: Vec<_> = choices.iter().map(|(_, s)| Fr::from(*s)).collect();
    check(&bases, &scalars);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    #[test]
    fn related_points_and_small_scalars_g1(choices in prop::collection::vec((-8i8..=8, -9i64..=9), 64..400)) {
        related::<G1>(&choices);
    }

    #[test]
    fn related_points_and_small_scalars_g2(choices in prop::collection::vec((-3i8..=3, -3i64..=3), 64..150)) {
        related::<G2>(&choices);
    }

    #[test]
    fn digits_at_their_edges(words in prop::collection::vec(prop::array::uniform4(
        prop_oneof![Just(0u64), Just(u64::MAX), Just(0x8000_8000_8000_8000), Just(0x7fff_8000_7fff_8000), any::<u64>()],
    ), 64..200)) {
        let scalars: Vec<_> = words.iter().map(|w| Fr::from(ark_ff::BigInt::new([w[0], w[1], w[2], w[3] >> 3]))).collect();
        check(&points::<G1>(scalars.len(), 9), &scalars);
    }
}
