//! A transparency log and two witnesses as real processes: add, prove, verify offline, damage, fsck.

use std::fs;
use std::io::{BufRead as _, BufReader};
use std::process::{Child, Stdio};

use super::program::Place;

/// A server process on loopback; killed when dropped.
pub(super) struct Server {
    child: Child,
    pub(super) url: String,
}

impl Server {
    pub(super) fn start(place: &Place, arguments: &[&str]) -> Self {
        let log = fs::File::options().create(true).append(true).open(place.path("server.log")).unwrap();
        let mut child = place.command(arguments).stdout(Stdio::piped()).stderr(log).spawn().unwrap();
        let mut line = String::new();
        BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
        let url = line.trim().strip_prefix("listening on ").unwrap_or_default().to_owned();
        assert!(!url.is_empty(), "{}", fs::read_to_string(place.path("server.log")).unwrap());
        Self { child, url }
    }

    /// Without a chance to finish anything.
    fn kill(mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// A submitter, a stranger, a log and two witnesses that know each other, all running.
struct World {
    place: Place,
    log: Server,
    witnesses: Vec<Server>,
}

const TRUST: [&str; 6] =
    ["--log-key", "log/log.vkey", "--witness", "w1/witness.vkey", "--witness", "w2/witness.vkey"];

impl World {
    fn new() -> Self {
        let place = Place::new();
        place.run(&["key", "new", "auditor", "-o", "auditor"]);
        place.run(&["key", "new", "auditor", "-o", "stranger"]);
        for w in ["w1", "w2"] {
            let name = format!("{w}.example");
            place.run(&["witness", "init", w, "--name", &name, "--listen", "127.0.0.1:0"]);
        }
        // Witness keys first, then the log, then the log's key to the witnesses.
        place.run(&[
            "log",
            "init",
            "log",
            "--origin",
            "log.example/e2e",
            "--listen",
            "127.0.0.1:0",
            "--submitter",
            "auditor.pub",
        ]);
        let vkey = fs::read_to_string(place.path("log/log.vkey")).unwrap();
        let mut witnesses = Vec::new();
        let mut config = fs::read_to_string(place.path("log/log.toml")).unwrap();
        config = config.replace("quorum = 0", "quorum = 2");
        for w in ["w1", "w2"] {
            let path = format!("{w}/witness.toml");
            let text = fs::read_to_string(place.path(&path)).unwrap();
            fs::write(place.path(&path), text.replace("logs = []", &format!("logs = [\"{}\"]", vkey.trim())))
                .unwrap();
            let server = Server::start(&place, &["witness", "run", "--config", &path]);
            let key = fs::read_to_string(place.path(&format!("{w}/witness.vkey"))).unwrap();
            config += &format!("\n[[witness]]\nkey = \"{}\"\nurl = \"{}\"\n", key.trim(), server.url);
            witnesses.push(server);
        }
        fs::write(place.path("log/log.toml"), config).unwrap();
        let log = Self::serve(&place);
        Self { place, log, witnesses }
    }

    fn serve(place: &Place) -> Server {
        Server::start(place, &["log", "serve", "--config", "log/log.toml"])
    }

    fn add_arguments<'a>(&'a self, file: &'a str, proof: &'a str) -> Vec<&'a str> {
        let add = ["log", "add", file, "--log", &self.log.url, "--key", "auditor", "-o", proof];
        [add.as_slice(), &TRUST].concat()
    }

    fn add(&self, content: &str, proof: &str) {
        fs::write(self.place.path("entry"), content).unwrap();
        self.place.run(&self.add_arguments("entry", proof));
    }
}

fn verify<'a>(proof: &'a str, entry: &'a str) -> Vec<&'a str> {
    [&["log", "verify", proof, "--entry", entry], TRUST.as_slice()].concat()
}

fn flip(path: &std::path::Path, at: usize) {
    let mut bytes = fs::read(path).unwrap();
    bytes[at] ^= 1;
    fs::write(path, bytes).unwrap();
}

/// T12, T04: an entry is cosigned by two witness processes, and its proof is judged offline by keys alone.
#[test]
fn t12_entry_is_cosigned_proven_and_verified_offline() {
    let world = World::new();
    let place = &world.place;
    for i in 0..3 {
        world.add(&format!("outcome {i}"), &format!("{i}.tlog-proof"));
    }
    fs::write(place.path("one"), "outcome 1").unwrap();
    // Fetched again later, from tiles, with the entry itself.
    let prove =
        ["log", "prove", "1", "--log", &world.log.url, "-o", "again.tlog-proof", "--entry", "fetched"];
    place.run(&[prove.as_slice(), &TRUST].concat());
    assert_eq!(fs::read(place.path("fetched")).unwrap(), b"outcome 1");
    place.refuse(
        &[&["log", "prove", "3", "--log", &world.log.url, "-o", "none"], TRUST.as_slice()].concat(),
        "shorter",
    );
    // Offline from here on.
    let World { place, log, witnesses } = world;
    drop((log, witnesses));
    for proof in ["1.tlog-proof", "again.tlog-proof"] {
        let out = place.run(&[verify(proof, "one"), vec!["--json", "--max-age", "3600"]].concat());
        let shown: serde_json::Value = serde_json::from_slice(&out).unwrap();
        assert_eq!(shown["index"], 1);
        assert_eq!(shown["witnessed"].as_array().unwrap().len(), 2);
        assert_eq!(shown["witnessed"][1]["witness"], "w2.example");
    }
    let before = place.names();
    // T04: another entry. T12: more witnesses than have cosigned. T10: another log's key.
    place.refuse(&verify("0.tlog-proof", "one"), "proves nothing");
    place.run(&["witness", "init", "w3", "--name", "w3.example"]);
    place.refuse(
        &[verify("1.tlog-proof", "one"), vec!["--witness", "w3/witness.vkey"]].concat(),
        "unwitnessed",
    );
    place.run(
        &[verify("1.tlog-proof", "one"), vec!["--witness", "w3/witness.vkey", "--quorum", "2"]].concat(),
    );
    place.run(&["log", "init", "log2", "--origin", "log.example/e2e"]);
    place.refuse(
        &["log", "verify", "1.tlog-proof", "--entry", "one", "--log-key", "log2/log.vkey"],
        "not signed",
    );
    // A proof that was tampered with, or is none.
    let mut bytes = fs::read(place.path("1.tlog-proof")).unwrap();
    let at = bytes.len() - 20;
    bytes[at] ^= 1;
    fs::write(place.path("bent"), bytes).unwrap();
    place.refuse(&verify("bent", "one"), "proves nothing");
    place.refuse(&verify("one", "one"), "c2sp.org/tlog-proof@v1");
    fs::write(place.path("empty"), "").unwrap();
    place.refuse(&verify("empty", "one"), "c2sp.org/tlog-proof@v1");
    place.refuse(&verify("missing", "one"), "cannot open");
    assert_eq!(place.names().len(), before.len() + 4);
}

/// T13: a proof older than the policy allows is refused.
#[test]
fn t13_a_stale_proof_is_refused() {
    let world = World::new();
    world.add("x", "x.tlog-proof");
    std::thread::sleep(std::time::Duration::from_secs(3));
    let place = &world.place;
    place.refuse(&[verify("x.tlog-proof", "entry"), vec!["--max-age", "1"]].concat(), "seconds old");
    place.run(&[verify("x.tlog-proof", "entry"), vec!["--max-age", "3600"]].concat());
}

/// A06: who is not a submitter adds nothing.
#[test]
fn a06_a_stranger_adds_nothing() {
    let world = World::new();
    fs::write(world.place.path("entry"), "x").unwrap();
    let arguments: Vec<&str> = world
        .add_arguments("entry", "p")
        .into_iter()
        .map(|a| if a == "auditor" { "stranger" } else { a })
        .collect();
    world.place.refuse(&arguments, "refused (401");
    fs::write(world.place.path("long"), vec![0; 65_536]).unwrap();
    world.place.refuse(&world.add_arguments("long", "p"), "larger than 65535");
    assert!(!world.place.path("p").exists());
}

/// T07, T09: one flipped bit in what is stored: nothing more is signed, the log does not start again, and fsck names the place.
#[test]
fn t07_one_flipped_bit_stops_signing_and_fsck_names_it() {
    let world = World::new();
    world.add("good", "a.tlog-proof");
    world.add("good too", "b.tlog-proof");
    let place = &world.place;
    let fsck = ["log", "fsck", "--config", "log/log.toml"];
    let out = String::from_utf8(place.run(&fsck)).unwrap();
    assert!(out.starts_with("clean: 2 of 2 entries"), "{out}");
    let signed = fs::read(place.path("log/data/signed")).unwrap();
    flip(&place.path("log/data/tile/entries/000.p/2"), 8);
    fs::write(place.path("entry"), "more").unwrap();
    let said = place.refuse(&world.add_arguments("entry", "c.tlog-proof"), "refused (503 stopped)");
    assert!(said.contains("tile/entries/000.p/2, entry 1"), "{said}");
    assert_eq!(fs::read(place.path("log/data/signed")).unwrap(), signed);
    let out = place.try_run(&fsck);
    assert_eq!(out.status.code(), Some(1));
    let text = String::from_utf8(out.stdout).unwrap();
    assert!(
        text.contains("damaged: tile/entries/000.p/2, entry 1: not what the tree above it says"),
        "{text}"
    );
    let World { place, log, witnesses: _witnesses } = world;
    log.kill();
    place.refuse(&["log", "serve", "--config", "log/log.toml"], "tile/entries/000.p/2, entry 1");
    // The honest twin: with the bit flipped back it goes on where it was.
    flip(&place.path("log/data/tile/entries/000.p/2"), 8);
    let log = World::serve(&place);
    std::thread::sleep(std::time::Duration::from_millis(1100));
    let add = ["log", "add", "entry", "--log", &log.url, "--key", "auditor", "-o", "c.tlog-proof", "--json"];
    let out = place.run(&[add.as_slice(), &TRUST].concat());
    assert_eq!(serde_json::from_slice::<serde_json::Value>(&out).unwrap()["index"], 2);
}

/// T08: an answered entry is there after a kill, and the next one gets the next index.
#[test]
fn t08_an_answered_index_survives_a_kill() {
    let world = World::new();
    world.add("first", "0.tlog-proof");
    let World { place, log, witnesses } = world;
    log.kill();
    let world = World { log: World::serve(&place), place, witnesses };
    std::thread::sleep(std::time::Duration::from_millis(1100));
    world.add("second", "1.tlog-proof");
    let out = world.place.run(&[verify("1.tlog-proof", "entry"), vec!["--json"]].concat());
    let shown: serde_json::Value = serde_json::from_slice(&out).unwrap();
    assert_eq!((&shown["index"], &shown["size"]), (&1.into(), &2.into()));
    fs::write(world.place.path("first"), "first").unwrap();
    world.place.run(&verify("0.tlog-proof", "first"));
}

/// T12: while a witness is away an entry is taken and is not published; its proof comes once the witness is back, also when the log was
/// restarted meanwhile and has to learn from the other witness how far that is.
#[test]
fn t12_the_proof_comes_once_the_witness_is_back() {
    let mut world = World::new();
    world.add("first", "0.tlog-proof");
    let w2 = world.witnesses.pop().unwrap();
    let address = w2.url.strip_prefix("http://").unwrap().to_owned();
    w2.kill();
    fs::write(world.place.path("entry"), "second").unwrap();
    let said = world.place.refuse(&world.add_arguments("entry", "1.tlog-proof"), "have not cosigned yet");
    assert!(said.contains("the log says that it has entry 1"), "{said}");
    assert!(!world.place.path("1.tlog-proof").exists());
    // Not published: whoever asks for the entry is told that the log is shorter.
    let prove = |log: &str, proof: &str| {
        let prove = ["log", "prove", "1", "--log", log, "-o", proof, "--entry", "fetched"];
        world.place.try_run(&[prove.as_slice(), &TRUST].concat())
    };
    assert_eq!(prove(&world.log.url, "early").status.code(), Some(2));
    // The first witness has cosigned two entries; what is published says one.
    world.log.child.kill().unwrap();
    world.log.child.wait().unwrap();
    let log = World::serve(&world.place);
    let config = fs::read_to_string(world.place.path("w2/witness.toml")).unwrap();
    fs::write(world.place.path("w2/witness.toml"), config.replace("127.0.0.1:0", &address)).unwrap();
    let _w2 = Server::start(&world.place, &["witness", "run", "--config", "w2/witness.toml"]);
    let came = (0..40).any(|i| {
        std::thread::sleep(std::time::Duration::from_millis(if i == 0 { 0 } else { 250 }));
        prove(&log.url, "1.tlog-proof").status.success()
    });
    assert!(came, "{}", fs::read_to_string(world.place.path("server.log")).unwrap());
    assert_eq!(fs::read(world.place.path("fetched")).unwrap(), b"second");
    world.place.run(&verify("1.tlog-proof", "fetched"));
}

/// An entry is added for good, so what cannot be written is said before: nothing is added.
#[test]
fn a_proof_in_the_way_adds_nothing() {
    let world = World::new();
    fs::write(world.place.path("entry"), "x").unwrap();
    fs::write(world.place.path("p"), "mine").unwrap();
    world.place.refuse(&world.add_arguments("entry", "p"), "exists already; nothing was added");
    let checkpoint = fs::read_to_string(world.place.path("log/data/signed")).unwrap();
    assert_eq!(checkpoint.lines().nth(1), Some("0"));
    world.place.run(&world.add_arguments("entry", "q"));
}

/// T10: the rotation of the guide: a new log known to the same witnesses, each log's last and first word about the other, the old one
/// stopped; old proofs stay good under the old key, new ones are good under the new key.
#[test]
fn t10_a_log_is_rotated_as_the_guide_says() {
    let world = World::new();
    world.add("before", "before.tlog-proof");
    fs::rename(world.place.path("entry"), world.place.path("before")).unwrap();
    let place = &world.place;
    // (1) The new log, and its key to the witnesses.
    let new = ["log", "init", "log2", "--origin", "log.example/e2e-2", "--listen", "127.0.0.1:0"];
    place.run(&[new.as_slice(), &["--submitter", "auditor.pub"]].concat());
    let vkey = fs::read_to_string(place.path("log2/log.vkey")).unwrap();
    let mut config =
        fs::read_to_string(place.path("log2/log.toml")).unwrap().replace("quorum = 0", "quorum = 2");
    let World { place, log, witnesses } = world;
    let mut running = Vec::new();
    for (w, old) in ["w1", "w2"].into_iter().zip(witnesses) {
        let path = format!("{w}/witness.toml");
        let address = old.url.strip_prefix("http://").unwrap().to_owned();
        let text = fs::read_to_string(place.path(&path)).unwrap();
        let text = text.replace("127.0.0.1:0", &address);
        let text = text.replace("logs = [", &format!("logs = [\"{}\", ", vkey.trim()));
        fs::write(place.path(&path), text).unwrap();
        let key = fs::read_to_string(place.path(&format!("{w}/witness.vkey"))).unwrap();
        config += &format!("\n[[witness]]\nkey = \"{}\"\nurl = \"{}\"\n", key.trim(), old.url);
        old.kill();
        running.push(Server::start(&place, &["witness", "run", "--config", &path]));
    }
    fs::write(place.path("log2/log.toml"), config).unwrap();
    let log2 = Server::start(&place, &["log", "serve", "--config", "log2/log.toml"]);
    std::thread::sleep(std::time::Duration::from_millis(1100));
    // (2) The old log names the new one; the new one begins with the proof of that.
    let trust2 = TRUST.map(|a| if a == "log/log.vkey" { "log2/log.vkey" } else { a });
    let add = |log: &Server, entry: &str, proof: &str, trust: &[&str]| {
        let add = ["log", "add", entry, "--log", &log.url, "--key", "auditor", "-o", proof];
        place.run(&[add.as_slice(), trust].concat());
    };
    add(&log, "log2/log.vkey", "last.tlog-proof", &TRUST);
    add(&log2, "last.tlog-proof", "first.tlog-proof", &trust2);
    // (3) The old log is stopped, its key destroyed.
    log.kill();
    fs::remove_file(place.path("log/log.key")).unwrap();
    // (4) Offline, both hold, each under its own key.
    for (proof, entry, trust) in [
        ("before.tlog-proof", "before", TRUST),
        ("last.tlog-proof", "log2/log.vkey", TRUST),
        ("first.tlog-proof", "last.tlog-proof", trust2),
    ] {
        let verify = ["log", "verify", proof, "--entry", entry];
        place.run(&[verify.as_slice(), &trust].concat());
        let other = if trust == TRUST { trust2 } else { TRUST };
        place.refuse(&[verify.as_slice(), &other].concat(), "not signed");
    }
    assert_eq!(running.len(), 2);
}

/// T02: a log that was rolled back gets no cosignature any more; one whose committed checkpoint alone was put back does not start.
#[test]
fn t02_rolled_back_logs_get_no_cosignatures() {
    let mut world = World::new();
    world.add("first", "0.tlog-proof");
    let data = world.place.path("log/data");
    let backup = world.place.path("backup");
    copy(&data, &backup);
    world.add("second", "1.tlog-proof");
    world.log.child.kill().unwrap();
    world.log.child.wait().unwrap();
    fs::copy(backup.join("signed"), data.join("signed")).unwrap();
    world.place.refuse(&["log", "serve", "--config", "log/log.toml"], "an older copy may have been put back");
    fs::remove_dir_all(&data).unwrap();
    copy(&backup, &data);
    world.log = World::serve(&world.place);
    std::thread::sleep(std::time::Duration::from_millis(1100));
    fs::write(world.place.path("entry"), "another second").unwrap();
    world.place.refuse(&world.add_arguments("entry", "fork"), "witnesses have not cosigned");
    assert!(!world.place.path("fork").exists());
    // Both witnesses keep what convicts the log.
    for w in ["w1", "w2"] {
        assert!(fs::read_dir(world.place.path(&format!("{w}/data/evidence"))).unwrap().count() > 0, "{w}");
    }
    assert_eq!(world.witnesses.len(), 2);
}

fn copy(from: &std::path::Path, to: &std::path::Path) {
    fs::create_dir(to).unwrap();
    for entry in fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        let target = to.join(entry.file_name());
        if entry.file_type().unwrap().is_dir() {
            copy(&entry.path(), &target);
        } else {
            fs::copy(entry.path(), target).unwrap();
        }
    }
}

/// A19: with a certificate the log speaks TLS: who trusts its authority adds and reads; another authority, and plain text, get nothing.
#[test]
fn a19_a_log_with_a_certificate_of_its_own() {
    let fixtures = concat!(env!("CARGO_MANIFEST_DIR"), "/../node/tests/fixtures");
    let place = Place::new();
    place.run(&["key", "new", "auditor", "-o", "auditor"]);
    let origin = ["--origin", "log.example/tls", "--listen", "127.0.0.1:0", "--submitter", "auditor.pub"];
    place.run(&[["log", "init", "log"].as_slice(), &origin].concat());
    for file in ["cert.pem", "key.pem", "ca.pem", "other-ca.pem"] {
        fs::copy(format!("{fixtures}/{file}"), place.path(&format!("log/{file}"))).unwrap();
    }
    let mut config = fs::read_to_string(place.path("log/log.toml")).unwrap();
    config += "\n[tls]\ncert = \"cert.pem\"\nkey = \"key.pem\"\n";
    fs::write(place.path("log/log.toml"), config).unwrap();
    let log = World::serve(&place);
    assert!(log.url.starts_with("https://127.0.0.1:"), "{}", log.url);
    std::thread::sleep(std::time::Duration::from_millis(1100));
    fs::write(place.path("entry"), "x").unwrap();
    let trust = ["--log-key", "log/log.vkey", "--roots", "log/ca.pem", "--log", &log.url];
    place.run(&[["log", "add", "entry", "--key", "auditor", "-o", "proof"].as_slice(), &trust].concat());
    place.run(&[["log", "prove", "0", "-o", "again"].as_slice(), &trust].concat());
    let other = trust.map(|a| if a == "log/ca.pem" { "log/other-ca.pem" } else { a });
    place.refuse(&[["log", "prove", "0", "-o", "none"].as_slice(), &other].concat(), "cannot reach");
    let plain = log.url.replace("https", "http");
    let plain = ["log", "prove", "0", "-o", "none", "--log-key", "log/log.vkey", "--log", &plain];
    assert_eq!(place.try_run(&plain).status.code(), Some(2));
    assert!(!place.path("none").exists());
}

/// Configurations that make no sense are refused before anything is made or served.
#[test]
fn mistakes_in_configurations_are_named() {
    let place = Place::new();
    place.refuse(&["log", "init", "log", "--origin", "two words"], "key names have");
    place.refuse(&["log", "init", "log1", "--origin", "a", "--submitter", "nobody"], "cannot open");
    place.refuse(&["log", "init", "log2", "--origin", "a", "--witness", "x"], "is not KEY=URL");
    place.refuse(&["log", "init", "log4", "--origin", "a", "--quorum", "1"], "quorum 1 of 0");
    place.refuse(&["witness", "init", "w0", "--name", "a+b"], "key names have");
    assert_eq!(place.names(), [""; 0], "mistakes leave nothing behind");
    place.run(&["witness", "init", "w", "--name", "w.example"]);
    place.run(&["log", "init", "log3", "--origin", "a", "--witness", "w/witness.vkey=http://127.0.0.1:1"]);
    place.refuse(&["log", "init", "log3", "--origin", "a"], "File exists");
    let config = fs::read_to_string(place.path("log3/log.toml")).unwrap();
    for (from, to, why) in [
        ("quorum = 1", "quorum = 2", "quorum 2 of 1"),
        ("quorum = 1", "quorun = 1", "unknown field"),
        ("http://", "ftp://", "not an http"),
        ("refresh_seconds = 60", "refresh_seconds = 0", "out of range"),
        ("quorum = 1\n", "", "quorum is missing"),
        ("witness_seconds = 5", "witness_seconds = 5\n[beacon]\nurls = []", "addresses with {round}"),
        (
            "witness_seconds = 5",
            "witness_seconds = 5\n[beacon]\nurls = [\"http://relay/latest\"]",
            "addresses with {round}",
        ),
        (
            "witness_seconds = 5",
            "witness_seconds = 5\n[beacon]\nurls = [\"http://relay/{round}\"]\n[beacon.chain]\nhash = \"00\"\npublic_key = \"00\"\n\
             genesis_time = 1\nperiod = 3\ngroup_hash = \"00\"\nid = \"x\"\n",
            "beacon.chain is no chain",
        ),
        (
            "witness_seconds = 5",
            "witness_seconds = 5\n[tls]\ncert = \"none.pem\"\nkey = \"none.pem\"",
            "none.pem",
        ),
    ] {
        fs::write(place.path("log3/bad.toml"), config.replace(from, to)).unwrap();
        place.refuse(&["log", "serve", "--config", "log3/bad.toml"], why);
    }
    // The log's key is no witness's, nor the other way round.
    place.refuse(
        &["witness", "init", "w4", "--name", "x", "--log", "w/witness.vkey"],
        "not a verifier key of a log",
    );
}
