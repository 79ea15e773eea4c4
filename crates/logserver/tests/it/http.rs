//! The log's HTTP interface: who may add, and what is shown.

use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;
use std::time::{SystemTime, UNIX_EPOCH};

use axum::Router;
use axum::body::Body;
use axum::http::{Request, StatusCode};
use bailiwick_logserver::{LogConfig, LogInit, LogServer, init_log};
use bailiwick_protocol::http_signature::{
    CONTENT_DIGEST_HEADER, Content, HOST_HEADER, RequestParts, SignatureParameters, format_digest, sha256,
    sign,
};
use bailiwick_protocol::ids::HostKey;
use bailiwick_protocol::secret::Secret;
use bailiwick_protocol::signing::SigningKey;
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
