//! Running programs and measuring what they cost.

use std::ffi::OsStr;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Instant;

use anyhow::{Context as _, bail, ensure};

/// Cost of one run of a program.
#[derive(Clone, Copy, Debug)]
pub struct Cost {
    /// Wall seconds.
    pub wall_s: f64,
    /// User and system seconds.
    pub cpu_s: f64,
    /// Peak resident memory, bytes.
    pub peak_rss_bytes: u64,
}

/// The `bailiwick` program beside this bench in the target directory.
///
/// # Errors
/// When it has not been built.
pub fn bailiwick() -> anyhow::Result<PathBuf> {
    let bench = std::env::current_exe()?;
    let found = bench.ancestors().map(|d| d.join("bailiwick")).find(|p| p.is_file());
    found.context("the program is not built: run `cargo build --release` first")
}

/// Runs a program to its end through GNU time, which reports processor time and peak memory of that process alone.
///
/// # Errors
/// When it or GNU time (`apt-get install time`) cannot be started, or it fails.
pub fn measure<S: AsRef<OsStr>>(program: &Path, arguments: &[S]) -> anyhow::Result<Cost> {
    let begun = Instant::now();
    let output = Command::new("/usr/bin/time")
        .args(["-f", "\n%U %S %M"])
        .arg(program)
        .args(arguments)
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .output()
        .context("cannot start GNU time (Debian: apt-get install time)")?;
    let wall_s = begun.elapsed().as_secs_f64();
    let text = String::from_utf8_lossy(&output.stderr);
    ensure!(output.status.success(), "{} failed: {text}", program.display());
    let last = text.trim().lines().last().unwrap_or_default();
    let fields: Vec<f64> = last.split(' ').filter_map(|f| f.parse().ok()).collect();
    let [user, system, kib] = fields[..] else { bail!("GNU time printed {last:?}") };
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a size in KiB, exact")]
    Ok(Cost { wall_s, cpu_s: user + system, peak_rss_bytes: kib as u64 * 1024 })
}

fn status_kib(field: &str) -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find(|l| l.starts_with(field)).unwrap_or_default();
    line.split_whitespace().nth(1).and_then(|n| n.parse().ok()).unwrap_or(0)
}

/// Highest resident memory of this process so far, bytes.
#[must_use]
pub fn peak_rss_bytes() -> u64 {
    status_kib("VmHWM:") * 1024
}

/// User and system seconds of this process, all threads (Linux clock ticks of 10 ms).
#[must_use]
pub fn cpu_seconds() -> f64 {
    let stat = std::fs::read_to_string("/proc/self/stat").unwrap_or_default();
    let fields: Vec<&str> = stat.rsplit(')').next().unwrap_or_default().split_whitespace().collect();
    let ticks = |i: usize| fields.get(i).and_then(|f| f.parse::<f64>().ok()).unwrap_or(0.0);
    (ticks(11) + ticks(12)) / 100.0
}
