//! What the targets are, before anything is destroyed.

use std::collections::BTreeSet;
use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, anyhow, ensure};
use bailiwick_envelope::verify;
use bailiwick_protocol::envelope::Envelope;
use bailiwick_protocol::ids::OwnerKey;

use super::erase;
use crate::Help;
use crate::commands::commit::ENVELOPE_FILE_BYTES_MAX;
use crate::envelopes::{folder_of, is_envelope, unit_at};
use crate::keyfile::{self, with_suffix};
use crate::output::read_bounded;

/// What is where a target says.
pub(super) enum Found {
    /// An envelope of this owner.
    Envelope { path: PathBuf, envelope: Box<Envelope> },
    /// A recipient's secret key file.
    Key(PathBuf),
    /// Overwritten by a run that broke off: only its name is left.
    Zeros(PathBuf),
    /// Nothing, as after a run that came to its end.
    Gone(PathBuf),
}

/// All targets, each file once; an error when one is neither the owner's to destroy nor destroyed, or cannot be, or when nothing is there.
pub(super) fn all(targets: &[PathBuf], keys: &[PathBuf], owner: &OwnerKey) -> anyhow::Result<Vec<Found>> {
    let mut found = Vec::new();
    for target in targets {
        if fs::symlink_metadata(target).is_ok_and(|about| about.is_dir()) {
            found.append(&mut shards(target, owner)?);
        } else {
            found.push(one(target, owner)?);
        }
    }
    for path in keys {
        found.push(key(path)?);
    }
    let mut seen = BTreeSet::new();
    found.retain(|found| match found {
        Found::Envelope { path, .. } | Found::Key(path) | Found::Zeros(path) => seen.insert(whole_name(path)),
        Found::Gone(_) => true,
    });
    for found in &found {
        if let Found::Envelope { path, .. } | Found::Key(path) | Found::Zeros(path) = found {
            erase::check(path)?;
        }
    }
    if seen.is_empty() {
        let names: Vec<_> = targets.iter().chain(keys).map(|path| path.display().to_string()).collect();
        return Err(anyhow!("nothing to destroy at {}", names.join(", ")))
            .context(Help("it was destroyed before, or has another name"));
    }
    Ok(found)
}

/// By which a file is known however it was named.
pub(super) fn whole_name(path: &Path) -> PathBuf {
    let folder = fs::canonicalize(folder_of(path)).unwrap_or_else(|_| folder_of(path).to_owned());
    folder.join(path.file_name().unwrap_or_default())
}

/// Every envelope in a folder, when all are of one object's shards.
fn shards(folder: &Path, owner: &OwnerKey) -> anyhow::Result<Vec<Found>> {
    let at = folder.display();
    let mut paths = BTreeSet::new();
    for entry in fs::read_dir(folder).with_context(|| format!("cannot list {at}"))? {
        let path = entry.with_context(|| format!("cannot list {at}"))?.path();
        if is_envelope(&path) {
            paths.insert(path);
        }
    }
    let mut objects = BTreeSet::new();
    let mut found = Vec::new();
    for path in &paths {
        let one = file(path, owner)?;
        if let Found::Envelope { path, envelope } = &one {
            if envelope.shards.is_none() {
                return Err(anyhow!("{} is no shard's envelope", path.display())).context(Help(
                    "a folder is destroyed when it is one object's shards: name each other envelope",
                ));
            }
            objects.insert(envelope.object);
        }
        found.push(one);
    }
    ensure!(objects.len() <= 1, "{at} has shards of {} objects: name the envelopes", objects.len());
    if found.is_empty() {
        found.push(Found::Gone(folder.join("*.envelope")));
    }
    Ok(found)
}

/// An envelope, or the one beside a body.
fn one(target: &Path, owner: &OwnerKey) -> anyhow::Result<Found> {
    let beside = with_suffix(target, ".envelope");
    if fs::symlink_metadata(&beside).is_ok() {
        return file(&beside, owner);
    }
    let body = !is_envelope(target) && File::open(target).is_ok() && unit_at(target).is_none();
    // A body, as noise, after its envelope is gone; or whatever else somebody named.
    if body && !is_zeros(target)? { Ok(Found::Gone(beside)) } else { file(target, owner) }
}

fn file(path: &Path, owner: &OwnerKey) -> anyhow::Result<Found> {
    if let Some(found) = done(path)? {
        return Ok(found);
    }
    let bytes = read_bounded(path, ENVELOPE_FILE_BYTES_MAX)?;
    let envelope = verify(owner, &bytes)
        .with_context(|| format!("{} is not an envelope of this owner", path.display()))
        .context(Help("only the owner's own envelopes are destroyed"))?;
    Ok(Found::Envelope { path: path.to_owned(), envelope: Box::new(envelope) })
}

fn key(path: &Path) -> anyhow::Result<Found> {
    if let Some(found) = done(path)? {
        return Ok(found);
    }
    keyfile::read_recipient_key(path)
        .with_context(|| format!("{} is no recipient's secret key file", path.display()))?;
    Ok(Found::Key(path.to_owned()))
}

/// What is destroyed already, in part or whole; an error where no file of its own is.
fn done(path: &Path) -> anyhow::Result<Option<Found>> {
    let about = match fs::symlink_metadata(path) {
        Err(e) if e.kind() == io::ErrorKind::NotFound => return Ok(Some(Found::Gone(path.to_owned()))),
        about => about.with_context(|| format!("cannot open {}", path.display()))?,
    };
    if !about.is_file() {
        return Err(anyhow!("{} is not a file of its own", path.display()))
            .context(Help("a link is not followed: name the file itself"));
    }
    Ok(is_zeros(path)?.then(|| Found::Zeros(path.to_owned())))
}

/// Whether a file that could have been an envelope or a key is nothing but zeros.
fn is_zeros(path: &Path) -> anyhow::Result<bool> {
    let about = fs::symlink_metadata(path).with_context(|| format!("cannot open {}", path.display()))?;
    if !about.is_file() || !(1..=ENVELOPE_FILE_BYTES_MAX).contains(&about.len()) {
        return Ok(false);
    }
    Ok(read_bounded(path, ENVELOPE_FILE_BYTES_MAX)?.iter().all(|byte| *byte == 0))
}
