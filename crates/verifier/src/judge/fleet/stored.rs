//! *Stored* of a fleet (spec verdict, clauses V30-V33).

use super::hosts::Host;
use super::{Fleet, few};
use crate::anchors::Provenance;
use crate::claims::{Claim, Verdict};
use crate::detection::percent;
use crate::fleet_report::AuditTally;
use crate::policy::{MONTH_DAYS, Scope, StoredTerms};
use crate::reasons::{Assumption, AssumptionCode, Reason, ReasonCode};
use crate::report::{ClaimReport, Numbers, ScopeDetection, Soundness};
use crate::time::duration;

/// Reasons of one kind shown one by one.
const SHOWN_MAX: usize = 8;

pub(super) fn judge(fleet: &Fleet<'_>) -> ClaimReport {
    let (verdict, reasons) = decide(fleet);
    let headline = match (verdict, reasons.first().map(|r| r.code)) {
        (Verdict::Supported, _) => {
            "Yes, as far as random sampling can tell: every host answered checks it could not foresee, on schedule."
        }
        (Verdict::Refuted, Some(ReasonCode::TwoInventories)) => {
            "No: a host signed two different lists of what it holds for one epoch."
        }
        (Verdict::Refuted, _) => "No: at least one host failed an audit.",
        (Verdict::Inconclusive, Some(ReasonCode::HostNotShown)) => {
            "Not shown: at least one host has no valid audit that is recent enough."
        }
        (Verdict::Inconclusive, Some(ReasonCode::AuditsLeftOpen)) => {
            "Not shown: scheduled audits came to no result, and a failure may be among them."
        }
        (Verdict::Inconclusive, Some(ReasonCode::DetectionBelowPolicy | ReasonCode::TooFewAudits)) => {
            "Not shown: the audits hold, but they sample too little for what the policy asks."
        }
        (Verdict::Inconclusive, _) => "Not shown: the evidence in this dossier does not decide it.",
    };
    ClaimReport {
        claim: Claim::Stored,
        required: fleet.policy.require.contains(&Claim::Stored),
        verdict,
        headline: headline.to_owned(),
        reasons,
        assumptions: assumptions(fleet),
        numbers: Numbers {
            soundness: weakest_scheme(fleet),
            audits: Some(tally(fleet)),
            detection: weakest(fleet, |h| &h.audit),
            month_detection: weakest(fleet, |h| &h.month),
            ..Numbers::default()
        },
        not_shown: Claim::Stored.not_shown().to_vec(),
    }
}

/// Over all hosts, and what no host is behind.
pub(super) fn tally(fleet: &Fleet<'_>) -> AuditTally {
    fleet.hosts.iter().fold(AuditTally::default(), |a, h| AuditTally {
        total: a.total + h.tally.total,
        held: a.held + h.tally.held,
        late: a.late + h.tally.late,
        failed: a.failed + h.tally.failed,
        undecided: a.undecided + h.tally.undecided,
        missing: a.missing + h.tally.missing,
    })
}

/// Hosts that must have held: those the policy names, else those of the schedules and audits.
fn required<'f>(fleet: &'f Fleet<'_>, terms: &'f StoredTerms) -> impl Iterator<Item = &'f Host> {
    fleet.hosts.iter().filter(|h| terms.hosts.as_ref().is_none_or(|set| set.contains(&h.key)))
}

fn decide(fleet: &Fleet<'_>) -> (Verdict, Vec<Reason>) {
    let Some(terms) = &fleet.policy.stored else {
        let text = "the policy has no [stored] section, so nothing says what would be enough";
        return (Verdict::Inconclusive, vec![Reason::new(ReasonCode::NoTermsInPolicy, text)]);
    };
    let refuted = refutations(fleet, terms);
    if !refuted.is_empty() {
        return (Verdict::Refuted, few(refuted, SHOWN_MAX, "hosts"));
    }
    let mut short = Vec::new();
    let hosts: Vec<&Host> = required(fleet, terms).filter(|h| !h.retired).collect();
    let named = terms.hosts.as_ref().map_or(0, std::collections::BTreeSet::len);
    if hosts.is_empty() || hosts.len() < named {
        let text =
            format!("{} of the hosts that must hold are in the evidence or known to the reader", hosts.len());
        short.push(Reason::new(ReasonCode::HostNotShown, text));
    }
    for host in &hosts {
        short.extend(shortfall(fleet, terms, host));
    }
    let mut short = few(short, SHOWN_MAX, "hosts");
    short.extend(unsampled(fleet, terms));
    if !short.is_empty() {
        return (Verdict::Inconclusive, short);
    }
    let rules = fleet.policy.objects.iter().filter(|r| r.claims.contains(&Claim::Stored));
    let named = match terms.owners.is_some() || rules.count() > 0 {
        true => format!(
            "; the owners and objects named were sampled within {MONTH_DAYS} days, not all of them so lately"
        ),
        false => String::new(),
    };
    let text = format!(
        "all {} hosts answered: {} zero-knowledge proofs verify for questions that rest on what was fixed before them, the newest of each host at most {} ago{named}",
        hosts.len(),
        tally(fleet).held,
        duration(u64::from(terms.max_age_hours) * 3_600_000)
    );
    (Verdict::Supported, vec![Reason::new(ReasonCode::ProofVerifies, text)])
}

fn refutations(fleet: &Fleet<'_>, terms: &StoredTerms) -> Vec<Reason> {
    let counts = |key| terms.hosts.as_ref().is_none_or(|set| set.contains(key));
    let two = fleet.plans.equivocations().filter(|(host, _)| counts(*host)).map(|(host, epoch)| {
        let text = format!(
            "host {} signed two different inventories for epoch {epoch}: a question about one says nothing of the other",
            name(fleet, host)
        );
        Reason::new(ReasonCode::TwoInventories, text)
    });
    let failed = required(fleet, terms).filter_map(|h| {
        let (epoch, why) = h.failures.first()?;
        let text = format!(
            "host {} failed {} of {} audits; the last of them, epoch {epoch}: {}",
            name(fleet, &h.key),
            h.tally.failed,
            h.tally.total,
            why.text
        );
        Some(Reason::new(why.code, text))
    });
    two.chain(failed).collect()
}

/// What one host lacks.
fn shortfall(fleet: &Fleet<'_>, terms: &StoredTerms, host: &Host) -> Option<Reason> {
    let who = name(fleet, &host.key);
    let max_age_ms = u64::from(terms.max_age_hours) * 3_600_000;
    let Some(last) = host.last_held_ms else {
        let why = host
            .undecided
            .first()
            .map_or_else(String::new, |(epoch, r)| format!("; epoch {epoch}: {}", r.text));
        let text = format!("host {who}: none of {} audits holds{why}", host.tally.total);
        return Some(Reason::new(ReasonCode::HostNotShown, text));
    };
    let age = fleet.now_unix_ms.saturating_sub(last);
    if age > max_age_ms {
        let text = format!(
            "host {who}: the last audit that holds is {} old, the policy allows {}",
            duration(age),
            duration(max_age_ms)
        );
        return Some(Reason::new(ReasonCode::Stale, text));
    }
    let slow = |p: &&super::schedule::Plan| {
        p.schedule.host(&host.key).is_some() && p.schedule.answer_ms > max_age_ms
    };
    if let Some(plan) = fleet.plans.counted().map(|(_, p)| p).find(slow) {
        let text = format!(
            "host {who}: a schedule gives {} for an outcome, the policy lets evidence be {} old: audits left out of that time would not be seen",
            duration(plan.schedule.answer_ms),
            duration(max_age_ms)
        );
        return Some(Reason::new(ReasonCode::DeadlineTooLong, text));
    }
    if let Some((epoch, standing, why)) = host.open.first() {
        let text = format!(
            "host {who}: {} scheduled audits of the last {MONTH_DAYS} days neither held nor failed; the last of them, epoch {epoch}, is {}: {}",
            host.open.len(),
            standing.word(),
            why.text
        );
        return Some(Reason::new(ReasonCode::AuditsLeftOpen, text));
    }
    if let Some(epochs) = terms.epochs.filter(|n| host.month_audits < u64::from(*n)) {
        let text = format!(
            "host {who}: {} audits held within the month, the policy asks for {epochs}",
            host.month_audits
        );
        return Some(Reason::new(ReasonCode::TooFewAudits, text));
    }
    let thin = |chances: &[ScopeDetection], asked: f64, over: &str| {
        let worst = worst(chances, terms);
        (worst < asked).then(|| {
            let whose = match terms.scope {
                Scope::All => "what counts there",
                Scope::Owner => "the objects of one owner there",
                Scope::Object => "one object there",
            };
            let text = format!(
                "host {who}: a loss of {} of {whose} would be noticed with {} by {over}, the policy asks for {}",
                terms.loss(),
                percent(worst),
                percent(asked)
            );
            Reason::new(ReasonCode::DetectionBelowPolicy, text)
        })
    };
    thin(&host.audit, terms.min_detection, "one audit")
        .or_else(|| {
            terms
                .min_detection_month
                .and_then(|asked| thin(&host.month, asked, "the month\u{2019}s audits together"))
        })
        .or_else(|| smaller_ones(fleet, terms, host, &who))
}

/// Of objects that were never sampled nobody knows how small they are, and the smallest is noticed least: a policy about any single
/// object is met by those it names, or by a host of which all were sampled.
fn smaller_ones(fleet: &Fleet<'_>, terms: &StoredTerms, host: &Host, who: &str) -> Option<Reason> {
    let mut rules = fleet.policy.objects.iter().filter(|r| r.claims.contains(&Claim::Stored)).peekable();
    let named = rules.peek().is_some() && rules.all(|r| !r.objects.is_empty() && r.owners.is_empty());
    let sampled = host.sampled_listed;
    (terms.scope == Scope::Object && !named && sampled < host.leaves).then(|| {
        let text = format!(
            "host {who}: its newest inventory lists {} objects, and audits that held over that very list have sampled {sampled} that count: how small the others are nobody knows; name objects in [[objects]], or judge by owner",
            host.leaves
        );
        Reason::new(ReasonCode::ObjectNotSampled, text)
    })
}

/// The least likely detection of the policy's loss in its scope; 0 when nothing counts.
fn worst(chances: &[ScopeDetection], terms: &StoredTerms) -> f64 {
    let of = chances.iter().filter(|s| s.scope == terms.scope);
    let p = of.filter_map(|s| s.losses.iter().find(|d| d.lost_fraction == terms.lost_fraction));
    p.map(|d| d.probability).min_by(f64::total_cmp).unwrap_or(0.0)
}

/// Owners and objects that the policy names and no audit of the month that holds has sampled. What a host had that is none any more
/// says nothing of where it is now.
fn unsampled(fleet: &Fleet<'_>, terms: &StoredTerms) -> Vec<Reason> {
    let sampled = || fleet.hosts.iter().filter(|h| !h.retired).flat_map(|h| &h.sampled);
    let rules = fleet.policy.objects.iter().filter(|r| r.claims.contains(&Claim::Stored));
    let rules: Vec<_> = rules.collect();
    let owners = terms.owners.iter().flatten().chain(rules.iter().flat_map(|r| &r.owners));
    let lost_owners = owners.filter(|o| !sampled().any(|n| n.owner == **o)).map(|o| {
        Reason::new(
            ReasonCode::OwnerMissing,
            format!("no audit of the last {MONTH_DAYS} days that holds has sampled an object of owner {o}"),
        )
    });
    let objects = rules.iter().flat_map(|r| &r.objects);
    let lost =
        objects.filter(|(o, id)| !sampled().any(|n| n.owner == *o && n.object == *id)).map(|(o, id)| {
            Reason::new(
                ReasonCode::ObjectNotSampled,
                format!("no audit of the last {MONTH_DAYS} days that holds has sampled object {o}/{id}"),
            )
        });
    few(lost_owners.chain(lost).collect(), SHOWN_MAX, "objects or owners")
}

/// Of all hosts, the chances of the one where the policy's loss is noticed least in its scope.
fn weakest(fleet: &Fleet<'_>, of: fn(&Host) -> &Vec<ScopeDetection>) -> Vec<ScopeDetection> {
    let chance = |h: &&Host| fleet.policy.stored.as_ref().map_or(1.0, |terms| worst(of(h), terms));
    let some = fleet.hosts.iter().filter(|h| !of(h).is_empty());
    some.min_by(|a, b| chance(a).total_cmp(&chance(b))).map_or_else(Vec::new, |h| of(h).clone())
}

pub(super) fn name(fleet: &Fleet<'_>, host: &bailiwick_protocol::ids::HostKey) -> String {
    let key = host.to_string();
    match fleet.anchors.host(host) {
        Some(p) => crate::render::named(&p.name, &key),
        None => key,
    }
}

fn assumptions(fleet: &Fleet<'_>) -> Vec<Assumption> {
    use AssumptionCode as A;
    let alone = fleet.audits.iter().any(|a| a.link.schedule.is_none());
    let scheduled = fleet.audits.iter().any(|a| a.link.schedule.is_some());
    let named = fleet.plans.are_named();
    let key = |wanted: fn(&Provenance) -> bool| {
        let keys = fleet.audits.iter().filter_map(|a| fleet.anchors.verifying_key(&a.core.vk?));
        keys.into_iter().any(|k| wanted(&k.provenance))
    };
    let inventories = fleet.hosts.iter().any(|h| h.by_inventory);
    let codes = [
        (alone, A::AuditorDoesNotCollude),
        (alone, A::AuditorsClock),
        (scheduled, A::BeaconUnpredictable),
        (scheduled, A::WitnessesClocks),
        (scheduled, A::WitnessesHonest),
        (scheduled && !named, A::AllSchedulesShown),
        (scheduled && named, A::SchedulesNamedBefore),
        (key(|p| matches!(p, Provenance::Auditor { .. })), A::AuditorLeakedNoTrapdoor),
        (key(|p| matches!(p, Provenance::Ceremony { .. })), A::OneHonestContributor),
        (fleet.hosts.iter().any(|h| h.tally.failed > 0), A::AuditorAskedAgain),
        (inventories, A::OwnersCheckInventory),
        (inventories, A::ScopeEstimated),
    ];
    let stated = codes.into_iter().filter(|(applies, _)| *applies).map(|(_, code)| code.stated());
    let nothing_known = fleet.schemes.is_empty() && !fleet.audits.is_empty();
    let unknown = (fleet.unknown_scheme || nothing_known).then(|| A::of_scheme(None));
    stated.chain(fleet.schemes.iter().map(|s| A::of_scheme(Some(s)))).chain(unknown).collect()
}

/// Of the schemes whose answers are judged, the strength of the weakest.
fn weakest_scheme(fleet: &Fleet<'_>) -> Option<Soundness> {
    fleet.schemes.iter().min_by_key(|s| s.bits).copied().map(Soundness::from)
}
