//! What a host answered or did not, and what the probes saw.

use bailiwick_protocol::bundle::{Answer, NoAnswer, ProbeOutcome, RangeOutcome};
use bailiwick_protocol::challenge::CannotProve;
use bailiwick_verifier::{AnswerFacts, AssumptionCode, Claim, ReasonCode, Verdict};

use crate::world::{Scene, auditors_trapdoor, response};

/// P01: the host deleted bytes and says so, signed.
#[test]
fn p01_signed_refusal_is_refuted() {
    for why in [CannotProve::CellsUnavailable, CannotProve::ObjectUnknown] {
        let mut s = Scene::honest();
        s.bundle.answer = response(&s.challenge(), Err(why), "host");
        s.expect(Verdict::Refuted, ReasonCode::HostCannotProve);
        assert_eq!(s.report().exit_code, 1);
    }
}

/// A refusal signed by anyone else frames nobody.
#[test]
fn refusal_signed_by_another_refutes_nothing() {
    let mut s = Scene::honest();
    s.bundle.answer = response(&s.challenge(), Err(CannotProve::CellsUnavailable), "auditor");
    s.expect(Verdict::Inconclusive, ReasonCode::AnswerNotByHost);
}

/// A lost answer is a failed answer, on the auditor's word, which the report says.
#[test]
fn no_signed_answer_is_refuted_on_the_auditors_word() {
    for (why, word) in [
        (NoAnswer::Refused, "refused"),
        (NoAnswer::TimedOut, "in time"),
        (NoAnswer::Unreachable, "could not be reached"),
    ] {
        let mut s = Scene::honest();
        s.bundle.answer = Answer::None(why);
        s.expect(Verdict::Refuted, ReasonCode::NoSignedAnswer);
        let stored = s.stored();
        assert!(stored.reasons[0].text.contains("auditor\u{2019}s word"));
        assert!(stored.reasons[0].text.contains(word), "{}", stored.reasons[0].text);
        assert!(stored.assumptions.iter().any(|a| a.code == AssumptionCode::AuditorAskedAgain));
        assert!(
            !Scene::honest().stored().assumptions.iter().any(|a| a.code == AssumptionCode::AuditorAskedAgain)
        );
    }
}

/// Z16, at verdict level: every byte of the proof changed, host's signature renewed.
#[test]
fn z16_changed_proof_is_refuted() {
    let honest = Scene::honest();
    let proof = auditors_trapdoor().forge(&honest.challenge());
    for i in 0..128 {
        let mut bad = proof;
        bad[i] ^= 1 << (i % 8);
        let mut s = Scene::honest();
        s.bundle.answer = response(&honest.challenge(), Ok(bad), "host");
        s.expect(Verdict::Refuted, ReasonCode::ProofDoesNotVerify);
    }
    honest.expect(Verdict::Supported, ReasonCode::ProofVerifies);
    assert_eq!(honest.report().audit.challenge.unwrap().answer, AnswerFacts::ValidProof);
}

fn probe(outcome: ProbeOutcome) -> RangeOutcome {
    RangeOutcome { target: 0, offset: 0, length: 496, outcome, elapsed_ms: 3 }
}

/// *Served* is counted and stays inconclusive: only the auditor vouches for it.
#[test]
fn probes_are_counted_and_do_not_support() {
    let mut s = Scene::honest();
    s.bundle.ranges =
        vec![probe(ProbeOutcome::Good), probe(ProbeOutcome::Good), probe(ProbeOutcome::TimedOut)];
    let report = s.report();
    let served = report.claim(Claim::Served);
    assert_eq!(served.verdict, Verdict::Inconclusive);
    let count = served.numbers.probes.unwrap();
    assert_eq!((count.good, count.timed_out, count.bad_bytes, count.outside), (2, 1, 0, 0));
    assert_eq!(served.reasons[0].code, ReasonCode::ProbesUnanswered);
}

/// D-cases at verdict level: wrong bytes come first in the reasons and in the headline.
#[test]
fn bad_bytes_are_said_first() {
    let mut s = Scene::honest();
    s.bundle.ranges = vec![probe(ProbeOutcome::Refused), probe(ProbeOutcome::BadBytes)];
    let served = s.report().claim(Claim::Served).clone();
    assert_eq!(served.reasons[0].code, ReasonCode::BadBytes);
    assert!(served.headline.contains("wrong bytes"));
    assert_eq!(served.verdict, Verdict::Inconclusive);
    assert!(!Scene::honest().report().claim(Claim::Served).headline.contains("wrong bytes"));
}

/// Probe records of ranges that do not exist are not counted as fetched.
#[test]
fn probes_outside_an_object_are_not_counted() {
    let mut s = Scene::honest();
    let size = s.challenge().targets[0].size;
    s.bundle.ranges = vec![
        RangeOutcome { offset: size - 496, ..probe(ProbeOutcome::Good) },
        RangeOutcome { offset: size - 495, ..probe(ProbeOutcome::Good) },
        RangeOutcome { offset: u64::MAX, ..probe(ProbeOutcome::Good) },
        RangeOutcome { target: 3, ..probe(ProbeOutcome::Good) },
        RangeOutcome { length: 0, ..probe(ProbeOutcome::Good) },
    ];
    let count = s.report().claim(Claim::Served).numbers.probes.unwrap();
    assert_eq!((count.good, count.outside), (1, 4));
}

#[test]
fn every_claim_appears_and_says_what_it_does_not_show() {
    let report = Scene::honest().report();
    let names: Vec<_> = report.claims.iter().map(|c| c.claim).collect();
    assert_eq!(names, Claim::ALL);
    for c in &report.claims {
        assert!(!c.reasons.is_empty() && !c.not_shown.is_empty() && !c.headline.is_empty(), "{}", c.claim);
        if c.claim != Claim::Stored {
            assert_eq!(c.verdict, Verdict::Inconclusive, "{}", c.claim);
        }
    }
}

/// Anonymous recipients are counted and named as an obstacle of *opaque*.
#[test]
fn anonymous_recipients_are_reported() {
    let mut s = Scene::honest();
    let mut list = crate::world::envelopes();
    list[0].recipients[0].key_id = None;
    s.bundle.envelopes[0] = crate::world::signed_envelope(&list[0]);
    let report = s.report();
    let opaque = report.claim(Claim::Opaque);
    assert_eq!(opaque.numbers.recipients.unwrap().anonymous, 1);
    assert!(opaque.reasons.iter().any(|r| r.code == ReasonCode::AnonymousRecipients));
    let twin = Scene::honest().report();
    assert_eq!(twin.claim(Claim::Opaque).numbers.recipients.unwrap().anonymous, 0);
}
