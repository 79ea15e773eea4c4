//! What anyone may ask: who the node is, whether it works, its figures.

use std::sync::{Arc, LazyLock};

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use bailiwick_protocol::api::{ErrorBody, HostInfo};

use super::{openapi_json, typed};
use crate::error::ApiError;
use crate::metrics::UnderWay;
use crate::state::{App, Fault};

/// Who this node is and which proofs it can make. Unsigned: check the key against one you pinned.
#[utoipa::path(get, path = "/v1/host", responses((status = 200, body = HostInfo)))]
pub(super) async fn host(State(app): State<Arc<App>>) -> Result<Json<HostInfo>, ApiError> {
    let circuits = Arc::clone(&app.circuits);
    let circuits =
        tokio::task::spawn_blocking(move || circuits.list()).await.map_err(|_| ApiError::internal())?;
    Ok(Json(HostInfo {
        host: app.host,
        version: env!("CARGO_PKG_VERSION").to_owned(),
        circuits,
        auditors: app.config.auditors.clone(),
    }))
}

/// The process answers.
#[utoipa::path(get, path = "/healthz", responses((status = 200, description = "ok")))]
pub(super) async fn healthz() -> &'static str {
    "ok\n"
}

/// The node takes changes.
#[utoipa::path(get, path = "/readyz", responses(
    (status = 200, description = "ready"),
    (status = 503, description = "an fsync failed, there are no prover threads, or the replay floor is far ahead of the clock", body = ErrorBody),
))]
pub(super) async fn readyz(State(app): State<Arc<App>>) -> Response {
    match app.fault() {
        None => "ready\n".into_response(),
        Some(Fault::FloorAhead(seconds)) => ApiError::floor_ahead(seconds).into_response(),
        Some(Fault::ReadOnly(what)) => {
            let help =
                "the host's log says what happened; look at it, then restart the node (docs/operations.md)";
            ApiError::new(StatusCode::SERVICE_UNAVAILABLE, "read-only", what, help).into_response()
        }
    }
}

/// Figures in the OpenMetrics text format: totals only, to whoever reaches the port. No key, object or address is named.
#[utoipa::path(get, path = "/metrics", responses((status = 200, description = "OpenMetrics text")))]
pub(super) async fn metrics(State(app): State<Arc<App>>) -> Response {
    let circuits = Arc::clone(&app.circuits);
    let unusable_cards = tokio::task::spawn_blocking(move || circuits.unusable()).await.unwrap_or_default();
    let under_way = UnderWay {
        unusable_cards,
        jobs: app.prover.unfinished(),
        nonces: app.replay.remembered(),
        uploads: app.uploads.taken(),
        floor_ahead_seconds: app.replay.ahead(app.now()).unwrap_or(0),
    };
    typed(
        "application/openmetrics-text; version=1.0.0; charset=utf-8",
        app.metrics.text(&app.store, under_way),
    )
}

/// This document.
#[utoipa::path(get, path = "/openapi.json", responses((status = 200, description = "OpenAPI 3.1 document")))]
pub(super) async fn openapi() -> Response {
    static DOCUMENT: LazyLock<String> = LazyLock::new(openapi_json);
    typed("application/json", DOCUMENT.as_str())
}
