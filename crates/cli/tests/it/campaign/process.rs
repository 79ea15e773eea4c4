//! Processes of the program, and the servers a campaign needs.

use std::fs;
use std::io::{BufRead as _, BufReader, Lines};
use std::net::TcpListener;
use std::process::{Child, ChildStdout, Stdio};

use bailiwick_testing::BeaconChain;

use super::relay::publish;
use crate::it::program::Place;

/// A process of the program, killed when dropped.
pub(super) struct Process {
    child: Child,
    lines: Lines<BufReader<ChildStdout>>,
}

impl Process {
    pub(super) fn start(place: &Place, arguments: &[&str]) -> Self {
        let log = fs::File::options().create(true).append(true).open(place.path("processes.log")).unwrap();
        let mut child = place.command(arguments).stdout(Stdio::piped()).stderr(log).spawn().unwrap();
        let lines = BufReader::new(child.stdout.take().unwrap()).lines();
        Self { child, lines }
    }

    /// A server, and its address once it listens.
    pub(super) fn serve(place: &Place, arguments: &[&str]) -> (Self, String) {
        let mut process = Self::start(place, arguments);
        let line = process.next_line().unwrap_or_default();
        let url = line.strip_prefix("listening on ").unwrap_or_default().to_owned();
        let said = fs::read_to_string(place.path("processes.log")).unwrap();
        assert!(!url.is_empty(), "{arguments:?}: {line} {said}");
        (process, url)
    }

    pub(super) fn next_line(&mut self) -> Option<String> {
        self.lines.next().map(Result::unwrap)
    }

    /// Reads events until `wanted`.
    pub(super) fn until(&mut self, mut wanted: impl FnMut(&serde_json::Value) -> bool) -> serde_json::Value {
        while let Some(line) = self.next_line() {
            let event: serde_json::Value = serde_json::from_str(&line).unwrap();
            if wanted(&event) {
                return event;
            }
        }
        panic!("the program ended before the event that was waited for");
    }

    /// Without a chance to finish anything.
    pub(super) fn kill(mut self) {
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

pub(super) fn free_port() -> u16 {
    TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port()
}

/// A log that two witnesses cosign, with its processes; it relays `beacon`, which the test publishes.
pub(super) fn log(place: &Place, beacon: Option<&BeaconChain>) -> (Vec<Process>, String) {
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
pub(super) fn node(place: &Place, name: &str) -> (Process, String) {
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
