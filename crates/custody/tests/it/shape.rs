//! Thresholds and numbers of custodians, on both sides.

use bailiwick_custody::{
    ATTRIBUTES_MAX, CUSTODIANS_MAX, CustodianSecretKey, DealError, DealOptions, DealingError, deal,
};
use bailiwick_protocol::codec::Canonical as _;
use bailiwick_protocol::limits::CUSTODY_DEALING_BYTES_MAX;

use super::case::{Case, FILE_KEY, context, custodian, rng, secret32};

fn dealt(n: usize, threshold: u16) -> Result<(), DealError> {
    let custodians: Vec<_> = (0..n)
        .map(|i| custodian(i, &CustodianSecretKey::generate(&mut rng(u8::try_from(i).unwrap()))))
        .collect();
    let options = DealOptions { context: context(), threshold, custodians: &custodians, hybrid: false };
    let made = deal(&options, &secret32(FILE_KEY), None, &mut rng(0));
    // What can be asked before anything is read or drawn says the same.
    assert_eq!(options.check().err(), made.as_ref().err().cloned());
    made?.dealing.verify().map(drop).map_err(DealError::from)
}

fn shape(threshold: u16, custodians: usize) -> Result<(), DealError> {
    Err(DealError::Shape(DealingError::Threshold { threshold, custodians }))
}

#[test]
fn t_of_zero_is_refused() {
    assert_eq!(dealt(3, 0), shape(0, 3));
}

#[test]
fn t_of_n_or_more_is_refused() {
    assert_eq!(dealt(3, 3), shape(3, 3));
    assert_eq!(dealt(3, 4), shape(4, 3));
    assert_eq!(dealt(2, 2), shape(2, 2));
}

#[test]
fn one_custodian_or_none_is_refused() {
    assert_eq!(dealt(1, 1), Err(DealError::Shape(DealingError::TooFew { found: 1 })));
    assert_eq!(dealt(1, 0), Err(DealError::Shape(DealingError::TooFew { found: 1 })));
    assert_eq!(dealt(0, 0), Err(DealError::Shape(DealingError::TooFew { found: 0 })));
}

#[test]
fn one_custodian_twice_is_refused() {
    let twice = custodian(0, &CustodianSecretKey::generate(&mut rng(0)));
    let custodians = [twice.clone(), custodian(1, &CustodianSecretKey::generate(&mut rng(1))), twice];
    let options = DealOptions { context: context(), threshold: 2, custodians: &custodians, hybrid: false };
    assert!(matches!(options.check(), Err(DealError::Shape(DealingError::DuplicateKey { .. }))));
    let made = deal(&options, &secret32(FILE_KEY), None, &mut rng(0));
    assert_eq!(made.err(), options.check().err());
}

#[test]
fn every_threshold_between_is_dealt() {
    for (n, t) in [(2, 1), (3, 1), (3, 2), (5, 3), (8, 7)] {
        assert_eq!(dealt(n, t), Ok(()), "{t} of {n}");
    }
}

/// A reader refuses what no dealer of ours makes.
#[test]
fn readers_refuse_the_same_shapes() {
    let case = Case::new(3, 2);
    for threshold in [0, 3, 4, u16::MAX] {
        let mut dealing = case.dealt.dealing.clone();
        dealing.threshold = threshold;
        let expected = DealingError::Threshold { threshold, custodians: 3 };
        assert_eq!(dealing.verify().unwrap_err(), expected);
    }
    let mut dealing = case.dealt.dealing.clone();
    dealing.custodians.truncate(1);
    assert_eq!(dealing.verify().unwrap_err(), DealingError::TooFew { found: 1 });
}

#[test]
fn two_custodians_with_one_name_are_refused() {
    let mut dealing = Case::new(3, 2).dealt.dealing;
    dealing.custodians[2].name = dealing.custodians[0].name.clone();
    assert_eq!(dealing.verify().unwrap_err(), DealingError::DuplicateName("Notary 0".into()));
}

/// The largest dealing fits an envelope; one more custodian is refused on both sides.
#[test]
fn the_most_custodians() {
    assert_eq!(dealt(CUSTODIANS_MAX, 65), Ok(()));
    assert_eq!(
        dealt(CUSTODIANS_MAX + 1, 65),
        Err(DealError::Shape(DealingError::TooMany { found: CUSTODIANS_MAX + 1 }))
    );
}

/// Hybrid shares are large: what does not fit an envelope is refused when it is made, not when it is read.
#[test]
fn a_dealing_larger_than_an_envelope_holds_is_refused() {
    let custodians: Vec<_> = (0..CUSTODIANS_MAX)
        .map(|i| custodian(i, &CustodianSecretKey::generate(&mut rng(u8::try_from(i).unwrap()))))
        .collect();
    let make = |n: usize| {
        let custodians = &custodians[..n];
        let options = DealOptions { context: context(), threshold: 2, custodians, hybrid: true };
        deal(&options, &secret32(FILE_KEY), None, &mut rng(0))
    };
    assert!(matches!(make(CUSTODIANS_MAX), Err(DealError::TooLarge { .. })));
    let fits = make(110).unwrap();
    assert!(fits.dealing.to_bytes().len() <= CUSTODY_DEALING_BYTES_MAX);
    fits.dealing.verify().unwrap();
}

#[test]
fn names_and_attributes_have_bounds() {
    let key = CustodianSecretKey::generate(&mut rng(1));
    let others = [custodian(1, &CustodianSecretKey::generate(&mut rng(2)))];
    let changes: [fn(&mut bailiwick_custody::DealtCustodian); 7] = [
        |c| c.name.clear(),
        |c| c.name = "x".repeat(265),
        |c| {
            c.attributes.insert(String::new());
        },
        |c| c.name = "Notary 0\nroster names the same".into(),
        |c| c.name = "Notary\u{202e}0".into(),
        |c| {
            c.attributes.insert("JP\u{a0}".into());
        },
        |c| c.attributes = (0..=ATTRIBUTES_MAX).map(|i| format!("firm:{i}")).collect(),
    ];
    for change in changes {
        let mut first = custodian(0, &key);
        change(&mut first);
        let custodians = [vec![first], others.to_vec()].concat();
        let options =
            DealOptions { context: context(), threshold: 1, custodians: &custodians, hybrid: false };
        let made = deal(&options, &secret32(FILE_KEY), None, &mut rng(0));
        assert!(matches!(made, Err(DealError::Text(_))));
        assert!(matches!(options.check(), Err(DealError::Text(_))));
    }
}
