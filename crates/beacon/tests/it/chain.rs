//! Chain parameters and their hash.

use std::borrow::Cow;

use bailiwick_beacon::{BeaconError, BeaconVerifier, ChainError, ChainInfo, PointError, QUICKNET};
use drand_verify::{G2PubkeyRfc, Pubkey as _};

use super::vectors::{bytes, published, quicknet};

/// drand's rule reproduces the names of three chains.
#[test]
fn chain_hashes_are_those_drand_publishes() {
    assert_eq!(
        hex::encode(QUICKNET.computed_hash()),
        "52db9ba70e0cc0f6eaf7803dd07447a1f5477735fd3f661792ba94600c84e971"
    );
    for name in ["quicknet", "quicknet-t", "fastnet"] {
        let (chain, _) = published(name);
        assert_eq!(chain.computed_hash(), chain.hash, "{name}");
    }
}

/// drand leaves the default id out of the hash, under either spelling.
#[test]
fn the_default_beacon_id_is_not_hashed() {
    let with = |id| ChainInfo { id: Cow::Borrowed(id), ..QUICKNET }.computed_hash();
    assert_eq!(with(""), with("default"));
    assert_ne!(with(""), with("quicknet"));
}

/// P10: every parameter that decides about a round is bound by the chain hash.
#[test]
fn p10_a_chain_with_a_changed_parameter_is_refused() {
    BeaconVerifier::new(QUICKNET).unwrap();
    let (other, _) = published("quicknet-t");
    let changed = [
        ChainInfo { public_key: other.public_key, ..QUICKNET },
        ChainInfo { genesis: QUICKNET.genesis + 1, ..QUICKNET },
        ChainInfo { period: 30, ..QUICKNET },
        ChainInfo { group_hash: other.group_hash, ..QUICKNET },
        ChainInfo { id: Cow::Borrowed("quicknet-t"), ..QUICKNET },
        ChainInfo { hash: other.hash, ..QUICKNET },
    ];
    for chain in changed {
        let error = BeaconVerifier::new(chain.clone()).unwrap_err();
        assert!(matches!(error, BeaconError::Chain(ChainError::Hash { .. })), "{chain:?}: {error}");
    }
}

/// A chain that hashes right, around any key.
fn chain_of(public_key: [u8; 96]) -> ChainInfo {
    let mut chain = ChainInfo { public_key, ..QUICKNET };
    chain.hash = chain.computed_hash();
    chain
}

/// P10: under the identity as key, the identity would be a signature of every round.
#[test]
fn p10_the_identity_as_public_key_is_refused() {
    let mut identity = [0; 96];
    identity[0] = 0xc0;
    let error = BeaconVerifier::new(chain_of(identity)).unwrap_err();
    assert_eq!(error, BeaconError::PublicKey(PointError::Identity));
    BeaconVerifier::new(chain_of(QUICKNET.public_key)).unwrap();
}

/// P10: a key on the curve and outside the subgroup.
#[test]
fn p10_a_public_key_outside_the_subgroup_is_refused() {
    let mut key = [0; 96];
    key[0] = 0x80;
    // A second implementation finds the first small coordinate on the curve, and that it is outside the subgroup.
    key[95] = (1..=u8::MAX)
        .find(|x| {
            key[95] = *x;
            G2PubkeyRfc::from_fixed_unchecked(key).is_ok()
        })
        .unwrap();
    assert!(G2PubkeyRfc::from_fixed(key).is_err());
    let error = BeaconVerifier::new(chain_of(key)).unwrap_err();
    assert_eq!(error, BeaconError::PublicKey(PointError::Encoding));
}

/// P10: bytes that are no point.
#[test]
fn p10_a_public_key_that_is_no_point_is_refused() {
    for key in [[0; 96], [0xff; 96], {
        let mut uncompressed_flag = QUICKNET.public_key;
        uncompressed_flag[0] &= 0x7f;
        uncompressed_flag
    }] {
        let error = BeaconVerifier::new(chain_of(key)).unwrap_err();
        assert_eq!(error, BeaconError::PublicKey(PointError::Encoding));
    }
}

/// P10: parameters no round can be counted with.
#[test]
fn p10_a_chain_without_a_clock_is_refused() {
    let mut still = ChainInfo { period: 0, ..QUICKNET };
    still.hash = still.computed_hash();
    assert_eq!(BeaconVerifier::new(still).unwrap_err(), BeaconError::Chain(ChainError::Period));
    let mut late = ChainInfo { genesis: 1 << 63, ..QUICKNET };
    late.hash = late.computed_hash();
    assert_eq!(BeaconVerifier::new(late).unwrap_err(), BeaconError::Chain(ChainError::Genesis(1 << 63)));
}

/// P10: a real chain's rounds do not verify for a chain made up around another key.
#[test]
fn p10_a_round_does_not_verify_under_another_key() {
    let chain = chain_of(bytes(&hex::encode(published("quicknet-t").0.public_key)));
    let mut round = quicknet(1000);
    round.chain = chain.hash;
    let error = BeaconVerifier::new(chain.clone()).unwrap().verify(&round).unwrap_err();
    assert_eq!(error, BeaconError::Forged { round: 1000, chain: chain.hash });
}
