//! `bailiwick circuit`: the pinned classes, and proving keys for them.

mod ceremony;
mod export;
mod import;

use std::fs;
use std::io::{BufReader, BufWriter, Write as _};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::{Context as _, ensure};
use bailiwick_groth16::{SetupProgress, Transcript, VERIFYING_KEY_BYTES_MAX, VerifyingKey};
use bailiwick_possession_circuit::{ProverKey, class_info, key_shape};
use bailiwick_protocol::ids::{AuditorKey, ClassId, VkDigest};
use bailiwick_protocol::key_card::{
    CeremonyCard, KEY_CARD_BYTES_MAX, KEY_CARD_VERSION, KeyCard, KeyProvenance,
};

use super::audit::parse_class;
use crate::keyfile::{self, Kind};
use crate::output::{AtomicFile, print_json, read_bounded};
use crate::say;
use crate::{Help, progress};

/// Arguments of `circuit`.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, clap::Subcommand)]
enum Command {
    /// List the pinned classes, and the keys of a folder with where they came from
    Ls(LsArgs),
    /// Make a proving and a verifying key
    Setup(SetupArgs),
    /// Check a key you did not make: that proofs under it are zero-knowledge whoever made it
    Check(CheckArgs),
    /// Write constraint systems, keys and proofs in the formats of snarkjs, and a verifier contract
    Export(export::Args),
    /// Make a key together with others: powers of tau, contributions, beacon, verification
    Ceremony(ceremony::Args),
    /// Verify the ceremony of a .zkey and take its key
    Import(import::ImportArgs),
}

/// Arguments of `circuit check`.
#[derive(Debug, clap::Args)]
struct CheckArgs {
    /// Digest of the verifying key
    vk: VkDigest,
    /// Folder of keys
    #[arg(long, value_name = "DIR", default_value = "circuit-keys")]
    dir: PathBuf,
}

/// Arguments of `circuit ls`.
#[derive(Debug, clap::Args)]
struct LsArgs {
    /// Folder of keys
    #[arg(long, value_name = "DIR", default_value = "circuit-keys")]
    dir: PathBuf,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

/// Arguments of `circuit setup`.
#[derive(Debug, clap::Args)]
struct SetupArgs {
    /// tiny, small, standard or large
    #[arg(long, value_name = "CLASS", default_value = "small", value_parser = parse_class)]
    class: ClassId,
    /// Secret key file of the auditor who makes the key from the system's randomness, for its own audits only
    #[arg(long, value_name = "FILE", required_unless_present = "development")]
    auditor: Option<PathBuf>,
    /// Make the development key instead: its trapdoor is public, it never supports a claim
    #[arg(long, conflicts_with = "auditor")]
    development: bool,
    /// Folder the key goes to, as DIGEST.pk and DIGEST.vk
    #[arg(long, value_name = "DIR", default_value = "circuit-keys")]
    dir: PathBuf,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

/// One class as `circuit ls` shows it.
#[derive(serde::Serialize)]
struct ClassRow {
    name: &'static str,
    samples: u16,
    depth: u8,
    constraints: u64,
    body_bytes_max: u64,
    circuit_digest: String,
    keys: Vec<KeyCard>,
}

/// Runs the command.
pub(crate) fn run(args: Args) -> anyhow::Result<ExitCode> {
    match args.command {
        Command::Ls(a) => ls(&a),
        Command::Setup(a) => setup(&a),
        Command::Check(a) => check(&a),
        Command::Export(a) => export::run(&a),
        Command::Ceremony(a) => ceremony::run(a),
        Command::Import(a) => import::run(&a),
    }
}

fn ls(args: &LsArgs) -> anyhow::Result<ExitCode> {
    let mut cards = cards(&args.dir)?;
    let rows: Vec<ClassRow> = ClassId::PINNED
        .iter()
        .filter_map(|(name, class)| {
            let info = class_info(*class)?;
            let (here, rest) = std::mem::take(&mut cards).into_iter().partition(|c| c.class == *class);
            cards = rest;
            Some(ClassRow {
                name,
                samples: class.samples,
                depth: class.depth,
                constraints: info.constraints,
                body_bytes_max: class.cells_max() * bailiwick_protocol::envelope::CELL_BYTES,
                circuit_digest: info.circuit.to_string(),
                keys: here,
            })
        })
        .collect();
    if args.json {
        print_json(&rows)?;
        return Ok(ExitCode::SUCCESS);
    }
    say!(
        "{:10} {:>4} {:>2} {:>12} {:>16}  circuit digest",
        "class",
        "S",
        "D",
        "constraints",
        "body bytes max"
    )?;
    for r in &rows {
        say!(
            "{:10} {:>4} {:>2} {:>12} {:>16}  {}",
            r.name,
            r.samples,
            r.depth,
            r.constraints,
            r.body_bytes_max,
            r.circuit_digest
        )?;
        for k in &r.keys {
            say!("    key {}  {}", k.vk, provenance_text(k))?;
        }
    }
    Ok(ExitCode::SUCCESS)
}

fn provenance_text(card: &KeyCard) -> String {
    match (card.provenance, &card.auditor) {
        (KeyProvenance::Auditor, Some(auditor)) => format!("SINGLE-PARTY KEY of auditor {auditor}"),
        (KeyProvenance::Ceremony, _) => match &card.ceremony {
            Some(c) => format!(
                "of a CEREMONY of {} contributions, transcript {}, beacon {}: sound if one contributor destroyed their secret, and one of phase 1 theirs",
                c.contributors, c.transcript, c.beacon
            ),
            None => "of a ceremony its card does not name".to_owned(),
        },
        (KeyProvenance::Development, _) => "DEVELOPMENT KEY: anyone can forge under it".to_owned(),
        _ => "of unknown provenance".to_owned(),
    }
}

/// The cards of a folder; a folder that does not exist has none.
pub(crate) fn cards(dir: &Path) -> anyhow::Result<Vec<KeyCard>> {
    let mut cards = Vec::new();
    let Ok(entries) = fs::read_dir(dir) else { return Ok(cards) };
    for entry in entries {
        let path = entry?.path();
        if path.extension().is_some_and(|e| e == "toml") {
            let text = String::from_utf8(read_bounded(&path, KEY_CARD_BYTES_MAX)?)?;
            cards.push(
                toml::from_str(&text).with_context(|| format!("{} is not a key card", path.display()))?,
            );
        }
    }
    cards.sort_by_key(|c: &KeyCard| c.vk);
    Ok(cards)
}

fn setup(args: &SetupArgs) -> anyhow::Result<ExitCode> {
    fs::create_dir_all(&args.dir).with_context(|| format!("cannot make {}", args.dir.display()))?;
    let auditor =
        args.auditor.as_deref().map(|path| keyfile::read_signing_key(path, Kind::Auditor)).transpose()?;
    if args.development
        && let Some(card) = development_card(args)?
        && is_whole(&args.dir, &card)?
    {
        return told(args, &card, "already there");
    }
    let bar = progress::steps(1000, "key set-up");
    let mut on_progress = |p: SetupProgress| bar.set_position(1000 * p.done / p.total.max(1));
    let (key, transcript) = match &auditor {
        None => (ProverKey::development(args.class, &mut on_progress)?, None),
        Some(_) => {
            let (key, transcript) =
                ProverKey::generate(args.class, &mut keyfile::system_rng()?, &mut on_progress)?;
            (key, Some(transcript))
        }
    };
    bar.finish_and_clear();
    let origin = auditor.map_or(Origin::Development, |k| Origin::Auditor(AuditorKey(k.public())));
    let card = write(&args.dir, &key, transcript.as_ref(), origin)?;
    told(args, &card, "made")
}

/// The development key of this class and this circuit, if the folder has one: it is the same on every machine.
fn development_card(args: &SetupArgs) -> anyhow::Result<Option<KeyCard>> {
    let circuit = class_info(args.class).map(|i| i.circuit);
    Ok(cards(&args.dir)?.into_iter().find(|c| {
        c.class == args.class && c.provenance == KeyProvenance::Development && Some(c.circuit) == circuit
    }))
}

/// Where a key comes from, as its card says it.
enum Origin {
    Development,
    Auditor(AuditorKey),
    Ceremony(CeremonyCard),
}

/// Writes proving key, transcript, verifying key, and last the card, so that a card always speaks of whole keys.
fn write(
    dir: &Path,
    key: &ProverKey,
    transcript: Option<&Transcript>,
    origin: Origin,
) -> anyhow::Result<KeyCard> {
    let vk = key.verifying_key().digest();
    let file = |extension: &str| dir.join(format!("{vk}.{extension}"));
    let (_, pk) = write_buffered(&file("pk"), |to| Ok(key.write_to(to)?))?;
    if let Some(transcript) = transcript {
        write_buffered(&file("transcript"), |to| Ok(transcript.write_to(to)?))?;
    }
    write_buffered(&file("vk"), |to| Ok(to.write_all(key.verifying_key().as_bytes())?))?;
    let (provenance, auditor, ceremony) = match origin {
        Origin::Development => (KeyProvenance::Development, None, None),
        Origin::Auditor(auditor) => (KeyProvenance::Auditor, Some(auditor), None),
        Origin::Ceremony(ceremony) => (KeyProvenance::Ceremony, None, Some(ceremony)),
    };
    let (circuit, class) = (key.circuit(), key.class());
    let card = KeyCard {
        version: KEY_CARD_VERSION,
        provenance,
        auditor,
        ceremony,
        vk,
        pk,
        circuit,
        class,
        scheme: bailiwick_protocol::envelope::COMMITMENT_SCHEME_CELL_TREE,
    };
    let text = toml::to_string(&card)?;
    write_buffered(&file("toml"), |to| Ok(to.write_all(text.as_bytes())?))?;
    Ok(card)
}

/// Writes a whole file through a buffer; it has its name only when durable.
fn write_buffered<T>(
    path: &Path,
    fill: impl FnOnce(&mut BufWriter<&mut AtomicFile>) -> anyhow::Result<T>,
) -> anyhow::Result<T> {
    let mut file = AtomicFile::replace(path, 0o666)?;
    let mut buffered = BufWriter::with_capacity(1 << 20, &mut file);
    let out = fill(&mut buffered).with_context(|| format!("cannot write {}", path.display()))?;
    buffered.flush().with_context(|| format!("cannot write {}", path.display()))?;
    drop(buffered);
    file.commit()?;
    Ok(out)
}

/// Pairing checks of a key by a host that distrusts who made it.
fn check(args: &CheckArgs) -> anyhow::Result<ExitCode> {
    let card = cards(&args.dir)?
        .into_iter()
        .find(|c| c.vk == args.vk)
        .with_context(|| format!("{} has no card of key {}", args.dir.display(), args.vk))
        .context(Help("give the folder `circuit setup` wrote with --dir"))?;
    let open = |extension: &str| {
        let path = args.dir.join(format!("{}.{extension}", card.vk));
        fs::File::open(&path).map(BufReader::new).with_context(|| format!("cannot open {}", path.display()))
    };
    let transcript = Transcript::read_from(&mut open("transcript")?, &key_shape(card.class)?)
        .context("the transcript of the set-up")
        .context(Help(
            "a development key has none: everyone can make it again with `circuit setup --development`",
        ))?;
    let key = ProverKey::read_from(&mut open("pk")?, &card.pk, card.class)?;
    // The files are named by the card: what is checked must be the key that was asked about.
    let found = key.verifying_key().digest();
    ensure!(found == card.vk, "the key filed under {} is key {found}", card.vk);
    ensure!(
        key.circuit() == card.circuit,
        "the card of key {} names another circuit than the key's",
        card.vk
    );
    key.check(&transcript, &mut keyfile::system_rng()?)?;
    say!(
        "key {} is one an honest set-up gives for class {}: proofs under it hide what they sample, whoever made it",
        card.vk,
        card.class
    )?;
    Ok(ExitCode::SUCCESS)
}

/// Whether the verifying key a card names is there and is that key, and the proving key is there.
fn is_whole(dir: &Path, card: &KeyCard) -> anyhow::Result<bool> {
    let path = dir.join(format!("{}.vk", card.vk));
    let whole = path.exists() && dir.join(format!("{}.pk", card.vk)).exists();
    Ok(whole
        && VerifyingKey::from_bytes(&read_bounded(&path, VERIFYING_KEY_BYTES_MAX as u64)?)
            .is_ok_and(|k| k.digest() == card.vk))
}

fn told(args: &SetupArgs, card: &KeyCard, verb: &str) -> anyhow::Result<ExitCode> {
    if args.json {
        print_json(card)?;
    } else {
        say!("{verb}: key {} of class {}\n  {}", card.vk, card.class, provenance_text(card))?;
        say!(
            "  hosts need {0}.pk, {0}.toml and {0}.transcript; verifiers need {0}.vk and an entry in their trust anchors",
            card.vk
        )?;
    }
    Ok(ExitCode::SUCCESS)
}
