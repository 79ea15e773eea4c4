//! Whether entries, one after another, make a tree every file system can hold.

use std::collections::HashSet;
use std::hash::{BuildHasher as _, RandomState};

use crate::entry::{check_size, order_key};
use crate::name::{check_name, collision_key};
use crate::{ArchiveError, ENTRIES_MAX, Entry, INDEX_BYTES_MAX, Kind};

/// One open folder: its path, and hashes of what the names in it may collide with. Eight bytes a name, however long it is; where hashes meet the
/// names are compared.
#[derive(Debug, Default)]
struct Level {
    path: String,
    names: HashSet<u64>,
}

/// Takes entries in order; the state is the chain of open folders with the names seen in each.
#[derive(Debug)]
pub(crate) struct TreeCheck {
    open: Vec<Level>,
    last: Option<String>,
    count: usize,
    index_bytes: usize,
    /// Of this check alone, so that nobody can choose names whose hashes meet.
    hasher: RandomState,
}

impl Default for TreeCheck {
    fn default() -> Self {
        let open = vec![Level::default()];
        Self { open, last: None, count: 0, index_bytes: 0, hasher: RandomState::new() }
    }
}

impl TreeCheck {
    /// `earlier` gives the paths that were admitted, for when one has to be named.
    pub(crate) fn admit<P: AsRef<str>, I: Iterator<Item = P>>(
        &mut self,
        entry: &Entry,
        earlier: impl FnOnce() -> I,
    ) -> Result<(), ArchiveError> {
        check_name(&entry.path)?;
        check_size(entry)?;
        self.count += 1;
        if self.count > ENTRIES_MAX {
            return Err(ArchiveError::TooManyEntries);
        }
        self.index_bytes += crate::index::entry_bytes(entry);
        if self.index_bytes > INDEX_BYTES_MAX {
            return Err(ArchiveError::IndexTooLong);
        }
        if self.last.as_deref().is_some_and(|last| !order_key(last).lt(order_key(&entry.path))) {
            return Err(ArchiveError::Order { name: entry.path.clone() });
        }
        let (parent, name) = split(&entry.path);
        while self.open.last().is_some_and(|level| level.path != parent) {
            self.open.pop();
        }
        let Some(level) = self.open.last_mut() else {
            return Err(ArchiveError::NoFolder { name: entry.path.clone() });
        };
        let key = collision_key(name);
        if !level.names.insert(self.hasher.hash_one(&key)) {
            let same = |path: &P| {
                let (folder, other) = split(path.as_ref());
                folder == parent && collision_key(other) == key
            };
            if let Some(first) = earlier().find(same) {
                let (first, second) = (first.as_ref().to_owned(), entry.path.clone());
                return Err(ArchiveError::Collision { first, second });
            }
        }
        if entry.kind == Kind::Folder {
            self.open.push(Level { path: entry.path.clone(), names: HashSet::new() });
        }
        self.last = Some(entry.path.clone());
        Ok(())
    }
}

/// Folder and name.
fn split(path: &str) -> (&str, &str) {
    path.rsplit_once('/').unwrap_or(("", path))
}
