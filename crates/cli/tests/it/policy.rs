//! `policy check` through the binary.

use std::fs;
use std::path::Path;

use serde_json::Value;

use super::program::Place;

fn profile(name: &str) -> String {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("../../audits/profiles")
        .join(format!("{name}.toml"))
        .to_str()
        .unwrap()
        .to_owned()
}

#[test]
fn shipped_profiles_are_explained() {
    let place = Place::new();
    for name in ["demo", "bsn-international", "eu-transfer", "strict"] {
        let out = place.try_run(&["policy", "check", &profile(name)]);
        assert_eq!(out.status.code(), Some(0), "{name}");
        let text = String::from_utf8(out.stdout).unwrap();
        assert!(text.starts_with(&format!("Policy \u{201c}{name}\u{201d}\n")), "{text}");
        let json = place.try_run(&["policy", "check", &profile(name), "--json"]);
        let value: Value = serde_json::from_slice(&json.stdout).unwrap();
        assert_eq!(value["name"], name);
        assert!(value["explained"].as_array().unwrap().len() > 3);
    }
}

/// T15: a policy that contradicts itself is an error that names the line, exit code 2.
#[test]
fn t15_contradictions_are_errors() {
    let place = Place::new();
    let good = "version = 1\nname = \"x\"\nrequire = [\"stored\"]\n[stored]\nlost_fraction = 0.5\nmin_detection = 0.9\nmax_age_hours = 24\n";
    for (text, line) in [
        (format!("{good}[data]\nallowed_laws = [\"FR\"]\nforbidden_laws = [\"FR\"]\n"), 9),
        (format!("{good}epochs = 2\n"), 7),
        (format!("{good}colour = 2\n"), 8),
        (good.replace("0.9", "1.0"), 6),
        (good.replace("[\"stored\"]", "[\"logged\"]"), 3),
    ] {
        fs::write(place.path("p.toml"), &text).unwrap();
        let out = place.try_run(&["policy", "check", "p.toml"]);
        assert_eq!(out.status.code(), Some(2), "{text}");
        let said = String::from_utf8(out.stderr).unwrap();
        assert!(said.contains(&format!("line {line}")), "{said}");
        assert!(out.stdout.is_empty());
    }
    fs::write(place.path("p.toml"), good).unwrap();
    assert_eq!(place.try_run(&["policy", "check", "p.toml"]).status.code(), Some(0));
}

/// T15: a roster that could not meet the policy is exit code 2, each reason a line; its authority is given by digits or by file.
#[test]
fn t15_a_policy_beside_a_roster() {
    let place = Place::new();
    place.run(&["key", "new", "roster", "-o", "authority"]);
    let network = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../audits/rosters/seed-network.toml");
    fs::copy(network, place.path("network.toml")).unwrap();
    place.run(&["roster", "sign", "network.toml", "--key", "authority", "-o", "network.roster"]);
    let pub_file = fs::read_to_string(place.path("authority.pub")).unwrap();
    let digits = pub_file.lines().find_map(|l| l.strip_prefix("public = ")).unwrap().trim_matches('"');
    for authority in ["authority.pub", digits] {
        let with = ["--roster", "network.roster", "--authority", authority];
        let check = |name: &str| {
            let profile = profile(name);
            let out = place.try_run(&[&["policy", "check", profile.as_str()][..], &with].concat());
            (out.status.code(), String::from_utf8(out.stdout).unwrap())
        };
        let (code, said) = check("demo");
        assert_eq!((code, said.contains("cannot be met")), (Some(0), false), "{said}");
        let (code, said) = check("strict");
        assert_eq!(code, Some(2));
        for why in ["quorum 3 of the 0 witnesses", "no host of the roster", "no recipient of the roster"] {
            assert!(said.contains(&format!("cannot be met with this roster: {why}")), "{why}: {said}");
        }
    }
    let other = "11".repeat(32);
    let stranger = ["--roster", "network.roster", "--authority", other.as_str()];
    place.refuse(&[&["policy", "check", profile("demo").as_str()][..], &stranger].concat(), "cannot be used");
}
