//! One body to one node, whose word that it has it is not believed: a node that says so is asked for the whole body, and only the bytes the
//! owner signed count. Some ranges would cost less, and miss what a repair is for: a host that damaged a little.

use std::fs::File;
use std::path::PathBuf;
use std::time::{Duration, Instant};

use anyhow::{Context as _, anyhow, ensure};
use bailiwick_client::{Client, ClientError};
use bailiwick_protocol::api::ObjectRecord;
use bailiwick_protocol::codec::Canonical as _;
use bailiwick_protocol::envelope::Envelope;
use bailiwick_protocol::ids::UnitName;
use indicatif::ProgressBar;

use crate::commands::get::read_whole;
use crate::progress;

/// A body on this machine, and its envelope, verified.
pub(super) struct Local {
    pub(super) body: PathBuf,
    pub(super) envelope: Envelope,
    pub(super) bytes: Vec<u8>,
}

/// What became of it.
pub(super) struct Sent {
    /// `stored`, `stored again` (the node had the envelope and not these bytes), or `already stored` (it gave them back).
    pub(super) state: &'static str,
    /// The node's, unless nothing was sent.
    pub(super) record: Option<ObjectRecord>,
}

/// Sends a body, unless the node has this very envelope and gives back the body it speaks of. An envelope alone is no sign that a host still
/// has the body, nor is its word.
pub(super) fn send(client: &Client, local: &Local, patience: u64, bars: bool) -> anyhow::Result<Sent> {
    let Local { body, envelope, bytes } = local;
    let name = envelope.name();
    let held = client.envelope(&name).is_ok_and(|held| held.to_bytes() == *bytes);
    if held && gives_back(client, envelope, patience, bars).is_ok() {
        return Ok(Sent { state: "already stored", record: None });
    }
    let length = std::fs::metadata(body).with_context(|| format!("cannot open {}", body.display()))?.len();
    ensure!(
        length == envelope.body.size,
        "{} has {length} bytes, its envelope says {}: `bailiwick repair` makes shards again",
        body.display(),
        envelope.body.size
    );
    let bar = bar(bars, length, "put");
    let stored = client.put(&name, bytes, || Ok(bar.wrap_read(File::open(body)?)), length)?;
    bar.finish_and_clear();
    // Its word for it is what a host that once had the body and lost it gave before.
    if held || !stored.created {
        let what =
            if stored.created { "stored the body again" } else { "has the body, did not take it again" };
        gives_back(client, envelope, patience, bars).map_err(|e| {
            anyhow!("the host says that it {what}, and does not give it back: {}", e.root_cause())
        })?;
    }
    let state = match (held, stored.created) {
        (_, false) => "already stored",
        (true, true) => "stored again",
        (false, true) => "stored",
    };
    Ok(Sent { state, record: Some(stored.record) })
}

/// Whether the node gives back the whole body, byte for byte, in time.
fn gives_back(client: &Client, envelope: &Envelope, patience: u64, bars: bool) -> anyhow::Result<()> {
    let patience = allowed(patience, envelope.body.size);
    let (begun, bar) = (Instant::now(), bar(bars, envelope.body.size, "check"));
    let done = read_whole(client, envelope, |piece| {
        bar.inc(piece.len() as u64);
        ensure!(begun.elapsed() < patience, "it was not there after {} seconds", patience.as_secs());
        Ok(())
    });
    bar.finish_and_clear();
    done
}

fn bar(shown: bool, length: u64, label: &str) -> ProgressBar {
    if shown { progress::bar(Some(length), label) } else { ProgressBar::hidden() }
}

/// How long a host may take to give back `size` bytes: at 256 KiB a second, and `seconds` beside. A host that lets bytes drip would hold the
/// command for years otherwise.
fn allowed(seconds: u64, size: u64) -> Duration {
    Duration::from_secs(seconds.saturating_add(size.div_ceil(256 << 10)))
}

/// Gives a node the envelope alone, over the body it has; false when it has that envelope already, and gives it back.
pub(super) fn replace(client: &Client, name: &UnitName, bytes: &[u8]) -> anyhow::Result<bool> {
    let stored = client.replace_envelope(name, bytes).map_err(|e| match e {
        ClientError::Refused { status: 404, .. } => anyhow!("the node holds no body of it: put it whole"),
        e => e.into(),
    })?;
    if !stored.created {
        let held = client.envelope(name)?.to_bytes();
        ensure!(held == bytes, "the node says that it has this envelope, and gives another one");
    }
    Ok(stored.created)
}
