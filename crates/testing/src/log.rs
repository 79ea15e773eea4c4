//! A transparency log in memory and its witnesses, by the shipped code of both.

use std::collections::BTreeMap;
use std::convert::Infallible;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use bailiwick_auditor::{Clock as _, Fault, Log as LogPort, Page, Proof, checked_proof};
use bailiwick_protocol::secret::Secret;
use bailiwick_translog::witness::{AddCheckpoint, decide};
use bailiwick_translog::{
    Checkpoint, Log, LogPolicy, NoteSigner, SignatureKind, SignedCheckpoint, Storage, Tile, TileSource,
    TlogProof, Tree, VerifierKey, cosign,
};

use crate::clock::MockClock;
use crate::faults::Faults;
use crate::seed::Seed;

/// Origin of the log.
pub const LOG_ORIGIN: &str = "log.example/simulation";
/// Witnesses; two of them must have cosigned.
pub const WITNESSES: usize = 3;
const QUORUM: usize = 2;

/// Tiles in memory.
#[derive(Debug, Default)]
struct Tiles {
    tiles: Mutex<BTreeMap<Tile, Vec<u8>>>,
    note: Mutex<Option<Vec<u8>>>,
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl TileSource for Tiles {
    type Error = Infallible;

    fn read(&self, tile: Tile) -> Result<Option<Vec<u8>>, Infallible> {
        Ok(lock(&self.tiles).get(&tile).cloned())
    }
}

impl Storage for Tiles {
    fn write(&self, tiles: &[(Tile, Vec<u8>)]) -> Result<(), Infallible> {
        lock(&self.tiles).extend(tiles.iter().cloned());
        Ok(())
    }

    fn commit(&self, note: &[u8]) -> Result<(), Infallible> {
        *lock(&self.note) = Some(note.to_vec());
        Ok(())
    }

    fn committed(&self) -> Result<Option<Vec<u8>>, Infallible> {
        Ok(lock(&self.note).clone())
    }
}

#[derive(Debug)]
struct Book {
    log: Log<Tiles>,
    entries: Vec<Vec<u8>>,
    witnesses: Vec<(NoteSigner, Option<Checkpoint>)>,
    /// The newest checkpoint with its cosignatures.
    head: SignedCheckpoint,
    appends: u64,
    failed: u64,
}

/// The log; clones share it.
#[derive(Clone, Debug)]
pub struct MemoryLog {
    book: Arc<Mutex<Book>>,
    clock: MockClock,
    policy: LogPolicy,
    faults: Faults,
}

fn signer(seed: Seed, name: &str, kind: SignatureKind) -> NoteSigner {
    let mut stream = seed.stream(&format!("note key of {name}"));
    NoteSigner::from_seed(name, kind, &Secret::init_with(|out| stream.fill(out)))
        .expect("a name without spaces")
}

impl MemoryLog {
    /// A log with another project's entry in it, so that no index is 0 by accident.
    ///
    /// # Panics
    /// Never: memory takes everything.
    #[must_use]
    pub fn new(seed: Seed, clock: MockClock, faults: Faults) -> Self {
        let log_key = signer(seed, LOG_ORIGIN, SignatureKind::Ed25519);
        let witnesses: Vec<NoteSigner> = (1..=WITNESSES)
            .map(|i| signer(seed, &format!("witness.example/w{i}"), SignatureKind::Cosignature))
            .collect();
        let keys = witnesses.iter().map(|w| w.verifier().clone()).collect();
        let policy =
            LogPolicy::new(log_key.verifier().clone(), keys, QUORUM).expect("keys of the right kinds");
        let log = Log::create(Tiles::default(), log_key).expect("a new log in memory");
        let head = log.head().clone();
        let witnesses = witnesses.into_iter().map(|w| (w, None)).collect();
        let book = Book { log, entries: Vec::new(), witnesses, head, appends: 0, failed: 0 };
        let log = Self { book: Arc::new(Mutex::new(book)), clock, policy, faults };
        log.enter(&[b"another project's entry".to_vec()]);
        log
    }

    /// Keys of log and witnesses, and how many must have cosigned.
    #[must_use]
    pub fn policy(&self) -> &LogPolicy {
        &self.policy
    }

    /// Entries, in order.
    #[must_use]
    pub fn entries(&self) -> Vec<Vec<u8>> {
        lock(&self.book).entries.clone()
    }

    /// Enters a batch now, cosigned by every witness; gives the indices.
    ///
    /// # Panics
    /// When the shipped log or witness refuses an honest append.
    pub fn enter(&self, entries: &[Vec<u8>]) -> Vec<u64> {
        let now = self.clock.now_ms() / 1000;
        let mut book = lock(&self.book);
        let Book { log, entries: all, witnesses, head, .. } = &mut *book;
        let appended = log.append(entries).expect("an honest append");
        all.extend(entries.iter().cloned());
        let mut new = appended.checkpoint;
        let size = new.checkpoint().size;
        let keys = core::slice::from_ref(self.policy.log());
        for (signer, known) in witnesses {
            let old_size = known.as_ref().map_or(0, |k| k.size);
            let proof =
                Tree::new(log.storage(), size).consistency(old_size, size).expect("sizes of this log");
            let request = AddCheckpoint { old_size, proof, note: log.head().note().clone() };
            let decided = decide(&request, keys, known.as_ref()).expect("an honest growth");
            let line = cosign(&decided, signer, now).expect("a witness's key");
            *known = Some(decided.checkpoint().clone());
            new.add_cosignatures(line.to_line().as_bytes(), signer.verifier()).expect("its own line");
        }
        *head = new;
        (appended.first..size).collect()
    }

    /// The tlog-proof of an entry under the newest cosigned checkpoint.
    ///
    /// # Panics
    /// For an index that is not in the log.
    #[must_use]
    pub fn proof_text(&self, index: u64) -> Vec<u8> {
        let book = lock(&self.book);
        let size = book.head.checkpoint().size;
        let path = Tree::new(book.log.storage(), size).inclusion(index, size).expect("an index of this log");
        let checkpoint = book.head.note().to_text().into_bytes();
        TlogProof { extra: None, index, path, checkpoint }.to_bytes()
    }

    /// `[log]` of the trust anchors.
    pub(crate) fn anchors(&self) -> String {
        let quoted = |k: &VerifierKey| format!("\"{k}\"");
        let witnesses: Vec<String> = self.policy.witnesses().iter().map(quoted).collect();
        format!("[log]\nkey = {}\nwitnesses = [{}]\n", quoted(self.policy.log()), witnesses.join(", "))
    }

    /// Whether this batch fails, and whether it is in the log all the same.
    fn fault(&self) -> Option<bool> {
        let mut book = lock(&self.book);
        let question = format!("log {}", book.appends);
        if book.failed < self.faults.failures(&question) {
            book.failed += 1;
            return Some(book.failed.is_multiple_of(2));
        }
        (book.appends, book.failed) = (book.appends + 1, 0);
        None
    }
}

impl LogPort for MemoryLog {
    fn append(&mut self, entries: &[Vec<u8>]) -> Result<Vec<u64>, Fault> {
        let down = || Fault::Unavailable { who: "the log", why: "scripted".to_owned() };
        match self.fault() {
            Some(true) => {
                // Taken, and the answer is lost.
                self.enter(entries);
                Err(down())
            }
            Some(false) => Err(down()),
            None => Ok(self.enter(entries)),
        }
    }

    fn proof(&mut self, index: u64, entry: &[u8]) -> Result<Proof, Fault> {
        checked_proof(&self.policy, index, entry, self.proof_text(index))
    }

    fn entries(&mut self, from: u64) -> Result<Page, Fault> {
        let book = lock(&self.book);
        let entries =
            book.entries.iter().skip(usize::try_from(from).unwrap_or(usize::MAX)).cloned().collect();
        Ok(Page { entries, size: book.entries.len() as u64 })
    }
}
