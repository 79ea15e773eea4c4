//! A client of a log: adds entries, and reads any log that serves tiles.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use bailiwick_beacon::BeaconError;
use bailiwick_client::retry::until_final;
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

use crate::http::{Answer, Endpoint};

/// Seconds a request's signature is valid.
const SIGNATURE_SECONDS: u64 = 30;
/// How long an entry is sent again, while the log has just restarted, is full, or its answer was lost.
const AGAIN_FOR: Duration = Duration::from_secs(6);

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
    #[error("cannot reach the server: {0}")]
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
        /// Seconds after which to try again, if the log said so.
        retry_after: Option<u64>,
    },
    /// The answer broke off.
    #[error("the server's answer broke off")]
    HalfAnswer,
    /// What came is not what was asked for.
    #[error("the server answers {0}")]
    Protocol(&'static str),
    /// The parameters of a beacon chain.
    #[error(transparent)]
    Beacon(Box<BeaconError>),
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
pub struct LogClient(Endpoint);

impl LogClient {
    /// `url` is the log's prefix. `roots`: PEM certificates, needed for https. Does not connect.
    ///
    /// # Errors
    /// `Address`, `Roots`.
    pub fn new(url: &str, roots: Option<&[u8]>, timeout: Duration) -> Result<Self, ClientError> {
        Ok(Self(Endpoint::new(url, roots, timeout)?))
    }

    /// Adds an entry; returns once it is durable and signed, and published if enough witnesses answer in time. It is sent again when the
    /// log says that it has just restarted or is full, and when its answer was lost: a log that has the entry does not add it again
    /// (spec log, A5).
    ///
    /// # Errors
    /// `ClientError`; after a `Transport` error, and after `Refused` with code `stopped`, the entry may have been added.
    pub fn add(&self, entry: &[u8], log: &[u8; 32], signer: &SigningKey) -> Result<Added, ClientError> {
        let again_after = |error: &ClientError| match error {
            ClientError::Refused { status: 425 | 503, code, retry_after, .. } if code != "stopped" => {
                Some(retry_after.unwrap_or(1))
            }
            ClientError::Transport(_) | ClientError::HalfAnswer => Some(1),
            _ => None,
        };
        until_final(AGAIN_FOR, || self.add_once(entry, log, signer), again_after)
    }

    fn add_once(&self, entry: &[u8], log: &[u8; 32], signer: &SigningKey) -> Result<Added, ClientError> {
        let url = format!("{}/add-entry", self.0.base());
        let uri: http::Uri = url.parse().map_err(|_| ClientError::Protocol("at no address"))?;
        let now = SystemTime::now()
            .duration_since(UNIX_EPOCH)
            .map_err(|_| ClientError::System("time after 1970"))?;
        let mut nonce = [0; 16];
        getrandom::fill(&mut nonce).map_err(|_| ClientError::System("randomness"))?;
        let (host, digest) = (HostKey(*log), sha256(entry));
        let parts = RequestParts {
            method: "POST",
            authority: self.0.authority(),
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
        let headers = [
            ("host", self.0.authority().to_owned()),
            (HOST_HEADER, host.to_string()),
            ("signature-input", signed.signature_input),
            ("signature", signed.signature),
            (CONTENT_DIGEST_HEADER, format_digest(&digest)),
        ];
        let answer = self.0.post("/add-entry", &headers, entry, PROOF_BYTES_MAX * 2)?;
        let bytes = accepted(answer)?.ok_or(ClientError::Protocol("that it is no log"))?;
        let body: AddedBody =
            serde_json::from_slice(&bytes).map_err(|_| ClientError::Protocol("with unexpected JSON"))?;
        Ok(Added { index: body.index, proof: body.proof.map(String::into_bytes) })
    }

    fn get(&self, path: &str, max: usize) -> Result<Option<Vec<u8>>, ClientError> {
        accepted(self.0.get(&format!("/{path}"), max)?)
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
fn accepted(answer: Answer) -> Result<Option<Vec<u8>>, ClientError> {
    match answer.status {
        200..=299 => return Ok(Some(answer.body)),
        404 => return Ok(None),
        _ => {}
    }
    let retry_after = answer.headers.get(http::header::RETRY_AFTER);
    let retry_after = retry_after.and_then(|seconds| seconds.to_str().ok()?.parse().ok());
    let complaint: Complaint = serde_json::from_slice(&answer.body).unwrap_or_default();
    let printable = |text: String| text.chars().filter(|c| !c.is_control()).take(500).collect();
    Err(ClientError::Refused {
        status: answer.status,
        code: printable(complaint.code),
        message: printable(complaint.message),
        retry_after,
    })
}
