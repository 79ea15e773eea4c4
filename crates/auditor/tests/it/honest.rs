//! A campaign in which everybody does what they should.

use std::sync::Arc;
use std::time::Duration;

use bailiwick_auditor::{Clock, Hosts, Workers, dossier};
use bailiwick_protocol::bundle::{Answer, ProbeOutcome};
use bailiwick_protocol::codec::Canonical as _;
use bailiwick_protocol::dossier::Dossier;
use bailiwick_protocol::schedule::{LogEntry, Offered, hash_of_nonce};

use super::world::{EPOCH_MS, Manner, ROUND_MS, World, key};

#[test]
fn every_epoch_has_one_commitment_before_its_round_and_one_outcome_for_each_host() {
    let world = World::new(3, &[Manner::Honest; 3]);
    world.run(&mut world.start().unwrap(), u64::MAX).unwrap();
    let auditor = key(100).public();
    let (mut commitments, mut outcomes) = (Vec::new(), Vec::new());
    for (i, (entry, at)) in world.log.decoded().into_iter().enumerate() {
        match entry {
            LogEntry::Schedule(s) => {
                assert_eq!(i, 0);
                s.verify(&auditor).unwrap();
            }
            LogEntry::Epoch(c) => {
                let c = c.verify(&auditor).unwrap();
                assert!(at < ROUND_MS + (c.epoch - 1) * EPOCH_MS);
                assert!(c.hosts.iter().all(|(_, o)| matches!(o, Offered::Inventory(_))));
                commitments.push(c);
            }
            LogEntry::Outcome(o) => {
                let o = o.verify(&auditor).unwrap();
                assert!(at >= ROUND_MS + (o.epoch - 1) * EPOCH_MS);
                outcomes.push((o.epoch, o.host));
            }
        }
    }
    assert_eq!(commitments.iter().map(|c| c.epoch).collect::<Vec<_>>(), [1, 2, 3]);
    outcomes.sort_unstable();
    let mut hosts = [1, 2, 3].map(|h| world.host(h));
    hosts.sort_unstable();
    assert_eq!(outcomes, (1..=3).flat_map(|e| hosts.map(|h| (e, h))).collect::<Vec<_>>());
    // Each challenge: the nonce committed to, the round of the schedule, the inventory offered, asked only once.
    let seen = world.hosts.seen.lock().unwrap();
    assert_eq!(seen.len(), 9);
    for (host, challenge, at, logged) in seen.iter() {
        let challenge = challenge.verify(&auditor).unwrap();
        let commitment = commitments.iter().find(|c| c.epoch == challenge.epoch).unwrap();
        assert_eq!(hash_of_nonce(&challenge.nonce), commitment.nonce);
        assert_eq!(challenge.host, *host);
        let round_ms = ROUND_MS + (challenge.epoch - 1) * EPOCH_MS;
        assert!(*at >= round_ms && *logged >= 2);
        let schedule = world.schedule.verify(&auditor).unwrap();
        assert_eq!(Some(challenge.beacon.unwrap().round), schedule.round_of(challenge.epoch));
    }
    // One nonce for an epoch, another for the next.
    assert_eq!(commitments.windows(2).filter(|w| w[0].nonce == w[1].nonce).count(), 0);
}

#[test]
fn the_dossier_holds_everything_and_is_canonical() {
    let world = World::new(2, &[Manner::Honest; 3]);
    world.run(&mut world.start().unwrap(), u64::MAX).unwrap();
    let made = dossier(&world.journal.records().unwrap(), &world.journal).unwrap();
    let read = Dossier::from_bytes(&made.to_bytes()).unwrap();
    assert_eq!(read, made);
    assert_eq!((read.announced.len(), read.audits.len(), read.inventories.len()), (3, 6, 0));
    for audit in &read.audits {
        let bundle = audit.bundle.verify(&key(100).public()).unwrap();
        assert!(matches!(bundle.answer, Answer::Response(_)));
        assert_eq!(bundle.ranges.iter().map(|r| r.outcome).collect::<Vec<_>>(), [ProbeOutcome::Good; 2]);
        let evidence = bundle.inventory.unwrap();
        assert_eq!(evidence.leaves.len(), bundle.envelopes.len());
        assert!(!evidence.leaves.is_empty());
        let LogEntry::Outcome(o) = LogEntry::from_bytes(&audit.outcome.as_ref().unwrap().entry).unwrap()
        else {
            panic!("another entry")
        };
        assert_eq!(o.verify(&key(100).public()).unwrap().bundle, audit.bundle.digest());
    }
}

/// The nonce is secret until its round: no entry logged before shows it.
#[test]
fn nothing_logged_before_the_round_shows_the_nonce() {
    let world = World::new(1, &[Manner::Honest]);
    world.run(&mut world.start().unwrap(), u64::MAX).unwrap();
    let nonce = world.hosts.seen.lock().unwrap()[0].1.decode_unverified().unwrap().nonce;
    let shows = |bytes: &[u8]| bytes.windows(32).any(|w| w == nonce.as_bytes());
    let seen: Vec<_> = world.hosts.seen.lock().unwrap().iter().map(|(_, c, ..)| c.to_bytes()).collect();
    assert!(seen.iter().all(|c| shows(c)));
    assert!(world.log.entries().iter().all(|(e, _)| !shows(e)));
}

/// Questions asked side by side end in the same log.
#[test]
fn workers_come_to_the_same_log_as_one_thread() {
    let world = World::new(1, &[Manner::Honest; 3]);
    let hosts: Arc<dyn Hosts> = Arc::clone(&world.hosts) as _;
    let clock: Arc<dyn Clock> = Arc::clone(&world.clock) as _;
    let workers = Workers::new(&hosts, &clock, 3);
    let mut engine = world.start().unwrap();
    while let Some(next) = engine.next_due_ms(clock.now_ms()) {
        for _ in 0..4 {
            workers.step(&mut engine, clock.as_ref(), Duration::from_millis(2)).unwrap();
        }
        world.set_clock(next.max(clock.now_ms() + 1));
    }
    let tally = engine.campaign().tally();
    assert_eq!((tally.epochs_done, tally.bundles, tally.logged), (1, 3, 5));
    assert_eq!(world.hosts.seen.lock().unwrap().len(), 3);
}
