//! Bytes that change on disk after they were stored, and an index and objects that disagree.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use bailiwick_store::{Admission, CellCheck, Damage, DamagedPart, Options, Store, StoreError};

use super::fixture::{Sample, Spec};
use super::forgetful::{Crash, Fate, Forgetful, Op};

fn open(fs: &Forgetful) -> Store {
    Store::open_with(Arc::new(fs.clone()), "/s", Options::default()).unwrap()
}

fn scrub(store: &Store) -> Vec<Damage> {
    store.scrub(CellCheck::Recompute, |_| (), || false).unwrap().damage
}

/// The one object file there is.
fn object_file(fs: &Forgetful) -> (PathBuf, usize) {
    let mut files = fs.files().into_iter().filter(|(p, _)| p.starts_with("/s/objects"));
    let (path, bytes) = files.next().unwrap();
    assert!(files.next().is_none());
    (path, bytes.len())
}

/// Nothing that differs from what was stored is handed out; errors are fine.
fn assert_serves_nothing_wrong(store: &Store, sample: &Sample, context: &str) {
    if let Ok(object) = store.get(&sample.name()) {
        assert_eq!(object.unwrap().envelope, sample.signed(), "{context}");
    }
    if let Ok(bytes) = store.open_body(&sample.name()).and_then(|r| r.read_range(0, sample.body.len())) {
        assert!(bytes == sample.body, "{context}: a damaged body was served");
    }
    if let Ok(tree) = store.tree(&sample.name()) {
        assert_eq!(tree.root(), sample.envelope.commitment.as_ref().unwrap().root, "{context}");
    }
}

/// D14, D22: one bit flipped in every byte of an object's file, one after the other. Nothing wrong is ever served, and scrub
/// names the object every time: so it reads every byte.
#[test]
fn d14_a_flipped_bit_anywhere_in_an_object_is_never_served_and_scrub_finds_it() {
    let fs = Forgetful::new();
    let store = open(&fs);
    let sample = Spec::default().seal();
    sample.put(&store).unwrap();
    let (path, len) = object_file(&fs);
    assert_eq!(scrub(&store), []);
    for at in 0..len {
        let flip = |bytes: &mut Vec<u8>| bytes[at] ^= 1 << (at % 8);
        fs.tamper(&path, flip);
        assert_serves_nothing_wrong(&store, &sample, &format!("byte {at}"));
        let damage = scrub(&store);
        assert!(
            damage.iter().any(|d| d.name == Some(sample.name()) && d.path == path),
            "byte {at}: {damage:?}"
        );
        if at < sample.body.len() {
            let read = store.open_body(&sample.name()).unwrap().read_range(0, 1);
            assert!(
                matches!(read, Err(StoreError::Damaged { part: DamagedPart::Body, offset: 0, .. })),
                "byte {at}"
            );
        }
        fs.tamper(&path, flip);
    }
    // The honest twin: every bit is back.
    sample.assert_whole(&store);
    assert_eq!(scrub(&store), []);
}

/// D14: a damaged piece is refused, its neighbours are served; scrub says where.
#[test]
fn d14_only_the_damaged_piece_is_refused() {
    let fs = Forgetful::new();
    let store = open(&fs);
    let sample = Spec { size: 400_000, ..Spec::default() }.seal();
    sample.put(&store).unwrap();
    let (path, _) = object_file(&fs);
    fs.tamper(&path, |bytes| bytes[3 * 65_536 + 5] ^= 4);
    let reader = store.open_body(&sample.name()).unwrap();
    assert_eq!(reader.read_range(0, 3 * 65_536).unwrap(), sample.body[..3 * 65_536]);
    assert_eq!(reader.read_range(4 * 65_536, 1 << 20).unwrap(), sample.body[4 * 65_536..]);
    for (offset, len) in [(3 * 65_536, 1), (4 * 65_536 - 1, 1), (0, 400_000)] {
        let mut buf = vec![0xaa; len];
        match reader.read_at(offset, &mut buf) {
            Err(StoreError::Damaged { part: DamagedPart::Body, offset: at, name }) => {
                assert_eq!((at, name), (3 * 65_536, sample.name()));
            }
            other => panic!("{other:?}"),
        }
        assert!(buf.iter().all(|b| *b == 0), "bytes were left in the buffer");
    }
    let found = scrub(&store);
    assert_eq!(
        found,
        [Damage { name: Some(sample.name()), path, part: DamagedPart::Body, offset: 3 * 65_536 }]
    );
    assert_eq!(store.damaged(), [sample.name()]);
}

/// D14: half of a body zeroed; then the owner puts the object again and it is whole.
#[test]
fn d14_a_damaged_object_can_be_put_again() {
    let fs = Forgetful::new();
    let store = open(&fs);
    let sample = Spec { size: 300_000, ..Spec::default() }.seal();
    sample.put(&store).unwrap();
    assert!(sample.put(&store).unwrap().already);
    let (path, _) = object_file(&fs);
    fs.tamper(&path, |bytes| bytes[100_000..250_000].fill(0));
    assert!(store.read_block(&sample.name(), 1).is_err());
    assert!(!sample.put(&store).unwrap().already);
    sample.assert_whole(&store);
    assert_eq!(scrub(&store), []);
    assert_eq!((store.damaged(), store.usage().total.objects), (vec![], 1));
}

/// D14: a file cut short, or grown.
#[test]
fn d14_a_cut_or_grown_file_is_noticed() {
    for change in
        [|b: &mut Vec<u8>| b.truncate(100), |b: &mut Vec<u8>| b.clear(), |b: &mut Vec<u8>| b.push(0)]
    {
        let fs = Forgetful::new();
        let store = open(&fs);
        let sample = Spec::default().seal();
        sample.put(&store).unwrap();
        let (path, _) = object_file(&fs);
        fs.tamper(&path, change);
        assert!(matches!(store.get(&sample.name()), Err(StoreError::Damaged { .. })));
        assert_eq!(scrub(&store).len(), 1);
        // Opening again neither serves nor removes it, and a rollback stays refused.
        drop(store);
        let store = open(&fs);
        assert_eq!(store.report().damaged, [sample.name()]);
        assert!(matches!(store.get(&sample.name()), Err(StoreError::Damaged { .. })));
        assert!(fs.files().iter().any(|(p, _)| *p == path));
        sample.put(&store).unwrap();
        sample.assert_whole(&store);
    }
}

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

/// D14: evidence that rotted proves nothing, and scrub says so.
#[test]
fn d14_a_flipped_bit_in_evidence_is_found() {
    let fs = Forgetful::new();
    let store = open(&fs);
    Spec::default().seal().put(&store).unwrap();
    Spec { content: 2, ..Spec::default() }.seal().begin(&store).unwrap_err();
    assert_eq!((store.evidence().unwrap().len(), scrub(&store)), (1, vec![]));
    let (path, bytes) = fs.files().into_iter().find(|(p, _)| p.starts_with("/s/evidence")).unwrap();
    for at in 0..bytes.len() {
        fs.tamper(&path, |bytes| bytes[at] ^= 1);
        assert_eq!(store.evidence().unwrap(), [], "byte {at}");
        assert_eq!(scrub(&store).iter().map(|d| &d.path).collect::<Vec<_>>(), [&path], "byte {at}");
        fs.tamper(&path, |bytes| bytes[at] ^= 1);
    }
    assert_eq!(scrub(&store), []);
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

#[test]
fn scrub_tells_progress_and_stops_when_asked() {
    let fs = Forgetful::new();
    let store = open(&fs);
    for object in 1..=3 {
        Spec { object, ..Spec::default() }.seal().put(&store).unwrap();
    }
    let mut last = Default::default();
    let report = store.scrub(CellCheck::Stored, |p| last = p, || false).unwrap();
    assert!(report.is_clean());
    assert_eq!(
        (report.progress.objects_done, report.progress.bytes_done),
        (3, store.usage().total.file_bytes)
    );
    assert_eq!((last.bytes_done, last.objects_total), (report.progress.bytes_total, 3));
    let mut asked = 0;
    let stop = || {
        asked += 1;
        asked > 1
    };
    let report = store.scrub(CellCheck::Stored, |_| (), stop).unwrap();
    assert!(report.stopped && !report.is_clean() && report.progress.objects_done < 3);
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

/// EIO, EMFILE as on Linux.
const BAD_SECTOR: i32 = 5;
const TOO_MANY_FILES: i32 = 24;

/// From the `nth` such call on, every `op` on `path` fails with `number`. The flag tells whether it came to that.
fn fail_from(fs: &Forgetful, nth: u64, op: Op, path: &Path, number: i32) -> Arc<AtomicBool> {
    let (path, mut count) = (path.to_path_buf(), 0);
    let hit = Arc::new(AtomicBool::new(false));
    let tell = Arc::clone(&hit);
    fs.judge(move |this, on| {
        if (this, on) != (op, &*path) {
            return Fate::Go;
        }
        count += 1;
        if count <= nth {
            return Fate::Go;
        }
        tell.store(true, Ordering::SeqCst);
        Fate::FailOs(number)
    });
    hit
}

/// D14: an object that is put again because its file is gone, cut, rotten or unreadable is not "stored already" only because the
/// index says so. It is stored anew, counted once.
#[test]
fn d14_a_put_of_the_same_looks_at_the_file_and_repairs_it() {
    use bailiwick_store::files::FileSystem;
    let sample = Spec { size: 70_000, ..Spec::default() }.seal();
    let footer = 136;
    type Harm = Box<dyn Fn(&Forgetful, &Path)>;
    let harms: [(&str, Harm); 6] = [
        ("gone", Box::new(|fs, path| fs.remove(path).unwrap())),
        ("cut", Box::new(|fs, path| fs.tamper(path, |b| b.truncate(b.len() - 1)))),
        ("empty", Box::new(|fs, path| fs.tamper(path, Vec::clear))),
        (
            "footer",
            Box::new(move |fs, path| fs.tamper(path, |b| *b.iter_mut().nth_back(footer - 1).unwrap() ^= 1)),
        ),
        ("envelope", Box::new(|fs, path| fs.tamper(path, |b| b[70_000] ^= 1))),
        ("bad sector", Box::new(|fs, path| drop(fail_from(fs, 0, Op::Read, path, BAD_SECTOR)))),
    ];
    for (harm, do_harm) in harms {
        let fs = Forgetful::new();
        let store = open(&fs);
        sample.put(&store).unwrap();
        let usage = store.usage();
        assert!(sample.put(&store).unwrap().already, "{harm}: the honest twin");
        let (path, _) = object_file(&fs);
        do_harm(&fs, &path);
        let admission = sample.begin(&store).unwrap();
        let Admission::Upload(mut upload) = admission else { panic!("{harm}: {admission:?}") };
        assert_eq!(store.damaged(), [sample.name()], "{harm}");
        fs.judge(|_, _| Fate::Go);
        upload.write(&sample.body).unwrap();
        assert!(!upload.finish().unwrap().already, "{harm}");
        sample.assert_whole(&store);
        assert_eq!((store.usage(), store.damaged()), (usage.clone(), vec![]), "{harm}");
        assert_eq!(scrub(&store), [], "{harm}");
        drop(store);
        assert_eq!(open(&fs).usage(), usage, "{harm}");
    }
}

/// D14: that the file could not be opened for want of handles says nothing about it: neither "stored already" nor damage.
#[test]
fn d14_a_put_of_the_same_that_cannot_look_is_an_error() {
    let fs = Forgetful::new();
    let store = open(&fs);
    let sample = Spec::default().seal();
    sample.put(&store).unwrap();
    fail_from(&fs, 0, Op::Open, &object_file(&fs).0, TOO_MANY_FILES);
    assert!(matches!(sample.begin(&store), Err(StoreError::Io { .. })));
    assert_eq!(store.damaged(), []);
    fs.judge(|_, _| Fate::Go);
    assert!(sample.put(&store).unwrap().already);
}

/// D14: sectors of an object's file that cannot be read, from each read on. Reads call it damaged and serve nothing, scrub names it
/// and goes on to the next object, and a put of the same repairs it.
#[test]
fn d14_unreadable_sectors_are_damage_and_do_not_end_a_scrub() {
    let first = Spec { size: 2_100_000, ..Spec::default() }.seal();
    let second = Spec { object: 2, ..Spec::default() }.seal();
    let mut nth = 0;
    loop {
        let fs = Forgetful::new();
        let store = open(&fs);
        first.put(&store).unwrap();
        let (path, _) = object_file(&fs);
        second.put(&store).unwrap();
        let hit = fail_from(&fs, nth, Op::Read, &path, BAD_SECTOR);
        let report = store.scrub(CellCheck::Recompute, |_| (), || false).unwrap();
        assert_eq!(report.progress.objects_done, 2, "read {nth}");
        if !hit.load(Ordering::SeqCst) {
            assert!(report.is_clean());
            break;
        }
        let names: Vec<_> = report.damage.iter().map(|d| d.name).collect();
        assert!(names.iter().all(|n| *n == Some(first.name())) && !names.is_empty(), "read {nth}: {names:?}");
        assert_eq!(store.damaged(), [first.name()], "read {nth}");
        let read = store.open_body(&first.name()).and_then(|r| r.read_range(0, 10));
        assert!(matches!(read, Err(StoreError::Damaged { .. })), "read {nth}: {read:?}");
        second.assert_whole(&store);
        fs.judge(|_, _| Fate::Go);
        assert!(!first.put(&store).unwrap().already, "read {nth}");
        first.assert_whole(&store);
        assert_eq!((scrub(&store), store.damaged()), (vec![], vec![]), "read {nth}");
        nth += 1;
    }
    assert!(nth >= 6, "footer, head, three steps of the body, table, tree: {nth} reads");
}

/// D14: a zeroed stretch of a body that is zeros anyway: that it cannot be read is still damage.
#[test]
fn d14_an_unreadable_piece_is_damage_whatever_it_was() {
    let fs = Forgetful::new();
    let store = open(&fs);
    let mut sample = Spec { size: 200_000, ..Spec::default() }.seal();
    sample.body[65_536..].fill(0);
    sample.recommit();
    sample.put(&store).unwrap();
    let (path, _) = object_file(&fs);
    // Footer, head, the step, piece 0; then piece 1 and no other.
    let mut reads = 0;
    fs.judge(move |op, on| {
        reads += u32::from(op == Op::Read && on == path);
        if op == Op::Read && on == path && matches!(reads, 3 | 5) {
            Fate::FailOs(BAD_SECTOR)
        } else {
            Fate::Go
        }
    });
    let found = scrub(&store);
    assert_eq!(found.len(), 1, "{found:?}");
    assert_eq!((found[0].part, found[0].offset), (DamagedPart::Body, 65_536));
}

/// D14: a directory or evidence that cannot be read is named, and the rest is scrubbed.
#[test]
fn d14_scrub_goes_on_past_an_unreadable_directory_and_evidence() {
    let fs = Forgetful::new();
    let store = open(&fs);
    let (first, second) = (Spec::default().seal(), Spec { object: 2, ..Spec::default() }.seal());
    first.put(&store).unwrap();
    let (object, _) = object_file(&fs);
    second.put(&store).unwrap();
    Spec { content: 2, ..Spec::default() }.seal().begin(&store).unwrap_err();
    let (evidence, _) = fs.files().into_iter().find(|(p, _)| p.starts_with("/s/evidence")).unwrap();
    let shard = object.parent().unwrap();
    for (op, path, part, done) in [
        (Op::List, shard, DamagedPart::Directory, 1),
        (Op::List, shard.parent().unwrap(), DamagedPart::Directory, 0),
        (Op::List, Path::new("/s/evidence"), DamagedPart::Directory, 2),
        (Op::Read, &evidence, DamagedPart::Envelope, 2),
        (Op::Open, &object, DamagedPart::File, 2),
    ] {
        fail_from(&fs, 0, op, path, BAD_SECTOR);
        let report = store.scrub(CellCheck::Stored, |_| (), || false).unwrap();
        let found: Vec<_> = report.damage.iter().map(|d| (&*d.path, d.part)).collect();
        assert_eq!((found, report.progress.objects_done), (vec![(path, part)], done));
    }
}

/// D14, D15: an unreadable object does not keep the store from opening. The others are there; it is damaged, counted, and can be
/// put again.
#[test]
fn d14_an_unreadable_object_does_not_stop_the_store_opening() {
    let (first, second) = (Spec::default().seal(), Spec { object: 2, ..Spec::default() }.seal());
    for op in [Op::Open, Op::Read] {
        let fs = Forgetful::new();
        let store = open(&fs);
        first.put(&store).unwrap();
        let (path, _) = object_file(&fs);
        second.put(&store).unwrap();
        let file_bytes = store.usage().total.file_bytes;
        drop(store);
        fs.tamper(Path::new("/s/index.redb"), Vec::clear);
        fail_from(&fs, 0, op, &path, BAD_SECTOR);
        let store = open(&fs);
        assert_eq!(
            (&*store.report().damaged, &*store.report().adopted),
            (&[first.name()][..], &[second.name()][..])
        );
        assert_eq!(store.usage().total.file_bytes, file_bytes, "a damaged file still takes up the quota");
        assert!(matches!(store.get(&first.name()), Err(StoreError::Damaged { .. })));
        second.assert_whole(&store);
        fs.judge(|_, _| Fate::Go);
        assert!(!first.put(&store).unwrap().already);
        first.assert_whole(&store);
        assert_eq!((store.usage().total.file_bytes, store.usage().total.objects), (file_bytes, 2));
        assert_eq!(scrub(&store), []);
    }
}

/// D14: a lower generation that stands beside a damaged higher one is scrubbed too, and both count against the quota until a put
/// of the higher one takes their place.
#[test]
fn d14_a_lower_generation_beside_a_damaged_higher_one_is_scrubbed_and_counted() {
    use bailiwick_store::files::FileSystem;
    let fs = Forgetful::new();
    let store = open(&fs);
    let lower = Spec::default().seal();
    let higher = Spec { generation: 2, content: 2, size: 3000, ..Spec::default() }.seal();
    lower.put(&store).unwrap();
    let (lower_path, lower_len) = object_file(&fs);
    let lower_bytes = fs.files().into_iter().find(|(p, _)| *p == lower_path).unwrap().1;
    higher.put(&store).unwrap();
    let (higher_path, higher_len) = object_file(&fs);
    drop(store);
    fs.create(&lower_path).unwrap();
    fs.tamper(&lower_path, |bytes| *bytes = lower_bytes);
    fs.tamper(&higher_path, |bytes| *bytes.last_mut().unwrap() ^= 1);
    fs.tamper(Path::new("/s/index.redb"), Vec::clear);
    let store = open(&fs);
    assert_eq!(store.report().damaged, [higher.name()]);
    assert_eq!(store.usage().total.file_bytes, (lower_len + higher_len) as u64);
    let paths = |found: Vec<Damage>| found.into_iter().map(|d| d.path).collect::<Vec<_>>();
    assert_eq!(paths(scrub(&store)), std::slice::from_ref(&higher_path));
    fs.tamper(&lower_path, |bytes| bytes[3] ^= 1);
    assert_eq!(paths(scrub(&store)), [lower_path, higher_path]);
    assert!(matches!(lower.begin(&store), Err(StoreError::LowerGeneration { stored: 2, offered: 1 })));
    higher.put(&store).unwrap();
    assert_eq!((store.usage().total.file_bytes, store.usage().total.objects), (higher_len as u64, 1));
    assert_eq!(scrub(&store), []);
    assert!(store.delete(&higher.name()).unwrap());
    assert_eq!(store.usage().total, Default::default());
}

/// What a reader says it read from the disk is what it read: the head at opening, whole pieces and their table after that.
#[test]
fn a_reader_counts_the_bytes_it_reads_from_the_disk() {
    let fs = Forgetful::new();
    let store = open(&fs);
    let sample = Spec { size: 400_000, ..Spec::default() }.seal();
    sample.put(&store).unwrap();
    let reader = store.open_body(&sample.name()).unwrap();
    let head = 136 + sample.signed().len() as u64 + 32;
    assert_eq!(reader.disk_bytes(), head);
    reader.read_range(70_000, 1).unwrap();
    assert_eq!(reader.disk_bytes(), head + 65_536 + 7 * 32, "a piece, and the piece table once");
    reader.read_range(131_071, 2).unwrap();
    assert_eq!(reader.disk_bytes(), head + 3 * 65_536 + 7 * 32);
    reader.read_range(399_999, 1).unwrap();
    assert_eq!(reader.disk_bytes(), head + 3 * 65_536 + 7 * 32 + (400_000 - 6 * 65_536));
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

/// D14, T9: a block's path needs the nodes on its way and no others: rot in those is noticed and named, rot elsewhere in the tree does not
/// matter to it.
#[test]
fn d14_a_block_path_is_checked_and_reads_its_nodes_only() {
    let fs = Forgetful::new();
    let store = open(&fs);
    let sample = Spec { size: 17 * 126_976 + 1000, ..Spec::default() }.seal();
    sample.put(&store).unwrap();
    let (name, whole) = (sample.name(), store.tree(&sample.name()).unwrap());
    for block in 0..18 {
        assert_eq!(store.block_path(&name, block).unwrap(), whole.block_path(block).unwrap());
    }
    assert!(matches!(store.block_path(&name, 18), Err(StoreError::OutOfRange { .. })));

    let (path, _) = object_file(&fs);
    let node = whole.to_bytes()[41..73].to_vec();
    let first =
        fs.files().iter().find(|(p, _)| *p == path).unwrap().1.windows(32).position(|w| w == node).unwrap();
    // Nodes of level 3: 18; of level 4: 2; the top.
    for (at, blocks_damaged) in
        [(0, 0..16), (15, 0..16), (16, 16..18), (17, 16..18), (18, 0..18), (19, 0..18), (20, 0..0)]
    {
        let flip = |bytes: &mut Vec<u8>| bytes[first + 32 * at] ^= 1;
        fs.tamper(&path, flip);
        for block in 0..18 {
            match store.block_path(&name, block) {
                Ok(found) => {
                    assert!(!blocks_damaged.contains(&block), "node {at}, block {block}");
                    assert_eq!(found, whole.block_path(block).unwrap());
                }
                Err(StoreError::Damaged { part, .. }) => {
                    assert!(blocks_damaged.contains(&block), "node {at}, block {block}");
                    assert_eq!(part, DamagedPart::CellTree);
                }
                Err(other) => panic!("{other}"),
            }
        }
        assert!(
            matches!(store.tree(&name), Err(StoreError::Damaged { .. })),
            "the whole tree's checksum sees it"
        );
        fs.tamper(&path, flip);
    }
    sample.assert_whole(&store);
}
