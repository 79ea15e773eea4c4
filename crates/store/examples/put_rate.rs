//! Durable PUTs of 64 KiB: how many a minute, and how many fsyncs each.
//!
//! `cargo run --release -p bailiwick-store --example put_rate -- [COUNT] [DIRECTORY]`
//!
//! The directory (default: a new one in the current directory, removed at the end) decides which disk is measured.

use std::io;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use bailiwick_possession::tree::{TreeBuilder, cells_of};
use bailiwick_protocol::codec::Canonical;
use bailiwick_protocol::envelope::{
    BODY_FORMAT_COBBLESTONE_256, BodyInfo, CellCommitment, Envelope, SUITE, SignedEnvelope,
};
use bailiwick_protocol::ids::{ContentId, ObjectId, OwnerKey, Unit};
use bailiwick_protocol::secret::Secret;
use bailiwick_protocol::signing::SigningKey;
use bailiwick_store::files::{Dir, DirEntry, File, FileSystem, Lock, StdFiles};
use bailiwick_store::{Admission, Options, Store};

/// The real file system, counting fsyncs.
#[derive(Clone, Debug, Default)]
struct Counting(Arc<AtomicU64>);

#[derive(Debug)]
struct CountingFile(Box<dyn File>, Counting);

impl File for CountingFile {
    fn read_at(&self, offset: u64, buf: &mut [u8]) -> io::Result<usize> {
        self.0.read_at(offset, buf)
    }
    fn write_all_at(&self, offset: u64, bytes: &[u8]) -> io::Result<()> {
        self.0.write_all_at(offset, bytes)
    }
    fn sync(&self) -> io::Result<()> {
        self.1.0.fetch_add(1, Ordering::Relaxed);
        self.0.sync()
    }
    fn len(&self) -> io::Result<u64> {
        self.0.len()
    }
    fn set_len(&self, len: u64) -> io::Result<()> {
        self.0.set_len(len)
    }
}

#[derive(Debug)]
struct CountingDir(Box<dyn Dir>, Counting);

impl Dir for CountingDir {
    fn sync(&self) -> io::Result<()> {
        self.1.0.fetch_add(1, Ordering::Relaxed);
        self.0.sync()
    }
}

impl FileSystem for Counting {
    fn create_dir(&self, path: &Path) -> io::Result<()> {
        StdFiles.create_dir(path)
    }
    fn create(&self, path: &Path) -> io::Result<Box<dyn File>> {
        Ok(Box::new(CountingFile(StdFiles.create(path)?, self.clone())))
    }
    fn open(&self, path: &Path, write: bool) -> io::Result<Box<dyn File>> {
        Ok(Box::new(CountingFile(StdFiles.open(path, write)?, self.clone())))
    }
    fn rename(&self, from: &Path, to: &Path) -> io::Result<()> {
        StdFiles.rename(from, to)
    }
    fn link(&self, from: &Path, to: &Path) -> io::Result<()> {
        StdFiles.link(from, to)
    }
    fn remove(&self, path: &Path) -> io::Result<()> {
        StdFiles.remove(path)
    }
    fn list(&self, path: &Path) -> io::Result<Vec<DirEntry>> {
        StdFiles.list(path)
    }
    fn open_dir(&self, path: &Path) -> io::Result<Box<dyn Dir>> {
        Ok(Box::new(CountingDir(StdFiles.open_dir(path)?, self.clone())))
    }
    fn try_lock(&self, path: &Path) -> io::Result<Option<Box<dyn Lock>>> {
        StdFiles.try_lock(path)
    }
}

const BODY_BYTES: usize = 64 * 1024;

/// A body of 64 KiB and its envelope. The store cannot tell that nothing is sealed inside.
fn object(n: u64, key: &SigningKey) -> (Vec<u8>, Vec<u8>) {
    let mut random = blake3::Hasher::new().update(&n.to_le_bytes()).finalize_xof();
    let mut id = [0; 16];
    random.fill(&mut id);
    let mut body = vec![0; BODY_BYTES];
    random.fill(&mut body);
    let mut tree = TreeBuilder::new();
    tree.update(&body);
    let size = body.len() as u64;
    let envelope = Envelope {
        suite: SUITE,
        owner: OwnerKey(key.public()),
        object: ObjectId(id),
        unit: Unit::WHOLE,
        body: BodyInfo {
            format: BODY_FORMAT_COBBLESTONE_256,
            salt: body[..24].try_into().expect("24 bytes"),
            key_commitment: body[24..56].try_into().expect("32 bytes"),
            size,
            blake3: ContentId(*blake3::hash(&body).as_bytes()),
        },
        further_commitments: Vec::new(),
        shards: None,
        passphrase: None,
        custody: None,
        policy: None,
        commitment: Some(CellCommitment {
            root: tree.finish().expect("a body of 64 KiB has a tree").root(),
            cells: cells_of(size),
        }),
        generation: 1,
        recipients: Vec::new(),
    };
    (SignedEnvelope::new(&envelope, key).to_bytes(), body)
}

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut arguments = std::env::args().skip(1);
    let count: u64 = arguments.next().map_or(Ok(1000), |a| a.parse())?;
    let temporary = tempfile::tempdir_in(".")?;
    let dir = arguments.next().map_or_else(|| temporary.path().join("store"), Into::into);
    let key = SigningKey::from_seed(&Secret::init_with(|b| b.fill(1)));
    let owner = OwnerKey(key.public());
    let objects: Vec<_> = (0..count).map(|n| object(n, &key)).collect();

    let files = Counting::default();
    let store = Store::open_with(Arc::new(files.clone()), &dir, Options::default())?;
    let before = files.0.load(Ordering::Relaxed);
    let start = Instant::now();
    for (envelope, body) in &objects {
        if let Admission::Upload(mut upload) = store.begin_put(envelope, &owner)? {
            upload.write(body)?;
            upload.finish()?;
        }
    }
    let put = start.elapsed();
    let syncs = files.0.load(Ordering::Relaxed) - before;
    println!(
        "{count} durable PUTs of 64 KiB, one after the other: {:.0} a minute, {:.2} ms each, {:.2} fsyncs each",
        per_second(count, put) * 60.0,
        put.as_secs_f64() * 1e3 / f64::from(u32::try_from(count)?),
        f64::from(u32::try_from(syncs)?) / f64::from(u32::try_from(count)?),
    );

    let names: Vec<_> = store.list(None, objects.len())?.iter().map(|r| r.name).collect();
    let start = Instant::now();
    let mut buffer = vec![0; BODY_BYTES];
    for name in &names {
        store.open_body(name)?.read_at(0, &mut buffer)?;
    }
    let read = start.elapsed();
    println!("checked reads of 64 KiB, opening each object: {:.0} a second", per_second(count, read));

    let reader = store.open_body(names.first().ok_or("nothing stored")?)?;
    let start = Instant::now();
    for _ in 0..count {
        reader.read_at(0, &mut buffer)?;
    }
    let checked = start.elapsed();
    let start = Instant::now();
    for (_, body) in &objects {
        std::hint::black_box(blake3::hash(body));
    }
    let hashing = start.elapsed();
    println!(
        "of which reading and checking: {:.1} us; BLAKE3 of 64 KiB alone: {:.1} us",
        micros(checked, count),
        micros(hashing, count)
    );

    drop((reader, store));
    let start = Instant::now();
    let store = Store::open(&dir, Options::default())?;
    println!("opened again in {:.1} ms: {:?}", start.elapsed().as_secs_f64() * 1e3, store.usage().total);
    Ok(())
}

fn per_second(count: u64, time: Duration) -> f64 {
    f64::from(u32::try_from(count).unwrap_or(u32::MAX)) / time.as_secs_f64()
}

fn micros(time: Duration, count: u64) -> f64 {
    time.as_secs_f64() * 1e6 / f64::from(u32::try_from(count).unwrap_or(u32::MAX))
}
