//! The API, one file a group of routes. Handlers check who asks, then call the store or the prover.

mod challenges;
mod host;
mod inventories;
mod objects;
mod read;
mod upload;

use std::sync::Arc;

use axum::Router;
use axum::http::{HeaderValue, Method, header};
use axum::middleware::from_fn_with_state;
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post, put};
use bailiwick_protocol::ids::{ObjectId, OwnerKey, Unit, UnitName};
use utoipa::OpenApi;

use crate::error::ApiError;
use crate::layers::{Observer, observe};
use crate::state::App;

/// Description of the API, from the handlers themselves.
#[derive(OpenApi)]
#[openapi(
    info(
        title = "bailiwick node",
        description = "A host's daemon: stores sealed objects, serves ranges of them, and proves in zero knowledge that it holds them. \
            Requests that change or reveal anything carry an RFC 9421 signature (Ed25519, tag bailiwick-v1); see docs/spec/v1/node-api.md.",
        license(name = "Apache-2.0 OR MIT")
    ),
    paths(
        objects::list,
        objects::delete,
        upload::put_object,
        upload::put_envelope,
        read::body,
        read::body_head,
        read::envelope,
        read::block_path,
        challenges::challenge,
        challenges::job,
        challenges::response,
        inventories::openings,
        inventories::make,
        inventories::inventory,
        inventories::owner_range,
        host::host,
        host::healthz,
        host::readyz,
        host::metrics,
        host::openapi,
    )
)]
struct Api;

/// The OpenAPI document, pretty-printed JSON with a final newline, as committed in `docs/openapi.json`.
#[must_use]
pub fn openapi_json() -> String {
    let mut api = Api::openapi();
    signed_refusals(&mut api);
    // The license text of the whole project, not of this crate's metadata.
    api.info.version = "1".to_owned();
    let mut text = api.to_pretty_json().unwrap_or_default();
    text.push('\n');
    text
}

/// What [`App::authenticate`] can answer on every signed route: 401, 425, 429 and 503. Written down here once, where a handler has not
/// said more about the status.
fn signed_refusals(api: &mut utoipa::openapi::OpenApi) {
    use utoipa::openapi::{ContentBuilder, Ref, RefOr, Response, ResponseBuilder};
    let said = [
        ("401", "no fresh signature of a key this node knows"),
        ("425", "signed before the node's restart floor; Retry-After"),
        ("429", "this key has its share of the signed requests a minute; Retry-After"),
        ("503", "busy (Retry-After), read-only, or floor-ahead"),
    ];
    let refusal = |text: &str| {
        let body = ContentBuilder::new().schema(Some(Ref::from_schema_name("ErrorBody"))).build();
        ResponseBuilder::new().description(text).content("application/json", body).build()
    };
    for (path, item) in &mut api.paths.paths {
        if !path.starts_with("/v1/") || path == "/v1/host" {
            continue;
        }
        let operations = [&mut item.get, &mut item.head, &mut item.put, &mut item.post, &mut item.delete];
        for operation in operations.into_iter().filter_map(Option::as_mut) {
            for (status, text) in said {
                let entry = operation
                    .responses
                    .responses
                    .entry(status.to_owned())
                    .or_insert_with(|| RefOr::T(refusal(text)));
                if let RefOr::T(Response { description, .. }) = entry
                    && description.is_empty()
                {
                    text.clone_into(description);
                }
            }
        }
    }
}

/// Paths of the router, for the test that the document names every one.
pub const ROUTES: [&str; 15] = [
    "/v1/objects",
    "/v1/objects/{owner}/{object}/{unit}",
    "/v1/objects/{owner}/{object}/{unit}/body",
    "/v1/objects/{owner}/{object}/{unit}/envelope",
    "/v1/objects/{owner}/{object}/{unit}/blocks/{block}/path",
    "/v1/challenges",
    "/v1/jobs/{id}",
    "/v1/jobs/{id}/response",
    "/v1/jobs/{id}/openings",
    "/v1/inventories/{epoch}",
    "/v1/inventories/{epoch}/owner/{owner}",
    "/v1/host",
    "/healthz",
    "/readyz",
    "/metrics",
];

pub(crate) fn router(app: &Arc<App>) -> Router {
    let [
        objects,
        unit,
        body,
        envelope,
        path,
        challenges,
        job,
        response,
        openings,
        inventory,
        range,
        host,
        healthz,
        readyz,
        metrics,
    ] = ROUTES;
    Router::new()
        .route(objects, get(objects::list))
        .route(unit, put(upload::put_object).delete(objects::delete))
        .route(body, get(read::body).head(read::body_head))
        .route(envelope, get(read::envelope).put(upload::put_envelope))
        .route(path, get(read::block_path))
        .route(challenges, post(challenges::challenge))
        .route(job, get(challenges::job))
        .route(response, get(challenges::response))
        .route(openings, get(inventories::openings))
        .route(inventory, post(inventories::make).get(inventories::inventory))
        .route(range, get(inventories::owner_range))
        .route(host, get(host::host))
        .route(healthz, get(host::healthz))
        .route(readyz, get(host::readyz))
        .route(metrics, get(host::metrics))
        .route("/openapi.json", get(host::openapi))
        .fallback(async || ApiError::not_found("no such path"))
        .method_not_allowed_fallback(async |method: Method| {
            ApiError::new(
                axum::http::StatusCode::METHOD_NOT_ALLOWED,
                "method",
                format!(
                    "{} is not a method of this path",
                    if method.as_str().len() < 10 { method.as_str() } else { "this" }
                ),
                "see /openapi.json",
            )
        })
        .with_state(Arc::clone(app))
        .layer(from_fn_with_state(Observer::new(Arc::clone(&app.metrics)), observe))
}

/// Name in a path; ids are lower-case hexadecimal and have one text each (A11).
fn unit_name((owner, object, unit): (String, String, String)) -> Result<UnitName, ApiError> {
    let bad = |_| ApiError::bad_request("path is /v1/objects/OWNER/OBJECT/UNIT, e.g. unit 1-1-0-0");
    let owner: OwnerKey = owner.parse().map_err(bad)?;
    let object: ObjectId = object.parse().map_err(bad)?;
    let unit: Unit = unit.parse().map_err(|_| ApiError::bad_request("unit in the path"))?;
    Ok(UnitName { owner, object, unit })
}

/// Bytes of a media type.
fn typed(media_type: &'static str, bytes: impl Into<axum::body::Body>) -> Response {
    let mut response = bytes.into().into_response();
    response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static(media_type));
    response
}
