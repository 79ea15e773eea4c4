//! A reader who has only the specification: the public proof and a recovery, written again from clauses K9 to K19 with nothing of
//! ours but the CBOR reader.

use bailiwick_protocol::codec::Decoder;
use curve25519_dalek::constants::RISTRETTO_BASEPOINT_POINT as G;
use curve25519_dalek::ristretto::{CompressedRistretto, RistrettoPoint};
use curve25519_dalek::scalar::Scalar;
use merlin::Transcript;

use super::case::Case;

fn point(bytes: &[u8]) -> RistrettoPoint {
    CompressedRistretto::from_slice(bytes).unwrap().decompress().unwrap()
}

fn draw(t: &mut Transcript, label: &'static [u8]) -> Scalar {
    let mut wide = [0; 64];
    t.challenge_bytes(label, &mut wide);
    Scalar::from_bytes_mod_order_wide(&wide)
}

fn le64(t: &mut Transcript, label: &'static [u8], v: u64) {
    t.append_message(label, &v.to_le_bytes());
}

/// Whether the dealing in `bytes` verifies, by the text of the specification alone.
fn verifies(bytes: &[u8]) -> bool {
    let mut d = Decoder::new(bytes);
    let mut t = Transcript::new(b"bailiwick/v1/custody-transcript");
    let mut m = d.map("dealing").unwrap();
    m.required(&mut d, 0).unwrap();
    assert_eq!(d.u64().unwrap(), 1);
    for (key, label) in [(1, &b"owner"[..]), (2, b"object"), (3, b"key-commitment")] {
        m.required(&mut d, key).unwrap();
        t.append_message(label, d.bytes("", 64).unwrap());
    }
    let policy = if m.optional(&mut d, 4).unwrap() { d.bytes("", 64).unwrap() } else { &[] };
    t.append_message(b"policy", policy);
    m.required(&mut d, 5).unwrap();
    t.append_message(b"roster", d.bytes("", 64).unwrap());
    m.required(&mut d, 6).unwrap();
    le64(&mut t, b"generation", d.u64().unwrap());
    m.required(&mut d, 7).unwrap();
    let threshold = d.u64().unwrap();
    le64(&mut t, b"threshold", threshold);
    m.required(&mut d, 8).unwrap();
    let n = d.list("", 128).unwrap();
    le64(&mut t, b"custodians", n as u64);
    let mut keys = Vec::new();
    for _ in 0..n {
        let mut c = d.map("custodian").unwrap();
        c.required(&mut d, 0).unwrap();
        t.append_message(b"name", d.text("", 264).unwrap().as_bytes());
        c.required(&mut d, 1).unwrap();
        let key = d.bytes("", 32).unwrap();
        keys.push(point(key));
        t.append_message(b"key", key);
        for (number, label) in [(2, &b"receipt-key"[..]), (3, b"kem-key"), (4, b"possession")] {
            c.required(&mut d, number).unwrap();
            t.append_message(label, d.bytes("", 64).unwrap());
        }
        c.required(&mut d, 5).unwrap();
        let attributes = d.list("", 48).unwrap();
        le64(&mut t, b"attributes", attributes as u64);
        for _ in 0..attributes {
            t.append_message(b"attribute", d.text("", 264).unwrap().as_bytes());
        }
    }
    m.required(&mut d, 9).unwrap();
    let ephemeral = d.bytes("", 32).unwrap();
    t.append_message(b"ephemeral", ephemeral);
    m.required(&mut d, 10).unwrap();
    d.list("", 128).unwrap();
    let shares: Vec<RistrettoPoint> = (0..n)
        .map(|_| {
            let share = d.bytes("", 32).unwrap();
            t.append_message(b"share", share);
            point(share)
        })
        .collect();
    m.required(&mut d, 11).unwrap();
    let proof = d.bytes("", 64).unwrap();
    let hybrid = if m.optional(&mut d, 12).unwrap() { d.list("", 128).unwrap() } else { 0 };
    le64(&mut t, b"hybrid", hybrid as u64);
    for _ in 0..hybrid {
        let mut h = d.map("hybrid").unwrap();
        for (key, label) in [(0, &b"hybrid-commitment"[..]), (1, b"hybrid-enc"), (2, b"hybrid-ciphertext")] {
            h.required(&mut d, key).unwrap();
            t.append_message(label, d.bytes("", 2000).unwrap());
        }
    }

    let coefficients: Vec<Scalar> = (0..n as u64 - threshold).map(|_| draw(&mut t, b"coefficient")).collect();
    let scalar = |i: usize| Scalar::from(i as u64);
    let (mut u, mut v) = (RistrettoPoint::default(), RistrettoPoint::default());
    for i in 1..=n {
        let others: Scalar = (1..=n).filter(|j| *j != i).map(|j| scalar(i) - scalar(j)).product();
        let mut power = Scalar::ONE;
        let mut value = Scalar::ZERO;
        for c in &coefficients {
            value += c * power;
            power *= scalar(i);
        }
        let w = others.invert() * value;
        u += w * keys[i - 1];
        v += w * shares[i - 1];
    }
    let (c, z) = (
        Scalar::from_canonical_bytes(proof[..32].try_into().unwrap()).unwrap(),
        Scalar::from_canonical_bytes(proof[32..].try_into().unwrap()).unwrap(),
    );
    let (g, big_d) = (G, point(ephemeral));
    for (label, p) in [
        (&b"g1"[..], g),
        (b"y1", big_d),
        (b"g2", u),
        (b"y2", v),
        (b"r1", z * g - c * big_d),
        (b"r2", z * u - c * v),
    ] {
        t.append_message(label, p.compress().as_bytes());
    }
    draw(&mut t, b"c") == c
}

#[test]
fn a_stranger_verifies_what_we_deal() {
    for (n, threshold, hybrid) in [(2, 1, false), (5, 3, false), (7, 6, false), (3, 2, true)] {
        assert!(verifies(&Case::with(n, threshold, hybrid, 3).bytes()), "{threshold} of {n}");
    }
}

#[test]
fn a_stranger_refuses_what_we_refuse() {
    let case = Case::new(5, 3);
    let mut dealing = case.dealt.dealing.clone();
    dealing.context.generation += 1;
    assert!(!verifies(&bailiwick_protocol::codec::Canonical::to_bytes(&dealing)));
}
