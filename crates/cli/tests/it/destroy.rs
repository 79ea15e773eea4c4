//! `destroy`: what cannot be destroyed is found out first, a run that broke off is brought to its end, and what still opens is said.

use std::fs;
use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _, chown};
use std::os::unix::process::CommandExt as _;
use std::path::Path;
use std::process::{Command, Output};

use super::program::{Place, data};

/// Two objects in a folder of their own.
fn two() -> Place {
    let place = Place::with_keys();
    fs::write(place.path("plain"), data(5_000)).unwrap();
    fs::create_dir(place.path("d")).unwrap();
    for body in ["d/w1", "d/w2"] {
        place.run(&["seal", "plain", "-o", body, "--owner", "owner", "--to", "to.pub", "--no-commit"]);
    }
    place
}

const BOTH: [&str; 6] = ["destroy", "d/w1", "d/w2", "--owner", "owner", "--yes-destroy"];

fn said(place: &Place, arguments: &[&str]) -> String {
    String::from_utf8(place.run(arguments)).unwrap()
}

fn opens(place: &Place, body: &str) -> bool {
    let out = place.try_run(&["open", body, "--owner", "owner.pub", "--key", "to", "-o", "-"]);
    out.status.success() && out.stdout == data(5_000)
}

fn set_mode(path: &Path, mode: u32) {
    fs::set_permissions(path, fs::Permissions::from_mode(mode)).unwrap();
}

const NOBODY: u32 = 65_534;

/// The command as somebody whom a folder's mode binds, which it does not bind the superuser.
fn as_somebody(place: &Place) -> Command {
    if fs::metadata(place.root()).unwrap().uid() != 0 {
        return place.command(&BOTH);
    }
    let mut folders = vec![place.root().to_owned()];
    while let Some(folder) = folders.pop() {
        chown(&folder, Some(NOBODY), Some(NOBODY)).unwrap();
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else {
                chown(&path, Some(NOBODY), Some(NOBODY)).unwrap();
            }
        }
    }
    // Where the program was built may be closed to others.
    let program = place.path("program");
    fs::copy(env!("CARGO_BIN_EXE_bailiwick"), &program).unwrap();
    set_mode(&program, 0o755);
    let mut command = Command::new(program);
    command.args(BOTH).current_dir(place.root()).env_clear().uid(NOBODY).gid(NOBODY);
    command
}

/// While another test starts its program, it holds open what was just written here.
fn output(command: &mut Command) -> Output {
    loop {
        match command.output() {
            Err(e) if e.kind() == std::io::ErrorKind::ExecutableFileBusy => std::thread::yield_now(),
            out => return out.unwrap(),
        }
    }
}

/// In a folder from which no name can be removed nothing is overwritten either.
#[test]
fn a_read_only_folder_is_found_out_before_the_first_byte_is_overwritten() {
    let place = two();
    let before = fs::read(place.path("d/w1.envelope")).unwrap();
    let mut command = as_somebody(&place);
    set_mode(&place.path("d"), 0o555);
    let out = output(&mut command);
    let text = String::from_utf8(out.stderr).unwrap();
    assert_eq!(out.status.code(), Some(2), "{text}");
    assert!(text.contains("which is as it was") && text.contains("no name can be removed from d"), "{text}");
    assert_eq!(fs::read(place.path("d/w1.envelope")).unwrap(), before);
    assert!(opens(&place, "d/w1") && opens(&place, "d/w2"));
    set_mode(&place.path("d"), 0o755);
    assert!(command.output().unwrap().status.success());
    assert!(!place.path("d/w1.envelope").exists() && !place.path("d/w2.envelope").exists());
}

/// Where everybody may write and only owners remove names, as in /tmp, nothing of somebody else's is overwritten. Only the superuser can
/// give files away, so others see but the last twin: that what is one's own is destroyed there.
#[test]
fn a_sticky_folder_is_found_out_before_the_first_byte_is_overwritten() {
    let root = fs::metadata(Place::with_keys().root()).unwrap().uid() == 0;
    // Mode of the folder, whether it and the envelopes are somebody else's, and whether they are destroyed.
    let cases = [
        (0o1777, true, true, false),
        (0o777, true, true, true),
        (0o1777, false, true, true),
        (0o1777, true, false, true),
        (0o1777, false, false, true),
    ];
    for (mode, folder, files, destroyed) in cases.into_iter().skip(if root { 0 } else { 4 }) {
        let place = two();
        let mut command = as_somebody(&place);
        let envelopes = ["d/w1.envelope", "d/w2.envelope"].map(|name| place.path(name));
        let before = fs::read(&envelopes[0]).unwrap();
        set_mode(&place.path("d"), mode);
        for path in &envelopes {
            set_mode(path, 0o666);
        }
        let given = [folder.then(|| vec![place.path("d")]), files.then(|| envelopes.to_vec())];
        for path in given.into_iter().flatten().flatten() {
            chown(path, Some(0), Some(0)).unwrap();
        }
        let out = output(&mut command);
        let text = String::from_utf8(out.stderr).unwrap();
        if destroyed {
            assert!(out.status.success() && !envelopes[0].exists() && !envelopes[1].exists(), "{text}");
            continue;
        }
        assert_eq!(out.status.code(), Some(2), "{text}");
        let why = "d lets only its owner or the file's remove the name";
        assert!(text.contains("which is as it was") && text.contains(why), "{text}");
        assert_eq!(fs::read(&envelopes[0]).unwrap(), before);
        // The superuser, whose neither is, is bound by no folder's mode.
        for path in [&place.path("d"), &envelopes[0], &envelopes[1]] {
            chown(path, Some(NOBODY), Some(NOBODY)).unwrap();
        }
        assert!(place.try_run(&BOTH).status.success() && !envelopes[0].exists());
    }
}

/// A run that broke off left zeros under one name, or removed it: the same command does the rest.
#[test]
fn what_an_earlier_run_overwrote_or_removed_is_done() {
    for removed in [false, true] {
        let place = two();
        let first = place.path("d/w1.envelope");
        if removed {
            fs::remove_file(&first).unwrap();
        } else {
            fs::write(&first, vec![0; fs::read(&first).unwrap().len()]).unwrap();
        }
        let text = said(&place, &BOTH);
        let told =
            if removed { "not there d/w1.envelope" } else { "removed   d/w1.envelope: it was overwritten" };
        assert!(text.contains(told) && text.contains("destroyed d/w2.envelope"), "{text}");
        assert!(!first.exists() && !place.path("d/w2.envelope").exists());
        // Of nothing at all it is not said that it is destroyed.
        place.refuse(&BOTH, "nothing to destroy at d/w1, d/w2");
        let named = ["destroy", "d/w1.envelope", "--key-file", "to", "--owner", "owner", "--yes-destroy"];
        assert!(said(&place, &named).contains("not there d/w1.envelope"), "by its own name, too");
        assert!(!place.path("to").exists());
    }
    // Damage is not zeros: the rest is not touched before somebody has looked.
    let place = two();
    let mut bytes = fs::read(place.path("d/w1.envelope")).unwrap();
    bytes[9] ^= 1;
    fs::write(place.path("d/w1.envelope"), &bytes).unwrap();
    place.refuse(&BOTH, "d/w1.envelope is not an envelope of this owner");
    assert!(opens(&place, "d/w2"));
}

#[test]
fn a_key_file_that_is_overwritten_already_is_done() {
    let place = two();
    fs::write(place.path("to"), vec![0; 100]).unwrap();
    set_mode(&place.path("to"), 0o600);
    let text = said(&place, &[&BOTH[..], &["--key-file", "to"]].concat());
    assert!(text.contains("removed   to: it was overwritten") && !place.path("to").exists(), "{text}");
    place.refuse(
        &["destroy", "d/w1", "--key-file", "other.pub", "--owner", "owner"],
        "no recipient's secret key",
    );
}

/// One shard less is none the less an object that opens: said, and the folder of all is destroyed as one.
#[test]
fn shards_that_still_open_are_said_and_a_folder_of_them_goes_as_one() {
    let place = Place::with_keys();
    fs::write(place.path("plain"), data(5_000)).unwrap();
    place.run(&[
        "seal",
        "plain",
        "-o",
        "s",
        "--owner",
        "owner",
        "--to",
        "to.pub",
        "--shards",
        "2/4",
        "--no-commit",
    ]);
    let one = ["destroy", "s/000.shard.envelope", "--owner", "owner"];
    let still = "left      3 of the 4 shards of ";
    let text = place.refuse(&one, "nothing was destroyed");
    assert!(text.contains(still) && text.contains("any 2 of them still open it"), "{text}");
    let text = said(&place, &[&one[..], &["--yes-destroy"]].concat());
    assert!(text.contains(still) && text.contains("left      s/003.shard.envelope: generation 1"), "{text}");
    assert!(text.contains("not reached: copies") && text.contains("other shards"), "{text}");
    assert!(opens(&place, "s"), "and so it is");

    // Somebody else's envelope in the folder, or a whole object's, is not destroyed with it.
    place.run(&["seal", "plain", "-o", "s/whole", "--owner", "owner", "--to", "to.pub", "--no-commit"]);
    let all = ["destroy", "s", "--owner", "owner", "--yes-destroy"];
    place.refuse(&all, "s/whole.envelope is no shard's envelope");
    assert!(opens(&place, "s") && opens(&place, "s/whole"));
    fs::remove_file(place.path("s/whole.envelope")).unwrap();
    let text = said(&place, &all);
    assert!(text.contains("destroyed s/001.shard.envelope") && !text.contains("left      s/"), "{text}");
    assert!(!opens(&place, "s"));
    let left: Vec<_> = fs::read_dir(place.path("s")).unwrap().map(|e| e.unwrap().file_name()).collect();
    assert!(left.iter().all(|name| !name.to_string_lossy().ends_with(".envelope")), "{left:?}");
    place.refuse(&all, "nothing to destroy at s");
}

/// The next generation of an object lies beside it until it takes its place.
#[test]
fn another_generation_beside_is_named() {
    let place = two();
    place.run(&["rotate", "d/w2", "--owner", "owner", "--key", "to", "--to", "to.pub"]);
    let destroy =
        |bodies: &[&'static str]| [&["destroy"], bodies, &["--owner", "owner", "--yes-destroy"]].concat();
    let text = said(&place, &destroy(&["d/w2"]));
    assert!(text.contains("left      d/w2.rotated.envelope: generation 2 of "), "{text}");
    assert!(opens(&place, "d/w2.rotated"));
    let text = said(&place, &destroy(&["d/w1"]));
    assert!(!text.contains("left "), "another object is not named: {text}");
    assert!(!said(&place, &destroy(&["d/w2", "d/w2.rotated"])).contains("left "));
}
