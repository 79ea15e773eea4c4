//! The test of constructions: can one power compel, or block?

use std::collections::BTreeSet;

use bailiwick_custody::JurisdictionTest;

fn set(attributes: &[&str]) -> BTreeSet<String> {
    attributes.iter().map(|a| (*a).to_owned()).collect()
}

fn test(threshold: usize, custodians: &[&[&str]]) -> JurisdictionTest {
    let sets: Vec<_> = custodians.iter().map(|a| set(a)).collect();
    JurisdictionTest::of(threshold, &sets)
}

#[test]
fn three_of_five_in_five_passes() {
    let t = test(3, &[&["JP"], &["CH"], &["NO"], &["BR"], &["ZA"]]);
    assert_eq!(t.verdict(), Some(true));
    assert!(t.powers.iter().all(|p| p.custodians.len() == 1));
}

/// n = 3, t = 2 in 3 is the smallest that passes.
#[test]
fn two_of_three_in_three_passes_and_one_of_two_does_not() {
    assert_eq!(test(2, &[&["JP"], &["CH"], &["NO"]]).verdict(), Some(true));
    assert_eq!(test(1, &[&["JP"], &["CH"]]).verdict(), Some(false), "any one can be compelled");
}

/// Two of five are within t - 1 and leave t; three are neither.
#[test]
fn the_bounds_are_exact() {
    assert_eq!(test(3, &[&["JP"], &["JP"], &["NO"], &["BR"], &["ZA"]]).verdict(), Some(true));
    let t = test(3, &[&["JP"], &["JP"], &["JP"], &["BR"], &["ZA"]]);
    assert_eq!(t.verdict(), Some(false));
    assert!(t.powers[0].compels && t.powers[0].blocks && t.powers[0].power == "JP");
    assert!(t.powers[1..].iter().all(|p| !p.compels && !p.blocks));
}

/// n - c = t - 1: blocks without compelling.
#[test]
fn a_power_can_block_without_compelling() {
    let t = test(4, &[&["JP"], &["JP"], &["NO"], &["BR"], &["ZA"]]);
    assert!(t.powers[0].blocks && !t.powers[0].compels);
    assert_eq!(t.verdict(), Some(false));
}

/// c = t <= n - t: compels without blocking.
#[test]
fn a_power_can_compel_without_blocking() {
    let t = test(2, &[&["JP"], &["JP"], &["NO"], &["BR"], &["ZA"]]);
    assert!(t.powers[0].compels && !t.powers[0].blocks);
    assert_eq!(t.verdict(), Some(false));
}

/// Soil in five countries, and one bloc (or one parent firm) behind three: any attribute counts.
#[test]
fn a_bloc_behind_several_countries_counts() {
    let t = test(
        3,
        &[&["JP", "firm:F"], &["CH", "bloc:B"], &["NO", "bloc:B"], &["BR", "bloc:B"], &["ZA", "firm:F"]],
    );
    assert_eq!(t.verdict(), Some(false));
    assert_eq!(t.powers[0].power, "bloc:B");
    assert_eq!(t.powers[0].custodians, [1, 2, 3]);
}

/// Custodians whose laws nobody wrote down are reached by no power that is counted, and pass nothing for that; known powers still fail.
#[test]
fn custodians_without_a_law_are_not_judged() {
    let nobody = test(3, &[&[], &[], &[], &[], &[]]);
    assert_eq!((nobody.verdict(), &nobody.without_law[..]), (None, &[0, 1, 2, 3, 4][..]));
    let sets: [&[&str]; 5] = [&["JP"], &["CH"], &["firm:F", "bloc:B", "Japan", "jp"], &["BR"], &["ZA"]];
    let one = test(3, &sets);
    assert_eq!((one.verdict(), &one.without_law[..]), (None, &[2][..]));
    assert_eq!(test(3, &[&["JP"], &["JP"], &["JP"], &[], &["ZA"]]).verdict(), Some(false));
    // Its twin with laws.
    let all = test(3, &[&["JP"], &["CH"], &["firm:F", "bloc:B", "EU"], &["BR"], &["ZA"]]);
    assert_eq!((all.verdict(), all.without_law.len()), (Some(true), 0));
}
