//! What a command opens objects with: key files, agents, a passphrase, or a file key that came out of an age file.

mod known;

use std::fs::File;
use std::io::Read as _;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use anyhow::{Context as _, anyhow, bail};
use bailiwick_envelope::{
    OpenError, Opener, Passphrase, PassphraseCost, PassphraseRecipient, RecipientPublicKey,
    RecipientSecretKey, unwrap_requests, verify,
};
use bailiwick_protocol::envelope::Envelope;
use bailiwick_protocol::ids::OwnerKey;
use bailiwick_protocol::secret::Secret;
use zeroize::Zeroizing;

pub(crate) use self::known::{Known, KnownArgs};
use crate::Help;
use crate::agent::Agent;
use crate::commands::custody::open_as_recipient;
use crate::keyfile::{self, OpeningKey};
use crate::passphrase::{PassphraseArgs, nobody_else_reads};

/// Arguments of every command that opens objects.
#[derive(Debug, clap::Args)]
pub(crate) struct OpeningArgs {
    /// Secret key file of a recipient, or one that names the agent that holds it; repeat to try several
    #[arg(long, value_name = "FILE", num_args = 1..,
        required_unless_present_any = ["passphrase", "passphrase_file", "key_from_age_output"])]
    key: Vec<PathBuf>,
    #[command(flatten)]
    passphrase: PassphraseArgs,
    /// The object's file key: the 32 bytes that `age -d` gives of what `bailiwick export --age` wrote, in a file that nobody else may read; `-` for standard input
    #[arg(long, value_name = "FILE", conflicts_with_all = ["key", "passphrase", "passphrase_file"])]
    key_from_age_output: Option<PathBuf>,
    /// Seconds an agent may take to answer
    #[arg(long, value_name = "SECONDS", default_value_t = 120, value_parser = clap::value_parser!(u64).range(1..=3600))]
    agent_timeout: u64,
    #[command(flatten)]
    known: KnownArgs,
}

/// Keys, read once; agents run until this is dropped.
pub(crate) struct Opening {
    held: Vec<RecipientSecretKey>,
    agents: Vec<(RecipientPublicKey, Mutex<Agent>)>,
    passphrase: Option<Passphrase>,
    file_key: Option<Secret<32>>,
    known: Known,
}

impl OpeningArgs {
    /// The key files alone, for what no agent, passphrase or file key opens.
    pub(crate) fn key_files(&self) -> anyhow::Result<&[PathBuf]> {
        if self.key.is_empty() {
            return Err(anyhow!("small values are opened by recipients' key files"))
                .context(Help("give one with --key"));
        }
        if self.passphrase.is_given() || self.known.is_given() {
            return Err(anyhow!("small values have no passphrases and no generations"))
                .context(Help("leave out --passphrase, --passphrase-file, --not-before and --known"));
        }
        for path in &self.key {
            if keyfile::is_agents(path)? {
                return Err(anyhow!(
                    "{} names an agent: agents open objects, not small values",
                    path.display()
                ))
                .context(Help("give a key file that holds its secret"));
            }
        }
        Ok(&self.key)
    }

    /// What was seen before.
    pub(crate) fn known(&self) -> &KnownArgs {
        &self.known
    }

    /// The key files as given; some may name an agent.
    pub(crate) fn files(&self) -> &[PathBuf] {
        &self.key
    }

    /// Whether standard input is taken by a secret.
    pub(crate) fn uses_stdin(&self) -> bool {
        self.key_from_age_output.as_deref().is_some_and(|p| p.as_os_str() == "-")
            || self.passphrase.uses_stdin()
    }

    /// Reads the keys and starts the agents.
    pub(crate) fn read(&self) -> anyhow::Result<Opening> {
        let (mut held, mut agents) = (Vec::new(), Vec::new());
        for path in &self.key {
            match keyfile::read_opening_key(path)? {
                OpeningKey::Held(key) => held.push(key),
                OpeningKey::Agent { name, public } => {
                    let agent = Agent::start(&name, Duration::from_secs(self.agent_timeout))?;
                    agents.push((public, Mutex::new(agent)));
                }
            }
        }
        Ok(Opening {
            held,
            agents,
            passphrase: self.passphrase.read(false)?,
            file_key: self.key_from_age_output.as_deref().map(read_file_key).transpose()?,
            known: self.known.read()?,
        })
    }
}

/// Exactly 32 bytes.
fn read_file_key(path: &Path) -> anyhow::Result<Secret<32>> {
    let mut source: Box<dyn std::io::Read> = if path.as_os_str() == "-" {
        Box::new(std::io::stdin())
    } else {
        let file = File::open(path).with_context(|| format!("cannot open {}", path.display()))?;
        nobody_else_reads(&file, path)?;
        Box::new(file)
    };
    let mut bytes = Zeroizing::new(Vec::with_capacity(33));
    source.by_ref().take(33).read_to_end(&mut bytes)?;
    let key: &[u8; 32] = bytes.as_slice().try_into().map_err(|_| {
        anyhow!(
            "expected the 32 bytes of a file key, found {}",
            if bytes.len() > 32 { "more" } else { "fewer" }
        )
        .context(Help("pipe the output of `age -d` of the file that `bailiwick export --age` wrote"))
    })?;
    Ok(Secret::init_with(|b| b.copy_from_slice(key)))
}

impl Opening {
    /// Verifies an envelope under the pinned owner key and opens it by the first way that does.
    pub(crate) fn open(&self, owner: &OwnerKey, bytes: &[u8]) -> anyhow::Result<Opener> {
        let envelope = verify(owner, bytes)?;
        self.known.check_unit(owner, &envelope, bytes)?;
        self.open_verified(owner, envelope, bytes)
    }

    fn open_verified(&self, owner: &OwnerKey, envelope: Envelope, bytes: &[u8]) -> anyhow::Result<Opener> {
        if let Some(key) = &self.file_key {
            let copy = Secret::init_with(|b| b.copy_from_slice(key.expose_secret()));
            return Ok(Opener::with_file_key(envelope, copy)?);
        }
        // Who was sent the custodians' secret and cannot use it may have another way; if not, that is what is wrong.
        let refused = match open_as_recipient(owner, bytes, &self.held) {
            Err(e) if !matches!(e.downcast_ref(), Some(OpenError::NoRecipient)) && e.is::<OpenError>() => {
                return Err(e);
            }
            Err(e) => e,
            opened => return opened,
        };
        for (public, agent) in &self.agents {
            for request in unwrap_requests(&envelope, public) {
                let mut agent = agent.lock().unwrap_or_else(PoisonError::into_inner);
                if let Some(key) = agent.unwrap(&request)? {
                    return Ok(Opener::with_file_key(envelope, key)?);
                }
            }
        }
        if let Some(passphrase) = &self.passphrase {
            return Ok(Opener::with_passphrase(owner, bytes, passphrase)?);
        }
        Err(refused)
    }

    /// Like [`Opening::open`] for one of the shards of an object: of those of which no envelope is known, only the making is compared with what is.
    pub(crate) fn open_one_of_many(&self, owner: &OwnerKey, bytes: &[u8]) -> anyhow::Result<Opener> {
        let envelope = verify(owner, bytes)?;
        self.known.check_shard(owner, &envelope, bytes)?;
        self.open_verified(owner, envelope, bytes)
    }

    /// Files of the envelopes that were seen before.
    pub(crate) fn known(&self) -> impl Iterator<Item = &Path> {
        self.known.paths()
    }

    /// Whether one object's file key was given, and nothing else.
    pub(crate) fn is_by_file_key(&self) -> bool {
        self.file_key.is_some()
    }

    /// The passphrase, if one was given.
    pub(crate) fn passphrase(&self) -> Option<&Passphrase> {
        self.passphrase.as_ref()
    }

    /// What to say of rollback.
    pub(crate) fn rollback_note(&self) -> String {
        self.known.note()
    }
}

/// A passphrase at the default cost.
pub(crate) fn asked_for(passphrase: &Passphrase, beside_keys: bool) -> PassphraseRecipient<'_> {
    PassphraseRecipient { passphrase, cost: PassphraseCost::default(), beside_keys }
}

/// Points out recipients on classical curves beside hybrid ones: what is sealed is as strong as the weakest way to open it.
pub(crate) fn note_mix(recipients: &[RecipientPublicKey]) {
    if recipients.iter().any(|r| r.kem().is_post_quantum()) {
        note_classical(recipients);
    }
}

/// Points out recipients on classical curves.
pub(crate) fn note_classical(recipients: &[RecipientPublicKey]) {
    let classical = recipients.iter().filter(|r| !r.kem().is_post_quantum()).count();
    if classical > 0 {
        eprintln!(
            "note: {classical} recipient(s) use x25519 or p256: a future quantum computer could open through them what is sealed"
        );
    }
}

/// Somebody can open, and a passphrase stands beside keys only when `also` says so.
pub(crate) fn check_mix(recipients: usize, passphrase: bool, also: bool) -> anyhow::Result<()> {
    match (recipients, passphrase) {
        (0, false) => bail!("nobody could open the object: name a recipient with --to, or give a passphrase"),
        (1.., true) if !also => Err(anyhow!(
            "a passphrase beside recipients' keys makes the object only as strong as the passphrase"
        ))
        .context(Help("say --also-passphrase if that is meant")),
        _ => Ok(()),
    }
}
