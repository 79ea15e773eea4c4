//! The queue and what became of its jobs, in memory: after a restart the auditor asks the same challenge again.

use std::collections::{HashMap, VecDeque};
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};

use bailiwick_protocol::api::{Job, JobCost, JobState};
use bailiwick_protocol::challenge::Challenge;
use bailiwick_protocol::ids::{AuditorKey, ChallengeDigest};

use crate::shares::{Capacity, NoPlace, Shares};

/// Finished jobs remembered; a response is about 300 bytes.
const FINISHED_MAX: usize = 1024;

/// Where the answer of a known job is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum AnswerState {
    Ready(Vec<u8>),
    Unfinished,
    Failed,
}

struct Entry {
    auditor: AuditorKey,
    job: Job,
    response: Option<Vec<u8>>,
    /// Of a challenge over an inventory, which is small: its openings are made from it when they are asked for.
    over_inventory: Option<Challenge>,
}

struct State {
    waiting: VecDeque<(ChallengeDigest, Challenge)>,
    /// Places in `waiting`, by auditor.
    shares: Shares,
    /// Jobs begun so far.
    turns: u64,
    /// The turn each auditor's last job was begun at. As long as the configuration's list of auditors.
    served: HashMap<AuditorKey, u64>,
    entries: HashMap<ChallengeDigest, Entry>,
    /// Oldest first.
    finished: VecDeque<ChallengeDigest>,
}

pub(crate) struct Jobs {
    state: Mutex<State>,
    changed: Condvar,
}

impl Jobs {
    pub(crate) fn new(capacity: Capacity) -> Self {
        let state = State {
            waiting: VecDeque::new(),
            shares: Shares::new(capacity),
            turns: 0,
            served: HashMap::new(),
            entries: HashMap::new(),
            finished: VecDeque::new(),
        };
        Self { state: Mutex::new(state), changed: Condvar::new() }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn submit(&self, challenge: Challenge) -> Result<Job, NoPlace> {
        let id = challenge.digest();
        let mut state = self.lock();
        // A failed job may be tried again: the same challenge, so the same cells.
        if let Some(entry) = state.entries.get(&id).filter(|e| e.job.state != JobState::Failed) {
            return Ok(entry.job.clone());
        }
        state.shares.check(&challenge.auditor.0)?;
        state.shares.add(challenge.auditor.0);
        let job = Job { id, state: JobState::Queued, progress: 0.0, cost: JobCost::default() };
        state.finished.retain(|f| *f != id);
        let over_inventory = challenge.inventory.is_some().then(|| challenge.clone());
        let entry = Entry { auditor: challenge.auditor, job: job.clone(), response: None, over_inventory };
        state.entries.insert(id, entry);
        state.waiting.push_back((id, challenge));
        self.changed.notify_all();
        Ok(job)
    }

    /// The next job: the oldest of the auditor whose last one was begun longest ago, or never; so an auditor waits for at
    /// most one job of each other, however many they have waiting. Waits for a job; `None` once `stopped`.
    pub(crate) fn next(&self, stopped: impl Fn() -> bool) -> Option<(ChallengeDigest, Challenge)> {
        let mut state = self.lock();
        loop {
            if stopped() {
                return None;
            }
            let turn_of = |c: &Challenge| state.served.get(&c.auditor).copied().unwrap_or(0);
            // The first of equals: the oldest.
            let due = state.waiting.iter().enumerate().min_by_key(|(_, (_, c))| turn_of(c)).map(|(at, _)| at);
            if let Some(next) = due.and_then(|at| state.waiting.remove(at)) {
                state.shares.remove(&next.1.auditor.0);
                state.turns += 1;
                let turn = state.turns;
                state.served.insert(next.1.auditor, turn);
                return Some(next);
            }
            state = self.changed.wait(state).unwrap_or_else(PoisonError::into_inner);
        }
    }

    pub(crate) fn wake(&self) {
        // Under the lock, so that a thread between its check and its wait is not missed.
        let _state = self.lock();
        self.changed.notify_all();
    }

    pub(crate) fn get(&self, id: &ChallengeDigest) -> Option<Job> {
        self.lock().entries.get(id).map(|e| e.job.clone())
    }

    pub(crate) fn over_inventory(&self, id: &ChallengeDigest) -> Option<Challenge> {
        self.lock().entries.get(id).and_then(|e| e.over_inventory.clone())
    }

    pub(crate) fn answer(&self, id: &ChallengeDigest) -> Option<AnswerState> {
        self.lock().entries.get(id).map(|e| match (&e.response, e.job.state) {
            (Some(bytes), _) => AnswerState::Ready(bytes.clone()),
            (None, JobState::Failed) => AnswerState::Failed,
            (None, _) => AnswerState::Unfinished,
        })
    }

    pub(crate) fn unfinished(&self) -> usize {
        let state = self.lock();
        state.entries.len() - state.finished.len()
    }

    pub(crate) fn update(&self, id: &ChallengeDigest, state: JobState, progress: f64, cost: JobCost) {
        if let Some(entry) = self.lock().entries.get_mut(id) {
            entry.job = Job { id: *id, state, progress, cost };
        }
    }

    pub(crate) fn finish(
        &self,
        id: &ChallengeDigest,
        end: JobState,
        response: Option<Vec<u8>>,
        cost: JobCost,
    ) {
        let mut state = self.lock();
        if let Some(entry) = state.entries.get_mut(id) {
            entry.job = Job { id: *id, state: end, progress: 1.0, cost };
            entry.response = response;
            state.finished.push_back(*id);
        }
        while state.finished.len() > FINISHED_MAX {
            state.forget_one();
        }
    }
}

impl State {
    /// Forgets the oldest finished job: of the auditor who has more than half of them, if there is one.
    fn forget_one(&mut self) {
        let auditor = |id| self.entries.get(id).map(|e| e.auditor);
        let mut counts = HashMap::new();
        for id in &self.finished {
            *counts.entry(auditor(id)).or_insert(0_usize) += 1;
        }
        let most = counts.into_iter().find(|(_, n)| *n > FINISHED_MAX / 2).map(|(whose, _)| whose);
        let at = self.finished.iter().position(|id| most.is_none_or(|m| m == auditor(id))).unwrap_or(0);
        if let Some(id) = self.finished.remove(at) {
            self.entries.remove(&id);
        }
    }
}

#[cfg(test)]
mod tests {
    use bailiwick_protocol::ids::{ClassId, HostKey, Nonce, VkDigest};

    use super::*;

    fn challenge(auditor: u8, nonce: u32) -> Challenge {
        let mut bytes = [0; 32];
        bytes[..4].copy_from_slice(&nonce.to_le_bytes());
        Challenge {
            class: ClassId::TINY,
            vk: VkDigest([0; 32]),
            host: HostKey([0; 32]),
            targets: Vec::new(),
            inventory: None,
            epoch: 0,
            beacon: None,
            auditor: AuditorKey([auditor; 32]),
            nonce: Nonce(bytes),
        }
    }

    /// A15: an auditor that floods the queue gets its share of it; another still gets in, and is next.
    #[test]
    fn a15_one_auditor_does_not_fill_the_queue() {
        let jobs = Jobs::new(Capacity { total: 8, each: 4 });
        let begin = || jobs.next(|| false).unwrap().1.auditor.0[0];
        for nonce in 0..4 {
            jobs.submit(challenge(1, nonce)).unwrap();
        }
        assert_eq!(jobs.submit(challenge(1, 4)), Err(NoPlace::KeyShare));
        assert!(
            jobs.submit(challenge(1, 3)).is_ok(),
            "the same challenge is the same job and takes no place"
        );
        assert_eq!(begin(), 1);
        jobs.submit(challenge(2, 0)).unwrap();
        jobs.submit(challenge(2, 1)).unwrap();
        assert_eq!([begin(), begin(), begin(), begin(), begin()], [2, 1, 2, 1, 1], "in turns");
        jobs.submit(challenge(1, 5)).unwrap();
        for auditor in [2, 3] {
            for nonce in 10..14 {
                jobs.submit(challenge(auditor, nonce)).ok();
            }
        }
        assert_eq!(jobs.submit(challenge(4, 0)), Err(NoPlace::Full));
    }

    /// A15: two auditors that keep their queues full do not delay a third by those queues: it is next.
    #[test]
    fn a15_two_floods_delay_a_third_auditor_by_no_queue() {
        let jobs = Jobs::new(Capacity { total: 64, each: 20 });
        let begin = || jobs.next(|| false).unwrap().1.auditor.0[0];
        for nonce in 0..10 {
            for flood in [1, 2] {
                jobs.submit(challenge(flood, nonce)).unwrap();
            }
        }
        assert_eq!([begin(), begin(), begin(), begin()], [1, 2, 1, 2]);
        for nonce in 0..2 {
            jobs.submit(challenge(3, nonce)).unwrap();
        }
        // Refilled meanwhile.
        for flood in [1, 2] {
            jobs.submit(challenge(flood, 100)).unwrap();
        }
        let turns: Vec<_> = (0..6).map(|_| begin()).collect();
        assert_eq!(turns, [3, 1, 2, 3, 1, 2], "at most one job of each other auditor before its own");
    }

    /// A15: answers of one auditor are not flushed by another's flood.
    #[test]
    fn a15_one_auditor_does_not_flush_the_answers_of_another() {
        let jobs = Jobs::new(Capacity { total: 2, each: 2 });
        let run = |auditor, nonce| {
            let id = jobs.submit(challenge(auditor, nonce)).unwrap().id;
            jobs.next(|| false).unwrap();
            jobs.finish(&id, JobState::Done, Some(vec![auditor]), JobCost::default());
            id
        };
        let honest = run(2, 0);
        let first = run(1, 0);
        let flood = u32::try_from(FINISHED_MAX).unwrap();
        (1..flood + 10).for_each(|nonce| {
            run(1, nonce);
        });
        assert_eq!(jobs.answer(&honest), Some(AnswerState::Ready(vec![2])));
        assert_eq!(jobs.answer(&first), None, "bounded all the same");
        assert_eq!(jobs.unfinished(), 0);
    }
}
