//! A dealer of its own, from the specification: it chooses d, S, the polynomial and the post-quantum half as it likes, and proves what it did.

use bailiwick_custody::{Context, DealOptions, Dealing, HybridShare, Release, Request, deal};
use bailiwick_protocol::codec::Canonical as _;
use bailiwick_protocol::envelope::Kem;
use bailiwick_protocol::labels::Label;
use curve25519_dalek::constants::RISTRETTO_BASEPOINT_POINT as G;
use curve25519_dalek::ristretto::{CompressedRistretto, RistrettoPoint};
use curve25519_dalek::scalar::Scalar;
use hpke::{Deserializable as _, Kem as _, Serializable as _};
use merlin::Transcript;

use super::case::{Case, FILE_KEY, exchange, reread, rng, secret32};

/// What a dealer chooses: d, S, and m, whose value at 0 is zero.
pub(super) struct Numbers<'a> {
    pub(super) d: Scalar,
    pub(super) secret: RistrettoPoint,
    pub(super) m: &'a dyn Fn(u64) -> Scalar,
}

pub(super) fn compressed(point: RistrettoPoint) -> [u8; 32] {
    point.compress().0
}

pub(super) fn point(bytes: &[u8]) -> RistrettoPoint {
    CompressedRistretto::from_slice(bytes).unwrap().decompress().unwrap()
}

pub(super) fn draw(t: &mut Transcript, label: &'static [u8]) -> Scalar {
    let mut wide = [0; 64];
    t.challenge_bytes(label, &mut wide);
    Scalar::from_bytes_mod_order_wide(&wide)
}

/// T up to the custodians (K11).
pub(super) fn header(dealing: &Dealing, files: &[Vec<u8>]) -> Transcript {
    let c = &dealing.context;
    let mut t = Transcript::new(b"bailiwick/v1/custody-transcript");
    t.append_message(b"owner", c.owner.as_bytes());
    t.append_message(b"object", c.object.as_bytes());
    t.append_message(b"key-commitment", &c.key_commitment);
    t.append_message(b"policy", c.policy.as_ref().map_or(&[][..], |p| &p[..]));
    t.append_message(b"roster", c.roster.as_bytes());
    t.append_u64(b"generation", c.generation);
    t.append_u64(b"threshold", u64::from(dealing.threshold));
    t.append_u64(b"custodians", files.len() as u64);
    for (file, custodian) in files.iter().zip(&dealing.custodians) {
        t.append_message(b"name", custodian.name.as_bytes());
        t.append_message(b"key", &file[..32]);
        t.append_message(b"receipt-key", &file[32..64]);
        t.append_message(b"kem-key", &Label::CustodyKemKey.hash(&file[128..]));
        t.append_message(b"possession", &file[64..128]);
        t.append_u64(b"attributes", custodian.attributes.len() as u64);
        for attribute in &custodian.attributes {
            t.append_message(b"attribute", attribute.as_bytes());
        }
    }
    t
}

/// Key files of the custodians of `case`.
pub(super) fn files(case: &Case) -> Vec<Vec<u8>> {
    case.custodians.iter().map(|c| c.key.to_bytes()).collect()
}

/// The dealing to the custodians of `case` that comes of `numbers`; `hybrid` makes its post-quantum half from the context of K30a.
pub(super) fn dealing(
    case: &Case,
    context: Context,
    threshold: u16,
    numbers: &Numbers<'_>,
    hybrid: &dyn Fn(&[u8; 32]) -> Vec<HybridShare>,
) -> Dealing {
    let options = DealOptions { context, threshold, custodians: &case.custodians, hybrid: false };
    let form = deal(&options, &secret32(FILE_KEY), None, &mut rng(200)).unwrap().dealing;
    let files = files(case);
    let keys: Vec<_> = files.iter().map(|f| point(&f[..32])).collect();
    let d = numbers.d;
    let shares: Vec<_> =
        keys.iter().zip(1..).map(|(e, i)| numbers.secret + (numbers.m)(i) * G + d * e).collect();

    let mut t = header(&form, &files);
    t.append_message(b"ephemeral", &compressed(d * G));
    for share in &shares {
        t.append_message(b"share", &compressed(*share));
    }
    let mut bound = [0; 32];
    t.clone().challenge_bytes(b"hybrid-context", &mut bound);
    let hybrid = hybrid(&bound);
    t.append_u64(b"hybrid", hybrid.len() as u64);
    for h in &hybrid {
        t.append_message(b"hybrid-commitment", &h.commitment);
        t.append_message(b"hybrid-enc", &h.enc);
        t.append_message(b"hybrid-ciphertext", &h.ciphertext);
    }
    let u: RistrettoPoint = word(&mut t, keys.len(), threshold).iter().zip(&keys).map(|(w, e)| w * e).sum();
    let proof = equal_logarithms(t, &d, [G, d * G, u, d * u]);

    let mut bytes = exchange(&form.to_bytes(), form.ephemeral(), &compressed(d * G));
    for (old, new) in form.encrypted_shares().zip(&shares) {
        bytes = exchange(&bytes, old, &compressed(*new));
    }
    let mut made = reread(&exchange(&bytes, form.proof(), &proof));
    made.hybrid = hybrid;
    made
}

/// A word of the dual code (K12).
fn word(t: &mut Transcript, n: usize, threshold: u16) -> Vec<Scalar> {
    let s = |i: usize| Scalar::from(i as u64);
    let a: Vec<_> = (0..n - usize::from(threshold)).map(|_| draw(t, b"coefficient")).collect();
    (1..=n)
        .map(|i| {
            let below: Scalar = (1..=n).filter(|j| *j != i).map(|j| s(i) - s(j)).product();
            below.invert() * a.iter().rev().fold(Scalar::ZERO, |sum, c| sum * s(i) + c)
        })
        .collect()
}

/// DLEQ(x; g1, y1; g2, y2) of K6.
pub(super) fn equal_logarithms(
    mut t: Transcript,
    x: &Scalar,
    [g1, y1, g2, y2]: [RistrettoPoint; 4],
) -> [u8; 64] {
    let r = Scalar::from(42u64);
    for (label, p) in
        [(&b"g1"[..], g1), (b"y1", y1), (b"g2", g2), (b"y2", y2), (b"r1", r * g1), (b"r2", r * g2)]
    {
        t.append_message(label, &compressed(p));
    }
    let c = draw(&mut t, b"c");
    [c.to_bytes(), (r + c * x).to_bytes()].concat().try_into().unwrap()
}

/// A share of S2, sealed and committed as K30 and K31 say, whatever number it is.
pub(super) fn second_share(context: &[u8; 32], file: &[u8], i: u16, share: &[u8; 32]) -> HybridShare {
    type XWing = hpke::kem::XWing;
    let place = i.to_le_bytes();
    let info = [&b"bailiwick/v1/custody-share-info"[..], context, &place].concat();
    let key = <XWing as hpke::Kem>::PublicKey::from_bytes(&file[128..]).unwrap();
    let (enc, ciphertext) = hpke::single_shot_seal_with_rng::<
        hpke::aead::AesGcm256,
        hpke::kdf::HkdfSha256,
        XWing,
    >(&hpke::OpModeS::Base, &key, &info, share, &[], &mut rng(201))
    .unwrap();
    HybridShare {
        commitment: Label::CustodyShareCommitment.hash(&[&context[..], &place, share].concat()),
        enc: enc.to_bytes().to_vec(),
        ciphertext: ciphertext.try_into().unwrap(),
    }
}

/// The file key under S and perhaps S2 (K15).
pub(super) fn wrapped(dealing: &Dealing, secret: RistrettoPoint, second: &[u8]) -> [u8; 48] {
    use aes_gcm::aead::{Aead as _, KeyInit as _};
    let mut key = [0; 32];
    hkdf::Hkdf::<sha2::Sha256>::new(None, &[&compressed(secret)[..], second].concat())
        .expand(&[&b"bailiwick/v1/custody-wrap"[..], &dealing.digest().0].concat(), &mut key)
        .unwrap();
    let sealed = aes_gcm::Aes256Gcm::new(&key.into()).encrypt(&[0; 12].into(), &FILE_KEY[..]).unwrap();
    sealed.try_into().unwrap()
}

/// The X-Wing public key of a secret.
pub(super) fn xwing(secret: &[u8; 32]) -> Vec<u8> {
    let key = <hpke::kem::XWing as hpke::Kem>::PrivateKey::from_bytes(secret).unwrap();
    hpke::kem::XWing::sk_to_pk(&key).to_bytes().to_vec()
}

/// S with the proof that `dealing` shares it (K16).
pub(super) fn content(dealing: &Dealing, files: &[Vec<u8>], numbers: &Numbers<'_>) -> [u8; 96] {
    let t = u64::from(dealing.threshold);
    let lambda = |i: u64| -> Scalar {
        let others = || (1..=t).filter(|j| *j != i).map(Scalar::from);
        let below: Scalar = others().map(|j| j - Scalar::from(i)).product();
        others().product::<Scalar>() * below.invert()
    };
    let keys: RistrettoPoint = files.iter().zip(1..=t).map(|(f, i)| lambda(i) * point(&f[..32])).sum();
    let mut transcript = Transcript::new(b"bailiwick/v1/custody-recipient-proof");
    transcript.append_message(b"dealing", &dealing.digest().0);
    let d = numbers.d;
    let proof = equal_logarithms(transcript, &d, [G, d * G, keys, d * keys]);
    [&compressed(numbers.secret)[..], &proof].concat().try_into().unwrap()
}

/// K21.
pub(super) fn release_info(request: &Request, point: u16) -> Vec<u8> {
    [
        b"bailiwick/v1/custody-release-info".as_slice(),
        &request.dealing.0,
        &request.kem.id().to_le_bytes(),
        &request.nonce,
        &point.to_le_bytes(),
    ]
    .concat()
}

fn sealed<K: hpke::Kem>(request: &Request, point: u16, plain: &[u8]) -> Release {
    let key = K::PublicKey::from_bytes(&request.key).unwrap();
    let info = release_info(request, point);
    let (enc, ciphertext) =
        hpke::single_shot_seal_with_rng::<hpke::aead::AesGcm256, hpke::kdf::HkdfSha256, K>(
            &hpke::OpModeS::Base,
            &key,
            &info,
            plain,
            &[],
            &mut rng(77),
        )
        .unwrap();
    let enc = enc.to_bytes().to_vec();
    Release { dealing: request.dealing, nonce: request.nonce, point, enc, ciphertext }
}

/// What anyone can seal to a requester in the name of the custodian with this point.
pub(super) fn seal_release(request: &Request, point: u16, plain: &[u8]) -> Release {
    match request.kem {
        Kem::XWing => sealed::<hpke::kem::XWing>(request, point, plain),
        _ => sealed::<hpke::kem::X25519HkdfSha256>(request, point, plain),
    }
}

fn opened<K: hpke::Kem>(request: &Request, secret: &[u8; 32], made: &Release) -> Vec<u8> {
    hpke::single_shot_open::<hpke::aead::AesGcm256, hpke::kdf::HkdfSha256, K>(
        &hpke::OpModeR::Base,
        &K::PrivateKey::from_bytes(secret).unwrap(),
        &K::EncappedKey::from_bytes(&made.enc).unwrap(),
        &release_info(request, made.point),
        &made.ciphertext,
        &[],
    )
    .unwrap()
}

/// What its requester reads in a release.
pub(super) fn open_release(request: &Request, secret: &[u8; 32], made: &Release) -> Vec<u8> {
    match request.kem {
        Kem::XWing => opened::<hpke::kem::XWing>(request, secret, made),
        _ => opened::<hpke::kem::X25519HkdfSha256>(request, secret, made),
    }
}
