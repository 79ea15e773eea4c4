//! Verification where there is no network at all.

use std::process::{Command, Output};

use super::program::Place;
use super::verdict::scenario;

/// Runs a program in a network namespace of its own, which has nothing but a loopback interface that is down. `None` where this
/// machine permits none.
fn without_network(place: &Place, program: &str, arguments: &[String]) -> Option<Output> {
    let unshared = |program: &str, arguments: &[String]| {
        let mut command = Command::new("unshare");
        command.args(["--user", "--map-root-user", "--net", "--", program]).args(arguments);
        command.current_dir(place.root()).output()
    };
    let permitted = unshared("true", &[]).is_ok_and(|out| out.status.success());
    if !permitted {
        eprintln!(
            "NOT SHOWN: this machine permits no network namespace (unshare --user --net); verified with a network"
        );
        return None;
    }
    Some(unshared(program, arguments).unwrap())
}

/// T17: `verify` in an empty network namespace gives the verdicts it gives anywhere, byte for byte; honest and refuted ones.
#[test]
fn t17_verification_needs_no_network() {
    let place = Place::new();
    if let Some(out) = without_network(&place, "cat", &["/proc/self/net/dev".to_owned()]) {
        let text = String::from_utf8(out.stdout).unwrap();
        let interfaces: Vec<&str> =
            text.lines().filter_map(|l| l.split_once(':')).map(|(name, _)| name.trim()).collect();
        assert_eq!(interfaces, ["lo"], "the namespace is empty");
    }
    for (name, code) in [("honest", 0), ("cannot-prove", 1)] {
        let mut command = scenario(&place, name);
        command.push("--json".to_owned());
        let anywhere = place.try_run(&command);
        assert_eq!(anywhere.status.code(), Some(code), "{name}");
        if let Some(out) = without_network(&place, env!("CARGO_BIN_EXE_bailiwick"), &command) {
            assert_eq!(out.status.code(), Some(code), "{name}: {}", String::from_utf8_lossy(&out.stderr));
            assert!(out.stdout == anywhere.stdout && !out.stdout.is_empty(), "{name}: the same to the byte");
        }
    }
}
