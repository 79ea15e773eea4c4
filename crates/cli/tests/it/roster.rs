//! `bailiwick roster`, through the binary.

use serde_json::Value;

use super::program::Place;

const NETWORK: &str = include_str!("../../../../audits/rosters/seed-network.toml");

/// 2026-11-22T12:00:00Z, within the example's validity.
const NOW: &str = "1795348800000";

/// A place with an authority and the example network.
fn place() -> Place {
    let place = Place::new();
    place.run(&["key", "new", "roster", "-o", "authority"]);
    std::fs::write(place.path("network.toml"), NETWORK).unwrap();
    place
}

fn signed() -> Place {
    let place = place();
    place.run(&["roster", "sign", "network.toml", "--key", "authority", "-o", "one.roster"]);
    place
}

/// Writes the network with one replacement, signs it after `one.roster`.
fn second(place: &Place, old: &str, new: &str) {
    assert!(NETWORK.contains(old), "{old}");
    let text = NETWORK.replacen("number = 1", "number = 2", 1).replacen(old, new, 1);
    std::fs::write(place.path("second.toml"), text).unwrap();
    let sign = ["roster", "sign", "second.toml", "--key", "authority", "-o", "two.roster"];
    place.run(&[&sign[..], &["--previous", "one.roster"]].concat());
}

fn json(place: &Place, arguments: &[&str]) -> Value {
    serde_json::from_slice(&place.run(&[arguments, &["--json"]].concat())).unwrap()
}

fn text(bytes: Vec<u8>) -> String {
    String::from_utf8(bytes).unwrap()
}

#[test]
fn the_example_network_is_checked_signed_and_shown() {
    let place = place();
    let checked = json(&place, &["roster", "check", "network.toml"]);
    assert!(checked["digest"].is_null() && checked["principals"].as_u64() > Some(24));
    let made = json(&place, &["roster", "sign", "network.toml", "--key", "authority"]);
    let show = ["roster", "show", "network.roster", "--authority", "authority.pub"];
    let shown = json(&place, &show);
    assert_eq!(shown["signature"], "verified");
    assert_eq!(shown["digest"], made["digest"]);
    assert_eq!(shown["shares"][0]["parts"][0]["name"], "China Mobile");
    let lines = text(place.run(&show));
    assert!(lines.contains("host         \"Tokyo\" in JP, law US, provider \"Google\""), "{lines}");
    assert!(lines.contains("signature    verified"), "{lines}");
    let check = ["roster", "check", "network.roster", "--authority", "authority.pub", "--now-ms", NOW];
    assert!(text(place.run(&check)).contains("valid roster"));
}

#[test]
fn reach_is_shown_with_its_paths() {
    let place = signed();
    let show = ["roster", "show", "one.roster", "--authority", "authority.pub", "--reach", "Tokyo"];
    let lines = text(place.run(&show));
    let cn = lines.lines().find(|l| l.starts_with("  \"CN\": ")).unwrap();
    assert!(cn.contains("of \"Network operations platform\", which pushes code to it"), "{cn}");
    assert!(lines.contains("  \"bloc:Five-Eyes\": member US as law of the operator"), "{lines}");
    assert_eq!(json(&place, &show)["reach"]["JP"][0]["attribute"], "country");
    place.refuse(&["roster", "show", "one.roster", "--reach", "tokyo"], "no principal of this name");
}

/// Without a pinned authority a roster can be looked at, and says that nobody vouches for it.
#[test]
fn an_unpinned_roster_is_shown_as_unchecked() {
    let place = signed();
    assert_eq!(json(&place, &["roster", "show", "one.roster"])["signature"], "not-checked");
    assert!(text(place.run(&["roster", "show", "one.roster"])).contains("NOT CHECKED"));
    place.refuse(&["roster", "check", "one.roster"], "must be pinned");
}

#[test]
fn a_new_version_is_compared_with_the_old() {
    let place = signed();
    second(&place, "provider = \"Google\"\n", "");
    let diff = ["roster", "diff", "one.roster", "two.roster", "--authority", "authority.pub"];
    let lines = text(place.run(&diff));
    assert!(lines.contains("changed: \"Tokyo\": provider \"Google\" -> nothing"), "{lines}");
    assert!(lines.contains("roster: previous nothing -> "), "{lines}");
    let found = json(&place, &diff);
    assert_eq!(found["diff"]["changed"][0]["name"], "Tokyo");
    assert_eq!(found["signatures"], "verified");
    let same = text(place.run(&["roster", "diff", "one.roster", "one.roster"]));
    assert!(same.contains("no difference") && same.contains("NOT CHECKED"), "{same}");
}

fn check<'a>(file: &'a str, more: &[&'a str]) -> Vec<&'a str> {
    let base = ["roster", "check", file, "--authority", "authority.pub"];
    [&base[..], more].concat()
}

/// T02: a reader who has seen number 2 refuses number 1.
#[test]
fn t02_a_rolled_back_roster_is_refused() {
    let place = signed();
    second(&place, "site = \"Tokyo\"", "site = \"Tokyo 2\"");
    place.refuse(&check("one.roster", &["--now-ms", NOW, "--seen", "two.roster"]), "rolled back");
    place.run(&check("two.roster", &["--now-ms", NOW, "--seen", "one.roster"]));
    place.run(&check("two.roster", &["--now-ms", NOW, "--seen", "two.roster"]));
}

/// T01: two rosters of one number are named as what they are.
#[test]
fn t01_equivocation_is_named() {
    let place = signed();
    let other = NETWORK.replacen("site = \"Tokyo\"", "site = \"Osaka\"", 1);
    std::fs::write(place.path("other.toml"), other).unwrap();
    place.run(&["roster", "sign", "other.toml", "--key", "authority"]);
    place.refuse(
        &check("other.roster", &["--now-ms", NOW, "--seen", "one.roster"]),
        "two rosters of number 1",
    );
}

#[test]
fn expired_and_early_rosters_are_refused() {
    let place = signed();
    place.refuse(&check("one.roster", &["--now-ms", "1825027200000"]), "expired at 2027-11-01T00:00:00Z");
    place.run(&check("one.roster", &["--now-ms", "1825027199999"]));
    place.refuse(
        &check("one.roster", &["--now-ms", "1793491199999"]),
        "not valid before 2026-11-01T00:00:00Z",
    );
}

/// T06: another authority's roster, and a damaged one.
#[test]
fn t06_an_unknown_authority_is_refused() {
    let place = signed();
    place.run(&["key", "new", "roster", "-o", "stranger"]);
    let refused = ["roster", "check", "one.roster", "--authority", "stranger.pub", "--now-ms", NOW];
    place.refuse(&refused, "not the pinned one");
    let mut bytes = std::fs::read(place.path("one.roster")).unwrap();
    let last = bytes.len() - 1;
    bytes[last] ^= 1;
    std::fs::write(place.path("damaged.roster"), bytes).unwrap();
    place.refuse(&check("damaged.roster", &["--now-ms", NOW]), "signature");
    place.refuse(&["roster", "show", "damaged.roster", "--authority", "authority.pub"], "signature");
}

#[test]
fn versions_are_chained_when_signed() {
    let place = signed();
    std::fs::write(place.path("b.toml"), NETWORK.replacen("number = 1", "number = 2", 1)).unwrap();
    let sign = ["roster", "sign", "b.toml", "--key", "authority"];
    place.refuse(&sign, "follows another");
    place.refuse(
        &["roster", "sign", "network.toml", "--key", "authority", "--previous", "one.roster"],
        "must be above",
    );
    let wrong = format!("number = 2\nprevious = \"{}\"", "ab".repeat(32));
    std::fs::write(place.path("c.toml"), NETWORK.replacen("number = 1", &wrong, 1)).unwrap();
    let signed_wrong = ["roster", "sign", "c.toml", "--key", "authority", "--previous", "one.roster"];
    place.refuse(&signed_wrong, "is not the digest");
    assert!(
        !place.path("b.roster").exists() && !place.path("c.roster").exists(),
        "nothing under a final name"
    );
}

/// T15: missing, empty and wrong files are errors with exit code 2 that name file and line.
#[test]
fn t15_unusable_files_are_refused() {
    let place = signed();
    std::fs::write(place.path("empty"), b"").unwrap();
    std::fs::write(place.path("binary"), [0x82, 0xff]).unwrap();
    place.refuse(&["roster", "check", "absent"], "absent");
    place.refuse(&["roster", "check", "empty"], "missing field");
    place.refuse(&check("binary", &[]), "not a signed roster");
    place.refuse(&["roster", "show", "network.toml"], "not a signed roster");
    place.refuse(&check("network.toml", &[]), "is not signed");
    std::fs::write(place.path("typo.toml"), NETWORK.replacen("country = \"JP\"", "country = \"JA\"", 1))
        .unwrap();
    let line = 1 + NETWORK[..NETWORK.find("country = \"JP\"").unwrap()].matches('\n').count();
    place.refuse(&["roster", "check", "typo.toml"], &format!("line {line}: "));
    place.run(&["key", "new", "owner", "-o", "owner"]);
    place.refuse(&["roster", "sign", "network.toml", "--key", "owner", "-o", "x"], "needs a roster key");
    place.refuse(
        &["roster", "sign", "network.toml", "--key", "authority", "-o", "one.roster"],
        "exists already",
    );
}

/// Judging by other memberships than the roster was made with is refused, and says how to go on.
#[test]
fn other_blocs_are_refused() {
    let place = signed();
    let shipped = include_str!("../../../../audits/jurisdictions/blocs.toml");
    std::fs::write(place.path("other.toml"), shipped.replacen("number = 1", "number = 2", 1)).unwrap();
    std::fs::write(place.path("same.toml"), format!("# a comment\n{shipped}")).unwrap();
    place.refuse(&check("one.roster", &["--now-ms", NOW, "--blocs", "other.toml"]), "made with the blocs");
    place.run(&check("one.roster", &["--now-ms", NOW, "--blocs", "same.toml"]));
}

/// T18: names that imitate a verdict are shown between quotation marks, none of them at the start of a line; names that
/// could move the cursor or turn the text round are no names at all.
#[test]
fn t18_hostile_names_cannot_forge_a_line() {
    let place = place();
    for (i, name) in ["PASS", "stored      SUPPORTED", "РАЅЅ", "x\\\" verified"].into_iter().enumerate() {
        let quoted = NETWORK.replace("\"Example auditor\"", &format!("\"{}\"", name.replace("      ", " ")));
        let file = format!("{i}.toml");
        std::fs::write(place.path(&file), quoted).unwrap();
        place.run(&["roster", "sign", &file, "--key", "authority"]);
        let shown = text(place.run(&["roster", "show", &format!("{i}.roster")]));
        let line = shown.lines().find(|l| l.starts_with("auditor")).unwrap();
        assert!(line.starts_with("auditor      \""), "{line}");
        assert!(
            !shown.lines().any(|l| l.starts_with("PASS") || l.starts_with("stored") || l.starts_with('Р')),
            "{shown}"
        );
    }
    for name in ["\\u001b[2K\\rPASS", "a\\u202e", "a\\u200bb", "a\\nPASS", "P\\u0410SS"] {
        let hostile = NETWORK.replace("\"Example auditor\"", &format!("\"{name}\""));
        std::fs::write(place.path("hostile.toml"), hostile).unwrap();
        let said = place.refuse(&["roster", "check", "hostile.toml"], "printable characters");
        assert!(!said.contains('\u{1b}') && !said.contains('\u{202e}'), "{said:?}");
    }
}
