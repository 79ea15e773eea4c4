//! `rotate` and `destroy`.

use std::fs;

use super::program::{Place, data};

fn place() -> Place {
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

/// E26: a body that fails at its very end leaves no new object.
#[test]
fn e26_a_damaged_body_is_not_rotated() {
    let place = place();
    let mut body = fs::read(place.path("body")).unwrap();
    let last = body.len() - 1;
    body[last] ^= 1;
    fs::write(place.path("body"), &body).unwrap();
    let before = place.names();
    place.refuse(&["rotate", "body", "--owner", "owner", "--key", "to", "--to", "other.pub"], "error");
    assert_eq!(place.names(), before);
    body[last] ^= 1;
    fs::write(place.path("body"), &body).unwrap();
    place.run(&["rotate", "body", "--owner", "owner", "--key", "to", "--to", "other.pub"]);
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
