//! Signatures: pinned keys, domain separation, and what a gateway or a recipient could try.

use bailiwick_protocol::challenge::{Response, SignedResponse};
use bailiwick_protocol::codec::{Canonical, CodecError};
use bailiwick_protocol::envelope::{Envelope, SignedEnvelope};
use bailiwick_protocol::ids::{OwnerKey, Signature};
use bailiwick_protocol::labels::Label;
use bailiwick_protocol::signing::{verify, verify_raw};

use super::messages::{challenge, envelope, key};

/// RFC 8032 section 7.1, TEST 2 (one byte, 0x72), under the strict rules.
#[test]
fn ed25519_known_answer() {
    let public: [u8; 32] =
        hex("3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c").try_into().unwrap();
    let signature = Signature(
        hex("92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da085ac1e43e15996e458f3613d0f11d8c387b2eaeb4302aeeb00d291612bb0c00")
            .try_into()
            .unwrap(),
    );
    verify_raw(&public, &[0x72], &signature).unwrap();
    assert_eq!(verify_raw(&public, &[0x73], &signature), Err(CodecError::BadSignature));
}

fn hex(text: &str) -> Vec<u8> {
    hex::decode(text).unwrap()
}

/// A gateway that replaces the owner key and the signature is noticed, because the owner key is pinned.
#[test]
fn owner_key_and_signature_replaced_by_a_gateway_is_refused() {
    let (owner, gateway) = (key(3), key(66));
    let honest = SignedEnvelope::new(&envelope(&owner, 1000, 1), &owner);
    assert!(honest.verify(&owner.public()).is_ok());
    let mut forged = envelope(&owner, 1000, 1);
    forged.owner = OwnerKey(gateway.public());
    let forged = SignedEnvelope::new(&forged, &gateway);
    assert!(forged.verify(&gateway.public()).is_ok(), "self-consistent, which is why the key must be pinned");
    assert_eq!(forged.verify(&owner.public()), Err(CodecError::BadSignature));
}

/// E17, E18, E19: recipients stripped, added, reordered.
#[test]
fn e17_e18_e19_a_changed_recipient_list_is_refused() {
    let owner = key(3);
    let honest = envelope(&owner, 1000, 3);
    let signed = SignedEnvelope::new(&honest, &owner).to_bytes();
    let signature = &signed[signed.len() - 64..];
    let swap_payload = |e: &Envelope| {
        // The honest signature over another payload, in the canonical wrapper.
        let mut bytes = SignedEnvelope::new(e, &key(66)).to_bytes();
        let n = bytes.len();
        bytes[n - 64..].copy_from_slice(signature);
        SignedEnvelope::from_bytes(&bytes).unwrap().verify(&owner.public())
    };
    assert_eq!(swap_payload(&honest).unwrap(), honest);
    let mut stripped = honest.clone();
    stripped.recipients.pop();
    let mut added = honest.clone();
    added.recipients.push(honest.recipients[0].clone());
    let mut reordered = honest.clone();
    reordered.recipients.swap(0, 1);
    for e in [stripped, added, reordered] {
        assert_eq!(swap_payload(&e), Err(CodecError::BadSignature));
    }
}

/// Bytes signed for one use mean nothing in another.
#[test]
fn a_signature_for_one_label_is_refused_under_every_other() {
    let host = key(2);
    let message = b"the same bytes";
    for &made in Label::ALL {
        let signature = host.sign(made, message);
        for &used in Label::ALL {
            assert_eq!(verify(&host.public(), used, message, &signature).is_ok(), made == used);
        }
    }
}

/// A small-order public key, under which anyone can make a signature that lax verifiers accept, is refused.
#[test]
fn small_order_keys_are_refused() {
    let mut identity = [0u8; 32];
    identity[0] = 1;
    // R = identity, S = 0 satisfies S·B = R + k·A for A = identity.
    let mut forged = [0u8; 64];
    forged[0] = 1;
    assert_eq!(verify_raw(&identity, b"anything", &Signature(forged)), Err(CodecError::BadSignature));
}

/// P04: an answer signed by another host is refused under the pinned one.
#[test]
fn p04_a_response_of_another_host_is_refused() {
    let (auditor, host, other, owner) = (key(1), key(2), key(4), key(3));
    let c = challenge(&auditor, &host, &[envelope(&owner, 1000, 1)]);
    let r = Response { challenge: c.digest(), outcome: Ok(vec![1; 128]) };
    assert!(SignedResponse::new(&r, &host).verify(&host.public()).is_ok());
    assert_eq!(SignedResponse::new(&r, &other).verify(&host.public()), Err(CodecError::BadSignature));
}

/// Keys do not show themselves when printed.
#[test]
fn a_signing_key_prints_only_its_public_half() {
    let text = format!("{:?} {:#?}", key(0xab), key(0xab));
    assert!(text.contains(&hex::encode(key(0xab).public())));
    assert!(!text.contains(&"ab".repeat(32)) && !text.contains("171, 171"));
}
