//! Rounds of public randomness.

use bailiwick_beacon::{BeaconRound, BeaconVerifier, QUICKNET, parse_drand_json, write_drand_json};
use bailiwick_protocol::codec::Canonical as _;

/// Genuine rounds of quicknet: number and signature.
const PUBLISHED: [(u64, &str); 2] = [
    (1, "b55e7cb2d5c613ee0b2e28d6750aabbb78c39dcc96bd9d38c2c2e12198df95571de8e8e402a0cc48871c7089a2b3af4b"),
    (
        1000,
        "b44679b9a59af2ec876b1a6b1ad52ea9b1615fc3982b19576350f93447cb1125e342b73a8dd2bacbe47e4b6b63ed5e39",
    ),
];

fn published() -> Vec<BeaconRound> {
    let round = |(number, text): &(u64, &str)| {
        let mut signature = [0; 48];
        hex::decode_to_slice(text, &mut signature).expect("the constants above");
        BeaconRound { chain: QUICKNET.hash, round: *number, signature }
    };
    PUBLISHED.iter().map(round).collect()
}

/// One encoding, and only the genuine rounds verify.
pub(super) fn round(data: &[u8]) -> bool {
    let Ok(round) = BeaconRound::from_bytes(data) else { return false };
    assert_eq!(round.to_bytes(), data, "a round has a second encoding");
    verify(&round);
    true
}

/// What is read is written in a form that reads the same.
pub(super) fn json(data: &[u8]) -> bool {
    let Ok(round) = parse_drand_json(data, &QUICKNET.hash) else { return false };
    let again = parse_drand_json(write_drand_json(&round).as_bytes(), &QUICKNET.hash);
    assert_eq!(again, Ok(round), "a round changes when written");
    verify(&round);
    true
}

fn verify(round: &BeaconRound) {
    let verifier = BeaconVerifier::new(QUICKNET).expect("pinned parameters, tested");
    if verifier.verify(round).is_ok() {
        assert!(published().contains(round), "a forged round verifies");
    }
}

pub(super) fn round_seeds() -> Vec<Vec<u8>> {
    published().iter().map(|r| r.to_bytes()).collect()
}

pub(super) fn json_seeds() -> Vec<Vec<u8>> {
    let v2 = format!(r#"{{"round":1,"signature":"{}"}}"#, PUBLISHED[0].1);
    published().iter().map(|r| write_drand_json(r).into_bytes()).chain([v2.into_bytes()]).collect()
}
