//! The sequencer: what it signs, and what stops it.

use bailiwick_translog::{
    Fault, Level, Log, LogError, SignedCheckpoint, Storage as _, Tile, leaf_hash, verify_consistency,
    verify_inclusion,
};
use proptest::prelude::*;

use super::fixture::{Memory, entries, entry, key, log_of, log_signer, mth, signer, tree, witness};

fn tile(path: &str) -> Tile {
    Tile::parse(path).unwrap()
}

fn reopen(memory: &Memory) -> Result<Log<Memory>, String> {
    Log::open(memory.clone(), log_signer(), |_| {}).map_err(|e| e.to_string())
}

#[test]
fn an_empty_log_has_the_empty_root_and_opens() {
    let (memory, log) = log_of(0);
    assert_eq!(log.head().checkpoint().root, bailiwick_translog::empty_root());
    let reopened = reopen(&memory).unwrap();
    assert_eq!(reopened.head(), log.head());
    assert!(matches!(Log::create(memory, log_signer()), Err(LogError::State(_))), "never made over a log");
}

#[test]
fn refused_batches_change_nothing() {
    let (_, mut log) = log_of(3);
    let head = log.head().clone();
    let none: [Vec<u8>; 0] = [];
    assert!(matches!(log.append(&none), Err(LogError::Batch)));
    let long = vec![0; 65_536];
    assert!(matches!(log.append(&[b"x".to_vec(), long]), Err(LogError::EntryTooLong { len: 65_536 })));
    let large = vec![vec![0; 65_535]; 1025];
    assert!(matches!(log.append(&large), Err(LogError::Batch)));
    assert_eq!(log.head(), &head);
    assert_eq!(log.append(&[vec![0; 65_535]]).unwrap().first, 3);
}

/// T07: one bit flipped between writing and reading back stops signing, for good.
#[test]
fn t07_a_bit_flipped_in_a_written_tile_stops_signing() {
    for (path, bit) in [
        ("tile/entries/001.p/44", 0),
        ("tile/entries/001.p/44", 99),
        ("tile/0/001.p/44", 8 * 32 * 43),
        ("tile/0/000", 5),
        ("tile/1/000.p/1", 0),
    ] {
        let (memory, mut log) = log_of(200);
        let signed = memory.note.borrow().clone();
        memory.flip_next.set(Some((tile(path), bit)));
        let error = log.append(&entries(200..300)).unwrap_err();
        assert!(matches!(error, LogError::Damaged(_) | LogError::Tree(_)), "{path}: {error}");
        assert_eq!(*memory.note.borrow(), signed, "{path}: nothing was signed");
        assert!(
            matches!(log.append(&entries(200..201)), Err(LogError::Stopped)),
            "{path}: and nothing will be"
        );
    }
}

/// T07: every single bit of everything at the right edge of a small log.
#[test]
fn t07_every_stored_bit_of_a_small_log_stops_signing() {
    let (memory, _) = log_of(5);
    let stored: Vec<(Tile, usize)> =
        memory.tiles.borrow().iter().map(|(tile, bytes)| (*tile, bytes.len() * 8)).collect();
    let mut tried = 0;
    for (tile, bits) in stored {
        for bit in 0..bits {
            let (memory, mut log) = log_of(5);
            memory.flip(tile, bit);
            let signed = memory.note.borrow().clone();
            // It runs: neither adding nor looking signs anything more.
            let error = log.append(&entries(5..6)).map(|_| ()).expect_err("nothing is signed over damage");
            assert!(matches!(error, LogError::Damaged(_) | LogError::Tree(_)), "{tile} bit {bit}: {error}");
            assert_eq!(*memory.note.borrow(), signed, "{tile} bit {bit}");
            // It starts.
            let error = reopen(&memory).map(|_| ()).unwrap_err();
            assert!(error.contains(&tile.to_string()), "{tile} bit {bit}: {error}");
            tried += 1;
        }
    }
    assert_eq!(tried, 8 * (5 * (2 + 7) + 5 * 32));
}

/// T07: while the log runs, old damage is found by the signatures that follow: the edge at once, the rest in turns.
#[test]
fn t07_older_damage_stops_a_running_log() {
    for path in
        ["tile/entries/000", "tile/0/000", "tile/entries/002.p/88", "tile/0/002.p/88", "tile/1/000.p/2"]
    {
        let (memory, mut log) = log_of(600);
        memory.flip(tile(path), 77);
        log.append(&entries(600..601)).map(|_| ()).expect_err(path);
        assert_eq!(log.head().checkpoint().size, 600);
    }
    // A log of many bundles goes through all of them.
    let (memory, mut log) = log_of(40 * 256);
    memory.flip(tile("tile/entries/037"), 77);
    let appends = (0..20).take_while(|i| log.append(&entries(*i..i + 1)).is_ok()).count();
    assert!(appends < 10, "{appends} signatures before the damage was found");
}

/// T07: a log that nothing is added to finds old damage by looking, within as many looks as its bundles need.
#[test]
fn t07_an_idle_log_finds_damage_by_looking() {
    for path in
        ["tile/entries/037", "tile/0/037", "tile/1/000.p/40", "tile/entries/040.p/9", "tile/0/040.p/9"]
    {
        let (memory, mut log) = log_of(40 * 256 + 9);
        log.scrub(16).unwrap();
        memory.flip(tile(path), 77);
        let looks = (0..3).take_while(|_| log.scrub(16).is_ok()).count();
        assert!(looks < 3, "{path}: not found");
        assert!(matches!(log.append(&entries(0..1)), Err(LogError::Stopped)), "{path}");
        assert!(matches!(log.scrub(16), Err(LogError::Stopped)), "{path}");
    }
    // The honest twins: whole, of one bundle, empty.
    for size in [40 * 256 + 9, 256, 3, 0] {
        let (_, mut log) = log_of(size);
        for _ in 0..5 {
            log.scrub(16).unwrap();
        }
        log.append(&entries(0..1)).unwrap();
    }
}

/// T08: a crash after the tiles and before the commit loses nothing that was answered and uses no index twice.
#[test]
fn t08_a_crash_before_the_commit_changes_nothing() {
    let (memory, mut log) = log_of(300);
    let before = log.head().clone();
    memory.calls_left.set(Some(1));
    let error =
        log.append(&(0..400).map(|i| format!("lost {i}").into_bytes()).collect::<Vec<_>>()).unwrap_err();
    assert!(matches!(error, LogError::Storage(_)), "{error}");
    assert!(memory.tiles.borrow().contains_key(&tile("tile/0/001")), "the crash came after the tiles");
    memory.calls_left.set(None);
    let mut log = reopen(&memory).unwrap();
    assert_eq!(log.head(), &before);
    let appended = log.append(&entries(300..650)).unwrap();
    assert_eq!(appended.first, 300);
    let leaves: Vec<_> = (0..650).map(|i| leaf_hash(&entry(i))).collect();
    assert_eq!(appended.checkpoint.checkpoint().root, mth(&leaves));
    let path = tree(&memory, 650).consistency(300, 650).unwrap();
    verify_consistency(300, &before.checkpoint().root, 650, &mth(&leaves), &path).unwrap();
    reopen(&memory).unwrap();
}

/// T08: a failed commit stops the log: whether the old or the new checkpoint is there is for the next start to see.
#[test]
fn t08_after_a_failed_write_nothing_is_signed() {
    let (memory, mut log) = log_of(10);
    memory.calls_left.set(Some(0));
    assert!(matches!(log.append(&entries(10..11)), Err(LogError::Storage(_))));
    memory.calls_left.set(None);
    assert!(matches!(log.append(&entries(10..11)), Err(LogError::Stopped)));
    assert_eq!(reopen(&memory).unwrap().append(&entries(10..11)).unwrap().first, 10);
}

/// T10: a log is opened with its own key only.
#[test]
fn t10_another_key_does_not_open_a_log() {
    let (memory, _) = log_of(3);
    let namesake = signer(log_signer().verifier().name(), bailiwick_translog::SignatureKind::Ed25519, 99);
    assert!(matches!(Log::open(memory.clone(), namesake, |_| {}), Err(LogError::Checkpoint(_))));
    assert!(matches!(Log::open(memory.clone(), witness(1), |_| {}), Err(LogError::State(_))));
    assert!(matches!(Log::create(Memory::default(), witness(1)), Err(LogError::State(_))));
    let note = memory.committed().unwrap().unwrap();
    *memory.note.borrow_mut() = Some(note[1..].to_vec());
    assert!(matches!(Log::open(memory, log_signer(), |_| {}), Err(LogError::Checkpoint(_))));
    assert!(matches!(Log::open(Memory::default(), log_signer(), |_| {}), Err(LogError::State(_))));
}

/// T02: an older checkpoint put back in place of the committed one: the log opens at it, and its witnesses refuse the rest (see
/// the witness tests); tiles themselves still fit.
#[test]
fn t02_a_rolled_back_commit_is_visible_to_witnesses_only() {
    let (memory, mut log) = log_of(3);
    let old = memory.note.borrow().clone();
    let newer = log.append(&entries(3..6)).unwrap().checkpoint;
    *memory.note.borrow_mut() = old;
    let mut rolled_back = reopen(&memory).unwrap();
    let fork = rolled_back.append(&[b"another"; 3]).unwrap().checkpoint;
    assert_eq!(fork.checkpoint().size, newer.checkpoint().size);
    assert!(bailiwick_translog::verify_growth(&newer, &fork, &[]).is_err());
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(40))]

    /// Whatever the batches, the tiles, roots and proofs are those of the definition, and reopening changes nothing.
    #[test]
    fn batches_do_not_matter(batches in prop::collection::vec((1u64..140, any::<bool>()), 1..8)) {
        let (memory, mut log) = log_of(0);
        let mut size = 0;
        let mut heads: Vec<SignedCheckpoint> = Vec::new();
        for (count, restart) in batches {
            let appended = log.append(&entries(size..size + count)).unwrap();
            prop_assert_eq!(appended.first, size);
            size += count;
            heads.push(appended.checkpoint);
            if restart {
                log = reopen(&memory).unwrap();
            }
        }
        let leaves: Vec<_> = (0..size).map(|i| leaf_hash(&entry(i))).collect();
        let root = mth(&leaves);
        prop_assert_eq!(log.head().checkpoint().root, root);
        let mut tree = tree(&memory, size);
        for head in &heads {
            let c = head.checkpoint();
            let path = tree.consistency(c.size, size).unwrap();
            verify_consistency(c.size, &c.root, size, &root, &path).unwrap();
            // Every tile a reader of that checkpoint asks for is there.
            for level in [Level::Entries, Level::Hashes(0), Level::Hashes(1)] {
                for index in 0..=level.count(c.size) / 256 {
                    if let Some(t) = Tile::of_size(level, index, c.size) {
                        prop_assert!(memory.tiles.borrow().contains_key(&t), "{}", t);
                    }
                }
            }
        }
        let index = size / 2;
        let path = tree.inclusion(index, size).unwrap();
        verify_inclusion(&leaves[index as usize], index, size, &path, &root).unwrap();
        SignedCheckpoint::open(log.head().note().to_text().as_bytes(), &[key(&log_signer())]).unwrap();
    }
}

/// T09: opening names the place.
#[test]
fn t09_opening_a_damaged_log_names_the_entry() {
    let (memory, _) = log_of(600);
    memory.flip(tile("tile/entries/001"), 8 * (2 + 9) * 3 + 8 * 4);
    match Log::open(memory, log_signer(), |_| {}).map(|_| ()) {
        Err(LogError::Damaged(d)) => {
            assert_eq!((d.tile, d.index, d.fault), (tile("tile/entries/001"), Some(259), Fault::Hash));
        }
        other => panic!("{other:?}"),
    }
}
