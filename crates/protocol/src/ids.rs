//! Identifiers: fixed-length byte strings with a meaning, printed as lower-case hexadecimal.

use core::fmt;
use core::str::FromStr;

use crate::codec::{CodecError, Decoder, Encoder};

/// Text that is not the lower-case hexadecimal form of an identifier.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("expected {expected} lower-case hexadecimal digits, found {found} characters or another alphabet")]
pub struct IdError {
    /// Digits expected.
    pub expected: usize,
    /// Characters found.
    pub found: usize,
}

macro_rules! fixed_bytes {
    ($(#[$doc:meta])* $name:ident, $len:expr) => {
        $(#[$doc])*
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name(pub [u8; $len]);

        impl $name {
            /// Length in bytes.
            pub const LEN: usize = $len;

            /// The bytes.
            #[must_use]
            pub const fn as_bytes(&self) -> &[u8; $len] {
                &self.0
            }

            #[allow(dead_code, reason = "not every identifier travels inside a message")]
            pub(crate) fn encode(&self, e: &mut Encoder) {
                e.bytes(&self.0);
            }

            #[allow(dead_code, reason = "not every identifier travels inside a message")]
            pub(crate) fn decode(d: &mut Decoder<'_>) -> Result<Self, CodecError> {
                d.array::<$len>().map(Self)
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&hex::encode(self.0))
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, concat!(stringify!($name), "({})"), hex::encode(self.0))
            }
        }

        impl FromStr for $name {
            type Err = IdError;

            /// Reads exactly the form `Display` writes; upper case is refused, so one id has one text.
            fn from_str(text: &str) -> Result<Self, IdError> {
                let error = || IdError { expected: 2 * $len, found: text.chars().count() };
                if text.bytes().any(|b| b.is_ascii_uppercase()) {
                    return Err(error());
                }
                let mut out = [0u8; $len];
                hex::decode_to_slice(text, &mut out).map_err(|_| error())?;
                Ok(Self(out))
            }
        }

        impl serde::Serialize for $name {
            fn serialize<S: serde::Serializer>(&self, s: S) -> Result<S::Ok, S::Error> {
                s.collect_str(self)
            }
        }

        impl<'de> serde::Deserialize<'de> for $name {
            fn deserialize<D: serde::Deserializer<'de>>(d: D) -> Result<Self, D::Error> {
                let text = <String as serde::Deserialize>::deserialize(d)?;
                text.parse().map_err(serde::de::Error::custom)
            }
        }
    };
}

fixed_bytes! {
    /// Ed25519 public key of an owner: the developer who seals objects (RFC 8032 section 5.1.5).
    OwnerKey, 32
}
fixed_bytes! {
    /// Ed25519 public key of a host: who answers challenges.
    HostKey, 32
}
fixed_bytes! {
    /// Ed25519 public key of an auditor: who asks challenges and signs bundles.
    AuditorKey, 32
}
fixed_bytes! {
    /// Random identity of an object within its owner's name space.
    ObjectId, 16
}
fixed_bytes! {
    /// BLAKE3 of a whole body: the object's content id.
    ContentId, 32
}
fixed_bytes! {
    /// Cell-tree root at natural depth: a BN254 scalar, 32 bytes little-endian, canonical.
    CellRoot, 32
}
fixed_bytes! {
    /// Digest of a Groth16 verifying key's canonical bytes.
    VkDigest, 32
}
fixed_bytes! {
    /// Digest of a Groth16 proving key's file bytes.
    PkDigest, 32
}
fixed_bytes! {
    /// Digest of a constraint system's matrices.
    CircuitDigest, 32
}
fixed_bytes! {
    /// Digest of a challenge's canonical bytes.
    ChallengeDigest, 32
}
fixed_bytes! {
    /// Root of a host's inventory: BLAKE3 Merkle-sum tree.
    InventoryRoot, 32
}
fixed_bytes! {
    /// Digest of an inventory's canonical bytes.
    InventoryDigest, 32
}
fixed_bytes! {
    /// Digest of a schedule's canonical bytes.
    ScheduleDigest, 32
}
fixed_bytes! {
    /// Digest of a signed bundle's canonical bytes.
    BundleDigest, 32
}
fixed_bytes! {
    /// Hash of a nonce, published before the nonce is used.
    NonceHash, 32
}
fixed_bytes! {
    /// Ed25519 public key of who signs that it opened an object: a recipient or an auditor.
    OpenerKey, 32
}
fixed_bytes! {
    /// Ed25519 public key of a roster authority: who signs the list of principals.
    RosterKey, 32
}
fixed_bytes! {
    /// Digest of a roster's canonical bytes.
    RosterDigest, 32
}
fixed_bytes! {
    /// Digest of the canonical bytes of a file of jurisdiction blocs.
    BlocsDigest, 32
}
fixed_bytes! {
    /// Fresh randomness of an auditor.
    Nonce, 32
}
fixed_bytes! {
    /// Ed25519 signature (RFC 8032 section 5.1.6).
    Signature, 64
}

/// Which part of an object a body is: shard `shard` of a `k`-of-`n` code, copy `replica`.
/// Encoded as eight bytes, each field little-endian, so its width is fixed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize, serde::Deserialize)]
pub struct Unit {
    /// Shards needed to recover, 1..=n.
    pub k: u16,
    /// Shards made, at least 1.
    pub n: u16,
    /// This shard, 0..n.
    pub shard: u16,
    /// This copy, from 0.
    pub replica: u16,
}

impl Unit {
    /// The unit of an object that is not split and has one copy.
    pub const WHOLE: Self = Self { k: 1, n: 1, shard: 0, replica: 0 };

    /// Eight bytes: k, n, shard, replica, each little-endian.
    #[must_use]
    pub fn to_bytes(self) -> [u8; 8] {
        let mut out = [0; 8];
        for (slot, v) in out.chunks_exact_mut(2).zip([self.k, self.n, self.shard, self.replica]) {
            slot.copy_from_slice(&v.to_le_bytes());
        }
        out
    }

    /// Inverse of [`Unit::to_bytes`].
    ///
    /// # Errors
    /// `CodecError::Invalid` unless `1 <= k <= n` and `shard < n`.
    pub fn from_bytes(b: [u8; 8]) -> Result<Self, CodecError> {
        let [k0, k1, n0, n1, s0, s1, r0, r1] = b;
        let unit = Self {
            k: u16::from_le_bytes([k0, k1]),
            n: u16::from_le_bytes([n0, n1]),
            shard: u16::from_le_bytes([s0, s1]),
            replica: u16::from_le_bytes([r0, r1]),
        };
        if unit.k >= 1 && unit.k <= unit.n && unit.shard < unit.n {
            Ok(unit)
        } else {
            Err(CodecError::Invalid("unit"))
        }
    }
}

impl fmt::Display for Unit {
    /// `k-n-shard-replica`, e.g. `1-1-0-0`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}-{}-{}-{}", self.k, self.n, self.shard, self.replica)
    }
}

impl FromStr for Unit {
    type Err = CodecError;

    fn from_str(text: &str) -> Result<Self, CodecError> {
        let mut parts = text.split('-').map(str::parse::<u16>);
        let mut next = || parts.next().and_then(Result::ok).ok_or(CodecError::Invalid("unit"));
        let unit = Self { k: next()?, n: next()?, shard: next()?, replica: next()? };
        if parts.next().is_some() || unit.to_string() != text {
            return Err(CodecError::Invalid("unit"));
        }
        Self::from_bytes(unit.to_bytes())
    }
}

/// Name of a stored unit: owner, object and unit. Orders as inventories do.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize, serde::Deserialize)]
pub struct UnitName {
    /// Who sealed it.
    pub owner: OwnerKey,
    /// Which object.
    pub object: ObjectId,
    /// Which part of it.
    pub unit: Unit,
}

impl fmt::Display for UnitName {
    /// `owner/object/unit`, the path under a node's `/v1/objects/`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}/{}", self.owner, self.object, self.unit)
    }
}

impl FromStr for UnitName {
    type Err = CodecError;

    fn from_str(text: &str) -> Result<Self, CodecError> {
        let mut parts = text.split('/');
        let mut next = || parts.next().ok_or(CodecError::Invalid("object name"));
        let bad = |_| CodecError::Invalid("object name");
        let name = Self {
            owner: next()?.parse().map_err(bad)?,
            object: next()?.parse().map_err(bad)?,
            unit: next()?.parse()?,
        };
        if parts.next().is_some() {
            return Err(CodecError::Invalid("object name"));
        }
        Ok(name)
    }
}

/// A possession class: `samples` slots over trees lifted to depth `depth`. Public parameters of the circuit.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize, serde::Deserialize)]
pub struct ClassId {
    /// S, samples per proof.
    pub samples: u16,
    /// D, levels of the lifted tree, counting the cell level.
    pub depth: u8,
}

impl ClassId {
    /// S=1 D=3, for tests.
    pub const TINY: Self = Self { samples: 1, depth: 3 };
    /// S=16 D=5: up to 32.5 MB an object.
    pub const SMALL: Self = Self { samples: 16, depth: 5 };
    /// S=64 D=6: up to 520 MB an object.
    pub const STANDARD: Self = Self { samples: 64, depth: 6 };
    /// S=64 D=8: up to 133 GB an object.
    pub const LARGE: Self = Self { samples: 64, depth: 8 };
    /// The pinned classes with their names.
    pub const PINNED: [(&'static str, Self); 4] =
        [("tiny", Self::TINY), ("small", Self::SMALL), ("standard", Self::STANDARD), ("large", Self::LARGE)];

    /// Cells a tree of this depth holds: 16^(D-1).
    #[must_use]
    pub const fn cells_max(self) -> u64 {
        1u64 << (4 * (self.depth as u32 - 1))
    }

    /// Name of a pinned class, if it is one.
    #[must_use]
    pub fn name(self) -> Option<&'static str> {
        Self::PINNED.iter().find(|(_, c)| *c == self).map(|(n, _)| *n)
    }
}

impl fmt::Display for ClassId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.name() {
            Some(name) => write!(f, "{name} (S={} D={})", self.samples, self.depth),
            None => write!(f, "S={} D={}", self.samples, self.depth),
        }
    }
}
