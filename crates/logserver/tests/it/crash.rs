//! Power cuts at every call that changes something.

use std::path::Path;
use std::sync::Arc;

use bailiwick_store::files::FileSystem;
use bailiwick_translog::{Log, Storage as _, Tile, TileSource as _, Tree, verify_consistency};

use super::fixture::{ROOT, entries_of, log_signer, make_log, reopen, witness_signer};
use super::forgetful::{Crash, Fate, Forgetful, Op};
use bailiwick_logserver::{Answer, LogDir, WitnessState};

fn shared(files: &Forgetful) -> Arc<dyn FileSystem> {
    Arc::new(files.clone())
}

/// Dies at the `nth` changing call from now on.
fn die_at(files: &Forgetful, nth: usize) {
    let mut left = nth;
    files.judge(move |op, _| {
        if !op.changes() {
            return Fate::Go;
        }
        left -= 1;
        if left == 0 { Fate::Die } else { Fate::Go }
    });
}

const CRASHES: [Crash; 5] = [Crash::Lost, Crash::Kept, Crash::Killed, Crash::Mixed(1), Crash::Mixed(2)];

/// T08: a crash at any point between sequencing and the committed checkpoint, whatever the disk keeps of what was not synced: every index
/// that was answered still has its entry, none is given twice, and the log goes on.
#[test]
fn t08_no_answered_index_is_lost_or_reused() {
    let batches: [Vec<Vec<u8>>; 3] = [
        vec![b"first".to_vec()],
        (0..300).map(|i| format!("second {i}").into_bytes()).collect(),
        vec![b"third".to_vec(), b"fourth".to_vec()],
    ];
    let mut deaths = 0;
    for nth in 1.. {
        let mut struck = false;
        for crash in CRASHES {
            let files = Forgetful::new();
            let mut log = make_log(&shared(&files), Path::new(ROOT));
            die_at(&files, nth);
            let mut answered: Vec<Vec<u8>> = Vec::new();
            let mut last = log.head().clone();
            for batch in &batches {
                let before = last.checkpoint().size;
                let Ok(appended) = log.append(batch) else { break };
                assert_eq!(appended.first, before);
                answered.extend(batch.iter().cloned());
                last = appended.checkpoint;
                if log.storage().prune(before, last.checkpoint().size).is_err() {
                    break;
                }
            }
            struck |= files.is_dead();
            drop(log);
            let after = shared(&files.crash(crash));
            let mut log = reopen(&after, Path::new(ROOT));
            let found = entries_of(log.storage(), log.head());
            assert!(found.len() >= answered.len(), "{nth} {crash:?}: an answered entry is gone");
            assert_eq!(found[..answered.len()], answered, "{nth} {crash:?}");
            // What survives unanswered is the very batch that was under way, whole.
            let all: Vec<Vec<u8>> = batches.concat();
            assert_eq!(found[..], all[..found.len()], "{nth} {crash:?}");
            let appended = log.append(&[b"after the crash".to_vec()]).unwrap();
            assert_eq!(appended.first, found.len() as u64, "{nth} {crash:?}");
            // The last checkpoint anyone can have seen and the new one do not contradict each other.
            let (old, new) = (last.checkpoint(), appended.checkpoint.checkpoint());
            let path = Tree::new(log.storage(), new.size).consistency(old.size, new.size).unwrap();
            verify_consistency(old.size, &old.root, new.size, &new.root, &path).unwrap();
        }
        if !struck {
            break;
        }
        deaths += 1;
    }
    assert!(deaths > 40, "only {deaths} points of death");
}

/// T03: a witness that died at any point of an answer has not forgotten what it cosigned.
#[test]
fn t03_a_witness_never_forgets_what_it_cosigned() {
    let (world, mut heads) = (Forgetful::new(), Vec::new());
    let mut log = make_log(&shared(&world), Path::new(ROOT));
    for i in 0..3u8 {
        heads.push(log.append(&[[i]]).unwrap().checkpoint);
    }
    let request = |old: u64, new: usize| {
        let size = heads[new].checkpoint().size;
        let proof = Tree::new(log.storage(), size).consistency(old, size).unwrap();
        bailiwick_translog::witness::AddCheckpoint { old_size: old, proof, note: heads[new].note().clone() }
            .to_bytes()
    };
    let root = Path::new("/witness");
    let open = |files: &Forgetful| {
        let keys = vec![log_signer().verifier().clone()];
        WitnessState::open(shared(files), root, witness_signer(1), keys).unwrap()
    };
    for nth in 1.. {
        let mut struck = false;
        for crash in CRASHES {
            let files = Forgetful::new();
            WitnessState::create(&files, root).unwrap();
            let witness = open(&files);
            die_at(&files, nth);
            let mut cosigned = 0;
            for (old, new) in [(0, 0), (1, 1), (2, 2)] {
                match witness.add_checkpoint(&request(old, new), 7) {
                    Answer::Cosigned(_) => cosigned = heads[new].checkpoint().size,
                    Answer::Failed => {
                        // It does not know any more what is on its disk, and says so until it is started again.
                        assert_eq!(witness.add_checkpoint(&request(cosigned, new), 8), Answer::Failed);
                        break;
                    }
                    Answer::Refused(r) => panic!("{r}"),
                }
            }
            struck |= files.is_dead();
            drop(witness);
            let witness = open(&files.crash(crash));
            assert!(witness.size(super::fixture::ORIGIN).unwrap() >= cosigned, "{nth} {crash:?}");
        }
        if !struck {
            assert!(nth > 10);
            return;
        }
    }
}

/// T08: a folder that a failed write has made is not taken for durable: what is written into it next, and said to be durable, is there after
/// a power cut.
#[test]
fn t08_a_failed_write_makes_no_folder_durable() {
    let files = Forgetful::new();
    let root = Path::new(ROOT);
    LogDir::create(&files, root).unwrap();
    let dir = LogDir::open(shared(&files), root).unwrap();
    let tile = |path| (Tile::parse(path).unwrap(), vec![7; 32]);
    let mut failures = 1;
    files.judge(move |op, path| {
        if op == Op::SyncDir && path == Path::new(ROOT) && failures > 0 {
            failures -= 1;
            return Fate::Fail(std::io::ErrorKind::Other);
        }
        Fate::Go
    });
    dir.write(&[tile("tile/0/000.p/1")]).unwrap_err();
    let (next, bytes) = tile("tile/1/000.p/1");
    dir.write(&[(next, bytes.clone())]).unwrap();
    drop(dir);
    let after = LogDir::open(shared(&files.crash(Crash::Lost)), root).unwrap();
    assert_eq!(after.read(next).unwrap(), Some(bytes));
}

/// T07: a bit that changes on disk while the log runs stops it; after a restart it does not even open.
#[test]
fn t07_a_flipped_bit_on_disk_stops_signing() {
    for name in ["/log/tile/entries/000.p/3", "/log/tile/0/000.p/3"] {
        let files = Forgetful::new();
        let mut log = make_log(&shared(&files), Path::new(ROOT));
        log.append(&[b"a", b"b", b"c"]).unwrap();
        files.tamper(Path::new(name), |bytes| bytes[2] ^= 1);
        log.append(&[b"d"]).unwrap_err();
        assert!(log.append(&[b"d"]).is_err(), "stopped for good");
        drop(log);
        let dir = LogDir::open(shared(&files.crash(Crash::Kept)), Path::new(ROOT)).unwrap();
        let error = Log::open(dir, log_signer(), |_| {}).unwrap_err().to_string();
        assert!(error.contains(name.strip_prefix("/log/").unwrap()), "{error}");
    }
}

/// D05: one writer at a time.
#[test]
fn a_second_writer_is_refused() {
    let files = Forgetful::new();
    let log = make_log(&shared(&files), Path::new(ROOT));
    let second = LogDir::open(shared(&files), Path::new(ROOT)).unwrap_err();
    assert_eq!(second.kind(), std::io::ErrorKind::ResourceBusy);
    LogDir::read_only(shared(&files), Path::new(ROOT)).unwrap();
    drop(log);
    LogDir::open(shared(&files), Path::new(ROOT)).unwrap();
}
