//! Questions of a schedule: beacon, nonce, commitments; what was not fixed before the round.

use bailiwick_protocol::challenge::Challenge;
use bailiwick_protocol::ids::Nonce;
use bailiwick_verifier::{AssumptionCode, Claim, ReasonCode as C, Standing, Verdict};

use crate::beacon_chain::{self, published};
use crate::fleet_world::{EPOCHS, FleetScene, ask_again, round_of, standing};

use Verdict::{Inconclusive, Refuted, Supported};

/// P08: judged at a moment before the round is published.
#[test]
fn p08_a_round_not_yet_published_is_refused() {
    let mut s = FleetScene::honest();
    s.now = published(round_of(EPOCHS)) - 1;
    assert_eq!(standing(&s.report(), Standing::Undecided), [C::BeaconFuture, C::BeaconFuture]);
}

/// P09, P10: another round than the epoch's, a forged one, another chain's, none.
#[test]
fn p10_other_rounds_are_refused() {
    type Change = fn(&mut Challenge);
    let changes: [(C, Change); 4] = [
        (C::BeaconRefused, |c| c.beacon = Some(beacon_chain::round(round_of(c.epoch) - 1))),
        (C::BeaconRefused, |c| c.beacon.as_mut().unwrap().signature[20] ^= 1),
        (C::BeaconRefused, |c| c.beacon.as_mut().unwrap().chain = [9; 32]),
        (C::BeaconMissing, |c| c.beacon = None),
    ];
    for (code, change) in changes {
        let mut s = FleetScene::honest();
        ask_again(&mut s, 5, change);
        let report = s.report();
        assert_eq!(standing(&report, Standing::Undecided), [code]);
        assert_ne!(report.exit_code, 0);
    }
    let mut s = FleetScene::honest();
    ask_again(&mut s, 5, |_| ());
    assert_eq!(s.report().exit_code, 0);
}

/// P11, grinding: a nonce other than the committed one, or a commitment after the round.
#[test]
fn p11_the_nonce_is_fixed_before_the_round() {
    let mut s = FleetScene::honest();
    ask_again(&mut s, 4, |c| c.nonce = Nonce([1; 32]));
    let report = s.report();
    assert_eq!(standing(&report, Standing::Undecided), [C::NonceDiffers]);
    assert_ne!(report.exit_code, 0);
    for (late_ms, code) in [(0, Some(C::CommittedLate)), (5_000, Some(C::CommittedLate)), (-2_000i64, None)] {
        let mut s = FleetScene::honest();
        s.commitments[1].1 = published(round_of(2)).saturating_add_signed(late_ms);
        let report = s.report();
        let expected: Vec<_> = code.into_iter().flat_map(|c| [c, c]).collect();
        assert_eq!(standing(&report, Standing::Undecided), expected, "{late_ms}");
        assert_eq!(
            report.claim(Claim::Logged).verdict,
            if code.is_some() { Inconclusive } else { Supported }
        );
    }
    let mut s = FleetScene::honest();
    s.commitments.remove(1);
    let report = s.report();
    assert_eq!(standing(&report, Standing::Undecided), [C::NotCommitted, C::NotCommitted]);
    assert_ne!(report.exit_code, 0);
    // Announced after the first round.
    let mut s = FleetScene::honest();
    s.announced_ms = published(round_of(1)) + 1;
    let report = s.report();
    assert_eq!(standing(&report, Standing::Undecided), [C::CommittedLate, C::CommittedLate]);
    assert_ne!(report.exit_code, 0);
}

/// P11: two commitments to one epoch leave a choice; the auditor's own signatures contradict each other.
#[test]
fn p11_two_commitments_refute_logged() {
    let mut s = FleetScene::honest();
    let (mut other, at) = s.commitments[1].clone();
    other.nonce.0[0] ^= 1;
    s.commitments.push((other, at + 1_000));
    let report = s.report();
    assert_eq!(report.claim(Claim::Logged).reasons[0].code, C::TwoCommitments);
    assert_eq!(report.claim(Claim::Logged).verdict, Refuted);
    assert_eq!(standing(&report, Standing::Undecided), [C::TwoCommitments, C::TwoCommitments]);
}

/// P11: an outcome entered for a question of the auditor's choosing is none of the epoch's: of a committed nonce or inventory the auditor
/// contradicts its own signature; a question off the schedule or the beacon leaves the epoch without its audit.
#[test]
fn p11_outcomes_of_other_questions_do_not_complete_the_record() {
    type Change = fn(&mut Challenge);
    let changes: [(C, Verdict, Change); 4] = [
        (C::NonceDiffers, Refuted, |c| c.nonce = Nonce([1; 32])),
        (C::BeaconMissing, Inconclusive, |c| c.beacon = None),
        (C::BeaconRefused, Inconclusive, |c| {
            c.beacon = Some(beacon_chain::round(round_of(c.epoch) - 1));
        }),
        (C::OffSchedule, Inconclusive, |c| c.vk.0[0] ^= 1),
    ];
    for (code, verdict, change) in changes {
        let mut s = FleetScene::honest();
        ask_again(&mut s, 4, change);
        let report = s.report();
        let logged = report.claim(Claim::Logged);
        assert_eq!((logged.verdict, logged.reasons[0].code), (verdict, code), "{:#?}", logged.reasons);
        let stored = report.claim(Claim::Stored);
        assert_eq!((stored.verdict, stored.reasons[0].code), (Inconclusive, C::AuditsLeftOpen));
        assert_eq!(report.exit_code, if verdict == Refuted { 1 } else { 2 });
    }
}

/// P09: a schedule over another beacon chain has no rounds that the reader could date: it does not count, and the record says so.
#[test]
fn p09_a_schedule_of_another_chain_does_not_count() {
    let mut s = FleetScene::honest();
    s.reschedule(|schedule| schedule.chain = [9; 32]);
    let report = s.report();
    assert!(report.fleet.schedules.iter().all(|s| s.due == 0), "{:#?}", report.fleet.schedules);
    assert_eq!(report.fleet.audits.missing, 0);
    let logged = report.claim(Claim::Logged);
    assert_eq!((logged.verdict, logged.reasons[0].code), (Inconclusive, C::BeaconRefused));
    let mut s = FleetScene::honest();
    s.reschedule(|schedule| schedule.answer_ms += 1);
    assert_eq!(s.report().exit_code, 0);
}

/// P11, grinding by parallel schedules: nothing in a dossier shows that there were no others, so the verdicts say what they assume.
#[test]
fn p11_the_verdict_states_that_no_other_schedules_were_left_out() {
    let stated = |s: FleetScene| {
        let report = s.report();
        assert_eq!(report.exit_code, 0, "{:#?}", report.claims);
        let codes = |claim| -> Vec<String> {
            let codes = report.claim(claim).assumptions.iter().map(|a| format!("{:?}", a.code));
            codes.filter(|c| c.contains("Schedules")).collect()
        };
        assert_eq!(codes(Claim::Stored), codes(Claim::Logged));
        codes(Claim::Logged)
    };
    assert_eq!(stated(FleetScene::honest()), ["AllSchedulesShown"]);
    let mut s = FleetScene::honest();
    let named = format!("max_checkpoint_age_hours = 2\nschedules = [\"{}\"]\n", s.schedule.digest());
    s.policy = s.policy.replace("max_checkpoint_age_hours = 2\n", &named);
    assert_eq!(stated(s), ["SchedulesNamedBefore"]);
    let headline = FleetScene::honest().report().claim(Claim::Logged).headline.clone();
    assert!(headline.contains("by the schedules shown"), "{headline}");
}

/// What the answers rest on is said of each scheme: a key that is not at hand beside one that is leaves general words, too.
#[test]
fn an_unknown_scheme_beside_a_known_one_is_assumed_to_be_sound() {
    let said = |s: FleetScene| {
        let c = s.report().claim(Claim::Stored).clone();
        c.assumptions.into_iter().filter(|a| a.code == AssumptionCode::Cryptography).map(|a| a.text).collect()
    };
    let known: Vec<String> = said(FleetScene::honest());
    let mut s = FleetScene::honest();
    ask_again(&mut s, 0, |c| c.vk.0[0] ^= 1);
    let both: Vec<String> = said(s);
    assert_eq!(known.len(), 1);
    assert_eq!(both.len(), 2);
    assert_eq!(both[0], known[0]);
    assert!(both[1].contains("the possession scheme is sound"), "{both:?}");
}
