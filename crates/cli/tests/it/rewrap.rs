//! `rewrap`: one object, directories, a node; what is skipped, what fails, and that each envelope is whole.

use std::fs;

use super::program::{Place, data};

pub(super) fn sealed(place: &Place, body: &str, owner: &str) {
    fs::write(place.path("plain"), data(5_000)).unwrap();
    place.run(&["seal", "plain", "-o", body, "--owner", owner, "--to", "to.pub"]);
}

/// `rewrap` by the owner with the recipient's key, and `more`.
pub(super) fn rewrap<'a>(target: &'a str, more: &[&'a str]) -> Vec<&'a str> {
    [&["rewrap", target, "--owner", "owner", "--key", "to"], more].concat()
}

pub(super) fn opens(place: &Place, body: &str, key: &str) -> bool {
    let out = place.try_run(&["open", body, "--owner", "owner.pub", "--key", key, "-o", "-"]);
    out.status.success() && out.stdout == data(5_000)
}

pub(super) fn summary(place: &Place, arguments: &[&str]) -> serde_json::Value {
    serde_json::from_slice(&place.run(&[arguments, &["--json"]].concat())).unwrap()
}

#[test]
fn one_object_changes_hands_and_its_body_stays() {
    let place = Place::with_keys();
    sealed(&place, "body", "owner");
    let body = fs::read(place.path("body")).unwrap();
    let first = rewrap("body", &["--add", "other.pub", "--remove", "to.pub"]);
    let text = String::from_utf8(place.run(&first)).unwrap();
    assert!(text.contains("takes nothing back"), "{text}");
    assert!(opens(&place, "body", "other") && !opens(&place, "body", "to"));
    assert_eq!(fs::read(place.path("body")).unwrap(), body);
    // The removed key opens nothing any more, so it cannot rewrap either.
    place.refuse(&first, "no given key opens it");
    let again = ["rewrap", "body", "--owner", "owner", "--key", "other", "--add", "other.pub"];
    assert_eq!(summary(&place, &again)["rewrapped"], 0);
    place.refuse(&["rewrap", "body", "--owner", "owner", "--key", "other"], "nothing is to change");
    let none = ["rewrap", "body", "--owner", "owner", "--key", "other", "--no-recipients"];
    place.refuse(&none, "the old or the new one");
    assert!(opens(&place, "body", "other"));
}

#[test]
fn directories_are_rewritten_and_a_second_run_finds_nothing_to_do() {
    let place = Place::with_keys();
    place.run(&["key", "new", "owner", "-o", "owner2"]);
    fs::create_dir_all(place.path("d/e/f")).unwrap();
    for body in ["d/a", "d/e/b", "d/e/f/c"] {
        sealed(&place, body, "owner");
    }
    sealed(&place, "d/theirs", "owner2");
    std::os::unix::fs::symlink(place.path("d/a.envelope"), place.path("d/link.envelope")).unwrap();
    let before = fs::read(place.path("d/theirs.envelope")).unwrap();
    let add = rewrap("d", &["--add", "other.pub"]);
    let first = summary(&place, &add);
    assert_eq!(first["rewrapped"], 3);
    assert_eq!(first["skipped"]["not an envelope of this owner"], 1);
    for body in ["d/a", "d/e/b", "d/e/f/c"] {
        assert!(opens(&place, body, "other") && opens(&place, body, "to"), "{body}");
    }
    assert_eq!(fs::read(place.path("d/theirs.envelope")).unwrap(), before);
    assert!(fs::symlink_metadata(place.path("d/link.envelope")).unwrap().is_symlink());
    let second = summary(&place, &add);
    assert_eq!((&second["rewrapped"], &second["skipped"]["nothing to change"]), (&0.into(), &3.into()));
    let left: Vec<_> = fs::read_dir(place.path("d")).unwrap().map(|e| e.unwrap().file_name()).collect();
    assert!(left.iter().all(|n| !n.to_string_lossy().contains("partial")), "{left:?}");
}

/// E13 of the specification: a generation that was seen before bounds what is accepted.
#[test]
fn an_older_generation_is_refused_when_a_later_one_is_known() {
    let place = Place::with_keys();
    sealed(&place, "body", "owner");
    fs::copy(place.path("body.envelope"), place.path("old.envelope")).unwrap();
    place.run(&rewrap("body", &["--anonymous"]));
    let open = |envelope, more: [&'static str; 2]| {
        let object =
            ["open", "body", "--envelope", envelope, "--owner", "owner.pub", "--key", "to", "-o", "-"];
        [&object[..], &more].concat()
    };
    assert_eq!(place.run(&open("body.envelope", ["--not-before", "2"])), data(5_000));
    place.refuse(&open("old.envelope", ["--not-before", "2"]), "2 was seen before");
    assert_eq!(place.run(&open("body.envelope", ["--known", "old.envelope"])), data(5_000));
    let known = ["--known", "body.envelope"];
    place.refuse(&open("old.envelope", known), "older than 2");
    // Another of generation 2 is made only where its owner does not see the first: not beside it.
    let beside = place.try_run(&rewrap("old.envelope", &["--add", "other.pub"]));
    let text = String::from_utf8(beside.stdout).unwrap();
    assert!(text.contains("body.envelope is generation 2 of it already"), "{text}");
    fs::create_dir(place.path("elsewhere")).unwrap();
    fs::rename(place.path("old.envelope"), place.path("elsewhere/old.envelope")).unwrap();
    place.run(&rewrap("elsewhere/old.envelope", &["--add", "other.pub"]));
    place.refuse(&open("elsewhere/old.envelope", known), "keep both");
    let text = place.run(&["open", "body", "--owner", "owner.pub", "--key", "to", "-o", "out"]);
    assert!(String::from_utf8(text).unwrap().contains("rollback not excluded"));
}

/// Nothing was revoked, and that is said: with the wrong owner's key everything is somebody else's.
#[test]
fn another_owners_key_rewraps_nothing_and_fails() {
    let place = Place::with_keys();
    place.run(&["key", "new", "owner", "-o", "owner2"]);
    fs::create_dir(place.path("d")).unwrap();
    for body in ["d/a", "d/b"] {
        sealed(&place, body, "owner");
    }
    let before = fs::read(place.path("d/a.envelope")).unwrap();
    let by = |owner| ["rewrap", "d", "--owner", owner, "--key", "to", "--only", "other.pub"];
    place.refuse(&by("owner2"), "none is an envelope of this owner");
    assert_eq!(fs::read(place.path("d/a.envelope")).unwrap(), before);
    // One of theirs among those of this owner is passed over, and counted.
    sealed(&place, "d/c", "owner2");
    let done = summary(&place, &by("owner2"));
    assert_eq!(
        (&done["rewrapped"], &done["skipped"]["not an envelope of this owner"]),
        (&1.into(), &2.into())
    );
    assert_eq!(summary(&place, &by("owner"))["rewrapped"], 2);
}

/// An envelope of this owner with one byte changed, or no envelope at all, is no stranger's: it fails by name, and the others are done.
#[test]
fn a_damaged_envelope_fails_by_name() {
    let place = Place::with_keys();
    fs::create_dir(place.path("d")).unwrap();
    for body in ["d/f1", "d/f2"] {
        sealed(&place, body, "owner");
    }
    let whole = fs::read(place.path("d/f2.envelope")).unwrap();
    let only = rewrap("d", &["--only", "other.pub"]);
    let middle = whole.len() / 2;
    for (at, bytes) in
        [(4, whole.clone()), (middle, whole.clone()), (whole.len() - 1, whole.clone()), (0, b"junk".to_vec())]
    {
        let mut bytes = bytes;
        bytes[at] ^= 1;
        fs::write(place.path("d/f2.envelope"), &bytes).unwrap();
        let out = place.try_run(&only);
        let text = String::from_utf8(out.stdout).unwrap();
        assert_eq!(out.status.code(), Some(2), "byte {at}: {text}");
        assert!(
            text.contains("failed    d/f2.envelope: it verifies under no owner's key"),
            "byte {at}: {text}"
        );
        assert!(opens(&place, "d/f1", "other"), "{text}");
    }
    fs::write(place.path("d/f2.envelope"), &whole).unwrap();
    assert_eq!(summary(&place, &rewrap("d", &["--only", "other.pub", "--skip-unopenable"]))["rewrapped"], 1);
    assert!(opens(&place, "d/f2", "other") && !opens(&place, "d/f2", "to"));
}

#[test]
fn all_or_nothing_and_the_mode_of_the_file_stays() {
    use std::os::unix::fs::PermissionsExt as _;
    let place = Place::with_keys();
    sealed(&place, "body", "owner");
    fs::set_permissions(place.path("body.envelope"), fs::Permissions::from_mode(0o640)).unwrap();
    place.run(&rewrap("body.envelope", &["--only", "other.pub"]));
    let mode = fs::metadata(place.path("body.envelope")).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o640);
    assert!(opens(&place, "body", "other") && !opens(&place, "body", "to"));
}

/// Whoever was to lose access may still have it: envelopes that no given key opens are not passed over in silence.
#[test]
fn envelopes_that_no_key_opens_fail_a_directory_unless_they_may() {
    let place = Place::with_keys();
    fs::create_dir(place.path("d")).unwrap();
    sealed(&place, "d/a", "owner");
    place.run(&["seal", "plain", "-o", "d/b", "--owner", "owner", "--to", "other.pub"]);
    let before = fs::read(place.path("d/b.envelope")).unwrap();
    let anonymous = rewrap("d", &["--anonymous"]);
    let text = place.refuse(&anonymous, "1 object(s) are as they were: no given key opens it");
    assert!(text.contains("--skip-unopenable"), "{text}");
    // What could be done is done, all of it.
    let again = summary(&place, &rewrap("d", &["--anonymous", "--skip-unopenable"]));
    assert_eq!(
        (&again["skipped"]["nothing to change"], &again["skipped"]["no given key opens it"]),
        (&1.into(), &1.into())
    );
    assert_eq!(again["unopened"], serde_json::json!(["d/b.envelope"]), "by name");
    // Also where something else fails.
    fs::write(place.path("d/c.envelope"), "damaged").unwrap();
    let text = place.refuse(&anonymous, "1 object(s) failed, 1 more are as they were: no given key opens it");
    assert!(text.contains("what is done is skipped"), "{text}");
    assert_eq!(fs::read(place.path("d/b.envelope")).unwrap(), before);
}

/// Nor are those whose entries name nobody: whose to remove cannot be told. Nor is a passphrase set beside keys that was not asked for there.
#[test]
fn what_cannot_be_changed_as_asked_fails_by_name() {
    let place = Place::with_keys();
    fs::create_dir(place.path("d")).unwrap();
    sealed(&place, "d/a", "owner");
    place.run(&["seal", "plain", "-o", "d/b", "--owner", "owner", "--to", "to.pub", "--anonymous"]);
    let remove = rewrap("d", &["--add", "other.pub", "--remove", "to.pub"]);
    place.refuse(&remove, "1 object(s) failed");
    let said = String::from_utf8(place.try_run(&remove).stdout).unwrap();
    assert!(
        said.contains("failed    d/b.envelope: some recipients are anonymous") && said.contains("--only"),
        "{said}"
    );
    place.run(&["rewrap", "d", "--owner", "owner", "--key", "to", "other", "--only", "other.pub"]);
    fs::write(place.path("words"), "some words\n").unwrap();
    fs::set_permissions(place.path("words"), std::os::unix::fs::PermissionsExt::from_mode(0o600)).unwrap();
    let set = ["rewrap", "d", "--owner", "owner", "--key", "other", "--set-passphrase-file", "words"];
    let said = String::from_utf8(place.try_run(&set).stdout).unwrap();
    assert!(said.contains("failed    d/a.envelope") && said.contains("say --also-passphrase"), "{said}");
    place.run(&[&set[..], &["--also-passphrase"]].concat());
}

/// E13: two copies of one envelope, each rewritten, would be two envelopes of one generation.
#[test]
fn e13_a_unit_that_is_there_twice_is_not_signed_twice() {
    let place = Place::with_keys();
    fs::create_dir_all(place.path("d/copy")).unwrap();
    sealed(&place, "d/a", "owner");
    sealed(&place, "d/b", "owner");
    fs::copy(place.path("d/a.envelope"), place.path("d/copy/a.envelope")).unwrap();
    let before = fs::read(place.path("d/a.envelope")).unwrap();
    let add = rewrap("d", &["--add", "other.pub"]);
    let out = place.try_run(&add);
    assert_eq!(out.status.code(), Some(2));
    let text = String::from_utf8(out.stdout).unwrap();
    assert!(text.contains("d/a.envelope, d/copy/a.envelope are of the same unit"), "{text}");
    assert!(opens(&place, "d/b", "other"), "the others are rewritten");
    for copy in ["d/a.envelope", "d/copy/a.envelope"] {
        assert_eq!(fs::read(place.path(copy)).unwrap(), before, "{copy}");
    }
    fs::remove_file(place.path("d/copy/a.envelope")).unwrap();
    assert_eq!(summary(&place, &add)["rewrapped"], 1, "honest twin");
}

/// E13: a link beside the body is refused: its place would be taken, and what it leads to signed a second time.
#[test]
fn e13_an_envelope_that_is_a_link_is_refused() {
    let place = Place::with_keys();
    fs::create_dir(place.path("real")).unwrap();
    sealed(&place, "real/body", "owner");
    fs::copy(place.path("real/body"), place.path("body")).unwrap();
    std::os::unix::fs::symlink(place.path("real/body.envelope"), place.path("body.envelope")).unwrap();
    for target in ["body", "body.envelope"] {
        place.refuse(&rewrap(target, &["--anonymous"]), "body.envelope is a symbolic link");
        assert!(fs::symlink_metadata(place.path("body.envelope")).unwrap().is_symlink());
    }
    assert_eq!(summary(&place, &rewrap("real/body", &["--anonymous"]))["rewrapped"], 1);
}

/// Where a link leads, whoever was to lose access may still have it: it fails by name, unless what it leads to is done by its own.
#[test]
fn a_link_below_a_directory_fails_by_name() {
    use std::os::unix::fs::symlink;
    let place = Place::with_keys();
    for folder in ["d", "real", "real/deep"] {
        fs::create_dir(place.path(folder)).unwrap();
    }
    for body in ["d/a", "real/b", "real/deep/c"] {
        sealed(&place, body, "owner");
    }
    symlink("../real/b.envelope", place.path("d/link.envelope")).unwrap();
    symlink("../real/deep", place.path("d/deep")).unwrap();
    let only = ["--owner", "owner", "--key", "to", "--only", "other.pub"];
    let run = |targets: &[&'static str]| place.try_run(&[&["rewrap"], targets, &only].concat());
    let out = run(&["d"]);
    let text = String::from_utf8(out.stdout).unwrap();
    assert_eq!(out.status.code(), Some(2), "{text}");
    assert!(text.contains("failed    d/link.envelope: it is a symbolic link"), "{text}");
    let note = "d/deep is a symbolic link to a directory, which was not looked through";
    assert!(String::from_utf8(out.stderr).unwrap().contains(note));
    assert!(opens(&place, "d/a", "other") && opens(&place, "real/b", "to"), "the others are rewritten");
    assert!(fs::symlink_metadata(place.path("d/link.envelope")).unwrap().is_symlink());
    // The honest twin: what they lead to is named as well.
    let out = run(&["d", "real", "--skip-unopenable"]);
    assert!(out.status.success(), "{}", String::from_utf8_lossy(&out.stdout));
    assert!(!String::from_utf8(out.stderr).unwrap().contains("symbolic link"));
    for body in ["real/b", "real/deep/c"] {
        assert!(opens(&place, body, "other") && !opens(&place, body, "to"), "{body}");
    }
}

/// A directory of nothing but links is not one without envelopes.
#[test]
fn a_directory_of_links_is_not_empty() {
    let place = Place::with_keys();
    fs::create_dir(place.path("d")).unwrap();
    let anonymous = rewrap("d", &["--anonymous"]);
    place.refuse(&anonymous, "no envelope found");
    sealed(&place, "body", "owner");
    std::os::unix::fs::symlink("../body.envelope", place.path("d/link.envelope")).unwrap();
    place.refuse(&anonymous, "1 object(s) failed");
}

/// What `link` leads to has an envelope, and so has the link itself: nobody can tell which is meant.
fn refused_as_a_link(link: &str, to: &str) {
    let place = Place::with_keys();
    fs::create_dir(place.path("real")).unwrap();
    sealed(&place, "real/body", "owner");
    std::os::unix::fs::symlink(to, place.path(link)).unwrap();
    let (beside, envelope) = (place.path(&format!("{link}.envelope")), place.path("real/body.envelope"));
    fs::copy(&envelope, &beside).unwrap();
    place.refuse(&rewrap(link, &["--anonymous"]), &format!("{link} is a symbolic link"));
    assert!(fs::read(&beside).unwrap() == fs::read(&envelope).unwrap());
    assert_eq!(summary(&place, &rewrap(to, &["--anonymous"]))["rewrapped"], 1, "honest twin");
}

#[test]
fn e13_a_directory_that_is_a_link_is_refused() {
    refused_as_a_link("folder", "real");
}

#[test]
fn e13_a_body_that_is_a_link_is_refused() {
    refused_as_a_link("body", "real/body");
}

/// E13: the next generation that `rotate` has signed is the only one.
#[test]
fn e13_what_is_rotated_is_not_rewrapped_beside_it() {
    let place = Place::with_keys();
    for body in ["body", "two"] {
        sealed(&place, body, "owner");
    }
    place.run(&["rotate", "body", "--owner", "owner", "--key", "to", "--to", "to.pub"]);
    let before = fs::read(place.path("body.envelope")).unwrap();
    let out = place.try_run(&rewrap("body", &["--anonymous"]));
    let text = String::from_utf8(out.stdout).unwrap();
    assert_eq!(out.status.code(), Some(2));
    assert!(text.contains("body.rotated.envelope is generation 2 of it already"), "{text}");
    assert!(fs::read(place.path("body.envelope")).unwrap() == before);
    assert_eq!(summary(&place, &rewrap("body.rotated", &["--anonymous"]))["rewrapped"], 1);
    // Of another object it does not matter, and two names of one folder are one folder.
    fs::rename(place.path("body.rotated.envelope"), place.path("two.rotated.envelope")).unwrap();
    fs::remove_file(place.path("body.envelope")).unwrap();
    fs::create_dir(place.path("d")).unwrap();
    sealed(&place, "d/three", "owner");
    let root = place.root().display().to_string();
    let (two, three) = (format!("{root}/two"), format!("{root}/d/../d/three"));
    sealed(&place, "d/four", "owner");
    let both = ["rewrap", "d/four", &three, &two, "--owner", "owner", "--key", "to", "--anonymous"];
    assert_eq!(summary(&place, &both)["rewrapped"], 3);
}

/// Named one by one, an envelope may have any name; a new one that no command over a directory finds is pointed out.
#[test]
fn an_envelope_of_any_name_is_found_where_it_is_named() {
    let place = Place::with_keys();
    fs::write(place.path("plain"), data(10)).unwrap();
    let seal = ["seal", "plain", "-o", "body", "--envelope", "odd.env", "--owner", "owner", "--to", "to.pub"];
    place.run(&[&seal[..], &["--no-commit"]].concat());
    let out = place.try_run(&rewrap("odd.env", &["--add", "other.pub"]));
    let said = String::from_utf8_lossy(&out.stderr).into_owned();
    assert!(out.status.success(), "{said}");
    let shown: serde_json::Value =
        serde_json::from_slice(&place.run(&["inspect", "odd.env", "--json"])).unwrap();
    assert_eq!(shown["generation"], 2);
    // A body is still not its own envelope.
    place.refuse(&rewrap("body", &["--add", "other.pub"]), "body has no envelope beside it");
    let commit =
        |output: &'static str| ["commit", "body", "--envelope", "odd.env", "--owner", "owner", "-o", output];
    let said = String::from_utf8(place.try_run(&commit("new.env")).stderr).unwrap();
    assert!(said.contains("new.env does not end in .envelope"), "{said}");
    fs::remove_file(place.path("new.env")).unwrap();
    let said = String::from_utf8(place.try_run(&commit("new.envelope")).stderr).unwrap();
    assert!(!said.contains("does not end in"), "{said}");
}
