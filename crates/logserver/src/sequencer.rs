//! The one writer: gathers entries into batches, appends, has the checkpoint cosigned, publishes it, and answers.

use std::io;
use std::sync::mpsc::{Receiver, RecvTimeoutError, SyncSender, TrySendError, sync_channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use bailiwick_translog::{BATCH_BYTES_MAX, ENTRY_BYTES_MAX, Log, LogError, Note, SignedCheckpoint};

use crate::dir::LogDir;
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

struct Submission {
    entry: Vec<u8>,
    reply: Box<dyn FnOnce(Outcome) + Send>,
}

/// The way to a log's writer. Stops it when dropped.
#[derive(Debug)]
pub struct Sequencer {
    queue: Option<SyncSender<Submission>>,
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
        let writer = Writer {
            log,
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
        Self { queue: Some(queue), stopped, thread: Some(thread) }
    }

    /// Hands in an entry; `reply` hears once what became of it, on the writer's thread.
    pub fn submit(&self, entry: Vec<u8>, reply: impl FnOnce(Outcome) + Send + 'static) {
        if let Some(why) = self.stopped() {
            return reply(Outcome::Stopped(why));
        }
        let submission = Submission { entry, reply: Box::new(reply) };
        let refused = match self.queue.as_ref().map(|q| q.try_send(submission)) {
            Some(Ok(())) | None => return,
            Some(Err(TrySendError::Full(s))) => (s, Outcome::Busy),
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

struct Writer {
    log: Log<LogDir>,
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
        self.publish();
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
            if self.publish_in().is_zero() {
                self.publish();
            }
        }
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
        let (entries, replies): (Vec<_>, Vec<_>) = batch.into_iter().map(|s| (s.entry, s.reply)).unzip();
        let old = self.log.head().checkpoint().size;
        match self.log.append(&entries) {
            Ok(appended) => {
                self.publish();
                let published = self.is_published();
                for (index, reply) in (appended.first..).zip(replies) {
                    reply(if published {
                        Outcome::Published { index }
                    } else {
                        Outcome::Integrated { index }
                    });
                }
                let size = self.log.head().checkpoint().size;
                if let Err(error) = self.log.storage().prune(old, size) {
                    tracing::warn!(%error, "partial tiles that are not needed could not be removed");
                }
            }
            Err(error) => {
                let why = self.stop(&error);
                replies.into_iter().for_each(|reply| reply(Outcome::Stopped(why.clone())));
            }
        }
    }

    /// Shows the committed checkpoint to readers once enough witnesses have cosigned it.
    fn publish(&mut self) {
        self.attempted = Instant::now();
        let head = self.log.head().clone();
        let lines = self.gather(&head);
        if lines.len() < self.quorum {
            tracing::warn!(
                found = lines.len(),
                quorum = self.quorum,
                "too few cosignatures; not published yet"
            );
            return;
        }
        let note = lines.iter().fold(head.note().to_text(), |note, lines| note + lines);
        match self.write(&note) {
            Ok(()) => self.published = Some((head.checkpoint().size, Instant::now())),
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
