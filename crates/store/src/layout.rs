//! Where things are: every name on disk derives from ids only (spec store, clauses L1-L4).

use std::path::{Path, PathBuf};

use bailiwick_protocol::ids::{ContentId, ObjectId, OwnerKey, Unit, UnitName};

/// Version of the directory format this build writes and reads.
pub const FORMAT_VERSION: u64 = 3;

/// The version before, of which every directory is one of this version, too: it is taken up.
pub(crate) const FORMAT_VERSION_BEFORE: u64 = 2;

const FORMAT_PREFIX: &str = "bailiwick-store ";

/// Paths in one store directory.
#[derive(Clone, Debug)]
pub(crate) struct Layout {
    pub(crate) root: PathBuf,
}

impl Layout {
    pub(crate) fn format(&self) -> PathBuf {
        self.root.join("format")
    }

    pub(crate) fn lock(&self) -> PathBuf {
        self.root.join("lock")
    }

    pub(crate) fn index(&self) -> PathBuf {
        self.root.join("index.redb")
    }

    pub(crate) fn objects(&self) -> PathBuf {
        self.root.join("objects")
    }

    pub(crate) fn temporary(&self) -> PathBuf {
        self.root.join("tmp")
    }

    pub(crate) fn evidence(&self) -> PathBuf {
        self.root.join("evidence")
    }

    /// Files of replaced and deleted objects that are still wanted.
    pub(crate) fn retained(&self) -> PathBuf {
        self.root.join("retained")
    }

    /// Two versions of one generation can be kept: it was deleted, and put with other content. So the content names it too, all of
    /// it: an owner could find two contents that agree in a part.
    pub(crate) fn retained_file(&self, name: &UnitName, generation: u64, content: &ContentId) -> PathBuf {
        self.retained().join(retained_name(name, generation, content))
    }

    pub(crate) fn inventories(&self) -> PathBuf {
        self.root.join("inventories")
    }

    pub(crate) fn inventory_head(&self, epoch: u64) -> PathBuf {
        self.inventories().join(format!("{epoch:016x}{HEAD}"))
    }

    pub(crate) fn inventory_leaves(&self, epoch: u64) -> PathBuf {
        self.inventories().join(format!("{epoch:016x}{LEAVES}"))
    }

    pub(crate) fn owner_dir(&self, owner: &OwnerKey) -> PathBuf {
        self.objects().join(owner.to_string())
    }

    /// Directory of an object's file: one of 256 per owner, by the first byte of the object id.
    pub(crate) fn shard_dir(&self, name: &UnitName) -> PathBuf {
        self.owner_dir(&name.owner).join(format!("{:02x}", name.object.0[0]))
    }

    pub(crate) fn object(&self, name: &UnitName, generation: u64) -> PathBuf {
        self.shard_dir(name).join(format!("{}-{}-{generation:016x}.obj", name.object, name.unit))
    }

    pub(crate) fn evidence_file(&self, name: &UnitName, generation: u64) -> PathBuf {
        let file = format!("{}-{}-{}-{generation:016x}.equivocation", name.owner, name.object, name.unit);
        self.evidence().join(file)
    }
}

const ENVELOPE: &str = ".env";

/// Beside an object's file, also one kept aside: the envelope that replaced the one in it.
pub(crate) fn envelope_beside(object_file: &Path) -> PathBuf {
    object_file.with_extension(&ENVELOPE[1..])
}

/// The object's file that a file of such a name is beside.
fn beside_envelope(file: &str) -> Option<String> {
    Some(format!("{}.obj", file.strip_suffix(ENVELOPE)?))
}

/// Object and generation of the name of a replaced envelope in `owner`'s directory.
pub(crate) fn parse_envelope_file(owner: &OwnerKey, file: &str) -> Option<(UnitName, u64)> {
    parse_object_file(owner, &beside_envelope(file)?)
}

/// Unit and generation of a replaced envelope kept aside.
pub(crate) fn parse_retained_envelope(file: &str) -> Option<(UnitName, u64)> {
    parse_retained_file(&beside_envelope(file)?)
}

const HEAD: &str = ".head";
const LEAVES: &str = ".leaves";

fn retained_name(name: &UnitName, generation: u64, content: &ContentId) -> String {
    format!("{}-{}-{}-{generation:016x}-{content}.obj", name.owner, name.object, name.unit)
}

/// Unit and generation of a file kept aside.
pub(crate) fn parse_retained_file(file: &str) -> Option<(UnitName, u64)> {
    let (owner, rest) = file.split_once('-')?;
    let (object_file, content) = rest.strip_suffix(".obj")?.rsplit_once('-')?;
    let (name, generation) = parse_object_file(&owner.parse().ok()?, &format!("{object_file}.obj"))?;
    let content: ContentId = content.parse().ok()?;
    (retained_name(&name, generation, &content) == file).then_some((name, generation))
}

fn parse_epoch(file: &str, suffix: &str) -> Option<u64> {
    let epoch = u64::from_str_radix(file.strip_suffix(suffix)?, 16).ok()?;
    (format!("{epoch:016x}{suffix}") == file).then_some(epoch)
}

/// Epoch of a signed head.
pub(crate) fn parse_inventory_head(file: &str) -> Option<u64> {
    parse_epoch(file, HEAD)
}

/// Epoch of a file of leaves.
pub(crate) fn parse_inventory_leaves(file: &str) -> Option<u64> {
    parse_epoch(file, LEAVES)
}

/// Object and generation of a file name in `owner`'s directory, if it is one this version writes.
pub(crate) fn parse_object_file(owner: &OwnerKey, file: &str) -> Option<(UnitName, u64)> {
    let stem = file.strip_suffix(".obj")?;
    let (object, rest) = stem.split_once('-')?;
    let (unit, generation) = rest.rsplit_once('-')?;
    let name = UnitName {
        owner: *owner,
        object: object.parse::<ObjectId>().ok()?,
        unit: unit.parse::<Unit>().ok()?,
    };
    let generation = u64::from_str_radix(generation, 16).ok()?;
    // One name, one text: also refuses upper case and missing zeros.
    let canonical = format!("{}-{}-{generation:016x}.obj", name.object, name.unit);
    (canonical == file).then_some((name, generation))
}

/// The format file's whole content.
pub(crate) fn format_text() -> String {
    format!("{FORMAT_PREFIX}{FORMAT_VERSION}\n")
}

/// Version a format file names.
pub(crate) fn parse_format(bytes: &[u8]) -> Option<u64> {
    let text = std::str::from_utf8(bytes).ok()?;
    let version = text.strip_prefix(FORMAT_PREFIX)?.strip_suffix('\n')?.parse().ok()?;
    (format!("{FORMAT_PREFIX}{version}\n") == text).then_some(version)
}
