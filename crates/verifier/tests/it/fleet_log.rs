//! Dossiers against the log: what is missing, late, unwitnessed, stale, split or not in it.

use bailiwick_protocol::codec::Canonical;
use bailiwick_verifier::{Claim, ReasonCode as C, Standing, Unusable, Verdict};

use crate::beacon_chain::published;
use crate::fleet_world::{ANSWER_MS, EPOCHS, FIRST_ROUND, FleetScene, POLICY, round_of, standing};
use crate::test_log;

use Verdict::{Inconclusive, Refuted, Supported};

/// T14: an audit that failed is left out of the log and of the dossier; the schedule shows the gap.
#[test]
fn t14_an_outcome_left_out_refutes_logged() {
    let mut s = FleetScene::honest();
    s.audits.remove(3);
    let logged = s.expect(Claim::Logged, Refuted, C::OutcomeMissing);
    assert_eq!(logged.numbers.log.unwrap().missing, 1);
    assert!(logged.reasons[0].text.contains("epoch 2"), "{}", logged.reasons[0].text);
    // The reader has the dossier, not the log: what is not shown may be missing from either.
    assert!(logged.reasons[0].text.contains("left out of the dossier"), "{}", logged.reasons[0].text);
    assert!(logged.headline.contains("Ask the log"), "{}", logged.headline);
}

/// P23: the auditor goes back to an older state: a whole epoch is gone.
#[test]
fn p23_a_forgotten_epoch_refutes_logged() {
    let mut s = FleetScene::honest();
    s.audits.drain(2..4);
    s.commitments.remove(1);
    let report = s.report();
    assert_eq!(report.claim(Claim::Logged).verdict, Refuted);
    assert_eq!(report.fleet.audits.missing, 2);
    assert_eq!(report.exit_code, 1);
}

/// T14: what is not due yet is no gap: judged before the deadline of the last epoch, by a log seen before it.
#[test]
fn t14_what_is_not_due_is_no_gap() {
    let mut s = FleetScene::honest();
    s.audits.drain(4..);
    s.now = published(round_of(EPOCHS)) + ANSWER_MS - 1;
    s.expect(Claim::Logged, Supported, C::ScheduleComplete);
}

/// T12: below the quorum it is unwitnessed, neither supported nor refuted.
#[test]
fn t12_below_the_quorum_is_unwitnessed() {
    let mut s = FleetScene::honest();
    s.log.witnesses = vec!["w1"];
    let c = s.expect(Claim::Logged, Inconclusive, C::Unwitnessed);
    assert!(c.headline.starts_with("Unwitnessed"));
    let mut s = FleetScene::honest();
    s.log.witnesses = vec!["w1"];
    assert_eq!(s.report().claim(Claim::Stored).verdict, Inconclusive);
    // A witness the reader does not know, and one twice, do not count.
    for witnesses in [vec!["w1", "w9"], vec!["w1", "w1"]] {
        let mut s = FleetScene::honest();
        s.log.witnesses = witnesses;
        assert_ne!(s.report().claim(Claim::Logged).verdict, Supported);
    }
    let mut s = FleetScene::honest();
    s.log.witnesses = vec!["w2", "w3"];
    s.expect(Claim::Logged, Supported, C::ScheduleComplete);
}

/// More witnesses asked for than the reader knows: a contradiction of the reader's own files.
#[test]
fn t12_a_quorum_above_the_witnesses_is_unusable() {
    let mut s = FleetScene::honest();
    s.policy = POLICY.replace("quorum = 2", "quorum = 4");
    assert!(matches!(s.verify(), Err(Unusable::Log(_))));
}

/// T13: nothing newer than the policy allows.
#[test]
fn t13_a_stale_checkpoint_is_not_supported() {
    let mut s = FleetScene::honest();
    s.now = s.closed_ms + 2 * 3_600_000 + 1;
    s.expect(Claim::Logged, Inconclusive, C::CheckpointStale);
    let mut s = FleetScene::honest();
    s.now = s.closed_ms + 2 * 3_600_000;
    s.expect(Claim::Logged, Supported, C::ScheduleComplete);
}

/// T01: two checkpoints of one size, both signed by the log.
#[test]
fn t01_a_split_view_refutes_logged() {
    let (mut dossier, s) = FleetScene::honest().dossier();
    let mut other = test_log::TestLog::new();
    let entry = dossier.announced[0].entry.clone();
    let twin = other.enter(&[entry], published(FIRST_ROUND) / 1000 - 3_600).remove(0);
    // The same entry in another history of the same length: another leaf before it.
    let mut forked = test_log::TestLog::new();
    let first = b"another first entry".to_vec();
    forked.enter(std::slice::from_ref(&first), 1);
    let sizes = |l: &bailiwick_protocol::dossier::Logged| String::from_utf8_lossy(&l.proof).into_owned();
    assert!(sizes(&twin).contains(&format!("{}\n2\n", test_log::LOG)));
    let size_two = forked.checkpoint(1_793_500_000);
    let proof = bailiwick_translog::TlogProof {
        extra: None,
        index: 1,
        path: vec![bailiwick_translog::leaf_hash(b"somebody else's entry")],
        checkpoint: size_two,
    };
    let extra = bailiwick_protocol::dossier::Logged { entry: first, proof: proof.to_bytes() };
    dossier.announced.push(extra);
    dossier.sort();
    let report = s.verify_bytes(&dossier.to_bytes()).unwrap();
    let logged = report.claim(Claim::Logged);
    assert_eq!((logged.verdict, logged.reasons[0].code), (Refuted, C::SplitView), "{:#?}", logged.reasons);
}

/// T04: every flipped bit of one proof: the outcome is not shown, and nothing is supported by it.
#[test]
fn t04_flipped_bits_of_a_log_proof_support_nothing() {
    let (dossier, s) = FleetScene::honest().dossier();
    let n = dossier.audits[0].outcome.as_ref().unwrap().proof.len();
    for at in (0..n).step_by(41) {
        let mut bad = dossier.clone();
        bad.audits[0].outcome.as_mut().unwrap().proof[at] ^= 1 << (at % 8);
        let report = s.verify_bytes(&bad.to_bytes()).unwrap();
        assert_ne!(report.claim(Claim::Logged).verdict, Supported, "byte {at}");
    }
}

/// T06: a log the reader does not know.
#[test]
fn t06_another_log_shows_nothing() {
    let mut s = FleetScene::honest();
    s.anchors = s.anchors.replace(&test_log::anchors(&["w1", "w2", "w3"]), "");
    s.expect(Claim::Logged, Inconclusive, C::NoLogAnchored);
}

/// P12: the proof holds, and came into the log a second after the deadline.
#[test]
fn p12_logged_late_is_late() {
    let mut s = FleetScene::honest();
    for a in &mut s.audits[4..] {
        a.logged_ms = published(round_of(EPOCHS)) + ANSWER_MS + 1_000;
    }
    let report = s.report();
    assert_eq!(standing(&report, Standing::Late), [C::LoggedLate, C::LoggedLate]);
    assert_eq!(report.claim(Claim::Logged).verdict, Inconclusive);
    // At the deadline it is in time.
    let mut s = FleetScene::honest();
    for a in &mut s.audits[4..] {
        a.logged_ms = published(round_of(EPOCHS)) + ANSWER_MS - 1_000;
    }
    s.expect(Claim::Logged, Supported, C::ScheduleComplete);
}

/// P12: an auditor's clock five minutes off changes nothing: the round dates the question.
#[test]
fn p12_the_auditors_clock_does_not_date_a_scheduled_audit() {
    for skew in [-300_000i64, 300_000] {
        let mut s = FleetScene::honest();
        for a in &mut s.audits {
            a.bundle.asked_unix_ms = a.bundle.asked_unix_ms.saturating_add_signed(skew);
            a.bundle.answered_unix_ms = a.bundle.answered_unix_ms.saturating_add_signed(skew);
        }
        s.outcomes();
        assert_eq!(s.report().exit_code, 0);
    }
}

/// An audit in no log: neither this one nor what rests on it.
#[test]
fn an_audit_that_is_not_logged_is_undecided() {
    let mut s = FleetScene::honest();
    s.audits[5].outcome = None;
    let report = s.report();
    assert_eq!(standing(&report, Standing::Undecided), [C::NotLogged]);
    // And its outcome is missing from the log.
    assert_eq!(report.claim(Claim::Logged).verdict, Refuted);
}

/// An outcome entered for another bundle does not stand for this one.
#[test]
fn an_outcome_of_another_bundle_is_not_this_ones() {
    let mut s = FleetScene::honest();
    let other = s.audits[0].outcome.as_ref().unwrap().bundle;
    s.audits[5].outcome.as_mut().unwrap().bundle = other;
    assert!(standing(&s.report(), Standing::Undecided).contains(&C::LogProofRefused));
}
