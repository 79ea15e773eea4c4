//! What killed runs leave, and inputs that would hold a command for ever.

use std::fs::{self, File};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use super::program::{Place, data};

/// No process has this number, nor the next.
pub(super) const DEAD: u32 = 999_999_998;

fn sealed() -> Place {
    let place = Place::with_keys();
    fs::write(place.path("plain"), data(1000)).unwrap();
    place.run(&["seal", "plain", "-o", "x", "--owner", "owner", "--to", "to.pub", "--no-commit"]);
    place
}

const OPEN: [&str; 8] = ["open", "x", "--owner", "owner.pub", "--key", "to", "-o", "back"];

/// A later run that makes the same file or folder removes what one that was killed left of it, and nothing else: not what a process that
/// is alive fills, here or on another machine, not another name's, and not what a link leads to.
#[test]
fn a_killed_runs_leftovers_are_removed_by_the_next() {
    let place = sealed();
    let lives = std::process::id();
    let named = |name: &str, pid: u32| place.path(&format!(".{name}.{pid}.partial"));
    for path in [named("back", DEAD), named("back", lives), named("back", DEAD + 1), named("other", DEAD)] {
        fs::write(path, "half").unwrap();
    }
    let filled = File::open(named("back", DEAD + 1)).unwrap();
    filled.lock().unwrap();
    fs::create_dir(named("shards", DEAD)).unwrap();
    fs::write(named("shards", DEAD).join("000.shard"), "half").unwrap();
    std::os::unix::fs::symlink("plain", named("shards", DEAD + 1)).unwrap();
    let out = place.try_run(&OPEN);
    let said = String::from_utf8_lossy(&out.stderr).into_owned();
    assert!(out.status.success() && said.contains(&format!(".back.{DEAD}.partial is removed")), "{said}");
    assert!(!named("back", DEAD).exists());
    for kept in [named("back", lives), named("back", DEAD + 1), named("other", DEAD), named("shards", DEAD)] {
        assert!(kept.exists(), "{kept:?}");
    }
    let seal = ["seal", "plain", "-o", "shards", "--owner", "owner", "--to", "to.pub", "--shards", "1/2"];
    place.run(&seal);
    assert!(!named("shards", DEAD).exists());
    assert!(named("shards", DEAD + 1).is_symlink() && place.path("plain").exists());
    drop(filled);
    fs::remove_file(place.path("back")).unwrap();
    place.run(&OPEN);
    assert!(!named("back", DEAD + 1).exists(), "nobody fills it any more");
}

/// A named pipe where an envelope should be is refused at once; what a shell puts in a command's place is read.
#[test]
fn a_named_pipe_does_not_hold_a_command() {
    let place = sealed();
    let bytes = fs::read(place.path("x.envelope")).unwrap();
    fs::remove_file(place.path("x.envelope")).unwrap();
    assert!(Command::new("mkfifo").arg(place.path("x.envelope")).status().unwrap().success());
    let mut child = place.command(&OPEN).stderr(Stdio::piped()).spawn().unwrap();
    let begun = Instant::now();
    while child.try_wait().unwrap().is_none() {
        if begun.elapsed() > Duration::from_secs(30) {
            child.kill().unwrap();
        }
        std::thread::sleep(Duration::from_millis(20));
    }
    let out = child.wait_with_output().unwrap();
    let said = String::from_utf8_lossy(&out.stderr).into_owned();
    assert_eq!(out.status.code(), Some(2), "{said}");
    assert!(said.contains("cannot open x.envelope") && said.contains("it is not a file"), "{said}");
    // The honest twin: a pipe that somebody means.
    let open = ["open", "x", "--envelope", "/dev/stdin", "--owner", "owner.pub", "--key", "to", "-o", "back"];
    let out = place.run_with_input(&open, &bytes);
    assert!(out.status.success(), "{}", String::from_utf8_lossy(&out.stderr));
    assert!(fs::read(place.path("back")).unwrap() == data(1000));
}
