//! What a witness has cosigned, durable before it says so, and evidence of logs that contradict themselves.

use std::collections::HashMap;
use std::io;
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};

use bailiwick_protocol::http_signature::sha256;
use bailiwick_store::files::FileSystem;
use bailiwick_translog::witness::{AddCheckpoint, Refusal, decide};
use bailiwick_translog::{NOTE_BYTES_MAX, NoteSigner, SignedCheckpoint, VerifierKey, cosign};

use crate::error::ServerError;
use crate::files::DurableDir;

/// First line of the format file.
const FORMAT: &str = "bailiwick-witness 1\n";
/// Evidence files kept a log: one is enough to convict it, more would be a way to fill the disk.
const EVIDENCE_MAX: usize = 16;

/// What a witness answers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Answer {
    /// Its cosignature line.
    Cosigned(String),
    /// By the rules of the protocol.
    Refused(Refusal),
    /// It could not make its memory durable, or could not before: it must be restarted.
    Failed,
}

/// One log as the witness remembers it. Held locked from comparing to keeping.
#[derive(Debug, Default)]
struct Known {
    head: Option<SignedCheckpoint>,
    /// A write has failed: what is on disk is not known any more.
    failed: bool,
}

/// A witness's memory and key.
#[derive(Debug)]
pub struct WitnessState {
    dir: DurableDir,
    signer: NoteSigner,
    logs: Vec<VerifierKey>,
    known: HashMap<String, Mutex<Known>>,
}

/// Where the head of a log is kept.
fn head_name(origin: &str) -> String {
    format!("heads/{}", hex::encode(sha256(origin.as_bytes())))
}

impl WitnessState {
    /// Makes an empty memory.
    ///
    /// # Errors
    /// The system's; `AlreadyExists` if there is something.
    pub fn create(files: &dyn FileSystem, root: &Path) -> io::Result<()> {
        DurableDir::create(files, root, FORMAT)
    }

    /// Opens the memory. A log's head that cannot be read with its keys is an error: a witness never starts from nothing again.
    ///
    /// # Errors
    /// `Io`, `Head`.
    pub fn open(
        files: Arc<dyn FileSystem>,
        root: &Path,
        signer: NoteSigner,
        logs: Vec<VerifierKey>,
    ) -> Result<Self, ServerError> {
        let failed = |source| ServerError::Io { path: root.to_owned(), source };
        let dir = DurableDir::open(files, root, FORMAT).map_err(failed)?;
        let mut known = HashMap::new();
        for log in &logs {
            let origin = log.name();
            let keys: Vec<VerifierKey> = logs.iter().filter(|k| k.name() == origin).cloned().collect();
            let head = match dir.read(&head_name(origin), NOTE_BYTES_MAX).map_err(failed)? {
                None => None,
                Some(note) => Some(
                    SignedCheckpoint::open(&note, &keys)
                        .map_err(|source| ServerError::Head { path: root.join(head_name(origin)), source })?,
                ),
            };
            known.insert(origin.to_owned(), Mutex::new(Known { head, failed: false }));
        }
        Ok(Self { dir, signer, logs, known })
    }

    /// The witness's key.
    #[must_use]
    pub fn key(&self) -> &VerifierKey {
        self.signer.verifier()
    }

    /// Size of the latest checkpoint it has cosigned for a log; `None` for a log it does not know.
    #[must_use]
    pub fn size(&self, origin: &str) -> Option<u64> {
        let known = self.known.get(origin)?.lock().unwrap_or_else(PoisonError::into_inner);
        Some(known.head.as_ref().map_or(0, |h| h.checkpoint().size))
    }

    /// Answers `POST add-checkpoint` at `now` (seconds since 1970-01-01 UTC). What it cosigns is durable before this returns.
    pub fn add_checkpoint(&self, body: &[u8], now: u64) -> Answer {
        match self.decide(body, now) {
            Ok(answer) => answer,
            Err(refusal) => Answer::Refused(refusal),
        }
    }

    fn decide(&self, body: &[u8], now: u64) -> Result<Answer, Refusal> {
        let request = AddCheckpoint::parse(body)?;
        let origin = request.origin()?;
        let slot = self.known.get(&origin).ok_or(Refusal::UnknownLog)?;
        // One lock from here to the end: comparing and keeping are one step.
        let mut known = slot.lock().unwrap_or_else(PoisonError::into_inner);
        if known.failed {
            return Ok(Answer::Failed);
        }
        let decided = decide(&request, &self.logs, known.head.as_ref().map(SignedCheckpoint::checkpoint));
        if decided == Err(Refusal::Inconsistent) {
            self.keep_evidence(&origin, known.head.as_ref(), body);
        }
        // The log's own lines alone: what strangers may have added must not keep the witness from its next start.
        let new = decided?.with_lines_of(&self.logs);
        known.failed = true;
        let note = new.note().to_text();
        if let Err(error) = self.dir.write([(head_name(&origin), note.as_bytes())].into_iter()) {
            tracing::error!(%error, %origin, "what was to be cosigned cannot be made durable");
            return Ok(Answer::Failed);
        }
        known.failed = false;
        let line = cosign(&new, &self.signer, now);
        known.head = Some(new);
        Ok(line.map_or(Answer::Failed, |line| Answer::Cosigned(line.to_line())))
    }

    /// The request, signed by the log, and what it contradicts, signed by the log: whoever has both can show it to anyone.
    fn keep_evidence(&self, origin: &str, head: Option<&SignedCheckpoint>, body: &[u8]) {
        let id = hex::encode(sha256(origin.as_bytes()));
        let held = self.dir.list("evidence").unwrap_or_default();
        let name = format!("{id}-{}", hex::encode(&sha256(body)[..8]));
        tracing::error!(%origin, evidence = name, "a log has signed what contradicts what it signed before, or sent a bad proof");
        if held.contains(&name) || held.iter().filter(|n| n.starts_with(&id)).count() >= EVIDENCE_MAX {
            return;
        }
        let known = head.map(|h| h.note().to_text()).unwrap_or_default();
        let evidence = [b"known\n", known.as_bytes(), b"\nrequest\n", body].concat();
        if let Err(error) = self.dir.write([(format!("evidence/{name}"), evidence.as_slice())].into_iter()) {
            tracing::error!(%error, "evidence cannot be kept");
        }
    }
}
