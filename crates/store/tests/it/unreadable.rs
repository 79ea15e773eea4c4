//! Disks that cannot read what is there: sectors, files, directories; and puts that repair.

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use bailiwick_store::{Admission, CellCheck, Damage, DamagedPart, StoreError};

use super::fixture::Spec;
use super::forgetful::{Fate, Forgetful, Op};
use super::rot::{object_file, open, scrub};

/// EIO, EMFILE as on Linux.
pub(super) const BAD_SECTOR: i32 = 5;
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
