//! What a host answered or did not, and what the probes saw.

use bailiwick_protocol::bundle::{Answer, NoAnswer, ProbeOutcome, RangeOutcome};
use bailiwick_protocol::challenge::{CannotProve, SignedChallenge, Target};
use bailiwick_protocol::envelope::SignedEnvelope;
use bailiwick_verifier::{AnswerFacts, AssumptionCode, Claim, ReasonCode, Recheck, Verdict};

use crate::trapdoor::Trapdoor;
use crate::world::{
    POLICY, Scene, anchored_key, auditors_trapdoor, envelopes, key, principals, response, set_up_by,
    signed_envelope,
};

/// P01: the host deleted bytes and says so, signed.
#[test]
fn p01_signed_refusal_is_refuted() {
    let mut s = Scene::honest();
    s.bundle.answer = response(&s.challenge(), Err(CannotProve::CellsUnavailable), "host");
    s.expect(Verdict::Refuted, ReasonCode::HostCannotProve);
    assert_eq!(s.report().exit_code, 1);
}

/// An owner who deleted its object, or never stored it, and shows the envelope it signed, frames no host that says so.
#[test]
fn a_host_that_denies_an_object_is_not_refuted_without_a_receipt() {
    let mut s = Scene::honest();
    s.bundle.answer = response(&s.challenge(), Err(CannotProve::ObjectUnknown), "host");
    s.expect(Verdict::Inconclusive, ReasonCode::HostDeniesObject);
    let report = s.report();
    assert_eq!(report.exit_code, 2);
    let headline = &report.claim(Claim::Stored).headline;
    assert!(headline.contains("does not hold this object") && headline.contains("a receipt is missing"));
    // The signed denial is shown as what it is, to confront the host with.
    let facts = report.audit.challenge.as_ref().unwrap();
    assert_eq!(facts.answer, AnswerFacts::CannotProve(CannotProve::ObjectUnknown));
    for out in [report.to_text(&Recheck::default()), report.to_html(&Recheck::default())] {
        assert!(out.contains("signed by the host: it says it does not hold one of the objects"));
    }
    // Under whatever key and however old: it is the host's word.
    s.keys.clear();
    s.now += 1000 * 24 * 3_600_000;
    s.expect(Verdict::Inconclusive, ReasonCode::HostDeniesObject);
    // Twin: a host that holds the object and not its cells.
    s.bundle.answer = response(&s.challenge(), Err(CannotProve::CellsUnavailable), "host");
    s.expect(Verdict::Refuted, ReasonCode::HostCannotProve);
}

/// Judges silence, a proof that does not verify, and the host's own word that cells are gone, after `change`, which
/// makes the challenge one that nobody need be able to answer: only the host's word refutes, and the twin without the
/// change is refuted by silence, too.
#[track_caller]
fn silence_says_nothing_after(code: ReasonCode, change: impl Fn(&mut Scene)) {
    let mut s = Scene::honest();
    s.bundle.answer = Answer::None(NoAnswer::TimedOut);
    s.expect(Verdict::Refuted, ReasonCode::NoSignedAnswer);
    change(&mut s);
    for why in [NoAnswer::Refused, NoAnswer::TimedOut, NoAnswer::Unreachable] {
        s.bundle.answer = Answer::None(why);
        s.expect(Verdict::Inconclusive, code);
        assert_eq!(s.report().audit.challenge.unwrap().answer, AnswerFacts::NoAnswer(why));
        assert!(s.stored().assumptions.iter().any(|a| a.code == AssumptionCode::AuditorAskedAgain));
    }
    s.bundle.answer = response(&s.challenge(), Ok([0xff; 128]), "host");
    s.expect(Verdict::Inconclusive, code);
    s.bundle.answer = response(&s.challenge(), Err(CannotProve::CellsUnavailable), "host");
    s.expect(Verdict::Refuted, ReasonCode::HostCannotProve);
}

/// An auditor that names a key only it has frames no host.
#[test]
fn silence_under_an_unanchored_key_refutes_nothing() {
    silence_says_nothing_after(ReasonCode::KeyNotAnchored, |s| s.anchors = principals());
}

#[test]
fn silence_under_a_key_of_another_class_refutes_nothing() {
    silence_says_nothing_after(ReasonCode::KeyOfAnotherClass, |s| {
        s.anchors = s.anchors.replace("samples = 1, depth = 3", "samples = 16, depth = 5");
    });
}

#[test]
fn silence_under_another_auditors_key_refutes_nothing() {
    silence_says_nothing_after(ReasonCode::KeyOfAnotherAuditor, |s| {
        s.anchors = principals() + &anchored_key(s.challenge().vk, &set_up_by("other auditor"));
    });
}

#[test]
fn silence_under_a_missing_key_refutes_nothing() {
    silence_says_nothing_after(ReasonCode::KeyMissing, |s| s.keys.clear());
}

#[test]
fn silence_under_bytes_that_are_no_such_key_refutes_nothing() {
    silence_says_nothing_after(ReasonCode::KeyDiffers, |s| {
        s.keys.values_mut().for_each(|bytes| bytes.truncate(31));
    });
    silence_says_nothing_after(ReasonCode::KeyDiffers, |s| {
        let other = Trapdoor::new("other circuit").verifying_key().as_bytes().to_vec();
        s.keys.values_mut().for_each(|bytes| bytes.clone_from(&other));
    });
}

/// A root no cell tree has: nobody could answer, so silence is no failure.
#[test]
fn silence_after_a_challenge_without_a_statement_refutes_nothing() {
    silence_says_nothing_after(ReasonCode::NoStatement, |s| {
        let mut list = envelopes();
        list[0].commitment.as_mut().unwrap().root.0 = [0xff; 32];
        let mut c = s.challenge();
        c.targets = list.iter().map(|e| Target::of(e).unwrap()).collect();
        s.bundle.challenge = SignedChallenge::new(&c, &key("auditor"));
        s.bundle.envelopes = list.iter().map(signed_envelope).collect();
    });
}

/// A key that only lacks the policy's blessing is one a host can answer under: silence counts.
#[test]
fn silence_under_a_key_the_policy_does_not_accept_still_refutes() {
    let mut s = Scene::honest();
    s.bundle.answer = Answer::None(NoAnswer::TimedOut);
    s.policy.push_str("provenance = [\"ceremony\"]\n");
    s.expect(Verdict::Refuted, ReasonCode::NoSignedAnswer);
    s.policy = POLICY.to_owned();
    s.anchors = principals() + &anchored_key(s.challenge().vk, "\"development\"");
    s.expect(Verdict::Refuted, ReasonCode::NoSignedAnswer);
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
    assert_eq!(served_codes(&s), [ReasonCode::ProbeOutsideObject, ReasonCode::ProbesOnAuditorsWord]);
    s.bundle.ranges.truncate(1);
    assert_eq!(served_codes(&s), [ReasonCode::ProbesOnAuditorsWord]);
}

fn served_codes(s: &Scene) -> Vec<ReasonCode> {
    s.report().claim(Claim::Served).reasons.iter().map(|r| r.code).collect()
}

/// Without probes there is nothing to count: no figure, no assumption, and the headline says that nobody fetched.
#[test]
fn without_probes_nothing_is_counted() {
    let mut s = Scene::honest();
    assert!(s.report().claim(Claim::Served).headline.contains("all came back right"));
    s.bundle.ranges.clear();
    let served = s.report().claim(Claim::Served).clone();
    assert_eq!(served_codes(&s), [ReasonCode::NoEvidence]);
    assert_eq!((served.numbers.probes, served.assumptions.len()), (None, 0));
    assert!(served.headline.contains("nobody fetched"));
}

/// Each outcome is counted as what it was; a refusal, a late answer and a dead line each make the headline say that
/// pieces did not come.
#[test]
fn each_outcome_of_a_probe_is_counted_as_itself() {
    let counted = |outcome| {
        let mut s = Scene::honest();
        s.bundle.ranges = vec![probe(outcome)];
        let served = s.report().claim(Claim::Served).clone();
        let c = served.numbers.probes.unwrap();
        (
            [c.good, c.bad_bytes, c.refused, c.timed_out, c.unreachable, c.outside],
            served_codes(&s),
            served.headline,
        )
    };
    let word = ReasonCode::ProbesOnAuditorsWord;
    let (count, codes, _) = counted(ProbeOutcome::Good);
    assert_eq!((count, codes), ([1, 0, 0, 0, 0, 0], vec![word]));
    let (count, codes, _) = counted(ProbeOutcome::BadBytes);
    assert_eq!((count, codes), ([0, 1, 0, 0, 0, 0], vec![ReasonCode::BadBytes, word]));
    for (at, outcome) in
        [(2, ProbeOutcome::Refused), (3, ProbeOutcome::TimedOut), (4, ProbeOutcome::Unreachable)]
    {
        let (count, codes, headline) = counted(outcome);
        let mut only = [0; 6];
        only[at] = 1;
        assert_eq!((count, codes), (only, vec![ReasonCode::ProbesUnanswered, word]));
        assert!(headline.contains("some did not come"), "{headline}");
    }
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
    let required =
        |s: &Scene| s.report().claims.iter().filter(|c| c.required).map(|c| c.claim).collect::<Vec<_>>();
    let mut s = Scene::honest();
    assert_eq!(required(&s), [Claim::Stored]);
    s.policy = "version = 1\nname = \"x\"\nrequire = [\"logged\"]\n[logged]\nquorum = 1\nmax_checkpoint_age_hours = 24\n"
        .to_owned();
    assert_eq!(required(&s), [Claim::Logged]);
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
    let twin = twin.claim(Claim::Opaque);
    assert_eq!(twin.numbers.recipients.unwrap().anonymous, 0);
    assert!(!twin.reasons.iter().any(|r| r.code == ReasonCode::AnonymousRecipients));
}

/// Recipients are counted over envelopes whose signature was checked; without one there is no count, not a zero.
#[test]
fn recipients_of_unchecked_envelopes_are_not_counted() {
    let mut s = Scene::honest();
    assert_eq!(s.report().claim(Claim::Opaque).numbers.recipients.unwrap().total, 3);
    s.bundle.envelopes[0] = SignedEnvelope::new(&envelopes()[0], &key("gateway"));
    assert_eq!(s.report().claim(Claim::Opaque).numbers.recipients.unwrap().total, 2);
    s.bundle.envelopes = envelopes().iter().map(|e| SignedEnvelope::new(e, &key("gateway"))).collect();
    assert_eq!(s.report().claim(Claim::Opaque).numbers.recipients, None);
}

/// The strength of a proof is printed where there is a proof, true or false, and nowhere else.
#[test]
fn soundness_is_printed_with_a_proof_only() {
    let mut s = Scene::honest();
    assert_eq!(s.stored().numbers.soundness.unwrap().bits, 100);
    s.bundle.answer = response(&s.challenge(), Ok([0xff; 128]), "host");
    assert!(s.stored().numbers.soundness.is_some());
    // Of which scheme the proof is, only its key says.
    s.keys.clear();
    assert_eq!(s.stored().numbers.soundness, None);
    s.keys = Scene::honest().keys;
    assert!(s.stored().numbers.soundness.is_some());
    s.bundle.answer = response(&s.challenge(), Err(CannotProve::CellsUnavailable), "host");
    assert_eq!(s.stored().numbers.soundness, None);
    s.bundle.answer = Answer::None(NoAnswer::TimedOut);
    assert_eq!(s.stored().numbers.soundness, None);
}
