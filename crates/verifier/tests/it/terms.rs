//! Terms of the policy: freshness, detection, who counts; and the exit code.

use bailiwick_protocol::bundle::{Answer, NoAnswer};
use bailiwick_verifier::{Claim, ReasonCode, Scope, Verdict, exit_code};

use crate::world::{ANSWERED, ASKED, POLICY, Scene, hex};

const HOUR: u64 = 3_600_000;

/// T13 for bundles: evidence older than the policy allows.
#[test]
fn t13_stale_bundle_is_inconclusive() {
    let mut s = Scene::honest();
    s.now = ANSWERED + 24 * HOUR;
    s.expect(Verdict::Supported, ReasonCode::ProofVerifies);
    s.now += 1;
    s.expect(Verdict::Inconclusive, ReasonCode::Stale);
}

/// An answer later than the policy allows supports nothing; by the auditor's clock alone, it refutes nothing either.
#[test]
fn a_late_answer_is_inconclusive() {
    let terms = |seconds: u32| format!("{POLICY}max_answer_seconds = {seconds}\n");
    let mut s = Scene::honest();
    s.policy = terms(3);
    s.expect(Verdict::Supported, ReasonCode::ProofVerifies);
    s.policy = terms(2);
    s.expect(Verdict::Inconclusive, ReasonCode::AnswerLate);
    let stored = s.stored();
    assert!(stored.reasons[0].text.contains("took 2.3 s, the policy allows 2.0 s"), "{:?}", stored.reasons);
    assert!(stored.headline.contains("later than the policy allows"));
    s.bundle.answered_unix_ms = ASKED + 2000;
    s.expect(Verdict::Supported, ReasonCode::ProofVerifies);
    s.bundle.answered_unix_ms += 1;
    s.expect(Verdict::Inconclusive, ReasonCode::AnswerLate);
    s.bundle.answer = Answer::None(NoAnswer::TimedOut);
    s.expect(Verdict::Refuted, ReasonCode::NoSignedAnswer);
}

/// Waiting does not turn a failure into a maybe.
#[test]
fn a_refutation_does_not_age() {
    let mut s = Scene::honest();
    s.bundle.answer = Answer::None(NoAnswer::Refused);
    s.now = ANSWERED + 1000 * HOUR;
    s.expect(Verdict::Refuted, ReasonCode::NoSignedAnswer);
}

/// P12: five minutes of clock difference are allowed, more is a date in the future.
#[test]
fn p12_evidence_from_the_future_is_inconclusive() {
    let mut s = Scene::honest();
    s.now = ANSWERED - 5 * 60_000;
    s.expect(Verdict::Supported, ReasonCode::ProofVerifies);
    assert_eq!(s.report().audit.age_ms, 0);
    s.now -= 1;
    s.expect(Verdict::Inconclusive, ReasonCode::FromTheFuture);
    s.now = 0;
    s.expect(Verdict::Inconclusive, ReasonCode::FromTheFuture);
}

/// The extreme times a bundle can carry overflow nothing.
#[test]
fn extreme_times_do_not_panic() {
    let mut s = Scene::honest();
    s.bundle.asked_unix_ms = 0;
    s.bundle.answered_unix_ms = u64::MAX;
    for now in [0, ASKED, u64::MAX] {
        s.now = now;
        let report = s.report();
        assert!(!report.to_json().is_empty());
    }
    s.now = ASKED;
    s.expect(Verdict::Inconclusive, ReasonCode::FromTheFuture);
}

/// P02: one sample finds half of everything with 1/2; a policy that wants more gets no support from it.
#[test]
fn p02_thin_sampling_is_inconclusive() {
    let mut s = Scene::honest();
    s.policy = POLICY.replace("min_detection = 0.5", "min_detection = 0.51");
    s.expect(Verdict::Inconclusive, ReasonCode::DetectionBelowPolicy);
    s.policy = POLICY.to_owned();
    s.expect(Verdict::Supported, ReasonCode::ProofVerifies);
}

/// P02: the smaller a scope's share of the sampled cells, the less a loss in it is noticed; each is printed.
#[test]
fn p02_detection_is_judged_per_scope() {
    let s = Scene::honest();
    let stored = s.stored();
    let all: Vec<_> = stored.numbers.detection.iter().filter(|d| d.scope == Scope::All).collect();
    let owners: Vec<_> = stored.numbers.detection.iter().filter(|d| d.scope == Scope::Owner).collect();
    let objects: Vec<_> = stored.numbers.detection.iter().filter(|d| d.scope == Scope::Object).collect();
    assert_eq!((all.len(), owners.len(), objects.len()), (1, 2, 3));
    let total: u64 = objects.iter().map(|o| o.cells).sum();
    assert_eq!(all[0].cells, total);
    assert_eq!(owners.iter().map(|o| o.cells).sum::<u64>(), total);
    for d in &stored.numbers.detection {
        let half = d.losses.iter().find(|l| l.lost_fraction == 0.5).unwrap();
        assert!((half.probability - 0.5 * d.cells as f64 / total as f64).abs() < 1e-12);
        let fractions: Vec<_> = d.losses.iter().map(|l| l.lost_fraction).collect();
        assert_eq!(fractions, [0.01, 0.1, 0.5]);
    }
    for scope in ["owner", "object"] {
        let mut strict = Scene::honest();
        strict.policy.push_str(&format!("scope = \"{scope}\"\n"));
        strict.expect(Verdict::Inconclusive, ReasonCode::DetectionBelowPolicy);
    }
}

/// Cells of owners the policy does not name dilute the sampling and do not count.
#[test]
fn only_named_owners_count() {
    let mut s = Scene::honest();
    s.policy.push_str(&format!("owners = [\"{}\"]\n", hex("bob")));
    s.expect(Verdict::Inconclusive, ReasonCode::DetectionBelowPolicy);
    let mut both = Scene::honest();
    both.policy.push_str(&format!("owners = [\"{}\", \"{}\"]\n", hex("bob"), hex("alice")));
    both.expect(Verdict::Supported, ReasonCode::ProofVerifies);
    let mut absent = Scene::honest();
    absent.policy.push_str(&format!("owners = [\"{}\"]\n", hex("carol")));
    absent.expect(Verdict::Inconclusive, ReasonCode::OwnerMissing);
}

#[test]
fn only_named_hosts_count() {
    let mut s = Scene::honest();
    s.policy.push_str(&format!("hosts = [\"{}\"]\n", hex("other host")));
    s.expect(Verdict::Inconclusive, ReasonCode::HostOutsidePolicy);
    // Nor does another host's failure refute.
    s.bundle.answer = Answer::None(NoAnswer::Refused);
    s.expect(Verdict::Inconclusive, ReasonCode::HostOutsidePolicy);
    let mut twin = Scene::honest();
    twin.policy.push_str(&format!("hosts = [\"{}\"]\n", hex("host")));
    twin.expect(Verdict::Supported, ReasonCode::ProofVerifies);
}

/// T15: 0 only when every required claim is supported.
#[test]
fn t15_exit_codes() {
    use Verdict::{Inconclusive as I, Refuted as R, Supported as S};
    for (verdicts, code) in [
        (vec![S], 0),
        (vec![S, S], 0),
        (vec![R], 1),
        (vec![S, R], 1),
        (vec![R, I], 1),
        (vec![I, R, S], 1),
        (vec![I], 2),
        (vec![S, I], 2),
        (vec![I, S], 2),
        (vec![], 2),
    ] {
        assert_eq!(exit_code(verdicts.clone()), code, "{verdicts:?}");
    }
}

/// T15: a required claim without evidence is not a success, whatever *stored* says; one that is not required is ignored.
#[test]
fn t15_required_claims_decide() {
    let mut s = Scene::honest();
    assert_eq!(s.report().exit_code, 0);
    s.policy =
        POLICY.replace("[\"stored\"]", "[\"stored\", \"resident\"]") + "[resident]\nmin_landmarks = 1\n";
    let report = s.report();
    assert_eq!((report.exit_code, report.outcome), (2, Verdict::Inconclusive));
    assert!(report.claim(Claim::Resident).required && !report.claim(Claim::Logged).required);
    s.bundle.answer = Answer::None(NoAnswer::Refused);
    assert_eq!(s.report().exit_code, 1);
    s.policy = "version = 1\nname = \"x\"\nrequire = [\"logged\"]\n[logged]\nquorum = 1\nmax_checkpoint_age_hours = 24\n"
        .to_owned();
    assert_eq!(s.report().exit_code, 2, "stored has no terms and is not required");
}
