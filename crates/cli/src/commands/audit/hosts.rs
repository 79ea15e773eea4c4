//! The hosts of a campaign, over their nodes' API.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use anyhow::Context as _;
use bailiwick_auditor::{Hosts, Poll, Unanswered};
use bailiwick_client::{Client, ClientError, ClientOptions};
use bailiwick_protocol::api::JobState;
use bailiwick_protocol::bundle::{NoAnswer, ProbeOutcome};
use bailiwick_protocol::challenge::SignedChallenge;
use bailiwick_protocol::envelope::Envelope;
use bailiwick_protocol::ids::{ChallengeDigest, HostKey};
use bailiwick_protocol::inventory::{Openings, SignedInventory};
use bailiwick_protocol::signing::SigningKey;

use super::files::CampaignFile;
use crate::output::{printable, read_bounded};

/// Certificates to trust are few and small.
const ROOTS_BYTES_MAX: u64 = 1 << 20;

/// One client for each host.
#[derive(Debug)]
pub(super) struct NodeHosts {
    clients: BTreeMap<HostKey, Client>,
    /// For an answer, and how long a probe is asked again while the host is busy.
    patience: Duration,
    /// Warnings given already, so that a question asked a hundred times warns once.
    warned: Mutex<BTreeSet<String>>,
}

impl NodeHosts {
    /// Clients of all hosts. Does not connect.
    pub(super) fn connect(file: &CampaignFile, key: &Arc<SigningKey>) -> anyhow::Result<Self> {
        // A host that does not answer must not hold a worker past the time that is kept for logging.
        let patience = Duration::from_millis(file.pace.reserve_ms)
            .clamp(Duration::from_secs(2), Duration::from_secs(30));
        let mut clients = BTreeMap::new();
        for h in &file.host {
            let host: HostKey = h.key.parse().with_context(|| format!("host key {:?}", h.key))?;
            let root_certificates =
                h.roots.as_deref().map(|path| read_bounded(path, ROOTS_BYTES_MAX)).transpose()?;
            let options = ClientOptions {
                root_certificates,
                connect_timeout: patience.min(Duration::from_secs(10)),
                idle_timeout: patience,
                answer_timeout: patience,
                // The engine asks again by its own clock.
                retry_for: Duration::ZERO,
            };
            clients.insert(host, Client::new(&h.url, host, Arc::clone(key), options)?);
        }
        Ok(Self { clients, patience, warned: Mutex::default() })
    }

    fn ask<T>(
        &self,
        host: &HostKey,
        what: &str,
        ask: impl FnOnce(&Client) -> Result<T, ClientError>,
    ) -> Result<T, Unanswered> {
        let Some(client) = self.clients.get(host) else { return Err(NoAnswer::Unreachable.into()) };
        ask(client).map_err(|error| {
            let line = format!("host {}: {what}: {}", &host.to_string()[..16], printable(&error.to_string()));
            if self.warned.lock().unwrap_or_else(PoisonError::into_inner).insert(line.clone()) {
                eprintln!("warning: {line}");
            }
            unanswered(&error)
        })
    }
}

/// What an error says to the engine.
fn unanswered(error: &ClientError) -> Unanswered {
    let retry_after_ms = match error {
        ClientError::Refused { retry_after, .. } => retry_after.map(|seconds| seconds.saturating_mul(1000)),
        _ => None,
    };
    Unanswered { why: no_answer(error), retry_after_ms }
}

/// Which kind of no answer an error is. Every refusal counts, also "not found" and "unauthenticated": otherwise the host
/// would decide whether evidence exists.
fn no_answer(error: &ClientError) -> NoAnswer {
    match error {
        ClientError::TimedOut => NoAnswer::TimedOut,
        ClientError::Refused { .. }
        | ClientError::Protocol(_)
        | ClientError::BadBytes(_)
        | ClientError::Message(_) => NoAnswer::Refused,
        _ => NoAnswer::Unreachable,
    }
}

impl Hosts for NodeHosts {
    fn inventory(&self, host: &HostKey, epoch: u64) -> Result<SignedInventory, Unanswered> {
        self.ask(host, "asked for its inventory", |c| c.make_inventory(epoch))
    }

    fn challenge(&self, host: &HostKey, challenge: &SignedChallenge) -> Result<(), Unanswered> {
        self.ask(host, "asked a challenge", |c| c.challenge(challenge).map(drop))
    }

    fn poll(&self, host: &HostKey, challenge: &ChallengeDigest) -> Result<Poll, Unanswered> {
        self.ask(host, "asked for its answer", |c| {
            let job = c.job(challenge)?;
            match job.state {
                JobState::Done => c.response(challenge).map(Poll::Answered),
                JobState::Failed => Ok(Poll::Failed),
                _ => Ok(Poll::Pending(job.progress)),
            }
        })
    }

    fn openings(&self, host: &HostKey, challenge: &ChallengeDigest) -> Result<Openings, Unanswered> {
        self.ask(host, "asked for the opened leaves", |c| c.openings(challenge))
    }

    fn probe(&self, host: &HostKey, envelope: &Envelope, block: u64) -> (ProbeOutcome, u64) {
        // From the first question on, also when a busy host has a pause: else it would buy time to fetch the block elsewhere.
        let begun = Instant::now();
        let client = self.clients.get(host).map(|c| c.retrying_for(self.patience));
        let outcome = match client.map(|c| c.fetch_verified_block(envelope, block)) {
            Some(Ok(_)) => ProbeOutcome::Good,
            Some(Err(ClientError::BadBytes(_))) => ProbeOutcome::BadBytes,
            Some(Err(ClientError::TimedOut)) => ProbeOutcome::TimedOut,
            None | Some(Err(ClientError::Unreachable(_))) => ProbeOutcome::Unreachable,
            Some(Err(_)) => ProbeOutcome::Refused,
        };
        (outcome, u64::try_from(begun.elapsed().as_millis()).unwrap_or(u64::MAX))
    }
}

#[cfg(test)]
mod tests {
    use std::io::{BufRead as _, BufReader, Write as _};
    use std::net::TcpListener;
    use std::sync::atomic::{AtomicUsize, Ordering};

    use bailiwick_protocol::envelope::{BODY_FORMAT_COBBLESTONE_256, BodyInfo, CellCommitment};
    use bailiwick_protocol::ids::{CellRoot, ContentId, ObjectId, OwnerKey, Unit};
    use bailiwick_protocol::secret::Secret;

    use super::*;

    /// B4: the pause a busy host asks for reaches the engine, in its unit.
    #[test]
    fn retry_after_is_passed_on_in_milliseconds() {
        let refused = |retry_after| ClientError::Refused {
            status: 503,
            code: "busy".to_owned(),
            message: String::new(),
            help: String::new(),
            retry_after,
        };
        let to = |why, retry_after_ms| Unanswered { why, retry_after_ms };
        assert_eq!(unanswered(&refused(Some(7))), to(NoAnswer::Refused, Some(7000)));
        assert_eq!(unanswered(&refused(Some(u64::MAX))), to(NoAnswer::Refused, Some(u64::MAX)));
        assert_eq!(unanswered(&refused(None)), to(NoAnswer::Refused, None));
        assert_eq!(unanswered(&ClientError::TimedOut), to(NoAnswer::TimedOut, None));
    }

    /// A host that answers every request on a connection of its own; gives its address and how often it was asked.
    fn host_answering(
        mut answer: impl FnMut(usize) -> String + Send + 'static,
    ) -> (String, Arc<AtomicUsize>) {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let asked = Arc::new(AtomicUsize::new(0));
        let count = Arc::clone(&asked);
        std::thread::spawn(move || {
            for stream in listener.incoming() {
                let mut stream = stream.unwrap();
                let mut lines = BufReader::new(stream.try_clone().unwrap()).lines();
                while lines.next().is_some_and(|line| line.is_ok_and(|line| !line.is_empty())) {}
                let head = answer(count.fetch_add(1, Ordering::SeqCst));
                let _ = stream.write_all(head.as_bytes());
            }
        });
        (url, asked)
    }

    fn refusal(status: &str, header: &str, code: &str) -> String {
        let body = format!("{{\"code\":\"{code}\",\"message\":\"m\",\"help\":\"h\"}}");
        format!(
            "HTTP/1.1 {status}\r\ncontent-type: application/json\r\n{header}content-length: {}\r\nconnection: close\r\n\r\n{body}",
            body.len()
        )
    }

    fn envelope() -> Envelope {
        Envelope {
            further_commitments: Vec::new(),
            shards: None,
            passphrase: None,
            custody: None,
            policy: None,
            suite: bailiwick_protocol::envelope::SUITE,
            owner: OwnerKey([1; 32]),
            object: ObjectId([2; 16]),
            unit: Unit::WHOLE,
            body: BodyInfo {
                format: BODY_FORMAT_COBBLESTONE_256,
                salt: [0; 24],
                key_commitment: [0; 32],
                size: 992,
                blake3: ContentId([3; 32]),
            },
            commitment: Some(CellCommitment { root: CellRoot([0; 32]), cells: 2 }),
            generation: 1,
            recipients: Vec::new(),
        }
    }

    /// A busy host's pause is kept before a probe counts as refused, and is part of the time it took; any other refusal stands at once,
    /// and so does a pause longer than the patience.
    #[test]
    fn a_probe_keeps_the_pause_a_busy_host_asks_for() {
        let gone = refusal("404 Not Found", "", "not-found");
        for (first, tries) in [
            (refusal("503 Service Unavailable", "retry-after: 1\r\n", "busy"), 2),
            (refusal("503 Service Unavailable", "retry-after: 60\r\n", "busy"), 1),
            (refusal("503 Service Unavailable", "retry-after: 1\r\n", "read-only"), 1),
            (gone.clone(), 1),
        ] {
            let gone = gone.clone();
            let (url, asked) = host_answering(move |n| if n == 0 { first.clone() } else { gone.clone() });
            let host = HostKey([4; 32]);
            let key = Arc::new(SigningKey::from_seed(&Secret::init_with(|s| s.fill(5))));
            let options = ClientOptions { retry_for: Duration::ZERO, ..ClientOptions::default() };
            let hosts = NodeHosts {
                clients: BTreeMap::from([(host, Client::new(&url, host, key, options).unwrap())]),
                patience: Duration::from_secs(3),
                warned: Mutex::default(),
            };
            let (outcome, elapsed_ms) = hosts.probe(&host, &envelope(), 0);
            assert_eq!((outcome, asked.load(Ordering::SeqCst)), (ProbeOutcome::Refused, tries));
            assert_eq!(elapsed_ms >= 1000, tries == 2, "{elapsed_ms} ms");
        }
    }
}
