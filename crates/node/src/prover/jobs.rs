//! The queue and what became of its jobs, in memory: after a restart the auditor asks the same challenge again.

use std::collections::{HashMap, VecDeque};
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};

use bailiwick_protocol::api::{Job, JobCost, JobState};
use bailiwick_protocol::challenge::Challenge;
use bailiwick_protocol::ids::ChallengeDigest;

/// Finished jobs remembered; a response is about 300 bytes.
const FINISHED_MAX: usize = 1024;

/// The queue is full.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Full;

/// Where the answer of a known job is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum AnswerState {
    Ready(Vec<u8>),
    Unfinished,
    Failed,
}

struct Entry {
    job: Job,
    response: Option<Vec<u8>>,
}

#[derive(Default)]
struct State {
    waiting: VecDeque<(ChallengeDigest, Challenge)>,
    entries: HashMap<ChallengeDigest, Entry>,
    /// Oldest first.
    finished: VecDeque<ChallengeDigest>,
}

pub(crate) struct Jobs {
    capacity: usize,
    state: Mutex<State>,
    changed: Condvar,
}

impl Jobs {
    pub(crate) fn new(capacity: usize) -> Self {
        Self { capacity, state: Mutex::new(State::default()), changed: Condvar::new() }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn submit(&self, challenge: Challenge) -> Result<Job, Full> {
        let id = challenge.digest();
        let mut state = self.lock();
        // A failed job may be tried again: the same challenge, so the same cells.
        if let Some(entry) = state.entries.get(&id).filter(|e| e.job.state != JobState::Failed) {
            return Ok(entry.job.clone());
        }
        if state.waiting.len() >= self.capacity {
            return Err(Full);
        }
        let job = Job { id, state: JobState::Queued, progress: 0.0, cost: JobCost::default() };
        state.finished.retain(|f| *f != id);
        state.entries.insert(id, Entry { job: job.clone(), response: None });
        state.waiting.push_back((id, challenge));
        self.changed.notify_all();
        Ok(job)
    }

    /// The next job; waits for one. `None` once `stopped`.
    pub(crate) fn next(&self, stopped: impl Fn() -> bool) -> Option<(ChallengeDigest, Challenge)> {
        let mut state = self.lock();
        loop {
            if stopped() {
                return None;
            }
            if let Some(next) = state.waiting.pop_front() {
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
            *entry = Entry { job: Job { id: *id, state: end, progress: 1.0, cost }, response };
            state.finished.push_back(*id);
        }
        while state.finished.len() > FINISHED_MAX {
            if let Some(oldest) = state.finished.pop_front() {
                state.entries.remove(&oldest);
            }
        }
    }
}
