//! Reading a request's body with an eye on the clock (A08).

use std::time::Duration;

use axum::body::Body;
use axum::http::StatusCode;
use bailiwick_protocol::http_signature::{Content, sha256};
use bytes::{Bytes, BytesMut};
use http_body_util::BodyExt as _;
use tokio::time::{Instant, timeout};

use crate::config::Limits;
use crate::error::ApiError;

/// After a refusal that came before the body: how many bytes of it are read and thrown away.
const LINGER_BYTES: u64 = 64 << 20;
/// Head start of the answer. A body that is asked for before the answer is written makes hyper say `100 Continue`.
const LINGER_AFTER: Duration = Duration::from_millis(100);

/// Reads on in the background, within bounds, while the answer is sent at once: a connection that is closed with bytes
/// unread is reset, and a client that is still writing would see a broken pipe instead of its answer. What comes beyond the
/// bounds is cut off.
pub(crate) fn linger(body: Body, limits: &Limits) {
    let mut incoming = Incoming::new(body, limits);
    let patience = Duration::from_secs(limits.linger_seconds);
    tokio::spawn(async move {
        tokio::time::sleep(LINGER_AFTER).await;
        let reading = async {
            while incoming.received < LINGER_BYTES && matches!(incoming.next().await, Ok(Some(_))) {}
        };
        timeout(patience, reading).await.ok();
    });
}

/// A body as it arrives. Pieces must come within the idle time, and after it at the least rate on average.
pub(crate) struct Incoming {
    body: Body,
    /// Came with the piece before, not asked for yet.
    rest: Bytes,
    started: Instant,
    received: u64,
    idle: Duration,
    /// Time before the least rate is asked for.
    grace: Duration,
    rate_min: u64,
    /// Pause in a body nobody needs any more after which the answer is sent.
    drain_idle: Duration,
    /// Too slow or cut off: nothing more is expected of it.
    broken: bool,
}

impl Incoming {
    pub(crate) fn new(body: Body, limits: &Limits) -> Self {
        Self {
            body,
            rest: Bytes::new(),
            started: Instant::now(),
            received: 0,
            idle: Duration::from_secs(limits.idle_seconds),
            grace: Duration::from_secs(limits.idle_seconds),
            rate_min: limits.body_bytes_per_second_min,
            drain_idle: Duration::from_secs(limits.drain_idle_seconds),
            broken: false,
        }
    }

    /// The next piece, not empty; `None` at the end.
    pub(crate) async fn next(&mut self) -> Result<Option<Bytes>, ApiError> {
        let next = self.piece().await;
        self.broken |= next.is_err();
        next
    }

    async fn piece(&mut self) -> Result<Option<Bytes>, ApiError> {
        if !self.rest.is_empty() {
            return Ok(Some(std::mem::take(&mut self.rest)));
        }
        loop {
            let frame = timeout(self.idle, self.body.frame()).await.map_err(|_| ApiError::timeout())?;
            let Some(frame) = frame else { return Ok(None) };
            let cut = |_| {
                ApiError::new(StatusCode::BAD_REQUEST, "cut-short", "the body broke off", "send it again")
            };
            let Ok(piece) = frame.map_err(cut)?.into_data() else { continue };
            self.received += piece.len() as u64;
            let elapsed = self.started.elapsed();
            if elapsed > self.grace && self.received / elapsed.as_secs().max(1) < self.rate_min {
                return Err(ApiError::timeout());
            }
            if !piece.is_empty() {
                return Ok(Some(piece));
            }
        }
    }

    /// Exactly `length` bytes, which the caller has bounded.
    pub(crate) async fn exact(&mut self, length: usize) -> Result<Bytes, ApiError> {
        let mut out = BytesMut::new();
        while out.len() < length {
            let Some(mut piece) = self.next().await? else {
                return Err(ApiError::bad_request("the body is shorter than it says"));
            };
            let missing = length - out.len();
            if piece.len() > missing {
                self.rest = piece.split_off(missing);
            }
            out.extend_from_slice(&piece);
        }
        Ok(out.freeze())
    }

    /// The whole rest, refused beyond `max` bytes.
    pub(crate) async fn whole(&mut self, max: usize) -> Result<Bytes, ApiError> {
        let mut out = BytesMut::new();
        while let Some(piece) = self.next().await? {
            if out.len() + piece.len() > max {
                return Err(ApiError::too_large(max as u64));
            }
            out.extend_from_slice(&piece);
        }
        Ok(out.freeze())
    }

    /// The whole rest, which must be what the request's signature covers.
    pub(crate) async fn covered(&mut self, max: usize, content: &Content) -> Result<Bytes, ApiError> {
        let bytes = self.whole(max).await?;
        if *content == Content::Digest(sha256(&bytes)) {
            return Ok(bytes);
        }
        Err(ApiError::bad_request("the body is not the one the request's signature covers"))
    }

    /// Up to `max` bytes in one piece, less only at the end of the body.
    pub(crate) async fn batch(&mut self, max: usize) -> Result<Bytes, ApiError> {
        // Copied, so that tiny pieces do not each hold on to a buffer of the connection.
        let mut out = BytesMut::new();
        while out.len() < max {
            let Some(mut piece) = self.next().await? else { break };
            if piece.len() > max - out.len() {
                self.rest = piece.split_off(max - out.len());
            }
            out.extend_from_slice(&piece);
        }
        Ok(out.freeze())
    }

    /// Throws the rest away, so that the client, which sends all before it reads, gets its answer and not a reset
    /// connection. What bounds it is what bounds a body that is kept: its `Content-Length` and least rate; and a pause, after
    /// which the client is taken to wait for its answer.
    pub(crate) async fn drain(mut self) {
        self.idle = self.idle.min(self.drain_idle);
        while !self.broken && matches!(self.next().await, Ok(Some(_))) {}
    }
}
