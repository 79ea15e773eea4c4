//! After the answer: opened leaves, random blocks, the signed bundle.

use std::sync::Arc;

use bailiwick_possession::challenge::sampled;
use bailiwick_possession::tree::BLOCK_BYTES;
use bailiwick_protocol::bundle::{Answer, Bundle, InventoryEvidence, NoAnswer, ProbeOutcome, RangeOutcome};
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
use crate::ports::Purpose;
use crate::record::Record;

/// Times the opened leaves are asked for; the answer itself is there already.
const OPENINGS_TRIES: u32 = 3;

/// What belongs to an answer. In memory only: the same can be had again.
#[derive(Debug, Default)]
pub(super) struct Gathered {
    openings: Option<Opened>,
    /// Times that none that fit were given.
    tries: u32,
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
    /// Of those that their owner signed and that are what the leaf says.
    genuine: Vec<(u32, Arc<Envelope>)>,
}

impl Gathered {
    /// What is still to be asked of the host.
    pub(super) fn question(&self, answer: &Answer, audit: &Audit) -> Option<Question> {
        if matches!(answer, Answer::None(_)) || self.ranges.is_some() {
            return None;
        }
        match &self.blocks {
            None if self.openings.is_none() => {
                Some(Question::Openings(audit.digest, Box::new(audit.challenge.clone())))
            }
            None => None,
            Some(blocks) => Some(Question::Probes(blocks.clone())),
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

    fn is_complete(&self, answer: &Answer) -> bool {
        matches!(answer, Answer::None(_)) || self.ranges.is_some()
    }
}

impl Engine {
    pub(super) fn settle_openings(
        &mut self,
        epoch: u64,
        host: HostKey,
        given: Result<Openings, NoAnswer>,
        at_ms: u64,
    ) -> Result<(), EngineError> {
        let opened = match given {
            Ok(openings) => self.fitting(epoch, host, openings)?,
            Err(_) => None,
        };
        let pause = self.pace.reask_ms;
        if opened.is_none() {
            let gathered = &mut self.work_of(epoch, host).gathered;
            gathered.tries += 1;
            if gathered.tries < OPENINGS_TRIES {
                self.pause(epoch, host, at_ms + pause);
                return Ok(());
            }
        }
        let opened = opened.unwrap_or_default();
        let blocks = self.draw_blocks(epoch, host, &opened)?;
        let gathered = &mut self.work_of(epoch, host).gathered;
        if blocks.is_empty() {
            gathered.ranges = Some(Vec::new());
        }
        gathered.blocks = Some(blocks);
        gathered.openings = Some(opened);
        Ok(())
    }

    /// The leaves, if they are of the inventory committed to and those that the challenge samples.
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
        let genuine =
            (0..).zip(given.leaves.iter().zip(&given.envelopes)).filter_map(|(i, (leaf, signed))| {
                let envelope = signed.verify(leaf.leaf.name.owner.as_bytes()).ok()?;
                (Target::of(&envelope).as_ref() == Some(&leaf.leaf)).then(|| (i, Arc::new(envelope)))
            });
        let genuine = genuine.collect();
        Ok(Some(Opened { leaves: given.leaves, envelopes: given.envelopes, genuine }))
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
