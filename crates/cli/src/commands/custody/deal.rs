//! `custody deal` and `custody reshare`.

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::{Context as _, anyhow};
use bailiwick_custody::{Context, DealOptions, Dealing, DealtCustodian, deal as share};
use bailiwick_envelope::Opener;
use bailiwick_protocol::codec::Canonical as _;
use bailiwick_protocol::envelope::{Envelope, Role};
use bailiwick_protocol::ids::OwnerKey;
use bailiwick_protocol::secret::Secret;
use bailiwick_protocol::signing::SigningKey;

use super::network::{Network, NetworkArgs, Powers};
use super::recover::{Answers, file_key_of};
use super::seen::not_older;
use super::{Beside, InCustody, policy_digest, recipient_keys, with_dealt_key};
use crate::Help;
use crate::envelopes::Signing;
use crate::keyfile::{self, Kind};
use crate::opening::OpeningArgs;
use crate::output::print_json;
use crate::say;

/// How to deal, for `deal` and `reshare` alike.
#[derive(Debug, clap::Args)]
struct Terms {
    /// The owner's secret key file
    #[arg(long, value_name = "FILE")]
    owner: PathBuf,
    /// Public key file of a custodian; repeat for each, 2 to 128
    #[arg(long, value_name = "FILE", required = true, num_args = 1..)]
    custodian: Vec<PathBuf>,
    /// How many custodians it takes, fewer than there are [default: more than half]
    #[arg(short, long, value_name = "T")]
    threshold: Option<u16>,
    #[command(flatten)]
    network: NetworkArgs,
    /// Public key file of a recipient who is sent the shared secret itself, with the proof that custodians share it; repeat for each
    #[arg(long, value_name = "FILE", conflicts_with = "hybrid")]
    prove_to: Vec<PathBuf>,
    /// The owner's policy file for this object: envelope and dealing name it from now on [default: what the envelope names]
    #[arg(long, value_name = "FILE")]
    policy: Option<PathBuf>,
    /// Deal under another policy than the one the envelope names
    #[arg(long, requires = "policy")]
    replace_policy: bool,
    /// Make the key depend on a post-quantum half, too (larger; its custodians should give receipts). A hybrid dealing that is dealt again stays hybrid. It protects only a key that was never dealt without one, nor sealed to an x25519 or p256 key: else `bailiwick rotate` first
    #[arg(long)]
    hybrid: bool,
    /// Deal in hybrid mode although the same key was dealt without a post-quantum half before, or is sealed to an x25519 or p256 key
    #[arg(long, requires = "hybrid")]
    despite_classical: bool,
    /// Deal although one power could compel or block a recovery
    #[arg(long)]
    despite_powers: bool,
    /// Where the new envelope goes [default: replaces the envelope]
    #[arg(short, long, value_name = "FILE")]
    output: Option<PathBuf>,
    /// Print the dealing as JSON
    #[arg(long)]
    json: bool,
}

/// Arguments of `deal`.
#[derive(Debug, clap::Args)]
pub(super) struct DealArgs {
    /// The envelope
    envelope: PathBuf,
    #[command(flatten)]
    opening: OpeningArgs,
    #[command(flatten)]
    terms: Terms,
}

/// Arguments of `reshare`.
#[derive(Debug, clap::Args)]
pub(super) struct ReshareArgs {
    /// The envelope
    envelope: PathBuf,
    #[command(flatten)]
    opening: OpeningArgs,
    /// The request the old custodians answered, if the key comes from them; then --key is the requester's
    #[arg(long, value_name = "FILE", requires = "release")]
    request: Option<PathBuf>,
    /// Their releases
    #[arg(long, value_name = "FILE", requires = "request", num_args = 1..)]
    release: Vec<PathBuf>,
    /// Give up the post-quantum half of a hybrid dealing: whoever records the new one and has a quantum computer later finds the key
    #[arg(long, conflicts_with = "hybrid")]
    classical: bool,
    #[command(flatten)]
    terms: Terms,
}

#[derive(serde::Serialize)]
struct Report {
    object: String,
    generation: u64,
    dealing: String,
    threshold: u16,
    custodians: Vec<String>,
    hybrid: bool,
    /// The same key was dealt without a post-quantum half before, by the envelope that was read: the half protects nothing of it.
    dealt_classically: bool,
    /// The same key is sealed to an x25519 or p256 key: likewise.
    sealed_classically: bool,
    roster: String,
    policy: Option<String>,
    jurisdictions: Powers,
    #[serde(flatten)]
    beside: Beside,
    envelope: String,
}

/// Runs `deal`.
pub(super) fn deal(args: &DealArgs) -> anyhow::Result<ExitCode> {
    let owner = keyfile::read_signing_key(&args.terms.owner, Kind::Owner)?;
    let pinned = OwnerKey(owner.public());
    let signing = Signing::begin(&args.envelope, args.terms.output.as_deref())?;
    let envelope = super::read_envelope(&args.envelope, &pinned)?;
    if envelope.custody.is_some() {
        return Err(anyhow!("{} is in custody already", args.envelope.display()))
            .context(Help("`bailiwick custody reshare` deals it to others"));
    }
    let help = "`bailiwick inspect` lists them";
    let opener = opened(&args.opening, &pinned, signing.bytes(), &args.envelope, help)?;
    put_in_custody(&args.terms, args.terms.hybrid, signing, envelope, opener.file_key(), &owner)
}

/// The object, opened to get at the key that is dealt: by a key file, an agent or a passphrase.
fn opened(
    opening: &OpeningArgs,
    owner: &OwnerKey,
    bytes: &[u8],
    path: &Path,
    help: &'static str,
) -> anyhow::Result<Opener> {
    let opened = opening.read()?.open(owner, bytes);
    opened.with_context(|| format!("cannot get at the key in {}", path.display())).context(Help(help))
}

/// Runs `reshare`.
pub(super) fn reshare(args: &ReshareArgs) -> anyhow::Result<ExitCode> {
    let owner = keyfile::read_signing_key(&args.terms.owner, Kind::Owner)?;
    let pinned = OwnerKey(owner.public());
    let signing = Signing::begin(&args.envelope, args.terms.output.as_deref())?;
    let (old, _) = not_older(&args.envelope, &pinned, args.opening.known())?;
    let was_hybrid = old.dealing.dealing().is_hybrid();
    let hybrid = args.terms.hybrid || (was_hybrid && !args.classical);
    if hybrid && !args.terms.prove_to.is_empty() {
        return Err(anyhow!(
            "the old dealing is hybrid, and its shared secret alone opens nothing: --prove-to proves nothing"
        ))
        .context(Help("leave out --prove-to; --classical gives up the post-quantum half"));
    }
    let opener = match &args.request {
        Some(request) => {
            let keys = recipient_keys(args.opening.files())?;
            let answers = Answers { request, releases: &args.release, keys: &keys };
            let (key, _, _) = file_key_of(&old, &answers)?;
            with_dealt_key(old.envelope.clone(), key)?
        }
        None => {
            let help = "give a recipient\u{2019}s key, or the old custodians\u{2019} answers with --request and --release";
            opened(&args.opening, &pinned, signing.bytes(), &args.envelope, help)?
        }
    };
    let code = put_in_custody(&args.terms, hybrid, signing, old.envelope, opener.file_key(), &owner)?;
    if was_hybrid && !hybrid {
        eprintln!(
            "note: the post-quantum half is given up: whoever records this envelope and has a quantum computer later finds the key"
        );
    }
    eprintln!(
        "note: the body\u{2019}s key is the same. Enough of the old custodians, with a copy of the old envelope, can still open it; \
         only sealing anew takes that away"
    );
    Ok(code)
}

fn custodians(paths: &[PathBuf], network: &Network) -> anyhow::Result<Vec<DealtCustodian>> {
    let one = |path: &PathBuf| {
        let key = keyfile::read_custodian_public(path)?;
        let principal = network.custodian(key.point()).with_context(|| format!("{}", path.display()))?;
        Ok(DealtCustodian { name: principal.name.clone(), attributes: network.powers(principal)?, key })
    };
    paths.iter().map(one).collect()
}

/// The digest of `policy`, which takes no other's place unless asked to.
fn policy_under(terms: &Terms, policy: &Path, before: Option<[u8; 32]>) -> anyhow::Result<[u8; 32]> {
    let digest = policy_digest(policy)?;
    match before.filter(|named| *named != digest && !terms.replace_policy) {
        None => Ok(digest),
        Some(named) => Err(anyhow!(
            "the envelope names policy {}, {} is {}",
            hex::encode(named),
            policy.display(),
            hex::encode(digest)
        ))
        .context(Help("leave out --policy to deal under the one it names; --replace-policy replaces it")),
    }
}

/// Whether the envelope has a dealing without a post-quantum half, as far as it can be read.
fn dealt_classically(envelope: &Envelope) -> bool {
    let dealing = envelope.custody.as_ref().and_then(|part| Dealing::from_bytes(&part.dealing).ok());
    dealing.is_some_and(|d| !d.is_hybrid())
}

/// A hybrid dealing protects nothing that a quantum computer finds by other ways, of which this envelope shows some (K29a).
fn check_only_hybrid(path: &Path, dealt: bool, sealed: bool) -> anyhow::Result<()> {
    let why = match (dealt, sealed) {
        (true, _) => "was dealt without a post-quantum half before",
        (_, true) => "is sealed to an x25519 or p256 key",
        _ => return Ok(()),
    };
    Err(anyhow!(
        "the key of {} {why}: whoever recorded that finds the key with a quantum computer, whatever is dealt now",
        path.display()
    ))
    .context(Help(
        "seal it anew to X-Wing keys with `bailiwick rotate` (--drop-custody if it was dealt), then deal its new key with --hybrid; --despite-classical deals all the same",
    ))
}

fn put_in_custody(
    terms: &Terms,
    hybrid: bool,
    signing: Signing,
    mut envelope: Envelope,
    file_key: &Secret<32>,
    owner: &SigningKey,
) -> anyhow::Result<ExitCode> {
    let path = signing.path().to_owned();
    if envelope.unit.n > 1 {
        return Err(anyhow!("{} is one shard of an object", path.display())).context(Help(
            "custodians give back whole objects in this version: seal it without --shards, then deal",
        ));
    }
    signing.check_latest(&OwnerKey(owner.public()))?;
    let network = terms.network.needed()?;
    let custodians = custodians(&terms.custodian, &network)?;
    let half = u16::try_from(custodians.len() / 2).unwrap_or(u16::MAX);
    let threshold = terms.threshold.unwrap_or(half.saturating_add(1));
    if let Some(policy) = &terms.policy {
        envelope.policy = Some(policy_under(terms, policy, envelope.policy)?);
    }
    let dealt_classically = hybrid && dealt_classically(&envelope);
    let sealed_classically = hybrid && super::classical(&envelope) > 0;
    if !terms.despite_classical {
        check_only_hybrid(&path, dealt_classically, sealed_classically)?;
    }
    let context = Context::next_of(&envelope, network.digest());
    let options = DealOptions { context, threshold, custodians: &custodians, hybrid };
    // Before the powers: what no dealing may have, --despite-powers does not help.
    options.check().context("cannot deal")?;
    let reached = custodians.iter().map(|c| (c.name.as_str(), c.attributes.clone())).collect();
    let powers = Powers::of(usize::from(threshold), &reached);
    if powers.passes != Some(true) && !terms.despite_powers {
        return Err(anyhow!("one power alone could compel or block a recovery: {}", powers.failing()))
            .context(Help("take custodians under other laws, or change the threshold; --despite-powers deals all the same"));
    }
    let mut rng = keyfile::system_rng()?;
    let dealt = share(&options, file_key, None, &mut rng).context("cannot deal")?;
    // Proofs of a dealing that is replaced are worth nothing.
    envelope.recipients.retain(|r| r.role != Role::CustodySecret);
    for path in &terms.prove_to {
        let key = keyfile::read_recipient_public(path)?;
        envelope.recipients.push(bailiwick_envelope::seal_custody_secret(
            &envelope,
            &key,
            &dealt.recipient_content,
            &mut rng,
        )?);
    }
    let found = envelope.recipients.len();
    anyhow::ensure!(
        found <= bailiwick_protocol::limits::RECIPIENTS_MAX,
        "{found} recipients are more than an envelope holds"
    );
    envelope.custody = Some(dealt.part());
    let (object, beside) = (envelope.name().to_string(), Beside::of(&envelope, hybrid));
    let signed = bailiwick_envelope::sign_next(envelope, owner)?;
    // Written as it will be read: what does not read back is not written.
    let read = signed.verify(&owner.public()).context("what was dealt does not read back")?;
    InCustody::of(read, &path).context("what was dealt does not read back")?;
    let destination = signing.write(&signed.to_bytes())?;
    report(
        &Report {
            object,
            generation: dealt.dealing.context.generation,
            dealing: dealt.dealing.digest().to_string(),
            threshold,
            custodians: custodians.into_iter().map(|c| c.name).collect(),
            hybrid,
            dealt_classically,
            sealed_classically,
            roster: network.digest().to_string(),
            policy: dealt.dealing.context.policy.map(hex::encode),
            jurisdictions: powers,
            beside,
            envelope: destination.display().to_string(),
        },
        terms.json,
    )?;
    Ok(ExitCode::SUCCESS)
}

fn report(r: &Report, json: bool) -> anyhow::Result<()> {
    if json {
        return print_json(r);
    }
    say!(
        "dealt      any {} of {} custodians recover the key of {}",
        r.threshold,
        r.custodians.len(),
        r.object
    )?;
    for name in &r.custodians {
        say!("custodian  {}", bailiwick_roster::Quoted(name))?;
    }
    r.jurisdictions.print()?;
    r.beside.print()?;
    if let Some(policy) = &r.policy {
        say!("policy     {policy}")?;
    }
    if r.hybrid {
        say!("receipts   none yet: ask each custodian for `bailiwick custody receipt`")?;
        match (r.dealt_classically, r.sealed_classically) {
            (true, _) => say!(
                "NO PROTECTION by the post-quantum half: the same key was dealt without one before; `bailiwick rotate --drop-custody` makes a new one"
            )?,
            // Said with those beside.
            (false, true) => {}
            (false, false) => say!(
                "protects   only if this key was never dealt without a post-quantum half, nor sealed to an x25519 or p256 key: no envelope shows what earlier ones said"
            )?,
        }
    }
    say!("dealing    {}", r.dealing)?;
    say!("wrote      {} (generation {})", r.envelope, r.generation)?;
    Ok(())
}
