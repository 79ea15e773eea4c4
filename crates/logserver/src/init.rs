//! Making a log or a witness: a folder with a configuration, a key and an empty data folder.

use std::fs;
use std::io::{self, Write as _};
use std::net::SocketAddr;
use std::os::unix::fs::DirBuilderExt as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use bailiwick_store::files::StdFiles;
use bailiwick_translog::{Log, SignatureKind, VerifierKey};

use crate::config::{LogConfig, WitnessConfig, WitnessEntry};
use crate::dir::LogDir;
use crate::error::ServerError;
use crate::keyfile::{self, KeyFileError};
use crate::witness_state::WitnessState;

/// What a new log's configuration says.
#[derive(Clone, Debug)]
pub struct LogInit {
    /// The log's name for good: an address without scheme, e.g. `log.example/audits`.
    pub origin: String,
    /// Address to listen on.
    pub listen: SocketAddr,
    /// Keys that may add entries.
    pub submitters: Vec<[u8; 32]>,
    /// Witnesses to ask.
    pub witnesses: Vec<WitnessEntry>,
    /// Cosignatures needed.
    pub quorum: usize,
    /// Where rounds of the quicknet beacon to relay come from, addresses with `{round}`; empty for no relay.
    pub beacon: Vec<String>,
}

/// What a new witness's configuration says.
#[derive(Clone, Debug)]
pub struct WitnessInit {
    /// The witness's name for good.
    pub name: String,
    /// Address to listen on.
    pub listen: SocketAddr,
    /// Logs it witnesses.
    pub logs: Vec<VerifierKey>,
}

/// A folder that was made.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Made {
    /// The configuration file.
    pub config: PathBuf,
    /// The public key.
    pub key: VerifierKey,
}

fn failed(path: &Path) -> impl FnOnce(io::Error) -> ServerError + use<> {
    let path = path.to_owned();
    move |source| ServerError::Io { path, source }
}

fn write_new(path: &Path, text: &str) -> Result<(), ServerError> {
    let write = || {
        let mut file = fs::File::create_new(path)?;
        file.write_all(text.as_bytes())?;
        file.sync_all()
    };
    write().map_err(failed(path))
}

fn quoted(text: &str) -> String {
    toml::Value::String(text.to_owned()).to_string()
}

fn list(items: impl Iterator<Item = String>) -> String {
    let lines: String = items.map(|i| format!("\n  {},", quoted(&i))).collect();
    if lines.is_empty() { "[]".to_owned() } else { format!("[{lines}\n]") }
}

fn check_name(name: &str, kind: SignatureKind, dir: &Path) -> Result<(), KeyFileError> {
    let checked = VerifierKey::new(name, kind, [0; 32]);
    checked.map(drop).map_err(|source| KeyFileError::Key { path: dir.to_owned(), source })
}

fn make_folder(dir: &Path) -> Result<(), ServerError> {
    fs::DirBuilder::new().mode(0o700).create(dir).map_err(failed(dir))
}

fn finish(dir: &Path) -> Result<(), ServerError> {
    fs::File::open(dir).and_then(|d| d.sync_all()).map_err(failed(dir))
}

/// Makes `dir`, which must not exist, with `log.toml`, `log.key`, `log.vkey` and an empty log.
///
/// # Errors
/// `ServerError`.
pub fn init_log(dir: &Path, options: &LogInit) -> Result<Made, ServerError> {
    let config = dir.join("log.toml");
    let mut text = format!(
        "# Configuration of a transparency log. Paths are relative to this file. Unknown keys are refused.\n\n\
         # Without [tls] (cert, key) keep it on loopback, or behind a proxy that ends TLS.\nlisten = \"{}\"\n\n\
         data_dir = \"data\"\n\n# The log's private key; readable by its owner only.\nlog_key = \"log.key\"\n\n\
         # Ed25519 keys (64 hexadecimal digits) that may add entries.\nsubmitters = {}\n\n\
         # Cosignatures a checkpoint needs before it is published.\nquorum = {}\n\n\
         # Seconds after which an unchanged checkpoint is cosigned again.\nrefresh_seconds = 60\n\n\
         # Seconds a witness may take.\nwitness_seconds = 5\n",
        options.listen,
        list(options.submitters.iter().map(hex::encode)),
        options.quorum
    );
    if !options.beacon.is_empty() {
        text += &format!(
            "\n# Rounds of the quicknet beacon, relayed at /beacon/quicknet/. Readers verify them; who is asked here need not be trusted.\n\
             [beacon]\nurls = {}\n",
            list(options.beacon.iter().cloned())
        );
    }
    for witness in &options.witnesses {
        text += &format!("\n[[witness]]\nkey = {}\nurl = {}\n", quoted(&witness.key), quoted(&witness.url));
    }
    // A mistake leaves nothing behind.
    LogConfig::check_text(&text, &config)?;
    check_name(&options.origin, SignatureKind::Ed25519, dir)?;
    make_folder(dir)?;
    let key = keyfile::create(&dir.join("log.key"), &options.origin, SignatureKind::Ed25519)?;
    write_new(&config, &text)?;
    write_new(&dir.join("log.vkey"), &format!("{key}\n"))?;
    let loaded = LogConfig::load(&config)?;
    LogDir::create(&StdFiles, &loaded.data_dir).map_err(failed(&loaded.data_dir))?;
    let storage = LogDir::open(Arc::new(StdFiles), &loaded.data_dir).map_err(failed(&loaded.data_dir))?;
    Log::create(storage, keyfile::load(&loaded.log_key)?)?;
    finish(dir)?;
    Ok(Made { config, key })
}

/// Makes `dir`, which must not exist, with `witness.toml`, `witness.key`, `witness.vkey` and an empty memory.
///
/// # Errors
/// `ServerError`.
pub fn init_witness(dir: &Path, options: &WitnessInit) -> Result<Made, ServerError> {
    let config = dir.join("witness.toml");
    let text = format!(
        "# Configuration of a witness. Paths are relative to this file. Unknown keys are refused.\n\n\
         # Without [tls] (cert, key) keep it on loopback, or behind a proxy that ends TLS.\nlisten = \"{}\"\n\n\
         # What it has cosigned. Never put back an older copy: make a new witness with a new key instead.\n\
         data_dir = \"data\"\n\n# The witness's private key; readable by its owner only.\nwitness_key = \"witness.key\"\n\n\
         # Verifier keys of the logs it witnesses.\nlogs = {}\n",
        options.listen,
        list(options.logs.iter().map(ToString::to_string)),
    );
    WitnessConfig::check_text(&text, &config)?;
    check_name(&options.name, SignatureKind::Cosignature, dir)?;
    make_folder(dir)?;
    let key = keyfile::create(&dir.join("witness.key"), &options.name, SignatureKind::Cosignature)?;
    write_new(&config, &text)?;
    write_new(&dir.join("witness.vkey"), &format!("{key}\n"))?;
    let loaded = WitnessConfig::load(&config)?;
    WitnessState::create(&StdFiles, &loaded.data_dir).map_err(failed(&loaded.data_dir))?;
    finish(dir)?;
    Ok(Made { config, key })
}
