//! Hosts that lost cells and try to turn the audits they would fail into undecided ones: it gains them nothing over silence.

use std::collections::BTreeSet;

use bailiwick_testing::stats::binomial_bounds;
use bailiwick_testing::{CLASS, Conduct, Faults, Host, Seed, Simulation};
use bailiwick_verifier::{Claim, HostFacts, ReasonCode, Standing, Verdict, detection};

use super::cast::{CELLS, by_name, host, only, plan, seed};

const DAYS: u64 = 60;
/// Cells lost of [`CELLS`]: drawn in about every second epoch.
const LOST: u64 = 10;
/// Name, what it does when something it lost is drawn, and why its audit then fails.
const EVASIONS: [(&str, Conduct, ReasonCode); 4] = [
    ("falls-silent", Conduct::FallsSilent, ReasonCode::NoSignedAnswer),
    ("denies", Conduct::Denies, ReasonCode::HostDeniesObject),
    ("withholds", Conduct::Withholds, ReasonCode::LeavesWithheld),
    ("missigns", Conduct::Missigns, ReasonCode::HostCannotProve),
];

fn evader(seed: Seed, name: &str, conduct: Conduct) -> Host {
    let mut host = host(seed, name).behaving(conduct);
    host.lose(LOST, &mut seed.stream(&format!("loss of {name}")));
    host
}

fn failed(facts: &HostFacts) -> BTreeSet<u64> {
    facts.timeline.iter().filter(|e| e.standing == Standing::Failed).map(|e| e.epoch).collect()
}

/// P16, V29: a host that denies what its inventory lists, one that signs junk and withholds the openings, and one that opens with an
/// envelope nobody signed, each exactly when something it lost is drawn. In every one of those epochs, from the first on, its audit has
/// failed, as that of a host which says nothing then. An honest host under the same sky fails none.
#[test]
fn p16_no_evasion_is_caught_later_than_silence() {
    let seed = seed("evasions", 16);
    let mut hosts: Vec<Host> =
        EVASIONS.iter().map(|(name, conduct, _)| evader(seed, name, *conduct)).collect();
    hosts.push(host(seed, "honest"));
    let mut plan = plan(seed, DAYS, hosts);
    // No restarts of the auditor: the time they give back to a host may make an outcome late, and here none must be.
    plan.faults = Faults::new(seed, 20, 2);
    let simulation = Simulation::new(plan);
    simulation.run().unwrap();
    let report =
        simulation.judge(&simulation.dossier().unwrap(), &Simulation::policy("all", 0.05, 0.5)).unwrap();
    let facts = by_name(&simulation, &report);
    let p = detection(LOST as f64 / CELLS as f64, CELLS, CELLS, CLASS.samples).probability;
    let bounds = binomial_bounds(DAYS, p, 0.99);
    for (name, _, code) in EVASIONS {
        let of = facts[name];
        let drawn = simulation.network().epochs_that_drew_a_loss(&of.key);
        println!(
            "{name:12} drawn {:2}, failed {:2}, undecided {}, late {}, missing {}; {:.2} % printed, bound {bounds:?}",
            drawn.len(),
            of.audits.failed,
            of.audits.undecided,
            of.audits.late,
            of.audits.missing,
            p * 100.0
        );
        assert_eq!(failed(of), drawn, "{name}: failed exactly when something lost is drawn");
        assert_eq!(of.audits.held, DAYS - of.audits.failed, "{name}: {:?}", of.audits);
        assert!(bounds.contains(&of.audits.failed), "{name}");
        only(of, code);
    }
    assert_eq!((facts["honest"].audits.held, facts["honest"].audits.failed), (DAYS, 0));
    assert_eq!(report.claim(Claim::Stored).verdict, Verdict::Refuted);
    assert_eq!(report.claim(Claim::Logged).verdict, Verdict::Supported, "{:?}", report.claim(Claim::Logged));
}

/// P16: the dossier of one such host up to the day after the first loss is drawn, and not before, refutes *stored*.
#[test]
fn p16_the_first_evasion_refutes_stored() {
    let seed = seed("first evasion", 17);
    for (name, conduct, _) in EVASIONS {
        let verdict = |days| {
            let simulation = Simulation::new(plan(seed, days, vec![evader(seed, name, conduct)]));
            simulation.run().unwrap();
            let key = simulation.network().hosts().next().unwrap().key();
            let report = simulation
                .judge(&simulation.dossier().unwrap(), &Simulation::policy("all", 0.05, 0.5))
                .unwrap();
            let first = simulation.network().epochs_that_drew_a_loss(&key).first().copied();
            (first, report.claim(Claim::Stored).verdict)
        };
        let first = verdict(20).0.unwrap();
        println!("{name}: first drawn on day {first}");
        assert_eq!(verdict(first), (Some(first), Verdict::Refuted), "{name}");
        if first > 1 {
            assert_eq!(verdict(first - 1).1, Verdict::Supported, "{name}");
        }
    }
}
