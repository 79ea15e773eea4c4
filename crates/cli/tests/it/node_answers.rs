//! `rewrap` and `rotate` at a node that refuses what they signed, or gives something else than was asked for.

use std::fs;

use super::between::{Answer, between, through, told};
use super::host::{Node, place_with_node};
use super::program::{Place, data};
use super::rewrap::summary;
use super::rewrap_node::{REWRAP, ROTATE, at, evidence};

/// Names and generations of all objects, as the node tells them.
pub(super) fn objects(place: &Place, node: &Node) -> Vec<(String, u64)> {
    let list = place.run(&at(node, "node", &["ls", "--key", "owner", "--json"]));
    let list: serde_json::Value = serde_json::from_slice(&list).unwrap();
    let object = |o: &serde_json::Value| {
        let name = ["owner", "object", "unit"].map(|f| o[f].as_str().unwrap().to_owned()).join("/");
        (name, o["generation"].as_u64().unwrap())
    };
    list.as_array().unwrap_or_else(|| list["objects"].as_array().unwrap()).iter().map(object).collect()
}

/// Where a unit's envelope is kept, less `.envelope`.
pub(super) fn stem(name: &str) -> String {
    format!("envelopes/{}", name.split_once('/').unwrap().1.replace('/', "-"))
}

/// A second object at the node; the names of both, as they are listed.
pub(super) fn two_objects(place: &Place, node: &Node) -> [String; 2] {
    place.run(&["seal", "plain", "-o", "body2", "--owner", "owner", "--to", "to.pub"]);
    for body in ["body", "body2"] {
        place.run(&at(node, "node", &["put", body, "--owner", "owner"]));
    }
    objects(place, node).into_iter().map(|o| o.0).collect::<Vec<_>>().try_into().unwrap()
}

fn read(place: &Place, name: &str) -> Vec<u8> {
    fs::read(place.path(name)).unwrap_or_else(|e| panic!("{name}: {e}"))
}

/// The one failure of a run.
fn failure(told: &(serde_json::Value, bool)) -> &str {
    let failed = told.0["failed"].as_array().unwrap();
    assert!(failed.len() == 1 && !told.1, "{}", told.0);
    failed[0].as_str().unwrap()
}

/// E13: what `rewrap` signed is kept before it is sent: refused by the node it is not signed a second time, but sent.
#[test]
fn e13_what_rewrap_signed_is_kept_though_the_node_refuses_it() {
    let (place, node) = place_with_node();
    place.run(&at(&node, "node", &["put", "body", "--owner", "owner"]));
    let refusing = between(&node, |head| head.starts_with("PUT ").then(Answer::refusal));
    let run = told(&place, &through(&refusing, &REWRAP));
    let kept = stem(&objects(&place, &node)[0].0) + ".envelope";
    let says = failure(&run);
    assert!(says.contains(&format!("signed and kept as {kept}, not taken by the node")), "{says}");
    let signed = read(&place, &kept);
    let body = read(&place, "body");
    fs::write(place.path("kept"), &body).unwrap();
    fs::write(place.path("kept.envelope"), &signed).unwrap();
    place.run(&["open", "kept", "--owner", "owner.pub", "--key", "other", "-o", "out"]);
    assert_eq!(read(&place, "out"), data(300_000));
    // The node has the one before: nothing is signed over it again.
    for url in [&refusing, &node.url] {
        let run = told(&place, &through(url, &REWRAP));
        assert!(failure(&run).contains("serves generation 1"), "{}", run.0);
        assert!(read(&place, &kept) == signed);
    }
    place.run(&at(&node, "node", &["put", "envelopes", "--owner", "owner", "--envelope-only"]));
    assert_eq!(summary(&place, &at(&node, "node", &REWRAP))["skipped"]["nothing to change"], 1);
    assert!(read(&place, &kept) == signed);
    assert_eq!((objects(&place, &node)[0].1, evidence(&place, "node")), (2, 0));
}

/// E13: what `rotate` sealed anew is kept before it is sent: refused by the node, the same command sends it, and signs nothing.
#[test]
fn e13_what_rotate_signed_is_kept_though_the_node_refuses_it() {
    let (place, node) = place_with_node();
    place.run(&at(&node, "node", &["put", "body", "--owner", "owner"]));
    let refusing = between(&node, |head| head.starts_with("PUT ").then(Answer::refusal));
    let rotated = stem(&objects(&place, &node)[0].0) + ".rotated";
    let kept = || ["", ".envelope", ".asked"].map(|suffix| read(&place, &format!("{rotated}{suffix}")));
    let mut before = None;
    for _ in 0..2 {
        let run = told(&place, &through(&refusing, &ROTATE));
        let says = failure(&run);
        assert!(says.contains(&format!("signed and kept as {rotated}, not taken by the node")), "{says}");
        assert!(*before.get_or_insert_with(kept) == kept(), "it is not signed a second time");
    }
    let [body, signed, _] = before.unwrap();
    assert_eq!(summary(&place, &at(&node, "node", &ROTATE))["rotated"], 1);
    let (name, generation) = objects(&place, &node).remove(0);
    place.run(&at(
        &node,
        "node",
        &["get", &name, "--key", "owner", "-o", "new", "--envelope", "new.envelope"],
    ));
    assert!(read(&place, "new") == body && read(&place, "new.envelope") == signed);
    assert!(read(&place, &(stem(&name) + ".envelope")) == signed);
    assert_eq!((generation, evidence(&place, "node")), (2, 0));
    assert_eq!(fs::read_dir(place.path("envelopes")).unwrap().count(), 1);
}

/// A node chooses what it answers: the envelope of another unit, which the same owner signed too, is neither taken for the one that was asked for
/// nor signed.
fn another_units_envelope(command: &[&str], done: &str) {
    let (place, node) = place_with_node();
    let names = two_objects(&place, &node);
    let url = node.url.clone();
    let theirs = [stem(&names[0]), stem(&names[1])].map(|stem| stem + ".envelope");
    let other =
        at(&node, "node", &["get", &names[1], "--key", "owner", "-o", "got", "--envelope", "got.envelope"]);
    place.run(&other);
    let (asked, other) = (format!("GET /v1/objects/{}/envelope ", names[0]), read(&place, "got.envelope"));
    let lying = between(&node, move |head| head.starts_with(&asked).then(|| Answer::of(other.clone())));
    let run = told(&place, &through(&lying, command));
    let says = failure(&run);
    assert!(says.contains(&format!("the node gave the envelope of {} for {}", names[1], names[0])), "{says}");
    assert_eq!(run.0[done], 1, "{}", run.0);
    assert!(!place.path(&theirs[0]).exists() && place.path(&theirs[1]).exists());
    assert_eq!(objects(&place, &node).iter().map(|o| o.1).collect::<Vec<_>>(), [1, 2]);
    // The honest twin.
    assert_eq!(summary(&place, &through(&url, command))[done], 1);
    assert_eq!(objects(&place, &node).iter().map(|o| o.1).collect::<Vec<_>>(), [2, 2]);
}

#[test]
fn e13_rewrap_refuses_the_envelope_of_another_unit() {
    another_units_envelope(&REWRAP, "rewrapped");
}

#[test]
fn e13_rotate_refuses_the_envelope_of_another_unit() {
    another_units_envelope(&ROTATE, "rotated");
}

/// Whether a request is for a whole body.
fn for_body(head: &str) -> bool {
    head.starts_with("GET ") && head.contains("/body ") && !head.to_lowercase().contains("\r\nrange:")
}

/// A body of another length than its envelope says is the node's fault, and named as that before anything of it is read.
#[test]
fn a_node_that_serves_a_body_of_another_length_is_named() {
    let (place, node) = place_with_node();
    place.run(&at(&node, "node", &["put", "body", "--owner", "owner"]));
    let body = read(&place, "body");
    for length in [body.len() - 1, body.len() + 1, 0] {
        let mut served = body.clone();
        served.resize(length, 0);
        let lying = between(&node, move |head| for_body(head).then(|| Answer::of(served.clone())));
        let run = told(&place, &through(&lying, &ROTATE));
        let says = failure(&run);
        assert!(says.contains(&format!("the node serves {length} bytes of {}", body.len())), "{says}");
        assert_eq!(fs::read_dir(place.path("envelopes")).unwrap().count(), 1, "nothing was sealed anew");
    }
    let honest = between(&node, move |head| for_body(head).then(|| Answer::of(body.clone())));
    assert_eq!(summary(&place, &through(&honest, &ROTATE))["rotated"], 1);
    assert_eq!(objects(&place, &node)[0].1, 2);
}

/// What was made meanwhile under the name of the new body stays, and no envelope without its body takes its own.
#[test]
fn a_file_that_came_while_a_body_was_sealed_anew_is_not_written_over() {
    let (place, node) = place_with_node();
    place.run(&at(&node, "node", &["put", "body", "--owner", "owner"]));
    let rotated = stem(&objects(&place, &node)[0].0) + ".rotated";
    let (folder, theirs, body) = (place.path("envelopes"), place.path(&rotated), read(&place, "body"));
    let answer = move || {
        let (folder, theirs) = (folder.clone(), theirs.clone());
        Answer::of(body.clone()).half_way(move || {
            let begun = || {
                let names = fs::read_dir(&folder).unwrap().map(|e| e.unwrap().file_name());
                names.filter(|n| n.to_string_lossy().ends_with(".partial")).count() == 2
            };
            // Body and envelope have been looked for, and are being written under other names.
            for _ in 0..3000 {
                if begun() {
                    break;
                }
                std::thread::sleep(std::time::Duration::from_millis(10));
            }
            fs::write(&theirs, "theirs").unwrap();
        })
    };
    let slow = between(&node, move |head| for_body(head).then(&answer));
    let run = told(&place, &through(&slow, &ROTATE));
    let says = failure(&run);
    assert!(says.contains(&format!("cannot rename to {rotated}")), "{says}");
    assert_eq!(read(&place, &rotated), b"theirs");
    assert!(!place.path(&format!("{rotated}.envelope")).exists());
    assert_eq!(objects(&place, &node)[0].1, 1);
    fs::remove_file(place.path(&rotated)).unwrap();
    assert_eq!(summary(&place, &at(&node, "node", &ROTATE))["rotated"], 1);
    assert_eq!(fs::read_dir(place.path("envelopes")).unwrap().count(), 1);
}
