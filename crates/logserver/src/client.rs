//! A client of a log: adds entries, and reads any log that serves tiles.

use std::io::Read as _;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use bailiwick_protocol::http_signature::{
    CONTENT_DIGEST_HEADER, Content, HOST_HEADER, RequestParts, SignatureParameters, format_digest, sha256,
    sign,
};
use bailiwick_protocol::ids::HostKey;
use bailiwick_protocol::signing::SigningKey;
use bailiwick_translog::{
    BUNDLE_BYTES_MAX, Level, LogPolicy, NOTE_BYTES_MAX, PROOF_BYTES_MAX, ProofError, SignedCheckpoint, Tile,
    TileSource, TlogProof, Tree, TreeError, decode_bundle, encode_bundle, leaf_hash,
};
use serde::Deserialize;

use crate::http::{agent, prefix};

/// Seconds a request's signature is valid.
const SIGNATURE_SECONDS: u64 = 30;
/// Times a request is signed again when the log has just restarted.
const TRIES: u32 = 3;

/// Why a log cannot be used.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ClientError {
    /// Not an `http(s)` address.
    #[error("{0} is not an http or https address")]
    Address(String),
    /// No certificates to trust, or none in the file.
    #[error("https needs a PEM file with the certificates to trust")]
    Roots,
    /// The connection.
    #[error("cannot reach the log: {0}")]
    Transport(#[source] Box<ureq::Error>),
    /// The log refuses.
    #[error("refused ({status} {code}): {message}")]
    Refused {
        /// HTTP status.
        status: u16,
        /// Stable code.
        code: String,
        /// Its words, control characters removed.
        message: String,
    },
    /// What came is not what was asked for.
    #[error("the log answers {0}")]
    Protocol(&'static str),
    /// No clock or no randomness.
    #[error("the system gives no {0}")]
    System(&'static str),
    /// The proof it sent, or the checkpoint it shows.
    #[error(transparent)]
    Proof(#[from] ProofError),
}

/// An entry that is in the log.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Added {
    /// Its index, for good.
    pub index: u64,
    /// The `.tlog-proof`, not verified; `None` when too few witnesses have answered yet.
    pub proof: Option<Vec<u8>>,
}

#[derive(Deserialize)]
struct AddedBody {
    index: u64,
    proof: Option<String>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Complaint {
    code: String,
    message: String,
}

/// A log's address, and keep-alive connections to it.
#[derive(Clone, Debug)]
pub struct LogClient {
    agent: ureq::Agent,
    base: String,
    authority: String,
}

impl LogClient {
    /// `url` is the log's prefix. `roots`: PEM certificates, needed for https. Does not connect.
    ///
    /// # Errors
    /// `Address`, `Roots`.
    pub fn new(url: &str, roots: Option<&[u8]>, timeout: Duration) -> Result<Self, ClientError> {
        let (base, authority) = prefix(url, roots.is_some())?;
        Ok(Self { agent: agent(roots, timeout)?, base, authority })
    }

    /// Adds an entry; returns once it is durable and signed, and published if enough witnesses answer in time.
    ///
    /// # Errors
    /// `ClientError`; after a `Transport` error the entry may have been added.
    pub fn add(&self, entry: &[u8], log: &[u8; 32], signer: &SigningKey) -> Result<Added, ClientError> {
        let mut tries = 1;
        loop {
            match self.add_once(entry, log, signer) {
                // Created before the restart floor: signed again a second later it will be accepted.
                Err(ClientError::Refused { status: 425 | 503, ref code, .. })
                    if tries < TRIES && code != "stopped" =>
                {
                    tries += 1;
                    std::thread::sleep(Duration::from_secs(1));
                }
                done => return done,
            }
        }
    }

    fn add_once(&self, entry: &[u8], log: &[u8; 32], signer: &SigningKey) -> Result<Added, ClientError> {
        let url = format!("{}/add-entry", self.base);
        let uri: http::Uri = url.parse().map_err(|_| ClientError::Protocol("at no address"))?;
        let now = SystemTime::now()
            .duration_since(UNIX_EPOCH)
            .map_err(|_| ClientError::System("time after 1970"))?;
        let mut nonce = [0; 16];
        getrandom::fill(&mut nonce).map_err(|_| ClientError::System("randomness"))?;
        let (host, digest) = (HostKey(*log), sha256(entry));
        let parts = RequestParts {
            method: "POST",
            authority: &self.authority,
            path: uri.path(),
            query: None,
            host: &host,
            content: Content::Digest(digest),
        };
        let created = now.as_secs();
        let signed = sign(
            &parts,
            &SignatureParameters { created, expires: created + SIGNATURE_SECONDS, nonce },
            signer,
        );
        let answer = self
            .agent
            .post(&url)
            .header("host", &self.authority)
            .header(HOST_HEADER, host.to_string())
            .header("signature-input", signed.signature_input)
            .header("signature", signed.signature)
            .header(CONTENT_DIGEST_HEADER, format_digest(&digest))
            .send(entry)
            .map_err(|e| ClientError::Transport(Box::new(e)))?;
        let bytes =
            accepted(answer, PROOF_BYTES_MAX * 2)?.ok_or(ClientError::Protocol("that it is no log"))?;
        let body: AddedBody =
            serde_json::from_slice(&bytes).map_err(|_| ClientError::Protocol("with unexpected JSON"))?;
        Ok(Added { index: body.index, proof: body.proof.map(String::into_bytes) })
    }

    fn get(&self, path: &str, max: usize) -> Result<Option<Vec<u8>>, ClientError> {
        let answer = self.agent.get(format!("{}/{path}", self.base)).call();
        accepted(answer.map_err(|e| ClientError::Transport(Box::new(e)))?, max)
    }

    /// The published checkpoint, checked against `policy`.
    ///
    /// # Errors
    /// `ClientError`.
    pub fn checkpoint(&self, policy: &LogPolicy) -> Result<SignedCheckpoint, ClientError> {
        let note =
            self.get("checkpoint", NOTE_BYTES_MAX)?.ok_or(ClientError::Protocol("without a checkpoint"))?;
        Ok(policy.open(&note)?.0)
    }

    /// Fetches entry `index` and what proves it, from tiles, and makes the proof. Everything is checked against `checkpoint` before
    /// it is handed out.
    ///
    /// # Errors
    /// `ClientError`.
    pub fn prove(
        &self,
        index: u64,
        checkpoint: &SignedCheckpoint,
    ) -> Result<(Vec<u8>, TlogProof), ClientError> {
        let c = checkpoint.checkpoint();
        let at = Tile::of_size(Level::Entries, index / 256, c.size).filter(|_| index < c.size);
        let tile = at.ok_or(ClientError::Protocol("with a log that is shorter"))?;
        let bundle = self.read(tile)?.ok_or(ClientError::Protocol("without an entry bundle"))?;
        let entries = decode_bundle(&bundle, tile.width())
            .map_err(|_| ClientError::Protocol("with a malformed bundle"))?;
        let place = usize::try_from(index % 256).unwrap_or(usize::MAX);
        let entry = entries.get(place).ok_or(ClientError::Protocol("with a malformed bundle"))?.to_vec();
        let path = Tree::new(self, c.size).inclusion(index, c.size).map_err(|error| match error {
            TreeError::Source { source, .. } => source,
            _ => ClientError::Protocol("with missing or malformed tiles"),
        })?;
        bailiwick_translog::verify_inclusion(&leaf_hash(&entry), index, c.size, &path, &c.root)
            .map_err(ProofError::from)?;
        let checkpoint = checkpoint.note().to_text().into_bytes();
        Ok((entry, TlogProof { extra: None, index, path, checkpoint }))
    }
}

impl TileSource for LogClient {
    type Error = ClientError;

    fn read(&self, tile: Tile) -> Result<Option<Vec<u8>>, ClientError> {
        let max = BUNDLE_BYTES_MAX;
        if let Some(bytes) = self.get(&tile.to_string(), max)? {
            return Ok(Some(bytes));
        }
        if tile.is_full() {
            return Ok(None);
        }
        // A log may drop a partial tile once the full one is there.
        let Some(full) = self.get(&tile.full().to_string(), max)? else { return Ok(None) };
        let width = usize::from(tile.width());
        Ok(match tile.level() {
            Level::Hashes(_) => full.get(..32 * width).map(<[u8]>::to_vec),
            Level::Entries => {
                decode_bundle(&full, 256).ok().and_then(|entries| encode_bundle(entries.get(..width)?).ok())
            }
        })
    }
}

/// The body of a successful answer; `None` for 404.
fn accepted(answer: http::Response<ureq::Body>, max: usize) -> Result<Option<Vec<u8>>, ClientError> {
    let status = answer.status();
    let mut bytes = Vec::new();
    let mut reader = answer.into_body().into_reader().take(max as u64 + 1);
    reader.read_to_end(&mut bytes).map_err(|_| ClientError::Protocol("with half a body"))?;
    if bytes.len() > max {
        return Err(ClientError::Protocol("with too long a body"));
    }
    if status.is_success() {
        return Ok(Some(bytes));
    }
    if status == http::StatusCode::NOT_FOUND {
        return Ok(None);
    }
    let complaint: Complaint = serde_json::from_slice(&bytes).unwrap_or_default();
    let printable = |text: String| text.chars().filter(|c| !c.is_control()).take(500).collect();
    Err(ClientError::Refused {
        status: status.as_u16(),
        code: printable(complaint.code),
        message: printable(complaint.message),
    })
}
