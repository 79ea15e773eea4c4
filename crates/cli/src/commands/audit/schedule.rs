//! `bailiwick audit schedule`: fix who is audited when, and say so in a transparency log before it begins.

use std::fs::DirBuilder;
use std::os::unix::fs::DirBuilderExt as _;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::{Context as _, ensure};
use bailiwick_auditor::{Engine, FileJournal, Log as _, Pace};
use bailiwick_beacon::{ChainInfo, QUICKNET, Round};
use bailiwick_protocol::codec::Canonical as _;
use bailiwick_protocol::ids::{AuditorKey, HostKey};
use bailiwick_protocol::limits::SCHEDULE_HOSTS_MAX;
use bailiwick_protocol::schedule::{Schedule, ScheduledHost};
use bailiwick_protocol::signing::{Signed, SigningKey};
use bailiwick_protocol::time::rfc3339;

use super::campaign::{auditor_key, ports};
use super::files::{
    BeaconEntry, CAMPAIGN_VERSION, CampaignFile, ChainEntry, HostEntry, HostsFile, LogEntry, read_chain,
    read_hosts,
};
use super::log::TransparencyLog;
use super::single::check_key;
use crate::audit::now_unix_ms;
use crate::commands::beacon;
use crate::keyfile::{self, Kind};
use crate::output::{print_json, read_bounded, write_new};
use crate::{Help, say};

/// How long the log may take to take the schedule.
const LOG_PATIENCE: Duration = Duration::from_secs(60);
/// Time from now to the first epoch's first step, unless its round is given.
const HEAD_START_MS: u64 = 10_000;

/// Arguments of `audit schedule`.
#[derive(Debug, clap::Args)]
pub(super) struct ScheduleArgs {
    /// The auditor's secret key file; the log must accept entries from this key
    #[arg(long, value_name = "FILE")]
    auditor: PathBuf,
    /// Hosts to audit: `[[host]]` tables with url, key, class, vk and, for https, roots
    #[arg(long, value_name = "FILE")]
    hosts: PathBuf,
    /// Folder of verifying keys, DIGEST.vk
    #[arg(long, value_name = "DIR", default_value = "circuit-keys")]
    circuit_keys: PathBuf,
    /// Number of the first epoch
    #[arg(long, value_name = "N", default_value_t = 1)]
    first_epoch: u64,
    /// Epochs
    #[arg(long, value_name = "N")]
    epochs: u64,
    /// Beacon rounds from one epoch to the next
    #[arg(long, value_name = "ROUNDS")]
    period: u64,
    /// Beacon round of the first epoch [default: the first that leaves time for its inventories]
    #[arg(long, value_name = "ROUND")]
    first_round: Option<u64>,
    /// Seconds after its round in which an outcome must be in the log
    #[arg(long, value_name = "SECONDS", default_value_t = 600)]
    answer_seconds: u64,
    /// Seconds before the round at which inventories are asked for [default: --answer-seconds, 600 at most]
    #[arg(long, value_name = "SECONDS")]
    lead_seconds: Option<u64>,
    /// Random blocks to fetch of each host and epoch, as a customer would
    #[arg(long, value_name = "N", default_value_t = 4)]
    probes: u32,
    /// Address of the transparency log
    #[arg(long, value_name = "URL")]
    log: String,
    /// The log's public note key, name+id+key, or its file
    #[arg(long, value_name = "KEY")]
    log_key: String,
    /// A witness's public note key, or its file; give one for each
    #[arg(long, value_name = "KEY")]
    witness: Vec<String>,
    /// Witnesses that must have cosigned [default: all]
    #[arg(long, value_name = "N")]
    quorum: Option<usize>,
    /// PEM file with the certificates to trust for an https log
    #[arg(long, value_name = "FILE")]
    log_roots: Option<PathBuf>,
    /// Where rounds come from: an address or a file name with {round} in it, a folder of files named by number, or `log` for the log's
    /// own relay
    #[arg(long, value_name = "SOURCE")]
    beacon: String,
    /// PEM file with the certificates to trust for an https beacon
    #[arg(long, value_name = "FILE")]
    beacon_roots: Option<PathBuf>,
    /// Another beacon chain than drand's quicknet: a file with the `[beacon]` table of the trust anchors
    #[arg(long, value_name = "FILE")]
    beacon_chain: Option<PathBuf>,
    /// Folder to make for the campaign
    #[arg(short, long, value_name = "DIR")]
    output: PathBuf,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

#[derive(serde::Serialize)]
struct Report {
    schedule: String,
    campaign: String,
    hosts: usize,
    epochs: u64,
    first_round: u64,
    first_round_unix_ms: u64,
    log_index_known: bool,
}

/// Runs the command.
pub(super) fn run(args: &ScheduleArgs) -> anyhow::Result<ExitCode> {
    let named = read_hosts(&args.hosts)?;
    let chain_entry = args.beacon_chain.as_deref().map(read_chain).transpose()?;
    let pace = pace(args)?;
    let file = CampaignFile {
        version: CAMPAIGN_VERSION,
        auditor: absolute(&args.auditor)?,
        pace: pace.into(),
        log: log_entry(args)?,
        beacon: beacon_entry(args, &chain_entry.as_ref().map_or(Ok(QUICKNET), ChainEntry::chain)?)?,
        chain: chain_entry,
        host: host_entries(&named)?,
    };
    let key = auditor_key(&file)?;
    let chain = file.chain()?;
    let schedule = schedule(args, &named, &key, &chain, &pace)?;
    // Before anything is made: a log that cannot be reached, or is not the pinned one.
    TransparencyLog::new(&file.log, &key)?
        .entries(0)
        .context("the log cannot be used")
        .context(Help("check --log and --log-key; the log must be running"))?;
    let engine = begin(&args.output, &file, &schedule, &key)?;
    report(args, &schedule, &chain, &engine)?;
    Ok(ExitCode::SUCCESS)
}

fn beacon_entry(args: &ScheduleArgs, chain: &ChainInfo) -> anyhow::Result<BeaconEntry> {
    let (source, roots) = match args.beacon.as_str() {
        "log" => (
            beacon::relayed(&args.log, chain, "{round}"),
            args.beacon_roots.as_ref().or(args.log_roots.as_ref()),
        ),
        address if address.contains("://") => (address.to_owned(), args.beacon_roots.as_ref()),
        path => (std::path::absolute(path)?.display().to_string(), args.beacon_roots.as_ref()),
    };
    Ok(BeaconEntry { source, roots: roots.map(|path| absolute(path)).transpose()? })
}

fn absolute(path: &Path) -> anyhow::Result<PathBuf> {
    path.canonicalize().with_context(|| format!("cannot find {}", path.display()))
}

fn pace(args: &ScheduleArgs) -> anyhow::Result<Pace> {
    ensure!((1..=86_400).contains(&args.answer_seconds), "--answer-seconds is 1 to 86400");
    ensure!(args.probes <= 1000, "--probes is at most 1000");
    let mut pace = Pace { probes: args.probes, ..Pace::of(args.answer_seconds * 1000) };
    if let Some(lead) = args.lead_seconds {
        ensure!((2..=86_400).contains(&lead), "--lead-seconds is 2 to 86400");
        (pace.lead_ms, pace.commit_ms) = (lead * 1000, lead * 500);
    }
    Ok(pace)
}

/// A note key, or the text of the file that has it.
fn note_key(text: &str) -> anyhow::Result<String> {
    if text.contains('+') {
        return Ok(text.trim().to_owned());
    }
    let bytes = read_bounded(Path::new(text), 4096)?;
    let text = String::from_utf8(bytes).with_context(|| format!("{text} is not text"))?;
    Ok(text.trim().to_owned())
}

fn log_entry(args: &ScheduleArgs) -> anyhow::Result<LogEntry> {
    let entry = LogEntry {
        url: args.log.clone(),
        key: note_key(&args.log_key)?,
        witnesses: args.witness.iter().map(|w| note_key(w)).collect::<anyhow::Result<_>>()?,
        quorum: args.quorum.unwrap_or(args.witness.len()),
        roots: args.log_roots.as_deref().map(absolute).transpose()?,
    };
    entry.policy()?;
    Ok(entry)
}

fn host_entries(named: &HostsFile) -> anyhow::Result<Vec<HostEntry>> {
    named
        .host
        .iter()
        .map(|h| {
            let key = HostKey(keyfile::public_key(&h.key, Kind::Host)?);
            let roots = h.roots.as_deref().map(absolute).transpose()?;
            Ok(HostEntry { url: h.url.clone(), key: key.to_string(), roots })
        })
        .collect()
}

fn schedule(
    args: &ScheduleArgs,
    named: &HostsFile,
    key: &SigningKey,
    chain: &ChainInfo,
    pace: &Pace,
) -> anyhow::Result<Schedule> {
    let mut hosts = Vec::with_capacity(named.host.len());
    for h in &named.host {
        let class = super::parse_class(&h.class)
            .map_err(|e| anyhow::anyhow!("{}: class {:?}: {e}", args.hosts.display(), h.class))?;
        check_key(&args.circuit_keys, h.vk, class)?;
        hosts.push(ScheduledHost {
            host: HostKey(keyfile::public_key(&h.key, Kind::Host)?),
            class,
            vk: h.vk,
        });
    }
    hosts.sort_by_key(|h| h.host);
    ensure!(!hosts.is_empty(), "{} names no host", args.hosts.display());
    ensure!(hosts.windows(2).all(|w| w[0].host < w[1].host), "{} names a host twice", args.hosts.display());
    ensure!(hosts.len() <= SCHEDULE_HOSTS_MAX, "a schedule has {SCHEDULE_HOSTS_MAX} hosts at most");
    let earliest = chain.round_at(now_unix_ms() + pace.lead_ms + HEAD_START_MS)?.get() + 1;
    let schedule = Schedule {
        auditor: AuditorKey(key.public()),
        chain: chain.hash,
        first_epoch: args.first_epoch,
        epochs: args.epochs,
        first_round: args.first_round.unwrap_or(earliest),
        rounds_per_epoch: args.period,
        answer_ms: args.answer_seconds * 1000,
        hosts,
    };
    // The rules of a schedule are those of its decoder.
    let schedule = Schedule::from_bytes(&schedule.to_bytes())
        .context("epochs and period are at least 1, and the last round must be a number")?;
    let first_ms = chain.published_at(Round::new(schedule.first_round)?)?;
    ensure!(
        first_ms > now_unix_ms(),
        "round {} is published already: a schedule is announced before it begins",
        schedule.first_round
    );
    Ok(schedule)
}

/// Makes the folder and enters the schedule in the log.
fn begin(
    dir: &Path,
    file: &CampaignFile,
    schedule: &Schedule,
    key: &Arc<SigningKey>,
) -> anyhow::Result<Engine> {
    DirBuilder::new()
        .mode(0o700)
        .create(dir)
        .with_context(|| format!("cannot make {}", dir.display()))
        .context(Help("choose another name with -o"))?;
    write_new(&dir.join("campaign.toml"), 0o600, toml::to_string(file)?.as_bytes())?;
    let journal = FileJournal::create(dir)?;
    let (ports, verifier) = ports(file, key, Box::new(journal))?;
    let signed = Signed::new(schedule, key);
    let mut engine = Engine::begin(signed, Arc::clone(key), verifier, file.pace.pace(), ports)?;
    let begun = Instant::now();
    while engine.campaign().tally().logged == 0 {
        engine.advance(now_unix_ms())?;
        if begun.elapsed() > LOG_PATIENCE {
            let why = engine
                .last_fault()
                .map_or_else(|| "too few witnesses have cosigned so far".to_owned(), ToString::to_string);
            return Err(anyhow::anyhow!(
                "the schedule is not in the log yet: {}",
                crate::output::printable(&why)
            ))
            .context(Help("go on with `bailiwick audit resume --campaign DIR`"));
        }
        std::thread::sleep(Duration::from_millis(100));
    }
    Ok(engine)
}

fn report(
    args: &ScheduleArgs,
    schedule: &Schedule,
    chain: &ChainInfo,
    engine: &Engine,
) -> anyhow::Result<()> {
    let first_ms = chain.published_at(Round::new(schedule.first_round)?)?;
    let report = Report {
        schedule: schedule.digest().to_string(),
        campaign: args.output.display().to_string(),
        hosts: schedule.hosts.len(),
        epochs: schedule.epochs,
        first_round: schedule.first_round,
        first_round_unix_ms: first_ms,
        log_index_known: engine.campaign().tally().logged > 0,
    };
    if args.json {
        return print_json(&report);
    }
    say!("schedule  {} is in the log", report.schedule)?;
    say!(
        "hosts     {}, {} epochs, one every {} rounds",
        report.hosts,
        report.epochs,
        schedule.rounds_per_epoch
    )?;
    say!("first     round {} at {}", report.first_round, rfc3339(first_ms))?;
    say!("campaign  {}", report.campaign)?;
    say!("Run it with `bailiwick audit run --campaign {} --follow`.", report.campaign)?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use clap::Parser as _;

    use super::*;

    #[derive(clap::Parser)]
    struct Line {
        #[command(flatten)]
        args: ScheduleArgs,
    }

    fn source(beacon: &str, log: &str) -> String {
        let line =
            ["x", "--auditor", "a", "--hosts", "h", "--epochs", "1", "--period", "1", "--log-key", "k"];
        let line = line.into_iter().chain(["-o", "c", "--log", log, "--beacon", beacon]);
        beacon_entry(&Line::parse_from(line).args, &QUICKNET).unwrap().source
    }

    /// `log` is the campaign's log, whatever way its address is written; everything else is what it says.
    #[test]
    fn the_log_can_be_the_beacon() {
        for log in ["https://log.example/eu", "https://log.example/eu/"] {
            assert_eq!(source("log", log), "https://log.example/eu/beacon/quicknet/{round}");
        }
        assert_eq!(source("http://relay/{round}", "http://log"), "http://relay/{round}");
        assert!(source("./log", "http://log").ends_with("/log"));
    }
}
