//! A policy in plain words.

use std::collections::BTreeSet;

use crate::claims::Claim;
use crate::detection::percent;
use crate::policy::{
    AcceptedProvenance, LoggedTerms, MONTH_DAYS, ObjectRule, OpaqueTerms, OpenedBy, PlaceTerms, Policy,
    Power, Scope, StoredTerms,
};
use crate::time::duration;

/// What `policy` asks for, a sentence each, for someone who never read the file.
#[must_use]
pub fn explain(policy: &Policy) -> Vec<String> {
    let names: Vec<&str> = policy.require.iter().map(|c| c.name()).collect();
    let mut out = vec![format!(
        "The result is decided by {}: {}. The other claims are shown and do not count.",
        if names.len() == 1 { "one claim" } else { "these claims" },
        names.join(", ")
    )];
    if let Some(terms) = &policy.stored {
        out.extend(explain_stored(terms));
    }
    out.extend(policy.logged.iter().flat_map(logged));
    out.extend(policy.opaque.iter().flat_map(opaque));
    out.extend(
        policy
            .data
            .iter()
            .flat_map(|p| place("data", "every host that holds data", "any host that holds data", p)),
    );
    out.extend(
        policy
            .keys
            .iter()
            .flat_map(|p| place("keys", "everyone who holds a key", "anyone who holds a key", p)),
    );
    out.extend(policy.custody.iter().map(|t| {
        format!(
            "custody: no {} may reach a key by any path; every owner and every named recipient counts as a path.",
            powers(&t.no_single)
        )
    }));
    out.extend(policy.survivable.iter().map(|t| {
        format!(
            "survivable: after the loss of any one {}, data and keys must still be recoverable.",
            powers(&t.lose)
        )
    }));
    out.extend(policy.served.iter().map(|t| {
        format!(
            "served: at least {} fetches with a receipt signed by both sides, {} of them whole and right.",
            t.min_receipts,
            percent(t.min_good)
        )
    }));
    out.extend(policy.resident.iter().map(|t| {
        format!(
            "resident: at least {} independent landmarks, each of whose whole disks lies inside the allowed countries.",
            t.min_landmarks
        )
    }));
    out.extend(policy.objects.iter().map(rule));
    for claim in policy.require.iter().filter(|c| matches!(c, Claim::Served | Claim::Resident)) {
        out.push(format!(
            "No evidence for \u{201c}{}\u{201d} can be collected by this version, so requiring it makes the result inconclusive at best.",
            claim.name()
        ));
    }
    if policy.require.contains(&Claim::Custody) || policy.require.contains(&Claim::Survivable) {
        out.push(
            "Sharing of keys among custodians does not exist in this version: \u{201c}custody\u{201d} and \u{201c}survivable\u{201d} can be refuted and cannot be supported."
                .to_owned(),
        );
    }
    if policy.require.iter().any(|c| *c != Claim::Stored) {
        out.push(
            "The evidence bundle of a single audit can support \u{201c}stored\u{201d} only, so requiring more makes the result inconclusive for one; the other claims need a dossier: many audits with log, roster and schedule."
                .to_owned(),
        );
    }
    out
}

fn list<T: core::fmt::Display>(items: impl IntoIterator<Item = T>) -> String {
    items.into_iter().map(|i| i.to_string()).collect::<Vec<_>>().join(", ")
}

fn powers(kinds: &BTreeSet<Power>) -> String {
    let words = kinds.iter().map(|k| match k {
        Power::Provider => "provider",
        Power::Country => "country",
        Power::Law => "controlling law",
        Power::Bloc => "bloc of laws",
    });
    words.collect::<Vec<_>>().join(", ")
}

fn logged(t: &LoggedTerms) -> Vec<String> {
    let mut out = vec![
        format!(
            "logged: every scheduled audit, failed ones too, must be in a log whose checkpoints at least {} of the witnesses you trust have cosigned; a missing one refutes.",
            t.quorum
        ),
        format!(
            "logged: the newest such checkpoint may be at most {} old.",
            hours(t.max_checkpoint_age_hours)
        ),
    ];
    if let Some(schedules) = &t.schedules {
        out.push(format!(
            "logged: only {} named schedule(s) count, and each must be there.",
            schedules.len()
        ));
    }
    out
}

fn opaque(t: &OpaqueTerms) -> Vec<String> {
    let who = t.opened_by.iter().map(|o| match o {
        OpenedBy::Recipient => "a named recipient",
        OpenedBy::Auditor => "an auditor",
    });
    let who = who.collect::<Vec<_>>().join(" or ");
    let mut out = vec![format!(
        "opaque: {who} must have opened each object and found it to be what its envelope says; a recipient who is a host, gateway or vendor refutes, an anonymous one makes it inconclusive."
    )];
    if !t.forbidden_laws.is_empty() {
        out.push(format!(
            "opaque: no recipient may be within reach of one of these laws together with a host, gateway or vendor: {}.",
            list(&t.forbidden_laws)
        ));
    }
    out
}

fn place(section: &str, who: &str, any: &str, t: &PlaceTerms) -> Vec<String> {
    let mut out = Vec::new();
    if let Some(countries) = &t.allowed_countries {
        out.push(format!("{section}: {who} must be in one of these countries: {}.", list(countries)));
    }
    if !t.forbidden_countries.is_empty() {
        out.push(format!(
            "{section}: {who} must be outside these countries: {}.",
            list(&t.forbidden_countries)
        ));
    }
    if let Some(laws) = &t.allowed_laws {
        out.push(format!(
            "{section}: only these laws may control {any}, its parent firm, or anyone who can push code to it: {}.",
            list(laws)
        ));
    }
    if !t.forbidden_laws.is_empty() {
        out.push(format!(
            "{section}: none of these laws may reach {any}, by soil, operator, parent or pushed code: {}.",
            list(&t.forbidden_laws)
        ));
    }
    if !t.forbidden_blocs.is_empty() {
        let blocs = list(&t.forbidden_blocs);
        out.push(format!("{section}: no law of these blocs may reach {any}: {blocs}."));
    }
    out
}

fn rule(r: &ObjectRule) -> String {
    let claims = list(&r.claims);
    match (r.owners.len(), r.objects.len()) {
        (0, n) => format!("{claims}: must hold for each of {n} named object(s); others do not count."),
        (n, 0) => format!("{claims}: must hold for all objects of {n} named owner(s); others do not count."),
        (o, n) => format!(
            "{claims}: must hold for all objects of {o} named owner(s) and each of {n} named object(s); others do not count."
        ),
    }
}

fn explain_stored(t: &StoredTerms) -> Vec<String> {
    let whose = match t.scope {
        Scope::All => "all the objects that count, taken together",
        Scope::Owner => "any one owner's objects",
        Scope::Object => "any single object",
    };
    let mut out = vec![
        format!(
            "stored: if a host had lost {} of {whose}, one audit must notice with a probability of at least {}.",
            t.loss(),
            percent(t.min_detection)
        ),
        format!(
            "stored: the newest audit of a host that held may be at most {} old; of an owner or object that is named, the newest sample that held at most {MONTH_DAYS} days, or in a host\u{2019}s newest audit.",
            hours(t.max_age_hours)
        ),
    ];
    if t.scope == Scope::Object {
        out.push("stored: unless objects are named, audits must have sampled every object of a host\u{2019}s newest inventory while that was the list; a named object within 30 days.".to_owned());
    }
    if let Some(month) = t.min_detection_month {
        out.push(format!(
            "stored: all audits of {MONTH_DAYS} days together must notice it with at least {}.",
            percent(month)
        ));
    }
    if let Some(epochs) = t.epochs {
        out.push(format!(
            "stored: at least {epochs} audits of each host must have held within {MONTH_DAYS} days."
        ));
    }
    if let Some(seconds) = t.max_answer_seconds {
        let most = duration(u64::from(seconds) * 1000);
        out.push(format!(
            "stored: the proof must have come within {most}, by the auditor\u{2019}s clock; of a scheduled audit by the clocks of the log\u{2019}s witnesses, with a minute more to enter its outcome."
        ));
    }
    if let Some(hosts) = &t.hosts {
        out.push(format!("stored: only evidence from {} named host(s) counts.", hosts.len()));
    }
    if let Some(owners) = &t.owners {
        out.push(format!(
            "stored: the audit must include objects of each of {} named owner(s); cells of other owners do not count.",
            owners.len()
        ));
    }
    let accepts = |p| t.provenance.contains(&p);
    out.push(
        match (accepts(AcceptedProvenance::Auditor), accepts(AcceptedProvenance::Ceremony)) {
            (true, true) => {
                "stored: proofs count under a key the auditor set up alone, or one from a ceremony."
            }
            (true, false) => "stored: proofs count only under a key the auditor of the bundle set up.",
            _ => "stored: proofs count only under a key from a ceremony of several contributors.",
        }
        .to_owned(),
    );
    out.push("stored: proofs under a development key never count, whatever a policy says.".to_owned());
    out
}

fn hours(h: u32) -> String {
    match h {
        1 => "1 hour".to_owned(),
        h if h % 24 == 0 && h > 24 => format!("{} days", h / 24),
        h => format!("{h} hours"),
    }
}
