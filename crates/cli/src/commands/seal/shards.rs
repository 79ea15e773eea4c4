//! `seal --shards k/n`: one object as n bodies and n envelopes, in one pass over the input and one over what was written.

use std::fs::File;
use std::io::{self, Read, Write as _};
use std::path::PathBuf;
use std::process::ExitCode;
use std::str::FromStr;

use anyhow::{Context as _, anyhow, ensure};
use bailiwick_envelope::{
    Metadata, PaddedReader, Padding, SealOptions, ShardBody, ShardSealer, random_object_id,
};
use bailiwick_erasure::{Geometry, SHARDS_MAX, Splitter, StripeEncoder, bodies_digest};
use bailiwick_protocol::codec::Canonical as _;
use bailiwick_protocol::envelope::{SHARD_CODE_REED_SOLOMON, ShardSet};
use bailiwick_protocol::ids::{OwnerKey, Unit};
use zeroize::Zeroizing;

use super::directory::Listing;
use super::{Args, is_dash, name_of};
use crate::keyfile::{self, Kind, with_suffix};
use crate::opening::{asked_for, check_mix, note_mix};
use crate::output::{print_json, printable};
use crate::say;
use crate::shards::body::{BodyFile, body_bytes};
use crate::shards::{Folder, batch_stripes, body_name, in_parallel, threads};
use crate::{Help, progress};

/// `k/n`: any k of n shards rebuild the object.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Split {
    k: u16,
    n: u16,
}

impl FromStr for Split {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let parsed = text.split_once('/').and_then(|(k, n)| Some((k.parse().ok()?, n.parse().ok()?)));
        match parsed {
            Some((k, n)) if 1 <= k && k <= n && (2..=SHARDS_MAX).contains(&n) => Ok(Self { k, n }),
            _ => Err("expected k/n, e.g. 10/14, with 1 <= k <= n and 2 <= n <= 255".to_owned()),
        }
    }
}

#[derive(serde::Serialize)]
struct Sealed {
    object: String,
    k: u16,
    n: u16,
    folder: String,
    data_bytes: u64,
    padded_bytes: u64,
    bodies: String,
    policy: Option<String>,
    inside: Inside,
    shards: Vec<SealedShard>,
}

/// The code inside each shard (spec shards, clause Q5): of the `blocks` of a shard, in `groups` groups, `repairable` of each group may be lost.
#[derive(serde::Serialize)]
struct Inside {
    blocks: u64,
    groups: u64,
    repairable: u64,
}

impl std::fmt::Display for Inside {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self { blocks, groups, repairable } = self;
        match (repairable, groups) {
            (0, _) => write!(f, "each shard is one chunk: whatever is lost of it loses the shard"),
            (p, 1) => write!(f, "any {p} of the {blocks} chunks of a shard may be lost, too"),
            (p, g) => write!(
                f,
                "any {p} of the {blocks} chunks of a shard may be lost, too; and 3 % of all by whoever does not know its key ({g} groups of {p})"
            ),
        }
    }
}

#[derive(serde::Serialize)]
struct SealedShard {
    unit: String,
    body: String,
    envelope: String,
    body_bytes: u64,
    blake3: String,
    root: Option<String>,
}

/// A shard whose body is being written.
struct Growing {
    sealer: ShardSealer,
    file: File,
}

impl Growing {
    fn body<'a>(&'a self, geometry: &'a Geometry) -> BodyFile<'a> {
        BodyFile { file: &self.file, cipher: self.sealer.cipher(), geometry }
    }
}

/// Runs `seal` with `--shards`; of a directory, what `listing` lists.
pub(super) fn run(
    args: &Args,
    split: Split,
    policy: Option<[u8; 32]>,
    listing: Option<&Listing>,
) -> anyhow::Result<ExitCode> {
    let output = destination(args)?;
    let owner = keyfile::read_signing_key(args.owner.as_deref().context("--owner is missing")?, Kind::Owner)?;
    let recipients =
        args.to.iter().map(|p| keyfile::read_recipient_public(p)).collect::<Result<Vec<_>, _>>()?;
    note_mix(&recipients);
    check_mix(recipients.len(), args.passphrase.is_given(), args.also_passphrase)?;
    if is_dash(&args.input) && args.passphrase.uses_stdin() {
        return Err(anyhow!("data and passphrase cannot both come from standard input"))
            .context(Help("give the passphrase in a file, or on the terminal"));
    }
    let passphrase = args.passphrase.read(true)?;
    let mut rng = keyfile::system_rng()?;
    let object = random_object_id(&mut rng);
    let mut options = SealOptions {
        owner: OwnerKey(owner.public()),
        object,
        unit: Unit { k: split.k, n: split.n, shard: 0, replica: 0 },
        recipients: &recipients,
        passphrase: passphrase.as_ref().map(|p| asked_for(p, args.also_passphrase)),
        anonymous: args.anonymous,
        metadata: Metadata { name: name_of(args), media_type: args.media_type.clone() },
        padding: if args.no_pad { Padding::None } else { Padding::Padme },
    };
    let folder = Folder::create(&output)?;
    let mut shards = Vec::with_capacity(usize::from(split.n));
    for shard in 0..split.n {
        options.unit.shard = shard;
        shards.push(Growing {
            sealer: ShardSealer::new(&options, &mut rng)?.with_policy(policy),
            file: folder.file(&body_name(shard))?,
        });
    }
    let (input, total) = open_input(args, listing)?;
    let bar = progress::bar(total, "seal");
    let padded = PaddedReader::new(&options.metadata, bar.wrap_read(input), options.padding)?;
    let (geometry, padded) = write_data(padded, split, &shards)
        .with_context(|| format!("cannot seal {}", args.input.display()))?;
    let data_bytes = padded.data_len();
    bar.finish_and_clear();
    let bodies = complete(&shards, &geometry, !args.no_commit)?;
    let digests: Vec<[u8; 32]> = bodies.iter().map(|b| *b.blake3.as_bytes()).collect();
    let set = ShardSet {
        code: SHARD_CODE_REED_SOLOMON,
        padded_length: geometry.padded_length(),
        bodies: bodies_digest(&digests),
    };
    let mut about = Sealed {
        object: format!("{}/{object}", options.owner),
        k: split.k,
        n: split.n,
        folder: output.display().to_string(),
        data_bytes,
        padded_bytes: geometry.padded_length(),
        bodies: hex::encode(set.bodies),
        policy: policy.map(hex::encode),
        inside: Inside {
            blocks: geometry.blocks(),
            groups: geometry.groups(),
            repairable: geometry.parity_per_group(),
        },
        shards: Vec::new(),
    };
    for (shard, (growing, body)) in (0..).zip(shards.into_iter().zip(bodies)) {
        let name = body_name(shard);
        about.shards.push(SealedShard {
            unit: Unit { shard, ..options.unit }.to_string(),
            body: output.join(&name).display().to_string(),
            envelope: with_suffix(&output.join(&name), ".envelope").display().to_string(),
            body_bytes: body.size,
            blake3: body.blake3.to_string(),
            root: body.commitment.as_ref().map(|c| c.root.to_string()),
        });
        growing.file.sync_all().with_context(|| format!("cannot make {name} durable"))?;
        let signed = growing.sealer.envelope(body, set.clone(), 1, &owner)?;
        let mut file = folder.file(&(name + ".envelope"))?;
        file.write_all(&signed.to_bytes())
            .and_then(|()| file.sync_all())
            .context("cannot write an envelope")?;
    }
    folder.commit()?;
    show(args, &about)?;
    Ok(ExitCode::SUCCESS)
}

fn show(args: &Args, about: &Sealed) -> anyhow::Result<()> {
    if args.json {
        return print_json(about);
    }
    say!("sealed {} bytes for {} recipient(s) as {} shards", about.data_bytes, args.to.len(), about.n)?;
    say!("object    {}", about.object)?;
    let each = about.shards.first().map_or(0, |s| s.body_bytes);
    say!("shards    {} (bodies of {each} bytes, each with its envelope)", printable(&about.folder))?;
    say!("needs     any {} of them to open; up to {} may be lost", about.k, about.n - about.k)?;
    say!("inside    {}", about.inside)?;
    if let Some(policy) = &about.policy {
        say!("policy    {policy}")?;
    }
    if args.no_commit {
        say!("no storage commitments yet: `bailiwick commit` adds one to each shard")?;
    }
    Ok(())
}

/// The folder the shards go to.
fn destination(args: &Args) -> anyhow::Result<PathBuf> {
    let output = match &args.output {
        Some(path) => path.clone(),
        None if is_dash(&args.input) => {
            return Err(anyhow!("standard input has no name to derive the folder's from"))
                .context(Help("say where the shards go with -o"));
        }
        None => with_suffix(&args.input, ".shards"),
    };
    ensure!(!is_dash(&output), "shards go to a folder, not to standard output");
    if args.envelope.is_some() {
        return Err(anyhow!("every shard has an envelope of its own")).context(Help("leave out --envelope"));
    }
    Ok(output)
}

fn open_input<'a>(
    args: &Args,
    listing: Option<&'a Listing>,
) -> anyhow::Result<(Box<dyn Read + Send + 'a>, Option<u64>)> {
    if let Some(listing) = listing {
        return Ok((Box::new(listing.reader()), Some(listing.bytes())));
    }
    if is_dash(&args.input) {
        return Ok((Box::new(io::stdin()), None));
    }
    let file = File::open(&args.input).with_context(|| format!("cannot open {}", args.input.display()))?;
    let about = file.metadata()?;
    let total = about.is_file().then_some(about.len());
    Ok((Box::new(file), total))
}

/// The data blocks of every shard, in one pass over the input and in the memory of a batch.
fn write_data<R: Read>(
    padded: PaddedReader<R>,
    split: Split,
    shards: &[Growing],
) -> anyhow::Result<(Geometry, PaddedReader<R>)> {
    let (k, threads) = (usize::from(split.k), threads());
    let further_count = shards.len() - k;
    let mut splitter = Splitter::new(padded, split.k, split.n, batch_stripes(split.n))?;
    let mut further = Zeroizing::new(Vec::new());
    let mut encoders: Vec<StripeEncoder> = Vec::new();
    let mut rooms: Vec<(Zeroizing<Vec<u8>>, Vec<u8>)> = shards.iter().map(|_| Default::default()).collect();
    while let Some(batch) = splitter.next_batch()? {
        // Only the block matters here: a geometry of as many stripes as there are in the batch.
        let (block, wide) = (batch.block, batch.block * k);
        let geometry = Geometry::new(split.k, split.n, batch.data.len() as u64)?;
        if batch.first == 0 {
            for shard in shards {
                shard.body(&geometry).write_header().context("cannot write a shard")?;
            }
            encoders = (0..threads).map(|_| StripeEncoder::new(&geometry)).collect::<Result<_, _>>()?;
        }
        let stripes = batch.data.len() / wide;
        further.resize(stripes * further_count * block, 0);
        if further_count > 0 {
            let part = stripes.div_ceil(threads);
            let data = batch.data.chunks(part * wide);
            let room = further.chunks_mut(part * further_count * block);
            in_parallel(threads, data.zip(room).zip(&mut encoders), |((data, room), encoder)| {
                encoder.encode(data, room)
            })?;
        }
        let (data, further) = (batch.data, &further);
        in_parallel(threads, (0..).zip(shards.iter().zip(&mut rooms)), |(j, (shard, (plain, sealed)))| {
            plain.clear();
            let (from, of, at): (&[u8], usize, usize) =
                if j < k { (data, wide, j) } else { (further, further_count * block, j - k) };
            for stripe in from.chunks_exact(of) {
                plain.extend_from_slice(&stripe[at * block..][..block]);
            }
            shard.body(&geometry).write(batch.first, plain, sealed)
        })
        .context("cannot write a shard")?;
    }
    Ok(splitter.finish()?)
}

/// Parity, end and facts of every body.
fn complete(shards: &[Growing], geometry: &Geometry, commit: bool) -> anyhow::Result<Vec<ShardBody>> {
    let size = body_bytes(geometry)?;
    let bar = progress::bar(Some(size * shards.len() as u64), "complete");
    // The cell tree uses every core by itself; and a group's parity takes 64 MiB for each thread.
    let threads = if commit { 1 } else { threads().min(2) };
    let bodies = in_parallel(threads, shards, |shard| {
        let facts = shard.body(geometry).complete(commit)?;
        ensure!(facts.size == size, "a shard has {} bytes instead of {size}", facts.size);
        bar.inc(size);
        Ok(facts)
    })?;
    bar.finish_and_clear();
    Ok(bodies)
}

#[cfg(test)]
mod tests {
    use super::{Inside, Split};

    #[test]
    fn the_limit_of_the_inner_code_is_said() {
        let said = |blocks, groups, repairable| Inside { blocks, groups, repairable }.to_string();
        assert_eq!(said(1, 1, 0), "each shard is one chunk: whatever is lost of it loses the shard");
        assert_eq!(said(43, 1, 3), "any 3 of the 43 chunks of a shard may be lost, too");
        assert!(said(9600, 3, 200).contains("3 % of all by whoever does not know its key"));
    }

    #[test]
    fn a_split_is_two_numbers_in_order() {
        assert_eq!("10/14".parse(), Ok(Split { k: 10, n: 14 }));
        for bad in ["", "10", "0/3", "4/3", "1/1", "2/256", "-1/3", "2/3/4", "2:3", " 2/3"] {
            assert!(bad.parse::<Split>().is_err(), "{bad}");
        }
    }
}
