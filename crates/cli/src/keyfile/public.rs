//! Public halves: checked, fingerprinted, as text.

use anyhow::bail;
use bailiwick_custody::CustodianPublicKey;
use bailiwick_envelope::RecipientPublicKey;
use bailiwick_protocol::envelope::Kem;
use bailiwick_protocol::key_file::KeyFile;
use bailiwick_protocol::key_text::{TextKind, from_text, to_text};
use bailiwick_protocol::labels::Label;
use bailiwick_protocol::secret::Secret;
use zeroize::Zeroizing;

use super::{Algorithm, Kind};

/// The public half of a key, checked.
#[derive(Clone, Debug)]
pub(crate) struct PublicKey {
    pub(crate) kind: Kind,
    pub(crate) algorithm: Algorithm,
    pub(crate) bytes: Vec<u8>,
}

impl PublicKey {
    pub(super) fn new(kind: Kind, algorithm: Algorithm, bytes: Vec<u8>) -> anyhow::Result<Self> {
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
    pub(super) fn to_text(&self, secret: Option<Secret<32>>) -> Zeroizing<String> {
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
    pub(super) fn from_text(text: &str) -> anyhow::Result<Self> {
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
