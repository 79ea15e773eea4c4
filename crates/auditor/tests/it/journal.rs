//! The journal on disk.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;

use bailiwick_auditor::{EntryId, FileJournal, Journal as _, JournalError, Record};
use bailiwick_protocol::codec::Canonical as _;
use bailiwick_protocol::ids::{BundleDigest, HostKey};
use proptest::prelude::*;

use super::world::{Manner, World};

/// The records of a whole campaign.
fn records() -> Vec<Record> {
    let world = World::new(1, &[Manner::Honest, Manner::Equivocates]);
    world.run(&mut world.start().unwrap(), u64::MAX).unwrap();
    world.journal.records().unwrap()
}

fn write(dir: &Path, records: &[Record]) {
    let mut journal = FileJournal::create(dir).unwrap();
    records.iter().for_each(|r| journal.append(r).unwrap());
}

#[test]
fn records_come_back_in_order() {
    let dir = tempfile::tempdir().unwrap();
    let records = records();
    write(dir.path(), &records);
    let (mut journal, read) = FileJournal::open(dir.path()).unwrap();
    assert_eq!(read, records);
    journal.append(&Record::Missed { epoch: 9 }).unwrap();
    drop(journal);
    let (_, read) = FileJournal::open(dir.path()).unwrap();
    assert_eq!(read.last(), Some(&Record::Missed { epoch: 9 }));
    assert_eq!(read.len(), records.len() + 1);
}

/// Nonces before their rounds: for the owner's eyes only, and not for a debugger's log.
#[test]
fn the_journal_is_private() {
    let dir = tempfile::tempdir().unwrap();
    let records = records();
    write(dir.path(), &records);
    let mode = |name: &str| fs::metadata(dir.path().join(name)).unwrap().permissions().mode() & 0o777;
    assert_eq!((mode("journal"), mode("bundles")), (0o600, 0o700));
    fs::set_permissions(dir.path().join("journal"), fs::Permissions::from_mode(0o644)).unwrap();
    drop(FileJournal::open(dir.path()).unwrap());
    assert_eq!(mode("journal"), 0o600);
    let (nonce, shown) = records
        .iter()
        .find_map(|r| match r {
            Record::Committed { nonce, .. } => Some((nonce, format!("{r:?}"))),
            _ => None,
        })
        .unwrap();
    let hex: String = nonce.expose_secret().iter().map(|b| format!("{b:02x}")).collect();
    let decimal = format!("{:?}", nonce.expose_secret());
    assert!(!shown.contains(&hex) && !shown.contains(&decimal));
}

/// A crash in the middle of a write: the record was never acted upon, so it is dropped, whatever its length.
#[test]
fn p22_a_torn_record_at_the_end_is_cut_off() {
    let dir = tempfile::tempdir().unwrap();
    write(dir.path(), &[Record::Missed { epoch: 1 }, Record::Missed { epoch: 2 }]);
    let path = dir.path().join("journal");
    let whole = fs::read(&path).unwrap();
    let first = 16 + 8 + Record::Missed { epoch: 1 }.to_bytes().len() + 32;
    for len in first..whole.len() {
        fs::write(&path, &whole[..len]).unwrap();
        let (mut journal, read) = FileJournal::open(dir.path()).unwrap();
        assert_eq!(read, [Record::Missed { epoch: 1 }], "cut at {len}");
        journal.append(&Record::Missed { epoch: 3 }).unwrap();
        drop(journal);
        let (_, read) = FileJournal::open(dir.path()).unwrap();
        assert_eq!(read, [Record::Missed { epoch: 1 }, Record::Missed { epoch: 3 }], "cut at {len}");
    }
}

/// Every flipped bit before the last record is damage, never another history.
#[test]
fn p23_a_flipped_bit_in_the_journal_is_refused() {
    let dir = tempfile::tempdir().unwrap();
    write(
        dir.path(),
        &[Record::Missed { epoch: 1 }, Record::Missed { epoch: 2 }, Record::Missed { epoch: 3 }],
    );
    let path = dir.path().join("journal");
    let whole = fs::read(&path).unwrap();
    drop(FileJournal::open(dir.path()).unwrap());
    let record = 8 + Record::Missed { epoch: 1 }.to_bytes().len() + 32;
    for at in 0..16 + 2 * record {
        let mut bytes = whole.clone();
        bytes[at] ^= 1;
        fs::write(&path, &bytes).unwrap();
        let opened = FileJournal::open(dir.path());
        assert!(
            matches!(opened, Err(JournalError::Damaged { .. } | JournalError::Record { .. })),
            "flipped byte {at}"
        );
    }
}

/// A length that says more than there is: not the end of the journal, or everything after it would be cut off.
#[test]
fn p23_a_length_that_rots_is_not_taken_for_a_torn_end() {
    let dir = tempfile::tempdir().unwrap();
    write(dir.path(), &[Record::Missed { epoch: 1 }, Record::Missed { epoch: 2 }]);
    let path = dir.path().join("journal");
    let whole = fs::read(&path).unwrap();
    let mut bytes = whole.clone();
    bytes[18] = 1;
    fs::write(&path, &bytes).unwrap();
    assert!(matches!(FileJournal::open(dir.path()), Err(JournalError::Damaged { at: 16, .. })));
    assert_eq!(fs::read(&path).unwrap(), bytes, "nothing may be cut off");
    // A file that grew before its bytes came.
    fs::write(&path, [whole.as_slice(), &[0; 100]].concat()).unwrap();
    assert_eq!(FileJournal::open(dir.path()).unwrap().1.len(), 2);
    assert_eq!(fs::read(&path).unwrap(), whole);
}

/// Records taken out or exchanged: the checksums are chained.
#[test]
fn p23_a_record_taken_out_is_refused() {
    let dir = tempfile::tempdir().unwrap();
    write(
        dir.path(),
        &[Record::Missed { epoch: 1 }, Record::Missed { epoch: 2 }, Record::Missed { epoch: 3 }],
    );
    let path = dir.path().join("journal");
    let whole = fs::read(&path).unwrap();
    let record = 8 + Record::Missed { epoch: 1 }.to_bytes().len() + 32;
    let without = [&whole[..16], &whole[16 + record..]].concat();
    fs::write(&path, without).unwrap();
    assert!(matches!(FileJournal::open(dir.path()), Err(JournalError::Damaged { .. })));
}

#[test]
fn a_second_auditor_is_kept_out() {
    let dir = tempfile::tempdir().unwrap();
    write(dir.path(), &[]);
    let first = FileJournal::open(dir.path()).unwrap();
    assert!(matches!(FileJournal::open(dir.path()), Err(JournalError::Locked { .. })));
    assert!(matches!(FileJournal::create(dir.path()), Err(JournalError::Exists { .. })));
    drop(first);
    FileJournal::open(dir.path()).unwrap();
}

#[test]
fn bundles_are_kept_by_digest() {
    let dir = tempfile::tempdir().unwrap();
    let mut journal = FileJournal::create(dir.path()).unwrap();
    let digest = BundleDigest([5; 32]);
    assert!(journal.bundle(&digest).is_err());
    for _ in 0..2 {
        journal.put_bundle(&digest, b"evidence").unwrap();
        assert_eq!(journal.bundle(&digest).unwrap(), b"evidence");
    }
}

fn small() -> impl Strategy<Value = Record> {
    let id = prop_oneof![
        Just(EntryId::Schedule),
        any::<u64>().prop_map(EntryId::Epoch),
        (any::<u64>(), any::<[u8; 32]>()).prop_map(|(e, h)| EntryId::Outcome(e, HostKey(h))),
    ];
    prop_oneof![
        any::<u64>().prop_map(|epoch| Record::Missed { epoch }),
        any::<u64>().prop_map(|size| Record::Compared { size }),
        (id.clone(), any::<u64>()).prop_map(|(id, index)| Record::Sequenced { id, index }),
        (id, prop::collection::vec(any::<u8>(), 0..40), any::<bool>())
            .prop_map(|(id, proof, witnessed)| Record::Logged { id, proof, witnessed }),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 200, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn records_have_one_encoding(record in small(), junk in prop::collection::vec(any::<u8>(), 0..60)) {
        let bytes = record.to_bytes();
        prop_assert_eq!(Record::from_bytes(&bytes).unwrap(), record);
        if let Ok(read) = Record::from_bytes(&junk) {
            prop_assert_eq!(read.to_bytes(), junk);
        }
    }
}

#[test]
fn z14_every_kind_of_record_has_one_encoding() {
    let records = records();
    for record in &records {
        let bytes = record.to_bytes();
        assert_eq!(&Record::from_bytes(&bytes).unwrap(), record);
        assert!(Record::from_bytes(&[bytes.as_slice(), &[0]].concat()).is_err());
        assert!(Record::from_bytes(&bytes[..bytes.len() - 1]).is_err());
    }
}
