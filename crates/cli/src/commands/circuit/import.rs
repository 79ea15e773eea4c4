//! `bailiwick circuit import`: a `.zkey` whose ceremony passes becomes a proving and a verifying key.

use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::{Context as _, anyhow, ensure};
use bailiwick_iden3::zkey::{ContributionKind, Contributions};
use bailiwick_iden3::{ceremony, import};
use bailiwick_possession_circuit::ProverKey;
use bailiwick_protocol::ids::ClassId;
use bailiwick_protocol::key_card::CeremonyCard;

use super::ceremony::{open_ptau, open_zkey, shape_of};
use super::{Origin, provenance_text, write};
use crate::commands::audit::parse_class;
use crate::output::print_json;
use crate::{Help, keyfile, say};

/// Bytes of a closing beacon, at most: trust anchors hold 64 characters.
const BEACON_BYTES_MAX: usize = 32;

/// Arguments of `circuit import`.
#[derive(Debug, clap::Args)]
pub(super) struct ImportArgs {
    /// The final key of a ceremony
    #[arg(value_name = "KEY.zkey")]
    key: PathBuf,
    /// tiny, small, standard or large
    #[arg(long, value_name = "CLASS", value_parser = parse_class)]
    class: ClassId,
    /// Prepared powers of tau the ceremony began with
    #[arg(long, value_name = "FILE")]
    ptau: PathBuf,
    /// Folder the key goes to, as DIGEST.pk and DIGEST.vk
    #[arg(long, value_name = "DIR", default_value = "circuit-keys")]
    dir: PathBuf,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

/// Runs the command. Nothing is written unless the whole ceremony passes.
pub(super) fn run(args: &ImportArgs) -> anyhow::Result<ExitCode> {
    let (mut file, mut powers) = (open_zkey(&args.key)?, open_ptau(&args.ptau)?);
    let shape = shape_of(args.class)?;
    shape.is_of(file.header())?;
    shape.fits(&powers)?;
    closing_beacon(file.contributions())?;
    let mut rng = keyfile::system_rng()?;
    let mut verified = None;
    let key = ProverKey::made_by::<anyhow::Error>(args.class, |matrices| {
        verified = Some(ceremony::verify(&mut file, &mut powers, matrices, &mut rng)?);
        Ok(import(&mut file, matrices)?)
    })?;
    let verified = verified.context("the ceremony was not verified")?;
    let beacon = verified.beacon().context("the last contribution is not a beacon")?;
    let ceremony = CeremonyCard {
        transcript: hex::encode(verified.transcript),
        contributors: verified.contributors(),
        beacon: hex::encode(beacon),
    };
    std::fs::create_dir_all(&args.dir).with_context(|| format!("cannot make {}", args.dir.display()))?;
    let card = write(&args.dir, &key, None, Origin::Ceremony(ceremony.clone()))?;
    if args.json {
        print_json(&card)?;
        return Ok(ExitCode::SUCCESS);
    }
    say!("imported: key {} of class {}\n  {}", card.vk, card.class, provenance_text(&card))?;
    say!(
        "  hosts need {0}.pk and {0}.toml; verifiers need {0}.vk and, if they believe the ceremony, in their trust anchors:",
        card.vk
    )?;
    say!(
        "\n[[verifying_key]]\ndigest = \"{}\"\nclass = {{ samples = {}, depth = {} }}\nprovenance = \"ceremony\"\ntranscript = \"{}\"\ncontributors = {}\nbeacon = \"{}\"",
        card.vk,
        card.class.samples,
        card.class.depth,
        ceremony.transcript,
        ceremony.contributors,
        ceremony.beacon
    )?;
    Ok(ExitCode::SUCCESS)
}

/// What no verification changes, before the minutes that one takes: people contributed, and a beacon of acceptable length closed it.
fn closing_beacon(record: &Contributions) -> anyhow::Result<()> {
    match record.list.last().map(|c| &c.kind) {
        Some(ContributionKind::Beacon { value, .. }) => {
            ensure!(
                value.len() <= BEACON_BYTES_MAX,
                "the closing beacon has {} bytes, trust anchors hold {BEACON_BYTES_MAX}",
                value.len()
            );
        }
        _ => {
            return Err(anyhow!("the last contribution is not a beacon")
                .context(Help("close the ceremony with `circuit ceremony beacon`")));
        }
    }
    let persons = record.list.iter().filter(|c| c.kind == ContributionKind::Person).count();
    ensure!(persons > 0, "nobody but the beacon contributed: everyone knows the secret");
    Ok(())
}
