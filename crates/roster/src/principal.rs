//! A principal: who, what for, with which keys, where, and under whose law.

use serde::{Deserialize, Serialize};

use crate::country::{Country, Law};
use crate::fault::{Fault, Field};
use crate::name::is_name;

/// Keys of one principal, at most: a few kinds, each while it is being replaced.
pub const KEYS_MAX: usize = 8;

/// Principals that push code to one, at most.
pub const PUSHERS_MAX: usize = 32;

/// The last millisecond of the year 9999, after which RFC 3339 has no dates.
pub(crate) const UNIX_MS_MAX: u64 = 253_402_300_799_999;

/// What a principal does. Each has its own keys; none is trusted with another's secret.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum Role {
    /// Seals objects, signs envelopes.
    Owner = 0,
    /// Can open objects.
    Recipient = 1,
    /// Holds a share of a key.
    Custodian = 2,
    /// Stores bodies, answers challenges.
    Host = 3,
    /// Network intermediary; assumed hostile.
    Gateway = 4,
    /// Fetches ranges as a customer would.
    Prober = 5,
    /// Known place that measures round-trip times.
    Landmark = 6,
    /// Asks challenges, signs bundles.
    Auditor = 7,
    /// Cosigns the log.
    Witness = 8,
    /// Ships software, or runs what others depend on; assumed hostile.
    Vendor = 9,
}

impl Role {
    /// All roles, in the order of their numbers on the wire.
    pub const ALL: [Self; 10] = [
        Self::Owner,
        Self::Recipient,
        Self::Custodian,
        Self::Host,
        Self::Gateway,
        Self::Prober,
        Self::Landmark,
        Self::Auditor,
        Self::Witness,
        Self::Vendor,
    ];

    /// As it is written in TOML and JSON.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Owner => "owner",
            Self::Recipient => "recipient",
            Self::Custodian => "custodian",
            Self::Host => "host",
            Self::Gateway => "gateway",
            Self::Prober => "prober",
            Self::Landmark => "landmark",
            Self::Auditor => "auditor",
            Self::Witness => "witness",
            Self::Vendor => "vendor",
        }
    }

    /// Kinds of which it needs at least one key; empty for those who sign and open nothing.
    const fn needs(self) -> &'static [KeyKind] {
        match self {
            Self::Owner | Self::Host | Self::Prober | Self::Landmark | Self::Auditor | Self::Witness => {
                &[KeyKind::Ed25519]
            }
            Self::Recipient => &[KeyKind::XWing, KeyKind::X25519, KeyKind::P256],
            Self::Custodian => &[KeyKind::Ristretto255],
            Self::Gateway | Self::Vendor => &[],
        }
    }
}

impl core::fmt::Display for Role {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.pad(self.as_str())
    }
}

/// What a public key is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum KeyKind {
    /// Signatures (RFC 8032), 32 bytes.
    Ed25519 = 0,
    /// Hybrid encapsulation MLKEM768-X25519, 1216 bytes.
    XWing = 1,
    /// Classical encapsulation (RFC 9180), 32 bytes.
    X25519 = 2,
    /// Shares of a key (ristretto255, RFC 9496), 32 bytes; the custody protocol checks its proof of possession.
    Ristretto255 = 3,
    /// Classical encapsulation on P-256 (RFC 9180), 65 bytes uncompressed.
    P256 = 4,
}

impl KeyKind {
    /// All kinds, in the order of their numbers on the wire.
    pub const ALL: [Self; 5] = [Self::Ed25519, Self::XWing, Self::X25519, Self::Ristretto255, Self::P256];

    /// As it is written in TOML and JSON.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Ed25519 => "ed25519",
            Self::XWing => "x-wing",
            Self::X25519 => "x25519",
            Self::Ristretto255 => "ristretto255",
            Self::P256 => "p256",
        }
    }

    /// Bytes of a public key.
    #[must_use]
    pub const fn bytes(self) -> usize {
        match self {
            Self::XWing => 1216,
            Self::P256 => 65,
            Self::Ed25519 | Self::X25519 | Self::Ristretto255 => 32,
        }
    }
}

impl core::fmt::Display for KeyKind {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.pad(self.as_str())
    }
}

/// A public key of a kind.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct PublicKey {
    /// What it is for.
    pub kind: KeyKind,
    /// Its bytes, [`KeyKind::bytes`] of them; shown in hexadecimal.
    #[serde(serialize_with = "as_hex")]
    pub public: Vec<u8>,
}

fn as_hex<S: serde::Serializer>(bytes: &[u8], s: S) -> Result<S::Ok, S::Error> {
    s.serialize_str(&hex::encode(bytes))
}

impl PublicKey {
    /// Of the right length; for Ed25519 a point that strict verification can accept, for P-256 marked as uncompressed (SEC 1, 2.3.3).
    fn is_sound(&self) -> bool {
        if self.kind == KeyKind::P256 && self.public.first() != Some(&4) {
            return false;
        }
        if self.kind != KeyKind::Ed25519 {
            return self.public.len() == self.kind.bytes();
        }
        <&[u8; 32]>::try_from(self.public.as_slice())
            .is_ok_and(|bytes| bailiwick_protocol::signing::PublicKey::new(bytes).is_ok())
    }
}

/// A point on the WGS 84 ellipsoid in millionths of a degree (about 11 cm): integers, so that no rounding differs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct Coordinates {
    /// North is positive, -90,000,000..=90,000,000.
    pub latitude_microdeg: i32,
    /// East is positive, -180,000,000..=180,000,000.
    pub longitude_microdeg: i32,
}

/// Who controls the operator.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Parent {
    /// The firm or body, if it is named.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// The law that controls it.
    pub law: Law,
}

/// One entry of a roster.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Principal {
    /// What to call it; unique in its roster.
    pub name: String,
    /// What it does. A party with several roles is several principals with different keys.
    pub role: Role,
    /// Its public keys, ascending by kind and bytes; no key is in a roster twice.
    pub keys: Vec<PublicKey>,
    /// Who runs the machines.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub provider: Option<String>,
    /// Which data centre.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub site: Option<String>,
    /// Where on the globe.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub coordinates: Option<Coordinates>,
    /// Which soil.
    pub country: Country,
    /// The law that controls the operator: soil is not law.
    pub law: Law,
    /// Who controls the operator, if anyone is known to.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub parent: Option<Parent>,
    /// Names of the principals that can push code or keys to it, ascending.
    pub pushes_code: Vec<String>,
    /// From when on its keys count, milliseconds since 1970-01-01 UTC.
    pub valid_from_unix_ms: u64,
    /// Until when, exclusive.
    pub valid_until_unix_ms: u64,
}

impl Principal {
    /// Whether its keys count at this moment.
    #[must_use]
    pub fn is_valid_at(&self, unix_ms: u64) -> bool {
        (self.valid_from_unix_ms..self.valid_until_unix_ms).contains(&unix_ms)
    }

    /// The keys of one kind.
    pub fn keys_of(&self, kind: KeyKind) -> impl Iterator<Item = &[u8]> {
        self.keys.iter().filter(move |k| k.kind == kind).map(|k| k.public.as_slice())
    }

    /// What is wrong with it on its own, and for a list which entry.
    pub(crate) fn fault(&self) -> Option<(Fault, usize)> {
        let name = |text: &str, field| (!is_name(text)).then_some((Fault::Name(field), 0));
        let optional = |text: &Option<String>, field| text.as_deref().and_then(|t| name(t, field));
        name(&self.name, Field::Name)
            .or_else(|| optional(&self.provider, Field::Provider))
            .or_else(|| optional(&self.site, Field::Site))
            .or_else(|| self.parent.as_ref().and_then(|p| optional(&p.name, Field::Parent)))
            .or_else(|| self.key_fault())
            .or_else(|| self.coordinates.and_then(|c| c.fault()).map(|f| (f, 0)))
            .or_else(|| self.pusher_fault())
            .or_else(|| {
                let until = self.valid_until_unix_ms;
                (self.valid_from_unix_ms >= until || until > UNIX_MS_MAX)
                    .then_some((Fault::PrincipalTimes, 0))
            })
    }

    fn key_fault(&self) -> Option<(Fault, usize)> {
        if self.keys.len() > KEYS_MAX {
            return Some((Fault::KeyCount, 0));
        }
        if let Some(i) = self.keys.iter().position(|k| !k.is_sound()) {
            return Some((Fault::Key, i));
        }
        if let Some((i, pair)) = self.keys.windows(2).enumerate().find(|(_, w)| w[0] >= w[1]) {
            return Some((if pair[0] == pair[1] { Fault::RepeatedKey } else { Fault::Order }, i + 1));
        }
        let needs = self.role.needs();
        let met = needs.is_empty() || self.keys.iter().any(|k| needs.contains(&k.kind));
        (!met).then_some((Fault::MissingKey, 0))
    }

    fn pusher_fault(&self) -> Option<(Fault, usize)> {
        let names = &self.pushes_code;
        if names.len() > PUSHERS_MAX {
            return Some((Fault::PusherCount, 0));
        }
        if let Some((i, pair)) = names.windows(2).enumerate().find(|(_, w)| w[0] >= w[1]) {
            return Some((if pair[0] == pair[1] { Fault::RepeatedPusher } else { Fault::Order }, i + 1));
        }
        names.iter().position(|n| *n == self.name).map(|i| (Fault::OwnPusher, i))
    }
}

impl Coordinates {
    fn fault(self) -> Option<Fault> {
        if self.latitude_microdeg.unsigned_abs() > 90_000_000 {
            return Some(Fault::Latitude);
        }
        (self.longitude_microdeg.unsigned_abs() > 180_000_000).then_some(Fault::Longitude)
    }
}
