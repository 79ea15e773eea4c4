//! Crashes at every operation, on a file system that forgets what was not synced.

use std::collections::BTreeMap;
use std::sync::Arc;

use bailiwick_protocol::ids::UnitName;
use bailiwick_store::{Options, Store, StoreError};

use super::fixture::{Sample, Spec};
use super::forgetful::{Crash, Fate, Forgetful, Op};

#[derive(Clone, Copy, Debug)]
enum Action {
    Put(u8, u64, u8),
    /// The envelope alone.
    Rewrap(u8, u64, u8),
    Delete(u8),
}

const ACTIONS: [Action; 11] = [
    Action::Put(1, 1, 1),
    Action::Put(2, 1, 1),
    Action::Rewrap(2, 2, 1),
    Action::Rewrap(2, 5, 1),
    Action::Delete(2),
    Action::Put(2, 1, 5),
    Action::Rewrap(2, 2, 5),
    Action::Put(2, 4, 3),
    Action::Delete(2),
    Action::Put(3, 1, 1),
    Action::Put(1, 3, 2),
];

fn sample(object: u8, generation: u64, content: u8) -> Sample {
    Spec { object, generation, content, ..Spec::default() }.seal()
}

fn options() -> Options {
    // Small, so that the index is written in the middle of things too.
    Options { index_batch: 2, ..Options::default() }
}

fn open(fs: &Forgetful) -> Result<Store, StoreError> {
    Store::open_with(Arc::new(fs.clone()), "/s", options())
}

/// What was acknowledged, and what was being done when the process died.
#[derive(Default)]
struct History {
    acknowledged: BTreeMap<UnitName, Sample>,
    in_flight: Option<Action>,
}

impl Action {
    fn name(self) -> UnitName {
        match self {
            Self::Put(object, ..) | Self::Rewrap(object, ..) | Self::Delete(object) => {
                sample(object, 1, 1).name()
            }
        }
    }

    fn apply(self, model: &mut BTreeMap<UnitName, Sample>) {
        match self {
            Self::Put(o, g, c) | Self::Rewrap(o, g, c) => drop(model.insert(self.name(), sample(o, g, c))),
            Self::Delete(_) => drop(model.remove(&self.name())),
        }
    }

    fn run(self, store: &Store) -> Result<(), StoreError> {
        match self {
            Self::Put(o, g, c) => sample(o, g, c).put(store).map(drop),
            Self::Rewrap(o, g, c) => sample(o, g, c).rewrap(store).map(drop),
            Self::Delete(_) => store.delete(&self.name()).map(drop),
        }
    }
}

/// Opens and works until the process dies at changing operation `die_at`. True if it got through.
fn work(fs: &Forgetful, die_at: u64, history: &mut History) -> bool {
    let mut count = 0;
    fs.judge(move |op, _| {
        if !op.changes() {
            return Fate::Go;
        }
        count += 1;
        if count > die_at { Fate::Die } else { Fate::Go }
    });
    let Ok(store) = open(fs) else {
        assert!(fs.is_dead(), "opening fails only because the process died");
        return false;
    };
    for action in ACTIONS {
        if action.run(&store).is_err() {
            assert!(fs.is_dead(), "{action:?} fails only because the process died");
            history.in_flight = Some(action);
            return false;
        }
        action.apply(&mut history.acknowledged);
    }
    // Closing writes the index; dying there loses nothing either.
    drop(store);
    !fs.is_dead()
}

/// Asserts that every name is as acknowledged, or for the one in flight as before or after. Returns what is there.
fn check(store: &Store, history: &History, context: &str) -> BTreeMap<UnitName, Sample> {
    let mut after = history.acknowledged.clone();
    if let Some(action) = history.in_flight {
        action.apply(&mut after);
    }
    let mut there = BTreeMap::new();
    for object in 1..=3 {
        let name = sample(object, 1, 1).name();
        let allowed = [history.acknowledged.get(&name), after.get(&name)];
        match store.get(&name).unwrap_or_else(|e| panic!("{context}: {e}")) {
            None => assert!(
                allowed.iter().any(Option::is_none),
                "{context}: acknowledged object {object} is gone"
            ),
            Some(found) => {
                let whole = allowed.into_iter().flatten().find(|s| s.signed() == found.envelope);
                let whole =
                    whole.unwrap_or_else(|| panic!("{context}: object {object} came back from the past"));
                whole.assert_whole(store);
                there.insert(name, whole.clone());
            }
        }
    }
    let listed: Vec<_> = store.list(None, 10).unwrap().iter().map(|r| r.name).collect();
    assert_eq!(listed, there.keys().copied().collect::<Vec<_>>(), "{context}");
    assert_eq!(store.usage().total.objects, there.len() as u64, "{context}");
    there
}

/// D01, D04, D05, D06, D08: the machine loses power at every operation, with everything unsynced lost, kept, or torn
/// apart by chance. An acknowledged object is whole; any other is as before or whole; the store goes on.
#[test]
fn d01_d05_power_cut_at_every_operation() {
    let mut points = 0;
    for die_at in 0.. {
        let mut done = false;
        for mode in [Crash::Lost, Crash::Kept, Crash::Mixed(die_at), Crash::Mixed(!die_at)] {
            let context = format!("power cut at operation {die_at}, {mode:?}");
            let fs = Forgetful::new();
            let mut history = History::default();
            done = work(&fs, die_at, &mut history);
            let fs = fs.crash(mode);
            let store = open(&fs).unwrap_or_else(|e| panic!("{context}: {e}"));
            check(&store, &history, &context);
            assert!(!fs.files().iter().any(|(p, _)| p.starts_with("/s/tmp")), "{context}: leftovers");
            // Whoever got no answer asks again, and everything goes on.
            if let Some(action) = history.in_flight.take() {
                action.run(&store).unwrap_or_else(|e| panic!("{context}: {e}"));
                action.apply(&mut history.acknowledged);
            }
            check(&store, &history, &context);
            // Now index and objects agree: closing and opening changes nothing.
            drop(store);
            let store = open(&fs).unwrap();
            let report = store.report();
            assert!(report.adopted.is_empty() && report.lost.is_empty(), "{context}: {report:?}");
            points += 1;
        }
        if done {
            break;
        }
    }
    assert!(points > 200, "only {points} crash points: the operations were not counted");
}

/// D01, D05: the process is killed, the next one answers from what it finds, and only then the power fails. What the
/// second process said stands: a repeated put that is answered "stored already" is an acknowledgement too.
#[test]
fn d01_d05_kill_then_restart_then_power_cut() {
    for asked_again in [true, false] {
        for die_at in 0.. {
            let context = format!("kill at operation {die_at}, asked again: {asked_again}");
            let fs = Forgetful::new();
            let mut history = History::default();
            let done = work(&fs, die_at, &mut history);
            let fs = fs.crash(Crash::Killed);
            let store = open(&fs).unwrap_or_else(|e| panic!("{context}: {e}"));
            // What can be read now has been told to someone.
            history.acknowledged = check(&store, &history, &context);
            match history.in_flight.take() {
                Some(action) if asked_again => {
                    action.run(&store).unwrap();
                    action.apply(&mut history.acknowledged);
                }
                _ => {}
            }
            let after = fs.crash(Crash::Lost);
            drop(store);
            let store = open(&after).unwrap_or_else(|e| panic!("{context}: {e}"));
            check(&store, &history, &context);
            if done {
                break;
            }
        }
    }
}

/// D05: a delete that the power cut interrupts, after a replacement: never back to the generation before the last acknowledged.
#[test]
fn d05_a_replaced_generation_never_comes_back() {
    for seed in 0..32 {
        let fs = Forgetful::new();
        let store = open(&fs).unwrap();
        sample(1, 1, 1).put(&store).unwrap();
        sample(1, 2, 2).put(&store).unwrap();
        fs.judge(|op, _| if op == Op::SyncDir { Fate::Die } else { Fate::Go });
        assert!(store.delete(&sample(1, 1, 1).name()).is_err());
        let after = fs.crash(Crash::Mixed(seed));
        drop(store);
        let store = open(&after).unwrap();
        match store.get(&sample(1, 1, 1).name()).unwrap() {
            None => {}
            Some(_) => sample(1, 2, 2).assert_whole(&store),
        }
    }
}
