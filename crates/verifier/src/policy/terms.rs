//! Sections of a policy beside `[stored]`: their terms, and how they are read.

use std::collections::BTreeSet;

use bailiwick_protocol::ids::{ObjectId, OwnerKey, ScheduleDigest};
use bailiwick_roster::{Country, Law};
use serde::{Deserialize, Serialize};
use toml::Spanned;

use super::{PolicyError, set};
use crate::claims::Claim;

/// Names of blocs one list may hold, characters of one, at most.
const BLOC_CHARS_MAX: usize = 64;

/// Terms of *logged*.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LoggedTerms {
    /// Witnesses that must have cosigned each checkpoint, at least 1.
    pub quorum: u32,
    /// Age of the newest witnessed checkpoint, at most.
    pub max_checkpoint_age_hours: u32,
    /// Only these schedules count, each of which must be in the evidence, if given.
    pub schedules: Option<BTreeSet<ScheduleDigest>>,
}

/// Where something may be, and under whose law; every list that is given must be met.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct PlaceTerms {
    /// Only these countries.
    pub allowed_countries: Option<BTreeSet<Country>>,
    /// None of these.
    pub forbidden_countries: BTreeSet<Country>,
    /// Only these laws may control operator and parent.
    pub allowed_laws: Option<BTreeSet<Law>>,
    /// None of these may reach it by any path.
    pub forbidden_laws: BTreeSet<Law>,
    /// No law of these blocs may reach it by any path.
    pub forbidden_blocs: BTreeSet<String>,
}

/// Who may have opened an object for the reader.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum OpenedBy {
    /// A recipient of the object.
    Recipient,
    /// An auditor of the roster or the trust anchors.
    Auditor,
}

/// Terms of *opaque*.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OpaqueTerms {
    /// One of these must have opened each object.
    pub opened_by: BTreeSet<OpenedBy>,
    /// No recipient may share one of these with a host, gateway or vendor.
    pub forbidden_laws: BTreeSet<Law>,
}

/// A kind of power that may compel, or vanish, as a whole.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Power {
    /// Who runs the machines.
    Provider,
    /// The soil.
    Country,
    /// A body of law: of the operator, of its parent, or of who pushes code to it.
    Law,
    /// Several laws that act together.
    Bloc,
}

/// Terms of *custody*.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CustodyTerms {
    /// No one power of these kinds may reach the key.
    pub no_single: BTreeSet<Power>,
}

/// Terms of *survivable*.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SurvivableTerms {
    /// Any one power of these kinds may vanish.
    pub lose: BTreeSet<Power>,
}

/// Terms of *served*.
#[derive(Clone, Debug, PartialEq)]
pub struct ServedTerms {
    /// Fetches with a receipt, at least.
    pub min_receipts: u32,
    /// Fraction of them that came whole and right, at least; in (0, 1].
    pub min_good: f64,
}

/// Terms of *resident*.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ResidentTerms {
    /// Landmarks beyond those that may lie, which must agree, at least 1.
    pub min_landmarks: u32,
}

/// Objects that claims must hold for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ObjectRule {
    /// Which claims.
    pub claims: BTreeSet<Claim>,
    /// All objects of these owners.
    pub owners: BTreeSet<OwnerKey>,
    /// These objects.
    pub objects: BTreeSet<(OwnerKey, ObjectId)>,
}

type Line<'a> = dyn Fn(usize) -> usize + 'a;

fn positive(n: &Spanned<u32>, key: &'static str, line: &Line<'_>) -> Result<u32, PolicyError> {
    match *n.get_ref() {
        0 => Err(PolicyError::OutOfRange { line: line(n.span().start), key, range: "at least 1" }),
        n => Ok(n),
    }
}

fn optional<T: Ord>(
    list: Option<Spanned<Vec<T>>>,
    key: &'static str,
    line: &Line<'_>,
) -> Result<Option<BTreeSet<T>>, PolicyError> {
    list.map(|l| set(l, key, &line)).transpose()
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct LoggedFile {
    pub(super) quorum: Spanned<u32>,
    pub(super) max_checkpoint_age_hours: Spanned<u32>,
    schedules: Option<Spanned<Vec<ScheduleDigest>>>,
}

impl LoggedFile {
    pub(super) fn read(self, line: &Line<'_>) -> Result<LoggedTerms, PolicyError> {
        Ok(LoggedTerms {
            quorum: positive(&self.quorum, "quorum", line)?,
            max_checkpoint_age_hours: positive(
                &self.max_checkpoint_age_hours,
                "max_checkpoint_age_hours",
                line,
            )?,
            schedules: optional(self.schedules, "schedules", line)?,
        })
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct PlaceFile {
    pub(super) allowed_countries: Option<Spanned<Vec<Country>>>,
    pub(super) forbidden_countries: Option<Spanned<Vec<Country>>>,
    pub(super) allowed_laws: Option<Spanned<Vec<Law>>>,
    pub(super) forbidden_laws: Option<Spanned<Vec<Law>>>,
    pub(super) forbidden_blocs: Option<Spanned<Vec<String>>>,
}

impl PlaceFile {
    pub(super) fn read(self, line: &Line<'_>) -> Result<PlaceTerms, PolicyError> {
        let blocs_line = self.forbidden_blocs.as_ref().map(|b| line(b.span().start));
        let forbidden_blocs = optional(self.forbidden_blocs, "forbidden_blocs", line)?.unwrap_or_default();
        let sound = |b: &String| {
            (1..=BLOC_CHARS_MAX).contains(&b.chars().count()) && !b.chars().any(crate::text::is_unprintable)
        };
        if let Some(line) = blocs_line.filter(|_| !forbidden_blocs.iter().all(sound)) {
            let expected = "names of blocs, 1 to 64 printable characters";
            return Err(PolicyError::Value { line, key: "forbidden_blocs", expected });
        }
        Ok(PlaceTerms {
            allowed_countries: optional(self.allowed_countries, "allowed_countries", line)?,
            forbidden_countries: optional(self.forbidden_countries, "forbidden_countries", line)?
                .unwrap_or_default(),
            allowed_laws: optional(self.allowed_laws, "allowed_laws", line)?,
            forbidden_laws: optional(self.forbidden_laws, "forbidden_laws", line)?.unwrap_or_default(),
            forbidden_blocs,
        })
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct OpaqueFile {
    opened_by: Spanned<Vec<OpenedBy>>,
    pub(super) forbidden_laws: Option<Spanned<Vec<Law>>>,
}

impl OpaqueFile {
    pub(super) fn read(self, line: &Line<'_>) -> Result<OpaqueTerms, PolicyError> {
        Ok(OpaqueTerms {
            opened_by: set(self.opened_by, "opened_by", &line)?,
            forbidden_laws: optional(self.forbidden_laws, "forbidden_laws", line)?.unwrap_or_default(),
        })
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct CustodyFile {
    no_single: Spanned<Vec<Power>>,
}

impl CustodyFile {
    pub(super) fn read(self, line: &Line<'_>) -> Result<CustodyTerms, PolicyError> {
        Ok(CustodyTerms { no_single: set(self.no_single, "no_single", &line)? })
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct SurvivableFile {
    pub(super) lose: Spanned<Vec<Power>>,
}

impl SurvivableFile {
    pub(super) fn read(self, line: &Line<'_>) -> Result<SurvivableTerms, PolicyError> {
        Ok(SurvivableTerms { lose: set(self.lose, "lose", &line)? })
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct ServedFile {
    min_receipts: Spanned<u32>,
    min_good: Spanned<f64>,
}

impl ServedFile {
    pub(super) fn read(self, line: &Line<'_>) -> Result<ServedTerms, PolicyError> {
        let min_good = *self.min_good.get_ref();
        if !(min_good > 0.0 && min_good <= 1.0) {
            return Err(PolicyError::OutOfRange {
                line: line(self.min_good.span().start),
                key: "min_good",
                range: "above 0 and at most 1",
            });
        }
        Ok(ServedTerms { min_receipts: positive(&self.min_receipts, "min_receipts", line)?, min_good })
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct ResidentFile {
    min_landmarks: Spanned<u32>,
}

impl ResidentFile {
    pub(super) fn read(self, line: &Line<'_>) -> Result<ResidentTerms, PolicyError> {
        Ok(ResidentTerms { min_landmarks: positive(&self.min_landmarks, "min_landmarks", line)? })
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct ObjectFile {
    pub(super) claims: Spanned<Vec<Claim>>,
    pub(super) owners: Option<Spanned<Vec<OwnerKey>>>,
    pub(super) objects: Option<Spanned<Vec<String>>>,
}

impl ObjectFile {
    pub(super) fn read(self, line: &Line<'_>) -> Result<ObjectRule, PolicyError> {
        let claims_line = line(self.claims.span().start);
        let claims = set(self.claims, "claims", &line)?;
        if self.owners.is_none() && self.objects.is_none() {
            let expected = "`owners` or `objects` beside it";
            return Err(PolicyError::Value { line: claims_line, key: "claims", expected });
        }
        let objects_line = self.objects.as_ref().map_or(0, |o| line(o.span().start));
        let mut objects = BTreeSet::new();
        for text in optional(self.objects, "objects", line)?.unwrap_or_default() {
            let name = text.split_once('/').and_then(|(o, id)| Some((o.parse().ok()?, id.parse().ok()?)));
            let Some(name) = name else {
                let expected = "OWNER/OBJECT, lower-case hexadecimal, 64 and 32 digits";
                return Err(PolicyError::Value { line: objects_line, key: "objects", expected });
            };
            objects.insert(name);
        }
        let owners = optional(self.owners, "owners", line)?.unwrap_or_default();
        Ok(ObjectRule { claims, owners, objects })
    }
}

impl ObjectRule {
    /// Whether the rule speaks of this object.
    #[must_use]
    pub fn covers(&self, owner: &OwnerKey, object: &ObjectId) -> bool {
        self.owners.contains(owner) || self.objects.contains(&(*owner, *object))
    }
}

impl super::Policy {
    /// Whether the claim must hold for this object: a rule names it, or no rule names the claim.
    #[must_use]
    pub fn counts(&self, claim: Claim, owner: &OwnerKey, object: &ObjectId) -> bool {
        let mut rules = self.objects.iter().filter(|r| r.claims.contains(&claim)).peekable();
        rules.peek().is_none() || rules.any(|r| r.covers(owner, object))
    }
}
