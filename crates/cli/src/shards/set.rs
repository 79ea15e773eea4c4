//! The shards at hand: which belong together, and which of them are wrong, each by its name.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, anyhow, bail};
use bailiwick_envelope::Opener;
use bailiwick_erasure::{Geometry, bodies_digest};
use bailiwick_protocol::envelope::{Envelope, ShardSet};
use bailiwick_protocol::ids::UnitName;

use super::body::body_bytes;
use super::member::{Health, Member, NO_BODY};
use crate::Help;
use crate::commands::commit::ENVELOPE_FILE_BYTES_MAX;
use crate::keyfile::with_suffix;
use crate::output::{printable, read_bounded, reason};

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
        open: &dyn Fn(&[u8]) -> anyhow::Result<Opener>,
    ) -> anyhow::Result<Self> {
        let mut rejected = Vec::new();
        let mut found: Vec<Found> = Vec::new();
        for body in bodies(paths)? {
            let envelope = with_suffix(&body, ".envelope");
            let opened = read_bounded(&envelope, ENVELOPE_FILE_BYTES_MAX)
                .and_then(|bytes| open(&bytes))
                .and_then(|opener| match opener.envelope().shards {
                    Some(_) => Ok(opener),
                    None => bail!("it is not a shard: its object is not split"),
                });
            match opened {
                Ok(opener) => found.push((body, opener)),
                Err(e) => rejected.push((envelope, reason(&e))),
            }
        }
        let Some((_, first)) = found.first() else {
            tell(&rejected);
            return Err(anyhow!("no shard has an envelope that can be used"))
                .context(Help("each is named above with what is wrong: check the owner's public key, and that one of the keys is a recipient's"));
        };
        refuse_mixed(found.iter().map(|(path, o)| (path.as_path(), o.envelope())))?;
        let (unit, shards) = (first.envelope().unit, first.envelope().shards.clone());
        let shards = shards.context("checked above")?;
        let geometry = Geometry::new(unit.k, unit.n, shards.padded_length)?;
        let size = body_bytes(&geometry)?;
        let mut set = Self { geometry, shards, members: BTreeMap::new(), spares: Vec::new(), rejected };
        let mut copies: BTreeMap<u16, Vec<Member>> = BTreeMap::new();
        for (path, opener) in found {
            let shard = opener.envelope().unit.shard;
            if let Some(member) = set.member(path, opener, size)? {
                copies.entry(shard).or_default().push(member);
            }
        }
        for (shard, copies) in copies {
            set.add(shard, copies);
        }
        set.check_digest()?;
        Ok(set)
    }

    /// A shard with its envelope, looked at; none when it cannot count.
    fn member(&mut self, path: PathBuf, opener: Opener, size: u64) -> anyhow::Result<Option<Member>> {
        let envelope = opener.envelope();
        if envelope.unit.replica != 0 {
            self.rejected.push((path, "it is a replica, which this program does not use".to_owned()));
            return Ok(None);
        }
        if envelope.body.size != size {
            bail!(
                "{} is signed with {} bytes, a shard of this object has {size}: its owner made it wrong",
                path.display(),
                envelope.body.size
            );
        }
        Ok(Some(Member::at(path, opener, size)?))
    }

    /// Takes the envelope of the highest generation for the shard's, the first by name if there are several, and a body nothing is wrong with
    /// if there is one. The others are named.
    fn add(&mut self, shard: u16, mut copies: Vec<Member>) {
        copies.sort_by_key(|m| std::cmp::Reverse(m.envelope().generation));
        let mut copies = copies.into_iter();
        let Some(newest) = copies.next() else { return };
        for copy in copies {
            self.rejected.push(newest.besides(&copy));
            self.spares.push(copy);
        }
        let whole = matches!(newest.health, Health::Whole);
        self.members.insert(shard, newest);
        if !whole {
            self.use_spare_where(|spare| spare.envelope().unit.shard == shard && spare.is_whole());
        }
    }

    /// Puts another copy of a lost shard, if one was given, in its place.
    pub(crate) fn use_spare(&mut self) -> bool {
        self.use_spare_where(|_| true)
    }

    /// Puts a copy of a body in the place of a shard's that is wrong, or lost if the copy is not known to be whole. Its envelope stays the newest.
    fn use_spare_where(&mut self, fits: impl Fn(&Member) -> bool) -> bool {
        let members = &self.members;
        let serves = |spare: &Member| {
            let member = members.get(&spare.envelope().unit.shard);
            fits(spare)
                && !matches!(spare.health, Health::Lost(_))
                && member.is_some_and(|m| {
                    // Equal bytes have equal first ones, which commit to the key: the newest envelope's opens the copy, too.
                    let same = m.envelope().body.blake3 == spare.envelope().body.blake3;
                    same && (matches!(m.health, Health::Lost(_)) || spare.is_whole() && !m.is_whole())
                })
        };
        let Some(at) = self.spares.iter().position(serves) else { return false };
        let spare = self.spares.swap_remove(at);
        self.rejected.retain(|(path, _)| *path != spare.path);
        let Some(member) = self.members.get_mut(&spare.envelope().unit.shard) else { return false };
        let before = std::mem::replace(&mut member.path, spare.path);
        if let Health::Damaged(why) | Health::Lost(why) = std::mem::replace(&mut member.health, spare.health)
            && why != NO_BODY
        {
            self.rejected.push((before, why));
        }
        (member.file, member.mended) = (spare.file, spare.mended);
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

    /// Shards with envelopes of a lower generation than others'.
    fn behind(&self) -> Vec<u16> {
        let newest = self.generation();
        self.members.iter().filter(|(_, m)| m.envelope().generation < newest).map(|(s, _)| *s).collect()
    }

    /// Shards nothing wrong is known of, first those that hold data.
    pub(crate) fn whole(&self) -> Vec<u16> {
        self.members.iter().filter(|(_, m)| m.is_whole()).map(|(s, _)| *s).collect()
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
                (Health::Whole, Some(0)) => {
                    notes.push(format!("shard {shard} ({path}) was damaged, none of its blocks was"));
                }
                (Health::Whole, Some(blocks)) => notes.push(format!(
                    "shard {shard} ({path}) was damaged; {blocks} of its blocks were repaired"
                )),
                (Health::Lost(why), _) if why == NO_BODY => {
                    notes.push(format!("shard {shard} ({path}) is not here, only its envelope is"));
                }
                (Health::Damaged(why) | Health::Lost(why), _) => {
                    notes.push(format!("shard {shard} ({path}) is wrong: {why}"));
                }
            }
        }
        notes.extend(self.rejected.iter().map(|(p, why)| format!("{} is not used: {why}", p.display())));
        let behind = self.behind();
        if !behind.is_empty() {
            notes.push(format!(
                "the envelopes of shards {behind:?} are older than others here, of generation {}: later ones may exist, with fewer recipients",
                self.generation()
            ));
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
