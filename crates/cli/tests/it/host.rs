//! Put, get, list, remove, audit and scrub against a real node process.

use std::fs;
use std::io::{BufRead as _, BufReader};
use std::process::{Child, Stdio};

use super::program::{Place, data};

/// A node process on loopback; killed when dropped.
pub(crate) struct Node {
    child: Child,
    pub(crate) url: String,
}

impl Node {
    /// A new node in `folder` that knows the owner and the auditor.
    pub(crate) fn new(place: &Place, folder: &str) -> Self {
        let keys = ["--owner", "owner.pub", "--auditor", "auditor.pub", "--circuit-keys", "circuit-keys"];
        let listen = ["--listen", "127.0.0.1:0"];
        place.run(&[&["node", "init", folder][..], &keys, &listen].concat());
        Self::start_in(place, folder)
    }

    /// A node whose files are in `folder`.
    pub(crate) fn start_in(place: &Place, folder: &str) -> Self {
        let log = fs::File::options().create(true).append(true).open(place.path("node.log")).unwrap();
        let mut child = place
            .command(&["node", "run", "--config", &format!("{folder}/node.toml")])
            .stdout(Stdio::piped())
            .stderr(log)
            .spawn()
            .unwrap();
        let mut line = String::new();
        BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
        let url = line.trim().strip_prefix("listening on ").unwrap_or_default().to_owned();
        assert!(!url.is_empty(), "{}", fs::read_to_string(place.path("node.log")).unwrap());
        Self { child, url }
    }

    /// Without a chance to finish anything.
    pub(crate) fn kill(mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }
}

impl Drop for Node {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// An owner, an auditor, a stranger, a node that knows the first two, and one sealed object of 300,000 bytes.
pub(crate) fn place_with_node() -> (Place, Node) {
    let place = Place::with_keys();
    place.run(&["key", "new", "auditor", "-o", "auditor"]);
    place.run(&["key", "new", "owner", "-o", "stranger"]);
    fs::write(place.path("plain"), data(300_000)).unwrap();
    place.run(&["seal", "plain", "-o", "body", "--owner", "owner", "--to", "to.pub"]);
    let node = Node::new(&place, "node");
    (place, node)
}

/// `rest` with the arguments that reach the node.
pub(crate) fn at<'a>(node: &'a Node, rest: &[&'a str]) -> Vec<&'a str> {
    [rest, &["--node", &node.url, "--host", "node/host.pub"]].concat()
}

fn name_of(place: &Place) -> String {
    unit_name(place, "body.envelope")
}

/// OWNER/OBJECT/UNIT of an envelope.
pub(crate) fn unit_name(place: &Place, envelope: &str) -> String {
    let shown = place.run(&["inspect", envelope, "--owner", "owner.pub", "--json"]);
    let v: serde_json::Value = serde_json::from_slice(&shown).unwrap();
    ["owner", "object", "unit"].map(|f| v[f].as_str().unwrap().to_owned()).join("/")
}

#[test]
fn put_get_list_remove() {
    let (place, node) = place_with_node();
    place.run(&at(&node, &["put", "body", "--owner", "owner"]));
    let again = place.run(&at(&node, &["put", "body", "--owner", "owner"]));
    assert!(
        String::from_utf8(again).unwrap().starts_with("already stored"),
        "a repeated put changes nothing"
    );
    let name = name_of(&place);
    place.run(&at(&node, &["get", &name, "--key", "owner", "-o", "back", "--envelope", "back.envelope"]));
    let body = fs::read(place.path("body")).unwrap();
    assert_eq!(fs::read(place.path("back")).unwrap(), body);
    assert_eq!(
        fs::read(place.path("back.envelope")).unwrap(),
        fs::read(place.path("body.envelope")).unwrap()
    );
    for (offset, length) in [(0usize, 1usize), (126_975, 2), (100_000, 170_000), (body.len() - 1, 1)] {
        let range = format!("{offset}:{length}");
        place.run(&at(&node, &["get", &name, "--key", "auditor", "-o", "part", "--range", &range]));
        assert_eq!(fs::read(place.path("part")).unwrap(), body[offset..offset + length], "{range}");
        fs::remove_file(place.path("part")).unwrap();
    }
    let before = place.names();
    let past = format!("{}:2", body.len() - 1);
    place.refuse(
        &at(&node, &["get", &name, "--key", "owner", "-o", "part", "--range", &past]),
        "the body has",
    );
    assert_eq!(place.names(), before);
    place.run(&at(&node, &["rm", &name, "--owner", "owner"]));
    place.refuse(&at(&node, &["get", &name, "--key", "owner", "-o", "gone"]), "not-found");
    assert_eq!(place.run(&at(&node, &["ls", "--key", "owner"])), b"");
}

/// A01, A06: who is not known, or may not, is refused; nothing is stored, shown or removed.
#[test]
fn a06_strangers_and_auditors_cannot_change_anything() {
    let (place, node) = place_with_node();
    place.run(&at(&node, &["put", "body", "--owner", "owner"]));
    let name = name_of(&place);
    place.run(&["seal", "plain", "-o", "strange", "--owner", "stranger", "--to", "to.pub"]);
    place.refuse(&at(&node, &["put", "strange", "--owner", "stranger"]), "refused (401");
    place.refuse(&at(&node, &["get", &name, "--key", "stranger", "-o", "x"]), "refused (401");
    place.refuse(&at(&node, &["ls", "--key", "stranger"]), "refused (401");
    place.refuse(&at(&node, &["rm", &name, "--owner", "stranger"]), "refused (401");
    place.refuse(&at(&node, &["rm", &name, "--owner", "auditor"]), "needs a owner key");
    assert!(!place.path("x").exists());
    place.run(&at(&node, &["get", &name, "--key", "owner", "-o", "x"]));
}

/// A02: a request signed for one node means nothing to another key's node.
#[test]
fn a02_the_host_key_is_pinned() {
    let (place, node) = place_with_node();
    let wrong = ["put", "body", "--owner", "owner", "--node", &node.url, "--host", "owner.pub"];
    place.refuse(&wrong, "needs a host key");
    let other = "11".repeat(32);
    let wrong = ["put", "body", "--owner", "owner", "--node", &node.url, "--host", &other];
    place.refuse(&wrong, "refused (401");
    place.run(&at(&node, &["put", "body", "--owner", "owner"]));
}

/// D01: what was acknowledged is whole after the process is killed.
#[test]
fn d01_an_acknowledged_object_survives_a_kill() {
    let (place, node) = place_with_node();
    place.run(&at(&node, &["put", "body", "--owner", "owner"]));
    node.kill();
    let node = Node::start_in(&place, "node");
    place.run(&at(&node, &["get", &name_of(&place), "--key", "owner", "-o", "back"]));
    assert_eq!(fs::read(place.path("back")).unwrap(), fs::read(place.path("body")).unwrap());
}

/// D17: a second process on one directory is refused, scrub too, and the first goes on.
#[test]
fn d17_one_directory_has_one_process() {
    let (place, node) = place_with_node();
    place.run(&at(&node, &["put", "body", "--owner", "owner"]));
    place.refuse(&["node", "scrub", "--config", "node/node.toml"], "stopped");
    let second = place.try_run(&["node", "run", "--config", "node/node.toml"]);
    assert_eq!(second.status.code(), Some(2));
    place.run(&at(&node, &["ls", "--key", "owner"]));
    drop(node);
    place.run(&["node", "scrub", "--config", "node/node.toml", "--recompute"]);
}

/// A damaged or foreign body is refused before anything is stored.
#[test]
fn a_body_that_is_not_the_signed_one_is_refused() {
    let (place, node) = place_with_node();
    let honest = fs::read(place.path("body")).unwrap();
    let mut flipped = honest.clone();
    flipped[200_000] ^= 1;
    fs::write(place.path("body"), &flipped).unwrap();
    place.refuse(&at(&node, &["put", "body", "--owner", "owner"]), "refused (422");
    fs::write(place.path("body"), &honest[..honest.len() - 1]).unwrap();
    place.refuse(&at(&node, &["put", "body", "--owner", "owner"]), "its envelope says");
    assert_eq!(place.run(&at(&node, &["ls", "--key", "owner"])), b"");
    fs::write(place.path("body"), &honest).unwrap();
    place.run(&at(&node, &["put", "body", "--owner", "owner"]));
}

/// The auditor's whole way with the smallest class, and a host that lost the cells.
#[test]
fn p01_an_audit_supports_what_is_held_and_refutes_what_is_deleted() {
    let (place, node) = place_with_node();
    // Class tiny holds one block of 124 KiB.
    fs::write(place.path("plain"), data(50_000)).unwrap();
    place.run(&["seal", "plain", "-o", "small", "--owner", "owner", "--to", "to.pub"]);
    place.run(&at(&node, &["put", "small", "--owner", "owner"]));
    let made = place.run(&["circuit", "setup", "--class", "tiny", "--auditor", "auditor", "--json"]);
    let made: serde_json::Value = serde_json::from_slice(&made).unwrap();
    let vk = made["vk"].as_str().unwrap();
    place.run(&["circuit", "check", vk]);
    let public = |name: &str| {
        let v: serde_json::Value =
            serde_json::from_slice(&place.run(&["key", "show", name, "--json"])).unwrap();
        v["public"].as_str().unwrap().to_owned()
    };
    let (owner, auditor, host) = (public("owner"), public("auditor"), public("node/host.pub"));
    let anchors = format!(
        "version = 1\n[[principal]]\nrole = \"owner\"\nname = \"o\"\nkey = \"{owner}\"\n\
         [[principal]]\nrole = \"host\"\nname = \"h\"\nkey = \"{host}\"\n\
         [[principal]]\nrole = \"auditor\"\nname = \"a\"\nkey = \"{auditor}\"\n\
         [[verifying_key]]\ndigest = \"{vk}\"\nclass = {{ samples = 1, depth = 3 }}\nprovenance = \"auditor\"\nauditor = \"{auditor}\"\n"
    );
    fs::write(place.path("anchors.toml"), anchors).unwrap();
    let policy = "version = 1\nname = \"p\"\nrequire = [\"stored\"]\n[stored]\nlost_fraction = 1.0\nmin_detection = 0.9\nmax_age_hours = 1\n";
    fs::write(place.path("policy.toml"), policy).unwrap();
    let audit = |bundle: &'static str| {
        place.run(&at(
            &node,
            &[
                "audit",
                "run",
                "--auditor",
                "auditor",
                "--vk",
                vk,
                "--class",
                "tiny",
                "--owner",
                "owner.pub",
                "--envelope",
                "small.envelope",
                "-o",
                bundle,
            ],
        ));
        let verify = ["verify", bundle, "--policy", "policy.toml", "--anchors", "anchors.toml"];
        place.try_run(&verify).status.code()
    };
    assert_eq!(audit("held.bundle"), Some(0));
    // Every byte of the stored body is zeroed, and all else kept.
    let body = fs::read(place.path("small")).unwrap();
    let mut pending = vec![place.path("node/data")];
    let mut damaged = 0;
    while let Some(path) = pending.pop() {
        if path.is_dir() {
            pending.extend(fs::read_dir(&path).unwrap().map(|e| e.unwrap().path()));
            continue;
        }
        let mut bytes = fs::read(&path).unwrap();
        if let Some(start) = bytes.windows(56).position(|w| w == &body[..56])
            && bytes[start..].starts_with(&body)
        {
            bytes[start..start + body.len()].fill(0);
            fs::write(&path, bytes).unwrap();
            damaged += 1;
        }
    }
    assert_eq!(damaged, 1);
    assert_eq!(audit("lost.bundle"), Some(1));
    // A bundle is never overwritten.
    place.refuse(
        &at(
            &node,
            &[
                "audit",
                "run",
                "--auditor",
                "auditor",
                "--vk",
                vk,
                "--class",
                "tiny",
                "--owner",
                "owner.pub",
                "--envelope",
                "small.envelope",
                "-o",
                "lost.bundle",
            ],
        ),
        "exists already",
    );
}

#[test]
fn configuration_mistakes_are_named() {
    let place = Place::new();
    place.run(&["node", "init", "node", "--listen", "127.0.0.1:0"]);
    place.refuse(&["node", "init", "node"], "exists");
    let config = fs::read_to_string(place.path("node/node.toml")).unwrap();
    fs::write(place.path("node/bad.toml"), config.replace("quota_bytes", "quota_byte")).unwrap();
    place.refuse(&["node", "run", "--config", "node/bad.toml"], "quota_byte");
    place.refuse(&["node", "run", "--config", "missing.toml"], "missing.toml");
    place.refuse(&["node", "scrub", "--config", "missing.toml"], "missing.toml");
}

/// An audit under a key the host does not have is refused before anything is asked, and says nothing about the host.
#[test]
fn an_audit_under_a_key_the_host_lacks_is_not_begun() {
    let (place, node) = place_with_node();
    place.run(&at(&node, &["put", "body", "--owner", "owner"]));
    let made =
        place.run(&["circuit", "setup", "--class", "tiny", "--development", "--dir", "elsewhere", "--json"]);
    let made: serde_json::Value = serde_json::from_slice(&made).unwrap();
    let vk = made["vk"].as_str().unwrap();
    let audit = [
        "audit",
        "run",
        "--auditor",
        "auditor",
        "--vk",
        vk,
        "--class",
        "tiny",
        "--circuit-keys",
        "elsewhere",
        "--owner",
        "owner.pub",
        "--envelope",
        "body.envelope",
        "-o",
        "bundle",
    ];
    place.refuse(&at(&node, &audit), "the host has no key");
    assert!(!place.path("bundle").exists());
}
