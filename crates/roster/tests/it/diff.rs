//! What changed.

use bailiwick_roster::diff;

use super::case::{parse, public, roster, text, with};

#[test]
fn equal_rosters_have_no_difference() {
    let d = diff(&roster(), &roster());
    assert!(d.is_empty() && d.lines().is_empty());
}

/// Every field of the format shows when it changes, alone.
#[test]
fn each_field_shows() {
    for (old, new, line) in [
        ("name = \"test\"", "name = \"other\"", "roster: name \"test\" -> \"other\""),
        ("number = 1", "number = 2", "roster: number \"1\" -> \"2\""),
        ("role = \"host\"", "role = \"prober\"", "changed: \"Tokyo 1\": role \"host\" -> \"prober\""),
        ("provider = \"Cloud\"\n", "", "changed: \"Tokyo 1\": provider \"Cloud\" -> nothing"),
        ("site = \"Tokyo\"", "site = \"Osaka\"", "changed: \"Tokyo 1\": site \"Tokyo\" -> \"Osaka\""),
        ("35689500", "34693700", "changed: \"Tokyo 1\": latitude_microdeg \"35689500\" -> \"34693700\""),
        ("139691700", "135502300", "changed: \"Tokyo 1\": longitude_microdeg \"139691700\" -> \"135502300\""),
        ("country = \"JP\"", "country = \"CN\"", "changed: \"Tokyo 1\": country \"JP\" -> \"CN\""),
        ("law = \"EU\"", "law = \"DE\"", "changed: \"Alice\": law \"EU\" -> \"DE\""),
        (
            "parent = \"Cloud Holdings\"",
            "parent = \"New\"",
            "changed: \"Tokyo 1\": parent \"Cloud Holdings\" -> \"New\"",
        ),
        ("parent_law = \"US\"", "parent_law = \"IE\"", "changed: \"Tokyo 1\": parent_law \"US\" -> \"IE\""),
        ("[\"Vendor\"]", "[]", "changed: \"Tokyo 1\": pushes_code \"\\\"Vendor\\\"\" -> nothing"),
        (
            "valid_from = 2026-12-01",
            "valid_from = 2026-12-02",
            "changed: \"Tokyo 1\": valid_from \"2026-12-01T00:00:00Z\" -> \"2026-12-02T00:00:00Z\"",
        ),
    ] {
        let d = diff(&roster(), &parse(&with(old, new)).unwrap());
        assert_eq!(d.lines(), [line]);
    }
    let d = diff(&roster(), &parse(&text().replace(&public(1), &public(3))).unwrap());
    let old_key = format!("ed25519 {}", public(1));
    assert_eq!(d.changed[0].fields[0].old.as_deref(), Some(old_key.as_str()));
    assert_eq!(d.lines().len(), 1);
}

#[test]
fn added_removed_and_moved_keys_show() {
    let renamed = parse(&with("name = \"Alice\"", "name = \"Bob\"")).unwrap();
    let lines = diff(&roster(), &renamed).lines();
    let moved = format!("key moved: ed25519 {} from \"Alice\" to \"Bob\"", public(2));
    assert_eq!(lines, ["added: owner \"Bob\"", "removed: owner \"Alice\"", moved.as_str()]);
}

/// The machine-readable form has every part, empty or not.
#[test]
fn json_has_every_part() {
    let d = diff(&roster(), &parse(&with("law = \"EU\"", "law = \"DE\"")).unwrap());
    let json = serde_json::to_value(&d).unwrap();
    for part in ["roster", "added", "removed", "changed", "keys_moved"] {
        assert!(json.get(part).is_some_and(serde_json::Value::is_array), "{part}");
    }
    assert_eq!(json["changed"][0]["fields"][0]["new"], "DE");
}

/// T18: a name that looks like a verdict stays between quotation marks and starts no line.
#[test]
fn t18_names_that_look_like_verdicts_stay_quoted() {
    for name in ["PASS", "stored SUPPORTED", "РАЅЅ", "x: added", "a\\\" ok"] {
        let new = parse(&with("name = \"Alice\"", &format!("name = \"{name}\""))).unwrap();
        for line in diff(&roster(), &new).lines() {
            let word = line.split(' ').next().unwrap();
            assert!(["added:", "removed:", "key"].contains(&word), "{line}");
        }
    }
}
