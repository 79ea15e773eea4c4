//! A large honest fleet: hosts with a few objects each, audited on schedule, as benches need it.

use bailiwick_protocol::bundle::SignedBundle;
use bailiwick_protocol::codec::Canonical;
use bailiwick_protocol::dossier::{Dossier, LoggedAudit};
use bailiwick_protocol::ids::{AuditorKey, ClassId, HostKey};
use bailiwick_protocol::schedule::{
    EpochCommitment, LogEntry, Offered, Outcome, Schedule, ScheduledHost, SignedEpochCommitment,
    SignedOutcome, SignedSchedule, hash_of_nonce,
};

use crate::beacon_chain::{self, published};
use crate::fleet_world::{
    ANSWER_MS, FIRST_ROUND, PERIOD, audit, challenge_with, inventory_of, nonce, object, round_of,
};
use crate::test_log::{self, TestLog};
use crate::world::{anchored_key, auditors_trapdoor, key, principal, principals, set_up_by};

/// What a reader has.
pub(crate) struct Many {
    pub(crate) dossier: Dossier,
    pub(crate) policy: String,
    pub(crate) anchors: String,
    pub(crate) now: u64,
}

pub(crate) fn make(hosts: u64, epochs: u64) -> Many {
    let names: Vec<String> = (0..hosts).map(|i| format!("host {i}")).collect();
    let held: Vec<_> =
        vec![object("alice", 1, 20_000, &[Some("reader")]), object("bob", 3, 9_000, &[Some("reader")])];
    let held = {
        let mut h = held;
        h.sort_by_key(bailiwick_protocol::envelope::Envelope::name);
        h
    };
    let vk = auditors_trapdoor().verifying_key();
    let auditor = AuditorKey(key("auditor").public());
    let mut scheduled: Vec<ScheduledHost> = names
        .iter()
        .map(|n| ScheduledHost { host: HostKey(key(n).public()), class: ClassId::TINY, vk: vk.digest() })
        .collect();
    scheduled.sort_by_key(|h| h.host);
    let schedule = Schedule {
        auditor,
        chain: beacon_chain::chain().hash,
        first_epoch: 1,
        epochs,
        first_round: FIRST_ROUND,
        rounds_per_epoch: PERIOD,
        answer_ms: ANSWER_MS,
        hosts: scheduled,
    };
    let signer = key("auditor");
    let mut log = TestLog::new();
    let mut dossier = Dossier::default();
    let entry = LogEntry::Schedule(SignedSchedule::new(&schedule, &signer)).to_bytes();
    dossier.announced.extend(log.enter(&[entry], published(FIRST_ROUND) / 1000 - 3_600));
    for epoch in 1..=epochs {
        let beacon = beacon_chain::round(round_of(epoch));
        let (mut offered, mut bundles, mut entries) = (Vec::new(), Vec::new(), Vec::new());
        for name in &names {
            let (tree, inventory) = inventory_of(name, epoch, &held);
            let c = challenge_with(name, epoch, &inventory, beacon);
            offered.push((inventory.host, Offered::Inventory(inventory.digest())));
            let bundle = SignedBundle::new(&audit(name, &c, &held, &inventory, &tree), &signer);
            let outcome = Outcome {
                auditor,
                schedule: schedule.digest(),
                epoch,
                host: c.host,
                bundle: bundle.digest(),
            };
            entries.push(LogEntry::Outcome(SignedOutcome::new(&outcome, &signer)).to_bytes());
            bundles.push(bundle);
        }
        offered.sort_by_key(|(h, _)| *h);
        let commitment = EpochCommitment {
            auditor,
            schedule: schedule.digest(),
            epoch,
            nonce: hash_of_nonce(&nonce(epoch)),
            hosts: offered,
        };
        let entry = LogEntry::Epoch(SignedEpochCommitment::new(&commitment, &signer)).to_bytes();
        let at = published(round_of(epoch)) / 1000;
        dossier.announced.extend(log.enter(&[entry], at - 120));
        let logged = log.enter(&entries, at + 60);
        dossier.audits.extend(
            bundles.into_iter().zip(logged).map(|(bundle, l)| LoggedAudit { bundle, outcome: Some(l) }),
        );
    }
    let closing = Schedule { first_round: FIRST_ROUND + 100_000_000, ..schedule };
    let entry = LogEntry::Schedule(SignedSchedule::new(&closing, &signer)).to_bytes();
    let end = published(round_of(epochs)) / 1000;
    dossier.announced.extend(log.enter(&[entry], end + ANSWER_MS / 1000 + 2));
    dossier.sort();
    let mut anchors = principals();
    for name in &names {
        anchors.push_str(&principal("host", name));
    }
    anchors += &anchored_key(vk.digest(), &set_up_by("auditor"));
    anchors += &test_log::anchors(&["w1", "w2"]);
    anchors += &beacon_chain::anchors();
    Many {
        dossier,
        policy: "version = 1\nname = \"many\"\nrequire = [\"stored\", \"logged\"]\n[stored]\nlost_fraction = 0.5\n\
                 min_detection = 0.4\nmax_age_hours = 24\n[logged]\nquorum = 2\nmax_checkpoint_age_hours = 24\n"
            .to_owned(),
        anchors,
        now: (end + 1_800) * 1000,
    }
}
