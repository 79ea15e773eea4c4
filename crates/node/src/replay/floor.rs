//! The floor on disk: one decimal number in a file that is replaced as a whole.

use std::fs::{self, File};
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};

/// Why the floor cannot be used. A node without a floor must not accept requests.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum FloorError {
    /// The file or its folder cannot be read or written.
    #[error("replay floor {path}: {source}")]
    Io {
        /// The file.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// The file does not hold a number.
    #[error("replay floor {path} is damaged; after a minute without requests it is safe to remove it")]
    Damaged {
        /// The file.
        path: PathBuf,
    },
}

/// Where the floor is kept.
#[derive(Clone, Debug)]
pub struct FloorFile(PathBuf);

impl FloorFile {
    /// The file at `path`; its folder must exist.
    #[must_use]
    pub fn new(path: PathBuf) -> Self {
        Self(path)
    }

    fn io(&self, source: io::Error) -> FloorError {
        FloorError::Io { path: self.0.clone(), source }
    }

    /// The floor; 0 when there has been none.
    ///
    /// # Errors
    /// `Io`, `Damaged`.
    pub fn load(&self) -> Result<u64, FloorError> {
        match fs::read_to_string(&self.0) {
            Ok(text) => text.trim_end().parse().map_err(|_| FloorError::Damaged { path: self.0.clone() }),
            Err(e) if e.kind() == io::ErrorKind::NotFound => Ok(0),
            Err(e) => Err(self.io(e)),
        }
    }

    /// Replaces the floor; durable when this returns.
    ///
    /// # Errors
    /// `Io`; then nothing may be accepted on the strength of it.
    pub fn store(&self, floor: u64) -> Result<(), FloorError> {
        let write = || {
            let folder = self.0.parent().unwrap_or(Path::new("."));
            let temporary = self.0.with_extension("tmp");
            let mut file = File::create(&temporary)?;
            file.write_all(format!("{floor}\n").as_bytes())?;
            file.sync_all()?;
            fs::rename(&temporary, &self.0)?;
            File::open(folder)?.sync_all()
        };
        write().map_err(|e| self.io(e))
    }
}
