//! Answers in a dossier: lost, withheld, denied, repeated, of others.

use bailiwick_protocol::bundle::{Answer, InventoryEvidence, NoAnswer};
use bailiwick_protocol::challenge::{CannotProve, Challenge, Response, SignedChallenge, SignedResponse};
use bailiwick_protocol::envelope::SignedEnvelope;
use bailiwick_protocol::inventory::SignedInventory;
use bailiwick_protocol::schedule::Offered;
use bailiwick_verifier::{Claim, ReasonCode as C, Standing, Verdict};

use crate::beacon_chain::published;
use crate::fleet_world::{FleetScene, HOSTS, challenge, inventory_of, object, round_of, signed, standing};
use crate::world::key;

use Verdict::{Inconclusive, Refuted, Supported};

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

/// A node refuses a question whose class cannot hold an object of its inventory, and the class is the auditor's choice: where that may
/// be, the verdict says so.
#[test]
fn p16_a_refusal_may_be_the_auditors_choice_of_class() {
    let says_so = |why, size| {
        let mut s = FleetScene::with(|host| {
            let mut list = crate::fleet_world::held_by(host);
            list.push(object("bob", 9, size, &[Some("reader")]));
            list.sort_by_key(bailiwick_protocol::envelope::Envelope::name);
            list
        });
        s.audits[2].bundle.answer = Answer::None(why);
        s.audits[2].bundle.envelopes.clear();
        s.audits[2].bundle.inventory.as_mut().unwrap().leaves.clear();
        s.outcomes();
        let c = s.expect(Claim::Stored, Refuted, C::NoSignedAnswer);
        c.reasons[0].text.contains("the class, which is the auditor\u{2019}s choice")
    };
    // Class tiny holds 256 cells.
    assert!(says_so(NoAnswer::Refused, 120_000));
    assert!(!says_so(NoAnswer::Refused, 20_000));
    assert!(!says_so(NoAnswer::TimedOut, 120_000));
}

/// An auditor that logs its own word that no answer came beside the signed answer itself refutes nobody; a host that signed
/// against itself gains nothing from an older answer. Either way a question counts once.
#[test]
fn one_question_counts_once_and_a_signed_answer_beats_the_auditors_word() {
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

/// The host that an audit asked, by its name, and the question.
fn asked(s: &FleetScene, at: usize) -> (&'static str, Challenge) {
    let c = s.audits[at].bundle.challenge.decode_unverified().unwrap();
    (HOSTS.into_iter().find(|h| key(h).public() == c.host.0).unwrap(), c)
}

/// The host signs this instead of what it answered.
fn says(s: &mut FleetScene, at: usize, outcome: Result<[u8; 128], CannotProve>) {
    let (host, c) = asked(s, at);
    let outcome = outcome.map(|proof| proof.to_vec());
    let response = Response { challenge: c.digest(), outcome };
    s.audits[at].bundle.answer = Answer::Response(SignedResponse::new(&response, &key(host)));
    s.outcomes();
}

fn withhold_leaves(s: &mut FleetScene, at: usize) {
    s.audits[at].bundle.envelopes.clear();
    s.audits[at].bundle.inventory.as_mut().unwrap().leaves.clear();
    s.outcomes();
}

/// P14, P16: a host that denies what its own signed inventory lists contradicts itself, whatever the schedule.
#[test]
fn p14_denying_what_the_own_inventory_lists_is_a_failed_answer() {
    for late in [false, true] {
        let mut s = FleetScene::honest();
        says(&mut s, 2, Err(CannotProve::ObjectUnknown));
        if late {
            s.commitments[1].1 = published(round_of(2)) + 1;
        }
        s.expect(Claim::Stored, Refuted, C::HostDeniesObject);
    }
    // An inventory that somebody else signed frames nobody.
    let mut s = FleetScene::honest();
    says(&mut s, 2, Err(CannotProve::ObjectUnknown));
    let evidence = s.audits[2].bundle.inventory.as_mut().unwrap();
    let inventory = evidence.inventory.decode_unverified().unwrap();
    evidence.inventory = bailiwick_protocol::inventory::SignedInventory::new(&inventory, &key("mallory"));
    s.outcomes();
    assert_eq!(s.report().claim(Claim::Stored).verdict, Inconclusive);
}

/// P16: a proof is signed and the leaves it speaks of are withheld: failed on the auditor's word, which the verdict states, and only
/// where the question was due.
#[test]
fn p16_a_proof_without_its_leaves_is_a_failed_answer_on_the_auditors_word() {
    let withheld = || {
        let mut s = FleetScene::honest();
        withhold_leaves(&mut s, 2);
        s
    };
    let stored = withheld().expect(Claim::Stored, Refuted, C::LeavesWithheld);
    let said = |c: &bailiwick_verifier::ClaimReport| {
        c.assumptions.iter().any(|a| format!("{:?}", a.code) == "AuditorAskedAgain")
    };
    assert!(said(&stored));
    assert!(!said(FleetScene::honest().report().claim(Claim::Stored)));
    let mut s = withheld();
    s.commitments[1].1 = published(round_of(2)) + 1;
    assert_eq!(s.report().claim(Claim::Stored).verdict, Inconclusive);
    // The whole answer beside it contradicts the auditor's word.
    let mut s = FleetScene::honest();
    s.audits.push(s.audits[2].clone());
    let last = s.audits.len() - 1;
    withhold_leaves(&mut s, last);
    let report = s.report();
    assert_eq!(standing(&report, Standing::Undecided), [C::QuestionRepeated]);
    assert_eq!(report.claim(Claim::Stored).verdict, Supported);
    // Leaves that are there and not the sampled ones are nothing an honest auditor keeps.
    let mut s = FleetScene::honest();
    s.audits[2].bundle.inventory.as_mut().unwrap().leaves[0].index ^= 1;
    s.outcomes();
    assert_eq!(s.report().claim(Claim::Stored).verdict, Inconclusive);
}

/// P16: signed bytes that are no proof need no leaves to be judged: the host's own word, whatever the schedule.
#[test]
fn p16_junk_without_leaves_is_the_hosts_own_doing() {
    let mut s = FleetScene::honest();
    says(&mut s, 2, Ok([0xff; 128]));
    withhold_leaves(&mut s, 2);
    s.commitments[1].1 = published(round_of(2)) + 1;
    s.expect(Claim::Stored, Refuted, C::ProofDoesNotVerify);
}

/// P16: a host that lists more cells than the class holds made the question unanswerable itself: a proof it signs for it is a failed
/// answer, and no question nobody could answer.
#[test]
fn p16_a_leaf_no_proof_can_speak_of_is_the_hosts_own_doing() {
    let audits_of = |size| {
        let mut s = FleetScene::honest();
        let held = [object("alice", 1, size, &[Some("reader")])];
        let (tree, inventory) = inventory_of("host", 2, &held);
        let c = challenge("host", 2, &inventory);
        let Answer::Response(old) = &s.audits[2].bundle.answer else { panic!("answered") };
        let outcome = old.decode_unverified().unwrap().outcome;
        let leaves = tree.sample(&c).unwrap();
        let bundle = &mut s.audits[2].bundle;
        bundle.challenge = SignedChallenge::new(&c, &key("auditor"));
        bundle.envelopes = leaves.iter().map(|_| signed(&held[0])).collect();
        bundle.inventory =
            Some(InventoryEvidence { inventory: SignedInventory::new(&inventory, &key("host")), leaves });
        let outcome = outcome.map(|proof| proof.to_vec());
        let response = Response { challenge: c.digest(), outcome };
        bundle.answer = Answer::Response(SignedResponse::new(&response, &key("host")));
        for (host, offered) in &mut s.commitments[1].0.hosts {
            if *host == inventory.host {
                *offered = Offered::Inventory(inventory.digest());
            }
        }
        s.outcomes();
        s
    };
    for size in [100_000, 300_000] {
        audits_of(size).expect(Claim::Stored, Refuted, C::ProofDoesNotVerify);
    }
}

/// P16: an envelope that its owner did not sign, given with the leaves, does not undo what the host signed against itself; under a proof
/// it supports nothing and, as only the auditor could have put it there, refutes nothing.
#[test]
fn p16_a_bad_envelope_beside_a_leaf_hides_no_signed_refusal() {
    let forged = |outcome: Option<CannotProve>| {
        let mut s = FleetScene::honest();
        if let Some(why) = outcome {
            says(&mut s, 2, Err(why));
        }
        let envelope = s.audits[2].bundle.envelopes[0].decode_unverified().unwrap();
        s.audits[2].bundle.envelopes[0] = SignedEnvelope::new(&envelope, &key("mallory"));
        s.outcomes();
        s
    };
    forged(Some(CannotProve::CellsUnavailable)).expect(Claim::Stored, Refuted, C::HostCannotProve);
    let report = forged(None).report();
    assert_eq!(standing(&report, Standing::Undecided), [C::EnvelopeNotByOwner]);
    assert_eq!(report.claim(Claim::Stored).reasons[0].code, C::AuditsLeftOpen);
}
