//! redb's storage over the store's own file calls, so that the index suffers the same faults in tests and obeys the same
//! rule about `fsync`.

use std::io;
use std::path::PathBuf;
use std::sync::Arc;

use crate::disk::Disk;
use crate::error::StoreError;
use crate::files::{File, read_exact_at};

#[derive(Debug)]
pub(super) struct Backend {
    pub(super) disk: Arc<Disk>,
    pub(super) file: Box<dyn File>,
    pub(super) path: PathBuf,
}

impl redb::StorageBackend for Backend {
    fn len(&self) -> io::Result<u64> {
        self.file.len()
    }

    fn read(&self, offset: u64, out: &mut [u8]) -> io::Result<()> {
        read_exact_at(&*self.file, offset, out)
    }

    fn set_len(&self, len: u64) -> io::Result<()> {
        self.file.set_len(len)
    }

    fn sync_data(&self) -> io::Result<()> {
        self.disk.sync(&*self.file, &self.path).map_err(|e| match e {
            StoreError::SyncFailed { source, .. } => source,
            other => io::Error::other(other),
        })
    }

    fn write(&self, offset: u64, data: &[u8]) -> io::Result<()> {
        self.file.write_all_at(offset, data)
    }
}
