//! Bytes that change on disk after they were stored, and an index and objects that disagree.

use std::path::PathBuf;
use std::sync::Arc;

use bailiwick_store::{CellCheck, Damage, DamagedPart, Options, Store, StoreError};

use super::fixture::{Sample, Spec};
use super::forgetful::Forgetful;

pub(super) fn open(fs: &Forgetful) -> Store {
    Store::open_with(Arc::new(fs.clone()), "/s", Options::default()).unwrap()
}

pub(super) fn scrub(store: &Store) -> Vec<Damage> {
    store.scrub(CellCheck::Recompute, |_| (), || false).unwrap().damage
}

/// The one object file there is.
pub(super) fn object_file(fs: &Forgetful) -> (PathBuf, usize) {
    let mut files = fs.files().into_iter().filter(|(p, _)| p.starts_with("/s/objects"));
    let (path, bytes) = files.next().unwrap();
    assert!(files.next().is_none());
    (path, bytes.len())
}

/// Nothing that differs from what was stored is handed out; errors are fine.
pub(super) fn assert_serves_nothing_wrong(store: &Store, sample: &Sample, context: &str) {
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

/// D14: an object so damaged that its entry is lost, too, is put again as it was, and not as it was before that.
#[test]
fn d14_a_lower_generation_than_a_damaged_one_is_refused() {
    let fs = Forgetful::new();
    let of = |generation| Spec { generation, ..Spec::default() }.seal();
    of(3).put(&open(&fs)).unwrap();
    let (path, _) = object_file(&fs);
    for lost in [path, PathBuf::from("/s/index.redb")] {
        fs.tamper(&lost, Vec::clear);
    }
    let store = open(&fs);
    assert_eq!(store.damaged(), [of(3).name()]);
    let refused = of(2).put(&store).unwrap_err();
    assert!(matches!(refused, StoreError::LowerGeneration { stored: 3, offered: 2 }), "{refused}");
    of(3).put(&store).unwrap();
    of(3).assert_whole(&store);
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
