use super::*;
use crate::secret::Secret;

/// RFC 9421 Appendix B.1.4, test-key-ed25519: the last 32 bytes of the PKCS#8 private key.
fn rfc_key() -> SigningKey {
    let pkcs8 = STANDARD.decode("MC4CAQAwBQYDK2VwBCIEIJ+DYvh6SEqVTm50DFtMDoQikTmiCqirVv9mWG9qfSnF").unwrap();
    SigningKey::from_seed(&Secret::init_with(|s| s.copy_from_slice(&pkcs8[16..])))
}

/// RFC 9421 Appendix B.2.6: signing a request using ed25519, over the request of Appendix B.2.
#[test]
fn rfc9421_b_2_6_signature_is_reproduced() {
    let spki = STANDARD.decode("MCowBQYDK2VwAyEAJrQLj5P/89iXES9+vFgrIy29clF9CC/oPPsw3c5D0bs=").unwrap();
    assert_eq!(rfc_key().public(), spki[12..]);
    let components = [
        ("date", "Tue, 20 Apr 2021 02:07:55 GMT".to_owned()),
        ("@method", "POST".to_owned()),
        ("@path", "/foo".to_owned()),
        ("@authority", "example.com".to_owned()),
        ("content-type", "application/json".to_owned()),
        ("content-length", "18".to_owned()),
    ];
    let parameters = concat!(
        r#"("date" "@method" "@path" "@authority" "content-type" "content-length")"#,
        r#";created=1618884473;keyid="test-key-ed25519""#
    );
    let base = signature_base(&components, parameters);
    let signature = rfc_key().sign_raw(base.as_bytes());
    assert_eq!(
        STANDARD.encode(signature.0),
        "wqcAqbmYJ2ji2glfAMaRy4gruYYnx2nEFN2HN6jrnDnQCK1u02Gb04v9EDgwUPiu4A0w6vuQv5lIp5WPpBKRCw=="
    );
}

/// RFC 9530 Appendix D style: the SHA-256 digest of the B.2 body as RFC 9421 prints its SHA-512 twin.
#[test]
fn rfc9530_digest_of_hello_world_with_a_newline() {
    // RFC 9530 Appendix B.1: {"hello": "world"} followed by LF.
    let field = format_digest(&sha256(b"{\"hello\": \"world\"}\n"));
    assert_eq!(field, "sha-256=:RK/0qy18MlBSVnWgjwz6lZEWjP/lF5HF9bvEF8FabDg=:");
    assert_eq!(parse_digest(&field), Some(sha256(b"{\"hello\": \"world\"}\n")));
    for other in ["", "sha-256=::", "sha-512=:RK/0qy18MlBSVnWgjwz6lZEWjP/lF5HF9bvEF8FabDg=:", "sha-256=RK"] {
        assert_eq!(parse_digest(other), None, "{other}");
    }
    assert_eq!(parse_digest(&format!("{field}, {field}")), None);
}

const HOST: HostKey = HostKey([7; 32]);
const NOW: u64 = 1_800_000_000;
const WINDOW: Window = Window { past: 60, future: 60 };

fn request() -> RequestParts<'static> {
    RequestParts {
        method: "PUT",
        authority: "node.example:8443",
        path: "/v1/objects/a/b/1-1-0-0",
        query: None,
        host: &HOST,
        content: Content::Object { envelope: [3; 32], length: 1000 },
    }
}

fn parameters() -> SignatureParameters {
    SignatureParameters { created: NOW, expires: NOW + 30, nonce: [9; 16] }
}

fn signed() -> SignatureHeaders {
    sign(&request(), &parameters(), &rfc_key())
}

#[test]
fn honest_request_verifies_and_says_who_and_when() {
    let v = verify(&request(), &signed(), NOW, WINDOW).unwrap();
    assert_eq!(v, Verified { key: rfc_key().public(), parameters: parameters() });
}

/// A02: a signature over another method, path, query, host, authority, length or body is refused.
#[test]
fn a02_every_covered_part_matters() {
    let other_host = HostKey([8; 32]);
    let r = request();
    let changed = [
        RequestParts { method: "DELETE", ..r },
        RequestParts { authority: "node.example", ..r },
        RequestParts { path: "/v1/objects/a/b/1-1-0-1", ..r },
        RequestParts { host: &other_host, ..r },
        RequestParts { content: Content::Object { envelope: [4; 32], length: 1000 }, ..r },
        RequestParts { content: Content::Object { envelope: [3; 32], length: 1001 }, ..r },
    ];
    for request in changed {
        assert_eq!(
            verify(&request, &signed(), NOW, WINDOW),
            Err(SignatureError::BadSignature),
            "{request:?}"
        );
    }
}

/// A03: a query that the signature does not cover is refused, so it has no effect.
#[test]
fn a03_unsigned_query_is_refused() {
    let with_query = RequestParts { query: Some("limit=1"), ..request() };
    assert_eq!(verify(&with_query, &signed(), NOW, WINDOW), Err(SignatureError::Components));
    let headers = sign(&with_query, &parameters(), &rfc_key());
    assert!(verify(&with_query, &headers, NOW, WINDOW).is_ok());
    assert_eq!(verify(&request(), &headers, NOW, WINDOW), Err(SignatureError::Components));
    let other = RequestParts { query: Some("limit=2"), ..request() };
    assert_eq!(verify(&other, &headers, NOW, WINDOW), Err(SignatureError::BadSignature));
}

/// A01: expired and not yet valid, with the last valid second beside each.
#[test]
fn a01_clock_window() {
    let at = |now| verify(&request(), &signed(), now, WINDOW).map(|_| ());
    assert_eq!(at(NOW - 60), Ok(()));
    assert_eq!(at(NOW - 61), Err(SignatureError::NotYetValid));
    assert_eq!(at(NOW + 30), Ok(()));
    assert_eq!(at(NOW + 31), Err(SignatureError::Expired));
    // A lifetime longer than the window would outlive the memory of its nonce.
    let long = SignatureParameters { expires: NOW + 61, ..parameters() };
    let headers = sign(&request(), &long, &rfc_key());
    assert_eq!(verify(&request(), &headers, NOW, WINDOW), Err(SignatureError::Expired));
    let backwards = SignatureParameters { expires: NOW, ..parameters() };
    let headers = sign(&request(), &backwards, &rfc_key());
    assert_eq!(verify(&request(), &headers, NOW, WINDOW), Err(SignatureError::Expired));
}

/// Signs any `Signature-Input` member, so that a refusal is for its form and not for a bad signature.
fn signed_with(parameters: &str, components: &[(&str, String)]) -> SignatureHeaders {
    let signature = rfc_key().sign_raw(signature_base(components, parameters).as_bytes());
    SignatureHeaders {
        signature_input: format!("{SIGNATURE_LABEL}={parameters}"),
        signature: format!("{SIGNATURE_LABEL}=:{}:", STANDARD.encode(signature.0)),
    }
}

#[test]
fn other_forms_of_the_same_signature_are_refused() {
    let list = components(&request());
    let text = parameters_text(&list, &parameters(), &rfc_key().public());
    assert!(verify(&request(), &signed_with(&text, &list), NOW, WINDOW).is_ok());
    let forms = [
        text.replace("alg=\"ed25519\"", "alg=\"hmac-sha256\""),
        text.replace("bailiwick-v1", "other"),
        text.replace(";alg=\"ed25519\"", ""),
        format!("{text};extra=1"),
        text.replace(") ;", ");").replace("\" \"", "\"  \""),
        text.replace("created=1800000000;expires=1800000030", "expires=1800000030;created=1800000000"),
        text.replace("keyid=\"2", "keyid=\"02"),
        text.replace(";nonce=\"09", ";nonce=\"0"),
    ];
    for form in forms {
        assert_ne!(form, text);
        let refused = verify(&request(), &signed_with(&form, &list), NOW, WINDOW);
        assert!(
            matches!(refused, Err(SignatureError::Parameters | SignatureError::Malformed)),
            "{form}: {refused:?}"
        );
    }
    let fewer = &list[..list.len() - 1];
    let text = parameters_text(fewer, &parameters(), &rfc_key().public());
    assert_eq!(verify(&request(), &signed_with(&text, fewer), NOW, WINDOW), Err(SignatureError::Components));
    let mut more = list.clone();
    more.push(("date", "x".to_owned()));
    let text = parameters_text(&more, &parameters(), &rfc_key().public());
    assert_eq!(verify(&request(), &signed_with(&text, &more), NOW, WINDOW), Err(SignatureError::Components));
}

#[test]
fn two_labels_and_rubbish_are_refused() {
    let good = signed();
    let two = SignatureHeaders {
        signature_input: format!("{}, b=(\"@method\")", good.signature_input),
        ..good.clone()
    };
    assert_eq!(verify(&request(), &two, NOW, WINDOW), Err(SignatureError::Malformed));
    let other_label = SignatureHeaders {
        signature_input: good.signature_input.replacen("bailiwick=", "sig1=", 1),
        signature: good.signature.replacen("bailiwick=", "sig1=", 1),
    };
    assert_eq!(verify(&request(), &other_label, NOW, WINDOW), Err(SignatureError::Malformed));
    let long =
        SignatureHeaders { signature: format!("{}{}", good.signature, " ".repeat(1024)), ..good.clone() };
    assert_eq!(verify(&request(), &long, NOW, WINDOW), Err(SignatureError::Malformed));
    for text in ["", "bailiwick", "bailiwick=1", "bailiwick=()", "bailiwick=::", "\u{0}", "bailiwick=:AA==:"]
    {
        let bad = SignatureHeaders { signature_input: text.to_owned(), ..good.clone() };
        assert!(verify(&request(), &bad, NOW, WINDOW).is_err(), "{text}");
        let bad = SignatureHeaders { signature: text.to_owned(), ..good.clone() };
        assert!(verify(&request(), &bad, NOW, WINDOW).is_err(), "{text}");
    }
}

#[test]
fn another_key_is_refused() {
    let other = SigningKey::from_seed(&Secret::init_with(|s| s.fill(1)));
    let forged = sign(&request(), &parameters(), &other).signature;
    let headers = SignatureHeaders { signature: forged, ..signed() };
    assert_eq!(verify(&request(), &headers, NOW, WINDOW), Err(SignatureError::BadSignature));
}
