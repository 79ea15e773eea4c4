//! Who may do what, once.

use bailiwick_client::ClientError;
use bailiwick_protocol::http_signature::{Content, HOST_HEADER, sha256};
use bailiwick_protocol::ids::HostKey;

use super::support::{
    AUDITOR, Answer, ByHand, Node, OTHER_OWNER, OWNER, Object, READER, SHARED, STRANGER, send, unix_seconds,
};

/// Status, code and body must be those of every other unauthenticated request.
fn assert_unauthenticated(answer: &Answer, what: &str) {
    let reference = SHARED.by_hand("GET", "/v1/objects");
    let reference = send(SHARED.address, &reference.unsigned_bytes(&[]));
    assert_eq!((answer.status, &answer.body), (401, &reference.body), "{what}: {answer:?}");
}

/// A01: no credential, an unknown key, expired, not yet valid: one answer; the honest twin passes.
#[test]
fn a01_bad_credentials_look_alike() {
    let honest = SHARED.by_hand("GET", "/v1/objects");
    assert_eq!(honest.send().status, 200);
    let now = unix_seconds();
    let again = || SHARED.by_hand("GET", "/v1/objects");
    let stranger = ByHand { seed: STRANGER, ..again() };
    assert_unauthenticated(&stranger.send(), "unknown key");
    let expired = ByHand { created: now - 61, lifetime: 60, ..again() };
    assert_unauthenticated(&expired.send(), "expired");
    let early = ByHand { created: now + 30, ..again() };
    assert_unauthenticated(&early.send(), "not yet valid");
    let long = ByHand { lifetime: 61, ..again() };
    assert_unauthenticated(&long.send(), "too long");
    let mut forged = String::from_utf8(again().bytes()).unwrap();
    let at = forged.find("signature: bailiwick=:").unwrap() + 30;
    let other = if &forged[at..=at] == "A" { "B" } else { "A" };
    forged.replace_range(at..=at, other);
    assert_unauthenticated(&send(SHARED.address, forged.as_bytes()), "bad signature");
    let unsigned = again().unsigned_bytes(&[("signature".into(), "x".into())]);
    assert_unauthenticated(&send(SHARED.address, &unsigned), "rubbish");
}

/// A02: a signature over another method, path, host or authority is refused; over another body too.
#[test]
fn a02_signature_over_something_else() {
    let object = Object::new(20, 2000);
    let path = format!("{}/envelope", object.path());
    let of = || SHARED.by_hand("GET", path.clone());
    assert_eq!(of().send().status, 404, "honest twin: authenticated, no such object");
    let other_path = ByHand { signed_path: Some("/v1/objects".into()), ..of() };
    assert_unauthenticated(&other_path.send(), "path");
    let other_host = ByHand { host: HostKey([9; 32]), ..of() };
    assert_unauthenticated(&other_host.send(), "another node");
    let other_authority = ByHand { authority: "other.example".into(), ..of() };
    assert_unauthenticated(&other_authority.send(), "authority");
    let as_head = String::from_utf8(SHARED.by_hand("GET", object.path() + "/body").bytes()).unwrap();
    let as_head = send(SHARED.address, as_head.replacen("GET", "HEAD", 1).as_bytes());
    assert_eq!(as_head.status, 401, "method");
    assert_eq!(SHARED.by_hand("HEAD", object.path() + "/body").send().status, 404, "honest twin");

    // The body: an envelope that is not the signed one, and a challenge that is not.
    let mut upload = object.by_hand(&SHARED);
    upload.body[40] ^= 1;
    assert_eq!(upload.send().status, 400);
    let mut challenge = SHARED.by_hand("POST", "/v1/challenges");
    challenge.seed = AUDITOR;
    challenge.content = Content::Digest(sha256(b"one"));
    challenge.headers.push(("content-length".into(), "3".into()));
    challenge.body = b"two".to_vec();
    let answer = challenge.send();
    assert_eq!((answer.status, answer.code().as_str()), (400, "bad-request"));
    challenge.nonce[0] ^= 1;
    challenge.body = b"one".to_vec();
    assert_eq!(challenge.send().code(), "challenge", "honest twin: authentic, and no challenge");
}

/// A03: an unsigned query has no effect: the request is refused. Signed, it works.
#[test]
fn a03_unsigned_query() {
    let mut request = SHARED.by_hand("GET", "/v1/objects");
    let bytes =
        String::from_utf8(request.bytes()).unwrap().replacen("/v1/objects ", "/v1/objects?limit=1 ", 1);
    assert_unauthenticated(&send(SHARED.address, bytes.as_bytes()), "query added");
    request.query = Some("limit=2".into());
    request.signed_query = Some("limit=1".into());
    assert_unauthenticated(&request.send(), "query changed");
    request.signed_query = None;
    request.nonce[0] ^= 1;
    assert_eq!(request.send().status, 200);
}

/// A04: the very same bytes work once, also after a crash, also after an orderly restart. A fresh signature works.
#[test]
fn a04_replay_across_restarts() {
    let mut node = Node::started();
    let object = Object::new(1, 2000);
    assert_eq!(object.by_hand(&node).send().status, 201);
    let delete = node.by_hand("DELETE", object.path());
    let captured = delete.bytes();
    assert_eq!(send(node.address, &captured).status, 204);
    assert_eq!(object.by_hand(&node).send().status, 201, "stored again");
    assert_unauthenticated(&send(node.address, &captured), "replayed at once");

    // The authority is signed, so the node must come back on the same port.
    node.config.listen = node.address;
    for crash in [true, false] {
        if crash {
            node.crash()
        } else {
            node.stop()
        }
        node.start();
        let answer = send(node.address, &captured);
        assert_eq!((answer.status, answer.code().as_str()), (425, "restart-floor"), "crash: {crash}");
        assert!(answer.head.to_lowercase().contains("retry-after: "), "{}", answer.head);
        let client = node.client(OWNER);
        assert_eq!(client.list_all().unwrap().len(), 1, "the client waits and signs again");
        assert_ne!(send(node.address, &captured).status, 204);
    }
}

/// A05: when the memory of nonces is full, requests are refused with Retry-After and nothing is forgotten.
#[test]
fn a05_full_memory_refuses() {
    let mut node = Node::new(|c| {
        c.limits.nonces = 3;
        c.limits.key_share_percent = 100;
    });
    node.start();
    let first = node.by_hand("GET", "/v1/objects");
    assert_eq!(first.send().status, 200);
    for _ in 0..2 {
        assert_eq!(node.by_hand("GET", "/v1/objects").send().status, 200);
    }
    let answer = node.by_hand("GET", "/v1/objects").send();
    assert_eq!((answer.status, answer.code().as_str()), (503, "busy"));
    assert!(answer.head.to_lowercase().contains("retry-after: "));
    assert_eq!(first.send().status, 401, "still remembered");
    let stranger = ByHand { seed: STRANGER, ..node.by_hand("GET", "/v1/objects") };
    assert_eq!(stranger.send().status, 401, "a stranger cannot tell");
}

/// A06: an auditor does not upload, an owner does not touch another's objects or ask challenges, a reader only reads.
#[test]
fn a06_capabilities_are_not_confused() {
    let object = Object::new(21, 2000);
    let refused = |seed: u8| {
        let mut upload = object.by_hand(&SHARED);
        upload.seed = seed;
        upload.send().status
    };
    assert_eq!(
        [refused(AUDITOR), refused(OTHER_OWNER), refused(READER), refused(STRANGER)],
        [403, 403, 403, 401]
    );
    assert!(object.put(&SHARED.client(OWNER)).unwrap().created);
    let reads = |seed: u8| SHARED.client(seed).get_range(&object.name, 0, 10).is_ok();
    assert_eq!([reads(OWNER), reads(AUDITOR), reads(READER), reads(OTHER_OWNER)], [true, true, true, false]);
    for seed in [AUDITOR, OTHER_OWNER, READER] {
        let error = SHARED.client(seed).delete(&object.name).unwrap_err();
        assert!(matches!(error, ClientError::Refused { status: 403, .. }), "{error}");
    }
    let mut challenge = SHARED.by_hand("POST", "/v1/challenges");
    challenge.content = Content::Digest(sha256(b""));
    challenge.headers.push(("content-length".into(), "0".into()));
    assert_eq!(challenge.send().status, 403);
    SHARED.client(OWNER).delete(&object.name).unwrap();
}

/// A reader's key owns nothing, what is signed with it neither.
#[test]
fn a06_a_reader_stores_nothing_of_its_own() {
    let put = |seed: u8| {
        let mut upload = Object::of(seed, 23, 2000, 1).by_hand(&SHARED);
        upload.seed = seed;
        upload.send().status
    };
    assert_eq!([put(READER), put(AUDITOR), put(OTHER_OWNER)], [403, 403, 201]);
}

/// A header that counts is there once, and says what was signed.
#[test]
fn a02_headers_twice_or_otherwise_are_refused() {
    let request = SHARED.by_hand("GET", "/v1/objects");
    assert_eq!(request.send().status, 200);
    let mut twice = SHARED.by_hand("GET", "/v1/objects");
    twice.headers.push((HOST_HEADER.to_owned(), twice.host.to_string()));
    assert_unauthenticated(&twice.send(), "twice");
    let bytes = String::from_utf8(SHARED.by_hand("GET", "/v1/objects").bytes()).unwrap();
    let said = format!("{HOST_HEADER}: {}", SHARED.host);
    assert_eq!(bytes.matches(&said).count(), 1);
    let other = bytes.replace(&said, &format!("{HOST_HEADER}: {}", "00".repeat(32)));
    assert_unauthenticated(&send(SHARED.address, other.as_bytes()), "another host");
}

/// An owner lists its own objects, in order, page by page; an auditor lists all.
#[test]
fn lists_are_by_owner_and_paged() {
    let node = Node::started();
    let client = node.client(OWNER);
    for id in [3, 1, 2] {
        Object::new(id, 200).put(&client).unwrap();
    }
    Object::of(OTHER_OWNER, 9, 200, 1).put(&node.client(OTHER_OWNER)).unwrap();
    let ids = |client: &bailiwick_client::Client| -> Vec<u8> {
        let (mut out, mut after) = (Vec::new(), None);
        loop {
            let page = client.list(after.as_deref(), 1).unwrap();
            out.extend(page.objects.iter().map(|o| o.object.0[0]));
            after = page.next;
            if after.is_none() {
                return out;
            }
        }
    };
    assert_eq!(ids(&client), [1, 2, 3]);
    assert_eq!(ids(&node.client(OTHER_OWNER)), [9]);
    let mut all = ids(&node.client(AUDITOR));
    all.sort_unstable();
    assert_eq!(all, [1, 2, 3, 9]);
    assert_eq!(client.list_all().unwrap()[0].name().unwrap().object.0, [1; 16]);
}

/// A11: other spellings of a path are refused and never reach another object.
#[test]
fn a11_path_spellings() {
    let object = Object::new(22, 200);
    object.put(&SHARED.client(OWNER)).unwrap();
    let path = format!("{}/envelope", object.path());
    assert_eq!(SHARED.by_hand("GET", path.clone()).send().status, 200);
    let upper = path.replace(&object.name.owner.to_string(), &object.name.owner.to_string().to_uppercase());
    assert_ne!(upper, path);
    let spellings = [
        upper,
        path.replace("/envelope", "%2fenvelope"),
        path.replace("envelope", "%65nvelope"),
        path.replace("envelope", "%2565nvelope"),
        path.replace("/envelope", "/%2e%2e/x/envelope"),
        path.replace("/envelope", "/../x/envelope"),
        path.replace("/envelope", "%00/envelope"),
        path.replace("/v1/", "//v1/"),
        path.replace("1-1-0-0", "1-1-0-00"),
        path.replace("1-1-0-0", "01-1-0-0"),
        path.replace("1-1-0-0", "1-1-1-0"),
    ];
    for spelling in spellings {
        assert_eq!(SHARED.by_hand("GET", spelling.clone()).send().status, 400, "{spelling}");
    }
    let full_width = path.replace("1-1-0-0", "１-1-0-0");
    assert_eq!(SHARED.by_hand("GET", full_width).send().status, 400);
}
