//! Keys and key files, in the form the command line writes and reads.

use std::fmt;
use std::fs::{self, OpenOptions};
use std::io::{Read as _, Write as _};
use std::os::unix::fs::{MetadataExt as _, OpenOptionsExt as _};
use std::path::Path;

use bailiwick_envelope::{RecipientPublicKey, RecipientSecretKey};
use bailiwick_protocol::envelope::Kem;
use bailiwick_protocol::ids;
use bailiwick_protocol::key_file::{KEY_FILE_BYTES_MAX, KeyFile};
use bailiwick_protocol::labels::Label;
use bailiwick_protocol::secret::Secret;
use bailiwick_protocol::signing::SigningKey;
use zeroize::Zeroizing;

use crate::files::{NewFile, open, with_suffix};
use crate::{Code, Error, Result};

const OWNER: (&str, &str) = ("owner", "ed25519");
const RECIPIENT: &str = "recipient";

/// How a recipient's key works.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Algorithm {
    /// Hybrid post-quantum, MLKEM768-X25519. The default.
    XWing,
    /// X25519 alone (RFC 9180).
    X25519,
    /// NIST P-256 (RFC 9180), which tokens and key services can do.
    P256,
}

impl Algorithm {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::XWing, Self::X25519, Self::P256];

    /// `x-wing`, `x25519`, `p256`.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::XWing => "x-wing",
            Self::X25519 => "x25519",
            Self::P256 => "p256",
        }
    }

    /// By its name.
    ///
    /// # Errors
    /// `Argument`.
    pub fn parse(name: &str) -> Result<Self> {
        Self::ALL.into_iter().find(|a| a.name() == name).ok_or_else(|| {
            Error::new(Code::Argument, format!("no algorithm {name:?}: x-wing, x25519 or p256"))
        })
    }

    fn kem(self) -> Kem {
        match self {
            Self::XWing => Kem::XWing,
            Self::X25519 => Kem::X25519,
            Self::P256 => Kem::P256,
        }
    }

    fn of(kem: Kem) -> Result<Self> {
        let found = Self::ALL.into_iter().find(|a| a.kem() == kem);
        found.ok_or_else(|| Error::new(Code::Key, "a mechanism these bindings do not know"))
    }
}

/// The system's generator, after checking that it answers.
pub(crate) fn system_rng() -> Result<impl rand_core::CryptoRng> {
    let asked = getrandom::fill(&mut [0; 1]);
    asked.map_err(|e| Error::new(Code::Io, format!("the system gives no random numbers: {e}")))?;
    Ok(rand_core::UnwrapErr(getrandom::SysRng))
}

/// BLAKE3 derive-key over the mechanism's id (0 for Ed25519) and the key: what people compare.
fn fingerprint(kem: Option<Kem>, public: &[u8]) -> String {
    let mut h = blake3::Hasher::new_derive_key(Label::Fingerprint.as_str());
    h.update(&kem.map_or(0, Kem::id).to_le_bytes());
    h.update(public);
    h.finalize().to_hex().to_string()
}

/// An owner's secret key: signs envelopes. Wiped when dropped; its bytes go into a key file and nowhere else.
pub struct OwnerKey {
    seed: Secret<32>,
    /// On the heap, so that moving it leaves no copy behind.
    key: Box<SigningKey>,
}

impl OwnerKey {
    /// A fresh key.
    ///
    /// # Errors
    /// `Io` when the system gives no random numbers.
    pub fn generate() -> Result<Self> {
        let mut rng = system_rng()?;
        Ok(Self::from_seed(Secret::init_with(|b| rand_core::Rng::fill_bytes(&mut rng, b))))
    }

    fn from_seed(seed: Secret<32>) -> Self {
        let key = Box::new(SigningKey::from_seed(&seed));
        Self { seed, key }
    }

    /// Reads a secret key file of an owner.
    ///
    /// # Errors
    /// `Io`; `KeyFile`, also when others can read the file.
    pub fn read(path: &Path) -> Result<Self> {
        let text = secret_text(path)?;
        let file = parse(path, &text)?;
        if (file.kind, file.algorithm) != OWNER {
            return Err(wrong_kind(path, file.kind, OWNER.0));
        }
        let key = Self::from_seed(secret_of(path, file.secret)?);
        check(path, &file.public, &key.key.public(), file.fingerprint, None)?;
        Ok(key)
    }

    /// Writes a key file only this user can read, and `path.pub` beside it. Nothing is replaced.
    ///
    /// # Errors
    /// `Io`.
    pub fn write(&self, path: &Path) -> Result<()> {
        write(path, OWNER.0, OWNER.1, &self.key.public(), None, &self.seed)
    }

    /// What others know this owner by.
    #[must_use]
    pub fn public(&self) -> OwnerPublic {
        OwnerPublic(ids::OwnerKey(self.key.public()))
    }

    /// A second copy, wiped like the first.
    pub(crate) fn copy(&self) -> Self {
        Self::from_seed(Secret::init_with(|b| b.copy_from_slice(self.seed.expose_secret())))
    }

    pub(crate) fn signing(&self) -> &SigningKey {
        &self.key
    }
}

impl fmt::Debug for OwnerKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "OwnerKey(public {})", self.public().to_hex())
    }
}

/// An owner's public key.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct OwnerPublic(pub(crate) ids::OwnerKey);

impl OwnerPublic {
    /// From its 32 bytes.
    #[must_use]
    pub fn from_bytes(bytes: [u8; 32]) -> Self {
        Self(ids::OwnerKey(bytes))
    }

    /// From 64 hexadecimal digits, lower case.
    ///
    /// # Errors
    /// `Argument`.
    pub fn from_hex(digits: &str) -> Result<Self> {
        digits.parse().map(Self).map_err(|_| {
            Error::new(Code::Argument, "an owner's public key has 64 hexadecimal digits, in lower case")
        })
    }

    /// Reads the `.pub` file of an owner's key.
    ///
    /// # Errors
    /// `Io`, `KeyFile`.
    pub fn read(path: &Path) -> Result<Self> {
        let (text, _) = bounded_text(path)?;
        let file = parse(path, &text)?;
        if (file.kind, file.algorithm) != OWNER {
            return Err(wrong_kind(path, file.kind, OWNER.0));
        }
        let bytes = file.public.as_slice().try_into();
        let bytes = bytes.map_err(|_| key_file(path, "an Ed25519 public key has 32 bytes"))?;
        check(path, &file.public, &file.public, file.fingerprint, None)?;
        Ok(Self::from_bytes(bytes))
    }

    /// The 32 bytes.
    #[must_use]
    pub fn as_bytes(&self) -> &[u8; 32] {
        self.0.as_bytes()
    }

    /// 64 hexadecimal digits.
    #[must_use]
    pub fn to_hex(&self) -> String {
        hex::encode(self.as_bytes())
    }

    /// What people compare.
    #[must_use]
    pub fn fingerprint(&self) -> String {
        fingerprint(None, self.as_bytes())
    }
}

/// A recipient's secret key: opens objects. Wiped when dropped; its bytes go into a key file and nowhere else.
#[derive(Debug)]
pub struct RecipientKey(RecipientSecretKey);

impl RecipientKey {
    /// A fresh key.
    ///
    /// # Errors
    /// `Io` when the system gives no random numbers.
    pub fn generate(algorithm: Algorithm) -> Result<Self> {
        Ok(Self(RecipientSecretKey::generate(algorithm.kem(), &mut system_rng()?)))
    }

    /// Reads a secret key file of a recipient.
    ///
    /// # Errors
    /// `Io`; `KeyFile`, also when others can read the file.
    pub fn read(path: &Path) -> Result<Self> {
        let text = secret_text(path)?;
        let file = parse(path, &text)?;
        if file.kind != RECIPIENT {
            return Err(wrong_kind(path, file.kind, RECIPIENT));
        }
        let kem = Algorithm::parse(file.algorithm).map_err(|e| key_file(path, &e.message))?.kem();
        let key = RecipientSecretKey::from_bytes(kem, secret_of(path, file.secret)?)?;
        check(path, &file.public, key.public().as_bytes(), file.fingerprint, Some(kem))?;
        Ok(Self(key))
    }

    /// Writes a key file only this user can read, and `path.pub` beside it. Nothing is replaced.
    ///
    /// # Errors
    /// `Io`, `Key`.
    pub fn write(&self, path: &Path) -> Result<()> {
        let algorithm = Algorithm::of(self.0.kem())?.name();
        write(path, RECIPIENT, algorithm, self.0.public().as_bytes(), Some(self.0.kem()), self.0.secret())
    }

    /// What others seal for.
    #[must_use]
    pub fn public(&self) -> Recipient {
        Recipient(self.0.public())
    }

    /// A second copy, wiped like the first: an opener takes keys over.
    pub(crate) fn copy(&self) -> Result<RecipientSecretKey> {
        let bytes = Secret::init_with(|b| b.copy_from_slice(self.0.secret().expose_secret()));
        Ok(RecipientSecretKey::from_bytes(self.0.kem(), bytes)?)
    }
}

/// A recipient's public key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Recipient(pub(crate) RecipientPublicKey);

impl Recipient {
    /// From its bytes: 1,216 (X-Wing), 32 (X25519), 65 (P-256, uncompressed).
    ///
    /// # Errors
    /// `Key`.
    pub fn from_bytes(algorithm: Algorithm, bytes: &[u8]) -> Result<Self> {
        Ok(Self(RecipientPublicKey::from_bytes(algorithm.kem(), bytes)?))
    }

    /// Reads the `.pub` file of a recipient's key.
    ///
    /// # Errors
    /// `Io`, `KeyFile`, `Key`.
    pub fn read(path: &Path) -> Result<Self> {
        let (text, _) = bounded_text(path)?;
        let file = parse(path, &text)?;
        if file.kind != RECIPIENT {
            return Err(wrong_kind(path, file.kind, RECIPIENT));
        }
        let algorithm = Algorithm::parse(file.algorithm).map_err(|e| key_file(path, &e.message))?;
        check(path, &file.public, &file.public, file.fingerprint, Some(algorithm.kem()))?;
        Self::from_bytes(algorithm, &file.public)
    }

    /// The mechanism.
    ///
    /// # Errors
    /// `Key` for one these bindings do not know.
    pub fn algorithm(&self) -> Result<Algorithm> {
        Algorithm::of(self.0.kem())
    }

    /// The encoded key.
    #[must_use]
    pub fn as_bytes(&self) -> &[u8] {
        self.0.as_bytes()
    }

    /// What people compare.
    #[must_use]
    pub fn fingerprint(&self) -> String {
        hex::encode(self.0.fingerprint())
    }
}

fn key_file(path: &Path, what: &str) -> Error {
    Error::new(Code::KeyFile, format!("{}: {what}", path.display()))
}

fn wrong_kind(path: &Path, found: &str, wanted: &str) -> Error {
    // Whatever does not print stays out of terminals and logs.
    key_file(
        path,
        &format!("a {} key, this needs a key of kind {wanted}", bailiwick_verifier::printable(found)),
    )
}

/// Text of a secret key file, wiped on drop; refused when others can read it.
fn secret_text(path: &Path) -> Result<Zeroizing<String>> {
    let (text, mode) = bounded_text(path)?;
    // A public half may be given to anyone; that it is no secret one is said by whoever needs one.
    let secret = parse(path, &text)?.secret.is_some();
    if secret && mode & 0o077 != 0 {
        let what = format!("can be read by others (mode {:03o}); make it 600", mode & 0o777);
        return Err(key_file(path, &what));
    }
    Ok(text)
}

/// A file's text and permission bits, of one and the same file.
fn bounded_text(path: &Path) -> Result<(Zeroizing<String>, u32)> {
    let file = open(path)?;
    let mode = file.metadata().map(|m| m.mode());
    let mode = mode.map_err(|e| Error::io(format_args!("cannot examine {}", path.display()), e))?;
    // All at once: a string that grows leaves copies behind.
    let mut text = Zeroizing::new(String::with_capacity(KEY_FILE_BYTES_MAX + 1));
    let read = file.take(KEY_FILE_BYTES_MAX as u64 + 1).read_to_string(&mut text);
    read.map_err(|e| Error::new(Code::Io, format!("cannot read {} as text: {}", path.display(), e.kind())))?;
    Ok((text, mode))
}

fn parse<'a>(path: &Path, text: &'a str) -> Result<KeyFile<'a>> {
    KeyFile::parse(text).map_err(|e| key_file(path, &format!("not a key file: {e}")))
}

fn secret_of(path: &Path, secret: Option<Secret<32>>) -> Result<Secret<32>> {
    secret.ok_or_else(|| key_file(path, "holds a public key only; give the file without .pub"))
}

/// The public half the file states is `derived`, and the fingerprint is its.
fn check(path: &Path, stated: &[u8], derived: &[u8], print: Option<&str>, kem: Option<Kem>) -> Result<()> {
    if stated != derived {
        return Err(key_file(path, "the public key does not belong to the secret one"));
    }
    if print.is_some_and(|p| p != fingerprint(kem, stated)) {
        return Err(key_file(path, "the fingerprint is not the one of the public key"));
    }
    Ok(())
}

fn write(
    path: &Path,
    kind: &str,
    algorithm: &str,
    public: &[u8],
    kem: Option<Kem>,
    secret: &Secret<32>,
) -> Result<()> {
    let cannot = |e| Error::io(format_args!("cannot create {}", path.display()), e);
    let print = fingerprint(kem, public);
    let secret = Secret::init_with(|b| b.copy_from_slice(secret.expose_secret()));
    let mut file = KeyFile {
        kind,
        algorithm,
        public: public.to_vec(),
        fingerprint: Some(&print),
        secret: Some(secret),
        agent: None,
    };
    let text = file.to_text();
    file.secret = None;
    let mut beside = NewFile::create(&with_suffix(path, ".pub"), 0o644)?;
    beside.write_all(file.to_text().as_bytes()).map_err(cannot)?;
    // O_EXCL: neither a file nor a link that exists is followed or replaced.
    let mut to = OpenOptions::new().write(true).create_new(true).mode(0o600).open(path).map_err(cannot)?;
    if let Err(e) = to.write_all(text.as_bytes()).and_then(|()| to.sync_all()) {
        // It was made just now; a part of a key is of no use.
        let _ = fs::remove_file(path);
        return Err(cannot(e));
    }
    beside.commit()
}
