//! The mapping to controls: complete, well-formed, and never without what it cannot cover.

use std::collections::{BTreeMap, BTreeSet};

use bailiwick_verifier::Claim;
use serde::Deserialize;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    format: u64,
    framework: Vec<Framework>,
    check: Vec<Check>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Framework {
    id: String,
    title: String,
    edition: String,
    note: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Check {
    id: String,
    title: String,
    claims: Vec<String>,
    establishes: String,
    cannot_cover: String,
    controls: BTreeMap<String, Vec<String>>,
}

fn file() -> File {
    toml::from_str(include_str!("../../../../audits/controls/checks.toml")).unwrap()
}

#[test]
fn every_claim_and_every_check_is_mapped() {
    let file = file();
    assert_eq!(file.format, 1);
    let known: BTreeSet<&str> = Claim::ALL.iter().map(|c| c.name()).collect();
    let mapped: BTreeSet<&str> =
        file.check.iter().flat_map(|c| c.claims.iter().map(String::as_str)).collect();
    assert_eq!(mapped, known);
    let ids: Vec<&str> = file.check.iter().map(|c| c.id.as_str()).collect();
    assert_eq!(ids, ["R1", "R2", "R3", "R4", "R5", "R6", "S1", "S2"]);
    let readme = include_str!("../../../../audits/controls/README.md");
    assert!(ids.iter().all(|id| readme.contains(&format!("| {id} "))));
}

#[test]
fn every_check_says_what_it_cannot_cover() {
    for c in file().check {
        for text in [&c.title, &c.establishes, &c.cannot_cover] {
            assert!(text.len() > 10, "{}: {text:?}", c.id);
        }
        assert!(!c.claims.is_empty() && !c.controls.is_empty(), "{}", c.id);
    }
}

#[test]
fn controls_belong_to_a_described_framework_and_the_asked_for_ones_are_there() {
    let file = file();
    for f in &file.framework {
        assert!(!f.title.is_empty() && !f.edition.is_empty() && !f.note.is_empty(), "{}", f.id);
    }
    let frameworks: BTreeSet<&str> = file.framework.iter().map(|f| f.id.as_str()).collect();
    let mut used: BTreeMap<&str, BTreeSet<&str>> = BTreeMap::new();
    for (framework, controls) in file.check.iter().flat_map(|c| &c.controls) {
        assert!(frameworks.contains(framework.as_str()), "{framework}");
        assert!(!controls.is_empty());
        used.entry(framework).or_default().extend(controls.iter().map(String::as_str));
    }
    assert_eq!(used.keys().copied().collect::<BTreeSet<_>>(), frameworks, "a framework nobody maps to");
    for (framework, controls) in [
        (
            "nist-800-53",
            &["SA-9(5)", "SA-9(6)", "SA-9(8)", "SC-12", "SC-28", "CP-6", "CP-7", "CP-9", "AU-9", "AU-10"][..],
        ),
        ("csa-ccm", &["DSP-19"]),
        ("bsi-c5", &["PSS-12"]),
        ("edpb-01-2020", &["UC1", "UC3", "UC5"]),
    ] {
        assert!(controls.iter().all(|c| used[framework].contains(c)), "{framework}: {:?}", used[framework]);
    }
}
