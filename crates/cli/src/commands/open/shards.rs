//! `open` of a split object: from any k shards, wrong ones named, damaged ones repaired on the way.

use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::{Context as _, anyhow, bail, ensure};
use bailiwick_archive::Unpacker;
use bailiwick_envelope::{OpenError, Opened, PaddedWriter, RangeAuthenticity, read_metadata};
use bailiwick_protocol::ids::OwnerKey;

use super::archive::{self, Blame, Source, sealed_so};
use super::tree::NewTree;
use super::{Args, KEY_HOLDERS_ONLY, OWNER_SIGNED, plain_file_name};
use crate::opening::Opening;
use crate::output::{AtomicFile, print_json, printable};
use crate::shards::Set;
use crate::shards::rebuild::{Stop, blame, blame_always, not_as_signed, stripes, with_enough};
use crate::shards::set::tell_notes;
use crate::{Help, progress, say};

#[derive(serde::Serialize)]
struct Report {
    object: String,
    k: u16,
    n: u16,
    generation: u64,
    name: String,
    media_type: String,
    data_bytes: u64,
    output: Option<String>,
    authentic: &'static str,
    shards_used: Vec<u16>,
    notes: Vec<String>,
}

/// Whether the arguments name several shards, or a folder of them.
pub(super) fn wanted(args: &Args) -> bool {
    !args.more.is_empty() || args.body.is_dir()
}

/// Runs `open` over the shards the arguments name.
pub(super) fn run(args: &Args, owner: &OwnerKey, opening: &Opening) -> anyhow::Result<ExitCode> {
    ensure!(args.attest.is_none(), "a statement speaks of one unit: a split object has none for the whole");
    if args.envelope.is_some() {
        return Err(anyhow!("every shard's envelope lies beside its body"))
            .context(Help("leave out --envelope"));
    }
    if opening.is_by_file_key() {
        return Err(anyhow!("every shard has a file key of its own: the one of an age file opens none"))
            .context(Help("give a recipient's key with --key, or a passphrase"));
    }
    let paths: Vec<PathBuf> = std::iter::once(&args.body).chain(&args.more).cloned().collect();
    let mut set = Set::load(&paths, &|bytes| opening.open_one_of_many(owner, bytes))?;
    if args.archive.partial() {
        let mut source = Shards { beside: beside(args), set: &mut set };
        let done = archive::some(&args.archive, &mut source, args.output.as_deref(), args.json);
        tell_notes(&set.notes());
        return done;
    }
    let done = open_set(args, &mut set);
    let notes = set.notes();
    tell_notes(&notes);
    let Done { opened, used, authenticity, output } = done?;
    let authentic = match authenticity {
        RangeAuthenticity::OwnerSigned => OWNER_SIGNED,
        _ => KEY_HOLDERS_ONLY,
    };
    if authenticity == RangeAuthenticity::KeyHoldersOnly {
        eprintln!("note: authentic {KEY_HOLDERS_ONLY}");
    }
    let name = set.name(0).context("a set has a shard")?;
    let report = Report {
        object: format!("{}/{}", name.owner, name.object),
        k: set.geometry.k(),
        n: set.geometry.n(),
        generation: set.generation(),
        name: opened.metadata.name,
        media_type: opened.metadata.media_type,
        data_bytes: opened.data_len,
        output: output.as_ref().map(|o| o.display().to_string()),
        authentic,
        shards_used: used,
        notes,
    };
    if args.json {
        print_json(&report)?;
    } else if let Some(output) = &report.output {
        say!("opened    {} ({} bytes of data)", printable(&report.name), report.data_bytes)?;
        let rollback = opening.rollback_note();
        say!("object    {} generation {} ({rollback})", report.object, report.generation)?;
        say!("shards    {:?} of {}", report.shards_used, report.n)?;
        say!("written   {}", printable(output))?;
        say!("authentic {authentic}")?;
    }
    Ok(ExitCode::SUCCESS)
}

struct Done {
    opened: Opened,
    used: Vec<u16>,
    authenticity: RangeAuthenticity,
    /// None for standard output.
    output: Option<PathBuf>,
}

fn open_set(args: &Args, set: &mut Set) -> anyhow::Result<Done> {
    let beside = beside(args);
    if args.output.as_deref() != Some(Path::new("-")) {
        return with_enough(set, &beside, |set, chosen| to_file(args, set, chosen));
    }
    if args.json {
        bail!("data and JSON cannot both go to standard output");
    }
    // A pipe cannot be taken back, so everything is checked before its first byte is shown.
    with_enough(set, &beside, |set, chosen| {
        some(set, chosen, args.range, io::sink()).map_err(|e| blame(set, chosen, e))
    })?;
    let done = with_enough(set, &beside, |set, chosen| {
        some(set, chosen, args.range, io::stdout().lock()).map_err(Stop::without_another)
    })?;
    if args.range.is_none() && args.archive.extracts(&done.opened.metadata.media_type) {
        eprintln!("note: this is a sealed directory; it was written as the tar archive it is");
    }
    Ok(done)
}

/// One attempt, under the name and as the kind of thing that the same k shards give: metadata is anybody's who holds a key until the bodies
/// were checked to the end, and then it is what the owner sealed. Nothing has its name before.
fn to_file(args: &Args, set: &Set, chosen: &[u16]) -> Result<Done, Stop> {
    let refused = |stop| match blame(set, chosen, stop) {
        Stop::Failed(e) => Stop::Failed(sealed_so(e)),
        broken @ Stop::Broken(_) => broken,
    };
    let (sealed, _) = about(set, chosen).map_err(refused)?;
    let output = match &args.output {
        Some(path) => path.clone(),
        None => sealed_name(&sealed.metadata.name).map_err(|e| refused(e.into()))?,
    };
    // A sealed name that nothing can be written under may be a rewriter's, too; one that was asked for is not.
    let no_room = |e: anyhow::Error| match &args.output {
        Some(_) => Stop::Failed(e),
        None => blame_always(set, chosen, e),
    };
    let same = |done: &Done| {
        let same = done.opened.metadata == sealed.metadata;
        ensure!(same, "the shards changed while they were opened");
        Ok(())
    };
    if args.range.is_none() && args.archive.extracts(&sealed.metadata.media_type) {
        let mut unpacker = Unpacker::new(NewTree::create(&output, 0).map_err(no_room)?);
        let done = whole(set, chosen, &mut unpacker).map_err(refused)?;
        let tree = unpacker.finish().map_err(|e| refused(e.into()))?;
        same(&done)?;
        tree.commit()?;
        return Ok(Done { output: Some(output), ..done });
    }
    let file = AtomicFile::create(&output, 0o600).map_err(no_room)?;
    let done = some(set, chosen, args.range, file.file()).map_err(refused)?;
    same(&done)?;
    file.commit()?;
    Ok(Done { output: Some(output), ..done })
}

/// All data, or a range of it.
fn some(set: &Set, chosen: &[u16], range: Option<(u64, u64)>, out: impl Write) -> Result<Done, Stop> {
    match range {
        Some(range) => part(set, chosen, range, out),
        None => whole(set, chosen, out),
    }
}

/// All data, checked to the end.
fn whole(set: &Set, chosen: &[u16], out: impl Write) -> Result<Done, Stop> {
    let geometry = &set.geometry;
    let mut left = geometry.padded_length();
    let mut writer = PaddedWriter::new(out, left)?;
    let bar = progress::bar(Some(left), "open");
    stripes(set, chosen, 0..geometry.stripes(), true, |_, data| {
        let n = usize::try_from(left.min(data.len() as u64))?;
        let (inside, fill) = data.split_at(n);
        if fill.iter().any(|b| *b != 0) {
            return Err(bailiwick_erasure::ErasureError::Fill.into());
        }
        left -= n as u64;
        bar.inc(n as u64);
        Ok(writer.push(inside)?)
    })?;
    bar.finish_and_clear();
    let opened = writer.finish()?;
    Ok(Done { opened, used: chosen.to_vec(), authenticity: RangeAuthenticity::OwnerSigned, output: None })
}

/// `length` bytes of the padded plaintext from `from` on, which lie inside it.
fn padded(
    set: &Set,
    chosen: &[u16],
    from: u64,
    length: u64,
    mut each: impl FnMut(&[u8]) -> Result<(), Stop>,
) -> Result<(), Stop> {
    let wide = set.geometry.stripe_bytes() as u64;
    let end = from + length;
    stripes(set, chosen, from / wide..end.div_ceil(wide), false, |first, data| {
        let start = first * wide;
        let begin = usize::try_from(from.saturating_sub(start))?;
        let stop = usize::try_from((end - start).min(data.len() as u64))?;
        each(&data[begin.min(stop)..stop])
    })
}

/// A range of the data: reads the stripes it lies in, the first and the last.
fn part(set: &Set, chosen: &[u16], (offset, len): (u64, u64), mut out: impl Write) -> Result<Done, Stop> {
    let (opened, head) = about(set, chosen)?;
    match offset.checked_add(len) {
        Some(end) if end <= opened.data_len => {}
        end => {
            return Err(OpenError::Range { end: end.unwrap_or(u64::MAX), len: opened.data_len }.into());
        }
    }
    if len > 0 {
        padded(set, chosen, head + offset, len, |piece| Ok(out.write_all(piece)?))?;
    }
    out.flush()?;
    Ok(Done { opened, used: chosen.to_vec(), authenticity: RangeAuthenticity::KeyHoldersOnly, output: None })
}

/// Metadata and length of the data, and the bytes before the data.
fn about(set: &Set, chosen: &[u16]) -> Result<(Opened, u64), Stop> {
    let total = set.geometry.padded_length();
    let read = |from, length| {
        let mut bytes = Vec::new();
        padded(set, chosen, from, length, |piece| {
            bytes.extend_from_slice(piece);
            Ok(())
        })
        .map(|()| bytes)
    };
    let (metadata, head) = read_metadata(&read(0, total.min(1 << 14))?)?;
    let fits = |used: u64| used <= total;
    let tail = total.checked_sub(8).context("the object is too short")?;
    let data_len =
        u64::from_le_bytes(read(tail, 8)?.try_into().map_err(|_| anyhow!("eight bytes were read"))?);
    if !head.checked_add(data_len).and_then(|n| n.checked_add(8)).is_some_and(fits) {
        return Err(OpenError::Layout(bailiwick_envelope::LayoutError::DataLength).into());
    }
    Ok((Opened { metadata, data_len }, head))
}

/// The sealed name as a file in the current directory, if nothing can go wrong with it.
fn sealed_name(name: &str) -> anyhow::Result<PathBuf> {
    plain_file_name(name)
        .with_context(|| format!("the sealed name {:?} is not a plain file name", printable(name)))
        .context(Help("say where the data goes with -o"))
}

/// Where temporary files go: beside the output.
fn beside(args: &Args) -> PathBuf {
    let beside = match &args.output {
        Some(path) if path.as_os_str() != "-" => path.parent().filter(|p| !p.as_os_str().is_empty()),
        _ => None,
    };
    beside.unwrap_or(Path::new(".")).to_owned()
}

/// Any k shards as the source of an archive's bytes.
struct Shards<'a> {
    set: &'a mut Set,
    beside: PathBuf,
}

impl Source for Shards<'_> {
    fn about(&mut self) -> anyhow::Result<Opened> {
        Ok(with_enough(self.set, &self.beside, |set, chosen| {
            about(set, chosen).map_err(|e| blame(set, chosen, e))
        })?
        .0)
    }

    fn write<W: Write + Send>(
        &mut self,
        offset: u64,
        length: u64,
        mut make: impl FnMut() -> anyhow::Result<W>,
    ) -> anyhow::Result<W> {
        with_enough(self.set, &self.beside, |set, chosen| {
            let mut out = make()?;
            part(set, chosen, (offset, length), &mut out)?;
            Ok(out)
        })
    }

    fn blame(&mut self) -> anyhow::Result<Blame> {
        // Those that were read from last.
        let mut chosen = self.set.whole();
        chosen.truncate(usize::from(self.set.geometry.k()));
        let wrong = not_as_signed(self.set, &chosen)?;
        let blame = if wrong.is_empty() { Blame::Sealer } else { Blame::Shards };
        for (shard, why) in wrong {
            self.set.damage(shard, why);
        }
        Ok(blame)
    }
}
