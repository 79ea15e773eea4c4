//! Rounds published by others, in `test-vectors/beacon/v1`.

use std::borrow::Cow;
use std::fs;
use std::path::PathBuf;

use bailiwick_beacon::{BeaconError, BeaconRound, BeaconVerifier, ChainInfo, QUICKNET, Scheme};
use serde::Deserialize;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    #[expect(dead_code, reason = "for people")]
    scenario: String,
    #[expect(dead_code, reason = "for people")]
    provenance: String,
    chain: Chain,
    rounds: Vec<Published>,
    expect: Expect,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Chain {
    hash: String,
    public_key: String,
    period: u32,
    genesis: u64,
    group_hash: String,
    id: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Published {
    round: u64,
    signature: String,
    randomness: Option<String>,
}

#[derive(Deserialize, Debug, PartialEq, Eq)]
#[serde(rename_all = "kebab-case")]
enum Expect {
    Valid,
    Forged,
}

/// The bytes of hexadecimal text.
pub(crate) fn bytes<const N: usize>(text: &str) -> [u8; N] {
    let mut out = [0; N];
    hex::decode_to_slice(text, &mut out).unwrap();
    out
}

fn read(name: &str) -> (ChainInfo, Vec<BeaconRound>, Vec<Option<[u8; 32]>>, Expect) {
    let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../test-vectors/beacon/v1");
    let file: File = serde_json::from_slice(&fs::read(folder.join(format!("{name}.json"))).unwrap()).unwrap();
    let chain = ChainInfo {
        hash: bytes(&file.chain.hash),
        public_key: bytes(&file.chain.public_key),
        genesis: file.chain.genesis,
        period: file.chain.period,
        group_hash: bytes(&file.chain.group_hash),
        scheme: Scheme::BlsUnchainedG1Rfc9380,
        id: Cow::Owned(file.chain.id),
    };
    let round =
        |p: &Published| BeaconRound { chain: chain.hash, round: p.round, signature: bytes(&p.signature) };
    let rounds: Vec<_> = file.rounds.iter().map(round).collect();
    assert!(!rounds.is_empty());
    let randomness = file.rounds.iter().map(|p| p.randomness.as_deref().map(bytes)).collect();
    (chain, rounds, randomness, file.expect)
}

/// Chain and rounds of one file.
pub(crate) fn published(name: &str) -> (ChainInfo, Vec<BeaconRound>) {
    let (chain, rounds, _, _) = read(name);
    (chain, rounds)
}

/// Round `number` of quicknet.
pub(crate) fn quicknet(number: u64) -> BeaconRound {
    published("quicknet").1.into_iter().find(|r| r.round == number).unwrap()
}

/// For quicknet.
pub(crate) fn verifier() -> BeaconVerifier {
    BeaconVerifier::new(QUICKNET).unwrap()
}

#[test]
fn rounds_of_quicknet_verify_and_give_the_published_randomness() {
    let (chain, rounds, randomness, expect) = read("quicknet");
    assert_eq!(expect, Expect::Valid);
    assert_eq!(chain, QUICKNET);
    assert!(rounds.len() >= 7);
    let mut known = 0;
    for (round, randomness) in rounds.iter().zip(randomness) {
        verifier().verify(round).unwrap();
        if let Some(r) = randomness {
            assert_eq!(round.randomness(), r);
            known += 1;
        }
    }
    assert!(known >= 6);
}

#[test]
fn a_round_of_another_chain_of_the_scheme_verifies_under_its_own_parameters() {
    let (chain, rounds, _, expect) = read("quicknet-t");
    assert_eq!(expect, Expect::Valid);
    BeaconVerifier::new(chain).unwrap().verify(&rounds[0]).unwrap();
}

/// P10: the scheme is not part of drand's chain hash; a genuine round of a chain that hashes to the curve under another
/// tag does not verify as one of ours.
#[test]
fn p10_a_round_of_another_scheme_is_refused() {
    let (chain, rounds, randomness, expect) = read("fastnet");
    assert_eq!(expect, Expect::Forged);
    assert_eq!(Some(rounds[0].randomness()), randomness[0], "the round is genuine");
    let error = BeaconVerifier::new(chain).unwrap().verify(&rounds[0]).unwrap_err();
    assert!(matches!(error, BeaconError::Forged { round: 1000, .. }), "{error}");
    verifier().verify(&quicknet(1000)).unwrap();
}
