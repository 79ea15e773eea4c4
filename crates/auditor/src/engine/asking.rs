//! Questions to hosts: handed out as tasks, done anywhere, their reports taken back.

use std::sync::Arc;

use bailiwick_protocol::bundle::{Answer, NoAnswer, ProbeOutcome};
use bailiwick_protocol::challenge::{SignedChallenge, SignedResponse};
use bailiwick_protocol::envelope::Envelope;
use bailiwick_protocol::ids::{ChallengeDigest, HostKey};
use bailiwick_protocol::inventory::{Openings, SignedInventory};

use super::deadlines::over_ms;
use super::evidence::Gathered;
use super::{Engine, EngineError};
use crate::pace::Moments;
use crate::ports::{Clock, Hosts, Poll, Unanswered};
use crate::record::Record;

/// One question to one host.
#[derive(Clone, Debug)]
pub struct Task {
    pub(super) epoch: u64,
    pub(super) host: HostKey,
    pub(super) question: Question,
}

impl Task {
    /// The host it goes to.
    #[must_use]
    pub const fn host(&self) -> HostKey {
        self.host
    }
}

#[derive(Clone, Debug)]
pub(super) enum Question {
    Inventory,
    Challenge(SignedChallenge),
    Poll(ChallengeDigest),
    Openings(ChallengeDigest, Box<SignedChallenge>),
    /// Index into the bundle's envelopes, the envelope, the block; and until when the second and later ones are asked for.
    Probes(Vec<(u32, Arc<Envelope>, u64)>, u64),
}

/// What came of a task.
#[derive(Debug)]
pub struct Report {
    epoch: u64,
    host: HostKey,
    at_ms: u64,
    said: Said,
}

#[derive(Debug)]
enum Said {
    Inventory(Result<SignedInventory, Unanswered>),
    Challenge(Result<(), Unanswered>),
    Poll(Result<Poll, Unanswered>),
    Openings(Box<Result<Openings, Unanswered>>),
    Probes(Vec<(ProbeOutcome, u64)>),
}

/// Asks. May block for as long as the port does; touches no state.
pub fn perform(hosts: &dyn Hosts, clock: &dyn Clock, task: &Task) -> Report {
    let host = &task.host;
    let said = match &task.question {
        Question::Inventory => Said::Inventory(hosts.inventory(host, task.epoch)),
        Question::Challenge(challenge) => Said::Challenge(hosts.challenge(host, challenge)),
        Question::Poll(digest) => Said::Poll(hosts.poll(host, digest)),
        Question::Openings(digest, challenge) => {
            // A host that has restarted has forgotten the question: the same one again brings it back.
            let again = |_| hosts.challenge(host, challenge).and_then(|()| hosts.openings(host, digest));
            Said::Openings(Box::new(hosts.openings(host, digest).or_else(again)))
        }
        Question::Probes(blocks, until_ms) => {
            let mut outcomes = Vec::new();
            for (_, envelope, block) in blocks {
                // A host that is slow with each of many blocks must not make the outcome late.
                if !outcomes.is_empty() && clock.now_ms() >= *until_ms {
                    break;
                }
                outcomes.push(hosts.probe(host, envelope, *block));
            }
            Said::Probes(outcomes)
        }
    };
    Report { epoch: task.epoch, host: *host, at_ms: clock.now_ms(), said }
}

impl Report {
    /// Of a task that ended without one: nothing came of it.
    pub(crate) fn lost(task: &Task, clock: &dyn Clock) -> Self {
        let nothing = Unanswered::from(NoAnswer::Unreachable);
        let said = match &task.question {
            Question::Inventory => Said::Inventory(Err(nothing)),
            Question::Challenge(_) => Said::Challenge(Err(nothing)),
            Question::Poll(_) => Said::Poll(Err(nothing)),
            Question::Openings(..) => Said::Openings(Box::new(Err(nothing))),
            Question::Probes(..) => Said::Probes(Vec::new()),
        };
        Self { epoch: task.epoch, host: task.host, at_ms: clock.now_ms(), said }
    }
}

/// How far the questions to one host in one epoch are. In memory only: after a restart everything is asked again.
#[derive(Debug, Default)]
pub(super) struct Work {
    pub(super) in_flight: bool,
    pub(super) not_before_ms: u64,
    /// When this engine first asked for the inventory.
    pub(super) wanted_ms: Option<u64>,
    /// When this engine first asked for the answer, or for what belongs to it.
    pub(super) first_ms: Option<u64>,
    /// The host has taken the challenge.
    sent: bool,
    /// A question about the answer has come back since this engine began.
    pub(super) attempted: bool,
    pub(super) last: Option<NoAnswer>,
    pub(super) gathered: Gathered,
}

impl Engine {
    /// Questions that are due. Each must come back as a [`Report`], or the host is not asked again.
    pub fn tasks(&mut self, now_ms: u64) -> Vec<Task> {
        let mut tasks = Vec::new();
        for epoch in self.open_epochs(now_ms) {
            let Ok(moments) = self.moments(epoch) else { continue };
            let hosts: Vec<HostKey> = self.campaign.schedule.hosts.iter().map(|h| h.host).collect();
            for host in hosts {
                let work = self.work.entry((epoch, host)).or_default();
                if work.in_flight || now_ms < work.not_before_ms {
                    continue;
                }
                if let Some(question) = self.question(epoch, host, &moments, now_ms) {
                    let work = self.work.entry((epoch, host)).or_default();
                    work.in_flight = true;
                    match &question {
                        Question::Inventory => _ = work.wanted_ms.get_or_insert(now_ms),
                        Question::Challenge(_) | Question::Openings(..) => {
                            work.first_ms.get_or_insert(now_ms);
                        }
                        Question::Poll(_) | Question::Probes(..) => {}
                    }
                    tasks.push(Task { epoch, host, question });
                }
            }
        }
        tasks
    }

    fn question(&self, epoch: u64, host: HostKey, moments: &Moments, now_ms: u64) -> Option<Question> {
        let e = self.campaign.epochs.get(&epoch);
        let work = self.work.get(&(epoch, host))?;
        if e.is_none_or(|e| e.commitment.is_none()) {
            let wanted = e.is_none_or(|e| !e.inventories.contains_key(&host));
            // Also before the schedule is logged: the host's word binds it from now on.
            return (wanted && now_ms < moments.round_ms).then_some(Question::Inventory);
        }
        let audit = e?.audits.get(&host)?;
        match (&audit.answer, &audit.bundle) {
            (_, Some(_)) => None,
            (None, None) if work.sent => Some(Question::Poll(audit.digest)),
            (None, None) => Some(Question::Challenge(audit.challenge.clone())),
            (Some((answer, _)), None) => work.gathered.question(answer, audit, over_ms(moments, work)),
        }
    }

    /// Takes a report back.
    ///
    /// # Errors
    /// `EngineError`.
    pub fn settle(&mut self, report: Report) -> Result<(), EngineError> {
        let Report { epoch, host, at_ms, said } = report;
        if let Some(work) = self.work.get_mut(&(epoch, host)) {
            work.in_flight = false;
        }
        match said {
            Said::Inventory(given) => self.settle_inventory(epoch, host, given, at_ms),
            Said::Challenge(taken) => {
                match taken {
                    Ok(()) => self.work_of(epoch, host).sent = true,
                    Err(none) => self.failed(epoch, host, none, at_ms),
                }
                Ok(())
            }
            Said::Poll(Ok(Poll::Pending(_))) => {
                let pause = self.pace.poll_ms;
                let work = self.work_of(epoch, host);
                (work.not_before_ms, work.last) = (at_ms + pause, Some(NoAnswer::TimedOut));
                work.attempted = true;
                Ok(())
            }
            Said::Poll(Ok(Poll::Answered(response))) => self.settle_answer(epoch, host, response, at_ms),
            Said::Poll(Ok(Poll::Failed)) => {
                self.failed(epoch, host, NoAnswer::Refused.into(), at_ms);
                Ok(())
            }
            Said::Poll(Err(none)) => {
                self.failed(epoch, host, none, at_ms);
                Ok(())
            }
            Said::Openings(given) => self.settle_openings(epoch, host, *given, at_ms),
            Said::Probes(outcomes) => {
                self.work_of(epoch, host).gathered.probed(&outcomes);
                Ok(())
            }
        }
    }

    pub(super) fn work_of(&mut self, epoch: u64, host: HostKey) -> &mut Work {
        self.work.entry((epoch, host)).or_default()
    }

    /// The same question again, after a pause.
    pub(super) fn failed(&mut self, epoch: u64, host: HostKey, none: Unanswered, at_ms: u64) {
        let again_ms = self.again_ms(epoch, host, none.retry_after_ms, at_ms);
        let work = self.work_of(epoch, host);
        work.not_before_ms = again_ms;
        work.sent = false;
        work.attempted = true;
        work.last = Some(none.why);
    }

    fn settle_inventory(
        &mut self,
        epoch: u64,
        host: HostKey,
        given: Result<SignedInventory, Unanswered>,
        at_ms: u64,
    ) -> Result<(), EngineError> {
        let committed =
            self.campaign.epochs.get(&epoch).is_some_and(|e| e.finished || e.commitment.is_some());
        if committed {
            // Too late: the commitment says that nothing came.
            return Ok(());
        }
        // What is not this host's inventory of this epoch is an answer with nothing in it.
        let mine = |signed: &SignedInventory| {
            signed.verify(host.as_bytes()).is_ok_and(|i| i.host == host && i.epoch == epoch)
        };
        match given {
            Ok(inventory) if mine(&inventory) => {
                self.silence.remove(&(epoch, host));
                self.record(&Record::Inventory { epoch, host, inventory })
            }
            other => {
                let none = other.err().unwrap_or(NoAnswer::Refused.into());
                self.silence.insert((epoch, host), none.why);
                self.failed(epoch, host, none, at_ms);
                Ok(())
            }
        }
    }

    fn settle_answer(
        &mut self,
        epoch: u64,
        host: HostKey,
        response: SignedResponse,
        at_ms: u64,
    ) -> Result<(), EngineError> {
        let Some(audit) = self.campaign.epochs.get(&epoch).and_then(|e| e.audits.get(&host)) else {
            return Ok(());
        };
        if audit.answer.is_some() {
            return Ok(());
        }
        // Only what this host signed for this challenge is an answer: with anything else, whoever holds an old answer
        // could frame the host.
        if !response.verify(host.as_bytes()).is_ok_and(|r| r.challenge == audit.digest) {
            self.failed(epoch, host, NoAnswer::Refused.into(), at_ms);
            return Ok(());
        }
        let at_ms = at_ms.max(audit.asked_ms);
        self.record(&Record::Answered { epoch, host, answer: Answer::Response(response), at_ms })
    }
}
