//! Which jurisdictions reach a principal, and by which path (clauses J16-J19).

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use bailiwick_protocol::ids::BlocsDigest;
use serde::Serialize;

use crate::blocs::{BlocKind, Blocs};
use crate::country::Law;
use crate::jurisdiction::Jurisdiction;
use crate::name::Quoted;
use crate::principal::Principal;
use crate::roster::Roster;

/// Blocs that are not those the roster was made with.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the roster was made with the blocs {expected}, these are {found}")]
pub struct OtherBlocs {
    /// Digest in the roster.
    pub expected: BlocsDigest,
    /// Digest of the blocs given.
    pub found: BlocsDigest,
}

/// The field of a principal that a jurisdiction comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum Attribute {
    /// The soil it stands on.
    Country,
    /// The law that controls the operator.
    Law,
    /// The law that controls the operator's parent.
    ParentLaw,
    /// Who runs the machines.
    Provider,
    /// The operator's parent.
    Parent,
}

impl core::fmt::Display for Attribute {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.write_str(match self {
            Self::Country => "country",
            Self::Law => "law of the operator",
            Self::ParentLaw => "law of the parent",
            Self::Provider => "provider",
            Self::Parent => "parent",
        })
    }
}

/// One path by which a jurisdiction arrives at a principal.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct Reason {
    /// Who pushes code or keys to the principal, and so on to the one whose field it is; empty when it is the principal's own.
    pub pushers: Vec<String>,
    /// Which field.
    pub attribute: Attribute,
    /// For a bloc or a list, the member that the field names.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub member: Option<Law>,
}

impl core::fmt::Display for Reason {
    /// `member US as law of the parent of "AWS", which pushes code to it`.
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        if let Some(member) = self.member {
            write!(f, "member {member} as ")?;
        }
        write!(f, "{}", self.attribute)?;
        let mut pushers = self.pushers.iter().rev();
        if let Some(last) = pushers.next() {
            write!(f, " of {}, which pushes code to ", Quoted(last))?;
            for name in pushers {
                write!(f, "{}, which pushes code to ", Quoted(name))?;
            }
            f.write_str("it")?;
        }
        Ok(())
    }
}

/// Every jurisdiction that reaches one principal, each with the paths it comes by.
///
/// A jurisdiction's own fields are all listed; of those who push code, the shortest path to each field's kind.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
#[serde(transparent)]
pub struct Reach(BTreeMap<Jurisdiction, Vec<Reason>>);

impl Reach {
    /// Whether it reaches the principal by any path.
    #[must_use]
    pub fn contains(&self, jurisdiction: &Jurisdiction) -> bool {
        self.0.contains_key(jurisdiction)
    }

    /// The jurisdictions, without the paths.
    #[must_use]
    pub fn jurisdictions(&self) -> BTreeSet<Jurisdiction> {
        self.0.keys().cloned().collect()
    }

    /// Those that can compel or cut off by themselves: laws, blocs of kind power, firms.
    pub fn powers(&self) -> impl Iterator<Item = &Jurisdiction> {
        self.0.keys().filter(|j| j.is_power())
    }

    /// How it reaches the principal; own fields first. Empty if it does not.
    #[must_use]
    pub fn reasons(&self, jurisdiction: &Jurisdiction) -> &[Reason] {
        self.0.get(jurisdiction).map_or(&[], Vec::as_slice)
    }

    /// All, in order.
    pub fn iter(&self) -> impl Iterator<Item = (&Jurisdiction, &[Reason])> {
        self.0.iter().map(|(j, r)| (j, r.as_slice()))
    }

    fn add(&mut self, principal: &Principal, pushers: &[String], blocs: &Blocs) {
        for (jurisdiction, attribute, member) in fields(principal, blocs) {
            let reasons = self.0.entry(jurisdiction).or_default();
            let pushed = !pushers.is_empty();
            if pushed && reasons.iter().any(|r| r.attribute == attribute && !r.pushers.is_empty()) {
                continue;
            }
            reasons.push(Reason { pushers: pushers.to_vec(), attribute, member });
        }
    }
}

/// What a principal's own fields say.
fn fields(p: &Principal, blocs: &Blocs) -> Vec<(Jurisdiction, Attribute, Option<Law>)> {
    let laws = [
        (Attribute::Country, Some(Law::Of(p.country))),
        (Attribute::Law, Some(p.law)),
        (Attribute::ParentLaw, p.parent.as_ref().map(|p| p.law)),
    ];
    let firms = [
        (Attribute::Provider, p.provider.as_ref()),
        (Attribute::Parent, p.parent.as_ref().and_then(|p| p.name.as_ref())),
    ];
    let mut out = Vec::new();
    for (attribute, law) in laws.into_iter().filter_map(|(a, l)| Some((a, l?))) {
        out.push((Jurisdiction::Law(law), attribute, None));
        for bloc in blocs.of(law) {
            let name = bloc.name.clone();
            let jurisdiction = match bloc.kind {
                BlocKind::Power => Jurisdiction::Bloc(name),
                BlocKind::List => Jurisdiction::List(name),
            };
            out.push((jurisdiction, attribute, Some(law)));
        }
    }
    out.extend(firms.into_iter().filter_map(|(a, f)| Some((Jurisdiction::Firm(f?.clone()), a, None))));
    out
}

/// What reaches a principal by its own fields alone, whoever pushes code to it.
#[must_use]
pub fn own_reach(principal: &Principal, blocs: &Blocs) -> Reach {
    let mut reach = Reach::default();
    reach.add(principal, &[], blocs);
    reach
}

impl Roster {
    /// Everything that reaches a principal of this roster: by its own fields, and by those of everyone who can push
    /// code or keys to it, directly or through others. Validity does not shorten it: who could push yesterday left code behind.
    ///
    /// # Errors
    /// `OtherBlocs`.
    pub fn reach(&self, principal: &Principal, blocs: &Blocs) -> Result<Reach, OtherBlocs> {
        self.check_blocs(blocs)?;
        Ok(self.reach_by(principal, blocs))
    }

    /// For each jurisdiction, the names of those among `principals` that it reaches: the counts c_j of the custody
    /// test (constructions 8) are the sizes of these sets.
    ///
    /// # Errors
    /// `OtherBlocs`.
    pub fn reached<'r>(
        &'r self,
        principals: impl IntoIterator<Item = &'r Principal>,
        blocs: &Blocs,
    ) -> Result<BTreeMap<Jurisdiction, BTreeSet<&'r str>>, OtherBlocs> {
        self.check_blocs(blocs)?;
        let mut out: BTreeMap<_, BTreeSet<&str>> = BTreeMap::new();
        for p in principals {
            for jurisdiction in self.reach_by(p, blocs).0.into_keys() {
                out.entry(jurisdiction).or_default().insert(&p.name);
            }
        }
        Ok(out)
    }

    /// Whether these are the blocs the roster was made with.
    ///
    /// # Errors
    /// `OtherBlocs`.
    pub fn check_blocs(&self, blocs: &Blocs) -> Result<(), OtherBlocs> {
        let found = blocs.digest();
        if found == self.blocs { Ok(()) } else { Err(OtherBlocs { expected: self.blocs, found }) }
    }

    /// Breadth first, so that the first path found to anyone is a shortest one; each is visited once, so cycles end.
    fn reach_by(&self, principal: &Principal, blocs: &Blocs) -> Reach {
        let mut reach = own_reach(principal, blocs);
        let mut seen = BTreeSet::from([principal.name.as_str()]);
        let mut queue = VecDeque::from([(principal, Vec::new())]);
        while let Some((to, path)) = queue.pop_front() {
            for pusher in to.pushes_code.iter().filter_map(|name| self.principal(name)) {
                if seen.insert(&pusher.name) {
                    let mut path: Vec<String> = path.clone();
                    path.push(pusher.name.clone());
                    reach.add(pusher, &path, blocs);
                    queue.push_back((pusher, path));
                }
            }
        }
        reach
    }
}
