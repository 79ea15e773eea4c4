//! Ports in memory: hosts that behave and hosts that do not, a log, a beacon, a clock, and a fuse that ends the auditor at
//! a chosen moment.

use std::collections::BTreeMap;
use std::panic::{AssertUnwindSafe, catch_unwind, panic_any};
use std::sync::atomic::{AtomicI64, AtomicU64, Ordering::SeqCst};
use std::sync::{Arc, Mutex, Once};

use bailiwick_auditor::{
    Beacon, Clock, Engine, EngineError, Entropy, Fault, Hosts, Journal, JournalError, Log, MemoryJournal,
    NoEntropy, Pace, Page, Poll, Ports, Proof, Purpose, Record, Unanswered, perform,
};
use bailiwick_beacon::{BeaconRound, BeaconVerifier};
use bailiwick_possession::inventory::InventoryTree;
use bailiwick_protocol::bundle::{NoAnswer, ProbeOutcome};
use bailiwick_protocol::challenge::{CannotProve, Response, SignedChallenge, Target};
use bailiwick_protocol::codec::Canonical as _;
use bailiwick_protocol::envelope::{BodyInfo, CellCommitment, Envelope, SignedEnvelope};
use bailiwick_protocol::ids::{
    AuditorKey, BundleDigest, CellRoot, ChallengeDigest, ClassId, ContentId, HostKey, ObjectId, OwnerKey,
    Unit, UnitName, VkDigest,
};
use bailiwick_protocol::inventory::{Inventory, LeafOpening, Openings, SignedInventory};
use bailiwick_protocol::schedule::{LogEntry, Schedule, ScheduledHost, SignedSchedule};
use bailiwick_protocol::secret::Secret;
use bailiwick_protocol::signing::{Signed, SigningKey};
use bailiwick_testing::BeaconChain;

pub(crate) const GENESIS: u64 = 1_800_000_000;
pub(crate) const PERIOD: u32 = 3;
pub(crate) const FIRST_ROUND: u64 = 101;
pub(crate) const ROUNDS_PER_EPOCH: u64 = 40;
pub(crate) const ANSWER_MS: u64 = 60_000;
/// Publication of epoch 1's round.
pub(crate) const ROUND_MS: u64 = (GENESIS + (FIRST_ROUND - 1) * PERIOD as u64) * 1000;
/// From one epoch to the next.
pub(crate) const EPOCH_MS: u64 = ROUNDS_PER_EPOCH * PERIOD as u64 * 1000;

pub(crate) fn key(seed: u8) -> SigningKey {
    SigningKey::from_seed(&Secret::init_with(|s| s.fill(seed)))
}

/// Ends the auditor as `kill -9` would: nothing after this point happens.
struct Crash;

/// Counts the moments at which the auditor could die, and kills it at the chosen one.
#[derive(Default)]
pub(crate) struct Fuse {
    left: AtomicI64,
    pub(crate) passed: AtomicI64,
}

impl Fuse {
    pub(crate) fn set(&self, moments: i64) {
        self.left.store(moments, SeqCst);
    }

    fn moment(&self) {
        self.passed.fetch_add(1, SeqCst);
        if self.left.fetch_sub(1, SeqCst) == 1 {
            panic_any(Crash);
        }
    }
}

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
        let mut response = Response { challenge: *digest, outcome: Ok([9; 128]) };
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

#[derive(Default)]
pub(crate) struct FakeClock(AtomicU64);

impl Clock for FakeClock {
    fn now_ms(&self) -> u64 {
        self.0.load(SeqCst)
    }
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum LogManner {
    #[default]
    Good,
    Down,
    /// Takes the entries, and says that it did not.
    LosesTheAnswer,
    NoWitnesses,
    /// Says how many entries there are, and shows none.
    Hides,
}

/// An entry and the time of its entry.
type Timed = (Vec<u8>, u64);

#[derive(Clone, Default)]
pub(crate) struct SharedLog(Arc<Mutex<Vec<Timed>>>);

impl SharedLog {
    pub(crate) fn entries(&self) -> Vec<Timed> {
        self.0.lock().unwrap().clone()
    }

    pub(crate) fn decoded(&self) -> Vec<(LogEntry, u64)> {
        self.entries().iter().map(|(e, at)| (LogEntry::from_bytes(e).unwrap(), *at)).collect()
    }

    pub(crate) fn truncate(&self, len: usize) {
        self.0.lock().unwrap().truncate(len);
    }
}

struct FakeLog(SharedLog, Arc<Fuse>, Arc<FakeClock>, Arc<Mutex<LogManner>>);

fn down() -> Fault {
    Fault::Unavailable { who: "the log", why: "test".to_owned() }
}

impl Log for FakeLog {
    fn append(&mut self, entries: &[Vec<u8>]) -> Result<Vec<u64>, Fault> {
        self.1.moment();
        let manner = *self.3.lock().unwrap();
        if manner == LogManner::Down {
            return Err(down());
        }
        let indices = {
            let mut log = self.0.0.lock().unwrap();
            let first = log.len() as u64;
            log.extend(entries.iter().map(|e| (e.clone(), self.2.now_ms())));
            (first..log.len() as u64).collect()
        };
        self.1.moment();
        if manner == LogManner::LosesTheAnswer {
            *self.3.lock().unwrap() = LogManner::Good;
            return Err(down());
        }
        Ok(indices)
    }

    fn proof(&mut self, index: u64, entry: &[u8]) -> Result<Proof, Fault> {
        self.1.moment();
        let manner = *self.3.lock().unwrap();
        if manner == LogManner::Down {
            return Err(down());
        }
        assert_eq!(self.0.entries()[usize::try_from(index).unwrap()].0, entry);
        Ok(Proof {
            text: format!("proof of {index}").into_bytes(),
            witnessed: manner != LogManner::NoWitnesses,
        })
    }

    fn entries(&mut self, from: u64) -> Result<Page, Fault> {
        self.1.moment();
        let manner = *self.3.lock().unwrap();
        if manner == LogManner::Down {
            return Err(down());
        }
        let all = self.0.entries();
        if manner == LogManner::Hides {
            return Ok(Page { entries: Vec::new(), size: all.len() as u64 });
        }
        // Small pages, so that paging is tried.
        let entries =
            all.iter().skip(usize::try_from(from).unwrap()).take(2).map(|(e, _)| e.clone()).collect();
        Ok(Page { entries, size: all.len() as u64 })
    }
}

struct FakeBeacon(BeaconChain, Arc<Fuse>, Arc<FakeClock>, Arc<Mutex<Vec<BeaconRound>>>);

impl Beacon for FakeBeacon {
    fn round(&mut self, number: u64) -> Result<BeaconRound, Fault> {
        self.1.moment();
        if let Some(forged) = self.3.lock().unwrap().pop() {
            return Ok(forged);
        }
        let due = self.0.published_ms(number);
        assert!(self.2.now_ms() >= due, "asked for a round before it is published");
        Ok(self.0.round(number))
    }
}

/// A second draw for one epoch would differ from the first: it depends on how many commitments are on record.
struct FakeEntropy(MemoryJournal);

impl Entropy for FakeEntropy {
    fn fill(&mut self, purpose: Purpose, out: &mut [u8]) -> Result<(), NoEntropy> {
        let drawn = match purpose {
            Purpose::Nonce { epoch } => {
                let of = |r: &&Record| matches!(r, Record::Committed { epoch: e, .. } if *e == epoch);
                self.0.records().unwrap().iter().filter(of).count()
            }
            _ => 0,
        };
        let mut h = blake3::Hasher::new();
        h.update(format!("{purpose:?} {drawn}").as_bytes()).finalize_xof().fill(out);
        Ok(())
    }
}

struct FusedJournal(MemoryJournal, Arc<Fuse>);

impl Journal for FusedJournal {
    fn append(&mut self, record: &Record) -> Result<(), JournalError> {
        self.1.moment();
        self.0.append(record)?;
        self.1.moment();
        Ok(())
    }

    fn put_bundle(&mut self, digest: &BundleDigest, bytes: &[u8]) -> Result<(), JournalError> {
        self.1.moment();
        self.0.put_bundle(digest, bytes)?;
        self.1.moment();
        Ok(())
    }

    fn bundle(&self, digest: &BundleDigest) -> Result<Vec<u8>, JournalError> {
        self.0.bundle(digest)
    }
}

pub(crate) struct World {
    pub(crate) chain: BeaconChain,
    pub(crate) fuse: Arc<Fuse>,
    pub(crate) clock: Arc<FakeClock>,
    pub(crate) hosts: Arc<FakeHosts>,
    pub(crate) log: SharedLog,
    pub(crate) log_manner: Arc<Mutex<LogManner>>,
    pub(crate) journal: MemoryJournal,
    /// Rounds the beacon gives before it turns honest, the last one first.
    pub(crate) forged: Arc<Mutex<Vec<BeaconRound>>>,
    pub(crate) schedule: SignedSchedule,
}

pub(crate) const PACE: Pace =
    Pace { lead_ms: 30_000, commit_ms: 10_000, reserve_ms: 10_000, poll_ms: 500, reask_ms: 2_000, probes: 2 };

impl World {
    /// Hosts with keys of seeds 1, 2, ..; the clock stands a minute before the first epoch's round.
    pub(crate) fn new(epochs: u64, manners: &[Manner]) -> Self {
        let chain = BeaconChain::new(GENESIS, PERIOD);
        let hosts: BTreeMap<HostKey, Host> = (1..)
            .zip(manners)
            .map(|(seed, manner)| (HostKey(key(seed).public()), host(seed, *manner)))
            .collect();
        let asked = |h: &HostKey| ScheduledHost { host: *h, class: ClassId::SMALL, vk: VkDigest([8; 32]) };
        let schedule = Schedule {
            auditor: AuditorKey(key(100).public()),
            chain: chain.info().hash,
            first_epoch: 1,
            epochs,
            first_round: FIRST_ROUND,
            rounds_per_epoch: ROUNDS_PER_EPOCH,
            answer_ms: ANSWER_MS,
            hosts: hosts.keys().map(asked).collect(),
        };
        let (fuse, clock, log) =
            (Arc::new(Fuse::default()), Arc::new(FakeClock::default()), SharedLog::default());
        clock.0.store(ROUND_MS - 60_000, SeqCst);
        Self {
            chain,
            hosts: Arc::new(FakeHosts {
                hosts,
                fuse: Arc::clone(&fuse),
                clock: Arc::clone(&clock),
                log: log.clone(),
                seen: Mutex::default(),
                inventories_at: Mutex::default(),
                openings_at: Mutex::default(),
            }),
            fuse,
            clock,
            log,
            log_manner: Arc::default(),
            journal: MemoryJournal::default(),
            forged: Arc::default(),
            schedule: Signed::new(&schedule, &key(100)),
        }
    }

    pub(crate) fn host(&self, seed: u8) -> HostKey {
        HostKey(key(seed).public())
    }

    pub(crate) fn set_clock(&self, ms: u64) {
        self.clock.0.store(ms, SeqCst);
    }

    pub(crate) fn ports(&self) -> Ports {
        let (fuse, clock) = (Arc::clone(&self.fuse), Arc::clone(&self.clock));
        Ports {
            journal: Box::new(FusedJournal(self.journal.clone(), Arc::clone(&fuse))),
            log: Box::new(FakeLog(
                self.log.clone(),
                Arc::clone(&fuse),
                Arc::clone(&clock),
                Arc::clone(&self.log_manner),
            )),
            beacon: Box::new(FakeBeacon(self.chain.clone(), fuse, clock, Arc::clone(&self.forged))),
            entropy: Box::new(FakeEntropy(self.journal.clone())),
        }
    }

    /// A new process: begins, or goes on where the journal ends.
    pub(crate) fn start(&self) -> Result<Engine, EngineError> {
        let ports = self.ports();
        let verifier = BeaconVerifier::new(self.chain.info().clone()).unwrap();
        if self.journal.is_empty() {
            Engine::begin(self.schedule.clone(), Arc::new(key(100)), verifier, PACE, ports)
        } else {
            Engine::resume(&self.journal.records().unwrap(), Arc::new(key(100)), verifier, PACE, ports)
        }
    }

    /// Everything that happens at this moment, until nothing more does.
    pub(crate) fn settle(&self, engine: &mut Engine) -> Result<(), EngineError> {
        loop {
            let before = self.journal.len();
            engine.advance(self.clock.now_ms())?;
            let tasks = engine.tasks(self.clock.now_ms());
            for task in &tasks {
                engine.settle(perform(self.hosts.as_ref(), self.clock.as_ref(), task))?;
            }
            if tasks.is_empty() && self.journal.len() == before {
                return Ok(());
            }
        }
    }

    /// Runs to the end of the schedule, or to `until_ms`.
    pub(crate) fn run(&self, engine: &mut Engine, until_ms: u64) -> Result<(), EngineError> {
        loop {
            self.settle(engine)?;
            let now = self.clock.now_ms();
            match engine.next_due_ms(now) {
                Some(next) if next.max(now + 1) <= until_ms => self.set_clock(next.max(now + 1)),
                _ => return Ok(()),
            }
        }
    }

    /// Runs to the end, dying at each of `crashes` (moments after the crash before), and starting again each time.
    pub(crate) fn run_with_crashes(&self, crashes: &[i64]) -> Result<(), EngineError> {
        silence_crashes();
        let mut crashes = crashes.iter();
        loop {
            let next = crashes.next();
            self.fuse.set(next.copied().unwrap_or(i64::MAX));
            let run = || self.run(&mut self.start()?, u64::MAX);
            match catch_unwind(AssertUnwindSafe(run)) {
                Ok(done) => return done,
                Err(panic) if panic.is::<Crash>() => {}
                Err(panic) => std::panic::resume_unwind(panic),
            }
        }
    }
}

pub(crate) fn silence_crashes() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        let before = std::panic::take_hook();
        std::panic::set_hook(Box::new(move |info| {
            if !info.payload().is::<Crash>() {
                before(info);
            }
        }));
    });
}
