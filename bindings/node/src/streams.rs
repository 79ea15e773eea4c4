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

    /// Ends the data; the next of the body, empty when there is no more.
    #[napi]
    pub fn drain(&self) -> AsyncTask<Work<Uint8Array>> {
        let stream = self.0.clone();
        promise(move || Ok(Uint8Array::new(with(&stream, core::SealStream::drain))))
    }

    /// Gives up: ends the thread, wherever it stands.
    #[napi]
    pub fn abandon(&self) -> AsyncTask<Work<()>> {
        let stream = self.0.clone();
        promise(move || {
            with(&stream, core::SealStream::abandon);
            Ok(())
        })
    }

    /// After all was drained: the envelope.
    #[napi]
    pub fn finish(&self) -> AsyncTask<Work<Sealed>> {
        let stream = self.0.clone();
        promise(move || with(&stream, core::SealStream::finish).map(|made| sealed(None, made)))
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

    /// Ends the body; the next of the data, empty when there is no more.
    #[napi]
    pub fn drain(&self) -> AsyncTask<Work<Uint8Array>> {
        let stream = self.0.clone();
        promise(move || Ok(Uint8Array::new(with(&stream, core::OpenStream::drain))))
    }

    /// Gives up: ends the thread, wherever it stands.
    #[napi]
    pub fn abandon(&self) -> AsyncTask<Work<()>> {
        let stream = self.0.clone();
        promise(move || {
            with(&stream, core::OpenStream::abandon);
            Ok(())
        })
    }

    /// After all was drained: whether it was what the owner sealed.
    #[napi]
    pub fn finish(&self) -> AsyncTask<Work<Opened>> {
        let stream = self.0.clone();
        promise(move || with(&stream, core::OpenStream::finish).map(|about| opened(None, about)))
    }
}
