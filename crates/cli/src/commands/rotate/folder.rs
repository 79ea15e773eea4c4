//! All objects below a directory. First every object is sealed anew into `BODY.rotated` and `BODY.rotated.envelope`; one that has these is
//! done. Only when nothing failed, and with --replace, the new files take the places of the old ones; a marker says that this has begun, so
//! that a run that broke off is not taken for one that has to seal anew.

use std::collections::BTreeSet;
use std::ffi::OsStr;
use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, bail, ensure};
use bailiwick_envelope::{OpenError, verify};
use bailiwick_protocol::envelope::Envelope;

use super::asked::{self, Fit};
use super::reseal::{Pair, Rotator, sync_folder};
use super::{ENVELOPE_FILE_BYTES_MAX, Summary};
use crate::envelopes::{Lock, envelopes, folder_of, not_a_link, of_owner, one_of_each};
use crate::keyfile::with_suffix;
use crate::outcomes::{FOREIGN, UNOPENABLE};
use crate::output::{read_bounded, write_new};
use crate::progress;

const ROTATED: &str = ".rotated";
const MARKER: &str = ".bailiwick-rotate-replacing";
const LATER: &str = "not sealed anew by the run that broke off: run the same command once more";

/// What was done, and how what was not done is left. Objects that no key opens keep the others from taking their places unless `skip`.
pub(super) fn run(
    rotator: &Rotator,
    folder: &Path,
    replace: bool,
    skip: bool,
) -> anyhow::Result<(Summary, &'static str)> {
    let alone = Alone { folder, _lock: Lock::on(folder)? };
    let mut summary = Summary::default();
    let found = envelopes(&[folder.to_owned()], &mut summary.outcomes.failed)?;
    let (new, old): (Vec<_>, Vec<_>) = found.into_iter().partition(|path| is_rotated(path));
    // A new one without its old one is an object like any other.
    let there: BTreeSet<&PathBuf> = old.iter().collect();
    let without_old = new.into_iter().filter(|path| !there.contains(&old_of(path)));
    let all = without_old.chain(old.iter().cloned()).collect();
    let objects = one_of_each(all, &mut summary.outcomes.failed);
    let marker = folder.join(MARKER);
    let replacing = fs::symlink_metadata(&marker).is_ok();
    ensure!(
        replace || !replacing,
        "{} says that the new generation is taking the place of the old: run the same command with --replace",
        marker.display()
    );
    if !replacing {
        let bar = progress::count(objects.len() as u64, "rotate");
        for envelope in &objects {
            match alone.beside(envelope).and_then(|_alone| one(rotator, envelope, replace)) {
                Ok(None) => summary.rotated += 1,
                Ok(Some(why)) => summary.outcomes.add(envelope.display(), Ok(why)),
                Err(e) => summary.outcomes.add(envelope.display(), Err(e)),
            }
            bar.inc(1);
        }
        bar.finish_and_clear();
        let unopened = !skip && !summary.outcomes.unopened.is_empty();
        if !replace {
            return Ok((summary, "they are as they were"));
        }
        if unopened || !summary.outcomes.failed.is_empty() || !some_ours(&summary, &objects) {
            summary.replaced = Some(0);
            return Ok((summary, "nothing took its place"));
        }
        write_new(&marker, 0o644, b"")?;
    }
    let mut replaced = 0;
    for envelope in &objects {
        let placed = alone.beside(envelope).and_then(|_alone| take_place(rotator, envelope, replacing));
        match placed {
            Ok(Some(_)) => replaced += 1,
            Ok(None) if replacing => match not_placed(rotator, envelope).transpose() {
                None => summary.placed_before += 1,
                Some(why) => summary.outcomes.add(envelope.display(), why),
            },
            Ok(None) => {}
            Err(e) => summary.outcomes.add(envelope.display(), Err(e)),
        }
    }
    // Another owner's key must not make a run that broke off look complete.
    if summary.outcomes.failed.is_empty() && some_ours(&summary, &objects) {
        fs::remove_file(&marker).with_context(|| format!("cannot remove {}", marker.display()))?;
        sync_folder(&marker)?;
        // Until now it told what is the new generation already.
        for (_, new) in objects.iter().map(|envelope| pairs(envelope)) {
            asked::forget(&new.asked())?;
        }
    }
    summary.replaced = Some(replaced);
    Ok((summary, "each of the others is the new generation, whole"))
}

/// Whether not all objects are other owners'.
fn some_ours(summary: &Summary, objects: &[PathBuf]) -> bool {
    summary.outcomes.skipped.get(FOREIGN).is_none_or(|n| *n < objects.len() as u64)
}

/// The directory in which this run alone signs, all of it: another run that begins above, below or in it finds a lock in its way.
struct Alone<'a> {
    folder: &'a Path,
    _lock: Lock,
}

impl Alone<'_> {
    /// The lock of the folder that an envelope is in, if it is not the one held already.
    fn beside(&self, envelope: &Path) -> anyhow::Result<Option<Lock>> {
        let folder = folder_of(envelope);
        (folder != self.folder).then(|| Lock::on(folder)).transpose()
    }
}

/// Why there was nothing to put in the place of an envelope, where a run broke off; none when it is the new one.
fn not_placed(rotator: &Rotator, envelope: &Path) -> anyhow::Result<Option<&'static str>> {
    let bytes = read_bounded(envelope, ENVELOPE_FILE_BYTES_MAX)?;
    let Some(now) = of_owner(&rotator.pinned, &bytes)? else { return Ok(Some(FOREIGN)) };
    let told = rotator.asked.told(&pairs(envelope).1.asked(), &bytes)?;
    Ok((rotator.fit(&now, &bytes, told) != Fit::Same).then_some(LATER))
}

fn is_rotated(envelope: &Path) -> bool {
    envelope.with_extension("").extension() == Some(OsStr::new(&ROTATED[1..]))
}

/// The envelope that `X.rotated.envelope` comes after.
fn old_of(rotated: &Path) -> PathBuf {
    with_suffix(&rotated.with_extension("").with_extension(""), ".envelope")
}

/// An object's files, and those of its next generation.
fn pairs(envelope: &Path) -> (Pair, Pair) {
    let body = envelope.with_extension("");
    let new = Pair::at(with_suffix(&body, ROTATED));
    (Pair { body, envelope: envelope.to_owned() }, new)
}

/// The envelope of the next generation, if it is there, and its bytes.
fn next(rotator: &Rotator, old: &Envelope, new: &Pair) -> anyhow::Result<Option<(Envelope, Vec<u8>)>> {
    if fs::symlink_metadata(&new.envelope).is_err() {
        return Ok(None);
    }
    let at = new.envelope.display();
    let bytes = read_bounded(&new.envelope, ENVELOPE_FILE_BYTES_MAX)?;
    let envelope = verify(&rotator.pinned, &bytes).with_context(|| format!("{at} is in the way"))?;
    ensure!(
        envelope.name() == old.name() && Some(envelope.generation) == old.generation.checked_add(1),
        "{at} is in the way: it is generation {} of {}, not the next one",
        envelope.generation,
        envelope.name()
    );
    Ok(Some((envelope, bytes)))
}

/// Seals one object anew, unless it is, or cannot be and why.
fn one(rotator: &Rotator, envelope: &Path, replace: bool) -> anyhow::Result<Option<&'static str>> {
    let (old, new) = pairs(envelope);
    let bytes = read_bounded(envelope, ENVELOPE_FILE_BYTES_MAX)?;
    let Some(now) = of_owner(&rotator.pinned, &bytes)? else { return Ok(Some(FOREIGN)) };
    if replace {
        not_a_link(&old.body)?;
    }
    if let Some((next, signed)) = next(rotator, &now, &new)? {
        rotator.check_asked(&now, &next, &signed, &new)?;
        ensure!(
            new.has_body_of(&next)?,
            "{} is signed, and {} is not its body: a second envelope of its generation is not signed",
            new.envelope.display(),
            new.body.display()
        );
        return Ok(Some("sealed anew already"));
    }
    let opener = match rotator.opener(&bytes) {
        Err(e) if matches!(e.downcast_ref(), Some(OpenError::NoRecipient)) => return Ok(Some(UNOPENABLE)),
        other => other?,
    };
    rotator.files(&opener, &old.body, &new)?;
    Ok(None)
}

/// Gives the next generation the names of the old one; none when there is none, or it has them. `check` whether it is what is asked for.
pub(super) fn take_place(
    rotator: &Rotator,
    envelope: &Path,
    check: bool,
) -> anyhow::Result<Option<Envelope>> {
    let (old, new) = pairs(envelope);
    let Some(now) = of_owner(&rotator.pinned, &read_bounded(envelope, ENVELOPE_FILE_BYTES_MAX)?)? else {
        return Ok(None);
    };
    let Some((next, signed)) = next(rotator, &now, &new)? else { return Ok(None) };
    if check {
        rotator.check_asked(&now, &next, &signed, &new)?;
    }
    not_a_link(&old.body)?;
    if new.has_body_of(&next)? {
        new.take_place_of(&old)?;
    } else if old.has_body_of(&next)? {
        // The body has its place already.
        fs::rename(&new.envelope, &old.envelope)
            .with_context(|| format!("cannot rename {}", new.envelope.display()))?;
        sync_folder(&old.envelope)?;
    } else {
        bail!(
            "the body of {} is neither {} nor {}",
            new.envelope.display(),
            new.body.display(),
            old.body.display()
        );
    }
    Ok(Some(next))
}
