//! Files of a campaign: the hosts it is made for, how the auditor works, and the beacon chain it pins.

use std::path::{Path, PathBuf};

use anyhow::Context as _;
use bailiwick_auditor::Pace;
use bailiwick_beacon::{ChainInfo, QUICKNET, Scheme};
use bailiwick_protocol::ids::VkDigest;
use bailiwick_translog::{LogPolicy, VerifierKey};
use serde::{Deserialize, Serialize};

use crate::Help;
use crate::output::read_bounded;

/// 512 hosts of some 400 bytes fit often.
const FILE_BYTES_MAX: u64 = 1 << 20;

/// What `--hosts` names.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct HostsFile {
    pub(super) host: Vec<NamedHost>,
}

/// One host to be audited.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct NamedHost {
    /// Address of its node.
    pub(super) url: String,
    /// Its public key, hexadecimal or a .pub file.
    pub(super) key: String,
    /// Class of the proofs.
    pub(super) class: String,
    /// Key they must verify under.
    pub(super) vk: VkDigest,
    /// PEM file with the certificates to trust.
    pub(super) roots: Option<PathBuf>,
}

/// How to reach one host.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct HostEntry {
    pub(super) url: String,
    pub(super) key: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) roots: Option<PathBuf>,
}

/// The log and its witnesses.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct LogEntry {
    pub(super) url: String,
    pub(super) key: String,
    pub(super) witnesses: Vec<String>,
    pub(super) quorum: usize,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) roots: Option<PathBuf>,
}

impl LogEntry {
    /// What a proof is judged by.
    pub(super) fn policy(&self) -> anyhow::Result<LogPolicy> {
        let key =
            |text: &String| VerifierKey::parse(text.trim()).with_context(|| format!("note key {text:?}"));
        let witnesses = self.witnesses.iter().map(key).collect::<anyhow::Result<_>>()?;
        Ok(LogPolicy::new(key(&self.key)?, witnesses, self.quorum)?)
    }
}

/// Where rounds come from.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct BeaconEntry {
    /// URL or path; `{round}` stands for the number.
    pub(super) source: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) roots: Option<PathBuf>,
}

/// Seconds and counts of [`Pace`].
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct PaceEntry {
    pub(super) lead_ms: u64,
    pub(super) commit_ms: u64,
    pub(super) reserve_ms: u64,
    pub(super) poll_ms: u64,
    pub(super) reask_ms: u64,
    pub(super) probes: u32,
}

impl From<Pace> for PaceEntry {
    fn from(p: Pace) -> Self {
        let Pace { lead_ms, commit_ms, reserve_ms, poll_ms, reask_ms, probes } = p;
        Self { lead_ms, commit_ms, reserve_ms, poll_ms, reask_ms, probes }
    }
}

impl PaceEntry {
    pub(super) const fn pace(&self) -> Pace {
        Pace {
            lead_ms: self.lead_ms,
            commit_ms: self.commit_ms,
            reserve_ms: self.reserve_ms,
            poll_ms: self.poll_ms,
            reask_ms: self.reask_ms,
            probes: self.probes,
        }
    }
}

/// `campaign.toml`: how a campaign works. What it is bound to is in its journal, signed.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct CampaignFile {
    pub(super) version: u32,
    /// The auditor's secret key file.
    pub(super) auditor: PathBuf,
    pub(super) pace: PaceEntry,
    pub(super) log: LogEntry,
    pub(super) beacon: BeaconEntry,
    /// Absent for drand's quicknet.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) chain: Option<ChainEntry>,
    pub(super) host: Vec<HostEntry>,
}

/// Version of `campaign.toml`.
pub(super) const CAMPAIGN_VERSION: u32 = 1;

impl CampaignFile {
    /// Of the campaign in `dir`.
    pub(super) fn read(dir: &Path) -> anyhow::Result<Self> {
        let path = dir.join("campaign.toml");
        let file: Self =
            read_toml(&path).context(Help("give the folder that `bailiwick audit schedule -o` made"))?;
        anyhow::ensure!(
            file.version == CAMPAIGN_VERSION,
            "{}: version {}, this program knows {CAMPAIGN_VERSION}",
            path.display(),
            file.version
        );
        Ok(file)
    }

    /// The pinned chain.
    pub(super) fn chain(&self) -> anyhow::Result<ChainInfo> {
        self.chain.as_ref().map_or(Ok(QUICKNET), ChainEntry::chain)
    }
}

/// A beacon chain, as drand's `info` and the trust anchors show one.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct ChainEntry {
    hash: String,
    public_key: String,
    genesis_time: u64,
    period: u32,
    group_hash: String,
    id: String,
}

impl ChainEntry {
    pub(super) fn chain(&self) -> anyhow::Result<ChainInfo> {
        fn digits<const N: usize>(name: &str, text: &str) -> anyhow::Result<[u8; N]> {
            let mut out = [0; N];
            hex::decode_to_slice(text, &mut out).with_context(|| format!("beacon chain: {name}"))?;
            Ok(out)
        }
        let chain = ChainInfo {
            hash: digits("hash", &self.hash)?,
            public_key: digits("public_key", &self.public_key)?,
            genesis: self.genesis_time,
            period: self.period,
            group_hash: digits("group_hash", &self.group_hash)?,
            scheme: Scheme::BlsUnchainedG1Rfc9380,
            id: self.id.clone().into(),
        };
        chain.check()?;
        Ok(chain)
    }
}

/// A file with the table `[beacon]` of the trust anchors and nothing else.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct ChainFile {
    beacon: ChainEntry,
}

/// What `--beacon-chain` names.
pub(super) fn read_chain(path: &Path) -> anyhow::Result<ChainEntry> {
    let file: ChainFile = read_toml(path)?;
    file.beacon.chain().with_context(|| format!("{}", path.display()))?;
    Ok(file.beacon)
}

/// What `--hosts` names.
pub(super) fn read_hosts(path: &Path) -> anyhow::Result<HostsFile> {
    read_toml(path).context(Help("it needs [[host]] tables with url, key, class and vk"))
}

fn read_toml<T: for<'de> Deserialize<'de>>(path: &Path) -> anyhow::Result<T> {
    let bytes = read_bounded(path, FILE_BYTES_MAX)?;
    let text = std::str::from_utf8(&bytes).with_context(|| format!("{} is not text", path.display()))?;
    toml::from_str(text).with_context(|| format!("{}", path.display()))
}
