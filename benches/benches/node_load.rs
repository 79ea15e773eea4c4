//! A real node under open-loop load, on a real disk.
//!
//! Bars: 200 range GETs/s of 64 KiB on 200 connections, p99 with a proof being made at most 3 times that without;
//! 3,000 durable PUTs of 64 KiB a minute, beside what the disk can do (write 64 KiB, fsync) in the same run.
//! Run with `--test` it does everything once, small.

use std::fs;
use std::io::{BufRead as _, BufReader, Write as _};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Instant, SystemTime, UNIX_EPOCH};

use anyhow::{Context as _, ensure};
use bailiwick_benches::load::open_loop;
use bailiwick_benches::process::bailiwick;
use bailiwick_benches::stats::percentile;
use bailiwick_client::{Client, ClientOptions};
use bailiwick_protocol::http_signature::{Content, RequestParts, SignatureParameters, sign};
use bailiwick_protocol::ids::HostKey;
use bailiwick_protocol::secret::Secret;
use bailiwick_protocol::signing::SigningKey;
use serde_json::Value;

const RANGE_BYTES: u64 = 64 * 1024;

struct World {
    dir: tempfile::TempDir,
    program: PathBuf,
}

impl World {
    fn path(&self, name: &str) -> String {
        self.dir.path().join(name).display().to_string()
    }

    fn run(&self, arguments: &[&str]) -> anyhow::Result<Vec<u8>> {
        let out = Command::new(&self.program).args(arguments).stdin(Stdio::null()).output()?;
        ensure!(out.status.success(), "{arguments:?}: {}", String::from_utf8_lossy(&out.stderr));
        Ok(out.stdout)
    }

    fn json(&self, arguments: &[&str]) -> anyhow::Result<Value> {
        Ok(serde_json::from_slice(&self.run(&[arguments, &["--json"]].concat())?)?)
    }
}

/// Killed when dropped.
struct Node(Child);

impl Drop for Node {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

fn main() -> anyhow::Result<()> {
    let quick = std::env::args().any(|a| a == "--test");
    let world = World { dir: tempfile::tempdir()?, program: bailiwick()? };
    let class = if quick { "tiny" } else { "standard" };
    let (connections, seconds) = if quick { (4, 2) } else { (200, 20) };
    for kind in ["owner", "auditor", "recipient"] {
        world.run(&["key", "new", kind, "-o", &world.path(kind)])?;
    }
    let owner_public = public(&world, "owner")?;
    let made = world.json(&[
        "node",
        "init",
        &world.path("node"),
        "--owner",
        &owner_public,
        "--auditor",
        &public(&world, "auditor")?,
        "--circuit-keys",
        &world.path("keys"),
        "--listen",
        "127.0.0.1:0",
    ])?;
    let host = made["host"].as_str().context("host")?.to_owned();
    let vk = world.json(&[
        "circuit",
        "setup",
        "--class",
        class,
        "--auditor",
        &world.path("auditor"),
        "--dir",
        &world.path("keys"),
    ])?;
    let vk = vk["vk"].as_str().context("vk")?.to_owned();
    let (_node, url, address) = start(&world, made["config"].as_str().context("config")?)?;
    let name = seal_and_put(&world, if quick { 100_000 } else { 64 << 20 }, &url, &host)?;

    let size = fs::metadata(world.path("body"))?.len();
    let key = secret_key(Path::new(&world.path("owner")))?;
    let host_key: HostKey = host.parse()?;
    let path = format!("/v1/objects/{name}/body");
    let counter = AtomicU64::new(0);
    let request = || range_request(&key, &host_key, address, &path, size, &counter);

    let calm = open_loop(address, connections, seconds, request)?;
    let stop = AtomicBool::new(false);
    let (busy, proofs) = std::thread::scope(|scope| {
        let prover = scope.spawn(|| keep_proving(&world, &url, &host, &vk, class, &owner_public, &stop));
        std::thread::sleep(std::time::Duration::from_secs(1));
        let busy = open_loop(address, connections, seconds, request);
        stop.store(true, Ordering::Relaxed);
        (busy, prover.join())
    });
    let busy = busy?;
    let proofs = proofs.map_err(|_| anyhow::anyhow!("the auditing thread panicked"))??;
    println!(
        "open loop, {connections} range GETs of 64 KiB a second on {connections} connections, {seconds} s"
    );
    for (what, latencies) in [("without a proof", &calm), ("with a proof being made", &busy)] {
        println!(
            "  {what:24} p50 {:6.2} ms  p99 {:6.2} ms  max {:6.2} ms  ({} requests)",
            percentile(latencies, 0.5),
            percentile(latencies, 0.99),
            percentile(latencies, 1.0),
            latencies.len()
        );
    }
    println!(
        "  p99 ratio {:.2}; {proofs} {class} proofs meanwhile",
        percentile(&busy, 0.99) / percentile(&calm, 0.99)
    );
    puts(&world, if quick { 8 } else { 600 }, &url, host_key)
}

fn public(world: &World, name: &str) -> anyhow::Result<String> {
    let shown = world.json(&["key", "show", &world.path(name)])?;
    Ok(shown["public"].as_str().context("public")?.to_owned())
}

fn start(world: &World, config: &str) -> anyhow::Result<(Node, String, SocketAddr)> {
    let log = fs::File::create(world.path("log"))?;
    let mut child = Command::new(&world.program)
        .args(["node", "run", "--config", config])
        .stdout(Stdio::piped())
        .stderr(log)
        .spawn()?;
    let out = child.stdout.take().context("stdout")?;
    let node = Node(child);
    let mut line = String::new();
    BufReader::new(out).read_line(&mut line)?;
    let url = line.trim().strip_prefix("listening on ").context("the node did not start")?.to_owned();
    let address = url.strip_prefix("http://").context("http")?.parse()?;
    Ok((node, url, address))
}

fn write_plain(path: &str, bytes: usize, seed: u64) -> anyhow::Result<()> {
    let mut rng = <rand_chacha::ChaCha8Rng as rand::SeedableRng>::seed_from_u64(seed);
    let mut data = vec![0; bytes];
    rand::Rng::fill_bytes(&mut rng, &mut data);
    Ok(fs::write(path, data)?)
}

fn seal_and_put(world: &World, bytes: usize, url: &str, host: &str) -> anyhow::Result<String> {
    write_plain(&world.path("plain"), bytes, 1)?;
    let sealed = world.json(&[
        "seal",
        &world.path("plain"),
        "-o",
        &world.path("body"),
        "--envelope",
        &world.path("envelope"),
        "--owner",
        &world.path("owner"),
        "--to",
        &world.path("recipient.pub"),
    ])?;
    world.run(&[
        "put",
        &world.path("body"),
        "--envelope",
        &world.path("envelope"),
        "--owner",
        &world.path("owner"),
        "--node",
        url,
        "--host",
        host,
    ])?;
    Ok(sealed["name"].as_str().context("name")?.to_owned())
}

/// The secret of a key file this bench made.
fn secret_key(path: &Path) -> anyhow::Result<SigningKey> {
    let text = fs::read_to_string(path)?;
    let hex = text
        .lines()
        .find_map(|l| l.strip_prefix("secret = \"")?.strip_suffix('"'))
        .context("no secret in the key file")?;
    let mut failed = Ok(());
    let seed = Secret::init_with(|b| failed = hex::decode_to_slice(hex, b));
    failed?;
    Ok(SigningKey::from_seed(&seed))
}

fn range_request(
    key: &SigningKey,
    host: &HostKey,
    address: SocketAddr,
    path: &str,
    size: u64,
    counter: &AtomicU64,
) -> Vec<u8> {
    let n = counter.fetch_add(1, Ordering::Relaxed);
    let mut nonce = [0; 16];
    nonce[..8].copy_from_slice(&n.to_le_bytes());
    nonce[8] = 1;
    let created = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |d| d.as_secs());
    let authority = address.to_string();
    let parts = RequestParts {
        method: "GET",
        authority: &authority,
        path,
        query: None,
        host,
        content: Content::None,
    };
    let headers = sign(&parts, &SignatureParameters { created, expires: created + 60, nonce }, key);
    // Spread over the body, so that one cached page does not answer everything.
    let offset = n.wrapping_mul(0x9e37_79b9_7f4a_7c15) % (size - RANGE_BYTES);
    format!(
        "GET {path} HTTP/1.1\r\nhost: {authority}\r\nbailiwick-host: {host}\r\nrange: bytes={offset}-{}\r\n\
         signature-input: {}\r\nsignature: {}\r\n\r\n",
        offset + RANGE_BYTES - 1,
        headers.signature_input,
        headers.signature
    )
    .into_bytes()
}

/// Audits without pause until told to stop; gives the number of proofs.
fn keep_proving(
    world: &World,
    url: &str,
    host: &str,
    vk: &str,
    class: &str,
    owner: &str,
    stop: &AtomicBool,
) -> anyhow::Result<u32> {
    let mut proofs = 0;
    while !stop.load(Ordering::Relaxed) {
        let bundle = world.path(&format!("bundle-{proofs}"));
        let told = world.json(&[
            "audit",
            "run",
            "--node",
            url,
            "--host",
            host,
            "--auditor",
            &world.path("auditor"),
            "--vk",
            vk,
            "--class",
            class,
            "--circuit-keys",
            &world.path("keys"),
            "--envelope",
            &world.path("envelope"),
            "--owner",
            owner,
            "--probes",
            "0",
            "-o",
            &bundle,
        ])?;
        ensure!(told["answer"] == "proof", "{told}");
        proofs += 1;
    }
    Ok(proofs)
}

fn puts(world: &World, n: usize, url: &str, host: HostKey) -> anyhow::Result<()> {
    let mut objects = Vec::new();
    for i in 0..n {
        let (plain, body, envelope) =
            (world.path("small"), world.path(&format!("s{i}")), world.path(&format!("e{i}")));
        // Metadata and padding bring the body to about 64 KiB.
        write_plain(&plain, 60 * 1024, i as u64 + 2)?;
        let sealed = world.json(&[
            "seal",
            &plain,
            "-o",
            &body,
            "--envelope",
            &envelope,
            "--owner",
            &world.path("owner"),
            "--to",
            &world.path("recipient.pub"),
        ])?;
        let name = sealed["name"].as_str().context("name")?.parse().map_err(|_| anyhow::anyhow!("name"))?;
        objects.push((name, fs::read(envelope)?, fs::read(body)?));
    }
    let bytes = objects.first().map_or(0, |o| o.2.len());
    let floor = disk_floor(world, n, bytes)?;
    let next = AtomicU64::new(0);
    let begun = Instant::now();
    std::thread::scope(|scope| {
        let threads: Vec<_> = (0..4)
            .map(|_| {
                scope.spawn(|| -> anyhow::Result<()> {
                    let key = secret_key(Path::new(&world.path("owner")))?;
                    let client = Client::new(url, host, key, ClientOptions::default())?;
                    while let Some((name, envelope, body)) =
                        objects.get(usize::try_from(next.fetch_add(1, Ordering::Relaxed))?)
                    {
                        client.put(name, envelope, || Ok(body.as_slice()), body.len() as u64)?;
                    }
                    Ok(())
                })
            })
            .collect();
        threads.into_iter().try_for_each(|t| t.join().map_err(|_| anyhow::anyhow!("put thread"))?)
    })?;
    let seconds = begun.elapsed().as_secs_f64();
    #[expect(clippy::cast_precision_loss, reason = "a small count")]
    let n = n as f64;
    println!(
        "durable PUTs of {bytes} bytes on 4 connections: {:.0} a minute; one file written and fsynced alone: {:.0} a minute (ratio {:.2})",
        60.0 * n / seconds,
        60.0 * n / floor,
        floor / seconds
    );
    Ok(())
}

/// Seconds to write and fsync as many files of as many bytes, one after another: what the disk allows.
fn disk_floor(world: &World, n: usize, bytes: usize) -> anyhow::Result<f64> {
    let data = vec![7u8; bytes];
    let begun = Instant::now();
    for i in 0..n {
        let mut file = fs::File::create(world.path(&format!("floor{i}")))?;
        file.write_all(&data)?;
        file.sync_all()?;
    }
    Ok(begun.elapsed().as_secs_f64())
}
