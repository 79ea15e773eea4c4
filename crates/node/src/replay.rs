//! Protection against replayed requests that survives a restart (ADR 0004).
//!
//! Nonces of the window live in memory, bounded. What memory forgets at a crash is covered by a *floor* on disk: the
//! node makes durable that no request created at or below the floor will be accepted by a later process, *before* it
//! accepts one. The floor is reserved two seconds ahead, so it costs one small write per two seconds of traffic and
//! none per request.

mod floor;
#[cfg(test)]
mod tests;

use std::collections::{BTreeMap, HashSet};
use std::sync::{Mutex, MutexGuard, PoisonError};

use bailiwick_protocol::http_signature::{Verified, Window};

use crate::shares::{Capacity, NoPlace, Shares};

pub use floor::{FloorError, FloorFile};

/// Seconds the floor is reserved ahead.
pub const RESERVE_SECONDS: u64 = 2;

/// Clock window of the node. The future part is short because an accepted request from the future raises the floor that far.
pub const WINDOW: Window = Window { past: 60, future: 10 };

/// Seconds a client is told to wait, at most: more are due to a clock that was wrong and may be right any moment.
pub const RETRY_SECONDS_MAX: u64 = 60;

/// What to do with a request whose signature and key are good.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Admission {
    /// New; remembered.
    Accepted,
    /// Seen before.
    Replayed,
    /// Created at or before the restart floor, or before what was forgotten when the clock stood later: try again after this many seconds with a new signature.
    BelowFloor(u64),
    /// Like `BelowFloor`, and the floor is this many seconds ahead: the clock was ahead when requests were accepted or when the
    /// node was started, and stands further back now.
    FloorAhead(u64),
    /// No room to remember it, or none for this key; nothing is evicted.
    NoPlace(NoPlace),
    /// The node is stopping.
    Closed,
    /// First make a floor of at least this many seconds durable, then ask again.
    NeedsFloor(u64),
}

/// Key and nonce of an accepted request.
type Spent = ([u8; 32], [u8; 16]);

struct Nonces {
    /// By `created`.
    by_second: BTreeMap<u64, HashSet<Spent>>,
    /// How many of each key.
    shares: Shares,
    /// Highest `created` of a forgotten request, 0 for none: a clock that is set back does not revive it.
    forgotten: u64,
    /// No request created after this may be accepted yet.
    reserved: u64,
    /// Highest accepted `created`.
    accepted: u64,
    /// Nothing is accepted any more.
    closed: bool,
}

/// Memory of accepted requests.
pub struct Replay {
    floor: u64,
    state: Mutex<Nonces>,
}

impl Replay {
    /// Starts with what an earlier process left: `persisted` is its floor, `now` the start, in seconds since 1970-01-01 UTC.
    #[must_use]
    pub fn start(persisted: u64, now: u64, capacity: Capacity) -> Self {
        // The start second guards against a data folder put back from an older copy.
        let floor = persisted.max(now);
        let state = Nonces {
            by_second: BTreeMap::new(),
            shares: Shares::new(capacity),
            forgotten: 0,
            reserved: persisted,
            accepted: persisted,
            closed: false,
        };
        Self { floor, state: Mutex::new(state) }
    }

    fn lock(&self) -> MutexGuard<'_, Nonces> {
        // Every change below leaves the state whole, so a panic elsewhere does not spoil it.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Decides about a verified request whose `created` is in the window around `now`, the clock's time. `now` may run
    /// backwards and jump: what was accepted once is either remembered or at or below the highest forgotten second.
    pub fn admit(&self, request: &Verified, now: u64) -> Admission {
        let created = request.parameters.created;
        let mut state = self.lock();
        state.forget_before(now.saturating_sub(WINDOW.past));
        let floor = self.floor.max(state.forgotten);
        if created <= floor {
            let wait = (floor + 1).saturating_sub(now);
            return match self.ahead(now) {
                Some(seconds) => Admission::FloorAhead(seconds),
                None => Admission::BelowFloor(wait.clamp(1, RETRY_SECONDS_MAX)),
            };
        }
        let entry = (request.key, request.parameters.nonce);
        // A nonce is spent for its key, whatever `created` says.
        if state.by_second.values().any(|set| set.contains(&entry)) {
            return Admission::Replayed;
        }
        if state.closed {
            return Admission::Closed;
        }
        if let Err(why) = state.shares.check(&request.key) {
            return Admission::NoPlace(why);
        }
        if created > state.reserved {
            return Admission::NeedsFloor(created + RESERVE_SECONDS);
        }
        state.by_second.entry(created).or_default().insert(entry);
        state.shares.add(request.key);
        state.accepted = state.accepted.max(created);
        Admission::Accepted
    }

    /// By how many seconds the floor of the start is ahead of `now`, if that is more than a right clock leaves behind: nothing
    /// is accepted for that long.
    pub fn ahead(&self, now: u64) -> Option<u64> {
        let seconds = self.floor.saturating_sub(now);
        (seconds > RETRY_SECONDS_MAX).then_some(seconds)
    }

    /// The floor to make durable now, while requests come, so that those of the next second need not wait.
    pub fn renewal(&self, now: u64) -> Option<u64> {
        let state = self.lock();
        let in_use = state.accepted + 2 * RESERVE_SECONDS > now;
        (in_use && state.reserved <= now).then_some(now + RESERVE_SECONDS)
    }

    /// Whether requests created at `second` are covered by a durable floor.
    pub fn covers(&self, second: u64) -> bool {
        self.lock().reserved >= second
    }

    /// `floor` is durable.
    pub fn reserved(&self, floor: u64) {
        let mut state = self.lock();
        state.reserved = state.reserved.max(floor);
    }

    /// Ends acceptance and returns the lowest floor that is safe to leave behind.
    pub fn close(&self) -> u64 {
        let mut state = self.lock();
        state.closed = true;
        state.accepted
    }

    /// Nonces remembered.
    pub fn remembered(&self) -> usize {
        self.lock().shares.all()
    }
}

impl Nonces {
    /// Requests created before `second` are outside the window; should the clock be set back, `forgotten` keeps them out.
    fn forget_before(&mut self, second: u64) {
        while let Some(entry) = self.by_second.first_entry() {
            if *entry.key() >= second {
                break;
            }
            self.forgotten = self.forgotten.max(*entry.key());
            for (key, _) in entry.remove() {
                self.shares.remove(&key);
            }
        }
    }
}
