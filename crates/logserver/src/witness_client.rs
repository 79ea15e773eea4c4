//! A log's side of the witness protocol: one worker a witness, which asks for a cosignature and checks what comes.

use std::sync::Arc;
use std::sync::mpsc::{Receiver, SyncSender, TrySendError, sync_channel};
use std::time::Duration;

use bailiwick_translog::witness::{AddCheckpoint, SIZE_CONTENT_TYPE};
use bailiwick_translog::{NOTE_BYTES_MAX, NoteError, SignedCheckpoint, Tree, VerifierKey};

use crate::client::ClientError;
use crate::dir::LogDir;
use crate::http::Endpoint;

/// Why there is no cosignature.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum CosignError {
    /// The connection, or its answer.
    #[error(transparent)]
    Client(#[from] ClientError),
    /// It refuses.
    #[error("refuses with status {status}")]
    Refused {
        /// HTTP status. 422 means it has seen another tree of this log.
        status: u16,
    },
    /// It has cosigned more entries of this log than this log has.
    #[error(
        "has cosigned {theirs} entries of this log, which has {ours}: the log has been rolled back, or there are two of it"
    )]
    Ahead {
        /// Entries it has seen.
        theirs: u64,
        /// Entries there are.
        ours: u64,
    },
    /// It says it has cosigned fewer entries of this log than it has: it has been rolled back, and could be led to another view.
    #[error(
        "says it has cosigned {theirs} entries of this log, and has cosigned {known}: it has been rolled back"
    )]
    Behind {
        /// Entries of a checkpoint whose cosignature by it was verified.
        known: u64,
        /// Entries it says.
        theirs: u64,
    },
    /// Its answer is no cosignature by its key.
    #[error("answers with no good cosignature: {0}")]
    Answer(#[from] NoteError),
    /// Its answer cannot be read.
    #[error("answers with something else")]
    Protocol,
    /// The log's own tiles.
    #[error("tiles of the log: {0}")]
    Tiles(String),
}

/// One witness, as a log sees it.
#[derive(Debug)]
pub struct Cosigner {
    key: VerifierKey,
    endpoint: Endpoint,
    /// Size of the latest checkpoint it says it has cosigned.
    size: u64,
    /// Size of the latest one whose cosignature was verified here.
    cosigned: u64,
}

impl Cosigner {
    /// `url` is its submission prefix. Does not connect.
    ///
    /// # Errors
    /// `Address`, `Roots`.
    pub fn new(
        key: VerifierKey,
        url: &str,
        roots: Option<&[u8]>,
        timeout: Duration,
    ) -> Result<Self, ClientError> {
        Ok(Self { key, endpoint: Endpoint::new(url, roots, timeout)?, size: 0, cosigned: 0 })
    }

    /// Takes note of a checkpoint of this log, published earlier, if this witness has cosigned it.
    pub fn saw(&mut self, published: &SignedCheckpoint) {
        let found = published.cosignatures(std::slice::from_ref(&self.key));
        if found.is_ok_and(|found| !found.is_empty()) {
            self.cosigned = self.cosigned.max(published.checkpoint().size);
            self.size = self.size.max(self.cosigned);
        }
    }

    /// Its key.
    #[must_use]
    pub fn key(&self) -> &VerifierKey {
        &self.key
    }

    /// Asks it to cosign; gives its one verified line.
    ///
    /// # Errors
    /// `CosignError`.
    pub fn cosign(&mut self, dir: &LogDir, checkpoint: &SignedCheckpoint) -> Result<String, CosignError> {
        let ours = checkpoint.checkpoint().size;
        // The first answer may tell where it stands; then one more try.
        for _ in 0..2 {
            let proof = Tree::new(dir, ours)
                .consistency(self.size.min(ours), ours)
                .map_err(|e| CosignError::Tiles(e.to_string()))?;
            let request =
                AddCheckpoint { old_size: self.size.min(ours), proof, note: checkpoint.note().clone() };
            let answer = self.endpoint.post("/add-checkpoint", &[], &request.to_bytes(), NOTE_BYTES_MAX)?;
            let is_size = answer.headers.get("content-type").is_some_and(|v| v == SIZE_CONTENT_TYPE);
            match answer.status {
                200 => {
                    let mut with = checkpoint.clone();
                    with.add_cosignatures(&answer.body, &self.key)?;
                    (self.size, self.cosigned) = (ours, self.cosigned.max(ours));
                    let own = checkpoint.note().signatures().len();
                    return Ok(with.note().signatures().iter().skip(own).map(|s| s.to_line()).collect());
                }
                409 if is_size => {
                    let theirs = core::str::from_utf8(&answer.body)
                        .ok()
                        .and_then(|t| t.strip_suffix('\n')?.parse().ok())
                        .ok_or(CosignError::Protocol)?;
                    if theirs > ours {
                        return Err(CosignError::Ahead { theirs, ours });
                    }
                    if theirs < self.cosigned {
                        return Err(CosignError::Behind { known: self.cosigned, theirs });
                    }
                    self.size = theirs;
                }
                status => return Err(CosignError::Refused { status }),
            }
        }
        Err(CosignError::Refused { status: 409 })
    }
}

/// A checkpoint to cosign, and where the lines go.
struct Job {
    checkpoint: SignedCheckpoint,
    answer: SyncSender<String>,
}

/// All witnesses of a log, each on a thread of its own.
pub(crate) struct Cosigners {
    workers: Vec<SyncSender<Job>>,
}

impl Cosigners {
    pub(crate) fn start(cosigners: Vec<Cosigner>, dir: &Arc<LogDir>) -> Self {
        let start = |cosigner: Cosigner| {
            let (jobs, inbox) = sync_channel::<Job>(1);
            let dir = Arc::clone(dir);
            std::thread::spawn(move || work(cosigner, &dir, &inbox));
            jobs
        };
        Self { workers: cosigners.into_iter().map(start).collect() }
    }

    pub(crate) fn len(&self) -> usize {
        self.workers.len()
    }

    /// Asks all witnesses that are not still busy with the one before. Each sends its lines, or nothing.
    pub(crate) fn ask(&self, checkpoint: &SignedCheckpoint) -> Receiver<String> {
        let (answer, answers) = sync_channel(self.len());
        for worker in &self.workers {
            let job = Job { checkpoint: checkpoint.clone(), answer: answer.clone() };
            match worker.try_send(job) {
                // A worker ends only with the process.
                Ok(()) | Err(TrySendError::Full(_) | TrySendError::Disconnected(_)) => {}
            }
        }
        answers
    }
}

fn work(mut cosigner: Cosigner, dir: &LogDir, inbox: &Receiver<Job>) {
    while let Ok(job) = inbox.recv() {
        match cosigner.cosign(dir, &job.checkpoint) {
            // Nobody waits for it any more: too late for this checkpoint.
            Ok(lines) => drop(job.answer.try_send(lines)),
            Err(error @ (CosignError::Ahead { .. } | CosignError::Behind { .. })) => {
                tracing::error!(witness = cosigner.key.name(), %error, "no cosignature");
            }
            Err(error) => tracing::warn!(witness = cosigner.key.name(), %error, "no cosignature"),
        }
    }
}
