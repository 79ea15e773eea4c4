//! Where data may be, by the roster; and *resident*, of which there is no evidence yet (spec verdict, clause V43).

use bailiwick_roster::{Jurisdiction, Principal, Quoted};

use super::people::People;
use super::{Fleet, few};
use crate::claims::{Claim, Verdict};
use crate::policy::PlaceTerms;
use crate::reasons::{AssumptionCode, Reason, ReasonCode};
use crate::report::{ClaimReport, Numbers};

const SHOWN_MAX: usize = 8;

/// What is wrong with a principal's place and laws, a sentence each: `is in CN, which …`.
pub(super) fn violations(people: &People, terms: &PlaceTerms, p: &Principal) -> Vec<String> {
    let mut out = Vec::new();
    let country = &p.country;
    if terms.forbidden_countries.contains(country) {
        out.push(format!("is in {country}, which the policy forbids"));
    }
    if terms.allowed_countries.as_ref().is_some_and(|set| !set.contains(country)) {
        out.push(format!("is in {country}, which is not among the countries the policy allows"));
    }
    let own = core::iter::once((p.law, "operator")).chain(p.parent.iter().map(|f| (f.law, "parent")));
    for (law, whose) in own {
        if terms.allowed_laws.as_ref().is_some_and(|set| !set.contains(&law)) {
            out.push(format!(
                "is under the law {law} of its {whose}, which is not among those the policy allows"
            ));
        }
    }
    let Some(reach) = people.reach(p) else { return out };
    for (law, path) in terms.pushed_from_elsewhere(reach) {
        out.push(format!("is in reach of {law} ({path}), which is not among the laws the policy allows"));
    }
    let laws = terms.forbidden_laws.iter().map(|l| Jurisdiction::Law(*l));
    let blocs = terms
        .forbidden_blocs
        .iter()
        .flat_map(|b| [Jurisdiction::Bloc(b.clone()), Jurisdiction::List(b.clone())]);
    for j in laws.chain(blocs) {
        if let Some(path) = reach.reasons(&j).first() {
            out.push(format!("is in reach of {j} ({path}), which the policy forbids"));
        }
    }
    out
}

/// *Resident*: nobody measured where a host is. But the reader's own roster may already say that it is where it must not be.
pub(super) fn resident(fleet: &Fleet<'_>) -> ClaimReport {
    let held = fleet.hosts.iter().filter(|h| h.tally.held > 0);
    let placed = held.filter_map(|h| Some((fleet.people.signer(h.key.as_bytes())?, h)));
    let bad: Vec<Reason> = match &fleet.policy.data {
        Some(terms) => placed
            .flat_map(|(p, h)| {
                violations(&fleet.people, terms, p).into_iter().map(move |why| {
                    let text = format!(
                        "the roster says that host {}, which answered {} audits, {why}",
                        Quoted(&p.name),
                        h.tally.held
                    );
                    Reason::new(ReasonCode::PlaceForbidden, text)
                })
            })
            .collect(),
        None => Vec::new(),
    };
    let none = Reason::new(
        ReasonCode::NoEvidence,
        "the dossier holds no timed rounds from landmarks; an address in a roster, a contract or a registry is not evidence of where a host is",
    );
    let (verdict, headline, reasons) = if bad.is_empty() {
        (Verdict::Inconclusive, "Not shown: nobody measured where the hosts are.", vec![none])
    } else {
        let headline = "No: by the roster itself, data lies where or under a law that the policy forbids.";
        (Verdict::Refuted, headline, few(bad, SHOWN_MAX, "findings"))
    };
    let assumed = verdict == Verdict::Refuted;
    ClaimReport {
        claim: Claim::Resident,
        required: fleet.policy.require.contains(&Claim::Resident),
        verdict,
        headline: headline.to_owned(),
        reasons,
        assumptions: assumed.then(|| AssumptionCode::RosterTrue.stated()).into_iter().collect(),
        numbers: Numbers::default(),
        not_shown: Claim::Resident.not_shown().to_vec(),
    }
}
