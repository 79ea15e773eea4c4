//! All objects of the owner at a node: envelopes are fetched, compared with those known, rewritten, kept, and put back; bodies stay where
//! they are.

use std::path::PathBuf;

use anyhow::{Context as _, anyhow, ensure};
use bailiwick_client::Client;
use bailiwick_protocol::codec::Canonical as _;
use bailiwick_protocol::ids::UnitName;

use super::{Outcome, Rewrapper, Summary};
use crate::envelopes::Known;
use crate::progress;

/// A node, and the directory of the owner's envelopes.
pub(super) struct NodeRun<'a> {
    pub(super) client: Client,
    pub(super) rewrapper: &'a Rewrapper,
    pub(super) known: Known,
    pub(super) folder: PathBuf,
}

impl NodeRun<'_> {
    pub(super) fn run(mut self) -> anyhow::Result<Summary> {
        // Its names ascend: no unit comes twice.
        let objects = self.client.list_all()?;
        let mut summary = Summary::default();
        summary.outcomes.foreign(self.known.foreign);
        let bar = progress::count(objects.len() as u64, "rewrap");
        let owner = self.rewrapper.pinned;
        for object in objects.iter().filter(|o| o.owner == owner) {
            let done = object.name().context("the node lists no unit").and_then(|name| self.one(&name));
            match done.transpose() {
                None => summary.rewrapped += 1,
                Some(not_done) => {
                    summary.outcomes.add(format_args!("{}/{}", object.object, object.unit), not_done);
                }
            }
            bar.inc(1);
        }
        bar.finish_and_clear();
        Ok(summary)
    }

    /// Why there was nothing to do, if so.
    fn one(&mut self, name: &UnitName) -> anyhow::Result<Option<&'static str>> {
        let bytes = self.client.envelope(name)?.to_bytes();
        // The node chooses what it answers; what is signed is the next generation of what was asked for, once.
        let served = bailiwick_envelope::verify(&self.rewrapper.pinned, &bytes)?;
        ensure!(served.name() == *name, "the node gave the envelope of {} for {name}", served.name());
        let _alone = self.known.remember(&self.folder, &served, &bytes)?;
        let new = match self.rewrapper.rewrap(&bytes)? {
            Outcome::New(new) => new,
            Outcome::Skipped(why) => return Ok(Some(why)),
        };
        // Before it is sent: whatever happens from here on, this is the one of its generation.
        let kept = self.known.keep(&self.folder, new.clone())?;
        self.client.replace_envelope(name, &new).map_err(|e| {
            let kept = kept.display();
            anyhow!("signed and kept as {kept}, not taken by the node: {e}; `bailiwick put {kept} --envelope-only` sends it")
        })?;
        Ok(None)
    }
}
