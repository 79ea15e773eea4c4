//! What the log of the trust anchors says, and who has seen it.

use std::collections::{BTreeMap, BTreeSet};

use bailiwick_protocol::dossier::Logged;
use bailiwick_translog::{Hash, LogPolicy, PolicyError, TlogProof, leaf_hash, verify_inclusion};

use crate::anchors::LogAnchor;
use crate::policy::LoggedTerms;
use crate::reasons::{Reason, ReasonCode};

/// That an entry is in the log, and by when enough witnesses had seen it there.
#[derive(Clone, Copy, Debug)]
pub(super) struct Seen {
    /// Milliseconds since 1970-01-01 UTC, by the clocks of the witnesses; the end of that second.
    pub(super) by_ms: u64,
}

/// A checkpoint that the log signed.
#[derive(Clone)]
struct Opened {
    size: u64,
    root: Hash,
    /// Moment by which a quorum had cosigned, and the last moment at which a quorum had.
    witnessed: Option<(u64, u64)>,
    found: usize,
}

/// The log's checkpoints in a dossier, each looked at once.
pub(super) struct Book {
    policy: Option<LogPolicy>,
    quorum: usize,
    opened: BTreeMap<[u8; 32], Result<Opened, String>>,
    roots: BTreeMap<u64, BTreeSet<[u8; 32]>>,
    newest: Option<(u64, u64)>,
}

impl Book {
    /// For the log of the anchors; the quorum is the policy's, or one witness where it has no terms.
    pub(super) fn new(anchor: Option<&LogAnchor>, terms: Option<&LoggedTerms>) -> Result<Self, PolicyError> {
        let quorum = terms.map_or(1, |t| usize::try_from(t.quorum).unwrap_or(usize::MAX));
        let policy = match anchor {
            Some(a) => {
                if terms.is_some() {
                    LogPolicy::new(a.key.clone(), a.witnesses.clone(), quorum)?;
                }
                // Opened without a quorum, so that what lacks witnesses is told apart from what the log never signed.
                Some(LogPolicy::new(a.key.clone(), a.witnesses.clone(), 0)?)
            }
            None => None,
        };
        Ok(Self { policy, quorum, opened: BTreeMap::new(), roots: BTreeMap::new(), newest: None })
    }

    /// Whether the entry is in the log, and by when.
    pub(super) fn check(&mut self, logged: &Logged) -> Result<Seen, Reason> {
        let refused = |text: String| Reason::new(ReasonCode::LogProofRefused, text);
        let Some(policy) = &self.policy else {
            return Err(Reason::new(
                ReasonCode::NoLogAnchored,
                "the trust anchors name no log, so nothing says whose log to believe",
            ));
        };
        let proof = TlogProof::parse(&logged.proof).map_err(|e| refused(e.to_string()))?;
        let key = *blake3::hash(&proof.checkpoint).as_bytes();
        let opened = self.opened.entry(key).or_insert_with(|| open(policy, self.quorum, &proof.checkpoint));
        let opened = opened.as_ref().map_err(|e| refused(e.clone()))?;
        self.roots.entry(opened.size).or_default().insert(opened.root.0);
        verify_inclusion(&leaf_hash(&logged.entry), proof.index, opened.size, &proof.path, &opened.root)
            .map_err(|e| refused(e.to_string()))?;
        let Some((by_ms, _)) = opened.witnessed else {
            return Err(Reason::new(
                ReasonCode::Unwitnessed,
                format!(
                    "unwitnessed: {} of the anchored witnesses have cosigned, {} are asked for",
                    opened.found, self.quorum
                ),
            ));
        };
        Ok(Seen { by_ms })
    }

    /// After the last entry: the newest checkpoint that a quorum had seen by then.
    pub(super) fn close(&mut self, now_ms: u64) {
        let witnessed = |o: &Opened| o.witnessed.map(|(_, last)| (last, o.size));
        let past = self.opened.values().flatten().filter_map(witnessed).filter(|(at, _)| *at <= now_ms);
        self.newest = past.max();
    }

    /// Moment and size of the newest checkpoint.
    pub(super) const fn newest(&self) -> Option<(u64, u64)> {
        self.newest
    }

    /// Until when the evidence speaks.
    pub(super) fn horizon(&self) -> u64 {
        self.newest.map_or(0, |(at, _)| at)
    }

    pub(super) const fn quorum(&self) -> usize {
        self.quorum
    }

    pub(super) const fn is_anchored(&self) -> bool {
        self.policy.is_some()
    }

    /// A size of which the log signed two roots.
    pub(super) fn split(&self) -> Option<u64> {
        self.roots.iter().find(|(_, roots)| roots.len() > 1).map(|(size, _)| *size)
    }
}

fn open(policy: &LogPolicy, quorum: usize, note: &[u8]) -> Result<Opened, String> {
    let (signed, cosignatures) = policy.open(note).map_err(|e| e.to_string())?;
    let mut times: Vec<u64> = cosignatures.iter().map(|c| c.time).collect();
    times.sort_unstable();
    let ms = |seconds: &u64| seconds.saturating_mul(1000);
    let first = quorum.checked_sub(1).and_then(|i| times.get(i)).map(|s| ms(s).saturating_add(999));
    let last = times.len().checked_sub(quorum).and_then(|i| times.get(i)).map(ms);
    let checkpoint = signed.checkpoint();
    Ok(Opened {
        size: checkpoint.size,
        root: checkpoint.root,
        witnessed: first.zip(last),
        found: times.len(),
    })
}
