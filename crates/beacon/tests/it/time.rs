//! Rounds and moments.

use bailiwick_beacon::{ChainInfo, QUICKNET, Round, TimeError};
use proptest::prelude::*;

fn at(unix_ms: u64) -> Result<u64, TimeError> {
    QUICKNET.round_at(unix_ms).map(Round::get)
}

fn due(round: u64) -> Result<u64, TimeError> {
    QUICKNET.published_at(Round::new(round).unwrap())
}

/// Round 1 is published at genesis, the next one a period later (drand's `TimeOfRound` and `CurrentRound`).
#[test]
fn rounds_begin_at_genesis() {
    let genesis = 1_692_803_367_000;
    assert_eq!(due(1), Ok(genesis));
    assert_eq!(due(2), Ok(genesis + 3000));
    assert_eq!(at(genesis), Ok(1));
    assert_eq!(at(genesis + 2999), Ok(1));
    assert_eq!(at(genesis + 3000), Ok(2));
    // 2026-11-22T00:00:00Z is 102,502,233 s after genesis.
    assert_eq!(at(1_795_305_600_000), Ok(102_502_233 / 3 + 1));
}

/// P08: no round exists before genesis.
#[test]
fn p08_before_genesis_there_is_no_round() {
    let genesis_ms = 1_692_803_367_000;
    assert_eq!(at(genesis_ms - 1), Err(TimeError::BeforeGenesis { at_ms: genesis_ms - 1, genesis_ms }));
    assert_eq!(at(genesis_ms), Ok(1));
}

#[test]
fn arithmetic_at_the_ends_is_checked() {
    assert!(at(u64::MAX).is_ok());
    assert_eq!(due(u64::MAX), Err(TimeError::Overflow { round: u64::MAX }));
    assert_eq!(Round::new(0), Err(TimeError::RoundZero));
    let last = at(u64::MAX).unwrap();
    assert!(due(last).is_ok());
    assert_eq!(due(last + 1), Err(TimeError::Overflow { round: last + 1 }));
    let still = ChainInfo { period: 0, ..QUICKNET };
    assert_eq!(still.round_at(u64::MAX), Err(TimeError::Period));
    let late = ChainInfo { genesis: u64::MAX, ..QUICKNET };
    assert_eq!(late.round_at(u64::MAX), Err(TimeError::Overflow { round: 1 }));
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn the_round_of_a_moment_is_published_and_the_next_is_not(
        unix_ms in 1_692_803_367_000..u64::MAX / 2,
        period in 1..=u32::MAX,
    ) {
        let chain = ChainInfo { period, ..QUICKNET };
        let round = chain.round_at(unix_ms).unwrap();
        prop_assert!(chain.published_at(round).unwrap() <= unix_ms);
        let next = Round::new(round.get() + 1).unwrap();
        prop_assert!(chain.published_at(next).unwrap() > unix_ms);
    }

    #[test]
    fn a_round_is_the_one_of_the_moment_it_is_published(round in 1..=1u64 << 40) {
        prop_assert_eq!(at(due(round).unwrap()), Ok(round));
    }
}
