//! A large answer that holds a permit until it is sent.

use std::convert::Infallible;
use std::pin::Pin;
use std::task::{Context, Poll};

use axum::body::Bytes;
use http_body::{Body, Frame, SizeHint};
use tokio::sync::OwnedSemaphorePermit;

/// Bytes handed over at a time: what is not sent yet is asked for piece by piece.
const PIECE_BYTES: usize = 64 << 10;

/// Bytes, and the permit they were read with. Dropped when all is handed over, or the connection is gone.
pub(crate) struct Held {
    left: Bytes,
    _permit: OwnedSemaphorePermit,
}

impl Held {
    pub(crate) fn new(body: Vec<u8>, permit: OwnedSemaphorePermit) -> Self {
        Self { left: body.into(), _permit: permit }
    }
}

impl Body for Held {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        _: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        if self.left.is_empty() {
            return Poll::Ready(None);
        }
        let piece = self.left.len().min(PIECE_BYTES);
        Poll::Ready(Some(Ok(Frame::data(self.left.split_to(piece)))))
    }

    fn is_end_stream(&self) -> bool {
        self.left.is_empty()
    }

    fn size_hint(&self) -> SizeHint {
        SizeHint::with_exact(self.left.len() as u64)
    }
}
