//! The network between auditor, owners and hosts, in process.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use bailiwick_auditor::{Hosts, Poll, Unanswered};
use bailiwick_possession::challenge::Sampled;
use bailiwick_possession::opening::{Opening, verify_block};
use bailiwick_possession::statement::{Witness, lifted_roots, statement};
use bailiwick_protocol::bundle::{NoAnswer, ProbeOutcome};
use bailiwick_protocol::challenge::{CannotProve, Challenge, Response, SignedChallenge, SignedResponse};
use bailiwick_protocol::envelope::Envelope;
use bailiwick_protocol::ids::{AuditorKey, ChallengeDigest, HostKey, OwnerKey};
use bailiwick_protocol::inventory::{Openings, OwnerRange, SignedInventory};
use bailiwick_protocol::signing::Signed;

use crate::faults::Faults;
use crate::host::{Conduct, Host, OtherQuestion, draw};
use crate::native::NativeProofs;
use crate::real::RealProofs;

#[derive(Debug)]
struct Asked {
    challenge: Challenge,
    answer: Option<SignedResponse>,
    /// Whether the native statement holds on the bytes that the host has.
    held: bool,
    polls: u64,
}

#[derive(Debug, Default)]
struct State {
    asked: BTreeMap<(HostKey, ChallengeDigest), Asked>,
    attempts: BTreeMap<String, u64>,
    /// Faults made.
    faults: u64,
    /// Rounds answered with a proof of a native statement that holds, and that does not.
    held: u64,
    false_statements: u64,
    /// Epochs in which it does not hold, by host.
    drawn: BTreeMap<HostKey, BTreeSet<u64>>,
}

/// All hosts, and the wires to them.
#[derive(Debug)]
pub struct Network {
    hosts: BTreeMap<HostKey, Host>,
    auditor: AuditorKey,
    /// When inventories of an epoch are made: the first epoch's, and from one to the next.
    made_ms: (u64, u64),
    proofs: Arc<NativeProofs>,
    real: Option<Arc<RealProofs>>,
    faults: Faults,
    state: Mutex<State>,
}

impl Network {
    pub(crate) fn new(
        hosts: Vec<Host>,
        auditor: AuditorKey,
        made_ms: (u64, u64),
        proofs: Arc<NativeProofs>,
        real: Option<Arc<RealProofs>>,
        faults: Faults,
    ) -> Self {
        let hosts = hosts.into_iter().map(|h| (h.key(), h)).collect();
        Self { hosts, auditor, made_ms, proofs, real, faults, state: Mutex::default() }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Every host.
    pub fn hosts(&self) -> impl Iterator<Item = &Host> {
        self.hosts.values()
    }

    /// Faults made so far.
    #[must_use]
    pub fn faults_made(&self) -> u64 {
        self.state().faults
    }

    /// Answers whose native statement holds on the bytes given, and answers sent although it does not.
    #[must_use]
    pub fn native_checks(&self) -> (u64, u64) {
        let state = self.state();
        (state.held, state.false_statements)
    }

    /// Epochs in which what a host lost was drawn: the native statement about its bytes did not hold.
    #[must_use]
    pub fn epochs_that_drew_a_loss(&self, host: &HostKey) -> BTreeSet<u64> {
        self.state().drawn.get(host).cloned().unwrap_or_default()
    }

    /// What a host gives an owner who looks for its objects in the inventory of an epoch.
    #[must_use]
    pub fn owner_range(&self, host: &HostKey, epoch: u64, owner: &OwnerKey) -> Option<OwnerRange> {
        let host = self.hosts.get(host)?;
        let tree = host.tree(epoch);
        Some(tree.owner_range(host.sign_inventory(epoch, tree, self.made_at(epoch)), owner))
    }

    fn made_at(&self, epoch: u64) -> u64 {
        self.made_ms.0 + epoch.saturating_sub(1) * self.made_ms.1
    }

    /// Whether this attempt at a question gets through.
    fn pass(&self, question: &str) -> Result<(), NoAnswer> {
        let failures = self.faults.failures(question);
        if failures == 0 {
            return Ok(());
        }
        let mut state = self.state();
        let attempt = state.attempts.entry(question.to_owned()).or_default();
        *attempt += 1;
        let number = *attempt;
        if number > failures {
            return Ok(());
        }
        state.faults += 1;
        Err(self.faults.way(question, number))
    }

    fn host(&self, key: &HostKey) -> Result<&Host, NoAnswer> {
        self.hosts.get(key).ok_or(NoAnswer::Unreachable)
    }

    fn epoch_of(&self, host: &HostKey, digest: &ChallengeDigest) -> Result<u64, NoAnswer> {
        self.state().asked.get(&(*host, *digest)).map(|a| a.challenge.epoch).ok_or(NoAnswer::Refused)
    }

    /// Openings of the drawn slots from the bytes that the host has, or fetches from `source`.
    fn open(&self, host: &Host, source: &Host, sampled: &Sampled, depth: u8) -> Option<Vec<Opening>> {
        let one = |slot: &bailiwick_possession::challenge::Slot| {
            let name = &sampled.targets[slot.target].name;
            let object = host.object(name)?;
            let bytes = source.stored(name).and_then(|b| b.get(object.cell_range(slot.cell))).unwrap_or(&[]);
            Some(object.opening(slot.cell, depth, bytes))
        };
        sampled.slots.iter().map(one).collect()
    }

    /// The question that the host really answers, and where its bytes come from.
    fn really<'n>(&'n self, host: &'n Host, challenge: &Challenge) -> (Challenge, &'n Host, bool) {
        let mut question = challenge.clone();
        let (mut source, mut other_tree) = (host, false);
        match host.conduct {
            Conduct::Relays(from) => source = self.hosts.get(&from).unwrap_or(host),
            Conduct::Answers(OtherQuestion::EarlierRound) => question.epoch -= 1,
            Conduct::Answers(OtherQuestion::OtherAuditor) => question.auditor = AuditorKey([1; 32]),
            Conduct::Answers(OtherQuestion::OtherHost(other)) => question.host = other,
            Conduct::Answers(OtherQuestion::OtherFiles) => {
                question.inventory = host.other_tree().map(|t| t.target());
                other_tree = true;
            }
            _ => {}
        }
        (question, source, other_tree)
    }

    /// The answer, and whether the native statement holds.
    fn prove(&self, host: &Host, challenge: &Challenge) -> Option<(Result<[u8; 128], CannotProve>, bool)> {
        let (question, source, other_tree) = self.really(host, challenge);
        let tree = if other_tree { host.other_tree()? } else { host.tree(challenge.epoch) };
        let class = question.class;
        let (sampled, _) = draw(tree, &question)?;
        let openings = self.open(host, source, &sampled, class.depth)?;
        let roots = lifted_roots(class, &sampled).ok()?;
        let openings: Vec<_> =
            sampled.slots.iter().zip(openings).map(|(s, o)| (roots[s.target], o)).collect();
        let slots: Vec<_> =
            sampled.slots.iter().zip(&openings).map(|(s, (root, _))| (*root, s.cell)).collect();
        let public = statement(class, &sampled.binding, &slots);
        let witness = Witness { binding: sampled.binding, openings };
        let (proof, held) = self.proofs.prove(class, &public, &witness);
        {
            let mut state = self.state();
            *(if held.is_ok() { &mut state.held } else { &mut state.false_statements }) += 1;
            if held.is_err() {
                state.drawn.entry(host.key()).or_default().insert(challenge.epoch);
            }
        }
        if let Some(real) = &self.real {
            real.round(&question, |tiny| {
                let (sampled, _) = draw(tree, tiny)?;
                let openings = self.open(host, source, &sampled, tiny.class.depth)?;
                Some((sampled, openings))
            });
        }
        let outcome = match (host.conduct, &held) {
            (Conduct::Honest | Conduct::Missigns, Err(_)) => Err(CannotProve::CellsUnavailable),
            (Conduct::Denies, Err(_)) => Err(CannotProve::ObjectUnknown),
            _ => Ok(proof),
        };
        Some((outcome, held.is_ok()))
    }
}

impl Hosts for Network {
    fn inventory(&self, host: &HostKey, epoch: u64) -> Result<SignedInventory, Unanswered> {
        let h = self.host(host)?;
        self.pass(&format!("inventory {epoch} {host}"))?;
        if h.conduct == Conduct::NoInventory && epoch > 1 {
            return Err(NoAnswer::Refused.into());
        }
        Ok(h.sign_inventory(epoch, h.tree(epoch), self.made_at(epoch)))
    }

    fn challenge(&self, host: &HostKey, challenge: &SignedChallenge) -> Result<(), Unanswered> {
        let h = self.host(host)?;
        let question = challenge.verify(self.auditor.as_bytes()).map_err(|_| NoAnswer::Refused)?;
        let digest = question.digest();
        self.pass(&format!("challenge {} {host}", question.epoch))?;
        if self.state().asked.contains_key(&(*host, digest)) {
            return Ok(());
        }
        // Taken, and forgotten by a restart.
        if self.pass(&format!("restart {} {host}", question.epoch)).is_err() {
            return Ok(());
        }
        let (outcome, held) = match h.conduct {
            Conduct::Silent => (None, true),
            _ => {
                let (outcome, held) = self.prove(h, &question).ok_or(NoAnswer::Refused)?;
                (Some(outcome), held)
            }
        };
        let outcome = outcome.filter(|_| held || h.conduct != Conduct::FallsSilent);
        let answer = outcome.map(|outcome| {
            let outcome = outcome.map(|proof| proof.to_vec());
            Signed::new(&Response { challenge: digest, outcome }, h.signing_key())
        });
        let asked = Asked { challenge: question, answer, held, polls: 0 };
        self.state().asked.insert((*host, digest), asked);
        Ok(())
    }

    fn poll(&self, host: &HostKey, challenge: &ChallengeDigest) -> Result<Poll, Unanswered> {
        let epoch = self.epoch_of(host, challenge)?;
        self.pass(&format!("poll {epoch} {host}"))?;
        if self.pass(&format!("job {epoch} {host}")).is_err() {
            return Ok(Poll::Failed);
        }
        let slow = self.faults.failures(&format!("slow {epoch} {host}"));
        let mut state = self.state();
        let asked = state.asked.get_mut(&(*host, *challenge)).ok_or(NoAnswer::Refused)?;
        asked.polls += 1;
        match &asked.answer {
            Some(answer) if asked.polls > slow => Ok(Poll::Answered(answer.clone())),
            _ => Ok(Poll::Pending(0.5)),
        }
    }

    fn openings(&self, host: &HostKey, challenge: &ChallengeDigest) -> Result<Openings, Unanswered> {
        let h = self.host(host)?;
        let epoch = self.epoch_of(host, challenge)?;
        self.pass(&format!("openings {epoch} {host}"))?;
        let asked = self.state().asked.get(&(*host, *challenge)).map(|a| (a.challenge.clone(), a.held));
        let (question, held) = asked.ok_or(NoAnswer::Refused)?;
        if h.conduct == Conduct::Withholds && !held {
            return Err(NoAnswer::Refused.into());
        }
        let (_, leaves) = draw(h.tree(epoch), &question).ok_or(NoAnswer::Refused)?;
        let shown = match (h.conduct, h.other_tree()) {
            (Conduct::TwoInventories { epoch: when }, Some(second)) if when == epoch => second,
            _ => h.tree(epoch),
        };
        let envelope = |name| h.object(name).map(|o| o.signed().clone());
        let mut envelopes: Vec<_> = leaves.iter().filter_map(|l| envelope(&l.leaf.name)).collect();
        if let (Conduct::Missigns, false, Some(last)) = (h.conduct, held, envelopes.last_mut()) {
            let body = last.decode_unverified().map_err(|_| NoAnswer::Refused)?;
            *last = Signed::new(&body, h.signing_key());
        }
        Ok(Openings { inventory: h.sign_inventory(epoch, shown, self.made_at(epoch)), leaves, envelopes })
    }

    fn probe(&self, host: &HostKey, envelope: &Envelope, block: u64) -> (ProbeOutcome, u64) {
        let name = envelope.name();
        let found = self.host(host).ok().and_then(|h| Some((h, h.object(&name)?)));
        let Some((h, object)) = found else { return (ProbeOutcome::Refused, 1) };
        let source = match h.conduct {
            Conduct::Relays(from) => self.hosts.get(&from).unwrap_or(h),
            _ => h,
        };
        let Some(bytes) = source.stored(&name) else { return (ProbeOutcome::Refused, 1) };
        let Ok(path) = object.tree().block_path(block) else { return (ProbeOutcome::Refused, 1) };
        let committed = envelope.commitment.as_ref().map(|c| c.root);
        match committed
            .map(|root| verify_block(&root, object.target().cells, envelope.body.size, block, bytes, &path))
        {
            Some(Ok(())) => (ProbeOutcome::Good, 1),
            _ => (ProbeOutcome::BadBytes, 1),
        }
    }
}
