//! *Served* of a fleet: the auditors' own probes are counted; receipts do not exist in this version (spec verdict, clause V44).

use super::Fleet;
use crate::claims::{Claim, Verdict};
use crate::reasons::{AssumptionCode, Reason, ReasonCode};
use crate::report::{ClaimReport, Numbers, ProbeCount};

pub(super) fn judge(fleet: &Fleet<'_>) -> ClaimReport {
    let sum = fleet.audits.iter().map(|a| a.core.probes).fold(ProbeCount::default(), |a, b| ProbeCount {
        good: a.good + b.good,
        bad_bytes: a.bad_bytes + b.bad_bytes,
        refused: a.refused + b.refused,
        timed_out: a.timed_out + b.timed_out,
        unreachable: a.unreachable + b.unreachable,
        outside: a.outside + b.outside,
    });
    let probed = sum != ProbeCount::default();
    let mut reasons = Vec::new();
    if sum.bad_bytes > 0 {
        let text = format!(
            "on the auditors\u{2019} word, {} probes returned bytes that do not match what the owner signed",
            sum.bad_bytes
        );
        reasons.push(Reason::new(ReasonCode::BadBytes, text));
    }
    let unanswered = sum.refused + sum.timed_out + sum.unreachable;
    if unanswered > 0 {
        reasons
            .push(Reason::new(ReasonCode::ProbesUnanswered, format!("{unanswered} probes returned nothing")));
    }
    reasons.push(if probed {
        Reason::new(
            ReasonCode::ProbesOnAuditorsWord,
            "the outcomes are signed by auditors alone; receipts signed by host and prober do not exist in this version",
        )
    } else {
        Reason::new(ReasonCode::NoEvidence, "the dossier holds no range probes and no signed receipts")
    });
    let headline = if sum.bad_bytes > 0 {
        "Not shown, and a warning: auditors say that they were sent wrong bytes."
    } else if probed {
        "Not shown: auditors fetched random pieces, and only they vouch for what came."
    } else {
        "Not shown: nobody fetched anything."
    };
    let assumptions = [AssumptionCode::AuditorDoesNotCollude, AssumptionCode::AuditorsClock];
    ClaimReport {
        claim: Claim::Served,
        required: fleet.policy.require.contains(&Claim::Served),
        verdict: Verdict::Inconclusive,
        headline: headline.to_owned(),
        reasons,
        assumptions: assumptions.into_iter().filter(|_| probed).map(AssumptionCode::stated).collect(),
        numbers: Numbers { probes: probed.then_some(sum), ..Numbers::default() },
        not_shown: Claim::Served.not_shown().to_vec(),
    }
}
