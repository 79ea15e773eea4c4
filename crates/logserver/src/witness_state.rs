//! What a witness has cosigned, durable before it says so, and evidence of logs that contradict themselves.

use std::collections::{BTreeMap, HashMap};
use std::io;
use std::net::IpAddr;
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};

use bailiwick_protocol::http_signature::sha256;
use bailiwick_store::files::FileSystem;
use bailiwick_translog::witness::{AddCheckpoint, Refusal, convicts, decide};
use bailiwick_translog::{Checkpoint, NOTE_BYTES_MAX, NoteSigner, SignedCheckpoint, VerifierKey, cosign};

use crate::error::ServerError;
use crate::files::DurableDir;

/// First line of the format file.
const FORMAT: &str = "bailiwick-witness 1\n";
/// Files kept a log and kind: one convicts it, more would be a way to fill the disk.
const KEPT_MAX: usize = 16;
/// What convicts a log: only the log's key can make more of it, so nobody else can crowd it out.
const EVIDENCE: &str = "evidence";
/// Growth that came with a proof that does not hold. Anyone can send that with a genuine checkpoint, so the places are shared among
/// those who send: see [`WitnessState::make_room`].
const SUSPECTS: &str = "suspects";
/// Origins this witness has cosigned: for each of them there must be a head.
const ORIGINS: &str = "origins";

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

/// Where something of a log is kept.
fn name_in(folder: &str, origin: &str) -> String {
    format!("{folder}/{}", hex::encode(sha256(origin.as_bytes())))
}

/// Where the head of a log is kept.
fn head_name(origin: &str) -> String {
    name_in("heads", origin)
}

impl WitnessState {
    /// Makes an empty memory.
    ///
    /// # Errors
    /// The system's; `AlreadyExists` if there is something.
    pub fn create(files: &dyn FileSystem, root: &Path) -> io::Result<()> {
        DurableDir::create(files, root, FORMAT)
    }

    /// Opens the memory. A log's head that is gone, or cannot be read with its keys, is an error: a witness never starts from nothing
    /// again.
    ///
    /// # Errors
    /// `Io`, `Head`, `HeadMissing`.
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
                None if dir.read(&name_in(ORIGINS, origin), 0).map_err(failed)?.is_some() => {
                    return Err(ServerError::HeadMissing { path: root.join(head_name(origin)) });
                }
                None => None,
                Some(note) => Some(
                    SignedCheckpoint::open(&note, &keys)
                        .map_err(|source| ServerError::Head { path: root.join(head_name(origin)), source })?,
                ),
            };
            if head.is_some() {
                // A crash may have come between the first head and this.
                remember_origin(&dir, origin).map_err(failed)?;
            }
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
        self.add_checkpoint_from(body, now, None)
    }

    /// The same, from an address: of what is kept of a log's suspect growth, everyone has a share.
    pub fn add_checkpoint_from(&self, body: &[u8], now: u64, from: Option<IpAddr>) -> Answer {
        match self.decide(body, now, from) {
            Ok(answer) => answer,
            Err(refusal) => Answer::Refused(refusal),
        }
    }

    fn decide(&self, body: &[u8], now: u64, from: Option<IpAddr>) -> Result<Answer, Refusal> {
        let request = AddCheckpoint::parse(body)?;
        let origin = request.origin()?;
        let slot = self.known.get(&origin).ok_or(Refusal::UnknownLog)?;
        // One lock from here to the end: comparing and keeping are one step.
        let mut known = slot.lock().unwrap_or_else(PoisonError::into_inner);
        if known.failed {
            return Ok(Answer::Failed);
        }
        let decided = decide(&request, &self.logs, known.head.as_ref().map(SignedCheckpoint::checkpoint));
        if decided.is_err() {
            let refused = Refused { origin: &origin, head: known.head.as_ref(), request: &request, body };
            self.keep_refused(&refused, decided.as_ref().err(), from);
        }
        // The log's own lines alone: what strangers may have added must not keep the witness from its next start.
        let new = decided?.with_lines_of(&self.logs);
        known.failed = true;
        let note = new.note().to_text();
        let kept = self.dir.write([(head_name(&origin), note.as_bytes())].into_iter()).and_then(|()| {
            // After the head, so that it never promises one that is not there.
            if known.head.is_none() { remember_origin(&self.dir, &origin) } else { Ok(()) }
        });
        if let Err(error) = kept {
            tracing::error!(%error, %origin, "what was to be cosigned cannot be made durable");
            return Ok(Answer::Failed);
        }
        known.failed = false;
        let line = cosign(&new, &self.signer, now);
        known.head = Some(new);
        Ok(line.map_or(Answer::Failed, |line| Answer::Cosigned(line.to_line())))
    }

    /// Keeps a refused request that was signed by the log: what convicts it, whatever the answer was; and apart from that, growth whose
    /// proof does not hold.
    fn keep_refused(&self, refused: &Refused<'_>, refusal: Option<&Refusal>, from: Option<IpAddr>) {
        let (origin, request) = (refused.origin, refused.request);
        let known = refused.head.map(SignedCheckpoint::checkpoint);
        if convicts(request, &self.logs, known) {
            tracing::error!(%origin, "the log has signed what contradicts what it signed before");
            return self.keep(EVIDENCE, refused, None);
        }
        // Decided after the log's signature was checked. What the witness knows already contradicts nothing, whatever came with it.
        let new = Checkpoint::parse_unverified(request.note.text());
        let grows = new.is_ok_and(|new| new.size > known.map_or(0, |k| k.size));
        if refusal == Some(&Refusal::Inconsistent) && grows {
            tracing::warn!(%origin, "a checkpoint of the log came with a proof that does not hold");
            self.keep(SUSPECTS, refused, Some(sender(from)));
        }
    }

    /// What is known and what came, both signed by the log, so that whoever has the file can show it to anyone. One file a signed text:
    /// what strangers can vary does not count. `sender`: of a folder whose places are shared.
    fn keep(&self, folder: &str, refused: &Refused<'_>, sender: Option<String>) {
        let Refused { origin, head, request, body } = *refused;
        let of_log = name_in(folder, origin);
        let id = of_log.rsplit('/').next().unwrap_or_default();
        let text = format!("{id}-{}", hex::encode(&sha256(request.note.text().as_bytes())[..8]));
        let mut held = self.dir.list(folder).unwrap_or_default();
        held.retain(|h| h.starts_with(id));
        if held.iter().any(|h| h.starts_with(&text)) {
            return;
        }
        let room = match &sender {
            None => held.len() < KEPT_MAX,
            Some(sender) => self.make_room(folder, &held, sender),
        };
        if !room {
            return;
        }
        let name = sender.map_or_else(|| format!("{folder}/{text}"), |s| format!("{folder}/{text}-{s}"));
        let known = head.map(|h| h.note().to_text()).unwrap_or_default();
        let content = [b"known\n", known.as_bytes(), b"\nrequest\n", body].concat();
        match self.dir.write([(name.clone(), content.as_slice())].into_iter()) {
            Ok(()) => tracing::error!(%origin, file = name, "kept"),
            Err(error) => tracing::error!(%error, "what was refused cannot be kept"),
        }
    }

    /// Whether there is a place for one more file of `sender`. When all are taken, whoever has the most gives one up, if `sender` will
    /// still not have more: nobody crowds out another.
    fn make_room(&self, folder: &str, held: &[String], sender: &str) -> bool {
        if held.len() < KEPT_MAX {
            return true;
        }
        let mut by_sender: BTreeMap<&str, Vec<&String>> = BTreeMap::new();
        for name in held {
            by_sender.entry(name.split('-').nth(2).unwrap_or_default()).or_default().push(name);
        }
        let own = by_sender.get(sender).map_or(0, Vec::len);
        let Some(most) = by_sender.values().max_by_key(|files| files.len()) else { return false };
        let Some(given_up) = most.last().filter(|_| own + 1 < most.len()) else { return false };
        let removed = self.dir.remove_durably(&[format!("{folder}/{given_up}")]);
        if let Err(error) = &removed {
            tracing::error!(%error, "no room can be made for what was refused");
        }
        removed.is_ok()
    }
}

/// A refused request and what it was compared with.
#[derive(Clone, Copy)]
struct Refused<'a> {
    origin: &'a str,
    head: Option<&'a SignedCheckpoint>,
    request: &'a AddCheckpoint,
    body: &'a [u8],
}

/// Whose share of the places it is: an IPv4 address, or the 48 bits of an IPv6 address that one site is given (RFC 6177); hashed, so
/// that it can stand in a file's name.
fn sender(from: Option<IpAddr>) -> String {
    let bytes = match from {
        None => Vec::new(),
        Some(IpAddr::V4(v4)) => v4.octets().to_vec(),
        Some(IpAddr::V6(v6)) => v6.octets()[..6].to_vec(),
    };
    hex::encode(&sha256(&bytes)[..4])
}

/// Notes durably that this origin has been cosigned.
fn remember_origin(dir: &DurableDir, origin: &str) -> std::io::Result<()> {
    let name = name_in(ORIGINS, origin);
    if dir.read(&name, 0)?.is_some() {
        return Ok(());
    }
    dir.write([(name, format!("{origin}\n").as_bytes())].into_iter())
}
