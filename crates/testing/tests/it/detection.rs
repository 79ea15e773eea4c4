//! Losses are noticed as often as the report prints.

use bailiwick_testing::stats::binomial_bounds;
use bailiwick_testing::{CLASS, Conduct, Host, Seed, Simulation};
use bailiwick_verifier::{HostFacts, ReasonCode, Scope, detection};

use super::cast::{CELLS, by_name, host, only, plan, seed};

const HOSTS: u64 = 8;
const EPOCHS: u64 = 100;
/// Cells of 200 that are lost: 1, 5, 10, 50 %.
const LOSSES: [(u64, f64); 4] = [(2, 0.01), (10, 0.05), (20, 0.1), (100, 0.5)];

fn lossy(seed: Seed, name: &str, lost: u64) -> Host {
    let mut host = host(seed, name).behaving(Conduct::Bluffs);
    host.lose(lost, &mut seed.stream(&format!("loss of {name}")));
    host
}

/// What the report prints for a host: of all its cells, for a loss of `fraction`.
fn printed(facts: &HostFacts, fraction: f64) -> f64 {
    let all = facts.audit_detection.iter().find(|s| s.scope == Scope::All).expect("an honest host's figures");
    all.losses.iter().find(|d| d.lost_fraction == fraction).expect("a fraction that is printed").probability
}

/// P02 partial_loss: of 800 audits of hosts that lost 1, 5, 10 and 50 % of their cells, as many fail as the printed probability says,
/// within the exact binomial bound at 99 %; of the honest twin none. The hosts keep every hash and always send something as a proof.
#[test]
fn p02_losses_are_caught_within_the_binomial_bound() {
    let seed = seed("losses of 1, 5, 10, 50 %", 2);
    let mut hosts = Vec::new();
    for i in 0..HOSTS {
        hosts.push(host(seed, &format!("lost-0-{i}")));
        hosts.extend(LOSSES.iter().map(|(lost, _)| lossy(seed, &format!("lost-{lost}-{i}"), *lost)));
    }
    let simulation = Simulation::new(plan(seed, EPOCHS, hosts));
    simulation.run().unwrap();
    let dossier = simulation.dossier().unwrap();
    let report = simulation.judge(&dossier, &Simulation::policy("all", 0.05, 0.5)).unwrap();
    let facts = by_name(&simulation, &report);
    let group =
        |lost: u64| -> Vec<&HostFacts> { (0..HOSTS).map(|i| facts[&format!("lost-{lost}-{i}")]).collect() };
    let audits = HOSTS * EPOCHS;
    let failed = |lost| -> u64 { group(lost).iter().map(|f| f.audits.failed).sum() };
    let held = |lost| -> u64 { group(lost).iter().map(|f| f.audits.held).sum() };
    assert_eq!((held(0), failed(0)), (audits, 0), "the honest twin");
    let mut all_failed = 0;
    for (lost, fraction) in LOSSES {
        let p = printed(facts["lost-0-0"], fraction);
        assert_eq!(p, detection(fraction, CELLS, CELLS, CLASS.samples).probability);
        let bounds = binomial_bounds(audits, p, 0.99);
        let caught = failed(lost);
        println!(
            "S = {}: lost {:4} %: printed {:8.4} %, caught {caught} of {audits} ({:.2} %), bound {bounds:?}",
            CLASS.samples,
            fraction * 100.0,
            p * 100.0,
            caught as f64 * 100.0 / audits as f64
        );
        assert!(bounds.contains(&caught), "lost {lost} of {CELLS} cells: {caught} outside {bounds:?}");
        assert_eq!(held(lost) + caught, audits);
        group(lost).iter().for_each(|f| only(f, ReasonCode::ProofDoesNotVerify));
        all_failed += caught;
    }
    // The verifier, which saw proofs only, and the native statement, which saw the bytes, agree.
    assert_eq!(simulation.network().native_checks().1, all_failed);
}
