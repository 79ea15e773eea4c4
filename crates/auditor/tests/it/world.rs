//! Ports in memory: hosts, a log, a beacon, a clock, and a fuse that ends the auditor at
//! a chosen moment.

use std::panic::{AssertUnwindSafe, catch_unwind, panic_any};
use std::sync::atomic::{AtomicI64, AtomicU64, Ordering::SeqCst};
use std::sync::{Arc, Mutex, Once};

use bailiwick_auditor::{
    Beacon, Clock, Engine, EngineError, Entropy, Fault, Journal, JournalError, Log, MemoryJournal, NoEntropy,
    Pace, Page, Ports, Proof, Purpose, Record, perform,
};
use bailiwick_beacon::{BeaconRound, BeaconVerifier};
use bailiwick_protocol::codec::Canonical as _;
use bailiwick_protocol::ids::{AuditorKey, BundleDigest, ClassId, HostKey, VkDigest};
use bailiwick_protocol::schedule::{LogEntry, Schedule, ScheduledHost, SignedSchedule};
use bailiwick_protocol::secret::Secret;
use bailiwick_protocol::signing::{Signed, SigningKey};
use bailiwick_testing::BeaconChain;

mod fake_hosts;

pub(crate) use fake_hosts::{FakeHosts, Manner};

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
        let (fuse, clock, log) =
            (Arc::new(Fuse::default()), Arc::new(FakeClock::default()), SharedLog::default());
        let hosts = FakeHosts::new(manners, &fuse, &clock, &log);
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
        clock.0.store(ROUND_MS - 60_000, SeqCst);
        Self {
            chain,
            hosts: Arc::new(hosts),
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
