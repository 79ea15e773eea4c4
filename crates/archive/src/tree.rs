//! Whether entries, one after another, make a tree every file system can hold.

use std::collections::HashMap;

use crate::entry::{check_size, order_key};
use crate::name::{check_name, collision_key};
use crate::{ArchiveError, ENTRIES_MAX, Entry, INDEX_BYTES_MAX, Kind};

/// One open folder: its path, and the names in it by what they may collide with.
#[derive(Debug, Default)]
struct Level {
    path: String,
    names: HashMap<String, String>,
}

/// Takes entries in order; the state is the chain of open folders with the names seen in each.
#[derive(Debug)]
pub(crate) struct TreeCheck {
    open: Vec<Level>,
    last: Option<String>,
    count: usize,
    index_bytes: usize,
}

impl Default for TreeCheck {
    fn default() -> Self {
        Self { open: vec![Level::default()], last: None, count: 0, index_bytes: 0 }
    }
}

impl TreeCheck {
    pub(crate) fn admit(&mut self, entry: &Entry) -> Result<(), ArchiveError> {
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
        let (parent, name) = entry.path.rsplit_once('/').unwrap_or(("", &entry.path));
        while self.open.last().is_some_and(|level| level.path != parent) {
            self.open.pop();
        }
        let Some(level) = self.open.last_mut() else {
            return Err(ArchiveError::NoFolder { name: entry.path.clone() });
        };
        if let Some(first) = level.names.insert(collision_key(name), name.to_owned()) {
            let first = entry.path[..entry.path.len() - name.len()].to_owned() + &first;
            return Err(ArchiveError::Collision { first, second: entry.path.clone() });
        }
        if entry.kind == Kind::Folder {
            self.open.push(Level { path: entry.path.clone(), names: HashMap::new() });
        }
        self.last = Some(entry.path.clone());
        Ok(())
    }
}
