//! Reading what is stored: bodies whole or by range, envelopes, block paths.

use std::sync::Arc;

use axum::body::Body;
use axum::extract::{Path, Request, State};
use axum::http::request::Parts;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::Response;
use bailiwick_protocol::api::{ErrorBody, MEDIA_TYPE_BLOCK_PATH, MEDIA_TYPE_ENVELOPE};
use bailiwick_protocol::ids::UnitName;
use bailiwick_store::{BodyReader, StoreError};
use bytes::Bytes;

use super::{typed, unit_name};
use crate::auth::BodyKind;
use crate::error::ApiError;
use crate::range::{self, ByteRange};
use crate::state::App;

/// Bytes read from disk at a time: a multiple of the store's piece, small enough that a slow reader holds little.
const CHUNK_BYTES: u64 = 256 << 10;

type UnitPath = Path<(String, String, String)>;

/// How every read begins: which unit, and that whoever signed may read it.
async fn readable(
    app: &App,
    path: (String, String, String),
    request: Request,
) -> Result<(UnitName, Parts), ApiError> {
    let name = unit_name(path)?;
    let (parts, _) = request.into_parts();
    app.authenticate(&parts, BodyKind::None).await?.reads(&name.owner)?;
    Ok((name, parts))
}

/// The body, or one range of it. Bytes are checked against the signed content id before they leave.
#[utoipa::path(get, path = "/v1/objects/{owner}/{object}/{unit}/body",
    params(("owner" = String, Path), ("object" = String, Path), ("unit" = String, Path),
        ("range" = Option<String>, Header, description = "one range: bytes=FIRST-LAST")),
    responses(
        (status = 200, description = "the whole body", content_type = "application/octet-stream"),
        (status = 206, description = "the range", content_type = "application/octet-stream"),
        (status = 400, body = ErrorBody), (status = 401, body = ErrorBody), (status = 403, body = ErrorBody),
        (status = 404, body = ErrorBody), (status = 416, body = ErrorBody), (status = 500, body = ErrorBody),
    ))]
pub(super) async fn body(
    State(app): State<Arc<App>>,
    Path(path): UnitPath,
    request: Request,
) -> Result<Response, ApiError> {
    let (name, parts) = readable(&app, path, request).await?;
    let (head, reader, range, first) = open(&app, &parts, name, true).await?;
    let rest =
        ByteRange { offset: range.offset + first.len() as u64, length: range.length - first.len() as u64 };
    Ok(head.map(|()| if rest.length == 0 { Body::from(first) } else { stream(first, reader, rest) }))
}

/// What GET would answer, without the bytes.
#[utoipa::path(head, path = "/v1/objects/{owner}/{object}/{unit}/body",
    params(("owner" = String, Path), ("object" = String, Path), ("unit" = String, Path)),
    responses((status = 200, description = "headers only"), (status = 206, description = "headers only")))]
pub(super) async fn body_head(
    State(app): State<Arc<App>>,
    Path(path): UnitPath,
    request: Request,
) -> Result<Response, ApiError> {
    let (name, parts) = readable(&app, path, request).await?;
    let (head, ..) = open(&app, &parts, name, false).await?;
    Ok(head.map(|()| Body::empty()))
}

/// The response head, and with `read` the first chunk: a damaged first piece is an error status and not a broken stream.
async fn open(
    app: &App,
    parts: &Parts,
    name: UnitName,
    read: bool,
) -> Result<(Response<()>, Arc<BodyReader>, ByteRange, Bytes), ApiError> {
    let header = match parts.headers.get_all(header::RANGE).iter().collect::<Vec<_>>().as_slice() {
        [] => None,
        [one] => Some(one.to_str().map_err(|_| ApiError::bad_request("Range"))?.to_owned()),
        _ => return Err(ApiError::bad_request("one Range")),
    };
    let is_range = header.is_some();
    let (reader, range, first) = app
        .with_store(move |store| {
            let reader = store.open_body(&name)?;
            let whole = ByteRange { offset: 0, length: reader.len() };
            let range = header.map_or(Ok(whole), |h| range::parse(&h, reader.len()))?;
            let first = if read { chunk(&reader, range)? } else { Bytes::new() };
            Ok::<_, ApiError>((Arc::new(reader), range, first))
        })
        .await?;
    let mut head = Response::new(());
    let headers = head.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/octet-stream"));
    headers.insert(header::ACCEPT_RANGES, HeaderValue::from_static("bytes"));
    headers.insert(header::CONTENT_LENGTH, HeaderValue::from(range.length));
    if is_range {
        let text = format!("bytes {}-{}/{}", range.offset, range.offset + range.length - 1, reader.len());
        headers
            .insert(header::CONTENT_RANGE, HeaderValue::from_str(&text).map_err(|_| ApiError::internal())?);
        *head.status_mut() = StatusCode::PARTIAL_CONTENT;
    }
    Ok((head, reader, range, first))
}

/// The first bytes of `range`, up to the end of a chunk counted from the start of the body, so that reads stay aligned.
fn chunk(reader: &BodyReader, range: ByteRange) -> Result<Bytes, StoreError> {
    let to_boundary = CHUNK_BYTES - range.offset % CHUNK_BYTES;
    let length = range.length.min(to_boundary);
    let bytes = reader.read_range(range.offset, usize::try_from(length).unwrap_or(0))?;
    Ok(bytes.into())
}

/// `first`, then `rest` chunk by chunk as the client reads. A failure in the middle breaks the connection off, so the
/// client sees fewer bytes than announced and never wrong ones.
fn stream(first: Bytes, reader: Arc<BodyReader>, rest: ByteRange) -> Body {
    let rest = futures_util::stream::try_unfold(rest, move |rest| {
        let reader = Arc::clone(&reader);
        async move {
            if rest.length == 0 {
                return Ok(None);
            }
            let read = tokio::task::spawn_blocking(move || chunk(&reader, rest)).await;
            let bytes = read.map_err(std::io::Error::other)?.map_err(std::io::Error::other)?;
            let n = bytes.len() as u64;
            Ok::<_, std::io::Error>(Some((
                bytes,
                ByteRange { offset: rest.offset + n, length: rest.length - n },
            )))
        }
    });
    let first = futures_util::stream::once(async { Ok(first) });
    Body::from_stream(futures_util::StreamExt::chain(first, rest))
}

/// The signed envelope.
#[utoipa::path(get, path = "/v1/objects/{owner}/{object}/{unit}/envelope",
    params(("owner" = String, Path), ("object" = String, Path), ("unit" = String, Path)),
    responses(
        (status = 200, description = "canonical bytes", content_type = "application/vnd.bailiwick.envelope+cbor"),
        (status = 401, body = ErrorBody), (status = 403, body = ErrorBody), (status = 404, body = ErrorBody),
    ))]
pub(super) async fn envelope(
    State(app): State<Arc<App>>,
    Path(path): UnitPath,
    request: Request,
) -> Result<Response, ApiError> {
    let (name, _) = readable(&app, path, request).await?;
    let object = app.with_store(move |store| store.get(&name)).await?;
    let object = object.ok_or_else(|| ApiError::not_found("no such object"))?;
    Ok(typed(MEDIA_TYPE_ENVELOPE, object.envelope))
}

/// The path from a block of 126,976 bytes to the signed cell root.
#[utoipa::path(get, path = "/v1/objects/{owner}/{object}/{unit}/blocks/{block}/path",
    params(("owner" = String, Path), ("object" = String, Path), ("unit" = String, Path), ("block" = u64, Path)),
    responses(
        (status = 200, description = "LE64 block, then siblings", content_type = "application/vnd.bailiwick.block-path"),
        (status = 401, body = ErrorBody), (status = 403, body = ErrorBody), (status = 404, body = ErrorBody),
    ))]
pub(super) async fn block_path(
    State(app): State<Arc<App>>,
    Path((owner, object, unit, block)): Path<(String, String, String, String)>,
    request: Request,
) -> Result<Response, ApiError> {
    let digits = !block.is_empty() && block.bytes().all(|b| b.is_ascii_digit());
    let number = block.parse::<u64>().ok().filter(|_| digits && (block == "0" || !block.starts_with('0')));
    let block = number.ok_or_else(|| ApiError::bad_request("block number"))?;
    let (name, _) = readable(&app, (owner, object, unit), request).await?;
    let path = app
        .with_store(move |store| {
            store.block_path(&name, block).map_err(|error| match error {
                StoreError::OutOfRange { .. } => ApiError::not_found("no such block"),
                other => other.into(),
            })
        })
        .await?;
    Ok(typed(MEDIA_TYPE_BLOCK_PATH, path.to_bytes()))
}
