//! An inventory padded with the host's own junk only dilutes, and the figure of each owner shows it.

use bailiwick_testing::stats::binomial_bounds;
use bailiwick_testing::{CLASS, Conduct, Host, Seed, Simulation};
use bailiwick_verifier::{Claim, HostFacts, ReasonCode, Scope, ScopeDetection, Verdict, detection};

use super::cast::{by_name, objects, only, owner, owners, plan, seed};

/// Cells of Alice, and of the host's own junk.
pub(crate) const OWNED: u64 = 100;
pub(crate) const JUNK: u64 = 1900;
const EPOCHS: u64 = 90;
/// Epochs, one a day, whose samples a report estimates shares from.
const MONTH: u64 = 30;

pub(crate) fn padded(seed: Seed, name: &str) -> Host {
    let [alice, _] = owners(seed);
    let mut all = objects(seed, &alice, &format!("{name}/alice"), 2, OWNED / 2);
    all.extend(objects(seed, &seed.key("mallory"), &format!("{name}/junk"), 10, JUNK / 10));
    Host::new(name, seed.key(name), all).unwrap()
}

fn bare(seed: Seed, name: &str) -> Host {
    let [alice, _] = owners(seed);
    let all = objects(seed, &alice, &format!("{name}/alice"), 2, OWNED / 2);
    Host::new(name, seed.key(name), all).unwrap()
}

pub(crate) fn of_alice(seed: Seed, facts: &HostFacts) -> &ScopeDetection {
    let alice = owner(&owners(seed)[0]).to_string();
    let mut of = facts.audit_detection.iter().filter(|s| s.scope == Scope::Owner);
    of.find(|s| s.of.as_ref() == Some(&alice)).expect("samples fell on Alice's objects")
}

fn run(seed: Seed, hosts: Vec<Host>) -> Simulation {
    let simulation = Simulation::new(plan(seed, EPOCHS, hosts));
    simulation.run().unwrap();
    simulation
}

/// P02, diluted: the host pads Alice's 100 cells with 1900 of its own. What the report prints for Alice falls from certainty to
/// 1 - (1 - C/T)^S, so her policy is not met; and when the host drops all she has, it is caught as often as that says.
#[test]
fn p02_junk_dilutes_and_the_owners_figure_shows_it() {
    let seed = seed("junk-padded inventory", 5);
    let policy = Simulation::policy("owner", 0.5, 0.9);
    let mut drops = padded(seed, "padded-drops").behaving(Conduct::Bluffs);
    drops.lose_owner(&owner(&owners(seed)[0]));
    let simulation = run(seed, vec![padded(seed, "padded-keeps"), bare(seed, "bare"), drops]);
    let report = simulation.judge(&simulation.dossier().unwrap(), &policy).unwrap();
    let facts = by_name(&simulation, &report);

    let total = OWNED + JUNK;
    let samples = MONTH * u64::from(CLASS.samples);
    let (bare, keeps) = (of_alice(seed, facts["bare"]), of_alice(seed, facts["padded-keeps"]));
    assert_eq!((bare.cells, facts["padded-keeps"].cells), (OWNED, total));
    // The report estimates Alice's share from where the month's samples fell: an exact binomial of its own.
    let hits = binomial_bounds(samples, OWNED as f64 / total as f64, 0.99);
    let estimate = |n: u64| n * total / samples;
    let bounds = estimate(*hits.start())..=estimate(*hits.end());
    println!(
        "S = {}: Alice has {OWNED} of {total} cells, estimated {}, bound {bounds:?}",
        CLASS.samples, keeps.cells
    );
    assert!(bounds.contains(&keeps.cells), "{} outside {bounds:?}", keeps.cells);
    let half = |s: &ScopeDetection| s.losses.iter().find(|d| d.lost_fraction == 0.5).unwrap().probability;
    println!("half of Alice lost: noticed with {:.4} bare, {:.4} padded", half(bare), half(keeps));
    assert!(half(bare) > 0.9999 && half(keeps) < 0.9);

    let p = detection(1.0, OWNED, total, CLASS.samples).probability;
    let caught = facts["padded-drops"].audits.failed;
    let bounds = binomial_bounds(EPOCHS, p, 0.99);
    println!("all of Alice lost: formula {p:.4}, caught {caught} of {EPOCHS}, bound {bounds:?}");
    assert!(bounds.contains(&caught), "{caught} outside {bounds:?}");
    only(facts["padded-drops"], ReasonCode::ProofDoesNotVerify);
}

/// The same padding by a host that keeps everything: every audit holds, and Alice's policy still says that this is not enough. Without the
/// padding it is.
#[test]
fn padding_alone_misses_an_owners_policy() {
    let seed = seed("padding alone", 6);
    let policy = Simulation::policy("owner", 0.5, 0.9);
    let verdict = |host: Host| {
        let simulation = Simulation::new(plan(seed, 20, vec![host]));
        simulation.run().unwrap();
        let report = simulation.judge(&simulation.dossier().unwrap(), &policy).unwrap();
        assert_eq!(report.fleet.audits.held, 20);
        let stored = report.claim(Claim::Stored);
        (stored.verdict, stored.reasons[0].code)
    };
    assert_eq!(verdict(padded(seed, "padded")), (Verdict::Inconclusive, ReasonCode::DetectionBelowPolicy));
    assert_eq!(verdict(bare(seed, "bare")), (Verdict::Supported, ReasonCode::ProofVerifies));
}
