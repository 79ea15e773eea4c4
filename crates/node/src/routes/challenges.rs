//! Challenges, the jobs they become, and their answers.

use std::sync::Arc;

use axum::Json;
use axum::extract::{Path, Request, State};
use axum::http::StatusCode;
use axum::response::Response;
use bailiwick_protocol::api::{ErrorBody, Job, MEDIA_TYPE_RESPONSE};
use bailiwick_protocol::challenge::SignedChallenge;
use bailiwick_protocol::codec::Canonical as _;
use bailiwick_protocol::ids::ChallengeDigest;

use super::typed;
use crate::auth::BodyKind;
use crate::error::ApiError;
use crate::incoming::Incoming;
use crate::prover::AnswerState;
use crate::state::App;

fn refused(code: &'static str, message: &'static str, help: &'static str) -> ApiError {
    ApiError::new(StatusCode::UNPROCESSABLE_ENTITY, code, message, help)
}

/// Queues a proof. The same challenge again is the same job: nothing is drawn anew, ever.
#[utoipa::path(post, path = "/v1/challenges",
    request_body(content_type = "application/vnd.bailiwick.challenge+cbor"),
    responses(
        (status = 202, body = Job), (status = 400, body = ErrorBody), (status = 401, body = ErrorBody),
        (status = 403, body = ErrorBody), (status = 404, description = "no inventory of this epoch", body = ErrorBody),
        (status = 410, description = "the inventory is not live any more", body = ErrorBody), (status = 422, body = ErrorBody),
        (status = 429, description = "this key has its share of the queue", body = ErrorBody), (status = 503, body = ErrorBody),
    ))]
pub(super) async fn challenge(
    State(app): State<Arc<App>>,
    request: Request,
) -> Result<(StatusCode, Json<Job>), ApiError> {
    let (parts, body) = request.into_parts();
    let caller = app.authenticate(&parts, BodyKind::Whole).await?;
    let auditor = caller.audits()?;
    let mut incoming = Incoming::new(body, &app.config.limits);
    let bytes = incoming.covered(SignedChallenge::BYTES_MAX, &caller.content).await?;
    // The auditor's signature is checked before anything inside is decoded.
    let challenge =
        SignedChallenge::from_bytes(&bytes).and_then(|s| s.verify(auditor.as_bytes())).map_err(|e| {
            ApiError::new(
                StatusCode::UNPROCESSABLE_ENTITY,
                "challenge",
                e.to_string(),
                "sign a challenge of this version",
            )
        })?;
    if challenge.auditor != auditor {
        return Err(refused("auditor", "the challenge names another auditor", "ask your own challenges"));
    }
    if challenge.host != app.host {
        return Err(refused("host", "the challenge is for another host", "name this host's key"));
    }
    let circuits = Arc::clone(&app.circuits);
    let vk = challenge.vk;
    let class =
        tokio::task::spawn_blocking(move || circuits.class(&vk)).await.map_err(|_| ApiError::internal())?;
    if class.ok() != Some(challenge.class) {
        let help = "give the host the proving key; GET /v1/host lists what it has";
        return Err(refused(
            "unknown-circuit",
            "this host has no proving key of that digest and class",
            help,
        ));
    }
    let asking = Arc::clone(&app);
    let challenge =
        app.with_store(move |_| super::inventories::check(&asking, &challenge).map(|()| challenge)).await?;
    let job = app
        .prover
        .submit(challenge)
        .map_err(|why| app.no_place("proof_queue", why, "too many challenges are waiting", 10))?;
    Ok((StatusCode::ACCEPTED, Json(job)))
}

async fn job_id(app: &App, path: &str, request: Request) -> Result<ChallengeDigest, ApiError> {
    let id = path.parse().map_err(|_| ApiError::bad_request("job id"))?;
    let (parts, _) = request.into_parts();
    app.authenticate(&parts, BodyKind::None).await?.audits()?;
    Ok(id)
}

/// Where a job stands.
#[utoipa::path(get, path = "/v1/jobs/{id}", params(("id" = String, Path, description = "digest of the challenge")),
    responses((status = 200, body = Job), (status = 401, body = ErrorBody), (status = 404, body = ErrorBody)))]
pub(super) async fn job(
    State(app): State<Arc<App>>,
    Path(path): Path<String>,
    request: Request,
) -> Result<Json<Job>, ApiError> {
    let id = job_id(&app, &path, request).await?;
    app.prover.job(&id).map(Json).ok_or_else(|| ApiError::not_found("no such job; ask the challenge again"))
}

/// The signed response: a proof, or that it cannot be made.
#[utoipa::path(get, path = "/v1/jobs/{id}/response", params(("id" = String, Path, description = "digest of the challenge")),
    responses(
        (status = 200, description = "canonical bytes", content_type = "application/vnd.bailiwick.response+cbor"),
        (status = 401, body = ErrorBody), (status = 404, body = ErrorBody),
        (status = 409, description = "not finished", body = ErrorBody),
        (status = 500, description = "failed; ask the same challenge again", body = ErrorBody),
    ))]
pub(super) async fn response(
    State(app): State<Arc<App>>,
    Path(path): Path<String>,
    request: Request,
) -> Result<Response, ApiError> {
    let id = job_id(&app, &path, request).await?;
    match app.prover.answer(&id) {
        Some(AnswerState::Ready(bytes)) => Ok(typed(MEDIA_TYPE_RESPONSE, bytes)),
        Some(AnswerState::Unfinished) => Err(ApiError::new(
            StatusCode::CONFLICT,
            "unfinished",
            "the job is not finished",
            "ask again later",
        )),
        Some(AnswerState::Failed) => Err(ApiError::internal()),
        None => Err(ApiError::not_found("no such job; ask the challenge again")),
    }
}
