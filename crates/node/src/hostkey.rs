//! The host's private key file: TOML, mode 0600, never overwritten.

use std::fs::{File, OpenOptions};
use std::io::{self, Read as _, Write as _};
use std::os::unix::fs::{MetadataExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};

use bailiwick_protocol::ids::HostKey;
use bailiwick_protocol::secret::Secret;
use bailiwick_protocol::signing::SigningKey;
use serde::Deserialize;
use zeroize::{Zeroize as _, Zeroizing};

/// Bytes of a key file, at most.
const FILE_BYTES_MAX: u64 = 4096;

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
    /// Not a key file of this kind and version, or its public key is not that of its secret.
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

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct KeyFile {
    version: u64,
    kind: String,
    algorithm: String,
    public: String,
    secret: String,
}

/// Makes a new key and writes it to `path`, which must not exist.
///
/// # Errors
/// `Io`, `Randomness`.
pub fn create(path: &Path) -> Result<HostKey, HostKeyError> {
    let seed = Secret::<32>::try_init_with(|s| getrandom::fill(s)).map_err(|_| HostKeyError::Randomness)?;
    let public = HostKey(SigningKey::from_seed(&seed).public());
    let mut secret_hex = Zeroizing::new([0u8; 64]);
    hex::encode_to_slice(seed.expose_secret(), secret_hex.as_mut_slice()).expect("64 digits hold 32 bytes");
    let head =
        format!("version = 1\nkind = \"host\"\nalgorithm = \"ed25519\"\npublic = \"{public}\"\nsecret = \"");
    let write = || {
        let mut file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(path)?;
        file.write_all(head.as_bytes())?;
        file.write_all(secret_hex.as_slice())?;
        file.write_all(b"\"\n")?;
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
    let mut text = Zeroizing::new(String::with_capacity(512));
    file.take(FILE_BYTES_MAX).read_to_string(&mut text).map_err(io)?;
    // The parser's own error would quote the line.
    let mut parsed: KeyFile = toml::from_str(&text).map_err(|_| form("not a key file"))?;
    let seed = Secret::<32>::try_init_with(|s| hex::decode_to_slice(&parsed.secret, s));
    parsed.secret.zeroize();
    if parsed.version != 1 || parsed.kind != "host" || parsed.algorithm != "ed25519" {
        return Err(form("not an ed25519 host key, version 1"));
    }
    let key = SigningKey::from_seed(&seed.map_err(|_| form("secret is not 64 hexadecimal digits"))?);
    if hex::encode(key.public()) != parsed.public {
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
        for (from, to) in
            [("\"host\"", "\"owner\""), ("version = 1", "version = 2"), ("public = \"", "public = \"0")]
        {
            fs::write(&path, text.replace(from, to)).unwrap();
            let error = load(&path).unwrap_err();
            assert!(matches!(error, HostKeyError::Form { .. }), "{error}");
        }
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
        let secret = text.lines().last().unwrap()[10..74].to_owned();
        fs::write(&path, text.replace("version = 1", "version = 1 1")).unwrap();
        let error = load(&path).unwrap_err();
        assert!(!format!("{error} {error:?}").contains(&secret[..8]));
    }
}
