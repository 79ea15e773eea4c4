//! Agreement with crate `drand-verify`, which is built on another implementation of the curve.

use bailiwick_beacon::{BeaconRound, QUICKNET};
use drand_verify::{G2PubkeyRfc, Pubkey as _};
use proptest::prelude::*;

use super::vectors::{published, quicknet, verifier};

fn oracle(round: &BeaconRound) -> bool {
    let key = G2PubkeyRfc::from_fixed(QUICKNET.public_key).unwrap();
    key.verify(round.round, b"", &round.signature).unwrap_or(false)
}

#[test]
fn both_accept_the_published_rounds() {
    for round in published("quicknet").1 {
        assert!(oracle(&round) && verifier().verify(&round).is_ok(), "{round:?}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 48, failure_persistence: None, ..ProptestConfig::default() })]

    /// P10: genuine signatures under any number near and far, the right one included.
    #[test]
    fn p10_both_agree_on_moved_signatures(
        from in prop::sample::select(vec![1u64, 123, 1000]),
        number in prop_oneof![1..3u64, 122..125u64, 999..1002u64, 1..=u64::MAX],
    ) {
        let round = BeaconRound { round: number, ..quicknet(from) };
        let ours = verifier().verify(&round).is_ok();
        prop_assert_eq!(ours, number == from);
        prop_assert_eq!(ours, oracle(&round));
    }

    /// P10: arbitrary bytes, most of them with flags a point may have.
    #[test]
    fn p10_both_refuse_arbitrary_signatures(
        mut signature in prop::array::uniform32(any::<u8>()),
        tail in prop::array::uniform16(any::<u8>()),
        flags in prop::sample::select(vec![0x80u8, 0xa0, 0xc0, 0x00]),
    ) {
        signature[0] = signature[0] & 0x1f | flags;
        let mut round = quicknet(1000);
        round.signature[..32].copy_from_slice(&signature);
        round.signature[32..].copy_from_slice(&tail);
        prop_assert!(verifier().verify(&round).is_err());
        prop_assert!(!oracle(&round));
    }
}
