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
        Ok(Self { clients, warned: Mutex::default() })
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
        let begun = Instant::now();
        let outcome = match self.clients.get(host).map(|c| c.fetch_verified_block(envelope, block)) {
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
}
