//! What comes from hosts and does not fit: too late, of another epoch, of other leaves, of another key.

use std::sync::Arc;
use std::time::Duration;

use bailiwick_auditor::{Clock, Engine, EngineError, Hosts, Ports, Workers, dossier, perform};
use bailiwick_beacon::BeaconVerifier;
use bailiwick_protocol::bundle::{Answer, Bundle, NoAnswer};
use bailiwick_protocol::schedule::{LogEntry, Offered};
use bailiwick_testing::BeaconChain;

use super::world::{ANSWER_MS, Manner, PACE, ROUND_MS, World, key, silence_crashes};

fn bundle(world: &World) -> Bundle {
    let dossier = dossier(&world.journal.records().unwrap(), &world.journal).unwrap();
    dossier.audits[0].bundle.verify(&key(100).public()).unwrap()
}

fn offered(world: &World) -> Offered {
    let LogEntry::Epoch(c) = &world.log.decoded()[1].0 else { panic!("another entry") };
    c.decode_unverified().unwrap().hosts[0].1
}

/// An inventory of another epoch, or in another hand, is none: a host cannot have two heads.
#[test]
fn p15_an_inventory_of_another_epoch_or_host_is_none() {
    for manner in [Manner::WrongEpoch, Manner::ForeignInventory] {
        let world = World::new(1, &[manner]);
        world.run(&mut world.start().unwrap(), u64::MAX).unwrap();
        assert_eq!(offered(&world), Offered::Nothing(NoAnswer::Refused), "{manner:?}");
    }
    let world = World::new(1, &[Manner::Honest]);
    world.run(&mut world.start().unwrap(), u64::MAX).unwrap();
    assert!(matches!(offered(&world), Offered::Inventory(_)));
}

/// Leaves that were not sampled, or too few, and envelopes that the owner did not sign: the bundle holds none rather than those, and
/// nothing is fetched by their word.
#[test]
fn p13_p15_only_the_sampled_leaves_with_their_owners_envelopes_are_kept() {
    for manner in [Manner::WrongLeaves, Manner::ForeignEnvelopes, Manner::FewEnvelopes] {
        let world = World::new(1, &[manner]);
        world.run(&mut world.start().unwrap(), u64::MAX).unwrap();
        let bundle = bundle(&world);
        assert!(matches!(bundle.answer, Answer::Response(_)));
        assert!(bundle.inventory.unwrap().leaves.is_empty(), "{manner:?}");
        assert!(bundle.envelopes.is_empty() && bundle.ranges.is_empty(), "{manner:?}");
    }
}

/// Leaves that come after the host was given up change nothing.
#[test]
fn p16_openings_after_the_host_was_given_up_change_nothing() {
    let world = World::new(1, &[Manner::OpeningsFrom(ROUND_MS + ANSWER_MS)]);
    let mut engine = world.start().unwrap();
    let cutoff = ROUND_MS + ANSWER_MS - PACE.reserve_ms;
    world.run(&mut engine, cutoff - PACE.reask_ms - 1).unwrap();
    let mut tasks = Vec::new();
    while tasks.is_empty() {
        world.set_clock(world.clock.now_ms() + 100);
        tasks = engine.tasks(world.clock.now_ms());
    }
    assert!(world.clock.now_ms() < cutoff);
    // On its way at the cut-off, it is waited for a little; then the evidence is closed.
    world.set_clock(cutoff);
    engine.advance(cutoff).unwrap();
    assert_eq!(engine.campaign().tally().bundles, 0);
    world.set_clock(cutoff + PACE.reserve_ms / 2);
    engine.advance(world.clock.now_ms()).unwrap();
    assert_eq!(engine.campaign().tally().bundles, 1);
    world.set_clock(ROUND_MS + ANSWER_MS);
    engine.settle(perform(world.hosts.as_ref(), world.clock.as_ref(), &tasks[0])).unwrap();
    world.run(&mut engine, u64::MAX).unwrap();
    assert_eq!(engine.campaign().tally().bundles, 1);
    assert!(bundle(&world).inventory.unwrap().leaves.is_empty());
}

/// An adapter that panics loses no report: the host is asked again, and given up like one that cannot be reached.
#[test]
fn a_question_that_panics_is_one_to_an_unreachable_host() {
    silence_crashes();
    for at_inventory in [true, false] {
        let world = World::new(1, &[Manner::Panics(at_inventory), Manner::Honest]);
        let hosts: Arc<dyn Hosts> = Arc::clone(&world.hosts) as _;
        let clock: Arc<dyn Clock> = Arc::clone(&world.clock) as _;
        let workers = Workers::new(&hosts, &clock, 2);
        let mut engine = world.start().unwrap();
        while let Some(next) = engine.next_due_ms(clock.now_ms()) {
            assert!(clock.now_ms() < ROUND_MS + 2 * ANSWER_MS, "the host is never given up");
            for _ in 0..4 {
                workers.step(&mut engine, clock.as_ref(), Duration::from_millis(2)).unwrap();
            }
            world.set_clock(next.max(clock.now_ms() + 1));
        }
        let tally = engine.campaign().tally();
        let asked = 2 - u64::from(at_inventory);
        assert_eq!((tally.inventories_missing, tally.bundles), (2 - asked, asked));
        let mut hosts = tally.hosts.values();
        let unreachable = hosts.clone().map(|h| h.unreachable).sum::<u64>();
        assert_eq!(unreachable, u64::from(!at_inventory));
        assert!(hosts.any(|h| h.proofs == 1), "the other host is none the worse");
    }
}

/// A report that comes after its moment changes nothing: what was committed to stays.
#[test]
fn an_inventory_that_comes_after_the_commitment_is_too_late() {
    let world = World::new(1, &[Manner::Honest]);
    let mut engine = world.start().unwrap();
    world.set_clock(ROUND_MS - PACE.lead_ms);
    engine.advance(world.clock.now_ms()).unwrap();
    let tasks = engine.tasks(world.clock.now_ms());
    assert_eq!(tasks.len(), 1);
    assert!(engine.tasks(world.clock.now_ms()).is_empty(), "one question at a time");
    world.set_clock(ROUND_MS - PACE.commit_ms);
    engine.advance(world.clock.now_ms()).unwrap();
    engine.settle(perform(world.hosts.as_ref(), world.clock.as_ref(), &tasks[0])).unwrap();
    world.run(&mut engine, u64::MAX).unwrap();
    assert_eq!(offered(&world), Offered::Nothing(NoAnswer::TimedOut));
    assert!(world.hosts.asked(1).is_empty());
}

/// Between the moment of the commitment and the round nobody is asked any more, and shortly before it nobody has time to
/// answer: an auditor that starts, or starts again, so late says of itself that it did not ask, and nothing of the host.
#[test]
fn an_auditor_that_starts_late_says_that_it_did_not_ask() {
    let (begin, commit) = (ROUND_MS - PACE.lead_ms, ROUND_MS - PACE.commit_ms);
    let silent = || World::new(1, &[Manner::NoInventory(NoAnswer::Refused)]);
    let started = |at: u64| {
        let world = silent();
        world.set_clock(at);
        world.run(&mut world.start().unwrap(), u64::MAX).unwrap();
        offered(&world)
    };
    let half = begin.midpoint(commit);
    for at in [half + 1, commit - 1, commit, commit + 1, ROUND_MS - 1] {
        assert_eq!(started(at), Offered::Nothing(NoAnswer::NotAsked), "{}", ROUND_MS - at);
    }
    for at in [begin, half] {
        assert_eq!(started(at), Offered::Nothing(NoAnswer::Refused), "{}", ROUND_MS - at);
    }
    // A host that would have given one is not said to have given none, by an auditor that slept over the time to ask.
    let woken = |at: u64| {
        let world = World::new(1, &[Manner::Honest]);
        world.run(&mut world.start().unwrap(), begin - 1).unwrap();
        world.set_clock(at);
        world.run(&mut world.start().unwrap(), u64::MAX).unwrap();
        offered(&world)
    };
    assert_eq!(woken(commit), Offered::Nothing(NoAnswer::NotAsked));
    assert!(matches!(woken(commit - 1), Offered::Inventory(_)));
    // What an engine before this one heard it has not written down.
    let world = silent();
    world.run(&mut world.start().unwrap(), commit - 1).unwrap();
    world.set_clock(commit);
    world.run(&mut world.start().unwrap(), u64::MAX).unwrap();
    assert_eq!(offered(&world), Offered::Nothing(NoAnswer::NotAsked));
}

/// P12: an answer that comes after the host was given up does not undo that.
#[test]
fn p12_an_answer_after_the_host_was_given_up_changes_nothing() {
    let world = World::new(1, &[Manner::SlowUntil(ROUND_MS + ANSWER_MS)]);
    let mut engine = world.start().unwrap();
    world.run(&mut engine, ROUND_MS + ANSWER_MS - PACE.reserve_ms - 1).unwrap();
    world.set_clock(ROUND_MS + ANSWER_MS - PACE.reserve_ms - 1);
    let mut tasks = engine.tasks(world.clock.now_ms());
    if tasks.is_empty() {
        world.set_clock(ROUND_MS + ANSWER_MS - PACE.reserve_ms);
        tasks = engine.tasks(world.clock.now_ms());
    }
    assert_eq!(tasks.len(), 1);
    world.set_clock(ROUND_MS + ANSWER_MS);
    engine.advance(world.clock.now_ms()).unwrap();
    engine.settle(perform(world.hosts.as_ref(), world.clock.as_ref(), &tasks[0])).unwrap();
    world.run(&mut engine, u64::MAX).unwrap();
    assert_eq!(bundle(&world).answer, Answer::None(NoAnswer::TimedOut));
    assert_eq!(engine.campaign().tally().bundles, 1);
}

/// A campaign is bound to its auditor's key and its beacon chain.
#[test]
fn another_key_or_another_chain_is_refused() {
    let world = World::new(1, &[Manner::Honest]);
    drop(world.start().unwrap());
    let records = world.journal.records().unwrap();
    let ports = || world.ports();
    let chain = |genesis| BeaconVerifier::new(BeaconChain::new(genesis, 3).info().clone()).unwrap();
    let good = BeaconVerifier::new(world.chain.info().clone()).unwrap();
    let resume =
        |seed, verifier, ports: Ports| Engine::resume(&records, Arc::new(key(seed)), verifier, PACE, ports);
    resume(100, good.clone(), ports()).unwrap();
    assert!(matches!(resume(99, good, ports()), Err(EngineError::AnotherAuditor { .. })));
    assert!(matches!(resume(100, chain(1), ports()), Err(EngineError::AnotherChain)));
    assert!(matches!(
        Engine::resume(&[], Arc::new(key(100)), chain(1), PACE, ports()),
        Err(EngineError::State(_))
    ));
}
