//! The witness over HTTP (C2SP tlog-witness).

use std::sync::Arc;

use axum::Router;
use axum::extract::{Request, State};
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use bailiwick_store::files::StdFiles;
use bailiwick_translog::VerifierKey;
use bailiwick_translog::witness::{REQUEST_BYTES_MAX, Refusal, SIZE_CONTENT_TYPE};

use crate::config::WitnessConfig;
use crate::error::ServerError;
use crate::keyfile;
use crate::log_server::now;
use crate::serve::Peer;
use crate::witness_state::{Answer, WitnessState};

/// A witness that can be asked.
pub struct WitnessServer {
    state: WitnessState,
}

impl WitnessServer {
    /// Opens its key and its memory.
    ///
    /// # Errors
    /// `ServerError`.
    pub fn open(config: &WitnessConfig) -> Result<Self, ServerError> {
        let signer = keyfile::load(&config.witness_key)?;
        let logs = config.log_keys().unwrap_or_default();
        Ok(Self { state: WitnessState::open(Arc::new(StdFiles), &config.data_dir, signer, logs)? })
    }

    /// The witness's key.
    #[must_use]
    pub fn key(&self) -> &VerifierKey {
        self.state.key()
    }

    /// The routes.
    pub fn router(self: &Arc<Self>) -> Router {
        Router::new()
            .route("/add-checkpoint", post(add_checkpoint))
            .route("/healthz", get(|| async { "ok\n" }))
            .with_state(Arc::clone(self))
    }
}

async fn add_checkpoint(State(server): State<Arc<WitnessServer>>, request: Request) -> Response {
    let from = request.extensions().get::<Peer>().map(|peer| peer.0);
    let Ok(body) = axum::body::to_bytes(request.into_body(), REQUEST_BYTES_MAX).await else {
        return (StatusCode::BAD_REQUEST, "request is too long or broken off\n").into_response();
    };
    let answer =
        tokio::task::spawn_blocking(move || server.state.add_checkpoint_from(&body, now(), from)).await;
    match answer.unwrap_or(Answer::Failed) {
        Answer::Cosigned(line) => line.into_response(),
        Answer::Refused(Refusal::Stale { size }) => {
            let kind = HeaderValue::from_static(SIZE_CONTENT_TYPE);
            (StatusCode::CONFLICT, [(header::CONTENT_TYPE, kind)], format!("{size}\n")).into_response()
        }
        Answer::Refused(refusal) => {
            let status = StatusCode::from_u16(refusal.status()).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
            (status, format!("{refusal}\n")).into_response()
        }
        Answer::Failed => StatusCode::INTERNAL_SERVER_ERROR.into_response(),
    }
}
