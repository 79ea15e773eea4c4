//! A key that was read beside the strict check of one signature, on signatures that only their small-order parts tell apart.

use bailiwick_protocol::ids::Signature;
use bailiwick_protocol::labels::Label;
use bailiwick_protocol::secret::Secret;
use bailiwick_protocol::signing::{PublicKey, SigningKey, verify};
use curve25519_dalek::constants::EIGHT_TORSION;
use curve25519_dalek::edwards::EdwardsPoint;
use curve25519_dalek::scalar::Scalar;
use sha2::{Digest as _, Sha512};

const LABEL: Label = Label::EnvelopeSignature;

/// The two checks agree; gives their answer.
#[track_caller]
fn both(key: &[u8; 32], message: &[u8], signature: &[u8; 64]) -> bool {
    let strict = verify(key, LABEL, message, &Signature(*signature)).is_ok();
    let read = PublicKey::new(key).is_ok_and(|k| k.verify(LABEL, message, &Signature(*signature)).is_ok());
    assert_eq!(strict, read, "key {key:02x?}, message {message:02x?}, signature {signature:02x?}");
    strict
}

fn scalar(seed: u64) -> Scalar {
    Scalar::from_bytes_mod_order_wide(&Sha512::digest(seed.to_le_bytes()).into())
}

fn challenge(r: &[u8; 32], key: &[u8; 32], message: &[u8]) -> Scalar {
    let hash = Sha512::new().chain_update(r).chain_update(key).chain_update(LABEL.as_bytes());
    Scalar::from_bytes_mod_order_wide(&hash.chain_update(message).finalize().into())
}

fn join(r: &[u8; 32], s: &Scalar) -> [u8; 64] {
    let mut out = [0; 64];
    out[..32].copy_from_slice(r);
    out[32..].copy_from_slice(s.as_bytes());
    out
}

#[test]
fn read_keys_take_good_signatures_and_refuse_changed_ones() {
    let key = SigningKey::from_seed(&Secret::init_with(|b| b[0] = 7));
    for length in [0usize, 1, 63, 64, 300] {
        let mut message = vec![5u8; length];
        let good = key.sign(LABEL, &message).0;
        assert!(both(&key.public(), &message, &good));
        for bit in 0..512 {
            let mut bad = good;
            bad[bit / 8] ^= 1 << (bit % 8);
            assert!(!both(&key.public(), &message, &bad), "bit {bit}");
        }
        for bit in 0..256 {
            let mut other = key.public();
            other[bit / 8] ^= 1 << (bit % 8);
            assert!(!both(&other, &message, &good), "key bit {bit}");
        }
        message.push(0);
        assert!(!both(&key.public(), &message, &good));
    }
}

/// `S + l` satisfies the equation and is not reduced.
#[test]
fn read_keys_refuse_unreduced_scalars() {
    const ORDER: [u8; 32] = [
        0xed, 0xd3, 0xf5, 0x5c, 0x1a, 0x63, 0x12, 0x58, 0xd6, 0x9c, 0xf7, 0xa2, 0xde, 0xf9, 0xde, 0x14, 0, 0,
        0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0x10,
    ];
    let key = SigningKey::from_seed(&Secret::init_with(|b| b[0] = 9));
    let good = key.sign(LABEL, b"message").0;
    let mut bad = good;
    let mut carry = 0;
    for (x, l) in bad[32..].iter_mut().zip(ORDER) {
        let sum = u16::from(*x) + u16::from(l) + carry;
        (*x, carry) = (sum.to_le_bytes()[0], sum >> 8);
    }
    assert!(both(&key.public(), b"message", &good) && !both(&key.public(), b"message", &bad));
}

/// Keys and nonces with every small-order part: taken when the equation holds exactly, without cofactor, and `R` has large order.
#[test]
fn read_keys_agree_on_every_small_order_part() {
    let (a, r) = (scalar(1), scalar(2));
    let (mut taken, mut refused) = (0, 0);
    for key_part in EIGHT_TORSION {
        let key = (EdwardsPoint::mul_base(&a) + key_part).compress().0;
        for nonce_part in EIGHT_TORSION {
            let nonce = (EdwardsPoint::mul_base(&r) + nonce_part).compress().0;
            for n in 0..32u8 {
                let k = challenge(&nonce, &key, &[n]);
                // The equation holds up to a small-order part; exactly, if the parts happen to cancel.
                match both(&key, &[n], &join(&nonce, &(r + k * a))) {
                    true => taken += 1,
                    false => refused += 1,
                }
            }
        }
    }
    assert!(taken > 128 && refused > 1000, "{taken} and {refused}");
}

/// `R` of small order: with a key that has a small-order part the equation can hold, and the strict rules refuse.
#[test]
fn read_keys_refuse_nonces_of_small_order() {
    let a = scalar(3);
    let mut held = 0;
    for key_part in EIGHT_TORSION {
        let point = EdwardsPoint::mul_base(&a) + key_part;
        let key = point.compress().0;
        for nonce in EIGHT_TORSION {
            let nonce = nonce.compress().0;
            for n in 0..32u8 {
                let k = challenge(&nonce, &key, &[n]);
                let s = k * a;
                held += usize::from((EdwardsPoint::mul_base(&s) - point * k).compress().0 == nonce);
                assert!(!both(&key, &[n], &join(&nonce, &s)));
            }
        }
    }
    assert!(held > 128, "the bare equation held for {held}");
}

/// A key of small order would take `(R, S)` with any message: it is refused when it is read.
#[test]
fn keys_of_small_order_are_refused() {
    for part in EIGHT_TORSION {
        let key = part.compress().0;
        assert!(PublicKey::new(&key).is_err());
        for n in 0..32u8 {
            let nonce = EdwardsPoint::mul_base(&scalar(4)).compress().0;
            assert!(!both(&key, &[n], &join(&nonce, &scalar(4))));
        }
    }
    // Encodings that are not canonical, and no point.
    for first in 0..=255u8 {
        for last in [0x7f, 0xff] {
            let mut key = [0xff; 32];
            (key[0], key[31]) = (first, last);
            assert!(!both(&key, b"message", &join(&[first; 32], &scalar(5))));
        }
    }
}

/// C6: an encoding whose y is not below q = 2^255 - 19 is no key, though the library decodes it: points with a small y would have two
/// names, and one principal two keys.
#[test]
fn keys_whose_y_is_not_reduced_are_refused() {
    let small_y = |y: u8, sign: u8| {
        let mut key = [0; 32];
        (key[0], key[31]) = (y, sign);
        key
    };
    let and_q = |y: u8, sign: u8| {
        let mut key = [0xff; 32];
        (key[0], key[31]) = (0xed + y, 0x7f | sign);
        key
    };
    let mut large = 0;
    for y in 0..=0x12 {
        for sign in [0, 0x80] {
            let unreduced = and_q(y, sign);
            assert!(PublicKey::new(&unreduced).is_err(), "q + {y}");
            assert!(!both(&unreduced, b"message", &join(&[7; 32], &scalar(6))));
            let decoded = ed25519_dalek::VerifyingKey::from_bytes(&unreduced);
            // The same point under its own name is a key.
            if decoded.is_ok_and(|key| !key.is_weak()) {
                assert!(PublicKey::new(&small_y(y, sign)).is_ok(), "{y}");
                large += 1;
            }
        }
    }
    assert!(large > 8, "{large} points of large order have a small y");
    // The largest reduced y: q - 1 is of order two, q - 2 and below are read like any.
    let below = |n: u8| {
        let mut key = [0xff; 32];
        (key[0], key[31]) = (0xed - n, 0x7f);
        key
    };
    assert!((2..20).any(|n| PublicKey::new(&below(n)).is_ok()));
}

/// C6, the single check: no signer knows the secret of such a point, but a key of small order whose y is not reduced would take
/// anything if its encoding were looked up in a list of the canonical ones.
#[test]
fn unreduced_keys_of_small_order_take_nothing() {
    for first in [0xed, 0xee] {
        for last in [0x7f, 0xff] {
            let mut key = [0xff; 32];
            (key[0], key[31]) = (first, last);
            for n in 0..32u8 {
                let nonce = EdwardsPoint::mul_base(&scalar(7)).compress().0;
                assert!(!both(&key, &[n], &join(&nonce, &scalar(7))));
            }
        }
    }
}
