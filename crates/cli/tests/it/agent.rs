//! Keys held by an agent, end to end: the example agent, and agents that misbehave.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::PathBuf;
use std::process::Output;

use super::program::{Place, data};

/// Where cargo puts examples: beside the binary.
pub(super) fn examples() -> PathBuf {
    PathBuf::from(env!("CARGO_BIN_EXE_bailiwick")).parent().unwrap().join("examples")
}

/// An object sealed to a P-256 key that only the example agent holds: `agent.key` names it.
pub(super) fn place() -> Place {
    let place = Place::with_keys();
    place.run(&["key", "new", "recipient", "--algorithm", "p256", "-o", "token"]);
    let shown = place.run(&["key", "show", "token.pub", "--json"]);
    let shown: serde_json::Value = serde_json::from_slice(&shown).unwrap();
    let text = fs::read_to_string(place.path("token")).unwrap();
    let secret = text.lines().find_map(|l| l.strip_prefix("secret = \"")).unwrap();
    fs::create_dir(place.path("token-keys")).unwrap();
    let scalar = hex::decode(secret.trim_end_matches('"')).unwrap();
    fs::write(place.path("token-keys").join(shown["public"].as_str().unwrap()), scalar).unwrap();
    fs::remove_file(place.path("token")).unwrap();
    place.run(&["key", "agent", "file", "token.pub", "-o", "agent.key"]);
    fs::write(place.path("plain"), data(40_000)).unwrap();
    place.run(&["seal", "plain", "-o", "body", "--envelope", "env", "--owner", "owner", "--to", "token.pub"]);
    place
}

fn open(place: &Place, path: &str, more: &[&str]) -> Output {
    let mut arguments =
        vec!["open", "body", "--envelope", "env", "--owner", "owner.pub", "--key", "agent.key", "-o", "out"];
    arguments.extend(more);
    place
        .command(&arguments)
        .env("PATH", path)
        .env("BAILIWICK_AGENT_FILE_KEYS", place.path("token-keys"))
        .output()
        .unwrap()
}

#[test]
fn an_agent_opens_what_it_holds_the_key_of() {
    let place = place();
    let path = examples().display().to_string();
    let out = open(&place, &path, &[]);
    assert!(out.status.success(), "{}", String::from_utf8_lossy(&out.stderr));
    assert_eq!(fs::read(place.path("out")).unwrap(), data(40_000));
    // Another object, to somebody else: the agent says so, and nothing opens.
    fs::remove_file(place.path("out")).unwrap();
    place.run(&["seal", "plain", "-o", "body2", "--envelope", "env2", "--owner", "owner", "--to", "to.pub"]);
    fs::rename(place.path("env2"), place.path("env")).unwrap();
    let out = open(&place, &path, &[]);
    assert_eq!(out.status.code(), Some(2));
    assert!(!place.path("out").exists());
}

/// A program in the place of the agent.
pub(super) fn script(place: &Place, body: &str) -> String {
    let folder = place.path("bin");
    fs::create_dir_all(&folder).unwrap();
    let path = folder.join("bailiwick-agent-file");
    fs::write(&path, format!("#!/bin/sh\n{body}\n")).unwrap();
    fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).unwrap();
    format!("{}:/usr/bin:/bin", folder.display())
}

/// E16, E20 for agents: a wrong key is refused by the commitment, nonsense and silence by name; nothing is written.
#[test]
fn e16_lying_silent_and_endless_agents_are_refused() {
    let place = place();
    let hello = "read x; echo 'bailiwick-agent 1'; read x;";
    let cases = [
        (format!("{hello} echo key {}", "00".repeat(32)), "not the one the envelope commits to"),
        (format!("{hello} echo key 00"), "not of the agent protocol"),
        (format!("{hello} echo error denied no button was pressed"), "no button was pressed"),
        (format!("{hello} exit 0"), "ended without an answer"),
        (format!("{hello} head -c 20000 /dev/zero"), "nonsense"),
        (format!("{hello} sleep 5"), "no answer within 1 s"),
        ("echo 'bailiwick-agent 2'".to_owned(), "does not speak version 1"),
        ("exit 0".to_owned(), "agent file"),
    ];
    for (body, why) in cases {
        let path = script(&place, &body);
        let out = open(&place, &path, &["--agent-timeout", "1"]);
        let text = String::from_utf8_lossy(&out.stderr);
        assert_eq!(out.status.code(), Some(2), "{body}: {text}");
        assert!(text.contains(why), "{body} must say {why:?}, said: {text}");
        assert!(!place.path("out").exists());
    }
    let out = open(&place, "/nonexistent", &[]);
    assert!(String::from_utf8_lossy(&out.stderr).contains("cannot start bailiwick-agent-file"));
}

/// E20 for agents: an answer that comes too late is never taken for the one to the next request.
#[test]
fn e20_a_late_answer_is_not_the_next_one() {
    let place = place();
    fs::create_dir(place.path("d")).unwrap();
    for body in ["d/a", "d/b"] {
        place.run(&["seal", "plain", "-o", body, "--owner", "owner", "--to", "token.pub"]);
    }
    // The example agent, each request of which takes its time.
    let slow = format!(
        "(read -r x; echo \"$x\"; while read -r x; do sleep 1.4; echo \"$x\"; done) | {}",
        examples().join("bailiwick-agent-file").display()
    );
    let path = script(&place, &slow);
    let rewrap = |timeout| {
        place
            .command(&[
                "rewrap",
                "d",
                "--owner",
                "owner",
                "--key",
                "agent.key",
                "--add",
                "to.pub",
                "--agent-timeout",
                timeout,
            ])
            .env("PATH", &path)
            .env("BAILIWICK_AGENT_FILE_KEYS", place.path("token-keys"))
            .output()
            .unwrap()
    };
    let late = rewrap("1");
    let text = String::from_utf8(late.stdout).unwrap();
    assert_eq!(late.status.code(), Some(2), "{text}");
    assert_eq!(text.matches("gave no answer within 1 s").count(), 1, "{text}");
    assert_eq!(text.matches("is not asked again").count(), 1, "{text}");
    let patient = rewrap("30");
    let text = String::from_utf8(patient.stdout).unwrap();
    assert!(text.contains("rewrapped 2 envelope(s)"), "{text}{}", String::from_utf8_lossy(&patient.stderr));
}

/// E34: a key file that names a program must not be writable by others; an agent's name is no path.
#[test]
fn e34_key_files_that_name_agents() {
    let place = place();
    let path = examples().display().to_string();
    fs::set_permissions(place.path("agent.key"), fs::Permissions::from_mode(0o666)).unwrap();
    let out = open(&place, &path, &[]);
    assert!(String::from_utf8_lossy(&out.stderr).contains("written by others"));
    place.refuse(&["key", "agent", "../sh", "token.pub", "-o", "bad.key"], "lower-case letters");
    place.refuse(&["key", "agent", "file", "owner.pub", "-o", "bad.key"], "recipient keys only");
    fs::set_permissions(place.path("agent.key"), fs::Permissions::from_mode(0o644)).unwrap();
    assert!(open(&place, &path, &[]).status.success());
}
