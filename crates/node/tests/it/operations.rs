//! What the operator sees: configuration, start and stop, scrub, logs, metrics, the API's description, TLS.

use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::path::Path;
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::Duration;

use bailiwick_client::{Client, ClientError, ClientOptions};
use bailiwick_node::config::{Config, EXAMPLE, LogLevel, Tls};
use bailiwick_node::{InitOptions, NodeError};
use bailiwick_store::{CellCheck, StoreError};

use super::reads::flip;
use super::support::{Node, OWNER, Object, SHARED, key, read_answer};

/// The example is a configuration, and says the defaults.
#[test]
fn config_example_is_valid_and_states_the_defaults() {
    let path = Path::new("/somewhere/node.toml");
    let config = Config::parse(EXAMPLE, path).unwrap();
    assert_eq!(config.data_dir, Path::new("/somewhere/data"));
    let minimal = "listen = \"127.0.0.1:8470\"\ndata_dir = \"data\"\nhost_key = \"host.key\"\ncircuit_keys_dir = \"circuit-keys\"\n";
    assert_eq!(Config::parse(minimal, path).unwrap(), config);
    let tls = EXAMPLE.replace("# [tls]", "[tls]").replace("# cert", "cert").replace("# key", "key");
    assert!(Config::parse(&tls, path).unwrap().tls.is_some());
    for bad in [
        format!("unknown = 1\n{minimal}"),
        format!("{minimal}[limits]\nunknown = 1\n"),
        format!("{minimal}owners = [\"AB\"]\n"),
        format!("{minimal}body_bytes_max = 0\n"),
        format!("{minimal}[limits]\nproof_queue = 0\n"),
        format!("{minimal}[limits]\nlinger_seconds = 0\n"),
        format!("{minimal}[limits]\nlinger_seconds = 301\n"),
        format!("{minimal}[limits]\ndrain_idle_seconds = 0\n"),
        format!("{minimal}[limits]\ndrain_idle_seconds = 301\n"),
        // Three epochs must pass while an inventory is live: 48 hours.
        format!("{minimal}[inventory]\nepoch_seconds = 57601\n"),
        // 48 of an hour each are live at once, one may be made early and one may be passing.
        format!("{minimal}[inventory]\nepoch_seconds = 3600\nlive_max = 49\n"),
        minimal.replace("data_dir = \"data\"\n", ""),
    ] {
        assert!(Config::parse(&bad, path).is_err(), "{bad}");
    }
    let enough = format!("{minimal}[inventory]\nepoch_seconds = 3600\nlive_max = 50\n");
    Config::parse(&enough, path).unwrap();
}

/// `init` never touches what exists.
#[test]
fn init_refuses_an_existing_folder() {
    let node = Node::new(|_| {});
    let options = InitOptions {
        listen: "127.0.0.1:0".parse().unwrap(),
        owners: vec![],
        auditors: vec![],
        circuit_keys_dir: Some("elsewhere \"quoted\"".into()),
    };
    assert!(matches!(
        bailiwick_node::init(&node.dir.path().join("node"), &options),
        Err(NodeError::Exists(_))
    ));
    let made = bailiwick_node::init(&node.dir.path().join("other"), &options).unwrap();
    let config = Config::load(&made.config).unwrap();
    assert!(
        config.circuit_keys_dir.is_absolute() && config.circuit_keys_dir.ends_with("elsewhere \"quoted\"")
    );
}

/// The committed description is the one the handlers give, and names every route.
#[test]
fn openapi_is_committed_and_complete() {
    let document = bailiwick_node::openapi_json();
    let committed = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/openapi.json");
    if std::env::var_os("UPDATE_OPENAPI").is_some() {
        std::fs::write(committed, &document).unwrap();
    }
    let text = std::fs::read_to_string(committed).unwrap();
    assert_eq!(text, document, "run: UPDATE_OPENAPI=1 cargo test --release -p bailiwick-node openapi");
    let json: serde_json::Value = serde_json::from_str(&text).unwrap();
    for route in bailiwick_node::ROUTES {
        assert!(json["paths"][route].is_object(), "{route}");
    }
    // What authentication can answer stands on every signed route, and on no unsigned one.
    for (path, item) in json["paths"].as_object().unwrap() {
        for (method, operation) in item.as_object().unwrap() {
            let signed = path.starts_with("/v1/") && path != "/v1/host";
            for status in ["401", "425", "429"] {
                let stands =
                    operation["responses"][status]["description"].as_str().is_some_and(|d| !d.is_empty());
                assert_eq!(stands, signed, "{method} {path} {status}");
            }
            assert!(!signed || operation["responses"]["503"].is_object(), "{method} {path}");
        }
    }
    let upload = &json["paths"]["/v1/objects/{owner}/{object}/{unit}"]["put"]["responses"]["422"];
    assert!(upload["description"].as_str().unwrap().contains("no-commitment"));
    assert_eq!(SHARED.by_hand("GET", "/openapi.json").send().text(), document);
}

/// D01 at the node, D16: what was acknowledged is there after a crash and after an orderly stop.
#[test]
fn d01_acknowledged_objects_survive() {
    let mut node = Node::started();
    let object = Object::new(1, 50_000);
    object.put(&node.client(OWNER)).unwrap();
    for crash in [true, false] {
        if crash {
            node.crash()
        } else {
            node.stop()
        }
        node.start();
        assert!(node.client(OWNER).get_range(&object.name, 0, 50_000).unwrap() == object.body);
    }
}

/// Scrub reads every byte of a stopped node, finds one flipped bit, and says so while the node runs.
#[test]
fn scrub_finds_a_flipped_bit_and_respects_the_lock() {
    let mut node = Node::started();
    Object::new(1, 50_000).put(&node.client(OWNER)).unwrap();
    let scrub = |node: &Node| bailiwick_node::scrub(&node.config, CellCheck::Recompute, |_| {}, || false);
    assert!(matches!(scrub(&node), Err(NodeError::Store(StoreError::Locked { .. }))));
    node.stop();
    assert!(scrub(&node).unwrap().is_clean());
    flip(&node, 50_000, 20_000);
    let report = scrub(&node).unwrap();
    assert_eq!(report.damage.len(), 1);
    node.config.data_dir = node.dir.path().join("missing");
    assert!(matches!(scrub(&node), Err(NodeError::Io { .. })), "a wrong path is not an empty, clean store");
}

/// An orderly stop finishes the upload in flight, and takes no new connection.
#[test]
fn shutdown_finishes_what_is_in_flight() {
    let mut node = Node::started();
    let object = Object::new(1, 50_000);
    let bytes = object.by_hand(&node).bytes();
    let (first, rest) = bytes.split_at(bytes.len() - 20_000);
    let mut stream = TcpStream::connect(node.address).unwrap();
    stream.write_all(first).unwrap();
    thread::sleep(Duration::from_millis(300));
    let address = node.address;
    let stopping = thread::spawn(move || {
        node.stop();
        node
    });
    thread::sleep(Duration::from_millis(300));
    assert!(TcpStream::connect(address).is_err(), "no longer listening");
    assert!(!stopping.is_finished(), "waits for the upload");
    stream.write_all(rest).unwrap();
    assert_eq!(read_answer(&mut stream).status, 201);
    let mut node = stopping.join().unwrap();
    node.start();
    assert!(node.client(OWNER).get_range(&object.name, 0, 50_000).unwrap() == object.body);
}

#[derive(Clone, Default)]
struct Captured(Arc<Mutex<Vec<u8>>>);

impl std::io::Write for Captured {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

/// A13, A14: the log is one JSON object a line and holds no bytes of bodies, no query, no path as sent, no control character.
#[test]
fn a13_a14_logs_hold_routes_and_numbers_only() {
    let captured = Captured::default();
    let to = captured.clone();
    // Every node of this test binary logs here from now on; this is the only test that listens.
    tracing::subscriber::set_global_default(bailiwick_node::logging::subscriber(
        LogLevel::Trace,
        move || to.clone(),
    ))
    .unwrap();
    let mut node = Node::started();
    let mut body = Object::new(1, 2000).body;
    body[100..130].copy_from_slice(b"SECRET-BODY-BYTES-SECRET-BODY!");
    let mut envelope = Object::new(1, 2000).envelope;
    let tree = bailiwick_possession::tree::commit([&body]).unwrap();
    envelope.body.blake3 = bailiwick_protocol::ids::ContentId(*blake3::hash(&body).as_bytes());
    envelope.commitment.as_mut().unwrap().root = tree.root();
    let object = Object::sealed(OWNER, envelope, body);
    let client = node.client(OWNER);
    object.put(&client).unwrap();
    client.get_range(&object.name, 0, 2000).unwrap();
    let mut odd = node.by_hand("GET", "/v1/objects");
    odd.query = Some("after=PLANTED-QUERY%0a%1b[31m".into());
    odd.send();
    odd.path = "/PLANTED-PATH".into();
    odd.send();
    // An index that is rebuilt adopts every object: their number is logged, not their names.
    let named = Object::new(0xa7, 2000);
    named.put(&client).unwrap();
    node.stop();
    let mut indexes = 0;
    for entry in std::fs::read_dir(node.config.objects_dir()).unwrap().map(Result::unwrap) {
        if entry.file_name().to_string_lossy().contains("index") {
            std::fs::remove_file(entry.path()).unwrap();
            indexes += 1;
        }
    }
    assert_eq!(indexes, 1);
    node.start();
    node.stop();
    let log = String::from_utf8(captured.0.lock().unwrap().clone()).unwrap();
    assert!(log.contains("\"route\":\"/v1/objects/{owner}/{object}/{unit}\""), "the log is there: {log}");
    let host_secret = std::fs::read_to_string(&node.config.host_key).unwrap();
    let (_, host_secret) = host_secret.split_once("secret = \"").unwrap();
    let host_secret = &host_secret[..64];
    assert!(hex::decode(host_secret).is_ok());
    assert!(log.contains("\"adopted\":2"), "{log}");
    let name = named.name.object.to_string();
    for planted in ["SECRET-BODY", "PLANTED-QUERY", "PLANTED-PATH", host_secret, &name] {
        assert!(!log.contains(planted), "{planted} in the log");
    }
    for line in log.lines() {
        let json: serde_json::Value = serde_json::from_str(line).expect(line);
        assert!(json["level"].is_string() && json["timestamp"].is_string(), "{line}");
        assert!(!line.chars().any(char::is_control), "{line}");
    }
}

/// Unsigned routes and figures.
#[test]
fn health_and_metrics() {
    let mut node = Node::started();
    Object::new(1, 5000).put(&node.client(OWNER)).unwrap();
    assert_eq!(node.by_hand("GET", "/healthz").send().text(), "ok\n");
    assert_eq!(node.by_hand("GET", "/readyz").send().status, 200);
    let text = node.by_hand("GET", "/metrics").send().text();
    for line in [
        "bailiwick_store_objects 1",
        "bailiwick_store_bodies_bytes 5000",
        "bailiwick_store_read_only 0",
        "bailiwick_http_requests_total{method=\"PUT\",route=\"/v1/objects/{owner}/{object}/{unit}\",status=\"201\"} 1",
    ] {
        assert!(text.lines().any(|l| l == line), "{line}\n{text}");
    }
    assert!(text.ends_with("# EOF\n"));
    let info = node.client(OWNER).host_info().unwrap();
    assert_eq!((info.host, info.circuits.len()), (node.host, 0));
    node.stop();
}

/// A09 in part: two lengths, a length beside chunks, HTTP/1.0, a huge head: refused, and the node goes on.
#[test]
fn a09_odd_framing() {
    let object = Object::new(0xa9, 200);
    for extra in ["content-length: 5\r\n", "transfer-encoding: chunked\r\n"] {
        let bytes = object.by_hand(&SHARED).bytes();
        let text = String::from_utf8_lossy(&bytes).into_owned();
        let at = text.find("content-type").unwrap();
        let bytes = [&bytes[..at], extra.as_bytes(), &bytes[at..]].concat();
        let status = super::support::send(SHARED.address, &bytes).status;
        assert!((400..500).contains(&status), "{extra}: {status}");
    }
    let mut huge = SHARED.by_hand("GET", "/healthz");
    huge.headers.push(("x-huge".into(), "a".repeat(1_000_000)));
    let mut stream = TcpStream::connect(SHARED.address).unwrap();
    stream.write_all(&huge.bytes()).ok();
    // The refusal may be lost to the reset that follows it; what matters is that it is not served.
    assert!(matches!(super::bodies::read_status(&mut stream), None | Some(431)));
    let mut many = SHARED.by_hand("GET", "/healthz");
    many.headers.extend((0..100).map(|i| (format!("x-{i}"), "1".to_owned())));
    assert_eq!(many.send().status, 431);
    assert_eq!(SHARED.by_hand("GET", "/healthz").send().status, 200);
    assert_eq!(SHARED.by_hand("GET", object.path() + "/envelope").send().status, 404);
}

/// TLS when configured: the client that trusts the authority is served; plain text and other authorities are not (A19 in part).
#[test]
fn a19_tls() {
    let fixtures = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures");
    let mut node = Node::new(|c| {
        c.tls = Some(Tls { cert: fixtures.join("cert.pem"), key: fixtures.join("key.pem") });
    });
    node.start();
    let at = |scheme: &str, host: &str, root: &str| {
        let options = ClientOptions {
            root_certificates: Some(std::fs::read(fixtures.join(root)).unwrap()),
            ..ClientOptions::default()
        };
        let base = format!("{scheme}://{host}:{}", node.address.port());
        Client::new(&base, node.host, key(OWNER), options).unwrap().list(None, 1)
    };
    assert!(at("https", "127.0.0.1", "ca.pem").unwrap().objects.is_empty());
    assert!(
        matches!(at("https", "127.0.0.1", "other-ca.pem"), Err(ClientError::Unreachable(_))),
        "wrong authority"
    );
    assert!(at("https", "127.0.0.2", "ca.pem").is_err(), "wrong name");
    assert!(at("http", "127.0.0.1", "ca.pem").is_err(), "plain text");
    assert!(matches!(
        Client::new("https://127.0.0.1", node.host, key(OWNER), ClientOptions::default()),
        Err(ClientError::NoRoots)
    ));
    let mut stream = TcpStream::connect(node.address).unwrap();
    stream.write_all(b"GET /healthz HTTP/1.1\r\nhost: x\r\n\r\n").unwrap();
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer).ok();
    assert!(!answer.starts_with(b"HTTP/1.1 200"));
}
