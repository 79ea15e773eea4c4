//! `bailiwick commit`: add a storage commitment to an object that was sealed without one.

use std::fs::File;
use std::io::{self, Read, Write};
use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::thread::JoinHandle;

use anyhow::{Context as _, anyhow};
use bailiwick_possession::tree::{CellTree, TreeBuilder};
use bailiwick_protocol::codec::Canonical as _;
use bailiwick_protocol::envelope::CellCommitment;
use bailiwick_protocol::ids::OwnerKey;
use bailiwick_protocol::limits::ENVELOPE_BYTES_MAX;

use crate::envelopes::Signing;
use crate::keyfile::{self, Kind};
use crate::output::print_json;
use crate::say;
use crate::{Help, progress};

/// Bytes of an envelope file, at most: the message, its signature and their CBOR headers.
pub(crate) const ENVELOPE_FILE_BYTES_MAX: u64 = ENVELOPE_BYTES_MAX as u64 + 128;

/// Bytes handed to the tree at a time, and how many such pieces may wait.
const PIECE_BYTES: usize = 1 << 20;
const PIECES: usize = 4;

/// Arguments of `commit`.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// The sealed body
    body: PathBuf,
    /// Its envelope [default: BODY.envelope]
    #[arg(long, value_name = "FILE")]
    envelope: Option<PathBuf>,
    /// The owner's secret key file
    #[arg(long, value_name = "FILE")]
    owner: PathBuf,
    /// Where the new envelope goes [default: replaces the envelope]
    #[arg(short, long, value_name = "FILE")]
    output: Option<PathBuf>,
    /// Print the commitment as JSON
    #[arg(long)]
    json: bool,
}

#[derive(serde::Serialize)]
struct Committed {
    object: String,
    generation: u64,
    root: String,
    cells: u64,
}

/// Runs the command.
pub(crate) fn run(args: Args) -> anyhow::Result<ExitCode> {
    let owner = keyfile::read_signing_key(&args.owner, Kind::Owner)?;
    let path = args.envelope.unwrap_or_else(|| keyfile::with_suffix(&args.body, ".envelope"));
    let pinned = OwnerKey(owner.public());
    let signing = Signing::begin(&path, args.output.as_deref())?;
    let envelope = bailiwick_envelope::verify(&pinned, signing.bytes())
        .with_context(|| format!("{} is not an envelope of this owner", path.display()))
        .context(Help("give the envelope that `seal` wrote, and the key that sealed it"))?;
    if envelope.commitment.is_some() {
        return Err(anyhow!("{} carries a storage commitment already", path.display()))
            .context(Help("nothing to do: a body never changes under its envelope"));
    }
    signing.check_latest(&pinned)?;

    let file = File::open(&args.body).with_context(|| format!("cannot open {}", args.body.display()))?;
    let bar = progress::bar(Some(envelope.body.size), "commit");
    let mut reader = bar.wrap_read(file);
    let mut tree = TreeThread::start()?;
    let mut hasher = blake3::Hasher::new();
    let mut buffer = vec![0; PIECE_BYTES];
    loop {
        let n = reader.read(&mut buffer).with_context(|| format!("cannot read {}", args.body.display()))?;
        if n == 0 {
            break;
        }
        hasher.update(&buffer[..n]);
        tree.write_all(&buffer[..n])?;
    }
    let commitment = tree.finish()?;
    bar.finish_and_clear();
    if hasher.finalize().as_bytes() != envelope.body.blake3.as_bytes() {
        return Err(anyhow!("{} is not the body this envelope was signed for", args.body.display()))
            .context(Help("the file is damaged or belongs to another envelope"));
    }

    let object = envelope.name().to_string();
    let generation = envelope.generation + 1;
    let signed = bailiwick_envelope::commit(envelope, commitment.clone(), &owner)?;
    let destination = signing.write(&signed.to_bytes())?;
    if args.json {
        let CellCommitment { root, cells } = commitment;
        print_json(&Committed { object, generation, root: root.to_string(), cells })?;
    } else {
        say!("committed to {} cells, root {}", commitment.cells, commitment.root)?;
        say!("wrote {} (generation {generation})", destination.display())?;
    }
    Ok(ExitCode::SUCCESS)
}

/// A writer that feeds a cell tree on its own thread, so that hashing overlaps with whatever writes.
pub(crate) struct TreeThread {
    full: Option<SyncSender<Vec<u8>>>,
    empty: Receiver<Vec<u8>>,
    thread: JoinHandle<TreeBuilder>,
    piece: Vec<u8>,
}

impl TreeThread {
    pub(crate) fn start() -> anyhow::Result<Self> {
        let (full, pieces) = sync_channel::<Vec<u8>>(PIECES);
        let (give_back, empty) = sync_channel::<Vec<u8>>(PIECES + 2);
        for _ in 0..PIECES {
            give_back.send(Vec::with_capacity(PIECE_BYTES)).ok();
        }
        let thread = std::thread::Builder::new()
            .name("cell-tree".into())
            .spawn(move || {
                let mut builder = TreeBuilder::new();
                for mut piece in pieces {
                    builder.update(&piece);
                    piece.clear();
                    give_back.send(piece).ok();
                }
                builder
            })
            .context("cannot start a thread")?;
        Ok(Self { full: Some(full), empty, thread, piece: Vec::with_capacity(PIECE_BYTES) })
    }

    fn pass_on(&mut self) -> io::Result<()> {
        let gone = || io::Error::other("the cell tree's thread ended");
        let next = self.empty.recv().map_err(|_| gone())?;
        let piece = std::mem::replace(&mut self.piece, next);
        self.full.as_ref().ok_or_else(gone)?.send(piece).map_err(|_| gone())
    }

    /// The commitment to everything written.
    pub(crate) fn finish(mut self) -> anyhow::Result<CellCommitment> {
        if !self.piece.is_empty() {
            self.pass_on()?;
        }
        drop(self.full.take());
        let builder = self.thread.join().map_err(|_| anyhow!("the cell tree's thread failed"))?;
        let tree: CellTree = builder.finish()?;
        Ok(CellCommitment { root: tree.root(), cells: tree.cells() })
    }
}

impl Write for TreeThread {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let n = bytes.len().min(PIECE_BYTES - self.piece.len());
        self.piece.extend_from_slice(&bytes[..n]);
        if self.piece.len() == PIECE_BYTES {
            self.pass_on()?;
        }
        Ok(n)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
