//! `audit run --campaign` and `audit resume`: do what is due.

use std::io::Write as _;
use std::path::Path;
use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;

use anyhow::Context as _;
use bailiwick_auditor::{
    Clock, Engine, Entropy, FileJournal, Hosts, Journal, NoEntropy, Ports, Purpose, Workers,
};
use bailiwick_beacon::BeaconVerifier;
use bailiwick_protocol::signing::SigningKey;
use bailiwick_protocol::time::rfc3339;
use indicatif::ProgressBar;

use super::Pursuit;
use super::beacon::Source;
use super::events::Event;
use super::files::CampaignFile;
use super::hosts::NodeHosts;
use super::log::TransparencyLog;
use super::metrics::Metrics;
use crate::audit::now_unix_ms;
use crate::keyfile::{self, Kind};
use crate::{Help, progress, say};

/// Hosts asked side by side.
const WORKERS_MAX: usize = 32;
/// How long one look at the reports may take.
const LOOK: Duration = Duration::from_millis(100);

/// The system's clock.
#[derive(Debug)]
pub(super) struct SystemClock;

impl Clock for SystemClock {
    fn now_ms(&self) -> u64 {
        now_unix_ms()
    }
}

struct SystemEntropy;

impl Entropy for SystemEntropy {
    fn fill(&mut self, _: Purpose, out: &mut [u8]) -> Result<(), NoEntropy> {
        getrandom::fill(out).map_err(|_| NoEntropy)
    }
}

/// Reads the auditor's key.
pub(super) fn auditor_key(file: &CampaignFile) -> anyhow::Result<Arc<SigningKey>> {
    Ok(Arc::new(keyfile::read_signing_key(&file.auditor, Kind::Auditor)?))
}

/// The ports of a campaign.
pub(super) fn ports(
    file: &CampaignFile,
    key: &Arc<SigningKey>,
    journal: Box<dyn Journal>,
) -> anyhow::Result<(Ports, BeaconVerifier)> {
    let chain = file.chain()?;
    let ports = Ports {
        journal,
        log: Box::new(TransparencyLog::new(&file.log, key)?),
        beacon: Box::new(Source::new(&file.beacon, chain.hash)),
        entropy: Box::new(SystemEntropy),
    };
    Ok((ports, BeaconVerifier::new(chain)?))
}

/// Runs what is due in `dir`; with `follow` to the end of the schedule.
pub(super) fn pursue(dir: &Path, pursuit: &Pursuit, json: bool) -> anyhow::Result<ExitCode> {
    let file = CampaignFile::read(dir)?;
    let key = auditor_key(&file)?;
    let (journal, records) = FileJournal::open(dir)
        .context(Help("a damaged journal cannot be resumed: keep it, and announce a new schedule"))?;
    let (ports, verifier) = ports(&file, &key, Box::new(journal))?;
    let pace = file.pace.pace();
    let mut engine = Engine::resume(&records, Arc::clone(&key), verifier, pace, ports)?;
    drop(records);
    let metrics = Metrics::default();
    if let Some(address) = pursuit.metrics {
        let bound = metrics.serve(address)?;
        eprintln!("metrics at http://{bound}/metrics");
    }
    let hosts: Arc<dyn Hosts> = Arc::new(NodeHosts::connect(&file, &key)?);
    let clock: Arc<dyn Clock> = Arc::new(SystemClock);
    let workers = Workers::new(&hosts, &clock, file.host.len().min(WORKERS_MAX));
    let bar = progress::steps(0, "audit");
    show_events(&mut engine, &bar, json);
    drive(&mut engine, &workers, &metrics, &bar, pursuit.follow)?;
    bar.finish_and_clear();
    conclude(&engine, json)?;
    Ok(ExitCode::SUCCESS)
}

fn show_events(engine: &mut Engine, bar: &ProgressBar, json: bool) {
    let bar = bar.clone();
    engine.observe(move |record| {
        let Some(event) = Event::of(record) else { return };
        bar.suspend(|| {
            if json {
                let line = serde_json::to_string(&event).unwrap_or_default();
                let mut out = std::io::stdout().lock();
                // A reader that went away must not stop an audit.
                let _ = writeln!(out, "{line}").and_then(|()| out.flush());
            } else if let Some(line) = event.line() {
                let _ = say!("{line}");
            }
        });
    });
}

fn drive(
    engine: &mut Engine,
    workers: &Workers,
    metrics: &Metrics,
    bar: &ProgressBar,
    follow: bool,
) -> anyhow::Result<()> {
    let mut told = None;
    loop {
        workers.step(engine, &SystemClock, LOOK).context(Help(
            "nothing more was asked or logged; a journal that was restored from an older state must not be used: announce a new schedule",
        ))?;
        let now = now_unix_ms();
        metrics.set(engine.campaign().tally(), engine.at_work(now).len(), engine.last_fault().is_some(), now);
        show_progress(engine, bar, now);
        let fault = engine.last_fault().map(ToString::to_string);
        if fault != told {
            if let Some(fault) = &fault {
                bar.suspend(|| eprintln!("warning: {}; trying again", crate::output::printable(fault)));
            }
            told = fault;
        }
        if engine.is_busy(now) {
            continue;
        }
        match engine.next_due_ms(now) {
            Some(next) if follow => {
                let wait = Duration::from_millis(next.saturating_sub(now));
                std::thread::sleep(wait.min(Duration::from_millis(500)));
            }
            _ => return Ok(()),
        }
    }
}

fn show_progress(engine: &Engine, bar: &ProgressBar, now: u64) {
    let at_work = engine.at_work(now);
    let Some(epoch) = at_work.first() else {
        return bar.set_message("waiting for the next epoch");
    };
    let (asked, logged) = engine.campaign().progress(*epoch);
    bar.set_message(format!("epoch {epoch}: {logged} of {asked} outcomes logged"));
    bar.set_length(asked as u64);
    bar.set_position(logged as u64);
}

#[derive(serde::Serialize)]
struct Conclusion {
    event: &'static str,
    epochs: u64,
    epochs_done: u64,
    epochs_missed: u64,
    bundles: u64,
    inventories_missing: u64,
    unwitnessed: u64,
    next_unix_ms: Option<u64>,
}

fn conclude(engine: &Engine, json: bool) -> anyhow::Result<()> {
    let tally = engine.campaign().tally();
    let conclusion = Conclusion {
        event: "stopped",
        epochs: tally.epochs,
        epochs_done: tally.epochs_done,
        epochs_missed: tally.epochs_missed,
        bundles: tally.bundles,
        inventories_missing: tally.inventories_missing,
        unwitnessed: tally.unwitnessed,
        next_unix_ms: engine.next_due_ms(now_unix_ms()),
    };
    if json {
        say!("{}", serde_json::to_string(&conclusion)?)?;
        return Ok(());
    }
    say!(
        "{} of {} epochs done, {} missed; {} bundles signed, {} inventories missing.",
        tally.epochs_done,
        tally.epochs,
        tally.epochs_missed,
        tally.bundles,
        tally.inventories_missing
    )?;
    match conclusion.next_unix_ms {
        Some(next) => say!("The next epoch begins at {}.", rfc3339(next))?,
        None => say!("The schedule is over. Write its evidence with `bailiwick audit dossier`.")?,
    }
    Ok(())
}
