//! Opening what was sealed from a directory: whole, one name of it, or only the list.

use std::fs::File;
use std::io::{self, Seek as _, Write};
use std::path::Path;
use std::process::ExitCode;

use anyhow::{Context as _, anyhow};
use bailiwick_archive::{ArchiveError, Entry, Index, Kind, MEDIA_TYPE, Sink, Unpacker};
use bailiwick_envelope::{Opened, Opener, RangeAuthenticity, Seekable};

use super::tree::NewTree;
use super::{KEY_HOLDERS_ONLY, plain_file_name};
use crate::output::{AtomicFile, print_json, printable};
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

/// `--list` and `--only`.
pub(crate) fn some(
    args: &Args,
    opener: &Opener,
    body: Option<&mut File>,
    output: Option<&Path>,
    json: bool,
) -> anyhow::Result<ExitCode> {
    let Some(body) = body else {
        return Err(anyhow!("part of a directory cannot be read from standard input"))
            .context(Help("save the body to a file first"));
    };
    let index = index(opener, body)?;
    eprintln!("note: authentic {KEY_HOLDERS_ONLY}");
    match &args.only {
        Some(path) => only(opener, body, &index, path, output)?,
        None => list(&index, json)?,
    }
    Ok(ExitCode::SUCCESS)
}

fn index(opener: &Opener, body: &mut File) -> anyhow::Result<Index> {
    let start = opener.open_range(&mut Seekable(&mut *body), 0, 0, io::sink())?.object;
    if start.metadata.media_type != MEDIA_TYPE {
        return Err(anyhow!("this object is not a sealed directory"))
            .context(Help("leave out --list and --only to open it whole"));
    }
    Index::read(start.data_len, |at, len| {
        let mut bytes = Vec::new();
        opener.open_range(&mut Seekable(&mut *body), at, len as u64, &mut bytes)?;
        Ok::<_, anyhow::Error>(bytes)
    })
}

#[derive(serde::Serialize)]
struct Listed<'a> {
    authentic: &'static str,
    entries: Vec<ListedEntry<'a>>,
}

#[derive(serde::Serialize)]
struct ListedEntry<'a> {
    path: &'a str,
    kind: &'static str,
    size: u64,
}

fn list(index: &Index, json: bool) -> anyhow::Result<()> {
    let kind = |e: &Entry| match e.kind {
        Kind::Folder => "folder",
        Kind::File => "file",
        Kind::Executable => "executable",
    };
    let entries = index.entries().iter();
    if json {
        let entries = entries.map(|e| ListedEntry { path: &e.path, kind: kind(e), size: e.size }).collect();
        return print_json(&Listed { authentic: KEY_HOLDERS_ONLY, entries });
    }
    for e in entries {
        let slash = if e.kind == Kind::Folder { "/" } else { "" };
        say!("{:>12}  {}{slash}", e.size, printable(&e.path))?;
    }
    Ok(())
}

fn only(
    opener: &Opener,
    body: &mut File,
    index: &Index,
    path: &str,
    output: Option<&Path>,
) -> anyhow::Result<()> {
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
    let entries = index.subtree(&found);
    let strip = path.split('/').count();
    if found.entry.kind == Kind::Folder {
        // The folder's own entry makes nothing: it is the destination.
        let tree = NewTree::create(&output, strip)?;
        return fetch(opener, body, &found, Unpacker::some(tree, entries, found.header_at))?.commit();
    }
    if output.as_os_str() == "-" {
        let out = ToWriter(io::stdout());
        let mut out = fetch(opener, body, &found, Unpacker::some(out, entries, found.header_at))?.0;
        return Ok(out.flush()?);
    }
    let out = ToWriter(AtomicFile::create(&output, 0o600)?);
    fetch(opener, body, &found, Unpacker::some(out, entries, found.header_at))?.0.commit()?;
    say_written(&output)
}

fn say_written(output: &Path) -> anyhow::Result<()> {
    Ok(say!("written   {}", printable(&output.display().to_string()))?)
}

/// Reads the bytes of `found` through `unpacker`.
fn fetch<S: Sink>(
    opener: &Opener,
    body: &mut File,
    found: &bailiwick_archive::Found<'_>,
    mut unpacker: Unpacker<S>,
) -> anyhow::Result<S> {
    let len = found.end - found.header_at;
    opener.open_range(&mut Seekable(body), found.header_at, len, &mut unpacker)?;
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
