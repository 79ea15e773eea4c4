//! All objects of the owner at a node: envelopes are fetched, rewritten and put back; bodies stay where they are.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use bailiwick_protocol::codec::Canonical as _;

use super::{Outcome, Rewrapper, Summary};
use crate::connect::NodeArgs;
use crate::keyfile::{self, Kind};
use crate::progress;

pub(super) fn run(
    rewrapper: &Rewrapper,
    node: String,
    host: String,
    roots: Option<PathBuf>,
    owner: &Path,
) -> anyhow::Result<Summary> {
    let client = NodeArgs::new(node, host, roots).connect(keyfile::read_signing_key(owner, Kind::Owner)?)?;
    let objects = client.list_all()?;
    let mut summary = Summary::default();
    let mut asked = BTreeSet::new();
    let bar = progress::count(objects.len() as u64, "rewrap");
    for object in objects.iter().filter(|o| o.owner == rewrapper.pinned) {
        let done = object.name().ok_or_else(|| anyhow::anyhow!("the node lists no unit")).and_then(|name| {
            let bytes = client.envelope(&name)?.to_bytes();
            // The node chooses what it answers; what is signed is the next generation of what was asked for, once.
            let given = bailiwick_envelope::verify(&rewrapper.pinned, &bytes)?.name();
            anyhow::ensure!(given == name, "the node gave the envelope of {given} for {name}");
            anyhow::ensure!(asked.insert(name), "the node lists {name} twice");
            match rewrapper.rewrap(&bytes)? {
                Outcome::New(new) => client.replace_envelope(&name, &new).map(|_| None).map_err(Into::into),
                Outcome::Skipped(why) => Ok(Some(why)),
            }
        });
        match done {
            Ok(None) => summary.rewrapped += 1,
            Ok(Some(why)) => summary.skip(why),
            Err(e) => summary.failed.push(format!("{}/{}: {e:#}", object.object, object.unit)),
        }
        bar.inc(1);
    }
    bar.finish_and_clear();
    Ok(summary)
}
