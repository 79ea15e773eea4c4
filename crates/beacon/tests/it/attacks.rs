//! Rounds that are not what they say.

use bailiwick_beacon::{BeaconError, BeaconRound, Freshness, PointError, QUICKNET, Round, TimeError};
use bailiwick_protocol::codec::{Canonical as _, CodecError};
use drand_verify::{G1Pubkey, Pubkey as _};

use super::vectors::{published, quicknet, verifier};

/// Round 1000, a second after it was published.
fn fresh() -> (BeaconRound, Round, Freshness) {
    let round = Round::new(1000).unwrap();
    let now_ms = QUICKNET.published_at(round).unwrap() + 1000;
    (quicknet(1000), round, Freshness { now_ms, window_ms: 60_000 })
}

/// P10: the signature of another round under this number.
#[test]
fn p10_the_signature_of_the_next_round_is_refused() {
    let (a, b) = (quicknet(1_000_000), quicknet(1_000_001));
    verifier().verify(&a).unwrap();
    verifier().verify(&b).unwrap();
    let error = verifier().verify(&BeaconRound { signature: b.signature, ..a }).unwrap_err();
    assert_eq!(error, BeaconError::Forged { round: 1_000_000, chain: QUICKNET.hash });
}

/// P10: a genuine round, but not the one the schedule fixes.
#[test]
fn p10_a_genuine_round_of_another_number_is_refused() {
    let (round, expected, freshness) = fresh();
    verifier().accept(&round, expected, freshness).unwrap();
    let error = verifier().accept(&quicknet(123), expected, freshness).unwrap_err();
    assert_eq!(error, BeaconError::WrongRound { expected: 1000, found: 123 });
}

/// P10: a genuine round of another chain, which says so.
#[test]
fn p10_a_round_that_names_another_chain_is_refused() {
    let (chain, rounds) = published("quicknet-t");
    let error = verifier().verify(&rounds[0]).unwrap_err();
    assert_eq!(error, BeaconError::WrongChain { expected: QUICKNET.hash, found: chain.hash });
    let (round, expected, freshness) = fresh();
    let renamed = BeaconRound { chain: chain.hash, ..round };
    let error = verifier().accept(&renamed, expected, freshness).unwrap_err();
    assert_eq!(error, BeaconError::WrongChain { expected: QUICKNET.hash, found: chain.hash });
    verifier().accept(&round, expected, freshness).unwrap();
}

/// P10: a genuine round of another chain, relabelled as ours.
#[test]
fn p10_a_round_of_another_chain_under_our_hash_is_refused() {
    let (_, rounds) = published("quicknet-t");
    let error = verifier().verify(&BeaconRound { chain: QUICKNET.hash, ..rounds[0] }).unwrap_err();
    assert_eq!(error, BeaconError::Forged { round: 5_423_142, chain: QUICKNET.hash });
}

/// P10: each bit of a genuine signature matters.
#[test]
fn p10_every_flipped_bit_of_the_signature_is_refused() {
    let verifier = verifier();
    let honest = quicknet(1000);
    verifier.verify(&honest).unwrap();
    let (mut encoding, mut forged) = (0, 0);
    for bit in 0..8 * 48 {
        let mut round = honest;
        round.signature[bit / 8] ^= 1 << (bit % 8);
        match verifier.verify(&round).unwrap_err() {
            BeaconError::Signature { error: PointError::Encoding, .. } => encoding += 1,
            BeaconError::Forged { .. } => forged += 1,
            other => panic!("bit {bit}: {other}"),
        }
    }
    // No other coordinate than the honest one is in the subgroup, but for one in 2^125; the flipped sign is.
    assert_eq!((encoding, forged), (383, 1));
}

/// P10: the negated signature, a valid point under the right number.
#[test]
fn p10_the_negated_signature_is_refused() {
    let mut round = quicknet(1000);
    round.signature[0] ^= 0x20;
    let error = verifier().verify(&round).unwrap_err();
    assert_eq!(error, BeaconError::Forged { round: 1000, chain: QUICKNET.hash });
}

/// P10: the identity is refused by name.
#[test]
fn p10_the_identity_as_signature_is_refused() {
    let mut round = quicknet(1000);
    round.signature = [0; 48];
    round.signature[0] = 0xc0;
    let error = verifier().verify(&round).unwrap_err();
    assert_eq!(error, BeaconError::Signature { round: 1000, error: PointError::Identity });
}

/// P10: a point of the curve outside the subgroup is refused. Without that check it would be forged at best.
#[test]
fn p10_a_signature_outside_the_subgroup_is_refused() {
    let mut round = quicknet(1000);
    round.signature = [0; 48];
    round.signature[0] = 0x80;
    // x = 0 is on y^2 = x^3 + 4, with y = 2 and order 3.
    assert!(G1Pubkey::from_fixed_unchecked(round.signature).is_ok());
    let error = verifier().verify(&round).unwrap_err();
    assert_eq!(error, BeaconError::Signature { round: 1000, error: PointError::Encoding });
}

/// P10: every spelling of a point but one is refused, so a round has one signature and one randomness.
#[test]
fn p10_non_canonical_encodings_are_refused() {
    let honest = quicknet(1000).signature;
    let with_first = |f: fn(u8) -> u8| {
        let mut s = honest;
        s[0] = f(s[0]);
        s
    };
    // The modulus, big-endian: x = p + x' for small x' fits in 381 bits as well.
    let modulus: [u8; 48] = super::vectors::bytes(
        "1a0111ea397fe69a4b1ba7b6434bacd764774b84f38512bf6730d2a0f6b0f6241eabfffeb153ffffb9feffffffffaaab",
    );
    let mut above = modulus;
    above[0] |= 0x80;
    let mut dirty_identity = [0; 48];
    dirty_identity[0] = 0xc0;
    dirty_identity[47] = 1;
    let mut signed_identity = [0; 48];
    signed_identity[0] = 0xe0;
    let spellings = [
        ("no compression flag", with_first(|b| b & 0x7f)),
        ("infinity flag over a coordinate", with_first(|b| b | 0x40)),
        ("a coordinate that equals the modulus, for zero", above),
        ("infinity with a coordinate", dirty_identity),
        ("infinity with a sign", signed_identity),
        ("all ones", [0xff; 48]),
        ("all zeros", [0; 48]),
    ];
    for (what, signature) in spellings {
        let error = verifier().verify(&BeaconRound { signature, ..quicknet(1000) }).unwrap_err();
        assert_eq!(error, BeaconError::Signature { round: 1000, error: PointError::Encoding }, "{what}");
    }
}

/// P08: a round that is not due yet is refused before its signature is looked at.
#[test]
fn p08_a_round_from_the_future_is_refused() {
    let (round, expected, freshness) = fresh();
    let due = QUICKNET.published_at(expected).unwrap();
    for early in [1, 1000, due] {
        let freshness = Freshness { now_ms: due - early, ..freshness };
        let error = verifier().accept(&round, expected, freshness).unwrap_err();
        assert_eq!(
            error,
            BeaconError::Future { round: 1000, published_ms: due, now_ms: freshness.now_ms },
            "{early} ms early"
        );
    }
    verifier().accept(&round, expected, Freshness { now_ms: due, ..freshness }).unwrap();
}

/// P08: a made-up number beyond what time can hold.
#[test]
fn p08_a_round_beyond_the_end_of_time_is_refused() {
    let (round, _, freshness) = fresh();
    let last = BeaconRound { round: u64::MAX, ..round };
    let error = verifier().accept(&last, Round::new(u64::MAX).unwrap(), freshness).unwrap_err();
    assert_eq!(error, BeaconError::Time(TimeError::Overflow { round: u64::MAX }));
}

/// P09: a genuine round that is older than the window.
#[test]
fn p09_a_stale_round_is_refused() {
    let (round, expected, Freshness { window_ms, .. }) = fresh();
    let due = QUICKNET.published_at(expected).unwrap();
    let at = |age_ms| verifier().accept(&round, expected, Freshness { now_ms: due + age_ms, window_ms });
    at(window_ms).unwrap();
    let error = at(window_ms + 1).unwrap_err();
    assert_eq!(error, BeaconError::Stale { round: 1000, age_ms: window_ms + 1, window_ms });
    assert!(matches!(at(u64::MAX - due), Err(BeaconError::Stale { .. })));
}

/// P10: round 0 has no signature of this kind.
#[test]
fn p10_round_zero_is_refused() {
    let zero = BeaconRound { round: 0, ..quicknet(1) };
    assert_eq!(verifier().verify(&zero), Err(BeaconError::Time(TimeError::RoundZero)));
    assert_eq!(BeaconRound::from_bytes(&zero.to_bytes()), Err(CodecError::Invalid("beacon round number")));
    BeaconRound::from_bytes(&quicknet(1).to_bytes()).unwrap();
}

/// P10: with the right number and time, a forged signature is still refused.
#[test]
fn p10_accept_verifies_the_signature() {
    let (round, expected, freshness) = fresh();
    verifier().accept(&round, expected, freshness).unwrap();
    let forged = BeaconRound { signature: quicknet(123).signature, ..round };
    let error = verifier().accept(&forged, expected, freshness).unwrap_err();
    assert_eq!(error, BeaconError::Forged { round: 1000, chain: QUICKNET.hash });
}
