//! After the answer: opened leaves, random blocks, the signed bundle.

use std::sync::Arc;

use bailiwick_possession::challenge::sampled;
use bailiwick_possession::tree::BLOCK_BYTES;
use bailiwick_protocol::bundle::{Answer, Bundle, InventoryEvidence, ProbeOutcome, RangeOutcome};
use bailiwick_protocol::challenge::Target;
use bailiwick_protocol::codec::Canonical as _;
use bailiwick_protocol::envelope::{Envelope, SignedEnvelope};
use bailiwick_protocol::ids::HostKey;
use bailiwick_protocol::inventory::{LeafOpening, Openings};
use bailiwick_protocol::schedule::Outcome;
use bailiwick_protocol::signing::Signed;

use super::asking::Question;
use super::{Engine, EngineError};
use crate::campaign::Audit;
use crate::ports::{Purpose, Unanswered};
use crate::record::Record;

/// What belongs to an answer. In memory only: the same can be had again.
#[derive(Debug, Default)]
pub(super) struct Gathered {
    openings: Option<Opened>,
    /// They were asked for, and none that fit came.
    tried: bool,
    /// A second inventory is on record already.
    second: bool,
    /// Index into the envelopes, the envelope, the block; `None` before they are drawn.
    blocks: Option<Vec<(u32, Arc<Envelope>, u64)>>,
    ranges: Option<Vec<RangeOutcome>>,
}

#[derive(Debug, Default)]
struct Opened {
    leaves: Vec<LeafOpening>,
    envelopes: Vec<SignedEnvelope>,
    /// The same, decoded, with their indices.
    genuine: Vec<(u32, Arc<Envelope>)>,
}

impl Gathered {
    /// What is still to be asked of the host.
    pub(super) fn question(&self, answer: &Answer, audit: &Audit, over_ms: u64) -> Option<Question> {
        if matches!(answer, Answer::None(_)) || self.ranges.is_some() {
            return None;
        }
        match &self.blocks {
            None if self.openings.is_none() => {
                Some(Question::Openings(audit.digest, Box::new(audit.challenge.clone())))
            }
            None => None,
            Some(blocks) => Some(Question::Probes(blocks.clone(), over_ms)),
        }
    }

    /// Notes what the probes found.
    pub(super) fn probed(&mut self, outcomes: &[(ProbeOutcome, u64)]) {
        let Some(blocks) = &self.blocks else { return };
        let ranges = blocks.iter().zip(outcomes).map(|((target, envelope, block), (outcome, elapsed_ms))| {
            let offset = block * BLOCK_BYTES as u64;
            RangeOutcome {
                target: *target,
                offset,
                length: (envelope.body.size - offset).min(BLOCK_BYTES as u64),
                outcome: *outcome,
                elapsed_ms: *elapsed_ms,
            }
        });
        self.ranges = Some(ranges.collect());
    }

    /// The host's time is over: leaves that did not come by now do not come. What was asked for just now is waited for, unless
    /// `closed`. Blocks that are still on their way then are left out: nobody can tell whether they would have come.
    pub(super) fn give_up(&mut self, in_flight: bool, closed: bool) {
        if self.openings.is_some() {
            if closed {
                self.ranges.get_or_insert_default();
            }
        } else if closed || (self.tried && !in_flight) {
            self.openings = Some(Opened::default());
            self.blocks = Some(Vec::new());
            self.ranges = Some(Vec::new());
        }
    }

    fn is_complete(&self, answer: &Answer) -> bool {
        matches!(answer, Answer::None(_)) || self.ranges.is_some()
    }
}

impl Engine {
    pub(super) fn settle_openings(
        &mut self,
        epoch: u64,
        host: HostKey,
        given: Result<Openings, Unanswered>,
        at_ms: u64,
    ) -> Result<(), EngineError> {
        let audit = self.campaign.epochs.get(&epoch).and_then(|e| e.audits.get(&host));
        let given_up = self.work.get(&(epoch, host)).is_some_and(|w| w.gathered.openings.is_some());
        if given_up || audit.is_none_or(|a| a.answer.is_none() || a.bundle.is_some()) {
            return Ok(());
        }
        let (opened, retry_after_ms) = match given {
            Ok(openings) => (self.fitting(epoch, host, openings)?, None),
            Err(none) => (None, none.retry_after_ms),
        };
        let Some(opened) = opened else {
            let again_ms = self.again_ms(epoch, host, retry_after_ms, at_ms);
            let work = self.work_of(epoch, host);
            (work.gathered.tried, work.not_before_ms) = (true, again_ms);
            return Ok(());
        };
        let blocks = self.draw_blocks(epoch, host, &opened)?;
        let gathered = &mut self.work_of(epoch, host).gathered;
        if blocks.is_empty() {
            gathered.ranges = Some(Vec::new());
        }
        gathered.blocks = Some(blocks);
        gathered.openings = Some(opened);
        Ok(())
    }

    /// The leaves, if they are of the inventory committed to and those that the challenge samples, each with the envelope that its
    /// owner signed: a host that shows anything else shows nothing, and is asked again.
    fn fitting(&mut self, epoch: u64, host: HostKey, given: Openings) -> Result<Option<Opened>, EngineError> {
        let Some(e) = self.campaign.epochs.get(&epoch) else { return Ok(None) };
        let (Some(audit), Some((committed, _))) = (e.audits.get(&host), e.inventories.get(&host)) else {
            return Ok(None);
        };
        if given.inventory != *committed {
            let second = given.inventory.verify(host.as_bytes());
            // Another root for one epoch, in the host's own hand.
            let known = self.work.get(&(epoch, host)).is_some_and(|w| w.gathered.second);
            if !known && second.is_ok_and(|i| i.host == host && i.epoch == epoch) {
                self.record(&Record::Second { epoch, host, inventory: given.inventory })?;
                self.work_of(epoch, host).gathered.second = true;
            }
            return Ok(None);
        }
        let challenge = audit.challenge.decode_unverified();
        if !challenge.is_ok_and(|c| sampled(&c, &given.leaves).is_ok()) {
            return Ok(None);
        }
        if given.envelopes.len() != given.leaves.len() {
            return Ok(None);
        }
        let genuine = |(index, (leaf, signed)): (u32, (&LeafOpening, &SignedEnvelope))| {
            let envelope = signed.verify(leaf.leaf.name.owner.as_bytes()).ok()?;
            (Target::of(&envelope).as_ref() == Some(&leaf.leaf)).then(|| (index, Arc::new(envelope)))
        };
        let all: Option<Vec<_>> = (0..).zip(given.leaves.iter().zip(&given.envelopes)).map(genuine).collect();
        Ok(all.map(|genuine| Opened { leaves: given.leaves, envelopes: given.envelopes, genuine }))
    }

    /// Random blocks of the opened objects, weighted by their blocks. The host cannot foresee them.
    fn draw_blocks(
        &mut self,
        epoch: u64,
        host: HostKey,
        opened: &Opened,
    ) -> Result<Vec<(u32, Arc<Envelope>, u64)>, EngineError> {
        let blocks_of = |e: &Envelope| e.body.size.div_ceil(BLOCK_BYTES as u64);
        let total: u64 = opened.genuine.iter().map(|(_, e)| blocks_of(e)).sum();
        let mut drawn = Vec::new();
        for number in 0..if total == 0 { 0 } else { self.pace.probes } {
            let mut word = [0; 16];
            self.ports.entropy.fill(Purpose::Probe { epoch, host, number }, &mut word)?;
            let mut at = bailiwick_possession::challenge::scale(u128::from_le_bytes(word), total);
            for (index, envelope) in &opened.genuine {
                let here = blocks_of(envelope);
                if at < here {
                    drawn.push((*index, Arc::clone(envelope), at));
                    break;
                }
                at -= here;
            }
        }
        Ok(drawn)
    }

    /// Signs the bundle of every audit whose evidence is complete, stores it, and signs its outcome.
    pub(super) fn bundle_if_ready(&mut self, epoch: u64) -> Result<(), EngineError> {
        if !self.compared {
            return Ok(());
        }
        let Some(e) = self.campaign.epochs.get(&epoch) else { return Ok(()) };
        let ready: Vec<HostKey> = e
            .audits
            .iter()
            .filter(|(_, audit)| audit.bundle.is_none())
            .filter(|(host, audit)| {
                let gathered = self.work.get(&(epoch, **host)).map(|w| &w.gathered);
                audit.answer.as_ref().is_some_and(|(answer, _)| match gathered {
                    Some(gathered) => gathered.is_complete(answer),
                    None => matches!(answer, Answer::None(_)),
                })
            })
            .map(|(host, _)| *host)
            .collect();
        for host in ready {
            self.bundle(epoch, host)?;
        }
        Ok(())
    }

    fn bundle(&mut self, epoch: u64, host: HostKey) -> Result<(), EngineError> {
        let gathered = self.work.remove(&(epoch, host)).map(|w| w.gathered).unwrap_or_default();
        let Some(e) = self.campaign.epochs.get(&epoch) else { return Ok(()) };
        let (Some(audit), Some((inventory, _))) = (e.audits.get(&host), e.inventories.get(&host)) else {
            return Ok(());
        };
        let Some((answer, answered_unix_ms)) = audit.answer.clone() else { return Ok(()) };
        let opened = gathered.openings.unwrap_or_default();
        let bundle = Bundle {
            auditor: self.auditor(),
            challenge: audit.challenge.clone(),
            envelopes: opened.envelopes,
            inventory: Some(InventoryEvidence { inventory: inventory.clone(), leaves: opened.leaves }),
            answer,
            ranges: gathered.ranges.unwrap_or_default(),
            asked_unix_ms: audit.asked_ms,
            answered_unix_ms,
        };
        let signed = Signed::new(&bundle, &self.key);
        let digest = signed.digest();
        self.ports.journal.put_bundle(&digest, &signed.to_bytes())?;
        let outcome =
            Outcome { auditor: self.auditor(), schedule: self.campaign.digest, epoch, host, bundle: digest };
        let outcome = Signed::new(&outcome, &self.key);
        self.record(&Record::Bundled { epoch, host, bundle: digest, outcome })
    }
}
