//! Commands where the system gives no further thread: that is said, and is no panic.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::process::{Command, Output};

use super::program::{Place, data};

/// No room for a stack of so many bytes.
const TOO_MANY: u64 = 1 << 46;

fn says_no_thread(out: &Output, what: &str) {
    let said = String::from_utf8_lossy(&out.stderr);
    assert_eq!(out.status.code(), Some(2), "{said}");
    assert!(said.contains(what) && !said.contains("panicked"), "{said}");
}

/// With threads for signals and for hashing and none for opening, too, nothing is left.
#[test]
fn rotate_without_a_thread_leaves_nothing() {
    let place = Place::with_keys();
    fs::write(place.path("plain"), data(70_000)).unwrap();
    place.run(&["seal", "plain", "-o", "body", "--owner", "owner", "--to", "to.pub"]);
    let before = place.names();
    // Each thread reserves a GiB.
    for (gib, whole) in [(1, false), (2, false), (16, true)] {
        let limit = (gib << 20) + (1 << 19);
        let out = Command::new("sh")
            .args(["-c", &format!("ulimit -v {limit} && exec \"$0\" \"$@\"")])
            .arg(env!("CARGO_BIN_EXE_bailiwick"))
            .args(["rotate", "body", "--owner", "owner", "--key", "to", "--to", "other.pub"])
            .env("RUST_MIN_STACK", (1 << 30).to_string())
            .current_dir(place.root())
            .output()
            .unwrap();
        assert_eq!(out.status.success(), whole, "{gib}: {}", String::from_utf8_lossy(&out.stderr));
        if !whole {
            says_no_thread(&out, "cannot start a thread");
            assert_eq!(place.names(), before, "{gib}");
        }
    }
    place.run(&["open", "body.rotated", "--owner", "owner.pub", "--key", "other", "-o", "out"]);
    assert_eq!(fs::read(place.path("out")).unwrap(), data(70_000));
}

#[test]
fn an_agent_without_a_thread_to_talk_to_it_is_ended() {
    let place = Place::with_keys();
    fs::write(place.path("plain"), data(9)).unwrap();
    place.run(&["seal", "plain", "-o", "body", "--owner", "owner", "--to", "to.pub"]);
    place.run(&["key", "agent", "none", "to.pub", "-o", "agent.key"]);
    let agent = place.path("bailiwick-agent-none");
    // Until its input ends.
    fs::write(&agent, "#!/bin/sh\nread -r x\necho ended >&2\nexit 0\n").unwrap();
    fs::set_permissions(&agent, fs::Permissions::from_mode(0o755)).unwrap();
    let open = |stack: Option<u64>| {
        let arguments = ["open", "body", "--owner", "owner.pub", "--key", "agent.key", "-o", "out"];
        let mut command = place.command(&arguments);
        command.env("PATH", format!("{}:/usr/bin:/bin", place.root().display()));
        command.envs(stack.map(|stack| ("RUST_MIN_STACK", stack.to_string()))).output().unwrap()
    };
    says_no_thread(&open(Some(TOO_MANY)), "cannot start a thread");
    says_no_thread(&open(None), "agent none ended without an answer");
    assert!(!place.path("out").exists());
}

/// A node that cannot wait for its parent's end does not begin.
#[test]
fn a_node_that_is_to_end_with_its_parent_needs_a_thread() {
    let place = Place::new();
    place.run(&["node", "init", "node", "--listen", "127.0.0.1:0"]);
    let run = ["node", "run", "--with-parent", "--config", "node/node.toml"];
    let out = place.command(&run).env("RUST_MIN_STACK", TOO_MANY.to_string()).output().unwrap();
    says_no_thread(&out, "cannot start the thread that waits for the parent's end");
}
