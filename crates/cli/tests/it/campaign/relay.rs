//! Rounds that the campaign's own log relays, honestly and not.

use std::fs;
use std::io::{BufRead as _, BufReader, Write as _};
use std::net::{Shutdown, TcpListener, TcpStream};

use bailiwick_protocol::codec::Canonical as _;
use bailiwick_protocol::dossier::Dossier;
use bailiwick_testing::BeaconChain;

use super::evidence::{verdicts, write_anchors};
use super::process::Process;
use super::{Rounds, public, scene};

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
pub(super) fn publish(chain: &BeaconChain) -> String {
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
pub(super) fn lying_about_rounds(log: &str, chain: &BeaconChain) -> String {
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
