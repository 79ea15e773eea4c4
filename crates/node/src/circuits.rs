//! The folder of proving keys as `bailiwick circuit setup` fills it: for each key `VK.pk` (the key) and `VK.toml` (its
//! card), VK being the digest of the verifying key in hexadecimal.

use std::fs::{self, File};
use std::io::{self, BufReader, Read as _};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use bailiwick_possession_circuit::{KeyError, ProverKey};
use bailiwick_protocol::api::CircuitInfo;
use bailiwick_protocol::envelope::CELL_BYTES;
use bailiwick_protocol::ids::{ClassId, PkDigest, VkDigest};
use bailiwick_protocol::key_card::{KEY_CARD_BYTES_MAX, KEY_CARD_VERSION, KeyCard};

/// Keys a folder may hold; more are not looked at.
const KEYS_MAX: usize = 1000;
/// Time a list of the folder is good for: anyone may ask for it.
const LIST_AGE_MAX: Duration = Duration::from_secs(1);

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
    Key(#[from] KeyError),
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
    last: Mutex<Option<(VkDigest, Arc<ProverKey>)>>,
    listed: Mutex<Option<(Instant, Vec<CircuitInfo>)>>,
}

fn io_error(path: &Path) -> impl Fn(io::Error) -> CircuitError {
    move |source| CircuitError::Io { path: path.to_owned(), source }
}

impl CircuitKeys {
    /// The folder `dir`; it may be missing or fill later.
    #[must_use]
    pub fn new(dir: PathBuf) -> Self {
        Self { dir, last: Mutex::new(None), listed: Mutex::new(None) }
    }

    fn card(&self, vk: &VkDigest) -> Result<(ClassId, PkDigest), CircuitError> {
        let path = self.dir.join(format!("{vk}.toml"));
        let mut text = String::new();
        // One byte more than allowed, so that a longer file is refused and not cut to something else.
        let file = File::open(&path).map_err(io_error(&path))?;
        file.take(KEY_CARD_BYTES_MAX + 1).read_to_string(&mut text).map_err(io_error(&path))?;
        if text.len() as u64 > KEY_CARD_BYTES_MAX {
            return Err(CircuitError::Card { path });
        }
        match toml::from_str::<KeyCard>(&text) {
            Ok(card) if card.version == KEY_CARD_VERSION && card.vk == *vk => Ok((card.class, card.pk)),
            _ => Err(CircuitError::Card { path }),
        }
    }

    /// Class of a key at hand.
    ///
    /// # Errors
    /// `Io` when there is none, `Card`.
    pub fn class(&self, vk: &VkDigest) -> Result<ClassId, CircuitError> {
        Ok(self.card(vk)?.0)
    }

    /// [`CircuitKeys::list`], at most a second old.
    pub(crate) fn listed(&self) -> Vec<CircuitInfo> {
        let mut listed = self.listed.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((_, list)) = listed.as_ref().filter(|(at, _)| at.elapsed() < LIST_AGE_MAX) {
            return list.clone();
        }
        let list = self.list();
        *listed = Some((Instant::now(), list.clone()));
        list
    }

    /// Keys at hand, by digest.
    #[must_use]
    pub fn list(&self) -> Vec<CircuitInfo> {
        let names = fs::read_dir(&self.dir).into_iter().flatten().flatten().take(2 * KEYS_MAX);
        let mut out: Vec<CircuitInfo> = names
            .filter_map(|entry| entry.file_name().to_str()?.strip_suffix(".toml")?.parse::<VkDigest>().ok())
            .filter_map(|vk| {
                let class = self.class(&vk).ok()?;
                Some(CircuitInfo { vk, samples: class.samples, depth: class.depth })
            })
            .collect();
        out.sort_by_key(|c| c.vk);
        out
    }

    /// Bytes of the largest body that every key at hand can prove; `None` without keys.
    ///
    /// # Errors
    /// `Io` when the folder or a card in it cannot be read now, so that this is not known.
    pub fn body_bytes_max(&self) -> Result<Option<u64>, CircuitError> {
        let entries = match fs::read_dir(&self.dir) {
            Err(e) if e.kind() == io::ErrorKind::NotFound => return Ok(None),
            other => other.map_err(io_error(&self.dir))?,
        };
        let mut smallest: Option<u64> = None;
        for entry in entries.take(2 * KEYS_MAX) {
            let name = entry.map_err(io_error(&self.dir))?.file_name();
            let vk = name.to_str().and_then(|name| name.strip_suffix(".toml")?.parse::<VkDigest>().ok());
            match vk.map(|vk| self.class(&vk)) {
                None | Some(Err(CircuitError::Card { .. })) => {}
                Some(class) => {
                    let cells = 1u64.checked_shl(4 * u32::from(class?.depth).saturating_sub(1));
                    let bytes = cells.map_or(u64::MAX, |cells| cells.saturating_mul(CELL_BYTES));
                    smallest = Some(smallest.map_or(bytes, |s| s.min(bytes)));
                }
            }
        }
        Ok(smallest)
    }

    /// The key, from memory if it was used last; reading a large one takes seconds.
    ///
    /// # Errors
    /// `CircuitError`.
    pub fn load(&self, vk: &VkDigest) -> Result<Arc<ProverKey>, CircuitError> {
        // The prover is one thread, so holding the lock while reading keeps nobody waiting.
        let mut last = self.last.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((_, key)) = last.as_ref().filter(|(d, _)| d == vk) {
            return Ok(Arc::clone(key));
        }
        // Two keys never share memory.
        *last = None;
        let (class, pk) = self.card(vk)?;
        let path = self.dir.join(format!("{vk}.pk"));
        let file = File::open(&path).map_err(io_error(&path))?;
        let key = ProverKey::read_from(&mut BufReader::with_capacity(1 << 20, file), &pk, class)?;
        let found = key.prepared().digest();
        if found != *vk {
            return Err(CircuitError::WrongName { named: *vk, found });
        }
        let key = Arc::new(key);
        *last = Some((*vk, Arc::clone(&key)));
        Ok(key)
    }
}
