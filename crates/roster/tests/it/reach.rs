//! Which jurisdictions reach whom, by every path.

use std::collections::BTreeSet;

use bailiwick_roster::{Attribute, Blocs, Jurisdiction, Reach, Roster, own_reach};

use super::case::{parse, roster, with};

fn j(text: &str) -> Jurisdiction {
    text.parse().unwrap()
}

fn reach(r: &Roster, name: &str) -> Reach {
    r.reach(r.principal(name).unwrap(), &Blocs::shipped()).unwrap()
}

fn set(names: &[&str]) -> BTreeSet<Jurisdiction> {
    names.iter().map(|n| j(n)).collect()
}

#[test]
fn soil_law_parent_firms_blocs_and_pushers_all_reach() {
    let r = roster();
    let found = reach(&r, "Tokyo 1");
    let own = [
        "JP",
        "list:EU-adequate",
        "US",
        "bloc:Five-Eyes",
        "bloc:US-with-territories",
        "list:CLOUD-Act-agreements",
        "firm:Cloud",
        "firm:Cloud Holdings",
    ];
    let pushed = ["CN", "bloc:CN-with-SARs"];
    assert_eq!(found.jurisdictions(), set(&[&own[..], &pushed[..]].concat()));
    assert_eq!(own_reach(r.principal("Tokyo 1").unwrap(), &Blocs::shipped()).jurisdictions(), set(&own));
    assert!(found.powers().all(Jurisdiction::is_power));
    assert_eq!(found.powers().count(), 8);
    let attributes = |name| found.reasons(&j(name)).iter().map(|r| r.attribute).collect::<Vec<_>>();
    assert_eq!(attributes("JP"), [Attribute::Country]);
    assert_eq!(attributes("US"), [Attribute::Law, Attribute::ParentLaw]);
    assert_eq!(attributes("firm:Cloud Holdings"), [Attribute::Parent]);
    assert!(found.reasons(&j("RU")).is_empty());
}

#[test]
fn reasons_say_the_path() {
    let found = reach(&roster(), "Tokyo 1");
    let shown = |name| found.reasons(&j(name)).iter().map(ToString::to_string).collect::<Vec<_>>();
    assert_eq!(shown("JP"), ["country"]);
    assert_eq!(
        shown("bloc:Five-Eyes"),
        ["member US as law of the operator", "member US as law of the parent"]
    );
    assert_eq!(
        shown("CN"),
        [
            "country of \"Vendor\", which pushes code to it",
            "law of the operator of \"Vendor\", which pushes code to it"
        ]
    );
}

/// A vendor's vendor reaches the host, circles end, and the shortest path is the one shown.
#[test]
fn pushers_of_pushers_reach_and_circles_end() {
    let chain = r#"
[[principal]]
name = "Far"
role = "vendor"
country = "RU"
law = "RU"
pushes_code = ["Tokyo 1", "Vendor"]
"#;
    let text =
        with("country = \"CN\"\nlaw = \"CN\"", "country = \"CN\"\nlaw = \"CN\"\npushes_code = [\"Far\"]")
            + chain;
    let r = parse(&text).unwrap();
    let found = reach(&r, "Tokyo 1");
    let paths: Vec<_> = found.reasons(&j("RU")).iter().map(|r| r.pushers.clone()).collect();
    assert_eq!(paths, [["Vendor", "Far"], ["Vendor", "Far"]]);
    assert_eq!(
        found.reasons(&j("RU"))[0].to_string(),
        "country of \"Far\", which pushes code to \"Vendor\", which pushes code to it"
    );
    assert!(reach(&r, "Vendor").contains(&j("US")), "through Far, to whom Tokyo 1 pushes");
    assert!(!reach(&r, "Alice").contains(&j("RU")));
}

/// HK and MO are reached as the bloc they are listed in; EU law is its own and the bloc's.
#[test]
fn regions_and_the_union() {
    let r = parse(&with("country = \"JP\"", "country = \"HK\"")).unwrap();
    let found = reach(&r, "Tokyo 1");
    assert!(found.contains(&j("HK")) && found.contains(&j("bloc:CN-with-SARs")));
    let alice = reach(&roster(), "Alice").jurisdictions();
    assert_eq!(alice, set(&["DE", "EU", "bloc:European-Union", "list:EEA"]));
}

/// The counts of the custody test: whom each jurisdiction reaches.
#[test]
fn reached_counts_principals_once() {
    let r = roster();
    let all = r.reached(&r.principals, &Blocs::shipped()).unwrap();
    assert_eq!(all[&j("CN")], BTreeSet::from(["Tokyo 1", "Vendor"]));
    assert_eq!(all[&j("US")], BTreeSet::from(["Tokyo 1"]));
    assert_eq!(all[&j("EU")], BTreeSet::from(["Alice"]));
    assert!(!all.contains_key(&j("RU")));
}

/// Other memberships than the roster was made with judge nothing.
#[test]
fn other_blocs_are_refused() {
    let r = roster();
    let mut other = Blocs::shipped();
    other.number += 1;
    let p = r.principal("Alice").unwrap();
    assert_eq!(r.reach(p, &other).unwrap_err().found, other.digest());
    assert!(r.reached(&r.principals, &other).is_err());
}

#[test]
fn jurisdictions_have_one_text() {
    for name in ["JP", "EU", "bloc:Five-Eyes", "list:EEA", "firm:Cloud: the second"] {
        assert_eq!(j(name).to_string(), name);
    }
    for bad in ["", "jp", "XX", "bloc:", "nation:FR", "firm:a\nb", "FR:", ":FR"] {
        assert!(bad.parse::<Jurisdiction>().is_err(), "{bad:?}");
    }
    // A bloc and a firm of one name are two things.
    assert_ne!(j("bloc:EEA"), j("firm:EEA"));
}
