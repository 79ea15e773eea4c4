//! `bailiwick rewrap` of many small objects with the hybrid, durable, whole process; beside it what the disk allows: the same files written and
//! made durable the same way without any cryptography, and how many `fsync`s a second it does.
//!
//! Bar: 10,000 objects under 15 s on two cores. Run with `--test` it does a hundred once.

use std::fs::{self, File};
use std::io::Write as _;
use std::path::Path;
use std::time::Instant;

use anyhow::ensure;
use bailiwick_benches::process::{bailiwick, measure};
use bailiwick_envelope::{Metadata, Padding, RecipientSecretKey, SealOptions, random_object_id, seal};
use bailiwick_protocol::codec::Canonical as _;
use bailiwick_protocol::envelope::Kem;
use bailiwick_protocol::ids::{OwnerKey, Unit};
use bailiwick_protocol::key_file::KeyFile;
use bailiwick_protocol::secret::Secret;
use bailiwick_protocol::signing::SigningKey;
use rand_chacha::rand_core::SeedableRng as _;

fn main() -> anyhow::Result<()> {
    let test = std::env::args().any(|a| a == "--test");
    let objects: usize = if test { 100 } else { 10_000 };
    // Not on tmpfs: the disk is part of what is measured.
    let dir = tempfile::tempdir_in(
        std::env::var_os("BAILIWICK_BENCH_DIR").map_or_else(|| ".".into(), std::path::PathBuf::from),
    )?;
    let mut rng = rand_chacha::ChaCha20Rng::from_seed([1; 32]);
    let owner = SigningKey::from_seed(&Secret::init_with(|b| b.fill(2)));
    let reader = RecipientSecretKey::generate(Kem::XWing, &mut rng);
    let new = RecipientSecretKey::generate(Kem::XWing, &mut rng);
    key_file(&dir.path().join("owner"), "owner", "ed25519", &owner.public(), Some([2; 32]))?;
    let secret = *reader.secret().expose_secret();
    key_file(&dir.path().join("reader"), "recipient", "x-wing", reader.public().as_bytes(), Some(secret))?;
    key_file(&dir.path().join("new.pub"), "recipient", "x-wing", new.public().as_bytes(), None)?;
    let store = dir.path().join("objects");
    fs::create_dir(&store)?;
    let recipients = [reader.public()];
    let mut bytes = 0;
    for i in 0..objects {
        let options = SealOptions {
            owner: OwnerKey(owner.public()),
            object: random_object_id(&mut rng),
            unit: Unit::WHOLE,
            recipients: &recipients,
            passphrase: None,
            anonymous: false,
            metadata: Metadata::default(),
            padding: Padding::Padme,
        };
        let sealed = seal(&b"small"[..], std::io::sink(), &options, &mut rng)?;
        let envelope = sealed.envelope(None, &owner)?.to_bytes();
        bytes = envelope.len();
        fs::write(store.join(format!("{i:05}.envelope")), envelope)?;
    }
    let synced = fsync_rate(&dir.path().join("probe"), if test { 10 } else { 300 })?;
    let plain = without_cryptography(&dir.path().join("plain"), objects, 2 * bytes)?;
    let text = |name: &str| dir.path().join(name).display().to_string();
    let (owner, reader, new, store) = (text("owner"), text("reader"), text("new.pub"), text("objects"));
    let arguments = ["rewrap", &store, "--owner", &owner, "--key", &reader, "--add", &new];
    let cost = measure(&bailiwick()?, &arguments)?;
    println!(
        "rewrap   {objects} objects, hybrid, durable: {:.2} s wall, {:.2} s processor",
        cost.wall_s, cost.cpu_s
    );
    println!(
        "disk     the same files without cryptography: {plain:.2} s; one file at a time: {synced:.0} fsync/s"
    );
    ensure!(test || cost.wall_s < 15.0, "the bar is 15 s");
    Ok(())
}

fn key_file(
    path: &Path,
    kind: &str,
    algorithm: &str,
    public: &[u8],
    secret: Option<[u8; 32]>,
) -> anyhow::Result<()> {
    use std::os::unix::fs::OpenOptionsExt as _;
    let secret = secret.map(|s| Secret::init_with(|b| *b = s));
    let file = KeyFile { kind, algorithm, public: public.to_vec(), fingerprint: None, secret, agent: None };
    fs::OpenOptions::new()
        .write(true)
        .create_new(true)
        .mode(0o600)
        .open(path)?
        .write_all(file.to_text().as_bytes())?;
    Ok(())
}

/// Small files made durable one after the other, a second.
fn fsync_rate(path: &Path, n: u32) -> anyhow::Result<f64> {
    let started = Instant::now();
    for _ in 0..n {
        let mut file = File::create(path)?;
        file.write_all(&[7; 4096])?;
        file.sync_all()?;
    }
    Ok(f64::from(n) / started.elapsed().as_secs_f64())
}

/// Seconds to write, sync and rename as many files as `rewrap` does, in its batches.
fn without_cryptography(folder: &Path, objects: usize, bytes: usize) -> anyhow::Result<f64> {
    fs::create_dir(folder)?;
    let content = vec![7; bytes];
    let started = Instant::now();
    for batch in (0..objects).collect::<Vec<_>>().chunks(1024) {
        for i in batch {
            fs::write(folder.join(format!("{i}.partial")), &content)?;
        }
        let folder_file = File::open(folder)?;
        rustix::fs::syncfs(&folder_file)?;
        for i in batch {
            fs::rename(folder.join(format!("{i}.partial")), folder.join(format!("{i}")))?;
        }
        folder_file.sync_all()?;
    }
    Ok(started.elapsed().as_secs_f64())
}
