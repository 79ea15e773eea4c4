//! What the store knows about an object, and its form in the index.

use bailiwick_protocol::ids::{CellRoot, ContentId, ObjectId, OwnerKey, Unit, UnitName};

/// A stored object, as the index has it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ObjectRecord {
    /// Its name.
    pub name: UnitName,
    /// Generation of its envelope.
    pub generation: u64,
    /// Bytes of the body.
    pub size: u64,
    /// BLAKE3 of the body.
    pub blake3: ContentId,
    /// Cell root of the body at natural depth.
    pub root: CellRoot,
    /// Cells of the body.
    pub cells: u64,
    /// BLAKE3 of the envelope's signed payload.
    pub envelope_blake3: [u8; 32],
    /// Bytes of the object's file: body, envelope, tree and tables. What quotas count.
    pub file_bytes: u64,
    /// When it was stored, by the host's clock, milliseconds since 1970-01-01 UTC.
    pub stored_at_unix_ms: u64,
}

/// A stored object with its envelope, read from the object's file and checked against its checksum.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Object {
    /// What the index says.
    pub record: ObjectRecord,
    /// The signed envelope, canonical bytes as the owner sent them.
    pub envelope: Vec<u8>,
}

/// Bytes of an index key.
pub(crate) const KEY_BYTES: usize = 56;
const VALUE_BYTES: usize = 5 * 8 + 3 * 32 + CHECK_BYTES;
const CHECK_BYTES: usize = 8;

/// Key of a name: owner, object, and the unit's fields big-endian, so that bytes order as names do.
pub(crate) fn key(name: &UnitName) -> [u8; KEY_BYTES] {
    let mut out = [0; KEY_BYTES];
    out[..32].copy_from_slice(&name.owner.0);
    out[32..48].copy_from_slice(&name.object.0);
    let Unit { k, n, shard, replica } = name.unit;
    for (slot, v) in out[48..].chunks_exact_mut(2).zip([k, n, shard, replica]) {
        slot.copy_from_slice(&v.to_be_bytes());
    }
    out
}

/// Inverse of [`key`]; `None` for bytes no name has.
pub(crate) fn name_of_key(key: &[u8]) -> Option<UnitName> {
    let key: &[u8; KEY_BYTES] = key.try_into().ok()?;
    let mut unit = [0; 8];
    for (to, from) in unit.chunks_exact_mut(2).zip(key[48..].chunks_exact(2)) {
        to.copy_from_slice(&[from[1], from[0]]);
    }
    Some(UnitName {
        owner: OwnerKey(key[..32].try_into().ok()?),
        object: ObjectId(key[32..48].try_into().ok()?),
        unit: Unit::from_bytes(unit).ok()?,
    })
}

impl ObjectRecord {
    /// Fixed-width value with a checksum over key and value, so that rot of the index is noticed on read.
    pub(crate) fn to_value(&self) -> Vec<u8> {
        let mut out = Vec::with_capacity(VALUE_BYTES);
        for v in [self.generation, self.size, self.cells, self.file_bytes, self.stored_at_unix_ms] {
            out.extend(v.to_le_bytes());
        }
        out.extend(self.blake3.0);
        out.extend(self.root.0);
        out.extend(self.envelope_blake3);
        let check = check(&key(&self.name), &out);
        out.extend(check);
        out
    }

    /// Inverse of [`ObjectRecord::to_value`]; `None` when the checksum does not hold.
    pub(crate) fn from_entry(key: &[u8], value: &[u8]) -> Option<Self> {
        let value: &[u8; VALUE_BYTES] = value.try_into().ok()?;
        let (content, stored_check) = value.split_at(VALUE_BYTES - CHECK_BYTES);
        if check(key, content) != stored_check {
            return None;
        }
        let (numbers, digests) = content.split_at(40);
        let number = |i: usize| Some(u64::from_le_bytes(numbers[8 * i..8 * (i + 1)].try_into().ok()?));
        let digest = |i: usize| <[u8; 32]>::try_from(&digests[32 * i..32 * (i + 1)]).ok();
        Some(Self {
            name: name_of_key(key)?,
            generation: number(0)?,
            size: number(1)?,
            cells: number(2)?,
            file_bytes: number(3)?,
            stored_at_unix_ms: number(4)?,
            blake3: ContentId(digest(0)?),
            root: CellRoot(digest(1)?),
            envelope_blake3: digest(2)?,
        })
    }
}

fn check(key: &[u8], content: &[u8]) -> [u8; CHECK_BYTES] {
    let mut hasher = blake3::Hasher::new();
    hasher.update(key).update(content);
    let mut out = [0; CHECK_BYTES];
    out.copy_from_slice(&hasher.finalize().as_bytes()[..CHECK_BYTES]);
    out
}
