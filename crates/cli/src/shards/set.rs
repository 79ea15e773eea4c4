//! The shards at hand: which belong together, and which of them are wrong, each by its name.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io;
use std::os::unix::fs::FileExt as _;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, anyhow, bail};
use bailiwick_envelope::cobblestone::HEADER_BYTES;
use bailiwick_envelope::{OpenError, Opener, ShardCipher};
use bailiwick_erasure::{Geometry, bodies_digest};
use bailiwick_protocol::envelope::{Envelope, ShardSet};
use bailiwick_protocol::ids::UnitName;

use super::body::{BodyFile, body_bytes};
use crate::Help;
use crate::commands::commit::ENVELOPE_FILE_BYTES_MAX;
use crate::keyfile::with_suffix;
use crate::output::{printable, read_bounded};

/// What is known of a shard's body.
#[derive(Debug)]
pub(crate) enum Health {
    /// Nothing is wrong that has been looked at.
    Whole,
    /// Wrong, as told; the code inside may repair it.
    Damaged(String),
    /// Not there, or beyond repair, as told.
    Lost(String),
}

/// One shard with a verified envelope.
pub(crate) struct Member {
    pub(crate) path: PathBuf,
    pub(crate) file: Option<File>,
    pub(crate) opener: Opener,
    pub(crate) cipher: ShardCipher,
    pub(crate) health: Health,
    /// Whether the code inside has repaired it, and how many blocks.
    pub(crate) mended: Option<u64>,
}

impl Member {
    pub(crate) fn envelope(&self) -> &Envelope {
        self.opener.envelope()
    }

    /// The body, as far as it is there.
    pub(crate) fn body<'a>(&'a self, geometry: &'a Geometry) -> Option<BodyFile<'a>> {
        Some(BodyFile { file: self.file.as_ref()?, cipher: &self.cipher, geometry })
    }
}

/// Shards of one making of one object.
pub(crate) struct Set {
    pub(crate) geometry: Geometry,
    pub(crate) shards: ShardSet,
    pub(crate) members: BTreeMap<u16, Member>,
    /// Further copies of shards, for when the first is lost.
    spares: Vec<Member>,
    /// What was given and is not used, and why.
    pub(crate) rejected: Vec<(PathBuf, String)>,
}

/// A split object's envelope under a key of it, and where its body should be.
type Found = (PathBuf, Opener);

impl Set {
    /// Reads the shards in `paths`: folders, whose `*.envelope` files speak of the bodies beside them, and bodies with their envelopes beside them.
    /// `open` verifies an envelope under the pinned owner and finds the file key.
    ///
    /// # Errors
    /// When no envelope can be used, or envelopes of different objects or makings are mixed, by name.
    pub(crate) fn load(
        paths: &[PathBuf],
        open: &dyn Fn(&[u8]) -> Result<Opener, OpenError>,
    ) -> anyhow::Result<Self> {
        let mut rejected = Vec::new();
        let mut found: Vec<Found> = Vec::new();
        for body in bodies(paths)? {
            let envelope = with_suffix(&body, ".envelope");
            let opened = read_bounded(&envelope, ENVELOPE_FILE_BYTES_MAX)
                .and_then(|bytes| open(&bytes).map_err(Into::into))
                .and_then(|opener| match opener.envelope().shards {
                    Some(_) => Ok(opener),
                    None => bail!("it is not a shard: its object is not split"),
                });
            match opened {
                Ok(opener) => found.push((body, opener)),
                Err(e) => rejected.push((envelope, format!("{e:#}"))),
            }
        }
        let Some((_, first)) = found.first() else {
            tell(&rejected);
            return Err(anyhow!("no shard has an envelope that can be used"))
                .context(Help("check the owner's public key and that one of the keys is a recipient's"));
        };
        refuse_mixed(found.iter().map(|(path, o)| (path.as_path(), o.envelope())))?;
        let (unit, shards) = (first.envelope().unit, first.envelope().shards.clone());
        let shards = shards.context("checked above")?;
        let geometry = Geometry::new(unit.k, unit.n, shards.padded_length)?;
        let size = body_bytes(&geometry)?;
        let mut set = Self { geometry, shards, members: BTreeMap::new(), spares: Vec::new(), rejected };
        for (path, opener) in found {
            set.add(path, opener, size)?;
        }
        set.check_digest()?;
        Ok(set)
    }

    fn add(&mut self, path: PathBuf, opener: Opener, size: u64) -> anyhow::Result<()> {
        let envelope = opener.envelope();
        if envelope.unit.replica != 0 {
            self.rejected.push((path, "it is a replica, which this program does not use".to_owned()));
            return Ok(());
        }
        if envelope.body.size != size {
            bail!(
                "{} is signed with {} bytes, a shard of this object has {size}: its owner made it wrong",
                path.display(),
                envelope.body.size
            );
        }
        let shard = envelope.unit.shard;
        let cipher = opener.shard_cipher();
        let (file, health) = look(&path, size, &cipher)?;
        let member = Member { path, file, opener, cipher, health, mended: None };
        match self.members.get(&shard) {
            None => {
                self.members.insert(shard, member);
            }
            Some(first) => {
                let why = format!("it is shard {shard} once more, besides {}", first.path.display());
                self.rejected.push((member.path.clone(), why));
                self.spares.push(member);
            }
        }
        Ok(())
    }

    /// Puts another copy of a lost shard, if one was given, in its place.
    pub(crate) fn use_spare(&mut self) -> bool {
        let lost = |m: &Member| matches!(m.health, Health::Lost(_));
        let at = self
            .spares
            .iter()
            .position(|spare| self.members.get(&spare.envelope().unit.shard).is_some_and(lost));
        let Some(at) = at else { return false };
        let spare = self.spares.swap_remove(at);
        self.rejected.retain(|(path, _)| *path != spare.path);
        if let Some(before) = self.members.insert(spare.envelope().unit.shard, spare)
            && let Health::Lost(why) = before.health
        {
            self.rejected.push((before.path, why));
        }
        true
    }

    /// When all envelopes are at hand their bodies' BLAKE3 must give the digest each of them signs.
    fn check_digest(&self) -> anyhow::Result<()> {
        if self.members.len() < usize::from(self.geometry.n()) {
            return Ok(());
        }
        let all: Vec<[u8; 32]> =
            self.members.values().map(|m| *m.envelope().body.blake3.as_bytes()).collect();
        if bodies_digest(&all) != self.shards.bodies {
            bail!("the envelopes contradict each other: the digest of all bodies they sign is another one's");
        }
        Ok(())
    }

    /// Name of a shard of this object.
    pub(crate) fn name(&self, shard: u16) -> Option<UnitName> {
        let mut name = self.members.values().next()?.envelope().name();
        name.unit.shard = shard;
        Some(name)
    }

    /// Highest generation among the envelopes.
    pub(crate) fn generation(&self) -> u64 {
        self.members.values().map(|m| m.envelope().generation).max().unwrap_or(1)
    }

    /// Shards nothing wrong is known of, first those that hold data.
    pub(crate) fn whole(&self) -> Vec<u16> {
        let whole = |m: &Member| matches!(m.health, Health::Whole);
        self.members.iter().filter(|(_, m)| whole(m)).map(|(s, _)| *s).collect()
    }

    /// Records what is wrong with a shard: damage that may be repaired, or a loss if it was repaired already.
    pub(crate) fn damage(&mut self, shard: u16, why: String) {
        if let Some(m) = self.members.get_mut(&shard) {
            m.health = if m.mended.is_some() { Health::Lost(why) } else { Health::Damaged(why) };
        }
    }

    /// Every shard, and everything given, that was not used as it was found; one line each.
    pub(crate) fn notes(&self) -> Vec<String> {
        let mut notes = Vec::new();
        for shard in 0..self.geometry.n() {
            let Some(m) = self.members.get(&shard) else { continue };
            let path = m.path.display();
            match (&m.health, m.mended) {
                (Health::Whole, None) => {}
                (Health::Whole, Some(blocks)) => notes.push(format!(
                    "shard {shard} ({path}) was damaged; {blocks} of its blocks were repaired"
                )),
                (Health::Damaged(why) | Health::Lost(why), _) => {
                    notes.push(format!("shard {shard} ({path}) is wrong: {why}"));
                }
            }
        }
        notes.extend(self.rejected.iter().map(|(p, why)| format!("{} is not used: {why}", p.display())));
        let generations: Vec<u64> = self.members.values().map(|m| m.envelope().generation).collect();
        if generations.iter().any(|g| *g != self.generation()) {
            notes.push(format!("envelopes of generations {generations:?} of the same bodies"));
        }
        notes
    }

    /// The error of fewer than k usable shards.
    pub(crate) fn too_few(&self) -> anyhow::Error {
        let (k, n, found) = (self.geometry.k(), self.geometry.n(), self.whole().len());
        anyhow!("{found} of {n} shards are usable, {k} are needed")
            .context(Help("find more shards: any that are whole will do"))
    }
}

/// Prints notes on standard error, one line each.
pub(crate) fn tell_notes(notes: &[String]) {
    for note in notes {
        eprintln!("note: {}", printable(note));
    }
}

fn tell(rejected: &[(PathBuf, String)]) {
    let notes: Vec<String> =
        rejected.iter().map(|(p, why)| format!("{} is not used: {why}", p.display())).collect();
    tell_notes(&notes);
}

/// Bodies that `paths` speak of, in the order of their names within a folder.
pub(crate) fn bodies(paths: &[PathBuf]) -> anyhow::Result<Vec<PathBuf>> {
    let mut all = Vec::new();
    for path in paths {
        if !path.is_dir() {
            all.push(path.clone());
            continue;
        }
        let mut inside = Vec::new();
        let entries = fs::read_dir(path).with_context(|| format!("cannot list {}", path.display()))?;
        for entry in entries {
            let name = entry.with_context(|| format!("cannot list {}", path.display()))?.file_name();
            if let Some(body) = name.to_str().and_then(|n| n.strip_suffix(".envelope"))
                && !body.is_empty()
                && !body.starts_with('.')
            {
                inside.push(path.join(body));
            }
        }
        inside.sort();
        all.extend(inside);
    }
    Ok(all)
}

/// Shards of two objects, or of two makings of one, cannot be told right from wrong by counting: both are named.
pub(crate) fn refuse_mixed<'a>(found: impl Iterator<Item = (&'a Path, &'a Envelope)>) -> anyhow::Result<()> {
    let mut first = None;
    for (path, b) in found {
        let (first_path, a) = *first.get_or_insert((path, b));
        let what = if (a.owner, a.object) != (b.owner, b.object) {
            format!("object {} and object {}", a.object, b.object)
        } else if (a.unit.k, a.unit.n) != (b.unit.k, b.unit.n) {
            format!("a split {} of {} and one {} of {}", a.unit.k, a.unit.n, b.unit.k, b.unit.n)
        } else if a.shards != b.shards {
            format!(
                "generation {} and generation {} of the object, whose bodies differ",
                a.generation, b.generation
            )
        } else {
            continue;
        };
        return Err(anyhow!(
            "shards of different sets are mixed: {} and {} are of {what}",
            first_path.display(),
            path.display()
        ))
        .context(Help("give the shards of one set only"));
    }
    Ok(())
}

/// What can be seen of a body without decrypting it.
fn look(path: &Path, size: u64, cipher: &ShardCipher) -> anyhow::Result<(Option<File>, Health)> {
    let about = match fs::metadata(path) {
        Ok(about) => about,
        Err(e) if e.kind() == io::ErrorKind::NotFound => {
            return Ok((None, Health::Lost("the body is missing".to_owned())));
        }
        Err(e) => return Err(e).with_context(|| format!("cannot examine {}", path.display())),
    };
    // Before it is opened: opening a pipe would wait for a writer.
    if !about.is_file() {
        return Ok((None, Health::Lost("it is not a file".to_owned())));
    }
    let file = File::open(path).with_context(|| format!("cannot open {}", path.display()))?;
    if about.len() != size {
        let why = format!("it has {} bytes, its envelope says {size}", about.len());
        return Ok((Some(file), Health::Damaged(why)));
    }
    let mut header = [0; HEADER_BYTES];
    file.read_exact_at(&mut header, 0).with_context(|| format!("cannot read {}", path.display()))?;
    let health = if header == cipher.header() {
        Health::Whole
    } else {
        Health::Damaged(
            "it does not begin as its envelope says: another body, or its first bytes changed".to_owned(),
        )
    };
    Ok((Some(file), health))
}
