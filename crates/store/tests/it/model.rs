//! The store against a model: any sequence of operations, restarts and crashes; and operations side by side.

use std::collections::BTreeMap;
use std::sync::{Arc, LazyLock, Mutex};

use bailiwick_store::{CellCheck, Options, Store, StoreError};
use proptest::prelude::*;

use super::fixture::{Sample, Spec};
use super::forgetful::{Crash, Fate, Forgetful};

const OBJECTS: u8 = 3;

#[derive(Clone, Copy, Debug)]
enum Step {
    Put {
        object: u8,
        generation: u64,
        content: u8,
    },
    /// The envelope alone.
    Rewrap {
        object: u8,
        generation: u64,
        content: u8,
    },
    /// An upload of which only the first bytes come.
    Abandon {
        object: u8,
    },
    Delete {
        object: u8,
    },
    Reopen,
    /// Power cut after so many more changing operations of the next step, leaving what the seed says.
    Crash {
        after: u64,
        seed: u64,
    },
    Flush,
}

fn step() -> impl Strategy<Value = Step> {
    let object = 1..=OBJECTS;
    prop_oneof![
        6 => (object.clone(), 1..5u64, 1..4u8)
            .prop_map(|(object, generation, content)| Step::Put { object, generation, content }),
        4 => (object.clone(), 1..7u64, 1..4u8)
            .prop_map(|(object, generation, content)| Step::Rewrap { object, generation, content }),
        1 => object.clone().prop_map(|object| Step::Abandon { object }),
        2 => object.prop_map(|object| Step::Delete { object }),
        1 => Just(Step::Reopen),
        2 => (0..14u64, any::<u64>()).prop_map(|(after, seed)| Step::Crash { after, seed }),
        1 => Just(Step::Flush),
    ]
}

fn sample(object: u8, generation: u64, content: u8) -> Sample {
    type Made = Mutex<BTreeMap<(u8, u64, u8), Sample>>;
    static MADE: LazyLock<Made> = LazyLock::new(Mutex::default);
    let mut made = MADE.lock().unwrap();
    let make = || Spec { object, generation, content, ..Spec::default() }.seal();
    made.entry((object, generation, content)).or_insert_with(make).clone()
}

fn open(fs: &Forgetful) -> Store {
    let options = Options { index_batch: 3, ..Options::default() };
    Store::open_with(Arc::new(fs.clone()), "/s", options).unwrap()
}

/// Generation and content of each object.
type Model = BTreeMap<u8, (u64, u8)>;

/// What the step makes of the model, if the store says yes.
fn apply(model: &Model, step: Step) -> Model {
    let mut model = model.clone();
    match step {
        Step::Put { object, generation, content } | Step::Rewrap { object, generation, content } => {
            model.insert(object, (generation, content));
        }
        Step::Delete { object } => drop(model.remove(&object)),
        _ => {}
    }
    model
}

/// Runs one step on a healthy store and checks its answer against the model.
fn run(store: &Store, model: &Model, step: Step) -> Result<(), StoreError> {
    match step {
        Step::Put { object, generation, content } => {
            let result = sample(object, generation, content).put(store);
            match (model.get(&object), &result) {
                (Some((stored, _)), Err(StoreError::LowerGeneration { .. })) => assert!(generation < *stored),
                (Some(stored), Err(StoreError::Equivocation { .. })) => {
                    assert!(stored.0 == generation && stored.1 != content);
                }
                (Some(stored), Ok(done)) => {
                    assert!(generation >= stored.0);
                    assert_eq!(done.already, *stored == (generation, content));
                }
                (None, Ok(done)) => assert!(!done.already),
                (_, Err(_)) => {}
            }
            result.map(drop)
        }
        Step::Rewrap { object, generation, content } => {
            let result = sample(object, generation, content).rewrap(store);
            match (model.get(&object), &result) {
                (None, Ok(_)) => panic!("an envelope without a body was taken"),
                (Some(stored), Ok(done)) => {
                    assert!(generation >= stored.0 && content == stored.1);
                    assert_eq!(done.already, stored.0 == generation);
                }
                (Some(stored), Err(StoreError::ContentMismatch { .. })) => assert!(stored.1 != content),
                (Some(stored), Err(StoreError::Damaged { .. })) => panic!("{stored:?} is not damaged"),
                (_, Err(_)) => {}
            }
            result.map(drop)
        }
        Step::Abandon { object } => {
            let sample = sample(object, 9, 3);
            let mut upload = sample.upload(store)?;
            upload.write(&sample.body[..70])
        }
        Step::Delete { object } => {
            let there = store.delete(&sample(object, 1, 1).name())?;
            assert_eq!(there, model.contains_key(&object));
            Ok(())
        }
        Step::Flush => store.flush(),
        Step::Reopen | Step::Crash { .. } => Ok(()),
    }
}

fn found(store: &Store) -> Model {
    let mut out = Model::new();
    for object in 1..=OBJECTS {
        let Some(there) = store.get(&sample(object, 1, 1).name()).unwrap() else { continue };
        let generation = there.record.generation;
        let content = (1..4).find(|c| sample(object, generation, *c).signed() == there.envelope);
        let content = content.expect("an envelope that was put");
        sample(object, generation, content).assert_whole(store);
        out.insert(object, (generation, content));
    }
    assert_eq!(store.list(None, 10).unwrap().len(), out.len());
    let usage = store.usage();
    assert_eq!((usage.total.objects, usage.total.reserved_bytes), (out.len() as u64, 0));
    out
}

fn die_after(fs: &Forgetful, after: u64) {
    let mut left = after;
    fs.judge(move |op, _| {
        if !op.changes() {
            return Fate::Go;
        }
        left = left.wrapping_sub(1);
        if left == u64::MAX { Fate::Die } else { Fate::Go }
    });
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 300, failure_persistence: None, ..ProptestConfig::default() })]

    /// D21: whatever the sequence, the store is what the model is; after a crash, what it was before or after the step
    /// that the crash cut.
    #[test]
    fn d21_any_sequence_agrees_with_the_model(steps in prop::collection::vec(step(), 1..25)) {
        let mut fs = Forgetful::new();
        let mut store = open(&fs);
        let mut model = Model::new();
        let mut steps = steps.into_iter();
        while let Some(step) = steps.next() {
            match step {
                Step::Reopen => {
                    drop(store);
                    store = open(&fs);
                    prop_assert!(store.report().adopted.is_empty() && store.report().lost.is_empty());
                }
                Step::Crash { after, seed } => {
                    let cut = steps.next().unwrap_or(Step::Flush);
                    die_after(&fs, after);
                    let result = run(&store, &model, cut);
                    let crash = if seed % 4 == 0 { Crash::Lost } else { Crash::Mixed(seed) };
                    let after = fs.crash(crash);
                    drop(store);
                    fs = after;
                    store = open(&fs);
                    let there = found(&store);
                    let done = apply(&model, cut);
                    if result.is_ok() {
                        prop_assert_eq!(&there, &done, "acknowledged, then lost: {:?}", cut);
                    } else {
                        prop_assert!(there == model || there == done, "{:?} of {:?} left {:?}", cut, model, there);
                    }
                    model = there;
                }
                step => {
                    if run(&store, &model, step).is_ok() {
                        model = apply(&model, step);
                    }
                    prop_assert_eq!(&found(&store), &model);
                }
            }
        }
        prop_assert!(store.scrub(CellCheck::Stored, |_| (), || false).unwrap().is_clean());
    }
}

/// D21: many threads put generations of the same objects and delete them, with readers and a scrub in between. No reader ever
/// sees anything but a whole object that someone put, and in the end everything agrees.
#[test]
fn d21_concurrent_puts_and_deletes_of_the_same_objects() {
    let fs = Forgetful::new();
    let store = open(&fs);
    std::thread::scope(|scope| {
        for thread in 0..4u64 {
            let store = &store;
            scope.spawn(move || {
                for round in 0..40u64 {
                    let object = u8::try_from((round + thread) % u64::from(OBJECTS)).unwrap() + 1;
                    let generation = 1 + (round * 7 + thread * 3) % 50;
                    let sample = sample(object, generation, 1);
                    let done = if round % 3 == 0 { sample.put(store) } else { sample.rewrap(store) };
                    match done {
                        Ok(_) | Err(StoreError::LowerGeneration { .. } | StoreError::NotFound(_)) => {}
                        Err(e) => panic!("{e}"),
                    }
                    if round % 5 == thread {
                        store.delete(&sample.name()).unwrap();
                    }
                }
            });
        }
        for object in 1..=OBJECTS {
            let store = &store;
            scope.spawn(move || {
                for _ in 0..100 {
                    match store.open_body(&sample(object, 1, 1).name()) {
                        Ok(reader) => {
                            let envelope = reader.envelope().clone();
                            let body = reader.read_range(0, 1000).unwrap();
                            assert_eq!(*blake3::hash(&body).as_bytes(), envelope.body.blake3.0);
                        }
                        Err(StoreError::NotFound(_)) => {}
                        Err(e) => panic!("{e}"),
                    }
                }
            });
        }
        let store = &store;
        scope.spawn(move || {
            for _ in 0..20 {
                assert_eq!(store.scrub(CellCheck::Stored, |_| (), || false).unwrap().damage, []);
            }
        });
    });
    found(&store);
    assert_eq!(store.damaged(), []);
    let usage = store.usage();
    drop(store);
    let store = open(&fs);
    assert_eq!((store.report().adopted.len(), store.report().lost.len()), (0, 0));
    assert_eq!(store.usage(), usage);
}
