//! Passphrases, and file keys that travel through age.

use std::fs;
use std::io::{Read as _, Write as _};
use std::os::unix::fs::PermissionsExt as _;
use std::process::{Command, Output, Stdio};
use std::time::{Duration, Instant};

use super::program::{Place, data};

fn secret(place: &Place, name: &str, text: &str) {
    fs::write(place.path(name), text).unwrap();
    fs::set_permissions(place.path(name), fs::Permissions::from_mode(0o600)).unwrap();
}

fn place() -> Place {
    let place = Place::with_keys();
    fs::write(place.path("plain"), data(20_000)).unwrap();
    secret(&place, "pass", "correct horse\n");
    secret(&place, "wrong", "correct house\n");
    place
}

#[test]
fn a_passphrase_opens_alone_and_beside_keys_when_asked_for() {
    let place = place();
    let seal = ["seal", "plain", "--owner", "owner", "--passphrase-file", "pass"];
    place.run(&[&seal[..], &["-o", "alone"]].concat());
    let open = |body: &str, with: [&str; 2]| {
        ["open", body, "--owner", "owner.pub", with[0], with[1], "-o", "-"].map(str::to_owned)
    };
    assert_eq!(place.run(&open("alone", ["--passphrase-file", "pass"])), data(20_000));
    place.refuse(&open("alone", ["--passphrase-file", "wrong"]), "does not open");
    place.refuse(&open("alone", ["--key", "to"]), "none of the given keys");
    let mixed = [&seal[..], &["--to", "to.pub", "-o", "mixed"]].concat();
    place.refuse(&mixed, "only as strong as the passphrase");
    place.run(&[&mixed[..], &["--also-passphrase"]].concat());
    assert_eq!(place.run(&open("mixed", ["--passphrase-file", "pass"])), data(20_000));
    assert_eq!(place.run(&open("mixed", ["--key", "to"])), data(20_000));
    place.refuse(&["seal", "plain", "--owner", "owner", "-o", "nobody"], "nobody could open");
}

/// A host sees what trying a passphrase costs, so `inspect` shows it.
#[test]
fn inspect_shows_what_a_passphrase_costs() {
    let place = place();
    place.run(&["seal", "plain", "--owner", "owner", "--passphrase-file", "pass", "-o", "alone"]);
    place.run(&["seal", "plain", "--owner", "owner", "--to", "to.pub", "-o", "keys"]);
    let inspect = |envelope| String::from_utf8(place.run(&["inspect", envelope])).unwrap();
    let json = |envelope| -> serde_json::Value {
        serde_json::from_slice(&place.run(&["inspect", envelope, "--json"])).unwrap()
    };
    let alone = json("alone.envelope");
    assert_eq!(alone["passphrase"], true);
    let cost = &alone["passphrase_cost"];
    let (memory, passes, lanes) = (&cost["memory_kib"], &cost["passes"], &cost["lanes"]);
    assert_eq!((memory, passes, lanes), (&65_536.into(), &3.into(), &4.into()));
    let line = format!("over {memory} KiB, {passes} pass(es), {lanes} lane(s)");
    assert!(inspect("alone.envelope").contains(&line));
    let keys = json("keys.envelope");
    assert_eq!((&keys["passphrase"], &keys["passphrase_cost"]), (&false.into(), &serde_json::Value::Null));
    assert!(!inspect("keys.envelope").contains("passphrase"));
}

/// E34: a passphrase file that others can read is refused.
#[test]
fn e34_readable_passphrase_files_are_refused() {
    let place = place();
    fs::set_permissions(place.path("pass"), fs::Permissions::from_mode(0o644)).unwrap();
    let seal = ["seal", "plain", "--owner", "owner", "--passphrase-file", "pass", "-o", "alone"];
    place.refuse(&seal, "can be read by others");
    secret(&place, "empty", "\nsecond line\n");
    place
        .refuse(&["seal", "plain", "--owner", "owner", "--passphrase-file", "empty", "-o", "a"], "1 to 1024");
}

/// A pipe gives a key once, as a shell's `<(command)` does; one that others could read is refused like a file.
#[test]
fn a_key_may_come_through_a_pipe() {
    let place = place();
    place.run(&["seal", "plain", "-o", "body", "--owner", "owner", "--to", "to.pub"]);
    let key = fs::read(place.path("to")).unwrap();
    let open = ["open", "body", "--owner", "owner.pub", "--key", "/dev/stdin", "-o", "-"];
    let out = place.run_with_input(&open, &key);
    assert_eq!(out.stdout, data(20_000), "{}", String::from_utf8_lossy(&out.stderr));
    let other = fs::read(place.path("other")).unwrap();
    let out = place.run_with_input(&open, &other);
    assert_eq!((out.status.code(), out.stdout.len()), (Some(2), 0));
    fs::set_permissions(place.path("to"), fs::Permissions::from_mode(0o644)).unwrap();
    let file = ["open", "body", "--owner", "owner.pub", "--key", "to", "-o", "-"];
    place.refuse(&file, "to can be read by others (mode 644)");
}

/// The file key goes out raw and comes back; another object's is refused by the commitment.
#[test]
fn a_raw_file_key_opens_its_object_and_no_other() {
    let place = place();
    for body in ["body", "body2"] {
        place.run(&["seal", "plain", "-o", body, "--owner", "owner", "--to", "to.pub"]);
    }
    let key = place.run(&["export", "body", "--owner", "owner.pub", "--key", "to", "--raw"]);
    assert_eq!(key.len(), 32);
    let open = |body| ["open", body, "--owner", "owner.pub", "--key-from-age-output", "-", "-o", "-"];
    assert_eq!(place.run_with_input(&open("body"), &key).stdout, data(20_000));
    // In a file it is kept like every other key.
    let of_file = ["open", "body", "--owner", "owner.pub", "--key-from-age-output", "filekey", "-o", "-"];
    fs::write(place.path("filekey"), &key).unwrap();
    fs::set_permissions(place.path("filekey"), fs::Permissions::from_mode(0o644)).unwrap();
    place.refuse(&of_file, "filekey can be read by others (mode 644)");
    fs::set_permissions(place.path("filekey"), fs::Permissions::from_mode(0o600)).unwrap();
    assert_eq!(place.run(&of_file), data(20_000));
    for (body, input) in
        [("body2", key.as_slice()), ("body", &key[..31]), ("body", &[&key[..], b"\n"].concat())]
    {
        let out = place.run_with_input(&open(body), input);
        assert_eq!((out.status.code(), out.stdout.len()), (Some(2), 0), "{body}");
        let text = String::from_utf8(out.stderr).unwrap();
        assert_eq!(text.contains("the file key given is not this object's"), body == "body2", "{text}");
        assert!(!text.contains("recipient"), "{text}");
    }
}

/// Each shard has a file key of its own: no age file of one is written that would open nothing.
#[test]
fn objects_in_shards_are_not_exported() {
    let place = place();
    let shards =
        |split| ["seal", "plain", "-o", "s", "--owner", "owner", "--to", "to.pub", "--shards", split];
    place.run(&[&shards("2/3")[..], &["--no-commit"]].concat());
    for (what, why) in
        [("s", "s is a directory"), ("s/000.shard", "s/000.shard.envelope is one shard's envelope")]
    {
        let text = place.refuse(&["export", what, "--owner", "owner.pub", "--key", "to", "--raw"], why);
        assert!(text.contains("each shard has a file key of its own"), "{text}");
    }
    place.run(&["seal", "plain", "-o", "body", "--owner", "owner", "--to", "to.pub"]);
    let key = place.run(&["export", "body", "--owner", "owner.pub", "--key", "to", "--raw"]);
    assert_eq!(key.len(), 32);
}

/// Debian's age decrypts what we export, where it is installed.
#[test]
fn age_decrypts_an_exported_file_key() {
    let place = place();
    place.run(&["seal", "plain", "-o", "body", "--owner", "owner", "--to", "to.pub"]);
    let export = |to: &str| {
        ["export", "body", "--owner", "owner.pub", "--key", "to", "--age", to, "-o", "key.age"]
            .map(str::to_owned)
    };
    place.refuse(&export("age1pq1xyz"), "for other recipients pipe");
    let Ok(made) = Command::new("age-keygen").output() else {
        eprintln!("age is not installed: its half is not run");
        return;
    };
    let identity = String::from_utf8(made.stdout).unwrap();
    secret(&place, "identity", &identity);
    let recipient = identity.lines().find_map(|l| l.strip_prefix("# public key: ")).unwrap().to_owned();
    place.run(&export(&recipient));
    let mut age = Command::new("age");
    let opened =
        age.args(["-d", "-i"]).arg(place.path("identity")).arg(place.path("key.age")).output().unwrap();
    assert!(opened.status.success(), "{}", String::from_utf8_lossy(&opened.stderr));
    let open = ["open", "body", "--owner", "owner.pub", "--key-from-age-output", "-", "-o", "-"];
    assert_eq!(place.run_with_input(&open, &opened.stdout).stdout, data(20_000));
}

/// Runs with `kib` of address space, at most; must end by itself.
fn run_within(place: &Place, kib: u32, arguments: &[&str]) -> Output {
    let mut child = Command::new("sh")
        .args(["-c", &format!("ulimit -v {kib} && exec \"$0\" \"$@\""), env!("CARGO_BIN_EXE_bailiwick")])
        .args(arguments)
        .current_dir(place.root())
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let deadline = Instant::now() + Duration::from_secs(30);
    while child.try_wait().unwrap().is_none() {
        if Instant::now() > deadline {
            child.kill().unwrap();
            panic!("{arguments:?} in {kib} KiB: still running");
        }
        std::thread::sleep(Duration::from_millis(20));
    }
    child.wait_with_output().unwrap()
}

/// E35: memory that is not to be had is an error that says how much, and no panic; sealing and opening end.
#[test]
fn e35_too_little_memory_for_a_passphrase_is_an_error() {
    let place = place();
    let seal = ["seal", "plain", "--owner", "owner", "--passphrase-file", "pass", "-o"];
    let open = ["open", "whole", "--owner", "owner.pub", "--passphrase-file", "pass", "-o"];
    place.run(&[&seal[..], &["whole"]].concat());
    for kib in [90_000, 80_000, 70_000] {
        for arguments in [seal, open] {
            let out = run_within(&place, kib, &[&arguments[..], &["never"]].concat());
            let text = String::from_utf8_lossy(&out.stderr);
            assert_eq!(out.status.code(), Some(2), "{kib} {arguments:?}: {text}");
            assert!(text.contains("64 MiB of memory") && !text.contains("panicked"), "{kib}: {text}");
            assert!(!place.path("never").exists(), "{kib}");
        }
    }
    let out = run_within(&place, 1_000_000, &[&open[..], &["out"]].concat());
    assert!(out.status.success(), "{}", String::from_utf8_lossy(&out.stderr));
    assert_eq!(fs::read(place.path("out")).unwrap(), data(20_000));
}

/// E33: a process that holds secrets leaves no core dump, whatever limit it was started with.
#[test]
fn e33_no_core_dumps() {
    let place = place();
    place.run(&["seal", "plain", "--owner", "owner", "--passphrase-file", "pass", "-o", "body"]);
    // Waits for the passphrase on standard input.
    let open = ["open", "body", "--owner", "owner.pub", "--passphrase-file", "-", "-o", "-"];
    let start = |program: &str, arguments: &[&str]| {
        let script = "ulimit -S -c unlimited 2>/dev/null; exec \"$0\" \"$@\"";
        let mut command = Command::new("sh");
        command.args(["-c", script, program]).args(arguments).current_dir(place.root());
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap()
    };
    let core_limit = |pid: u32| {
        let text = fs::read_to_string(format!("/proc/{pid}/limits")).unwrap();
        text.lines()
            .find(|l| l.starts_with("Max core file size"))
            .unwrap()
            .split_whitespace()
            .nth(4)
            .unwrap()
            .to_owned()
    };
    let (mut other, mut ours) = (start("cat", &[]), start(env!("CARGO_BIN_EXE_bailiwick"), &open));
    std::thread::sleep(Duration::from_millis(500));
    if core_limit(other.id()) == "0" {
        eprintln!("core dumps cannot be switched on here: nothing is shown");
    }
    assert_eq!(core_limit(ours.id()), "0");
    drop(other.stdin.take());
    other.wait().unwrap();
    std::io::Write::write_all(&mut ours.stdin.take().unwrap(), b"correct horse\n").unwrap();
    assert_eq!(ours.wait_with_output().unwrap().stdout, data(20_000));
}

/// Asks on a terminal that `script` (Debian: bsdutils) makes, types `keys`, and gives what the terminal showed; its modes at the end.
fn typed(place: &Place, keys: &[u8]) -> String {
    let program = env!("CARGO_BIN_EXE_bailiwick");
    let ask = format!(
        "trap : INT\nstty -a\n{program} open alone --owner owner.pub --passphrase -o out; echo status $?\nstty -a\n"
    );
    fs::write(place.path("ask"), ask).unwrap();
    let mut child = Command::new("script")
        .args(["-qec", "sh ask", "/dev/null"])
        .current_dir(place.root())
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let (mut keyboard, mut screen) = (child.stdin.take().unwrap(), child.stdout.take().unwrap());
    let (mut shown, mut byte) = (Vec::new(), [0]);
    while !shown.ends_with(b"passphrase: ") {
        assert_eq!(screen.read(&mut byte).unwrap(), 1, "{}", String::from_utf8_lossy(&shown));
        shown.push(byte[0]);
    }
    // Echo goes off after the question is shown.
    std::thread::sleep(Duration::from_millis(500));
    keyboard.write_all(keys).unwrap();
    screen.read_to_end(&mut shown).unwrap();
    child.wait().unwrap();
    String::from_utf8(shown).unwrap()
}

/// What is typed is not shown, and is shown again afterwards, whether the question was answered or interrupted.
#[test]
fn a_question_leaves_the_terminal_as_it_was() {
    let place = place();
    place.run(&["seal", "plain", "--owner", "owner", "--passphrase-file", "pass", "-o", "alone"]);
    for (keys, status) in [(&b"correct horse\n"[..], "status 0"), (b"correct\x03", "status 130")] {
        let shown = typed(&place, keys);
        assert!(shown.contains(status) && !shown.contains("correct"), "{shown}");
        assert_eq!(shown.matches(" echo ").count(), 2, "{shown}");
    }
    assert_eq!(fs::read(place.path("out")).unwrap(), data(20_000));
}
