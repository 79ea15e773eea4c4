//! Asking a host that says it is busy.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use bailiwick_client::ClientOptions;
use bailiwick_protocol::challenge::{CannotProve, Response};
use bailiwick_protocol::codec::Canonical as _;
use bailiwick_protocol::ids::{CellRoot, ContentId, ObjectId, OwnerKey, Unit, UnitName};
use bailiwick_protocol::secret::Secret;

use super::*;

fn key(seed: u8) -> SigningKey {
    SigningKey::from_seed(&Secret::init_with(|s| s.fill(seed)))
}

/// A host of which one challenge after the other is refused as full, until a place frees; then it answers.
struct Host {
    url: String,
    key: HostKey,
    asked: Arc<AtomicU32>,
}

/// How a full queue is told.
#[derive(Clone, Copy)]
struct Busy {
    times: u32,
    status: &'static str,
    /// The header line, or nothing.
    retry_after: &'static str,
}

impl Host {
    fn start(busy: Busy, challenge: &SignedChallenge) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let host = key(2);
        let digest = challenge.decode_unverified().unwrap().digest();
        let response =
            Signed::new(&Response { challenge: digest, outcome: Err(CannotProve::CellsUnavailable) }, &host);
        let (public, asked) = (HostKey(host.public()), Arc::new(AtomicU32::new(0)));
        let count = Arc::clone(&asked);
        std::thread::spawn(move || {
            for stream in listener.incoming() {
                let mut stream = stream.unwrap();
                let Some(line) = request(&mut stream) else { continue };
                let job = format!(
                    r#"{{"id":"{digest}","state":"done","progress":1.0,"cost":{{"wall_ms":0,"cpu_ms":0,"disk_bytes":0,"peak_rss_bytes":0}}}}"#
                );
                if line.starts_with("POST /v1/challenges ") {
                    if count.fetch_add(1, Ordering::SeqCst) < busy.times {
                        let body =
                            br#"{"code":"busy","message":"too many challenges are waiting","help":"wait"}"#;
                        answer(&mut stream, busy.status, busy.retry_after, body);
                    } else {
                        answer(&mut stream, "202 Accepted", "", job.as_bytes());
                    }
                } else if line.contains("/response ") {
                    answer(&mut stream, "200 OK", "", &response.to_bytes());
                } else {
                    answer(&mut stream, "200 OK", "", job.as_bytes());
                }
            }
        });
        Self { url, key: public, asked }
    }

    fn ask(&self, challenge: &SignedChallenge, deadline: Duration) -> Answer {
        // The client itself waits for nobody here: what is tested is the audit.
        let options = ClientOptions { retry_for: Duration::ZERO, ..ClientOptions::default() };
        let client = Client::new(&self.url, self.key, key(1), options).unwrap();
        ask(&client, challenge, deadline, &indicatif::ProgressBar::hidden()).unwrap()
    }
}

/// The request line, once the whole request has come.
fn request(stream: &mut TcpStream) -> Option<String> {
    let mut reader = BufReader::new(stream.try_clone().ok()?);
    let (mut first, mut length, mut expects) = (String::new(), 0, false);
    reader.read_line(&mut first).ok()?;
    loop {
        let mut line = String::new();
        reader.read_line(&mut line).ok()?;
        let line = line.trim().to_lowercase();
        if line.is_empty() {
            break;
        }
        if let Some(n) = line.strip_prefix("content-length: ") {
            length = n.parse().ok()?;
        }
        expects |= line.starts_with("expect: 100-continue");
    }
    if expects {
        stream.write_all(b"HTTP/1.1 100 Continue\r\n\r\n").ok()?;
    }
    reader.read_exact(&mut vec![0; length]).ok()?;
    Some(first)
}

fn answer(stream: &mut TcpStream, status: &str, header: &str, body: &[u8]) {
    let head =
        format!("HTTP/1.1 {status}\r\n{header}content-length: {}\r\nconnection: close\r\n\r\n", body.len());
    stream.write_all(&[head.as_bytes(), body].concat()).ok();
}

fn challenge() -> SignedChallenge {
    let auditor = key(1);
    let name = UnitName { owner: OwnerKey([7; 32]), object: ObjectId([8; 16]), unit: Unit::WHOLE };
    let target = Target {
        name,
        generation: 1,
        blake3: ContentId([9; 32]),
        size: 496,
        root: CellRoot([6; 32]),
        cells: 1,
    };
    let challenge = Challenge {
        class: ClassId::TINY,
        vk: VkDigest([0; 32]),
        host: HostKey(key(2).public()),
        targets: vec![target],
        inventory: None,
        epoch: 0,
        beacon: None,
        auditor: AuditorKey(auditor.public()),
        nonce: Nonce([5; 32]),
    };
    Signed::new(&challenge, &auditor)
}

/// A full queue in which a place frees after more refusals than are forgiven: the answer arrives.
#[test]
fn a_busy_host_is_asked_until_it_has_a_place() {
    let challenge = challenge();
    for status in ["503 Service Unavailable", "429 Too Many Requests"] {
        let busy = Busy { times: ASKS_MAX + 1, status, retry_after: "retry-after: 1\r\n" };
        let host = Host::start(busy, &challenge);
        let begun = Instant::now();
        let answer = host.ask(&challenge, Duration::from_secs(60));
        assert!(matches!(answer, Answer::Response(_)), "{status}: {answer:?}");
        assert_eq!(host.asked.load(Ordering::SeqCst), ASKS_MAX + 2);
        assert!(
            begun.elapsed() >= Duration::from_secs(u64::from(ASKS_MAX) + 1),
            "it waits as long as it was told"
        );
    }
}

/// A host that says busy for ever gives no answer: at the deadline, however far off it says to come again.
#[test]
fn a_host_that_is_busy_for_ever_has_not_answered_at_the_deadline() {
    let challenge = challenge();
    for (retry_after, asks) in
        [("retry-after: 1\r\n", 3..=4), ("retry-after: 999999999\r\n", 2..=2), ("retry-after: 0\r\n", 4..=7)]
    {
        let busy = Busy { times: u32::MAX, status: "503 Service Unavailable", retry_after };
        let host = Host::start(busy, &challenge);
        let (begun, deadline) = (Instant::now(), Duration::from_millis(2500));
        let answer = host.ask(&challenge, deadline);
        assert!(matches!(answer, Answer::None(NoAnswer::Refused)), "{answer:?}");
        assert!(begun.elapsed() >= deadline && begun.elapsed() < deadline + Duration::from_secs(5));
        let asked = host.asked.load(Ordering::SeqCst);
        assert!(asks.contains(&asked), "{retry_after}: asked {asked} times");
    }
}

/// A refusal that names no time is final after three, long before the deadline.
#[test]
fn a_refusal_without_a_time_counts() {
    let challenge = challenge();
    let host = Host::start(Busy { times: u32::MAX, status: "403 Forbidden", retry_after: "" }, &challenge);
    let begun = Instant::now();
    let answer = host.ask(&challenge, Duration::from_secs(600));
    assert!(matches!(answer, Answer::None(NoAnswer::Refused)), "{answer:?}");
    assert_eq!(host.asked.load(Ordering::SeqCst), ASKS_MAX);
    assert!(begun.elapsed() < Duration::from_secs(30));
}
