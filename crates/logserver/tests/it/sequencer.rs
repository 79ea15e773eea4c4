//! The writer: batches, publishing, and what it answers when witnesses or the disk fail.

use std::path::Path;
use std::sync::Arc;
use std::sync::mpsc::channel;
use std::time::Duration;

use bailiwick_logserver::{CosignError, Cosigner, LogDir, Outcome, Sequencer, SequencerOptions};
use bailiwick_store::files::{FileSystem, StdFiles};
use bailiwick_translog::witness::{AddCheckpoint, SIZE_CONTENT_TYPE};
use bailiwick_translog::{SignedCheckpoint, cosign};

use super::fixture::{entries_of, log_signer, make_log, reopen, witness_signer};
use super::stub::stub;

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

/// Takes a request apart as a witness does, without judging it.
fn asked(body: &[u8]) -> (u64, SignedCheckpoint) {
    let request = AddCheckpoint::parse(body).unwrap();
    let keys = [log_signer().verifier().clone()];
    (request.old_size, SignedCheckpoint::open(request.note.to_text().as_bytes(), &keys).unwrap())
}

/// T06: a witness that answers with as many good lines as fit into a note costs the log nothing: its checkpoint is published, can be
/// opened, and has the honest witness's line.
#[test]
fn t06_one_faulty_witness_does_not_take_the_log_offline() {
    let dir = tempfile::tempdir().unwrap();
    let root = dir.path().join("log");
    let files: Arc<dyn FileSystem> = Arc::new(StdFiles);
    let log = make_log(&files, &root);
    let readers = Arc::new(LogDir::read_only(Arc::new(StdFiles), &root).unwrap());
    let lines = |number, times: std::ops::Range<u64>| {
        move |_: &str, body: &[u8]| {
            let (_, checkpoint) = asked(body);
            let line = |time| cosign(&checkpoint, &witness_signer(number), time).unwrap().to_line();
            (200, "text/plain", times.clone().map(line).collect::<String>().into_bytes())
        }
    };
    let cosigner = |number, url: &str| {
        let key = witness_signer(number).verifier().clone();
        Cosigner::new(key, url, None, Duration::from_secs(5)).unwrap()
    };
    let cosigners = vec![cosigner(1, &stub(lines(1, 100..164))), cosigner(2, &stub(lines(2, 7..8)))];
    let patient = SequencerOptions { patience: Duration::from_secs(10), ..options(cosigners, 2) };
    let sequencer = Sequencer::start(log, &readers, patient);
    let told = submit_all(&sequencer, std::iter::once(b"entry".to_vec()));
    assert_eq!(told[0].1, Outcome::Published { index: 0 });
    let published = readers.published().unwrap().unwrap();
    let published = SignedCheckpoint::open(&published, &[log_signer().verifier().clone()]).unwrap();
    assert_eq!(published.note().signatures().len(), 3);
    let keys = [witness_signer(1).verifier().clone(), witness_signer(2).verifier().clone()];
    let mut times: Vec<u64> = published.cosignatures(&keys).unwrap().into_iter().map(|c| c.time).collect();
    times.sort_unstable();
    assert_eq!(times, [7, 163]);
}

/// T02: a witness that says it knows less than it has cosigned was rolled back: it is named and does not count. One that knows more than
/// the log has asked it for is caught up with.
#[test]
fn t02_a_witness_that_forgets_is_named() {
    let files: Arc<dyn FileSystem> = Arc::new(super::forgetful::Forgetful::new());
    let mut log = make_log(&files, Path::new("/log"));
    let heads: Vec<SignedCheckpoint> = (0..4u8).map(|i| log.append(&[[i]]).unwrap().checkpoint).collect();
    let cosigner = |knows: u64| {
        let mut knows = knows;
        let url = stub(move |_, body| {
            let (old, checkpoint) = asked(body);
            if old != knows {
                return (409, SIZE_CONTENT_TYPE, format!("{knows}\n").into_bytes());
            }
            // It cosigns, and forgets half of it.
            knows = checkpoint.checkpoint().size / 2;
            (200, "text/plain", cosign(&checkpoint, &witness_signer(1), 5).unwrap().to_line().into_bytes())
        });
        let key = witness_signer(1).verifier().clone();
        Cosigner::new(key, &url, None, Duration::from_secs(5)).unwrap()
    };
    let behind = |error| {
        assert!(matches!(error, CosignError::Behind { known: 2, theirs: 1 }), "{error}");
    };
    let mut first = cosigner(0);
    first.cosign(log.storage(), &heads[1]).unwrap();
    for _ in 0..2 {
        behind(first.cosign(log.storage(), &heads[2]).unwrap_err());
    }
    // Known from the published checkpoint, across a restart of the log.
    let mut published = heads[1].clone();
    let line = cosign(&heads[1], &witness_signer(1), 5).unwrap().to_line();
    published.add_cosignatures(line.as_bytes(), witness_signer(1).verifier()).unwrap();
    let mut again = cosigner(1);
    again.saw(&published);
    behind(again.cosign(log.storage(), &heads[2]).unwrap_err());
    // The honest twins: ahead of what this log has asked for, and nothing known of it.
    cosigner(3).cosign(log.storage(), &heads[3]).unwrap();
    let mut unseen = cosigner(1);
    unseen.saw(&heads[1]);
    unseen.cosign(log.storage(), &heads[2]).unwrap();
}

fn until_stopped(sequencer: &Sequencer) -> String {
    for _ in 0..200 {
        if let Some(why) = sequencer.stopped() {
            return why;
        }
        std::thread::sleep(Duration::from_millis(50));
    }
    panic!("it has not stopped");
}

/// T07: a log that nothing is added to looks for damage each time `refresh` has passed, and stops.
#[test]
fn t07_an_idle_log_stops_over_damage() {
    let dir = tempfile::tempdir().unwrap();
    let root = dir.path().join("log");
    let files: Arc<dyn FileSystem> = Arc::new(StdFiles);
    let mut log = make_log(&files, &root);
    log.append(&(0..600u32).map(|i| i.to_be_bytes()).collect::<Vec<_>>()).unwrap();
    let readers = Arc::new(LogDir::read_only(Arc::new(StdFiles), &root).unwrap());
    let refresh = Duration::from_millis(100);
    let sequencer = Sequencer::start(log, &readers, SequencerOptions { refresh, ..options(Vec::new(), 0) });
    std::thread::sleep(3 * refresh);
    assert_eq!(sequencer.stopped(), None);
    let bundle = root.join("tile/entries/000");
    let mut bytes = std::fs::read(&bundle).unwrap();
    bytes[3] ^= 4;
    std::fs::write(&bundle, bytes).unwrap();
    let why = until_stopped(&sequencer);
    assert!(why.contains("tile/entries/000, entry 0"), "{why}");
    let told = submit_all(&sequencer, std::iter::once(b"more".to_vec()));
    assert_eq!(told[0].1, Outcome::Stopped(why));
}

/// A new log in `root` without witnesses, and its writer.
fn start_alone(root: &Path) -> Sequencer {
    let files: Arc<dyn FileSystem> = Arc::new(StdFiles);
    let log = make_log(&files, root);
    let readers = Arc::new(LogDir::read_only(files, root).unwrap());
    Sequencer::start(log, &readers, options(Vec::new(), 0))
}

/// A writer that panics is no healthy log.
#[test]
fn a_writer_that_ended_is_told() {
    let dir = tempfile::tempdir().unwrap();
    let root = dir.path().join("log");
    let sequencer = start_alone(&root);
    assert_eq!(sequencer.stopped(), None);
    sequencer.submit(b"entry".to_vec(), |_| panic!("a reply that panics"));
    assert_eq!(until_stopped(&sequencer), "the log's writer has ended");
}

/// T07: after damage every submitter is told that the log has stopped, and nothing is signed.
#[test]
fn t07_a_stopped_log_says_so() {
    let dir = tempfile::tempdir().unwrap();
    let root = dir.path().join("log");
    let sequencer = start_alone(&root);
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

/// Spec log A5: one entry many times at once, in one batch or in several: one index.
#[test]
fn log_a5_one_entry_many_times_at_once_is_added_once() {
    let dir = tempfile::tempdir().unwrap();
    let root = dir.path().join("log");
    let files: Arc<dyn FileSystem> = Arc::new(StdFiles);
    let log = make_log(&files, &root);
    let readers = Arc::new(LogDir::read_only(Arc::new(StdFiles), &root).unwrap());
    let sequencer = Sequencer::start(log, &readers, options(Vec::new(), 0));
    let told = submit_all(&sequencer, (0..1000u32).map(|i| (i % 100).to_be_bytes().to_vec()));
    drop(sequencer);
    let log = reopen(&files, &root);
    let stored = entries_of(log.storage(), log.head());
    assert_eq!((told.len(), stored.len()), (1000, 100));
    for (entry, outcome) in told {
        let Outcome::Published { index } = outcome else { panic!("{outcome:?}") };
        assert_eq!(stored[usize::try_from(index).unwrap()], entry);
    }
}
