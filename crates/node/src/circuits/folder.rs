//! What the folder of proving keys holds, looked at no more often than it matters: anyone may ask for the list, and each upload
//! needs the largest body that can be proven.

use std::collections::HashMap;
use std::fs;
use std::io;
use std::path::Path;
use std::time::{Duration, Instant, SystemTime};

use bailiwick_protocol::api::CircuitInfo;
use bailiwick_protocol::envelope::CELL_BYTES;
use bailiwick_protocol::ids::{ClassId, VkDigest};

use super::CircuitError;

/// Keys a folder may hold; more are not looked at.
const KEYS_MAX: usize = 1000;
/// Time a look at the folder is good for, while no name in it changes.
const AGE_MAX: Duration = Duration::from_secs(1);

/// What is known of the folder.
#[derive(Default)]
pub(super) struct Folder {
    seen: Option<Seen>,
    /// Class by card, as last read. A card that cannot be read for a while is still that of this class.
    classes: HashMap<VkDigest, ClassId>,
    /// Cards that cannot be used, and what was logged of them.
    unusable: HashMap<VkDigest, String>,
}

struct Seen {
    at: Instant,
    modified: Option<SystemTime>,
    listed: Vec<CircuitInfo>,
}

impl Folder {
    /// Looks at `dir` unless it was looked at just now; `card` reads the card of a key.
    ///
    /// # Errors
    /// The system's, when the folder is there and cannot be listed.
    pub(super) fn refresh(
        &mut self,
        dir: &Path,
        card: impl Fn(&VkDigest) -> Result<ClassId, CircuitError>,
    ) -> io::Result<()> {
        // Before the look: what changes during it is looked at again.
        let modified = fs::metadata(dir).and_then(|m| m.modified()).ok();
        if self.seen.as_ref().is_some_and(|s| s.modified == modified && s.at.elapsed() < AGE_MAX) {
            return Ok(());
        }
        let keys = match keys_in(dir) {
            Err(e) if e.kind() == io::ErrorKind::NotFound => Vec::new(),
            other => other?,
        };
        self.classes.retain(|vk, _| keys.contains(vk));
        self.unusable.retain(|vk, _| keys.contains(vk));
        let mut listed = Vec::new();
        for vk in keys {
            match card(&vk) {
                Ok(class) => {
                    self.unusable.remove(&vk);
                    self.classes.insert(vk, class);
                    listed.push(CircuitInfo { vk, samples: class.samples, depth: class.depth });
                }
                Err(error) => self.complain(vk, &error),
            }
        }
        listed.sort_by_key(|c| c.vk);
        self.seen = Some(Seen { at: Instant::now(), modified, listed });
        Ok(())
    }

    /// Once for each card and reason.
    fn complain(&mut self, vk: VkDigest, error: &CircuitError) {
        // What is no card, however often it is read, is that of no class.
        if !matches!(error, CircuitError::Io { .. }) {
            self.classes.remove(&vk);
        }
        let why = error.to_string();
        if self.unusable.get(&vk) != Some(&why) {
            tracing::error!(%error, "a circuit key cannot be used; put its card back, or remove the key from the folder");
            self.unusable.insert(vk, why);
        }
    }

    /// Keys that can be used, by digest.
    pub(super) fn listed(&self) -> Vec<CircuitInfo> {
        self.seen.as_ref().map_or_else(Vec::new, |s| s.listed.clone())
    }

    /// Cards that cannot be used.
    pub(super) fn unusable(&self) -> usize {
        self.unusable.len()
    }

    /// Bytes of the largest body that every key can prove; `None` without keys.
    pub(super) fn body_bytes_max(&self) -> Option<u64> {
        let provable = |class: &ClassId| {
            let cells = 1u64.checked_shl(4 * u32::from(class.depth).saturating_sub(1));
            cells.map_or(u64::MAX, |cells| cells.saturating_mul(CELL_BYTES))
        };
        self.classes.values().map(provable).min()
    }
}

/// Keys that have a card in the folder, by the names there.
fn keys_in(dir: &Path) -> io::Result<Vec<VkDigest>> {
    let mut keys = Vec::new();
    for entry in fs::read_dir(dir)?.take(2 * KEYS_MAX) {
        let name = entry?.file_name();
        keys.extend(name.to_str().and_then(|name| name.strip_suffix(".toml")?.parse::<VkDigest>().ok()));
    }
    Ok(keys)
}
