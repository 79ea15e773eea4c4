//! An auditor in league with a host draws its nonce after the round, until the question misses what the host has lost.

use bailiwick_auditor::{Hosts as _, Poll};
use bailiwick_protocol::bundle::{Answer, Bundle, InventoryEvidence};
use bailiwick_protocol::challenge::{Challenge, SignedChallenge, SignedResponse};
use bailiwick_protocol::codec::Canonical as _;
use bailiwick_protocol::dossier::{Dossier, Logged, LoggedAudit};
use bailiwick_protocol::ids::{AuditorKey, HostKey, Nonce};
use bailiwick_protocol::inventory::{Openings, SignedInventory};
use bailiwick_protocol::schedule::{
    EpochCommitment, LogEntry, Offered, Outcome, ScheduledHost, hash_of_nonce,
};
use bailiwick_protocol::signing::Signed;
use bailiwick_testing::{CLASS, Conduct, Seed, Simulation};
use bailiwick_verifier::{Claim, FleetReport, ReasonCode, Standing, Verdict};

use super::cast::{CELLS, host, plan, seed};

/// When the hash of the nonce is logged.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Committed {
    /// Before the round, and kept to.
    Before,
    /// After the round, once a good nonce is found.
    After,
    /// Before the round, to another nonce than the one used in the end.
    ToAnother,
    /// Never.
    Never,
}

struct Auditor {
    simulation: Simulation,
    host: HostKey,
    asked: ScheduledHost,
    inventory: SignedInventory,
}

impl Auditor {
    fn new(seed: Seed, lost: u64) -> Self {
        let mut host = host(seed, "friend").behaving(Conduct::Bluffs);
        host.lose(lost, &mut seed.stream("loss"));
        let key = host.key();
        let simulation = Simulation::new(plan(seed, 2, vec![host]));
        let asked = *simulation.schedule().host(&key).unwrap();
        let inventory = simulation.network().inventory(&key, 1).unwrap();
        Self { simulation, host: key, asked, inventory }
    }

    fn log(&self, at_ms: u64, entry: &LogEntry) -> Logged {
        self.simulation.clock().set(at_ms);
        let entry = entry.to_bytes();
        let index = self.simulation.log().enter(std::slice::from_ref(&entry))[0];
        Logged { entry, proof: self.simulation.log().proof_text(index) }
    }

    fn key(&self) -> AuditorKey {
        AuditorKey(self.simulation.auditor().public())
    }

    fn commit(&self, at_ms: u64, nonce: &Nonce) -> Logged {
        let digest = self.inventory.decode_unverified().unwrap().digest();
        let commitment = EpochCommitment {
            auditor: self.key(),
            schedule: self.simulation.schedule().digest(),
            epoch: 1,
            nonce: hash_of_nonce(nonce),
            hosts: vec![(self.host, Offered::Inventory(digest))],
        };
        self.log(at_ms, &LogEntry::Epoch(Signed::new(&commitment, self.simulation.auditor())))
    }

    /// Asks with one nonce. Whether the host could answer: in league, they see that before anything is signed.
    fn ask(&self, nonce: Nonce) -> (SignedChallenge, SignedResponse, Openings, bool) {
        let round = self.simulation.chain().round(self.simulation.schedule().round_of(1).unwrap());
        let challenge = Challenge {
            class: self.asked.class,
            vk: self.asked.vk,
            host: self.host,
            targets: Vec::new(),
            inventory: Some(self.inventory.decode_unverified().unwrap().target()),
            epoch: 1,
            beacon: Some(round),
            auditor: self.key(),
            nonce,
        };
        let signed = Signed::new(&challenge, self.simulation.auditor());
        let network = self.simulation.network();
        let before = network.native_checks().0;
        network.challenge(&self.host, &signed).unwrap();
        let digest = challenge.digest();
        let Ok(Poll::Answered(response)) = network.poll(&self.host, &digest) else {
            panic!("answered at once")
        };
        let openings = network.openings(&self.host, &digest).unwrap();
        (signed, response, openings, network.native_checks().0 > before)
    }

    /// The campaign; gives the report and how many nonces it took.
    fn run(&self, when: Committed) -> (FleetReport, u64) {
        let round_ms = self.simulation.round_ms(1);
        let schedule = LogEntry::Schedule(self.simulation.signed_schedule());
        let mut announced = vec![self.log(round_ms - 60_000, &schedule)];
        let nonce = |i: u64| Nonce(*blake3_of(i).as_bytes());
        if matches!(when, Committed::Before | Committed::ToAnother) {
            announced.push(self.commit(round_ms - 20_000, &nonce(0)));
        }
        let mut tries = 0;
        let (challenge, response, openings) = loop {
            let (challenge, response, openings, good) = self.ask(nonce(tries));
            tries += 1;
            // The first nonce is the one announced: whoever changes to another grinds.
            if when == Committed::Before || (good && tries > 1) {
                break (challenge, response, openings);
            }
            assert!(tries < 10_000, "grinding takes about six tries");
        };
        if when == Committed::After {
            announced.push(self.commit(round_ms + 5_000, &nonce(tries - 1)));
        }
        let bundle = Bundle {
            auditor: self.key(),
            challenge,
            envelopes: openings.envelopes,
            inventory: Some(InventoryEvidence { inventory: openings.inventory, leaves: openings.leaves }),
            answer: Answer::Response(response),
            ranges: Vec::new(),
            asked_unix_ms: round_ms + 1_000,
            answered_unix_ms: round_ms + 3_000,
        };
        let bundle = Signed::new(&bundle, self.simulation.auditor());
        let outcome = Outcome {
            auditor: self.key(),
            schedule: self.simulation.schedule().digest(),
            epoch: 1,
            host: self.host,
            bundle: bundle.digest(),
        };
        let outcome = LogEntry::Outcome(Signed::new(&outcome, self.simulation.auditor()));
        let outcome = Some(self.log(round_ms + 10_000, &outcome));
        let mut dossier =
            Dossier { announced, audits: vec![LoggedAudit { bundle, outcome }], ..Dossier::default() };
        dossier.sort();
        (self.simulation.judge(&dossier, &Simulation::policy("all", 0.5, 0.9)).unwrap(), tries)
    }
}

fn blake3_of(i: u64) -> bailiwick_protocol::ids::ContentId {
    let mut bytes = [0; 32];
    Seed(i).stream("nonce").fill(&mut bytes);
    bailiwick_protocol::ids::ContentId(bytes)
}

/// The grinding auditor (the hash of a nonce is logged before its round, spec schedule): it tries nonces after the round until the proof of a host that lost 10 % holds. The proof is true, the outcome is
/// logged in time, and it supports nothing, because the nonce's hash was not in the witnessed log before the round.
#[test]
fn a_nonce_drawn_after_the_round_supports_nothing() {
    let seed = seed("grinding auditor", 8);
    for (when, code) in [
        (Committed::After, ReasonCode::CommittedLate),
        (Committed::ToAnother, ReasonCode::NonceDiffers),
        (Committed::Never, ReasonCode::NotCommitted),
    ] {
        let (report, tries) = Auditor::new(seed, CELLS / 10).run(when);
        println!("S = {}: a nonce that misses the lost tenth after {tries} tries: {code:?}", CLASS.samples);
        assert!(tries > 1);
        let entry = &report.fleet.hosts[0].timeline[0];
        assert_eq!(entry.standing, Standing::Undecided);
        assert_eq!(entry.why.as_ref().map(|r| r.code), Some(code));
        assert_eq!(report.claim(Claim::Stored).verdict, Verdict::Inconclusive);
        assert_ne!(report.claim(Claim::Logged).verdict, Verdict::Supported);
    }
    // The honest twin: committed before the round, kept to, nothing lost.
    let (report, tries) = Auditor::new(seed, 0).run(Committed::Before);
    assert_eq!((report.fleet.hosts[0].timeline[0].standing, tries), (Standing::Held, 1));
    assert_eq!(report.claim(Claim::Stored).verdict, Verdict::Supported);
    assert_eq!(report.claim(Claim::Logged).verdict, Verdict::Inconclusive, "the epoch is not due yet");
}
