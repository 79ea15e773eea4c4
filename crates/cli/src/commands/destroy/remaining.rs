//! What still opens an object when some of its envelopes are gone: other shards, and other generations that lie beside.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use bailiwick_protocol::ids::OwnerKey;

use super::examine::{Found, whole_name};
use crate::envelopes::{Neighbours, folder_of};

/// Of every object in shards among `found`: who else has some is not asked.
pub(super) fn at_other_nodes(node: &str, found: &[Found]) -> Vec<String> {
    let split: BTreeSet<_> = found
        .iter()
        .filter_map(|found| match found {
            Found::Envelope { envelope, .. } => Some(envelope),
            _ => None,
        })
        .filter(|envelope| envelope.shards.is_some())
        .map(|envelope| (envelope.name().owner, envelope.object, envelope.unit.k, envelope.unit.n))
        .collect();
    let line = |(owner, object, k, n)| {
        format!(
            "elsewhere the other hosts of {object} keep their shards, as only {node} was named: any {k} of the {n} still open it; \
            `bailiwick rm {owner}/{object}/{k}-{n}-SHARD-0` at the node of each"
        )
    };
    split.into_iter().map(line).collect()
}

/// Lines to say of it.
pub(super) struct Remaining(Vec<String>);

impl Remaining {
    /// What remains when all that was found is destroyed; looked for in the folders of the targets.
    pub(super) fn of(owner: &OwnerKey, found: &[Found]) -> anyhow::Result<Self> {
        let going: Vec<_> = found
            .iter()
            .filter_map(|found| match found {
                Found::Envelope { path, envelope } => Some((path, envelope)),
                _ => None,
            })
            .collect();
        let gone: BTreeSet<PathBuf> = going.iter().map(|(path, _)| whole_name(path)).collect();
        let folders: BTreeSet<&Path> = going.iter().map(|(path, _)| folder_of(path)).collect();
        let objects: BTreeSet<_> = going.iter().map(|(_, envelope)| envelope.object).collect();
        let beside = Neighbours::of(owner, &folders, |name| objects.contains(&name.object))?;
        let left = || beside.iter().filter(|(path, _)| !gone.contains(&whole_name(path)));

        let mut lines = BTreeSet::new();
        for (path, envelope) in left() {
            let (at, generation) = (path.display(), envelope.generation);
            let what = if envelope.shards.is_some() {
                format!("shard {} of {}", envelope.unit.shard, envelope.unit.n)
            } else {
                "it opens the object".to_owned()
            };
            lines.insert(format!("left      {at}: generation {generation} of {}: {what}", envelope.object));
        }
        let mut split: BTreeMap<_, BTreeSet<u16>> = BTreeMap::new();
        for (_, envelope) in going.iter().filter(|(_, envelope)| envelope.shards.is_some()) {
            let unit = envelope.unit;
            split.entry((envelope.object, unit.k, unit.n)).or_default().insert(unit.shard);
        }
        let mut lines: Vec<_> = lines.into_iter().collect();
        for ((object, k, n), mut shards) in split {
            for (_, envelope) in left().filter(|(_, envelope)| envelope.object == object) {
                shards.remove(&envelope.unit.shard);
            }
            let others = usize::from(n) - shards.len();
            let shown = shards.len();
            if others >= usize::from(k) {
                lines.push(format!(
                    "left      {others} of the {n} shards of {object}, here or elsewhere: any {k} of them still open it; name the folder of them to destroy all"
                ));
            } else if others > 0 {
                lines.push(format!(
                    "shards    {shown} of {n} of {object}: the other {others} are fewer than the {k} that open it, unless there are copies"
                ));
            }
        }
        Ok(Self(lines))
    }

    pub(super) fn lines(&self) -> impl Iterator<Item = &str> {
        self.0.iter().map(String::as_str)
    }
}
