//! Objects: put, get, list, delete.

use std::io::Read;

use bailiwick_possession::tree::BLOCK_BYTES;
use bailiwick_protocol::api::{
    LIST_LIMIT_MAX, MEDIA_TYPE_ENVELOPE, MEDIA_TYPE_OBJECT, ObjectList, ObjectRecord,
};
use bailiwick_protocol::codec::Canonical;
use bailiwick_protocol::envelope::SignedEnvelope;
use bailiwick_protocol::http_signature::{Content, sha256};
use bailiwick_protocol::ids::UnitName;
use bailiwick_protocol::limits::ENVELOPE_BYTES_MAX;

use crate::client::Client;
use crate::error::ClientError;
use crate::transport::Request;

/// What a node acknowledged as durable.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Stored {
    /// The record, as the node tells it.
    pub record: ObjectRecord,
    /// Whether the unit is new there; `false` when this very envelope was already stored.
    pub created: bool,
}

/// A body, or part of one, as it arrives. Nothing is verified yet.
pub struct FetchedBody {
    /// Bytes that will come.
    pub length: u64,
    /// The bytes; ends with an error when fewer come.
    pub reader: Box<dyn Read + Send>,
}

impl std::fmt::Debug for FetchedBody {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("FetchedBody").field("length", &self.length).finish_non_exhaustive()
    }
}

/// Objects [`Client::list_all`] gives, at most; beyond that, page by page.
pub const LIST_OBJECTS_MAX: usize = 1_000_000;

/// Path of a unit under the API.
fn path(name: &UnitName) -> String {
    format!("/v1/objects/{name}")
}

impl Client {
    /// Stores a unit: signed envelope bytes, then the `length` bytes that `open` gives (opened again when the request is retried).
    ///
    /// Returns once the node has acknowledged it as durable.
    ///
    /// # Errors
    /// Transport errors; refusals (409 older generation or another envelope, 413, 422 mismatch, 507 quota).
    pub fn put<R: Read>(
        &self,
        name: &UnitName,
        envelope: &[u8],
        open: impl Fn() -> std::io::Result<R>,
        length: u64,
    ) -> Result<Stored, ClientError> {
        let envelope_length =
            u32::try_from(envelope.len()).map_err(|_| ClientError::Protocol("envelope is too long"))?;
        let prefix = [&envelope_length.to_le_bytes(), envelope].concat();
        let total = prefix.len() as u64 + length;
        let open = || Ok(Box::new(prefix.as_slice().chain(open()?.take(length))) as Box<dyn Read>);
        let mut request = Request::new("PUT", path(name));
        request.content = Content::Object { envelope: sha256(envelope), length: total };
        request.headers.push(("content-type", MEDIA_TYPE_OBJECT.to_owned()));
        request.body = Some((&open, total));
        request.streams = true;
        let answer = self.call(&request)?;
        let created = answer.status == 201;
        Ok(Stored { record: answer.json()?, created })
    }

    /// Replaces a stored unit's envelope by a later generation over the same body, which the node has already.
    ///
    /// # Errors
    /// Transport errors; refusals (404 nothing stored, 409 older generation or another envelope, 422 another body).
    pub fn replace_envelope(&self, name: &UnitName, envelope: &[u8]) -> Result<Stored, ClientError> {
        let open = || Ok(Box::new(envelope) as Box<dyn Read>);
        let mut request = Request::new("PUT", path(name) + "/envelope");
        request.content = Content::Digest(sha256(envelope));
        request.headers.push(("content-type", MEDIA_TYPE_ENVELOPE.to_owned()));
        request.body = Some((&open, envelope.len() as u64));
        let answer = self.call(&request)?;
        let created = answer.status == 201;
        Ok(Stored { record: answer.json()?, created })
    }

    /// The whole body, or `range` = (offset, length) of it, as bytes arrive. Check what comes against the envelope.
    ///
    /// # Errors
    /// Transport errors, refusals (416 outside the body), `Protocol` when the node answers another range.
    pub fn get_body(&self, name: &UnitName, range: Option<(u64, u64)>) -> Result<FetchedBody, ClientError> {
        let mut request = Request::get(path(name) + "/body");
        request.streams = range.is_none_or(|(_, length)| length > BLOCK_BYTES as u64);
        let mut expected = None;
        if let Some((offset, length)) = range {
            let last = length
                .checked_sub(1)
                .and_then(|n| offset.checked_add(n))
                .ok_or(ClientError::Protocol("empty range"))?;
            request.headers.push(("range", format!("bytes={offset}-{last}")));
            expected = Some(format!("bytes {offset}-{last}/"));
        }
        let answer = self.call(&request)?;
        let header = |name| answer.headers.get(name).and_then(|v| v.to_str().ok());
        if let Some(expected) = expected {
            let same = header(http::header::CONTENT_RANGE).is_some_and(|v| v.starts_with(&expected));
            if answer.status != 206 || !same {
                return Err(ClientError::Protocol("another range was answered"));
            }
        }
        let length = header(http::header::CONTENT_LENGTH)
            .and_then(|v| v.parse().ok())
            .ok_or(ClientError::Protocol("no length"))?;
        if range.is_some_and(|(_, n)| n != length) {
            return Err(ClientError::Protocol("another length was answered"));
        }
        Ok(FetchedBody { length, reader: Box::new(answer.body.into_reader()) })
    }

    /// `length` bytes at `offset` in memory.
    ///
    /// # Errors
    /// Like [`Client::get_body`].
    pub fn get_range(&self, name: &UnitName, offset: u64, length: usize) -> Result<Vec<u8>, ClientError> {
        let mut body = self.get_body(name, Some((offset, length as u64)))?;
        let mut out = vec![0; length];
        body.reader.read_exact(&mut out).map_err(ClientError::io)?;
        Ok(out)
    }

    /// The signed envelope, for the caller to verify under the pinned owner key.
    ///
    /// # Errors
    /// Transport errors, refusals, `Message`.
    pub fn envelope(&self, name: &UnitName) -> Result<SignedEnvelope, ClientError> {
        // A signed message is a little longer than its payload.
        let bytes =
            self.call(&Request::get(path(name) + "/envelope"))?.bytes(ENVELOPE_BYTES_MAX as u64 + 128)?;
        Ok(SignedEnvelope::from_bytes(&bytes)?)
    }

    /// One page of what this key may see, after the given name.
    ///
    /// # Errors
    /// Transport errors, refusals.
    pub fn list(&self, after: Option<&str>, limit: usize) -> Result<ObjectList, ClientError> {
        let mut request = Request::get("/v1/objects");
        request.query = Some(match after {
            Some(after) => format!("after={after}&limit={limit}"),
            None => format!("limit={limit}"),
        });
        self.call(&request)?.json()
    }

    /// All pages of [`Client::list`], at most [`LIST_OBJECTS_MAX`] objects.
    ///
    /// # Errors
    /// Like [`Client::list`]; `Protocol` when names do not ascend, a page is over-long, or there are more objects.
    pub fn list_all(&self) -> Result<Vec<ObjectRecord>, ClientError> {
        let mut all: Vec<ObjectRecord> = Vec::new();
        let mut after: Option<String> = None;
        loop {
            let page = self.list(after.as_deref(), LIST_LIMIT_MAX)?;
            if page.objects.len() > LIST_LIMIT_MAX || all.len() + page.objects.len() > LIST_OBJECTS_MAX {
                return Err(ClientError::Protocol("list is too long"));
            }
            for object in page.objects {
                let (last, name) = (all.last().and_then(ObjectRecord::name), object.name());
                if name.is_none() || last >= name {
                    return Err(ClientError::Protocol("list does not ascend"));
                }
                all.push(object);
            }
            match page.next {
                None => return Ok(all),
                Some(next) if after.as_ref().is_none_or(|a| *a < next) => after = Some(next),
                Some(_) => return Err(ClientError::Protocol("list does not advance")),
            }
        }
    }

    /// Removes a unit; only its owner may.
    ///
    /// # Errors
    /// Transport errors, refusals.
    pub fn delete(&self, name: &UnitName) -> Result<(), ClientError> {
        self.call(&Request::new("DELETE", path(name))).map(|_| ())
    }
}
