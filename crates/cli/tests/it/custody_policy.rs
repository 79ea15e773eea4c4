//! The owner's policy from `seal` on, and the order of dealings of one key: what a later one cannot undo.

use std::fs;

use serde_json::Value;

use super::custody::{FIVE, ROSTER, dealt, prepared, with};
use super::program::Place;

const POLICY: &str = "version = 1\nname = \"p\"\nrequire = [\"custody\"]\n[custody]\nno_single = [\"law\"]\n";

/// Two policies, and what is none.
fn with_policies(place: &Place) -> String {
    fs::write(place.path("policy.toml"), POLICY).unwrap();
    fs::write(place.path("other.toml"), POLICY.replace("law", "provider")).unwrap();
    fs::write(place.path("broken.toml"), "version = 9\n").unwrap();
    fs::write(place.path("latin.toml"), b"name = \"\xe9\"").unwrap();
    hex::encode(blake3::hash(POLICY.as_bytes()).as_bytes())
}

fn json(place: &Place, arguments: &[&str]) -> Value {
    serde_json::from_slice(&place.run(&with(&[arguments, &["--json"]]))).unwrap()
}

/// `seal --policy` of a file, a directory and shards: every envelope names the digest, `inspect` shows it, and what is no policy seals nothing.
#[test]
fn seal_binds_envelopes_to_a_policy_file() {
    let place = Place::with_keys();
    let digest = with_policies(&place);
    fs::create_dir(place.path("docs")).unwrap();
    fs::write(place.path("docs/a"), "a").unwrap();
    let seal = |input: &'static str, output: &'static str| {
        ["seal", input, "-o", output, "--owner", "owner", "--to", "to.pub", "--no-commit"]
    };
    let shards: [&str; 2] = ["--shards", "2/3"];
    for (input, output, more, envelopes) in [
        ("docs/a", "file", &[][..], &["file.envelope"][..]),
        ("docs", "dir", &[], &["dir.envelope"]),
        ("docs", "s", &shards, &["s/000.shard.envelope", "s/001.shard.envelope", "s/002.shard.envelope"]),
    ] {
        for (bad, why) in
            [("broken.toml", "is no policy"), ("latin.toml", "is no policy"), ("none.toml", "none.toml")]
        {
            let before = place.names();
            place.refuse(&with(&[&seal(input, output), more, &["--policy", bad]]), why);
            assert_eq!(place.names(), before);
        }
        let said = json(&place, &with(&[&seal(input, output), more, &["--policy", "policy.toml"]]));
        assert_eq!(said["policy"], Value::from(digest.as_str()));
        for envelope in envelopes {
            let shown = json(&place, &["inspect", envelope, "--owner", "owner.pub"]);
            assert_eq!(shown["policy"], Value::from(digest.as_str()), "{envelope}");
        }
        let shown = String::from_utf8(place.run(&["inspect", envelopes[0], "--owner", "owner.pub"])).unwrap();
        assert!(shown.contains(&format!("policy          {digest}")), "{shown}");
    }
    place.run(&seal("docs/a", "plain"));
    assert_eq!(json(&place, &["inspect", "plain.envelope", "--owner", "owner.pub"])["policy"], Value::Null);
    let compact = [
        "seal",
        "docs/a",
        "--compact",
        "--chain",
        "c",
        "--contract",
        "i",
        "--function",
        "f",
        "--to",
        "to.pub",
    ];
    place.refuse(&with(&[&compact, &["--policy", "policy.toml"]]), "no other options of objects fit");
}

/// What `seal` bound is what is dealt under; another policy takes its place only when asked to.
#[test]
fn a_dealing_keeps_the_sealed_policy_unless_told_otherwise() {
    let place = prepared(100);
    let digest = with_policies(&place);
    fs::remove_file(place.path("env")).unwrap();
    fs::remove_file(place.path("body")).unwrap();
    let seal = ["seal", "plain", "-o", "body", "--envelope", "env", "--owner", "owner", "--to", "to.pub"];
    place.run(&with(&[&seal, &["--policy", "policy.toml"]]));
    let deal = |output: &'static str, more: &[&'static str]| {
        let head = ["custody", "deal", "env", "--owner", "owner", "--key", "to", "-o", output];
        with(&[&head, &FIVE, &ROSTER, more])
    };
    let said = place.refuse(&deal("no", &["--policy", "other.toml"]), "the envelope names policy");
    assert!(
        said.contains(&digest) && said.contains("--replace-policy") && !place.path("no").exists(),
        "{said}"
    );
    for (output, more) in [("kept", &[][..]), ("same", &["--policy", "policy.toml"])] {
        assert_eq!(json(&place, &deal(output, more))["policy"], Value::from(digest.as_str()));
    }
    let other = json(&place, &deal("replaced", &["--policy", "other.toml", "--replace-policy"]));
    assert_ne!(other["policy"], Value::from(digest.as_str()));
    for (envelope, policy) in [("kept", "policy.toml"), ("replaced", "other.toml")] {
        place.run(&["custody", "verify", envelope, "--owner", "owner.pub", "--policy", policy]);
    }
}

/// The post-quantum half protects nothing of a key that was dealt without one: refused by name, or said. A key that is new is dealt.
#[test]
fn a_key_that_was_dealt_classically_is_not_dealt_in_hybrid_mode() {
    let place = prepared(100);
    dealt(&place, &[]);
    let reshare = |output: &'static str, more: &[&'static str]| {
        let head = ["custody", "reshare", "env", "--owner", "owner", "--key", "to", "-o", output];
        with(&[&head, &FIVE, &ROSTER, more])
    };
    let said = place.refuse(&reshare("no", &["--hybrid"]), "without a post-quantum half before");
    assert!(said.contains("bailiwick rotate") && !place.path("no").exists(), "{said}");
    // Without the half nothing more is promised than before.
    assert_eq!(json(&place, &reshare("classical", &[]))["dealt_classically"], Value::Bool(false));
    let told = json(&place, &reshare("hybrid", &["--hybrid", "--despite-classical"]));
    assert_eq!((&told["hybrid"], &told["dealt_classically"]), (&true.into(), &true.into()));
    let told = place.run(&reshare("again", &["--hybrid", "--despite-classical"]));
    assert!(String::from_utf8_lossy(&told).contains("NO PROTECTION by the post-quantum half"));
    // The new key of `rotate` was never dealt; nor was a key that was only dealt in hybrid mode.
    place.run(&[
        "rotate",
        "body",
        "--envelope",
        "env",
        "--owner",
        "owner",
        "--key",
        "to",
        "--to",
        "to.pub",
        "--drop-custody",
    ]);
    let deal = ["custody", "deal", "body.rotated.envelope", "--owner", "owner", "--key", "to", "--hybrid"];
    let told = json(&place, &with(&[&deal, &FIVE, &ROSTER]));
    assert_eq!((&told["hybrid"], &told["dealt_classically"]), (&true.into(), &false.into()));
    let again =
        ["custody", "reshare", "body.rotated.envelope", "--owner", "owner", "--key", "to", "--hybrid"];
    place.run(&with(&[&again, &FIVE, &ROSTER]));
    // Whoever only reads it cannot know, and is told so.
    let verify = ["custody", "verify", "body.rotated.envelope", "--owner", "owner.pub"];
    let said = String::from_utf8(place.run(&verify)).unwrap();
    assert!(said.contains("not proved  that this key was never dealt without a post-quantum half"), "{said}");
}

/// K29a: beside an x25519 or p256 recipient of the same envelope the post-quantum half protects nothing: refused, or said by both sides.
#[test]
fn k29a_a_key_sealed_to_classical_recipients_is_not_dealt_in_hybrid_mode() {
    let place = prepared(100);
    for (algorithm, key) in [("x25519", "x"), ("p256", "p")] {
        place.run(&["key", "new", "recipient", "--algorithm", algorithm, "-o", key]);
        let (to, body) = (format!("{key}.pub"), format!("mixed-{key}"));
        place.run(&["seal", "plain", "-o", &body, "--owner", "owner", "--to", "to.pub", "--to", &to]);
        let envelope = format!("{body}.envelope");
        let deal = ["custody", "deal", &envelope, "--owner", "owner", "--key", "to", "--hybrid"];
        let said = place.refuse(&with(&[&deal, &FIVE, &ROSTER]), "is sealed to an x25519 or p256 key");
        assert!(said.contains("bailiwick rotate"), "{said}");
        let told = json(&place, &with(&[&deal, &FIVE, &ROSTER, &["--despite-classical"]]));
        assert_eq!((&told["sealed_classically"], &told["dealt_classically"]), (&true.into(), &false.into()));
        let verify = ["custody", "verify", &envelope, "--owner", "owner.pub"];
        let said = String::from_utf8(place.run(&verify)).unwrap();
        assert!(said.contains("NO PROTECTION by the post-quantum half: 1 of them"), "{said}");
    }
    // The twin: the same with X-Wing recipients only; and without the half nothing is promised.
    place.run(&["seal", "plain", "-o", "pure", "--owner", "owner", "--to", "to.pub", "--to", "heir.pub"]);
    let deal = ["custody", "deal", "pure.envelope", "--owner", "owner", "--key", "to", "--hybrid"];
    assert_eq!(json(&place, &with(&[&deal, &FIVE, &ROSTER]))["sealed_classically"], Value::Bool(false));
    let verify = ["custody", "verify", "pure.envelope", "--owner", "owner.pub"];
    let said = String::from_utf8(place.run(&verify)).unwrap();
    assert!(said.contains("beside      2 recipients") && !said.contains("NO PROTECTION"), "{said}");
}
