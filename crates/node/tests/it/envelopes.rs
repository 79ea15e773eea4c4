//! Envelopes alone: which replace what is stored, by name, and which are served.

use bailiwick_client::ClientError;
use bailiwick_protocol::codec::Canonical as _;
use bailiwick_protocol::envelope::SignedEnvelope;
use bailiwick_protocol::http_signature::{Content, sha256};

use super::support::{ByHand, OTHER_OWNER, OWNER, Object, SHARED};

const SIZE: usize = 2000;

/// Sends an envelope to the place of `to`, signed as it should be.
fn replacing(to: &Object, envelope: &[u8]) -> ByHand<'static> {
    let mut request = SHARED.by_hand("PUT", to.path() + "/envelope");
    request.content = Content::Digest(sha256(envelope));
    request.headers = vec![
        ("content-type".into(), "application/vnd.bailiwick.envelope+cbor".into()),
        ("content-length".into(), envelope.len().to_string()),
    ];
    request.body = envelope.to_vec();
    request
}

/// Puts an object, has `attack` refused with `code` and nothing changed, and then replaces its envelope as an owner does.
#[track_caller]
fn refused(id: u8, (status, code): (u16, &str), attack: impl FnOnce(&Object) -> ByHand<'static>) {
    let stored = Object::of(OWNER, id, SIZE, 2);
    let client = SHARED.client(OWNER);
    stored.put(&client).unwrap();
    let answer = attack(&stored).send();
    assert_eq!((answer.status, answer.code().as_str()), (status, code), "{}", answer.text());
    assert!(client.envelope(&stored.name).unwrap().to_bytes() == stored.signed, "it was replaced");
    let next = Object::of(OWNER, id, SIZE, 3);
    assert_eq!(replacing(&stored, &next.signed).send().status, 201, "honest twin");
    assert!(client.envelope(&stored.name).unwrap().to_bytes() == next.signed);
}

/// The next generation, changed.
fn next(stored: &Object, change: impl FnOnce(&mut Object)) -> Object {
    let mut next = stored.clone();
    next.envelope.generation += 1;
    change(&mut next);
    Object::sealed(OWNER, next.envelope, Vec::new())
}

#[test]
fn of_another_object_is_refused() {
    refused(70, (422, "name"), |stored| {
        let other = Object::of(OWNER, 71, SIZE, 1);
        other.put(&SHARED.client(OWNER)).unwrap();
        replacing(stored, &next(&other, |_| ()).signed)
    });
    let untouched = Object::of(OWNER, 71, SIZE, 1);
    assert!(SHARED.client(OWNER).envelope(&untouched.name).unwrap().to_bytes() == untouched.signed);
}

/// Signed by somebody else in the owner's name.
#[test]
fn of_another_owners_signature_is_refused() {
    refused(72, (422, "envelope"), |stored| {
        let forged = Object::sealed(OTHER_OWNER, next(stored, |_| ()).envelope, Vec::new());
        replacing(stored, &forged.signed)
    });
}

/// Of what nobody has shown to be the owner's nothing is believed, its name neither: it is refused for its signature.
#[test]
fn of_another_owners_signature_is_not_read() {
    refused(84, (422, "envelope"), |stored| {
        let other = next(stored, |o| o.envelope.object.0 = [85; 16]);
        replacing(stored, &Object::sealed(OTHER_OWNER, other.envelope, Vec::new()).signed)
    });
}

/// Bytes that are no envelope at all.
#[test]
fn of_no_form_is_refused() {
    refused(73, (422, "envelope"), |stored| replacing(stored, b"no envelope"));
}

#[test]
fn another_of_the_same_generation_is_refused() {
    refused(74, (409, "equivocation"), |stored| {
        replacing(
            stored,
            &next(stored, |o| {
                o.envelope.generation -= 1;
                o.envelope.policy = Some([7; 32]);
            })
            .signed,
        )
    });
}

#[test]
fn an_older_generation_is_refused() {
    refused(75, (409, "lower-generation"), |stored| {
        replacing(stored, &next(stored, |o| o.envelope.generation = 1).signed)
    });
}

#[test]
fn without_a_commitment_is_refused() {
    refused(76, (422, "no-commitment"), |stored| {
        replacing(stored, &next(stored, |o| o.envelope.commitment = None).signed)
    });
}

#[test]
fn over_another_body_is_refused() {
    refused(77, (422, "blake3"), |stored| {
        replacing(stored, &next(stored, |o| o.envelope.body.blake3.0[0] ^= 1).signed)
    });
}

#[test]
fn longer_than_any_envelope_is_refused() {
    refused(78, (413, "too-large"), |stored| replacing(stored, &vec![0; SignedEnvelope::BYTES_MAX + 1]));
}

/// Other bytes than the request's signature covers.
#[test]
fn other_bytes_than_were_signed_for_are_refused() {
    refused(79, (400, "bad-request"), |stored| {
        let later = next(stored, |o| o.envelope.generation += 1);
        let mut request = replacing(stored, &next(stored, |_| ()).signed);
        assert_eq!(request.body.len(), later.signed.len());
        request.body = later.signed;
        request
    });
}

#[test]
fn of_another_media_type_is_refused() {
    refused(80, (415, "media-type"), |stored| {
        let mut request = replacing(stored, &next(stored, |_| ()).signed);
        request.headers[0].1 = "application/vnd.bailiwick.object".into();
        request
    });
}

#[test]
fn of_unknown_length_is_refused() {
    refused(81, (411, "length-required"), |stored| {
        let mut request = replacing(stored, &next(stored, |_| ()).signed);
        request.headers.remove(1);
        request
    });
}

/// Another owner, known to the node, asks with its own key.
#[test]
fn asked_for_by_another_owner_is_refused() {
    refused(82, (403, "forbidden"), |stored| {
        let mut request = replacing(stored, &next(stored, |_| ()).signed);
        request.seed = OTHER_OWNER;
        request
    });
}

/// Of what is not stored nothing is served, replaced or deleted; a block that is not there has no path.
#[test]
fn what_is_not_there_is_404() {
    let absent = Object::new(83, SIZE);
    let get = |path: &str| SHARED.by_hand("GET", absent.path() + path).send().status;
    assert_eq!([get("/envelope"), get("/body"), get("/blocks/0/path")], [404; 3]);
    assert_eq!(replacing(&absent, &absent.signed).send().status, 404);
    let client = SHARED.client(OWNER);
    assert!(matches!(client.delete(&absent.name), Err(ClientError::Refused { status: 404, .. })));
    absent.put(&client).unwrap();
    assert_eq!([get("/envelope"), get("/body"), get("/blocks/0/path")], [200; 3]);
    assert_eq!(get("/blocks/1/path"), 404);
    for spelled in ["/blocks/00/path", "/blocks/+0/path", "/blocks/x/path"] {
        assert_eq!(get(spelled), 400, "{spelled}");
    }
    client.delete(&absent.name).unwrap();
}
