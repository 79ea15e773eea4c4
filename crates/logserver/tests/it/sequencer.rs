//! The writer: batches, publishing, and what it answers when witnesses or the disk fail.

use std::path::Path;
use std::sync::Arc;
use std::sync::mpsc::channel;
use std::time::Duration;

use bailiwick_logserver::{Cosigner, LogDir, Outcome, Sequencer, SequencerOptions};
use bailiwick_store::files::{FileSystem, StdFiles};
use bailiwick_translog::SignedCheckpoint;

use super::fixture::{entries_of, log_signer, make_log, reopen, witness_signer};

fn options(cosigners: Vec<Cosigner>, quorum: usize) -> SequencerOptions {
    SequencerOptions {
        cosigners,
        quorum,
        patience: Duration::from_millis(300),
        refresh: Duration::from_secs(60),
    }
}

fn submit_all(sequencer: &Sequencer, entries: impl Iterator<Item = Vec<u8>>) -> Vec<(Vec<u8>, Outcome)> {
    let (tell, told) = channel();
    for entry in entries {
        let tell = tell.clone();
        let copy = entry.clone();
        sequencer.submit(entry, move |outcome| drop(tell.send((copy, outcome))));
    }
    drop(tell);
    told.iter().collect()
}

/// T08: many entries at once: each gets an index of its own, and at that index is that entry, also after a restart.
#[test]
fn t08_every_entry_is_at_the_index_it_was_told() {
    let dir = tempfile::tempdir().unwrap();
    let root = dir.path().join("log");
    let files: Arc<dyn FileSystem> = Arc::new(StdFiles);
    let readers = |root: &Path| Arc::new(LogDir::read_only(Arc::new(StdFiles), root).unwrap());
    let log = make_log(&files, &root);
    let sequencer = Sequencer::start(log, &readers(&root), options(Vec::new(), 0));
    let told = submit_all(&sequencer, (0..3000u32).map(|i| i.to_be_bytes().to_vec()));
    drop(sequencer);
    let log = reopen(&files, &root);
    let stored = entries_of(log.storage(), log.head());
    assert_eq!((told.len(), stored.len()), (3000, 3000));
    for (entry, outcome) in told {
        let Outcome::Published { index } = outcome else { panic!("{outcome:?}") };
        assert_eq!(stored[usize::try_from(index).unwrap()], entry);
    }
    let published = log.storage().published().unwrap().unwrap();
    let published = SignedCheckpoint::open(&published, &[log_signer().verifier().clone()]).unwrap();
    assert_eq!(published.checkpoint(), log.head().checkpoint());
    // Of tiles that are full, no partial ones are left.
    assert_eq!(std::fs::read_dir(root.join("tile/entries/000.p")).map_or(0, Iterator::count), 0);
}

/// T12: without its quorum a checkpoint is not published, the entries are in the log all the same, and are said to be.
#[test]
fn t12_below_quorum_nothing_is_published() {
    let dir = tempfile::tempdir().unwrap();
    let root = dir.path().join("log");
    let files: Arc<dyn FileSystem> = Arc::new(StdFiles);
    let readers = Arc::new({
        let log = make_log(&files, &root);
        drop(log);
        LogDir::read_only(Arc::new(StdFiles), &root).unwrap()
    });
    // Nobody listens there.
    let key = witness_signer(1).verifier().clone();
    let nobody = Cosigner::new(key, "http://127.0.0.1:9", None, Duration::from_secs(1)).unwrap();
    let sequencer = Sequencer::start(reopen(&files, &root), &readers, options(vec![nobody], 1));
    let told = submit_all(&sequencer, std::iter::once(b"entry".to_vec()));
    assert_eq!(told[0].1, Outcome::Integrated { index: 0 });
    drop(sequencer);
    assert_eq!(readers.published().unwrap(), None);
    assert_eq!(reopen(&files, &root).head().checkpoint().size, 1);
}

/// T07: after damage every submitter is told that the log has stopped, and nothing is signed.
#[test]
fn t07_a_stopped_log_says_so() {
    let dir = tempfile::tempdir().unwrap();
    let root = dir.path().join("log");
    let files: Arc<dyn FileSystem> = Arc::new(StdFiles);
    let log = make_log(&files, &root);
    let readers = Arc::new(LogDir::read_only(Arc::new(StdFiles), &root).unwrap());
    let sequencer = Sequencer::start(log, &readers, options(Vec::new(), 0));
    let one = |entry: &[u8]| submit_all(&sequencer, std::iter::once(entry.to_vec())).remove(0).1;
    assert_eq!(one(b"good"), Outcome::Published { index: 0 });
    let bundle = root.join("tile/entries/000.p/1");
    let mut bytes = std::fs::read(&bundle).unwrap();
    bytes[3] ^= 4;
    std::fs::write(&bundle, bytes).unwrap();
    let signed = std::fs::read(root.join("signed")).unwrap();
    for _ in 0..3 {
        match one(b"more") {
            Outcome::Stopped(why) => assert!(why.contains("tile/entries/000.p/1, entry 0"), "{why}"),
            other => panic!("{other:?}"),
        }
    }
    assert!(sequencer.stopped().is_some());
    assert_eq!(std::fs::read(root.join("signed")).unwrap(), signed);
}
