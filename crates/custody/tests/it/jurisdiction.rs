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
    assert!(t.passes());
    assert!(t.powers.iter().all(|p| p.custodians.len() == 1));
}

/// n = 3, t = 2 in 3 is the smallest that passes.
#[test]
fn two_of_three_in_three_passes_and_one_of_two_does_not() {
    assert!(test(2, &[&["JP"], &["CH"], &["NO"]]).passes());
    assert!(!test(1, &[&["JP"], &["CH"]]).passes(), "any one can be compelled");
}

/// Two of five are within t - 1 and leave t; three are neither.
#[test]
fn the_bounds_are_exact() {
    assert!(test(3, &[&["JP"], &["JP"], &["NO"], &["BR"], &["ZA"]]).passes());
    let t = test(3, &[&["JP"], &["JP"], &["JP"], &["BR"], &["ZA"]]);
    assert!(!t.passes());
    assert!(t.powers[0].compels && t.powers[0].blocks && t.powers[0].power == "JP");
    assert!(t.powers[1..].iter().all(|p| !p.compels && !p.blocks));
}

/// n - c = t - 1: blocks without compelling.
#[test]
fn a_power_can_block_without_compelling() {
    let t = test(4, &[&["JP"], &["JP"], &["NO"], &["BR"], &["ZA"]]);
    assert!(t.powers[0].blocks && !t.powers[0].compels);
    assert!(!t.passes());
}

/// c = t <= n - t: compels without blocking.
#[test]
fn a_power_can_compel_without_blocking() {
    let t = test(2, &[&["JP"], &["JP"], &["NO"], &["BR"], &["ZA"]]);
    assert!(t.powers[0].compels && !t.powers[0].blocks);
    assert!(!t.passes());
}

/// Soil in five countries, and one bloc (or one parent firm) behind three: any attribute counts.
#[test]
fn a_bloc_behind_several_countries_counts() {
    let t = test(
        3,
        &[&["JP", "firm:F"], &["CH", "bloc:B"], &["NO", "bloc:B"], &["BR", "bloc:B"], &["ZA", "firm:F"]],
    );
    assert!(!t.passes());
    assert_eq!(t.powers[0].power, "bloc:B");
    assert_eq!(t.powers[0].custodians, [1, 2, 3]);
}
