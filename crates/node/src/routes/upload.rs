//! Storing an object: envelope first, judged, then the body as a stream onto the disk.

use std::sync::Arc;

use axum::Json;
use axum::extract::{Path, Request, State};
use axum::http::request::Parts;
use axum::http::{StatusCode, header};
use bailiwick_protocol::api::{ErrorBody, MEDIA_TYPE_ENVELOPE, MEDIA_TYPE_OBJECT, ObjectRecord};
use bailiwick_protocol::codec::Canonical as _;
use bailiwick_protocol::envelope::{Envelope, SignedEnvelope};
use bailiwick_protocol::http_signature::{Content, sha256};
use bailiwick_protocol::ids::UnitName;
use bailiwick_store::{Admission, Store, StoreError, Stored, Upload};

use super::objects::to_api;
use super::unit_name;
use crate::auth::BodyKind;
use crate::error::ApiError;
use crate::incoming::{Incoming, linger};
use crate::shares::Place;
use crate::state::App;

/// Bytes handed to the disk at a time; twice that is in memory for each upload.
const BATCH_BYTES: usize = 256 << 10;

/// Stores a unit, durably: LE32 envelope length, signed envelope, body. Signed by the owner in the path.
#[utoipa::path(put, path = "/v1/objects/{owner}/{object}/{unit}",
    params(("owner" = String, Path), ("object" = String, Path), ("unit" = String, Path)),
    request_body(content_type = "application/vnd.bailiwick.object"),
    responses(
        (status = 201, description = "stored", body = ObjectRecord),
        (status = 200, description = "this very envelope was stored already", body = ObjectRecord),
        (status = 400, body = ErrorBody), (status = 401, body = ErrorBody), (status = 403, body = ErrorBody),
        (status = 408, body = ErrorBody), (status = 411, body = ErrorBody), (status = 415, body = ErrorBody),
        (status = 409, description = "lower generation, or another envelope of the same", body = ErrorBody),
        (status = 413, body = ErrorBody),
        (status = 422, description = "by its code: envelope, owner, name, length, no-commitment (the envelope commits to no cells: `bailiwick commit`), body-header, blake3 or cell-root", body = ErrorBody),
        (status = 429, description = "this key has its share of the uploads, or of the signed requests a minute; Retry-After", body = ErrorBody),
        (status = 503, body = ErrorBody), (status = 507, body = ErrorBody),
    ))]
pub(super) async fn put_object(
    State(app): State<Arc<App>>,
    Path(path): Path<(String, String, String)>,
    request: Request,
) -> Result<(StatusCode, Json<ObjectRecord>), ApiError> {
    let (parts, body) = request.into_parts();
    let announced = match announced(&app, path, &parts).await {
        Ok(announced) => announced,
        Err(refusal) => {
            // Who asks first has sent nothing yet, and waits for the connection to end with the answer.
            if !parts.headers.contains_key(header::EXPECT) {
                linger(body, &app.config.limits);
            }
            return Err(refusal);
        }
    };
    let mut incoming = Incoming::new(body, &app.config.limits);
    let answer = receive(&app, announced, &mut incoming).await;
    // The answer may be known long before the body has come.
    incoming.drain().await;
    answer
}

/// Replaces the envelope of a stored unit by a later generation over the same body, durably. Signed by the owner in the path.
#[utoipa::path(put, path = "/v1/objects/{owner}/{object}/{unit}/envelope",
    params(("owner" = String, Path), ("object" = String, Path), ("unit" = String, Path)),
    request_body(content_type = "application/vnd.bailiwick.envelope+cbor"),
    responses(
        (status = 201, description = "replaced", body = ObjectRecord),
        (status = 200, description = "this very envelope was stored already", body = ObjectRecord),
        (status = 400, body = ErrorBody), (status = 401, body = ErrorBody), (status = 403, body = ErrorBody),
        (status = 404, description = "nothing is stored under this name", body = ErrorBody),
        (status = 409, description = "lower generation, or another envelope of the same", body = ErrorBody),
        (status = 411, body = ErrorBody), (status = 413, body = ErrorBody), (status = 415, body = ErrorBody),
        (status = 422, description = "by its code: envelope, owner, name, no-commitment, or blake3 when it is of another body", body = ErrorBody),
        (status = 429, description = "this key has its share of the uploads, or of the signed requests a minute; Retry-After", body = ErrorBody),
        (status = 503, body = ErrorBody), (status = 507, body = ErrorBody),
    ))]
pub(super) async fn put_envelope(
    State(app): State<Arc<App>>,
    Path(path): Path<(String, String, String)>,
    request: Request,
) -> Result<(StatusCode, Json<ObjectRecord>), ApiError> {
    let (parts, body) = request.into_parts();
    let name = unit_name(path)?;
    let caller = app.authenticate(&parts, BodyKind::Whole).await?;
    caller.owns(&name.owner)?;
    check_media_type(&parts, MEDIA_TYPE_ENVELOPE, "not an envelope", ENVELOPE_HELP)?;
    let place = place_of(&app, &name)?;
    let signed =
        Incoming::new(body, &app.config.limits).covered(SignedEnvelope::BYTES_MAX, &caller.content).await?;
    verified(&signed, &name)?;
    let replace = move |store: &Store| {
        // Until the work is done, also when nobody waits for the answer any more.
        let _place = place;
        store.replace_envelope(&signed, &name.owner)
    };
    Ok(answer(&app.with_store(replace).await?))
}

const ENVELOPE_HELP: &str = "send Content-Type: application/vnd.bailiwick.envelope+cbor";
const OBJECT_HELP: &str = "send Content-Type: application/vnd.bailiwick.object";

fn check_media_type(
    parts: &Parts,
    expected: &str,
    message: &'static str,
    help: &'static str,
) -> Result<(), ApiError> {
    let media_type = parts.headers.get(header::CONTENT_TYPE).map(header::HeaderValue::as_bytes);
    if media_type == Some(expected.as_bytes()) {
        return Ok(());
    }
    Err(ApiError::new(StatusCode::UNSUPPORTED_MEDIA_TYPE, "media-type", message, help))
}

/// A place among the uploads at a time.
fn place_of(app: &App, name: &UnitName) -> Result<Place, ApiError> {
    let taken = app.uploads.take(name.owner.0);
    taken.map_err(|why| app.no_place("uploads", why, "too many uploads at a time", 5))
}

fn answer(stored: &Stored) -> (StatusCode, Json<ObjectRecord>) {
    let status = if stored.already { StatusCode::OK } else { StatusCode::CREATED };
    (status, Json(to_api(&stored.record)))
}

/// An upload that may begin.
struct Announced {
    name: UnitName,
    /// SHA-256 of the signed envelope to come.
    digest: [u8; 32],
    /// Bytes of the whole request body.
    length: u64,
    /// Bytes its body may have.
    body_bytes_max: u64,
    /// Its place among the uploads at a time.
    place: Place,
}

/// What the head says, before any of the body is looked at: every refusal that needs no more than the head comes from here.
async fn announced(app: &App, path: (String, String, String), parts: &Parts) -> Result<Announced, ApiError> {
    let name = unit_name(path)?;
    let caller = app.authenticate(parts, BodyKind::Object).await?;
    caller.owns(&name.owner)?;
    check_media_type(parts, MEDIA_TYPE_OBJECT, "not an object", OBJECT_HELP)?;
    let Content::Object { envelope: digest, length } = caller.content else {
        return Err(ApiError::internal());
    };
    let body_bytes_max = app.body_bytes_max().await?;
    // The length of the envelope comes first, in 4 bytes.
    let upload_bytes_max = 4 + SignedEnvelope::BYTES_MAX as u64 + body_bytes_max;
    if length > upload_bytes_max {
        return Err(ApiError::too_large(upload_bytes_max));
    }
    let place = place_of(app, &name)?;
    Ok(Announced { name, digest, length, body_bytes_max, place })
}

async fn receive(
    app: &App,
    Announced { name, digest, length, body_bytes_max, place }: Announced,
    incoming: &mut Incoming,
) -> Result<(StatusCode, Json<ObjectRecord>), ApiError> {
    let head = incoming.exact(4).await?;
    let envelope_length = u32::from_le_bytes([head[0], head[1], head[2], head[3]]);
    let envelope_bytes = usize::try_from(envelope_length).unwrap_or(usize::MAX);
    if envelope_bytes > SignedEnvelope::BYTES_MAX {
        return Err(ApiError::too_large(SignedEnvelope::BYTES_MAX as u64));
    }
    if 4 + u64::from(envelope_length) > length {
        return Err(unprocessable("length", "the envelope is longer than the whole"));
    }
    let signed = incoming.exact(envelope_bytes).await?;
    if sha256(&signed) != digest {
        return Err(ApiError::bad_request("the envelope is not the one the request's signature covers"));
    }
    let envelope = verified(&signed, &name)?;
    if length != 4 + u64::from(envelope_length) + envelope.body.size {
        return Err(unprocessable("length", "Content-Length is not that of this envelope and its body"));
    }
    if envelope.body.size > body_bytes_max {
        return Err(ApiError::too_large(body_bytes_max));
    }
    // The place goes with the work: what begins is counted until it is done, also when the client goes away.
    let begin =
        move |store: &Store| store.begin_put(&signed, &name.owner).map(|admission| (admission, place));
    match app.with_store(begin).await? {
        (Admission::AlreadyStored(record), _) => Ok((StatusCode::OK, Json(to_api(&record)))),
        (Admission::Upload(upload), place) => Ok(answer(&write_body(upload, place, incoming).await?)),
    }
}

/// The envelope, its signature checked under the key in the path before anything of it is believed.
fn verified(bytes: &[u8], name: &UnitName) -> Result<Envelope, ApiError> {
    let envelope = SignedEnvelope::from_bytes(bytes)
        .and_then(|signed| signed.verify(name.owner.as_bytes()))
        .map_err(StoreError::Envelope)?;
    if envelope.name() == *name {
        Ok(envelope)
    } else {
        Err(unprocessable("name", "the envelope speaks of another object than the path"))
    }
}

/// Streams the body to the upload: one batch is on its way to the disk while the next one arrives. No thread waits for
/// the network. The upload is dropped, and leaves nothing, when either side fails. Its place goes with it to the disk: what is still
/// written after the client went away is counted.
async fn write_body(upload: Box<Upload>, place: Place, incoming: &mut Incoming) -> Result<Stored, ApiError> {
    let at_work = |_| ApiError::internal();
    let mut writing = tokio::task::spawn_blocking(move || Ok::<_, StoreError>((upload, place)));
    loop {
        let batch = incoming.batch(BATCH_BYTES).await?;
        let (mut upload, place) = writing.await.map_err(at_work)??;
        if batch.is_empty() {
            let finish = move || {
                let _place = place;
                upload.finish()
            };
            return Ok(tokio::task::spawn_blocking(finish).await.map_err(at_work)??);
        }
        writing = tokio::task::spawn_blocking(move || upload.write(&batch).map(|()| (upload, place)));
    }
}

fn unprocessable(code: &'static str, message: &'static str) -> ApiError {
    ApiError::new(
        StatusCode::UNPROCESSABLE_ENTITY,
        code,
        message,
        "seal or commit again, and send both whole",
    )
}
