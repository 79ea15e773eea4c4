//! *Custody* and *survivable*: every path to a key is counted, and what contradicts refutes (spec verdict, clauses V39-V42).
//! *Custody* is supported by verified sharing among custodians; *survivable* not yet, there are no drills.

use std::collections::{BTreeMap, BTreeSet};

use bailiwick_protocol::ids::UnitName;
use bailiwick_roster::{Attribute, Jurisdiction, Principal, Quoted, Reach, Role};

use super::custody::Shared;
use super::loss::{Left, left};
use super::objects::Version;
use super::place::violations;
use super::{Fleet, few};
use crate::claims::{Claim, Verdict};
use crate::policy::Power;
use crate::reasons::{Assumption, AssumptionCode, Reason, ReasonCode};
use crate::report::{ClaimReport, Numbers, PowerCount};

pub(super) const SHOWN_MAX: usize = 8;

/// Powers listed among the numbers, at most.
const POWERS_MAX: usize = 24;

/// The headline of *custody* where only a recipient is left if a power blocks the custodians.
const BY_RECIPIENTS: &str = "Yes, if the recipients\u{2019} entries hold the key: no one power reaches enough custodians to open, but one can block too many of them, and then only recipients are left.";

/// Whether a jurisdiction is of one of the kinds, for a principal it reaches by these paths.
pub(super) fn is_kind(j: &Jurisdiction, reach: &Reach, kinds: &BTreeSet<Power>) -> bool {
    let soil = |a: Attribute| a == Attribute::Country;
    match j {
        Jurisdiction::Law(_) => {
            let paths = reach.reasons(j);
            (kinds.contains(&Power::Law) && !paths.is_empty())
                || (kinds.contains(&Power::Country) && paths.iter().any(|r| soil(r.attribute)))
        }
        Jurisdiction::Bloc(_) => kinds.contains(&Power::Bloc),
        Jurisdiction::Firm(_) => kinds.contains(&Power::Provider),
        Jurisdiction::List(_) => false,
    }
}

/// Who can open what, and through whom each power gets there.
pub(super) struct Paths<'f> {
    /// Objects that count.
    objects: Vec<&'f Version>,
    /// Everyone with a path to a key, by name: owners, named recipients, and whom custodians say they released to.
    holders: BTreeMap<&'f str, (&'f Principal, usize)>,
    unknown: usize,
    /// Those to holders whom the roster does not have at the moment; they are among `holders`, too.
    expired: usize,
}

impl<'f> Paths<'f> {
    fn of(fleet: &'f Fleet<'_>, claim: Claim) -> Self {
        let mut paths = Self { objects: Vec::new(), holders: BTreeMap::new(), unknown: 0, expired: 0 };
        for (name, v) in fleet.objects.iter().filter(|(n, _)| fleet.policy.counts(claim, &n.owner, &n.object))
        {
            paths.objects.push(v);
            paths.unknown += v.anonymous() + usize::from(v.passphrase);
            let owner = fleet.people.signer(name.owner.as_bytes());
            paths.unknown += usize::from(owner.is_none());
            for holder in v.ways().map(|id| fleet.people.of_key_id(id)).chain([owner]) {
                match holder {
                    Some(p) => {
                        paths.holders.entry(&p.name).or_insert((p, 0)).1 += 1;
                        paths.expired += usize::from(!fleet.people.is_valid(p));
                    }
                    None => paths.unknown += 1,
                }
            }
        }
        paths
    }

    /// For each power of these kinds, holders it reaches, and objects that one of them can open.
    fn powers(
        &self,
        fleet: &Fleet<'_>,
        kinds: &BTreeSet<Power>,
    ) -> Vec<(Jurisdiction, Vec<&'f Principal>, usize)> {
        let mut out: BTreeMap<Jurisdiction, (Vec<&Principal>, usize)> = BTreeMap::new();
        for (p, n) in self.holders.values() {
            let Some(reach) = fleet.people.reach(p) else { continue };
            for (j, _) in reach.iter().filter(|(j, _)| is_kind(j, reach, kinds)) {
                let entry = out.entry(j.clone()).or_default();
                entry.0.push(p);
                entry.1 = entry.1.max(*n);
            }
        }
        let mut list: Vec<_> = out.into_iter().map(|(j, (p, n))| (j, p, n)).collect();
        list.sort_by(|a, b| {
            b.2.cmp(&a.2).then_with(|| b.1.len().cmp(&a.1.len())).then_with(|| a.0.cmp(&b.0))
        });
        list
    }
}

fn claim_report(
    fleet: &Fleet<'_>,
    claim: Claim,
    decided: (Verdict, Vec<Reason>),
    powers: Vec<PowerCount>,
) -> ClaimReport {
    let (verdict, reasons) = decided;
    let headline = match (claim, verdict) {
        (Claim::Custody, Verdict::Refuted) => "No: a power that the policy excludes reaches a key.",
        (Claim::Custody, Verdict::Supported) => {
            "Yes, as far as the dealings show: enough custodians are out of every one power\u{2019}s reach."
        }
        (Claim::Custody, _) => {
            "Not shown: the evidence does not say of every key that it is shared out of one power\u{2019}s reach."
        }
        (_, Verdict::Refuted) => "No: the loss of one power would take keys or data with it.",
        _ => "Not shown: nothing shows what would be left after a cut-off.",
    };
    let mut assumptions: Vec<Assumption> = match fleet.people.roster() {
        Some(_) => vec![AssumptionCode::RosterTrue.stated()],
        None => Vec::new(),
    };
    if (claim, verdict) == (Claim::Custody, Verdict::Supported) {
        let further = [AssumptionCode::BodyUnderSharedSecret, AssumptionCode::CustodiansDoNotCollude];
        assumptions.extend(further.into_iter().map(AssumptionCode::stated));
    }
    assumptions.extend(releases(fleet, claim));
    ClaimReport {
        claim,
        required: fleet.policy.require.contains(&claim),
        verdict,
        headline: headline.to_owned(),
        reasons,
        assumptions,
        numbers: Numbers { powers, ..Numbers::default() },
        not_shown: claim.not_shown().to_vec(),
    }
}

/// What is said where a key counts as a way only because custodians signed that they released to it (spec verdict, clause V39).
pub(super) fn releases(fleet: &Fleet<'_>, claim: Claim) -> Option<Assumption> {
    let counts = |n: &UnitName| fleet.policy.counts(claim, &n.owner, &n.object);
    let by_records = |v: &Version| !v.released.is_subset(&v.recipients);
    let some = fleet.objects.iter().any(|(n, v)| counts(n) && by_records(v));
    some.then(|| AssumptionCode::ReleaseRecordsTrue.stated())
}

/// What is wrong before anything is counted.
fn open_question(fleet: &Fleet<'_>, claim: Claim, paths: &Paths<'_>) -> Option<Reason> {
    if !fleet.policy.has_terms(claim) {
        let text = format!("the policy has no [{claim}] section, so nothing says what would be enough");
        return Some(Reason::new(ReasonCode::NoTermsInPolicy, text));
    }
    if paths.objects.is_empty() {
        let text = "no object that counts was seen under its owner\u{2019}s signature";
        return Some(Reason::new(ReasonCode::NoEvidence, text));
    }
    fleet.people.problem().cloned()
}

pub(super) fn no_sharing() -> Reason {
    Reason::new(ReasonCode::NoSharing, "no verifiable sharing of the key among custodians is in the evidence")
}

pub(super) fn unknown_holders(paths: &Paths<'_>) -> Vec<Reason> {
    let texts = [
        (paths.unknown, "lead to somebody the roster does not know"),
        (
            paths.expired,
            "lead to somebody whose entry in the roster is not valid at this moment: nothing says who has these keys now",
        ),
    ];
    let some = texts.into_iter().filter(|(ways, _)| *ways > 0);
    some.map(|(ways, lead)| Reason::new(ReasonCode::RecipientUnknown, format!("{ways} ways to a key {lead}")))
        .collect()
}

/// *Custody*: a whole key in one hand is in reach of every power that reaches that hand.
pub(super) fn custody(fleet: &Fleet<'_>) -> ClaimReport {
    let paths = Paths::of(fleet, Claim::Custody);
    if let Some(reason) = open_question(fleet, Claim::Custody, &paths) {
        return claim_report(fleet, Claim::Custody, (Verdict::Inconclusive, vec![reason]), Vec::new());
    }
    let kinds = fleet.policy.custody.as_ref().map(|t| t.no_single.clone()).unwrap_or_default();
    let powers = paths.powers(fleet, &kinds);
    let reached = powers.iter().map(|(j, holders, objects)| {
        let p = holders[0];
        let path = fleet
            .people
            .reach(p)
            .and_then(|r| r.reasons(j).first())
            .map_or_else(String::new, ToString::to_string);
        let text = format!(
            "{j} reaches the whole key of {objects} objects through {} {} ({path})",
            role(p),
            Quoted(&p.name)
        );
        Reason::new(ReasonCode::PowerReachesKey, text)
    });
    let mut refuted = few(reached.collect(), SHOWN_MAX, "powers");
    if let Some(place) = &fleet.policy.keys {
        let bad = paths.holders.values().flat_map(|(p, n)| {
            violations(&fleet.people, place, p).into_iter().map(move |why| {
                let text = format!("{} {}, with the key of {n} objects, {why}", role(p), Quoted(&p.name));
                Reason::new(ReasonCode::PlaceForbidden, text)
            })
        });
        refuted.splice(0..0, few(bad.collect(), SHOWN_MAX, "findings"));
    }
    let shared = Shared::of(fleet);
    refuted.extend(shared.against(fleet, &kinds));
    let numbers = powers.iter().take(POWERS_MAX).map(|(j, holders, objects)| PowerCount {
        power: j.to_string(),
        holders: holders.len() as u64,
        objects: *objects as u64,
    });
    let decided =
        if refuted.is_empty() { shared.decide(fleet, &paths, &kinds) } else { (Verdict::Refuted, refuted) };
    let mut report = claim_report(fleet, Claim::Custody, decided, numbers.collect());
    if report.verdict == Verdict::Supported && shared.rests_on_recipients(fleet, &kinds) {
        BY_RECIPIENTS.clone_into(&mut report.headline);
        report.assumptions.push(AssumptionCode::EntryHoldsKey.stated());
    }
    report
}

fn role(p: &Principal) -> &'static str {
    match p.role {
        Role::Owner => "owner",
        Role::Recipient => "recipient",
        other => other.as_str(),
    }
}

/// *Survivable*: refuted when the loss of one power takes every way to a key, or every host of the roster.
pub(super) fn survivable(fleet: &Fleet<'_>) -> ClaimReport {
    let claim = Claim::Survivable;
    let paths = Paths::of(fleet, claim);
    if let Some(reason) = open_question(fleet, claim, &paths) {
        return claim_report(fleet, claim, (Verdict::Inconclusive, vec![reason]), Vec::new());
    }
    let kinds = fleet.policy.survivable.as_ref().map(|t| t.lose.clone()).unwrap_or_default();
    let hosts: Vec<&Principal> = fleet.people.roster().iter().flat_map(|r| r.of_role(Role::Host)).collect();
    let mut candidates = BTreeSet::new();
    let custodians =
        paths.objects.iter().flat_map(|v| v.dealings.holders(&fleet.people)).flat_map(|h| h.known);
    let holders = paths.holders.values().map(|(p, _)| *p);
    for p in hosts.iter().copied().chain(holders).chain(custodians) {
        let Some(reach) = fleet.people.reach(p) else { continue };
        candidates.extend(reach.iter().filter(|(j, _)| is_kind(j, reach, &kinds)).map(|(j, _)| j.clone()));
    }
    let takes = |j: &Jurisdiction, p: &Principal| {
        fleet.people.reach(p).is_some_and(|r| r.contains(j) && is_kind(j, r, &kinds))
    };
    let mut newest = fleet.objects.newest();
    newest.retain(|n, _| fleet.policy.counts(claim, &n.owner, &n.object));
    let (mut refuted, mut open, mut numbers) = (Vec::new(), Vec::new(), Vec::new());
    for j in &candidates {
        let (keys, earlier) = lost(fleet, &newest, |p| takes(j, p));
        let held = |v: &&&Version| !v.hosts.is_empty();
        let on = |h: &bailiwick_protocol::ids::HostKey| {
            fleet.people.signer(h.as_bytes()).is_some_and(|p| takes(j, p))
        };
        let copies = paths.objects.iter().filter(held).filter(|v| v.hosts.iter().all(on)).count();
        if keys > 0 {
            let text = format!(
                "with {j} every recipient of {keys} objects is gone, with enough custodians if there are any: nobody can open them"
            );
            refuted.push(Reason::new(ReasonCode::PowerTakesAll, text));
        }
        if earlier > 0 {
            let text = format!(
                "with {j} everyone is gone whom the newest envelopes of {earlier} objects name: only earlier envelopes name somebody else"
            );
            open.push(Reason::new(ReasonCode::PowerTakesAll, text));
        }
        if !hosts.is_empty() && hosts.iter().all(|h| takes(j, h)) {
            let text = format!("with {j} every host of the roster is gone");
            refuted.push(Reason::new(ReasonCode::PowerTakesAll, text));
        } else if copies > 0 {
            let text = format!("with {j} every host is gone on which {copies} objects were seen");
            open.push(Reason::new(ReasonCode::PowerTakesAll, text));
        }
        if keys + copies > 0 && numbers.len() < POWERS_MAX {
            let holders = paths.holders.values().filter(|(p, _)| takes(j, p)).count() as u64;
            numbers.push(PowerCount { power: j.to_string(), holders, objects: keys.max(copies) as u64 });
        }
    }
    let decided = if refuted.is_empty() {
        let mut reasons = few(open, SHOWN_MAX, "powers");
        reasons.extend(unknown_holders(&paths));
        reasons.push(no_sharing());
        reasons.push(Reason::new(
            ReasonCode::NoEvidence,
            "the dossier holds no drill in which one of them was cut off and the data was recovered",
        ));
        (Verdict::Inconclusive, reasons)
    } else {
        (Verdict::Refuted, few(refuted, SHOWN_MAX, "powers"))
    };
    claim_report(fleet, claim, decided, numbers)
}

/// Newest versions that nobody can open whom `takes` leaves, and those that only earlier envelopes open.
fn lost(
    fleet: &Fleet<'_>,
    newest: &BTreeMap<&UnitName, Vec<&Version>>,
    takes: impl Fn(&Principal) -> bool,
) -> (usize, usize) {
    let versions = newest.iter().flat_map(|(n, versions)| versions.iter().map(move |v| (*n, *v)));
    versions.fold((0, 0), |(lost, earlier), (name, v)| match left(fleet, name, v, &takes) {
        Left::Nobody => (lost + 1, earlier),
        Left::ByEarlierEnvelopes => (lost, earlier + 1),
        Left::Somebody => (lost, earlier),
    })
}
