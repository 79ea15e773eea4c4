//! Rewriting envelopes: who can open afterwards, what stays, and which envelope may follow which.

use bailiwick_envelope::{
    OpenError, Opener, Padding, PassphraseChange, PassphraseRecipient, RecipientChange, RecipientSecretKey,
    Rewrap, RewrapError, RollbackError, Succession, check_newer, rewrap,
};
use bailiwick_protocol::codec::Canonical as _;
use bailiwick_protocol::envelope::{Envelope, Kem, Role, SignedEnvelope};

use super::fixture::{Object, rng};
use super::keys::copy;
use super::passphrase::{cheap, passphrase};

fn opener(object: &Object, envelope: &[u8]) -> Opener {
    Opener::new(&object.pinned, envelope, &[copy(&object.reader)]).unwrap()
}

fn changed(object: &Object, envelope: &[u8], changes: &Rewrap<'_>) -> Result<Option<Vec<u8>>, RewrapError> {
    let opener = opener(object, envelope);
    Ok(rewrap(&opener, changes, &object.owner, &mut rng(9))?.map(|e| e.to_bytes()))
}

fn opens(object: &Object, envelope: &[u8], key: &RecipientSecretKey) -> bool {
    match Opener::new(&object.pinned, envelope, &[copy(key)]) {
        Ok(opener) => {
            let mut out = Vec::new();
            opener.open(object.body.as_slice(), &mut out).unwrap();
            out == object.data
        }
        Err(OpenError::NoRecipient) => false,
        Err(e) => panic!("{e}"),
    }
}

fn decoded(envelope: &[u8]) -> Envelope {
    SignedEnvelope::from_bytes(envelope).unwrap().decode_unverified().unwrap()
}

#[test]
fn recipients_come_and_go_and_the_body_stays() {
    let object = Object::new(5_000, 1);
    let third = RecipientSecretKey::generate(Kem::P256, &mut rng(50));
    let edit = RecipientChange::Edit { remove: &[object.other_reader.public()], add: &[third.public()] };
    let new = changed(&object, &object.envelope, &Rewrap { recipients: edit, ..Rewrap::default() });
    let new = new.unwrap().unwrap();
    assert!(opens(&object, &new, &object.reader));
    assert!(opens(&object, &new, &third));
    assert!(!opens(&object, &new, &object.other_reader));
    let (before, after) = (object.decoded(), decoded(&new));
    assert_eq!(after.generation, 2);
    assert_eq!(after.recipients[0], before.recipients[0], "an entry that stays is not made anew");
    let same = Envelope { generation: 1, recipients: before.recipients.clone(), ..after };
    assert_eq!(same, before);
    // The same changes again: nothing to do.
    assert!(changed(&object, &new, &Rewrap { recipients: edit, ..Rewrap::default() }).unwrap().is_none());
}

#[test]
fn all_recipients_are_replaced() {
    let object = Object::new(500, 1);
    let new = RecipientSecretKey::generate(Kem::XWing, &mut rng(50));
    let keys = [new.public()];
    let changes = Rewrap { recipients: RecipientChange::Replace(&keys), ..Rewrap::default() };
    let bytes = changed(&object, &object.envelope, &changes).unwrap().unwrap();
    assert!(opens(&object, &bytes, &new));
    assert!(!opens(&object, &bytes, &object.reader) && !opens(&object, &bytes, &object.other_reader));
}

#[test]
fn names_of_keys_are_hidden_and_hidden_entries_cannot_be_removed_by_name() {
    let object = Object::new(500, 1);
    let hidden = changed(&object, &object.envelope, &Rewrap { anonymous: true, ..Rewrap::default() })
        .unwrap()
        .unwrap();
    assert!(decoded(&hidden).recipients.iter().all(|r| r.key_id.is_none()));
    assert!(opens(&object, &hidden, &object.reader) && opens(&object, &hidden, &object.other_reader));
    let remove = [object.other_reader.public()];
    let edit = RecipientChange::Edit { remove: &remove, add: &[] };
    let result = changed(&object, &hidden, &Rewrap { recipients: edit, ..Rewrap::default() });
    assert!(matches!(result, Err(RewrapError::Anonymous)), "{result:?}");
    let keys = [object.reader.public()];
    let all = Rewrap { recipients: RecipientChange::Replace(&keys), ..Rewrap::default() };
    let bytes = changed(&object, &hidden, &all).unwrap().unwrap();
    assert_eq!(decoded(&bytes).recipients.len(), 1);
    assert!(opens(&object, &bytes, &object.reader) && !opens(&object, &bytes, &object.other_reader));
}

#[test]
fn nobody_left_and_too_many_are_refused() {
    let object = Object::new(500, 1);
    let none = Rewrap { recipients: RecipientChange::Replace(&[]), ..Rewrap::default() };
    let result = changed(&object, &object.envelope, &none);
    assert!(matches!(result, Err(RewrapError::NobodyLeft)), "{result:?}");
    let many: Vec<_> =
        (0..63).map(|i| RecipientSecretKey::generate(Kem::X25519, &mut rng(100 + i)).public()).collect();
    let add = |n: usize| Rewrap {
        recipients: RecipientChange::Edit { remove: &[], add: &many[..n] },
        ..Rewrap::default()
    };
    let result = changed(&object, &object.envelope, &add(63));
    assert!(matches!(result, Err(RewrapError::TooManyRecipients { found: 65 })), "{result:?}");
    changed(&object, &object.envelope, &add(62)).unwrap().unwrap();
}

#[test]
fn a_passphrase_comes_and_goes_and_is_never_mixed_unsaid() {
    let object = Object::with(vec![1; 10], 1, Padding::Padme, false);
    let secret = passphrase("sesame");
    let with = PassphraseRecipient { passphrase: &secret, cost: cheap(), beside_keys: false };
    let set = |with| Rewrap { passphrase: PassphraseChange::Set(with), ..Rewrap::default() };
    let result = changed(&object, &object.envelope, &set(with));
    assert!(matches!(result, Err(RewrapError::MixedPassphrase)), "{result:?}");
    let mixed = changed(&object, &object.envelope, &set(PassphraseRecipient { beside_keys: true, ..with }));
    let mixed = mixed.unwrap().unwrap();
    Opener::with_passphrase(&object.pinned, &mixed, &secret).unwrap();
    assert!(opens(&object, &mixed, &object.reader));
    let gone = Rewrap { passphrase: PassphraseChange::Remove, ..Rewrap::default() };
    assert!(decoded(&changed(&object, &mixed, &gone).unwrap().unwrap()).passphrase.is_none());
    // Alone: the recipients go. From there keys are not added beside it unsaid.
    let alone = Rewrap { recipients: RecipientChange::Replace(&[]), ..set(with) };
    let alone = changed(&object, &object.envelope, &alone).unwrap().unwrap();
    let by_passphrase = Opener::with_passphrase(&object.pinned, &alone, &secret).unwrap();
    let keys = [object.reader.public()];
    let add = RecipientChange::Edit { remove: &[], add: &keys };
    let keep = Rewrap { recipients: add, ..Rewrap::default() };
    let result = rewrap(&by_passphrase, &keep, &object.owner, &mut rng(1));
    assert!(matches!(result, Err(RewrapError::MixedPassphrase)), "{result:?}");
    let back = Rewrap { passphrase: PassphraseChange::Remove, ..keep };
    let back = rewrap(&by_passphrase, &back, &object.owner, &mut rng(1)).unwrap().unwrap().to_bytes();
    assert!(opens(&object, &back, &object.reader));
}

/// Entries of a custody dealing's secret are not the file key's: they stay when all recipients are replaced, and go with their key.
#[test]
fn entries_of_another_role_go_with_their_key_only() {
    let object = Object::new(500, 1);
    let custody = object.resigned(|e| {
        let r = &mut e.recipients[1];
        (r.role, r.ciphertext) = (Role::CustodySecret, vec![0; 112]);
    });
    let keys = [object.reader.public()];
    let all = Rewrap { recipients: RecipientChange::Replace(&keys), ..Rewrap::default() };
    assert!(changed(&object, &custody, &all).unwrap().is_none());
    let remove = [object.other_reader.public()];
    let edit = RecipientChange::Edit { remove: &remove, add: &[] };
    let bytes =
        changed(&object, &custody, &Rewrap { recipients: edit, ..Rewrap::default() }).unwrap().unwrap();
    assert_eq!(decoded(&bytes).recipients.len(), 1);
}

/// E12 and E13 of the specification: a lower generation is refused, an equal one with other bytes is equivocation and both are kept.
#[test]
fn rollback_and_equivocation_are_told_apart() {
    let object = Object::new(500, 1);
    let at = |generation, policy: Option<[u8; 32]>| {
        object.resigned(|e| (e.generation, e.policy) = (generation, policy))
    };
    let pinned = &object.pinned;
    assert_eq!(check_newer(pinned, &at(2, None), &at(2, None)).unwrap(), Succession::Same);
    assert_eq!(check_newer(pinned, &at(2, None), &at(3, Some([1; 32]))).unwrap(), Succession::Newer);
    let result = check_newer(pinned, &at(2, None), &at(1, None));
    assert!(matches!(result, Err(RollbackError::Older { known: 2, found: 1 })), "{result:?}");
    match check_newer(pinned, &at(2, None), &at(2, Some([1; 32]))) {
        Err(RollbackError::Equivocation { generation: 2, known, found }) => {
            assert_eq!((known, found), (at(2, None), at(2, Some([1; 32]))));
        }
        other => panic!("{other:?}"),
    }
    let other = object.resigned(|e| e.object.0[0] ^= 1);
    assert!(matches!(check_newer(pinned, &at(1, None), &other), Err(RollbackError::OtherObject)));
    let other = object.resigned(|e| e.unit.replica ^= 1);
    assert!(matches!(check_newer(pinned, &at(1, None), &other), Err(RollbackError::OtherUnit { .. })));
    let stranger = Object::new(500, 2);
    let result = check_newer(pinned, &at(1, None), &stranger.envelope);
    assert!(matches!(result, Err(RollbackError::Envelope(_))), "{result:?}");
}

/// Only the owner makes the next generation.
#[test]
fn a_stranger_cannot_sign_the_next_generation() {
    let object = Object::new(500, 1);
    let stranger = Object::new(500, 2);
    let opener = opener(&object, &object.envelope);
    let changes = Rewrap { anonymous: true, ..Rewrap::default() };
    let result = rewrap(&opener, &changes, &stranger.owner, &mut rng(1));
    assert!(matches!(result, Err(RewrapError::Sign(_))), "{result:?}");
}
