//! What changes while a run works: an agent that is asked for a key does it, at a moment between the reading of an envelope and the writing.

use std::fs;
use std::process::Output;

use super::agent::{examples, place as place_with_agent, script};
use super::program::Place;
use super::rewrap::summary;

/// `body` and `body.envelope`, which an agent opens, and `later.envelope`, its next generation.
fn place() -> Place {
    let place = place_with_agent();
    fs::create_dir(place.path("elsewhere")).unwrap();
    fs::copy(place.path("env"), place.path("elsewhere/body.envelope")).unwrap();
    let out = while_asked(&place, "true", &["rewrap", "elsewhere/body.envelope", "--add", "to.pub"]);
    assert!(out.status.success(), "{}", String::from_utf8_lossy(&out.stderr));
    fs::rename(place.path("env"), place.path("body.envelope")).unwrap();
    place
}

/// Runs a command by the owner, with `doing` done when the agent is asked for the first key.
fn while_asked(place: &Place, doing: &str, arguments: &[&str]) -> Output {
    let agent = examples().join("bailiwick-agent-file");
    let asked = format!("read -r x; echo \"$x\"; read -r x; {doing} >&2; echo \"$x\"; exec cat");
    let path = script(place, &format!("({asked}) | {}", agent.display()));
    place
        .command(&[arguments, &["--owner", "owner", "--key", "agent.key"]].concat())
        .env("PATH", path)
        .env("BAILIWICK_AGENT_FILE_KEYS", place.path("token-keys"))
        .output()
        .unwrap()
}

const LATER: &str = "cp elsewhere/body.envelope body.envelope";

/// E13: what was signed meanwhile, by whoever takes no lock, is not undone.
#[test]
fn e13_an_envelope_that_changed_while_it_was_rewrapped_stays() {
    let place = place();
    let rewrap = ["rewrap", "body", "--anonymous"];
    let out = while_asked(&place, LATER, &rewrap);
    let text = String::from_utf8(out.stdout).unwrap();
    assert_eq!(out.status.code(), Some(2), "{text}");
    assert!(text.contains("failed    body.envelope: changed meanwhile"), "{text}");
    let later = fs::read(place.path("elsewhere/body.envelope")).unwrap();
    assert!(fs::read(place.path("body.envelope")).unwrap() == later);
    let again = summary(&place, &["rewrap", "body", "--owner", "owner", "--key", "to", "--anonymous"]);
    assert_eq!(again["rewrapped"], 1, "honest twin");
}

/// E13: no other run signs in the folder while a batch of it is worked on.
#[test]
fn e13_the_folder_of_a_batch_is_locked_until_it_is_written() {
    let place = place();
    let try_lock = |what| format!("flock -n {what} -c : || echo {what} is locked");
    let said = |doing: &str| {
        let out = while_asked(&place, doing, &["rewrap", "body", "--add", "to.pub"]);
        assert!(out.status.success(), "{}", String::from_utf8_lossy(&out.stderr));
        String::from_utf8(out.stderr).unwrap()
    };
    let first = fs::read(place.path("body.envelope")).unwrap();
    assert!(said(&try_lock(".")).contains(". is locked"));
    fs::write(place.path("body.envelope"), first).unwrap();
    assert!(!said(&try_lock("elsewhere")).contains("is locked"), "honest twin");
}

/// E13: `rotate --replace` puts nothing in the place of an envelope that it did not read.
#[test]
fn e13_an_envelope_that_changed_while_its_body_was_sealed_anew_stays() {
    let place = place();
    place.run(&["seal", "plain", "-o", "third", "--owner", "owner", "--to", "to.pub"]);
    let rotate = ["rotate", "body", "--to", "to.pub", "--replace"];
    let body = fs::read(place.path("body")).unwrap();
    fs::copy(place.path("body.envelope"), place.path("env")).unwrap();
    let out = while_asked(&place, "cp third.envelope body.envelope", &rotate);
    let text = String::from_utf8(out.stderr).unwrap();
    assert_eq!(out.status.code(), Some(2), "{text}");
    assert!(text.contains("body.envelope changed meanwhile"), "{text}");
    let third = fs::read(place.path("third.envelope")).unwrap();
    assert!(fs::read(place.path("body.envelope")).unwrap() == third);
    assert!(fs::read(place.path("body")).unwrap() == body);
    // The honest twin.
    fs::rename(place.path("env"), place.path("body.envelope")).unwrap();
    let out = while_asked(&place, "true", &rotate);
    assert!(out.status.success(), "{}", String::from_utf8_lossy(&out.stderr));
    assert!(fs::read(place.path("body")).unwrap() != body);
}
