//! Disks that fail or are full, and too few descriptors.

use std::io::{BufRead as _, BufReader, Write as _};
use std::net::{SocketAddr, TcpStream};
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use bailiwick_client::ClientError;
use bailiwick_protocol::api::JobState;
use bailiwick_protocol::challenge::CannotProve;
use bailiwick_protocol::envelope::Envelope;
use bailiwick_protocol::http_signature::{Content, sha256};

use super::faulty::Call;
use super::proofs::{challenge, finish, signed};
use super::support::{AUDITOR, ByHand, Node, OWNER, Object, read_answer};

const EIO: i32 = 5;
const EMFILE: i32 = 24;
const ENOSPC: i32 = 28;

fn is_floor(path: &Path) -> bool {
    path.file_name().is_some_and(|n| n.to_string_lossy().starts_with("replay-floor"))
}

/// A request that needs a higher floor than any before it.
fn ahead<'n>(request: ByHand<'n>, seconds: u64) -> ByHand<'n> {
    ByHand { created: request.created + seconds, ..request }
}

/// D07 at the node: after one failed fsync nothing is acknowledged, the node says it is not ready, and reading goes on.
#[test]
fn d07_a_failed_fsync_makes_the_node_read_only() {
    let (mut node, files) = Node::faulty();
    node.start();
    let (first, second) = (Object::new(1, 50_000), Object::new(2, 50_000));
    first.put(&node.client(OWNER)).unwrap();
    assert_eq!(node.by_hand("GET", "/readyz").send().status, 200);
    files.fail(|call, path| (call == Call::Sync && !is_floor(path)).then_some(EIO));
    let answer = second.by_hand(&node).send();
    assert_eq!((answer.status, answer.code().as_str()), (503, "read-only"));
    files.heal();
    assert_eq!(second.by_hand(&node).send().status, 503, "no retry-then-success");
    assert_eq!(node.by_hand("GET", "/readyz").send().status, 503);
    let metrics = node.by_hand("GET", "/metrics").send().text();
    assert!(metrics.contains("bailiwick_store_read_only 1"), "{metrics}");
    let client = node.client(OWNER);
    assert!(client.get_range(&first.name, 0, 50_000).unwrap() == first.body);
    assert_eq!(client.list_all().unwrap().len(), 1, "the second was not stored");
}

/// A failed fsync of the replay floor is final: nothing that rests on it is accepted, also when the next one would succeed.
#[test]
fn d07_a_failed_fsync_of_the_floor_is_not_retried() {
    let (mut node, files) = Node::faulty();
    node.start();
    assert_eq!(node.by_hand("GET", "/v1/objects").send().status, 200);
    files.fail(|call, path| (call == Call::Sync && is_floor(path)).then_some(EIO));
    for healed in [false, true] {
        if healed {
            files.heal();
        }
        let answer = ahead(node.by_hand("GET", "/v1/objects"), 6).send();
        assert_eq!((answer.status, answer.code().as_str()), (503, "read-only"), "healed: {healed}");
        assert_eq!(node.by_hand("GET", "/readyz").send().status, 503);
    }
    node.stop();
    node.config.listen = node.address;
    node.start();
    assert_eq!(node.client(OWNER).list_all().unwrap().len(), 0, "a restart, after somebody looked");
}

/// A shortage while syncing the floor refuses for the moment only.
#[test]
fn a_shortage_is_not_a_broken_disk() {
    let (mut node, files) = Node::faulty();
    node.start();
    files.fail(|call, path| (call == Call::Sync && is_floor(path)).then_some(ENOSPC));
    let answer = ahead(node.by_hand("GET", "/v1/objects"), 6).send();
    assert_eq!((answer.status, answer.code().as_str()), (503, "busy"));
    files.heal();
    assert_eq!(ahead(node.by_hand("GET", "/v1/objects"), 6).send().status, 200);
}

/// D08 at the node: on a full disk, and without descriptors for new files, the floor still rises: reading, listing and
/// deleting go on, and space can be freed.
#[test]
fn d08_a_full_disk_is_read_and_freed() {
    let (mut node, files) = Node::faulty();
    node.start();
    let (first, second) = (Object::new(1, 50_000), Object::new(2, 50_000));
    first.put(&node.client(OWNER)).unwrap();
    files.fail(|call, path| match call {
        Call::Grow => Some(ENOSPC),
        Call::Open if is_floor(path) => Some(EMFILE),
        _ => None,
    });
    let refused = ahead(second.by_hand(&node), 4).send();
    assert_eq!((refused.status, refused.code().as_str()), (507, "no-space"));
    let read = ahead(node.by_hand("GET", first.path() + "/body"), 5).send();
    assert_eq!(read.status, 200);
    assert!(read.body == first.body);
    assert_eq!(ahead(node.by_hand("GET", "/v1/objects"), 6).send().status, 200);
    assert_eq!(ahead(node.by_hand("DELETE", first.path()), 8).send().status, 204);
    files.heal();
    assert_eq!(ahead(second.by_hand(&node), 8).send().status, 201, "honest twin");
}

/// P16: only bytes that are gone are signed as gone. A node that has no descriptors left fails the job, and the same challenge
/// asked again is proven.
#[test]
fn p16_a_shortage_is_no_signed_refusal() {
    let (mut node, files) = Node::faulty();
    let vk = node.with_tiny_key();
    node.start();
    let object = Object::new(1, 50_000);
    object.put(&node.client(OWNER)).unwrap();
    let auditor = node.client(AUDITOR);
    let ask = challenge(&node, vk, &[&object], 1);
    let objects = node.config.objects_dir();
    let inside = objects.clone();
    files.fail(move |call, path| (call == Call::Open && path.starts_with(&inside)).then_some(EMFILE));
    let id = auditor.challenge(&signed(&ask)).unwrap();
    let until = Instant::now() + Duration::from_secs(30);
    while auditor.job(&id).unwrap().state != JobState::Failed {
        assert_ne!(auditor.job(&id).unwrap().state, JobState::Done, "signed");
        assert!(Instant::now() < until);
        std::thread::sleep(Duration::from_millis(20));
    }
    assert!(matches!(auditor.response(&id), Err(ClientError::Refused { status: 500, .. })));
    files.heal();
    finish(&auditor, &ask).1.outcome.unwrap();
    // Honest twin: a sector that cannot be read is a loss.
    files.fail(move |call, path| (call == Call::Read && path.starts_with(&objects)).then_some(EIO));
    let other = challenge(&node, vk, &[&object], 2);
    assert_eq!(finish(&auditor, &other).1.outcome, Err(CannotProve::CellsUnavailable));
    let metrics = node.by_hand("GET", "/metrics").send().text();
    for line in [
        "bailiwick_proofs_total{outcome=\"failed\"} 1",
        "bailiwick_proofs_total{outcome=\"cells-unavailable\"} 1",
        "bailiwick_proof_cpu_seconds_count 1",
        "bailiwick_proof_queue 0",
    ] {
        assert!(metrics.lines().any(|l| l == line), "{line}\n{metrics}");
    }
}

/// Every folder that leads to the data is made durable in the one above it.
#[test]
fn the_data_folder_is_made_level_by_level() {
    let (mut node, files) = Node::faulty();
    let top = node.dir.path().join("a");
    node.config.data_dir = top.join("b");
    node.start();
    let synced = files.synced_dirs.lock().unwrap().clone();
    for folder in [node.dir.path(), &top, &top.join("b")] {
        assert!(synced.iter().any(|s| s == folder), "{folder:?} {synced:?}");
    }
}

/// A body of which only the length matters, since its envelope is refused before it is read.
fn promised(size: u64) -> Object {
    let small = Object::new(7, 2000);
    let mut envelope: Envelope = small.envelope;
    envelope.body.size = size;
    envelope.commitment.as_mut().unwrap().cells = bailiwick_possession::tree::cells_of(size);
    Object::sealed(OWNER, envelope, Vec::new())
}

/// A15: an answer that is known early reaches a client that sends everything first, also beyond what sockets buffer.
#[test]
fn a15_early_refusals_of_large_uploads_arrive() {
    let mut node = Node::new(|c| c.quota_bytes = 1_000_000);
    node.start();
    let size = 56 + 16_400 * 10_000 + 100;
    let object = promised(size);
    let length = 4 + object.signed.len() as u64 + size;
    let mut request = object.by_hand(&node);
    request.content = Content::Object { envelope: sha256(&object.signed), length };
    request.headers[1].1 = length.to_string();
    let mut stream = TcpStream::connect(node.address).unwrap();
    stream.write_all(&request.bytes()).unwrap();
    let piece = vec![0; 1 << 20];
    let mut left = usize::try_from(size).unwrap();
    while left > 0 {
        let n = left.min(piece.len());
        stream.write_all(&piece[..n]).expect("the node reads on");
        left -= n;
    }
    let answer = read_answer(&mut stream);
    assert_eq!((answer.status, answer.code().as_str()), (507, "no-space"));
}

/// An upload that has begun: head, envelope and some of the body.
fn begin(node: &Node, object: &Object) -> TcpStream {
    let bytes = object.by_hand(node).bytes();
    let mut stream = TcpStream::connect(node.address).unwrap();
    stream.set_read_timeout(Some(Duration::from_secs(20))).unwrap();
    stream.write_all(&bytes[..bytes.len() - 1000]).unwrap();
    stream
}

/// A08: more slow uploads than there are blocking threads hold up neither reads nor other uploads; one too many is told to
/// come back; and the node stops when it has to.
#[test]
fn a08_slow_uploads_freeze_nothing() {
    let mut node = Node::new(|c| {
        c.limits.uploads = 6;
        c.limits.key_share_percent = 100;
        c.limits.shutdown_seconds = 1;
    });
    node.blocking_threads = 4;
    node.start();
    let stored = Object::new(1, 2000);
    stored.put(&node.client(OWNER)).unwrap();
    let slow: Vec<TcpStream> = (10..15).map(|id| begin(&node, &Object::new(id, 5000))).collect();
    std::thread::sleep(Duration::from_millis(300));
    assert_eq!(node.by_hand("GET", stored.path() + "/body").send().status, 200);
    assert_eq!(Object::new(20, 5000).by_hand(&node).send().status, 201, "the last place");
    let last = begin(&node, &Object::new(15, 5000));
    std::thread::sleep(Duration::from_millis(300));
    let answer = Object::new(21, 5000).by_hand(&node).send();
    assert_eq!((answer.status, answer.code().as_str()), (503, "busy"));
    assert!(answer.head.to_lowercase().contains("retry-after: "), "{}", answer.head);
    let began = Instant::now();
    node.stop();
    assert!(began.elapsed() < Duration::from_secs(5), "{:?}", began.elapsed());
    drop((slow, last));
    node.config.listen = node.address;
    node.start();
    assert_eq!(node.client(OWNER).list_all().unwrap().len(), 2, "what was cut off left nothing");
}

/// The node of the next test, in a process with few descriptors.
#[test]
#[ignore = "run by few_descriptors_are_left_for_work"]
fn node_with_few_descriptors() {
    let node = Node::started();
    let upload = Object::new(1, 50_000).by_hand(&node);
    let bytes: String = upload.bytes().iter().map(|b| format!("{b:02x}")).collect();
    println!("\nADDRESS {} {bytes}", node.address);
    std::io::stdin().read_line(&mut String::new()).unwrap();
}

/// A08: idle connections never take the descriptors that storing needs, whatever the configuration says.
#[test]
fn few_descriptors_are_left_for_work() {
    let mut child = Command::new("sh")
        .args(["-c", "ulimit -n 128 && exec \"$0\" --exact --ignored --nocapture it::faults::node_with_few_descriptors"])
        .arg(std::env::current_exe().unwrap())
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let mut lines = BufReader::new(child.stdout.take().unwrap()).lines().map(Result::unwrap);
    let line = lines.find(|l| l.starts_with("ADDRESS ")).unwrap();
    let words: Vec<&str> = line.split(' ').collect();
    let address: SocketAddr = words[1].parse().unwrap();
    let upload = hex::decode(words[2]).unwrap();
    let mut first = TcpStream::connect(address).unwrap();
    first.write_all(&upload[..20]).unwrap();
    std::thread::sleep(Duration::from_millis(200));
    let idle: Vec<_> = (0..150).map(|_| TcpStream::connect(address).unwrap()).collect();
    std::thread::sleep(Duration::from_millis(500));
    let open = std::fs::read_dir(format!("/proc/{}/fd", child.id())).unwrap().count();
    assert!(open < 90, "{open} of 128 descriptors");
    first.write_all(&upload[20..]).unwrap();
    assert_eq!(read_answer(&mut first).status, 201);
    drop(idle);
    drop(child.stdin.take());
    assert!(child.wait().unwrap().success());
}
