//! Inventories of epochs: made and shown to auditors, an owner's part to its owner, opened leaves beside a proof.

use std::sync::Arc;

use axum::extract::{Path, Request, State};
use axum::http::StatusCode;
use axum::response::Response;
use bailiwick_protocol::api::{
    ErrorBody, MEDIA_TYPE_INVENTORY, MEDIA_TYPE_OPENINGS, MEDIA_TYPE_OWNER_RANGE, OWNER_RANGE_PAGE_MAX,
};
use bailiwick_protocol::challenge::{Challenge, Target};
use bailiwick_protocol::codec::Canonical;
use bailiwick_protocol::envelope::SignedEnvelope;
use bailiwick_protocol::ids::{ChallengeDigest, ClassId, OwnerKey};
use bailiwick_protocol::inventory::Openings;
use bailiwick_protocol::limits::{ENVELOPE_BYTES_MAX, INVENTORY_PATH_MAX};
use bailiwick_store::StoreError;

use super::typed;
use crate::auth::BodyKind;
use crate::error::ApiError;
use crate::inventories::InventoriesError;
use crate::state::App;

impl From<InventoriesError> for ApiError {
    fn from(error: InventoriesError) -> Self {
        use InventoriesError as E;
        let refuse = |status, code, help| Self::new(status, code, error.to_string(), help);
        match error {
            E::OtherTime { .. } => {
                let help = "number epochs by the time, as this host does (inventory.epoch_seconds)";
                refuse(StatusCode::CONFLICT, "epoch-time", help)
            }
            E::NothingHeld => {
                refuse(StatusCode::CONFLICT, "nothing-held", "ask again when objects are stored")
            }
            E::TooManyLive => {
                refuse(StatusCode::TOO_MANY_REQUESTS, "inventories-live", "ask the host for a higher limit")
            }
            E::Unknown => Self::not_found("this host made no inventory of this epoch"),
            E::Gone => refuse(StatusCode::GONE, "inventory-gone", "ask sooner after an inventory is made"),
            E::Store(error) => error.into(),
            E::Tree(_) | E::Head { .. } => {
                tracing::error!(%error, "inventory failed");
                Self::internal()
            }
        }
    }
}

fn epoch_of(text: &str) -> Result<u64, ApiError> {
    let epoch = text.parse().ok().filter(|e: &u64| *e > 0 && e.to_string() == text);
    epoch.ok_or_else(|| ApiError::bad_request("epoch in the path: a number from 1"))
}

/// Makes the inventory of an epoch; once it is made, the same bytes for ever, whoever asks.
#[utoipa::path(post, path = "/v1/inventories/{epoch}", params(("epoch" = u64, Path, description = "epoch of the schedule, from 1")),
    responses(
        (status = 200, description = "canonical bytes, signed by the host", content_type = "application/vnd.bailiwick.inventory+cbor"),
        (status = 401, body = ErrorBody), (status = 403, body = ErrorBody),
        (status = 409, description = "the time of this epoch is not now (epoch-time), or nothing is held", body = ErrorBody),
        (status = 429, description = "of the inventories this auditor had made too many are live", body = ErrorBody),
        (status = 503, body = ErrorBody),
    ))]
pub(super) async fn make(
    State(app): State<Arc<App>>,
    Path(epoch): Path<String>,
    request: Request,
) -> Result<Response, ApiError> {
    let epoch = epoch_of(&epoch)?;
    let (parts, _) = request.into_parts();
    let asker = app.authenticate(&parts, BodyKind::None).await?.audits()?;
    let now = app.now_ms();
    let bytes = app.with_inventories(move |inventories, _| inventories.make(epoch, asker, now)).await?;
    Ok(typed(MEDIA_TYPE_INVENTORY, bytes))
}

/// The inventory of an epoch, if it was made.
#[utoipa::path(get, path = "/v1/inventories/{epoch}", params(("epoch" = u64, Path, description = "epoch of the schedule, from 1")),
    responses(
        (status = 200, description = "canonical bytes, signed by the host", content_type = "application/vnd.bailiwick.inventory+cbor"),
        (status = 401, body = ErrorBody), (status = 403, body = ErrorBody), (status = 404, body = ErrorBody),
    ))]
pub(super) async fn inventory(
    State(app): State<Arc<App>>,
    Path(epoch): Path<String>,
    request: Request,
) -> Result<Response, ApiError> {
    let epoch = epoch_of(&epoch)?;
    let (parts, _) = request.into_parts();
    app.authenticate(&parts, BodyKind::None).await?.audits()?;
    let bytes = app.with_inventories(move |inventories, _| inventories.head(epoch)).await?;
    Ok(typed(MEDIA_TYPE_INVENTORY, bytes))
}

/// All that an inventory lists of one owner, and what shows that it lists no more; or a page of it.
#[utoipa::path(get, path = "/v1/inventories/{epoch}/owner/{owner}",
    params(
        ("epoch" = u64, Path, description = "epoch of the schedule, from 1"), ("owner" = String, Path, description = "owner's public key"),
        ("from" = Option<u64>, Query, description = "place of the first leaf wanted in the inventory, from 0"),
        ("limit" = Option<u64>, Query, description = "leaves, 1 to 100000"),
    ),
    responses(
        (status = 200, description = "canonical bytes", content_type = "application/vnd.bailiwick.owner-range+cbor"),
        (status = 400, body = ErrorBody), (status = 401, body = ErrorBody), (status = 403, body = ErrorBody), (status = 404, body = ErrorBody),
        (status = 410, description = "not live any more", body = ErrorBody),
    ))]
pub(super) async fn owner_range(
    State(app): State<Arc<App>>,
    Path((epoch, owner)): Path<(String, String)>,
    request: Request,
) -> Result<Response, ApiError> {
    let epoch = epoch_of(&epoch)?;
    let owner: OwnerKey = owner.parse().map_err(|_| ApiError::bad_request("owner in the path"))?;
    let (parts, _) = request.into_parts();
    app.authenticate(&parts, BodyKind::None).await?.reads(&owner)?;
    let (from, limit) = page(parts.uri.query().unwrap_or(""))?;
    let range = app
        .with_inventories(move |inventories, _| {
            let (signed, _) = inventories.signed(epoch)?;
            let range = inventories.tree(epoch)?.owner_page(signed, &owner, from, limit);
            Ok::<_, InventoriesError>(range.map(|range| range.to_bytes()))
        })
        .await?;
    let bytes = range.ok_or_else(|| ApiError::bad_request("from: beyond what there is of this owner"))?;
    Ok(typed(MEDIA_TYPE_OWNER_RANGE, bytes))
}

/// `from` and `limit`, each at most once, nothing else.
fn page(text: &str) -> Result<(u64, u64), ApiError> {
    let bad = || ApiError::bad_request("query: from=PLACE and limit=1..100000, each once");
    let (mut from, mut limit) = (None, None);
    for pair in text.split('&').filter(|p| !p.is_empty()) {
        let (key, value) = pair.split_once('=').ok_or_else(bad)?;
        let slot = match key {
            "from" => &mut from,
            "limit" => &mut limit,
            _ => return Err(bad()),
        };
        if slot.replace(value.parse::<u64>().map_err(|_| bad())?).is_some() {
            return Err(bad());
        }
    }
    let limit = limit.unwrap_or(OWNER_RANGE_PAGE_MAX);
    if (1..=OWNER_RANGE_PAGE_MAX).contains(&limit) { Ok((from.unwrap_or(0), limit)) } else { Err(bad()) }
}

/// The leaves that a challenge over an inventory samples, with their envelopes: what its proof is verified with.
#[utoipa::path(get, path = "/v1/jobs/{id}/openings", params(("id" = String, Path, description = "digest of the challenge")),
    responses(
        (status = 200, description = "canonical bytes", content_type = "application/vnd.bailiwick.openings+cbor"),
        (status = 401, body = ErrorBody), (status = 404, description = "no such job over an inventory", body = ErrorBody),
        (status = 410, description = "not live any more", body = ErrorBody),
    ))]
pub(super) async fn openings(
    State(app): State<Arc<App>>,
    Path(id): Path<String>,
    request: Request,
) -> Result<Response, ApiError> {
    let id: ChallengeDigest = id.parse().map_err(|_| ApiError::bad_request("job id"))?;
    let (parts, _) = request.into_parts();
    app.authenticate(&parts, BodyKind::None).await?.audits()?;
    let challenge = app.prover.over_inventory(&id);
    let challenge = challenge.ok_or_else(|| ApiError::not_found("no such job over an inventory"))?;
    let bytes = app
        .with_inventories(move |inventories, store| {
            let (inventory, _) = inventories.signed(challenge.epoch)?;
            let leaves = inventories.tree(challenge.epoch)?.sample(&challenge)?;
            let envelope = |leaf: &Target| {
                let lost = || StoreError::NotFound(leaf.name);
                let body = store.open_target(leaf)?.ok_or_else(lost)?;
                SignedEnvelope::from_bytes(body.signed_envelope()).map_err(StoreError::from)
            };
            let envelopes = leaves.iter().map(|l| envelope(&l.leaf)).collect::<Result<_, StoreError>>()?;
            Ok::<_, InventoriesError>(Openings { inventory, leaves, envelopes }.to_bytes())
        })
        .await?;
    Ok(typed(MEDIA_TYPE_OPENINGS, bytes))
}

/// Whether a challenge over an inventory can be put to the prover: this host's, live, and of a class that can sample its largest object.
pub(super) fn check(app: &App, challenge: &Challenge) -> Result<(), ApiError> {
    let Some(target) = challenge.inventory else { return Ok(()) };
    let refuse = |code, message, help| ApiError::new(StatusCode::UNPROCESSABLE_ENTITY, code, message, help);
    let (_, inventory) = app.inventories.signed(challenge.epoch)?;
    if inventory.target() != target {
        let help = "GET /v1/inventories/EPOCH gives this host's only one";
        return Err(refuse("inventory", "not this host's inventory of this epoch", help));
    }
    if challenge.class.samples > OPENED_MAX {
        let help = "ask under a class of fewer samples";
        return Err(refuse("class", "the openings of so many samples could be too long", help));
    }
    let tree = app.inventories.tree(challenge.epoch)?;
    let too_large = tree.leaves().iter().filter(|l| l.cells > challenge.class.cells_max()).count();
    if too_large > 0 {
        // What an auditor makes of this refusal is a failed audit.
        tracing::error!(class = %challenge.class, too_large, "an audit fails: objects are larger than its class can prove");
        let help = "ask under a class of more depth";
        return Err(refuse("class", "an object of the inventory is larger than this class can prove", help));
    }
    Ok(())
}

/// Samples whose openings always fit their message, whatever the envelopes' lengths: each a leaf with its path, and a signed envelope.
/// All pinned classes have fewer.
const OPENED_MAX: u16 = 200;
const OPENING_BYTES_MAX: usize = 256 + INVENTORY_PATH_MAX * 45 + ENVELOPE_BYTES_MAX + 128;
const _: () = assert!(OPENED_MAX as usize * OPENING_BYTES_MAX + 1024 <= Openings::BYTES_MAX);
const _: () = {
    let mut i = 0;
    while i < ClassId::PINNED.len() {
        assert!(ClassId::PINNED[i].1.samples <= OPENED_MAX);
        i += 1;
    }
};
