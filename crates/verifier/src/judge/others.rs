//! Claims that a bundle of this version cannot support: what there is, and what is missing (spec verdict, clauses V17-V19).

use bailiwick_protocol::bundle::ProbeOutcome;

use super::Case;
use super::evidence::Evidence;
use super::facts::recipient_count;
use crate::claims::{Claim, Verdict};
use crate::reasons::{Assumption, AssumptionCode, Reason, ReasonCode};
use crate::report::{ClaimReport, Numbers, ProbeCount, RecipientCount};

fn inconclusive(
    case: &Case<'_>,
    claim: Claim,
    headline: &str,
    reasons: Vec<Reason>,
    numbers: Numbers,
    assumptions: Vec<Assumption>,
) -> ClaimReport {
    ClaimReport {
        claim,
        required: case.policy.require.contains(&claim),
        verdict: Verdict::Inconclusive,
        headline: headline.to_owned(),
        reasons,
        assumptions,
        numbers,
        not_shown: claim.not_shown().to_vec(),
    }
}

/// *Opaque*: owners' signatures say what was sealed and for how many; nobody opened it for the reader.
pub(super) fn opaque(case: &Case<'_>, evidence: &Evidence) -> ClaimReport {
    let checked: Vec<RecipientCount> = evidence.envelopes.iter().flatten().map(recipient_count).collect();
    let sum = checked.iter().fold(RecipientCount { total: 0, anonymous: 0 }, |a, b| RecipientCount {
        total: a.total + b.total,
        anonymous: a.anonymous + b.anonymous,
    });
    let mut reasons = vec![Reason::new(
        ReasonCode::NotOpened,
        "the bundle holds the owner\u{2019}s signed envelope, and no evidence that a named recipient or auditor opened the object; an owner could have sealed badly",
    )];
    if sum.anonymous > 0 {
        reasons.push(Reason::new(
            ReasonCode::AnonymousRecipients,
            format!("{} recipient entries name no key: nobody can tell who they are", sum.anonymous),
        ));
    }
    let envelopes = || evidence.envelopes.iter().flatten();
    let passphrases = envelopes().filter(|e| e.passphrase.is_some()).count();
    if passphrases > 0 {
        let text = format!("{passphrases} objects open with a passphrase: nobody can tell who knows it");
        reasons.push(Reason::new(ReasonCode::PassphraseHolders, text));
    }
    let shared = envelopes().filter(|e| e.custody.is_some()).count();
    if shared > 0 {
        let text = format!(
            "the keys of {shared} objects are dealt to custodians, who can open them together; a dossier with a roster says who they are"
        );
        reasons.push(Reason::new(ReasonCode::CustodianUnknown, text));
    }
    let numbers = Numbers { recipients: (!checked.is_empty()).then_some(sum), ..Numbers::default() };
    let headline = "Not shown: nobody independent opened the object for this audit.";
    inconclusive(case, Claim::Opaque, headline, reasons, numbers, Vec::new())
}

/// *Served*: what the auditor's own probes saw; only signed receipts could support it.
pub(super) fn served(case: &Case<'_>, evidence: &Evidence) -> ClaimReport {
    if case.bundle.ranges.is_empty() {
        let reason =
            Reason::new(ReasonCode::NoEvidence, "the bundle holds no range probes and no signed receipts");
        let headline = "Not shown: nobody fetched anything in this audit.";
        return inconclusive(case, Claim::Served, headline, vec![reason], Numbers::default(), Vec::new());
    }
    let count = count_probes(case, evidence);
    let mut reasons = Vec::new();
    if count.bad_bytes > 0 {
        reasons.push(Reason::new(
            ReasonCode::BadBytes,
            format!(
                "on this auditor\u{2019}s word, {} of its probes returned bytes that do not match what the owner signed: the host delivered damaged or altered data",
                count.bad_bytes
            ),
        ));
    }
    let unanswered = count.refused + count.timed_out + count.unreachable;
    if unanswered > 0 {
        reasons.push(Reason::new(
            ReasonCode::ProbesUnanswered,
            format!(
                "{unanswered} probes returned nothing: {} refused, {} timed out, {} unreachable",
                count.refused, count.timed_out, count.unreachable
            ),
        ));
    }
    if count.outside > 0 {
        reasons.push(Reason::new(
            ReasonCode::ProbeOutsideObject,
            format!(
                "{} probe records name a range no audited object has; they are not counted",
                count.outside
            ),
        ));
    }
    reasons.push(Reason::new(
        ReasonCode::ProbesOnAuditorsWord,
        "the outcomes are signed by this auditor alone; receipts signed by host and prober do not exist in this version",
    ));
    let headline = if count.bad_bytes > 0 {
        "Not shown, and a warning: the auditor says that it was sent wrong bytes."
    } else if unanswered > 0 {
        "Not shown: the auditor fetched random pieces and some did not come; only it vouches for that."
    } else {
        "Not shown: the auditor fetched random pieces and all came back right, but only it vouches for that."
    };
    let assumptions = [AssumptionCode::AuditorDoesNotCollude, AssumptionCode::AuditorsClock]
        .into_iter()
        .map(AssumptionCode::stated)
        .collect();
    let numbers = Numbers { probes: Some(count), ..Numbers::default() };
    inconclusive(case, Claim::Served, headline, reasons, numbers, assumptions)
}

pub(super) fn count_probes(case: &Case<'_>, evidence: &Evidence) -> ProbeCount {
    let targets = evidence.targets();
    let mut count = ProbeCount::default();
    for r in &case.bundle.ranges {
        let size = usize::try_from(r.target).ok().and_then(|i| targets.get(i)).map(|t| t.size);
        let end = r.offset.checked_add(r.length);
        let inside = r.length > 0 && size.zip(end).is_some_and(|(size, end)| end <= size);
        let slot = match r.outcome {
            _ if !inside => &mut count.outside,
            ProbeOutcome::Good => &mut count.good,
            ProbeOutcome::BadBytes => &mut count.bad_bytes,
            ProbeOutcome::Refused => &mut count.refused,
            ProbeOutcome::TimedOut => &mut count.timed_out,
            ProbeOutcome::Unreachable => &mut count.unreachable,
            _ => &mut count.outside,
        };
        *slot += 1;
    }
    count
}

/// Claims of which a bundle of this version holds nothing.
pub(super) fn without_evidence(case: &Case<'_>, claim: Claim) -> ClaimReport {
    let (headline, missing) = match claim {
        Claim::Resident => (
            "Not shown: nobody measured where the host is.",
            "the bundle holds no timed rounds from landmarks; an address in a contract or a registry is not evidence",
        ),
        Claim::Custody => (
            "Not shown: nothing says who holds the key.",
            "the bundle holds no verifiable sharing of the key among custodians, and no count of other ways to it",
        ),
        Claim::Survivable => (
            "Not shown: nothing says what would be left after a cut-off.",
            "the bundle holds no placement of shards and no drill",
        ),
        Claim::Logged => (
            "Not shown: this audit is in no public log.",
            "the bundle holds no log checkpoint, inclusion proof or witness signature, so audits that failed may have been left out",
        ),
        Claim::Opaque | Claim::Stored | Claim::Served => {
            ("Not shown: no evidence.", "the bundle holds nothing about this claim")
        }
    };
    let reason = Reason::new(ReasonCode::NoEvidence, missing);
    inconclusive(case, claim, headline, vec![reason], Numbers::default(), Vec::new())
}
