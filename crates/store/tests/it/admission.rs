//! What a store takes and what it refuses.

use std::path::Path;
use std::sync::Arc;

use bailiwick_protocol::codec::CodecError;
use bailiwick_protocol::ids::{CellRoot, ContentId, OwnerKey};
use bailiwick_store::{Admission, Options, Store, StoreError};

use super::fixture::{Sample, Spec, owner_key};
use super::forgetful::Forgetful;

fn store_with(options: Options) -> (Forgetful, Store) {
    let fs = Forgetful::new();
    let store = Store::open_with(Arc::new(fs.clone()), "/s", options).unwrap();
    (fs, store)
}

fn store() -> (Forgetful, Store) {
    store_with(Options::default())
}

/// Files of uploads under way.
fn temporary(fs: &Forgetful) -> usize {
    fs.files().iter().filter(|(path, _)| path.starts_with("/s/tmp")).count()
}

fn refused(result: Result<impl std::fmt::Debug, StoreError>) -> StoreError {
    result.expect_err("must be refused")
}

#[test]
fn an_object_comes_back_as_it_was_put() {
    let (fs, store) = store();
    // One chunk; exactly a piece; a block and a bit; several pieces.
    for (object, size) in [(1, 72), (2, 65_536), (3, 126_976 + 1), (4, 300_000)] {
        let sample = Spec { object, size, ..Spec::default() }.seal();
        let stored = sample.put(&store).unwrap();
        assert!(!stored.already);
        sample.assert_whole(&store);
        assert_eq!(stored.record, store.get(&sample.name()).unwrap().unwrap().record);
    }
    assert_eq!(temporary(&fs), 0);
    assert_eq!(store.list(None, 10).unwrap().len(), 4);
    let file_bytes: u64 = store.list(None, 10).unwrap().iter().map(|r| r.file_bytes).sum();
    assert_eq!(store.usage().total.file_bytes, file_bytes);
    assert_eq!(store.usage().total.reserved_bytes, 0);
}

#[test]
fn ranges_and_blocks_are_the_bodys_own() {
    let (_, store) = store();
    let sample = Spec { size: 300_000, ..Spec::default() }.seal();
    sample.put(&store).unwrap();
    let reader = store.open_body(&sample.name()).unwrap();
    for (offset, len) in [(0, 1), (0, 56), (65_535, 2), (65_536, 65_536), (131_071, 131_074), (299_999, 1)] {
        assert_eq!(
            reader.read_range(offset, len).unwrap(),
            sample.body[usize::try_from(offset).unwrap()..][..len]
        );
    }
    assert_eq!(reader.read_range(299_990, 100).unwrap(), sample.body[299_990..]);
    assert_eq!(reader.read_range(300_000, 1).unwrap(), b"");
    assert!(matches!(refused(reader.read_range(300_001, 1)), StoreError::OutOfRange { .. }));
    assert_eq!(store.read_block(&sample.name(), 2).unwrap(), sample.body[2 * 126_976..]);
    assert!(matches!(refused(store.read_block(&sample.name(), 3)), StoreError::OutOfRange { .. }));
}

#[test]
fn listing_pages_in_name_order() {
    let (_, store) = store_with(Options { index_batch: 3, ..Options::default() });
    for (owner, object) in [(2, 9), (1, 7), (2, 1), (1, 255), (1, 0), (3, 3), (2, 2)] {
        Spec { owner, object, ..Spec::default() }.seal().put(&store).unwrap();
    }
    let deleted = Spec { owner: 1, object: 7, ..Spec::default() }.seal().name();
    assert!(store.delete(&deleted).unwrap());
    let mut names = Vec::new();
    loop {
        let page = store.list(names.last(), 2).unwrap();
        if page.is_empty() {
            break;
        }
        assert!(page.len() <= 2);
        names.extend(page.iter().map(|r| r.name));
    }
    assert_eq!(names.len(), 6);
    assert!(names.is_sorted() && !names.contains(&deleted), "{names:?}");
}

/// The owner key is pinned by the caller; the one in the envelope proves nothing.
#[test]
fn an_envelope_signed_by_another_key_is_refused() {
    let (_, store) = store();
    let sample = Spec::default().seal();
    let other = OwnerKey(owner_key(9).public());
    let e = refused(store.begin_put(&sample.signed(), &other));
    assert!(matches!(e, StoreError::Envelope(CodecError::BadSignature)), "{e}");
    let forged = Sample { owner_seed: 9, ..sample.clone() };
    assert!(matches!(refused(forged.begin(&store)), StoreError::Envelope(CodecError::BadSignature)));
    // Signed by the pinned key, but for somebody else's name space.
    let e = refused(store.begin_put(&forged.signed(), &other));
    assert!(matches!(e, StoreError::WrongOwner { .. }), "{e}");
    assert!(matches!(sample.begin(&store), Ok(Admission::Upload(_))));
}

#[test]
fn bytes_after_the_envelope_are_refused() {
    let (_, store) = store();
    let sample = Spec::default().seal();
    let bytes = [sample.signed(), vec![0]].concat();
    let e = refused(store.begin_put(&bytes, &sample.owner));
    assert!(matches!(e, StoreError::Envelope(CodecError::Trailing { left: 1 })), "{e}");
}

#[test]
fn an_envelope_without_commitment_is_refused() {
    let (_, store) = store();
    let mut sample = Spec::default().seal();
    sample.envelope.commitment = None;
    assert!(matches!(refused(sample.begin(&store)), StoreError::NoCommitment));
}

#[test]
fn a_body_over_the_limit_is_refused_before_it_is_sent() {
    let (_, store) = store_with(Options { body_bytes_max: 111, ..Options::default() });
    let sample = Spec { size: 112, ..Spec::default() }.seal();
    assert!(matches!(refused(sample.begin(&store)), StoreError::TooLarge { size: 112, max: 111 }));
    Spec { size: 111, ..Spec::default() }.seal().put(&store).unwrap();
}

#[test]
fn a_byte_too_many_is_refused_at_once() {
    let (fs, store) = store();
    let sample = Spec::default().seal();
    let mut upload = sample.upload(&store).unwrap();
    upload.write(&sample.body).unwrap();
    assert_eq!(upload.remaining(), 0);
    assert!(matches!(refused(upload.write(&[0])), StoreError::BodyTooLong { .. }));
    assert!(matches!(refused(upload.finish()), StoreError::UploadFailed));
    assert_eq!(temporary(&fs), 0);
    assert_eq!(store.get(&sample.name()).unwrap(), None);
    assert_eq!(store.usage().total, Default::default());
}

#[test]
fn a_body_cut_short_is_refused() {
    let (fs, store) = store();
    let sample = Spec::default().seal();
    let mut upload = sample.upload(&store).unwrap();
    upload.write(&sample.body[..sample.body.len() - 1]).unwrap();
    assert!(matches!(refused(upload.finish()), StoreError::BodyTooShort { .. }));
    assert_eq!(temporary(&fs), 0);
    assert_eq!(store.get(&sample.name()).unwrap(), None);
}

/// The body's first 56 bytes are the envelope's salt and key commitment, noticed as they arrive.
#[test]
fn a_body_with_another_header_is_refused_at_once() {
    let (_, store) = store();
    for flipped in [0, 23, 24, 55] {
        let mut sample = Spec::default().seal();
        sample.body[flipped] ^= 1;
        let mut upload = sample.upload(&store).unwrap();
        let (before, after) = sample.body.split_at(30);
        let result = upload.write(before).and_then(|()| upload.write(after));
        assert!(matches!(refused(result), StoreError::HeaderMismatch), "byte {flipped}");
    }
    // The same when the envelope lies and BLAKE3 and tree are the body's.
    let mut sample = Spec::default().seal();
    sample.envelope.body.key_commitment[31] ^= 1;
    assert!(matches!(refused(sample.put(&store)), StoreError::HeaderMismatch));
}

#[test]
fn a_body_with_one_other_bit_is_refused() {
    let (fs, store) = store();
    for flipped in [56, 100, 111] {
        let mut sample = Spec::default().seal();
        sample.body[flipped] ^= 0x80;
        assert!(matches!(refused(sample.put(&store)), StoreError::ContentMismatch { .. }), "byte {flipped}");
    }
    assert_eq!(temporary(&fs), 0);
    let mut sample = Spec::default().seal();
    sample.envelope.body.blake3 = ContentId([7; 32]);
    assert!(matches!(refused(sample.put(&store)), StoreError::ContentMismatch { .. }));
    Spec::default().seal().put(&store).unwrap();
}

/// The host recomputes the commitment it will be challenged on.
#[test]
fn a_cell_root_that_is_not_the_bodys_is_refused() {
    let (fs, store) = store();
    let mut sample = Spec::default().seal();
    let other = Spec { content: 2, ..Spec::default() }.seal();
    let other_root: CellRoot = other.envelope.commitment.unwrap().root;
    sample.envelope.commitment.as_mut().unwrap().root = other_root;
    assert!(matches!(refused(sample.put(&store)), StoreError::CellTreeMismatch { .. }));
    assert_eq!(temporary(&fs), 0);
    assert_eq!(store.get(&sample.name()).unwrap(), None);
}

#[test]
fn an_upload_that_is_dropped_leaves_nothing() {
    let (fs, store) = store();
    let before = fs.files();
    let sample = Spec::default().seal();
    let mut upload = sample.upload(&store).unwrap();
    upload.write(&sample.body[..80]).unwrap();
    assert_eq!(temporary(&fs), 1);
    assert!(store.usage().total.reserved_bytes > 0);
    drop(upload);
    assert_eq!(fs.files(), before);
    assert_eq!(store.usage().total, Default::default());
}

#[test]
fn putting_the_same_again_is_told_so_and_changes_nothing() {
    let (fs, store) = store();
    let sample = Spec::default().seal();
    let first = sample.put(&store).unwrap();
    let before = fs.files();
    // No body is asked for.
    let again = sample.begin(&store).unwrap();
    assert!(matches!(again, Admission::AlreadyStored(record) if record == first.record));
    assert_eq!(fs.files(), before);
}

#[test]
fn a_lower_generation_is_refused_and_a_higher_one_replaces() {
    let (fs, store) = store();
    let of = |generation, content| Spec { generation, content, ..Spec::default() }.seal();
    of(2, 1).put(&store).unwrap();
    let e = refused(of(1, 1).begin(&store));
    assert!(matches!(e, StoreError::LowerGeneration { stored: 2, offered: 1 }), "{e}");
    of(2, 1).assert_whole(&store);
    of(5, 3).put(&store).unwrap();
    of(5, 3).assert_whole(&store);
    let objects = fs.files().iter().filter(|(p, _)| p.starts_with("/s/objects")).count();
    assert_eq!(objects, 1, "the replaced file is gone");
    assert_eq!(store.usage().total.objects, 1);
    assert_eq!(store.usage().total.file_bytes, store.list(None, 1).unwrap()[0].file_bytes);
    // The rule holds after a restart, and while the lower one was already being uploaded.
    let mut late = of(6, 4).upload(&store).unwrap();
    of(7, 5).put(&store).unwrap();
    late.write(&of(6, 4).body).unwrap();
    assert!(matches!(refused(late.finish()), StoreError::LowerGeneration { stored: 7, offered: 6 }));
    drop(store);
    let store = Store::open_with(Arc::new(fs), "/s", Options::default()).unwrap();
    assert!(matches!(refused(of(6, 4).begin(&store)), StoreError::LowerGeneration { .. }));
    of(7, 5).assert_whole(&store);
}

/// A later envelope over the same body comes without the body; one over another body, an older and an equal one do not.
#[test]
fn an_envelope_is_replaced_over_the_same_body() {
    let (fs, store) = store();
    let of = |generation, content| Spec { generation, content, size: 3 << 20, ..Spec::default() }.seal();
    let replace = |s: &super::fixture::Sample| store.replace_envelope(&s.signed(), &s.owner);
    assert!(matches!(replace(&of(2, 1)).unwrap_err(), StoreError::NotFound(_)));
    of(1, 1).put(&store).unwrap();
    assert!(matches!(replace(&of(2, 9)).unwrap_err(), StoreError::ContentMismatch { .. }));
    of(1, 1).assert_whole(&store);
    assert!(!replace(&of(3, 1)).unwrap().already);
    of(3, 1).assert_whole(&store);
    assert!(replace(&of(3, 1)).unwrap().already);
    assert!(matches!(replace(&of(2, 1)).unwrap_err(), StoreError::LowerGeneration { stored: 3, offered: 2 }));
    let mut other = of(3, 1);
    other.envelope.policy = Some([1; 32]);
    assert!(matches!(replace(&other).unwrap_err(), StoreError::Equivocation { generation: 3 }));
    let after = fs.crash(super::forgetful::Crash::Lost);
    drop(store);
    let store = Store::open_with(Arc::new(after), "/s", Options::default()).unwrap();
    of(3, 1).assert_whole(&store);
}

/// Equal generation, other bytes: refused, and both envelopes kept as evidence that anyone can check.
#[test]
fn equivocation_is_refused_and_kept_as_evidence() {
    let (fs, store) = store();
    let of = |content| Spec { generation: 3, content, ..Spec::default() }.seal();
    of(1).put(&store).unwrap();
    assert_eq!(store.evidence().unwrap(), []);
    let e = refused(of(2).begin(&store));
    assert!(matches!(e, StoreError::Equivocation { generation: 3 }), "{e}");
    of(1).assert_whole(&store);
    let evidence = store.evidence().unwrap();
    assert_eq!(evidence.len(), 1);
    assert_eq!((evidence[0].first.clone(), evidence[0].second.clone()), (of(1).signed(), of(2).signed()));
    // A third one changes nothing; all survives a power cut.
    assert!(matches!(refused(of(4).begin(&store)), StoreError::Equivocation { .. }));
    let after = fs.crash(super::forgetful::Crash::Lost);
    drop(store);
    let store = Store::open_with(Arc::new(after), "/s", Options::default()).unwrap();
    assert_eq!(store.evidence().unwrap(), evidence);
    of(1).assert_whole(&store);
}

/// Only what really is an equivocation counts as one.
#[test]
fn evidence_is_judged_from_its_own_bytes() {
    use bailiwick_store::Equivocation;
    let of = |generation, content| Spec { generation, content, ..Spec::default() }.seal();
    assert!(Equivocation::from_envelopes(&of(1, 1).signed(), &of(1, 2).signed()).is_ok());
    assert!(Equivocation::from_envelopes(&of(1, 1).signed(), &of(1, 1).signed()).is_err());
    assert!(Equivocation::from_envelopes(&of(1, 1).signed(), &of(2, 2).signed()).is_err());
    let other_object = Spec { object: 2, content: 2, ..Spec::default() }.seal();
    assert!(Equivocation::from_envelopes(&of(1, 1).signed(), &other_object.signed()).is_err());
    let forged = Sample { owner_seed: 8, ..of(1, 2) };
    assert!(Equivocation::from_envelopes(&of(1, 1).signed(), &forged.signed()).is_err());
}

#[test]
fn quotas_hold_for_all_and_for_each_owner() {
    let bytes = {
        let (_, store) = store();
        Spec::default().seal().put(&store).unwrap().record.file_bytes
    };
    let (_, store) =
        store_with(Options { quota_bytes: 3 * bytes, owner_quota_bytes: 2 * bytes, ..Options::default() });
    let of = |owner, object| Spec { owner, object, ..Spec::default() }.seal();
    of(1, 1).put(&store).unwrap();
    of(1, 2).put(&store).unwrap();
    let e = refused(of(1, 3).begin(&store));
    assert!(matches!(e, StoreError::QuotaExceeded { left: 0, .. }), "{e}");
    of(2, 1).put(&store).unwrap();
    assert!(matches!(refused(of(3, 1).begin(&store)), StoreError::QuotaExceeded { left: 0, .. }));
    // What is deleted is free again.
    assert!(store.delete(&of(1, 1).name()).unwrap());
    of(3, 1).put(&store).unwrap();
    assert_eq!(store.usage().total.file_bytes, 3 * bytes);
}

/// D21: uploads side by side cannot exceed the quota together; what is not finished is given back.
#[test]
fn d21_parallel_uploads_cannot_exceed_the_quota() {
    let probe = store().1;
    let bytes = Spec::default().seal().put(&probe).unwrap().record.file_bytes;
    let (_, store) = store_with(Options { quota_bytes: 3 * bytes, ..Options::default() });
    let uploads: Vec<_> = std::thread::scope(|scope| {
        let begin = |object| {
            let store = &store;
            scope.spawn(move || Spec { object, ..Spec::default() }.seal().upload(store))
        };
        let threads: Vec<_> = (1..=8).map(begin).collect();
        threads.into_iter().map(|t| t.join().unwrap()).collect()
    });
    let admitted = uploads.iter().filter(|u| u.is_ok()).count();
    assert_eq!(admitted, 3);
    assert!(
        uploads.iter().flat_map(|u| u.as_ref().err()).all(|e| matches!(e, StoreError::QuotaExceeded { .. }))
    );
    drop(uploads);
    assert_eq!(store.usage().total.reserved_bytes, 0);
    Spec::default().seal().put(&store).unwrap();
}

#[test]
fn delete_removes_and_says_whether_there_was_anything() {
    let (fs, store) = store();
    let sample = Spec::default().seal();
    assert!(!store.delete(&sample.name()).unwrap());
    sample.put(&store).unwrap();
    // A reader that is open keeps reading.
    let reader = store.open_body(&sample.name()).unwrap();
    assert!(store.delete(&sample.name()).unwrap());
    assert_eq!(reader.read_range(0, 1000).unwrap(), sample.body);
    assert_eq!(store.get(&sample.name()).unwrap(), None);
    assert!(matches!(refused(store.open_body(&sample.name())), StoreError::NotFound(_)));
    assert!(matches!(refused(store.tree(&sample.name())), StoreError::NotFound(_)));
    assert_eq!(store.usage().total, Default::default());
    assert!(!fs.files().iter().any(|(p, _)| p.starts_with(Path::new("/s/objects"))));
}
