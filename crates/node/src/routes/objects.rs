//! List and delete.

use std::sync::Arc;

use axum::Json;
use axum::extract::{Path, Request, State};
use axum::http::StatusCode;
use bailiwick_protocol::api::{ErrorBody, LIST_LIMIT_MAX, ObjectList, ObjectRecord};
use bailiwick_protocol::ids::{ObjectId, OwnerKey, UnitName};
use bailiwick_store::{Store, StoreError};

use super::unit_name;
use crate::auth::BodyKind;
use crate::error::ApiError;
use crate::state::App;

/// Entries of a page when the request does not say.
const LIST_LIMIT_DEFAULT: usize = 100;

/// Objects in name order: an owner's own; all for auditors and readers.
#[utoipa::path(get, path = "/v1/objects",
    params(
        ("after" = Option<String>, Query, description = "OWNER/OBJECT/UNIT of the last entry seen"),
        ("limit" = Option<u32>, Query, description = "entries, 1 to 1000"),
    ),
    responses(
        (status = 200, body = ObjectList), (status = 400, body = ErrorBody), (status = 401, body = ErrorBody),
    ))]
pub(super) async fn list(
    State(app): State<Arc<App>>,
    request: Request,
) -> Result<Json<ObjectList>, ApiError> {
    let (parts, _) = request.into_parts();
    let caller = app.authenticate(&parts, BodyKind::None).await?;
    let (after, limit) = query(parts.uri.query().unwrap_or(""))?;
    let owner = caller.lists();
    let records = app.with_store(move |store| page(store, owner, after, limit)).await?;
    let next = (records.len() == limit).then(|| records.last().map(|r| r.name.to_string())).flatten();
    Ok(Json(ObjectList { objects: records.iter().map(to_api).collect(), next }))
}

fn page(
    store: &Store,
    owner: Option<OwnerKey>,
    after: Option<UnitName>,
    limit: usize,
) -> Result<Vec<bailiwick_store::ObjectRecord>, StoreError> {
    let Some(owner) = owner else { return store.list(after.as_ref(), limit) };
    // Names sort by owner first, so an owner's objects are one stretch.
    let before_first = before(owner);
    let start = match (after, before_first) {
        (Some(after), Some(first)) => Some(after.max(first)),
        (after, first) => after.or(first),
    };
    let mut records = store.list(start.as_ref(), limit)?;
    records.retain(|r| r.name.owner == owner);
    Ok(records)
}

/// A name before every name of `owner` and not before those of smaller owners; `None` for the smallest owner.
fn before(owner: OwnerKey) -> Option<UnitName> {
    let mut key = owner.0;
    for byte in key.iter_mut().rev() {
        if *byte > 0 {
            *byte -= 1;
            let unit = bailiwick_protocol::ids::Unit {
                k: u16::MAX,
                n: u16::MAX,
                shard: u16::MAX - 1,
                replica: u16::MAX,
            };
            return Some(UnitName { owner: OwnerKey(key), object: ObjectId([0xff; 16]), unit });
        }
        *byte = 0xff;
    }
    None
}

/// `after` and `limit`, each at most once, nothing else.
fn query(text: &str) -> Result<(Option<UnitName>, usize), ApiError> {
    let bad = || ApiError::bad_request("query: after=OWNER/OBJECT/UNIT and limit=1..1000, each once");
    let (mut after, mut limit) = (None, None);
    for pair in text.split('&').filter(|p| !p.is_empty()) {
        match pair.split_once('=').ok_or_else(bad)? {
            ("after", value) if after.is_none() => after = Some(value.parse().map_err(|_| bad())?),
            ("limit", value) if limit.is_none() => limit = Some(value.parse().map_err(|_| bad())?),
            _ => return Err(bad()),
        }
    }
    let limit = limit.unwrap_or(LIST_LIMIT_DEFAULT);
    if (1..=LIST_LIMIT_MAX).contains(&limit) { Ok((after, limit)) } else { Err(bad()) }
}

pub(super) fn to_api(r: &bailiwick_store::ObjectRecord) -> ObjectRecord {
    ObjectRecord {
        owner: r.name.owner,
        object: r.name.object,
        unit: r.name.unit.to_string(),
        generation: r.generation,
        size: r.size,
        blake3: r.blake3,
        root: Some(r.root),
        cells: Some(r.cells),
    }
}

/// Removes a unit, durably. Only its owner may.
#[utoipa::path(delete, path = "/v1/objects/{owner}/{object}/{unit}",
    params(("owner" = String, Path), ("object" = String, Path), ("unit" = String, Path)),
    responses(
        (status = 204, description = "removed"), (status = 401, body = ErrorBody), (status = 403, body = ErrorBody),
        (status = 404, body = ErrorBody), (status = 503, body = ErrorBody),
    ))]
pub(super) async fn delete(
    State(app): State<Arc<App>>,
    Path(path): Path<(String, String, String)>,
    request: Request,
) -> Result<StatusCode, ApiError> {
    let name = unit_name(path)?;
    let (parts, _) = request.into_parts();
    let caller = app.authenticate(&parts, BodyKind::None).await?;
    caller.owns(&name.owner)?;
    if app.with_store(move |store| store.delete(&name)).await? {
        Ok(StatusCode::NO_CONTENT)
    } else {
        Err(ApiError::not_found("no such object"))
    }
}

#[cfg(test)]
mod tests {
    use bailiwick_protocol::ids::Unit;

    use super::*;

    #[test]
    fn queries() {
        assert_eq!(query("").unwrap(), (None, 100));
        assert_eq!(query("limit=7").unwrap(), (None, 7));
        for bad in
            ["limit=0", "limit=1001", "limit=1&limit=1", "x=1", "limit", "after=x", "limit=-1", "limit=1&x"]
        {
            assert!(query(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn the_name_before_an_owner_is_between_its_neighbours() {
        for last in [0u8, 1, 0x7f, 0xff] {
            let mut key = [5; 32];
            key[31] = last;
            let owner = OwnerKey(key);
            let first = UnitName { owner, object: ObjectId([0; 16]), unit: Unit::WHOLE };
            assert!(before(owner).unwrap() < first);
        }
        let (smaller, owner) = (OwnerKey([4; 32]), OwnerKey([5; 32]));
        let last_of_smaller = UnitName { owner: smaller, object: ObjectId([0xff; 16]), unit: Unit::WHOLE };
        assert!(before(owner).unwrap() > last_of_smaller);
        assert_eq!(before(OwnerKey([0; 32])), None);
    }
}
