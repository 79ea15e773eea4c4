//! *Stored* (spec verdict, clauses V9-V16).

use bailiwick_protocol::bundle::NoAnswer;
use bailiwick_protocol::challenge::{CannotProve, Challenge};

use super::Case;
use super::answer::Answered;
use super::evidence::Evidence;
use super::scopes;
use crate::anchors::Provenance;
use crate::claims::{Claim, Verdict};
use crate::detection::{chance_of_missing, percent};
use crate::policy::{Scope, StoredTerms};
use crate::reasons::{Assumption, AssumptionCode, Reason, ReasonCode};
use crate::report::{ClaimReport, Numbers, ScopeDetection, Soundness};
use crate::time::duration;

/// How far ahead of the moment judged at an auditor's clock may be, milliseconds: two machines without a common
/// clock may differ by this much, and it never makes evidence younger than zero.
const CLOCK_SKEW_MS: u64 = 5 * 60 * 1000;

pub(super) fn judge(case: &Case<'_>, evidence: &Evidence, answer: &Answered) -> ClaimReport {
    let detection = scopes::detection(case, evidence);
    let (verdict, reasons) = decide(case, evidence, answer, &detection);
    let headline = headline(verdict, &reasons);
    let about_proof =
        matches!(answer, Answered::Valid | Answered::Invalid | Answered::Unjudged(_) | Answered::Unopened);
    let soundness = evidence.challenge.as_ref().and_then(|c| case.keys.soundness(c.vk));
    ClaimReport {
        claim: Claim::Stored,
        required: case.policy.require.contains(&Claim::Stored),
        verdict,
        headline,
        reasons,
        assumptions: assumptions(case, evidence, answer, soundness.as_ref()),
        numbers: Numbers {
            soundness: soundness.filter(|_| about_proof).map(Soundness::from),
            samples: evidence.challenge.as_ref().map(|c| c.class.samples),
            age_ms: evidence.challenge.as_ref().map(|_| case.age_ms()),
            detection,
            ..Numbers::default()
        },
        not_shown: Claim::Stored.not_shown().to_vec(),
    }
}

/// The order matters: evidence that is not about this reader's hosts and owners neither supports nor refutes; a
/// refutation does not age and needs no sampling; only support has terms to meet.
pub(super) fn decide(
    case: &Case<'_>,
    evidence: &Evidence,
    answer: &Answered,
    detection: &[ScopeDetection],
) -> (Verdict, Vec<Reason>) {
    let inconclusive = |reasons| (Verdict::Inconclusive, reasons);
    let mut reasons = evidence.obstacles.clone();
    if !matches!(answer, Answered::CannotProve(_)) {
        reasons.extend(evidence.leaf_obstacles.iter().cloned());
    }
    if let Answered::Unrelated(r) = answer {
        reasons.push(r.clone());
    }
    let Some(terms) = &case.policy.stored else {
        reasons.push(Reason::new(
            ReasonCode::NoTermsInPolicy,
            "the policy has no [stored] section, so nothing says what would be enough",
        ));
        return inconclusive(reasons);
    };
    if !reasons.is_empty() {
        reasons.extend(evidence.key_obstacles.iter().cloned());
        return inconclusive(reasons);
    }
    if case.bundle.answered_unix_ms > case.now_unix_ms.saturating_add(CLOCK_SKEW_MS) {
        return inconclusive(vec![Reason::new(
            ReasonCode::FromTheFuture,
            "the evidence is dated after the moment it is judged at",
        )]);
    }
    match answer {
        Answered::CannotProve(why) => cannot_prove(*why, evidence.inventory.is_some()),
        Answered::Unjudged(reason) | Answered::NoAnswerToUnjudged(_, reason) => {
            reasons.push(reason.clone());
            reasons.extend(evidence.key_obstacles.iter().cloned());
            inconclusive(reasons)
        }
        // A key this reader did not anchor for this class may belong to any circuit, and whoever chose it may be the
        // only one who has it: failing under it, or staying silent, says nothing.
        Answered::Invalid | Answered::NoAnswer(_) | Answered::Unopened
            if evidence.key_obstacles.iter().any(|r| says_nothing(r.code)) =>
        {
            inconclusive(evidence.key_obstacles.clone())
        }
        Answered::NoAnswer(why) => (Verdict::Refuted, vec![no_answer(*why, may_not_fit(evidence))]),
        Answered::Unopened => (
            Verdict::Refuted,
            vec![Reason::new(
                ReasonCode::LeavesWithheld,
                "on this auditor\u{2019}s word, after asking again: the host signed a proof about its inventory and did not give what it rests on, the sampled leaves with their owners\u{2019} envelopes; an answer withheld in part is a failed answer",
            )],
        ),
        Answered::Invalid => (
            Verdict::Refuted,
            vec![Reason::new(
                ReasonCode::ProofDoesNotVerify,
                "the host signed a proof for this challenge, and the proof does not verify",
            )],
        ),
        Answered::Valid => supported_if_terms_hold(case, evidence, terms, detection),
        Answered::Unrelated(_) | Answered::Nothing => inconclusive(reasons),
    }
}

const fn says_nothing(code: ReasonCode) -> bool {
    matches!(
        code,
        ReasonCode::KeyNotAnchored | ReasonCode::KeyOfAnotherClass | ReasonCode::KeyOfAnotherAuditor
    )
}

fn supported_if_terms_hold(
    case: &Case<'_>,
    evidence: &Evidence,
    terms: &StoredTerms,
    detection: &[ScopeDetection],
) -> (Verdict, Vec<Reason>) {
    let mut short = evidence.key_obstacles.clone();
    let max_age_ms = u64::from(terms.max_age_hours) * 3_600_000;
    if case.alone && case.age_ms() > max_age_ms {
        short.push(Reason::new(
            ReasonCode::Stale,
            format!(
                "the evidence is {} old, the policy allows {}",
                duration(case.age_ms()),
                duration(max_age_ms)
            ),
        ));
    }
    short.extend(too_late(case, terms));
    if case.alone {
        short.extend(too_thin(terms, detection));
    }
    if !short.is_empty() {
        return (Verdict::Inconclusive, short);
    }
    let proof = Reason::new(
        ReasonCode::ProofVerifies,
        "the host\u{2019}s zero-knowledge proof verifies for this challenge, these objects and this host",
    );
    (Verdict::Supported, vec![proof])
}

/// Late is no answer in time; but only the auditor's clock says how late, so this never refutes.
fn too_late(case: &Case<'_>, terms: &StoredTerms) -> Option<Reason> {
    let allowed_ms = u64::from(terms.max_answer_seconds?) * 1000;
    let took_ms = case.bundle.answered_unix_ms.saturating_sub(case.bundle.asked_unix_ms);
    (took_ms > allowed_ms).then(|| {
        Reason::new(
            ReasonCode::AnswerLate,
            format!(
                "the answer took {}, the policy allows {}: late is not an answer in time",
                duration(took_ms),
                duration(allowed_ms)
            ),
        )
    })
}

/// The least likely detection of the policy's scope, if it is below what the policy asks.
fn too_thin(terms: &StoredTerms, detection: &[ScopeDetection]) -> Option<Reason> {
    let worst = detection
        .iter()
        .filter(|s| s.scope == terms.scope)
        .filter_map(|s| s.losses.iter().find(|d| d.lost_fraction == terms.lost_fraction))
        .map(|d| d.probability)
        .min_by(f64::total_cmp);
    let whose = match terms.scope {
        Scope::All => "the audited objects that count",
        Scope::Owner => "the objects of one owner",
        Scope::Object => "one object",
    };
    match worst {
        Some(p) if p >= terms.min_detection => None,
        Some(p) => Some(Reason::new(
            ReasonCode::DetectionBelowPolicy,
            format!(
                "a loss of {} of {whose} would be noticed with {} (missed {}), the policy asks for {}",
                terms.loss(),
                percent(p),
                chance_of_missing(1.0 - p),
                percent(terms.min_detection)
            ),
        )),
        None => Some(Reason::new(
            ReasonCode::DetectionBelowPolicy,
            "no audited object counts under the policy".to_owned(),
        )),
    }
}

/// The host's own word, so neither key nor age matters. That it lacks cells of an object it has refutes; that it does not
/// have the object does so only where its own inventory lists all it has: a named object can have been deleted by its owner, or
/// never stored, and the envelope it signed be shown.
fn cannot_prove(why: CannotProve, of_inventory: bool) -> (Verdict, Vec<Reason>) {
    let (verdict, code, said) = match why {
        CannotProve::ObjectUnknown if of_inventory => (
            Verdict::Refuted,
            ReasonCode::HostDeniesObject,
            "the host signed that it does not hold an object, and signed the inventory of this epoch, from which the question draws: what an inventory lists stays provable",
        ),
        CannotProve::CellsUnavailable => (
            Verdict::Refuted,
            ReasonCode::HostCannotProve,
            "the host signed that a sampled part is missing, unreadable or not what the owner signed",
        ),
        CannotProve::ObjectUnknown => (
            Verdict::Inconclusive,
            ReasonCode::HostDeniesObject,
            "the host signed that it does not hold one of the objects at the named generation; without a receipt this may be true and no fault (never stored here, deleted or replaced by its owner), or the host dropped it and denies it",
        ),
        // Refusals this program does not know: the host's word, and not one that refutes.
        _ => (
            Verdict::Inconclusive,
            ReasonCode::HostCannotProve,
            "the host signed that it cannot prove, for a reason this program does not know",
        ),
    };
    (verdict, vec![Reason::new(code, said)])
}

/// Whether the class may be too small for one of the objects that the inventory lists; of those that were not opened nobody knows the size.
fn may_not_fit(evidence: &Evidence) -> bool {
    let too_small = |c: &Challenge| c.inventory.is_some() && c.cells_total() > c.class.cells_max();
    evidence.challenge.as_ref().is_some_and(too_small)
}

fn no_answer(why: NoAnswer, may_not_fit: bool) -> Reason {
    let what = match why {
        NoAnswer::Refused => "refused or answered with an error",
        NoAnswer::TimedOut => "did not answer in time",
        NoAnswer::Unreachable => "could not be reached",
        _ => "did not answer",
    };
    let choice = match may_not_fit && why == NoAnswer::Refused {
        true => {
            "; or the class, which is the auditor\u{2019}s choice, cannot hold an object that the inventory lists"
        }
        false => "",
    };
    Reason::new(
        ReasonCode::NoSignedAnswer,
        format!(
            "on this auditor\u{2019}s word, after asking again: the host {what}; a lost answer is a failed answer{choice}"
        ),
    )
}

fn assumptions(
    case: &Case<'_>,
    evidence: &Evidence,
    answer: &Answered,
    soundness: Option<&bailiwick_scheme::Soundness>,
) -> Vec<Assumption> {
    let Some(challenge) = &evidence.challenge else { return Vec::new() };
    let mut codes = vec![AssumptionCode::AuditorDoesNotCollude, AssumptionCode::AuditorsClock];
    match case.anchors.verifying_key(&challenge.vk).map(|k| &k.provenance) {
        Some(Provenance::Auditor { .. }) => codes.push(AssumptionCode::AuditorLeakedNoTrapdoor),
        Some(Provenance::Ceremony { .. }) => codes.push(AssumptionCode::OneHonestContributor),
        Some(Provenance::Development) | None => {}
    }
    if answer.is_on_word() || matches!(answer, Answered::NoAnswerToUnjudged(..)) {
        codes.push(AssumptionCode::AuditorAskedAgain);
    }
    if evidence.inventory.is_some() {
        codes.extend([AssumptionCode::OwnersCheckInventory, AssumptionCode::ScopeEstimated]);
    }
    let stated = codes.into_iter().map(AssumptionCode::stated);
    stated.chain([AssumptionCode::of_scheme(soundness)]).collect()
}

fn headline(verdict: Verdict, reasons: &[Reason]) -> String {
    match (verdict, reasons.first().map(|r| r.code)) {
        (Verdict::Supported, _) => {
            "Yes, as far as random sampling can tell: the host answered a check it could not foresee, which takes the stored bytes to answer."
        }
        (Verdict::Refuted, Some(ReasonCode::NoSignedAnswer)) => {
            "No: asked to prove that it has the data, the host gave no signed answer."
        }
        (Verdict::Refuted, Some(ReasonCode::HostCannotProve)) => {
            "No: the host itself signed that it cannot prove it has the data."
        }
        (Verdict::Refuted, Some(ReasonCode::HostDeniesObject)) => {
            "No: the host signed that it does not have what its own signed inventory lists."
        }
        (Verdict::Refuted, Some(ReasonCode::LeavesWithheld)) => {
            "No: the host withheld part of its answer, without which its proof cannot be checked."
        }
        (Verdict::Inconclusive, Some(ReasonCode::HostDeniesObject)) => {
            "Not shown: the host says it does not hold this object; nothing in this bundle shows that it ever accepted it: a receipt is missing."
        }
        (Verdict::Refuted, _) => "No: the host\u{2019}s proof is not valid.",
        (Verdict::Inconclusive, Some(ReasonCode::KeyIsDevelopment)) => {
            "Not shown: the proof was made under a development key, and anyone can forge such a proof."
        }
        (Verdict::Inconclusive, Some(ReasonCode::Stale)) => {
            "Not shown: the evidence is older than the policy allows."
        }
        (Verdict::Inconclusive, Some(ReasonCode::AnswerLate)) => {
            "Not shown: the proof holds, but it came later than the policy allows."
        }
        (Verdict::Inconclusive, Some(ReasonCode::DetectionBelowPolicy)) => {
            "Not shown: the proof holds, but it samples too little for what the policy asks."
        }
        (Verdict::Inconclusive, _) => "Not shown: the evidence in this bundle does not decide it.",
    }
    .to_owned()
}
