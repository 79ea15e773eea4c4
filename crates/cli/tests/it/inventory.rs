//! `check-inventory` against a real node process.

use std::fs;
use std::process::Output;

use bailiwick_client::{Client, ClientOptions};
use bailiwick_protocol::bundle::NoAnswer;
use bailiwick_protocol::codec::Canonical as _;
use bailiwick_protocol::dossier::{Dossier, Logged};
use bailiwick_protocol::ids::{AuditorKey, HostKey, InventoryDigest, Nonce, ScheduleDigest};
use bailiwick_protocol::inventory::OwnerRange;
use bailiwick_protocol::schedule::{
    EpochCommitment, LogEntry, Offered, SignedEpochCommitment, hash_of_nonce,
};
use bailiwick_protocol::secret::Secret;
use bailiwick_protocol::signing::SigningKey;

use super::host::{Node, at, place_with_node};
use super::program::{Place, data};

/// A value of a key file: its lines are `name = "value"`.
fn bytes_of(place: &Place, file: &str, name: &str) -> [u8; 32] {
    let text = fs::read_to_string(place.path(file)).unwrap();
    let line = text.lines().find_map(|l| l.strip_prefix(name)).unwrap();
    hex::decode(line.trim_matches([' ', '=', '"'])).unwrap().try_into().unwrap()
}

/// The key of a secret key file.
pub(crate) fn signing_key(place: &Place, file: &str) -> SigningKey {
    let seed = bytes_of(place, file, "secret");
    SigningKey::from_seed(&Secret::init_with(|b| b.copy_from_slice(&seed)))
}

/// An auditor has the node make its inventory.
fn make_inventory(place: &Place, node: &Node, epoch: u64) {
    let host = HostKey(bytes_of(place, "node/host.pub", "public"));
    let key = signing_key(place, "auditor");
    let client = Client::new(&node.url, host, key, ClientOptions::default()).unwrap();
    client.make_inventory(epoch).unwrap().verify(host.as_bytes()).unwrap();
}

fn check(place: &Place, node: &Node, epoch: &str, more: &[&str]) -> (Option<i32>, serde_json::Value) {
    let first = ["check-inventory", "--epoch", epoch, "--owner", "owner", "--json"];
    let Output { status, stdout, stderr } = place.try_run(&at(node, &[&first, more].concat()));
    let json = serde_json::from_slice(&stdout);
    (status.code(), json.unwrap_or_else(|_| String::from_utf8(stderr).unwrap().into()))
}

/// All objects listed: 0. One that the node never got, and one that was removed before the epoch: 1, and they are named. What was
/// removed after the epoch is still listed in it. The saved range says the same offline.
#[test]
fn an_owner_finds_what_an_inventory_omits() {
    let (place, node) = place_with_node();
    fs::write(place.path("other"), data(10_000)).unwrap();
    fs::create_dir(place.path("sealed")).unwrap();
    place.run(&["seal", "plain", "-o", "sealed/a", "--owner", "owner", "--to", "to.pub"]);
    place.run(&["seal", "other", "-o", "sealed/b", "--owner", "owner", "--to", "to.pub"]);
    for body in ["sealed/a", "sealed/b"] {
        place.run(&at(&node, &["put", body, "--owner", "owner"]));
    }
    make_inventory(&place, &node, 3);
    let (code, report) = check(&place, &node, "3", &["--envelopes", "sealed", "--save", "range"]);
    assert_eq!((code, report["complete"].as_bool()), (Some(0), Some(true)), "{report}");
    assert_eq!(report["listed"].as_array().unwrap().len(), 2);
    assert_eq!(report["checked"].as_array().unwrap().len(), 2);

    // `body` is sealed and was never put.
    let (code, report) = check(&place, &node, "3", &["--envelopes", "sealed", "body.envelope"]);
    assert_eq!(code, Some(1), "{report}");
    let states: Vec<_> = report["checked"].as_array().unwrap().iter().map(|c| c["state"].clone()).collect();
    assert_eq!(states, ["listed", "listed", "missing"]);

    let removed = report["checked"][0]["name"].as_str().unwrap().to_owned();
    place.run(&at(&node, &["rm", &removed, "--owner", "owner"]));
    make_inventory(&place, &node, 4);
    let (code, report) = check(&place, &node, "4", &["--envelopes", "sealed"]);
    assert_eq!((code, report["checked"][0]["state"].as_str()), (Some(1), Some("missing")), "{report}");
    let (code, report) = check(&place, &node, "3", &["--envelopes", "sealed"]);
    assert_eq!(code, Some(0), "the inventory of epoch 3 is what it was: {report}");

    drop(node);
    let offline = [
        "check-inventory",
        "--from",
        "range",
        "--epoch",
        "3",
        "--owner",
        "owner.pub",
        "--host",
        "node/host.pub",
    ];
    let shown = place.run(&[&offline[..], &["--envelopes", "sealed"]].concat());
    assert!(String::from_utf8(shown).unwrap().contains("all 2 envelopes are listed"));
    assert_eq!(
        place.try_run(&[&offline[..], &["--envelopes", "body.envelope"]].concat()).status.code(),
        Some(1)
    );
}

/// What cannot be judged is 2: another host's key, another epoch, a changed range, somebody else's envelope, an epoch without inventory.
#[test]
fn what_says_nothing_is_an_error() {
    let (place, node) = place_with_node();
    place.run(&at(&node, &["put", "body", "--owner", "owner"]));
    make_inventory(&place, &node, 3);
    let body = ["--envelopes", "body.envelope"];
    let mut save = vec!["check-inventory", "--epoch", "3", "--owner", "owner", "--save", "range"];
    // I11: a check of nothing must not pass for a check of everything.
    place.refuse(&at(&node, &save), "--envelopes <PATH>...");
    assert!(!place.path("range").exists());
    save.extend(body);
    place.run(&at(&node, &save));
    let before = place.names();
    let offline = |host: &str, epoch: &str, file: &str| {
        let fixed =
            ["check-inventory", "--owner", "owner.pub", "--from", file, "--epoch", epoch, "--host", host];
        [&fixed[..], &body].concat().into_iter().map(str::to_owned).collect::<Vec<_>>()
    };
    place.refuse(&offline("node/host.pub", "3", "range")[..9], "--envelopes <PATH>...");
    place.run(&offline("node/host.pub", "3", "range"));
    place.refuse(&offline(&"11".repeat(32), "3", "range"), "not signed by this host");
    place.refuse(&offline("node/host.pub", "4", "range"), "inventory of epoch 3");
    place.refuse(&offline("node/host.pub", "3", "body.envelope"), "not an owner's range");
    place.refuse(
        &at(&node, &["check-inventory", "--epoch", "9", "--owner", "owner", "--envelopes", "body.envelope"]),
        "404",
    );
    place.run(&["seal", "plain", "-o", "strange", "--owner", "stranger", "--to", "to.pub"]);
    let stranger = ["check-inventory", "--epoch", "3", "--owner", "owner", "--envelopes", "strange.envelope"];
    place.refuse(&at(&node, &stranger), "not signed by this owner");
    // The last leaf's generation, or a cell root, changed: it does not lead to what the host signed.
    let range = fs::read(place.path("range")).unwrap();
    let mut refused = 0;
    for i in (range.len() - 60..range.len()).step_by(7) {
        let mut bad = range.clone();
        bad[i] ^= 1;
        fs::write(place.path("bad"), bad).unwrap();
        refused += u32::from(place.try_run(&offline("node/host.pub", "3", "bad")).status.code() == Some(2));
    }
    assert_eq!(refused, 9);
    fs::remove_file(place.path("bad")).unwrap();
    for extra in ["strange", "strange.envelope"] {
        fs::remove_file(place.path(extra)).unwrap();
    }
    assert_eq!(place.names(), before, "nothing is left behind");
}

/// I11: what an auditor's commitments of the epoch say of the host: this inventory, another, that it gave none, or nothing. One that says
/// none outweighs those to this one, one to another outweighs all; those of other epochs and hosts, and those that their auditor did not
/// sign, say nothing.
#[test]
fn a_dossier_says_what_the_auditor_was_given() {
    let (place, node) = place_with_node();
    place.run(&at(&node, &["put", "body", "--owner", "owner"]));
    make_inventory(&place, &node, 3);
    let save = ["check-inventory", "--epoch", "3", "--owner", "owner", "--save", "range"];
    place.run(&at(&node, &[&save[..], &["--envelopes", "body.envelope"]].concat()));
    drop(node);
    let range = OwnerRange::from_bytes(&fs::read(place.path("range")).unwrap()).unwrap();
    let inventory = range.inventory.decode_unverified().unwrap();
    let (key, stranger) = (signing_key(&place, "auditor"), signing_key(&place, "owner"));
    let committed = |number: u8, epoch: u64, host: HostKey, offered: Offered, signer: &SigningKey| {
        let c = EpochCommitment {
            auditor: AuditorKey(key.public()),
            schedule: ScheduleDigest([number; 32]),
            epoch,
            nonce: hash_of_nonce(&Nonce([number; 32])),
            hosts: vec![(host, offered)],
        };
        let entry = LogEntry::Epoch(SignedEpochCommitment::new(&c, signer)).to_bytes();
        Logged { entry, proof: b"judged by verify".to_vec() }
    };
    let compare = |announced: &[&Logged]| {
        let mut dossier =
            Dossier { announced: announced.iter().map(|l| (*l).clone()).collect(), ..Dossier::default() };
        dossier.sort();
        fs::write(place.path("auditors.dossier"), dossier.to_bytes()).unwrap();
        let fixed = ["check-inventory", "--from", "range", "--epoch", "3", "--owner", "owner.pub", "--json"];
        let more =
            ["--host", "node/host.pub", "--dossier", "auditors.dossier", "--envelopes", "body.envelope"];
        let out = place.try_run(&[&fixed[..], &more].concat());
        let json: serde_json::Value = serde_json::from_slice(&out.stdout).unwrap();
        assert_eq!(json["complete"], true, "what is listed does not depend on the dossier");
        let by = json["committed_by"].as_array().unwrap().len();
        (out.status.code(), json["committed"].as_str().unwrap().to_owned(), by)
    };
    let (host, stands) = (inventory.host, Offered::Inventory(inventory.digest()));
    let silent = Offered::Nothing(NoAnswer::TimedOut);
    let same = committed(1, 3, host, stands, &key);
    let none = committed(2, 3, host, silent, &key);
    let other = committed(3, 3, host, Offered::Inventory(InventoryDigest([9; 32])), &key);
    let said = |code, what: &str, by| (Some(code), what.to_owned(), by);
    assert_eq!(compare(&[&same]), said(0, "same", 1));
    assert_eq!(compare(&[&none]), said(1, "none-given", 1));
    assert_eq!(compare(&[&same, &none]), said(1, "none-given", 1));
    assert_eq!(compare(&[&other]), said(1, "other", 1));
    assert_eq!(compare(&[&none, &other, &same]), said(1, "other", 1));
    // That the auditor did not ask is no word about the host: others outweigh it, and alone it is said as what it is.
    let unasked = committed(7, 3, host, Offered::Nothing(NoAnswer::NotAsked), &key);
    assert_eq!(compare(&[&unasked]), said(1, "not-asked", 1));
    assert_eq!(compare(&[&unasked, &same]), said(0, "same", 1));
    assert_eq!(compare(&[&unasked, &none]), said(1, "none-given", 1));
    assert_eq!(compare(&[&unasked, &other]), said(1, "other", 1));
    let unasked_first = committed(0, 3, host, Offered::Nothing(NoAnswer::NotAsked), &key);
    assert_eq!(compare(&[&unasked_first, &same]), said(0, "same", 1));
    assert_eq!(compare(&[&unasked_first, &none]), said(1, "none-given", 1));
    assert_eq!(compare(&[]), said(1, "missing", 0));
    let elsewhere = committed(4, 3, HostKey([7; 32]), silent, &key);
    let before = committed(5, 2, host, silent, &key);
    let forged = committed(6, 3, host, silent, &stranger);
    for about_nothing in [&elsewhere, &before, &forged] {
        assert_eq!(compare(&[about_nothing]), said(1, "missing", 0));
        assert_eq!(compare(&[about_nothing, &same]), said(0, "same", 1));
    }
}
