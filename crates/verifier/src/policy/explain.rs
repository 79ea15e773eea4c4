//! A policy in plain words.

use crate::claims::Claim;
use crate::detection::percent;
use crate::policy::{AcceptedProvenance, Policy, Scope, StoredTerms};
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
    for claim in policy.require.iter().filter(|c| **c != Claim::Stored) {
        out.push(format!(
            "No evidence for \u{201c}{}\u{201d} can be in a bundle of this version, so requiring it makes the result inconclusive.",
            claim.name()
        ));
    }
    out
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
        format!("stored: the evidence may be at most {} old.", hours(t.max_age_hours)),
    ];
    if let Some(seconds) = t.max_answer_seconds {
        let most = duration(u64::from(seconds) * 1000);
        out.push(format!("stored: the proof must have come within {most}, by the auditor\u{2019}s clock."));
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
