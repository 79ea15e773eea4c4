//! All objects of the owner at a node: each body is fetched, opened and sealed anew through a pipe, and put. Until the node has the new
//! generation, its body and envelope are files in the directory of the owner's envelopes; a run that broke off goes on from there, and
//! passes over what it has done.

use std::fs::{self, File};
use std::io;
use std::path::PathBuf;

use anyhow::{Context as _, ensure};
use bailiwick_client::Client;
use bailiwick_envelope::{OpenError, ReadAt, verify};
use bailiwick_protocol::codec::Canonical as _;
use bailiwick_protocol::envelope::Envelope;
use bailiwick_protocol::ids::UnitName;

use super::Summary;
use super::done::Done;
use super::reseal::{Pair, Rotator, sync_folder};
use crate::envelopes::Known;
use crate::outcomes::UNOPENABLE;
use crate::progress;

/// A node, and the directory of the owner's envelopes.
pub(super) struct NodeRun<'a> {
    pub(super) client: Client,
    pub(super) rotator: &'a Rotator,
    pub(super) known: Known,
    pub(super) folder: PathBuf,
    pub(super) done: Done,
}

/// A body at a node, in ranges.
struct Remote<'a> {
    client: &'a Client,
    name: &'a UnitName,
}

impl ReadAt for Remote<'_> {
    fn read_exact_at(&mut self, buffer: &mut [u8], offset: u64) -> io::Result<()> {
        let bytes = self.client.get_range(self.name, offset, buffer.len()).map_err(io::Error::other)?;
        buffer.copy_from_slice(&bytes);
        Ok(())
    }
}

impl NodeRun<'_> {
    /// What is done is remembered until all is done; objects that no key opens are not, unless `skip`.
    pub(super) fn run(mut self, skip: bool) -> anyhow::Result<Summary> {
        // Its names ascend: no unit comes twice.
        let objects = self.client.list_all()?;
        let mut summary = Summary::default();
        let bar = progress::count(objects.len() as u64, "rotate");
        let owner = self.rotator.pinned;
        for object in objects.iter().filter(|o| o.owner == owner) {
            let done = object.name().context("the node lists no unit").and_then(|name| self.one(&name));
            match done.transpose() {
                None => summary.rotated += 1,
                Some(not_done) => {
                    summary.outcomes.add(format_args!("{}/{}", object.object, object.unit), not_done);
                }
            }
            bar.inc(1);
        }
        bar.finish_and_clear();
        let unopened = !skip && summary.outcomes.skipped.contains_key(UNOPENABLE);
        if summary.outcomes.failed.is_empty() && !unopened {
            self.done.remove()?;
        }
        Ok(summary)
    }

    /// Why it was not sealed anew, if so.
    fn one(&mut self, name: &UnitName) -> anyhow::Result<Option<&'static str>> {
        let stem = format!("{}-{}", name.object, name.unit);
        let new = Pair::at(self.folder.join(format!("{stem}.rotated")));
        let kept = self.folder.join(format!("{stem}.envelope"));
        let bytes = self.client.envelope(name)?.to_bytes();
        let served = verify(&self.rotator.pinned, &bytes)?;
        ensure!(served.name() == *name, "the node gave the envelope of {} for {name}", served.name());
        if let Some(waiting) = self.known.latest(name).filter(|latest| latest.path == new.envelope) {
            // Signed by a run that broke off.
            let next = verify(&self.rotator.pinned, &waiting.bytes)?;
            self.rotator.check_asked(&served, &next, &waiting.bytes, &new.envelope)?;
            let sent = self.send(&next, &new, &waiting.bytes, bytes == waiting.bytes)?;
            self.done.add(name, next.generation)?;
            self.settle(&new, &kept)?;
            return Ok(if sent { None } else { Some("sealed anew already") });
        }
        let _alone = self.known.remember(&self.folder, &served, &bytes)?;
        let before = self.done.generation(name).is_some_and(|done| served.generation >= done);
        // One that is done for others than this command says is sealed anew like any other.
        if before && self.rotator.is_as_asked(&served, &bytes) {
            return Ok(Some("sealed anew already"));
        }
        let opener = match self.rotator.opener(&bytes) {
            Err(e) if matches!(e.downcast_ref(), Some(OpenError::NoRecipient)) => {
                return Ok(Some(UNOPENABLE));
            }
            other => other?,
        };
        let metadata = self.rotator.metadata(&opener, &mut Remote { client: &self.client, name })?;
        let body = self.client.get_body(name, None)?;
        ensure!(
            body.length == served.body.size,
            "the node serves {} bytes of {}",
            body.length,
            served.body.size
        );
        self.rotator.write(&opener, metadata, body.reader, &new)?;
        let signed = fs::read(&new.envelope)?;
        let next = verify(&self.rotator.pinned, &signed)?;
        self.send(&next, &new, &signed, false)?;
        self.done.add(name, next.generation)?;
        self.settle(&new, &kept)?;
        Ok(None)
    }

    /// Puts the next generation; false when the node has it.
    fn send(&self, next: &Envelope, new: &Pair, signed: &[u8], there: bool) -> anyhow::Result<bool> {
        if there {
            return Ok(false);
        }
        ensure!(
            new.has_body_of(next)?,
            "{} is signed, and {} is not its body: a second envelope of its generation is not signed",
            new.envelope.display(),
            new.body.display()
        );
        let sent = self.client.put(&next.name(), signed, || File::open(&new.body), next.body.size);
        let at = new.body.display();
        sent.with_context(|| {
            format!("signed and kept as {at}, not taken by the node; the same command sends it")
        })?;
        Ok(true)
    }

    /// The node has it: the envelope stays as what is known, the body goes.
    fn settle(&self, new: &Pair, kept: &std::path::Path) -> anyhow::Result<()> {
        fs::rename(&new.envelope, kept).with_context(|| format!("cannot write {}", kept.display()))?;
        match fs::remove_file(&new.body) {
            Err(e) if e.kind() != io::ErrorKind::NotFound => {
                return Err(e).with_context(|| format!("cannot remove {}", new.body.display()));
            }
            _ => {}
        }
        sync_folder(kept)
    }
}
