//! Uploads: honest ones, and everything an upload can lie about.

use std::io::Write as _;
use std::net::{Shutdown, TcpStream};

use bailiwick_client::ClientError;
use bailiwick_protocol::http_signature::{Content, sha256};

use super::support::{Node, OTHER_OWNER, OWNER, Object, READER, SHARED, read_answer};

fn refused(error: ClientError) -> (u16, String) {
    match error {
        ClientError::Refused { status, code, .. } => (status, code),
        other => panic!("{other}"),
    }
}

/// P20 and the everyday case: smallest body, one chunk, exactly one block, several blocks; stored, read back, deleted.
#[test]
fn p20_bodies_of_every_shape_are_stored_and_read_back() {
    let client = SHARED.client(OWNER);
    for (id, size) in [(40, 72), (41, 56 + 16_399), (42, 126_976), (43, 300_000)] {
        let object = Object::new(id, size);
        let stored = object.put(&client).unwrap();
        assert!(stored.created);
        assert_eq!(stored.record.size, size as u64);
        assert!(!object.put(&client).unwrap().created, "the same again is no change");
        let mut body = Vec::new();
        std::io::Read::read_to_end(&mut client.get_body(&object.name, None).unwrap().reader, &mut body)
            .unwrap();
        assert!(body == object.body);
        let envelope = client.envelope(&object.name).unwrap().verify(object.name.owner.as_bytes()).unwrap();
        assert_eq!(envelope, object.envelope);
        let last = (size as u64 - 1) / 126_976;
        let block = client.fetch_verified_block(&envelope, last).unwrap();
        assert!(object.body.ends_with(&block));
        client.delete(&object.name).unwrap();
        assert_eq!(refused(client.delete(&object.name).unwrap_err()).0, 404);
    }
}

/// A generation counts up; lower is refused, equal with other bytes is equivocation.
#[test]
fn generations() {
    let client = SHARED.client(OWNER);
    let second = Object::of(OWNER, 44, 200, 2);
    second.put(&client).unwrap();
    let first = Object::of(OWNER, 44, 200, 1);
    assert_eq!(refused(first.put(&client).unwrap_err()), (409, "lower-generation".into()));
    let mut other = second.envelope.clone();
    other.body.key_commitment = [7; 32];
    let mut body = second.body.clone();
    body[24..56].fill(7);
    other.body.blake3 = bailiwick_protocol::ids::ContentId(*blake3::hash(&body).as_bytes());
    let other = Object::sealed(OWNER, other, body);
    assert_eq!(refused(other.put(&client).unwrap_err()), (409, "equivocation".into()));
    assert!(Object::of(OWNER, 44, 200, 3).put(&client).unwrap().created);
}

/// An envelope alone: a later generation over the body that is stored; anything else is refused and changes nothing.
#[test]
fn an_envelope_is_replaced_without_its_body() {
    let client = SHARED.client(OWNER);
    let at = |generation| Object::of(OWNER, 49, 200_000, generation);
    let replace = |o: &Object| client.replace_envelope(&o.name, &o.signed);
    assert_eq!(refused(replace(&at(2)).unwrap_err()).0, 404);
    at(2).put(&client).unwrap();
    assert_eq!(refused(replace(&at(1)).unwrap_err()), (409, "lower-generation".into()));
    let another = Object::of(OWNER, 49, 300_000, 3);
    assert_eq!(refused(replace(&another).unwrap_err()), (422, "blake3".into()));
    let stranger = SHARED.client(READER);
    assert_eq!(refused(stranger.replace_envelope(&at(3).name, &at(3).signed).unwrap_err()).0, 403);
    assert!(replace(&at(3)).unwrap().created);
    assert!(!replace(&at(3)).unwrap().created, "the same again is no change");
    let envelope = client.envelope(&at(3).name).unwrap().verify(at(3).name.owner.as_bytes()).unwrap();
    assert_eq!(envelope.generation, 3);
    let body = client.get_range(&at(3).name, 0, at(3).body.len()).unwrap();
    assert!(body == at(3).body);
}

/// Admission names the check that failed; nothing of the object is kept.
#[test]
fn mismatches_are_named() {
    let client = SHARED.client(OWNER);
    let good = Object::new(45, 40_000);
    let with = |change: &dyn Fn(&mut Object)| {
        let mut bad = good.clone();
        change(&mut bad);
        let bad = Object { signed: Object::sealed(OWNER, bad.envelope.clone(), vec![]).signed, ..bad };
        refused(bad.put(&client).unwrap_err())
    };
    let unprocessable = |code: &str| (422, code.to_owned());
    assert_eq!(with(&|o| o.body[0] ^= 1), unprocessable("body-header"));
    assert_eq!(with(&|o| o.body[30] ^= 1), unprocessable("body-header"));
    assert_eq!(with(&|o| o.body[39_999] ^= 1), unprocessable("blake3"));
    assert_eq!(with(&|o| o.envelope.body.blake3.0[0] ^= 1), unprocessable("blake3"));
    assert_eq!(with(&|o| o.envelope.commitment.as_mut().unwrap().root.0[0] ^= 1), unprocessable("cell-root"));
    assert_eq!(with(&|o| o.envelope.commitment = None), unprocessable("no-commitment"));
    assert_eq!(with(&|o| o.envelope.object.0[0] ^= 1), unprocessable("name"));
    assert_eq!(with(&|o| o.body.push(0)), unprocessable("length"));
    assert_eq!(with(&|o| o.body.truncate(39_999)), unprocessable("length"));
    let mut broken = good.clone();
    let last = broken.signed.len() - 1;
    broken.signed[last] ^= 1;
    assert_eq!(refused(broken.put(&client).unwrap_err()), unprocessable("envelope"));
    assert_eq!(refused(client.envelope(&good.name).unwrap_err()).0, 404);
    assert!(good.put(&client).unwrap().created, "honest twin");
}

/// A07: over the limit by Content-Length; by the envelope; without a length; chunked.
#[test]
fn a07_body_over_the_limit() {
    let mut node = Node::new(|c| c.body_bytes_max = Some(50_000));
    node.start();
    let client = node.client(OWNER);
    assert!(Object::new(1, 50_000).put(&client).unwrap().created, "honest twin at the limit");
    assert_eq!(refused(Object::new(2, 50_001).put(&client).unwrap_err()).0, 413);
    assert_eq!(refused(Object::new(3, 400_000).put(&client).unwrap_err()).0, 413);

    let object = Object::new(4, 2000);
    let mut without = object.by_hand(&node);
    without.headers.retain(|(name, _)| name != "content-length");
    assert_eq!(without.send().status, 411);
    let mut chunked = object.by_hand(&node);
    chunked.headers.retain(|(name, _)| name != "content-length");
    chunked.headers.push(("transfer-encoding".into(), "chunked".into()));
    chunked.body = b"5\r\nhello\r\n0\r\n\r\n".to_vec();
    assert_eq!(chunked.send().status, 411);
    assert_eq!(object.by_hand(&node).send().status, 201);
}

/// A07: a lying Content-Length: less than is sent, more than is sent, and an envelope length beyond everything.
#[test]
fn a07_lying_lengths() {
    let object = Object::new(46, 2000);
    let relengthed = |length: u64| {
        let mut request = object.by_hand(&SHARED);
        let Content::Object { envelope, .. } = request.content else { unreachable!() };
        request.content = Content::Object { envelope, length };
        request.headers[1].1 = length.to_string();
        request
    };
    let all = object.upload().len() as u64;
    assert_eq!(relengthed(all - 1).send().code(), "length");
    assert_eq!(relengthed(10).send().code(), "length");
    // More announced than sent, the connection half-closed: refused at the envelope, which knows better.
    assert_eq!(relengthed(all + 1).send().code(), "length");
    let mut cut = object.by_hand(&SHARED);
    cut.body.truncate(cut.body.len() - 100);
    let mut stream = TcpStream::connect(SHARED.address).unwrap();
    stream.write_all(&cut.bytes()).unwrap();
    stream.shutdown(Shutdown::Write).unwrap();
    assert_ne!(read_status(&mut stream), Some(201));
    // A header that is not the signed one.
    let mut other = object.by_hand(&SHARED);
    other.headers[1].1 = (all + 5).to_string();
    assert_eq!(other.send().status, 401);
    let mut huge = object.by_hand(&SHARED);
    huge.body[..4].fill(0xff);
    assert_eq!(huge.send().status, 413);
    assert_eq!(SHARED.by_hand("GET", object.path() + "/envelope").send().status, 404, "nothing was kept");
    assert_eq!(object.by_hand(&SHARED).send().status, 201, "honest twin");
}

pub(super) fn read_status(stream: &mut TcpStream) -> Option<u16> {
    let mut all = Vec::new();
    std::io::Read::read_to_end(stream, &mut all).ok()?;
    String::from_utf8_lossy(&all).split(' ').nth(1)?.parse().ok()
}

/// A15: over the quota is 507; deleting makes room.
#[test]
fn quota() {
    let mut node = Node::new(|c| c.quota_bytes = 120_000);
    node.start();
    let client = node.client(OWNER);
    let first = Object::new(1, 60_000);
    first.put(&client).unwrap();
    let second = Object::new(2, 60_000);
    assert_eq!(refused(second.put(&client).unwrap_err()), (507, "no-space".into()));
    client.delete(&first.name).unwrap();
    assert!(second.put(&client).unwrap().created);
}

/// A15: one owner's quota leaves the room of the others.
#[test]
fn a15_quota_of_an_owner() {
    let mut node = Node::new(|c| c.owner_quota_bytes = 120_000);
    node.start();
    let client = node.client(OWNER);
    Object::new(1, 60_000).put(&client).unwrap();
    assert_eq!(refused(Object::new(2, 60_000).put(&client).unwrap_err()), (507, "no-space".into()));
    let other = Object::of(OTHER_OWNER, 1, 60_000, 1);
    assert!(other.put(&node.client(OTHER_OWNER)).unwrap().created, "honest twin");
}

/// Another media type is no object.
#[test]
fn media_type() {
    let object = Object::new(47, 200);
    let mut request = object.by_hand(&SHARED);
    request.headers[0].1 = "text/plain".into();
    assert_eq!(request.send().status, 415);
}

/// A request without a body must not bring one, whatever it says about it.
#[test]
fn get_with_a_body_is_refused() {
    let mut request = SHARED.by_hand("GET", "/v1/objects");
    request.headers.push(("content-length".into(), "5".into()));
    request.body = b"hello".to_vec();
    assert_eq!(request.send().status, 400);
    let mut digest = SHARED.by_hand("DELETE", Object::new(48, 200).path());
    digest.content = Content::Digest(sha256(b""));
    assert_eq!(digest.send().status, 401, "components of another kind of request");
}

/// A08: an upload that stalls is given up, others are served meanwhile, and nothing is left.
#[test]
fn a08_slow_body() {
    let mut node = Node::new(|c| c.limits.idle_seconds = 1);
    node.start();
    let object = Object::new(1, 2000);
    let bytes = object.by_hand(&node).bytes();
    let mut stream = TcpStream::connect(node.address).unwrap();
    stream.write_all(&bytes[..bytes.len() - 500]).unwrap();
    assert_eq!(node.by_hand("GET", "/v1/objects").send().status, 200);
    assert_eq!(read_answer(&mut stream).status, 408);
    assert_eq!(object.by_hand(&node).send().status, 201, "honest twin");
}
