//! The client of a log: when an entry is sent again, and when not.

use std::io::Read as _;
use std::net::TcpListener;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use bailiwick_logserver::{ClientError, LogClient};
use bailiwick_protocol::secret::Secret;
use bailiwick_protocol::signing::SigningKey;

use super::stub::stub;

fn add(base: &str) -> (Result<u64, ClientError>, Duration) {
    let signer = SigningKey::from_seed(&Secret::init_with(|s| s.fill(1)));
    let client = LogClient::new(base, None, Duration::from_secs(5)).unwrap();
    let begun = Instant::now();
    let added = client.add(b"entry", &[2; 32], &signer);
    (added.map(|a| a.index), begun.elapsed())
}

/// A refusal that passes is waited out for as long as the log says, within bounds; one that does not stands.
#[test]
fn retry_after_is_kept() {
    const WAIT: &str = "application/json\r\nretry-after: 2";
    const LONG: &str = "application/json\r\nretry-after: 59";
    const PLAIN: &str = "application/json";
    for (status, kind, code, pause) in [
        (425, WAIT, "restart-floor", Some(2)),
        (503, WAIT, "busy", Some(2)),
        (503, PLAIN, "busy", Some(1)),
        (503, LONG, "busy", None),
        (503, WAIT, "stopped", None),
        (401, WAIT, "unauthenticated", None),
    ] {
        let asked = Arc::new(AtomicUsize::new(0));
        let count = Arc::clone(&asked);
        let base = stub(move |_, _| match count.fetch_add(1, Ordering::SeqCst) {
            0 => (status, kind, format!("{{\"code\":\"{code}\",\"message\":\"m\"}}").into_bytes()),
            _ => (200, PLAIN, b"{\"index\":7,\"proof\":null}".to_vec()),
        });
        let (added, took) = add(&base);
        let times = asked.load(Ordering::SeqCst);
        match pause {
            Some(seconds) => {
                assert_eq!((added.unwrap(), times), (7, 2), "{status} {code}");
                assert!(took >= Duration::from_secs(seconds), "{status} {code}: {took:?}");
            }
            None => {
                assert!(matches!(added, Err(ClientError::Refused { .. })), "{added:?}");
                assert_eq!(times, 1, "{status} {code}");
            }
        }
    }
}

/// Spec log A5: a lost answer is asked for again: the log that has the entry gives its index.
#[test]
fn log_a5_a_lost_answer_is_asked_for_again() {
    let answering = stub(|_, _| (200, "application/json", b"{\"index\":7,\"proof\":null}".to_vec()));
    let to = answering.strip_prefix("http://").unwrap().to_owned();
    // In front of it, what loses the first answer.
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let base = format!("http://{}", listener.local_addr().unwrap());
    std::thread::spawn(move || {
        for (n, stream) in listener.incoming().enumerate() {
            let mut stream = stream.unwrap();
            if n == 0 {
                let _ = stream.read(&mut [0; 64]);
                continue;
            }
            let mut log = std::net::TcpStream::connect(&to).unwrap();
            let (mut asking, mut asked) = (stream.try_clone().unwrap(), log.try_clone().unwrap());
            std::thread::spawn(move || std::io::copy(&mut asking, &mut asked));
            let _ = std::io::copy(&mut log, &mut stream);
            let _ = stream.shutdown(std::net::Shutdown::Both);
        }
    });
    assert_eq!(add(&base).0.unwrap(), 7);
}
