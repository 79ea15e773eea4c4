//! Which shard lies at which host: a file its owner writes (spec shards, clause Q12).

use std::collections::BTreeMap;

use crate::geometry::SHARDS_MAX;

/// Bytes of a placement file, at most: 255 shards of some hundred bytes, and comments.
pub const PLACEMENT_BYTES_MAX: usize = 128 * 1024;

/// Bytes of a node's address or of a path, at most.
const TEXT_BYTES_MAX: usize = 1024;

/// Why a placement cannot be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum PlacementError {
    /// More bytes than a placement may have.
    #[error("the placement is longer than {PLACEMENT_BYTES_MAX} bytes")]
    TooLong,
    /// Not TOML, or with a key that is not known, or without one that is needed.
    #[error("the placement is not as it should be: {0}")]
    Toml(String),
    /// Another version.
    #[error("the placement has version {0}, this reads version 1")]
    Version(u64),
    /// A shard number that cannot be.
    #[error("shard {0} cannot be: shards are numbered from 0 to 254")]
    Shard(u64),
    /// The same shard twice.
    #[error("shard {0} is placed twice")]
    Twice(u16),
    /// A key that is not 64 lower-case hexadecimal digits.
    #[error("shard {0}: the host's key must be 64 lower-case hexadecimal digits")]
    Host(u16),
    /// An address that is not one.
    #[error("shard {0}: the node must be http(s)://host[:port] of at most 1,024 printable characters")]
    Node(u16),
    /// More shards at one host than the file allows: losing it would lose all of them.
    #[error(
        "shards {shards:?} lie at one host ({by}), the placement allows {allowed}: choose another host, or raise shards_per_host"
    )]
    TogetherAtHost {
        /// The shards.
        shards: Vec<u16>,
        /// What they share: `key …` or `node …`.
        by: String,
        /// `shards_per_host`.
        allowed: u16,
    },
    /// `shards_per_host` is 0 or above 255.
    #[error("shards_per_host must be 1 to 255")]
    PerHost,
    /// Nothing is placed.
    #[error("the placement names no shard")]
    Empty,
    /// A shard of the object has no place, or a place is of none of its shards.
    #[error("the placement is of shards {placed:?}, the object has shards 0 to {last}")]
    Incomplete {
        /// Shards placed.
        placed: Vec<u16>,
        /// n - 1.
        last: u16,
    },
}

/// Where one shard lies.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Place {
    /// The shard, 0 to 254.
    pub shard: u16,
    /// Address of the node.
    pub node: String,
    /// The host's public key.
    pub host: [u8; 32],
    /// PEM file with the certificates to trust, as written.
    pub roots: Option<String>,
}

/// A checked placement.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Placement {
    /// Shards that may lie at one host.
    pub shards_per_host: u16,
    /// Ascending by shard.
    pub places: Vec<Place>,
}

#[derive(serde::Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    version: u64,
    #[serde(default = "one")]
    shards_per_host: u64,
    #[serde(default)]
    shard: Vec<Entry>,
}

#[derive(serde::Deserialize)]
#[serde(deny_unknown_fields)]
struct Entry {
    shard: u64,
    node: String,
    host: String,
    roots: Option<String>,
}

fn one() -> u64 {
    1
}

impl Placement {
    /// Reads a placement and checks all of it but which object it is for.
    ///
    /// # Errors
    /// Every variant but `Incomplete`.
    pub fn parse(text: &str) -> Result<Self, PlacementError> {
        if text.len() > PLACEMENT_BYTES_MAX {
            return Err(PlacementError::TooLong);
        }
        let file: File = toml::from_str(text).map_err(|e| PlacementError::Toml(e.message().to_owned()))?;
        if file.version != 1 {
            return Err(PlacementError::Version(file.version));
        }
        let shards_per_host = u16::try_from(file.shards_per_host)
            .ok()
            .filter(|n| (1..=SHARDS_MAX).contains(n))
            .ok_or(PlacementError::PerHost)?;
        let mut places = BTreeMap::new();
        for entry in file.shard {
            let place = entry.check()?;
            let shard = place.shard;
            if places.insert(shard, place).is_some() {
                return Err(PlacementError::Twice(shard));
            }
        }
        if places.is_empty() {
            return Err(PlacementError::Empty);
        }
        let placement = Self { shards_per_host, places: places.into_values().collect() };
        placement.check_spread(|p| format!("key {}", hex(&p.host)))?;
        // Another key at the same address is the same machine all the same.
        placement.check_spread(|p| format!("node {}", p.node.trim_end_matches('/').to_ascii_lowercase()))?;
        Ok(placement)
    }

    fn check_spread(&self, by: impl Fn(&Place) -> String) -> Result<(), PlacementError> {
        let mut together: BTreeMap<String, Vec<u16>> = BTreeMap::new();
        for place in &self.places {
            together.entry(by(place)).or_default().push(place.shard);
        }
        let allowed = self.shards_per_host;
        match together.into_iter().find(|(_, shards)| shards.len() > usize::from(allowed)) {
            Some((by, shards)) => Err(PlacementError::TogetherAtHost { shards, by, allowed }),
            None => Ok(()),
        }
    }

    /// Checks that this places every shard of an object of `n`, and nothing else.
    ///
    /// # Errors
    /// `Incomplete`.
    pub fn check_complete(&self, n: u16) -> Result<(), PlacementError> {
        let placed: Vec<u16> = self.places.iter().map(|p| p.shard).collect();
        if placed.iter().copied().eq(0..n) {
            return Ok(());
        }
        Err(PlacementError::Incomplete { placed, last: n.saturating_sub(1) })
    }
}

impl Entry {
    fn check(self) -> Result<Place, PlacementError> {
        let shard = u16::try_from(self.shard)
            .ok()
            .filter(|s| *s < SHARDS_MAX)
            .ok_or(PlacementError::Shard(self.shard))?;
        let printable = |t: &str| t.len() <= TEXT_BYTES_MAX && t.bytes().all(|b| (0x21..0x7f).contains(&b));
        let address =
            ["http://", "https://"].iter().any(|p| self.node.len() > p.len() && self.node.starts_with(p));
        if !address || !printable(&self.node) {
            return Err(PlacementError::Node(shard));
        }
        let host = unhex(&self.host).ok_or(PlacementError::Host(shard))?;
        if self.roots.as_ref().is_some_and(|r| r.len() > TEXT_BYTES_MAX) {
            return Err(PlacementError::Node(shard));
        }
        Ok(Place { shard, node: self.node, host, roots: self.roots })
    }
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|b| format!("{b:02x}")).collect()
}

fn unhex(text: &str) -> Option<[u8; 32]> {
    let digits = text.as_bytes();
    let digit = |b: u8| match b {
        b'0'..=b'9' => Some(b - b'0'),
        b'a'..=b'f' => Some(b - b'a' + 10),
        _ => None,
    };
    if digits.len() != 64 {
        return None;
    }
    let mut out = [0; 32];
    for (byte, pair) in out.iter_mut().zip(digits.chunks_exact(2)) {
        *byte = digit(pair[0])? << 4 | digit(pair[1])?;
    }
    Some(out)
}
