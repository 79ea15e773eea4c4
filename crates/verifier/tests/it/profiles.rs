//! The shipped profiles, each read and explained, and the contradictions a policy may hold.

use bailiwick_verifier::{Claim, Contradiction, Policy, PolicyError, explain};

use crate::world::POLICY;

const PROFILES: [(&str, &str); 4] = [
    ("demo", include_str!("../../../../audits/profiles/demo.toml")),
    ("bsn-international", include_str!("../../../../audits/profiles/bsn-international.toml")),
    ("eu-transfer", include_str!("../../../../audits/profiles/eu-transfer.toml")),
    ("strict", include_str!("../../../../audits/profiles/strict.toml")),
];

#[test]
fn every_shipped_profile_is_read_and_explained() {
    for (name, text) in PROFILES {
        let p = Policy::parse(text).unwrap_or_else(|e| panic!("{name}: {e}"));
        assert_eq!(p.name, name);
        let words = explain(&p).join("\n");
        for claim in &p.require {
            assert!(words.contains(claim.name()), "{name}: {claim} is not explained");
        }
        assert!(!words.chars().any(|c| c.is_control() && c != '\n'));
    }
}

#[test]
fn bsn_international_keeps_keys_from_the_operators_law() {
    let p = Policy::parse(PROFILES[1].1).unwrap();
    let laws = p.keys.as_ref().unwrap().forbidden_laws.iter().map(ToString::to_string).collect::<Vec<_>>();
    assert_eq!(laws, ["CN", "HK", "MO"]);
    let words = explain(&p).join("\n");
    assert!(words.contains("keys: none of these laws may reach anyone who holds a key"), "{words}");
    assert!(words.contains("missing one refutes"), "{words}");
    // V29: not the auditor's clock alone; V32a: what scope `object` needs.
    assert!(words.contains("by the clocks of the log\u{2019}s witnesses"), "{words}");
    assert!(words.contains("every object of a host\u{2019}s newest inventory"), "{words}");
    // V32: `max_age_hours` is about hosts; what is named may have been sampled before.
    assert!(
        words.contains("of an owner or object that is named, the newest sample that held at most 30 days"),
        "{words}"
    );
    assert!(!explain(&Policy::parse(PROFILES[2].1).unwrap()).join(" ").contains("newest inventory"));
}

#[test]
fn eu_transfer_names_the_laws_that_may_hold_keys() {
    let p = Policy::parse(PROFILES[2].1).unwrap();
    let laws = p.keys.unwrap().allowed_laws.unwrap();
    // 30 states of the EEA, the Union, and 11 adequate countries.
    assert_eq!(laws.len(), 42);
    assert!(!laws.iter().any(|l| ["US", "CN", "JP"].contains(&l.as_str())));
}

#[test]
fn strict_requires_all_seven_claims_and_says_it_cannot_be_met() {
    let p = Policy::parse(PROFILES[3].1).unwrap();
    assert_eq!(p.require.len(), Claim::ALL.len());
    assert!(explain(&p).join("\n").contains("can be refuted and cannot be supported"));
}

#[track_caller]
fn contradicts(text: &str, line: usize) -> Contradiction {
    match Policy::parse(text).unwrap_err() {
        PolicyError::Contradiction { line: found, why } => {
            assert_eq!(found, line, "{why}");
            why
        }
        other => panic!("{other}"),
    }
}

/// Lines 1 to 7 are the honest policy.
fn with(more: &str) -> String {
    format!("{POLICY}{more}")
}

#[test]
fn a_country_or_law_both_allowed_and_forbidden_is_a_contradiction() {
    for section in ["data", "keys"] {
        let good = format!("[{section}]\nallowed_countries = [\"JP\"]\nforbidden_countries = [\"CN\"]\n");
        assert!(Policy::parse(&with(&good)).is_ok());
        let why = contradicts(&with(&good.replace("CN", "JP")), 9);
        assert!(matches!(why, Contradiction::Country { .. }));
        let laws = format!("[{section}]\nforbidden_laws = [\"EU\"]\nallowed_laws = [\"FR\", \"EU\"]\n");
        assert!(matches!(contradicts(&with(&laws), 10), Contradiction::Law { .. }));
        // Soil reaches as a law does.
        let soil = format!("[{section}]\nallowed_countries = [\"CN\", \"JP\"]\nforbidden_laws = [\"CN\"]\n");
        assert!(Policy::parse(&with(&soil)).is_ok());
        let why = contradicts(&with(&soil.replace(", \"JP\"", "")), 9);
        assert!(matches!(why, Contradiction::CountriesUnderForbiddenLaws { .. }));
        assert!(matches!(
            contradicts(&with(&format!("[{section}]\n")), 3),
            Contradiction::EmptySection { .. }
        ));
    }
}

#[test]
fn detection_that_no_class_reaches_is_a_contradiction() {
    let small = POLICY.replace("lost_fraction = 0.5", "lost_fraction = 0.001");
    assert!(Policy::parse(&small).is_ok());
    let why = contradicts(&small.replace("min_detection = 0.5", "min_detection = 0.7"), 6);
    assert!(why.to_string().contains("noticed with 64.1"), "{why}");
    assert!(matches!(contradicts(&with("min_detection_month = 0.4\n"), 8), Contradiction::MonthBelowAudit));
    assert!(Policy::parse(&with("min_detection_month = 0.99\nepochs = 30\n")).is_ok());
}

/// P15: 43,200 audits of 1,024 samples notice the loss of one cell in a thousand million with 4.3 %.
#[test]
fn detection_that_no_month_reaches_is_a_contradiction() {
    let rare = POLICY
        .replace("lost_fraction = 0.5", "lost_fraction = 0.000000001")
        .replace("min_detection = 0.5", "min_detection = 0.000001");
    assert!(Policy::parse(&format!("{rare}min_detection_month = 0.0432\n")).is_ok());
    let more = format!("{rare}min_detection_month = 0.0434\n");
    assert!(matches!(contradicts(&more, 8), Contradiction::MonthUnreachable));
}

#[test]
fn freshness_shorter_than_the_epoch_is_a_contradiction() {
    assert!(Policy::parse(&with("epochs = 30\n")).is_ok());
    assert!(matches!(
        contradicts(&with("epochs = 29\n"), 7),
        Contradiction::FreshnessShorterThanEpoch { .. }
    ));
    let logged = "epochs = 30\n[logged]\nquorum = 1\nmax_checkpoint_age_hours = 24\n";
    assert!(Policy::parse(&with(logged)).is_ok());
    let why = contradicts(&with(&logged.replace("hours = 24", "hours = 23")), 11);
    assert!(matches!(why, Contradiction::CheckpointShorterThanEpoch { .. }));
}

#[test]
fn a_required_claim_without_its_section_is_an_error() {
    for claim in Claim::ALL.iter().filter(|c| **c != Claim::Stored) {
        let text = POLICY.replace("[\"stored\"]", &format!("[\"stored\", \"{claim}\"]"));
        assert!(
            matches!(Policy::parse(&text), Err(PolicyError::MissingTerms { line: 3, claim: c }) if c == *claim)
        );
    }
}

#[test]
fn what_must_outlive_a_law_cannot_lie_under_one() {
    let text = "[survivable]\nlose = [\"law\"]\n[data]\nallowed_laws = [\"FR\", \"JP\"]\n";
    assert!(Policy::parse(&with(text)).is_ok());
    let one = text.replace("\"FR\", ", "");
    assert!(matches!(contradicts(&with(&one), 9), Contradiction::NothingLeft { section: "data", .. }));
    let keys = one.replace("[data]", "[keys]");
    assert!(matches!(
        contradicts(&with(&keys), 9),
        Contradiction::NothingLeft { section: "keys", power: "law" }
    ));
    // Another kind of power leaves the one law alone; its own does not.
    assert!(Policy::parse(&with(&one.replace("[\"law\"]", "[\"country\"]"))).is_ok());
    let soil = text.replace("\"law\"", "\"country\"").replace("allowed_laws", "allowed_countries");
    assert!(Policy::parse(&with(&soil)).is_ok());
    let why = contradicts(&with(&soil.replace("\"FR\", ", "")), 9);
    assert!(matches!(why, Contradiction::NothingLeft { section: "data", power: "country" }));
}

#[test]
fn recipients_forbidden_and_allowed_is_a_contradiction() {
    let text =
        "[keys]\nallowed_laws = [\"FR\"]\n[opaque]\nopened_by = [\"auditor\"]\nforbidden_laws = [\"CN\"]\n";
    assert!(Policy::parse(&with(text)).is_ok());
    assert!(matches!(
        contradicts(&with(&text.replace("CN", "FR")), 12),
        Contradiction::KeysAgainstOpaque { .. }
    ));
}

#[test]
fn objects_are_named_for_claims_with_terms_and_owners_that_count() {
    let (owner, other) = ("ab".repeat(32), "cd".repeat(32));
    let object = format!("{owner}/{}", "01".repeat(16));
    let rule = format!("[[objects]]\nclaims = [\"stored\"]\nobjects = [\"{object}\"]\n");
    let p = Policy::parse(&with(&rule)).unwrap();
    assert!(p.counts(Claim::Stored, &owner.parse().unwrap(), &"01".repeat(16).parse().unwrap()));
    assert!(!p.counts(Claim::Stored, &owner.parse().unwrap(), &"02".repeat(16).parse().unwrap()));
    assert!(p.counts(Claim::Opaque, &other.parse().unwrap(), &"02".repeat(16).parse().unwrap()));
    let why = contradicts(&with(&rule.replace("\"stored\"", "\"opaque\"")), 9);
    assert!(matches!(why, Contradiction::ObjectsWithoutTerms { claim: Claim::Opaque }));
    let other = format!("owners = [\"{other}\"]\n{rule}");
    assert!(matches!(contradicts(&with(&other), 11), Contradiction::ObjectOfUncountedOwner));
    assert!(Policy::parse(&with(&rule.replace(&object, "AB/CD"))).is_err());
    assert!(Policy::parse(&with("[[objects]]\nclaims = [\"stored\"]\n")).is_err());
}

#[test]
fn codes_that_do_not_exist_and_unknown_keys_name_their_line() {
    for (bad, line) in [
        ("[data]\nallowed_countries = [\"UK\"]\n", 9),
        ("[keys]\nforbidden_laws = [\"Mars\"]\n", 9),
        ("[keys]\nforbidden_blocs = [\"a\\u001bb\"]\n", 9),
        ("[logged]\nquorum = 0\nmax_checkpoint_age_hours = 1\n", 9),
        ("[logged]\nquorum = 1\nmax_checkpoint_age_hours = 1\nwitnesses = 4\n", 11),
        ("[opaque]\nopened_by = [\"host\"]\n", 9),
        ("[custody]\nno_single = []\n", 9),
        ("[served]\nmin_receipts = 1\nmin_good = 1.5\n", 10),
        ("epochs = 0\n", 8),
        ("epochs = 43201\n", 8),
        ("min_detection_month = 1.0\n", 8),
    ] {
        let e = Policy::parse(&with(bad)).unwrap_err().to_string();
        assert!(e.contains(&format!("line {line}:")), "{bad}: {e}");
        assert!(!e.chars().any(char::is_control), "{e:?}");
    }
}
