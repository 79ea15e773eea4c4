//! What is asked for of split objects and means nothing to them is refused by name, before anything is written.

use std::fs;

use super::{OPEN, opens, sealed};
use crate::it::program::Place;

/// Refused, and the folder is as it was.
#[track_caller]
fn refused(place: &Place, arguments: &[&str], why: &str) {
    let before = place.names();
    place.refuse(arguments, why);
    assert_eq!(place.names(), before);
}

#[test]
fn options_of_whole_objects_are_refused_when_shards_are_opened() {
    let place = sealed("2/3", 5_000);
    let open = |more: &[&'static str]| [&["open", "s"][..], &OPEN, more].concat();
    refused(
        &place,
        &open(&["-o", "x", "--attest", "a", "--attest-key", "owner"]),
        "a statement speaks of one unit",
    );
    let one = open(&["-o", "x", "--envelope", "s/000.shard.envelope"]);
    refused(&place, &one, "every shard's envelope lies beside its body");
    refused(&place, &open(&["-o", "-", "--json"]), "data and JSON cannot both go to standard output");
    opens(&place, &["s"]);
}

#[test]
fn options_of_whole_objects_are_refused_when_shards_are_sealed() {
    let place = sealed("2/3", 5_000);
    let seal = ["seal", "plain", "--owner", "owner", "--to", "to.pub", "--shards", "2/3"];
    let with = |more: &[&'static str]| [&seal[..], more].concat();
    refused(&place, &with(&["-o", "x", "--envelope", "e"]), "every shard has an envelope of its own");
    refused(&place, &with(&["-o", "-"]), "shards go to a folder, not to standard output");
    place.run(&with(&["-o", "x"]));
    refused(&place, &[&["repair", "x/000.shard"][..], &OPEN].concat(), "x/000.shard is not a folder");
    fs::remove_file(place.path("x/001.shard")).unwrap();
    place.run(&[&["repair", "x"][..], &OPEN].concat());
}
