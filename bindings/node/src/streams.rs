//! Sealing and opening piece by piece; `index.js` makes Transform streams of them.

use std::sync::{Arc, Mutex, PoisonError};

use bailiwick_bindings as core;
use napi::bindgen_prelude::{AsyncTask, ClassInstance, Uint8Array};
use napi_derive::napi;

use crate::keys::{OwnerKey, Recipient};
use crate::objects::{Opened, SealOptions, Sealed, SealedObject, opened, recipients, sealed};
use crate::raise;
use crate::tasks::{Work, promise};

fn with<T, R>(of: &Mutex<T>, f: impl FnOnce(&mut T) -> R) -> R {
    f(&mut of.lock().unwrap_or_else(PoisonError::into_inner))
}

/// Seals what is pushed.
#[napi]
pub struct Sealer(Arc<Mutex<core::SealStream>>);

#[napi]
impl Sealer {
    /// Begins.
    #[napi(constructor)]
    pub fn new(
        owner: &OwnerKey,
        to: Vec<ClassInstance<'_, Recipient>>,
        options: Option<SealOptions>,
    ) -> napi::Result<Self> {
        let made = core::SealStream::start(&owner.0, recipients(&to), SealOptions::read(options));
        made.map(|s| Self(Arc::new(Mutex::new(s)))).map_err(raise)
    }

    /// Takes data, gives ciphertext.
    #[napi]
    pub fn push(&self, data: Uint8Array) -> AsyncTask<Work<Uint8Array>> {
        let (stream, data) = (self.0.clone(), data.to_vec());
        promise(move || with(&stream, |s| s.push(&data)).map(Uint8Array::new))
    }

    /// Ends; `body` is the last of it.
    #[napi]
    pub fn finish(&self) -> AsyncTask<Work<Sealed>> {
        let stream = self.0.clone();
        promise(move || with(&stream, core::SealStream::finish).map(|(rest, made)| sealed(Some(rest), made)))
    }
}

/// Opens what is pushed.
#[napi]
pub struct Unsealer(Arc<Mutex<core::OpenStream>>);

#[napi]
impl Unsealer {
    /// Begins.
    #[napi(constructor)]
    pub fn new(object: &SealedObject) -> napi::Result<Self> {
        let made = core::OpenStream::start(object.0.clone());
        made.map(|s| Self(Arc::new(Mutex::new(s)))).map_err(raise)
    }

    /// Takes ciphertext, gives plaintext.
    #[napi]
    pub fn push(&self, body: Uint8Array) -> AsyncTask<Work<Uint8Array>> {
        let (stream, body) = (self.0.clone(), body.to_vec());
        promise(move || with(&stream, |s| s.push(&body)).map(Uint8Array::new))
    }

    /// Ends; `data` is the last of it.
    #[napi]
    pub fn finish(&self) -> AsyncTask<Work<Opened>> {
        let stream = self.0.clone();
        promise(move || {
            with(&stream, core::OpenStream::finish).map(|(rest, about)| opened(Some(rest), about))
        })
    }
}
