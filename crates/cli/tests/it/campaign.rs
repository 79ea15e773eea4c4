//! A campaign of three epochs through the real binary: a log with two witnesses, two nodes, a test beacon, an auditor that is
//! killed in the middle, and a host that loses its data.

use std::collections::BTreeMap;
use std::fs;
use std::io::{BufRead as _, BufReader, Lines, Write as _};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::path::Path;
use std::process::{Child, ChildStdout, Stdio};
use std::time::{SystemTime, UNIX_EPOCH};

use bailiwick_auditor::{FileJournal, Record};
use bailiwick_protocol::bundle::Answer;
use bailiwick_protocol::challenge::Challenge;
use bailiwick_protocol::codec::Canonical as _;
use bailiwick_protocol::dossier::{Dossier, SignedOpened};
use bailiwick_protocol::ids::{HostKey, InventoryRoot};
use bailiwick_protocol::inventory::{Inventory, OwnerRange};
use bailiwick_protocol::schedule::{LogEntry, hash_of_nonce};
use bailiwick_protocol::signing::Signed;
use bailiwick_testing::BeaconChain;
use bailiwick_translog::{LogPolicy, VerifierKey, verify_proof};

use super::program::{Place, data};

const PERIOD_ROUNDS: u64 = 14;
const ANSWER_SECONDS: u64 = 12;
const LEAD_SECONDS: u64 = 6;
const EPOCHS: u64 = 3;

/// A process of the program, killed when dropped.
struct Process {
    child: Child,
    lines: Lines<BufReader<ChildStdout>>,
}

impl Process {
    fn start(place: &Place, arguments: &[&str]) -> Self {
        let log = fs::File::options().create(true).append(true).open(place.path("processes.log")).unwrap();
        let mut child = place.command(arguments).stdout(Stdio::piped()).stderr(log).spawn().unwrap();
        let lines = BufReader::new(child.stdout.take().unwrap()).lines();
        Self { child, lines }
    }

    /// A server, and its address once it listens.
    fn serve(place: &Place, arguments: &[&str]) -> (Self, String) {
        let mut process = Self::start(place, arguments);
        let line = process.next_line().unwrap_or_default();
        let url = line.strip_prefix("listening on ").unwrap_or_default().to_owned();
        let said = fs::read_to_string(place.path("processes.log")).unwrap();
        assert!(!url.is_empty(), "{arguments:?}: {line} {said}");
        (process, url)
    }

    fn next_line(&mut self) -> Option<String> {
        self.lines.next().map(Result::unwrap)
    }

    /// Reads events until `wanted`.
    fn until(&mut self, mut wanted: impl FnMut(&serde_json::Value) -> bool) -> serde_json::Value {
        while let Some(line) = self.next_line() {
            let event: serde_json::Value = serde_json::from_str(&line).unwrap();
            if wanted(&event) {
                return event;
            }
        }
        panic!("the program ended before the event that was waited for");
    }

    /// Without a chance to finish anything.
    fn kill(mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn free_port() -> u16 {
    TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port()
}

fn now_seconds() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs()
}

fn json(bytes: &[u8]) -> serde_json::Value {
    serde_json::from_slice(bytes).unwrap()
}

fn public(place: &Place, name: &str) -> String {
    json(&place.run(&["key", "show", name, "--json"]))["public"].as_str().unwrap().to_owned()
}

/// A log that two witnesses cosign, with its processes; it relays `beacon`, which the test publishes.
fn log(place: &Place, beacon: Option<&BeaconChain>) -> (Vec<Process>, String) {
    let port = free_port();
    let listen = format!("127.0.0.1:{port}");
    place.run(&[
        "log",
        "init",
        "log",
        "--origin",
        "log.test/audits",
        "--listen",
        &listen,
        "--submitter",
        "auditor.pub",
    ]);
    let mut config =
        fs::read_to_string(place.path("log/log.toml")).unwrap().replace("quorum = 0", "quorum = 2");
    let mut processes = Vec::new();
    for name in ["w1", "w2"] {
        let long = format!("witness.test/{name}");
        place.run(&[
            "witness",
            "init",
            name,
            "--name",
            &long,
            "--listen",
            "127.0.0.1:0",
            "--log",
            "log/log.vkey",
        ]);
        let (process, url) =
            Process::serve(place, &["witness", "run", "--config", &format!("{name}/witness.toml")]);
        processes.push(process);
        let key = fs::read_to_string(place.path(&format!("{name}/witness.vkey"))).unwrap();
        config += &format!("\n[[witness]]\nkey = \"{}\"\nurl = \"{url}\"\n", key.trim());
    }
    if let Some(chain) = beacon {
        let table = chain.table().replace("[beacon]", "[beacon.chain]");
        config += &format!("\n[beacon]\nurls = [\"{}/{{round}}\"]\nback_rounds = 5\n{table}", publish(chain));
    }
    fs::write(place.path("log/log.toml"), config).unwrap();
    let (process, url) = Process::serve(place, &["log", "serve", "--config", "log/log.toml"]);
    processes.push(process);
    (processes, url)
}

/// A node with three objects of the owner.
fn node(place: &Place, name: &str) -> (Process, String) {
    place.run(&[
        "node",
        "init",
        name,
        "--owner",
        "owner.pub",
        "--auditor",
        "auditor.pub",
        "--circuit-keys",
        "circuit-keys",
        "--listen",
        "127.0.0.1:0",
    ]);
    // The hosts' time to answer runs, however busy other tests keep this machine.
    let path = place.path(&format!("{name}/node.toml"));
    let config = fs::read_to_string(&path).unwrap();
    assert!(config.contains("proof_priority = \"idle\""), "the default");
    fs::write(&path, config.replace("proof_priority = \"idle\"", "proof_priority = \"normal\"")).unwrap();
    let (process, url) = Process::serve(place, &["node", "run", "--config", &format!("{name}/node.toml")]);
    let host = format!("{name}/host.pub");
    for object in ["a", "b", "c"] {
        place.run(&["put", object, "--owner", "owner", "--node", &url, "--host", &host]);
    }
    (process, url)
}

/// Zeroes every stored body under `dir`, and keeps all else.
fn lose(dir: &Path, bodies: &[Vec<u8>]) -> usize {
    let (mut pending, mut lost) = (vec![dir.to_owned()], 0);
    while let Some(path) = pending.pop() {
        if path.is_dir() {
            pending.extend(fs::read_dir(&path).unwrap().map(|e| e.unwrap().path()));
            continue;
        }
        let mut bytes = fs::read(&path).unwrap();
        for body in bodies {
            if let Some(start) = bytes.windows(56).position(|w| w == &body[..56])
                && bytes[start..].starts_with(body)
            {
                bytes[start..start + body.len()].fill(0);
                fs::write(&path, &bytes).unwrap();
                lost += 1;
            }
        }
    }
    lost
}

/// Challenges of an epoch by host, as the journal has them.
fn asked(place: &Place, epoch: u64) -> BTreeMap<HostKey, Challenge> {
    let (_, records) = FileJournal::read(&place.path("campaign")).unwrap();
    let of = |r: &Record| match r {
        Record::Asked { epoch: e, host, challenge, .. } if *e == epoch => {
            Some((*host, challenge.decode_unverified().unwrap()))
        }
        _ => None,
    };
    records.iter().filter_map(of).collect()
}

struct Scene {
    place: Place,
    _processes: Vec<Process>,
    chain: BeaconChain,
    vk: String,
    /// Of the first node.
    url: String,
}

/// Where the rounds come from.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Rounds {
    /// A folder of files.
    Folder,
    /// The campaign's own log, behind something that lies about the first few.
    Log,
}

/// Everything up to the announced schedule.
fn scene(rounds: Rounds, epochs: u64) -> Scene {
    let place = Place::with_keys();
    place.run(&["key", "new", "auditor", "-o", "auditor"]);
    let vk = json(&place.run(&["circuit", "setup", "--class", "tiny", "--auditor", "auditor", "--json"]));
    let vk = vk["vk"].as_str().unwrap().to_owned();
    for (name, len) in [("a", 50_000), ("b", 40_000), ("c", 30_000)] {
        fs::write(place.path("plain"), data(len)).unwrap();
        place.run(&["seal", "plain", "-o", name, "--owner", "owner", "--to", "to.pub"]);
    }
    let chain = BeaconChain::new(now_seconds() - 1000, 1);
    let (mut processes, mut log_url) = log(&place, (rounds == Rounds::Log).then_some(&chain));
    if rounds == Rounds::Log {
        log_url = lying_about_rounds(&log_url, &chain);
    }
    let (mut hosts, mut urls) = (String::new(), Vec::new());
    for name in ["n1", "n2"] {
        let (process, url) = node(&place, name);
        processes.push(process);
        urls.push(url.clone());
        hosts += &format!(
            "[[host]]\nurl = \"{url}\"\nkey = \"{name}/host.pub\"\nclass = \"tiny\"\nvk = \"{vk}\"\n"
        );
    }
    fs::write(place.path("hosts.toml"), hosts).unwrap();
    fs::write(place.path("chain.toml"), chain.table()).unwrap();
    let first = chain.info().round_at(now_seconds() * 1000).unwrap().get() + LEAD_SECONDS + 6;
    fs::create_dir(place.path("rounds")).unwrap();
    for epoch in 0..epochs {
        let number = first + epoch * PERIOD_ROUNDS;
        let text = bailiwick_beacon::write_drand_json(&chain.round(number));
        fs::write(place.path(&format!("rounds/{number}.json")), text).unwrap();
    }
    let (first, epochs) = (first.to_string(), epochs.to_string());
    let beacon = if rounds == Rounds::Log { "log" } else { "rounds" };
    let (period, answer, lead) =
        (PERIOD_ROUNDS.to_string(), ANSWER_SECONDS.to_string(), LEAD_SECONDS.to_string());
    place.run(&[
        "audit",
        "schedule",
        "--auditor",
        "auditor",
        "--hosts",
        "hosts.toml",
        "--epochs",
        &epochs,
        "--period",
        &period,
        "--first-round",
        &first,
        "--answer-seconds",
        &answer,
        "--lead-seconds",
        &lead,
        "--probes",
        "2",
        "--log",
        &log_url,
        "--log-key",
        "log/log.vkey",
        "--witness",
        "w1/witness.vkey",
        "--witness",
        "w2/witness.vkey",
        "--beacon",
        beacon,
        "--beacon-chain",
        "chain.toml",
        "-o",
        "campaign",
    ]);
    Scene { place, _processes: processes, chain, vk, url: urls.remove(0) }
}

/// P22, P23, P01: killed in the middle of an epoch, resumed with the same challenges; lost data shows; all of it is in the log.
#[test]
fn p22_a_campaign_survives_a_kill_and_its_dossier_shows_the_loss() {
    let scene = scene(Rounds::Folder, EPOCHS);
    let place = &scene.place;
    let run = ["audit", "run", "--campaign", "campaign", "--follow", "--metrics", "127.0.0.1:0", "--json"];
    let mut auditor = Process::start(place, &run);
    auditor.until(|e| e["event"] == "asked" && e["epoch"] == 2);
    auditor.kill();
    let before = asked(place, 2);
    assert!(!before.is_empty());
    copy(&place.path("campaign"), &place.path("backup"));
    // A second auditor on one journal is kept out; here it is the one that resumes.
    let mut auditor =
        Process::start(place, &["audit", "resume", "--campaign", "campaign", "--follow", "--json"]);
    for _ in ["n1", "n2"] {
        auditor.until(|e| e["event"] == "logged" && e["epoch"] == 2 && e["host"].is_string());
    }
    place.refuse(&["audit", "run", "--campaign", "campaign"], "in use by another auditor");
    let bodies = ["a", "b", "c"].map(|n| fs::read(place.path(n)).unwrap());
    assert_eq!(lose(&place.path("n2/data"), &bodies), 3);
    let end = auditor.until(|e| e["event"] == "stopped");
    assert_eq!(
        (&end["epochs_done"], &end["epochs_missed"], &end["bundles"]),
        (&3.into(), &0.into(), &6.into())
    );

    let open = [
        "open",
        "a",
        "--owner",
        "owner.pub",
        "--key",
        "to",
        "-o",
        "opened",
        "--attest",
        "a.opened",
        "--attest-key",
        "auditor",
    ];
    place.run(&open);
    let statement = SignedOpened::from_bytes(&fs::read(place.path("a.opened")).unwrap()).unwrap();
    let auditor_key: [u8; 32] = hex::decode(public(place, "auditor")).unwrap().try_into().unwrap();
    assert_eq!(statement.verify(&auditor_key).unwrap().opener.as_bytes(), &auditor_key);
    place.run(&["audit", "dossier", "--campaign", "campaign", "--add-opened", "a.opened", "-o", "dossier"]);
    let dossier = Dossier::from_bytes(&fs::read(place.path("dossier")).unwrap()).unwrap();
    assert_eq!((dossier.announced.len(), dossier.audits.len(), dossier.opened.len()), (4, 6, 1));
    check(place, &dossier, &auditor_key, &before);
    judge(&scene);
    owners_evidence(&scene);
    // P23: the backup is of an older state, and the log knows more.
    place.refuse(&["audit", "resume", "--campaign", "backup"], "restored from an older state");
}

/// A folder of files.
fn copy(from: &Path, to: &Path) {
    fs::create_dir(to).unwrap();
    for entry in fs::read_dir(from).unwrap().map(Result::unwrap) {
        let (from, to) = (entry.path(), to.join(entry.file_name()));
        if from.is_dir() {
            copy(&from, &to);
        } else {
            fs::copy(&from, &to).unwrap();
        }
    }
}

/// Who is who, for a reader.
fn write_anchors(scene: &Scene) {
    let place = &scene.place;
    let line = |name: &str| fs::read_to_string(place.path(name)).unwrap().trim().to_owned();
    let mut anchors = "version = 1\n".to_owned();
    for (role, name) in
        [("owner", "owner"), ("host", "n1/host.pub"), ("host", "n2/host.pub"), ("auditor", "auditor")]
    {
        let key = public(place, name);
        anchors += &format!("[[principal]]\nrole = \"{role}\"\nname = \"{name}\"\nkey = \"{key}\"\n");
    }
    anchors += &format!(
        "[[verifying_key]]\ndigest = \"{}\"\nclass = {{ samples = 1, depth = 3 }}\nprovenance = \"auditor\"\nauditor = \"{}\"\n",
        scene.vk,
        public(place, "auditor")
    );
    anchors += &format!(
        "[log]\nkey = \"{}\"\nwitnesses = [\"{}\", \"{}\"]\n",
        line("log/log.vkey"),
        line("w1/witness.vkey"),
        line("w2/witness.vkey")
    );
    anchors += &scene.chain.table();
    fs::write(place.path("anchors.toml"), anchors).unwrap();
}

/// The verdicts a reader comes to: everything is logged; the host that lost its data refutes *stored*, the other one alone does not.
fn judge(scene: &Scene) {
    let place = &scene.place;
    write_anchors(scene);
    let host = |name: &str| format!("\"{}\"", public(place, name));
    let (code, stored, logged, report) = verdicts(place, "dossier", &host("n1/host.pub"));
    assert_eq!((code, stored.as_str(), logged.as_str()), (Some(0), "supported", "supported"), "{report}");
    let both = format!("{}, {}", host("n1/host.pub"), host("n2/host.pub"));
    let (code, stored, logged, report) = verdicts(place, "dossier", &both);
    assert_eq!((code, stored.as_str(), logged.as_str()), (Some(1), "refuted", "supported"), "{report}");
}

/// Exit code, *stored*, *logged* and the whole report on a dossier, for a policy about `hosts`.
fn verdicts(place: &Place, dossier: &str, hosts: &str) -> (Option<i32>, String, String, String) {
    let policy = format!(
        "version = 1\nname = \"p\"\nrequire = [\"stored\", \"logged\"]\n\
         [stored]\nlost_fraction = 1.0\nmin_detection = 0.9\nmax_age_hours = 1\nhosts = [{hosts}]\n\
         [logged]\nquorum = 2\nmax_checkpoint_age_hours = 1\n"
    );
    fs::write(place.path("policy.toml"), policy).unwrap();
    let verify = ["verify", dossier, "--policy", "policy.toml", "--anchors", "anchors.toml", "--json"];
    let out = place.try_run(&verify);
    let report = json(&out.stdout);
    let verdict = |claim: &str| {
        let claims = report["claims"].as_array().unwrap();
        claims.iter().find(|c| c["claim"] == claim).unwrap()["verdict"].as_str().unwrap().to_owned()
    };
    (out.status.code(), verdict("stored"), verdict("logged"), report.to_string())
}

/// What `check-inventory --save` keeps goes into a dossier. The inventory the auditor was given as well changes nothing; a second one
/// in the host's hand refutes.
fn owners_evidence(scene: &Scene) {
    let place = &scene.place;
    let check = ["check-inventory", "--node", &scene.url, "--host", "n1/host.pub", "--epoch", "2"];
    let sealed = ["a.envelope", "b.envelope", "c.envelope"];
    let save = ["--owner", "owner", "--save", "first.range", "--envelopes"];
    place.run(&[&check[..], &save, &sealed].concat());
    let range = OwnerRange::from_bytes(&fs::read(place.path("first.range")).unwrap()).unwrap();
    // What the owner was shown is what the auditor committed to; `second.range` below is not.
    place.run(&["audit", "dossier", "--campaign", "campaign", "-o", "owners.dossier"]);
    let compare = |shown: &str, epoch: &str| {
        let fixed = [
            "check-inventory",
            "--host",
            "n1/host.pub",
            "--owner",
            "owner.pub",
            "--dossier",
            "owners.dossier",
        ];
        let more = ["--from", shown, "--epoch", epoch, "--json", "--envelopes"];
        let out = place.try_run(&[&fixed[..], &more, &sealed].concat());
        let json: serde_json::Value = serde_json::from_slice(&out.stdout).unwrap_or_default();
        (out.status.code(), json["committed"].as_str().unwrap_or_default().to_owned())
    };
    assert_eq!(compare("first.range", "2"), (Some(0), "same".to_owned()));
    let first = range.inventory.decode_unverified().unwrap();
    let host = super::inventory::signing_key(place, "n1/host.key");
    let second = Signed::new(&Inventory { root: InventoryRoot([7; 32]), ..first.clone() }, &host);
    fs::write(place.path("second.inventory"), second.to_bytes()).unwrap();
    fs::write(
        place.path("second.range"),
        OwnerRange { inventory: second.clone(), ..range.clone() }.to_bytes(),
    )
    .unwrap();
    // The same leaves under another time of making: listed all right, and not what the auditor was given.
    let later = Signed::new(&Inventory { made_unix_ms: first.made_unix_ms + 1, ..first.clone() }, &host);
    fs::write(place.path("later.range"), OwnerRange { inventory: later, ..range.clone() }.to_bytes())
        .unwrap();
    assert_eq!(compare("later.range", "2"), (Some(1), "other".to_owned()));
    let never = Signed::new(&Inventory { epoch: 77, ..first.clone() }, &host);
    fs::write(place.path("never.range"), OwnerRange { inventory: never, ..range.clone() }.to_bytes())
        .unwrap();
    assert_eq!(compare("never.range", "77"), (Some(1), "missing".to_owned()));
    let of_n1 = format!("\"{}\"", public(place, "n1/host.pub"));
    let judged = |added: &str| {
        let name = format!("with.{added}");
        place.run(&["audit", "dossier", "--campaign", "campaign", "--add-inventory", added, "-o", &name]);
        let dossier = Dossier::from_bytes(&fs::read(place.path(&name)).unwrap()).unwrap();
        (dossier.inventories, verdicts(place, &name, &of_n1))
    };
    let (_, (code, stored, logged, report)) = judged("first.range");
    assert_eq!((code, stored.as_str(), logged.as_str()), (Some(0), "supported", "supported"), "{report}");
    for added in ["second.range", "second.inventory"] {
        let (inventories, (code, stored, logged, report)) = judged(added);
        assert_eq!(inventories, std::slice::from_ref(&second));
        assert_eq!((code, stored.as_str(), logged.as_str()), (Some(1), "refuted", "refuted"), "{report}");
        assert!(report.contains("two-inventories"), "{report}");
    }
    let junk =
        ["audit", "dossier", "--campaign", "campaign", "--add-inventory", "a.envelope", "-o", "with.junk"];
    place.refuse(&junk, "neither a signed inventory nor an owner");
    assert!(!place.path("with.junk").exists());
}

/// Every proof holds under both witnesses, every challenge is the one committed to, and only the lost data fails.
fn check(place: &Place, dossier: &Dossier, auditor: &[u8; 32], before: &BTreeMap<HostKey, Challenge>) {
    let key = |name: &str| VerifierKey::parse(fs::read_to_string(place.path(name)).unwrap().trim()).unwrap();
    let policy =
        LogPolicy::new(key("log/log.vkey"), vec![key("w1/witness.vkey"), key("w2/witness.vkey")], 2).unwrap();
    let mut nonces = BTreeMap::new();
    for logged in &dossier.announced {
        verify_proof(&logged.proof, &logged.entry, &policy).unwrap();
        if let LogEntry::Epoch(c) = LogEntry::from_bytes(&logged.entry).unwrap() {
            let c = c.verify(auditor).unwrap();
            nonces.insert(c.epoch, c.nonce);
        }
    }
    assert_eq!(nonces.keys().copied().collect::<Vec<_>>(), [1, 2, 3]);
    let lost: HostKey = public(place, "n2/host.pub").parse().unwrap();
    let mut seen = Vec::new();
    for audit in &dossier.audits {
        let outcome = audit.outcome.as_ref().unwrap();
        verify_proof(&outcome.proof, &outcome.entry, &policy).unwrap();
        let bundle = audit.bundle.verify(auditor).unwrap();
        let challenge = bundle.challenge.verify(auditor).unwrap();
        assert_eq!(hash_of_nonce(&challenge.nonce), nonces[&challenge.epoch]);
        if challenge.epoch == 2
            && let Some(asked) = before.get(&challenge.host)
        {
            assert_eq!(&challenge, asked, "the very same challenge after the kill");
        }
        let proven = match &bundle.answer {
            Answer::Response(r) => r.verify(challenge.host.as_bytes()).unwrap().outcome.is_ok(),
            Answer::None(_) => false,
        };
        assert_eq!(proven, !(challenge.host == lost && challenge.epoch == 3), "{challenge:?} {bundle:?}");
        seen.push((challenge.epoch, challenge.host));
    }
    seen.sort_unstable();
    seen.dedup();
    assert_eq!(seen.len(), 6);
}

/// Answers the head of each connection's first request itself, if `answer` has one for its path; else passes everything on to `to`.
fn front(to: Option<String>, mut answer: impl FnMut(&str) -> Option<String> + Send + 'static) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            let mut stream = stream.unwrap();
            let (mut head, mut reader) = (String::new(), BufReader::new(stream.try_clone().unwrap()));
            while !head.ends_with("\r\n\r\n") && reader.read_line(&mut head).is_ok_and(|n| n > 0) {}
            let path = head.split(' ').nth(1).unwrap_or_default();
            if let Some(body) = answer(path) {
                let length = body.len();
                let head =
                    format!("HTTP/1.1 200 OK\r\ncontent-length: {length}\r\nconnection: close\r\n\r\n");
                let _ = stream.write_all(format!("{head}{body}").as_bytes());
                continue;
            }
            let Some(to) = to.clone() else { continue };
            std::thread::spawn(move || {
                let mut log = TcpStream::connect(to).unwrap();
                log.write_all(head.as_bytes()).unwrap();
                let mut asked = log.try_clone().unwrap();
                std::thread::spawn(move || {
                    let _ = std::io::copy(&mut reader, &mut asked);
                    let _ = asked.shutdown(Shutdown::Write);
                });
                let _ = std::io::copy(&mut log, &mut stream);
                let _ = stream.shutdown(Shutdown::Both);
            });
        }
    });
    url
}

/// Publishes every round of a chain, as drand's API does.
fn publish(chain: &BeaconChain) -> String {
    let chain = chain.clone();
    front(None, move |path| {
        let number: u64 = path.strip_prefix('/')?.parse().ok()?;
        Some(bailiwick_beacon::write_drand_json(&chain.round(number)))
    })
}

/// A genuine round of the test network quicknet-t.
const OTHER_CHAIN: &str = r#"{"round":5423142,"signature":"96fce8e2f70e2784577c8f2d8bd36af7a4b0dfd73dd91469d8556b36d2973a4f84681a45b1af2ce0511e5a32dd72508f"}"#;

/// The log, which lies about the first rounds it is asked for once they are there: the signature of another round, another chain's
/// signature, another chain's round. Then it relays what it has.
fn lying_about_rounds(log: &str, chain: &BeaconChain) -> String {
    let (chain, mut asked) = (chain.clone(), 0);
    front(Some(log.strip_prefix("http://").unwrap().to_owned()), move |path| {
        let number: u64 = path.strip_prefix("/beacon/simulation/")?.parse().ok()?;
        asked += 1;
        match asked {
            1 => {
                let mut forged = chain.round(number - 1);
                forged.round = number;
                Some(bailiwick_beacon::write_drand_json(&forged))
            }
            2 => Some(OTHER_CHAIN.replace("5423142", &number.to_string())),
            3 => Some(OTHER_CHAIN.to_owned()),
            _ => None,
        }
    })
}

/// P10: a campaign whose rounds are relayed by its own log: what the log makes up is refused by name and nothing is asked on its word;
/// with the genuine round, relayed and verified, both hosts are audited and the evidence is supported.
#[test]
fn p10_a_campaign_over_rounds_that_its_log_relays() {
    // The second, so that the first one is due when the log was last seen.
    let scene = scene(Rounds::Log, 2);
    let place = &scene.place;
    let mut auditor =
        Process::start(place, &["audit", "run", "--campaign", "campaign", "--follow", "--json"]);
    let mut seen = Vec::new();
    let end = auditor.until(|e| {
        seen.push(e["event"].as_str().unwrap().to_owned());
        e["event"] == "stopped"
    });
    assert_eq!((&end["epochs_done"], &end["bundles"]), (&2.into(), &4.into()), "{seen:?}");
    let at =
        |event: &str| seen.iter().position(|e| e == event).unwrap_or_else(|| panic!("{event}: {seen:?}"));
    assert!(at("round") < at("asked"), "{seen:?}");
    let said = fs::read_to_string(place.path("processes.log")).unwrap();
    assert!(said.contains("forged, or of another round or chain"), "{said}");
    assert!(said.contains("round 5423142, not the expected round"), "{said}");
    place.run(&["audit", "dossier", "--campaign", "campaign", "-o", "dossier"]);
    let dossier = Dossier::from_bytes(&fs::read(place.path("dossier")).unwrap()).unwrap();
    assert_eq!((dossier.announced.len(), dossier.audits.len()), (3, 4));
    write_anchors(&scene);
    let both = ["n1/host.pub", "n2/host.pub"].map(|name| format!("\"{}\"", public(place, name))).join(", ");
    let (code, stored, logged, report) = verdicts(place, "dossier", &both);
    assert_eq!((code, stored.as_str(), logged.as_str()), (Some(0), "supported", "supported"), "{report}");
}

/// Mistakes are named, exit code 2, and nothing is made.
#[test]
fn mistakes_in_a_schedule_are_named_and_make_nothing() {
    let place = Place::with_keys();
    place.run(&["key", "new", "auditor", "-o", "auditor"]);
    let vk = json(&place.run(&["circuit", "setup", "--class", "tiny", "--development", "--json"]));
    let host = "22".repeat(32);
    let entry = format!(
        "[[host]]\nurl = \"http://127.0.0.1:9\"\nkey = \"{host}\"\nclass = \"tiny\"\nvk = \"{}\"\n",
        vk["vk"].as_str().unwrap()
    );
    fs::write(place.path("hosts.toml"), &entry).unwrap();
    fs::write(place.path("twice.toml"), format!("{entry}{entry}")).unwrap();
    fs::write(place.path("typo.toml"), entry.replace("url", "address")).unwrap();
    let log_key = {
        place.run(&["log", "init", "log", "--origin", "log.test", "--listen", "127.0.0.1:9"]);
        "log/log.vkey"
    };
    let schedule = |hosts: &'static str, more: &[&'static str]| {
        let fixed = [
            "audit",
            "schedule",
            "--auditor",
            "auditor",
            "--hosts",
            hosts,
            "--period",
            "10",
            "--log",
            "http://127.0.0.1:9",
            "--log-key",
            log_key,
            "--beacon",
            "rounds",
            "-o",
            "campaign",
        ];
        [&fixed[..], more].concat()
    };
    place.refuse(&schedule("typo.toml", &["--epochs", "1"]), "address");
    place.refuse(&schedule("twice.toml", &["--epochs", "1"]), "names a host twice");
    place.refuse(&schedule("hosts.toml", &["--epochs", "0"]), "epochs and period");
    place.refuse(&schedule("hosts.toml", &["--epochs", "1", "--first-round", "1000"]), "published already");
    place.refuse(&schedule("hosts.toml", &["--epochs", "1", "--quorum", "1"]), "quorum 1 of 0 witnesses");
    place.refuse(&schedule("hosts.toml", &["--epochs", "1"]), "the log cannot be used");
    assert!(!place.path("campaign").exists());
    place.refuse(&["audit", "run", "--campaign", "campaign"], "campaign.toml");
    place.refuse(&["audit", "dossier", "--campaign", "campaign", "-o", "x"], "campaign.toml");
    assert!(!place.path("x").exists());
}
