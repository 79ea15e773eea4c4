//! Keys. Secret ones are opaque: no function gives their bytes.

use std::path::Path;
use std::sync::Arc;

use bailiwick_bindings as core;
use napi::bindgen_prelude::Uint8Array;
use napi_derive::napi;

use crate::raise;

/// An owner's secret key: signs envelopes.
#[napi]
#[derive(Clone)]
pub struct OwnerKey(pub(crate) Arc<core::OwnerKey>);

#[napi]
impl OwnerKey {
    /// A fresh key.
    #[napi(factory)]
    pub fn generate() -> napi::Result<Self> {
        core::OwnerKey::generate().map(|k| Self(Arc::new(k))).map_err(raise)
    }

    /// Reads a key file; refused when others can read it.
    #[napi(factory)]
    pub fn load(path: String) -> napi::Result<Self> {
        core::OwnerKey::read(Path::new(&path)).map(|k| Self(Arc::new(k))).map_err(raise)
    }

    /// Writes a key file only this user can read, and `path.pub` beside it. Nothing is replaced.
    #[napi]
    pub fn save(&self, path: String) -> napi::Result<()> {
        self.0.write(Path::new(&path)).map_err(raise)
    }

    /// The public key, 64 hexadecimal digits.
    #[napi(getter, js_name = "public")]
    pub fn public_hex(&self) -> String {
        self.0.public().to_hex()
    }
}

/// Reads the `.pub` file of an owner's key: 64 hexadecimal digits.
#[napi]
pub(crate) fn load_owner_public(path: String) -> napi::Result<String> {
    core::OwnerPublic::read(Path::new(&path)).map(|k| k.to_hex()).map_err(raise)
}

/// A recipient's secret key: opens objects.
#[napi]
#[derive(Clone)]
pub struct RecipientKey(pub(crate) Arc<core::RecipientKey>);

#[napi]
impl RecipientKey {
    /// A fresh key: `x-wing` (hybrid post-quantum, the default), `x25519`, `p256`.
    #[napi(factory)]
    pub fn generate(algorithm: Option<String>) -> napi::Result<Self> {
        let algorithm = core::Algorithm::parse(algorithm.as_deref().unwrap_or("x-wing")).map_err(raise)?;
        core::RecipientKey::generate(algorithm).map(|k| Self(Arc::new(k))).map_err(raise)
    }

    /// Reads a key file; refused when others can read it.
    #[napi(factory)]
    pub fn load(path: String) -> napi::Result<Self> {
        core::RecipientKey::read(Path::new(&path)).map(|k| Self(Arc::new(k))).map_err(raise)
    }

    /// Writes a key file only this user can read, and `path.pub` beside it. Nothing is replaced.
    #[napi]
    pub fn save(&self, path: String) -> napi::Result<()> {
        self.0.write(Path::new(&path)).map_err(raise)
    }

    /// What others seal for.
    #[napi(getter, js_name = "public")]
    pub fn public_key(&self) -> Recipient {
        Recipient(self.0.public())
    }
}

/// A recipient's public key.
#[napi]
#[derive(Clone)]
pub struct Recipient(pub(crate) core::Recipient);

#[napi]
impl Recipient {
    /// Reads a `.pub` file.
    #[napi(factory)]
    pub fn load(path: String) -> napi::Result<Self> {
        core::Recipient::read(Path::new(&path)).map(Self).map_err(raise)
    }

    /// From its bytes.
    #[napi(factory)]
    pub fn from_bytes(algorithm: String, key: Uint8Array) -> napi::Result<Self> {
        let algorithm = core::Algorithm::parse(&algorithm).map_err(raise)?;
        core::Recipient::from_bytes(algorithm, &key).map(Self).map_err(raise)
    }

    /// The mechanism's name.
    #[napi(getter)]
    pub fn algorithm(&self) -> napi::Result<String> {
        self.0.algorithm().map(|a| a.name().to_owned()).map_err(raise)
    }

    /// What people compare.
    #[napi(getter)]
    pub fn fingerprint(&self) -> String {
        self.0.fingerprint()
    }

    /// The encoded key.
    #[napi(getter)]
    pub fn bytes(&self) -> Uint8Array {
        Uint8Array::new(self.0.as_bytes().to_vec())
    }
}
