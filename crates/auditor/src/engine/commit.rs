//! Before the round: inventories and the commitment. At the round: the round itself and the challenges.

use bailiwick_beacon::{BeaconRound, Round};
use bailiwick_protocol::bundle::NoAnswer;
use bailiwick_protocol::challenge::Challenge;
use bailiwick_protocol::ids::{HostKey, Nonce};
use bailiwick_protocol::schedule::{EpochCommitment, Offered, hash_of_nonce};
use bailiwick_protocol::secret::Secret;
use bailiwick_protocol::signing::Signed;

use super::{Engine, EngineError};
use crate::pace::Moments;
use crate::ports::{Fault, Purpose};
use crate::record::Record;

impl Engine {
    /// Draws the nonce and signs the commitment, when every host has given its inventory or the time for it is over.
    /// A commitment after the round would prove nothing: then the epoch is missed.
    pub(super) fn commit_if_due(
        &mut self,
        epoch: u64,
        moments: &Moments,
        now_ms: u64,
    ) -> Result<(), EngineError> {
        let state = self.campaign.epochs.get(&epoch);
        if !self.compared || state.is_some_and(|e| e.commitment.is_some()) {
            return Ok(());
        }
        if now_ms >= moments.round_ms {
            return self.record(&Record::Missed { epoch });
        }
        let given = state.map_or(0, |e| e.inventories.len());
        let all = given == self.campaign.schedule.hosts.len();
        if !self.campaign.entry.is_logged() || !(all || now_ms >= moments.commit_ms) {
            return Ok(());
        }
        let mut drawn = Ok(());
        let nonce = Secret::init_with(|out| {
            drawn = self.ports.entropy.fill(Purpose::Nonce { epoch }, out);
        });
        drawn?;
        let commitment = EpochCommitment {
            auditor: self.auditor(),
            schedule: self.campaign.digest,
            epoch,
            nonce: hash_of_nonce(&Nonce(*nonce.expose_secret())),
            hosts: self
                .campaign
                .schedule
                .hosts
                .iter()
                .map(|h| (h.host, self.offered(epoch, moments, h.host)))
                .collect(),
        };
        let commitment = Signed::new(&commitment, &self.key);
        self.record(&Record::Committed { epoch, nonce, commitment })
    }

    /// What a host gave. That it gave nothing is the auditor's word against it, so this engine must have asked it with half of the time
    /// left, as after a restart for an answer (spec schedule, U7, U10): else it says of itself that it did not ask.
    fn offered(&self, epoch: u64, moments: &Moments, host: HostKey) -> Offered {
        let given = self.campaign.epochs.get(&epoch).and_then(|e| e.inventories.get(&host));
        if let Some((_, inventory)) = given {
            return Offered::Inventory(inventory.digest());
        }
        let fair_ms = moments.begin_ms.midpoint(moments.commit_ms);
        let asked_ms = self.work.get(&(epoch, host)).and_then(|w| w.wanted_ms);
        Offered::Nothing(match asked_ms {
            Some(at) if at <= fair_ms => *self.silence.get(&(epoch, host)).unwrap_or(&NoAnswer::TimedOut),
            _ => NoAnswer::NotAsked,
        })
    }

    /// Fetches the round once it is published and the commitment is logged.
    pub(super) fn round_if_due(
        &mut self,
        epoch: u64,
        moments: &Moments,
        now_ms: u64,
    ) -> Result<(), EngineError> {
        let Some(e) = self.campaign.epochs.get(&epoch) else { return Ok(()) };
        let committed = e.commitment.as_ref().is_some_and(|c| c.entry.is_logged());
        let due = committed && e.round.is_none() && !e.inventories.is_empty();
        if !due || now_ms < moments.round_ms || now_ms < self.beacon_after_ms {
            return Ok(());
        }
        let number = self.campaign.schedule.round_of(epoch).unwrap_or(0);
        match self.ports.beacon.round(number).and_then(|round| self.verified(round, number)) {
            Ok(round) => {
                self.last_fault = None;
                self.record(&Record::Round { epoch, round })
            }
            Err(fault) => {
                self.beacon_after_ms = now_ms + self.pace.poll_ms.max(1000).min(self.pace.reask_ms);
                self.last_fault = Some(fault);
                Ok(())
            }
        }
    }

    fn verified(&self, round: BeaconRound, number: u64) -> Result<BeaconRound, Fault> {
        let untrusted = |why: String| Fault::Untrusted { who: "the beacon", why };
        let expected = Round::new(number).map_err(|e| untrusted(e.to_string()))?;
        if round.round != expected.get() {
            return Err(untrusted(format!("round {}, not the expected round {number}", round.round)));
        }
        self.verifier.verify(&round).map_err(|e| untrusted(e.to_string()))?;
        Ok(round)
    }

    /// Signs the one challenge of each host of the epoch. It is durable before a host can see it.
    pub(super) fn draw_challenges(&mut self, epoch: u64, now_ms: u64) -> Result<(), EngineError> {
        let Some(e) = self.campaign.epochs.get(&epoch) else { return Ok(()) };
        let (Some(round), Some(commitment)) = (e.round, &e.commitment) else { return Ok(()) };
        let nonce = Nonce(*commitment.nonce.expose_secret());
        let mut asked = Vec::new();
        for (host, (_, inventory)) in e.inventories.iter().filter(|(h, _)| !e.audits.contains_key(*h)) {
            let Some(scheduled) = self.campaign.schedule.host(host) else { continue };
            let challenge = Challenge {
                class: scheduled.class,
                vk: scheduled.vk,
                host: *host,
                targets: Vec::new(),
                inventory: Some(inventory.target()),
                epoch,
                beacon: Some(round),
                auditor: self.auditor(),
                nonce,
            };
            asked.push((*host, Signed::new(&challenge, &self.key)));
        }
        for (host, challenge) in asked {
            self.record(&Record::Asked { epoch, host, challenge, at_ms: now_ms })?;
        }
        Ok(())
    }
}
