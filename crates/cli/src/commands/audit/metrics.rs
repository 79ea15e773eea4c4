//! Prometheus metrics of a campaign: one small answer over HTTP.

use std::fmt::Write as _;
use std::io::{Read as _, Write as _};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use anyhow::Context as _;
use bailiwick_auditor::Tally;

/// Bytes of a request that are read: more than a scraper sends.
const REQUEST_BYTES_MAX: usize = 4096;
/// How long one client may keep the only thread.
const PATIENCE: Duration = Duration::from_secs(2);

/// The text that is served; clones share it.
#[derive(Clone, Debug, Default)]
pub(super) struct Metrics(Arc<Mutex<String>>);

impl Metrics {
    /// Serves it at `address` until the process ends. Gives the address listened on.
    pub(super) fn serve(&self, address: SocketAddr) -> anyhow::Result<SocketAddr> {
        let listener =
            TcpListener::bind(address).with_context(|| format!("cannot listen on {address} for metrics"))?;
        let bound = listener.local_addr()?;
        let text = Arc::clone(&self.0);
        let serve = move || {
            for stream in listener.incoming().flatten() {
                // A client that goes away is none of this program's business.
                let _ = answer(stream, &text);
            }
        };
        std::thread::Builder::new().spawn(serve).context("cannot start a thread for metrics")?;
        Ok(bound)
    }

    /// Replaces the text.
    pub(super) fn set(&self, tally: &Tally, at_work: usize, fault: bool, now_ms: u64) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = text(tally, at_work, fault, now_ms);
    }
}

fn answer(mut stream: TcpStream, text: &Mutex<String>) -> std::io::Result<()> {
    stream.set_read_timeout(Some(PATIENCE))?;
    stream.set_write_timeout(Some(PATIENCE))?;
    let mut request = [0; REQUEST_BYTES_MAX];
    let mut read = 0;
    while read < request.len() && !request[..read].windows(4).any(|w| w == b"\r\n\r\n") {
        match stream.read(&mut request[read..])? {
            0 => break,
            n => read += n,
        }
    }
    let asked = request[..read].starts_with(b"GET /metrics ");
    let (status, body) = if asked {
        ("200 OK", text.lock().unwrap_or_else(PoisonError::into_inner).clone())
    } else {
        ("404 Not Found", "only GET /metrics\n".to_owned())
    };
    write!(
        stream,
        "HTTP/1.1 {status}\r\nContent-Type: text/plain; version=0.0.4; charset=utf-8\r\nContent-Length: {}\r\nConnection: close\r\n\r\n{body}",
        body.len()
    )
}

/// Prometheus text format 0.0.4. Label values are hexadecimal keys and fixed words: nothing to escape.
fn text(t: &Tally, at_work: usize, fault: bool, now_ms: u64) -> String {
    let mut out = String::new();
    let mut family = |name: &str, kind: &str, help: &str, samples: &[(String, u64)]| {
        let _ =
            writeln!(out, "# HELP bailiwick_auditor_{name} {help}\n# TYPE bailiwick_auditor_{name} {kind}");
        for (labels, value) in samples {
            let _ = writeln!(out, "bailiwick_auditor_{name}{labels} {value}");
        }
    };
    let one = |v: u64| vec![(String::new(), v)];
    let of = |name: &str, word: &str, v: u64| (format!("{{{name}=\"{word}\"}}"), v);
    family("epochs", "gauge", "Epochs of the schedule.", &one(t.epochs));
    let ended = [of("end", "done", t.epochs_done), of("end", "missed", t.epochs_missed)];
    family("epochs_ended_total", "counter", "Epochs ended, by how.", &ended);
    family("epochs_at_work", "gauge", "Epochs under way.", &one(at_work as u64));
    let inventories = [
        of("what", "given", t.inventories),
        of("what", "missing", t.inventories_missing),
        of("what", "second", t.second_inventories),
    ];
    family("inventories_total", "counter", "Inventories of hosts.", &inventories);
    family("challenges_total", "counter", "Challenges drawn.", &one(t.asked));
    family("bundles_total", "counter", "Evidence bundles signed.", &one(t.bundles));
    let witnessed = [of("witnessed", "yes", t.logged - t.unwitnessed), of("witnessed", "no", t.unwitnessed)];
    family("log_entries_total", "counter", "Entries proven to be in the log.", &witnessed);
    let answers: Vec<(String, u64)> = t
        .hosts
        .iter()
        .flat_map(|(host, h)| {
            [
                ("proof", h.proofs),
                ("cannot-prove", h.cannot_prove),
                ("refused", h.refused),
                ("timed-out", h.timed_out),
                ("unreachable", h.unreachable),
            ]
            .map(|(word, v)| (format!("{{host=\"{host}\",answer=\"{word}\"}}"), v))
        })
        .collect();
    family("answers_total", "counter", "Answers by host, not judged.", &answers);
    let last: Vec<(String, u64)> =
        t.hosts.iter().map(|(host, h)| (format!("{{host=\"{host}\"}}"), h.last_answer_ms)).collect();
    family("last_answer_milliseconds", "gauge", "Time of the last answer, or until it was given up.", &last);
    family("fault", "gauge", "1 while log or beacon do not answer.", &one(u64::from(fault)));
    family("clock_milliseconds", "gauge", "Unix time of these figures.", &one(now_ms));
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn metrics_are_served_and_nothing_else_is() {
        let metrics = Metrics::default();
        metrics.set(&Tally { epochs: 7, logged: 3, unwitnessed: 1, ..Tally::default() }, 2, true, 5);
        let address = metrics.serve(([127, 0, 0, 1], 0).into()).unwrap();
        let ask = |path: &str| {
            let mut stream = TcpStream::connect(address).unwrap();
            write!(stream, "GET {path} HTTP/1.1\r\nHost: x\r\n\r\n").unwrap();
            let mut answer = String::new();
            stream.read_to_string(&mut answer).unwrap();
            answer
        };
        let answer = ask("/metrics");
        assert!(answer.starts_with("HTTP/1.1 200 OK\r\n"));
        for line in [
            "bailiwick_auditor_epochs 7",
            "bailiwick_auditor_log_entries_total{witnessed=\"yes\"} 2",
            "bailiwick_auditor_fault 1",
        ] {
            assert!(answer.lines().any(|l| l == line), "{line} in {answer}");
        }
        assert!(ask("/").starts_with("HTTP/1.1 404 "));
    }
}
