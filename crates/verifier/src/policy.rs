//! Policy: which claims a reader requires and on what terms (spec policy, clauses P1-P19).

use std::collections::BTreeSet;

use bailiwick_protocol::ids::{HostKey, OwnerKey};
use serde::{Deserialize, Serialize};
use toml::Spanned;

use crate::claims::Claim;
use crate::detection::percent;
use crate::text::{TOML_BYTES_MAX, is_unprintable, line_of, toml_error};

mod check;
mod explain;
mod terms;

pub use check::{Contradiction, RosterSummary};
pub use explain::explain;
use terms::{
    CustodyFile, LoggedFile, ObjectFile, OpaqueFile, PlaceFile, ResidentFile, ServedFile, SurvivableFile,
};
pub use terms::{
    CustodyTerms, LoggedTerms, ObjectRule, OpaqueTerms, OpenedBy, PlaceTerms, Power, ResidentTerms,
    ServedTerms, SurvivableTerms,
};

/// Version of the file.
pub const POLICY_VERSION: u64 = 1;

/// Days that `min_detection_month` and `epochs` look back from the moment judged at.
pub const MONTH_DAYS: u32 = 30;

/// Audits of one host in a month, at most: one a minute.
const EPOCHS_MONTH_MAX: u32 = MONTH_DAYS * 24 * 60;

/// Why a policy is refused. Every variant names the line, from 1.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum PolicyError {
    /// Longer than [`TOML_BYTES_MAX`].
    #[error("policy: {bytes} bytes, more than the limit of {TOML_BYTES_MAX}")]
    TooLong {
        /// Bytes found.
        bytes: usize,
    },
    /// Not TOML, an unknown key, a missing key or a value of the wrong form.
    #[error("policy, line {line}: {message}")]
    Toml {
        /// Where.
        line: usize,
        /// The parser's words, printable.
        message: String,
    },
    /// A version this build does not know.
    #[error("policy, line {line}: unknown version {found}, this program knows {POLICY_VERSION}")]
    Version {
        /// Where.
        line: usize,
        /// The version found.
        found: u64,
    },
    /// A name that is empty, too long or does not print.
    #[error("policy, line {line}: name must be 1 to 64 printable characters")]
    Name {
        /// Where.
        line: usize,
    },
    /// A policy that requires nothing would be met by anything.
    #[error("policy, line {line}: `require` is empty; a policy must require at least one claim")]
    RequiresNothing {
        /// Where.
        line: usize,
    },
    /// A list that names one thing twice.
    #[error("policy, line {line}: `{key}` names the same thing twice")]
    Repeated {
        /// Where.
        line: usize,
        /// Which list.
        key: &'static str,
    },
    /// A claim is required and nothing says on what terms.
    #[error("policy, line {line}: {claim} is required but there is no [{claim}] section with its terms")]
    MissingTerms {
        /// Where.
        line: usize,
        /// Which claim.
        claim: Claim,
    },
    /// A number outside its range.
    #[error("policy, line {line}: `{key}` must be {range}")]
    OutOfRange {
        /// Where.
        line: usize,
        /// Which key.
        key: &'static str,
        /// What is allowed.
        range: &'static str,
    },
    /// Two entries of the policy that nothing could meet at once.
    #[error("policy, line {line}: contradiction: {why}")]
    Contradiction {
        /// Where.
        line: usize,
        /// Which.
        why: Contradiction,
    },
    /// Text that is no code, digest, key or name of the stated kind.
    #[error("policy, line {line}: `{key}`: expected {expected}")]
    Value {
        /// Where.
        line: usize,
        /// Which key.
        key: &'static str,
        /// What it takes.
        expected: &'static str,
    },
    /// An empty list would exclude every piece of evidence; leave the key out to allow all.
    #[error("policy, line {line}: `{key}` is empty, so nothing could meet it; leave it out to accept any")]
    NothingAllowed {
        /// Where.
        line: usize,
        /// Which list.
        key: &'static str,
    },
}

/// Which objects a detection threshold speaks of.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Scope {
    /// All objects that count, taken together.
    All,
    /// The objects of each owner; the least likely detection decides.
    Owner,
    /// Each object; the least likely detection decides.
    Object,
}

/// Provenances a policy may accept. Development keys are not among them: they never support a claim.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum AcceptedProvenance {
    /// Set up by the auditor of the bundle.
    Auditor,
    /// Set up in a ceremony.
    Ceremony,
}

/// Terms of *stored*.
#[derive(Clone, Debug, PartialEq)]
pub struct StoredTerms {
    /// What the threshold speaks of.
    pub scope: Scope,
    /// Fraction of the scope's cells whose loss must be noticed, in (0, 1].
    pub lost_fraction: f64,
    /// Probability of noticing it in one audit, at least; in (0, 1).
    pub min_detection: f64,
    /// Probability of noticing it by all audits of [`MONTH_DAYS`] days together, at least, if given; in (0, 1).
    pub min_detection_month: Option<f64>,
    /// Audits of each host that must have held within [`MONTH_DAYS`] days, at least, if given.
    pub epochs: Option<u32>,
    /// Age of the evidence, at most.
    pub max_age_hours: u32,
    /// Time from the question to the whole answer, at most, by the auditor's clock; any, if not given.
    pub max_answer_seconds: Option<u32>,
    /// Only these hosts, if given.
    pub hosts: Option<BTreeSet<HostKey>>,
    /// These owners, each of whom must have an object in the audit, if given; cells of others do not count.
    pub owners: Option<BTreeSet<OwnerKey>>,
    /// Key provenances accepted.
    pub provenance: BTreeSet<AcceptedProvenance>,
}

/// A checked policy.
#[derive(Clone, Debug, PartialEq)]
pub struct Policy {
    /// What to call it.
    pub name: String,
    /// Claims that decide the exit code.
    pub require: BTreeSet<Claim>,
    /// Terms of *stored*, if any.
    pub stored: Option<StoredTerms>,
    /// Terms of *logged*, if any.
    pub logged: Option<LoggedTerms>,
    /// Where data may be, and under whose law.
    pub data: Option<PlaceTerms>,
    /// Where those who hold keys may be, and under whose law.
    pub keys: Option<PlaceTerms>,
    /// Terms of *opaque*, if any.
    pub opaque: Option<OpaqueTerms>,
    /// Terms of *custody*, if any.
    pub custody: Option<CustodyTerms>,
    /// Terms of *survivable*, if any.
    pub survivable: Option<SurvivableTerms>,
    /// Terms of *served*, if any.
    pub served: Option<ServedTerms>,
    /// Terms of *resident*, if any.
    pub resident: Option<ResidentTerms>,
    /// Which objects a claim must hold for; a claim no rule names must hold for all that the evidence shows.
    pub objects: Vec<ObjectRule>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    version: Spanned<u64>,
    name: Spanned<String>,
    require: Spanned<Vec<Claim>>,
    stored: Option<StoredFile>,
    logged: Option<LoggedFile>,
    data: Option<PlaceFile>,
    keys: Option<PlaceFile>,
    opaque: Option<OpaqueFile>,
    custody: Option<CustodyFile>,
    survivable: Option<SurvivableFile>,
    served: Option<ServedFile>,
    resident: Option<ResidentFile>,
    objects: Option<Vec<ObjectFile>>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct StoredFile {
    scope: Option<Scope>,
    lost_fraction: Spanned<f64>,
    min_detection: Spanned<f64>,
    min_detection_month: Option<Spanned<f64>>,
    epochs: Option<Spanned<u32>>,
    max_age_hours: Spanned<u32>,
    max_answer_seconds: Option<Spanned<u32>>,
    hosts: Option<Spanned<Vec<HostKey>>>,
    owners: Option<Spanned<Vec<OwnerKey>>>,
    provenance: Option<Spanned<Vec<AcceptedProvenance>>>,
}

impl Policy {
    /// Reads and checks a policy.
    ///
    /// # Errors
    /// `PolicyError`, naming the line.
    pub fn parse(text: &str) -> Result<Self, PolicyError> {
        if text.len() > TOML_BYTES_MAX {
            return Err(PolicyError::TooLong { bytes: text.len() });
        }
        let file: File = toml::from_str(text).map_err(|e| {
            let (line, message) = toml_error(text, &e);
            PolicyError::Toml { line, message }
        })?;
        let line = |at: usize| line_of(text, at);
        if *file.version.get_ref() != POLICY_VERSION {
            return Err(PolicyError::Version {
                line: line(file.version.span().start),
                found: *file.version.get_ref(),
            });
        }
        let name_line = line(file.name.span().start);
        let name = file.name.get_ref().clone();
        if name.trim().is_empty() || name.chars().count() > 64 || name.chars().any(is_unprintable) {
            return Err(PolicyError::Name { line: name_line });
        }
        let require_line = line(file.require.span().start);
        if file.require.get_ref().is_empty() {
            return Err(PolicyError::RequiresNothing { line: require_line });
        }
        let spans = check::Spans::of(&file, require_line, &line);
        let policy = Self {
            name,
            require: set(file.require, "require", &line)?,
            stored: file.stored.map(|s| read_stored(s, &line)).transpose()?,
            logged: file.logged.map(|s| s.read(&line)).transpose()?,
            data: file.data.map(|s| s.read(&line)).transpose()?,
            keys: file.keys.map(|s| s.read(&line)).transpose()?,
            opaque: file.opaque.map(|s| s.read(&line)).transpose()?,
            custody: file.custody.map(|s| s.read(&line)).transpose()?,
            survivable: file.survivable.map(|s| s.read(&line)).transpose()?,
            served: file.served.map(|s| s.read(&line)).transpose()?,
            resident: file.resident.map(|s| s.read(&line)).transpose()?,
            objects: file
                .objects
                .unwrap_or_default()
                .into_iter()
                .map(|o| o.read(&line))
                .collect::<Result<_, _>>()?,
        };
        check::check(&policy, &spans)?;
        Ok(policy)
    }

    /// Whether the policy has the section that says on what terms the claim holds.
    #[must_use]
    pub const fn has_terms(&self, claim: Claim) -> bool {
        match claim {
            Claim::Opaque => self.opaque.is_some(),
            Claim::Stored => self.stored.is_some(),
            Claim::Served => self.served.is_some(),
            Claim::Resident => self.resident.is_some(),
            Claim::Custody => self.custody.is_some(),
            Claim::Survivable => self.survivable.is_some(),
            Claim::Logged => self.logged.is_some(),
        }
    }
}

fn set<T: Ord>(
    list: Spanned<Vec<T>>,
    key: &'static str,
    line: &impl Fn(usize) -> usize,
) -> Result<BTreeSet<T>, PolicyError> {
    let at = line(list.span().start);
    let list = list.into_inner();
    let n = list.len();
    if n == 0 {
        return Err(PolicyError::NothingAllowed { line: at, key });
    }
    let set: BTreeSet<T> = list.into_iter().collect();
    if set.len() != n {
        return Err(PolicyError::Repeated { line: at, key });
    }
    Ok(set)
}

fn read_stored(s: StoredFile, line: &impl Fn(usize) -> usize) -> Result<StoredTerms, PolicyError> {
    let out_of_range = |at: usize, key, range| Err(PolicyError::OutOfRange { line: line(at), key, range });
    let lost_fraction = *s.lost_fraction.get_ref();
    if !(lost_fraction > 0.0 && lost_fraction <= 1.0) {
        return out_of_range(s.lost_fraction.span().start, "lost_fraction", "above 0 and at most 1");
    }
    let min_detection = *s.min_detection.get_ref();
    if !(min_detection > 0.0 && min_detection < 1.0) {
        return out_of_range(
            s.min_detection.span().start,
            "min_detection",
            "above 0 and below 1 (sampling never finds a loss with certainty)",
        );
    }
    if let Some(month) =
        s.min_detection_month.as_ref().filter(|m| !(*m.get_ref() > 0.0 && *m.get_ref() < 1.0))
    {
        return out_of_range(
            month.span().start,
            "min_detection_month",
            "above 0 and below 1 (sampling never finds a loss with certainty)",
        );
    }
    if let Some(epochs) = s.epochs.as_ref().filter(|n| !(1..=EPOCHS_MONTH_MAX).contains(n.get_ref())) {
        return out_of_range(epochs.span().start, "epochs", "1 to 43200 (one a minute for 30 days)");
    }
    let max_age_hours = *s.max_age_hours.get_ref();
    if max_age_hours == 0 {
        return out_of_range(s.max_age_hours.span().start, "max_age_hours", "at least 1");
    }
    if let Some(zero) = s.max_answer_seconds.as_ref().filter(|n| *n.get_ref() == 0) {
        return out_of_range(zero.span().start, "max_answer_seconds", "at least 1");
    }
    let provenance = match s.provenance {
        Some(list) => set(list, "provenance", line)?,
        None => BTreeSet::from([AcceptedProvenance::Auditor, AcceptedProvenance::Ceremony]),
    };
    Ok(StoredTerms {
        scope: s.scope.unwrap_or(Scope::All),
        lost_fraction,
        min_detection,
        min_detection_month: s.min_detection_month.map(Spanned::into_inner),
        epochs: s.epochs.map(Spanned::into_inner),
        max_age_hours,
        max_answer_seconds: s.max_answer_seconds.map(Spanned::into_inner),
        hosts: s.hosts.map(|l| set(l, "hosts", line)).transpose()?,
        owners: s.owners.map(|l| set(l, "owners", line)).transpose()?,
        provenance,
    })
}

impl StoredTerms {
    /// `a loss of 1.00 %`, for sentences.
    pub(crate) fn loss(&self) -> String {
        percent(self.lost_fraction)
    }
}
