//! What one key, one body and one wrong clock may cost the others.

use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use bailiwick_client::ClientError;
use bailiwick_node::replay::FloorFile;
use bailiwick_protocol::api::{JobState, MEDIA_TYPE_ENVELOPE};
use bailiwick_protocol::challenge::SignedChallenge;
use bailiwick_protocol::http_signature::{Content, sha256};
use bailiwick_protocol::ids::{AuditorKey, OwnerKey};
use bailiwick_store::files::StdFiles;

use super::faulty::Call;
use super::proofs::{challenge, finish, signed};
use super::support::{
    AUDITOR, Answer, ByHand, Node, OTHER_OWNER, OWNER, Object, STRANGER, key, read_answer, send, unix_seconds,
};

const OTHER_AUDITOR: u8 = 6;
const THIRD_OWNER: u8 = 7;

fn assert_key_share(answer: &Answer) {
    assert_eq!((answer.status, answer.code().as_str()), (429, "key-share"), "{answer:?}");
    assert!(answer.head.to_lowercase().contains("retry-after: "), "{}", answer.head);
}

fn metrics(node: &Node) -> String {
    node.by_hand("GET", "/metrics").send().text()
}

/// Until the metrics have this line.
fn wait_for(node: &Node, line: &str) {
    let until = Instant::now() + Duration::from_secs(10);
    while !metrics(node).lines().any(|l| l == line) {
        assert!(Instant::now() < until, "{line}\n{}", metrics(node));
        thread::sleep(Duration::from_millis(10));
    }
}

/// A15: one key uses up its share of the nonces and is told so; another is served, then.
#[test]
fn a15_one_key_does_not_use_up_the_nonces() {
    let mut node = Node::new(|c| c.limits.nonces = 4);
    node.start();
    let list = |seed: u8| ByHand { seed, ..node.by_hand("GET", "/v1/objects") }.send();
    assert_eq!([list(OWNER).status, list(OWNER).status], [200, 200]);
    assert_key_share(&list(OWNER));
    assert_eq!([list(OTHER_OWNER).status, list(OTHER_OWNER).status], [200, 200], "honest twin");
    let full = list(AUDITOR);
    assert_eq!((full.status, full.code().as_str()), (503, "busy"), "the memory as a whole is bounded too");
    assert_eq!(list(STRANGER).status, 401, "a stranger cannot tell");
    wait_for(&node, "bailiwick_no_place_total{limit=\"nonces\",reason=\"key_share\"} 1");
    wait_for(&node, "bailiwick_no_place_total{limit=\"nonces\",reason=\"full\"} 1");
    wait_for(&node, "bailiwick_replay_nonces 4");
}

/// A15: slow uploads of one owner take its share of the places; another owner stores meanwhile.
#[test]
fn a15_one_key_does_not_use_up_the_uploads() {
    let mut node = Node::new(|c| c.limits.uploads = 4);
    node.start();
    let mut slow = Vec::new();
    for id in 1..3 {
        let object = Object::new(id, 2000);
        let bytes = object.by_hand(&node).bytes();
        let (first, rest) = bytes.split_at(bytes.len() - 500);
        let mut stream = TcpStream::connect(node.address).unwrap();
        stream.write_all(first).unwrap();
        slow.push((stream, rest.to_vec()));
    }
    wait_for(&node, "bailiwick_uploads_at_work 2");
    let further = Object::new(3, 2000);
    assert_key_share(&further.by_hand(&node).send());
    for id in 1..4 {
        let mut request = Object::of(OTHER_OWNER, id, 2000, 1).by_hand(&node);
        request.seed = OTHER_OWNER;
        assert_eq!(request.send().status, 201, "honest twin");
    }
    for (mut stream, rest) in slow {
        stream.write_all(&rest).unwrap();
        assert_eq!(read_answer(&mut stream).status, 201);
    }
    assert_eq!(further.by_hand(&node).send().status, 201, "once there is room");
    wait_for(&node, "bailiwick_no_place_total{limit=\"uploads\",reason=\"key_share\"} 1");
}

/// A15: work that goes on after its client went away keeps its place.
#[test]
fn a15_work_for_a_client_that_went_away_keeps_its_place() {
    for whole in [true, false] {
        let (mut node, files) = Node::faulty();
        (node.config.limits.uploads, node.config.limits.key_share_percent) = (1, 100);
        node.start();
        let (first, next) = (Object::of(OWNER, 1, 2000, 1), Object::of(OWNER, 1, 2000, 2));
        assert_eq!(first.by_hand(&node).send().status, 201);
        let (reached, go_on) = (Arc::new(AtomicBool::new(false)), Arc::new(AtomicBool::new(false)));
        let (at, wait) = (Arc::clone(&reached), Arc::clone(&go_on));
        files.fail(move |call, path| {
            let held = call == Call::Sync && path.extension().is_some_and(|e| e == "part");
            if held && !at.swap(true, Ordering::SeqCst) {
                // Not for ever: what fails here must not keep the node from stopping.
                let began = Instant::now();
                while !wait.load(Ordering::SeqCst) && began.elapsed() < Duration::from_secs(10) {
                    std::thread::sleep(Duration::from_millis(5));
                }
            }
            None
        });
        let mut alone = node.by_hand("PUT", next.path() + "/envelope");
        alone.content = Content::Digest(sha256(&next.signed));
        alone.headers = vec![
            ("content-type".into(), MEDIA_TYPE_ENVELOPE.into()),
            ("content-length".into(), next.signed.len().to_string()),
        ];
        alone.body = next.signed.clone();
        let request = if whole { next.by_hand(&node) } else { alone };
        let mut stream = TcpStream::connect(node.address).unwrap();
        stream.write_all(&request.bytes()).unwrap();
        while !reached.load(Ordering::SeqCst) {
            std::thread::sleep(Duration::from_millis(5));
        }
        drop(stream);
        // Until the node has noticed.
        std::thread::sleep(Duration::from_millis(300));
        let other = Object::new(2, 2000);
        let refused = other.by_hand(&node).send();
        assert_eq!((refused.status, refused.code().as_str()), (503, "busy"), "whole: {whole}");
        go_on.store(true, Ordering::SeqCst);
        wait_for(&node, "bailiwick_uploads_at_work 0");
        assert_eq!(other.by_hand(&node).send().status, 201, "honest twin");
    }
}

/// A15: an auditor that floods the prover gets its share of the queue; another auditor's challenge is taken and answered.
#[test]
fn a15_one_auditor_does_not_use_up_the_proof_queue() {
    let (mut node, files) = Node::faulty();
    node.config.limits.proof_queue = 2;
    node.config.auditors.push(AuditorKey(key(OTHER_AUDITOR).public()));
    let vk = node.with_tiny_key();
    node.start();
    let object = Object::new(1, 2000);
    object.put(&node.client(OWNER)).unwrap();
    let stalled = Arc::new(AtomicBool::new(true));
    let gate = Arc::clone(&stalled);
    files.fail(move |call, path| {
        while call == Call::Read
            && path.extension().is_some_and(|e| e == "obj")
            && gate.load(Ordering::Acquire)
        {
            thread::sleep(Duration::from_millis(5));
        }
        None
    });
    let auditor = node.client(AUDITOR);
    let first = challenge(&node, vk, &[&object], 1);
    let id = auditor.challenge(&signed(&first)).unwrap();
    let until = Instant::now() + Duration::from_secs(20);
    while auditor.job(&id).unwrap().state == JobState::Queued {
        assert!(Instant::now() < until);
        thread::sleep(Duration::from_millis(10));
    }
    let second = challenge(&node, vk, &[&object], 2);
    auditor.challenge(&signed(&second)).unwrap();
    let ask = |seed: u8, message: &SignedChallenge| {
        let body = bailiwick_protocol::codec::Canonical::to_bytes(message);
        let mut request = node.by_hand("POST", "/v1/challenges");
        request.seed = seed;
        request.content = Content::Digest(bailiwick_protocol::http_signature::sha256(&body));
        request.headers.push(("content-length".into(), body.len().to_string()));
        request.body = body;
        request.send()
    };
    assert_key_share(&ask(AUDITOR, &signed(&challenge(&node, vk, &[&object], 3))));
    let mut other = challenge(&node, vk, &[&object], 4);
    other.auditor = AuditorKey(key(OTHER_AUDITOR).public());
    let answer = ask(OTHER_AUDITOR, &SignedChallenge::new(&other, &key(OTHER_AUDITOR)));
    assert_eq!(answer.status, 202, "honest twin: {}", answer.text());
    stalled.store(false, Ordering::Release);
    let other_client = node.client(OTHER_AUDITOR);
    let until = Instant::now() + Duration::from_secs(60);
    while other_client.job(&other.digest()).unwrap().state != JobState::Done {
        assert!(Instant::now() < until);
        thread::sleep(Duration::from_millis(20));
    }
    finish(&auditor, &second).1.outcome.unwrap();
    wait_for(&node, "bailiwick_no_place_total{limit=\"proof_queue\",reason=\"key_share\"} 1");
}

/// Names of object files there are.
fn final_names(node: &Node) -> Vec<std::path::PathBuf> {
    let (mut found, mut folders) = (Vec::new(), vec![node.config.objects_dir()]);
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder).unwrap().map(Result::unwrap) {
            if entry.file_type().unwrap().is_dir() {
                folders.push(entry.path());
            } else if entry.path().extension().is_some_and(|e| e == "obj") {
                found.push(entry.path());
            }
        }
    }
    found
}

/// A08, D16: an upload that only trickles is cut off at the deadline of the shutdown, is not acknowledged, and leaves nothing
/// under a final name; what was acknowledged before stays. (Its twin that finishes in time: `shutdown_finishes_what_is_in_flight`.)
#[test]
fn d16_shutdown_cuts_slow_uploads_off_at_the_deadline() {
    let mut node = Node::new(|c| c.limits.shutdown_seconds = 1);
    node.start();
    let (stored, slow) = (Object::new(1, 2000), Object::new(2, 300_000));
    stored.put(&node.client(OWNER)).unwrap();
    let bytes = slow.by_hand(&node).bytes();
    let mut stream = TcpStream::connect(node.address).unwrap();
    let (first, rest) = bytes.split_at(bytes.len() - 20_000);
    stream.write_all(first).unwrap();
    wait_for(&node, "bailiwick_uploads_at_work 1");
    let (mut trickle, rest) = (stream.try_clone().unwrap(), rest.to_vec());
    let writer = thread::spawn(move || {
        // 20 bytes a second: more than a thousand seconds for the rest.
        rest.iter()
            .take_while(|b| {
                thread::sleep(Duration::from_millis(50));
                trickle.write_all(&[**b]).is_ok()
            })
            .count()
    });
    thread::sleep(Duration::from_millis(200));
    let begun = Instant::now();
    node.stop();
    let took = begun.elapsed();
    assert!(took >= Duration::from_secs(1), "it waits for the deadline: {took:?}");
    assert!(took < Duration::from_secs(10), "and not for the upload: {took:?}");
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer).ok();
    assert!(!answer.starts_with(b"HTTP/1.1 2"), "{}", String::from_utf8_lossy(&answer));
    drop(stream);
    assert!(writer.join().unwrap() < 20_000, "never sent whole");
    let names = final_names(&node);
    assert_eq!(names.len(), 1, "the acknowledged one only: {names:?}");

    node.start();
    let client = node.client(OWNER);
    let error = client.envelope(&slow.name).unwrap_err();
    assert!(matches!(error, ClientError::Refused { status: 404, .. }), "{error}");
    assert!(client.get_range(&stored.name, 0, 2000).unwrap() == stored.body);
    assert!(slow.put(&client).unwrap().created, "honest twin");
    assert_eq!(final_names(&node).len(), 2);
}

/// An upload that announces `body` bytes after its envelope, whatever there is of them.
fn announcing<'n>(node: &'n Node, object: &Object, body: u64) -> ByHand<'n> {
    let mut request = object.by_hand(node);
    let Content::Object { envelope, .. } = request.content else { unreachable!() };
    let length = 4 + object.signed.len() as u64 + body;
    request.content = Content::Object { envelope, length };
    request.headers[1].1 = length.to_string();
    request
}

/// The refusal comes at once to a client in the middle of writing, who is not cut off meanwhile, and not read for ever.
fn assert_seen_while_writing(node: &Node, request: &ByHand<'_>, status: u16) {
    let mut stream = TcpStream::connect(node.address).unwrap();
    stream.write_all(&request.bytes()).unwrap();
    let sent = Arc::new(AtomicU64::new(0));
    let (mut writing, count) = (stream.try_clone().unwrap(), Arc::clone(&sent));
    let writer = thread::spawn(move || {
        let zeros = vec![0; 100_000];
        while writing.write_all(&zeros).is_ok() {
            count.fetch_add(zeros.len() as u64, Ordering::Relaxed);
            thread::sleep(Duration::from_millis(2));
        }
    });
    let begun = Instant::now();
    stream.set_read_timeout(Some(Duration::from_secs(5))).unwrap();
    let mut head = [0; 12];
    stream.read_exact(&mut head).unwrap();
    assert_eq!(String::from_utf8_lossy(&head), format!("HTTP/1.1 {status}"));
    assert!(begun.elapsed() < Duration::from_secs(2), "at once: {:?}", begun.elapsed());
    let so_far = sent.load(Ordering::Relaxed);
    thread::sleep(Duration::from_millis(300));
    assert!(sent.load(Ordering::Relaxed) > so_far, "not reset while it writes");
    // Bounded: it is read for as long as the configuration says, two seconds here, and not for ever.
    let until = Instant::now() + Duration::from_secs(8);
    while !writer.is_finished() {
        assert!(Instant::now() < until, "{} bytes taken", sent.load(Ordering::Relaxed));
        thread::sleep(Duration::from_millis(20));
    }
    let taken = sent.load(Ordering::Relaxed);
    assert!(taken < 200_000_000, "{taken} bytes taken");
}

/// A07: 413, known from the announced length.
#[test]
fn a07_a_client_that_is_still_writing_sees_413() {
    let mut node = Node::new(|c| c.body_bytes_max = Some(50_000));
    node.start();
    assert_seen_while_writing(&node, &announcing(&node, &Object::new(1, 2000), 40_000_000_000), 413);
}

/// A06, A07: 403, for another owner's object, and 415 are known from the head, whatever length is announced.
#[test]
fn a07_a_client_that_is_still_writing_sees_403_and_415() {
    let mut node = Node::new(|c| c.body_bytes_max = Some(100_000_000_000));
    node.start();
    let object = Object::new(1, 2000);
    let of_another = ByHand { seed: OTHER_OWNER, ..announcing(&node, &object, 40_000_000_000) };
    assert_seen_while_writing(&node, &of_another, 403);
    let mut text = announcing(&node, &object, 40_000_000_000);
    text.headers[0].1 = "text/plain".into();
    assert_seen_while_writing(&node, &text, 415);
    assert_eq!(object.by_hand(&node).send().status, 201, "honest twin");
}

/// A07, A15: 429 and 503 for a place among the uploads are known from the head, too.
#[test]
fn a07_a_client_that_is_still_writing_sees_429_and_503() {
    let mut node = Node::new(|c| {
        c.limits.uploads = 2;
        c.owners.push(OwnerKey(key(THIRD_OWNER).public()));
        c.body_bytes_max = Some(100_000_000_000);
    });
    node.start();
    let mut slow = Vec::new();
    for (owner, refused) in [(OWNER, 429), (OTHER_OWNER, 503)] {
        let object = Object::of(owner, 1, 2000, 1);
        let upload = ByHand { seed: owner, ..object.by_hand(&node) }.bytes();
        let (first, rest) = upload.split_at(upload.len() - 500);
        let mut stream = TcpStream::connect(node.address).unwrap();
        stream.write_all(first).unwrap();
        slow.push((stream, rest.to_vec()));
        wait_for(&node, &format!("bailiwick_uploads_at_work {}", slow.len()));
        // One more of the first owner while there is a place; then of an owner with none, while there is no place.
        let whose = if refused == 429 { OWNER } else { THIRD_OWNER };
        let further = Object::of(whose, 2, 2000, 1);
        let further = ByHand { seed: whose, ..announcing(&node, &further, 40_000_000_000) };
        assert_seen_while_writing(&node, &further, refused);
    }
    for (mut stream, rest) in slow {
        stream.write_all(&rest).unwrap();
        assert_eq!(read_answer(&mut stream).status, 201, "honest twin");
    }
}

/// A07: a client that writes everything before it reads gets its 413 and no broken pipe, also when nothing of it fits any socket
/// buffer; so does one that waits for `100 Continue`, and none is said to it.
#[test]
fn a07_a_client_that_writes_first_sees_413() {
    let mut node = Node::new(|c| {
        c.body_bytes_max = Some(50_000);
        // Ends when all is read, however busy the machine.
        c.limits.linger_seconds = 60;
    });
    node.start();
    let object = Object::new(1, 2000);
    let mut request = announcing(&node, &object, 30_000_000);
    let mut bytes = request.bytes();
    bytes.resize(bytes.len() + 30_000_000 - object.body.len(), 0);
    let mut stream = TcpStream::connect(node.address).unwrap();
    stream.write_all(&bytes).expect("taken, if for nothing");
    let answer = read_answer(&mut stream);
    assert_eq!((answer.status, answer.code().as_str()), (413, "too-large"));

    request = announcing(&node, &object, 30_000_000);
    request.headers.push(("expect".into(), "100-continue".into()));
    request.body = Vec::new();
    let mut stream = TcpStream::connect(node.address).unwrap();
    stream.write_all(&request.bytes()).unwrap();
    stream.set_read_timeout(Some(Duration::from_secs(5))).unwrap();
    let mut head = [0; 12];
    stream.read_exact(&mut head).unwrap();
    assert_eq!(&head, b"HTTP/1.1 413", "{}", String::from_utf8_lossy(&head));

    let (large, begun) = (Object::new(2, 12_000_000), Instant::now());
    let error = large.put(&node.client(OWNER)).unwrap_err();
    assert!(matches!(error, ClientError::Refused { status: 413, .. }), "{error}");
    // Who asked first is told at once that this is all, and not after the minute for which others are read.
    assert!(begun.elapsed() < Duration::from_secs(20), "{:?}", begun.elapsed());
    assert_eq!(object.by_hand(&node).send().status, 201, "honest twin");
}

/// A04: the clock ran a day ahead while requests were accepted, then came back, then the node was restarted. It says what is wrong,
/// to those it knows, in `/readyz` and in the metrics; the documented way out works and revives no request.
#[test]
fn a04_a_floor_far_ahead_has_a_name_and_a_way_out() {
    let mut node = Node::started();
    let request = node.by_hand("GET", "/v1/objects");
    let (created, captured) = (request.created, request.bytes());
    assert_eq!(send(node.address, &captured).status, 200);
    // The authority is signed, so the node must come back on the same port.
    node.config.listen = node.address;
    node.stop();
    let floor = FloorFile::open(&StdFiles, node.config.replay_floor()).unwrap();
    floor.store(unix_seconds() + 86_400).unwrap();
    drop(floor);
    for restart in 0..2 {
        node.start();
        let refused = node.by_hand("GET", "/v1/objects").send();
        assert_eq!((refused.status, refused.code().as_str()), (503, "floor-ahead"), "restart {restart}");
        assert!(refused.text().contains("docs/operations.md"), "{}", refused.text());
        let stranger = ByHand { seed: STRANGER, ..node.by_hand("GET", "/v1/objects") };
        assert_eq!(stranger.send().status, 401, "a stranger cannot tell");
        let begun = Instant::now();
        assert!(matches!(node.client(OWNER).list(None, 1), Err(ClientError::Refused { status: 503, .. })));
        assert!(begun.elapsed() < Duration::from_secs(5), "nothing to wait for");
        assert_eq!(node.by_hand("GET", "/healthz").send().status, 200);
        let ready = node.by_hand("GET", "/readyz").send();
        assert_eq!(ready.code(), "floor-ahead");
        assert!(ready.text().contains("section Clock"), "the same way out: {}", ready.text());
        let ahead = metrics(&node);
        let ahead = ahead.lines().find_map(|l| l.strip_prefix("bailiwick_replay_floor_ahead_seconds "));
        assert!((86_300..=86_400).contains(&ahead.unwrap().parse::<u64>().unwrap()), "{ahead:?}");
        node.stop();
    }
    // The way out. Of its minute, what this request needs: it was signed two seconds ahead.
    while unix_seconds() <= created {
        thread::sleep(Duration::from_millis(50));
    }
    std::fs::remove_file(node.config.replay_floor()).unwrap();
    node.start();
    assert_ne!(send(node.address, &captured).status, 200, "spent stays spent");
    assert!(node.client(OWNER).list(None, 1).is_ok(), "the client waits for the start second to pass");
    assert_eq!(node.by_hand("GET", "/readyz").send().status, 200);
    assert!(metrics(&node).lines().any(|l| l == "bailiwick_replay_floor_ahead_seconds 0"));
}
