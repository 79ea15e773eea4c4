//! Reading a request's body with an eye on the clock (A08).

use std::time::Duration;

use axum::body::Body;
use axum::http::StatusCode;
use bytes::{Bytes, BytesMut};
use http_body_util::BodyExt as _;
use tokio::time::{Instant, timeout};

use crate::config::Limits;
use crate::error::ApiError;

/// Bytes thrown away after a refusal, at most, so that the refusal is read and not lost to a reset connection.
const DRAIN_BYTES_MAX: u64 = 64 << 20;
/// Time spent on that, at most.
const DRAIN_TIME: Duration = Duration::from_secs(5);

/// A body as it arrives. Pieces must come within the idle time, and after it at the least rate on average.
pub(crate) struct Incoming {
    body: Body,
    /// Came with the piece before, not asked for yet.
    rest: Bytes,
    started: Instant,
    received: u64,
    idle: Duration,
    rate_min: u64,
}

impl Incoming {
    pub(crate) fn new(body: Body, limits: &Limits) -> Self {
        Self {
            body,
            rest: Bytes::new(),
            started: Instant::now(),
            received: 0,
            idle: Duration::from_secs(limits.idle_seconds),
            rate_min: limits.body_bytes_per_second_min,
        }
    }

    /// The next piece, not empty; `None` at the end.
    pub(crate) async fn next(&mut self) -> Result<Option<Bytes>, ApiError> {
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
            if elapsed > self.idle && self.received / elapsed.as_secs().max(1) < self.rate_min {
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

    /// Throws the rest away, within bounds.
    pub(crate) async fn drain(mut self) {
        let until = self.received + DRAIN_BYTES_MAX;
        let all = async { while self.received < until && matches!(self.next().await, Ok(Some(_))) {} };
        // Out of time is as good as done: the connection closes either way.
        timeout(DRAIN_TIME, all).await.ok();
    }
}
