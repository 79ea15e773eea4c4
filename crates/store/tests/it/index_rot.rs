//! An index that rots, is gone, is old, or says something else than the objects.

use std::path::PathBuf;

use bailiwick_store::{CellCheck, Damage, DamagedPart, StoreError};

use super::fixture::Spec;
use super::forgetful::{Crash, Fate, Forgetful};
use super::rot::{object_file, open, scrub};
use super::unreadable::BAD_SECTOR;

/// D14: bits flipped all over the index file. The store opens, and everything is there.
#[test]
fn d14_a_flipped_bit_in_the_index_is_survived() {
    let fs = Forgetful::new();
    let store = open(&fs);
    let samples: Vec<_> = (1..=20).map(|object| Spec { object, ..Spec::default() }.seal()).collect();
    for sample in &samples {
        sample.put(&store).unwrap();
    }
    drop(store);
    let index = PathBuf::from("/s/index.redb");
    let bytes = fs.files().into_iter().find(|(p, _)| *p == index).unwrap().1;
    let used: Vec<usize> = (0..bytes.len()).filter(|i| bytes[*i] != 0).collect();
    let mut rebuilt = 0;
    for at in used.iter().copied().step_by(used.len() / 150 + 1) {
        let fs = fs.crash(Crash::Kept);
        fs.tamper(&index, |bytes| bytes[at] ^= 1 << (at % 8));
        let store = open(&fs);
        rebuilt += u32::from(store.report().index_rebuilt);
        samples.iter().for_each(|s| s.assert_whole(&store));
        assert_eq!(store.usage().total.objects, 20);
        assert_eq!(scrub(&store), [], "bit flipped in byte {at} of the index");
    }
    assert!(rebuilt > 0, "no flip ever harmed the index: the test flips nothing that matters");
}

/// D15: the index is gone, or older than the objects: it is rebuilt from them.
#[test]
fn d15_an_index_that_is_missing_or_old_is_rebuilt_from_the_objects() {
    let fs = Forgetful::new();
    let samples: Vec<_> = (1..=5).map(|object| Spec { object, ..Spec::default() }.seal()).collect();
    let store = open(&fs);
    samples[0].put(&store).unwrap();
    drop(store);
    let index = PathBuf::from("/s/index.redb");
    let old = fs.files().into_iter().find(|(p, _)| *p == index).unwrap().1;
    let store = open(&fs);
    for sample in &samples[1..] {
        sample.put(&store).unwrap();
    }
    let newer = Spec { object: 1, generation: 2, content: 2, ..Spec::default() }.seal();
    newer.put(&store).unwrap();
    drop(store);
    for content in [Vec::new(), old, b"not an index".repeat(1000)] {
        fs.tamper(&index, |bytes| *bytes = content.clone());
        let store = open(&fs);
        assert_eq!(store.report().adopted.len(), 5);
        newer.assert_whole(&store);
        samples[1..].iter().for_each(|s| s.assert_whole(&store));
        assert_eq!(store.usage().total.objects, 5);
        assert_eq!(scrub(&store), []);
        drop(store);
        assert_eq!(open(&fs).report().adopted, []);
    }
}

/// D15, the other way: an object file is gone. The loss is told, scrub names it, and the index follows the data.
#[test]
fn d15_an_object_that_is_missing_is_told_and_forgotten() {
    use bailiwick_store::files::FileSystem;
    let fs = Forgetful::new();
    let store = open(&fs);
    let kept = Spec { object: 2, ..Spec::default() }.seal();
    let lost = Spec::default().seal();
    lost.put(&store).unwrap();
    let (path, _) = object_file(&fs);
    kept.put(&store).unwrap();
    fs.remove(&path).unwrap();
    assert!(matches!(store.get(&lost.name()), Err(StoreError::Damaged { part: DamagedPart::File, .. })));
    assert_eq!(scrub(&store), [Damage { name: Some(lost.name()), path, part: DamagedPart::File, offset: 0 }]);
    drop(store);
    let store = open(&fs);
    assert_eq!(store.report().lost, [lost.name()]);
    assert_eq!(store.get(&lost.name()).unwrap(), None);
    assert_eq!(store.list(None, 10).unwrap().len(), 1);
    assert_eq!(store.usage().total.objects, 1);
    kept.assert_whole(&store);
    lost.put(&store).unwrap();
    lost.assert_whole(&store);
}

/// D15: a file under another object's name is not that object.
#[test]
fn d15_a_file_under_anothers_name_is_refused() {
    use bailiwick_store::files::FileSystem;
    let fs = Forgetful::new();
    let store = open(&fs);
    let sample = Spec { generation: 1, ..Spec::default() }.seal();
    sample.put(&store).unwrap();
    let (path, _) = object_file(&fs);
    drop(store);
    let renamed =
        path.with_file_name(path.file_name().unwrap().to_str().unwrap().replace("0001.obj", "0002.obj"));
    assert_ne!(renamed, path);
    fs.rename(&path, &renamed).unwrap();
    let store = open(&fs);
    assert_eq!(store.report().damaged, [sample.name()]);
    assert!(matches!(
        store.get(&sample.name()),
        Err(StoreError::Damaged { part: DamagedPart::Envelope, .. })
    ));
}

/// D15: a deletion the index file has not heard of when the machine dies. The next object of that name, generation and
/// length is not taken for the deleted one.
#[test]
fn d15_a_stale_entry_does_not_pass_for_a_later_object() {
    let fs = Forgetful::new();
    let store = open(&fs);
    let first = Spec::default().seal();
    let second = Spec { content: 2, ..Spec::default() }.seal();
    first.put(&store).unwrap();
    store.flush().unwrap();
    assert!(store.delete(&first.name()).unwrap());
    let stored = second.put(&store).unwrap().record;
    let after = fs.crash(Crash::Kept);
    drop(store);
    let store = open(&after);
    assert_eq!(store.list(None, 10).unwrap(), [stored]);
    assert_eq!(scrub(&store), []);
    second.assert_whole(&store);
}

/// D14: an index that cannot be read is named, and every object and the evidence are still scrubbed.
#[test]
fn d14_scrub_goes_on_past_an_unreadable_index() {
    let fs = Forgetful::new();
    let store = open(&fs);
    let (first, second) = (Spec::default().seal(), Spec { object: 2, ..Spec::default() }.seal());
    first.put(&store).unwrap();
    second.put(&store).unwrap();
    // Held in memory it would not be missed: it is lost when a write fails and it cannot be read again either.
    let index = PathBuf::from("/s/index.redb");
    let on_index = index.clone();
    fs.judge(move |_, path| if path == on_index { Fate::FailOs(BAD_SECTOR) } else { Fate::Go });
    store.flush().unwrap_err();
    let report = store.scrub(CellCheck::Stored, |_| (), || false).unwrap();
    assert_eq!(report.progress.objects_done, 2);
    assert!(report.damage.contains(&Damage { name: None, path: index, part: DamagedPart::Index, offset: 0 }));
    assert_eq!(store.damaged(), []);
}
