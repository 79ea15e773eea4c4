//! The log's HTTP interface: who may add, and what is shown.

use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;
use std::time::{SystemTime, UNIX_EPOCH};

use axum::Router;
use axum::body::Body;
use axum::http::{Request, StatusCode};
use bailiwick_logserver::{LogConfig, LogInit, LogServer, ServerError, init_log, load_key, open_log};
use bailiwick_protocol::http_signature::{
    CONTENT_DIGEST_HEADER, Content, HOST_HEADER, RequestParts, SignatureParameters, format_digest, sha256,
    sign,
};
use bailiwick_protocol::ids::HostKey;
use bailiwick_protocol::secret::Secret;
use bailiwick_protocol::signing::SigningKey;
use bailiwick_store::files::StdFiles;
use bailiwick_translog::{LogPolicy, VerifierKey, verify_proof};
use tower::ServiceExt as _;

fn key(seed: u8) -> SigningKey {
    SigningKey::from_seed(&Secret::init_with(|s| s.fill(seed)))
}

fn make(dir: &Path) -> (Router, VerifierKey) {
    let options = LogInit {
        origin: "log.example/http".to_owned(),
        listen: SocketAddr::from(([127, 0, 0, 1], 0)),
        submitters: vec![key(1).public()],
        witnesses: Vec::new(),
        quorum: 0,
        beacon: Vec::new(),
    };
    let made = init_log(&dir.join("log"), &options).unwrap();
    let server = LogServer::open(&LogConfig::load(&made.config).unwrap()).unwrap();
    (Arc::new(server).router(), made.key)
}

fn now() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs()
}

struct Add<'a> {
    entry: &'a [u8],
    body: &'a [u8],
    log: [u8; 32],
    signer: SigningKey,
    created: u64,
    nonce: u8,
}

impl Add<'_> {
    fn request(&self) -> Request<Body> {
        let host = HostKey(self.log);
        let digest = sha256(self.entry);
        let parts = RequestParts {
            method: "POST",
            authority: "log.example",
            path: "/add-entry",
            query: None,
            host: &host,
            content: Content::Digest(digest),
        };
        let p = SignatureParameters {
            created: self.created,
            expires: self.created + 30,
            nonce: [self.nonce; 16],
        };
        let signed = sign(&parts, &p, &self.signer);
        Request::post("/add-entry")
            .header("host", "log.example")
            .header(HOST_HEADER, host.to_string())
            .header("signature-input", signed.signature_input)
            .header("signature", signed.signature)
            .header(CONTENT_DIGEST_HEADER, format_digest(&digest))
            .body(Body::from(self.body.to_vec()))
            .unwrap()
    }
}

async fn call(router: &Router, request: Request<Body>) -> (StatusCode, Vec<u8>) {
    let response = router.clone().oneshot(request).await.unwrap();
    let status = response.status();
    (status, axum::body::to_bytes(response.into_body(), 1 << 20).await.unwrap().to_vec())
}

async fn get(router: &Router, path: &str) -> (StatusCode, Vec<u8>) {
    call(router, Request::get(path).body(Body::empty()).unwrap()).await
}

/// A01, A02, A03: only a fresh signature of a known key over this very entry for this very log adds it, once.
#[tokio::test]
async fn a02_who_may_add_an_entry() {
    let dir = tempfile::tempdir().unwrap();
    let (router, log) = make(dir.path());
    // The second the log started in is below its restart floor.
    tokio::time::sleep(std::time::Duration::from_millis(1100)).await;
    let honest =
        |nonce| Add { entry: b"e", body: b"e", log: *log.public(), signer: key(1), created: now(), nonce };
    for (what, add, status) in [
        ("a stranger", Add { signer: key(2), ..honest(1) }, StatusCode::UNAUTHORIZED),
        ("another log", Add { log: [7; 32], ..honest(2) }, StatusCode::UNAUTHORIZED),
        ("too old", Add { created: now() - 61, ..honest(3) }, StatusCode::UNAUTHORIZED),
        ("from the future", Add { created: now() + 20, ..honest(4) }, StatusCode::UNAUTHORIZED),
        ("before the start", Add { created: now() - 20, ..honest(5) }, StatusCode::TOO_EARLY),
        ("another body", Add { body: b"f", ..honest(6) }, StatusCode::BAD_REQUEST),
    ] {
        assert_eq!(call(&router, add.request()).await.0, status, "{what}");
    }
    let long = vec![0; 65_536];
    let add = Add { entry: &long, body: &long, ..honest(7) };
    assert_eq!(call(&router, add.request()).await.0, StatusCode::PAYLOAD_TOO_LARGE);
    let unsigned = Request::post("/add-entry").header("host", "log.example").body(Body::from("e")).unwrap();
    assert_eq!(call(&router, unsigned).await.0, StatusCode::UNAUTHORIZED);
    let replayed = honest(8);
    let (status, body) = call(&router, replayed.request()).await;
    assert_eq!(status, StatusCode::OK, "{}", String::from_utf8_lossy(&body));
    assert_eq!(call(&router, replayed.request()).await.0, StatusCode::UNAUTHORIZED, "a replay");
    // Nothing but the honest entry is in the log, and its proof holds.
    let answer: serde_json::Value = serde_json::from_slice(&body).unwrap();
    assert_eq!(answer["index"], 0);
    let policy = LogPolicy::new(log, Vec::new(), 0).unwrap();
    let verified = verify_proof(answer["proof"].as_str().unwrap().as_bytes(), b"e", &policy).unwrap();
    assert_eq!(verified.size, 1);
}

/// A log's configuration, without a server.
fn configured(dir: &Path) -> LogConfig {
    let _ = make(dir);
    LogConfig::load(&dir.join("log/log.toml")).unwrap()
}

/// Opens the log, adds the batches, each published, and closes it.
fn append(config: &LogConfig, batches: &[&[&[u8]]]) {
    let signer = load_key(&config.log_key).unwrap();
    let (mut log, _) = open_log(config, signer, Arc::new(StdFiles), |_| {}).unwrap();
    for batch in batches {
        let note = log.append(batch).unwrap().checkpoint.note().to_text();
        log.storage().publish(note.as_bytes()).unwrap();
    }
}

/// T02: with an older committed checkpoint put back the log does not start: it would sign a second history.
#[tokio::test]
async fn t02_a_log_does_not_start_behind_what_it_published() {
    let dir = tempfile::tempdir().unwrap();
    let config = configured(dir.path());
    append(&config, &[&[b"a"], &[b"b"]]);
    let signed = config.data_dir.join("signed");
    let older = std::fs::read(&signed).unwrap();
    append(&config, &[&[b"c"]]);
    let newest = std::fs::read(&signed).unwrap();
    std::fs::write(&signed, older).unwrap();
    let error = LogServer::open(&config).map(drop).unwrap_err();
    assert!(matches!(error, ServerError::Published { .. }), "{error}");
    assert!(error.to_string().contains("of 3 entries is not a beginning of the 2 committed"), "{error}");
    // One of the same size, of another history.
    let published = config.data_dir.join("checkpoint");
    std::fs::write(&signed, &newest).unwrap();
    let fork = tempfile::tempdir().unwrap();
    let mut other = configured(fork.path());
    other.log_key.clone_from(&config.log_key);
    let signer = load_key(&config.log_key).unwrap();
    std::fs::remove_dir_all(&other.data_dir).unwrap();
    bailiwick_logserver::LogDir::create(&StdFiles, &other.data_dir).unwrap();
    let storage = bailiwick_logserver::LogDir::open(Arc::new(StdFiles), &other.data_dir).unwrap();
    drop(bailiwick_translog::Log::create(storage, signer).unwrap());
    append(&other, &[&[b"x", b"y", b"z"]]);
    std::fs::copy(other.data_dir.join("checkpoint"), &published).unwrap();
    let error = LogServer::open(&config).map(drop).unwrap_err();
    assert!(error.to_string().contains("of 3 entries is not a beginning of the 3 committed"), "{error}");
    std::fs::write(&published, b"junk").unwrap();
    LogServer::open(&config).map(drop).unwrap_err();
    // The honest twins: all of it put back; and one that was not published yet.
    std::fs::write(&published, &newest).unwrap();
    drop(LogServer::open(&config).unwrap());
    std::fs::remove_file(&published).unwrap();
    drop(LogServer::open(&config).unwrap());
}

/// T08: what a batch that died before its commit has left is gone after the next start, and is never shown, however large the log grows.
#[tokio::test]
async fn t08_remains_of_a_crash_are_never_shown() {
    let dir = tempfile::tempdir().unwrap();
    let config = configured(dir.path());
    append(&config, &[&[b"a", b"b", b"c"]]);
    // What a batch up to 5 entries, and one up to 600, leave behind.
    let tiles = config.data_dir.join("tile");
    for name in ["entries/000.p/5", "0/000.p/5", "entries/000", "entries/002.p/88", "0/002.p/88", "1/000.p/2"]
    {
        let path = tiles.join(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, b"never signed").unwrap();
    }
    append(&config, &[&[b"d", b"e", b"f", b"g"]]);
    assert!(!tiles.join("entries/000.p/5").exists() && !tiles.join("entries/002.p/88").exists());
    let router = Arc::new(LogServer::open(&config).unwrap()).router();
    for path in ["/tile/entries/000.p/5", "/tile/0/000.p/5"] {
        assert_eq!(get(&router, path).await.0, StatusCode::NOT_FOUND, "{path}");
    }
    // The honest twins: both sizes that were signed.
    assert_eq!(get(&router, "/tile/entries/000.p/3").await.1, b"\0\x01a\0\x01b\0\x01c");
    assert_eq!(get(&router, "/tile/entries/000.p/7").await.1.len(), 21);
}

/// A beacon upstream that is gone stops nothing: the log takes entries, and says it has no round.
#[tokio::test]
async fn p10_a_failing_upstream_does_not_stop_the_log() {
    let dir = tempfile::tempdir().unwrap();
    let mut config = configured(dir.path());
    config.beacon = Some(bailiwick_logserver::BeaconConfig {
        urls: vec!["http://127.0.0.1:9/{round}".to_owned()],
        keep_rounds: 10,
        back_rounds: 0,
        chain: None,
    });
    let server = Arc::new(LogServer::open(&config).unwrap());
    let router = server.router();
    tokio::time::sleep(std::time::Duration::from_millis(1100)).await;
    let log = *server.key().public();
    let add = Add { entry: b"e", body: b"e", log, signer: key(1), created: now(), nonce: 1 };
    assert_eq!(call(&router, add.request()).await.0, StatusCode::OK);
    assert_eq!(get(&router, "/healthz").await.0, StatusCode::OK);
    assert_eq!(get(&router, "/beacon/quicknet/latest").await.0, StatusCode::SERVICE_UNAVAILABLE);
    assert_eq!(get(&router, "/beacon/quicknet/1000").await.0, StatusCode::NOT_FOUND);
}

/// A slow reader of a large bundle keeps its permit: of the next ones, no more than a few are in memory at once.
#[tokio::test]
async fn large_bundles_are_sent_a_few_at_a_time() {
    let dir = tempfile::tempdir().unwrap();
    let config = configured(dir.path());
    let large = vec![7; 65_535];
    append(&config, &[&[large.as_slice(); 17]]);
    let router = Arc::new(LogServer::open(&config).unwrap()).router();
    let ask = |path: &str| router.clone().oneshot(Request::get(path).body(Body::empty()).unwrap());
    let bundle = "/tile/entries/000.p/17";
    let mut held = Vec::new();
    for _ in 0..16 {
        held.push(ask(bundle).await.unwrap());
    }
    let mut next = std::pin::pin!(ask(bundle));
    let soon = std::time::Duration::from_millis(300);
    assert!(tokio::time::timeout(soon, &mut next).await.is_err(), "it waits for its turn");
    // Everything else is served meanwhile.
    assert_eq!(get(&router, "/tile/0/000.p/17").await.1.len(), 17 * 32);
    drop(held.pop());
    let response = next.await.unwrap();
    assert_eq!(response.status(), StatusCode::OK);
    let body = axum::body::to_bytes(response.into_body(), 2 << 20).await.unwrap();
    assert_eq!(body.len(), 17 * 65_537);
}

/// Tiles are shown as far as they are published, by their one spelling, and never anything else of the directory.
#[tokio::test]
async fn only_published_tiles_are_shown() {
    let dir = tempfile::tempdir().unwrap();
    let (router, log) = make(dir.path());
    tokio::time::sleep(std::time::Duration::from_millis(1100)).await;
    for nonce in 1..=3u8 {
        let entry = [nonce];
        let add =
            Add { entry: &entry, body: &entry, log: *log.public(), signer: key(1), created: now(), nonce };
        assert_eq!(call(&router, add.request()).await.0, StatusCode::OK);
    }
    assert_eq!(get(&router, "/tile/entries/000.p/3").await.1, [0, 1, 1, 0, 1, 2, 0, 1, 3]);
    assert_eq!(get(&router, "/tile/0/000.p/3").await.1.len(), 96);
    assert!(
        String::from_utf8(get(&router, "/checkpoint").await.1).unwrap().starts_with("log.example/http\n3\n")
    );
    // What a crash may have left beyond the published size.
    std::fs::write(dir.path().join("log/data/tile/entries/000.p/4"), b"secret").unwrap();
    for path in [
        "/tile/entries/000.p/4",
        "/tile/entries/000",
        "/tile/0/000",
        "/tile/1/000.p/1",
        "/tile/0/x000/000.p/3",
        "/tile/../signed",
        "/tile/%2e%2e/signed",
        "/tile/0/../../log.key",
        "/tile/entries/000.p/03",
        "/signed",
        "/tile/",
    ] {
        assert_eq!(get(&router, path).await.0, StatusCode::NOT_FOUND, "{path}");
    }
}

async fn add(router: &Router, log: &VerifierKey, entry: &[u8], nonce: u8) -> u64 {
    let add = Add { entry, body: entry, log: *log.public(), signer: key(1), created: now(), nonce };
    let (status, body) = call(router, add.request()).await;
    assert_eq!(status, StatusCode::OK, "{}", String::from_utf8_lossy(&body));
    let answer: serde_json::Value = serde_json::from_slice(&body).unwrap();
    assert!(answer["proof"].is_string());
    answer["index"].as_u64().unwrap()
}

/// Spec log A5: an entry that is sent again, because the answer was lost, keeps its index and is in the log once, also after a restart. The figures
/// tell what was added.
#[tokio::test]
async fn log_a5_an_entry_sent_again_is_not_added_again() {
    let dir = tempfile::tempdir().unwrap();
    let (router, log) = make(dir.path());
    tokio::time::sleep(std::time::Duration::from_millis(1100)).await;
    for (nonce, (entry, index)) in (1..).zip([(b"e", 0), (b"f", 1), (b"e", 0), (b"f", 1), (b"g", 2)]) {
        assert_eq!(add(&router, &log, entry, nonce).await, index);
    }
    let figures = String::from_utf8(get(&router, "/metrics").await.1).unwrap();
    for line in [
        "bailiwick_log_entries_appended_total 3",
        "bailiwick_log_entries_repeated_total 2",
        "bailiwick_log_batch_seconds_count 3",
        "bailiwick_log_batch_entries_count 3",
        "bailiwick_log_answer_seconds_count 5",
        "bailiwick_log_size 3",
        "bailiwick_log_published_size 3",
        "bailiwick_log_stopped 0",
    ] {
        assert!(figures.lines().any(|l| l == line), "{line}\n{figures}");
    }
    drop(router);
    let config = LogConfig::load(&dir.path().join("log/log.toml")).unwrap();
    let router = Arc::new(LogServer::open(&config).unwrap()).router();
    tokio::time::sleep(std::time::Duration::from_millis(1100)).await;
    assert_eq!(add(&router, &log, b"f", 9).await, 1);
    assert_eq!(add(&router, &log, b"h", 10).await, 3, "honest twin");
    assert!(String::from_utf8(get(&router, "/checkpoint").await.1).unwrap().contains("\n4\n"));
}

/// Spec log A1: who comes too early is told when to come back.
#[tokio::test]
async fn log_a1_a_refusal_that_passes_says_when() {
    let dir = tempfile::tempdir().unwrap();
    let (router, log) = make(dir.path());
    let early =
        Add { entry: b"e", body: b"e", log: *log.public(), signer: key(1), created: now() - 1, nonce: 1 };
    let response = router.clone().oneshot(early.request()).await.unwrap();
    assert_eq!(response.status(), StatusCode::TOO_EARLY);
    let seconds: u64 = response.headers()["retry-after"].to_str().unwrap().parse().unwrap();
    assert!((1..=60).contains(&seconds), "{seconds}");
}
