//! Honest hosts are never accused.

use std::sync::Arc;

use bailiwick_auditor::MemoryJournal;
use bailiwick_testing::{CLASS, Faults, RealProofs, RealTally, Simulation};
use bailiwick_verifier::{AuditTally, Claim, ReasonCode, Verdict};

use super::cast::{host, plan, seed};

const HOSTS: u64 = 25;
const EPOCHS: u64 = 100;
/// Of a hundred questions, those that fail at first; how often the auditor starts again.
const SKIES: [(u64, u64); 4] = [(0, 0), (10, 0), (30, 97), (60, 61)];

/// P24: 10,000 honest rounds, three quarters of them under faults that asking again forgives, with restarts of auditor and hosts: not
/// one failure, not one late, none missing. Every 100th round is proven for real.
#[test]
fn slow_p24_ten_thousand_honest_rounds_without_a_failure() {
    let seed = seed("ten thousand honest rounds", 24);
    let real = Arc::new(RealProofs::every(100).unwrap());
    let campaign = |sky: usize| {
        let (per_hundred, restart_every) = SKIES[sky];
        let names = (0..HOSTS).map(|i| format!("honest-{sky}-{i:02}"));
        let mut plan = plan(seed, EPOCHS, names.map(|n| host(seed, &n)).collect());
        (plan.faults, plan.restart_every) = (Faults::new(seed, per_hundred, 2), restart_every);
        plan.real = Some(Arc::clone(&real));
        let simulation = Simulation::new(plan);
        simulation.run().unwrap();
        let report =
            simulation.judge(&simulation.dossier().unwrap(), &Simulation::policy("all", 0.5, 0.99)).unwrap();
        let rounds = HOSTS * EPOCHS;
        let expected = AuditTally { total: rounds, held: rounds, ..AuditTally::default() };
        assert_eq!(report.fleet.audits, expected, "sky {sky}");
        for claim in [Claim::Stored, Claim::Logged] {
            let c = report.claim(claim);
            assert_eq!(c.verdict, Verdict::Supported, "sky {sky}: {:?}", c.reasons);
        }
        assert_eq!(simulation.network().native_checks(), (rounds, 0));
        let faults = simulation.network().faults_made();
        println!(
            "S = {}: {rounds} rounds held, {faults} network faults forgiven, {} log entries",
            CLASS.samples,
            simulation.log().entries().len()
        );
        assert_eq!(faults > 0, per_hundred > 0, "the script makes faults");
    };
    // Two campaigns side by side: they share nothing but the count of real proofs.
    std::thread::scope(|scope| {
        for half in [[0, 3], [1, 2]] {
            let campaign = &campaign;
            scope.spawn(move || half.into_iter().for_each(campaign));
        }
    });
    assert_eq!(real.tally(), RealTally { proven: 100, refused: 0, invalid: 0 });
}

/// P24, the other side: faults that go on past the deadline are failed answers, so the script above does test forgiveness.
#[test]
fn p24_a_fault_that_outlasts_the_deadline_is_a_failed_answer() {
    let seed = seed("faults that last", 25);
    let mut plan = plan(seed, 5, vec![host(seed, "unlucky")]);
    // Half of the calls: a host that never gets as far as an inventory has not failed, it was never heard.
    plan.faults = Faults::new(seed, 50, 200);
    let simulation = Simulation::new(plan);
    simulation.run().unwrap();
    let report =
        simulation.judge(&simulation.dossier().unwrap(), &Simulation::policy("all", 0.5, 0.99)).unwrap();
    let audits = report.fleet.audits;
    println!("{audits:?}");
    assert!(audits.held < 5 && audits.failed + audits.missing > 0);
    assert_ne!(report.claim(Claim::Stored).verdict, Verdict::Supported);
}

/// One seed, one history: two runs leave the same journal, dossier and report to the byte.
#[test]
fn the_same_seed_gives_the_same_evidence() {
    let seed = seed("repetition", 3);
    let run = || {
        let mut plan = plan(seed, 4, vec![host(seed, "one"), host(seed, "two")]);
        plan.faults = Faults::new(seed, 40, 2);
        let simulation = Simulation::new(plan);
        simulation.run().unwrap();
        let dossier = simulation.dossier().unwrap();
        let report = simulation.judge(&dossier, &Simulation::policy("all", 0.5, 0.99)).unwrap();
        (simulation.journal().len(), dossier, report.to_json())
    };
    assert_eq!(run(), run());
    let other = bailiwick_testing::Seed(seed.0 + 1);
    assert_ne!(seed.stream("x").below(u64::MAX), other.stream("x").below(u64::MAX));
}

/// P23 auditor_db_rollback: an auditor that goes on from an old copy of its journal is stopped by the log; what was logged without its
/// bundles is a gap.
#[test]
fn p23_a_journal_restored_from_a_backup_stops() {
    let seed = seed("rolled back journal", 23);
    let simulation = Simulation::new(plan(seed, 4, vec![host(seed, "host")]));
    simulation.run().unwrap();
    let records = simulation.journal().len();
    let old: MemoryJournal = simulation.journal().restored(records / 2);
    let mut engine = simulation.start_from(&old).unwrap();
    let now = simulation.round_ms(4) + 3_600_000;
    assert!(matches!(engine.advance(now), Err(bailiwick_auditor::EngineError::JournalRolledBack { .. })));
    // The honest twin: the whole journal goes on.
    assert!(simulation.start().unwrap().advance(now).is_ok());
    // What the old copy could show has a gap.
    let dossier = bailiwick_auditor::dossier(&old.records().unwrap(), &old).unwrap();
    let whole = simulation.dossier().unwrap();
    let mut shown = dossier;
    shown.announced.clone_from(&whole.announced);
    // A reader who has seen a newer checkpoint, here that of the last outcome, misses the audits between.
    shown.audits.extend(whole.audits.iter().filter(|a| epoch_of(a) == 4).cloned());
    shown.sort();
    let report = simulation.judge(&shown, &Simulation::policy("all", 0.5, 0.99)).unwrap();
    let logged = report.claim(Claim::Logged);
    assert_eq!((logged.verdict, logged.reasons[0].code), (Verdict::Refuted, ReasonCode::OutcomeMissing));
    let report = simulation.judge(&whole, &Simulation::policy("all", 0.5, 0.99)).unwrap();
    assert_eq!(report.claim(Claim::Logged).verdict, Verdict::Supported);
}

fn epoch_of(audit: &bailiwick_protocol::dossier::LoggedAudit) -> u64 {
    let bundle = audit.bundle.decode_unverified().unwrap();
    bundle.challenge.decode_unverified().unwrap().epoch
}
