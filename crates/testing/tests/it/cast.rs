//! Seeds, owners and hosts the tests share, and how a host came out.

use std::collections::BTreeMap;
use std::sync::Arc;

use bailiwick_protocol::ids::{HostKey, OwnerKey};
use bailiwick_protocol::signing::SigningKey;
use bailiwick_testing::{Faults, Host, Plan, Seed, Simulation, StoredObject};
use bailiwick_verifier::{FleetReport, HostFacts, ReasonCode, Standing};

/// Cells of a host in most tests: four objects of fifty, the last cell of each partial.
pub(crate) const CELLS: u64 = 200;

/// The seed of a test, printed: a number of its own, or the one of the environment.
pub(crate) fn seed(test: &str, own: u64) -> Seed {
    let chosen = std::env::var("BAILIWICK_SIMULATION_SEED").ok();
    let seed = Seed(chosen.map_or(own, |s| s.parse().expect("BAILIWICK_SIMULATION_SEED is a number")));
    println!("{test}: seed {seed}");
    seed
}

pub(crate) fn owner(key: &SigningKey) -> OwnerKey {
    OwnerKey(key.public())
}

/// `count` objects of `cells` cells each; the last cell has from 1 to 495 bytes.
pub(crate) fn objects(
    seed: Seed,
    owner: &SigningKey,
    what: &str,
    count: u32,
    cells: u64,
) -> Vec<Arc<StoredObject>> {
    let mut stream = seed.stream(&format!("sizes of {what}"));
    let first = u32::try_from(stream.below(1 << 31)).unwrap();
    let mut one = |i| {
        let size = (cells - 1) * 496 + 1 + stream.below(495);
        Arc::new(StoredObject::new(seed, owner, first + i, usize::try_from(size).unwrap()))
    };
    (0..count).map(&mut one).collect()
}

/// Alice and Bob.
pub(crate) fn owners(seed: Seed) -> [SigningKey; 2] {
    [seed.key("alice"), seed.key("bob")]
}

/// Two objects of Alice and two of Bob, [`CELLS`] cells together.
pub(crate) fn holdings(seed: Seed, host: &str) -> Vec<Arc<StoredObject>> {
    let [alice, bob] = owners(seed);
    let mut all = objects(seed, &alice, &format!("{host}/alice"), 2, CELLS / 4);
    all.extend(objects(seed, &bob, &format!("{host}/bob"), 2, CELLS / 4));
    all
}

/// An honest host with holdings of its own.
pub(crate) fn host(seed: Seed, name: &str) -> Host {
    Host::new(name, seed.key(name), holdings(seed, name)).unwrap()
}

/// A fleet under a quiet sky.
pub(crate) fn plan(seed: Seed, epochs: u64, hosts: Vec<Host>) -> Plan {
    let owners = owners(seed).iter().map(owner).collect();
    Plan { seed, epochs, faults: Faults::NONE, restart_every: 0, real: None, owners, hosts }
}

/// Facts by the host's name.
pub(crate) fn by_name<'r>(
    simulation: &Simulation,
    report: &'r FleetReport,
) -> BTreeMap<String, &'r HostFacts> {
    let name = |key: &HostKey| {
        let host = simulation.network().hosts().find(|h| h.key() == *key).expect("a host of the simulation");
        host.name().to_owned()
    };
    report.fleet.hosts.iter().map(|facts| (name(&facts.key), facts)).collect()
}

/// Every failure of the host has this reason.
#[track_caller]
pub(crate) fn only(facts: &HostFacts, code: ReasonCode) {
    for entry in facts.timeline.iter().filter(|e| e.standing == Standing::Failed) {
        assert_eq!(entry.why.as_ref().map(|r| r.code), Some(code), "epoch {}: {:?}", entry.epoch, entry.why);
    }
}
