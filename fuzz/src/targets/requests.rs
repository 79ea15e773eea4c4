//! What a node reads from a request's head.

use bailiwick_protocol::http_signature::{
    Content, RequestParts, SignatureHeaders, SignatureParameters, Window, parse_digest, sign, verify,
};
use bailiwick_protocol::ids::{HostKey, UnitName};
use bailiwick_protocol::secret::Secret;
use bailiwick_protocol::signing::SigningKey;

const HOST: HostKey = HostKey([1; 32]);
const NOW: u64 = 1_000;

fn request() -> RequestParts<'static> {
    RequestParts {
        method: "GET",
        authority: "localhost:1",
        path: "/v1/objects",
        query: Some("limit=1"),
        host: &HOST,
        content: Content::None,
    }
}

fn signed() -> SignatureHeaders {
    let key = SigningKey::from_seed(&Secret::init_with(|b| b.fill(1)));
    sign(&request(), &SignatureParameters { created: NOW, expires: NOW + 30, nonce: [2; 16] }, &key)
}

/// The two headers, one on each line. Only the one text that was signed verifies.
pub(super) fn http_signature(data: &[u8]) -> bool {
    let Ok(text) = core::str::from_utf8(data) else { return false };
    let Some((signature_input, signature)) = text.split_once('\n') else { return false };
    let headers =
        SignatureHeaders { signature_input: signature_input.to_owned(), signature: signature.to_owned() };
    let accepted = verify(&request(), &headers, NOW, Window { past: 60, future: 5 }).is_ok();
    assert!(!accepted || headers == signed(), "a second text of a signature verifies");
    accepted
}

pub(super) fn http_signature_seeds() -> Vec<Vec<u8>> {
    let h = signed();
    vec![format!("{}\n{}", h.signature_input, h.signature).into_bytes()]
}

/// Names in paths and digests in headers: one text each.
pub(super) fn names(data: &[u8]) -> bool {
    let Ok(text) = core::str::from_utf8(data) else { return false };
    if let Some(digest) = parse_digest(text) {
        assert_eq!(parse_digest(&bailiwick_protocol::http_signature::format_digest(&digest)), Some(digest));
    }
    let Ok(name) = text.parse::<UnitName>() else { return false };
    assert_eq!(name.to_string(), text, "an object has a second name");
    true
}

pub(super) fn names_seeds() -> Vec<Vec<u8>> {
    vec![format!("{}/{}/1-1-0-0", "0a".repeat(32), "0b".repeat(16)).into_bytes()]
}
