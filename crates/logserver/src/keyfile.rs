//! Files with a note key: one line in the form of C2SP signed-note, mode 0600, never overwritten.

use std::fs::{File, OpenOptions};
use std::io::{self, Read as _, Write as _};
use std::os::unix::fs::{MetadataExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};

use bailiwick_protocol::secret::Secret;
use bailiwick_translog::{KeyError, NoteSigner, SignatureKind, VerifierKey};
use zeroize::Zeroizing;

/// Bytes of a key file, at most.
const FILE_BYTES_MAX: u64 = 4096;

/// Why a key file cannot be used.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum KeyFileError {
    /// The file cannot be read or written.
    #[error("key file {path}: {source}")]
    Io {
        /// The file.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// Others may read the file.
    #[error("key file {path} is readable by others (mode {mode:o}); run: chmod 600 {path}")]
    Readable {
        /// The file.
        path: PathBuf,
        /// Its permission bits.
        mode: u32,
    },
    /// Not a note key. Never shows a part of the file.
    #[error("key file {path}: {source}")]
    Key {
        /// The file.
        path: PathBuf,
        /// Why.
        source: KeyError,
    },
    /// No randomness.
    #[error("operating system gave no randomness")]
    Randomness,
}

/// Makes a new key and writes it to `path`, which must not exist.
///
/// # Errors
/// `Io`, `Randomness`; `Key` when `name` is no key name.
pub fn create(path: &Path, name: &str, kind: SignatureKind) -> Result<VerifierKey, KeyFileError> {
    let seed = Secret::<32>::try_init_with(|s| getrandom::fill(s)).map_err(|_| KeyFileError::Randomness)?;
    let signer = NoteSigner::from_seed(name, kind, &seed)
        .map_err(|source| KeyFileError::Key { path: path.to_owned(), source })?;
    let text = NoteSigner::secret_text(name, kind, &seed)
        .ok_or_else(|| KeyFileError::Key { path: path.to_owned(), source: KeyError::Name })?;
    let write = || {
        let mut file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(path)?;
        file.write_all(text.as_bytes())?;
        file.write_all(b"\n")?;
        file.sync_all()
    };
    write().map_err(|source| KeyFileError::Io { path: path.to_owned(), source })?;
    Ok(signer.verifier().clone())
}

/// Reads a key file that only its owner can read.
///
/// # Errors
/// `KeyFileError`.
pub fn load(path: &Path) -> Result<NoteSigner, KeyFileError> {
    let io = |source| KeyFileError::Io { path: path.to_owned(), source };
    let file = File::open(path).map_err(io)?;
    let mode = file.metadata().map_err(io)?.mode() & 0o7777;
    if mode & 0o077 != 0 {
        return Err(KeyFileError::Readable { path: path.to_owned(), mode });
    }
    let mut text = Zeroizing::new(String::with_capacity(512));
    file.take(FILE_BYTES_MAX).read_to_string(&mut text).map_err(io)?;
    NoteSigner::parse(text.trim_end()).map_err(|source| KeyFileError::Key { path: path.to_owned(), source })
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::os::unix::fs::PermissionsExt as _;

    use super::*;

    /// E34: private from the start, never overwritten, refused when others may read it; errors never quote the secret.
    #[test]
    fn e34_note_key_files_are_private() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("log.key");
        let public = create(&path, "log.example/a", SignatureKind::Ed25519).unwrap();
        assert_eq!(fs::metadata(&path).unwrap().mode() & 0o777, 0o600);
        assert_eq!(load(&path).unwrap().verifier(), &public);
        assert!(matches!(create(&path, "x", SignatureKind::Ed25519), Err(KeyFileError::Io { .. })));
        let text = fs::read_to_string(&path).unwrap();
        // The secret itself may have plus signs: base64.
        let secret = text.trim_end().splitn(5, '+').nth(4).unwrap().to_owned();
        fs::write(&path, text.replace("PRIVATE", "PRIVATF")).unwrap();
        let error = load(&path).unwrap_err();
        assert!(matches!(error, KeyFileError::Key { .. }), "{error}");
        assert!(!format!("{error} {error:?}").contains(&secret[..8]));
        fs::write(&path, &text).unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(0o640)).unwrap();
        assert!(matches!(load(&path), Err(KeyFileError::Readable { mode: 0o640, .. })));
    }
}
