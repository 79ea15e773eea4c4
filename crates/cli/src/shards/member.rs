//! One shard at hand: its verified envelope, and what can be seen of its body.

use std::fs::{self, File};
use std::io;
use std::os::unix::fs::FileExt as _;
use std::path::{Path, PathBuf};

use anyhow::Context as _;
use bailiwick_envelope::cobblestone::HEADER_BYTES;
use bailiwick_envelope::{Opener, ShardCipher};
use bailiwick_erasure::Geometry;
use bailiwick_protocol::envelope::Envelope;

use super::body::BodyFile;
use crate::keyfile::with_suffix;

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
    /// Where its body is, or should be; not beside its envelope when that is of a later generation than the one beside the body.
    pub(crate) path: PathBuf,
    pub(super) envelope_path: PathBuf,
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

    /// The shard of an envelope under a key of it, whose body should be at `path` and have `size` bytes.
    ///
    /// # Errors
    /// When this process has no room for files or memory, which says nothing of the shard.
    pub(super) fn at(path: PathBuf, opener: Opener, size: u64) -> anyhow::Result<Self> {
        let cipher = opener.shard_cipher();
        let (file, health) = look(&path, size, &cipher)?;
        let envelope_path = with_suffix(&path, ".envelope");
        Ok(Self { path, envelope_path, file, opener, cipher, health, mended: None })
    }

    pub(super) fn is_whole(&self) -> bool {
        matches!(self.health, Health::Whole)
    }

    /// What to say of `copy`, whose shard is this one's, and of which of its files.
    pub(super) fn besides(&self, copy: &Self) -> (PathBuf, String) {
        let (ours, theirs) = (self.envelope(), copy.envelope());
        let (shard, first) = (ours.unit.shard, self.envelope_path.display());
        let (generation, newest) = (theirs.generation, ours.generation);
        let envelope = copy.envelope_path.clone();
        if generation < newest {
            let why = format!(
                "it is generation {generation} of the envelope of shard {shard}, {first} is generation {newest}"
            );
            return (envelope, why);
        }
        if ours != theirs {
            let why = format!(
                "it and {first} are two different envelopes of shard {shard}, both of generation {generation} and signed by the owner: keep both as evidence"
            );
            return (envelope, why);
        }
        match &copy.health {
            Health::Damaged(wrong) | Health::Lost(wrong) if wrong != NO_BODY => {
                let why = format!(
                    "its envelope is that of shard {shard}, as is {first}, and its body is not: {wrong}"
                );
                (copy.path.clone(), why)
            }
            _ => {
                (copy.path.clone(), format!("it is shard {shard} once more, besides {}", self.path.display()))
            }
        }
    }

    /// The body, as far as it is there.
    pub(crate) fn body<'a>(&'a self, geometry: &'a Geometry) -> Option<BodyFile<'a>> {
        Some(BodyFile { file: self.file.as_ref()?, cipher: &self.cipher, geometry })
    }
}

/// Why a shard is lost of which only the envelope is here.
pub(super) const NO_BODY: &str = "the body is missing";

/// What can be seen of a body without decrypting it. One that cannot be read is lost like one that is not there.
fn look(path: &Path, size: u64, cipher: &ShardCipher) -> anyhow::Result<(Option<File>, Health)> {
    match examine(path, size, cipher) {
        Ok(found) => Ok(found),
        Err(e) if e.kind() == io::ErrorKind::NotFound => Ok((None, Health::Lost(NO_BODY.to_owned()))),
        Err(e) if of_this_process(&e) => Err(e).with_context(|| format!("cannot open {}", path.display())),
        Err(e) => Ok((None, Health::Lost(format!("it cannot be read: {e}")))),
    }
}

/// Whether a file cannot be read for a reason that lies in this process.
pub(super) fn of_this_process(error: &io::Error) -> bool {
    use rustix::io::Errno;
    matches!(Errno::from_io_error(error), Some(Errno::MFILE | Errno::NFILE | Errno::NOMEM))
}

fn examine(path: &Path, size: u64, cipher: &ShardCipher) -> io::Result<(Option<File>, Health)> {
    let about = fs::metadata(path)?;
    // Before it is opened: opening a pipe would wait for a writer.
    if !about.is_file() {
        return Ok((None, Health::Lost("it is not a file".to_owned())));
    }
    let file = File::open(path)?;
    if about.len() != size {
        let why = format!("it has {} bytes, its envelope says {size}", about.len());
        return Ok((Some(file), Health::Damaged(why)));
    }
    let mut header = [0; HEADER_BYTES];
    file.read_exact_at(&mut header, 0)?;
    let health = if header == cipher.header() {
        Health::Whole
    } else {
        Health::Damaged(
            "it does not begin as its envelope says: another body, or its first bytes changed".to_owned(),
        )
    };
    Ok((Some(file), health))
}
