//! Dealing a key to 100 custodians, 51 of whom recover it, and checking that in public.
//!
//! Bars: a deal in less than 12 ms, public verification in less than 6 ms, everything bound to its context. Beside it, in the same run:
//! Schoenmakers' scheme (Crypto 1999), whose verifier checks every share against commitments to a polynomial; the same test of the code with one
//! multiplication at a time; and the least a dealer and a verifier of this scheme can do. Processor time, median of rounds: other work on the
//! machine does not count. Run with `--test` it does everything once.

use std::collections::BTreeSet;
use std::hint::black_box;

use bailiwick_benches::process::cpu_seconds;
use bailiwick_benches::stats::median;
use bailiwick_custody::{
    Context, CustodianSecretKey, DealOptions, Dealing, DealtCustodian, Request, deal, recover, release,
};
use bailiwick_protocol::codec::Canonical as _;
use bailiwick_protocol::envelope::Kem;
use bailiwick_protocol::ids::{ObjectId, OwnerKey, RosterDigest};
use bailiwick_protocol::secret::Secret;
use curve25519_dalek::constants::RISTRETTO_BASEPOINT_POINT as G;
use curve25519_dalek::ristretto::{CompressedRistretto, RistrettoPoint};
use curve25519_dalek::scalar::Scalar;
use curve25519_dalek::traits::VartimeMultiscalarMul as _;
use rand_chacha::ChaCha20Rng;
use rand_chacha::rand_core::SeedableRng as _;

const N: usize = 100;
const T: usize = 51;

fn main() {
    let quick = std::env::args().any(|a| a == "--test");
    let mut rng = ChaCha20Rng::from_seed([1; 32]);
    let keys: Vec<_> = (0..N).map(|_| CustodianSecretKey::generate(&mut rng)).collect();
    let custodians: Vec<_> = keys
        .iter()
        .enumerate()
        .map(|(i, key)| DealtCustodian {
            name: format!("custodian {i}"),
            key: key.public(),
            attributes: BTreeSet::from([format!("firm:{i}"), "JP".to_owned()]),
        })
        .collect();
    let context = Context {
        owner: OwnerKey([1; 32]),
        object: ObjectId([2; 16]),
        key_commitment: [3; 32],
        policy: Some([4; 32]),
        roster: RosterDigest([5; 32]),
        generation: 1,
    };
    let threshold = u16::try_from(T).expect("51");
    let options = DealOptions { context, threshold, custodians: &custodians, hybrid: false };
    let file_key = Secret::init_with(|b| b.fill(7));
    let dealt = deal(&options, &file_key, None, &mut rng).expect("a dealing");
    let bytes = dealt.dealing.to_bytes();
    let read = || Dealing::from_bytes(&bytes).expect("just written");
    let clock = Clock { rounds: if quick { 1 } else { 7 }, each: if quick { 1 } else { 50 } };

    println!("n = {N}, t = {T}; {} bytes; milliseconds of processor time", bytes.len());
    clock.show("deal (bar 12)", || deal(&options, &file_key, None, &mut rng).expect("a dealing"));
    clock.show("  least a dealer does: n multiplications by d, n of the base", || dealers_floor(&custodians));
    clock.show("read and verify in public (bar 6)", || read().verify().expect("sound"));
    clock.show("  of which reading: 2n + 1 points decoded", read);
    let points = decoded(&dealt.dealing);
    let scalars: Vec<Scalar> = (0..2 * N).map(|i| wide(i as u64)).collect();
    clock.show("  least a verifier does: one sum of 2n, 2n points decoded", || {
        (decoded(&dealt.dealing), RistrettoPoint::vartime_multiscalar_mul(&scalars, &points))
    });
    clock.show("  peer: the sums one multiplication at a time", || {
        scalars.iter().zip(&points).map(|(s, p)| s * p).sum::<RistrettoPoint>()
    });
    let other = Schoenmakers::deal(&points[..N]);
    clock.show("  peer: Schoenmakers' verifier, share by share", || assert!(other.verify()));

    let verified = read().verify().expect("sound");
    let requester = Secret::init_with(|b| b.fill(9));
    let public = public_key(&requester);
    let request = Request::new(&verified, Kem::X25519, &public, &mut rng).expect("a sound key");
    let made = release(&verified, &request, &keys[0], &mut rng).expect("a custodian");
    clock.show("release with proof, sealed", || {
        release(&verified, &request, &keys[0], &mut rng).expect("one")
    });
    clock.show("check a release", || made.check(&verified, &request, &requester).expect("sound"));
    let shares: Vec<_> = keys[..T]
        .iter()
        .map(|k| {
            release(&verified, &request, k, &mut rng).expect("one").check(&verified, &request, &requester)
        })
        .collect::<Result<_, _>>()
        .expect("sound");
    clock.show("recover from 51", || recover(&verified, &shares).expect("enough"));
}

struct Clock {
    rounds: usize,
    each: u32,
}

impl Clock {
    fn show<R>(&self, what: &str, mut work: impl FnMut() -> R) {
        let mut times = Vec::new();
        for _ in 0..self.rounds {
            let begun = cpu_seconds();
            for _ in 0..self.each {
                black_box(work());
            }
            times.push((cpu_seconds() - begun) * 1000.0 / f64::from(self.each));
        }
        println!("{:8.3}  {what}", median(&times));
    }
}

fn public_key(secret: &Secret<32>) -> Vec<u8> {
    let copy = Secret::init_with(|b| b.copy_from_slice(secret.expose_secret()));
    let key = bailiwick_envelope::RecipientSecretKey::from_bytes(Kem::X25519, copy).expect("any 32 bytes");
    key.public().as_bytes().to_vec()
}

fn wide(i: u64) -> Scalar {
    Scalar::from_bytes_mod_order_wide(blake3_wide(i).as_slice().try_into().expect("64 bytes"))
}

fn blake3_wide(i: u64) -> Vec<u8> {
    let mut out = vec![0; 64];
    blake3::Hasher::new().update(&i.to_le_bytes()).finalize_xof().fill(&mut out);
    out
}

fn decode(bytes: &[u8; 32]) -> RistrettoPoint {
    CompressedRistretto(*bytes).decompress().expect("a point")
}

/// E_1…E_n, C_1…C_n.
fn decoded(dealing: &Dealing) -> Vec<RistrettoPoint> {
    let keys = dealing.custodians.iter().map(|c| decode(c.key.point()));
    keys.chain(dealing.encrypted_shares().map(decode)).collect()
}

fn dealers_floor(custodians: &[DealtCustodian]) -> Vec<RistrettoPoint> {
    let d = wide(1);
    let one = |c: &DealtCustodian| d * decode(c.key.point()) + RistrettoPoint::mul_base(&d);
    custodians.iter().map(one).collect()
}

/// Commitments to the polynomial, encrypted shares, and for each share a proof that it is the committed one (Crypto 1999, section 3.1).
struct Schoenmakers {
    keys: Vec<RistrettoPoint>,
    commitments: Vec<RistrettoPoint>,
    shares: Vec<(RistrettoPoint, Scalar, Scalar)>,
}

impl Schoenmakers {
    fn deal(keys: &[RistrettoPoint]) -> Self {
        let polynomial: Vec<Scalar> = (0..T as u64).map(|i| wide(1000 + i)).collect();
        let commitments: Vec<_> = polynomial.iter().map(RistrettoPoint::mul_base).collect();
        let share = |(i, key): (usize, &RistrettoPoint)| {
            let x = Scalar::from(i as u64 + 1);
            let value = polynomial.iter().rev().fold(Scalar::ZERO, |sum, a| sum * x + a);
            let (y, r) = (value * key, wide(2000 + i as u64));
            let c = challenge(&[RistrettoPoint::mul_base(&value), y, r * G, r * key]);
            (y, c, r + c * value)
        };
        Self { keys: keys.to_vec(), shares: keys.iter().enumerate().map(share).collect(), commitments }
    }

    fn verify(&self) -> bool {
        self.keys.iter().zip(&self.shares).enumerate().all(|(i, (key, (y, c, z)))| {
            let x = Scalar::from(i as u64 + 1);
            let powers: Vec<_> = std::iter::successors(Some(Scalar::ONE), |p| Some(p * x)).take(T).collect();
            let committed = RistrettoPoint::vartime_multiscalar_mul(powers, &self.commitments);
            let r1 = RistrettoPoint::vartime_double_scalar_mul_basepoint(&-c, &committed, z);
            let r2 = RistrettoPoint::vartime_multiscalar_mul([*z, -c], [*key, *y]);
            challenge(&[committed, *y, r1, r2]) == *c
        })
    }
}

fn challenge(points: &[RistrettoPoint]) -> Scalar {
    let mut hasher = blake3::Hasher::new();
    for p in points {
        hasher.update(p.compress().as_bytes());
    }
    let mut out = [0; 64];
    hasher.finalize_xof().fill(&mut out);
    Scalar::from_bytes_mod_order_wide(&out)
}
