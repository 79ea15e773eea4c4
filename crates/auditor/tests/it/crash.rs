//! P22: an auditor that dies at any moment goes on with the very same challenges.

use std::collections::BTreeMap;
use std::sync::atomic::Ordering::SeqCst;

use bailiwick_auditor::Record;
use bailiwick_protocol::codec::Canonical as _;
use bailiwick_protocol::schedule::LogEntry;
use proptest::prelude::*;

use super::world::{Manner, World, key};

fn entries(world: &World) -> Vec<Vec<u8>> {
    let mut entries: Vec<_> = world.log.entries().into_iter().map(|(e, _)| e).collect();
    entries.sort();
    entries
}

fn challenges(world: &World) -> Vec<Vec<u8>> {
    let mut seen: Vec<_> = world.hosts.seen.lock().unwrap().iter().map(|(_, c, ..)| c.to_bytes()).collect();
    seen.sort();
    seen.dedup();
    seen
}

/// Commitments by epoch and outcomes by epoch and host: how often each is in the log.
fn counts(world: &World) -> BTreeMap<(u64, Option<[u8; 32]>), usize> {
    let auditor = key(100).public();
    let mut counts = BTreeMap::new();
    for (entry, _) in world.log.decoded() {
        let id = match entry {
            LogEntry::Schedule(_) => (0, None),
            LogEntry::Epoch(c) => (c.verify(&auditor).unwrap().epoch, None),
            LogEntry::Outcome(o) => {
                let o = o.verify(&auditor).unwrap();
                (o.epoch, Some(o.host.0))
            }
        };
        *counts.entry(id).or_insert(0) += 1;
    }
    counts
}

/// P22: killed at every single journal write and port call, before and after it takes effect.
#[test]
fn p22_a_crash_at_every_moment_changes_neither_the_log_nor_a_challenge() {
    let manners = [Manner::Honest, Manner::Honest];
    let calm = World::new(2, &manners);
    calm.fuse.set(i64::MAX);
    calm.run(&mut calm.start().unwrap(), u64::MAX).unwrap();
    let moments = calm.fuse.passed.load(SeqCst);
    assert!(moments > 100, "{moments} moments");
    for moment in 1..=moments {
        let world = World::new(2, &manners);
        world.run_with_crashes(&[moment]).unwrap();
        assert_eq!(challenges(&world), challenges(&calm), "crash at {moment}");
        assert_eq!(entries(&world), entries(&calm), "crash at {moment}");
    }
}

/// Whatever a nonce was drawn for is on record before the log hears of it, and a challenge before a host does.
#[test]
fn p22_what_is_acted_upon_is_on_record_first() {
    let world = World::new(1, &[Manner::Honest]);
    world.fuse.set(i64::MAX);
    world.run(&mut world.start().unwrap(), u64::MAX).unwrap();
    let records = world.journal.records().unwrap();
    let at = |wanted: fn(&Record) -> bool| records.iter().position(wanted).unwrap();
    let committed = at(|r| matches!(r, Record::Committed { .. }));
    let round = at(|r| matches!(r, Record::Round { .. }));
    let asked = at(|r| matches!(r, Record::Asked { .. }));
    let answered = at(|r| matches!(r, Record::Answered { .. }));
    let bundled = at(|r| matches!(r, Record::Bundled { .. }));
    assert!(committed < round && round < asked && asked < answered && answered < bundled);
}

fn manner() -> impl Strategy<Value = Manner> {
    prop_oneof![
        Just(Manner::Honest),
        Just(Manner::Refuses),
        Just(Manner::FailsOnce),
        Just(Manner::CannotProve),
        Just(Manner::Equivocates),
        Just(Manner::NoOpenings),
        Just(Manner::NoInventory(bailiwick_protocol::bundle::NoAnswer::Unreachable)),
        Just(Manner::SlowUntil(super::world::ROUND_MS + 20_000)),
        Just(Manner::SilentUntil(super::world::ROUND_MS + 30_000)),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 48, failure_persistence: None, ..ProptestConfig::default() })]

    /// P22: any number of crashes, hosts of any manner: one commitment an epoch, one outcome and one challenge a host.
    #[test]
    fn p22_many_crashes_never_draw_anew(
        manners in prop::collection::vec(manner(), 1..4),
        crashes in prop::collection::vec(1i64..150, 0..8),
    ) {
        let world = World::new(2, &manners);
        world.run_with_crashes(&crashes).unwrap();
        let silent = |m: &&Manner| matches!(m, Manner::NoInventory(_));
        let asked = manners.len() - manners.iter().filter(silent).count();
        let counts = counts(&world);
        prop_assert_eq!(counts.len(), 1 + 2 * (1 + asked));
        prop_assert!(counts.values().all(|n| *n == 1), "{:?}", counts);
        prop_assert_eq!(challenges(&world).len(), 2 * asked);
    }
}
