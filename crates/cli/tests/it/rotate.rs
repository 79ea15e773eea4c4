//! `rotate` of files and directories, and `destroy`.

use std::fs;
use std::os::unix::fs::PermissionsExt;

use super::custody;
use super::program::{Place, data};

pub(super) fn place() -> Place {
    let place = Place::with_keys();
    fs::write(place.path("plain"), data(70_000)).unwrap();
    place.run(&["seal", "plain", "-o", "body", "--owner", "owner", "--to", "to.pub", "--name", "a name"]);
    place
}

fn inspect(place: &Place, envelope: &str) -> serde_json::Value {
    serde_json::from_slice(&place.run(&["inspect", envelope, "--json"])).unwrap()
}

#[test]
fn a_rotated_object_is_the_next_generation_under_other_keys() {
    let place = place();
    place.run(&["rotate", "body", "--owner", "owner", "--key", "to", "--to", "other.pub"]);
    let (old, new) = (inspect(&place, "body.envelope"), inspect(&place, "body.rotated.envelope"));
    assert_eq!((&old["object"], &old["unit"]), (&new["object"], &new["unit"]));
    assert_eq!(new["generation"], 2);
    for differs in ["salt", "key_commitment", "blake3", "storage_root"] {
        assert!(old[differs] != new[differs] && !new[differs].is_null(), "{differs}");
    }
    let open = |body, envelope, key| {
        place.try_run(&[
            "open",
            body,
            "--envelope",
            envelope,
            "--owner",
            "owner.pub",
            "--key",
            key,
            "-o",
            "-",
        ])
    };
    assert_eq!(open("body.rotated", "body.rotated.envelope", "other").stdout, data(70_000));
    assert!(!open("body.rotated", "body.rotated.envelope", "to").status.success());
    // Neither body opens under the other's envelope; the old pair still opens with the old key, as the help says.
    assert!(!open("body", "body.rotated.envelope", "other").status.success());
    assert_eq!(open("body", "body.envelope", "to").stdout, data(70_000));
    let text =
        place.run(&["open", "body.rotated", "--owner", "owner.pub", "--key", "other", "-o", "out", "--json"]);
    assert!(String::from_utf8(text).unwrap().contains("a name"));
}

/// E26: a body that fails at its very end, or in a chunk after which what came before looks whole, leaves no new object.
#[test]
fn e26_a_damaged_body_is_not_rotated() {
    let place = place();
    let mut body = fs::read(place.path("body")).unwrap();
    let before = place.names();
    for at in [body.len() - 1, body.len() / 2] {
        body[at] ^= 1;
        fs::write(place.path("body"), &body).unwrap();
        place.refuse(&["rotate", "body", "--owner", "owner", "--key", "to", "--to", "other.pub"], "error");
        assert_eq!(place.names(), before);
        body[at] ^= 1;
    }
    fs::write(place.path("body"), &body).unwrap();
    place.run(&["rotate", "body", "--owner", "owner", "--key", "to", "--to", "other.pub"]);
}

/// What has the name of the new envelope and is none, or that of the new body, is somebody's and stays.
#[test]
fn what_is_in_the_way_of_a_new_generation_stays() {
    let place = place();
    let rotate = ["rotate", "body", "--owner", "owner", "--key", "to", "--to", "other.pub"];
    for (name, more, says) in [
        ("body.rotated.envelope", &[][..], "body.rotated.envelope exists already"),
        ("body.rotated", &[], "body.rotated is there without its envelope"),
        ("new.envelope", &["-o", "new"], "new.envelope exists already"),
        ("new", &["-o", "new"], "new is there without its envelope"),
    ] {
        fs::write(place.path(name), "a letter").unwrap();
        let before = place.names();
        place.refuse(&[&rotate[..], more].concat(), says);
        assert_eq!(fs::read(place.path(name)).unwrap(), b"a letter");
        assert_eq!(place.names(), before);
        fs::remove_file(place.path(name)).unwrap();
    }
    place.run(&rotate);
}

/// What is rotated is what this owner signed: with another owner's key nothing is, and that is an error; a damaged envelope fails by name and
/// keeps the others from taking their places.
#[test]
fn another_owners_key_and_a_damaged_envelope_fail_a_directory() {
    let place = place();
    folder(&place);
    fs::remove_file(place.path("d/theirs.envelope")).unwrap();
    let by = |owner| ["rotate", "d", "--owner", owner, "--key", "to", "--to", "other.pub", "--replace"];
    place.refuse(&by("owner2"), "none is an envelope of this owner");
    assert!(!place.path("d/.bailiwick-rotate-replacing").exists(), "nothing has begun");
    // Not even where a run of the owner's broke off: that one is still to be brought to its end.
    fs::write(place.path("d/.bailiwick-rotate-replacing"), b"").unwrap();
    place.refuse(&by("owner2"), "none is an envelope of this owner");
    assert!(place.path("d/.bailiwick-rotate-replacing").exists());
    fs::remove_file(place.path("d/.bailiwick-rotate-replacing")).unwrap();

    let whole = fs::read(place.path("d/e/b.envelope")).unwrap();
    let mut damaged = whole.clone();
    damaged[whole.len() / 2] ^= 1;
    fs::write(place.path("d/e/b.envelope"), &damaged).unwrap();
    let out = place.try_run(&by("owner"));
    let text = String::from_utf8(out.stdout).unwrap();
    assert_eq!(out.status.code(), Some(2), "{text}");
    assert!(text.contains("failed    d/e/b.envelope: it verifies under no owner's key"), "{text}");
    assert!(opens(&place, "d/a", "to").is_some(), "nothing takes its place");
    fs::write(place.path("d/e/b.envelope"), &whole).unwrap();
    place.run(&by("owner"));
    for (body, size) in [("d/a", 70_000), ("d/e/b", 5), ("d/e/c", 0)] {
        assert_eq!(opens(&place, body, "other"), Some(data(size)), "{body}");
    }
}

/// Three objects below `d`, each with its own data, and somebody else's.
pub(super) fn folder(place: &Place) {
    place.run(&["key", "new", "owner", "-o", "owner2"]);
    fs::create_dir_all(place.path("d/e")).unwrap();
    for (body, owner, size) in
        [("d/a", "owner", 70_000), ("d/e/b", "owner", 5), ("d/e/c", "owner", 0), ("d/theirs", "owner2", 9)]
    {
        fs::write(place.path("plain"), data(size)).unwrap();
        place.run(&["seal", "plain", "-o", body, "--owner", owner, "--to", "to.pub"]);
    }
}

pub(super) const ROTATE: [&str; 8] = ["rotate", "d", "--owner", "owner", "--key", "to", "--to", "other.pub"];

pub(super) fn summary(place: &Place, more: &[&str]) -> serde_json::Value {
    serde_json::from_slice(&place.run(&[&ROTATE[..], more, &["--json"]].concat())).unwrap()
}

pub(super) fn opens(place: &Place, body: &str, key: &str) -> Option<Vec<u8>> {
    let out = place.try_run(&["open", body, "--owner", "owner.pub", "--key", key, "-o", "-"]);
    out.status.success().then_some(out.stdout)
}

/// Each object whole or not at all, and the same command goes on: a body without an envelope, an object that fails, one that is done.
#[test]
fn a_directory_is_rotated_and_a_second_run_goes_on() {
    let place = place();
    folder(&place);
    let whole = fs::read(place.path("d/a")).unwrap();
    let mut broken = whole.clone();
    *broken.last_mut().unwrap() ^= 1;
    fs::write(place.path("d/a"), &broken).unwrap();
    // What a run leaves that dies between the two names of an object, or a body whose envelope was moved: it is not written over.
    fs::write(place.path("d/e/b.rotated"), b"noise").unwrap();
    let out = place.try_run(&[&ROTATE[..], &["--replace"]].concat());
    let text = String::from_utf8(out.stdout).unwrap();
    assert!(!out.status.success() && text.contains("b.rotated is there without its envelope"), "{text}");
    assert_eq!(fs::read(place.path("d/e/b.rotated")).unwrap(), b"noise");
    fs::remove_file(place.path("d/e/b.rotated")).unwrap();
    let text = place.refuse(&[&ROTATE[..], &["--replace"]].concat(), "1 object(s) failed");
    assert!(text.contains("run the same command again"), "{text}");
    assert!(!place.path("d/a.rotated").exists() && !place.path("d/a.rotated.envelope").exists());
    assert!(opens(&place, "d/e/b", "to").is_some(), "nothing takes a place before everything is sealed anew");
    let signed = fs::read(place.path("d/e/b.rotated.envelope")).unwrap();
    fs::write(place.path("d/a"), &whole).unwrap();
    let second = summary(&place, &[]);
    assert_eq!(second["rotated"], 1);
    assert_eq!(second["skipped"]["sealed anew already"], 2);
    assert_eq!(second["skipped"]["not an envelope of this owner"], 1);
    assert_eq!(
        fs::read(place.path("d/e/b.rotated.envelope")).unwrap(),
        signed,
        "one envelope of a generation"
    );
    for (body, size) in [("d/a", 70_000), ("d/e/b", 5), ("d/e/c", 0)] {
        assert_eq!(opens(&place, &format!("{body}.rotated"), "other"), Some(data(size)), "{body}");
        assert_eq!(inspect(&place, &format!("{body}.rotated.envelope"))["generation"], 2);
    }
    // In the place of the old ones: nothing is sealed again.
    assert_eq!(summary(&place, &["--replace"])["rotated"], 0);
    for (body, size) in [("d/a", 70_000), ("d/e/b", 5), ("d/e/c", 0)] {
        assert_eq!(opens(&place, body, "other"), Some(data(size)), "{body}");
        assert_eq!(opens(&place, body, "to"), None);
        assert_eq!(inspect(&place, &format!("{body}.envelope"))["generation"], 2);
    }
    assert_eq!(fs::read_dir(place.path("d")).unwrap().count(), 5, "no marker and nothing rotated is left");
}

/// Crashes while the new generation takes the place of the old: at every step the same command brings it to its end, and signs nothing.
#[test]
fn a_replacement_that_broke_off_is_brought_to_its_end() {
    for step in 0..4 {
        let place = place();
        folder(&place);
        place.run(&ROTATE);
        let signed = fs::read(place.path("d/a.rotated.envelope")).unwrap();
        fs::write(place.path("d/.bailiwick-rotate-replacing"), b"").unwrap();
        if step >= 1 {
            fs::rename(place.path("d/a.rotated"), place.path("d/a")).unwrap();
        }
        if step >= 2 {
            fs::rename(place.path("d/a.rotated.envelope"), place.path("d/a.envelope")).unwrap();
        }
        if step >= 3 {
            fs::rename(place.path("d/e/b.rotated"), place.path("d/e/b")).unwrap();
        }
        place.refuse(&ROTATE, "--replace");
        // What came since is named, and sealed anew by the run after.
        let seal = ["seal", "plain", "-o", "d/new", "--owner", "owner", "--to", "to.pub", "--no-commit"];
        place.run(&seal);
        let done = summary(&place, &["--replace"]);
        let later = "not sealed anew by the run that broke off: run the same command once more";
        assert_eq!(done["skipped"][later], 1, "step {step}: {done}");
        assert!(fs::read(place.path("d/a.envelope")).unwrap() == signed, "step {step}");
        for (body, size) in [("d/a", 70_000), ("d/e/b", 5), ("d/e/c", 0)] {
            assert_eq!(opens(&place, body, "other"), Some(data(size)), "{body}, step {step}");
        }
        assert!(!place.path("d/.bailiwick-rotate-replacing").exists());
    }
}

#[test]
fn one_object_takes_its_place() {
    let place = place();
    let rotate = ["rotate", "body", "--owner", "owner", "--key", "to", "--to", "other.pub", "--replace"];
    // A run that died between the two names.
    place.run(&rotate[..8]);
    fs::rename(place.path("body.rotated"), place.path("body")).unwrap();
    let done: serde_json::Value =
        serde_json::from_slice(&place.run(&[&rotate[..], &["--json"]].concat())).unwrap();
    assert_eq!((&done["generation"], &done["body"]), (&2.into(), &"body".into()));
    assert_eq!(opens(&place, "body", "other"), Some(data(70_000)));
    assert_eq!(inspect(&place, "body.envelope")["generation"], 2);
    place.run(&["rotate", "body", "--owner", "owner", "--key", "other", "--to", "to.pub", "--replace"]);
    assert_eq!(opens(&place, "body", "to"), Some(data(70_000)));
    assert!(!place.path("body.rotated").exists() && !place.path("body.rotated.envelope").exists());
}

#[test]
fn destroying_needs_a_word_and_the_owner_and_says_what_is_not_reached() {
    let place = place();
    place.run(&["key", "new", "owner", "-o", "owner2"]);
    let before = place.names();
    let destroy = ["destroy", "body", "--owner", "owner", "--key-file", "to"];
    let text = place.refuse(&destroy, "nothing was destroyed");
    assert!(text.contains("would destroy") && text.contains("not reached: copies"), "{text}");
    place.refuse(&["destroy", "body", "--owner", "owner2", "--yes-destroy"], "not an envelope of this owner");
    place.refuse(
        &["destroy", "body", "--owner", "owner", "--key-file", "plain", "--yes-destroy"],
        "no recipient",
    );
    assert_eq!(place.names(), before);
    let inode = fs::File::open(place.path("body.envelope")).unwrap();
    let text = place.run(&[&destroy[..], &["--yes-destroy"]].concat());
    assert!(String::from_utf8(text).unwrap().contains("not reached: copies"));
    assert!(!place.path("body.envelope").exists() && !place.path("to").exists());
    // What a process had open is overwritten, too, and not only unlinked.
    let mut bytes = Vec::new();
    std::io::Read::read_to_end(&mut { inode }, &mut bytes).unwrap();
    assert!(!bytes.is_empty() && bytes.iter().all(|b| *b == 0));
    assert!(place.path("body").exists());
}

/// A next generation that was signed for others, or otherwise, is not taken for what this command asks for.
#[test]
fn a_leftover_generation_for_others_is_named_and_kept() {
    let ways: [&[&str]; 6] = [
        &["--to", "other.pub"],
        &["--to", "to.pub"],
        &["--to", "other.pub", "to.pub"],
        &["--to", "other.pub", "--anonymous"],
        &["--new-passphrase-file", "words"],
        &["--new-passphrase-file", "words2"],
    ];
    for signed in [0, 3, 4] {
        let place = place();
        for (file, words) in [("words", "correct horse battery"), ("words2", "another horse battery")] {
            fs::write(place.path(file), words).unwrap();
            fs::set_permissions(place.path(file), PermissionsExt::from_mode(0o600)).unwrap();
        }
        let body = fs::read(place.path("body")).unwrap();
        let rotate = |what, way: usize, more: &[&'static str]| {
            [&["rotate", what, "--owner", "owner", "--key", "to"], ways[way], more].concat()
        };
        place.run(&rotate("body", signed, &[]));
        fs::create_dir(place.path("d")).unwrap();
        for suffix in ["", ".envelope", ".rotated", ".rotated.envelope", ".rotated.asked"] {
            fs::copy(place.path(&format!("body{suffix}")), place.path(&format!("d/x{suffix}"))).unwrap();
        }
        for way in (0..ways.len()).filter(|way| *way != signed) {
            place.refuse(&rotate("body", way, &["--replace"]), "for others than this command says");
            let out = place.try_run(&rotate("d", way, &["--replace"]));
            let text = String::from_utf8(out.stdout).unwrap();
            assert!(text.contains("for others than this command says"), "{text}");
            assert_eq!(out.status.code(), Some(2), "{way}");
        }
        assert!(
            fs::read(place.path("body")).unwrap() == body && fs::read(place.path("d/x")).unwrap() == body
        );
        for what in ["body", "d"] {
            place.run(&rotate(what, signed, &["--replace"]));
        }
        for envelope in ["body.envelope", "d/x.envelope"] {
            assert_eq!(inspect(&place, envelope)["generation"], 2);
        }
    }
}

/// Where a link leads the old generation stays, so nothing takes a place, and the link is named.
#[test]
fn a_link_below_a_directory_keeps_the_others_from_their_places() {
    let place = place();
    folder(&place);
    std::os::unix::fs::symlink("../body.envelope", place.path("d/link.envelope")).unwrap();
    let replace = [&ROTATE[..], &["--replace"]].concat();
    let out = place.try_run(&replace);
    let text = String::from_utf8(out.stdout).unwrap();
    assert_eq!(out.status.code(), Some(2), "{text}");
    assert!(text.contains("failed    d/link.envelope: it is a symbolic link"), "{text}");
    assert!(opens(&place, "d/a", "to").is_some());
    // One to what is done by its own name is nothing more to do.
    fs::remove_file(place.path("d/link.envelope")).unwrap();
    std::os::unix::fs::symlink("a.envelope", place.path("d/link.envelope")).unwrap();
    assert_eq!(summary(&place, &["--replace"])["replaced"], 3);
    assert_eq!(opens(&place, "d/a", "other"), Some(data(70_000)));
}

/// With --skip-unopenable the others take their places; without it nothing does, and that is said.
#[test]
fn an_object_that_no_key_opens_keeps_the_others_only_unless_skipped() {
    let place = place();
    folder(&place);
    place.run(&["seal", "plain", "-o", "d/shut", "--owner", "owner", "--to", "other.pub"]);
    let text = place.refuse(&[&ROTATE[..], &["--replace"]].concat(), "nothing took its place");
    assert!(text.contains("1 object(s) are as they were"), "{text}");
    let said = String::from_utf8(place.try_run(&[&ROTATE[..], &["--replace"]].concat()).stdout).unwrap();
    assert!(said.contains("unopened  d/shut.envelope\n") && !said.contains("unopened  d/a"), "{said}");
    assert!(opens(&place, "d/a", "to").is_some());
    let done = summary(&place, &["--replace", "--skip-unopenable"]);
    assert_eq!((&done["replaced"], &done["skipped"]["no given key opens it"]), (&3.into(), &1.into()));
    for (body, size) in [("d/a", 70_000), ("d/e/b", 5), ("d/e/c", 0)] {
        assert_eq!(opens(&place, body, "other"), Some(data(size)), "{body}");
        assert_eq!(opens(&place, body, "to"), None);
    }
    assert_eq!(inspect(&place, "d/shut.envelope")["generation"], 1);
    assert!(!place.path("d/.bailiwick-rotate-replacing").exists());
}

/// One shard of several, and an object whose old key custodians hold, are not sealed anew unasked; nor does what a run that was asked left then take
/// their places.
#[test]
fn shards_and_a_custody_part_are_refused_by_name() {
    let place = custody::prepared(5_000);
    let seal = ["seal", "plain", "--owner", "owner", "--to", "to.pub", "--no-commit", "-o"];
    place.run(&[&seal[..], &["s", "--shards", "2/3"]].concat());
    let rotate = |what, more: &[&'static str]| {
        [&["rotate", what, "--owner", "owner", "--key", "to", "--to", "other.pub"], more].concat()
    };
    place.refuse(&rotate("s/000.shard", &[]), "this is one of 3 shards: seal the whole object anew instead");
    place.run(&[&seal[..], &["a"]].concat());
    let deal = ["custody", "deal", "a.envelope", "--owner", "owner", "--key", "to"];
    place.run(&[&deal[..], &custody::FIVE, &custody::ROSTER].concat());
    let before = place.names();
    let named = "the envelope has a custody part, which holds the old key";
    place.refuse(&rotate("a", &[]), named);
    assert_eq!(place.names(), before);
    place.run(&rotate("a", &["--drop-custody"]));
    place.refuse(&rotate("a", &["--replace"]), named);
    assert_eq!(inspect(&place, "a.envelope")["generation"], 2);
    // The honest twin.
    place.run(&rotate("a", &["--drop-custody", "--replace"]));
    let shown = inspect(&place, "a.envelope");
    assert_eq!(shown["generation"], 3);
    assert!(shown["storage_root"].is_null(), "what had no commitment gets none");
    assert_eq!(opens(&place, "a", "other"), Some(data(5_000)));
}
