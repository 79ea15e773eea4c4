//! `rotate` at a node, run again: the list of what is done, and what waits that the node has already.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;

use super::between::{Answer, between, through, told};
use super::custody;
use super::host::{Node, place_with_node};
use super::node_answers::{objects, stem, two_objects};
use super::one_signer::waiting;
use super::program::Place;
use super::rewrap::summary;
use super::rewrap_node::{ROTATE, at, second_node};

const LIST: &str = "envelopes/.bailiwick-rotate-done";
const ALREADY: &str = "sealed anew already";

/// With the keys of both, so that whatever is not passed over is sealed anew.
const WITH_BOTH: [&str; 10] =
    ["rotate", "--owner", "owner", "--key", "to", "other", "--to", "other.pub", "--envelopes", "envelopes"];

fn generations(place: &Place, node: &Node) -> Vec<u64> {
    objects(place, node).into_iter().map(|o| o.1).collect()
}

/// Two objects, the first of them sealed anew by a run in which the second failed, and on the list; their names. What made it fail is gone.
fn first_done(place: &Place, node: &Node) -> [String; 2] {
    let names = two_objects(place, node);
    let in_the_way = place.path(&format!("{}.rotated.envelope", stem(&names[1])));
    fs::create_dir_all(&in_the_way).unwrap();
    let (run, whole) = told(place, &at(node, "node", &WITH_BOTH));
    assert!(run["rotated"] == 1 && !whole, "{run}");
    fs::remove_dir(&in_the_way).unwrap();
    assert_eq!(generations(place, node), [2, 1]);
    names
}

/// What was signed since it was sealed anew does not undo that: of a later generation only what its envelope says is looked at.
#[test]
fn what_is_done_and_was_rewrapped_since_is_passed_over() {
    for (since, rotated, after) in [
        (&[["--add", "to.pub"], ["--remove", "to.pub"]][..], 1, [4, 2]),
        // The other way round: it no longer is what was asked for.
        (&[["--add", "to.pub"]], 2, [4, 2]),
    ] {
        let (place, node) = place_with_node();
        let names = first_done(&place, &node);
        fs::create_dir(place.path("since")).unwrap();
        fs::copy(place.path(&(stem(&names[0]) + ".envelope")), place.path("since/x.envelope")).unwrap();
        for change in since {
            let rewrap = ["rewrap", "since", "--owner", "owner", "--key", "other"];
            place.run(&[&rewrap[..], change].concat());
        }
        place.run(&at(&node, "node", &["put", "since", "--owner", "owner", "--envelope-only"]));
        let run = summary(&place, &at(&node, "node", &WITH_BOTH));
        assert_eq!(run["rotated"], rotated, "{run}");
        assert_eq!(run["skipped"][ALREADY].as_u64().unwrap_or(0), 2 - rotated, "{run}");
        assert_eq!(generations(&place, &node), after);
    }
}

/// Nor does what custodians were dealt of the new key: recipients of the dealt secret are none of those it was sealed for.
#[test]
fn what_is_done_and_was_dealt_since_is_passed_over() {
    let place = custody::prepared(5_000);
    place.run(&["key", "new", "auditor", "-o", "auditor"]);
    fs::rename(place.path("env"), place.path("body.envelope")).unwrap();
    let node = Node::new(&place, "node");
    let names = first_done(&place, &node);
    fs::create_dir(place.path("since")).unwrap();
    fs::copy(place.path(&(stem(&names[0]) + ".envelope")), place.path("since/x.envelope")).unwrap();
    let deal = ["custody", "deal", "since/x.envelope", "--owner", "owner", "--key", "other"];
    let heir = ["--prove-to", "heir.pub"];
    place.run(&[&deal[..], &custody::FIVE, &custody::ROSTER, &heir].concat());
    place.run(&at(&node, "node", &["put", "since", "--owner", "owner", "--envelope-only"]));
    let run = summary(&place, &at(&node, "node", &WITH_BOTH));
    assert_eq!((&run["rotated"], &run["skipped"][ALREADY]), (&1.into(), &1.into()), "{run}");
    assert_eq!(generations(&place, &node), [3, 2]);
}

/// E13: the list knows of a generation whose envelope is no longer there: a node that serves the one before does not get a second one of it.
#[test]
fn e13_what_is_done_is_not_signed_again_though_its_envelope_is_gone() {
    let (place, node) = place_with_node();
    let old = second_node(&place);
    let names = first_done(&place, &node);
    let first = place.run(&["inspect", "body.envelope", "--json"]);
    let first: serde_json::Value = serde_json::from_slice(&first).unwrap();
    let body = if names[0].contains(first["object"].as_str().unwrap()) { "body" } else { "body2" };
    place.run(&at(&old, "node2", &["put", body, "--owner", "owner"]));
    let envelope = stem(&names[0]) + ".envelope";
    fs::rename(place.path(&envelope), place.path("away")).unwrap();
    let (run, whole) = told(&place, &at(&old, "node2", &WITH_BOTH));
    let says = run["failed"][0].as_str().unwrap_or_default();
    assert!(!whole && says.contains("serves generation 1, and it was sealed anew as 2"), "{run}");
    assert!(place.path(LIST).exists() && !place.path(&envelope).exists());
    let list = place.run(&at(&old, "node2", &["ls", "--key", "owner", "--json"]));
    assert!(String::from_utf8(list).unwrap().contains("\"generation\": 1"));
    // The honest twin: at the node that has it, it is passed over.
    let run = summary(&place, &at(&node, "node", &WITH_BOTH));
    assert_eq!((&run["rotated"], &run["skipped"][ALREADY]), (&1.into(), &1.into()));
}

/// What is done is remembered while another object does not open, and once that is none of the run's business, it is not.
#[test]
fn the_list_stays_while_an_object_does_not_open() {
    let (place, node) = place_with_node();
    place.run(&["key", "new", "recipient", "-o", "third"]);
    place.run(&["seal", "plain", "-o", "shut", "--owner", "owner", "--to", "third.pub"]);
    for body in ["body", "shut"] {
        place.run(&at(&node, "node", &["put", body, "--owner", "owner"]));
    }
    let sum = |place: &Place| generations(place, &node).iter().sum::<u64>();
    for rotated in [1, 0] {
        let (run, whole) = told(&place, &at(&node, "node", &WITH_BOTH));
        assert!(!whole && run["failed"].as_array().unwrap().is_empty(), "{run}");
        assert_eq!((&run["rotated"], &run["skipped"]["no given key opens it"]), (&rotated.into(), &1.into()));
        assert_eq!(sum(&place), 3, "one of the two, once");
        assert!(place.path(LIST).exists());
    }
    let list = fs::metadata(place.path(LIST)).unwrap();
    assert_eq!(list.permissions().mode() & 0o777, 0o600);
    let run = summary(&place, &at(&node, "node", &[&WITH_BOTH[..], &["--skip-unopenable"]].concat()));
    assert_eq!((&run["rotated"], &run["skipped"][ALREADY]), (&0.into(), &1.into()));
    assert!(!place.path(LIST).exists(), "the run is complete");
}

/// A line that a crash cut is of a unit that still waits: it goes, and the next is not written behind it. Whatever else is not a list is named.
#[test]
fn a_list_that_was_cut_is_mended_and_another_is_named() {
    let (place, node) = place_with_node();
    first_done(&place, &node);
    let whole = fs::read(place.path(LIST)).unwrap();
    let line = String::from_utf8(whole.clone()).unwrap();
    let [unit, generation, asked] = line.trim_end().split(' ').collect::<Vec<_>>().try_into().unwrap();
    for no_list in [
        "a letter\n".to_owned(),
        "a letter\nof two lines".to_owned(),
        format!("{unit} {generation}\n"),
        format!("{unit} {generation} {asked} more\n"),
        format!("{unit} -{generation} {asked}\n"),
        format!("{unit} {generation} {}\n", &asked[2..]),
    ] {
        let damaged = [&whole[..], no_list.as_bytes()].concat();
        fs::write(place.path(LIST), &damaged).unwrap();
        place.refuse(&at(&node, "node", &WITH_BOTH), "is no list of what is done: remove it");
        assert!(fs::read(place.path(LIST)).unwrap() == damaged);
    }
    assert_eq!(generations(&place, &node), [2, 1]);
    // A run that adds a line behind the cut one, and fails, so that the list is read once more.
    fs::write(place.path(LIST), [&whole[..], &whole[..whole.len() / 2]].concat()).unwrap();
    place.run(&["key", "new", "recipient", "-o", "third"]);
    place.run(&["seal", "plain", "-o", "shut", "--owner", "owner", "--to", "third.pub"]);
    place.run(&at(&node, "node", &["put", "shut", "--owner", "owner"]));
    for (rotated, already) in [(1, 1), (0, 2)] {
        let (run, _) = told(&place, &at(&node, "node", &WITH_BOTH));
        assert_eq!(run["rotated"], rotated, "{run}");
        assert_eq!(run["skipped"][ALREADY], already, "{run}");
    }
}

/// What waits and the node has already, since a run broke off before it wrote that down, or before the envelope had its place, is taken for done
/// only by a run that asks for the same.
#[test]
fn what_waits_and_the_node_has_is_what_is_asked_for() {
    for body_is_there in [true, false] {
        let (place, node) = place_with_node();
        let rotated = waiting(&place, &node);
        place.run(&at(&node, "node", &["put", &rotated, "--owner", "owner"]));
        if !body_is_there {
            fs::remove_file(place.path(&rotated)).unwrap();
        }
        let signed = fs::read(place.path(&format!("{rotated}.envelope"))).unwrap();
        let others =
            ["rotate", "--owner", "owner", "--key", "to", "--to", "to.pub", "--envelopes", "envelopes"];
        let (run, whole) = told(&place, &at(&node, "node", &others));
        let says = run["failed"][0].as_str().unwrap_or_default();
        assert!(!whole && says.contains("for others than this command says"), "{run}");
        assert_eq!(place.path(&rotated).exists(), body_is_there);
        assert!(fs::read(place.path(&format!("{rotated}.envelope"))).unwrap() == signed);
        // The honest twin.
        let run = summary(&place, &at(&node, "node", &ROTATE));
        assert_eq!((&run["rotated"], &run["skipped"][ALREADY]), (&0.into(), &1.into()));
        assert!(fs::read(place.path(&rotated.replace(".rotated", ".envelope"))).unwrap() == signed);
        assert_eq!(fs::read_dir(place.path("envelopes")).unwrap().count(), 1, "nothing waits");
        assert_eq!(generations(&place, &node), [2]);
    }
}

/// E13: a later envelope than what waits, signed elsewhere, is kept, so that a node which then goes back to an older one is found.
#[test]
fn e13_a_later_envelope_than_what_waits_is_kept() {
    let (place, node) = place_with_node();
    let old = second_node(&place);
    place.run(&at(&old, "node2", &["put", "body", "--owner", "owner"]));
    let rotated = waiting(&place, &node);
    for change in ["--anonymous", "--add=other.pub"] {
        place.run(&["rewrap", "body", "--owner", "owner", "--key", "to", change]);
    }
    place.run(&at(&node, "node", &["put", "body", "--owner", "owner", "--envelope-only"]));
    let (run, _) = told(&place, &at(&node, "node", &ROTATE));
    let says = run["failed"][0].as_str().unwrap_or_default();
    assert!(says.contains("serves generation 3, later than"), "{run}");
    let known = rotated.replace(".rotated", ".envelope");
    let latest = fs::read(place.path("body.envelope")).unwrap();
    assert!(fs::read(place.path(&known)).unwrap() == latest);
    // What is said to do, and then at a node that is behind.
    for suffix in ["", ".envelope", ".asked"] {
        fs::remove_file(place.path(&format!("{rotated}{suffix}"))).unwrap();
    }
    let (run, _) = told(&place, &at(&old, "node2", &ROTATE));
    let says = run["failed"][0].as_str().unwrap_or_default();
    assert!(says.contains("serves generation 1") && says.contains("is 3"), "{run}");
    assert!(fs::read(place.path(&known)).unwrap() == latest);
    assert_eq!(summary(&place, &at(&node, "node", &ROTATE))["rotated"], 1);
    assert_eq!(generations(&place, &node), [4]);
}

/// A run that breaks off after the node has taken what waits: it waits until it is on the list and has its name.
#[test]
fn what_the_node_took_waits_until_all_of_it_is_written_down() {
    for in_the_way in [".bailiwick-rotate-done", "known"] {
        let (place, node) = place_with_node();
        place.run(&at(&node, "node", &["put", "body", "--owner", "owner"]));
        let stem = stem(&objects(&place, &node)[0].0);
        let obstacle = match in_the_way {
            "known" => place.path(&(stem.clone() + ".envelope")),
            name => place.path("envelopes").join(name),
        };
        let makes = obstacle.clone();
        let breaking = between(&node, move |head| {
            if head.starts_with("PUT ") {
                let _ = fs::remove_file(&makes);
                fs::create_dir(&makes).unwrap();
            }
            None::<Answer>
        });
        let ask = ["--anonymous"];
        let (run, whole) = told(&place, &through(&breaking, &[&ROTATE[..], &ask].concat()));
        assert!(!whole && run["rotated"] == 0, "{run}");
        assert_eq!(generations(&place, &node), [2], "{in_the_way}");
        let signed = fs::read(place.path(&format!("{stem}.rotated.envelope"))).unwrap();
        assert_eq!(place.path(LIST).is_file(), in_the_way == "known", "on the list before it has its name");
        fs::remove_dir(&obstacle).unwrap();
        let run = summary(&place, &at(&node, "node", &[&ROTATE[..], &ask].concat()));
        assert_eq!((&run["rotated"], &run["skipped"][ALREADY]), (&0.into(), &1.into()), "{in_the_way}");
        assert!(fs::read(place.path(&(stem + ".envelope"))).unwrap() == signed);
        assert_eq!(fs::read_dir(place.path("envelopes")).unwrap().count(), 1);
        assert_eq!(generations(&place, &node), [2], "{in_the_way}");
    }
}

/// What waits is sent with its own body only: one that was cut, or another of the same length, is not taken for it.
#[test]
fn what_waits_is_not_sent_with_another_body() {
    let (place, node) = place_with_node();
    let rotated = waiting(&place, &node);
    let body = fs::read(place.path(&rotated)).unwrap();
    let size = body.len();
    for (length, differs) in
        [(size + 1, None), (size, Some(0)), (size, Some(55)), (size - 1, None), (20, None)]
    {
        let mut other = body.clone();
        other.resize(length, 0);
        if let Some(at) = differs {
            other[at] ^= 1;
        }
        fs::write(place.path(&rotated), &other).unwrap();
        let (run, whole) = told(&place, &at(&node, "node", &ROTATE));
        let says = run["failed"][0].as_str().unwrap_or_default();
        assert!(!whole && says.contains("is not its body: a second envelope"), "{run}");
        assert_eq!(generations(&place, &node), [1]);
        assert!(!place.path(LIST).exists(), "nothing is done");
    }
    fs::write(place.path(&rotated), &body).unwrap();
    assert_eq!(summary(&place, &at(&node, "node", &ROTATE))["rotated"], 1);
}
