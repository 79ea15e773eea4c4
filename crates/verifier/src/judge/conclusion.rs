//! What every report says first, whatever was judged: by whom, under which policy, when, and what came out.

use crate::anchors::Provenance;
use crate::claims::{Verdict, exit_code};
use crate::policy::{Policy, explain};
use crate::report::{ClaimReport, Label, PolicyFacts};
use crate::time::Moment;

/// The beginning of a report.
pub(super) struct Conclusion {
    pub(super) software: String,
    pub(super) judged_at: Moment,
    pub(super) policy: PolicyFacts,
    pub(super) outcome: Verdict,
    pub(super) exit_code: u8,
}

impl Conclusion {
    /// Over the claims that the policy requires.
    pub(super) fn of(claims: &[ClaimReport], policy: &Policy, now_unix_ms: u64) -> Self {
        let exit_code = exit_code(claims.iter().filter(|c| c.required).map(|c| c.verdict));
        Self {
            software: concat!("bailiwick-verifier ", env!("CARGO_PKG_VERSION")).to_owned(),
            judged_at: Moment::new(now_unix_ms),
            policy: PolicyFacts {
                name: policy.name.clone(),
                require: policy.require.iter().copied().collect(),
                explained: explain(policy),
            },
            outcome: match exit_code {
                0 => Verdict::Supported,
                1 => Verdict::Refuted,
                _ => Verdict::Inconclusive,
            },
            exit_code,
        }
    }
}

/// Warnings, each once, by where the verifying keys of the evidence come from.
pub(super) fn labels<'p>(keys: impl Iterator<Item = &'p Provenance> + Clone) -> Vec<Label> {
    let mut out = vec![Label::Unaudited];
    if keys.clone().any(|p| matches!(p, Provenance::Development)) {
        out.push(Label::DevelopmentKey);
    }
    if keys.clone().any(|p| matches!(p, Provenance::Auditor { .. })) {
        out.push(Label::SinglePartyKey);
    }
    out
}
