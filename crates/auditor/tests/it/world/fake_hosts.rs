//! Hosts that behave and hosts that do not.

use std::collections::BTreeMap;
use std::panic::panic_any;
use std::sync::atomic::Ordering::SeqCst;
use std::sync::{Arc, Mutex};

use bailiwick_auditor::{Clock, Hosts, Poll, Unanswered};
use bailiwick_possession::inventory::InventoryTree;
use bailiwick_protocol::bundle::{NoAnswer, ProbeOutcome};
use bailiwick_protocol::challenge::{CannotProve, Response, SignedChallenge, Target};
use bailiwick_protocol::envelope::{BodyInfo, CellCommitment, Envelope, SignedEnvelope};
use bailiwick_protocol::ids::{
    CellRoot, ChallengeDigest, ContentId, HostKey, ObjectId, OwnerKey, Unit, UnitName,
};
use bailiwick_protocol::inventory::{Inventory, LeafOpening, Openings, SignedInventory};
use bailiwick_protocol::signing::{Signed, SigningKey};

use super::{Crash, FakeClock, Fuse, ROUND_MS, SharedLog, key};

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Manner {
    Honest,
    /// Gives no inventory.
    NoInventory(NoAnswer),
    /// Every question about a challenge is refused.
    Refuses,
    /// Does not take the challenge before this time.
    SilentUntil(u64),
    /// Takes until this time to answer.
    SlowUntil(u64),
    /// The first job fails.
    FailsOnce,
    CannotProve,
    GetFails(ProbeOutcome),
    /// Opens leaves of another inventory, which it has signed as well.
    Equivocates,
    /// Openings never come.
    NoOpenings,
    /// No openings before this time.
    OpeningsFrom(u64),
    /// Refuses the challenge, or its inventory if the time is before the round, until this time, and asks to be left alone for so many milliseconds.
    Busy(u64, u64),
    /// The adapter that asks it panics, at the challenge or at its inventory.
    Panics(bool),
    /// Takes until this time to answer, and eight seconds for each block.
    Stalls(u64),
    /// Opens one leaf less than was sampled, or one more.
    WrongLeaves,
    /// Opens the right leaves, with envelopes that their owner did not sign.
    ForeignEnvelopes,
    /// Opens the right leaves, one envelope short.
    FewEnvelopes,
    /// Gives the inventory of another epoch.
    WrongEpoch,
    /// Gives an inventory that another host signed.
    ForeignInventory,
    /// Answers with a response to another challenge.
    Replays,
    /// Answers with a response that another key signed.
    ForeignAnswer,
}

struct Host {
    key: SigningKey,
    tree: InventoryTree,
    envelopes: BTreeMap<UnitName, SignedEnvelope>,
    manner: Manner,
}

pub(crate) struct FakeHosts {
    hosts: BTreeMap<HostKey, Host>,
    fuse: Arc<Fuse>,
    clock: Arc<FakeClock>,
    log: SharedLog,
    /// Every challenge ever handed over, with the time and the log's size then.
    pub(crate) seen: Mutex<Vec<(HostKey, SignedChallenge, u64, usize)>>,
    /// When inventories and openings were asked for.
    pub(crate) inventories_at: Mutex<Vec<u64>>,
    pub(crate) openings_at: Mutex<Vec<u64>>,
}

fn envelope(owner: &SigningKey, number: u8, size: u64) -> (Target, SignedEnvelope) {
    let mut root = [0; 32];
    root[0] = number;
    let envelope = Envelope {
        suite: bailiwick_protocol::envelope::SUITE,
        owner: OwnerKey(owner.public()),
        object: ObjectId([number; 16]),
        unit: Unit::WHOLE,
        body: BodyInfo {
            format: bailiwick_protocol::envelope::BODY_FORMAT_COBBLESTONE_256,
            salt: [1; 24],
            key_commitment: [2; 32],
            size,
            blake3: ContentId([number; 32]),
        },
        further_commitments: Vec::new(),
        shards: None,
        passphrase: None,
        custody: None,
        policy: None,
        commitment: Some(CellCommitment { root: CellRoot(root), cells: size.div_ceil(496) }),
        generation: 1,
        recipients: Vec::new(),
    };
    (Target::of(&envelope).unwrap(), Signed::new(&envelope, owner))
}

fn host(seed: u8, manner: Manner) -> Host {
    let owner = key(200);
    let (targets, envelopes): (Vec<_>, Vec<_>) =
        (1..=5).map(|i| envelope(&owner, i, 100_000 * u64::from(i) + u64::from(seed))).unzip();
    let envelopes = targets.iter().map(|t| t.name).zip(envelopes).collect();
    Host { key: key(seed), tree: InventoryTree::new(targets).unwrap(), envelopes, manner }
}

fn busy(pause_ms: u64) -> Unanswered {
    Unanswered { why: NoAnswer::Refused, retry_after_ms: Some(pause_ms) }
}

impl FakeHosts {
    /// Hosts with keys of seeds 1, 2, ..
    pub(super) fn new(manners: &[Manner], fuse: &Arc<Fuse>, clock: &Arc<FakeClock>, log: &SharedLog) -> Self {
        let hosts = (1..)
            .zip(manners)
            .map(|(seed, manner)| (HostKey(key(seed).public()), host(seed, *manner)))
            .collect();
        Self {
            hosts,
            fuse: Arc::clone(fuse),
            clock: Arc::clone(clock),
            log: log.clone(),
            seen: Mutex::default(),
            inventories_at: Mutex::default(),
            openings_at: Mutex::default(),
        }
    }

    pub(super) fn keys(&self) -> impl Iterator<Item = &HostKey> {
        self.hosts.keys()
    }

    fn inventory_of(host: &Host, epoch: u64, made_unix_ms: u64) -> SignedInventory {
        let target = host.tree.target();
        let inventory = Inventory {
            host: HostKey(host.key.public()),
            epoch,
            root: target.root,
            leaves: target.leaves,
            cells: target.cells,
            made_unix_ms,
        };
        Signed::new(&inventory, &host.key)
    }

    fn challenge_of(&self, digest: &ChallengeDigest) -> Option<SignedChallenge> {
        let seen = self.seen.lock().unwrap();
        let found = seen.iter().find(|(_, c, ..)| c.decode_unverified().unwrap().digest() == *digest);
        found.map(|(_, c, ..)| c.clone())
    }

    /// How often each challenge was handed over.
    pub(crate) fn asked(&self, host: u8) -> Vec<ChallengeDigest> {
        let host = HostKey(key(host).public());
        let seen = self.seen.lock().unwrap();
        let of = seen.iter().filter(|(h, ..)| *h == host);
        of.map(|(_, c, ..)| c.decode_unverified().unwrap().digest()).collect()
    }
}

impl Hosts for FakeHosts {
    fn inventory(&self, host: &HostKey, epoch: u64) -> Result<SignedInventory, Unanswered> {
        self.fuse.moment();
        let host = &self.hosts[host];
        let now = self.clock.now_ms();
        self.inventories_at.lock().unwrap().push(now);
        match host.manner {
            Manner::NoInventory(why) => Err(why.into()),
            Manner::Busy(until, pause) if until < ROUND_MS && now < until => Err(busy(pause)),
            Manner::Panics(true) => panic_any(Crash),
            Manner::WrongEpoch => Ok(Self::inventory_of(host, epoch + 1, 5)),
            Manner::ForeignInventory => {
                let of = Self::inventory_of(host, epoch, 5).decode_unverified().unwrap();
                Ok(Signed::new(&of, &key(251)))
            }
            _ => Ok(Self::inventory_of(host, epoch, 5)),
        }
    }

    fn challenge(&self, host: &HostKey, challenge: &SignedChallenge) -> Result<(), Unanswered> {
        self.fuse.moment();
        let now = self.clock.now_ms();
        self.seen.lock().unwrap().push((*host, challenge.clone(), now, self.log.entries().len()));
        self.fuse.moment();
        match self.hosts[host].manner {
            Manner::Refuses => Err(NoAnswer::Refused.into()),
            Manner::SilentUntil(ms) if now < ms => Err(NoAnswer::TimedOut.into()),
            Manner::Busy(until, pause) if now < until => Err(busy(pause)),
            Manner::Panics(false) => panic_any(Crash),
            _ => Ok(()),
        }
    }

    fn poll(&self, host: &HostKey, digest: &ChallengeDigest) -> Result<Poll, Unanswered> {
        self.fuse.moment();
        let times = self.asked_times(host, digest);
        let Some(challenge) = self.challenge_of(digest) else { return Err(NoAnswer::Refused.into()) };
        let host = &self.hosts[host];
        let mut response = Response { challenge: *digest, outcome: Ok(vec![9; 128]) };
        let mut signer = &host.key;
        let stranger = key(250);
        match host.manner {
            Manner::SlowUntil(ms) | Manner::Stalls(ms) if self.clock.now_ms() < ms => {
                return Ok(Poll::Pending(0.5));
            }
            Manner::FailsOnce if times < 2 => return Ok(Poll::Failed),
            Manner::CannotProve => response.outcome = Err(CannotProve::CellsUnavailable),
            Manner::Replays => response.challenge = ChallengeDigest([3; 32]),
            Manner::ForeignAnswer => signer = &stranger,
            _ => {}
        }
        assert!(challenge.verify(&key(100).public()).is_ok());
        Ok(Poll::Answered(Signed::new(&response, signer)))
    }

    fn openings(&self, host: &HostKey, digest: &ChallengeDigest) -> Result<Openings, Unanswered> {
        self.fuse.moment();
        let host = &self.hosts[host];
        let challenge = self.challenge_of(digest).ok_or(NoAnswer::Refused)?.decode_unverified().unwrap();
        let now = self.clock.now_ms();
        self.openings_at.lock().unwrap().push(now);
        let made_ms = match host.manner {
            Manner::OpeningsFrom(ms) if now < ms => return Err(NoAnswer::Refused.into()),
            Manner::NoOpenings => return Err(NoAnswer::Refused.into()),
            Manner::Equivocates => 6,
            _ => 5,
        };
        let mut leaves = host.tree.sample(&challenge).unwrap();
        if host.manner == Manner::WrongLeaves {
            let all = (0..host.tree.leaves().len() as u64).map(|i| host.tree.open(i).unwrap());
            leaves =
                if leaves.len() == host.tree.leaves().len() { leaves.split_off(1) } else { all.collect() };
        }
        if host.manner == Manner::ForeignEnvelopes {
            let foreign = |l: &LeafOpening| {
                Signed::new(&host.envelopes[&l.leaf.name].decode_unverified().unwrap(), &key(252))
            };
            let envelopes = leaves.iter().map(foreign).collect();
            return Ok(Openings {
                inventory: Self::inventory_of(host, challenge.epoch, made_ms),
                leaves,
                envelopes,
            });
        }
        let shown = leaves.len() - usize::from(host.manner == Manner::FewEnvelopes);
        let envelopes = leaves[..shown].iter().map(|l| host.envelopes[&l.leaf.name].clone()).collect();
        Ok(Openings { inventory: Self::inventory_of(host, challenge.epoch, made_ms), leaves, envelopes })
    }

    fn probe(&self, host: &HostKey, _: &Envelope, _: u64) -> (ProbeOutcome, u64) {
        self.fuse.moment();
        match self.hosts[host].manner {
            Manner::GetFails(outcome) => (outcome, 7),
            Manner::Stalls(_) => {
                self.clock.0.fetch_add(8000, SeqCst);
                (ProbeOutcome::TimedOut, 8000)
            }
            _ => (ProbeOutcome::Good, 7),
        }
    }
}

impl FakeHosts {
    fn asked_times(&self, host: &HostKey, digest: &ChallengeDigest) -> usize {
        let seen = self.seen.lock().unwrap();
        seen.iter()
            .filter(|(h, c, ..)| h == host && c.decode_unverified().unwrap().digest() == *digest)
            .count()
    }
}
