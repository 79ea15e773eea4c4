//! Contradictions: terms that are each well-formed and that nothing could meet together.

use std::collections::BTreeSet;

use bailiwick_protocol::ids::HostKey;
use bailiwick_roster::{
    Attribute, Blocs, Country, Jurisdiction, KeyKind, Law, Principal, Reach, Reason, Role, Roster,
};
use toml::Spanned;

use super::{EPOCHS_MONTH_MAX, File, MONTH_DAYS, PlaceTerms, Policy, PolicyError, Power, Scope};
use crate::claims::Claim;
use crate::detection::{detection, percent, power};

/// Samples of the largest class a challenge may name.
const SAMPLES_MAX: u16 = 1024;

/// Two terms that exclude each other.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum Contradiction {
    /// One country on both lists.
    #[error("country {country} is both allowed and forbidden in [{section}]")]
    Country {
        /// Which section.
        section: &'static str,
        /// Which country.
        country: Country,
    },
    /// One law on both lists.
    #[error("law {law} is both allowed and forbidden in [{section}]")]
    Law {
        /// Which section.
        section: &'static str,
        /// Which law.
        law: Law,
    },
    /// A law whose holders may have keys and may not be recipients.
    #[error("law {law} is allowed in [keys] and forbidden for recipients in [opaque]")]
    KeysAgainstOpaque {
        /// Which law.
        law: Law,
    },
    /// A section without any entry restricts nothing.
    #[error("[{section}] is empty, so it says nothing")]
    EmptySection {
        /// Which section.
        section: &'static str,
    },
    /// No class samples enough.
    #[error(
        "min_detection cannot be reached: with the most cells one proof can sample ({SAMPLES_MAX}), a loss of {lost} is noticed with {most}"
    )]
    Unreachable {
        /// The lost fraction.
        lost: String,
        /// What can be reached.
        most: String,
    },
    /// No number of audits in a month is enough.
    #[error("min_detection_month cannot be reached with any class and one audit a minute")]
    MonthUnreachable,
    /// A month may not ask for less than one audit does.
    #[error("min_detection_month is below min_detection: one audit alone already asks for more")]
    MonthBelowAudit,
    /// A month without audits cannot accumulate.
    #[error(
        "{epochs} audits in {MONTH_DAYS} days are one every {every} hours, and max_age_hours allows {max_age}: between two audits the evidence would always be stale"
    )]
    FreshnessShorterThanEpoch {
        /// Audits a month.
        epochs: u32,
        /// Hours between them.
        every: u32,
        /// Age allowed.
        max_age: u32,
    },
    /// The log may be older than the evidence.
    #[error(
        "the log's checkpoint must be at most {checkpoint} hours old, and audits are {every} hours apart: it would always be stale between two audits"
    )]
    CheckpointShorterThanEpoch {
        /// Age allowed.
        checkpoint: u32,
        /// Hours between audits.
        every: u32,
    },
    /// An object rule for a claim without terms.
    #[error("objects are named for {claim}, but there is no [{claim}] section with its terms")]
    ObjectsWithoutTerms {
        /// Which claim.
        claim: Claim,
    },
    /// An object whose owner does not count.
    #[error("an object is named for stored whose owner `stored.owners` leaves out")]
    ObjectOfUncountedOwner,
    /// Everything under one law cannot outlive the loss of that law.
    #[error("[survivable] must outlive the loss of any one {power}, and [{section}] allows only one")]
    NothingLeft {
        /// Which kind of power.
        power: &'static str,
        /// Which section.
        section: &'static str,
    },
    /// More witnesses than there are.
    #[error("quorum {quorum} of the {witnesses} witnesses that are listed")]
    Quorum {
        /// Asked for.
        quorum: u32,
        /// Listed.
        witnesses: usize,
    },
    /// No host of the roster may hold the data.
    #[error("no host of the roster is in a country and under laws that [data] allows")]
    NoHostAllowed,
    /// Every allowed law is in a forbidden bloc.
    #[error("every law that [{section}] allows is in a bloc that it forbids")]
    LawsInForbiddenBlocs {
        /// Which section.
        section: &'static str,
    },
    /// Soil reaches as a law does.
    #[error(
        "every country that [{section}] allows has a law that it forbids, and the law of a country reaches whoever is in it"
    )]
    CountriesUnderForbiddenLaws {
        /// Which section.
        section: &'static str,
    },
    /// No recipient of the roster may hold keys.
    #[error("no recipient of the roster is in a country and under laws that [keys] allows")]
    NoRecipientAllowed,
    /// A host that must hold, where data may not be.
    #[error(
        "[stored] names host {host}, and the roster says that it is where, or under a law that, [data] forbids"
    )]
    HostForbidden {
        /// Whose key.
        host: HostKey,
    },
    /// A host the roster does not have.
    #[error("the roster has no host with key {host}")]
    UnknownHost {
        /// Whose key.
        host: HostKey,
    },
    /// A bloc the file of blocs does not have.
    #[error("no bloc is called {bloc:?}")]
    UnknownBloc {
        /// The name.
        bloc: String,
    },
}

/// Lines of what contradictions name.
pub(super) struct Spans {
    require: usize,
    min_detection: usize,
    min_detection_month: usize,
    max_age: usize,
    checkpoint_age: usize,
    lose: usize,
    data: PlaceSpans,
    keys: PlaceSpans,
    opaque_laws: usize,
    objects: Vec<(usize, usize)>,
}

#[derive(Default)]
struct PlaceSpans {
    allowed_countries: usize,
    allowed_laws: usize,
}

fn start<T>(line: &impl Fn(usize) -> usize, value: Option<&Spanned<T>>) -> usize {
    value.map_or(1, |v| line(v.span().start))
}

impl Spans {
    pub(super) fn of(file: &File, require: usize, line: &impl Fn(usize) -> usize) -> Self {
        let stored = file.stored.as_ref();
        let place = |p: Option<&super::PlaceFile>| {
            p.map_or_else(PlaceSpans::default, |p| PlaceSpans {
                allowed_countries: start(line, p.allowed_countries.as_ref()),
                allowed_laws: start(line, p.allowed_laws.as_ref()),
            })
        };
        let rules = file.objects.iter().flatten();
        Self {
            require,
            min_detection: start(line, stored.map(|s| &s.min_detection)),
            min_detection_month: start(line, stored.and_then(|s| s.min_detection_month.as_ref())),
            max_age: start(line, stored.map(|s| &s.max_age_hours)),
            checkpoint_age: start(line, file.logged.as_ref().map(|l| &l.max_checkpoint_age_hours)),
            lose: start(line, file.survivable.as_ref().map(|s| &s.lose)),
            data: place(file.data.as_ref()),
            keys: place(file.keys.as_ref()),
            opaque_laws: start(line, file.opaque.as_ref().and_then(|o| o.forbidden_laws.as_ref())),
            objects: rules.map(|r| (line(r.claims.span().start), start(line, r.objects.as_ref()))).collect(),
        }
    }
}

fn contradiction<T>(line: usize, why: Contradiction) -> Result<T, PolicyError> {
    Err(PolicyError::Contradiction { line, why })
}

pub(super) fn check(policy: &Policy, spans: &Spans) -> Result<(), PolicyError> {
    for claim in &policy.require {
        if !policy.has_terms(*claim) {
            return Err(PolicyError::MissingTerms { line: spans.require, claim: *claim });
        }
    }
    check_place("data", policy.data.as_ref(), &spans.data, spans.require)?;
    check_place("keys", policy.keys.as_ref(), &spans.keys, spans.require)?;
    check_stored(policy, spans)?;
    check_keys_against_opaque(policy, spans)?;
    check_survivable(policy, spans)?;
    check_objects(policy, spans)
}

fn check_place(
    section: &'static str,
    terms: Option<&PlaceTerms>,
    spans: &PlaceSpans,
    fallback: usize,
) -> Result<(), PolicyError> {
    let Some(t) = terms else { return Ok(()) };
    if *t == PlaceTerms::default() {
        return contradiction(fallback, Contradiction::EmptySection { section });
    }
    let both = t.allowed_countries.iter().flatten().find(|c| t.forbidden_countries.contains(*c));
    if let Some(country) = both {
        return contradiction(spans.allowed_countries, Contradiction::Country { section, country: *country });
    }
    if let Some(law) = t.allowed_laws.iter().flatten().find(|l| t.forbidden_laws.contains(*l)) {
        return contradiction(spans.allowed_laws, Contradiction::Law { section, law: *law });
    }
    if t.allowed_countries
        .as_ref()
        .is_some_and(|set| set.iter().all(|c| t.forbidden_laws.contains(&Law::Of(*c))))
    {
        return contradiction(
            spans.allowed_countries,
            Contradiction::CountriesUnderForbiddenLaws { section },
        );
    }
    Ok(())
}

fn check_stored(policy: &Policy, spans: &Spans) -> Result<(), PolicyError> {
    let Some(t) = &policy.stored else { return Ok(()) };
    let most = detection(t.lost_fraction, 1, 1, SAMPLES_MAX);
    if most.probability < t.min_detection {
        let (lost, most) = (percent(t.lost_fraction), percent(most.probability));
        return contradiction(spans.min_detection, Contradiction::Unreachable { lost, most });
    }
    if let Some(month) = t.min_detection_month {
        if month < t.min_detection && t.scope != Scope::Object {
            return contradiction(spans.min_detection_month, Contradiction::MonthBelowAudit);
        }
        if 1.0 - power(most.miss, EPOCHS_MONTH_MAX) < month {
            return contradiction(spans.min_detection_month, Contradiction::MonthUnreachable);
        }
    }
    let Some(epochs) = t.epochs else { return Ok(()) };
    let every = (MONTH_DAYS * 24).div_ceil(epochs);
    if t.max_age_hours < every {
        let why = Contradiction::FreshnessShorterThanEpoch { epochs, every, max_age: t.max_age_hours };
        return contradiction(spans.max_age, why);
    }
    match &policy.logged {
        Some(l) if l.max_checkpoint_age_hours < every => {
            let checkpoint = l.max_checkpoint_age_hours;
            contradiction(
                spans.checkpoint_age,
                Contradiction::CheckpointShorterThanEpoch { checkpoint, every },
            )
        }
        _ => Ok(()),
    }
}

fn check_keys_against_opaque(policy: &Policy, spans: &Spans) -> Result<(), PolicyError> {
    let (Some(keys), Some(opaque)) = (&policy.keys, &policy.opaque) else { return Ok(()) };
    match keys.allowed_laws.iter().flatten().find(|l| opaque.forbidden_laws.contains(*l)) {
        Some(law) => contradiction(spans.opaque_laws, Contradiction::KeysAgainstOpaque { law: *law }),
        None => Ok(()),
    }
}

fn check_survivable(policy: &Policy, spans: &Spans) -> Result<(), PolicyError> {
    let Some(t) = &policy.survivable else { return Ok(()) };
    for (section, place) in [("data", &policy.data), ("keys", &policy.keys)] {
        let Some(place) = place else { continue };
        let one_law = place.allowed_laws.as_ref().is_some_and(|l| l.len() == 1);
        if one_law && t.lose.contains(&Power::Law) {
            return contradiction(spans.lose, Contradiction::NothingLeft { power: "law", section });
        }
        let one_country = place.allowed_countries.as_ref().is_some_and(|c| c.len() == 1);
        if one_country && t.lose.contains(&Power::Country) {
            return contradiction(spans.lose, Contradiction::NothingLeft { power: "country", section });
        }
    }
    Ok(())
}

fn check_objects(policy: &Policy, spans: &Spans) -> Result<(), PolicyError> {
    let owners = policy.stored.as_ref().and_then(|s| s.owners.as_ref());
    for (rule, (claims_line, objects_line)) in policy.objects.iter().zip(&spans.objects) {
        if let Some(claim) = rule.claims.iter().find(|c| !policy.has_terms(**c)) {
            return contradiction(*claims_line, Contradiction::ObjectsWithoutTerms { claim: *claim });
        }
        let named: BTreeSet<_> = rule.objects.iter().map(|(o, _)| o).chain(&rule.owners).collect();
        let uncounted = owners.is_some_and(|set| named.iter().any(|o| !set.contains(*o)));
        if rule.claims.contains(&Claim::Stored) && uncounted {
            return contradiction(*objects_line, Contradiction::ObjectOfUncountedOwner);
        }
    }
    Ok(())
}

/// What a roster says about whether a policy can be met at all.
#[derive(Clone, Copy, Debug)]
pub struct RosterSummary<'a> {
    /// The roster.
    pub roster: &'a Roster,
    /// The blocs it is read with.
    pub blocs: &'a Blocs,
}

impl Policy {
    /// Checks the policy against a roster: contradictions that no evidence could resolve, all of them.
    #[must_use]
    pub fn contradictions(&self, with: &RosterSummary<'_>) -> Vec<Contradiction> {
        let mut out = Vec::new();
        let RosterSummary { roster, blocs } = with;
        if let Some(t) = &self.logged {
            let witnesses = roster.of_role(Role::Witness).count();
            if usize::try_from(t.quorum).is_ok_and(|q| q > witnesses) {
                out.push(Contradiction::Quorum { quorum: t.quorum, witnesses });
            }
        }
        for host in self.stored.iter().filter_map(|s| s.hosts.as_ref()).flatten() {
            let known = roster.holder(KeyKind::Ed25519, host.as_bytes()).filter(|p| p.role == Role::Host);
            match (known, &self.data) {
                (None, _) => out.push(Contradiction::UnknownHost { host: *host }),
                (Some(p), Some(data)) if !with.may(data, p) => {
                    out.push(Contradiction::HostForbidden { host: *host });
                }
                (Some(_), _) => {}
            }
        }
        let places = [&self.data, &self.keys];
        for bloc in places.into_iter().flatten().flat_map(|p| &p.forbidden_blocs) {
            if blocs.bloc(bloc).is_none() {
                out.push(Contradiction::UnknownBloc { bloc: bloc.clone() });
            }
        }
        for (section, place) in [("data", &self.data), ("keys", &self.keys)] {
            if place.as_ref().is_some_and(|p| with.all_laws_in_forbidden_blocs(p)) {
                out.push(Contradiction::LawsInForbiddenBlocs { section });
            }
        }
        let nobody = |role, place: &Option<PlaceTerms>| {
            place.as_ref().is_some_and(|t| !roster.of_role(role).any(|p| with.may(t, p)))
        };
        if nobody(Role::Host, &self.data) {
            out.push(Contradiction::NoHostAllowed);
        }
        if nobody(Role::Recipient, &self.keys) {
            out.push(Contradiction::NoRecipientAllowed);
        }
        out
    }
}

impl RosterSummary<'_> {
    /// Whether neither a principal's own country and laws nor anything that reaches it is against the terms.
    fn may(&self, terms: &PlaceTerms, p: &Principal) -> bool {
        let blocs = terms
            .forbidden_blocs
            .iter()
            .flat_map(|b| [Jurisdiction::Bloc(b.clone()), Jurisdiction::List(b.clone())]);
        let mut forbidden = terms.forbidden_laws.iter().map(|l| Jurisdiction::Law(*l)).chain(blocs);
        // Without the blocs that the roster was made with, nothing is said of them.
        let reached = |j| self.roster.reach(p, self.blocs).is_ok_and(|r| r.contains(&j));
        let elsewhere =
            self.roster.reach(p, self.blocs).is_ok_and(|r| terms.pushed_from_elsewhere(&r).next().is_some());
        terms.allows_own(p) && !elsewhere && !forbidden.any(reached)
    }

    fn all_laws_in_forbidden_blocs(&self, terms: &PlaceTerms) -> bool {
        let forbidden = |law: &Law| self.blocs.of(*law).any(|b| terms.forbidden_blocs.contains(&b.name));
        terms.allowed_laws.as_ref().is_some_and(|laws| laws.iter().all(forbidden))
    }
}

impl PlaceTerms {
    /// Laws of operators, or their parents, who can push code or keys, that the terms do not allow, each with a shortest path: who can push
    /// code can read what it runs on.
    pub(crate) fn pushed_from_elsewhere<'r>(
        &'r self,
        reach: &'r Reach,
    ) -> impl Iterator<Item = (Law, &'r Reason)> {
        let controls = |r: &&Reason| {
            !r.pushers.is_empty() && matches!(r.attribute, Attribute::Law | Attribute::ParentLaw)
        };
        reach.iter().filter_map(move |(j, paths)| match j {
            Jurisdiction::Law(law) if self.allowed_laws.as_ref().is_some_and(|set| !set.contains(law)) => {
                Some((*law, paths.iter().find(controls)?))
            }
            _ => None,
        })
    }

    /// Whether a principal's own country and laws, without other paths, are allowed.
    #[must_use]
    pub fn allows_own(&self, p: &Principal) -> bool {
        let mut laws = core::iter::once(p.law).chain(p.parent.iter().map(|f| f.law));
        self.allowed_countries.as_ref().is_none_or(|set| set.contains(&p.country))
            && !self.forbidden_countries.contains(&p.country)
            && laws.all(|l| {
                self.allowed_laws.as_ref().is_none_or(|set| set.contains(&l))
                    && !self.forbidden_laws.contains(&l)
            })
    }
}
