//! The one writer: gathers entries into batches, appends, has the checkpoint cosigned, publishes it, and answers.

use std::collections::HashMap;
use std::io;
use std::sync::mpsc::{Receiver, RecvTimeoutError, SyncSender, TrySendError, sync_channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use bailiwick_translog::{
    BATCH_BYTES_MAX, ENTRY_BYTES_MAX, Hash, Log, LogError, Note, SignedCheckpoint, leaf_hash,
};

use crate::dir::LogDir;
use crate::metrics::LogMetrics;
use crate::recent::Recent;
use crate::witness_client::{Cosigner, Cosigners};

/// Entries of a batch, at most.
const BATCH_ENTRIES_MAX: usize = 8192;
/// Entries that wait, at most; who comes then is told to come back.
const QUEUE_MAX: usize = 16_384;
/// How long witnesses that are slower than the quorum are waited for.
const GRACE: Duration = Duration::from_millis(100);
/// Pause before witnesses that did not answer are asked again.
const RETRY: Duration = Duration::from_secs(1);

/// Bundles read and hashed again each time `refresh` has passed: 262,144 entries, a tenth of a second of hashing, and reading them.
const SCRUB_BUNDLES: u64 = 1024;

/// What became of an entry.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// In the log for good, and in the checkpoint readers are shown.
    Published {
        /// Its index.
        index: u64,
    },
    /// In the log for good; witnesses have not answered yet.
    Integrated {
        /// Its index.
        index: u64,
    },
    /// An error has stopped the log. Says which. The entry may be in the log all the same, when the commit was what failed: the next
    /// start shows it.
    Stopped(String),
    /// Not in the log: too many entries wait.
    Busy,
}

/// How a log is run.
#[derive(Debug)]
pub struct SequencerOptions {
    /// The witnesses.
    pub cosigners: Vec<Cosigner>,
    /// Cosignatures a checkpoint needs before it is published.
    pub quorum: usize,
    /// How long the witnesses are waited for.
    pub patience: Duration,
    /// After which an unchanged checkpoint is cosigned again, and a part of the log is read and hashed again.
    pub refresh: Duration,
}

type Reply = Box<dyn FnOnce(Outcome) + Send>;

struct Submission {
    entry: Vec<u8>,
    since: Instant,
    reply: Reply,
}

/// The way to a log's writer. Stops it when dropped.
#[derive(Debug)]
pub struct Sequencer {
    queue: Option<SyncSender<Submission>>,
    metrics: Arc<LogMetrics>,
    stopped: Arc<Mutex<Option<String>>>,
    thread: Option<JoinHandle<()>>,
}

impl std::fmt::Debug for Submission {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Submission({} bytes)", self.entry.len())
    }
}

impl Sequencer {
    /// Starts the writer; `readers` is another view of the same directory.
    #[must_use]
    pub fn start(log: Log<LogDir>, readers: &Arc<LogDir>, options: SequencerOptions) -> Self {
        let (queue, inbox) = sync_channel(QUEUE_MAX);
        let stopped = Arc::new(Mutex::new(None));
        let metrics = Arc::new(LogMetrics::new());
        let writer = Writer {
            log,
            recent: Recent::default(),
            metrics: Arc::clone(&metrics),
            cosigners: Cosigners::start(options.cosigners, readers),
            quorum: options.quorum,
            patience: options.patience,
            refresh: options.refresh,
            published: None,
            attempted: Instant::now(),
            scrubbed: Instant::now(),
            stopped: Arc::clone(&stopped),
        };
        let thread = std::thread::spawn(move || writer.run(&inbox));
        Self { queue: Some(queue), metrics, stopped, thread: Some(thread) }
    }

    /// The writer's figures, in the OpenMetrics text format.
    #[must_use]
    pub fn metrics(&self) -> String {
        self.metrics.stopped.set(i64::from(self.stopped().is_some()));
        self.metrics.text()
    }

    /// Hands in an entry, which is added unless it is one of the latest already; `reply` hears once what became of it, on the writer's thread.
    pub fn submit(&self, entry: Vec<u8>, reply: impl FnOnce(Outcome) + Send + 'static) {
        if let Some(why) = self.stopped() {
            return reply(Outcome::Stopped(why));
        }
        let submission = Submission { entry, since: Instant::now(), reply: Box::new(reply) };
        let refused = match self.queue.as_ref().map(|q| q.try_send(submission)) {
            Some(Ok(())) | None => return,
            Some(Err(TrySendError::Full(s))) => {
                self.metrics.busy.inc();
                (s, Outcome::Busy)
            }
            Some(Err(TrySendError::Disconnected(s))) => {
                (s, Outcome::Stopped("the writer has ended".to_owned()))
            }
        };
        (refused.0.reply)(refused.1);
    }

    /// Why the log signs nothing more, if so.
    #[must_use]
    pub fn stopped(&self) -> Option<String> {
        let why = self.stopped.lock().unwrap_or_else(PoisonError::into_inner).clone();
        // A writer that panicked has left no reason.
        let ended = || self.thread.as_ref().is_none_or(JoinHandle::is_finished);
        why.or_else(|| ended().then(|| "the log's writer has ended".to_owned()))
    }
}

impl Drop for Sequencer {
    fn drop(&mut self) {
        self.queue = None;
        if let Some(thread) = self.thread.take() {
            // A writer that panicked has answered nobody; the next start reads what is durable.
            let _ = thread.join();
        }
    }
}

/// A batch, as far as it is new, and whom to tell which index.
#[derive(Default)]
struct Sorted {
    entries: Vec<Vec<u8>>,
    leaves: Vec<Hash>,
    replies: Vec<(u64, Instant, Reply)>,
}

struct Writer {
    log: Log<LogDir>,
    recent: Recent,
    metrics: Arc<LogMetrics>,
    cosigners: Cosigners,
    quorum: usize,
    patience: Duration,
    refresh: Duration,
    /// Size that is published, and when it was.
    published: Option<(u64, Instant)>,
    /// When publishing was last tried.
    attempted: Instant,
    /// When stored entries were last read and hashed again.
    scrubbed: Instant,
    stopped: Arc<Mutex<Option<String>>>,
}

impl Writer {
    fn run(mut self, inbox: &Receiver<Submission>) {
        let size = self.log.head().checkpoint().size;
        self.metrics.size.set(size);
        match Recent::read(self.log.storage(), size) {
            Ok(recent) => {
                self.recent = recent;
                self.publish();
            }
            // A log that cannot read itself shows its readers nothing new.
            Err(error) => drop(self.stop(&error.into())),
        }
        loop {
            let scrub_in = self.refresh.saturating_sub(self.scrubbed.elapsed());
            match inbox.recv_timeout(self.publish_in().min(scrub_in)) {
                Ok(first) => self.batch(first, inbox),
                Err(RecvTimeoutError::Timeout) => {}
                Err(RecvTimeoutError::Disconnected) => return,
            }
            if self.scrubbed.elapsed() >= self.refresh {
                self.scrub();
            }
            if self.publish_in().is_zero() && !self.is_stopped() {
                self.publish();
            }
        }
    }

    fn is_stopped(&self) -> bool {
        self.stopped.lock().unwrap_or_else(PoisonError::into_inner).is_some()
    }

    fn is_published(&self) -> bool {
        self.published.is_some_and(|(size, _)| size == self.log.head().checkpoint().size)
    }

    /// After which the checkpoint is to be published, or published again.
    fn publish_in(&self) -> Duration {
        let due = match self.published {
            Some((_, at)) if self.is_published() => self.refresh.saturating_sub(at.elapsed()),
            _ => Duration::ZERO,
        };
        // Witnesses that do not answer are not asked in a circle.
        due.max(RETRY.saturating_sub(self.attempted.elapsed()))
    }

    /// Looks for damage also where, and when, nothing is added.
    fn scrub(&mut self) {
        match self.log.scrub(SCRUB_BUNDLES) {
            // It has said so already.
            Ok(()) | Err(LogError::Stopped) => {}
            Err(error) => drop(self.stop(&error)),
        }
        self.scrubbed = Instant::now();
    }

    /// Says why nothing more is signed, and gives the first reason.
    fn stop(&self, error: &LogError<io::Error>) -> String {
        tracing::error!(%error, "the log has stopped");
        let mut stopped = self.stopped.lock().unwrap_or_else(PoisonError::into_inner);
        stopped.get_or_insert_with(|| error.to_string()).clone()
    }

    fn batch(&mut self, first: Submission, inbox: &Receiver<Submission>) {
        let mut bytes = first.entry.len();
        let mut batch = vec![first];
        while batch.len() < BATCH_ENTRIES_MAX && bytes + ENTRY_BYTES_MAX <= BATCH_BYTES_MAX {
            let Ok(next) = inbox.try_recv() else { break };
            bytes += next.entry.len();
            batch.push(next);
        }
        let old = self.log.head().checkpoint().size;
        let Sorted { entries, leaves, replies } = self.sort(batch, old);
        if !entries.is_empty() {
            let begun = Instant::now();
            if let Err(error) = self.log.append(&entries) {
                let why = self.stop(&error);
                replies.into_iter().for_each(|(_, _, reply)| reply(Outcome::Stopped(why.clone())));
                return;
            }
            self.metrics.batch(entries.len(), begun.elapsed());
            leaves.into_iter().zip(old..).for_each(|(leaf, index)| self.recent.add(leaf, index));
            self.metrics.size.set(self.log.head().checkpoint().size);
            self.publish();
        }
        let shown = self.published.map_or(0, |(size, _)| size);
        for (index, since, reply) in replies {
            reply(if index < shown { Outcome::Published { index } } else { Outcome::Integrated { index } });
            self.metrics.answered(since.elapsed());
        }
        let size = self.log.head().checkpoint().size;
        if let Err(error) = self.log.storage().prune(old, size) {
            tracing::warn!(%error, "partial tiles that are not needed could not be removed");
        }
    }

    /// What of a batch is new, and at which index each of its entries is or will be. One that is there already is sent again because its
    /// answer was lost, and is not added twice (spec log, A5).
    fn sort(&self, batch: Vec<Submission>, size: u64) -> Sorted {
        let mut sorted = Sorted::default();
        let mut fresh: HashMap<Hash, u64> = HashMap::new();
        for Submission { entry, since, reply } in batch {
            let leaf = leaf_hash(&entry);
            let index = match self.recent.index_of(&leaf).or_else(|| fresh.get(&leaf).copied()) {
                Some(index) => {
                    self.metrics.repeated.inc();
                    index
                }
                None => {
                    let index = size + sorted.entries.len() as u64;
                    fresh.insert(leaf, index);
                    sorted.entries.push(entry);
                    sorted.leaves.push(leaf);
                    index
                }
            };
            sorted.replies.push((index, since, reply));
        }
        sorted
    }

    /// Shows the committed checkpoint to readers once enough witnesses have cosigned it.
    fn publish(&mut self) {
        self.attempted = Instant::now();
        let head = self.log.head().clone();
        let lines = self.gather(&head);
        if lines.len() < self.quorum {
            self.metrics.unpublished.inc();
            tracing::warn!(
                found = lines.len(),
                quorum = self.quorum,
                "too few cosignatures; not published yet"
            );
            return;
        }
        let note = lines.iter().fold(head.note().to_text(), |note, lines| note + lines);
        match self.write(&note) {
            Ok(()) => {
                self.metrics.published.set(head.checkpoint().size);
                self.published = Some((head.checkpoint().size, Instant::now()));
            }
            Err(error) => tracing::error!(%error, "checkpoint cannot be published"),
        }
    }

    fn write(&self, note: &str) -> io::Result<()> {
        // What readers could not open must not replace what they can.
        Note::parse(note.as_bytes()).map_err(io::Error::other)?;
        self.log.storage().publish(note.as_bytes())
    }

    /// The verified line of each witness that answers in time.
    fn gather(&self, head: &SignedCheckpoint) -> Vec<String> {
        let answers = self.cosigners.ask(head);
        let mut lines = Vec::new();
        let mut deadline = Instant::now() + self.patience;
        while lines.len() < self.cosigners.len() {
            let Ok(line) = answers.recv_timeout(deadline.saturating_duration_since(Instant::now())) else {
                break;
            };
            lines.push(line);
            if lines.len() == self.quorum.max(1) {
                deadline = deadline.min(Instant::now() + GRACE);
            }
        }
        lines
    }
}
