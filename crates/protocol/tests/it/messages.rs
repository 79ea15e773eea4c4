//! Sample messages, and property tests that every message round-trips and no mutated one passes for another.

use bailiwick_protocol::bundle::{Answer, Bundle, NoAnswer, ProbeOutcome, RangeOutcome};
use bailiwick_protocol::challenge::{CannotProve, Challenge, Response, SignedResponse, Target};
use bailiwick_protocol::codec::Canonical;
use bailiwick_protocol::envelope::{
    BodyInfo, CellCommitment, Envelope, Kem, RecipientEntry, Role, SignedEnvelope,
};
use bailiwick_protocol::ids::*;
use bailiwick_protocol::secret::Secret;
use bailiwick_protocol::signing::{Signed, SigningKey};
use proptest::prelude::*;

pub(crate) fn key(seed: u8) -> SigningKey {
    SigningKey::from_seed(&Secret::init_with(|b| b.fill(seed)))
}

pub(crate) fn envelope(owner: &SigningKey, size: u64, recipients: usize) -> Envelope {
    Envelope {
        suite: 1,
        owner: OwnerKey(owner.public()),
        object: ObjectId([3; 16]),
        unit: Unit::WHOLE,
        body: BodyInfo {
            format: 1,
            salt: [4; 24],
            key_commitment: [5; 32],
            size,
            blake3: ContentId([6; 32]),
        },
        further_commitments: Vec::new(),
        shards: None,
        passphrase: None,
        custody: None,
        policy: None,
        commitment: Some(CellCommitment { root: CellRoot([7; 32]), cells: size.div_ceil(496) }),
        generation: 1,
        recipients: (0..recipients)
            .map(|i| {
                let kem = if i % 2 == 0 { Kem::XWing } else { Kem::X25519 };
                RecipientEntry {
                    kem,
                    key_id: (i % 3 != 0).then_some([8; 8]),
                    enc: vec![9; kem.enc_bytes()],
                    ciphertext: vec![10; 48],
                    role: Role::FileKey,
                }
            })
            .collect(),
    }
}

pub(crate) fn challenge(auditor: &SigningKey, host: &SigningKey, envelopes: &[Envelope]) -> Challenge {
    Challenge {
        class: ClassId::TINY,
        vk: VkDigest([11; 32]),
        host: HostKey(host.public()),
        targets: envelopes.iter().filter_map(Target::of).collect(),
        inventory: None,
        epoch: 0,
        beacon: None,
        auditor: AuditorKey(auditor.public()),
        nonce: Nonce([12; 32]),
    }
}

pub(crate) fn bundle(
    auditor: &SigningKey,
    host: &SigningKey,
    owner: &SigningKey,
    answer: Option<Answer>,
) -> Bundle {
    let e = envelope(owner, 1000, 1);
    let c = challenge(auditor, host, std::slice::from_ref(&e));
    let r = Response { challenge: c.digest(), outcome: Ok(vec![13; 128]) };
    Bundle {
        auditor: AuditorKey(auditor.public()),
        challenge: Signed::new(&c, auditor),
        envelopes: vec![SignedEnvelope::new(&e, owner)],
        inventory: None,
        answer: answer.unwrap_or_else(|| Answer::Response(SignedResponse::new(&r, host))),
        ranges: vec![RangeOutcome {
            target: 0,
            offset: 0,
            length: 1000,
            outcome: ProbeOutcome::Good,
            elapsed_ms: 3,
        }],
        asked_unix_ms: 10,
        answered_unix_ms: 20,
    }
}

fn round_trip<T: Canonical + PartialEq + std::fmt::Debug>(message: &T) {
    let bytes = message.to_bytes();
    assert!(bytes.len() <= T::BYTES_MAX);
    assert_eq!(&T::from_bytes(&bytes).unwrap(), message);
}

#[test]
fn every_message_round_trips() {
    let (auditor, host, owner) = (key(1), key(2), key(3));
    round_trip(&envelope(&owner, 1000, 5));
    round_trip(&Envelope { commitment: None, ..envelope(&owner, 1000, 64) });
    let c = challenge(&auditor, &host, &[envelope(&owner, 1000, 1)]);
    round_trip(&c);
    round_trip(&Response { challenge: c.digest(), outcome: Ok(vec![1; 128]) });
    for reason in [CannotProve::CellsUnavailable, CannotProve::ObjectUnknown] {
        round_trip(&Response { challenge: c.digest(), outcome: Err(reason) });
    }
    round_trip(&bundle(&auditor, &host, &owner, None));
    for why in [NoAnswer::Refused, NoAnswer::TimedOut, NoAnswer::Unreachable] {
        round_trip(&bundle(&auditor, &host, &owner, Some(Answer::None(why))));
    }
    // B4: of a commitment only.
    let unasked = bundle(&auditor, &host, &owner, Some(Answer::None(NoAnswer::NotAsked)));
    assert!(Bundle::from_bytes(&unasked.to_bytes()).is_err());
}

#[test]
fn the_largest_challenge_fits_its_bound() {
    let (auditor, host, owner) = (key(1), key(2), key(3));
    let mut c = challenge(&auditor, &host, &[envelope(&owner, 1000, 1)]);
    let one = c.targets[0].clone();
    c.class = ClassId::LARGE;
    c.targets = (0..4096u32)
        .map(|i| {
            let mut t = one.clone();
            t.name.object.0[..4].copy_from_slice(&i.to_be_bytes());
            t.generation = u64::MAX;
            t.size = 496 << 28;
            t.cells = 1 << 28;
            t
        })
        .collect();
    round_trip(&c);
}

proptest! {
    #[test]
    fn envelopes_of_every_shape_round_trip(chunks in 0u64..100_000, last in 16u64..16_400, n in 0usize..8, generation in 1u64.., commit: bool) {
        let mut e = envelope(&key(3), 56 + chunks * 16_400 + last, n);
        e.generation = generation;
        if !commit { e.commitment = None; }
        prop_assert_eq!(Envelope::from_bytes(&e.to_bytes()).unwrap(), e);
    }

    /// E20: any changed byte of a signed envelope is noticed.
    #[test]
    fn e20_a_flipped_bit_anywhere_is_refused(position: prop::sample::Index, bit in 0u8..8) {
        let owner = key(3);
        let honest = SignedEnvelope::new(&envelope(&owner, 1000, 2), &owner).to_bytes();
        SignedEnvelope::from_bytes(&honest).unwrap().verify(&owner.public()).unwrap();
        let mut bytes = honest;
        let at = position.index(bytes.len());
        bytes[at] ^= 1 << bit;
        let refused = SignedEnvelope::from_bytes(&bytes).and_then(|s| s.verify(&owner.public())).is_err();
        prop_assert!(refused, "byte {} bit {}", at, bit);
    }

    #[test]
    fn arbitrary_bytes_never_panic(bytes in prop::collection::vec(any::<u8>(), 0..300)) {
        let _ = Envelope::from_bytes(&bytes);
        let _ = Challenge::from_bytes(&bytes);
        let _ = Response::from_bytes(&bytes);
        let _ = Bundle::from_bytes(&bytes);
        let _ = SignedEnvelope::from_bytes(&bytes);
    }

    #[test]
    fn names_have_one_text(owner: [u8; 32], object: [u8; 16], k in 1u16..5, extra in 0u16..5, replica: u16) {
        let unit = Unit { k, n: k + extra, shard: extra, replica };
        let name = UnitName { owner: OwnerKey(owner), object: ObjectId(object), unit };
        prop_assert_eq!(name.to_string().parse::<UnitName>().unwrap(), name);
    }
}

/// A11: encodings of an id other than its one text are refused.
#[test]
fn a11_other_spellings_of_an_id_are_refused() {
    let good = "0a".repeat(16);
    assert!(good.parse::<ObjectId>().is_ok());
    for bad in [
        "0A".repeat(16),
        "0a".repeat(15),
        format!("0x{}", "0a".repeat(15)),
        format!(" {good}"),
        "%30".repeat(11),
        "０".repeat(16),
    ] {
        assert!(bad.parse::<ObjectId>().is_err(), "{bad}");
    }
    for bad in ["1-1-0", "1-1-0-0-0", "01-1-0-0", "0-1-0-0", "2-1-0-0", "1-1-1-0", "1-1-0-65536", "+1-1-0-0"]
    {
        assert!(bad.parse::<Unit>().is_err(), "{bad}");
    }
}
