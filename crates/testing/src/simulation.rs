//! A whole campaign: the auditor's engine over a simulated fleet, day by day, and its dossier before the shipped verifier.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use bailiwick_auditor::{
    Clock as _, DossierError, Engine, EngineError, Entropy, MemoryJournal, NoEntropy, Pace, Ports, Purpose,
    dossier, step,
};
use bailiwick_beacon::BeaconVerifier;
use bailiwick_protocol::codec::Canonical as _;
use bailiwick_protocol::dossier::Dossier;
use bailiwick_protocol::ids::{AuditorKey, ClassId, OwnerKey};
use bailiwick_protocol::schedule::{Schedule, ScheduledHost, SignedSchedule};
use bailiwick_protocol::signing::{Signed, SigningKey};
use bailiwick_verifier::{DossierInputs, FleetReport, Unusable, verify_dossier};

use crate::anchors;
use crate::beacon::{BeaconChain, SimulatedBeacon};
use crate::clock::MockClock;
use crate::faults::Faults;
use crate::host::Host;
use crate::log::MemoryLog;
use crate::native::NativeProofs;
use crate::network::Network;
use crate::real::RealProofs;
use crate::seed::Seed;

/// Class of simulated rounds.
pub const CLASS: ClassId = ClassId::SMALL;
/// From one epoch to the next, milliseconds.
pub const DAY_MS: u64 = 24 * 3_600_000;
/// How the auditor works: a minute to answer, a second between looks.
pub const PACE: Pace =
    Pace { lead_ms: 30_000, commit_ms: 10_000, reserve_ms: 10_000, poll_ms: 1000, reask_ms: 2000, probes: 1 };
const ANSWER_MS: u64 = 60_000;
const FIRST_ROUND: u64 = 28_801;
const ROUNDS_PER_DAY: u64 = 28_800;

/// What is simulated.
#[derive(Debug)]
pub struct Plan {
    /// Where all randomness comes from.
    pub seed: Seed,
    /// Days, one epoch each.
    pub epochs: u64,
    /// What the network, the log and the beacon do to it.
    pub faults: Faults,
    /// The auditor dies and starts again from its journal after so many looks; never, if 0.
    pub restart_every: u64,
    /// Rounds proven for real.
    pub real: Option<Arc<RealProofs>>,
    /// Owners known to the reader.
    pub owners: Vec<OwnerKey>,
    /// The fleet.
    pub hosts: Vec<Host>,
}

/// A campaign.
#[derive(Debug)]
pub struct Simulation {
    seed: Seed,
    restart_every: u64,
    auditor: Arc<SigningKey>,
    chain: BeaconChain,
    clock: MockClock,
    faults: Faults,
    network: Network,
    log: MemoryLog,
    journal: MemoryJournal,
    schedule: Schedule,
    proofs: Arc<NativeProofs>,
    owners: Vec<OwnerKey>,
    restarted_ms: Mutex<Vec<u64>>,
}

struct SeededEntropy(Seed);

impl Entropy for SeededEntropy {
    fn fill(&mut self, purpose: Purpose, out: &mut [u8]) -> Result<(), NoEntropy> {
        self.0.stream(&format!("{purpose:?}")).fill(out);
        Ok(())
    }
}

impl Simulation {
    /// Sets the stage; the clock stands a minute before the first epoch's round.
    #[must_use]
    pub fn new(plan: Plan) -> Self {
        let Plan { seed, epochs, faults, restart_every, real, owners, hosts } = plan;
        let auditor = Arc::new(seed.key("auditor"));
        let auditor_key = AuditorKey(auditor.public());
        let (chain, clock) = (BeaconChain::default(), MockClock::default());
        let proofs = Arc::new(NativeProofs::new());
        let vk = proofs.verifying_key().digest();
        let mut scheduled: Vec<ScheduledHost> =
            hosts.iter().map(|h| ScheduledHost { host: h.key(), class: CLASS, vk }).collect();
        scheduled.sort_by_key(|h| h.host);
        let schedule = Schedule {
            auditor: auditor_key,
            chain: chain.info().hash,
            first_epoch: 1,
            epochs,
            first_round: FIRST_ROUND,
            rounds_per_epoch: ROUNDS_PER_DAY,
            answer_ms: ANSWER_MS,
            hosts: scheduled,
        };
        let first_ms = chain.published_ms(FIRST_ROUND);
        clock.set(first_ms - 60_000);
        let made_ms = (first_ms - PACE.lead_ms, DAY_MS);
        let network = Network::new(hosts, auditor_key, made_ms, Arc::clone(&proofs), real, faults);
        let log = MemoryLog::new(seed, clock.clone(), faults);
        let journal = MemoryJournal::default();
        Self {
            seed,
            restart_every,
            auditor,
            chain,
            clock,
            faults,
            network,
            log,
            journal,
            schedule,
            proofs,
            owners,
            restarted_ms: Mutex::default(),
        }
    }

    /// The auditor's key.
    #[must_use]
    pub fn auditor(&self) -> &SigningKey {
        &self.auditor
    }

    /// The beacon.
    #[must_use]
    pub fn chain(&self) -> &BeaconChain {
        &self.chain
    }

    /// The clock.
    #[must_use]
    pub fn clock(&self) -> &MockClock {
        &self.clock
    }

    /// The hosts and the wires to them.
    #[must_use]
    pub fn network(&self) -> &Network {
        &self.network
    }

    /// The log.
    #[must_use]
    pub fn log(&self) -> &MemoryLog {
        &self.log
    }

    /// The auditor's journal.
    #[must_use]
    pub fn journal(&self) -> &MemoryJournal {
        &self.journal
    }

    /// What is audited when.
    #[must_use]
    pub fn schedule(&self) -> &Schedule {
        &self.schedule
    }

    /// When an epoch's round is published, Unix milliseconds.
    ///
    /// # Panics
    /// For an epoch outside the schedule.
    #[must_use]
    pub fn round_ms(&self, epoch: u64) -> u64 {
        self.chain.published_ms(self.schedule.round_of(epoch).expect("an epoch of the schedule"))
    }

    /// When the auditor died and started again, Unix milliseconds.
    #[must_use]
    pub fn restarted_ms(&self) -> Vec<u64> {
        self.restarted_ms.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// The schedule, signed.
    #[must_use]
    pub fn signed_schedule(&self) -> SignedSchedule {
        Signed::new(&self.schedule, &self.auditor)
    }

    /// An auditor's process: begins, or goes on where the journal ends.
    ///
    /// # Errors
    /// `EngineError`.
    pub fn start(&self) -> Result<Engine, EngineError> {
        self.start_from(&self.journal)
    }

    /// The same with another journal, such as an old copy.
    ///
    /// # Errors
    /// `EngineError`.
    pub fn start_from(&self, journal: &MemoryJournal) -> Result<Engine, EngineError> {
        let beacon = SimulatedBeacon {
            chain: self.chain.clone(),
            clock: self.clock.clone(),
            faults: self.faults,
            asked: BTreeMap::new(),
        };
        let ports = Ports {
            journal: Box::new(journal.clone()),
            log: Box::new(self.log.clone()),
            beacon: Box::new(beacon),
            entropy: Box::new(SeededEntropy(self.seed)),
        };
        let verifier = BeaconVerifier::new(self.chain.info().clone())?;
        let key = Arc::clone(&self.auditor);
        if journal.is_empty() {
            Engine::begin(self.signed_schedule(), key, verifier, PACE, ports)
        } else {
            Engine::resume(&journal.records()?, key, verifier, PACE, ports)
        }
    }

    /// Runs to the end of the schedule.
    ///
    /// # Errors
    /// `EngineError`.
    pub fn run(&self) -> Result<(), EngineError> {
        let mut engine = self.start()?;
        let mut looks = 0u64;
        loop {
            self.settle(&mut engine)?;
            let now = self.clock.now_ms();
            let Some(next) = engine.next_due_ms(now) else { return Ok(()) };
            self.clock.set(next.max(now + 1));
            looks += 1;
            if self.restart_every > 0 && looks.is_multiple_of(self.restart_every) {
                drop(engine);
                self.restarted_ms.lock().unwrap_or_else(PoisonError::into_inner).push(self.clock.now_ms());
                engine = self.start()?;
            }
        }
    }

    /// Everything that happens at this moment, until nothing more is recorded.
    fn settle(&self, engine: &mut Engine) -> Result<(), EngineError> {
        loop {
            let before = self.journal.len();
            step(engine, &self.network, &self.clock)?;
            if self.journal.len() == before {
                return Ok(());
            }
        }
    }

    /// The evidence of the campaign so far.
    ///
    /// # Errors
    /// `DossierError`.
    pub fn dossier(&self) -> Result<Dossier, DossierError> {
        dossier(&self.journal.records()?, &self.journal)
    }

    /// The reader's trust anchors.
    #[must_use]
    pub fn anchors(&self) -> String {
        let hosts: Vec<&Host> = self.network.hosts().collect();
        let key = (CLASS, self.proofs.verifying_key().digest());
        let auditor = AuditorKey(self.auditor.public());
        anchors::text(&auditor, &self.owners, &hosts, key, &self.log, &self.chain)
    }

    /// A reader's policy: *stored* and *logged*, for a loss of `lost_fraction` in `scope` (`all`, `owner` or `object`).
    #[must_use]
    pub fn policy(scope: &str, lost_fraction: f64, min_detection: f64) -> String {
        format!(
            "version = 1\nname = \"simulation\"\nrequire = [\"stored\", \"logged\"]\n[stored]\nscope = \"{scope}\"\nlost_fraction = {lost_fraction}\n\
             min_detection = {min_detection}\nmax_age_hours = 48\n[logged]\nquorum = 2\nmax_checkpoint_age_hours = 48\n"
        )
    }

    /// What the shipped verifier says of a dossier, now.
    ///
    /// # Errors
    /// `Unusable`.
    pub fn judge(&self, dossier: &Dossier, policy: &str) -> Result<FleetReport, Unusable> {
        let key = self.proofs.verifying_key();
        verify_dossier(&DossierInputs {
            dossier: &dossier.to_bytes(),
            policy,
            anchors: &self.anchors(),
            roster: None,
            blocs: None,
            verifying_keys: &BTreeMap::from([(key.digest(), key.as_bytes().to_vec())]),
            now_unix_ms: self.clock.now_ms(),
        })
    }
}
