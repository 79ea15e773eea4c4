//! Every backend against arkworks, in the sequences that additions of points are made of, on random coordinates and on the least and
//! the greatest that are allowed.

use ark_bn254::{Fq, Fq2};
use ark_ff::{BigInt, BigInteger as _, Field, PrimeField as _, UniformRand as _, Zero as _};
use ark_std::rand::{Rng, SeedableRng as _, rngs::StdRng};
use bailiwick_field::base::ifma::Integers;
use bailiwick_field::base::portable::{Scalar, unpack};
use bailiwick_field::base::{Backend, Visit, Words, dispatch};
use bailiwick_field::ifma::Emulated;
use bailiwick_field::modulus::WIDTH;

/// Groups in a chain of products: long enough for bounds to reach their fixed points.
const GROUPS: usize = 24;

/// A packed coordinate: any, or one of the extremes.
fn words(rng: &mut StdRng) -> Words {
    let p = Fq::MODULUS;
    let plus = |k: u64, shift: usize| {
        let mut x = p;
        // (1 + 2^-shift) p, and k more.
        let mut part = p;
        part >>= u32::try_from(shift).expect("small");
        x.add_with_carry(&part);
        x.sub_with_borrow(&BigInt::from(k));
        x.0
    };
    match rng.gen_range(0..10) {
        0 => [0; 4],
        1 => [1, 0, 0, 0],
        2 => (Fq::from(0u64) - Fq::from(1u64)).0.0,
        3 => p.0,
        4 => plus(rng.gen_range(0..3), 10),
        5 => [u64::MAX, u64::MAX, u64::MAX, 0x2fff_ffff_ffff_ffff],
        6 => [0, 0, 0, 0x3000_0000_0000_0000],
        _ => Fq::rand(rng).0.0,
    }
}

/// Points by their coordinates: none need be on the curve.
struct Pair<const D: usize> {
    x: [[Words; D]; 2],
    y: [[Words; D]; 2],
}

fn pairs<const D: usize>(rng: &mut StdRng, nonzero: impl Fn(&Pair<D>) -> bool) -> [Pair<D>; WIDTH] {
    core::array::from_fn(|_| {
        loop {
            let mut pair = || [(); 2].map(|()| [(); D].map(|()| words(rng)));
            let pair = Pair { x: pair(), y: pair() };
            if nonzero(&pair) {
                break pair;
            }
        }
    })
}

fn load<B: Backend, const D: usize>(
    b: B,
    of: &[Pair<D>; WIDTH],
    which: impl Fn(&Pair<D>) -> &[Words; D],
) -> [B::Lanes; D] {
    core::array::from_fn(|c| b.load(core::array::from_fn(|i| &which(&of[i])[c])))
}

fn sub<B: Backend, const D: usize>(b: B, x: &[B::Lanes; D], y: &[B::Lanes; D]) -> [B::Lanes; D] {
    core::array::from_fn(|c| b.sub(&x[c], &y[c]))
}

/// The inverse of each, by one inversion.
fn inverses<B: Backend>(b: B, of: &[B::Lanes]) -> Option<Vec<B::Lanes>> {
    let mut prefixes = vec![of[0]];
    for d in &of[1..] {
        prefixes.push(b.mul(prefixes.last().expect("not empty"), d));
    }
    let mut inverse = b.invert(prefixes.last().expect("not empty"))?;
    let mut out = vec![];
    for i in (1..of.len()).rev() {
        out.push(b.mul(&inverse, &prefixes[i - 1]));
        inverse = b.mul(&inverse, &of[i]);
    }
    out.push(inverse);
    out.reverse();
    Some(out)
}

fn wanted<F: Field>(x: [F; 2], y: [F; 2]) -> (F, F) {
    let q = (y[1] - y[0]) / (x[1] - x[0]);
    let x3 = q * q - x[0] - x[1];
    (x3, q * (x[0] - x3) - y[0])
}

/// What is stored is a coordinate, so loaded again it is the same.
fn stored<B: Backend>(b: B, lanes: &B::Lanes) -> [Fq; WIDTH] {
    let words = b.store(lanes);
    let mut limit = Fq::MODULUS;
    let mut part = limit;
    part >>= 10;
    limit.add_with_carry(&part);
    for w in &words {
        assert!(BigInt::new(*w) <= limit, "stored beyond what may be loaded");
    }
    assert_eq!(b.store(&b.load(words.each_ref())), words);
    words.each_ref().map(unpack)
}

#[derive(Clone, Copy)]
struct Additions;

impl Visit for Additions {
    type Out = ();
    fn visit<B: Backend>(self, b: B) {
        let mut rng = StdRng::seed_from_u64(7);
        for _ in 0..40 {
            let groups: Vec<_> = (0..GROUPS)
                .map(|_| pairs::<1>(&mut rng, |p| unpack(&p.x[0][0]) != unpack(&p.x[1][0])))
                .collect();
            let differences: Vec<_> = groups
                .iter()
                .map(|g| sub(b, &load(b, g, |p| &p.x[1]), &load(b, g, |p| &p.x[0]))[0])
                .collect();
            let inverses = inverses(b, &differences).expect("no difference is zero");
            for (g, inverse) in groups.iter().zip(&inverses) {
                let [x1, x2] = [0, 1].map(|k: usize| load(b, g, |p| &p.x[k])[0]);
                let [y1, y2] = [0, 1].map(|k: usize| load(b, g, |p| &p.y[k])[0]);
                let q = b.divide(&b.sub(&y2, &y1), inverse);
                let x3 = b.square_minus(&q, &x1, &x2);
                let y3 = b.mul_minus(&q, &b.sub(&x1, &x3), &y1);
                let (x3, y3) = (stored(b, &x3), stored(b, &y3));
                for (i, pair) in g.iter().enumerate() {
                    let want = wanted(pair.x.map(|[x]| unpack(&x)), pair.y.map(|[y]| unpack(&y)));
                    assert_eq!((x3[i], y3[i]), want);
                }
            }
        }
    }
}

#[derive(Clone, Copy)]
struct AdditionsInTheExtension;

impl Visit for AdditionsInTheExtension {
    type Out = ();
    fn visit<B: Backend>(self, b: B) {
        let element = |[c0, c1]: [Words; 2]| Fq2::new(unpack(&c0), unpack(&c1));
        let mut rng = StdRng::seed_from_u64(8);
        for _ in 0..40 {
            let groups: Vec<_> =
                (0..GROUPS).map(|_| pairs::<2>(&mut rng, |p| element(p.x[0]) != element(p.x[1]))).collect();
            let differences: Vec<_> =
                groups.iter().map(|g| sub(b, &load(b, g, |p| &p.x[1]), &load(b, g, |p| &p.x[0]))).collect();
            let norms: Vec<_> = differences.iter().map(|d| b.norm(d)).collect();
            let inverses = inverses(b, &norms).expect("no difference is zero");
            for ((g, d), inverse) in groups.iter().zip(&differences).zip(&inverses) {
                let [x1, x2] = [0, 1].map(|k: usize| load(b, g, |p| &p.x[k]));
                let [y1, y2] = [0, 1].map(|k: usize| load(b, g, |p| &p.y[k]));
                let q = b.divide2(&sub(b, &y2, &y1), d, inverse);
                let x3 = b.square_minus2(&q, &x1, &x2);
                let y3 = b.mul_minus2(&q, &sub(b, &x1, &x3), &y1);
                let [x3, y3] = [x3, y3].map(|e| e.map(|c| stored(b, &c)));
                for (i, pair) in g.iter().enumerate() {
                    let want = wanted(pair.x.map(element), pair.y.map(element));
                    assert_eq!((Fq2::new(x3[0][i], x3[1][i]), Fq2::new(y3[0][i], y3[1][i])), want);
                }
            }
        }
    }
}

#[derive(Clone, Copy)]
struct Lanewise;

impl Visit for Lanewise {
    type Out = ();
    /// Replacing a lane is as loading it; a zero in any one lane has no inverse, also where it is the modulus.
    fn visit<B: Backend>(self, b: B) {
        let mut rng = StdRng::seed_from_u64(9);
        let [five, two, p] = [5u64, 2, 0].map(|x| if x == 0 { Fq::MODULUS.0 } else { Fq::from(x).0.0 });
        for lane in 0..WIDTH {
            let mut from = [five; WIDTH];
            let mut replaced = b.load(from.each_ref());
            from[lane] = words(&mut rng);
            b.replace(&mut replaced, lane, &from[lane]);
            assert_eq!(b.store(&replaced), b.store(&b.load(from.each_ref())));
            for zero in [[0; 4], p, two] {
                from = [five; WIDTH];
                from[lane] = zero;
                let d = b.sub(&b.load(from.each_ref()), &b.load([&two; WIDTH]));
                assert_eq!(b.invert(&d).is_none(), zero == two, "difference {zero:?}");
                let d = b.sub(&b.load(from.each_ref()), &b.zero());
                assert_eq!(b.invert(&d).is_none(), zero != two, "value {zero:?}");
            }
        }
    }
}

/// On every backend that runs here.
fn on_each<V: Visit<Out = ()> + Copy>(test: V) {
    test.visit(Scalar);
    test.visit(Integers::on(Emulated));
    #[cfg(all(target_arch = "x86_64", not(feature = "portable")))]
    if let Some(doubles) = bailiwick_field::base::avx2::Doubles::detect() {
        test.visit(doubles);
    }
    dispatch(test);
}

#[test]
fn additions_are_arkworks_additions() {
    on_each(Additions);
}

#[test]
fn additions_in_the_extension_are_arkworks_additions() {
    on_each(AdditionsInTheExtension);
}

#[test]
fn a_lane_is_replaced_and_a_zero_lane_is_not_inverted() {
    on_each(Lanewise);
}

#[test]
fn unpacked_is_canonical() {
    let p = Fq::MODULUS.0;
    assert!(unpack(&p).is_zero());
    assert_eq!(unpack(&Fq::from(3u64).0.0), Fq::from(3u64));
}
