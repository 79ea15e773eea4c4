//! The padded plaintext from any k shards, which are checked on the way.

use std::ops::Range;
use std::path::Path;

use anyhow::{Context as _, anyhow};
use bailiwick_envelope::cobblestone::{CHUNK_BYTES, HEADER_BYTES, TAG_BYTES};
use bailiwick_erasure::StripeDecoder;
use std::os::unix::fs::FileExt as _;
use zeroize::Zeroizing;

use super::body::facts;
use super::member::{Member, of_this_process};
use super::set::Set;
use super::{batch_stripes, in_parallel, threads};

/// Why an attempt ended.
#[derive(Debug)]
pub(crate) enum Stop {
    /// These shards are wrong, as told.
    Broken(Vec<(u16, String)>),
    /// Something else failed.
    Failed(anyhow::Error),
}

impl Stop {
    /// For an attempt that cannot begin anew, since what it wrote has been seen.
    pub(crate) fn without_another(self) -> Self {
        match self {
            Self::Broken(shards) => Self::Failed(anyhow::anyhow!(
                "shards {:?} changed while they were read: what was shown is not whole",
                shards.iter().map(|(s, _)| *s).collect::<Vec<_>>()
            )),
            failed @ Self::Failed(_) => failed,
        }
    }
}

impl<E: Into<anyhow::Error>> From<E> for Stop {
    fn from(error: E) -> Self {
        Self::Failed(error.into())
    }
}

/// Tries `attempt` with k shards nothing wrong is known of, again with others when some turn out wrong, and with repaired ones when
/// no others are left. Repairs go to nameless files in `beside`.
///
/// # Errors
/// Fewer than k usable shards; whatever `attempt` fails with.
pub(crate) fn with_enough<T>(
    set: &mut Set,
    beside: &Path,
    mut attempt: impl FnMut(&Set, &[u16]) -> Result<T, Stop>,
) -> anyhow::Result<T> {
    let k = usize::from(set.geometry.k());
    loop {
        let usable = set.whole();
        if let Some(chosen) = usable.get(..k) {
            match attempt(set, chosen) {
                Ok(done) => return Ok(done),
                Err(Stop::Failed(e)) => return Err(e),
                Err(Stop::Broken(shards)) => {
                    for (shard, why) in shards {
                        set.damage(shard, why);
                    }
                }
            }
        } else {
            let Some(shard) = set.next_damaged() else {
                if set.use_spare() {
                    continue;
                }
                return Err(set.too_few());
            };
            let room = tempfile::tempfile_in(beside)
                .with_context(|| format!("cannot create a temporary file in {}", beside.display()))?;
            set.mend(shard, room, beside)?;
        }
    }
}

/// What to do after an attempt with the shards `chosen` refused what came out of them. Whoever holds a shard's key can write chunks that are authentic
/// and say anything, so the bodies are compared with what the owner signed: those that differ are named, and when none does the refusal stands (spec
/// shards, clause Q10). A failure of the system, a full disk for one, is not about content and stands at once.
pub(crate) fn blame(set: &Set, chosen: &[u16], stop: Stop) -> Stop {
    let Stop::Failed(error) = stop else { return stop };
    let of_the_system = |e: &(dyn std::error::Error + 'static)| {
        e.downcast_ref::<std::io::Error>().is_some_and(|e| e.raw_os_error().is_some())
    };
    if error.chain().any(of_the_system) { Stop::Failed(error) } else { blame_always(set, chosen, error) }
}

/// Like [`blame`], whatever failed.
pub(crate) fn blame_always(set: &Set, chosen: &[u16], error: anyhow::Error) -> Stop {
    match not_as_signed(set, chosen) {
        Ok(broken) if !broken.is_empty() => Stop::Broken(broken),
        Ok(_) => Stop::Failed(error),
        Err(e) => Stop::Failed(anyhow!("{error:#}; and whose fault that is cannot be said: {e:#}")),
    }
}

/// Those of `shards` whose bodies do not have the BLAKE3 their owner signed. Reads them whole.
pub(crate) fn not_as_signed(set: &Set, shards: &[u16]) -> anyhow::Result<Vec<(u16, String)>> {
    let results = in_parallel(threads(), shards, |shard| {
        let member = set.members.get(shard).context("a shard that was looked at")?;
        let file = member.file.as_ref().context("a whole shard has a body")?;
        let wrong = match facts(file, false) {
            Ok(found) if found.blake3 == member.envelope().body.blake3 => None,
            Ok(_) => Some(NOT_AS_SIGNED.to_owned()),
            Err(e) if e.downcast_ref::<std::io::Error>().is_some_and(|e| !of_this_process(e)) => {
                Some(format!("it cannot be read: {e}"))
            }
            Err(e) => return Err(e.context(format!("cannot read {}", member.path.display()))),
        };
        Ok::<_, anyhow::Error>((*shard, wrong))
    })?;
    Ok(results.into_iter().filter_map(|(shard, wrong)| Some((shard, wrong?))).collect())
}

const NOT_AS_SIGNED: &str = "its BLAKE3 is not the signed one";

/// One shard being read.
struct Reading<'a> {
    shard: u16,
    member: &'a Member,
    hasher: blake3::Hasher,
    sealed: Vec<u8>,
    plain: Zeroizing<Vec<u8>>,
}

impl Reading<'_> {
    fn read(&mut self, offset: u64, len: usize) -> Result<(), String> {
        self.sealed.resize(len, 0);
        let file = self.member.file.as_ref().ok_or("the body is missing")?;
        file.read_exact_at(&mut self.sealed, offset).map_err(|e| format!("it cannot be read: {e}"))
    }

    /// Data blocks `stripes` of this shard, authentic.
    fn blocks(&mut self, set: &Set, stripes: &Range<u64>, hash: bool) -> Result<(), String> {
        let block = set.geometry.block_bytes();
        let count = usize::try_from(stripes.end - stripes.start).map_err(|e| e.to_string())?;
        let offset = self.member.body(&set.geometry).ok_or("the body is missing")?.offset(stripes.start);
        self.read(offset, count * (block + TAG_BYTES))?;
        if hash {
            self.hasher.update(&self.sealed);
        }
        self.plain.resize(count * block, 0);
        let chunks = self.sealed.chunks_exact(block + TAG_BYTES).zip(self.plain.chunks_exact_mut(block));
        for (index, (sealed, plain)) in (stripes.start..).zip(chunks) {
            if !self.member.cipher.open(index, sealed, plain) {
                return Err(format!("chunk {index} is not authentic"));
            }
        }
        Ok(())
    }

    /// Hashes what follows the data blocks and compares with what the owner signed.
    fn finish(&mut self, set: &Set) -> Result<(), String> {
        let mut at =
            self.member.body(&set.geometry).ok_or("the body is missing")?.offset(set.geometry.stripes());
        let size = self.member.envelope().body.size;
        while at < size {
            let n = usize::try_from((size - at).min(1 << 20)).map_err(|e| e.to_string())?;
            self.read(at, n)?;
            self.hasher.update(&self.sealed);
            at += n as u64;
        }
        if self.hasher.finalize().as_bytes() == self.member.envelope().body.blake3.as_bytes() {
            Ok(())
        } else {
            Err(NOT_AS_SIGNED.to_owned())
        }
    }
}

/// Calls `each` with the data blocks of `stripes` in order, some stripes at a time, from the shards `chosen`, exactly k. With `whole`,
/// which needs all stripes, the chosen bodies' BLAKE3 are compared with the signed ones at the end: what `each` received is the owner's only when `Ok` is returned.
pub(crate) fn stripes(
    set: &Set,
    chosen: &[u16],
    stripes: Range<u64>,
    whole: bool,
    mut each: impl FnMut(u64, &[u8]) -> Result<(), Stop>,
) -> Result<(), Stop> {
    let geometry = &set.geometry;
    let mut decoder = StripeDecoder::new(geometry, chosen)?;
    let mut readings = Vec::with_capacity(chosen.len());
    for shard in chosen {
        let member = set.members.get(shard).context("a shard that was looked at")?;
        let mut hasher = blake3::Hasher::new();
        hasher.update(&member.cipher.header());
        readings.push(Reading {
            shard: *shard,
            member,
            hasher,
            sealed: Vec::new(),
            plain: Zeroizing::new(Vec::new()),
        });
    }
    let mut data = Zeroizing::new(Vec::new());
    let step = batch_stripes(geometry.n()) as u64;
    let mut at = stripes.start;
    while at < stripes.end {
        let batch = at..stripes.end.min(at + step);
        at = batch.end;
        judge(&mut readings, |r| r.blocks(set, &batch, whole))?;
        let pieces: Vec<&[u8]> = readings.iter().map(|r| r.plain.as_slice()).collect();
        let count = usize::try_from(batch.end - batch.start)?;
        data.resize(count * geometry.stripe_bytes(), 0);
        decoder.decode(&pieces, &mut data)?;
        each(batch.start, &data)?;
    }
    if whole {
        judge(&mut readings, |r| r.finish(set))?;
    }
    Ok(())
}

/// Does `work` for every shard side by side and names those that are wrong.
fn judge<'a>(
    readings: &mut [Reading<'a>],
    work: impl Fn(&mut Reading<'a>) -> Result<(), String> + Sync,
) -> Result<(), Stop> {
    let outcomes = in_parallel(threads(), readings.iter_mut(), |r| Ok::<_, Stop>((r.shard, work(r))))?;
    let broken: Vec<_> = outcomes.into_iter().filter_map(|(s, done)| Some((s, done.err()?))).collect();
    if broken.is_empty() { Ok(()) } else { Err(Stop::Broken(broken)) }
}

const _: () = assert!(CHUNK_BYTES == bailiwick_erasure::BLOCK_BYTES && HEADER_BYTES == 56);
