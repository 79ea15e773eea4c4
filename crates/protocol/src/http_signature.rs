//! HTTP Message Signatures (RFC 9421) with Ed25519, in one strict profile, "bailiwick-v1" (spec node-api).
//!
//! Of the many things RFC 9421 allows, requests to a node use exactly one: a single signature under the label
//! `bailiwick`, over a list of components fixed by the kind of request, with a fixed set of parameters. The
//! component `bailiwick-host` carries the node's own public key, so a request means nothing to another node.
//! Who may do what, the memory of nonces and the clock belong to the caller.

mod digest;
#[cfg(test)]
mod tests;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

pub use digest::{format_digest, parse_digest, sha256};

use crate::ids::{HostKey, Signature};
use crate::signing::{SigningKey, verify_raw};

/// The one signature label (RFC 9421 section 4.1).
pub const SIGNATURE_LABEL: &str = "bailiwick";
/// Value of the `tag` parameter (RFC 9421 section 2.3).
pub const TAG: &str = "bailiwick-v1";
/// Value of the `alg` parameter (RFC 9421 section 6.2.2).
pub const ALGORITHM: &str = "ed25519";
/// Header with the public key of the node a request is for, hexadecimal.
pub const HOST_HEADER: &str = "bailiwick-host";
/// Header with the SHA-256 of the envelope at the start of an uploaded object, in the form of RFC 9530.
pub const ENVELOPE_DIGEST_HEADER: &str = "bailiwick-envelope-digest";
/// Header with the SHA-256 of a whole body (RFC 9530 section 2).
pub const CONTENT_DIGEST_HEADER: &str = "content-digest";
/// Bytes of either signature header, at most; ours are below 500.
pub const HEADER_BYTES_MAX: usize = 1024;

/// How the signature binds the body of a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Content {
    /// There is no body.
    None,
    /// `content-digest`: SHA-256 of the whole body.
    Digest([u8; 32]),
    /// An object: SHA-256 of its envelope (which binds the rest by BLAKE3), and the length of the whole body in bytes.
    Object {
        /// SHA-256 of the envelope bytes.
        envelope: [u8; 32],
        /// `Content-Length`.
        length: u64,
    },
}

/// The parts of a request that its signature covers, all of them, in this order.
#[derive(Clone, Copy, Debug)]
pub struct RequestParts<'a> {
    /// `@method`, upper case.
    pub method: &'a str,
    /// `@authority`: host in lower case, port unless it is the scheme's default (RFC 9421 section 2.2.3).
    pub authority: &'a str,
    /// `@path`, as sent.
    pub path: &'a str,
    /// `@query` without its question mark, as sent; covered whenever there is one.
    pub query: Option<&'a str>,
    /// The node the request is for.
    pub host: &'a HostKey,
    /// The body.
    pub content: Content,
}

/// Parameters of a signature.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SignatureParameters {
    /// Seconds since 1970-01-01 UTC.
    pub created: u64,
    /// Seconds since 1970-01-01 UTC, after `created`.
    pub expires: u64,
    /// Fresh per request.
    pub nonce: [u8; 16],
}

/// Values of the two signature headers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SignatureHeaders {
    /// `Signature-Input`.
    pub signature_input: String,
    /// `Signature`.
    pub signature: String,
}

/// What a verified signature says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Verified {
    /// Ed25519 public key that signed.
    pub key: [u8; 32],
    /// Its parameters.
    pub parameters: SignatureParameters,
}

/// How far from the verifier's clock a signature may be, in seconds.
#[derive(Clone, Copy, Debug)]
pub struct Window {
    /// `created` may be this long ago; also the longest allowed `expires - created`.
    pub past: u64,
    /// `created` may be this far in the future.
    pub future: u64,
}

/// Why a request's signature is refused. A server answers all of them alike.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum SignatureError {
    /// A header is missing, repeated, too long or not a structured field (RFC 9651).
    #[error("signature headers are missing or malformed")]
    Malformed,
    /// The covered components are not exactly those this kind of request needs.
    #[error("signature does not cover exactly the required components")]
    Components,
    /// The parameters are not exactly those of the profile.
    #[error("signature parameters are not those of {TAG}")]
    Parameters,
    /// The signature does not verify.
    #[error("signature does not verify")]
    BadSignature,
    /// `created` is further in the future than the window.
    #[error("signature is not valid yet")]
    NotYetValid,
    /// `expires`, or the window, has passed.
    #[error("signature has expired")]
    Expired,
}

/// The signature base (RFC 9421 section 2.5): one line per component, then the parameters.
///
/// `parameters` is the serialized inner list that `Signature-Input` carries.
#[must_use]
pub fn signature_base(components: &[(&str, String)], parameters: &str) -> String {
    let mut base = String::new();
    for (name, value) in components {
        base.push_str(&format!("\"{name}\": {value}\n"));
    }
    base + "\"@signature-params\": " + parameters
}

fn components(request: &RequestParts<'_>) -> Vec<(&'static str, String)> {
    let mut list = vec![
        ("@method", request.method.to_owned()),
        ("@authority", request.authority.to_owned()),
        ("@path", request.path.to_owned()),
    ];
    if let Some(query) = request.query {
        list.push(("@query", format!("?{query}")));
    }
    list.push((HOST_HEADER, request.host.to_string()));
    match request.content {
        Content::None => {}
        Content::Digest(digest) => list.push((CONTENT_DIGEST_HEADER, format_digest(&digest))),
        Content::Object { envelope, length } => {
            list.push((ENVELOPE_DIGEST_HEADER, format_digest(&envelope)));
            list.push(("content-length", length.to_string()));
        }
    }
    list
}

fn parameters_text(components: &[(&str, String)], p: &SignatureParameters, key: &[u8; 32]) -> String {
    let names: Vec<String> = components.iter().map(|(name, _)| format!("\"{name}\"")).collect();
    format!(
        "({});created={};expires={};nonce=\"{}\";keyid=\"{}\";alg=\"{ALGORITHM}\";tag=\"{TAG}\"",
        names.join(" "),
        p.created,
        p.expires,
        hex::encode(p.nonce),
        hex::encode(key),
    )
}

/// Signs a request.
#[must_use]
pub fn sign(request: &RequestParts<'_>, p: &SignatureParameters, key: &SigningKey) -> SignatureHeaders {
    let components = components(request);
    let parameters = parameters_text(&components, p, &key.public());
    let signature = key.sign_raw(signature_base(&components, &parameters).as_bytes());
    SignatureHeaders {
        signature_input: format!("{SIGNATURE_LABEL}={parameters}"),
        signature: format!("{SIGNATURE_LABEL}=:{}:", STANDARD.encode(signature.0)),
    }
}

/// Verifies a request's signature under the key it names, at `now` (seconds since 1970-01-01 UTC).
///
/// The caller decides whether that key may do this, and whether `(key, nonce)` is new.
///
/// # Errors
/// `SignatureError`. The signature is checked before the clock, so a refusal says nothing to who cannot sign.
pub fn verify(
    request: &RequestParts<'_>,
    headers: &SignatureHeaders,
    now: u64,
    window: Window,
) -> Result<Verified, SignatureError> {
    if headers.signature_input.len() > HEADER_BYTES_MAX || headers.signature.len() > HEADER_BYTES_MAX {
        return Err(SignatureError::Malformed);
    }
    let components = components(request);
    let (found, p, key) = parse_input(&headers.signature_input)?;
    if found.iter().map(String::as_str).ne(components.iter().map(|(name, _)| *name)) {
        return Err(SignatureError::Components);
    }
    let parameters = parameters_text(&components, &p, &key);
    // One text per meaning: order of parameters, white space and number forms are those we write.
    if headers.signature_input.strip_prefix(SIGNATURE_LABEL).and_then(|t| t.strip_prefix('='))
        != Some(&parameters)
    {
        return Err(SignatureError::Parameters);
    }
    let signature = parse_signature(&headers.signature)?;
    verify_raw(&key, signature_base(&components, &parameters).as_bytes(), &signature)
        .map_err(|_| SignatureError::BadSignature)?;
    if p.created > now.saturating_add(window.future) {
        return Err(SignatureError::NotYetValid);
    }
    let lifetime_is_right = p.expires > p.created && p.expires - p.created <= window.past;
    if !lifetime_is_right || p.expires < now || p.created.saturating_add(window.past) < now {
        return Err(SignatureError::Expired);
    }
    Ok(Verified { key, parameters: p })
}

/// Covered component names, parameters and key of a `Signature-Input` with exactly one label.
fn parse_input(text: &str) -> Result<(Vec<String>, SignatureParameters, [u8; 32]), SignatureError> {
    let dictionary: sfv::Dictionary =
        sfv::Parser::new(text).parse().map_err(|_| SignatureError::Malformed)?;
    let (1, Some(sfv::ListEntry::InnerList(list))) = (dictionary.len(), dictionary.get(SIGNATURE_LABEL))
    else {
        return Err(SignatureError::Malformed);
    };
    let mut names = Vec::with_capacity(list.items.len());
    for item in &list.items {
        // Component parameters (`;sf`, `;req`, ...) would change what a name means: none is used.
        let (true, Some(name)) = (item.params.is_empty(), item.bare_item.as_string()) else {
            return Err(SignatureError::Components);
        };
        names.push(name.as_str().to_owned());
    }
    let integer = |name: &str| {
        list.params.get(name).and_then(sfv::BareItem::as_integer).and_then(|v| u64::try_from(v).ok())
    };
    let string =
        |name: &str| list.params.get(name).and_then(sfv::BareItem::as_string).map(sfv::StringRef::as_str);
    let parameters = (|| {
        let mut nonce = [0; 16];
        hex::decode_to_slice(string("nonce")?, &mut nonce).ok()?;
        let mut key = [0; 32];
        hex::decode_to_slice(string("keyid")?, &mut key).ok()?;
        Some((SignatureParameters { created: integer("created")?, expires: integer("expires")?, nonce }, key))
    })();
    let (p, key) = parameters.ok_or(SignatureError::Parameters)?;
    Ok((names, p, key))
}

fn parse_signature(text: &str) -> Result<Signature, SignatureError> {
    let encoded = text
        .strip_prefix(SIGNATURE_LABEL)
        .and_then(|t| t.strip_prefix("=:"))
        .and_then(|t| t.strip_suffix(':'))
        .ok_or(SignatureError::Malformed)?;
    let bytes = STANDARD.decode(encoded).map_err(|_| SignatureError::Malformed)?;
    bytes.try_into().map(Signature).map_err(|_| SignatureError::Malformed)
}
