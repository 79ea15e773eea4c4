//! The developer's commands: key, seal, open, inspect, commit.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;

use super::program::{Place, data};

fn sealed(place: &Place, n: usize) {
    fs::write(place.path("plain"), data(n)).unwrap();
    place.run(&["seal", "plain", "-o", "body", "--envelope", "env", "--owner", "owner", "--to", "to.pub"]);
}

const OPEN: [&str; 10] =
    ["open", "body", "--envelope", "env", "--owner", "owner.pub", "--key", "to", "-o", "out"];

#[test]
fn sealed_files_open_whole_and_by_range() {
    for n in [0usize, 1, 16_383, 16_384, 300_000] {
        let place = Place::with_keys();
        sealed(&place, n);
        place.run(&OPEN);
        assert_eq!(fs::read(place.path("out")).unwrap(), data(n));
        if n > 1 {
            let at = n / 2;
            let range = format!("{at}:{}", n - at);
            let mut arguments = OPEN.to_vec();
            arguments[9] = "part";
            arguments.extend(["--range", &range]);
            place.run(&arguments);
            assert_eq!(fs::read(place.path("part")).unwrap(), data(n)[at..]);
        }
    }
}

/// A run that was killed before the body had its name leaves an envelope: said so, and what to do; with both there, a name is taken.
#[test]
fn an_envelope_without_its_body_is_told_from_a_name_that_is_taken() {
    let place = Place::with_keys();
    fs::write(place.path("plain"), data(1_000)).unwrap();
    let seal = ["seal", "plain", "--owner", "owner", "--to", "to.pub"];
    place.run(&seal);
    let left = "plain.sealed.envelope exists already, and plain.sealed does not";
    let text = place.refuse(&seal, "plain.sealed.envelope exists already");
    assert!(!text.contains("killed"), "{text}");
    let envelope = fs::read(place.path("plain.sealed.envelope")).unwrap();
    fs::remove_file(place.path("plain.sealed")).unwrap();
    let text = place.refuse(&seal, left);
    assert!(text.contains("a run that was killed") && text.contains("remove it and seal again"), "{text}");
    assert_eq!(
        fs::read(place.path("plain.sealed.envelope")).unwrap(),
        envelope,
        "it is the owner's to remove"
    );
    fs::remove_file(place.path("plain.sealed.envelope")).unwrap();
    place.run(&seal);
}

/// What an option with several values took is missed elsewhere: the option is named, if it was there.
#[test]
fn an_option_that_took_the_input_is_named() {
    let place = Place::with_keys();
    fs::write(place.path("plain"), data(1_000)).unwrap();
    let hint =
        "--to takes several values, perhaps this one, too: put <INPUT> before the options, or after `--`";
    let text = place.refuse(&["seal", "--owner", "owner", "--to", "to.pub", "plain"], hint);
    assert!(text.contains("required arguments were not provided"), "{text}");
    let text = place.refuse(&["seal", "--owner", "owner"], "required arguments were not provided");
    assert!(!text.contains("takes several"), "{text}");
    let text = place.refuse(&["seal", "plain", "--to", "to.pub"], "--owner <FILE>");
    assert!(!text.contains("takes several"), "{text}");
    place.run(&["seal", "--owner", "owner", "--to", "to.pub", "--", "plain"]);
}

#[test]
fn standard_input_and_output_carry_data_and_body() {
    let place = Place::with_keys();
    let plain = data(100_000);
    let seal =
        ["seal", "-", "-o", "-", "--envelope", "env", "--owner", "owner", "--to", "to.pub", "--name", "x"];
    let body = place.run_with_input(&seal, &plain);
    assert!(body.status.success(), "{}", String::from_utf8_lossy(&body.stderr));
    assert!(!body.stdout.windows(64).any(|w| w == &plain[..64]), "ciphertext");
    let open = ["open", "-", "--envelope", "env", "--owner", "owner.pub", "--key", "to", "-o", "-"];
    let opened = place.run_with_input(&open, &body.stdout);
    assert!(opened.status.success());
    assert_eq!(opened.stdout, plain);
}

/// E25, E26: a damaged body leaves nothing under the final name, and no temporary file.
#[test]
fn e26_a_failed_open_leaves_no_file() {
    let place = Place::with_keys();
    sealed(&place, 200_000);
    let honest = fs::read(place.path("body")).unwrap();
    let before = place.names();
    for at in [0, 30, 60, honest.len() / 2, honest.len() - 1] {
        let mut damaged = honest.clone();
        damaged[at] ^= 1;
        fs::write(place.path("body"), &damaged).unwrap();
        place.refuse(&OPEN, "error");
        assert_eq!(place.names(), before, "byte {at}");
    }
    for n in [0, 55, 56, 16_456, honest.len() - 1] {
        fs::write(place.path("body"), &honest[..n]).unwrap();
        place.refuse(&OPEN, "error");
        assert_eq!(place.names(), before, "cut to {n}");
    }
    fs::write(place.path("body"), &honest).unwrap();
    place.run(&OPEN);
}

/// The wrong key, the wrong owner, the wrong envelope: each an error of its own, and no output.
#[test]
fn the_wrong_key_owner_or_envelope_opens_nothing() {
    let place = Place::with_keys();
    sealed(&place, 1000);
    place.run(&["key", "new", "owner", "-o", "owner2"]);
    fs::write(place.path("plain2"), data(1000)).unwrap();
    place.run(&["seal", "plain2", "-o", "body2", "--envelope", "env2", "--owner", "owner", "--to", "to.pub"]);
    let before = place.names();
    for (at, value, why) in [
        (7, "other", "recipient"),
        (5, "owner2.pub", "signature"),
        (3, "env2", "does not belong"),
        (1, "body2", "does not belong"),
        (7, "owner", "recipient key"),
        (7, "to.pub", "public key only"),
        (7, "missing", "cannot open"),
    ] {
        let mut arguments = OPEN;
        arguments[at] = value;
        place.refuse(&arguments, why);
        assert_eq!(place.names(), before, "{value}");
    }
    place.run(&OPEN);
}

#[test]
fn nothing_is_overwritten() {
    let place = Place::with_keys();
    sealed(&place, 10);
    fs::write(place.path("out"), b"mine").unwrap();
    place.refuse(&OPEN, "exists already");
    assert_eq!(fs::read(place.path("out")).unwrap(), b"mine");
    place.refuse(
        &["seal", "plain", "-o", "body", "--envelope", "env3", "--owner", "owner", "--to", "to.pub"],
        "exists already",
    );
    place.refuse(&["key", "new", "owner", "-o", "owner"], "exists already");
    let twice = ["seal", "plain", "-o", "both", "--envelope", "both", "--owner", "owner", "--to", "to.pub"];
    place.refuse(&twice, "cannot both be both");
}

/// E34: secret keys are made 0600, refused when others can read them, and never written through a link.
#[test]
fn e34_secret_key_files_are_private() {
    let place = Place::with_keys();
    sealed(&place, 10);
    let path = place.path("to");
    assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
    fs::set_permissions(&path, fs::Permissions::from_mode(0o644)).unwrap();
    place.refuse(&OPEN, "chmod 600");
    fs::set_permissions(&path, fs::Permissions::from_mode(0o600)).unwrap();
    place.run(&OPEN);
    std::os::unix::fs::symlink("elsewhere", place.path("link")).unwrap();
    place.refuse(&["key", "new", "owner", "-o", "link"], "exists already");
    assert!(!place.path("elsewhere").exists());
}

/// A secret never reaches the terminal, not even inside an error.
#[test]
fn secrets_are_never_printed() {
    let place = Place::with_keys();
    let text = fs::read_to_string(place.path("to")).unwrap();
    let secret =
        text.lines().find_map(|l| l.strip_prefix("secret = \"")?.strip_suffix('"')).unwrap().to_owned();
    assert_eq!(secret.len(), 64);
    for arguments in [vec!["key", "show", "to"], vec!["key", "show", "to", "--json"]] {
        let out = place.try_run(&arguments);
        assert!(out.status.success());
        let all = String::from_utf8([out.stdout, out.stderr].concat()).unwrap();
        assert!(!all.contains(&secret[..16]));
    }
    sealed(&place, 10);
    // A broken key file: the error says where, not what.
    fs::write(place.path("to"), text.replace("secret = \"", "secret = \"zz")).unwrap();
    let said = place.refuse(&OPEN, "not a key file");
    assert!(!said.contains(&secret[..16]), "{said}");
}

#[test]
fn a_commitment_can_be_added_later() {
    let place = Place::with_keys();
    fs::write(place.path("plain"), data(130_000)).unwrap();
    place.run(&[
        "seal",
        "plain",
        "-o",
        "body",
        "--envelope",
        "env",
        "--owner",
        "owner",
        "--to",
        "to.pub",
        "--no-commit",
    ]);
    let json = |name: &str| -> serde_json::Value {
        serde_json::from_slice(&place.run(&["inspect", name, "--owner", "owner.pub", "--json"])).unwrap()
    };
    let before = json("env");
    place.run(&["commit", "body", "--envelope", "env", "--owner", "owner", "-o", "env2"]);
    let after = json("env2");
    assert_ne!(before, after);
    assert_eq!(after["generation"], 2);
    fs::rename(place.path("env2"), place.path("env")).unwrap();
    place.run(&OPEN);
    // A body that is not the signed one is not committed to.
    let mut body = fs::read(place.path("body")).unwrap();
    body[70_000] ^= 1;
    fs::write(place.path("body"), body).unwrap();
    place.refuse(&["commit", "body", "--envelope", "env", "--owner", "owner", "-o", "env3"], "error");
    assert!(!place.path("env3").exists());
}

/// T18: a hostile name inside an object cannot write to the terminal.
#[test]
fn t18_a_hostile_name_is_escaped() {
    let place = Place::with_keys();
    fs::write(place.path("plain"), b"x").unwrap();
    let name = "\u{1b}[2J\u{1b}[31mPASS";
    place.run(&[
        "seal",
        "plain",
        "-o",
        "body",
        "--envelope",
        "env",
        "--owner",
        "owner",
        "--to",
        "to.pub",
        "--name",
        name,
    ]);
    let out = place.try_run(&OPEN);
    assert!(out.status.success());
    assert!(![out.stdout, out.stderr].concat().contains(&0x1b));
}

/// T18: a hostile file name cannot write to the terminal either.
#[test]
fn t18_a_hostile_path_is_escaped() {
    let place = Place::with_keys();
    let name = "a\u{1b}[2Jb\nPASS\u{202e}";
    fs::write(place.path(name), b"x").unwrap();
    let out = place.try_run(&["seal", name, "--owner", "owner", "--to", "to.pub"]);
    assert!(out.status.success());
    let all = String::from_utf8([out.stdout, out.stderr].concat()).unwrap();
    assert!(!all.contains('\u{1b}') && !all.contains('\u{202e}'), "{all:?}");
    assert!(!all.lines().any(|l| l.starts_with("PASS")), "{all:?}");
    assert!(place.path(&format!("{name}.sealed")).exists(), "the name itself is kept");
}

/// T15: a reader that goes away is not a crash.
#[test]
fn t15_a_closed_pipe_is_no_panic() {
    let place = Place::with_keys();
    for arguments in [vec!["key", "show", "owner"], vec!["circuit", "ls"]] {
        let mut child = place
            .command(&arguments)
            .stdout(std::process::Stdio::piped())
            .stderr(std::process::Stdio::piped())
            .spawn()
            .unwrap();
        drop(child.stdout.take());
        let out = child.wait_with_output().unwrap();
        let text = String::from_utf8_lossy(&out.stderr);
        assert!(text.is_empty() && out.status.code() != Some(101), "{arguments:?}: {text}");
    }
}

/// E26: an interrupted command leaves neither a final name nor a temporary file.
#[test]
fn e26_an_interrupted_seal_leaves_no_file() {
    let place = Place::with_keys();
    let before = place.names();
    for signal in ["-INT", "-TERM"] {
        let arguments = ["seal", "-", "-o", "body", "--owner", "owner", "--to", "to.pub", "--name", "x"];
        let mut child = place.command(&arguments).stdin(std::process::Stdio::piped()).spawn().unwrap();
        let stdin = child.stdin.take().unwrap();
        std::io::Write::write_all(&mut &stdin, &data(3 << 20)).unwrap();
        let begun = std::time::Instant::now();
        while place.names() == before {
            assert!(begun.elapsed().as_secs() < 20, "no temporary file appeared");
            std::thread::sleep(std::time::Duration::from_millis(10));
        }
        let kill = std::process::Command::new("kill").args([signal, &child.id().to_string()]).status();
        assert!(kill.unwrap().success());
        assert!(!child.wait().unwrap().success());
        drop(stdin);
        assert_eq!(place.names(), before, "{signal}");
    }
}
