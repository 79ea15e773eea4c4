//! `bailiwick custody` through the real binary.

use std::fs;

use super::program::{Place, data};

const COUNTRIES: [&str; 6] = ["JP", "CH", "NO", "BR", "ZA", "IN"];

/// An owner, a recipient, a requester, six custodians in six countries, their roster, and a sealed object.
pub(super) fn prepared(n: usize) -> Place {
    let place = Place::with_keys();
    place.run(&["key", "new", "roster", "-o", "authority"]);
    place.run(&["key", "new", "recipient", "-o", "heir"]);
    let mut roster = String::from(
        "format = 1\nname = \"Custodians\"\nnumber = 1\nissued = 2026-01-01T00:00:00Z\nvalid_until = 2099-01-01T00:00:00Z\n",
    );
    for (i, country) in COUNTRIES.iter().enumerate() {
        let name = format!("c{i}");
        place.run(&["key", "new", "custodian", "-o", &name]);
        let shown = place.run(&["key", "show", &format!("{name}.pub")]);
        let shown = String::from_utf8(shown).unwrap();
        let key = shown.lines().find_map(|l| l.strip_prefix("in a roster  ")).unwrap().to_owned();
        roster += &format!(
            "[[principal]]\nname = \"Notary {i}\"\nrole = \"custodian\"\nkeys = [{key}]\ncountry = \"{country}\"\nlaw = \"{country}\"\nvalid_from = 2026-01-01T00:00:00Z\nvalid_until = 2099-01-01T00:00:00Z\n"
        );
    }
    fs::write(place.path("net.toml"), roster).unwrap();
    place.run(&["roster", "sign", "net.toml", "--key", "authority"]);
    fs::write(place.path("plain"), data(n)).unwrap();
    place.run(&["seal", "plain", "-o", "body", "--envelope", "env", "--owner", "owner", "--to", "to.pub"]);
    place
}

pub(super) const ROSTER: [&str; 4] = ["--roster", "net.roster", "--roster-authority", "authority.pub"];
pub(super) const FIVE: [&str; 6] = ["--custodian", "c0.pub", "c1.pub", "c2.pub", "c3.pub", "c4.pub"];

pub(super) fn with<'a>(parts: &[&[&'a str]]) -> Vec<&'a str> {
    parts.concat()
}

pub(super) fn dealt(place: &Place, further: &[&str]) {
    place.run(&with(&[
        &["custody", "deal", "env", "--owner", "owner", "--key", "to"],
        &FIVE,
        &ROSTER,
        further,
    ]));
}

pub(super) fn request(place: &Place, name: &str) {
    place.run(&["custody", "request", "env", "--owner", "owner.pub", "--key", "heir.pub", "-o", name]);
}

pub(super) fn release(place: &Place, i: usize, request: &str, output: &str) {
    let key = format!("c{i}");
    place.run(&[
        "custody",
        "release",
        "env",
        "--owner",
        "owner.pub",
        "--custodian",
        &key,
        "--request",
        request,
        "--requester",
        "heir.pub",
        "-o",
        output,
    ]);
}

const RECOVER: [&str; 10] =
    ["custody", "recover", "body", "--envelope", "env", "--owner", "owner.pub", "--request", "ask", "--key"];

pub(super) fn recover<'a>(releases: &[&'a str], output: &'a str) -> Vec<&'a str> {
    with(&[&RECOVER, &["heir", "-o", output, "--release"], releases])
}

/// The whole way: deal an existing object, verify, ask, release, recover from three of five; the body is never touched.
#[test]
fn three_of_five_recover_an_existing_object() {
    let place = prepared(100_000);
    let body = fs::read(place.path("body")).unwrap();
    dealt(&place, &[]);
    assert_eq!(fs::read(place.path("body")).unwrap(), body);
    let verify = with(&[&["custody", "verify", "env", "--owner", "owner.pub"], &ROSTER]);
    let said = String::from_utf8(place.run(&verify)).unwrap();
    assert!(said.contains("any 3 of these 5 custodians recover the same secret"), "{said}");
    for words in [
        "not proved  that the body opens under that secret",
        "not proved  who custodians are",
        "still have their keys, will answer, or do not collude",
        "proved      the dealing is for this owner, object, body, policy and roster, from generation 2 on",
        "1 recipients open it without custodians",
    ] {
        assert!(said.contains(words), "{words}: {said}");
    }
    assert!(said.contains("names the same custodians under the same laws"), "{said}");
    request(&place, "ask");
    for i in [0, 2, 4] {
        release(&place, i, "ask", &format!("r{i}"));
    }
    place.refuse(&recover(&["r0", "r2"], "out"), "2 shares, and the dealing asks for 3");
    place.refuse(&recover(&["r0", "r2", "r0"], "out"), "has answered already");
    place.run(&recover(&["r4", "r0", "r2"], "out"));
    assert_eq!(fs::read(place.path("out")).unwrap(), data(100_000));
    // The recipient still opens it.
    place.run(&["open", "body", "--envelope", "env", "--owner", "owner.pub", "--key", "to", "-o", "out2"]);
}

/// A bad release is refused, and the custodian named in whose name it is; the others are enough.
#[test]
fn a_bad_release_is_named_and_left_out() {
    let place = prepared(1000);
    dealt(&place, &[]);
    request(&place, "ask");
    for i in 0..4 {
        release(&place, i, "ask", &format!("r{i}"));
    }
    let mut bad = fs::read(place.path("r1")).unwrap();
    *bad.last_mut().unwrap() ^= 1;
    fs::write(place.path("r1"), bad).unwrap();
    place.refuse(&recover(&["r0", "r1", "r2"], "out"), "a release in the name of Notary 1 does not open");
    let out = place.try_run(&recover(&["r0", "r1", "r2", "r3"], "out"));
    assert!(out.status.success());
    assert!(String::from_utf8_lossy(&out.stderr).contains("Notary 1"));
    assert_eq!(fs::read(place.path("out")).unwrap(), data(1000));
}

/// A custodian answers nobody but the requester it was told of; a stranger's key answers nothing.
#[test]
fn custodians_answer_whom_they_know() {
    let place = prepared(10);
    dealt(&place, &[]);
    request(&place, "ask");
    let ask = |custodian: &'static str, requester: &'static str| {
        vec![
            "custody",
            "release",
            "env",
            "--owner",
            "owner.pub",
            "--custodian",
            custodian,
            "--request",
            "ask",
            "--requester",
            requester,
            "-o",
            "r",
        ]
    };
    place.refuse(&ask("c0", "to.pub"), "names another key");
    place.refuse(&ask("c5", "heir.pub"), "belongs to no custodian of this dealing");
    place.refuse(&ask("to", "heir.pub"), "needs a custodian key");
    place.run(&ask("c0", "heir.pub"));
}

/// One power behind too many custodians is found before anything is dealt.
#[test]
fn one_power_that_could_compel_or_block_is_refused() {
    let place = prepared(10);
    let deal = |threshold: &'static str, further: &[&'static str]| {
        let base = ["custody", "deal", "env", "--owner", "owner", "--key", "to", "--threshold", threshold];
        with(&[&base, &["--custodian", "c0.pub", "c1.pub", "c2.pub"], &ROSTER, further])
    };
    place.refuse(&deal("1", &[]), "one power alone could compel or block");
    place.refuse(&deal("3", &["--despite-powers"]), "must be at least 1 and less than");
    place.refuse(&deal("0", &["--despite-powers"]), "must be at least 1 and less than");
    place.run(&deal("2", &[]));
    place.refuse(&deal("2", &[]), "in custody already");
}

/// Recipients who are sent the secret open with it, and can check what the public cannot.
#[test]
fn a_recipient_of_the_secret_opens_and_checks_the_body() {
    let place = prepared(5000);
    dealt(&place, &["--prove-to", "heir.pub"]);
    let verify = ["custody", "verify", "env", "--owner", "owner.pub", "--key", "heir"];
    let said = String::from_utf8(place.run(&verify)).unwrap();
    assert!(said.contains("custodians share it, and the body"), "{said}");
    place.run(&["open", "body", "--envelope", "env", "--owner", "owner.pub", "--key", "heir", "-o", "out"]);
    assert_eq!(fs::read(place.path("out")).unwrap(), data(5000));
    place.refuse(
        &["custody", "verify", "env", "--owner", "owner.pub", "--key", "to"],
        "was sent the shared secret",
    );
}

/// Resharing from the old custodians' answers: what was released for the old dealing is worth nothing for the new one.
#[test]
fn a_reshared_object_is_recovered_by_the_new_custodians_only() {
    let place = prepared(2000);
    dealt(&place, &[]);
    fs::copy(place.path("env"), place.path("env.old")).unwrap();
    request(&place, "ask");
    for i in 0..3 {
        release(&place, i, "ask", &format!("r{i}"));
    }
    let reshare = with(&[
        &["custody", "reshare", "env", "--owner", "owner", "--key", "heir", "--request", "ask"],
        &["--release", "r0", "r1", "r2", "--custodian", "c3.pub", "c4.pub", "c5.pub"],
        &ROSTER,
    ]);
    // From answers, too, an old state is noticed where it is known.
    place.refuse(
        &with(&[&reshare, &["--not-before", "3"]]),
        "generation 2 of the envelope, 3 was seen before",
    );
    place.run(&with(&[&reshare, &["--known", "env.old"]]));
    place.refuse(&recover(&["r0", "r1", "r2"], "out"), "asks for another dealing");
    request(&place, "ask2");
    let second = |releases: &[&'static str]| {
        let base =
            ["custody", "recover", "body", "--envelope", "env", "--owner", "owner.pub", "--request", "ask2"];
        with(&[&base, &["--key", "heir", "-o", "out", "--release"], releases])
    };
    release(&place, 3, "ask2", "n3");
    release(&place, 5, "ask2", "n5");
    let said = place.refuse(&second(&["n3", "r0"]), "another dealing");
    assert!(said.contains("1 shares, and the dealing asks for 2"), "{said}");
    place.run(&second(&["n3", "n5"]));
    assert_eq!(fs::read(place.path("out")).unwrap(), data(2000));
}

/// Hybrid dealings are recovered the same way; who has not given a receipt is said.
#[test]
fn hybrid_shares_recover_and_receipts_are_shown() {
    let place = prepared(2000);
    dealt(&place, &["--hybrid"]);
    place.run(&["custody", "receipt", "env", "--owner", "owner.pub", "--custodian", "c1", "-o", "receipt1"]);
    let verify = ["custody", "verify", "env", "--owner", "owner.pub", "--receipt", "receipt1", "--json"];
    let said: serde_json::Value = serde_json::from_slice(&place.run(&verify)).unwrap();
    assert_eq!(said["custodians"][1]["receipt"], true);
    assert_eq!(said["custodians"][0]["receipt"], false);
    assert_eq!(said["opens_body"], serde_json::Value::Null);
    place.run(&["key", "new", "recipient", "--algorithm", "p256", "-o", "p256"]);
    place.refuse(
        &["custody", "request", "env", "--owner", "owner.pub", "--key", "p256.pub", "-o", "none"],
        "the requester needs an x-wing key",
    );
    request(&place, "ask");
    for i in [1, 2, 3] {
        release(&place, i, "ask", &format!("r{i}"));
    }
    place.run(&recover(&["r1", "r2", "r3"], "out"));
    assert_eq!(fs::read(place.path("out")).unwrap(), data(2000));
}

/// The roster says otherwise: another roster, or a custodian it does not know.
#[test]
fn custodians_the_roster_does_not_have_are_refused() {
    let place = prepared(10);
    place.run(&["key", "new", "custodian", "-o", "stranger"]);
    let deal = with(&[
        &["custody", "deal", "env", "--owner", "owner", "--key", "to"],
        &["--custodian", "c0.pub", "c1.pub", "stranger.pub"],
        &ROSTER,
    ]);
    place.refuse(&deal, "no principal of the roster has key");
    let without = with(&[&["custody", "deal", "env", "--owner", "owner", "--key", "to"], &FIVE]);
    place.refuse(&without, "--roster");
}
