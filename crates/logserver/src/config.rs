//! Configurations: one TOML file a server, no secrets in it, unknown keys refused.

use std::fs;
use std::io;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};

mod chain;

use bailiwick_beacon::{ChainInfo, QUICKNET};
use bailiwick_translog::{LogPolicy, PolicyError, SIGNATURES_MAX, SignatureKind, VerifierKey};
use serde::Deserialize;

pub use chain::ChainConfig;

use crate::tls::TlsFiles;

/// Bytes of a configuration, at most.
const FILE_BYTES_MAX: u64 = 1 << 20;

/// Least level logged.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
#[expect(missing_docs, reason = "the names are the documentation")]
pub enum LogLevel {
    Error,
    Warn,
    #[default]
    Info,
    Debug,
}

/// Why a configuration cannot be used.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ConfigError {
    /// The file cannot be read.
    #[error("{path}: {source}")]
    Io {
        /// The file.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// Not TOML of this form.
    #[error("{path}: {source}")]
    Toml {
        /// The file.
        path: PathBuf,
        /// Why, and where.
        source: Box<toml::de::Error>,
    },
    /// A key that is not 64 hexadecimal digits, a note key of the wrong kind, or a number out of range.
    #[error("{path}: {what}")]
    Value {
        /// The file.
        path: PathBuf,
        /// Which.
        what: &'static str,
    },
    /// Witnesses and quorum.
    #[error("{path}: {source}")]
    Policy {
        /// The file.
        path: PathBuf,
        /// Why.
        source: PolicyError,
    },
}

/// A witness a log asks.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct WitnessEntry {
    /// Its verifier key, `name+id+base64`.
    pub key: String,
    /// Its submission prefix, `http(s)://host[:port][/path]`.
    pub url: String,
}

/// What a log is told. Relative paths are relative to the configuration file's folder.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LogConfig {
    /// Address and port to listen on. Without `tls` keep it on loopback, or behind a proxy that ends TLS.
    pub listen: SocketAddr,
    /// The log's directory.
    pub data_dir: PathBuf,
    /// The log's private key file (mode 0600).
    pub log_key: PathBuf,
    /// Ed25519 keys, 64 hexadecimal digits each, that may add entries.
    #[serde(default)]
    pub submitters: Vec<String>,
    /// Cosignatures a checkpoint needs before it is published. Needed when there are witnesses.
    pub quorum: Option<usize>,
    /// Seconds after which an unchanged checkpoint is cosigned again, so that it stays fresh.
    #[serde(default = "default_refresh")]
    pub refresh_seconds: u64,
    /// Seconds a witness may take to answer.
    #[serde(default = "default_witness")]
    pub witness_seconds: u64,
    /// Open connections; more wait to be accepted.
    #[serde(default = "default_connections")]
    pub connections: usize,
    /// PEM file with the certificates to trust for witnesses with https.
    pub roots: Option<PathBuf>,
    /// Least level logged.
    #[serde(default)]
    pub log: LogLevel,
    /// Certificate and key; without, plain HTTP.
    pub tls: Option<TlsFiles>,
    /// Rounds of a beacon to relay; absent for none.
    pub beacon: Option<BeaconConfig>,
    /// The witnesses.
    #[serde(default)]
    pub witness: Vec<WitnessEntry>,
}

/// Which rounds a log relays, and from where.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct BeaconConfig {
    /// Where drand's HTTP API, or another log, serves a round: addresses with `{round}` in the path.
    pub urls: Vec<String>,
    /// Rounds kept, counted from the latest, 3 seconds each.
    #[serde(default = "default_keep")]
    pub keep_rounds: u64,
    /// Rounds before the start that are fetched too.
    #[serde(default = "default_back")]
    pub back_rounds: u64,
    /// Another chain than drand's quicknet.
    pub chain: Option<ChainConfig>,
}

impl BeaconConfig {
    /// The chain, if its parameters make sense.
    pub(crate) fn chain_info(&self) -> Option<ChainInfo> {
        self.chain.as_ref().map_or(Some(QUICKNET), ChainConfig::info)
    }
}

/// What a witness is told. Relative paths are relative to the configuration file's folder.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct WitnessConfig {
    /// Address and port to listen on. Without `tls` keep it on loopback, or behind a proxy that ends TLS.
    pub listen: SocketAddr,
    /// The witness's directory: what it has cosigned, and evidence.
    pub data_dir: PathBuf,
    /// The witness's private key file (mode 0600).
    pub witness_key: PathBuf,
    /// Verifier keys of the logs it witnesses; a log may have several.
    pub logs: Vec<String>,
    /// Open connections; more wait to be accepted.
    #[serde(default = "default_connections")]
    pub connections: usize,
    /// Certificate and key; without, plain HTTP.
    pub tls: Option<TlsFiles>,
    /// Least level logged.
    #[serde(default)]
    pub log: LogLevel,
}

const fn default_refresh() -> u64 {
    60
}

const fn default_witness() -> u64 {
    5
}

/// A day.
const fn default_keep() -> u64 {
    28_800
}

/// An hour.
const fn default_back() -> u64 {
    1200
}

const fn default_connections() -> usize {
    512
}

fn read<T: for<'de> Deserialize<'de>>(path: &Path) -> Result<T, ConfigError> {
    let io = |source| ConfigError::Io { path: path.to_owned(), source };
    if fs::metadata(path).map_err(io)?.len() > FILE_BYTES_MAX {
        return Err(ConfigError::Value { path: path.to_owned(), what: "too long for a configuration" });
    }
    parse(&fs::read_to_string(path).map_err(io)?, path)
}

fn parse<T: for<'de> Deserialize<'de>>(text: &str, path: &Path) -> Result<T, ConfigError> {
    toml::from_str(text).map_err(|e| ConfigError::Toml { path: path.to_owned(), source: Box::new(e) })
}

fn beside(file: &Path, path: &mut PathBuf) {
    *path = file.parent().unwrap_or(Path::new("")).join(&*path);
}

impl LogConfig {
    /// Reads and checks.
    ///
    /// # Errors
    /// `ConfigError`.
    pub fn load(path: &Path) -> Result<Self, ConfigError> {
        let mut config: Self = read(path)?;
        config.check(path)?;
        beside(path, &mut config.data_dir);
        beside(path, &mut config.log_key);
        let tls = config.tls.iter_mut().flat_map(|t| [&mut t.cert, &mut t.key]);
        config.roots.iter_mut().chain(tls).for_each(|file| beside(path, file));
        Ok(config)
    }

    /// Checks a text that is to become the file `path`.
    pub(crate) fn check_text(text: &str, path: &Path) -> Result<(), ConfigError> {
        parse::<Self>(text, path)?.check(path)
    }

    fn check(&self, path: &Path) -> Result<(), ConfigError> {
        let value = |what| ConfigError::Value { path: path.to_owned(), what };
        self.submitter_keys().ok_or_else(|| value("a submitter is not 64 hexadecimal digits"))?;
        let keys = self.witness_keys().ok_or_else(|| value("a witness's key is not a verifier key"))?;
        // Each has a line in the checkpoint, beside the log's own.
        if keys.len() >= SIGNATURES_MAX {
            return Err(value("more than 63 witnesses"));
        }
        let ranges = (1..=86_400).contains(&self.refresh_seconds)
            && (1..=300).contains(&self.witness_seconds)
            && (1..=65_536).contains(&self.connections);
        if !ranges {
            return Err(value("refresh_seconds, witness_seconds or connections is out of range"));
        }
        if let Some(beacon) = &self.beacon {
            if beacon.urls.is_empty() || !beacon.urls.iter().all(|url| url.contains("{round}")) {
                return Err(value("beacon.urls needs addresses with {round} in them"));
            }
            if !(1..=1_000_000).contains(&beacon.keep_rounds) || beacon.back_rounds >= beacon.keep_rounds {
                return Err(value("beacon.keep_rounds or beacon.back_rounds is out of range"));
            }
            if beacon.chain_info().is_none() {
                return Err(value("beacon.chain is no chain: copy it from the relay's `info`, with its id"));
            }
        }
        if self.quorum.is_none() && !self.witness.is_empty() {
            return Err(value("quorum is missing: how many of the witnesses must have cosigned"));
        }
        // The log's own key is not read here; any key of its kind tells whether the witnesses make sense among themselves.
        VerifierKey::new("log", SignatureKind::Ed25519, [0; 32])
            .ok()
            .map(|log| LogPolicy::new(log, keys, self.quorum.unwrap_or(0)))
            .transpose()
            .map_err(|source| ConfigError::Policy { path: path.to_owned(), source })?;
        Ok(())
    }

    pub(crate) fn submitter_keys(&self) -> Option<Vec<[u8; 32]>> {
        self.submitters.iter().map(|text| hex::decode(text).ok()?.try_into().ok()).collect()
    }

    pub(crate) fn witness_keys(&self) -> Option<Vec<VerifierKey>> {
        self.witness.iter().map(|w| VerifierKey::parse(&w.key).ok()).collect()
    }
}

impl WitnessConfig {
    /// Reads and checks.
    ///
    /// # Errors
    /// `ConfigError`.
    pub fn load(path: &Path) -> Result<Self, ConfigError> {
        let mut config: Self = read(path)?;
        config.check(path)?;
        beside(path, &mut config.data_dir);
        beside(path, &mut config.witness_key);
        let tls = config.tls.iter_mut().flat_map(|t| [&mut t.cert, &mut t.key]);
        tls.for_each(|file| beside(path, file));
        Ok(config)
    }

    /// Checks a text that is to become the file `path`.
    pub(crate) fn check_text(text: &str, path: &Path) -> Result<(), ConfigError> {
        parse::<Self>(text, path)?.check(path)
    }

    fn check(&self, path: &Path) -> Result<(), ConfigError> {
        self.log_keys().map(drop).ok_or_else(|| ConfigError::Value {
            path: path.to_owned(),
            what: "a log's key is not a verifier key of a log",
        })
    }

    pub(crate) fn log_keys(&self) -> Option<Vec<VerifierKey>> {
        let key =
            |text: &String| VerifierKey::parse(text).ok().filter(|k| k.kind() == SignatureKind::Ed25519);
        self.logs.iter().map(key).collect()
    }
}
