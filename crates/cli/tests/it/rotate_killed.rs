//! `rotate` that was killed between the names of a new body and of its envelope: the same command goes on, and signs no second one.

use std::fs;

use super::host::place_with_node;
use super::leftovers::DEAD;
use super::one_signer::waiting;
use super::program::{Place, data};
use super::rewrap;
use super::rewrap_node::{self, at};
use super::rotate::{ROTATE, folder, opens, place, summary};

/// What is left of `body`'s new envelope when the process is killed just before it has its name.
fn kill_before_the_envelope(place: &Place, body: &str) -> Vec<u8> {
    let (folder, name) = body.rsplit_once('/').unwrap_or((".", body));
    let named = place.path(&format!("{body}.rotated.envelope"));
    let signed = fs::read(&named).unwrap();
    fs::rename(named, place.path(&format!("{folder}/.{name}.rotated.envelope.{DEAD}.partial"))).unwrap();
    signed
}

const ONE: [&str; 8] = ["rotate", "body", "--owner", "owner", "--key", "to", "--to", "other.pub"];

#[test]
fn one_object_is_taken_up() {
    for replace in [false, true] {
        let place = place();
        place.run(&ONE);
        let signed = kill_before_the_envelope(&place, "body");
        // For others it is not this run's, and it is not lost.
        let others = ["rotate", "body", "--owner", "owner", "--key", "to", "--to", "to.pub"];
        place.refuse(&others, "signed already, and for others than this command says");
        assert_eq!(fs::read(place.path("body.rotated.envelope")).unwrap(), signed);
        kill_before_the_envelope(&place, "body");
        let body = if replace { "body" } else { "body.rotated" };
        place.run(&[&ONE[..], if replace { &["--replace"] } else { &[] }].concat());
        assert_eq!(fs::read(place.path(&format!("{body}.envelope"))).unwrap(), signed, "not signed twice");
        assert_eq!(opens(&place, body, "other"), Some(data(70_000)));
    }
}

#[test]
fn a_directory_goes_on() {
    let place = place();
    folder(&place);
    assert_eq!(summary(&place, &[])["rotated"], 3);
    let signed = kill_before_the_envelope(&place, "d/e/b");
    let done = summary(&place, &["--replace"]);
    assert_eq!((&done["rotated"], &done["replaced"]), (&1.into(), &3.into()), "{done}");
    assert_eq!(fs::read(place.path("d/e/b.envelope")).unwrap(), signed);
    for (body, size) in [("d/a", 70_000), ("d/e/b", 5), ("d/e/c", 0)] {
        assert_eq!(opens(&place, body, "other"), Some(data(size)), "{body}");
    }
}

/// At a node: what was sealed is sent, once.
#[test]
fn a_run_at_a_node_goes_on() {
    let (place, node) = place_with_node();
    let rotated = waiting(&place, &node);
    let stem = rotated.strip_suffix(".rotated").unwrap();
    let signed = kill_before_the_envelope(&place, stem);
    let run = rewrap::summary(&place, &at(&node, "node", &rewrap_node::ROTATE));
    assert_eq!(run["rotated"], 1, "{run}");
    assert_eq!(fs::read(place.path(&format!("{stem}.envelope"))).unwrap(), signed);
    assert_eq!(fs::read_dir(place.path("envelopes")).unwrap().count(), 1, "nothing waits");
    let listed = place.run(&at(&node, "node", &["ls", "--key", "owner", "--json"]));
    assert!(String::from_utf8(listed).unwrap().contains("\"generation\": 2"));
}

/// What is not that body's next envelope does not become it, and the body is not written over.
#[test]
fn only_the_envelope_of_that_body_is_taken_up() {
    let place = place();
    place.run(&ONE);
    let of_another_body = kill_before_the_envelope(&place, "body");
    fs::remove_file(place.path("body.rotated")).unwrap();
    place.run(&ONE);
    let next = fs::read(place.path("body.rotated.envelope")).unwrap();
    place.run(&["rewrap", "body.rotated", "--owner", "owner", "--key", "other", "--add", "to.pub"]);
    let one_too_late = kill_before_the_envelope(&place, "body");
    let partial = place.path(&format!("./.body.rotated.envelope.{DEAD}.partial"));
    for not_it in [&b"noise"[..], &of_another_body, &one_too_late] {
        fs::write(&partial, not_it).unwrap();
        place.refuse(&ONE, "body.rotated is there without its envelope");
        assert!(!place.path("body.rotated.envelope").exists());
    }
    let text = place.refuse(&[&ROTATE[..1], &["body"], &ROTATE[2..]].concat(), "remove the file");
    assert!(text.contains("bring its envelope back"), "{text}");
    // The honest twin.
    fs::write(&partial, &next).unwrap();
    place.run(&ONE);
    assert_eq!(fs::read(place.path("body.rotated.envelope")).unwrap(), next);
}
