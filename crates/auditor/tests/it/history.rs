//! Journals and logs that were set back.

use bailiwick_auditor::{EngineError, EntryId, Record};

use super::world::{EPOCH_MS, Manner, PACE, ROUND_MS, World};

fn whole() -> World {
    let world = World::new(2, &[Manner::Honest; 2]);
    world.run(&mut world.start().unwrap(), u64::MAX).unwrap();
    world
}

/// P23: a journal restored from any older state is noticed, if the log knows more than it does.
#[test]
fn p23_a_restored_journal_is_noticed_by_comparing_with_the_log() {
    let mut world = whole();
    let records = world.journal.records().unwrap();
    let journal = world.journal.clone();
    let entries = world.log.entries().len();
    for kept in 1..=records.len() {
        world.journal = journal.restored(kept);
        let lost = |r: &&Record| matches!(r, Record::Committed { .. } | Record::Bundled { .. });
        let lost = records[kept..].iter().filter(lost).count();
        let before = world.journal.len();
        let mut engine = world.start().unwrap();
        match world.settle(&mut engine) {
            Err(EngineError::JournalRolledBack { unknown }) => {
                assert_eq!(unknown.len(), lost, "{kept} records kept");
                assert_eq!(world.log.entries().len(), entries, "nothing may be logged by an old journal");
            }
            other => {
                other.unwrap();
                assert_eq!(lost, 0, "{kept} records kept");
                assert!(world.journal.len() >= before);
            }
        }
        assert_eq!(world.log.entries().len(), entries, "{kept} records kept");
    }
}

/// P23: the first thing unknown is named.
#[test]
fn p23_the_report_names_what_the_journal_does_not_know() {
    let mut world = whole();
    let second = |r: &Record| matches!(r, Record::Committed { epoch: 2, .. });
    let kept = world.journal.records().unwrap().iter().position(second).unwrap();
    world.journal = world.journal.restored(kept);
    let mut engine = world.start().unwrap();
    let Err(EngineError::JournalRolledBack { unknown }) = world.settle(&mut engine) else {
        panic!("not noticed")
    };
    assert_eq!(unknown[0], (4, EntryId::Epoch(2)));
}

/// A log that lost entries it had acknowledged.
#[test]
fn p23_a_log_that_was_set_back_is_noticed() {
    let world = whole();
    // A start after the end compares once more, and notes how far.
    world.settle(&mut world.start().unwrap()).unwrap();
    world.log.truncate(3);
    let mut engine = world.start().unwrap();
    let error = world.settle(&mut engine).unwrap_err();
    assert!(matches!(error, EngineError::LogRolledBack { known: 7, found: 3 }), "{error}");
}

/// An auditor that was away over a round has nothing to ask: the epoch is missed, for good, and the next one is not.
#[test]
fn t14_an_epoch_without_an_auditor_is_missed() {
    let world = World::new(3, &[Manner::Honest]);
    world.run(&mut world.start().unwrap(), ROUND_MS - PACE.lead_ms - 1000).unwrap();
    world.set_clock(ROUND_MS + EPOCH_MS + 1000);
    let mut engine = world.start().unwrap();
    world.run(&mut engine, u64::MAX).unwrap();
    let tally = engine.campaign().tally();
    assert_eq!((tally.epochs_missed, tally.epochs_done), (2, 1));
    assert_eq!(world.hosts.asked(1).len(), 1);
    assert_eq!(world.log.entries().len(), 3);
}
