//! `get --placement`: what is asked for, and hosts that answer otherwise.

use std::fs;

use bailiwick_protocol::codec::Canonical as _;

use super::host::unit_name;
use super::placement::{PUT, fleet, liar, place_at};
use super::program::{Place, data};
use super::shards::{owner, signer};

const GET: [&str; 7] = ["--key", "owner", "--placement", "placement.toml", "--all", "-o", "fetched"];

type Nodes = Vec<Option<super::host::Node>>;

/// A fleet that has its shards, and the address of each host with the folder of its key.
fn stored() -> (Place, Nodes, Vec<(String, &'static str)>) {
    let (place, nodes) = fleet();
    let urls = nodes.iter().map(|n| n.as_ref().unwrap().url.clone());
    let hosts: Vec<_> = urls.zip(["n0", "n1", "n2", "n3"]).collect();
    place_at(&place, "", &hosts);
    place.run(&PUT);
    (place, nodes, hosts)
}

fn get<'a>(name: &'a str, more: &[&'a str]) -> Vec<&'a str> {
    [&["get", name], &GET[..], more].concat()
}

/// Bodies that were fetched.
fn bodies(place: &Place) -> Vec<String> {
    let entries = fs::read_dir(place.path("fetched")).unwrap();
    let mut names: Vec<_> = entries.map(|e| e.unwrap().file_name().into_string().unwrap()).collect();
    names.retain(|n| n.ends_with(".shard"));
    names.sort();
    names
}

/// What no placement gives is refused before a host is asked; its twin fails only because no host is there.
#[test]
fn what_a_placement_does_not_give_is_refused() {
    let place = Place::with_keys();
    fs::write(place.path("plain"), data(5_000)).unwrap();
    place.run(&["seal", "plain", "-o", "s", "--owner", "owner", "--to", "to.pub", "--shards", "2/4"]);
    fs::create_dir(place.path("n")).unwrap();
    let hosts: Vec<_> = ["n0", "n1", "n2", "n3"].map(|n| ("http://127.0.0.1:9".to_owned(), n)).into();
    for (_, folder) in &hosts {
        place.run(&["key", "new", "owner", "-o", folder]);
        fs::rename(place.path(folder), place.path("n/secret")).unwrap();
        fs::create_dir(place.path(folder)).unwrap();
        fs::rename(place.path(&format!("{folder}.pub")), place.path(&format!("{folder}/host.pub"))).unwrap();
        fs::remove_file(place.path("n/secret")).unwrap();
    }
    place_at(&place, "shards_per_host = 4", &hosts);
    let name = unit_name(&place, "s/000.shard.envelope");
    let refused = |name: &str, more: &[&str], why: &str| {
        place.refuse(&get(name, more), why);
        assert!(!place.path("fetched").exists());
    };
    refused(&name, &[], "no host answered with a shard");
    refused(&name.replace("2-4-0-0", "1-1-0-0"), &[], "is not a shard's name: its object is not split");
    for more in [["--range", "0:1"], ["--envelope", "e"]] {
        refused(&name, &more, "with --placement whole shards are fetched");
    }
    let out = [&["get", &name][..], &GET[..6], &["-"]].concat();
    place.refuse(&out, "shards go to a folder, not to standard output");
    place_at(&place, "shards_per_host = 4", &hosts[..3]);
    refused(&name, &[], "placement.toml does not fit the object");
}

/// A host that answers with another shard's envelope, or with bytes that are not the signed ones, is named; nothing of its body stays, and
/// the others' shards are fetched.
#[test]
fn hosts_that_answer_otherwise_are_named() {
    let (place, _nodes, mut hosts) = stored();
    let name = unit_name(&place, "s/000.shard.envelope");
    let out = String::from_utf8(place.run(&get(&name, &[]))).unwrap();
    assert!(out.contains("fetched shards [0, 1, 2, 3] of 4") && bodies(&place).len() == 4, "{out}");
    let read = |shard: u16| fs::read(place.path(&format!("s/00{shard}.shard.envelope"))).unwrap();
    let length = fs::metadata(place.path("s/003.shard")).unwrap().len();
    let mut altered = read(3);
    altered[100] ^= 1;
    for (envelope, length, why) in [
        (read(2), length, "the node answered with the envelope of another unit".to_owned()),
        (altered, length, "the node's envelope for this name".to_owned()),
        (read(3), length - 5, format!("the node sends {} bytes, the owner signed {length}", length - 5)),
        (read(3), length, "the bytes that came are not the ones the owner signed".to_owned()),
    ] {
        fs::remove_dir_all(place.path("fetched")).unwrap();
        hosts[3].0 = liar(envelope, Vec::new(), length, "200 OK", false);
        place_at(&place, "", &hosts);
        let out = place.try_run(&get(&name, &[]));
        let said = String::from_utf8_lossy(&out.stderr).into_owned();
        let line = format!("note: shard 3 at {}: {why}", hosts[3].0);
        assert!(out.status.success() && said.contains(&line), "{why:?} in {said}");
        assert_eq!(bodies(&place), ["000.shard", "001.shard", "002.shard"], "{why}");
    }
}

#[test]
fn fewer_shards_than_are_needed_are_not_kept() {
    let (place, _nodes, mut hosts) = stored();
    let name = unit_name(&place, "s/000.shard.envelope");
    for host in &mut hosts[2..] {
        host.0 = "http://127.0.0.1:9".to_owned();
    }
    place_at(&place, "shards_per_host = 2", &hosts);
    place.run(&get(&name, &[]));
    assert_eq!(bodies(&place), ["000.shard", "001.shard"]);
    fs::remove_dir_all(place.path("fetched")).unwrap();
    hosts[1].0 = "http://127.0.0.1:9".to_owned();
    place_at(&place, "shards_per_host = 3", &hosts);
    place.refuse(&get(&name, &[]), "1 of 4 shards could be fetched, 2 are needed");
    assert!(!place.path("fetched").exists());
}

/// Two sets of one generation, both signed: which one speaks for the owner cannot be told, and neither is taken.
#[test]
fn e13_two_sets_of_one_generation_are_refused() {
    let (place, _nodes, mut hosts) = stored();
    let name = unit_name(&place, "s/000.shard.envelope");
    let bytes = fs::read(place.path("s/003.shard.envelope")).unwrap();
    let mut other = bailiwick_envelope::verify(&owner(&place), &bytes).unwrap();
    other.generation -= 1;
    other.shards.as_mut().unwrap().bodies = [7; 32];
    let other = bailiwick_envelope::sign_next(other, &signer(&place)).unwrap().to_bytes();
    hosts[3].0 = liar(other, Vec::new(), 1, "200 OK", false);
    place_at(&place, "", &hosts);
    let why = "the hosts of shards 0 and 3 serve different sets of generation 1: the owner signed both";
    place.refuse(&get(&name, &[]), why);
    assert!(!place.path("fetched").exists());
}
