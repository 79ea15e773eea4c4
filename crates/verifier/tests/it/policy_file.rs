//! Policies: unknown keys and contradictions are errors that name the line.

use bailiwick_verifier::{Policy, PolicyError, explain};

use crate::world::POLICY;

fn line_of(e: &PolicyError) -> usize {
    let text = e.to_string();
    let digits: String =
        text.split("line ").nth(1).unwrap().chars().take_while(char::is_ascii_digit).collect();
    digits.parse().unwrap()
}

#[track_caller]
fn refused(text: &str, line: usize) -> PolicyError {
    let e = Policy::parse(text).unwrap_err();
    assert_eq!(line_of(&e), line, "{e}");
    e
}

#[test]
fn the_honest_policy_is_read() {
    let p = Policy::parse(POLICY).unwrap();
    assert_eq!(p.name, "test");
    assert_eq!(p.stored.unwrap().max_age_hours, 24);
}

#[test]
fn the_shipped_profile_is_read_and_requires_stored_only() {
    let p = Policy::parse(include_str!("../../../../audits/profiles/demo.toml")).unwrap();
    assert_eq!(p.require.into_iter().collect::<Vec<_>>(), [bailiwick_verifier::Claim::Stored]);
}

#[test]
fn unknown_keys_name_their_line() {
    let e = refused(&POLICY.replace("max_age_hours", "max_age_days"), 7);
    assert!(e.to_string().contains("max_age_days"), "{e}");
    refused(&format!("{POLICY}[resident]\nradius_km = 5\n"), 9);
    refused(&POLICY.replace("require = [\"stored\"]", "require = [\"stored\", \"legal\"]"), 3);
}

#[test]
fn missing_and_repeated_keys_are_refused() {
    assert!(Policy::parse(&POLICY.replace("max_age_hours = 24\n", "")).is_err());
    assert!(Policy::parse(&POLICY.replace("name = \"test\"\n", "")).is_err());
    assert!(Policy::parse(&format!("{POLICY}max_age_hours = 48\n")).is_err());
    assert!(Policy::parse("").is_err());
}

#[test]
fn contradictions_name_their_line() {
    let change = |from: &str, to: &str| POLICY.replace(from, to);
    assert!(matches!(refused(&change("[\"stored\"]", "[]"), 3), PolicyError::RequiresNothing { .. }));
    assert!(matches!(
        refused(&change("[\"stored\"]", "[\"stored\", \"stored\"]"), 3),
        PolicyError::Repeated { .. }
    ));
    let no_terms = "version = 1\nname = \"x\"\nrequire = [\"stored\"]\n";
    assert!(matches!(refused(no_terms, 3), PolicyError::MissingTerms { .. }));
    for bad in ["0.0", "-0.1", "1.5", "nan", "inf"] {
        refused(&change("lost_fraction = 0.5", &format!("lost_fraction = {bad}")), 5);
    }
    for bad in ["0.0", "1.0", "2.0", "nan"] {
        refused(&change("min_detection = 0.5", &format!("min_detection = {bad}")), 6);
    }
    refused(&change("max_age_hours = 24", "max_age_hours = 0"), 7);
    refused(&change("max_age_hours = 24", "max_age_hours = -1"), 7);
    refused(&format!("{POLICY}max_answer_seconds = 0\n"), 8);
    for key in ["hosts", "owners", "provenance"] {
        assert!(matches!(refused(&format!("{POLICY}{key} = []\n"), 8), PolicyError::NothingAllowed { .. }));
    }
    let host = "ab".repeat(32);
    refused(&format!("{POLICY}hosts = [\"{host}\", \"{host}\"]\n"), 8);
    refused(&format!("{POLICY}hosts = [\"{}\"]\n", host.to_uppercase()), 8);
    refused(&format!("{POLICY}provenance = [\"development\"]\n"), 8);
}

#[test]
fn names_and_fractions_of_the_limit_are_read_and_beyond_it_refused() {
    let named = |name: &str| POLICY.replace("\"test\"", &format!("\"{name}\""));
    for bad in ["", " ", "\u{3000}", &"ä".repeat(65)] {
        assert!(matches!(refused(&named(bad), 2), PolicyError::Name { .. }), "{bad:?}");
    }
    assert!(Policy::parse(&named(&"ä".repeat(64))).is_ok());
    let all = POLICY.replace("lost_fraction = 0.5", "lost_fraction = 1.0");
    assert_eq!(Policy::parse(&all).unwrap().stored.unwrap().lost_fraction, 1.0);
}

#[test]
fn other_versions_are_refused() {
    let e = refused(&POLICY.replace("version = 1", "version = 2"), 1);
    assert!(matches!(e, PolicyError::Version { found: 2, .. }));
}

/// T16: deep nesting, huge text, huge numbers.
#[test]
fn t16_hostile_policy_text_is_refused() {
    assert!(Policy::parse(&format!("a = {}", "[".repeat(100_000))).is_err());
    assert!(Policy::parse(&"a.".repeat(200_000)).is_err());
    assert!(matches!(Policy::parse(&" ".repeat((1 << 20) + 1)), Err(PolicyError::TooLong { .. })));
    refused(&POLICY.replace("24", "99999999999999999999999"), 7);
}

/// T18: the parser's message quotes the file; what it quotes must not reach the terminal raw.
#[test]
fn t18_errors_do_not_carry_control_characters() {
    let e = Policy::parse(&format!("{POLICY}\"\\u001b[2Jk\" = 1\n")).unwrap_err().to_string();
    assert!(!e.chars().any(char::is_control), "{e:?}");
    assert!(e.contains("\\u{1b}[2Jk"), "{e:?}");
    assert!(Policy::parse(&POLICY.replace("\"test\"", "\"a\\nb\"")).is_err());
}

#[test]
fn explained_in_plain_words() {
    let text = explain(&Policy::parse(POLICY).unwrap()).join("\n");
    for part in
        ["one claim: stored", "lost 50 %", "at least 50 %", "at most 24 hours old", "development key never"]
    {
        assert!(text.contains(part), "{part} is not in {text}");
    }
    assert!(!text.contains("must have come within"));
    let quick = explain(&Policy::parse(&format!("{POLICY}max_answer_seconds = 90\n")).unwrap()).join("\n");
    assert!(quick.contains("must have come within 1.5 min"), "{quick}");
    let more = POLICY.replace("[\"stored\"]", "[\"stored\", \"logged\"]")
        + "[logged]\nquorum = 1\nmax_checkpoint_age_hours = 24\n";
    assert!(explain(&Policy::parse(&more).unwrap()).join("\n").contains("makes the result inconclusive"));
}
