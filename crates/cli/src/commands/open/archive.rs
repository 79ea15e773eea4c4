//! Opening what was sealed from a directory: whole, one name of it, or only the list.

use std::error::Error;
use std::fs::File;
use std::io::{self, Seek as _, Write};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::{Context as _, anyhow};
use bailiwick_archive::{ArchiveError, Entry, Found, Index, Kind, MEDIA_TYPE, Sink, Unpacker};
use bailiwick_envelope::{Opened, Opener, RangeAuthenticity, Seekable};

use super::tree::{NewTree, file_mode};
use super::{KEY_HOLDERS_ONLY, plain_file_name};
use crate::output::{AtomicFile, print_json, printable};
use crate::shards::body::facts;
use crate::{Help, progress, say};

/// Arguments of `open` for sealed directories.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// Of a sealed directory: list what is in it
    #[arg(long, conflicts_with_all = ["only", "range", "attest", "raw", "output"])]
    list: bool,
    /// Of a sealed directory: only this file, or this folder with what is in it
    #[arg(long, value_name = "PATH", conflicts_with_all = ["range", "attest", "raw", "json"])]
    only: Option<String>,
    /// Write a sealed directory as the tar archive it is
    #[arg(long)]
    raw: bool,
}

impl Args {
    /// For a command with flags of its own.
    pub(crate) fn new(list: bool, only: Option<String>, raw: bool) -> Self {
        Self { list, only, raw }
    }

    /// Whether a directory is to be made, the sealed media type being `media_type`.
    pub(crate) fn extracts(&self, media_type: &str) -> bool {
        !self.raw && media_type == MEDIA_TYPE
    }

    /// Whether any of them was given.
    pub(crate) fn given(&self) -> bool {
        self.raw || self.partial()
    }

    /// Whether less than the whole is wanted.
    pub(crate) fn partial(&self) -> bool {
        self.list || self.only.is_some()
    }
}

/// Extracts everything into a new directory.
pub(crate) fn extract(
    opener: &Opener,
    body: &mut File,
    output: &Path,
) -> anyhow::Result<(Opened, RangeAuthenticity)> {
    let mut unpacker = Unpacker::new(NewTree::create(output, 0)?);
    let bar = progress::bar(Some(opener.envelope().body.size), "open");
    body.rewind()?;
    let opened = opener.open(bar.wrap_read(body), &mut unpacker)?;
    bar.finish_and_clear();
    // The tree is given its name after the last byte of the body was checked, and the last of the archive.
    let tree = unpacker.finish()?;
    anyhow::ensure!(
        opened.metadata.media_type == MEDIA_TYPE,
        "the sealed media type changed while it was opened"
    );
    tree.commit()?;
    Ok((opened, RangeAuthenticity::OwnerSigned))
}

/// Where the bytes of an archive come from.
pub(super) trait Source {
    /// Metadata and length of the data.
    fn about(&mut self) -> anyhow::Result<Opened>;

    /// Writes `length` bytes at `offset` to what `make` makes and gives it back; as long as some of what they are read from turns out wrong
    /// and there is other, to what it makes anew.
    fn write<W: Write + Send>(
        &mut self,
        offset: u64,
        length: u64,
        make: impl FnMut() -> anyhow::Result<W>,
    ) -> anyhow::Result<W>;

    /// Whose fault it is that what was read makes no sense: whoever holds a key can write chunks that are authentic and say anything, so what was
    /// read from is compared with what the owner signed (spec shards, clause Q10). Reads it whole.
    ///
    /// # Errors
    /// When it cannot be read.
    fn blame(&mut self) -> anyhow::Result<Blame>;
}

/// Whose fault it is that an archive makes no sense.
pub(super) enum Blame {
    /// Whoever sealed it: it is what the owner signed.
    Sealer,
    /// Whoever wrote this file: it is not what the owner signed, and there is no other.
    Writer(PathBuf),
    /// Whoever wrote some of the shards: they are put aside, and others may say something else.
    Shards,
}

/// Whether it is the archive that is refused, and not its reading or the writing of what is in it.
fn is_junk(error: &anyhow::Error) -> bool {
    let refused = |e: &(dyn Error + 'static)| {
        e.downcast_ref::<ArchiveError>().is_some_and(|e| !matches!(e, ArchiveError::Io(_)))
    };
    let inside = |e: &(dyn Error + 'static)| {
        let custom = e.downcast_ref::<io::Error>().and_then(io::Error::get_ref);
        custom.is_some_and(|e| refused(e))
    };
    error.chain().any(|e| refused(e) || inside(e))
}

/// An archive that makes no sense, though everything is as the owner signed it.
pub(super) fn sealed_so(error: anyhow::Error) -> anyhow::Error {
    if !is_junk(&error) {
        return error;
    }
    error
        .context(
            "this is what the owner signed: the directory was sealed like this, and no other copy is better",
        )
        .context(Help("ask its owner to seal the directory anew; --raw writes the archive as it is"))
}

/// Does `attempt`, again as long as what was read makes no sense and some of what it was read from is not as the owner signed it.
fn with_blame<S: Source, T>(
    source: &mut S,
    mut attempt: impl FnMut(&mut S) -> anyhow::Result<T>,
) -> anyhow::Result<T> {
    loop {
        let error = match attempt(source) {
            Err(e) if is_junk(&e) => e,
            done => return done,
        };
        match source.blame()? {
            Blame::Shards => {}
            Blame::Sealer => return Err(sealed_so(error)),
            Blame::Writer(path) => {
                return Err(error
                    .context(format!(
                        "{} is not what its owner signed: somebody who can open it wrote it",
                        path.display()
                    ))
                    .context(Help("get the body from elsewhere: what is in it is not the owner\u{2019}s")));
            }
        }
    }
}

/// A body by itself.
pub(super) struct Body<'a> {
    pub(super) opener: &'a Opener,
    pub(super) body: &'a mut File,
    pub(super) path: &'a Path,
}

impl Source for Body<'_> {
    fn about(&mut self) -> anyhow::Result<Opened> {
        Ok(self.opener.open_range(&mut Seekable(&mut *self.body), 0, 0, io::sink())?.object)
    }

    fn write<W: Write + Send>(
        &mut self,
        offset: u64,
        length: u64,
        mut make: impl FnMut() -> anyhow::Result<W>,
    ) -> anyhow::Result<W> {
        let mut out = make()?;
        self.opener.open_range(&mut Seekable(&mut *self.body), offset, length, &mut out)?;
        Ok(out)
    }

    fn blame(&mut self) -> anyhow::Result<Blame> {
        let found =
            facts(self.body, false).with_context(|| format!("cannot read {}", self.path.display()))?;
        let same = found.blake3 == self.opener.envelope().body.blake3;
        Ok(if same { Blame::Sealer } else { Blame::Writer(self.path.to_owned()) })
    }
}

/// `--list` and `--only`.
pub(super) fn some(
    args: &Args,
    source: &mut impl Source,
    output: Option<&Path>,
    json: bool,
) -> anyhow::Result<ExitCode> {
    let first = with_blame(source, index)?;
    eprintln!("note: authentic {KEY_HOLDERS_ONLY}");
    let Some(path) = &args.only else {
        list(&first, json)?;
        return Ok(ExitCode::SUCCESS);
    };
    // What it was read from may turn out wrong later, and the index with it.
    let mut read = Some(first);
    with_blame(source, |source| {
        let index = read.take().map_or_else(|| index(source), Ok)?;
        only(source, &index, path, output)
    })?;
    Ok(ExitCode::SUCCESS)
}

fn index<S: Source>(source: &mut S) -> anyhow::Result<Index> {
    let mut start = source.about()?;
    while start.metadata.media_type != MEDIA_TYPE && matches!(source.blame()?, Blame::Shards) {
        start = source.about()?;
    }
    if start.metadata.media_type != MEDIA_TYPE {
        return Err(anyhow!("this object is not a sealed directory"))
            .context(Help("leave out --list and --only to open it whole"));
    }
    // Room for just what is asked for: an index may have 128 MiB.
    Index::read(start.data_len, |at, len| source.write(at, len as u64, || Ok(Vec::with_capacity(len))))
}

#[derive(serde::Serialize)]
struct Listed {
    authentic: &'static str,
    entries: Vec<ListedEntry>,
}

#[derive(serde::Serialize)]
struct ListedEntry {
    path: String,
    kind: &'static str,
    size: u64,
}

fn list(index: &Index, json: bool) -> anyhow::Result<()> {
    let kind = |e: &Entry| match e.kind {
        Kind::Folder => "folder",
        Kind::File => "file",
        Kind::Executable => "executable",
    };
    let entries = index.entries();
    if json {
        let listed = |e: Entry| ListedEntry { kind: kind(&e), size: e.size, path: e.path };
        return print_json(&Listed { authentic: KEY_HOLDERS_ONLY, entries: entries.map(listed).collect() });
    }
    for e in entries {
        let slash = if e.kind == Kind::Folder { "/" } else { "" };
        say!("{:>12}  {}{slash}", e.size, printable(&e.path))?;
    }
    Ok(())
}

fn only(source: &mut impl Source, index: &Index, path: &str, output: Option<&Path>) -> anyhow::Result<()> {
    let path = path.strip_suffix('/').unwrap_or(path);
    let found = index
        .find(path)
        .with_context(|| format!("the directory has no {path:?}"))
        .context(Help("--list shows what is in it"))?;
    let last = path.rsplit('/').next().unwrap_or(path);
    let output = match output {
        Some(path) => path.to_owned(),
        None => plain_file_name(last)
            .with_context(|| format!("{last:?} is not a plain file name"))
            .context(Help("say where the data goes with -o"))?,
    };
    let strip = path.split('/').count();
    if found.entry.kind == Kind::Folder {
        // The folder's own entry makes nothing: it is the destination.
        return fetch(source, &found, || NewTree::create(&output, strip))?.commit();
    }
    if output.as_os_str() == "-" {
        // What was shown cannot be taken back: everything is read once before.
        fetch(source, &found, || Ok(ToWriter(io::sink())))?;
        let mut shown = false;
        let show = || {
            anyhow::ensure!(!shown, "shards changed while they were read: what was shown is not whole");
            shown = true;
            Ok(ToWriter(io::stdout()))
        };
        let mut all = fetch(source, &found, show).map_err(|e| match is_junk(&e) {
            // Not to be begun anew: some was shown.
            true => anyhow!("what was read changed meanwhile: what was shown is not whole"),
            false => e,
        })?;
        return Ok(all.0.flush()?);
    }
    let mode = file_mode(found.entry.kind);
    fetch(source, &found, || Ok(ToWriter(AtomicFile::create(&output, mode)?)))?.0.commit()?;
    say_written(&output)
}

fn say_written(output: &Path) -> anyhow::Result<()> {
    Ok(say!("written   {}", printable(&output.display().to_string()))?)
}

/// Reads the bytes of `found` into what `make` makes.
fn fetch<S: Sink + Send>(
    source: &mut impl Source,
    found: &Found,
    mut make: impl FnMut() -> anyhow::Result<S>,
) -> anyhow::Result<S> {
    let length = found.end - found.header_at;
    let unpacker = source.write(found.header_at, length, || Ok(Unpacker::some(make()?, found)))?;
    Ok(unpacker.finish()?)
}

/// One file's bytes into a writer.
struct ToWriter<W>(W);

impl<W: Write> Sink for ToWriter<W> {
    fn begin(&mut self, entry: &Entry) -> io::Result<()> {
        if entry.kind == Kind::Folder {
            return Err(io::Error::other(ArchiveError::Index { what: "a file is a folder" }));
        }
        Ok(())
    }

    fn data(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.0.write_all(bytes)
    }

    fn end(&mut self) -> io::Result<()> {
        Ok(())
    }
}
