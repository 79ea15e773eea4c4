//! The witness's memory: one step from comparing to keeping, and evidence.

use std::path::Path;
use std::sync::Arc;

use bailiwick_logserver::{Answer, WitnessState};
use bailiwick_store::files::{FileSystem, StdFiles};
use bailiwick_translog::witness::{AddCheckpoint, Refusal};
use bailiwick_translog::{Log, SignedCheckpoint, Tree};

use super::fixture::{ORIGIN, log_signer, make_log, witness_signer};
use super::forgetful::Forgetful;

struct World {
    log: Log<bailiwick_logserver::LogDir>,
    heads: Vec<SignedCheckpoint>,
}

impl World {
    fn new(sizes: u8) -> Self {
        let files: Arc<dyn FileSystem> = Arc::new(Forgetful::new());
        let mut log = make_log(&files, Path::new("/log"));
        let mut heads = vec![log.head().clone()];
        for i in 0..sizes {
            heads.push(log.append(&[[i]]).unwrap().checkpoint);
        }
        Self { log, heads }
    }

    fn request(&self, old: usize, new: usize) -> Vec<u8> {
        let proof =
            Tree::new(self.log.storage(), self.heads.len() as u64 - 1).consistency(old as u64, new as u64);
        AddCheckpoint { old_size: old as u64, proof: proof.unwrap(), note: self.heads[new].note().clone() }
            .to_bytes()
    }
}

fn witness(root: &Path) -> WitnessState {
    let keys = vec![log_signer().verifier().clone()];
    WitnessState::open(Arc::new(StdFiles), root, witness_signer(1), keys).unwrap()
}

/// T03: the race of the specification: many requests from the same old size at once; exactly one wins, and the size never falls.
#[test]
fn t03_witness_race_has_one_winner() {
    let dir = tempfile::tempdir().unwrap();
    let root = dir.path().join("witness");
    WitnessState::create(&StdFiles, &root).unwrap();
    let world = World::new(9);
    let witness = witness(&root);
    let requests: Vec<Vec<u8>> = (1..=9).map(|new| world.request(0, new)).collect();
    let answers: Vec<Answer> = std::thread::scope(|scope| {
        let handles: Vec<_> =
            requests.iter().map(|body| scope.spawn(|| witness.add_checkpoint(body, 5))).collect();
        handles.into_iter().map(|h| h.join().unwrap()).collect()
    });
    let winners: Vec<usize> = answers
        .iter()
        .enumerate()
        .filter(|(_, a)| matches!(a, Answer::Cosigned(_)))
        .map(|(i, _)| i + 1)
        .collect();
    assert_eq!(winners.len(), 1, "{answers:?}");
    let size = winners[0] as u64;
    let stale = Answer::Refused(Refusal::Stale { size });
    assert_eq!(answers.iter().filter(|a| **a == stale).count(), 8);
    assert_eq!(witness.size(ORIGIN), Some(size));
    drop(witness);
    assert_eq!(self::witness(&root).size(ORIGIN), Some(size));
}

/// T01: a split view is refused and both signed checkpoints are kept as evidence; the disk cannot be filled that way.
#[test]
fn t01_split_view_is_refused_and_evidence_kept() {
    let dir = tempfile::tempdir().unwrap();
    let root = dir.path().join("witness");
    WitnessState::create(&StdFiles, &root).unwrap();
    let (world, witness) = (World::new(23), witness(&root));
    assert!(matches!(witness.add_checkpoint(&world.request(0, 3), 5), Answer::Cosigned(_)));
    // A stranger comes first: with the witness's own head and junk, which is nothing, and with all genuine checkpoints and junk.
    for (new, junk) in [3, 3, 3].into_iter().chain(4..=23).zip(0u8..) {
        let proof = vec![bailiwick_translog::Hash([junk; 32])];
        let body = AddCheckpoint { old_size: 3, proof, note: world.heads[new].note().clone() }.to_bytes();
        for _ in 0..2 {
            assert_eq!(witness.add_checkpoint(&body, 6), Answer::Refused(Refusal::Inconsistent));
        }
    }
    assert!(!root.join("evidence").exists(), "nothing of it convicts");
    assert_eq!(std::fs::read_dir(root.join("suspects")).unwrap().count(), 16);
    for i in 0..40u8 {
        let files: Arc<dyn FileSystem> = Arc::new(Forgetful::new());
        let mut fork = make_log(&files, Path::new("/log"));
        let head = fork.append(&[[9, i], [9, i], [9, i]]).unwrap().checkpoint;
        let body = AddCheckpoint { old_size: 3, proof: Vec::new(), note: head.note().clone() }.to_bytes();
        assert_eq!(witness.add_checkpoint(&body, 6), Answer::Refused(Refusal::Inconsistent));
    }
    let evidence: Vec<_> =
        std::fs::read_dir(root.join("evidence")).unwrap().map(|e| e.unwrap().path()).collect();
    assert_eq!(evidence.len(), 16);
    let text = std::fs::read_to_string(&evidence[0]).unwrap();
    let (known, request) = text.strip_prefix("known\n").unwrap().split_once("\nrequest\n").unwrap();
    let keys = [log_signer().verifier().clone()];
    let known = SignedCheckpoint::open(known.as_bytes(), &keys).unwrap();
    let request = AddCheckpoint::parse(request.as_bytes()).unwrap();
    let fork = SignedCheckpoint::open(request.note.to_text().as_bytes(), &keys).unwrap();
    assert_eq!(known.checkpoint().size, fork.checkpoint().size);
    assert_ne!(known.checkpoint().root, fork.checkpoint().root);
    // The honest log goes on.
    assert!(matches!(witness.add_checkpoint(&world.request(3, 3), 7), Answer::Cosigned(_)));
    assert!(matches!(witness.add_checkpoint(&world.request(3, 23), 7), Answer::Cosigned(_)));
}

/// T06: lines that strangers add to a good checkpoint are not kept: a key that is configured later must not trip over them.
#[test]
fn t06_lines_of_strangers_are_not_kept() {
    let dir = tempfile::tempdir().unwrap();
    let root = dir.path().join("witness");
    WitnessState::create(&StdFiles, &root).unwrap();
    let world = World::new(1);
    let body = [world.request(0, 1), format!("\u{2014} {ORIGIN} AAAAAAAA\n").into_bytes()].concat();
    assert!(matches!(witness(&root).add_checkpoint(&body, 5), Answer::Cosigned(_)));
    let head = std::fs::read_dir(root.join("heads")).unwrap().next().unwrap().unwrap().path();
    assert_eq!(std::fs::read_to_string(head).unwrap(), world.heads[1].note().to_text());
}

/// T01: a split view is kept whatever old size comes with it, and one signed text is one file however it is dressed up.
#[test]
fn t01_evidence_is_kept_whatever_the_answer_is() {
    let dir = tempfile::tempdir().unwrap();
    let root = dir.path().join("witness");
    WitnessState::create(&StdFiles, &root).unwrap();
    let (world, witness) = (World::new(3), witness(&root));
    assert!(matches!(witness.add_checkpoint(&world.request(0, 3), 5), Answer::Cosigned(_)));
    let files: Arc<dyn FileSystem> = Arc::new(Forgetful::new());
    let head = make_log(&files, Path::new("/log")).append(&[[9], [9], [9]]).unwrap().checkpoint;
    for (i, old_size) in [0, 1, 2, 3].into_iter().enumerate() {
        let body = AddCheckpoint { old_size, proof: Vec::new(), note: head.note().clone() }.to_bytes();
        let body = [body, "\u{2014} stranger AAAAAAAA\n".repeat(i).into_bytes()].concat();
        assert!(matches!(witness.add_checkpoint(&body, 6), Answer::Refused(_)));
    }
    assert_eq!(std::fs::read_dir(root.join("evidence")).unwrap().count(), 1);
}

/// T02: a head that was deleted is no empty memory either, for any log that was cosigned; for another one it is.
#[test]
fn t02_a_deleted_head_is_no_empty_memory() {
    let dir = tempfile::tempdir().unwrap();
    let root = dir.path().join("witness");
    WitnessState::create(&StdFiles, &root).unwrap();
    let other = super::fixture::signer("log.example/other", bailiwick_translog::SignatureKind::Ed25519, 7);
    let keys = vec![log_signer().verifier().clone(), other.verifier().clone()];
    let open = || WitnessState::open(Arc::new(StdFiles), &root, witness_signer(1), keys.clone());
    let cosigned = open().unwrap().add_checkpoint(&World::new(3).request(0, 3), 5);
    assert!(matches!(cosigned, Answer::Cosigned(_)));
    // What an earlier edition of this program has left: no list of origins, which the next start makes.
    std::fs::remove_dir_all(root.join("origins")).unwrap();
    drop(open().unwrap());
    let head = std::fs::read_dir(root.join("heads")).unwrap().next().unwrap().unwrap().path();
    let good = std::fs::read(&head).unwrap();
    std::fs::remove_file(&head).unwrap();
    let error = open().map(drop).unwrap_err().to_string();
    assert!(error.contains("is missing, and this witness has cosigned that log"), "{error}");
    std::fs::remove_dir(root.join("heads")).unwrap();
    open().map(drop).unwrap_err();
    std::fs::create_dir(root.join("heads")).unwrap();
    std::fs::write(&head, good).unwrap();
    assert_eq!(open().unwrap().size("log.example/other"), Some(0));
}

/// T02: a witness whose memory is damaged, or was made with another key of the log, does not start from nothing.
#[test]
fn t02_a_damaged_memory_is_no_empty_one() {
    let dir = tempfile::tempdir().unwrap();
    let root = dir.path().join("witness");
    WitnessState::create(&StdFiles, &root).unwrap();
    let world = World::new(3);
    assert!(matches!(witness(&root).add_checkpoint(&world.request(0, 3), 5), Answer::Cosigned(_)));
    let other = super::fixture::signer(ORIGIN, bailiwick_translog::SignatureKind::Ed25519, 77);
    let open = |keys| WitnessState::open(Arc::new(StdFiles), &root, witness_signer(1), keys).map(|_| ());
    open(vec![other.verifier().clone()]).unwrap_err();
    let head = std::fs::read_dir(root.join("heads")).unwrap().next().unwrap().unwrap().path();
    let good = std::fs::read(&head).unwrap();
    for bad in [&good[..good.len() / 2], b""] {
        std::fs::write(&head, bad).unwrap();
        open(vec![log_signer().verifier().clone()]).unwrap_err();
    }
    std::fs::write(&head, &good).unwrap();
    open(vec![log_signer().verifier().clone(), other.verifier().clone()]).unwrap();
}

/// T01: one who sends genuine checkpoints with junk gets a share of the places for suspects and no more: what another sends is kept.
#[test]
fn t01_nobody_crowds_out_the_suspects_of_another() {
    let dir = tempfile::tempdir().unwrap();
    let root = dir.path().join("witness");
    WitnessState::create(&StdFiles, &root).unwrap();
    let (world, witness) = (World::new(60), witness(&root));
    assert!(matches!(witness.add_checkpoint(&world.request(0, 3), 5), Answer::Cosigned(_)));
    let send = |new: usize, from: &str| {
        let proof = vec![bailiwick_translog::Hash([7; 32])];
        let body = AddCheckpoint { old_size: 3, proof, note: world.heads[new].note().clone() }.to_bytes();
        let answer = witness.add_checkpoint_from(&body, 6, Some(from.parse().unwrap()));
        assert_eq!(answer, Answer::Refused(Refusal::Inconsistent));
    };
    let kept = || {
        let mut names: Vec<String> = std::fs::read_dir(root.join("suspects"))
            .unwrap()
            .map(|e| e.unwrap().file_name().into_string().unwrap())
            .collect();
        names.sort();
        names
    };
    // Of one site: all places, while nobody else wants one.
    (4..30).for_each(|new| send(new, &format!("2001:db8:0:{new:x}::1")));
    let crowded = kept();
    assert_eq!(crowded.len(), 16);
    // Another one, in the end with as many.
    (30..50).for_each(|new| send(new, "192.0.2.1"));
    let shared = kept();
    assert_eq!(shared.len(), 16);
    assert_eq!(shared.iter().filter(|name| !crowded.contains(name)).count(), 8, "half of them");
    // A third one gets a place, and the first cannot take it back.
    send(50, "192.0.2.2");
    let third = kept().into_iter().find(|name| !shared.contains(name)).expect("kept");
    (51..60).for_each(|new| send(new, "2001:db8::1"));
    assert!(kept().contains(&third));
    assert_eq!(kept().len(), 16);
}
