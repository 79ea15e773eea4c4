//! The log over HTTP: tiles as C2SP tlog-tiles says, and `add-entry` for known submitters.

use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use axum::body::Body;
use axum::extract::{Request, State};
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use axum::{Json, Router};
use bailiwick_beacon::QUICKNET;
use bailiwick_protocol::http_signature::sha256;
use bailiwick_store::files::{FileSystem, StdFiles};
use bailiwick_translog::{
    Checkpoint, ENTRY_BYTES_MAX, Level, Log, Note, NoteSigner, SignedCheckpoint, Tile, TileSource as _,
    TlogProof, Tree, VerifierKey,
};
use serde_json::json;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use crate::auth::{Refused, Submitters};
use crate::config::{BeaconConfig, LogConfig};
use crate::dir::LogDir;
use crate::error::ServerError;
use crate::keyfile;
use crate::relay::{BeaconRelay, RelayOptions};
use crate::sending::Held;
use crate::sequencer::{Outcome, Sequencer, SequencerOptions};
use crate::witness_client::Cosigner;

/// A tile never changes once it is shown.
pub(crate) const IMMUTABLE: HeaderValue = HeaderValue::from_static("public, max-age=31536000, immutable");
pub(crate) const FLEETING: HeaderValue = HeaderValue::from_static("no-cache");
const TEXT: HeaderValue = HeaderValue::from_static("text/plain; charset=utf-8");
const BYTES: HeaderValue = HeaderValue::from_static("application/octet-stream");
/// Bytes of a file with certificates, at most.
const ROOTS_BYTES_MAX: u64 = 1 << 20;

/// Bundles read or, when large, being sent at one time: up to 16.8 MB each.
const BUNDLES_MAX: usize = 16;
/// How long a reader of a bundle waits for its turn.
const BUNDLE_PATIENCE: Duration = Duration::from_secs(10);
/// A bundle of at most so many bytes does not keep others waiting while it is sent.
const SMALL_BYTES: usize = 1 << 20;

/// A log that can be asked.
pub struct LogServer {
    dir: Arc<LogDir>,
    submitters: Submitters,
    sequencer: Sequencer,
    key: VerifierKey,
    /// A permit a bundle that is read, and a large one that is being sent.
    bundles: Arc<Semaphore>,
    relay: Option<Arc<BeaconRelay>>,
}

/// Opens the log of a configuration as its one writer: every entry read and hashed, what readers were shown a beginning of it, and
/// what a crash has left beyond it removed. Gives the published checkpoint too.
///
/// # Errors
/// `ServerError`.
pub fn open_log(
    config: &LogConfig,
    signer: NoteSigner,
    files: Arc<dyn FileSystem>,
    progress: impl FnMut(u64),
) -> Result<(Log<LogDir>, Option<SignedCheckpoint>), ServerError> {
    let failed = |e| at(&config.data_dir, e);
    let key = signer.verifier().clone();
    let log = Log::open(LogDir::open(files, &config.data_dir).map_err(failed)?, signer, progress)?;
    let dir = log.storage();
    let note = dir.published().map_err(failed)?;
    let published = note.map(|note| dir.check_published(&note, log.head(), &key)).transpose();
    let published = published
        .map_err(|source| ServerError::Published { path: config.data_dir.join("checkpoint"), source })?;
    dir.remove_remains(log.head().checkpoint().size).map_err(failed)?;
    Ok((log, published))
}

fn at(path: &Path, source: std::io::Error) -> ServerError {
    ServerError::Io { path: path.to_owned(), source }
}

fn relay(config: &BeaconConfig, roots: Option<Vec<u8>>) -> Result<Arc<BeaconRelay>, ServerError> {
    let options = RelayOptions {
        // Checked with the configuration.
        chain: config.chain_info().unwrap_or(QUICKNET),
        upstreams: config.urls.clone(),
        roots,
        keep: config.keep_rounds,
        back: config.back_rounds,
    };
    Ok(Arc::new(BeaconRelay::start(&options, Arc::new(now_ms))?))
}

/// Milliseconds since 1970-01-01 UTC.
fn now_ms() -> u64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    u64::try_from(since.as_millis()).unwrap_or(u64::MAX)
}

/// Seconds since 1970-01-01 UTC.
pub(crate) fn now() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |d| d.as_secs())
}

impl LogServer {
    /// Opens the log, checks all of it, and starts its writer.
    ///
    /// # Errors
    /// `ServerError`.
    pub fn open(config: &LogConfig) -> Result<Self, ServerError> {
        let signer = keyfile::load(&config.log_key)?;
        let key = signer.verifier().clone();
        let roots = match &config.roots {
            None => None,
            Some(path) if std::fs::metadata(path).is_ok_and(|m| m.len() > ROOTS_BYTES_MAX) => {
                return Err(at(path, std::io::ErrorKind::FileTooLarge.into()));
            }
            Some(path) => Some(std::fs::read(path).map_err(|e| at(path, e))?),
        };
        let timeout = Duration::from_secs(config.witness_seconds);
        let keys = config.witness_keys().unwrap_or_default();
        let mut cosigners = keys
            .into_iter()
            .zip(&config.witness)
            .map(|(key, witness)| Cosigner::new(key, &witness.url, roots.as_deref(), timeout))
            .collect::<Result<Vec<_>, _>>()?;
        let (log, published) = open_log(config, signer, Arc::new(StdFiles), |_| {})?;
        if let Some(published) = &published {
            cosigners.iter_mut().for_each(|cosigner| cosigner.saw(published));
        }
        let dir =
            LogDir::read_only(Arc::new(StdFiles), &config.data_dir).map_err(|e| at(&config.data_dir, e))?;
        let dir = Arc::new(dir);
        let options = SequencerOptions {
            cosigners,
            quorum: config.quorum.unwrap_or(0),
            patience: timeout,
            refresh: Duration::from_secs(config.refresh_seconds),
        };
        let relay = config.beacon.as_ref().map(|beacon| relay(beacon, roots)).transpose()?;
        let sequencer = Sequencer::start(log, &dir, options);
        let submitters = Submitters::new(*key.public(), config.submitter_keys().unwrap_or_default(), now());
        let bundles = Arc::new(Semaphore::new(BUNDLES_MAX));
        Ok(Self { dir, submitters, sequencer, key, bundles, relay })
    }

    /// The log's key.
    #[must_use]
    pub fn key(&self) -> &VerifierKey {
        &self.key
    }

    /// The routes.
    pub fn router(self: &Arc<Self>) -> Router {
        let router = Router::new()
            .route("/checkpoint", get(checkpoint))
            .route("/tile/{*path}", get(tile))
            .route("/add-entry", post(add_entry))
            .route("/healthz", get(healthz))
            .route("/metrics", get(metrics))
            .with_state(Arc::clone(self));
        match &self.relay {
            Some(relay) => router.merge(relay.router()),
            None => router,
        }
    }

    /// The published checkpoint and its size.
    fn published(&self) -> Option<(Vec<u8>, u64)> {
        let note = self.dir.published().ok().flatten()?;
        let size = Checkpoint::parse_unverified(Note::parse(&note).ok()?.text()).ok()?.size;
        Some((note, size))
    }

    /// The proof of an entry in the published checkpoint.
    fn proof(&self, index: u64) -> Option<Vec<u8>> {
        let (checkpoint, size) = self.published()?;
        let path = Tree::new(&*self.dir, size).inclusion(index, size).ok()?;
        Some(TlogProof { extra: None, index, path, checkpoint }.to_bytes())
    }
}

pub(crate) fn refusal(status: StatusCode, code: &'static str, message: &str) -> Response {
    let mut response = (status, Json(json!({ "code": code, "message": message }))).into_response();
    response.headers_mut().insert(header::CACHE_CONTROL, FLEETING);
    response
}

/// Runs what reads files on a thread made for that.
async fn blocking<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> Option<T> {
    tokio::task::spawn_blocking(work).await.ok()
}

fn bytes(body: impl Into<Body>, kind: HeaderValue, cache: HeaderValue) -> Response {
    let body: Body = body.into();
    ([(header::CONTENT_TYPE, kind), (header::CACHE_CONTROL, cache)], body).into_response()
}

async fn checkpoint(State(server): State<Arc<LogServer>>) -> Response {
    match blocking(move || server.published()).await.flatten() {
        Some((note, _)) => bytes(note, TEXT, FLEETING),
        None => refusal(StatusCode::NOT_FOUND, "not-found", "no checkpoint has been published yet"),
    }
}

async fn tile(State(server): State<Arc<LogServer>>, request: Request) -> Response {
    let missing = || refusal(StatusCode::NOT_FOUND, "not-found", "no such tile");
    let Ok(tile) = Tile::parse(request.uri().path().trim_start_matches('/')) else { return missing() };
    let permit = match tile.level() {
        Level::Hashes(_) => None,
        Level::Entries => match turn(&server.bundles).await {
            Some(permit) => Some(permit),
            None => return busy("too many bundles are being sent; come back", 1),
        },
    };
    let read = blocking(move || {
        // What is beyond the published size may still change: nobody must cache it.
        let (_, size) = server.published()?;
        if tile.is_within(size) { server.dir.read(tile).ok().flatten() } else { None }
    });
    match (read.await.flatten(), permit) {
        // Slow readers of large answers must not fill the memory: the next one has to wait until this one is sent.
        (Some(body), Some(permit)) if body.len() > SMALL_BYTES => {
            bytes(Body::new(Held::new(body, permit)), BYTES, IMMUTABLE)
        }
        (Some(body), _) => bytes(body, BYTES, IMMUTABLE),
        (None, _) => missing(),
    }
}

async fn turn(bundles: &Arc<Semaphore>) -> Option<OwnedSemaphorePermit> {
    tokio::time::timeout(BUNDLE_PATIENCE, Arc::clone(bundles).acquire_owned()).await.ok()?.ok()
}

/// A refusal that passes: after so many seconds it is worth trying again.
fn passing(status: StatusCode, code: &'static str, message: &str, seconds: u64) -> Response {
    let mut response = refusal(status, code, message);
    response.headers_mut().insert(header::RETRY_AFTER, seconds.into());
    response
}

fn busy(message: &str, seconds: u64) -> Response {
    passing(StatusCode::SERVICE_UNAVAILABLE, "busy", message, seconds)
}

async fn metrics(State(server): State<Arc<LogServer>>) -> Response {
    let kind = HeaderValue::from_static("application/openmetrics-text; version=1.0.0; charset=utf-8");
    bytes(server.sequencer.metrics(), kind, FLEETING)
}

async fn healthz(State(server): State<Arc<LogServer>>) -> Response {
    match server.sequencer.stopped() {
        None => "ok\n".into_response(),
        Some(why) => refusal(StatusCode::SERVICE_UNAVAILABLE, "stopped", &why),
    }
}

async fn add_entry(State(server): State<Arc<LogServer>>, request: Request) -> Response {
    let (parts, body) = request.into_parts();
    let digest = match server.submitters.admit(&parts, now()) {
        Ok(digest) => digest,
        Err(Refused::Unauthenticated) => {
            let message = "adding needs a fresh signature of a key this log knows";
            return refusal(StatusCode::UNAUTHORIZED, "unauthenticated", message);
        }
        Err(Refused::TooEarly(seconds)) => {
            let message = "created before this log's start: sign again";
            return passing(StatusCode::TOO_EARLY, "restart-floor", message, seconds);
        }
        Err(Refused::Full) => {
            return busy("too many requests within a minute", 5);
        }
    };
    let Some(entry) = whole(body).await else {
        return refusal(StatusCode::PAYLOAD_TOO_LARGE, "too-large", "an entry has at most 65535 bytes");
    };
    if sha256(&entry) != digest {
        return refusal(StatusCode::BAD_REQUEST, "digest", "the body does not have its Content-Digest");
    }
    let (tell, told) = tokio::sync::oneshot::channel();
    server.sequencer.submit(entry, move |outcome| drop(tell.send(outcome)));
    match told.await {
        Ok(Outcome::Published { index }) => {
            let proof = blocking(move || server.proof(index)).await.flatten();
            let text = proof.and_then(|p| String::from_utf8(p).ok());
            Json(json!({ "index": index, "proof": text })).into_response()
        }
        Ok(Outcome::Integrated { index }) => {
            (StatusCode::ACCEPTED, Json(json!({ "index": index, "proof": null }))).into_response()
        }
        Ok(Outcome::Busy) => busy("too many entries wait; come back", 1),
        Ok(Outcome::Stopped(why)) => stopped(&why),
        Err(_) => stopped("the log's writer has ended"),
    }
}

/// What failed may have been the last step, after which the entry is there.
fn stopped(why: &str) -> Response {
    let message = format!("{why}; the entry may have been added: compare before adding it again");
    refusal(StatusCode::SERVICE_UNAVAILABLE, "stopped", &message)
}

async fn whole(body: Body) -> Option<Vec<u8>> {
    axum::body::to_bytes(body, ENTRY_BYTES_MAX).await.ok().map(Into::into)
}
