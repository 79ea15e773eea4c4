//! Configuration: one TOML file, no secrets in it, unknown keys refused.

use std::fs;
use std::io;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use bailiwick_protocol::ids::{AuditorKey, OwnerKey};
use bailiwick_protocol::limits::BODY_BYTES_MAX;
use serde::Deserialize;

use crate::shares::Capacity;

/// The commented example that `node init` writes and the documentation shows.
pub const EXAMPLE: &str = include_str!("../node.example.toml");

/// What a node is told. Relative paths are relative to the configuration file's folder.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Config {
    /// Address and port to listen on.
    pub listen: SocketAddr,
    /// Folder of objects and index, made when missing.
    pub data_dir: PathBuf,
    /// The host's private key file (mode 0600).
    pub host_key: PathBuf,
    /// Folder of proving keys, each named `HEX.pk` by its verifying key's digest.
    pub circuit_keys_dir: PathBuf,
    /// Owners who may store objects, and read, list and delete their own.
    #[serde(default)]
    pub owners: Vec<OwnerKey>,
    /// Auditors who may ask challenges, read and list everything.
    #[serde(default)]
    pub auditors: Vec<AuditorKey>,
    /// Further Ed25519 keys, hexadecimal, that may read everything.
    #[serde(default)]
    pub readers: Vec<OwnerKey>,
    /// Bytes the files of all objects together may take (bodies with their tables and envelopes, uploads under way and
    /// versions kept for live inventories included).
    #[serde(default = "default_quota")]
    pub quota_bytes: u64,
    /// The same for the objects of each owner.
    #[serde(default = "default_quota")]
    pub owner_quota_bytes: u64,
    /// Bytes one body may have. Without: what every circuit key of the node can prove (every class it may be asked under).
    pub body_bytes_max: Option<u64>,
    /// Threads of the prover; 0 for one per core. A proof begun while 20 or more requests a second come leaves one core to
    /// them.
    #[serde(default)]
    pub proof_threads: usize,
    /// How the prover's threads compete with everything else on the machine.
    #[serde(default)]
    pub proof_priority: ProofPriority,
    /// Least level logged: `error`, `warn`, `info`, `debug` or `trace`.
    #[serde(default = "default_log")]
    pub log: LogLevel,
    /// Bounds on connections and time.
    #[serde(default)]
    pub limits: Limits,
    /// How long inventories stay provable.
    #[serde(default)]
    pub inventory: InventoryLimits,
    /// Certificate and key; without, plain HTTP (for loopback, or behind a proxy that ends TLS).
    pub tls: Option<Tls>,
}

/// How the prover's threads compete with everything else on the machine.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum ProofPriority {
    /// They yield to everything: the policy `SCHED_IDLE` (Linux) and nice 19. On a machine that is never idle no proof is made.
    #[default]
    Idle,
    /// As any other thread: for a machine that others keep busy, where audits must be answered in time all the same.
    Normal,
}

/// Least level logged.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
#[expect(missing_docs, reason = "the names are the documentation")]
pub enum LogLevel {
    Error,
    Warn,
    Info,
    Debug,
    Trace,
}

/// Files of a TLS certificate.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Tls {
    /// PEM certificate chain, leaf first.
    pub cert: PathBuf,
    /// PEM private key.
    pub key: PathBuf,
}

/// How long, and how many, inventories stay provable. While one is live, versions it lists that are replaced or deleted stay on
/// disk and count in their owner's quota.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct InventoryLimits {
    /// Hours from when an inventory is made.
    pub retain_hours: u64,
    /// Live ones at a time that one auditor had made; it gets no further one until its oldest has passed.
    pub live_max: usize,
    /// Seconds of an epoch: inventories are then only made of the current epoch, which is the time since 1970-01-01 UTC divided by
    /// this, and of the two beside it. 0: of any epoch.
    pub epoch_seconds: u64,
}

impl InventoryLimits {
    /// The epoch at `unix_ms`, if epochs follow the time.
    pub(crate) fn epoch_at(&self, unix_ms: u64) -> Option<u64> {
        (unix_ms / 1000).checked_div(self.epoch_seconds)
    }
}

impl Default for InventoryLimits {
    fn default() -> Self {
        Self { retain_hours: 48, live_max: 64, epoch_seconds: 0 }
    }
}

/// Bounds on what strangers can hold open.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Limits {
    /// Open connections; more wait to be accepted. A quarter of the process's limit of open files, at most.
    pub connections: usize,
    /// Seconds for a whole request head, and for an idle connection.
    pub header_seconds: u64,
    /// Seconds between two pieces of a body, either way.
    pub idle_seconds: u64,
    /// Bytes a second an upload must reach, on average, after `idle_seconds`.
    pub body_bytes_per_second_min: u64,
    /// Seconds, 1 to 300, that a body is read on and thrown away after a refusal that came before it, so that a client that is still
    /// writing sees the refusal.
    pub linger_seconds: u64,
    /// Seconds, 1 to 300, of a pause in a body nobody needs any more after which its client is taken to wait for the answer; never
    /// longer than `idle_seconds`.
    pub drain_idle_seconds: u64,
    /// Uploads at a time; more are told to come back.
    pub uploads: usize,
    /// Nonces remembered, each for about a minute: requests a minute.
    pub nonces: usize,
    /// Challenges waiting for the prover.
    pub proof_queue: usize,
    /// Percent of `uploads`, `nonces` and `proof_queue` (rounded up) that one key may have, 1 to 100: the rest is for others.
    pub key_share_percent: usize,
    /// Seconds in-flight requests have to finish at shutdown.
    pub shutdown_seconds: u64,
}

impl Limits {
    /// Places for all keys together, and how many of them one key may have.
    pub(crate) fn places(&self, total: usize) -> Capacity {
        // In a wider type: no product overflows. A share is at least one place and never more than there are.
        let each = (total as u128 * self.key_share_percent as u128).div_ceil(100);
        Capacity { total, each: usize::try_from(each).unwrap_or(total).clamp(1, total.max(1)) }
    }
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            connections: 1024,
            header_seconds: 10,
            idle_seconds: 30,
            body_bytes_per_second_min: 1024,
            linger_seconds: 10,
            drain_idle_seconds: 5,
            uploads: 64,
            nonces: 200_000,
            proof_queue: 16,
            key_share_percent: 50,
            shutdown_seconds: 30,
        }
    }
}

const fn default_quota() -> u64 {
    1 << 40
}

const fn default_log() -> LogLevel {
    LogLevel::Info
}

/// Why a configuration cannot be used.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ConfigError {
    /// The file cannot be read.
    #[error("reading {path}: {source}")]
    Read {
        /// The file.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// Not TOML, an unknown key, or a value of another type.
    #[error("{path}: {source}")]
    Parse {
        /// The file.
        path: PathBuf,
        /// Where and why.
        source: Box<toml::de::Error>,
    },
    /// A value outside its range.
    #[error("{path}: {key} must be {rule}")]
    Range {
        /// The file.
        path: PathBuf,
        /// The key.
        key: &'static str,
        /// What it must be.
        rule: &'static str,
    },
}

impl Config {
    /// Reads a file; relative paths in it become relative to its folder.
    ///
    /// # Errors
    /// `ConfigError`.
    pub fn load(path: &Path) -> Result<Self, ConfigError> {
        let text =
            fs::read_to_string(path).map_err(|source| ConfigError::Read { path: path.to_owned(), source })?;
        Self::parse(&text, path)
    }

    /// Reads `text` as if it were the file at `path`.
    ///
    /// # Errors
    /// `ConfigError`.
    pub fn parse(text: &str, path: &Path) -> Result<Self, ConfigError> {
        let mut config: Self = toml::from_str(text)
            .map_err(|source| ConfigError::Parse { path: path.to_owned(), source: Box::new(source) })?;
        let range = |key, rule| Err(ConfigError::Range { path: path.to_owned(), key, rule });
        let limits = &config.limits;
        if config.body_bytes_max.is_some_and(|max| max == 0 || max > BODY_BYTES_MAX) {
            return range("body_bytes_max", "1 to 133143986176");
        }
        if limits.connections == 0 || limits.uploads == 0 || limits.nonces == 0 || limits.proof_queue == 0 {
            return range("limits", "above zero: connections, uploads, nonces, proof_queue");
        }
        if !(1..=100).contains(&limits.key_share_percent) {
            return range("key_share_percent", "1 to 100");
        }
        if limits.header_seconds == 0 || limits.idle_seconds == 0 {
            return range("limits", "above zero: header_seconds, idle_seconds");
        }
        if ![limits.linger_seconds, limits.drain_idle_seconds].iter().all(|s| (1..=300).contains(s)) {
            return range("limits", "1 to 300: linger_seconds, drain_idle_seconds");
        }
        if config.inventory.retain_hours == 0 || config.inventory.live_max == 0 {
            return range("inventory", "above zero: retain_hours, live_max");
        }
        // Also one that was made an epoch early is live to the end of its epoch.
        let retain_seconds = config.inventory.retain_hours.saturating_mul(3600);
        if config.inventory.epoch_seconds.saturating_mul(3) > retain_seconds {
            return range("inventory.epoch_seconds", "at most a third of inventory.retain_hours");
        }
        let live = retain_seconds.checked_div(config.inventory.epoch_seconds).unwrap_or(0);
        if live > 0 && (config.inventory.live_max as u64) < live.saturating_add(2) {
            return range(
                "inventory.live_max",
                "at least retain_hours * 3600 / epoch_seconds + 2, or an honest auditor is refused",
            );
        }
        let base = path.parent().unwrap_or(Path::new(""));
        let tls = config.tls.iter_mut().flat_map(|t| [&mut t.cert, &mut t.key]);
        for p in
            [&mut config.data_dir, &mut config.host_key, &mut config.circuit_keys_dir].into_iter().chain(tls)
        {
            *p = base.join(&*p);
        }
        Ok(config)
    }

    /// Folder of the object store.
    #[must_use]
    pub fn objects_dir(&self) -> PathBuf {
        self.data_dir.join("objects")
    }

    /// File of the replay floor.
    #[must_use]
    pub fn replay_floor(&self) -> PathBuf {
        self.data_dir.join("replay-floor")
    }
}
