//! Who asks: a strict signature of a known key, once.

use axum::http::{HeaderMap, header, request::Parts};
use bailiwick_protocol::http_signature::{
    CONTENT_DIGEST_HEADER, Content, ENVELOPE_DIGEST_HEADER, HOST_HEADER, RequestParts, SignatureHeaders,
    parse_digest, verify,
};
use bailiwick_protocol::ids::{AuditorKey, HostKey, OwnerKey};

use crate::error::ApiError;
use crate::replay::{Admission, WINDOW};
use crate::state::App;

/// What a request's signature must say about its body.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum BodyKind {
    None,
    Whole,
    Object,
}

/// A caller whose signature is good.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Caller {
    pub(crate) key: [u8; 32],
    owner: bool,
    auditor: bool,
    reader: bool,
    /// How the signature binds the body.
    pub(crate) content: Content,
}

impl Caller {
    /// May change what this owner stores.
    pub(crate) fn owns(&self, owner: &OwnerKey) -> Result<(), ApiError> {
        if self.owner && self.key == owner.0 { Ok(()) } else { Err(ApiError::forbidden()) }
    }

    /// May read what this owner stores.
    pub(crate) fn reads(&self, owner: &OwnerKey) -> Result<(), ApiError> {
        if self.auditor || self.reader { Ok(()) } else { self.owns(owner) }
    }

    /// May ask challenges.
    pub(crate) fn audits(&self) -> Result<AuditorKey, ApiError> {
        if self.auditor { Ok(AuditorKey(self.key)) } else { Err(ApiError::forbidden()) }
    }

    /// Whose objects it may list; `None` for everybody's.
    pub(crate) fn lists(&self) -> Option<OwnerKey> {
        if self.auditor || self.reader { None } else { Some(OwnerKey(self.key)) }
    }
}

/// The value of a header that occurs exactly once.
fn single<'a>(headers: &'a HeaderMap, name: &str) -> Option<&'a str> {
    let mut all = headers.get_all(name).iter();
    match (all.next(), all.next()) {
        (Some(value), None) => value.to_str().ok(),
        _ => None,
    }
}

impl App {
    /// Checks signature, key, and that the request is new; in this order, so that who cannot sign learns nothing.
    pub(crate) async fn authenticate(&self, parts: &Parts, body: BodyKind) -> Result<Caller, ApiError> {
        let content = content(&parts.headers, body)?;
        let now = self.now();
        let verified = (|| {
            let host = single(&parts.headers, header::HOST.as_str())?;
            let named: HostKey = single(&parts.headers, HOST_HEADER)?.parse().ok()?;
            let headers = SignatureHeaders {
                signature_input: single(&parts.headers, "signature-input")?.to_owned(),
                signature: single(&parts.headers, "signature")?.to_owned(),
            };
            let request = RequestParts {
                method: parts.method.as_str(),
                authority: &authority(host, self.secure),
                path: parts.uri.path(),
                query: parts.uri.query(),
                host: &self.host,
                content,
            };
            let verified = verify(&request, &headers, now, WINDOW).ok()?;
            (named == self.host).then_some(verified)
        })()
        .ok_or_else(ApiError::unauthenticated)?;
        let key = verified.key;
        let caller = Caller {
            key,
            owner: self.config.owners.contains(&OwnerKey(key)),
            auditor: self.config.auditors.contains(&AuditorKey(key)),
            reader: self.config.readers.contains(&OwnerKey(key)),
            content,
        };
        if !(caller.owner || caller.auditor || caller.reader) {
            return Err(ApiError::unauthenticated());
        }
        match self.admit(&verified, now).await? {
            Admission::Accepted => Ok(caller),
            Admission::Replayed => Err(ApiError::unauthenticated()),
            Admission::BelowFloor(seconds) => Err(ApiError::restart_floor(seconds)),
            Admission::FloorAhead(seconds) => Err(ApiError::floor_ahead(seconds)),
            Admission::NoPlace(why) => {
                Err(self.no_place("nonces", why, "too many signed requests within a minute", 5))
            }
            Admission::Closed => Err(ApiError::busy("the node is stopping", 5)),
            Admission::NeedsFloor(_) => Err(ApiError::busy("the replay floor is being written", 1)),
        }
    }
}

/// Host in lower case, without the scheme's default port (RFC 9421 section 2.2.3).
fn authority(host: &str, secure: bool) -> String {
    let host = host.to_ascii_lowercase();
    let default = if secure { ":443" } else { ":80" };
    host.strip_suffix(default).map(str::to_owned).unwrap_or(host)
}

fn content(headers: &HeaderMap, body: BodyKind) -> Result<Content, ApiError> {
    let chunked = headers.contains_key(header::TRANSFER_ENCODING);
    let length = match single(headers, header::CONTENT_LENGTH.as_str()) {
        Some(text) => Some(text.parse::<u64>().map_err(|_| ApiError::bad_request("Content-Length"))?),
        None => None,
    };
    let digest = |name| single(headers, name).and_then(parse_digest).ok_or_else(ApiError::unauthenticated);
    match body {
        BodyKind::None if chunked || length.is_some_and(|n| n > 0) => {
            Err(ApiError::bad_request("this request has no body"))
        }
        BodyKind::None => Ok(Content::None),
        _ if chunked => Err(ApiError::length_required()),
        BodyKind::Whole => {
            length.ok_or_else(ApiError::length_required)?;
            Ok(Content::Digest(digest(CONTENT_DIGEST_HEADER)?))
        }
        BodyKind::Object => {
            let length = length.ok_or_else(ApiError::length_required)?;
            Ok(Content::Object { envelope: digest(ENVELOPE_DIGEST_HEADER)?, length })
        }
    }
}

#[cfg(test)]
mod tests {
    use super::authority;

    #[test]
    fn default_ports_are_left_out() {
        assert_eq!(authority("Node.Example:443", true), "node.example");
        assert_eq!(authority("node.example:443", false), "node.example:443");
        assert_eq!(authority("node.example:80", false), "node.example");
        assert_eq!(authority("[::1]:8080", false), "[::1]:8080");
    }
}
