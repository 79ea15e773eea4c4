//! `bailiwick get`: fetch a body, or a range of it, and check it against what the owner signed.

mod placement;

use std::io::{Read as _, Write};
use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::{Context as _, ensure};
use bailiwick_client::Client;
use bailiwick_possession::tree::BLOCK_BYTES;
use bailiwick_protocol::codec::Canonical as _;
use bailiwick_protocol::envelope::Envelope;
use bailiwick_protocol::ids::UnitName;

use crate::connect::NodeArgs;
use crate::keyfile;
use crate::output::{AtomicFile, write_new};
use crate::{Help, progress};

/// Arguments of `get`.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// What to fetch: OWNER/OBJECT/UNIT as `ls` prints it; with --placement any shard's name
    name: UnitName,
    /// Where the body goes, `-` for standard output; with --placement a folder
    #[arg(short, long, value_name = "FILE")]
    output: PathBuf,
    /// Where the envelope goes
    #[arg(long, value_name = "FILE")]
    envelope: Option<PathBuf>,
    /// Only these bytes of the body
    #[arg(long, value_name = "OFFSET:LENGTH", value_parser = parse_range)]
    range: Option<(u64, u64)>,
    /// Secret key file of the owner, or of a reader or auditor the node knows
    #[arg(long, value_name = "FILE")]
    key: PathBuf,
    /// Address of the node, e.g. `http://127.0.0.1:8470`
    #[arg(long, value_name = "URL", required_unless_present = "placement")]
    node: Option<String>,
    /// The host's public key: hexadecimal, or its .pub file
    #[arg(long, value_name = "KEY", required_unless_present = "placement")]
    host: Option<String>,
    /// PEM file with the certificates to trust (https needs it)
    #[arg(long, value_name = "FILE")]
    roots: Option<PathBuf>,
    /// Which shard lies at which host: a placement file (docs/guides/shards.md). Fetches as many as are needed, and the envelopes of all
    #[arg(long, value_name = "FILE", conflicts_with_all = ["node", "host", "roots"])]
    placement: Option<PathBuf>,
    /// Fetch every shard that can be had
    #[arg(long, requires = "placement")]
    all: bool,
    /// Leave out what is newer than this generation, when too few hosts have the newest
    #[arg(long, value_name = "NUMBER", requires = "placement")]
    generation: Option<u64>,
}

/// `OFFSET:LENGTH`, decimal, length at least 1.
pub(crate) fn parse_range(text: &str) -> Result<(u64, u64), String> {
    let parsed = text.split_once(':').and_then(|(o, l)| Some((o.parse().ok()?, l.parse().ok()?)));
    match parsed {
        Some((offset, length)) if length > 0 && u64::checked_add(offset, length).is_some() => {
            Ok((offset, length))
        }
        _ => Err("expected OFFSET:LENGTH in decimal bytes, LENGTH at least 1".to_owned()),
    }
}

/// Runs the command.
pub(crate) fn run(args: Args) -> anyhow::Result<ExitCode> {
    if let Some(path) = &args.placement {
        return placement::run(&args, path);
    }
    let (Some(node), Some(host)) = (&args.node, &args.host) else {
        anyhow::bail!("say which node with --node and --host, or which hosts with --placement");
    };
    let client = NodeArgs::new(node.clone(), host.clone(), args.roots.clone())
        .connect(keyfile::read_signing_key_of_any_kind(&args.key)?)?;
    let signed = client.envelope(&args.name)?;
    // The owner key is in the name the caller gave, so it is pinned by the caller and not by the node.
    let envelope = signed.verify(args.name.owner.as_bytes()).context("the node's envelope for this name")?;
    ensure!(envelope.name() == args.name, "the node answered with the envelope of another unit");
    if args.output.as_os_str() == "-" {
        fetch(&client, &envelope, args.range, &mut std::io::stdout().lock())?;
    } else {
        let mut file = AtomicFile::create(&args.output, 0o666)?;
        fetch(&client, &envelope, args.range, &mut file)?;
        file.commit()?;
    }
    if let Some(path) = &args.envelope {
        write_new(path, 0o666, &signed.to_bytes())?;
    }
    Ok(ExitCode::SUCCESS)
}

/// Whole bodies are checked against the signed BLAKE3, ranges block by block against the signed cell root.
fn fetch(
    client: &Client,
    envelope: &Envelope,
    range: Option<(u64, u64)>,
    out: &mut impl Write,
) -> anyhow::Result<()> {
    match range {
        None => fetch_whole(client, envelope, out),
        Some((offset, length)) => fetch_range(client, envelope, offset, length, out),
    }
}

fn fetch_whole(client: &Client, envelope: &Envelope, out: &mut impl Write) -> anyhow::Result<()> {
    let bar = progress::bar(Some(envelope.body.size), "get");
    read_whole(client, envelope, |piece| {
        bar.inc(piece.len() as u64);
        Ok(out.write_all(piece)?)
    })?;
    bar.finish_and_clear();
    Ok(())
}

/// Has the node give the whole body, piece by piece; what `each` received is what the owner signed only when this returns.
pub(crate) fn read_whole(
    client: &Client,
    envelope: &Envelope,
    mut each: impl FnMut(&[u8]) -> anyhow::Result<()>,
) -> anyhow::Result<()> {
    let mut body = client.get_body(&envelope.name(), None)?;
    ensure!(
        body.length == envelope.body.size,
        "the node sends {} bytes, the owner signed {}",
        body.length,
        envelope.body.size
    );
    let mut hasher = blake3::Hasher::new();
    let mut buffer = vec![0; 1 << 18];
    loop {
        let n = body.reader.read(&mut buffer).context("the body stopped coming before its end").context(
            Help("the connection broke, or the host found its own copy damaged; nothing was written"),
        )?;
        if n == 0 {
            break;
        }
        hasher.update(&buffer[..n]);
        each(&buffer[..n])?;
    }
    if hasher.finalize().as_bytes() != envelope.body.blake3.as_bytes() {
        return Err(anyhow::anyhow!("the bytes that came are not the ones the owner signed")).context(Help(
            "the host served damaged or replaced data; nothing was written under the final name",
        ));
    }
    Ok(())
}

fn fetch_range(
    client: &Client,
    envelope: &Envelope,
    offset: u64,
    length: u64,
    out: &mut impl Write,
) -> anyhow::Result<()> {
    ensure!(offset + length <= envelope.body.size, "the body has {} bytes", envelope.body.size);
    let block_bytes = BLOCK_BYTES as u64;
    for block in offset / block_bytes..=(offset + length - 1) / block_bytes {
        let bytes = client.fetch_verified_block(envelope, block)?;
        let start = block * block_bytes;
        let from = offset.saturating_sub(start);
        let to = (offset + length - start).min(bytes.len() as u64);
        let within = |n: u64| usize::try_from(n).expect("inside a block");
        out.write_all(&bytes[within(from)..within(to)])?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::parse_range;

    #[test]
    fn ranges() {
        assert_eq!(parse_range("0:1"), Ok((0, 1)));
        for bad in ["", "1", "1:", ":1", "1:0", "-1:2", "18446744073709551615:1", "1:2:3", "0x1:2"] {
            assert!(parse_range(bad).is_err(), "{bad}");
        }
    }
}
