//! Entries of an archive, in their order.

use crate::header::header_bytes;
use crate::tree::TreeCheck;
use crate::{ArchiveError, BLOCK_BYTES, ENTRIES_MAX, FILE_BYTES_MAX};

/// What an entry is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Kind {
    /// A folder.
    Folder,
    /// A file, mode 0644.
    File,
    /// A file its owner may execute, mode 0755.
    Executable,
}

impl Kind {
    pub(crate) const fn id(self) -> u8 {
        match self {
            Self::Folder => 0,
            Self::File => 1,
            Self::Executable => 2,
        }
    }

    pub(crate) const fn from_id(id: u8) -> Option<Self> {
        match id {
            0 => Some(Self::Folder),
            1 => Some(Self::File),
            2 => Some(Self::Executable),
            _ => None,
        }
    }
}

/// A file or folder.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Entry {
    /// Relative, components separated by `/`, none at the end.
    pub path: String,
    /// What it is.
    pub kind: Kind,
    /// Bytes; 0 for a folder.
    pub size: u64,
}

impl Entry {
    /// A folder.
    #[must_use]
    pub fn folder(path: &str) -> Self {
        Self { path: path.to_owned(), kind: Kind::Folder, size: 0 }
    }

    /// A file of `size` bytes.
    #[must_use]
    pub fn file(path: &str, size: u64, executable: bool) -> Self {
        let kind = if executable { Kind::Executable } else { Kind::File };
        Self { path: path.to_owned(), kind, size }
    }

    /// Bytes of header, data and zeros up to the next block.
    pub(crate) fn packed_bytes(&self) -> u64 {
        header_bytes(self) + padded(self.size)
    }
}

/// `n` rounded up to whole blocks.
pub(crate) const fn padded(n: u64) -> u64 {
    n.div_ceil(BLOCK_BYTES as u64) * BLOCK_BYTES as u64
}

/// The entries of one archive: in order, every folder before what is in it, no two names that meet.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Entries(Vec<Entry>);

impl Entries {
    /// Sorts and checks. Folders have to be listed.
    ///
    /// # Errors
    /// `Name`, `Collision`, `Order` for a name that is there twice, `NoFolder`, `TooManyEntries`, `FileTooLong`.
    pub fn new(mut entries: Vec<Entry>) -> Result<Self, ArchiveError> {
        if entries.len() > ENTRIES_MAX {
            return Err(ArchiveError::TooManyEntries);
        }
        entries.sort_by(|a, b| order_key(&a.path).cmp(order_key(&b.path)));
        let mut check = TreeCheck::default();
        for (i, entry) in entries.iter().enumerate() {
            check.admit(entry, || entries[..i].iter().map(|e| &e.path))?;
        }
        Ok(Self(entries))
    }

    /// In order.
    pub fn iter(&self) -> core::slice::Iter<'_, Entry> {
        self.0.iter()
    }

    /// How many.
    #[must_use]
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Bytes their archive has.
    #[must_use]
    pub fn packed_bytes(&self) -> u64 {
        let index = self.iter().map(|e| crate::index::entry_bytes(e) as u64).sum::<u64>();
        let packed = self.iter().map(Entry::packed_bytes).sum::<u64>();
        packed + padded(index) + 3 * BLOCK_BYTES as u64
    }

    pub(crate) fn as_slice(&self) -> &[Entry] {
        &self.0
    }
}

/// Paths are ordered as lists of components, each by its bytes: a folder stands before what is in it, and that before its next sibling.
pub(crate) fn order_key(path: &str) -> impl Iterator<Item = &[u8]> {
    path.as_bytes().split(|b| *b == b'/')
}

pub(crate) fn check_size(entry: &Entry) -> Result<(), ArchiveError> {
    if entry.size > FILE_BYTES_MAX || (entry.kind == Kind::Folder && entry.size != 0) {
        return Err(ArchiveError::FileTooLong { name: entry.path.clone(), size: entry.size });
    }
    Ok(())
}
