//! `put`: a node's word that it has something is not believed, and envelopes alone go to every host of a placement.

use std::fs;

use super::host::{at, place_with_node};
use super::placement::{PUT, fleet, liar, place_at, states, stored_files};
use super::program::Place;
use super::rewrap::rewrap;

fn said(place: &Place, arguments: &[&str]) -> String {
    String::from_utf8(place.run(arguments)).unwrap()
}

/// A body put again is asked for, whole: what a node damaged or lost is sent again.
#[test]
fn a_node_that_does_not_give_a_body_back_is_sent_it_again() {
    let (place, node) = place_with_node();
    let put = at(&node, &["put", "body", "--owner", "owner"]);
    assert!(said(&place, &put).starts_with("stored "));
    assert!(said(&place, &put).starts_with("already stored "));
    let file = &stored_files(&place, "node")[0];
    let mut bytes = fs::read(file).unwrap();
    bytes[200_000] ^= 1;
    fs::write(file, bytes).unwrap();
    assert!(said(&place, &put).starts_with("stored again "));
    assert!(said(&place, &put).starts_with("already stored "));
    // As JSON the node's record, whether or not anything was sent.
    let json = [&put[..], &["--json"]].concat();
    let record = place.run(&json);
    fs::remove_file(&stored_files(&place, "node")[0]).unwrap();
    assert!(place.run(&json) == record);
    assert!(said(&place, &put).starts_with("already stored "));
    // A host that repeats the envelope and answers everything with yes, and one that lets the bytes drip.
    let envelope = fs::read(place.path("body.envelope")).unwrap();
    let length = fs::metadata(place.path("body")).unwrap().len();
    for (status, drips, says) in [
        (
            "200 OK",
            false,
            "has the body, did not take it again, and does not give it back: the bytes that came",
        ),
        ("201 Created", false, "stored the body again, and does not give it back: the bytes that came"),
        ("201 Created", true, "does not give it back: it was not there after 3 seconds"),
    ] {
        let url = liar(envelope.clone(), record.clone(), length, status, drips);
        let host = ["--node", &url, "--host", "node/host.pub", "--patience", "1"];
        place.refuse(&[&["put", "body", "--owner", "owner"], &host[..]].concat(), says);
    }
}

/// A body of another length than its envelope says is not sent anywhere.
#[test]
fn a_body_of_another_length_is_not_sent() {
    let (place, node) = place_with_node();
    let put = at(&node, &["put", "body", "--owner", "owner"]);
    let whole = fs::read(place.path("body")).unwrap();
    fs::write(place.path("body"), &whole[..whole.len() - 1]).unwrap();
    let why = format!("body has {} bytes, its envelope says {}", whole.len() - 1, whole.len());
    place.refuse(&put, &why);
    fs::write(place.path("body"), whole).unwrap();
    assert!(said(&place, &put).starts_with("stored "));
}

/// E13: the envelopes that `rewrap` signed reach every host of a placement, and no body is sent or needed.
#[test]
fn e13_envelopes_of_shards_go_to_the_hosts_of_a_placement() {
    let (place, mut nodes) = fleet();
    let urls: Vec<String> = nodes.iter().map(|n| n.as_ref().unwrap().url.clone()).collect();
    let hosts: Vec<(String, &str)> = urls.iter().cloned().zip(["n0", "n1", "n2", "n3"]).collect();
    place_at(&place, "", &hosts);
    let alone = [&PUT[..], &["--envelope-only"]].concat();
    let text = place.refuse(&alone, "4 of 4 envelopes are not at their hosts");
    assert!(text.contains("shard 3 at") && text.contains("holds no body of it: put it whole"), "{text}");
    place.run(&PUT);
    assert_eq!(states(&place, &alone), ["already stored"; 4]);
    let third =
        ["put", "s/003.shard", "--owner", "owner", "--node", &urls[3], "--host", "n3/host.pub", "--json"];
    let record = place.run(&third);
    place.run(&rewrap("s", &["--add", "other.pub"]));
    for shard in 0..4 {
        fs::remove_file(place.path(&format!("s/00{shard}.shard"))).unwrap();
    }
    // One host is down; the same command reaches it when it is back, and says what the others have.
    nodes[2].take().unwrap().kill();
    let text = place.refuse(&alone, "1 of 4 envelopes are not at their hosts, which have what they had");
    assert!(text.contains("note: shard 2 at"), "{text}");
    nodes[2] = Some(super::host::Node::start_in(&place, "n2"));
    let mut hosts = hosts;
    hosts[2].0.clone_from(&nodes[2].as_ref().unwrap().url);
    place_at(&place, "", &hosts);
    let then = ["already stored", "already stored", "replaced", "already stored"];
    assert_eq!(states(&place, &alone), then);
    assert!(said(&place, &alone).contains("all 4 envelopes of the shards of"));
    // What the hosts have opens for the new recipient, bodies and all.
    let name = super::host::unit_name(&place, "s/001.shard.envelope");
    place.run(&["get", &name, "--key", "owner", "--placement", "placement.toml", "--all", "-o", "fetched"]);
    for shard in 0..4 {
        let envelope = format!("00{shard}.shard.envelope");
        let at_host = fs::read(place.path(&format!("fetched/{envelope}"))).unwrap();
        assert!(at_host == fs::read(place.path(&format!("s/{envelope}"))).unwrap(), "{shard}");
    }
    place.run(&["open", "fetched", "--owner", "owner.pub", "--key", "other", "-o", "back"]);
    assert!(fs::read(place.path("back")).unwrap() == fs::read(place.path("plain")).unwrap());
    // A host that says that it has the envelope, and gives another one, is named.
    let old = fs::read(place.path("fetched/003.shard.envelope")).unwrap();
    place.run(&rewrap("s", &["--anonymous"]));
    hosts[3].0 = liar(old, record, 1, "200 OK", false);
    place_at(&place, "", &hosts);
    let text = place.refuse(&alone, "1 of 4 envelopes are not at their hosts");
    assert!(text.contains("says that it has this envelope, and gives another one"), "{text}");
}
