//! All objects of the owner at a node: each body is fetched, opened and sealed anew through a pipe, and put. Until the node has the new
//! generation, its body and envelope are files in the directory of the owner's envelopes; a run that broke off goes on from there, and
//! passes over what it has done. What the node serves is compared with what is known before anything is sent or signed.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, anyhow, ensure};
use bailiwick_client::Client;
use bailiwick_envelope::{OpenError, ReadAt, verify};
use bailiwick_protocol::codec::Canonical as _;
use bailiwick_protocol::envelope::Envelope;
use bailiwick_protocol::ids::UnitName;

use super::Summary;
use super::asked::{self, Fit};
use super::done::Done;
use super::reseal::{Pair, Rotator, sync_folder};
use crate::Help;
use crate::envelopes::{Known, Latest};
use crate::outcomes::UNOPENABLE;
use crate::progress;

const ALREADY: &str = "sealed anew already";

/// A node, and the directory of the owner's envelopes.
pub(super) struct NodeRun<'a> {
    client: Client,
    rotator: &'a Rotator,
    /// What the node is to serve at least; without those that wait, which it need not have yet.
    known: Known,
    /// Signed by a run that broke off before the node had them.
    waiting: BTreeMap<UnitName, Latest>,
    folder: PathBuf,
    done: Done,
}

/// The names of a unit's next generation until the node has it.
fn new_at(folder: &Path, name: &UnitName) -> Pair {
    Pair::at(folder.join(format!("{}-{}.rotated", name.object, name.unit)))
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

impl<'a> NodeRun<'a> {
    pub(super) fn new(client: Client, rotator: &'a Rotator, folder: PathBuf) -> anyhow::Result<Self> {
        let waits = |path: &Path, name: &UnitName| new_at(&folder, name).envelope == path;
        let (known, waiting) = Known::below_but(rotator.pinned, &folder, waits)?;
        let done = Done::open(&folder)?;
        Ok(Self { client, rotator, known, waiting, folder, done })
    }

    /// What is done is remembered until all is done; objects that no key opens are not, unless `skip`.
    pub(super) fn run(mut self, skip: bool) -> anyhow::Result<Summary> {
        // Its names ascend: no unit comes twice.
        let objects = self.client.list_all()?;
        let mut summary = Summary::default();
        summary.outcomes.foreign(self.known.foreign);
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
        let new = new_at(&self.folder, name);
        let bytes = self.client.envelope(name)?.to_bytes();
        let served = verify(&self.rotator.pinned, &bytes)?;
        ensure!(served.name() == *name, "the node gave the envelope of {} for {name}", served.name());
        if let Some(waiting) = self.waiting.remove(name) {
            return self.send_waiting(&new, &waiting.bytes, &served, &bytes);
        }
        let done = self.done.get(name);
        if let Some((done, _)) = done {
            // Also where its envelope is no longer among those known.
            ensure!(
                served.generation >= done,
                "the node serves generation {}, and it was sealed anew as {done}: the node was given back an old state; nothing was signed",
                served.generation
            );
        }
        let _alone = self.known.remember(&self.folder, &served, &bytes)?;
        if let Some((done, asked)) = done {
            let told = (served.generation == done).then(|| asked == self.rotator.asked.digest(&bytes));
            // One that is done for others than this command says is sealed anew like any other.
            if self.rotator.fit(&served, &bytes, told) == Fit::Same {
                return Ok(Some(ALREADY));
            }
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
        self.send(&next, &new, &signed)?;
        self.settle(&next, &new, &signed)?;
        Ok(None)
    }

    /// What a run signed that broke off, unless the node has it: sent only over the generation that it comes after.
    fn send_waiting(
        &mut self,
        new: &Pair,
        signed: &[u8],
        served: &Envelope,
        bytes: &[u8],
    ) -> anyhow::Result<Option<&'static str>> {
        let next = verify(&self.rotator.pinned, signed)?;
        let (at, found, waits) = (new.envelope.display(), served.generation, next.generation);
        if bytes == signed {
            self.rotator.check_asked(served, &next, signed, new)?;
            self.settle(&next, new, signed)?;
            return Ok(Some(ALREADY));
        }
        ensure!(
            found != waits,
            "the node serves another envelope of generation {found} than {at}: keep both, the owner's signature under each is \
             evidence; nothing was sent"
        );
        if found > waits {
            // Signed elsewhere. Remembered, whatever becomes of what waits.
            let remembered = self.known.remember(&self.folder, served, bytes).err();
            let why = remembered.map(|e| format!(" ({e})")).unwrap_or_default();
            return Err(anyhow!(
                "the node serves generation {found}, later than {at}, which is {waits} and was not taken by it: nothing was sent{why}"
            ))
            .context(Help("remove what waits, body and envelope, and run the same command again: it goes on from what the node has"));
        }
        let _alone = self.known.remember(&self.folder, served, bytes)?;
        ensure!(
            found.checked_add(1) == Some(waits),
            "the node serves generation {found}, {at} is {waits} and was signed over the one before: it was given back an old state; \
             nothing was sent, `bailiwick put {}` sends it all the same",
            new.body.display()
        );
        self.rotator.check_asked(served, &next, signed, new)?;
        self.send(&next, new, signed)?;
        self.settle(&next, new, signed)?;
        Ok(None)
    }

    /// Puts the next generation.
    fn send(&self, next: &Envelope, new: &Pair, signed: &[u8]) -> anyhow::Result<()> {
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
        Ok(())
    }

    /// The node has it: that is remembered, the envelope stays as what is known, the body goes.
    fn settle(&mut self, next: &Envelope, new: &Pair, signed: &[u8]) -> anyhow::Result<()> {
        let name = next.name();
        self.done.add(&name, next.generation, self.rotator.asked.digest(signed))?;
        let kept = &self.folder.join(format!("{}-{}.envelope", name.object, name.unit));
        // The envelope last: a run that is killed in between finds it waiting, and the node has it.
        match fs::remove_file(&new.body) {
            Err(e) if e.kind() != io::ErrorKind::NotFound => {
                return Err(e).with_context(|| format!("cannot remove {}", new.body.display()));
            }
            _ => {}
        }
        fs::rename(&new.envelope, kept).with_context(|| format!("cannot write {}", kept.display()))?;
        asked::forget(&new.asked())?;
        sync_folder(kept)
    }
}
