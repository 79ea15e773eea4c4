//! Dossiers: each way to cheat with many audits, beside the honest fleet.

use bailiwick_protocol::bundle::{Answer, NoAnswer};
use bailiwick_protocol::challenge::{CannotProve, Challenge, Response, SignedChallenge, SignedResponse};
use bailiwick_protocol::codec::Canonical;
use bailiwick_protocol::dossier::Dossier;
use bailiwick_protocol::envelope::Envelope;
use bailiwick_protocol::ids::{Nonce, RosterKey};
use bailiwick_protocol::inventory::SignedInventory;
use bailiwick_protocol::schedule::Offered;
use bailiwick_roster::{OpenError, Parent, Role, SignedRoster};
use bailiwick_verifier::{Claim, FleetReport, ReasonCode, Scope, Standing, Unusable, Verdict, exit_code};

use crate::beacon_chain::{self, published};
use crate::fleet_world::{
    ANSWER_MS, EPOCHS, FIRST_ROUND, FleetScene, HOSTS, POLICY, audit, challenge, held_by, inventory_of, now,
    object, opened_by, roster, roster_principal, round_of,
};
use crate::test_log;
use crate::world::{envelope, key};

use ReasonCode as C;
use Verdict::{Inconclusive, Refuted, Supported};

#[test]
fn the_honest_fleet_is_supported() {
    let report = FleetScene::honest().report();
    for (claim, verdict) in [
        (Claim::Opaque, Supported),
        (Claim::Stored, Supported),
        (Claim::Served, Inconclusive),
        (Claim::Resident, Inconclusive),
        (Claim::Custody, Inconclusive),
        (Claim::Survivable, Inconclusive),
        (Claim::Logged, Supported),
    ] {
        assert_eq!(report.claim(claim).verdict, verdict, "{claim}: {:#?}", report.claim(claim).reasons);
    }
    assert_eq!((report.exit_code, report.outcome), (0, Supported));
    assert_eq!((report.fleet.audits.held, report.fleet.audits.total), (6, 6));
    assert_eq!((report.fleet.hosts.len(), report.fleet.objects), (2, 3));
    let log = report.claim(Claim::Logged).numbers.log.unwrap();
    assert_eq!((log.scheduled, log.logged_in_time, log.missing), (6, 6, 0));
}

/// A question fixed by beacon and commitment does not rest on the auditor's honesty.
#[test]
fn scheduled_audits_do_not_assume_an_honest_auditor() {
    let stored = FleetScene::honest().report().claim(Claim::Stored).clone();
    let said = |code: &str| stored.assumptions.iter().any(|a| format!("{:?}", a.code) == code);
    assert!(said("BeaconUnpredictable") && said("WitnessesHonest") && said("OwnersCheckInventory"));
    assert!(!said("AuditorDoesNotCollude"));
}

/// Replaces the question of one audit by a changed one, which the host answers with a proof.
fn ask_again(s: &mut FleetScene, at: usize, change: impl Fn(&mut Challenge)) {
    let old = s.audits[at].bundle.challenge.decode_unverified().unwrap();
    let host = HOSTS.into_iter().find(|h| key(h).public() == old.host.0).unwrap();
    let held = held_by(host);
    let (tree, inventory) = inventory_of(host, old.epoch, &held);
    let mut new = old;
    change(&mut new);
    s.audits[at].bundle = audit(host, &new, &held, &inventory, &tree);
    s.outcomes();
}

fn standing(r: &FleetReport, s: Standing) -> Vec<C> {
    let entries = r.fleet.hosts.iter().flat_map(|h| &h.timeline).filter(|e| e.standing == s);
    entries.filter_map(|e| e.why.as_ref().map(|w| w.code)).collect()
}

/// T14: an audit that failed is left out of the log and of the dossier; the schedule shows the gap.
#[test]
fn t14_an_outcome_left_out_refutes_logged() {
    let mut s = FleetScene::honest();
    s.audits.remove(3);
    let logged = s.expect(Claim::Logged, Refuted, C::OutcomeMissing);
    assert_eq!(logged.numbers.log.unwrap().missing, 1);
    assert!(logged.reasons[0].text.contains("epoch 2"), "{}", logged.reasons[0].text);
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
    assert_eq!(standing(&s.report(), Standing::Undecided), [C::NonceDiffers]);
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
    assert_eq!(standing(&s.report(), Standing::Undecided), [C::NotCommitted, C::NotCommitted]);
    // Announced after the first round.
    let mut s = FleetScene::honest();
    s.announced_ms = published(round_of(1)) + 1;
    assert_eq!(standing(&s.report(), Standing::Undecided), [C::CommittedLate, C::CommittedLate]);
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

/// P13: the inventory is exchanged after the round was known.
#[test]
fn p13_an_inventory_other_than_the_committed_one() {
    let mut s = FleetScene::honest();
    let old = s.audits[4].bundle.challenge.decode_unverified().unwrap();
    let host = HOSTS.into_iter().find(|h| key(h).public() == old.host.0).unwrap();
    let held: Vec<Envelope> = held_by(host).into_iter().take(1).collect();
    let (tree, inventory) = inventory_of(host, EPOCHS, &held);
    let c = challenge(host, EPOCHS, &inventory);
    s.audits[4].bundle = audit(host, &c, &held, &inventory, &tree);
    s.outcomes();
    assert_eq!(standing(&s.report(), Standing::Undecided), [C::InventoryNotCommitted]);
}

/// Two inventories of one host and epoch refute *stored* and *logged*; the same one twice does not.
#[test]
fn two_inventories_of_one_epoch_refute() {
    let (_, first) = inventory_of("host", 2, &held_by("host"));
    let mut s = FleetScene::honest();
    s.inventories.push(SignedInventory::new(&first, &key("host")));
    assert_eq!(s.report().exit_code, 0);
    let (_, second) = inventory_of("host", 2, &held_by("host")[..1]);
    let two = |signer: &'static str| {
        let mut s = FleetScene::honest();
        s.inventories.push(SignedInventory::new(&second, &key(signer)));
        s.report()
    };
    let report = two("host");
    for claim in [Claim::Stored, Claim::Logged] {
        let c = report.claim(claim);
        assert_eq!((c.verdict, c.reasons[0].code), (Refuted, C::TwoInventories));
    }
    // P15: signed by somebody else, it frames nobody.
    let report = two("other host");
    assert_eq!(report.exit_code, 0);
    assert_eq!(report.fleet.ignored[0].code, C::InventoryNotByHost);
}

/// A host that gives no inventory has failed its audit, and the log accounts for it.
#[test]
fn a_host_without_an_inventory_fails() {
    let mut s = FleetScene::honest();
    let host = s.schedule.hosts[0].host;
    let at = s.audits.iter().rposition(|a| a.outcome.as_ref().unwrap().host == host).unwrap();
    s.audits.remove(at);
    let (c, _) = s.commitments.last_mut().unwrap();
    c.hosts.iter_mut().find(|(h, _)| *h == host).unwrap().1 = Offered::Nothing(NoAnswer::Refused);
    let report = s.report();
    assert_eq!(report.claim(Claim::Stored).reasons[0].code, C::NoInventoryOffered);
    assert_eq!(report.claim(Claim::Stored).verdict, Refuted);
    assert_eq!(report.claim(Claim::Logged).verdict, Supported);
}

/// P16: errors on challenged parts only: a lost answer is a failed answer. But an auditor's word about a question
/// that was not fixed in time refutes nobody.
#[test]
fn p16_a_lost_answer_fails_only_where_the_question_was_due() {
    let silent = || {
        let mut s = FleetScene::honest();
        s.audits[2].bundle.answer = Answer::None(NoAnswer::TimedOut);
        s.audits[2].bundle.envelopes.clear();
        s.audits[2].bundle.inventory.as_mut().unwrap().leaves.clear();
        s.outcomes();
        s
    };
    silent().expect(Claim::Stored, Refuted, C::NoSignedAnswer);
    let mut s = silent();
    s.commitments[1].1 = published(round_of(2)) + 1;
    assert_ne!(s.report().claim(Claim::Stored).verdict, Refuted);
}

/// P14: an auditor that logs its own word that no answer came beside the signed answer itself refutes nobody; a host that signed
/// against itself gains nothing from an older answer. Either way a question counts once.
#[test]
fn p14_one_question_counts_once_and_a_signed_answer_beats_the_auditors_word() {
    let with = |answer: &dyn Fn(&Challenge, &str) -> Answer| {
        let mut s = FleetScene::honest();
        let c = s.audits[2].bundle.challenge.decode_unverified().unwrap();
        let host = HOSTS.into_iter().find(|h| key(h).public() == c.host.0).unwrap();
        let mut second = s.audits[2].clone();
        second.bundle.answer = answer(&c, host);
        s.audits.push(second);
        s.outcomes();
        s
    };
    let held = FleetScene::honest().report().fleet.audits.held;
    let on_word = with(&|_, _| Answer::None(NoAnswer::TimedOut)).report();
    assert_eq!(on_word.claim(Claim::Stored).verdict, Supported);
    assert_eq!(standing(&on_word, Standing::Undecided), [C::QuestionRepeated]);
    assert_eq!(on_word.fleet.audits.held, held);
    let own_word = with(&|c, host| {
        let response = Response { challenge: c.digest(), outcome: Err(CannotProve::CellsUnavailable) };
        Answer::Response(SignedResponse::new(&response, &key(host)))
    });
    let own_word = own_word.report();
    assert_eq!(own_word.claim(Claim::Stored).verdict, Refuted);
    assert_eq!(own_word.fleet.audits.held, held - 1);
}

/// P01, P16: what the host itself signed stands whatever the schedule.
#[test]
fn p01_the_hosts_own_word_refutes() {
    let mut s = FleetScene::honest();
    let c = s.audits[2].bundle.challenge.decode_unverified().unwrap();
    let host = HOSTS.into_iter().find(|h| key(h).public() == c.host.0).unwrap();
    let response = Response { challenge: c.digest(), outcome: Err(CannotProve::CellsUnavailable) };
    s.audits[2].bundle.answer = Answer::Response(SignedResponse::new(&response, &key(host)));
    s.outcomes();
    s.expect(Claim::Stored, Refuted, C::HostCannotProve);
}

/// P01, Z16: one false proof among true ones in a batch is found, and is that host's.
#[test]
fn p01_one_false_proof_among_many_is_found() {
    let mut s = FleetScene::honest();
    let c = s.audits[3].bundle.challenge.decode_unverified().unwrap();
    let host = HOSTS.into_iter().find(|h| key(h).public() == c.host.0).unwrap();
    let Answer::Response(other) = &s.audits[2].bundle.answer else { panic!() };
    let proof = other.decode_unverified().unwrap().outcome;
    let response = Response { challenge: c.digest(), outcome: proof };
    s.audits[3].bundle.answer = Answer::Response(SignedResponse::new(&response, &key(host)));
    s.outcomes();
    let report = s.report();
    assert_eq!(standing(&report, Standing::Failed), [C::ProofDoesNotVerify]);
    assert_eq!(report.fleet.audits.held, 5);
}

/// P05, P07: an answer of another epoch, and the challenge of another auditor, support nothing.
#[test]
fn p05_an_answer_of_another_epoch_is_unrelated() {
    let mut s = FleetScene::honest();
    s.audits[4].bundle.answer = s.audits[2].bundle.answer.clone();
    s.outcomes();
    assert_eq!(standing(&s.report(), Standing::Undecided)[0], C::AnswerToAnotherChallenge);
    let mut s = FleetScene::honest();
    let c = s.audits[4].bundle.challenge.decode_unverified().unwrap();
    s.audits[4].bundle.challenge = SignedChallenge::new(&c, &key("other auditor"));
    s.outcomes_of(4, &c);
    assert_ne!(s.report().claim(Claim::Stored).verdict, Refuted);
}

/// P04: a proof made for another host's question.
#[test]
fn p04_another_hosts_answer_is_not_this_hosts() {
    let mut s = FleetScene::honest();
    let (a, b) = (s.audits[4].bundle.answer.clone(), s.audits[5].bundle.answer.clone());
    (s.audits[4].bundle.answer, s.audits[5].bundle.answer) = (b, a);
    s.outcomes();
    let report = s.report();
    assert_eq!(standing(&report, Standing::Undecided), [C::AnswerNotByHost, C::AnswerNotByHost]);
}

/// Padding: junk of an owner nobody knows dilutes the sampling, and the printed chance shows it.
#[test]
fn p02_junk_in_the_inventory_dilutes_and_is_shown() {
    let padded = |host: &str| {
        let mut list = held_by(host);
        for id in 100..110 {
            list.push(envelope("mallory", id, 120_000));
        }
        list.sort_by_key(Envelope::name);
        list
    };
    let honest = FleetScene::honest().report();
    let report = FleetScene::with(padded).report();
    let chance = |r: &FleetReport| {
        let d = &r.claim(Claim::Stored).numbers.month_detection;
        d.iter().find(|s| s.scope == Scope::All).map_or(0.0, |s| s.losses.last().unwrap().probability)
    };
    assert!(chance(&honest) > 0.85, "{}", chance(&honest));
    assert!(chance(&report) < 0.5, "{}", chance(&report));
    assert_ne!(report.claim(Claim::Stored).verdict, Supported);
}

/// P02: chances of the month are those of its audits together: 1 - (1 - f)^(S·n).
#[test]
fn p02_detection_is_compounded_over_the_month() {
    let report = FleetScene::honest().report();
    for host in &report.fleet.hosts {
        let half = |list: &[bailiwick_verifier::ScopeDetection]| {
            let all = list.iter().find(|s| s.scope == Scope::All).unwrap();
            all.losses.iter().find(|d| d.lost_fraction == 0.5).unwrap().probability
        };
        assert_eq!((half(&host.audit_detection), half(&host.month_detection)), (0.5, 0.875));
        assert_eq!(host.month_audits, EPOCHS);
    }
    let mut s = FleetScene::honest();
    s.policy = POLICY.replace("min_detection_month = 0.6", "min_detection_month = 0.88");
    s.expect(Claim::Stored, Inconclusive, C::DetectionBelowPolicy);
    let mut s = FleetScene::honest();
    s.policy = POLICY.replace("max_age_hours = 24\n", "max_age_hours = 720\nepochs = 4\n");
    s.policy = s.policy.replace("max_checkpoint_age_hours = 2", "max_checkpoint_age_hours = 720");
    s.expect(Claim::Stored, Inconclusive, C::TooFewAudits);
}

/// T13: the last audit that held is too old; a host without any is not shown.
#[test]
fn t13_stale_or_absent_hosts_are_not_shown() {
    let mut s = FleetScene::honest();
    s.now = now() + 24 * 3_600_000;
    s.expect(Claim::Stored, Inconclusive, C::Stale);
    let mut s = FleetScene::honest();
    let host = s.schedule.hosts[0].host;
    s.audits.retain(|a| a.outcome.as_ref().unwrap().host != host);
    s.expect(Claim::Stored, Inconclusive, C::HostNotShown);
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

fn with_recipients(recipients: &'static [Option<&'static str>]) -> FleetScene {
    FleetScene::with(move |host| {
        let mut list = held_by(host);
        if host == "host" {
            list[0] = object(
                if list[0].object.0[0] == 1 { "alice" } else { "bob" },
                list[0].object.0[0],
                20_000,
                recipients,
            );
        }
        list
    })
}

fn roster_with(change: impl Fn(&mut Vec<bailiwick_roster::Principal>)) -> bailiwick_roster::Roster {
    let mut r = roster();
    change(&mut r.principals);
    r.principals.sort_by(|a, b| a.name.cmp(&b.name));
    r
}

/// Whether the object with these recipients was among those sampled.
fn sampled_it(r: &FleetReport) -> bool {
    r.claim(Claim::Opaque).numbers.recipients.is_some_and(|c| c.total > 3 || c.anonymous > 0)
}

#[test]
fn opaque_needs_known_recipients() {
    let s = with_recipients(&[Some("reader"), None]);
    let report = s.report();
    assert!(sampled_it(&report), "the seed of the scene must sample it");
    assert_eq!(report.claim(Claim::Opaque).reasons[0].code, C::AnonymousRecipients);
    with_recipients(&[Some("reader"), Some("nobody")]).expect(
        Claim::Opaque,
        Inconclusive,
        C::RecipientUnknown,
    );
}

/// A host, a gateway, or whoever is run by the same firm among the recipients refutes *opaque*.
#[test]
fn opaque_is_refuted_by_a_host_or_gateway_among_the_recipients() {
    for role in [Role::Host, Role::Gateway, Role::Vendor, Role::Recipient] {
        let mut s = with_recipients(&[Some("reader"), Some("insider")]);
        s.roster = Some(roster_with(|list| {
            let mut p = roster_principal(Role::Recipient, "insider", "CH", "CH");
            p.role = role;
            if role == Role::Recipient {
                p.provider = Some("Example Cloud".to_owned());
            }
            list.push(p);
        }));
        s.expect(Claim::Opaque, Refuted, C::RecipientIsHost);
    }
    let mut s = with_recipients(&[Some("reader"), Some("insider")]);
    s.roster = Some(roster_with(|list| list.push(roster_principal(Role::Recipient, "insider", "CH", "CH"))));
    s.expect(Claim::Opaque, Supported, C::Opened);
}

/// A recipient within reach of a forbidden law that also reaches a host: by its own law, its parent's, or who pushes code.
#[test]
fn opaque_is_refuted_by_a_shared_forbidden_law() {
    let paths: [fn(&mut bailiwick_roster::Principal); 3] = [
        |p| p.law = "CN".parse().unwrap(),
        |p| p.parent = Some(Parent { name: None, law: "CN".parse().unwrap() }),
        |p| p.pushes_code = vec!["vendor".to_owned()],
    ];
    for path in paths {
        let mut s = FleetScene::honest();
        s.roster = Some(roster_with(|list| {
            list.push(roster_principal(Role::Vendor, "vendor", "CN", "CN"));
            path(list.iter_mut().find(|p| p.name == "reader").unwrap());
        }));
        s.expect(Claim::Opaque, Refuted, C::RecipientInReach);
    }
    // The law reaches the hosts alone: no matter.
    let mut s = FleetScene::honest();
    s.roster = Some(roster_with(|list| list.push(roster_principal(Role::Vendor, "vendor", "CN", "CN"))));
    s.expect(Claim::Opaque, Supported, C::Opened);
}

/// Nobody opened it, somebody unknown did, or another body was opened.
#[test]
fn opaque_needs_somebody_who_opened_each_object() {
    let objects: Vec<Envelope> = HOSTS.iter().flat_map(|h| held_by(h)).collect();
    let mut s = FleetScene::honest();
    s.opened.clear();
    s.expect(Claim::Opaque, Inconclusive, C::NotOpened);
    for opener in ["mallory", "host", "alice"] {
        let mut s = FleetScene::honest();
        s.opened = objects.iter().map(|e| opened_by(opener, e)).collect();
        let c = s.expect(Claim::Opaque, Inconclusive, C::NotOpened);
        assert_eq!(c.numbers.opened.unwrap().opened, 0, "{opener}");
    }
    let mut s = FleetScene::honest();
    s.opened = objects.iter().map(|e| opened_by("auditor", e)).collect();
    s.expect(Claim::Opaque, Supported, C::Opened);
    let mut s = FleetScene::honest();
    s.opened = objects
        .iter()
        .map(|e| {
            let mut other = e.clone();
            other.body.blake3.0[0] ^= 1;
            opened_by("reader", &other)
        })
        .collect();
    s.expect(Claim::Opaque, Inconclusive, C::NotOpened);
}

/// A recipient where `[keys]` allows none.
#[test]
fn opaque_is_refuted_by_a_recipient_outside_what_keys_allow() {
    let with = |law: &str| {
        let mut s = FleetScene::honest();
        s.policy = format!("{POLICY}[keys]\nallowed_laws = [\"{law}\"]\n");
        s
    };
    with("FR").expect(Claim::Opaque, Refuted, C::PlaceForbidden);
    with("CH").expect(Claim::Opaque, Supported, C::Opened);
}

const CUSTODY: &str = "[custody]\nno_single = [\"bloc\"]\n";

#[test]
fn custody_is_refuted_by_a_power_that_reaches_a_key_and_never_supported() {
    let with = |more: &str| {
        let mut s = FleetScene::honest();
        s.policy = format!("{POLICY}{more}");
        s
    };
    // CH and NO are in blocs of their own or none: reached by no bloc but Norway's realm.
    let report = with(CUSTODY).report();
    let custody = report.claim(Claim::Custody);
    let powers: Vec<&str> = custody.numbers.powers.iter().map(|p| p.power.as_str()).collect();
    assert_eq!(powers, ["bloc:NO-with-territories"]);
    let c = with("[custody]\nno_single = [\"law\"]\n").expect(Claim::Custody, Refuted, C::PowerReachesKey);
    assert!(c.reasons.iter().any(|r| r.text.contains("CH reaches the whole key")), "{:#?}", c.reasons);
    with("[custody]\nno_single = [\"provider\"]\n").expect(Claim::Custody, Inconclusive, C::NoSharing);
    let keys = "[custody]\nno_single = [\"provider\"]\n[keys]\nforbidden_laws = [\"CH\"]\n";
    with(keys).expect(Claim::Custody, Refuted, C::PlaceForbidden);
    with(&keys.replace("CH", "CN")).expect(Claim::Custody, Inconclusive, C::NoSharing);
    let allowed = keys.replace("forbidden_laws = [\"CH\"]", "allowed_laws = [\"CH\"]");
    with(&allowed).expect(Claim::Custody, Refuted, C::PlaceForbidden);
    with(&allowed.replace("[\"CH\"]", "[\"CH\", \"NO\"]")).expect(Claim::Custody, Inconclusive, C::NoSharing);
}

#[test]
fn survivable_is_refuted_when_one_loss_takes_all_keys_or_all_hosts() {
    let with = |kinds: &str| {
        let mut s = FleetScene::honest();
        s.policy = format!("{POLICY}[survivable]\nlose = [{kinds}]\n");
        s
    };
    // Every object has one recipient, under Swiss law.
    let c = with("\"law\"").expect(Claim::Survivable, Refuted, C::PowerTakesAll);
    assert!(c.reasons[0].text.contains("with CH every recipient of 3 objects"), "{:#?}", c.reasons);
    // Each object lies at one provider: known copies only, so open.
    let c = with("\"provider\"").expect(Claim::Survivable, Inconclusive, C::PowerTakesAll);
    assert!(c.reasons.iter().any(|r| r.code == C::NoSharing));
    let mut s = with("\"provider\"");
    s.roster = Some(roster_with(|list| {
        for p in list.iter_mut().filter(|p| p.role == Role::Host) {
            p.provider = Some("Example Cloud".to_owned());
        }
    }));
    let c = s.expect(Claim::Survivable, Refuted, C::PowerTakesAll);
    assert!(c.reasons[0].text.contains("every host of the roster"), "{:#?}", c.reasons);
}

/// Data where the policy forbids it, by the reader's own roster.
#[test]
fn resident_is_refuted_by_the_roster_and_never_supported() {
    let with = |law: &str| {
        let mut s = FleetScene::honest();
        s.policy = format!("{POLICY}[data]\nforbidden_laws = [\"{law}\"]\n");
        s
    };
    with("CN").expect(Claim::Resident, Refuted, C::PlaceForbidden);
    with("ZA").expect(Claim::Resident, Inconclusive, C::NoEvidence);
}

#[test]
fn concentration_is_reported() {
    let report = FleetScene::honest().report();
    let by: Vec<String> = report.fleet.concentration.iter().map(|s| format!("{:?}", s.by)).collect();
    assert_eq!(by, ["Provider", "Country", "Law", "ParentLaw"]);
    for s in &report.fleet.concentration {
        assert_eq!(s.total, s.parts.iter().map(|p| p.weight).sum::<u64>());
        assert!(s.largest().unwrap().basis_points >= 5_000, "two hosts: {:?}", s.parts);
    }
}

/// P15: a roster signed by an unknown key, expired, or older than one seen: the reader's own is an error with a name; one
/// from the dossier is not used, and the claims that need it say why.
#[test]
fn p15_rosters_that_may_not_be_used() {
    let old_seen = |s: &mut FleetScene| {
        let seen = format!("last_seen = {{ number = 8, digest = \"{}\" }}\n", "ab".repeat(32));
        let authority = format!("authority = \"{}\"\n", crate::world::hex("authority"));
        s.anchors = s.anchors.replace(&authority, &format!("{authority}{seen}"));
    };
    type Change<'a> = (&'a str, &'a dyn Fn(&mut FleetScene) -> Vec<u8>);
    let cases: [Change<'_>; 4] = [
        ("unknown", &|_| {
            let mut r = roster();
            r.authority = RosterKey(key("mallory").public());
            SignedRoster::new(&r, &key("mallory")).to_bytes()
        }),
        ("signature", &|_| SignedRoster::new(&roster(), &key("mallory")).to_bytes()),
        ("expired", &|s| {
            let mut r = roster();
            r.valid_until_unix_ms = s.now;
            SignedRoster::new(&r, &key("authority")).to_bytes()
        }),
        ("rolled back", &|s| {
            old_seen(s);
            SignedRoster::new(&roster(), &key("authority")).to_bytes()
        }),
    ];
    for (what, bytes) in cases {
        let mut s = FleetScene::honest();
        let bytes = bytes(&mut s);
        s.readers_roster = Some(bytes.clone());
        let (mut dossier, mut s) = s.dossier();
        match s.verify_bytes(&dossier.to_bytes()) {
            Err(Unusable::Roster(e)) => match what {
                "unknown" => assert!(matches!(e, OpenError::UnknownKey { .. })),
                "signature" => assert_eq!(e, OpenError::BadSignature),
                "expired" => assert!(matches!(e, OpenError::Expired { .. })),
                _ => assert_eq!(e, OpenError::RolledBack { found: 7, seen: 8 }),
            },
            other => panic!("{what}: {other:?}"),
        }
        s.readers_roster = None;
        dossier.roster = Some(bytes);
        let report = s.verify_bytes(&dossier.to_bytes()).unwrap();
        assert_eq!(report.claim(Claim::Opaque).reasons[0].code, C::NoRoster, "{what}");
        assert!(report.fleet.roster.is_none());
        assert_eq!(report.exit_code, 2);
    }
    // A roster without a pinned authority is nobody's.
    let mut s = FleetScene::honest();
    s.readers_roster = Some(SignedRoster::new(&roster(), &key("authority")).to_bytes());
    assert_eq!(FleetScene { ..s }.report().exit_code, 0);
    let mut s = FleetScene::honest();
    s.readers_roster = Some(SignedRoster::new(&roster(), &key("authority")).to_bytes());
    s.anchors =
        s.anchors.replace(&format!("[roster]\nauthority = \"{}\"\n", crate::world::hex("authority")), "");
    assert!(matches!(s.verify(), Err(Unusable::NoAuthority)));
}

/// The roster alone can anchor hosts and owners; what the file of anchors says of a key comes first.
#[test]
fn a_roster_anchors_hosts_and_owners() {
    let mut s = FleetScene::honest();
    for (role, name) in [("host", "host"), ("host", "other host"), ("owner", "alice"), ("owner", "bob")] {
        s.anchors = s.anchors.replace(&crate::world::principal(role, name), "");
    }
    assert_eq!(s.report().exit_code, 0);
    let mut s = FleetScene::honest();
    s.anchors = s.anchors.replace(&crate::world::principal("host", "other host"), "");
    s.roster = None;
    assert_ne!(s.report().claim(Claim::Stored).verdict, Supported);
}

/// Evidence reordered or repeated is not a dossier; extra evidence that nobody known signed is named and changes nothing.
#[test]
fn t16_reordered_and_repeated_evidence_is_refused() {
    let (dossier, s) = FleetScene::honest().dossier();
    let changes: [fn(&mut Dossier); 6] = [
        |d| d.audits.swap(0, 1),
        |d| d.audits.insert(0, d.audits[0].clone()),
        |d| d.announced.swap(0, 1),
        |d| d.announced.insert(0, d.announced[0].clone()),
        |d| d.opened.swap(0, 1),
        |d| d.opened.insert(0, d.opened[0].clone()),
    ];
    for (i, change) in changes.into_iter().enumerate() {
        let mut bad = dossier.clone();
        change(&mut bad);
        assert!(matches!(s.verify_bytes(&bad.to_bytes()), Err(Unusable::Dossier(_))), "change {i}");
    }
    assert_eq!(s.verify_bytes(&dossier.to_bytes()).unwrap().exit_code, 0);
}

/// Extra evidence: a bundle of an auditor nobody anchored, an announcement of a stranger.
#[test]
fn extra_evidence_of_strangers_is_named_and_changes_nothing() {
    let (mut dossier, s) = FleetScene::honest().dossier();
    let extra = s.audits[0].bundle.clone();
    let mut extra = bailiwick_protocol::bundle::Bundle { asked_unix_ms: 1, ..extra };
    extra.auditor.0 = key("mallory").public();
    dossier.audits.push(bailiwick_protocol::dossier::LoggedAudit {
        bundle: bailiwick_protocol::bundle::SignedBundle::new(&extra, &key("mallory")),
        outcome: None,
    });
    dossier.sort();
    let report = s.verify_bytes(&dossier.to_bytes()).unwrap();
    assert_eq!(report.exit_code, 0);
    assert_eq!(report.fleet.ignored[0].code, C::BundleNotByAuditor);
    assert_eq!(report.fleet.audits.total, 6);
}

/// T16: every truncation, trailing bytes, deep nesting, announced lengths beyond the input.
#[test]
fn t16_hostile_bytes_are_refused() {
    let (dossier, s) = FleetScene::honest().dossier();
    let good = dossier.to_bytes();
    assert!(Dossier::is_likely(&good));
    for end in (0..good.len()).step_by(97) {
        assert!(matches!(s.verify_bytes(&good[..end]), Err(Unusable::Dossier(_))), "{end}");
    }
    assert!(s.verify_bytes(&[good.as_slice(), b"x"].concat()).is_err());
    assert!(s.verify_bytes(&vec![0x81; 1_000_000]).is_err());
    let mut lengths = good.clone();
    // Up to the contents of the roster.
    for at in 0..25 {
        lengths[at] = 0x9b;
        assert!(s.verify_bytes(&lengths).is_err());
        lengths[at] = good[at];
    }
}

/// T15: exit codes of dossiers; an empty one supports nothing.
#[test]
fn t15_exit_codes_of_dossiers() {
    let s = FleetScene::honest();
    let empty = s.verify_bytes(&Dossier::default().to_bytes()).unwrap();
    assert_eq!((empty.exit_code, empty.outcome), (2, Inconclusive));
    assert!(empty.claims.iter().all(|c| c.verdict == Inconclusive));
    let codes = empty.claims.iter().filter(|c| c.required).map(|c| c.verdict);
    assert_eq!(exit_code(codes), 2);
    let mut s = FleetScene::honest();
    s.audits.remove(0);
    assert_eq!(s.report().exit_code, 1);
}

/// Named objects that no audit sampled are not shown.
#[test]
fn objects_the_policy_names_must_have_been_sampled() {
    let named = |object: &str| {
        let mut s = FleetScene::honest();
        let owner = crate::world::hex("alice");
        s.policy = format!("{POLICY}[[objects]]\nclaims = [\"stored\"]\nobjects = [\"{owner}/{object}\"]\n");
        s
    };
    // Its own host's audits all count; the other host holds nothing that does.
    let c = named(&"77".repeat(16)).report().claim(Claim::Stored).clone();
    assert_eq!(c.verdict, Inconclusive);
    assert!(c.reasons.iter().any(|r| r.code == C::ObjectNotSampled), "{:#?}", c.reasons);
}
