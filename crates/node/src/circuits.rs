//! The folder of proving keys as `bailiwick circuit setup` fills it: for each key `VK.pk` (the key) and `VK.toml` (its
//! card), VK being the digest of the verifying key in hexadecimal.

mod folder;

use std::fs::File;
use std::io::{self, BufReader, Read as _};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use bailiwick_protocol::api::CircuitInfo;
use bailiwick_protocol::ids::{ClassId, VkDigest};
use bailiwick_protocol::key_card::{KEY_CARD_BYTES_MAX, KEY_CARD_VERSION, KeyCard};
use bailiwick_scheme::{ProvingKey, ProvingKeyError, Schemes};

use folder::Folder;

/// Why a key cannot be used.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum CircuitError {
    /// A file cannot be read or written.
    #[error("{path}: {source}")]
    Io {
        /// The file.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// The card beside the key is not one, or speaks of another key.
    #[error("{path} is not the card of this key")]
    Card {
        /// The file.
        path: PathBuf,
    },
    /// The key.
    #[error(transparent)]
    Key(#[from] ProvingKeyError),
    /// No scheme of this build has the number on the card.
    #[error("{path}: possession scheme {scheme} is not one this program has")]
    Scheme {
        /// The card.
        path: PathBuf,
        /// The number.
        scheme: u64,
    },
    /// The key's verifying key is not the one its name says.
    #[error("key {found} is filed under {named}")]
    WrongName {
        /// By file name.
        named: VkDigest,
        /// By content.
        found: VkDigest,
    },
}

/// The folder, and the key used last.
pub struct CircuitKeys {
    dir: PathBuf,
    schemes: Schemes,
    last: Mutex<Option<(VkDigest, Arc<dyn ProvingKey>)>>,
    folder: Mutex<Folder>,
}

fn io_error(path: &Path) -> impl Fn(io::Error) -> CircuitError {
    move |source| CircuitError::Io { path: path.to_owned(), source }
}

impl CircuitKeys {
    /// The folder `dir`; it may be missing or fill later.
    #[must_use]
    pub fn new(dir: PathBuf) -> Self {
        Self { dir, schemes: Schemes::installed(), last: Mutex::new(None), folder: Mutex::default() }
    }

    fn card(&self, vk: &VkDigest) -> Result<KeyCard, CircuitError> {
        let path = self.dir.join(format!("{vk}.toml"));
        let mut text = String::new();
        // One byte more than allowed, so that a longer file is refused and not cut to something else.
        let file = File::open(&path).map_err(io_error(&path))?;
        file.take(KEY_CARD_BYTES_MAX + 1).read_to_string(&mut text).map_err(io_error(&path))?;
        if text.len() as u64 > KEY_CARD_BYTES_MAX {
            return Err(CircuitError::Card { path });
        }
        match toml::from_str::<KeyCard>(&text) {
            // Before a challenge under the key is accepted that nobody here can answer.
            Ok(card) if self.schemes.by_id(card.scheme).is_none() => {
                Err(CircuitError::Scheme { path, scheme: card.scheme })
            }
            Ok(card) if card.version == KEY_CARD_VERSION && card.vk == *vk => Ok(card),
            _ => Err(CircuitError::Card { path }),
        }
    }

    /// Class of a key at hand.
    ///
    /// # Errors
    /// `Io` when there is none, `Card`.
    pub fn class(&self, vk: &VkDigest) -> Result<ClassId, CircuitError> {
        Ok(self.card(vk)?.class)
    }

    fn folder<T>(&self, ask: impl FnOnce(&Folder) -> T) -> Result<T, CircuitError> {
        let mut folder = self.folder.lock().unwrap_or_else(PoisonError::into_inner);
        folder.refresh(&self.dir, |vk| self.class(vk)).map_err(io_error(&self.dir))?;
        Ok(ask(&folder))
    }

    /// Keys at hand, by digest, at most a second old. A key whose card cannot be used is not among them and is logged once.
    #[must_use]
    pub fn list(&self) -> Vec<CircuitInfo> {
        self.folder(Folder::listed).unwrap_or_default()
    }

    /// Cards in the folder that cannot be used, at most a second old; 0 when the folder cannot be read.
    #[must_use]
    pub fn unusable(&self) -> usize {
        self.folder(Folder::unusable).unwrap_or_default()
    }

    /// Bytes of the largest body that every key at hand can prove, at most a second old; `None` without keys. A card that cannot be
    /// read counts as it was last read; one that never could be, or is none, does not count: its key proves nothing either.
    ///
    /// # Errors
    /// `Io` when the folder cannot be read now, so that this is not known.
    pub fn body_bytes_max(&self) -> Result<Option<u64>, CircuitError> {
        self.folder(Folder::body_bytes_max)
    }

    /// The key, from memory if it was used last; reading a large one takes seconds.
    ///
    /// # Errors
    /// `CircuitError`.
    pub fn load(&self, vk: &VkDigest) -> Result<Arc<dyn ProvingKey>, CircuitError> {
        // The prover is one thread, so holding the lock while reading keeps nobody waiting.
        let mut last = self.last.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((_, key)) = last.as_ref().filter(|(d, _)| d == vk) {
            return Ok(Arc::clone(key));
        }
        // Two keys never share memory.
        *last = None;
        let card = self.card(vk)?;
        let path = self.dir.join(format!("{vk}.toml"));
        let scheme =
            self.schemes.by_id(card.scheme).ok_or(CircuitError::Scheme { path, scheme: card.scheme })?;
        let path = self.dir.join(format!("{vk}.pk"));
        let file = File::open(&path).map_err(io_error(&path))?;
        let key = scheme.proving_key(&mut BufReader::with_capacity(1 << 20, file), &card.pk, card.class)?;
        let found = key.verifying_key();
        if found != *vk {
            return Err(CircuitError::WrongName { named: *vk, found });
        }
        *last = Some((*vk, Arc::clone(&key)));
        Ok(key)
    }
}
