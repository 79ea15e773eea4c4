//! AES-256-GCM of each backend over 16 KiB chunks against the library it calls, on one core in turns, medians of eleven; then whole
//! bodies from memory to a file on tmpfs, one core, as sealing writes them. `openssl speed` (Debian) tells in the same run what this
//! processor does with OpenSSL's code for it.
//!
//! Bars: each backend at least 0.95 of its library; `aws-lc` at least 1.25 times the default end to end. Run with `--test` it does
//! little.

use std::fs::File;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Instant;

use aes_gcm::aead::inout::InOutBuf;
use aes_gcm::{AeadInOut as _, Aes256Gcm, KeyInit as _};
use anyhow::Context as _;
use aws_lc_rs::aead::{AES_256_GCM, Aad, LessSafeKey, Nonce, UnboundKey};
use bailiwick_benches::stats::median;
use bailiwick_envelope::cobblestone::{
    Backend, CHUNK_BYTES, ChunkKeys, Encrypted, SEALED_CHUNK_BYTES, encrypt,
};
use bailiwick_protocol::secret::Secret;

const KEY: [u8; 32] = [7; 32];
const NONCE: [u8; 12] = [1; 12];

/// What is done to one chunk, with room for its tag, of a number.
type Kernel<'a> = Box<dyn FnMut(u64, &mut [u8]) + 'a>;

fn main() -> anyhow::Result<()> {
    let quick = std::env::args().any(|a| a == "--test");
    one_core()?;
    kernels(if quick { 64 } else { 16_384 });
    openssl(if quick { "1" } else { "3" })?;
    end_to_end(if quick { 1 << 20 } else { 1 << 30 })
}

/// This process stays on the first core it may use.
fn one_core() -> anyhow::Result<()> {
    use rustix::thread::{CpuSet, sched_getaffinity, sched_setaffinity};
    let may = sched_getaffinity(None)?;
    let mut set = CpuSet::new();
    set.set((0..CpuSet::MAX_CPU).find(|i| may.is_set(*i)).unwrap_or(0));
    Ok(sched_setaffinity(None, &set)?)
}

fn keys(backend: Backend) -> ChunkKeys {
    ChunkKeys::derive_for(backend, &Secret::init_with(|k| *k = KEY), &[2; 24], &[])
}

fn kernels(chunks: u64) {
    for backend in Backend::ALL {
        let keys = keys(*backend);
        let sealing: Kernel<'_> = Box::new(|i, chunk| keys.seal_chunk(i, chunk));
        let mut sealed = vec![0; SEALED_CHUNK_BYTES];
        keys.seal_chunk(0, &mut sealed);
        let opening: Kernel<'_> = Box::new(|_, chunk| {
            keys.open_chunk(0, &sealed, &mut chunk[..CHUNK_BYTES]).expect("sealed above");
        });
        let [raw_sealing, raw_opening] =
            if *backend == Backend::RustCrypto { rust_crypto() } else { aws_lc() };
        for (what, peer, ours) in [("sealing", raw_sealing, sealing), ("opening", raw_opening, opening)] {
            let [peer, ours] = rates([peer, ours], chunks);
            println!(
                "{backend:?} {what}: library {peer:.0} MB/s, backend {ours:.0} MB/s: {:.3}",
                ours / peer
            );
        }
    }
}

/// Crate `aes-gcm` called without the envelope's code; opening from a second buffer, as a body's ciphertext is hashed besides.
fn rust_crypto() -> [Kernel<'static>; 2] {
    let (one, two) = (Aes256Gcm::new(&KEY.into()), Aes256Gcm::new(&KEY.into()));
    let mut sealed = vec![0; CHUNK_BYTES];
    let tag = one.encrypt_inout_detached(&NONCE.into(), &[], sealed.as_mut_slice().into()).expect("short");
    [
        Box::new(move |_, chunk| {
            let (body, tag) = chunk.split_at_mut(CHUNK_BYTES);
            let made = one.encrypt_inout_detached(&NONCE.into(), &[], body.into()).expect("short");
            tag.copy_from_slice(&made);
        }),
        Box::new(move |_, chunk| {
            let buffer = InOutBuf::new(&sealed, &mut chunk[..CHUNK_BYTES]).expect("of one length");
            two.decrypt_inout_detached(&NONCE.into(), &[], buffer, &tag).expect("sealed above");
        }),
    ]
}

/// Crate `aws-lc-rs`, likewise.
fn aws_lc() -> [Kernel<'static>; 2] {
    let key = || LessSafeKey::new(UnboundKey::new(&AES_256_GCM, &KEY).expect("32 bytes"));
    let nonce = || Nonce::assume_unique_for_key(NONCE);
    let (one, two) = (key(), key());
    let mut sealed = vec![0; CHUNK_BYTES];
    let tag = one.seal_in_place_separate_tag(nonce(), Aad::empty(), &mut sealed).expect("short");
    [
        Box::new(move |_, chunk| {
            let (body, tag) = chunk.split_at_mut(CHUNK_BYTES);
            let made = one.seal_in_place_separate_tag(nonce(), Aad::empty(), body).expect("short");
            tag.copy_from_slice(made.as_ref());
        }),
        Box::new(move |_, chunk| {
            two.open_separate_gather(nonce(), Aad::empty(), &sealed, tag.as_ref(), &mut chunk[..CHUNK_BYTES])
                .expect("sealed above");
        }),
    ]
}

/// AES-256-GCM of the installed OpenSSL over buffers of 16 KiB; a child stays on this process's core.
fn openssl(seconds: &str) -> anyhow::Result<()> {
    let bytes = CHUNK_BYTES.to_string();
    let arguments = ["speed", "-mr", "-seconds", seconds, "-bytes", &bytes, "-evp", "aes-256-gcm"];
    let run = Command::new("openssl").args(arguments).stderr(Stdio::null()).output();
    let run = run.context("cannot start the peer (Debian: apt-get install openssl)")?;
    // `+F:NUMBER:NAME:BYTES A SECOND`
    let text = String::from_utf8(run.stdout)?;
    let rate = text.lines().find(|l| l.starts_with("+F:")).and_then(|l| l.rsplit(':').next());
    let rate: f64 = rate.context("openssl speed printed no rate")?.parse()?;
    println!("OpenSSL, sealing without tags: {:.0} MB/s", rate / 1e6);
    Ok(())
}

fn rates(mut kernels: [Kernel<'_>; 2], chunks: u64) -> [f64; 2] {
    let mut chunk = vec![0; SEALED_CHUNK_BYTES];
    let mut rates = [Vec::new(), Vec::new()];
    for _ in 0..11 {
        for (kernel, rates) in kernels.iter_mut().zip(&mut rates) {
            let begun = Instant::now();
            for i in 0..chunks {
                kernel(i, &mut chunk);
            }
            rates.push(megabytes(chunks) / begun.elapsed().as_secs_f64());
        }
    }
    rates.map(|r| median(&r))
}

fn megabytes(chunks: u64) -> f64 {
    #[expect(clippy::cast_precision_loss, reason = "sizes below 2^52")]
    let bytes = (chunks * CHUNK_BYTES as u64) as f64;
    bytes / 1e6
}

/// A file on tmpfs into a body on tmpfs.
fn end_to_end(bytes: u64) -> anyhow::Result<()> {
    let dir = tempfile::Builder::new().prefix("bailiwick-aead-").tempdir_in("/dev/shm")?;
    let (plain, body) = (dir.path().join("plain"), dir.path().join("body"));
    let mut noise = std::io::Read::take(blake3::Hasher::new().finalize_xof(), bytes);
    std::io::copy(&mut noise, &mut File::create(&plain)?)?;
    let mut seconds = vec![Vec::new(); Backend::ALL.len()];
    for _ in 0..if bytes > 1 << 20 { 7 } else { 1 } {
        let mut made: Vec<Encrypted> = Vec::new();
        for (backend, seconds) in Backend::ALL.iter().zip(&mut seconds) {
            let begun = Instant::now();
            made.push(run(*backend, &plain, &body)?);
            seconds.push(begun.elapsed().as_secs_f64());
            std::fs::remove_file(&body)?;
        }
        anyhow::ensure!(made.windows(2).all(|w| w[0] == w[1]), "the backends made different bodies");
    }
    let default = median(&seconds[0]);
    for (backend, seconds) in Backend::ALL.iter().zip(&seconds) {
        let s = median(seconds);
        println!(
            "{backend:?} end to end, one core: {:.0} MB/s, {:.2} times the default",
            megabytes(bytes / CHUNK_BYTES as u64) / s,
            default / s
        );
    }
    Ok(())
}

fn run(backend: Backend, plain: &Path, body: &Path) -> anyhow::Result<Encrypted> {
    Ok(encrypt(File::open(plain)?, File::create_new(body)?, &keys(backend))?)
}
