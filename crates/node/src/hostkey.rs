//! The host's private key file: TOML, mode 0600, never overwritten.

use std::fs::{File, OpenOptions};
use std::io::{self, Read as _, Write as _};
use std::os::unix::fs::{MetadataExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};

use bailiwick_protocol::ids::HostKey;
use bailiwick_protocol::key_file::{KEY_FILE_BYTES_MAX, KeyFile, KeyFileError};
use bailiwick_protocol::secret::Secret;
use bailiwick_protocol::signing::SigningKey;
use zeroize::Zeroizing;

/// What a host key file says it is.
const KIND: &str = "host";
const ALGORITHM: &str = "ed25519";

/// Why a host key cannot be used.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum HostKeyError {
    /// The file cannot be read or written.
    #[error("host key {path}: {source}")]
    Io {
        /// The file.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// Others may read the file.
    #[error("host key {path} is readable by others (mode {mode:o}); run: chmod 600 {path}")]
    Readable {
        /// The file.
        path: PathBuf,
        /// Its permission bits.
        mode: u32,
    },
    /// Not a key file.
    #[error("host key {path} is not a key file: {source}")]
    NoKeyFile {
        /// The file.
        path: PathBuf,
        /// Why; never a part of the file.
        source: KeyFileError,
    },
    /// Not a secret key file of a host, or its public key is not that of its secret.
    #[error("host key {path}: {what}")]
    Form {
        /// The file.
        path: PathBuf,
        /// What is wrong; never a part of the file.
        what: &'static str,
    },
    /// No randomness.
    #[error("operating system gave no randomness")]
    Randomness,
}

/// Makes a new key and writes it to `path`, which must not exist.
///
/// # Errors
/// `Io`, `Randomness`.
pub fn create(path: &Path) -> Result<HostKey, HostKeyError> {
    let seed = Secret::<32>::try_init_with(|s| getrandom::fill(s)).map_err(|_| HostKeyError::Randomness)?;
    let public = HostKey(SigningKey::from_seed(&seed).public());
    let file = KeyFile {
        kind: KIND,
        algorithm: ALGORITHM,
        public: public.0.to_vec(),
        fingerprint: None,
        secret: Some(seed),
        agent: None,
    };
    let text = file.to_text();
    let write = || {
        let mut file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(path)?;
        file.write_all(text.as_bytes())?;
        file.sync_all()
    };
    write().map_err(|source| HostKeyError::Io { path: path.to_owned(), source })?;
    Ok(public)
}

/// Reads a key file that only its owner can read.
///
/// # Errors
/// `HostKeyError`.
pub fn load(path: &Path) -> Result<SigningKey, HostKeyError> {
    let io = |source| HostKeyError::Io { path: path.to_owned(), source };
    let form = |what| HostKeyError::Form { path: path.to_owned(), what };
    let file = File::open(path).map_err(io)?;
    let mode = file.metadata().map_err(io)?.mode() & 0o7777;
    if mode & 0o077 != 0 {
        return Err(HostKeyError::Readable { path: path.to_owned(), mode });
    }
    // One byte more than a key file has, so that a longer one is refused and not cut; all at once, so that no copy is left.
    let mut text = Zeroizing::new(String::with_capacity(KEY_FILE_BYTES_MAX + 1));
    file.take(KEY_FILE_BYTES_MAX as u64 + 1).read_to_string(&mut text).map_err(io)?;
    let parsed =
        KeyFile::parse(&text).map_err(|source| HostKeyError::NoKeyFile { path: path.to_owned(), source })?;
    if parsed.kind != KIND || parsed.algorithm != ALGORITHM {
        return Err(form("not an ed25519 host key"));
    }
    let key = SigningKey::from_seed(&parsed.secret.ok_or_else(|| form("holds a public key only"))?);
    if key.public()[..] != parsed.public[..] {
        return Err(form("public key does not belong to the secret"));
    }
    Ok(key)
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::os::unix::fs::PermissionsExt as _;

    use super::*;

    #[test]
    fn round_trip_and_refusals() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("host.key");
        let public = create(&path).unwrap();
        assert_eq!(fs::metadata(&path).unwrap().mode() & 0o777, 0o600);
        assert_eq!(load(&path).unwrap().public(), public.0);
        assert!(matches!(create(&path), Err(HostKeyError::Io { .. })), "never overwritten");
        let text = fs::read_to_string(&path).unwrap();
        for (from, to, form) in [
            ("\"host\"", "\"owner\"", true),
            ("\"ed25519\"", "\"x25519\"", true),
            ("secret = ", "# secret = ", true),
            ("version = 1", "version = 2", false),
            ("public = \"", "public = \"00", true),
            ("public = \"", "public = \"0", false),
            ("kind", "kin", false),
        ] {
            assert!(text.contains(from));
            fs::write(&path, text.replace(from, to)).unwrap();
            let error = load(&path).unwrap_err();
            assert_eq!(matches!(error, HostKeyError::Form { .. }), form, "{error}");
            assert_eq!(matches!(error, HostKeyError::NoKeyFile { .. }), !form, "{error}");
        }
        // A key file and more than fits: refused, not cut.
        fs::write(&path, format!("{text}{}", "\n".repeat(KEY_FILE_BYTES_MAX))).unwrap();
        assert!(matches!(
            load(&path),
            Err(HostKeyError::NoKeyFile { source: KeyFileError::TooLong { .. }, .. })
        ));
        fs::write(&path, &text).unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(0o640)).unwrap();
        assert!(matches!(load(&path), Err(HostKeyError::Readable { mode: 0o640, .. })));
        fs::set_permissions(&path, fs::Permissions::from_mode(0o600)).unwrap();
        assert!(load(&path).is_ok());
    }

    #[test]
    fn errors_never_quote_the_secret() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("host.key");
        create(&path).unwrap();
        let text = fs::read_to_string(&path).unwrap();
        let at = text.find("secret = \"").unwrap() + 10;
        let secret = text[at..at + 64].to_owned();
        assert!(hex::decode(&secret).is_ok());
        for (from, to) in
            [("version = 1", "version = 1 1"), ("secret = \"", "secret = \"zz"), ("secret", "secre")]
        {
            fs::write(&path, text.replace(from, to)).unwrap();
            let error = load(&path).unwrap_err();
            assert!(!format!("{error} {error:?}").contains(&secret[..8]));
        }
    }
}
