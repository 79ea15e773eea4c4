//! Ranges, and hosts that serve something else.

use std::io::{Read as _, Write as _};
use std::net::TcpListener;
use std::os::unix::fs::FileExt as _;
use std::thread;

use bailiwick_client::{Client, ClientError, ClientOptions};

use super::support::{Node, OWNER, Object, SHARED, key};

/// A17: single ranges answer 206 with exactly the bytes; past the end 416; reversed and several are refused.
#[test]
fn a17_ranges() {
    let object = Object::new(60, 400_000);
    object.put(&SHARED.client(OWNER)).unwrap();
    let ask = |method: &'static str, range: &str| {
        let mut request = SHARED.by_hand(method, object.path() + "/body");
        request.headers.push(("range".into(), range.into()));
        request.send()
    };
    for (range, expected) in [
        ("bytes=0-0", 0..1),
        ("bytes=262143-262144", 262_143..262_145),
        ("bytes=100-399999", 100..400_000),
        ("bytes=399999-", 399_999..400_000),
        ("bytes=-5", 399_995..400_000),
        ("bytes=399990-999999", 399_990..400_000),
    ] {
        let answer = ask("GET", range);
        assert_eq!(answer.status, 206, "{range}");
        let content_range = format!("content-range: bytes {}-{}/400000", expected.start, expected.end - 1);
        assert!(answer.head.contains(&content_range), "{}", answer.head);
        assert!(answer.body == object.body[expected], "{range}");
    }
    for range in ["bytes=400000-", "bytes=400000-400001", "bytes=-0"] {
        let answer = ask("GET", range);
        assert_eq!((answer.status, answer.code().as_str()), (416, "range"), "{range}");
    }
    for range in ["bytes=5-4", "bytes=0-1,2-3", "bytes=0-0,0-0,0-0", "bytes=x-", "rows=1-2"] {
        assert_eq!(ask("GET", range).status, 400, "{range}");
    }
    // More than any head may hold: closed or refused, and the node goes on.
    let many = format!("bytes={}", vec!["0-1"; 10_000].join(","));
    assert!([400, 431].contains(&ask("GET", &many).status));
    let head = ask("HEAD", "bytes=0-9");
    assert_eq!((head.status, head.body.len()), (206, 0));
    assert!(head.head.contains("content-length: 10"), "{}", head.head);
    let mut two = SHARED.by_hand("GET", object.path() + "/body");
    two.headers = vec![("range".into(), "bytes=0-0".into()), ("range".into(), "bytes=1-1".into())];
    assert_eq!(two.send().status, 400);
}

/// D14 at the node: one flipped bit on disk is never served, whole or by range; other ranges and objects are.
#[test]
fn one_flipped_bit_is_an_error_and_never_bytes() {
    let node = Node::started();
    let client = node.client(OWNER);
    let object = Object::new(1, 600_000);
    object.put(&client).unwrap();
    flip(&node, 600_000, 300_000);
    let error = client.get_range(&object.name, 300_000, 1).unwrap_err();
    assert!(matches!(&error, ClientError::Refused { status: 500, code, .. } if code == "damaged"), "{error}");
    assert!(client.get_range(&object.name, 0, 1000).unwrap() == object.body[..1000]);
    let mut whole = client.get_body(&object.name, None).unwrap();
    let mut bytes = Vec::new();
    assert!(whole.reader.read_to_end(&mut bytes).is_err(), "broken off, not wrong");
    assert!(object.body.starts_with(&bytes));
}

pub(super) fn flip(node: &Node, size: u64, at: u64) {
    let file = std::fs::OpenOptions::new().read(true).write(true).open(node.object_file(size)).unwrap();
    let mut byte = [0];
    file.read_exact_at(&mut byte, at).unwrap();
    file.write_all_at(&[byte[0] ^ 1], at).unwrap();
}

/// A host that answers every request for a body with `body` and everything else with `path`.
fn liar(body: Vec<u8>, path: Vec<u8>, requests: usize) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    thread::spawn(move || {
        for _ in 0..requests {
            let (mut stream, _) = listener.accept().unwrap();
            let mut head = Vec::new();
            let mut byte = [0];
            while !head.ends_with(b"\r\n\r\n") {
                stream.read_exact(&mut byte).unwrap();
                head.push(byte[0]);
            }
            let head = String::from_utf8(head).unwrap();
            let (status, range, bytes) = if head.contains("/body") {
                let range = format!("content-range: bytes 0-{}/*\r\n", body.len() - 1);
                ("206 Partial Content", range, &body)
            } else {
                ("200 OK", String::new(), &path)
            };
            let length = bytes.len();
            write!(
                stream,
                "HTTP/1.1 {status}\r\n{range}content-length: {length}\r\nconnection: close\r\n\r\n"
            )
            .unwrap();
            stream.write_all(bytes).unwrap();
        }
    });
    format!("http://{address}")
}

/// P19: bytes that are not the owner's are caught by the client alone; the same host with the right bytes passes.
#[test]
fn p19_served_bytes_that_do_not_match() {
    let object = Object::new(2, 5000);
    let tree = bailiwick_possession::tree::commit([&object.body]).unwrap();
    let path = tree.block_path(0).unwrap().to_bytes();
    let fetch = |body: Vec<u8>, path: Vec<u8>| {
        let base = liar(body, path, 2);
        let client = Client::new(&base, SHARED.host, key(OWNER), ClientOptions::default()).unwrap();
        client.fetch_verified_block(&object.envelope, 0)
    };
    assert!(fetch(object.body.clone(), path.clone()).unwrap() == object.body);
    let mut other = object.body.clone();
    other[4000] ^= 1;
    assert!(matches!(fetch(other, path.clone()), Err(ClientError::BadBytes(_))));
    let other_object = Object::new(3, 5000);
    assert!(matches!(fetch(other_object.body, path.clone()), Err(ClientError::BadBytes(_))));
    assert!(fetch(object.body.clone(), path[..7].to_vec()).is_err());
    assert!(fetch(object.body[..4999].to_vec(), path).is_err());
}

/// The client tells apart nobody there, nobody answering, and a refusal.
#[test]
fn the_three_kinds_of_no_answer() {
    let options = || ClientOptions {
        idle_timeout: std::time::Duration::from_millis(300),
        connect_timeout: std::time::Duration::from_millis(300),
        ..ClientOptions::default()
    };
    let at = |base: &str| {
        Client::new(base, SHARED.host, key(OWNER), options()).unwrap().list(None, 1).unwrap_err()
    };
    let closed = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    assert!(matches!(at(&format!("http://{closed}")), ClientError::Unreachable(_)));
    let silent = TcpListener::bind("127.0.0.1:0").unwrap();
    assert!(matches!(at(&format!("http://{}", silent.local_addr().unwrap())), ClientError::TimedOut));
    let error = SHARED.client(super::support::STRANGER).list(None, 1).unwrap_err();
    assert!(matches!(error, ClientError::Refused { status: 401, .. }));
}
