//! Key files: a few lines of text, `name = "value"` each (a subset of TOML that needs no copies of a secret).
//!
//! A secret key file is created with permission bits 0600 and never over something that exists; reading one
//! that others can read is refused. Beside it stands `FILE.pub`, which may be given to anyone.

use std::fs::{self, File, OpenOptions};
use std::io::{Read as _, Write as _};
use std::os::unix::fs::{MetadataExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};

use anyhow::{Context as _, anyhow, bail};
use bailiwick_custody::{CustodianPublicKey, CustodianSecretKey};
use bailiwick_envelope::{RecipientPublicKey, RecipientSecretKey};
use bailiwick_protocol::envelope::Kem;
use bailiwick_protocol::key_file::{KEY_FILE_BYTES_MAX, KeyFile, agent_name_is_valid};
use bailiwick_protocol::key_text::{TextKind, from_text, looks_like_a_key, to_text};
use bailiwick_protocol::labels::Label;
use bailiwick_protocol::secret::Secret;
use bailiwick_protocol::signing::SigningKey;
use zeroize::Zeroizing;

use crate::Help;
use crate::output::{read_bounded, write_new};

/// What a key is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum, serde::Serialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Kind {
    /// Signs envelopes and requests of the developer who seals
    Owner,
    /// Opens objects
    Recipient,
    /// Signs challenges and evidence
    Auditor,
    /// Identifies a node
    Host,
    /// Signs rosters
    Roster,
    /// Holds a share of keys
    Custodian,
}

/// How a key works.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum, serde::Serialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Algorithm {
    /// Signatures (RFC 8032)
    Ed25519,
    /// Hybrid post-quantum encapsulation, MLKEM768-X25519
    XWing,
    /// Classical encapsulation (RFC 9180)
    X25519,
    /// Classical encapsulation on NIST P-256 (RFC 9180), which tokens and key services can do
    P256,
    /// Shares of keys, with what custodians need beside it (spec custody)
    Ristretto255,
}

impl Kind {
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Owner => "owner",
            Self::Recipient => "recipient",
            Self::Auditor => "auditor",
            Self::Host => "host",
            Self::Roster => "roster",
            Self::Custodian => "custodian",
        }
    }

    fn parse(text: &str) -> Option<Self> {
        [Self::Owner, Self::Recipient, Self::Auditor, Self::Host, Self::Roster, Self::Custodian]
            .into_iter()
            .find(|k| k.name() == text)
    }

    pub(crate) fn default_algorithm(self) -> Algorithm {
        match self {
            Self::Recipient => Algorithm::XWing,
            Self::Custodian => Algorithm::Ristretto255,
            _ => Algorithm::Ed25519,
        }
    }
}

impl Algorithm {
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Ed25519 => "ed25519",
            Self::XWing => "x-wing",
            Self::X25519 => "x25519",
            Self::P256 => "p256",
            Self::Ristretto255 => "ristretto255",
        }
    }

    fn parse(text: &str) -> Option<Self> {
        [Self::Ed25519, Self::XWing, Self::X25519, Self::P256, Self::Ristretto255]
            .into_iter()
            .find(|a| a.name() == text)
    }

    pub(crate) fn fits(self, kind: Kind) -> bool {
        match kind {
            Kind::Recipient => self.kem().is_some(),
            Kind::Custodian => self == Self::Ristretto255,
            _ => self == Self::Ed25519,
        }
    }

    fn kem(self) -> Option<Kem> {
        match self {
            Self::Ed25519 | Self::Ristretto255 => None,
            Self::XWing => Some(Kem::XWing),
            Self::X25519 => Some(Kem::X25519),
            Self::P256 => Some(Kem::P256),
        }
    }
}

/// The public half of a key, checked.
#[derive(Clone, Debug)]
pub(crate) struct PublicKey {
    pub(crate) kind: Kind,
    pub(crate) algorithm: Algorithm,
    pub(crate) bytes: Vec<u8>,
}

impl PublicKey {
    fn new(kind: Kind, algorithm: Algorithm, bytes: Vec<u8>) -> anyhow::Result<Self> {
        match algorithm.kem() {
            Some(kem) => drop(RecipientPublicKey::from_bytes(kem, &bytes)?),
            None if algorithm == Algorithm::Ristretto255 => drop(CustodianPublicKey::from_bytes(&bytes)?),
            None if bytes.len() != 32 => {
                bail!("an Ed25519 public key has 32 bytes, this one {}", bytes.len())
            }
            None => {}
        }
        if !algorithm.fits(kind) {
            bail!("{} is not an algorithm of {} keys", algorithm.name(), kind.name());
        }
        Ok(Self { kind, algorithm, bytes })
    }

    /// What people compare: BLAKE3 derive-key over the mechanism's id (0 for Ed25519) and the key.
    pub(crate) fn fingerprint(&self) -> String {
        hex::encode(self.fingerprint_bytes())
    }

    pub(crate) fn fingerprint_bytes(&self) -> [u8; 32] {
        let mut h = blake3::Hasher::new_derive_key(Label::Fingerprint.as_str());
        h.update(&self.algorithm.kem().map_or(0, Kem::id).to_le_bytes());
        h.update(&self.bytes);
        h.finalize().into()
    }

    /// The text of the key file; of the `.pub` file without `secret`.
    fn to_text(&self, secret: Option<Secret<32>>) -> Zeroizing<String> {
        let fingerprint = self.fingerprint();
        let file = KeyFile {
            kind: self.kind.name(),
            algorithm: self.algorithm.name(),
            public: self.bytes.clone(),
            fingerprint: Some(&fingerprint),
            secret,
            agent: None,
        };
        file.to_text()
    }

    /// The key as one checksummed word.
    pub(crate) fn text(&self) -> anyhow::Result<String> {
        let kind = match (self.kind, self.algorithm.kem()) {
            (Kind::Recipient, Some(kem)) => TextKind::Recipient(kem),
            (Kind::Owner, _) => TextKind::Owner,
            (Kind::Auditor, _) => TextKind::Auditor,
            (Kind::Host, _) => TextKind::Host,
            (Kind::Roster, _) => TextKind::Roster,
            (Kind::Recipient, None) => bail!("a recipient key has a mechanism"),
            (Kind::Custodian, _) => TextKind::Custodian,
        };
        Ok(to_text(kind, &self.bytes)?)
    }

    /// Reads the checksummed word.
    fn from_text(text: &str) -> anyhow::Result<Self> {
        let (kind, bytes) = from_text(text)?;
        let (kind, algorithm) = match kind {
            TextKind::Owner => (Kind::Owner, Algorithm::Ed25519),
            TextKind::Auditor => (Kind::Auditor, Algorithm::Ed25519),
            TextKind::Host => (Kind::Host, Algorithm::Ed25519),
            TextKind::Roster => (Kind::Roster, Algorithm::Ed25519),
            TextKind::Custodian => (Kind::Custodian, Algorithm::Ristretto255),
            TextKind::Recipient(Kem::P256) => (Kind::Recipient, Algorithm::P256),
            TextKind::Recipient(Kem::X25519) => (Kind::Recipient, Algorithm::X25519),
            TextKind::Recipient(Kem::XWing) => (Kind::Recipient, Algorithm::XWing),
        };
        Self::new(kind, algorithm, bytes)
    }
}

/// The system's generator, after checking that it answers.
pub(crate) fn system_rng() -> anyhow::Result<impl rand_core::CryptoRng> {
    getrandom::fill(&mut [0; 1]).map_err(|e| anyhow!("the system gives no random numbers: {e}"))?;
    Ok(rand_core::UnwrapErr(getrandom::SysRng))
}

/// `path` with `suffix` appended to its name.
pub(crate) fn with_suffix(path: &Path, suffix: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(suffix);
    PathBuf::from(name)
}

/// Makes a key, writes `path` (0600) and `path.pub`, and gives the public half.
pub(crate) fn create(kind: Kind, algorithm: Algorithm, path: &Path) -> anyhow::Result<PublicKey> {
    let mut rng = system_rng()?;
    let (secret, bytes) = match algorithm.kem() {
        Some(kem) => {
            let key = RecipientSecretKey::generate(kem, &mut rng);
            let secret = Secret::init_with(|b| b.copy_from_slice(key.secret().expose_secret()));
            (secret, key.public().as_bytes().to_vec())
        }
        None => {
            let secret = Secret::<32>::init_with(|b| rand_core::Rng::fill_bytes(&mut rng, b));
            let bytes = public_of(algorithm, &secret)?;
            (secret, bytes)
        }
    };
    let public = PublicKey::new(kind, algorithm, bytes)?;
    let text = public.to_text(Some(secret));
    let beside = with_suffix(path, ".pub");
    if fs::symlink_metadata(&beside).is_ok() {
        return Err(anyhow!("{} exists already", beside.display()))
            .context(Help("choose another name with -o"));
    }
    write_secret(path, text.as_bytes())?;
    write_new(&beside, 0o644, public.to_text(None).as_bytes())?;
    Ok(public)
}

/// Writes the `.pub` file of a signing key whose secret half is kept elsewhere.
pub(crate) fn write_public(kind: Kind, bytes: &[u8; 32], path: &Path) -> anyhow::Result<()> {
    let public = PublicKey::new(kind, Algorithm::Ed25519, bytes.to_vec())?;
    write_new(path, 0o644, public.to_text(None).as_bytes())
}

/// `O_CREAT | O_EXCL`: neither a file nor a symbolic link that exists is followed or replaced.
fn write_secret(path: &Path, text: &[u8]) -> anyhow::Result<()> {
    let mut file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(path).map_err(|e| {
        if e.kind() == std::io::ErrorKind::AlreadyExists {
            anyhow!("{} exists already; a key file is never replaced", path.display())
                .context(Help("choose another name with -o"))
        } else {
            anyhow!(e).context(format!("cannot create {}", path.display()))
        }
    })?;
    let written = file.write_all(text).and_then(|()| file.sync_all());
    if let Err(e) = written {
        fs::remove_file(path).ok();
        return Err(e).with_context(|| format!("cannot write {}", path.display()));
    }
    Ok(())
}

fn public_of(algorithm: Algorithm, secret: &Secret<32>) -> anyhow::Result<Vec<u8>> {
    let copy = || Secret::init_with(|b| b.copy_from_slice(secret.expose_secret()));
    Ok(match algorithm.kem() {
        Some(kem) => RecipientSecretKey::from_bytes(kem, copy())?.public().as_bytes().to_vec(),
        None if algorithm == Algorithm::Ristretto255 => {
            CustodianSecretKey::from_bytes(copy()).public().to_bytes()
        }
        None => SigningKey::from_seed(secret).public().to_vec(),
    })
}

struct Parsed {
    public: PublicKey,
    secret: Option<Secret<32>>,
    agent: Option<String>,
}

fn parse(text: &str) -> anyhow::Result<Parsed> {
    let file = KeyFile::parse(text)?;
    let kind = Kind::parse(file.kind).context("no known kind")?;
    let algorithm = Algorithm::parse(file.algorithm).context("no known algorithm")?;
    let public = PublicKey::new(kind, algorithm, file.public)?;
    if file.fingerprint.is_some_and(|f| f != public.fingerprint()) {
        bail!("the fingerprint is not the one of the public key");
    }
    let derived = file.secret.as_ref().map(|s| public_of(algorithm, s)).transpose()?;
    if derived.is_some_and(|derived| derived != public.bytes) {
        bail!("the public key does not belong to the secret one");
    }
    if file.agent.is_some() && kind != Kind::Recipient {
        bail!("an agent holds recipient keys only");
    }
    Ok(Parsed { public, secret: file.secret, agent: file.agent.map(str::to_owned) })
}

fn read_secret(path: &Path) -> anyhow::Result<Parsed> {
    let (parsed, mode) = read_file(path)?;
    if parsed.agent.is_some() {
        return Err(anyhow!("the secret half of {} is held by an agent", path.display()))
            .context(Help("this command needs a key file that holds the secret itself"));
    }
    if parsed.secret.is_none() {
        return Err(anyhow!("{} holds a public key only", path.display()))
            .context(Help("give the secret key file, the one without .pub"));
    }
    check_private(path, mode)?;
    Ok(parsed)
}

/// A key file of any sort, and the permission bits of the file that was read.
fn read_file(path: &Path) -> anyhow::Result<(Parsed, u32)> {
    let file = File::open(path).with_context(|| format!("cannot open {}", path.display()))?;
    let mode = file.metadata().with_context(|| format!("cannot examine {}", path.display()))?.mode();
    // One byte more than a key file has, so that a longer one is refused and not cut; all at once, so that no copy is left.
    let mut text = Zeroizing::new(String::with_capacity(KEY_FILE_BYTES_MAX + 1));
    file.take(KEY_FILE_BYTES_MAX as u64 + 1)
        .read_to_string(&mut text)
        .map_err(|e| anyhow!("cannot read {} as text: {}", path.display(), e.kind()))?;
    let parsed = parse(&text).with_context(|| format!("{} is not a key file", path.display()))?;
    Ok((parsed, mode))
}

fn check_private(path: &Path, mode: u32) -> anyhow::Result<()> {
    if mode & 0o077 != 0 {
        return Err(anyhow!(
            "{} can be read by others (mode {:03o}); run: chmod 600 {}",
            path.display(),
            mode & 0o777,
            path.display()
        ))
        .context(Help("if others could read it for long, make a new key instead"));
    }
    Ok(())
}

/// Reads the public half of a key file of any kind, secret or `.pub`, without looking at a secret's permissions.
pub(crate) fn read_any_public(path: &Path) -> anyhow::Result<PublicKey> {
    let bytes = Zeroizing::new(read_bounded(path, KEY_FILE_BYTES_MAX as u64)?);
    let text = std::str::from_utf8(&bytes).map_err(|_| anyhow!("{} is not text", path.display()))?;
    Ok(parse(text).with_context(|| format!("{} is not a key file", path.display()))?.public)
}

/// Reads a signing key of one kind.
pub(crate) fn read_signing_key(path: &Path, kind: Kind) -> anyhow::Result<SigningKey> {
    signing_key(path, read_secret(path)?, Some(kind))
}

/// Reads a signing key, whatever it was made for.
pub(crate) fn read_signing_key_of_any_kind(path: &Path) -> anyhow::Result<SigningKey> {
    signing_key(path, read_secret(path)?, None)
}

fn signing_key(path: &Path, parsed: Parsed, wanted: Option<Kind>) -> anyhow::Result<SigningKey> {
    let found = parsed.public.kind;
    if wanted.is_some_and(|k| k != found) || parsed.public.algorithm != Algorithm::Ed25519 {
        let wanted = wanted.map_or("signing", Kind::name);
        return Err(anyhow!("{} is a {} key, this needs a {wanted} key", path.display(), found.name()))
            .context(Help("`bailiwick key show FILE` says what a key file is"));
    }
    let secret = parsed.secret.context("a secret key was read")?;
    Ok(SigningKey::from_seed(&secret))
}

/// The 32 secret bytes of a key file, whatever they were made for: to show that they open nothing else.
pub(crate) fn read_secret_of_any_kind(path: &Path) -> anyhow::Result<Secret<32>> {
    read_secret(path)?.secret.context("a secret key was read")
}

/// Reads a recipient's secret key.
pub(crate) fn read_recipient_key(path: &Path) -> anyhow::Result<RecipientSecretKey> {
    let Parsed { public, secret, .. } = read_secret(path)?;
    match (public.algorithm.kem(), secret) {
        (Some(kem), Some(secret)) => Ok(RecipientSecretKey::from_bytes(kem, secret)?),
        _ => Err(anyhow!("{} is a {} key, this needs a recipient key", path.display(), public.kind.name()))
            .context(Help("`bailiwick key show FILE` says what a key file is")),
    }
}

/// A recipient's key as it opens things: held in a file, or by an agent.
pub(crate) enum OpeningKey {
    Held(RecipientSecretKey),
    Agent { name: String, public: RecipientPublicKey },
}

/// Reads a recipient's secret key file, or one that names the agent that holds it.
pub(crate) fn read_opening_key(path: &Path) -> anyhow::Result<OpeningKey> {
    let (parsed, mode) = read_file(path)?;
    let Some(name) = parsed.agent else { return Ok(OpeningKey::Held(read_recipient_key(path)?)) };
    // The file decides which program runs.
    if mode & 0o022 != 0 {
        return Err(anyhow!("{} can be written by others and names a program to run", path.display()))
            .context(Help("chmod go-w the file, and check what it says"));
    }
    let kem = parsed.public.algorithm.kem().context("an agent holds recipient keys only")?;
    Ok(OpeningKey::Agent { name, public: RecipientPublicKey::from_bytes(kem, &parsed.public.bytes)? })
}

/// Writes a key file whose secret half the agent `name` holds.
pub(crate) fn write_agent(public: &PublicKey, name: &str, path: &Path) -> anyhow::Result<()> {
    if !agent_name_is_valid(name) {
        bail!("an agent's name has 1 to 32 lower-case letters, digits and inner hyphens");
    }
    if public.kind != Kind::Recipient {
        bail!("an agent holds recipient keys only, this is a {} key", public.kind.name());
    }
    let fingerprint = public.fingerprint();
    let file = KeyFile {
        kind: public.kind.name(),
        algorithm: public.algorithm.name(),
        public: public.bytes.clone(),
        fingerprint: Some(&fingerprint),
        secret: None,
        agent: Some(name),
    };
    write_new(path, 0o600, file.to_text().as_bytes())
}

/// A public key given as its checksummed word, or as a key file.
pub(crate) fn any_public(text: &Path) -> anyhow::Result<PublicKey> {
    match text.to_str().filter(|t| looks_like_a_key(t)) {
        Some(word) => PublicKey::from_text(word).context("this is no public key"),
        None => read_any_public(text),
    }
}

/// A recipient's public key: its checksummed word, or its `.pub` file.
pub(crate) fn read_recipient_public(path: &Path) -> anyhow::Result<RecipientPublicKey> {
    let public = any_public(path)?;
    let kem = public.algorithm.kem().ok_or_else(|| {
        anyhow!("{} is a {} key, this needs a recipient key", path.display(), public.kind.name())
            .context(Help("make one with `bailiwick key new recipient`"))
    })?;
    Ok(RecipientPublicKey::from_bytes(kem, &public.bytes)?)
}

/// Reads a custodian's secret key.
pub(crate) fn read_custodian_key(path: &Path) -> anyhow::Result<CustodianSecretKey> {
    let Parsed { public, secret, .. } = read_secret(path)?;
    check_custodian(path, &public)?;
    Ok(CustodianSecretKey::from_bytes(secret.context("a secret key was read")?))
}

/// A custodian's public key: its checksummed word, or its `.pub` file; its proof of possession is checked.
pub(crate) fn read_custodian_public(path: &Path) -> anyhow::Result<CustodianPublicKey> {
    let public = any_public(path)?;
    check_custodian(path, &public)?;
    Ok(CustodianPublicKey::from_bytes(&public.bytes)?)
}

fn check_custodian(path: &Path, public: &PublicKey) -> anyhow::Result<()> {
    if public.kind == Kind::Custodian {
        return Ok(());
    }
    Err(anyhow!("{} is a {} key, this needs a custodian key", path.display(), public.kind.name()))
        .context(Help("make one with `bailiwick key new custodian`"))
}

/// A public signing key given as 64 hexadecimal digits or as the name of its `.pub` file.
pub(crate) fn public_key(text: &str, kind: Kind) -> anyhow::Result<[u8; 32]> {
    if text.len() == 64 && text.bytes().all(|b| b.is_ascii_hexdigit() && !b.is_ascii_uppercase()) {
        let mut bytes = [0; 32];
        hex::decode_to_slice(text, &mut bytes)?;
        return Ok(bytes);
    }
    let public = any_public(Path::new(text)).context(Help(
        "give the key's text (bw…1…), 64 lower-case hexadecimal digits, or the name of a .pub file",
    ))?;
    if public.kind != kind {
        bail!("{text} is a {} key, this needs a {} key", public.kind.name(), kind.name());
    }
    public.bytes.try_into().map_err(|_| anyhow!("{text} is not an Ed25519 key"))
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt as _;

    use super::*;

    fn made(kind: Kind) -> (tempfile::TempDir, PathBuf) {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("key");
        create(kind, kind.default_algorithm(), &path).unwrap();
        (dir, path)
    }

    #[test]
    fn keys_come_back_as_they_were_made() {
        for kind in [Kind::Owner, Kind::Auditor, Kind::Host, Kind::Roster] {
            let (_dir, path) = made(kind);
            let key = read_signing_key(&path, kind).unwrap();
            let beside = with_suffix(&path, ".pub");
            assert_eq!(key.public(), public_key(beside.to_str().unwrap(), kind).unwrap());
            assert_eq!(key.public(), public_key(&hex::encode(key.public()), kind).unwrap());
        }
        let (_dir, path) = made(Kind::Recipient);
        let public = read_recipient_public(&with_suffix(&path, ".pub")).unwrap();
        assert_eq!(read_recipient_key(&path).unwrap().public(), public);
    }

    /// E34: created 0600.
    #[test]
    fn e34_secret_key_files_are_private() {
        let (_dir, path) = made(Kind::Owner);
        assert_eq!(fs::metadata(&path).unwrap().mode() & 0o777, 0o600);
    }

    /// E34: a secret key others can read is refused, with the command that mends it.
    #[test]
    fn e34_readable_secret_key_is_refused() {
        for mode in [0o640, 0o604, 0o660, 0o644] {
            let (_dir, path) = made(Kind::Owner);
            fs::set_permissions(&path, fs::Permissions::from_mode(mode)).unwrap();
            let error = format!("{:#}", read_signing_key(&path, Kind::Owner).unwrap_err());
            assert!(error.contains("chmod 600"), "{mode:o}: {error}");
            fs::set_permissions(&path, fs::Permissions::from_mode(0o400)).unwrap();
            read_signing_key(&path, Kind::Owner).unwrap();
        }
    }

    /// E34: O_EXCL: neither an existing file nor a symbolic link, dangling or not, is written through.
    #[test]
    fn e34_existing_files_and_symlinks_are_refused() {
        let dir = tempfile::tempdir().unwrap();
        let target = dir.path().join("target");
        let link = dir.path().join("link");
        std::os::unix::fs::symlink(&target, &link).unwrap();
        create(Kind::Owner, Algorithm::Ed25519, &link).unwrap_err();
        assert!(!target.exists(), "written through a dangling link");
        fs::write(&target, b"precious").unwrap();
        create(Kind::Owner, Algorithm::Ed25519, &link).unwrap_err();
        create(Kind::Owner, Algorithm::Ed25519, &target).unwrap_err();
        assert_eq!(fs::read(&target).unwrap(), b"precious");
        create(Kind::Owner, Algorithm::Ed25519, &dir.path().join("fresh")).unwrap();
    }

    #[test]
    fn a_key_of_another_kind_or_a_public_one_is_refused() {
        let (_dir, path) = made(Kind::Owner);
        read_signing_key(&path, Kind::Host).unwrap_err();
        read_recipient_key(&path).unwrap_err();
        read_signing_key(&with_suffix(&path, ".pub"), Kind::Owner).unwrap_err();
    }

    #[test]
    fn mixed_up_halves_and_unknown_lines_are_refused_without_showing_the_secret() {
        let (_dir, path) = made(Kind::Owner);
        let (_other_dir, other) = made(Kind::Owner);
        let good = fs::read_to_string(&path).unwrap();
        let digits = good.lines().find(|l| l.starts_with("secret")).unwrap()[10..74].to_owned();
        let theirs = fs::read_to_string(other).unwrap();
        let swapped = theirs
            .lines()
            .filter(|l| !l.starts_with("secret"))
            .fold(format!("secret = \"{digits}\"\n"), |t, l| t + l + "\n");
        let upper = good.replace("secret = \"", "secret = \"zz");
        for bad in
            [swapped, format!("{good}extra = \"1\"\n"), format!("{good}secret = \"{digits}\"\n"), upper]
        {
            fs::write(&path, bad).unwrap();
            let error = format!("{:?}", read_signing_key(&path, Kind::Owner).unwrap_err());
            assert!(!error.contains(&digits), "the error shows the secret");
        }
        fs::write(&path, good).unwrap();
        read_signing_key(&path, Kind::Owner).unwrap();
    }
}
