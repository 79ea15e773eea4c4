//! *Opaque* of a fleet (spec verdict, clauses V37-V38).

use std::collections::BTreeMap;

use bailiwick_roster::{Jurisdiction, Principal, Quoted, Role};

use super::keys::releases;
use super::objects::Version;
use super::place::violations;
use super::sharing::not_custodians;
use super::stored::name;
use super::{Fleet, few};
use crate::claims::{Claim, Verdict};
use crate::policy::OpaqueTerms;
use crate::reasons::{Assumption, AssumptionCode, Reason, ReasonCode};
use crate::report::{ClaimReport, Numbers, OpenedCount, RecipientCount};

const SHOWN_MAX: usize = 8;

pub(super) fn judge(fleet: &Fleet<'_>) -> ClaimReport {
    let count = Count::of(fleet);
    let (verdict, reasons) = decide(fleet, &count);
    let headline = match (verdict, reasons.first().map(|r| r.code)) {
        (Verdict::Supported, _) => {
            "Yes, as far as those who opened it say: each object is ciphertext, and nobody who stores or carries it is among its recipients."
        }
        (Verdict::Refuted, _) => {
            "No: someone who stores or carries the data, or shares a forbidden law with them, can open it."
        }
        (Verdict::Inconclusive, Some(ReasonCode::NotOpened)) => {
            "Not shown: nobody independent opened every object for this reader."
        }
        (Verdict::Inconclusive, Some(ReasonCode::AnonymousRecipients)) => {
            "Not shown: some recipients are anonymous, so nobody can tell who can open it."
        }
        (Verdict::Inconclusive, Some(ReasonCode::PassphraseHolders)) => {
            "Not shown: a passphrase opens it, and nobody can tell who knows that."
        }
        (Verdict::Inconclusive, Some(ReasonCode::CustodianUnknown | ReasonCode::DealingUnsound)) => {
            "Not shown: its key is shared, and not with people this reader can tell."
        }
        (Verdict::Inconclusive, _) => "Not shown: the evidence in this dossier does not decide it.",
    };
    let mut assumptions: Vec<Assumption> = match fleet.people.roster() {
        Some(_) => [AssumptionCode::RosterTrue, AssumptionCode::OpenerTruthful]
            .into_iter()
            .map(AssumptionCode::stated)
            .collect(),
        None => Vec::new(),
    };
    assumptions.extend(releases(fleet, Claim::Opaque));
    let some = count.objects > 0;
    ClaimReport {
        claim: Claim::Opaque,
        required: fleet.policy.require.contains(&Claim::Opaque),
        verdict,
        headline: headline.to_owned(),
        reasons,
        assumptions,
        numbers: Numbers {
            recipients: some.then_some(RecipientCount {
                total: count.named + count.anonymous,
                anonymous: count.anonymous,
            }),
            opened: some.then_some(OpenedCount { objects: count.objects, opened: count.opened }),
            ..Numbers::default()
        },
        not_shown: Claim::Opaque.not_shown().to_vec(),
    }
}

/// What counts for *opaque*.
struct Count<'f> {
    objects: usize,
    opened: usize,
    named: usize,
    anonymous: usize,
    unknown: usize,
    /// Entries for keys whose holder the roster does not have at the moment.
    expired: usize,
    passphrases: usize,
    /// Versions whose key custodians share.
    shared: Vec<&'f Version>,
    /// Known recipients by name, with the number of objects each can open.
    recipients: BTreeMap<&'f str, (&'f Principal, usize)>,
}

impl<'f> Count<'f> {
    fn of(fleet: &'f Fleet<'_>) -> Self {
        let terms = fleet.policy.opaque.as_ref();
        let counts =
            |n: &bailiwick_protocol::ids::UnitName| fleet.policy.counts(Claim::Opaque, &n.owner, &n.object);
        let mut c = Self {
            objects: 0,
            opened: 0,
            named: 0,
            anonymous: 0,
            unknown: 0,
            expired: 0,
            passphrases: 0,
            shared: Vec::new(),
            recipients: BTreeMap::new(),
        };
        // Older versions too: who could open one of them may have kept what it held.
        for (_, v) in fleet.objects.iter().filter(|(n, _)| counts(n)) {
            c.add(fleet, v);
        }
        let by = terms.map(|t| &t.opened_by);
        let opened = |v: &&Version| v.opened.iter().any(|o| by.is_none_or(|set| set.contains(o)));
        for (_, versions) in fleet.objects.newest().into_iter().filter(|(n, _)| counts(n)) {
            c.objects += 1;
            c.opened += usize::from(versions.iter().all(opened));
        }
        c
    }

    fn add(&mut self, fleet: &'f Fleet<'_>, v: &'f Version) {
        self.anonymous += v.anonymous();
        self.passphrases += usize::from(v.passphrase);
        if !v.dealings.is_empty() {
            self.shared.push(v);
        }
        for id in v.ways() {
            self.named += 1;
            match fleet.people.of_key_id(id) {
                Some(p) => {
                    self.recipients.entry(&p.name).or_insert((p, 0)).1 += 1;
                    self.expired += usize::from(!fleet.people.is_valid(p));
                }
                None => self.unknown += 1,
            }
        }
    }
}

fn decide(fleet: &Fleet<'_>, count: &Count<'_>) -> (Verdict, Vec<Reason>) {
    let inconclusive = |reasons| (Verdict::Inconclusive, reasons);
    let Some(terms) = &fleet.policy.opaque else {
        let text = "the policy has no [opaque] section, so nothing says what would be enough";
        return inconclusive(vec![Reason::new(ReasonCode::NoTermsInPolicy, text)]);
    };
    if count.objects == 0 {
        let text = "no object that counts was seen under its owner\u{2019}s signature";
        return inconclusive(vec![Reason::new(ReasonCode::NoEvidence, text)]);
    }
    if let Some(problem) = fleet.people.problem() {
        return inconclusive(vec![problem.clone()]);
    }
    let mut refuted: Vec<Reason> =
        count.recipients.values().filter_map(|(p, n)| against(fleet, terms, p, *n)).collect();
    refuted.extend(custodians_against(fleet, terms, count));
    if !refuted.is_empty() {
        return (Verdict::Refuted, few(refuted, SHOWN_MAX, "recipients"));
    }
    let mut short = Vec::new();
    if count.anonymous > 0 {
        let text = format!("{} recipient entries name no key: nobody can tell who they are", count.anonymous);
        short.push(Reason::new(ReasonCode::AnonymousRecipients, text));
    }
    if count.passphrases > 0 {
        let text = format!(
            "{} versions of objects open with a passphrase: nobody can tell who knows it",
            count.passphrases
        );
        short.push(Reason::new(ReasonCode::PassphraseHolders, text));
    }
    short.extend(custodians_open(fleet, count));
    if count.unknown > 0 {
        let text = format!("{} recipient entries name keys that the roster does not have", count.unknown);
        short.push(Reason::new(ReasonCode::RecipientUnknown, text));
    }
    if count.opened < count.objects {
        let text = format!(
            "of {} objects {} were opened by somebody the policy accepts; an owner could have sealed the others badly",
            count.objects, count.opened
        );
        short.push(Reason::new(ReasonCode::NotOpened, text));
    }
    if count.expired > 0 {
        let text = format!(
            "{} recipient entries name keys whose entry in the roster is not valid at this moment: nothing says who has them now",
            count.expired
        );
        short.push(Reason::new(ReasonCode::RecipientUnknown, text));
    }
    short.extend(unknown_hosts(fleet));
    short.extend(unseen(fleet, Claim::Opaque));
    if !short.is_empty() {
        return inconclusive(short);
    }
    let text = format!(
        "all {} objects were opened by somebody the policy accepts, and each of {} recipients is known, none of them a host, gateway or vendor",
        count.objects,
        count.recipients.len()
    );
    (Verdict::Supported, vec![Reason::new(ReasonCode::Opened, text)])
}

/// Dealings of which t or more custodians are related to whoever stores or carries: together they are a recipient that is.
fn custodians_against(fleet: &Fleet<'_>, terms: &OpaqueTerms, count: &Count<'_>) -> Option<Reason> {
    let mut worst: Option<(usize, usize, Reason)> = None;
    let mut versions = 0;
    for holders in count.shared.iter().flat_map(|v| v.dealings.holders(&fleet.people)) {
        let related: Vec<_> = holders.known.iter().filter_map(|p| against(fleet, terms, p, 1)).collect();
        if related.len() >= holders.threshold {
            versions += 1;
            if let Some(first) = related.first().filter(|_| worst.is_none()) {
                worst = Some((related.len(), holders.threshold, first.clone()));
            }
        }
    }
    let (related, threshold, first) = worst?;
    let text = format!(
        "{related} custodians of {versions} dealings, of whom {threshold} are enough, are related to whoever stores or carries the data; of the first: {}",
        first.text.replace("recipient", "custodian")
    );
    Some(Reason::new(ReasonCode::CustodiansRelated, text))
}

/// Dealings that do not hold, and custodians the roster does not have.
fn custodians_open(fleet: &Fleet<'_>, count: &Count<'_>) -> Vec<Reason> {
    let mut out: Vec<Reason> = count
        .shared
        .iter()
        .flat_map(|v| v.dealings.unsound())
        .map(|why| {
            let text =
                format!("the key of an object is wrapped for custodians, and nobody can tell whom: {why}");
            Reason::new(ReasonCode::DealingUnsound, text)
        })
        .collect();
    out = few(out, SHOWN_MAX, "dealings");
    let unknown: usize =
        count.shared.iter().flat_map(|v| v.dealings.holders(&fleet.people)).map(|h| h.unaccounted()).sum();
    if unknown > 0 {
        let text = not_custodians(unknown);
        out.push(Reason::new(ReasonCode::CustodianUnknown, text));
    }
    out
}

/// Hosts that the roster does not have as handlers: nobody can tell whom they share an operator or a law with.
fn unknown_hosts(fleet: &Fleet<'_>) -> Vec<Reason> {
    let unknown = fleet.asked.iter().filter(|key| fleet.people.handler(key.as_bytes()).is_none()).map(|key| {
        let text = format!(
            "host {} of the evidence is no host of the roster, so nothing says who runs it and under whose law",
            name(fleet, key)
        );
        Reason::new(ReasonCode::HostNotInRoster, text)
    });
    few(unknown.collect(), SHOWN_MAX, "hosts")
}

/// Owners and objects that the policy names for this claim and no audit has shown.
pub(super) fn unseen(fleet: &Fleet<'_>, claim: Claim) -> Vec<Reason> {
    let seen = || fleet.objects.iter().map(|(name, _)| name);
    let rules = || fleet.policy.objects.iter().filter(move |r| r.claims.contains(&claim));
    let owners = rules().flat_map(|r| &r.owners).filter(|o| !seen().any(|n| n.owner == **o)).map(|o| {
        let text = format!("no object of owner {o} was seen under its owner\u{2019}s signature");
        Reason::new(ReasonCode::OwnerMissing, text)
    });
    let objects = rules().flat_map(|r| &r.objects);
    let objects =
        objects.filter(|(o, id)| !seen().any(|n| n.owner == *o && n.object == *id)).map(|(o, id)| {
            let text = format!("object {o}/{id} was not seen under its owner\u{2019}s signature");
            Reason::new(ReasonCode::ObjectNotSampled, text)
        });
    few(owners.chain(objects).collect(), SHOWN_MAX, "objects or owners")
}

/// Why a recipient refutes.
fn against(fleet: &Fleet<'_>, terms: &OpaqueTerms, p: &Principal, objects: usize) -> Option<Reason> {
    let who = Quoted(&p.name);
    if matches!(p.role, Role::Host | Role::Gateway | Role::Vendor) {
        let text = format!("{} {who} is a recipient of {objects} objects", p.role);
        return Some(Reason::new(ReasonCode::RecipientIsHost, text));
    }
    let same_operator = |h: &&Principal| p.provider.is_some() && h.provider == p.provider;
    if let Some(h) = fleet.people.handlers().find(same_operator) {
        let text = format!(
            "recipient {who} of {objects} objects is run by {}, which also runs {} {}",
            Quoted(p.provider.as_deref().unwrap_or_default()),
            h.role,
            Quoted(&h.name)
        );
        return Some(Reason::new(ReasonCode::RecipientIsHost, text));
    }
    if let Some(why) =
        fleet.policy.keys.as_ref().and_then(|t| violations(&fleet.people, t, p).into_iter().next())
    {
        let text = format!("recipient {who}, with the key of {objects} objects, {why}");
        return Some(Reason::new(ReasonCode::PlaceForbidden, text));
    }
    let reach = fleet.people.reach(p)?;
    let (law, h) = terms.forbidden_laws.iter().find_map(|law| {
        let j = Jurisdiction::Law(*law);
        let shares = |h: &&Principal| fleet.people.reach(h).is_some_and(|r| r.contains(&j));
        reach.contains(&j).then(|| fleet.people.handlers().find(shares)).flatten().map(|h| (j, h))
    })?;
    let path = reach.reasons(&law).first().map_or_else(String::new, |r| format!(" ({r})"));
    let text = format!(
        "law {law} reaches recipient {who} of {objects} objects{path}, and {} {} too; the policy forbids it",
        h.role,
        Quoted(&h.name)
    );
    Some(Reason::new(ReasonCode::RecipientInReach, text))
}
