//! Opening one object and sealing it anew, through a pipe.

use std::fs::{self, File};
use std::io::{self, Read as _, Write as _};
use std::path::{Path, PathBuf};

use anyhow::{Context as _, anyhow, bail};
use bailiwick_envelope::cobblestone::plain_bytes;
use bailiwick_envelope::{
    Metadata, Opener, Padding, Passphrase, ReadAt, RecipientPublicKey, SealOptions, Seekable, padme, seal,
    verify,
};
use bailiwick_protocol::codec::Canonical as _;
use bailiwick_protocol::envelope::{Envelope, Role, SignedEnvelope};
use bailiwick_protocol::ids::OwnerKey;
use bailiwick_protocol::signing::SigningKey;

use super::ENVELOPE_FILE_BYTES_MAX;
use super::asked::{Asked, Fit};
use crate::Help;
use crate::commands::commit::TreeThread;
use crate::commands::seal::Tee;
use crate::keyfile::{self, with_suffix};
use crate::opening::{Opening, asked_for};
use crate::output::{AtomicFile, leftovers, read_bounded};
use crate::progress;

/// A body and its envelope.
#[derive(Clone, Debug)]
pub(super) struct Pair {
    pub(super) body: PathBuf,
    pub(super) envelope: PathBuf,
}

impl Pair {
    /// The envelope beside the body.
    pub(super) fn at(body: PathBuf) -> Self {
        let envelope = with_suffix(&body, ".envelope");
        Self { body, envelope }
    }

    /// Where it is kept what was asked when they were made.
    pub(super) fn asked(&self) -> PathBuf {
        with_suffix(&self.body, ".asked")
    }

    /// Whether the body's length, salt and key commitment are those of the envelope: no two bodies have the same.
    pub(super) fn has_body_of(&self, envelope: &Envelope) -> anyhow::Result<bool> {
        let mut file = match File::open(&self.body) {
            Err(e) if e.kind() == io::ErrorKind::NotFound => return Ok(false),
            other => other.with_context(|| format!("cannot open {}", self.body.display()))?,
        };
        let expected = [&envelope.body.salt[..], &envelope.body.key_commitment].concat();
        if file.metadata()?.len() != envelope.body.size {
            return Ok(false);
        }
        let mut head = vec![0; expected.len()];
        file.read_exact(&mut head).with_context(|| format!("cannot read {}", self.body.display()))?;
        Ok(head == expected)
    }

    /// Takes the names of `old`, the body's first: who finds a new body under an old envelope can go on from there.
    pub(super) fn take_place_of(&self, old: &Self) -> anyhow::Result<()> {
        for (from, to) in [(&self.body, &old.body), (&self.envelope, &old.envelope)] {
            fs::rename(from, to).with_context(|| format!("cannot rename {}", from.display()))?;
            sync_folder(to)?;
        }
        Ok(())
    }
}

/// Makes the names beside `path` durable.
pub(super) fn sync_folder(path: &Path) -> anyhow::Result<()> {
    let folder = match path.parent() {
        Some(p) if !p.as_os_str().is_empty() => p,
        _ => Path::new("."),
    };
    File::open(folder)
        .and_then(|d| d.sync_all())
        .with_context(|| format!("cannot make the directory {} durable", folder.display()))
}

/// Whoever seals anew, and how.
pub(super) struct Rotator {
    pub(super) owner: SigningKey,
    pub(super) pinned: OwnerKey,
    pub(super) opening: Opening,
    pub(super) recipients: Vec<RecipientPublicKey>,
    pub(super) passphrase: Option<Passphrase>,
    pub(super) also_passphrase: bool,
    pub(super) drop_custody: bool,
    pub(super) anonymous: bool,
    pub(super) no_pad: bool,
    pub(super) asked: Asked,
}

impl Rotator {
    /// Opens an envelope whose object can be sealed anew.
    pub(super) fn opener(&self, bytes: &[u8]) -> anyhow::Result<Opener> {
        let opener = self.opening.open(&self.pinned, bytes)?;
        let old = opener.envelope();
        if old.unit.n > 1 {
            bail!("this is one of {} shards: seal the whole object anew instead", old.unit.n);
        }
        self.check_custody(old)?;
        Ok(opener)
    }

    fn check_custody(&self, old: &Envelope) -> anyhow::Result<()> {
        if old.custody.is_some() && !self.drop_custody {
            return Err(anyhow!("the envelope has a custody part, which holds the old key"))
                .context(Help("say --drop-custody, and deal the new generation afterwards"));
        }
        Ok(())
    }

    /// Whether `envelope` is sealed as is asked for: for those and nobody else, its mode included, and as padded. `told` is what was kept of
    /// what it was asked for; without that neither anonymous recipients nor a length that is not hidden can be told. A passphrase is tried,
    /// which costs its Argon2id.
    pub(super) fn fit(&self, envelope: &Envelope, bytes: &[u8], told: Option<bool>) -> Fit {
        let asked = self.recipients.iter().map(|r| (r.kem().id(), (!self.anonymous).then(|| r.key_id())));
        let given = envelope.recipients.iter().filter(|r| r.role == Role::FileKey);
        let (mut asked, mut given): (Vec<_>, Vec<_>) =
            (asked.collect(), given.map(|r| (r.kem.id(), r.key_id)).collect());
        asked.sort_unstable();
        given.sort_unstable();
        if asked != given || self.passphrase.is_some() != envelope.passphrase.is_some() {
            return Fit::Other;
        }
        let plain = plain_bytes(envelope.body.size);
        let fit = match told {
            Some(true) => Fit::Same,
            Some(false) => Fit::Other,
            None if self.anonymous && !asked.is_empty() || self.no_pad => Fit::Untold,
            None if plain.is_none_or(|plain| padme(plain) != plain) => Fit::Other,
            None => Fit::Same,
        };
        match &self.passphrase {
            Some(p) if fit == Fit::Same && Opener::with_passphrase(&self.pinned, bytes, p).is_err() => {
                Fit::Other
            }
            _ => fit,
        }
    }

    /// Refuses a next generation that another command signed, one for others than this one asks for: to take it for this one's would leave
    /// the object open to them, and closed to those who are asked for.
    pub(super) fn check_asked(
        &self,
        old: &Envelope,
        next: &Envelope,
        bytes: &[u8],
        new: &Pair,
    ) -> anyhow::Result<()> {
        self.check_custody(old)?;
        let (at, asked) = (new.envelope.display(), new.asked());
        match self.fit(next, bytes, self.asked.told(&asked, bytes)?) {
            Fit::Same => Ok(()),
            Fit::Other => Err(anyhow!(
                "{at} is the next generation, signed already, and for others than this command says, or padded otherwise"
            ))
            .context(Help(
                "`bailiwick inspect` shows its recipients: say the same, and then rotate again for those you want",
            )),
            Fit::Untold => Err(anyhow!(
                "{at} is the next generation, signed already, and without {} nobody can tell for whom",
                asked.display()
            ))
            .context(Help(
                "bring that file back; or, if neither body nor envelope ever left this machine, remove both: they are sealed anew then",
            )),
        }
    }

    /// Seals the object in `body` anew, into new files; returns the bytes of data.
    pub(super) fn files(&self, opener: &Opener, body: &Path, new: &Pair) -> anyhow::Result<u64> {
        let mut file = File::open(body).with_context(|| format!("cannot open {}", body.display()))?;
        let metadata = self.metadata(opener, &mut Seekable(&mut file))?;
        io::Seek::rewind(&mut file)?;
        self.write(opener, metadata, file, new)
            .with_context(|| format!("cannot seal {} anew", body.display()))
    }

    /// Name and media type as the owner gave them.
    pub(super) fn metadata(&self, opener: &Opener, body: &mut impl ReadAt) -> anyhow::Result<Metadata> {
        Ok(opener.open_range(body, 0, 0, io::sink())?.object.metadata)
    }

    /// Writes new body and envelope, durably: both or neither. What a run left that was killed between the names of the two is taken up.
    pub(super) fn write(
        &self,
        opener: &Opener,
        metadata: Metadata,
        source: impl io::Read + Send,
        new: &Pair,
    ) -> anyhow::Result<u64> {
        if let Some((next, signed)) = self.take_up(opener.envelope(), new)? {
            self.check_asked(opener.envelope(), &next, &signed, new)?;
            return Ok(opener.open(source, io::sink())?.data_len);
        }
        let mut envelope = AtomicFile::create(&new.envelope, 0o644)?;
        if fs::symlink_metadata(&new.body).is_ok() {
            // It may be the only body of an envelope that was moved away.
            return Err(anyhow!("{} is there without its envelope", new.body.display())).context(Help(
                "bring its envelope back if you moved it; remove the file if an earlier run broke off and left it",
            ));
        }
        let mut body = AtomicFile::create(&new.body, 0o644)?;
        let bar = progress::bar(Some(opener.envelope().body.size), "rotate");
        let (signed, data_bytes) = self.reseal(opener, metadata, bar.wrap_read(source), &mut body)?;
        bar.finish_and_clear();
        let signed = signed.to_bytes();
        envelope.write_all(&signed)?;
        envelope.file().sync_all().with_context(|| format!("cannot write {}", new.envelope.display()))?;
        self.asked.keep(&new.asked(), &signed)?;
        // The body first: an envelope without its body would look like a loss. Whoever finds the body alone finds the envelope under its
        // temporary name (`take_up`).
        body.commit()?;
        envelope.commit()?;
        Ok(data_bytes)
    }

    /// Gives its name to the next envelope whose body has its own, where a run was killed in between: what is signed is not signed again.
    fn take_up(&self, old: &Envelope, new: &Pair) -> anyhow::Result<Option<(Envelope, Vec<u8>)>> {
        if fs::symlink_metadata(&new.envelope).is_ok() || fs::symlink_metadata(&new.body).is_err() {
            return Ok(None);
        }
        for path in leftovers::abandoned(&new.envelope) {
            let Ok(bytes) = read_bounded(&path, ENVELOPE_FILE_BYTES_MAX) else { continue };
            let Ok(next) = verify(&self.pinned, &bytes) else { continue };
            let is_next = next.name() == old.name() && Some(next.generation) == old.generation.checked_add(1);
            if is_next && new.has_body_of(&next)? {
                fs::rename(&path, &new.envelope)
                    .with_context(|| format!("cannot rename {}", path.display()))?;
                sync_folder(&new.envelope)?;
                return Ok(Some((next, bytes)));
            }
        }
        Ok(None)
    }

    /// Opens and seals through a pipe, so that memory stays bounded and no plaintext touches the disk. Nothing is kept unless both
    /// ends succeeded: what the opening end finds wrong at its very end is wrong.
    fn reseal(
        &self,
        opener: &Opener,
        metadata: Metadata,
        source: impl io::Read + Send,
        body: &mut AtomicFile,
    ) -> anyhow::Result<(SignedEnvelope, u64)> {
        let old = opener.envelope();
        let options = SealOptions {
            owner: self.pinned,
            object: old.object,
            unit: old.unit,
            recipients: &self.recipients,
            passphrase: self.passphrase.as_ref().map(|p| asked_for(p, self.also_passphrase)),
            anonymous: self.anonymous,
            metadata,
            padding: if self.no_pad { Padding::None } else { Padding::Padme },
        };
        let mut rng = keyfile::system_rng()?;
        let (reader, writer) = io::pipe()?;
        let mut tree = TreeThread::start()?;
        let (opened, sealed) = std::thread::scope(|scope| {
            let opened =
                std::thread::Builder::new().spawn_scoped(scope, move || opener.open(source, writer))?;
            let sealed = seal(reader, Tee { first: body, second: &mut tree }, &options, &mut rng);
            io::Result::Ok((opened.join(), sealed))
        })
        .context("cannot start a thread")?;
        // What it wrote before it failed ends like a whole object.
        opened.map_err(|_| anyhow!("the opening thread failed"))??;
        let sealed = sealed?;
        let data_bytes = sealed.data_len();
        let commitment = tree.finish()?;
        let signed =
            sealed.next_envelope(old, old.commitment.is_some().then_some(commitment), &self.owner)?;
        Ok((signed, data_bytes))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The body takes its place first: where that fails the old envelope stays, and where the envelope's fails the new one is beside it.
    #[test]
    fn an_envelope_takes_its_place_after_its_body() {
        for missing in ["new", "new.envelope"] {
            let dir = tempfile::tempdir().unwrap();
            let at = |name: &str| dir.path().join(name);
            for name in ["old", "old.envelope", "new", "new.envelope"] {
                fs::write(at(name), name).unwrap();
            }
            fs::remove_file(at(missing)).unwrap();
            Pair::at(at("new")).take_place_of(&Pair::at(at("old"))).unwrap_err();
            assert_eq!(fs::read(at("old.envelope")).unwrap(), b"old.envelope", "{missing}");
            let body = if missing == "new" { "old" } else { "new" };
            assert_eq!(fs::read(at("old")).unwrap(), body.as_bytes(), "{missing}");
        }
    }
}
