//! `bailiwick beacon`: rounds of public randomness, verified here whoever relayed them.

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::Context as _;
use bailiwick_beacon::{
    BeaconRound, BeaconVerifier, ChainInfo, DRAND_JSON_BYTES_MAX, Freshness, QUICKNET, Round, read_round,
};
use bailiwick_protocol::codec::Canonical as _;
use bailiwick_protocol::time::{days_from_civil, rfc3339};

use crate::Help;
use crate::audit::now_unix_ms;
use crate::output::{print_json, read_bounded, write_new};
use crate::say;

pub(crate) mod http;

/// Arguments of `beacon`.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, clap::Subcommand)]
enum Command {
    /// Get a round from a relay or a file, verify it and keep it
    Fetch(FetchArgs),
    /// Verify and show a round that was kept
    Show(ShowArgs),
    /// Which round belongs to a moment
    Round(RoundArgs),
}

#[derive(Debug, clap::Args)]
struct FetchArgs {
    /// Where drand's HTTP API serves the round; {round} stands for the number given by --round
    #[arg(long, required_unless_present_any = ["file", "log"], conflicts_with_all = ["file", "log"])]
    url: Option<String>,
    /// Address of a transparency log that relays the beacon: the round given by --round, else the latest
    #[arg(long, value_name = "URL", conflicts_with = "file")]
    log: Option<String>,
    /// A file with the round, in drand's JSON or as kept by this command
    #[arg(long, value_name = "FILE")]
    file: Option<PathBuf>,
    /// The round it must be
    #[arg(long, value_name = "NUMBER")]
    round: Option<u64>,
    /// Refuse a round published longer ago than this
    #[arg(long, value_name = "SECONDS")]
    max_age: Option<u64>,
    /// Judge as at this moment instead of now: 2026-11-22T15:04:05Z, or Unix seconds
    #[arg(long, value_name = "TIME", value_parser = parse_time)]
    as_of: Option<u64>,
    /// PEM file with the certificates to trust (https needs it)
    #[arg(long, value_name = "PEM")]
    ca: Option<PathBuf>,
    /// Keep the round here
    #[arg(short, long, value_name = "FILE")]
    output: Option<PathBuf>,
    /// Print as JSON
    #[arg(long)]
    json: bool,
}

#[derive(Debug, clap::Args)]
struct ShowArgs {
    /// The round, as kept by `fetch` or in drand's JSON
    round_file: PathBuf,
    /// Print as JSON
    #[arg(long)]
    json: bool,
}

#[derive(Debug, clap::Args)]
struct RoundArgs {
    /// The moment: 2026-11-22T15:04:05Z, or Unix seconds
    #[arg(long, value_name = "TIME", value_parser = parse_time)]
    at: u64,
    /// Print as JSON
    #[arg(long)]
    json: bool,
}

#[derive(serde::Serialize)]
struct Shown {
    chain: String,
    network: String,
    round: u64,
    published: String,
    published_unix_ms: u64,
    signature: String,
    randomness: String,
}

#[derive(serde::Serialize)]
struct Scheduled {
    chain: String,
    network: String,
    round: u64,
    published: String,
    published_unix_ms: u64,
    next_unix_ms: u64,
}

/// Runs the command.
pub(crate) fn run(args: Args) -> anyhow::Result<ExitCode> {
    match args.command {
        Command::Fetch(a) => fetch(&a)?,
        Command::Show(a) => {
            let round = read(&read_bounded(&a.round_file, DRAND_JSON_BYTES_MAX as u64)?, &a.round_file)?;
            BeaconVerifier::new(QUICKNET)?.verify(&round).context(Help("it is forged or damaged"))?;
            show(&round, None, a.json)?;
        }
        Command::Round(a) => schedule(a.at, a.json)?,
    }
    Ok(ExitCode::SUCCESS)
}

fn fetch(args: &FetchArgs) -> anyhow::Result<()> {
    let wanted = args.round.map(Round::new).transpose()?;
    let url = match (&args.url, &args.log) {
        (Some(url), _) => Some(address(url, wanted)?),
        (None, Some(log)) => {
            let which = wanted.map_or_else(|| "latest".to_owned(), |round| round.to_string());
            Some(relayed(log, &QUICKNET, &which))
        }
        (None, None) => None,
    };
    let (bytes, source) = match (url, &args.file) {
        (Some(url), _) => (http::get(&url, args.ca.as_deref(), DRAND_JSON_BYTES_MAX)?, PathBuf::from(url)),
        (None, Some(file)) => (read_bounded(file, DRAND_JSON_BYTES_MAX as u64)?, file.clone()),
        (None, None) => anyhow::bail!("one of --url, --log and --file is needed"),
    };
    let round = read(&bytes, &source)?;
    let now_ms = args.as_of.unwrap_or_else(now_unix_ms);
    let window_ms = args.max_age.map_or(u64::MAX, |s| s.saturating_mul(1000));
    let expected = wanted.map_or_else(|| Round::new(round.round), Ok)?;
    BeaconVerifier::new(QUICKNET)?
        .accept(&round, expected, Freshness { now_ms, window_ms })
        .with_context(|| format!("{} does not give an acceptable round", source.display()))
        .context(Help("ask another relay; who relays a round need not be trusted, and cannot forge one"))?;
    if let Some(path) = &args.output {
        write_new(path, 0o644, &round.to_bytes())?;
    }
    show(&round, Some(now_ms), args.json)
}

/// Where a log relays a round of a chain, or its `latest` (spec beacon, D15).
pub(crate) fn relayed(log: &str, chain: &ChainInfo, which: &str) -> String {
    format!("{}/beacon/{}/{which}", log.trim_end_matches('/'), chain.id)
}

fn address(url: &str, round: Option<Round>) -> anyhow::Result<String> {
    match (url.contains("{round}"), round) {
        (false, _) => Ok(url.to_owned()),
        (true, Some(round)) => Ok(url.replace("{round}", &round.to_string())),
        (true, None) => Err(anyhow::anyhow!("the address has {{round}}, and no --round says which")),
    }
}

fn read(bytes: &[u8], source: &Path) -> anyhow::Result<BeaconRound> {
    read_round(bytes, &QUICKNET.hash)
        .with_context(|| format!("{} is not a beacon round", source.display()))
        .context(Help("it must be what drand's HTTP API answers for a round, or a file `beacon fetch` kept"))
}

/// `now_ms` is given for a round that was fetched: how old it is then belongs to it.
fn show(round: &BeaconRound, now_ms: Option<u64>, json: bool) -> anyhow::Result<()> {
    let published_unix_ms = QUICKNET.published_at(Round::new(round.round)?)?;
    let shown = Shown {
        chain: hex::encode(round.chain),
        network: QUICKNET.id.into_owned(),
        round: round.round,
        published: rfc3339(published_unix_ms),
        published_unix_ms,
        signature: hex::encode(round.signature),
        randomness: hex::encode(round.randomness()),
    };
    if json {
        return print_json(&shown);
    }
    say!("chain       {} ({})", shown.chain, shown.network)?;
    say!("round       {}, signature verified", shown.round)?;
    match now_ms.map(|now| now.saturating_sub(published_unix_ms) / 1000) {
        Some(age) => say!("published   {}, {age} seconds ago", shown.published)?,
        None => say!("published   {}", shown.published)?,
    }
    say!("randomness  {}", shown.randomness)?;
    say!("signature   {}", shown.signature)?;
    Ok(())
}

fn schedule(at: u64, json: bool) -> anyhow::Result<()> {
    let chain: ChainInfo = QUICKNET;
    let round = chain.round_at(at)?;
    let published_unix_ms = chain.published_at(round)?;
    let next_unix_ms = chain.published_at(Round::new(round.get() + 1)?)?;
    let scheduled = Scheduled {
        chain: hex::encode(chain.hash),
        network: chain.id.into_owned(),
        round: round.get(),
        published: rfc3339(published_unix_ms),
        published_unix_ms,
        next_unix_ms,
    };
    if json {
        return print_json(&scheduled);
    }
    say!("chain      {} ({})", scheduled.chain, scheduled.network)?;
    say!("round      {}", scheduled.round)?;
    say!("published  {}", scheduled.published)?;
    say!("next       {}", rfc3339(next_unix_ms))?;
    Ok(())
}

/// Unix milliseconds of `2026-11-22T15:04:05Z` or of Unix seconds.
fn parse_time(text: &str) -> Result<u64, String> {
    let bad = || format!("{text:?} is neither like 2026-11-22T15:04:05Z nor Unix seconds");
    if !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit()) {
        return text.parse::<u64>().ok().and_then(|s| s.checked_mul(1000)).ok_or_else(bad);
    }
    civil(text).ok_or_else(bad)
}

fn civil(text: &str) -> Option<u64> {
    let shape = |(a, b): (u8, u8)| if b == b'0' { a.is_ascii_digit() } else { a == b };
    let model = b"0000-00-00T00:00:00Z";
    if text.len() != model.len() || !text.bytes().zip(*model).all(shape) {
        return None;
    }
    let number = |from: usize, to: usize| text.get(from..to)?.parse::<u64>().ok();
    let days = days_from_civil(
        u16::try_from(number(0, 4)?).ok()?,
        u8::try_from(number(5, 7)?).ok()?,
        u8::try_from(number(8, 10)?).ok()?,
    )?;
    let (hours, minutes, seconds) = (number(11, 13)?, number(14, 16)?, number(17, 19)?);
    if hours > 23 || minutes > 59 || seconds > 59 {
        return None;
    }
    Some((((days * 24 + hours) * 60 + minutes) * 60 + seconds) * 1000)
}

#[cfg(test)]
mod tests {
    use super::parse_time;

    /// Known answers of `date -u -d TEXT +%s` (GNU coreutils).
    #[test]
    fn moments_are_read() {
        assert_eq!(parse_time("2026-11-22T15:04:05Z"), Ok(1_795_359_845_000));
        assert_eq!(parse_time("2000-02-29T00:00:00Z"), Ok(951_782_400_000));
        assert_eq!(parse_time("1692803367"), Ok(1_692_803_367_000));
        for bad in [
            "",
            "now",
            "2026-11-22",
            "2026-11-22T24:00:00Z",
            "2025-02-29T00:00:00Z",
            "-1",
            "2026-11-22T15:04:05+01:00",
            "99999999999999999999",
        ] {
            assert!(parse_time(bad).is_err(), "{bad}");
        }
    }
}
