//! Concentration.

use bailiwick_roster::ShareBy;

use super::case::{parse, text};

fn hosts() -> bailiwick_roster::Roster {
    let host = |n: u8, provider: &str, law: &str, parent: &str| {
        let keys =
            format!("keys = [{{ kind = \"ed25519\", public = \"{}\" }}]", super::case::public(100 + n));
        format!(
            "[[principal]]\nname = \"h{n}\"\nrole = \"host\"\n{keys}\n{provider}\ncountry = \"JP\"\nlaw = \"{law}\"\n{parent}\n"
        )
    };
    let rest = [
        host(1, "provider = \"A\"", "US", ""),
        host(2, "provider = \"A\"", "JP", "parent_law = \"US\""),
        host(3, "provider = \"B\"", "JP", ""),
        host(4, "", "CN", ""),
    ];
    parse(&(text() + &rest.concat())).unwrap()
}

fn parts(by: ShareBy, weights: &[(&str, u64)]) -> Vec<(Option<String>, u64, u32)> {
    let shares = hosts().shares(by, weights.iter().copied());
    shares.parts.into_iter().map(|p| (p.name, p.weight, p.basis_points)).collect()
}

fn named(name: &str, weight: u64, points: u32) -> (Option<String>, u64, u32) {
    (Some(name.to_owned()), weight, points)
}

#[test]
fn shares_by_each_attribute() {
    let w = [("h1", 1), ("h2", 1), ("h3", 1), ("h4", 1)];
    assert_eq!(parts(ShareBy::Provider, &w), [named("A", 2, 5000), (None, 1, 2500), named("B", 1, 2500)]);
    assert_eq!(parts(ShareBy::Law, &w), [named("JP", 2, 5000), named("CN", 1, 2500), named("US", 1, 2500)]);
    assert_eq!(
        parts(ShareBy::ParentLaw, &w),
        [named("US", 2, 5000), named("CN", 1, 2500), named("JP", 1, 2500)]
    );
    assert_eq!(parts(ShareBy::Country, &w), [named("JP", 4, 10_000)]);
}

#[test]
fn weights_count_and_shares_round_up() {
    let shares = hosts().shares(ShareBy::Provider, [("h1", 1), ("h3", 2)]);
    assert_eq!(shares.parts.iter().map(|p| p.basis_points).collect::<Vec<_>>(), [6667, 3334]);
    assert_eq!(shares.largest().unwrap().name.as_deref(), Some("B"));
}

/// What is unknown may belong to the largest: a host outside the roster cannot make a share look smaller.
#[test]
fn unknown_hosts_are_not_overlooked() {
    let shares = hosts().shares(ShareBy::Law, [("h1", 3), ("nobody", 5), ("h3", 2)]);
    assert_eq!(shares.parts[0].name, None);
    assert_eq!(shares.largest().unwrap().weight, 3);
    assert_eq!(shares.largest_possible(), 8);
}

#[test]
fn nothing_and_too_much_are_no_panic() {
    let none = hosts().shares(ShareBy::Law, []);
    assert_eq!((none.total, none.parts.len(), none.largest_possible()), (0, 0, 0));
    let zero = hosts().shares(ShareBy::Law, [("h1", 0)]);
    assert_eq!(zero.parts[0].basis_points, 0);
    let much = hosts().shares(ShareBy::Law, [("h1", u64::MAX), ("h3", u64::MAX)]);
    assert_eq!(much.total, u64::MAX);
}
