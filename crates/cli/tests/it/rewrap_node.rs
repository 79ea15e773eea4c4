//! New envelopes at nodes: one signature for a generation, whatever order nodes are reached in and whatever they answer.

use std::fs;

use super::host::{Node, place_with_node};
use super::program::{Place, data};
use super::rewrap::summary;

/// A second node beside the one in `node`.
pub(super) fn second_node(place: &Place) -> Node {
    place.run(&["node", "init", "node2", "--owner", "owner.pub", "--listen", "127.0.0.1:0"]);
    Node::start_in(place, "node2")
}

pub(super) fn at<'a>(node: &'a Node, folder: &str, rest: &[&'a str]) -> Vec<&'a str> {
    let host = if folder == "node" { "node/host.pub" } else { "node2/host.pub" };
    [rest, &["--node", &node.url, "--host", host]].concat()
}

pub(super) const REWRAP: [&str; 9] =
    ["rewrap", "--owner", "owner", "--key", "to", "--add", "other.pub", "--envelopes", "envelopes"];

/// The object's one name and its generation, as the node tells.
pub(super) fn listed(place: &Place, node: &Node, folder: &str) -> (String, u64) {
    let list = place.run(&at(node, folder, &["ls", "--key", "owner", "--json"]));
    let list: serde_json::Value = serde_json::from_slice(&list).unwrap();
    let object = list.as_array().unwrap_or_else(|| list["objects"].as_array().unwrap())[0].clone();
    let field = |f: &str| object[f].as_str().unwrap().to_owned();
    (
        format!("{}/{}/{}", field("owner"), field("object"), field("unit")),
        object["generation"].as_u64().unwrap(),
    )
}

/// The envelope a node serves, to a fresh file.
fn served(place: &Place, node: &Node, folder: &str) -> Vec<u8> {
    let (name, _) = listed(place, node, folder);
    for file in ["got", "got.envelope"] {
        let _ = fs::remove_file(place.path(file));
    }
    place.run(&at(
        node,
        folder,
        &["get", &name, "--key", "owner", "-o", "got", "--envelope", "got.envelope"],
    ));
    assert_eq!(fs::read(place.path("got")).unwrap(), fs::read(place.path("body")).unwrap());
    fs::read(place.path("got.envelope")).unwrap()
}

pub(super) fn evidence(place: &Place, folder: &str) -> usize {
    fs::read_dir(place.path(folder).join("data/objects/evidence")).unwrap().count()
}

/// E13: what a damaged envelope remembered is not known, and a node could serve what came before: nothing is signed, and it is named.
#[test]
fn e13_a_damaged_envelope_among_those_known_is_named() {
    let (place, node) = place_with_node();
    place.run(&at(&node, "node", &["put", "body", "--owner", "owner"]));
    fs::create_dir(place.path("envelopes")).unwrap();
    let whole = fs::read(place.path("body.envelope")).unwrap();
    let mut damaged = whole.clone();
    damaged[whole.len() / 2] ^= 1;
    fs::write(place.path("envelopes/x.envelope"), &damaged).unwrap();
    place.refuse(&at(&node, "node", &REWRAP), "envelopes/x.envelope: nothing was signed");
    assert_eq!(listed(&place, &node, "node").1, 1);
    let put = ["put", "envelopes", "--owner", "owner", "--envelope-only"];
    let out = place.try_run(&at(&node, "node", &put));
    let text = String::from_utf8(out.stdout).unwrap();
    assert_eq!(out.status.code(), Some(2), "{text}");
    assert!(text.contains("failed    envelopes/x.envelope: it verifies under no owner's key"), "{text}");
    fs::write(place.path("envelopes/x.envelope"), &whole).unwrap();
    assert_eq!(summary(&place, &at(&node, "node", &REWRAP))["rewrapped"], 1);
    assert_eq!(listed(&place, &node, "node").1, 2);
}

/// E13: what a link leads to is remembered elsewhere, and the link would be replaced: it is named, and nothing is signed.
#[test]
fn e13_a_link_among_those_known_is_named() {
    let (place, node) = place_with_node();
    place.run(&at(&node, "node", &["put", "body", "--owner", "owner"]));
    fs::create_dir(place.path("envelopes")).unwrap();
    std::os::unix::fs::symlink("../body.envelope", place.path("envelopes/x.envelope")).unwrap();
    let named = "envelopes/x.envelope: it is a symbolic link";
    for command in [REWRAP, ROTATE] {
        place.refuse(&at(&node, "node", &command), named);
    }
    assert_eq!(listed(&place, &node, "node").1, 1);
    let out = place.try_run(&at(&node, "node", &["put", "envelopes", "--owner", "owner", "--envelope-only"]));
    assert!(String::from_utf8(out.stdout).unwrap().contains(named));
    assert_eq!(out.status.code(), Some(2));
    fs::remove_file(place.path("envelopes/x.envelope")).unwrap();
    assert_eq!(summary(&place, &at(&node, "node", &REWRAP))["rewrapped"], 1);
}

/// E13: of two envelopes of one generation none is gone on from, and both are named.
#[test]
fn e13_two_known_envelopes_of_one_generation_are_named() {
    let (place, node) = place_with_node();
    place.run(&at(&node, "node", &["put", "body", "--owner", "owner"]));
    fs::create_dir(place.path("envelopes")).unwrap();
    let first = fs::read(place.path("body.envelope")).unwrap();
    for (kept, change) in [("x", "--anonymous"), ("y", "--add=other.pub")] {
        fs::write(place.path("body.envelope"), &first).unwrap();
        place.run(&["rewrap", "body", "--owner", "owner", "--key", "to", change]);
        fs::rename(place.path("body.envelope"), place.path(&format!("envelopes/{kept}.envelope"))).unwrap();
    }
    // The node has one of them, which alone would be gone on from.
    let put = |what| at(&node, "node", &["put", what, "--owner", "owner", "--envelope-only"]);
    place.run(&put("envelopes/x.envelope"));
    for command in [at(&node, "node", &REWRAP), at(&node, "node", &ROTATE), put("envelopes")] {
        let out = place.try_run(&command);
        let text = String::from_utf8(out.stdout).unwrap();
        assert_eq!(out.status.code(), Some(2), "{command:?}: {text}");
        assert!(
            text.contains("envelopes/x.envelope and envelopes/y.envelope are two envelopes of generation 2"),
            "{command:?}: {text}"
        );
    }
    assert_eq!((listed(&place, &node, "node").1, evidence(&place, "node")), (2, 0));
    // Copies of one are no two, and the honest twin.
    fs::copy(place.path("envelopes/x.envelope"), place.path("envelopes/y.envelope")).unwrap();
    place.run(&put("envelopes"));
    assert_eq!(summary(&place, &at(&node, "node", &REWRAP))["rewrapped"], 1);
}

/// E13: `rewrap DIR` signs once, and every node gets that.
#[test]
fn e13_the_envelope_that_was_signed_goes_to_every_node() {
    let (place, first) = place_with_node();
    let second = second_node(&place);
    let put = ["put", "body", "--owner", "owner"];
    place.refuse(&at(&first, "node", &[&put[..], &["--envelope-only"]].concat()), "the node has what it had");
    for (node, folder) in [(&first, "node"), (&second, "node2")] {
        place.run(&at(node, folder, &put));
    }
    place.run(&["rewrap", "body", "--owner", "owner", "--key", "to", "--add", "other.pub"]);
    let signed = fs::read(place.path("body.envelope")).unwrap();
    let alone = [&put[..], &["--envelope-only", "--json"]].concat();
    let body = place.path("body");
    fs::rename(&body, place.path("elsewhere")).unwrap();
    for (node, folder) in [(&first, "node"), (&second, "node2")] {
        assert_eq!(summary_of(&place, &at(node, folder, &alone))["replaced"], 1);
        assert_eq!(summary_of(&place, &at(node, folder, &alone))["already"], 1);
    }
    fs::rename(place.path("elsewhere"), &body).unwrap();
    for (node, folder) in [(&first, "node"), (&second, "node2")] {
        assert!(served(&place, node, folder) == signed, "{folder}");
        assert_eq!(evidence(&place, folder), 0);
    }
    // Of a directory each unit's latest.
    fs::create_dir(place.path("d")).unwrap();
    fs::rename(place.path("body.envelope"), place.path("d/body.envelope")).unwrap();
    let folder = ["put", "d", "--owner", "owner", "--envelope-only", "--json"];
    assert_eq!(summary_of(&place, &at(&first, "node", &folder))["already"], 1);
}

fn summary_of(place: &Place, arguments: &[&str]) -> serde_json::Value {
    serde_json::from_slice(&place.run(arguments)).unwrap()
}

/// E13: `rewrap` at one node, then at another: the second is behind, is refused by name, and gets what was signed.
#[test]
fn e13_rewrap_at_two_nodes_signs_one_envelope() {
    let (place, first) = place_with_node();
    let second = second_node(&place);
    for (node, folder) in [(&first, "node"), (&second, "node2")] {
        place.run(&at(node, folder, &["put", "body", "--owner", "owner"]));
    }
    assert_eq!(summary(&place, &at(&first, "node", &REWRAP))["rewrapped"], 1);
    let kept: Vec<_> = fs::read_dir(place.path("envelopes")).unwrap().map(|e| e.unwrap().path()).collect();
    assert_eq!(kept.len(), 1, "{kept:?}");
    let signed = fs::read(&kept[0]).unwrap();
    assert!(served(&place, &first, "node") == signed);
    let behind = place.try_run(&at(&second, "node2", &REWRAP));
    let text = String::from_utf8(behind.stdout).unwrap();
    assert_eq!(behind.status.code(), Some(2));
    assert!(text.contains("serves generation 1") && text.contains("is 2"), "{text}");
    assert!(fs::read(&kept[0]).unwrap() == signed, "nothing was signed");
    place.run(&at(&second, "node2", &["put", "envelopes", "--owner", "owner", "--envelope-only"]));
    assert!(served(&place, &second, "node2") == signed);
    let again = summary(&place, &at(&second, "node2", &REWRAP));
    assert_eq!(again["skipped"]["nothing to change"], 1);
    assert_eq!((evidence(&place, "node"), evidence(&place, "node2")), (0, 0));
    place.run(&[
        "open",
        "body",
        "--envelope",
        kept[0].to_str().unwrap(),
        "--owner",
        "owner.pub",
        "--key",
        "other",
        "-o",
        "out",
    ]);
    assert_eq!(fs::read(place.path("out")).unwrap(), data(300_000));
}

/// E13: what a node serves is compared with what is known before anything is signed.
#[test]
fn e13_a_node_with_an_older_or_another_envelope_is_named() {
    let (place, node) = place_with_node();
    place.run(&at(&node, "node", &["put", "body", "--owner", "owner"]));
    fs::create_dir(place.path("envelopes")).unwrap();
    let known = place.path("envelopes/any name.envelope");
    fs::copy(place.path("body.envelope"), &known).unwrap();
    // Another generation 2 than the one that is known, as an owner makes it who signs on two machines.
    place.run(&["rewrap", "body", "--owner", "owner", "--key", "to", "--anonymous"]);
    place.run(&at(&node, "node", &["put", "body", "--owner", "owner", "--envelope-only"]));
    let before = fs::read(&known).unwrap();
    place.run(&["rewrap", known.to_str().unwrap(), "--owner", "owner", "--key", "to", "--add", "other.pub"]);
    let mine = fs::read(&known).unwrap();
    let other = place.try_run(&at(&node, "node", &REWRAP));
    let text = String::from_utf8(other.stdout).unwrap();
    assert_eq!(other.status.code(), Some(2));
    assert!(text.contains("another envelope of generation 2"), "{text}");
    assert!(fs::read(&known).unwrap() == mine);
    // A generation later than the known one, over the same body, is what to go on from.
    fs::write(&known, &before).unwrap();
    assert_eq!(summary(&place, &at(&node, "node", &REWRAP))["rewrapped"], 1);
    assert!(served(&place, &node, "node") == fs::read(&known).unwrap());
    assert_eq!(listed(&place, &node, "node").1, 3);
    assert_eq!(fs::read_dir(place.path("envelopes")).unwrap().count(), 1, "in the place of the one before");
    place.refuse(
        &[
            "rewrap",
            "--node",
            &node.url,
            "--host",
            "node/host.pub",
            "--owner",
            "owner",
            "--key",
            "to",
            "--anonymous",
        ],
        "--envelopes",
    );
}

/// The one envelope that is kept.
fn kept(place: &Place) -> Vec<u8> {
    let all: Vec<_> = fs::read_dir(place.path("envelopes")).unwrap().map(|e| e.unwrap().path()).collect();
    assert_eq!(all.len(), 1, "{all:?}");
    fs::read(&all[0]).unwrap()
}

/// E13: what a node serves is remembered though nothing was to change, or no key opened it, so a node that then goes back to an older
/// envelope is found, and no second one of a generation is signed.
#[test]
fn e13_what_was_served_is_remembered_though_nothing_was_signed() {
    let (place, node) = place_with_node();
    let old = second_node(&place);
    let put = ["put", "body", "--owner", "owner"];
    for (node, folder) in [(&node, "node"), (&old, "node2")] {
        place.run(&at(node, folder, &put));
    }
    // Known as generation 1 by a run that opened nothing, here at first sight.
    let unopenable =
        ["rewrap", "--owner", "owner", "--key", "other", "--anonymous", "--envelopes", "envelopes"];
    let skipping = [&unopenable[..], &["--skip-unopenable"]].concat();
    assert_eq!(summary(&place, &at(&node, "node", &skipping))["rewrapped"], 0);
    assert!(kept(&place) == fs::read(place.path("body.envelope")).unwrap());
    for more in ["--anonymous", "--add=other.pub"] {
        place.run(&["rewrap", "body", "--owner", "owner", "--key", "to", more]);
    }
    place.run(&at(&node, "node", &[&put[..], &["--envelope-only"]].concat()));
    let latest = fs::read(place.path("body.envelope")).unwrap();
    for _ in 0..2 {
        assert_eq!(summary(&place, &at(&node, "node", &REWRAP))["skipped"]["nothing to change"], 1);
        assert!(kept(&place) == latest, "generation 3, served over the known 1, is kept");
    }
    for command in [REWRAP, ROTATE] {
        let out = place.try_run(&at(&old, "node2", &command));
        let text = String::from_utf8(out.stdout).unwrap();
        assert_eq!(out.status.code(), Some(2));
        assert!(text.contains("serves generation 1") && text.contains("is 3"), "{text}");
        assert!(kept(&place) == latest, "nothing was signed");
    }
    // Over another body it is kept beside the known one, whose body may be there.
    place.run(&["rotate", "body", "--owner", "owner", "--key", "to", "--to", "to.pub"]);
    place.run(&at(&node, "node", &["put", "body.rotated", "--owner", "owner"]));
    let out = place.try_run(&at(&node, "node", &REWRAP));
    let text = String::from_utf8(out.stdout).unwrap();
    assert!(text.contains("over another body") && text.contains("nothing was signed"), "{text}");
    let names = fs::read_dir(place.path("envelopes")).unwrap().map(|e| fs::read(e.unwrap().path()).unwrap());
    let (names, rotated) =
        (names.collect::<Vec<_>>(), fs::read(place.path("body.rotated.envelope")).unwrap());
    assert!(names.len() == 2 && names.contains(&latest) && names.contains(&rotated));
    let out = place.try_run(&at(&old, "node2", &REWRAP));
    assert!(String::from_utf8(out.stdout).unwrap().contains("is 4"));
    assert_eq!(summary(&place, &at(&node, "node", &REWRAP))["rewrapped"], 1, "the same command goes on");
}

/// E13: one run at a time signs in a directory.
#[test]
fn e13_a_directory_that_another_run_signs_in_is_left_alone() {
    use rustix::fs::{FlockOperation, flock};
    let (place, node) = place_with_node();
    place.run(&at(&node, "node", &["put", "body", "--owner", "owner"]));
    for folder in ["envelopes", "envelopes/deep"] {
        fs::create_dir(place.path(folder)).unwrap();
    }
    let deep = place.path("envelopes/deep/body.envelope");
    fs::copy(place.path("body.envelope"), &deep).unwrap();
    let before = fs::read(&deep).unwrap();
    let files = ["rewrap", "envelopes/deep/body.envelope", "--owner", "owner", "--key", "to", "--anonymous"];
    for folder in ["envelopes", "envelopes/deep"] {
        let held = fs::File::open(place.path(folder)).unwrap();
        flock(&held, FlockOperation::NonBlockingLockExclusive).unwrap();
        let out = place.try_run(&at(&node, "node", &REWRAP));
        let text = [out.stdout, out.stderr].concat();
        assert!(String::from_utf8(text).unwrap().contains("another run signs"), "{folder}");
        if folder == "envelopes/deep" {
            place.refuse(&files, "another run signs envelopes in");
        }
        assert!(fs::read(&deep).unwrap() == before);
        flock(&held, FlockOperation::Unlock).unwrap();
    }
    assert_eq!(summary(&place, &at(&node, "node", &REWRAP))["rewrapped"], 1);
    assert_eq!(summary(&place, &files)["rewrapped"], 1);
}

pub(super) const ROTATE: [&str; 9] =
    ["rotate", "--owner", "owner", "--key", "to", "--to", "other.pub", "--envelopes", "envelopes"];

const ROTATE_OTHER: [&str; 9] =
    ["rotate", "--owner", "owner", "--key", "to", "--to", "to.pub", "--envelopes", "envelopes"];

/// At a node: fetched, sealed anew, put; and a run that broke off before the node had it sends what it signed.
#[test]
fn a_node_is_rotated_and_a_second_run_goes_on() {
    let (place, node) = place_with_node();
    place.run(&at(&node, "node", &["put", "body", "--owner", "owner"]));
    assert_eq!(summary(&place, &at(&node, "node", &ROTATE))["rotated"], 1);
    let (name, generation) = listed(&place, &node, "node");
    assert_eq!(generation, 2);
    let kept: Vec<_> = fs::read_dir(place.path("envelopes")).unwrap().map(|e| e.unwrap().path()).collect();
    assert_eq!(kept.len(), 1, "{kept:?}");
    let get = at(&node, "node", &["get", &name, "--key", "owner", "-o", "new", "--envelope", "new.envelope"]);
    place.run(&get);
    assert_eq!(fs::read(place.path("new.envelope")).unwrap(), fs::read(&kept[0]).unwrap());
    assert_ne!(fs::read(place.path("new")).unwrap(), fs::read(place.path("body")).unwrap());
    place.run(&["open", "new", "--owner", "owner.pub", "--key", "other", "-o", "out"]);
    assert_eq!(fs::read(place.path("out")).unwrap(), data(300_000));
    place.refuse(
        &["open", "new", "--owner", "owner.pub", "--key", "to", "-o", "out2"],
        "none of the given keys",
    );
    // Another generation, signed and not sent yet, as a run leaves it that broke off.
    place.run(&["rotate", "new", "--owner", "owner", "--key", "other", "--to", "other.pub"]);
    let stem = kept[0].to_str().unwrap().strip_suffix(".envelope").unwrap().to_owned();
    let (body, envelope) = (format!("{stem}.rotated"), format!("{stem}.rotated.envelope"));
    fs::rename(place.path("new.rotated.envelope"), &envelope).unwrap();
    let signed = fs::read(&envelope).unwrap();
    // Without its body it is not signed a second time.
    let out = place.try_run(&at(&node, "node", &ROTATE));
    assert!(
        String::from_utf8(out.stdout).unwrap().contains("a second envelope of its generation is not signed")
    );
    assert_eq!(listed(&place, &node, "node").1, 2);
    fs::rename(place.path("new.rotated"), &body).unwrap();
    // For others than this command asks for: not sent, and named.
    let out = place.try_run(&at(&node, "node", &ROTATE_OTHER));
    assert!(String::from_utf8(out.stdout).unwrap().contains("for others than this command says"));
    assert_eq!((out.status.code(), listed(&place, &node, "node").1), (Some(2), 2));
    assert_eq!(summary(&place, &at(&node, "node", &ROTATE))["rotated"], 1);
    assert_eq!(listed(&place, &node, "node").1, 3);
    assert_eq!(fs::read(&kept[0]).unwrap(), signed);
    assert_eq!(fs::read_dir(place.path("envelopes")).unwrap().count(), 1);
}

/// What is done is not done again: of three objects the second fails, and the same command seals that one alone.
#[test]
fn a_run_at_a_node_passes_over_what_it_has_done() {
    let (place, node) = place_with_node();
    for body in ["body", "body2", "body3"] {
        if body != "body" {
            place.run(&["seal", "plain", "-o", body, "--owner", "owner", "--to", "to.pub"]);
        }
        place.run(&at(&node, "node", &["put", body, "--owner", "owner"]));
    }
    let generations = || {
        let list: serde_json::Value =
            serde_json::from_slice(&place.run(&at(&node, "node", &["ls", "--key", "owner", "--json"])))
                .unwrap();
        let objects = list.as_array().unwrap_or_else(|| list["objects"].as_array().unwrap()).clone();
        let field = |o: &serde_json::Value, f: &str| o[f].as_str().unwrap().to_owned();
        objects
            .iter()
            .map(|o| {
                (format!("{}-{}", field(o, "object"), field(o, "unit")), o["generation"].as_u64().unwrap())
            })
            .collect::<Vec<_>>()
    };
    let before = generations();
    assert_eq!(before.len(), 3);
    // The second fails: what its new envelope would be called is a folder.
    let in_the_way = place.path(&format!("envelopes/{}.rotated.envelope", before[1].0));
    fs::create_dir_all(&in_the_way).unwrap();
    let out = place.try_run(&at(&node, "node", &ROTATE));
    assert_eq!(out.status.code(), Some(2));
    assert!(String::from_utf8(out.stderr).unwrap().contains("what is done is skipped"));
    assert_eq!(generations().iter().map(|o| o.1).collect::<Vec<_>>(), [2, 1, 2]);
    fs::remove_dir(&in_the_way).unwrap();
    let second = summary(&place, &at(&node, "node", &ROTATE));
    assert_eq!((&second["rotated"], &second["skipped"]["sealed anew already"]), (&1.into(), &2.into()));
    assert_eq!(generations().iter().map(|o| o.1).collect::<Vec<_>>(), [2, 2, 2]);
    assert_eq!(fs::read_dir(place.path("envelopes")).unwrap().count(), 3, "the list is gone");
}

/// What other nodes keep of an object in shards still opens it: said before and after the one that is named is reached.
#[test]
fn destroy_at_one_node_says_that_the_others_keep_their_shards() {
    let (place, node) = place_with_node();
    place.run(&["seal", "plain", "-o", "s", "--owner", "owner", "--to", "to.pub", "--shards", "2/3"]);
    let others = "keep their shards, as only ";
    let one = ["destroy", "s/000.shard", "--owner", "owner"];
    let text = place.refuse(&at(&node, "node", &one), "nothing was destroyed");
    assert!(text.contains(others) && text.contains("any 2 of the 3 still open it"), "{text}");
    let said =
        |arguments: &[&str]| String::from_utf8(place.run(&[arguments, &["--yes-destroy"]].concat())).unwrap();
    let text = said(&at(&node, "node", &one));
    assert!(text.contains(others) && text.contains(&node.url) && text.contains("/2-3-SHARD-0`"), "{text}");
    // Of a whole object there is nothing to say, nor where no node is named.
    for rest in [
        &at(&node, "node", &["destroy", "body", "--owner", "owner"])[..],
        &["destroy", "s", "--owner", "owner"],
    ] {
        let text = said(rest);
        assert!(text.contains("destroyed ") && !text.contains(others), "{text}");
    }
}

/// A node that has nothing left, or never had it, does not keep `destroy` from overwriting the envelope here.
#[test]
fn destroy_goes_on_where_the_node_has_nothing_left() {
    let (place, node) = place_with_node();
    place.run(&at(&node, "node", &["put", "body", "--owner", "owner"]));
    let destroy = at(&node, "node", &["destroy", "body", "--owner", "owner", "--yes-destroy"]);
    // A node that refuses otherwise does: it may still have the object.
    let stranger =
        ["destroy", "body", "--owner", "owner", "--yes-destroy", "--node", &node.url, "--host", "owner.pub"];
    place.refuse(&stranger, "host");
    assert!(place.path("body.envelope").exists());
    let (name, _) = listed(&place, &node, "node");
    place.run(&at(&node, "node", &["rm", &name, "--owner", "owner"]));
    let text = String::from_utf8(place.run(&destroy)).unwrap();
    assert!(text.contains("destroyed body.envelope"), "{text}");
    assert!(!place.path("body.envelope").exists() && place.path("body").exists());
}
