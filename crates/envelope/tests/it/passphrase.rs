//! Passphrases: RFC 9106's vector on the crate used, the construction re-derived from the specification, and what must be refused.

use argon2::{Algorithm, Argon2, AssociatedData, ParamsBuilder, Version};
use bailiwick_envelope::{
    Metadata, OpenError, Opener, Padding, Passphrase, PassphraseCost, PassphraseError, PassphraseRecipient,
    RecipientPublicKey, SealError, SealOptions, seal,
};
use bailiwick_protocol::codec::Canonical as _;
use bailiwick_protocol::envelope::{Envelope, SignedEnvelope};
use zeroize::Zeroizing;

use super::fixture::{Object, rng};

/// RFC 9106 section 5.3.
#[test]
fn rfc_9106_argon2id() {
    let params = ParamsBuilder::new()
        .m_cost(32)
        .t_cost(3)
        .p_cost(4)
        .data(AssociatedData::new(&[4; 12]).unwrap())
        .output_len(32)
        .build()
        .unwrap();
    let argon = Argon2::new_with_secret(&[3; 8], Algorithm::Argon2id, Version::V0x13, params).unwrap();
    let mut tag = [0; 32];
    argon.hash_password_into(&[1; 32], &[2; 16], &mut tag).unwrap();
    assert_eq!(hex::encode(tag), "0d640df58d78766c08c037a34a8b53c9d01ef0452d75b65eb52520e96b01e659");
}

pub(crate) fn passphrase(text: &str) -> Passphrase {
    Passphrase::new(Zeroizing::new(text.as_bytes().to_vec())).unwrap()
}

/// As cheap as the limits allow: tests count guesses.
pub(crate) fn cheap() -> PassphraseCost {
    PassphraseCost::new(16, 1, 2).unwrap()
}

/// Seals "data", and gives envelope and body.
fn sealed(
    object: &Object,
    recipients: &[RecipientPublicKey],
    with: Option<PassphraseRecipient<'_>>,
) -> Result<(SignedEnvelope, Vec<u8>), SealError> {
    let options = SealOptions {
        owner: object.pinned,
        object: object.decoded().object,
        unit: object.decoded().unit,
        recipients,
        passphrase: with,
        anonymous: false,
        metadata: Metadata { name: String::new(), media_type: String::new() },
        padding: Padding::Padme,
    };
    let mut body = Vec::new();
    let sealed = seal(&b"data"[..], &mut body, &options, &mut rng(4))?;
    Ok((sealed.envelope(None, &object.owner)?, body))
}

fn under(passphrase: &Passphrase) -> PassphraseRecipient<'_> {
    PassphraseRecipient { passphrase, cost: cheap(), beside_keys: false }
}

#[test]
fn a_passphrase_alone_opens_and_another_does_not() {
    let object = Object::new(10, 1);
    let right = passphrase("correct horse battery staple");
    let (envelope, body) = sealed(&object, &[], Some(under(&right))).unwrap();
    assert!(envelope.decode_unverified().unwrap().recipients.is_empty());
    let bytes = envelope.to_bytes();
    let mut out = Vec::new();
    Opener::with_passphrase(&object.pinned, &bytes, &right).unwrap().open(&body[..], &mut out).unwrap();
    assert_eq!(out, b"data");
    for wrong in
        ["correct horse battery stapl", "Correct horse battery staple", "correct horse battery staple "]
    {
        let result = Opener::with_passphrase(&object.pinned, &bytes, &passphrase(wrong));
        assert!(matches!(result, Err(OpenError::Passphrase)), "{result:?}");
    }
    let result = Opener::with_passphrase(&object.pinned, &object.envelope, &right);
    assert!(matches!(result, Err(OpenError::NoPassphrase)), "{result:?}");
}

/// E18 of the specification, with the crates alone: Argon2id, HKDF-Expand-SHA512, AES-256-GCM under a zero nonce.
#[test]
fn the_construction_is_the_one_specified() {
    use aes_gcm::aead::Aead as _;
    use aes_gcm::{Aes256Gcm, KeyInit as _};
    let object = Object::new(10, 1);
    let right = passphrase("x");
    let envelope = sealed(&object, &[], Some(under(&right))).unwrap().0.decode_unverified().unwrap();
    let entry = envelope.passphrase.clone().unwrap();
    assert_eq!((entry.memory_kib, entry.passes, entry.lanes), (16, 1, 2));
    let params = ParamsBuilder::new().m_cost(16).t_cost(1).p_cost(2).output_len(32).build().unwrap();
    let mut prk = [0; 64];
    Argon2::new(Algorithm::Argon2id, Version::V0x13, params)
        .hash_password_into(b"x", &entry.salt, &mut prk[..32])
        .unwrap();
    let mut info = b"bailiwick/v1/passphrase".to_vec();
    info.extend_from_slice(&1u64.to_le_bytes());
    info.extend_from_slice(&envelope.owner.0);
    info.extend_from_slice(&envelope.object.0);
    let mut okm = [0; 64];
    hkdf::Hkdf::<sha2::Sha512>::from_prk(&prk).unwrap().expand(&info, &mut okm).unwrap();
    assert_eq!(okm[32..], entry.commitment);
    let cipher = Aes256Gcm::new_from_slice(&okm[..32]).unwrap();
    let file_key = cipher.decrypt(&[0; 12].into(), entry.ciphertext.as_slice()).unwrap();
    let opener = Opener::with_passphrase(
        &object.pinned,
        &SignedEnvelope::new(&envelope, &object.owner).to_bytes(),
        &right,
    )
    .unwrap();
    assert_eq!(file_key, opener.file_key().expose_secret());
}

/// E20: every field of the entry, and the context, decide; whatever is wrong, the answer is the same.
#[test]
fn e20_every_changed_field_gives_the_same_error() {
    let object = Object::new(10, 1);
    let right = passphrase("x");
    let (signed, _) = sealed(&object, &[], Some(under(&right))).unwrap();
    let good = signed.decode_unverified().unwrap();
    let changes: [fn(&mut Envelope); 8] = [
        |e| e.passphrase.as_mut().unwrap().memory_kib += 8,
        |e| e.passphrase.as_mut().unwrap().passes = 2,
        |e| e.passphrase.as_mut().unwrap().lanes = 1,
        |e| e.passphrase.as_mut().unwrap().salt[0] ^= 1,
        |e| e.passphrase.as_mut().unwrap().commitment[31] ^= 1,
        |e| e.passphrase.as_mut().unwrap().ciphertext[0] ^= 1,
        |e| e.passphrase.as_mut().unwrap().ciphertext[47] ^= 1,
        |e| e.object.0[0] ^= 1,
    ];
    for (i, change) in changes.iter().enumerate() {
        let mut bad = good.clone();
        change(&mut bad);
        let bytes = SignedEnvelope::new(&bad, &object.owner).to_bytes();
        let result = Opener::with_passphrase(&object.pinned, &bytes, &right);
        assert!(matches!(result, Err(OpenError::Passphrase)), "{i}: {result:?}");
    }
}

/// E35: a hostile cost is refused when the envelope is read, before a byte of memory is taken, and cannot be asked for either.
#[test]
fn e35_cost_bombs_are_refused() {
    let object = Object::new(10, 1);
    let right = passphrase("x");
    let (signed, _) = sealed(&object, &[], Some(under(&right))).unwrap();
    let good = signed.decode_unverified().unwrap();
    for (memory, passes, lanes) in [
        (u32::MAX, 1, 1),
        ((1 << 20) + 1, 1, 1),
        (1 << 20, 5, 1),
        (16, 33, 1),
        (16, 0, 1),
        (16, 1, 0),
        (16, 1, 17),
        (15, 1, 2),
        (7, 1, 1),
    ] {
        let refused = PassphraseCost::new(memory, passes, lanes);
        assert!(matches!(refused, Err(PassphraseError::Cost(_))), "{refused:?}");
        let mut bad = good.clone();
        let entry = bad.passphrase.as_mut().unwrap();
        (entry.memory_kib, entry.passes, entry.lanes) = (memory, passes, lanes);
        let bytes = SignedEnvelope::new(&bad, &object.owner).to_bytes();
        let result = Opener::with_passphrase(&object.pinned, &bytes, &right);
        assert!(matches!(result, Err(OpenError::Envelope(_))), "{memory} {passes} {lanes}: {result:?}");
    }
    PassphraseCost::new(1 << 20, 4, 16).unwrap();
}

#[test]
fn a_passphrase_beside_keys_has_to_be_asked_for() {
    let object = Object::new(10, 1);
    let right = passphrase("x");
    let keys = [object.reader.public()];
    let result = sealed(&object, &keys, Some(under(&right))).map(|_| ());
    assert!(matches!(result, Err(SealError::MixedPassphrase)), "{result:?}");
    let asked = PassphraseRecipient { beside_keys: true, ..under(&right) };
    let (envelope, _) = sealed(&object, &keys, Some(asked)).unwrap();
    Opener::with_passphrase(&object.pinned, &envelope.to_bytes(), &right).unwrap();
    Opener::new(&object.pinned, &envelope.to_bytes(), &[super::keys::copy(&object.reader)]).unwrap();
    assert!(matches!(sealed(&object, &[], None).map(|_| ()), Err(SealError::NoRecipient)));
}

#[test]
fn empty_and_endless_passphrases_are_refused_and_none_is_printed() {
    for len in [0, 1025] {
        let result = Passphrase::new(Zeroizing::new(vec![b'a'; len])).map(|_| ());
        assert_eq!(result, Err(PassphraseError::Length { found: len }));
    }
    assert_eq!(format!("{:?}", passphrase("sesame")), "Passphrase(..)");
}

/// RFC 9106 section 4, second recommended choice.
#[test]
fn the_default_cost_is_the_recommended_one() {
    assert_eq!(PassphraseCost::default(), PassphraseCost::new(65_536, 3, 4).unwrap());
}
