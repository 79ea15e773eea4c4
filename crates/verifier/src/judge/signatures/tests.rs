//! A memory that never turns a failed check into a passed one.

use bailiwick_protocol::codec::{Canonical, CodecError, Decoder, Encoder};
use bailiwick_protocol::labels::Label;
use bailiwick_protocol::secret::Secret;
use bailiwick_protocol::signing::{Signed, SignedMessage, SigningKey};

use super::Signatures;

/// Any message of one byte string.
#[derive(Debug, PartialEq)]
struct Note(Vec<u8>);

impl Canonical for Note {
    const WHAT: &'static str = "note";
    const BYTES_MAX: usize = 100;
    fn encode(&self, e: &mut Encoder) {
        e.bytes(&self.0);
    }
    fn decode(d: &mut Decoder<'_>) -> Result<Self, CodecError> {
        Ok(Self(d.bytes("note", 90)?.to_vec()))
    }
}

impl SignedMessage for Note {
    const LABEL: Label = Label::EnvelopeSignature;
}

fn key(n: u8) -> SigningKey {
    SigningKey::from_seed(&Secret::init_with(|b| b[0] = n))
}

/// The same payload, signed by somebody else.
fn forged(by: &SigningKey, text: &[u8]) -> Signed<Note> {
    Signed::new(&Note(text.to_vec()), by)
}

#[test]
fn what_passed_once_lets_nothing_else_pass() {
    let (owner, mallory) = (key(1), key(2));
    let known = Signatures::default();
    let good = forged(&owner, b"one");
    for _ in 0..3 {
        assert_eq!(known.verify_repeated(&good, &owner.public()).unwrap(), Note(b"one".to_vec()));
        // The same payload under another signature, under another key, and another payload under the same signature.
        for (bad, key) in [
            (forged(&mallory, b"one"), owner.public()),
            (forged(&owner, b"one"), mallory.public()),
            (forged(&mallory, b"two"), owner.public()),
        ] {
            assert_eq!(known.verify_repeated(&bad, &key), Err(CodecError::BadSignature));
            assert_eq!(known.verify(&bad, &key), Err(CodecError::BadSignature));
        }
        let mut bytes = good.to_bytes();
        bytes[4] ^= 1;
        let changed = Signed::<Note>::from_bytes(&bytes).unwrap();
        assert_eq!(known.verify_repeated(&changed, &owner.public()), Err(CodecError::BadSignature));
    }
}

/// A check that failed first does not stand in the way, nor does it pass later.
#[test]
fn a_failed_check_is_not_remembered() {
    let (owner, mallory) = (key(1), key(2));
    let known = Signatures::default();
    let bad = forged(&mallory, b"one");
    for _ in 0..3 {
        assert_eq!(known.verify_repeated(&bad, &owner.public()), Err(CodecError::BadSignature));
    }
    assert!(known.verify_repeated(&forged(&owner, b"one"), &owner.public()).is_ok());
    assert_eq!(known.verify_repeated(&bad, &owner.public()), Err(CodecError::BadSignature));
    assert!(known.passed.lock().unwrap().len() == 1);
}
