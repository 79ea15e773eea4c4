//! A campaign of three epochs through the real binary: a log with two witnesses, two nodes, a test beacon, an auditor that is
//! killed in the middle, and a host that loses its data.

mod evidence;
mod process;
mod relay;

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::time::{SystemTime, UNIX_EPOCH};

use bailiwick_auditor::{FileJournal, Record};
use bailiwick_protocol::challenge::Challenge;
use bailiwick_protocol::codec::Canonical as _;
use bailiwick_protocol::dossier::{Dossier, SignedOpened};
use bailiwick_protocol::ids::HostKey;
use bailiwick_testing::BeaconChain;

use self::evidence::{check, judge, owners_evidence};
use self::process::{Process, log, node};
use self::relay::lying_about_rounds;
use super::program::{Place, data};

const PERIOD_ROUNDS: u64 = 14;
const ANSWER_SECONDS: u64 = 12;
const LEAD_SECONDS: u64 = 6;
const EPOCHS: u64 = 3;

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

fn now_seconds() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs()
}

fn json(bytes: &[u8]) -> serde_json::Value {
    serde_json::from_slice(bytes).unwrap()
}

fn public(place: &Place, name: &str) -> String {
    json(&place.run(&["key", "show", name, "--json"]))["public"].as_str().unwrap().to_owned()
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
