//! Who adds an entry: a strict signature (RFC 9421, as for nodes) of a known key, once. The log's own public key stands where a node's
//! would, so a request means nothing to another log or to a node.

use std::collections::{BTreeMap, HashSet};
use std::sync::{Mutex, PoisonError};

use axum::http::{HeaderMap, header, request::Parts};
use bailiwick_protocol::http_signature::{
    CONTENT_DIGEST_HEADER, Content, HOST_HEADER, RequestParts, SignatureHeaders, Verified, Window,
    parse_digest, verify,
};
use bailiwick_protocol::ids::HostKey;

/// How far a request's time may be from the log's clock, in seconds.
const WINDOW: Window = Window { past: 60, future: 10 };
/// Requests remembered; all of a minute's.
const REMEMBERED_MAX: usize = 1_000_000;

/// Why a request is not admitted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Refused {
    /// Not signed, badly signed, signed by an unknown key, too old, or seen before: one answer for all.
    Unauthenticated,
    /// Created before this process started: sign again after this many seconds.
    TooEarly(u64),
    /// Too many requests within a minute.
    Full,
}

/// Admits each request of a known key once.
pub(crate) struct Submitters {
    log: HostKey,
    known: HashSet<[u8; 32]>,
    /// The second this process started: what came before, another process may have accepted.
    floor: u64,
    seen: Mutex<Seen>,
}

type Nonce = ([u8; 32], [u8; 16]);

#[derive(Default)]
struct Seen {
    by_second: BTreeMap<u64, HashSet<Nonce>>,
    count: usize,
    /// Highest second that was forgotten, so that a clock that is set back revives nothing.
    forgotten: u64,
}

/// The value of a header that occurs exactly once.
fn single<'a>(headers: &'a HeaderMap, name: &str) -> Option<&'a str> {
    let mut all = headers.get_all(name).iter();
    match (all.next(), all.next()) {
        (Some(value), None) => value.to_str().ok(),
        _ => None,
    }
}

impl Submitters {
    /// `now` is the start, in seconds since 1970-01-01 UTC.
    pub(crate) fn new(log: [u8; 32], known: impl IntoIterator<Item = [u8; 32]>, now: u64) -> Self {
        Self { log: HostKey(log), known: known.into_iter().collect(), floor: now, seen: Mutex::default() }
    }

    /// Gives the SHA-256 the body must have.
    pub(crate) fn admit(&self, parts: &Parts, now: u64) -> Result<[u8; 32], Refused> {
        let (digest, verified) = self.authenticate(parts, now).ok_or(Refused::Unauthenticated)?;
        self.remember(&verified, now)?;
        Ok(digest)
    }

    fn authenticate(&self, parts: &Parts, now: u64) -> Option<([u8; 32], Verified)> {
        let host = single(&parts.headers, header::HOST.as_str())?.to_ascii_lowercase();
        let named: HostKey = single(&parts.headers, HOST_HEADER)?.parse().ok()?;
        let digest = parse_digest(single(&parts.headers, CONTENT_DIGEST_HEADER)?)?;
        let headers = SignatureHeaders {
            signature_input: single(&parts.headers, "signature-input")?.to_owned(),
            signature: single(&parts.headers, "signature")?.to_owned(),
        };
        let request = RequestParts {
            method: parts.method.as_str(),
            // The scheme's default port is left out (RFC 9421 section 2.2.3); behind a proxy either may have been it.
            authority: host.strip_suffix(":80").or(host.strip_suffix(":443")).unwrap_or(&host),
            path: parts.uri.path(),
            query: parts.uri.query(),
            host: &self.log,
            content: Content::Digest(digest),
        };
        let verified = verify(&request, &headers, now, WINDOW).ok()?;
        (named == self.log && self.known.contains(&verified.key)).then_some((digest, verified))
    }

    fn remember(&self, request: &Verified, now: u64) -> Result<(), Refused> {
        let mut seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
        while let Some(oldest) = seen.by_second.first_entry() {
            let second = *oldest.key();
            if second >= now.saturating_sub(WINDOW.past) {
                break;
            }
            let gone = oldest.remove().len();
            seen.count -= gone;
            seen.forgotten = second.max(seen.forgotten);
        }
        let floor = self.floor.max(seen.forgotten);
        let created = request.parameters.created;
        if created <= floor {
            return Err(Refused::TooEarly((floor + 1).saturating_sub(now).clamp(1, WINDOW.past)));
        }
        let nonce = (request.key, request.parameters.nonce);
        if seen.by_second.values().any(|set| set.contains(&nonce)) {
            return Err(Refused::Unauthenticated);
        }
        if seen.count >= REMEMBERED_MAX {
            return Err(Refused::Full);
        }
        seen.by_second.entry(created).or_default().insert(nonce);
        seen.count += 1;
        Ok(())
    }
}
