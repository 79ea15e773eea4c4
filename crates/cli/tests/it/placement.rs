//! Shards at several hosts: put by a placement, lose one, get, open, repair, put again. Real nodes.

use std::fs;
use std::time::{Duration, Instant};

use super::host::{Node, unit_name};
use super::program::{Place, data};

/// Four nodes that know the owner, and `plain` sealed as 2 of 4 shards in `s` with storage commitments.
pub(super) fn fleet() -> (Place, Vec<Option<Node>>) {
    let place = Place::with_keys();
    place.run(&["key", "new", "auditor", "-o", "auditor"]);
    fs::write(place.path("plain"), data(120_000)).unwrap();
    place.run(&["seal", "plain", "-o", "s", "--owner", "owner", "--to", "to.pub", "--shards", "2/4"]);
    let nodes = (0..4).map(|i| Some(Node::new(&place, &format!("n{i}")))).collect();
    (place, nodes)
}

fn public(place: &Place, file: &str) -> String {
    let shown: serde_json::Value =
        serde_json::from_slice(&place.run(&["key", "show", file, "--json"])).unwrap();
    shown["public"].as_str().unwrap().to_owned()
}

/// Writes the placement of shard i at `hosts[i]`: address and the folder its key is in.
pub(super) fn place_at(place: &Place, head: &str, hosts: &[(String, &str)]) {
    let mut text = format!("version = 1\n{head}\n");
    for (shard, (url, folder)) in hosts.iter().enumerate() {
        let key = public(place, &format!("{folder}/host.pub"));
        text += &format!("[[shard]]\nshard = {shard}\nnode = \"{url}\"\nhost = \"{key}\"\n");
    }
    fs::write(place.path("placement.toml"), text).unwrap();
}

pub(super) const PUT: [&str; 6] = ["put", "s", "--owner", "owner", "--placement", "placement.toml"];

#[test]
fn a_lost_host_is_replaced_and_the_object_stays() {
    let (place, mut nodes) = fleet();
    let folders = ["n0", "n1", "n2", "n3"];
    let url = |nodes: &[Option<Node>], i: usize| {
        nodes[i].as_ref().map_or("http://127.0.0.1:9".into(), |n| n.url.clone())
    };
    let at = |nodes: &[Option<Node>]| (0..4).map(|i| (url(nodes, i), folders[i])).collect::<Vec<_>>();

    // Two shards at one host are refused before anything is sent, unless allowed.
    let mut crowded = at(&nodes);
    crowded[3] = crowded[1].clone();
    place_at(&place, "", &crowded);
    place.refuse(&PUT, "shards [1, 3] lie at one host");

    // One host is down: the others are served, and a second run sends what is missing only.
    let third = nodes[2].take().unwrap();
    third.kill();
    place_at(&place, "", &at(&nodes));
    let said = place.refuse(&PUT, "1 of 4 shards are not stored; 3 are, and 2 are needed");
    assert!(said.contains("note: shard 2 at http://127.0.0.1:9: node is unreachable"), "{said}");
    nodes[2] = Some(Node::start_in(&place, "n2"));
    place_at(&place, "", &at(&nodes));
    let report: serde_json::Value =
        serde_json::from_slice(&place.run(&[&PUT[..], &["--json"]].concat())).unwrap();
    let states: Vec<&str> =
        report["shards"].as_array().unwrap().iter().map(|s| s["state"].as_str().unwrap()).collect();
    assert_eq!(states, ["already stored", "already stored", "stored", "already stored"]);
    // Each host holds its own shard and no other.
    for (i, node) in nodes.iter().enumerate() {
        let url = &node.as_ref().unwrap().url;
        let host = format!("n{i}/host.pub");
        let listed = place.run(&["ls", "--key", "owner", "--node", url, "--host", &host]);
        let listed = String::from_utf8(listed).unwrap();
        assert!(listed.lines().count() == 1 && listed.contains(&format!("2-4-{i}-0")), "{listed}");
    }

    // Host 0 is lost for good, and so is the owner's own copy. What is left opens.
    let name = unit_name(&place, "s/001.shard.envelope");
    fs::rename(place.path("s"), place.path("kept")).unwrap();
    nodes[0].take().unwrap().kill();
    place_at(&place, "", &at(&nodes));
    let get = ["get", &name, "--key", "owner", "--placement", "placement.toml", "-o", "fetched"];
    let out = place.try_run(&get);
    let said = String::from_utf8_lossy(&out.stderr).into_owned();
    assert!(out.status.success() && said.contains("note: shard 0 at"), "{said}");
    let open = ["open", "fetched", "--owner", "owner.pub", "--key", "to", "-o", "back"];
    place.run(&open);
    assert!(fs::read(place.path("back")).unwrap() == data(120_000));

    // With its envelope the lost shard comes back as it was, and goes to a new host under the old commitment.
    fs::copy(place.path("kept/000.shard.envelope"), place.path("fetched/000.shard.envelope")).unwrap();
    place.run(&["repair", "fetched", "--owner", "owner.pub", "--key", "to"]);
    for i in 0..4 {
        let (old, new) = (format!("kept/00{i}.shard"), format!("fetched/00{i}.shard"));
        assert!(fs::read(place.path(&old)).unwrap() == fs::read(place.path(&new)).unwrap(), "shard {i}");
    }
    let fresh = Node::new(&place, "n4");
    let mut hosts = at(&nodes);
    hosts[0] = (fresh.url.clone(), "n4");
    place_at(&place, "", &hosts);
    fs::rename(place.path("fetched"), place.path("s")).unwrap();
    let said = String::from_utf8(place.run(&PUT)).unwrap();
    assert!(said.contains("all 4 shards of") && said.contains("shard   0  stored"), "{said}");
}

/// The files in which a node keeps bodies, largest first.
pub(super) fn stored_files(place: &Place, folder: &str) -> Vec<std::path::PathBuf> {
    fn walk(at: &std::path::Path, out: &mut Vec<(u64, std::path::PathBuf)>) {
        for item in fs::read_dir(at).unwrap() {
            let item = item.unwrap();
            let about = item.metadata().unwrap();
            if about.is_dir() {
                walk(&item.path(), out);
            } else {
                out.push((about.len(), item.path()));
            }
        }
    }
    let mut all = Vec::new();
    walk(&place.path(folder), &mut all);
    all.retain(|(_, path)| path.components().any(|c| c.as_os_str() == "objects"));
    all.sort();
    all.into_iter().rev().map(|(_, path)| path).collect()
}

/// What became of each shard.
pub(super) fn states(place: &Place, put: &[&str]) -> Vec<String> {
    let report: serde_json::Value = serde_json::from_slice(&place.run(&[put, &["--json"]].concat())).unwrap();
    report["shards"].as_array().unwrap().iter().map(|s| s["state"].as_str().unwrap().to_owned()).collect()
}

/// Hosts that kept the envelope and damaged, or lost, the body are sent the shard again; one that only says that it has it is named.
#[test]
fn a_host_that_does_not_give_the_body_back_is_sent_it_again() {
    let (place, nodes) = fleet();
    let urls: Vec<String> = nodes.iter().map(|n| n.as_ref().unwrap().url.clone()).collect();
    let at = |urls: &[String]| {
        let hosts: Vec<(String, &str)> = urls.iter().cloned().zip(["n0", "n1", "n2", "n3"]).collect();
        place_at(&place, "", &hosts);
    };
    at(&urls);
    assert_eq!(states(&place, &PUT), ["stored"; 4]);
    assert_eq!(states(&place, &PUT), ["already stored"; 4]);
    // One byte at host 1; the whole file, which holds the envelope too, at host 2.
    let file = &stored_files(&place, "n1")[0];
    let mut bytes = fs::read(file).unwrap();
    bytes[30_000] ^= 1;
    fs::write(file, bytes).unwrap();
    fs::remove_file(&stored_files(&place, "n2")[0]).unwrap();
    assert_eq!(states(&place, &PUT), ["already stored", "stored again", "stored", "already stored"]);
    assert_eq!(states(&place, &PUT), ["already stored"; 4]);
    // A host that repeats the envelope and answers everything with yes.
    let record = place.run(&[
        "put",
        "s/003.shard",
        "--owner",
        "owner",
        "--node",
        &urls[3],
        "--host",
        "n3/host.pub",
        "--json",
    ]);
    let envelope = fs::read(place.path("s/003.shard.envelope")).unwrap();
    let length = fs::metadata(place.path("s/003.shard")).unwrap().len();
    for (status, drips, says) in [
        ("200 OK", false, "did not take it again, and does not give it back: the bytes that came are not"),
        (
            "201 Created",
            false,
            "says that it stored the body again, and does not give it back: the bytes that",
        ),
        ("201 Created", true, "does not give it back: it was not there after 2 seconds"),
    ] {
        let liar = liar(envelope.clone(), record.clone(), length, status, drips);
        at(&[&urls[..3], &[liar]].concat());
        let begun = Instant::now();
        let said = place.refuse(&[&PUT[..], &["--patience", "1"]].concat(), "1 of 4 shards are not stored");
        assert!(said.contains("shard 3 at") && said.contains(says), "{said}");
        assert!(begun.elapsed().as_secs() < 60);
    }
}

/// How often a body comes drop by drop, and how many drops: for longer than anybody here is patient, and then the rest at once.
const DROP: Duration = Duration::from_millis(50);
const DROPS: usize = 100;

/// The address of a host that gives `envelope` and zeros for a body, drop by drop if it `drips`, and answers every upload with `said` and `record`.
pub(super) fn liar(
    envelope: Vec<u8>,
    record: Vec<u8>,
    length: u64,
    said: &'static str,
    drips: bool,
) -> String {
    use std::io::{BufRead as _, BufReader, Read as _, Write as _};
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            let Ok(mut stream) = stream else { return };
            let mut head = String::new();
            let mut reader = BufReader::new(stream.try_clone().unwrap());
            while !head.ends_with("\r\n\r\n") && reader.read_line(&mut head).is_ok_and(|n| n > 0) {}
            let (mut status, mut drop_by_drop) = ("200 OK", false);
            let answer = match head.split(' ').nth(1) {
                Some(path) if path.ends_with("/envelope") && head.starts_with("GET") => envelope.clone(),
                Some(path) if path.ends_with("/body") => {
                    drop_by_drop = drips;
                    vec![0; usize::try_from(length).unwrap()]
                }
                _ => {
                    // The whole upload is taken, as by a host that means it.
                    let length = head.to_lowercase().lines().find_map(|l| {
                        l.strip_prefix("content-length:").map(|n| n.trim().parse::<u64>().unwrap())
                    });
                    let _ = std::io::copy(&mut reader.take(length.unwrap_or(0)), &mut std::io::sink());
                    status = said;
                    record.clone()
                }
            };
            let head =
                format!("HTTP/1.1 {status}\r\nConnection: close\r\nContent-Length: {}\r\n\r\n", answer.len());
            if drop_by_drop {
                let (drops, rest) = answer.split_at(DROPS);
                let mut sent = stream.write_all(head.as_bytes());
                for byte in drops.chunks(1) {
                    std::thread::sleep(DROP);
                    sent = sent.and_then(|()| stream.write_all(byte));
                    if sent.is_err() {
                        break;
                    }
                }
                let _ = sent.and_then(|()| stream.write_all(rest));
                continue;
            }
            // The client may have what it wants before all is sent.
            let _ = stream.write_all(head.as_bytes()).and_then(|()| stream.write_all(&answer));
        }
    });
    url
}

/// A host that still serves an older making of a shard is named, and its shard is not mixed with the newer ones.
#[test]
fn a_host_with_an_older_set_is_named() {
    let (place, nodes) = fleet();
    let hosts: Vec<(String, String)> =
        nodes.iter().enumerate().map(|(i, n)| (n.as_ref().unwrap().url.clone(), format!("n{i}"))).collect();
    let hosts: Vec<(String, &str)> = hosts.iter().map(|(u, f)| (u.clone(), f.as_str())).collect();
    place_at(&place, "shards_per_host = 1", &hosts);
    place.run(&PUT);
    fs::remove_file(place.path("s/003.shard.envelope")).unwrap();
    place.run(&[
        "repair",
        "s",
        "--owner",
        "owner.pub",
        "--key",
        "to",
        "--reissue",
        "owner",
        "--to",
        "to.pub",
        "-o",
        "again",
    ]);
    // Hosts 0 and 3 get theirs, 1 and 2 keep the old envelopes.
    for i in [0, 3] {
        let (body, host) = (format!("again/00{i}.shard"), format!("n{i}/host.pub"));
        place.run(&["put", &body, "--owner", "owner", "--node", &hosts[i].0, "--host", &host]);
    }
    let name = unit_name(&place, "again/000.shard.envelope");
    let get = ["get", &name, "--key", "owner", "--placement", "placement.toml", "--all", "-o", "fetched"];
    let out = place.try_run(&get);
    let said = String::from_utf8_lossy(&out.stderr).into_owned();
    assert!(out.status.success(), "{said}");
    for shard in [1, 2] {
        assert!(
            said.contains(&format!(
                "shard {shard} at {}: generation 1 of an older set, others have ",
                hosts[shard].0
            )),
            "{said}"
        );
    }
    let bodies = |of: [u16; 2]| {
        (0..4).all(|i| place.path(&format!("fetched/00{i}.shard")).exists() == of.contains(&i))
    };
    assert!(bodies([0, 3]), "{said}");
    let open = ["open", "fetched", "--owner", "owner.pub", "--key", "to", "-o", "back"];
    place.run(&open);
    assert!(fs::read(place.path("back")).unwrap() == data(120_000));
    // The older set is to be had when it is asked for.
    fs::remove_dir_all(place.path("fetched")).unwrap();
    fs::remove_file(place.path("back")).unwrap();
    let out = place.try_run(&[&get[..], &["--generation", "1"]].concat());
    let said = String::from_utf8_lossy(&out.stderr).into_owned();
    assert!(out.status.success() && bodies([1, 2]), "{said}");
    assert!(said.contains(&format!("shard 0 at {}: generation ", hosts[0].0)), "{said}");
    assert!(said.contains(" is left out"), "{said}");
    place.run(&open);
    assert!(fs::read(place.path("back")).unwrap() == data(120_000));
}

/// Nothing in admission, challenge, proof or judgement is particular to whole objects: a shard is audited as any body.
#[test]
fn a_shard_is_audited_as_any_body() {
    let place = Place::with_keys();
    place.run(&["key", "new", "auditor", "-o", "auditor"]);
    fs::write(place.path("plain"), data(120_000)).unwrap();
    place.run(&["seal", "plain", "-o", "s", "--owner", "owner", "--to", "to.pub", "--shards", "2/4"]);
    let node = Node::new(&place, "n");
    let to = ["--node", node.url.as_str(), "--host", "n/host.pub"];
    place.run(&[&["put", "s/003.shard", "--owner", "owner"][..], &to].concat());
    let made = place.run(&["circuit", "setup", "--class", "tiny", "--auditor", "auditor", "--json"]);
    let made: serde_json::Value = serde_json::from_slice(&made).unwrap();
    let vk = made["vk"].as_str().unwrap();
    let (owner, auditor, host) =
        (public(&place, "owner"), public(&place, "auditor"), public(&place, "n/host.pub"));
    let anchors = format!(
        "version = 1\n[[principal]]\nrole = \"owner\"\nname = \"o\"\nkey = \"{owner}\"\n\
         [[principal]]\nrole = \"host\"\nname = \"h\"\nkey = \"{host}\"\n\
         [[principal]]\nrole = \"auditor\"\nname = \"a\"\nkey = \"{auditor}\"\n\
         [[verifying_key]]\ndigest = \"{vk}\"\nclass = {{ samples = 1, depth = 3 }}\nprovenance = \"auditor\"\nauditor = \"{auditor}\"\n"
    );
    fs::write(place.path("anchors.toml"), anchors).unwrap();
    let policy = "version = 1\nname = \"p\"\nrequire = [\"stored\"]\n[stored]\nlost_fraction = 1.0\nmin_detection = 0.9\nmax_age_hours = 1\n";
    fs::write(place.path("policy.toml"), policy).unwrap();
    let audit = [
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
        "s/003.shard.envelope",
        "-o",
        "bundle",
    ];
    place.run(&[&audit[..], &to].concat());
    let verify = ["bundle", "--policy", "policy.toml", "--anchors", "anchors.toml"];
    place.run(&[&["verify"][..], &verify].concat());
    let report = place.run(&[&["report"][..], &verify, &["--json", "-"]].concat());
    assert!(String::from_utf8(report).unwrap().contains("2-4-3-0"));
}

/// A host whose envelope is behind the others' is named though its body is right; and what cannot be written here is no host's fault.
#[test]
fn e13_a_host_with_an_older_envelope_is_named() {
    let (place, nodes) = fleet();
    let hosts: Vec<(String, String)> =
        nodes.iter().enumerate().map(|(i, n)| (n.as_ref().unwrap().url.clone(), format!("n{i}"))).collect();
    let hosts: Vec<(String, &str)> = hosts.iter().map(|(u, f)| (u.clone(), f.as_str())).collect();
    place_at(&place, "", &hosts);
    place.run(&PUT);
    place.run(&["rewrap", "s", "--owner", "owner", "--key", "to", "--add", "other.pub"]);
    for (i, host) in hosts.iter().enumerate().skip(1) {
        let (body, key) = (format!("s/00{i}.shard"), format!("n{i}/host.pub"));
        place.run(&["put", &body, "--owner", "owner", "--node", &host.0, "--host", &key, "--envelope-only"]);
    }
    let name = unit_name(&place, "s/000.shard.envelope");
    let get = ["get", &name, "--key", "owner", "--placement", "placement.toml", "-o", "fetched"];
    let out = place.try_run(&get);
    let said = String::from_utf8_lossy(&out.stderr).into_owned();
    assert!(out.status.success(), "{said}");
    let line = format!("shard 0 at {}: its envelope is of generation 1, others have 2", hosts[0].0);
    assert!(said.contains(&line) && !said.contains("shard 1 at"), "{said}");
    // A disk with room for a few blocks.
    fs::remove_dir_all(place.path("fetched")).unwrap();
    let program = env!("CARGO_BIN_EXE_bailiwick");
    let limited = format!("trap '' XFSZ; ulimit -f 8; exec {program} \"$@\"");
    let out = std::process::Command::new("sh")
        .args(["-c", &limited, "sh"])
        .args(get)
        .current_dir(place.root())
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&out.stderr).into_owned();
    assert_eq!(out.status.code(), Some(2), "{said}");
    assert!(said.contains("error: cannot write shard 0 into the folder"), "{said}");
    assert!(said.contains("no host is at fault"), "{said}");
    assert!(!said.contains("could be fetched") && !place.path("fetched").exists(), "{said}");
    // What was sealed without commitments is told how to get them before anything is sent.
    place.run(&[
        "seal",
        "plain",
        "-o",
        "t",
        "--owner",
        "owner",
        "--to",
        "to.pub",
        "--shards",
        "2/4",
        "--no-commit",
    ]);
    let said = place.refuse(
        &["put", "t", "--owner", "owner", "--placement", "placement.toml"],
        "t/000.shard.envelope has no storage commitment",
    );
    assert!(said.contains("bailiwick commit"), "{said}");
}
