//! drand's JSON, and the canonical form.

use bailiwick_beacon::{
    BeaconRound, DRAND_JSON_BYTES_MAX, JsonError, QUICKNET, TimeError, parse_drand_json, read_round,
    write_drand_json,
};
use bailiwick_protocol::codec::{Canonical as _, CodecError};
use proptest::prelude::*;

use super::vectors::quicknet;

/// As `/public/1000` answers.
const V1: &str = r#"{"round":1000,"randomness":"fe290beca10872ef2fb164d2aa4442de4566183ec51c56ff3cd603d930e54fdd","signature":"b44679b9a59af2ec876b1a6b1ad52ea9b1615fc3982b19576350f93447cb1125e342b73a8dd2bacbe47e4b6b63ed5e39"}"#;
/// As `/v2/chains/…/rounds/1000` answers.
const V2: &str = r#"{"round":1000,"signature":"b44679b9a59af2ec876b1a6b1ad52ea9b1615fc3982b19576350f93447cb1125e342b73a8dd2bacbe47e4b6b63ed5e39"}"#;

fn parse(text: &str) -> Result<BeaconRound, JsonError> {
    parse_drand_json(text.as_bytes(), &QUICKNET.hash)
}

fn refused(text: &str) -> JsonError {
    parse(V1).unwrap();
    parse(text).unwrap_err()
}

#[test]
fn both_forms_of_the_api_are_read() {
    assert_eq!(parse(V1), Ok(quicknet(1000)));
    assert_eq!(parse(V2), Ok(quicknet(1000)));
    assert_eq!(parse(&format!("{V2}\n")), Ok(quicknet(1000)));
    let unchained = V2.replace('}', r#","previous_signature":""}"#);
    assert_eq!(parse(&unchained), Ok(quicknet(1000)));
}

#[test]
fn what_is_written_is_what_the_api_answers() {
    assert_eq!(write_drand_json(&quicknet(1000)), V1);
}

/// T16, E22: unknown and repeated fields, wrong types, and anything after the object.
#[test]
fn t16_other_json_is_refused() {
    for text in [
        "",
        "null",
        "[]",
        "{}",
        r#"{"round":1000}"#,
        &V1.replace("{\"round\":1000", "{\"round\":-1000"),
        &V1.replace("{\"round\":1000", "{\"round\":1000.0"),
        &V1.replace("{\"round\":1000", "{\"round\":\"1000\""),
        &V1.replace("{\"round\":1000", "{\"round\":18446744073709551616"),
        &V1.replace("{\"round\":1000", "{\"round\":1,\"round\":1000"),
        &V1.replace('}', ",\"chain\":1}"),
        &format!("{V1}{V1}"),
        &V1[..V1.len() - 1],
        &"[".repeat(2000),
    ] {
        assert!(matches!(refused(text), JsonError::Malformed { .. }), "{text}");
    }
}

/// T16: longer than any honest answer, refused before it is parsed.
#[test]
fn t16_a_long_answer_is_refused() {
    let padded = |n: usize| format!("{V1}{}", " ".repeat(n - V1.len()));
    assert_eq!(parse(&padded(DRAND_JSON_BYTES_MAX)), Ok(quicknet(1000)));
    let len = DRAND_JSON_BYTES_MAX + 1;
    assert_eq!(refused(&padded(len)), JsonError::TooLong { len });
}

/// E22: one spelling of a signature.
#[test]
fn e22_other_digits_are_refused() {
    let hex = JsonError::Hex { field: "signature", digits: 96 };
    assert_eq!(refused(&V2.replace("b44679", "B44679")), hex);
    assert_eq!(refused(&V2.replace("b44679", "0xb44679")), hex);
    assert_eq!(refused(&V2.replace("b44679", "b4467")), hex);
    assert_eq!(refused(&V2.replace("b44679", "zz4679")), hex);
    let randomness = JsonError::Hex { field: "randomness", digits: 64 };
    assert_eq!(refused(&V1.replace("fe290b", "FE290B")), randomness);
}

/// P10: stated randomness that does not follow from the signature.
#[test]
fn p10_randomness_that_does_not_follow_is_refused() {
    assert_eq!(refused(&V1.replace("fe290b", "ee290b")), JsonError::Randomness);
}

/// P10: a chained scheme's round is refused by name.
#[test]
fn p10_a_chained_round_is_refused() {
    assert_eq!(refused(&V1.replace('}', r#","previous_signature":"00"}"#)), JsonError::Chained);
}

/// P10: drand's own round 0.
#[test]
fn p10_round_zero_in_json_is_refused() {
    assert_eq!(refused(&V2.replace("1000", "0")), JsonError::Round(TimeError::RoundZero));
}

#[test]
fn a_round_is_read_in_either_form() {
    let round = quicknet(1000);
    assert_eq!(read_round(&round.to_bytes(), &[7; 32]), Ok(round), "its own chain, not the reader's");
    assert_eq!(read_round(V2.as_bytes(), &QUICKNET.hash), Ok(round));
}

/// E12: bytes after the canonical form.
#[test]
fn e12_bytes_after_a_round_are_refused() {
    let mut bytes = quicknet(1000).to_bytes();
    bytes.push(0);
    assert_eq!(BeaconRound::from_bytes(&bytes), Err(CodecError::Trailing { left: 1 }));
    bytes.pop();
    BeaconRound::from_bytes(&bytes).unwrap();
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn rounds_survive_both_forms(
        chain in any::<[u8; 32]>(),
        round in prop_oneof![1..30u64, 250..260u64, 65_530..65_540u64, 1..=u64::MAX],
        head in any::<[u8; 32]>(),
        tail in any::<[u8; 16]>(),
    ) {
        let mut signature = [0; 48];
        signature[..32].copy_from_slice(&head);
        signature[32..].copy_from_slice(&tail);
        let r = BeaconRound { chain, round, signature };
        let bytes = r.to_bytes();
        prop_assert!(bytes.len() <= BeaconRound::BYTES_MAX);
        prop_assert_eq!(BeaconRound::from_bytes(&bytes), Ok(r));
        prop_assert_eq!(parse_drand_json(write_drand_json(&r).as_bytes(), &chain), Ok(r));
        prop_assert_eq!(r.transcript_bytes().len(), 88);
    }

    #[test]
    fn arbitrary_bytes_do_not_panic(bytes in prop::collection::vec(any::<u8>(), 0..300)) {
        let _ = parse_drand_json(&bytes, &[0; 32]);
        let _ = read_round(&bytes, &[0; 32]);
    }
}
