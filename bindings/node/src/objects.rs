//! Seal, open, range read, rewrap.

use std::path::PathBuf;
use std::sync::Arc;

use bailiwick_bindings as core;
use napi::bindgen_prelude::{AsyncTask, ClassInstance, Uint8Array};
use napi_derive::napi;

use crate::keys::{OwnerKey, Recipient, RecipientKey};
use crate::raise;
use crate::tasks::{Work, promise};

/// How to seal.
#[napi(object)]
#[derive(Default)]
pub struct SealOptions {
    /// Name sealed with the data.
    pub name: Option<String>,
    /// Media type sealed with the data.
    pub media_type: Option<String>,
    /// Leave the recipients' key ids out of the envelope.
    pub anonymous: Option<bool>,
    /// Hide the true length; yes unless false.
    pub pad: Option<bool>,
}

impl SealOptions {
    pub(crate) fn read(this: Option<Self>) -> core::Options {
        let o = this.unwrap_or_default();
        core::Options {
            name: o.name.unwrap_or_default(),
            media_type: o.media_type.unwrap_or_default(),
            anonymous: o.anonymous.unwrap_or(false),
            no_padding: !o.pad.unwrap_or(true),
        }
    }
}

/// What sealing gave.
#[napi(object)]
pub struct Sealed {
    /// The body; none when it went elsewhere.
    pub body: Option<Uint8Array>,
    /// The signed envelope.
    pub envelope: Uint8Array,
    /// `owner/object/unit`.
    pub object: String,
    /// Bytes of data.
    pub data_bytes: i64,
    /// Bytes of the body.
    pub body_bytes: i64,
    /// BLAKE3 of the body.
    pub blake3: String,
}

/// Bodies end far below 2^53 bytes.
fn number(n: u64) -> i64 {
    i64::try_from(n).unwrap_or(i64::MAX)
}

pub(crate) fn sealed(body: Option<Vec<u8>>, made: core::Sealed) -> Sealed {
    Sealed {
        body: body.map(Uint8Array::new),
        envelope: Uint8Array::new(made.envelope),
        object: made.object,
        data_bytes: number(made.data_bytes),
        body_bytes: number(made.body_bytes),
        blake3: made.blake3,
    }
}

/// What opening gave.
#[napi(object)]
pub struct Opened {
    /// The data; none when it went elsewhere.
    pub data: Option<Uint8Array>,
    /// Text from outside.
    pub name: String,
    /// Text from outside.
    pub media_type: String,
    /// Bytes of data.
    pub data_bytes: i64,
}

pub(crate) fn opened(data: Option<Vec<u8>>, o: core::Opened) -> Opened {
    let data_bytes = number(o.data_bytes);
    Opened { data: data.map(Uint8Array::new), name: o.name, media_type: o.media_type, data_bytes }
}

pub(crate) fn recipients(keys: &[ClassInstance<'_, Recipient>]) -> Vec<core::Recipient> {
    keys.iter().map(|k| k.0.clone()).collect()
}

/// Seals data in memory. The bytes are copied first, so a later change of `data` changes nothing.
#[napi]
pub(crate) fn seal(
    data: Uint8Array,
    owner: &OwnerKey,
    to: Vec<ClassInstance<'_, Recipient>>,
    options: Option<SealOptions>,
) -> AsyncTask<Work<Sealed>> {
    let (data, owner, to, options) =
        (data.to_vec(), owner.clone(), recipients(&to), SealOptions::read(options));
    promise(move || {
        let mut body = Vec::new();
        let made = core::seal(&data[..], &mut body, &owner.0, &to, &options)?;
        Ok(sealed(Some(body), made))
    })
}

/// Seals a file into two new ones.
#[napi]
pub(crate) fn seal_file(
    data: String,
    body: String,
    envelope: String,
    owner: &OwnerKey,
    to: Vec<ClassInstance<'_, Recipient>>,
    options: Option<SealOptions>,
) -> AsyncTask<Work<Sealed>> {
    let (owner, to, options) = (owner.clone(), recipients(&to), SealOptions::read(options));
    let (data, body, envelope) = (PathBuf::from(data), PathBuf::from(body), PathBuf::from(envelope));
    promise(move || Ok(sealed(None, core::seal_file(&data, &body, &envelope, &owner.0, &to, &options)?)))
}

/// A verified envelope and the key it holds.
#[napi]
pub struct SealedObject(pub(crate) Arc<core::Object>);

#[napi]
impl SealedObject {
    /// Verifies the envelope under the owner's public key, 64 hexadecimal digits, and opens it with one of the keys.
    #[napi(constructor)]
    pub fn new(
        envelope: Uint8Array,
        owner: String,
        keys: Vec<ClassInstance<'_, RecipientKey>>,
    ) -> napi::Result<Self> {
        let keys: Vec<_> = keys.iter().map(|k| &*k.0).collect();
        let owner = core::OwnerPublic::from_hex(&owner).map_err(raise)?;
        core::Object::new(&envelope, &owner, &keys).map(|o| Self(Arc::new(o))).map_err(raise)
    }

    /// `owner/object/unit`.
    #[napi(getter)]
    pub fn name(&self) -> String {
        self.0.name()
    }

    /// How often the envelope was rewritten, from 1.
    #[napi(getter)]
    pub fn generation(&self) -> i64 {
        number(self.0.generation())
    }

    /// Decrypts a body in memory.
    #[napi]
    pub fn open(&self, body: Uint8Array) -> AsyncTask<Work<Opened>> {
        let (object, body) = (self.0.clone(), body.to_vec());
        promise(move || {
            let mut data = Vec::new();
            let done = object.open(&body[..], &mut data)?;
            Ok(opened(Some(data), done))
        })
    }

    /// Decrypts a file into a new one.
    #[napi]
    pub fn open_file(&self, body: String, out: String) -> AsyncTask<Work<Opened>> {
        let (object, body, out) = (self.0.clone(), PathBuf::from(body), PathBuf::from(out));
        promise(move || Ok(opened(None, object.open_file(&body, &out)?)))
    }

    /// Decrypts a range of a body in memory.
    #[napi]
    pub fn read_range(&self, body: Uint8Array, offset: i64, length: i64) -> AsyncTask<Work<Uint8Array>> {
        let (object, body) = (self.0.clone(), body.to_vec());
        promise(move || range(&object, &mut &body[..], offset, length))
    }

    /// Decrypts a range of a file.
    #[napi]
    pub fn read_range_file(&self, body: String, offset: i64, length: i64) -> AsyncTask<Work<Uint8Array>> {
        let (object, body) = (self.0.clone(), PathBuf::from(body));
        promise(move || range(&object, &mut core::Object::source(&body)?, offset, length))
    }

    /// The next generation of the envelope, for others; none when nothing would change.
    #[napi]
    pub fn rewrap(
        &self,
        owner: &OwnerKey,
        add: Vec<ClassInstance<'_, Recipient>>,
        remove: Vec<ClassInstance<'_, Recipient>>,
        anonymous: bool,
    ) -> napi::Result<Option<Uint8Array>> {
        let (add, remove) = (recipients(&add), recipients(&remove));
        let changes = core::Rewrap { add: &add, remove: &remove, replace: None, anonymous };
        core::rewrap(&self.0, &owner.0, &changes).map(|made| made.map(Uint8Array::new)).map_err(raise)
    }
}

fn range(
    object: &core::Object,
    body: &mut impl core::ReadAt,
    offset: i64,
    length: i64,
) -> core::Result<Uint8Array> {
    let (Ok(offset), Ok(length)) = (u64::try_from(offset), u64::try_from(length)) else {
        return Err(core::Error::new(core::Code::Argument, "offset and length are not negative"));
    };
    let mut data = Vec::new();
    object.range(body, offset, length, &mut data)?;
    Ok(Uint8Array::new(data))
}
