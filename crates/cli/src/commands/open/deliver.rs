//! What was opened, to where it was asked for: a file, a new directory, a part of one, or standard output.

use std::fs::File;
use std::io::{self, Read, Seek as _, Write};
use std::os::unix::fs::FileExt as _;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, anyhow, bail};
use bailiwick_envelope::{
    CobblestoneError, Metadata, OpenError, Opened, Opener, RangeAuthenticity, Seekable,
};

use super::{archive, sealed_name};
use crate::output::AtomicFile;
use crate::{Help, progress};

/// What is wanted of an object.
pub(crate) struct Wanted<'a> {
    /// Where the sealed body is; none for standard input.
    pub(crate) body: Option<&'a Path>,
    /// What of a sealed directory.
    pub(crate) archive: &'a archive::Args,
    /// Where it goes, `-` for standard output; none for the sealed name.
    pub(crate) output: Option<&'a Path>,
    /// Only these bytes: offset and length.
    pub(crate) range: Option<(u64, u64)>,
    /// Whether JSON goes to standard output.
    pub(crate) json: bool,
}

/// What was written.
pub(crate) struct Delivered {
    pub(crate) opened: Opened,
    pub(crate) authenticity: RangeAuthenticity,
    /// None for standard output.
    pub(crate) output: Option<PathBuf>,
}

impl Wanted<'_> {
    /// Opens the body and writes what is wanted; none when that was a part or the list of a directory, which is said already.
    pub(crate) fn deliver(&self, opener: &Opener) -> anyhow::Result<Option<Delivered>> {
        let mut body = self.body.map(open_file).transpose()?;
        let cannot = || format!("cannot open {}", self.body.unwrap_or_else(|| Path::new("-")).display());
        if let Some(file) = &body {
            check_size(opener, file).with_context(cannot)?;
        }
        if self.archive.partial() {
            let Some(body) = body.as_mut() else {
                return Err(anyhow!("part of a directory cannot be read from standard input"))
                    .context(Help("save the body to a file first"));
            };
            let path = self.body.unwrap_or_else(|| Path::new("-"));
            let mut source = archive::Body { opener, body, path };
            archive::some(self.archive, &mut source, self.output, self.json)?;
            return Ok(None);
        }
        let sealed = match &mut body {
            // A pipe cannot be read twice: what comes through one is written as it is.
            Some(file) if file.metadata()?.is_file() => {
                Some(sealed_metadata(opener, file).with_context(cannot)?)
            }
            _ => None,
        };
        let extracts =
            self.range.is_none() && sealed.as_ref().is_some_and(|m| self.archive.extracts(&m.media_type));
        let output = match (self.output, &sealed) {
            (Some(path), _) => path.to_owned(),
            (None, Some(metadata)) => sealed_name(&metadata.name)?,
            (None, None) => {
                return Err(anyhow!("from a pipe the sealed name is not known in advance"))
                    .context(Help("say where the data goes with -o"));
            }
        };
        let to_stdout = output.as_os_str() == "-";
        if to_stdout && self.json {
            bail!("data and JSON cannot both go to standard output");
        }
        let (opened, authenticity) = if to_stdout {
            // A pipe cannot be taken back, so a file is checked whole before its first byte is shown.
            if let (Some(file), None) = (&mut body, self.range) {
                transfer(opener, Some(file), None, io::sink())?;
                file.rewind()?;
            }
            transfer(opener, body.as_mut(), self.range, io::stdout())?
        } else if let (true, Some(file)) = (extracts, &mut body) {
            archive::extract(opener, file, &output).with_context(cannot)?
        } else {
            let mut file = AtomicFile::create(&output, 0o600)?;
            let done = transfer(opener, body.as_mut(), self.range, &mut file).with_context(cannot)?;
            file.commit()?;
            done
        };
        if !extracts && self.range.is_none() && self.archive.extracts(&opened.metadata.media_type) {
            eprintln!("note: this is a sealed directory; it was written as the tar archive it is");
        }
        Ok(Some(Delivered { opened, authenticity, output: (!to_stdout).then_some(output) }))
    }
}

fn open_file(path: &Path) -> anyhow::Result<File> {
    File::open(path).with_context(|| format!("cannot open {}", path.display()))
}

/// The length of a body is known before anything of it is decrypted. A body of another envelope is left to be named as such.
fn check_size(opener: &Opener, file: &File) -> Result<(), OpenError> {
    let body = &opener.envelope().body;
    let about = file.metadata().map_err(CobblestoneError::Read)?;
    if !about.is_file() || about.len() == body.size {
        return Ok(());
    }
    let signed = [body.salt.as_slice(), &body.key_commitment].concat();
    let mut header = vec![0; signed.len()];
    match file.read_exact_at(&mut header, 0) {
        Ok(()) if header[..] != signed[..] => Ok(()),
        _ => Err(CobblestoneError::Size { expected: body.size, found: Some(about.len()) }.into()),
    }
}

/// Decrypts everything, or a range, from a file or standard input.
fn transfer(
    opener: &Opener,
    body: Option<&mut File>,
    range: Option<(u64, u64)>,
    out: impl Write + Send,
) -> anyhow::Result<(Opened, RangeAuthenticity)> {
    match (body, range) {
        (Some(file), Some((offset, len))) => {
            let done = opener.open_range(&mut Seekable(file), offset, len, out)?;
            Ok((done.object, done.authenticity))
        }
        (None, Some(_)) => Err(anyhow!("a range cannot be read from standard input"))
            .context(Help("save the body to a file first")),
        (Some(file), None) => whole(opener, file, out),
        (None, None) => whole(opener, io::stdin(), out),
    }
}

fn whole(
    opener: &Opener,
    body: impl Read + Send,
    out: impl Write + Send,
) -> anyhow::Result<(Opened, RangeAuthenticity)> {
    let bar = progress::bar(Some(opener.envelope().body.size), "open");
    let opened = opener.open(bar.wrap_read(body), out)?;
    bar.finish_and_clear();
    Ok((opened, RangeAuthenticity::OwnerSigned))
}

/// Name and media type, before anything is opened.
fn sealed_metadata(opener: &Opener, body: &mut File) -> anyhow::Result<Metadata> {
    let start = opener.open_range(&mut Seekable(&mut *body), 0, 0, io::sink())?;
    body.rewind()?;
    Ok(start.object.metadata)
}
