//! What a command asked of a next generation, as a digest beside it: a run that finds what an earlier one left takes it for its own only when
//! the same was asked. The envelope alone cannot tell, for anonymous recipients have no key ids in it, and a size not whether it was padded.

use std::fs;
use std::io::Write as _;
use std::path::Path;

use anyhow::{Context as _, ensure};
use bailiwick_envelope::RecipientPublicKey;
use bailiwick_protocol::labels::Label;
use bailiwick_protocol::signing::SigningKey;
use zeroize::Zeroizing;

use crate::output::{AtomicFile, read_bounded};

/// A digest and a newline.
const BYTES_MAX: u64 = 65;

/// What is asked for. Its digest is keyed by the owner's secret: whoever gets the file, and not that key, can neither test guesses who the
/// anonymous recipients are nor make one. So it hides them as the envelope does from everybody but the owner, who knows them. Of a passphrase
/// only that there is one: a fast hash of it would be easier to guess at than the envelope is.
pub(super) struct Asked {
    key: Zeroizing<[u8; 32]>,
    what: Vec<u8>,
}

impl Asked {
    pub(super) fn new(
        owner: &SigningKey,
        recipients: &[RecipientPublicKey],
        passphrase: bool,
        anonymous: bool,
        no_pad: bool,
    ) -> Self {
        // The signature of RFC 8032 is a function of key and message; this one is published nowhere.
        let signature = Zeroizing::new(owner.sign(Label::RotateAsked, b"").0);
        let mut keys: Vec<_> = recipients.iter().map(|r| (r.kem().id(), r.as_bytes())).collect();
        keys.sort_unstable();
        let mut what = vec![u8::from(passphrase), u8::from(anonymous), u8::from(no_pad)];
        for (kem, key) in keys {
            what.extend_from_slice(&u64::from(kem).to_le_bytes());
            what.extend_from_slice(&(key.len() as u64).to_le_bytes());
            what.extend_from_slice(key);
        }
        Self { key: Zeroizing::new(Label::RotateAsked.hash(&*signature)), what }
    }

    /// Of this question and the signed envelope that answers it.
    pub(super) fn digest(&self, signed: &[u8]) -> blake3::Hash {
        let mut hasher = blake3::Hasher::new_keyed(&self.key);
        hasher.update(blake3::hash(signed).as_bytes());
        hasher.update(&self.what);
        hasher.finalize()
    }

    /// Keeps the digest, durably. Before the envelope has its name: there is no envelope without it.
    pub(super) fn keep(&self, at: &Path, signed: &[u8]) -> anyhow::Result<()> {
        ensure!(
            fs::symlink_metadata(at).is_err() || is_kept(at),
            "{} is in the way: what this run was asked goes there",
            at.display()
        );
        let mut file = AtomicFile::replace(at, 0o600)?;
        writeln!(file, "{}", self.digest(signed))
            .with_context(|| format!("cannot write {}", at.display()))?;
        file.commit()
    }

    /// Whether the file says that this was asked when that envelope was signed; none when there is no file.
    pub(super) fn told(&self, at: &Path, signed: &[u8]) -> anyhow::Result<Option<bool>> {
        if fs::symlink_metadata(at).is_err() {
            return Ok(None);
        }
        let text = read_bounded(at, BYTES_MAX)?;
        Ok(Some(text == format!("{}\n", self.digest(signed)).as_bytes()))
    }
}

/// The digest is of no use any more. Nothing else of that name is removed.
pub(super) fn forget(at: &Path) -> anyhow::Result<()> {
    if is_kept(at) {
        fs::remove_file(at).with_context(|| format!("cannot remove {}", at.display()))?;
    }
    Ok(())
}

/// Whether the file is one that [`Asked::keep`] writes.
fn is_kept(at: &Path) -> bool {
    let is_file = fs::symlink_metadata(at).is_ok_and(|about| about.is_file());
    let text = if is_file { read_bounded(at, BYTES_MAX).unwrap_or_default() } else { Vec::new() };
    text.strip_suffix(b"\n").is_some_and(|digest| blake3::Hash::from_hex(digest).is_ok())
}

/// Whether a next generation is what is asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Fit {
    Same,
    Other,
    /// Nobody can tell: what it was asked for is not there.
    Untold,
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::symlink;

    use bailiwick_envelope::RecipientSecretKey;
    use bailiwick_protocol::envelope::Kem;
    use bailiwick_protocol::secret::Secret;

    use super::*;

    fn owner(seed: u8) -> SigningKey {
        SigningKey::from_seed(&Secret::init_with(|secret| *secret = [seed; 32]))
    }

    fn recipient(kem: Kem, seed: u8) -> RecipientPublicKey {
        RecipientSecretKey::from_bytes(kem, Secret::init_with(|secret| *secret = [seed; 32]))
            .unwrap()
            .public()
    }

    /// Everything that is asked, who asks, and the envelope that answers have their part in the digest; the order of recipients has none.
    #[test]
    fn a_digest_is_of_one_question_and_one_answer() {
        let [a, b] = [recipient(Kem::XWing, 1), recipient(Kem::X25519, 2)];
        let [both, turned] = [[a.clone(), b.clone()], [b.clone(), a.clone()]];
        let digest = |by: u8, to: &[RecipientPublicKey], flags: [bool; 3], signed: &[u8]| {
            Asked::new(&owner(by), to, flags[0], flags[1], flags[2]).digest(signed)
        };
        let no = [false; 3];
        let one = digest(1, &both, no, b"signed");
        assert_eq!(digest(1, &turned, no, b"signed"), one);
        let others = [
            digest(2, &both, no, b"signed"),
            digest(1, &both, no, b"Signed"),
            digest(1, std::slice::from_ref(&a), no, b"signed"),
            digest(1, &[a.clone(), recipient(Kem::X25519, 3)], no, b"signed"),
            digest(1, &both, [true, false, false], b"signed"),
            digest(1, &both, [false, true, false], b"signed"),
            digest(1, &both, [false, false, true], b"signed"),
        ];
        for (at, other) in others.iter().enumerate() {
            assert_ne!(*other, one, "{at}");
            assert!(!others[..at].contains(other), "{at}");
        }
    }

    /// What was kept tells that question and that envelope, and nothing else; a file of another kind is neither written over nor removed.
    #[test]
    fn what_is_kept_tells_and_what_is_somebody_elses_stays() {
        let dir = tempfile::tempdir().unwrap();
        let at = dir.path().join("x.asked");
        let asked = Asked::new(&owner(1), &[], true, false, false);
        assert_eq!(asked.told(&at, b"signed").unwrap(), None);
        for signed in [&b"signed"[..], b"again"] {
            asked.keep(&at, signed).unwrap();
            assert_eq!(asked.told(&at, signed).unwrap(), Some(true));
            assert_eq!(asked.told(&at, b"another").unwrap(), Some(false));
        }
        let kept = fs::read(&at).unwrap();
        forget(&at).unwrap();
        assert!(!at.exists());
        let target = dir.path().join("target");
        fs::write(&target, &kept).unwrap();
        let theirs: [&dyn Fn(); 4] = [
            &|| fs::write(&at, b"a letter\n").unwrap(),
            &|| fs::write(&at, &kept[..64]).unwrap(),
            &|| fs::write(&at, [&kept[..], b"\n"].concat()).unwrap(),
            &|| symlink(&target, &at).unwrap(),
        ];
        for (case, make) in theirs.iter().enumerate() {
            make();
            let before = fs::read(&at).unwrap();
            let text = asked.keep(&at, b"signed").unwrap_err().to_string();
            assert!(text.contains("is in the way"), "{case}: {text}");
            forget(&at).unwrap();
            assert!(fs::read(&at).unwrap() == before, "{case}");
            fs::remove_file(&at).unwrap();
        }
    }
}
