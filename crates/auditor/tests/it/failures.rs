//! Hosts, log and beacon that fail or cheat: each failure becomes evidence, and no failure becomes another question.

use bailiwick_auditor::dossier;
use bailiwick_protocol::beacon::BeaconRound;
use bailiwick_protocol::bundle::{Answer, Bundle, NoAnswer, ProbeOutcome};
use bailiwick_protocol::schedule::{LogEntry, Offered};
use bailiwick_testing::BeaconChain;

use super::world::{ANSWER_MS, FIRST_ROUND, LogManner, Manner, PACE, ROUND_MS, World, key};

fn run(manner: Manner) -> (World, Vec<Bundle>) {
    let world = World::new(1, &[manner]);
    world.run(&mut world.start().unwrap(), u64::MAX).unwrap();
    let bundles = bundles(&world);
    (world, bundles)
}

fn bundles(world: &World) -> Vec<Bundle> {
    let dossier = dossier(&world.journal.records().unwrap(), &world.journal).unwrap();
    assert!(dossier.audits.iter().all(|a| a.outcome.is_some()), "a failure is logged like any other outcome");
    dossier.audits.iter().map(|a| a.bundle.verify(&key(100).public()).unwrap()).collect()
}

fn outcome_of(bundle: &Bundle) -> Result<bool, NoAnswer> {
    match &bundle.answer {
        Answer::Response(r) => Ok(r.decode_unverified().unwrap().outcome.is_ok()),
        Answer::None(why) => Err(*why),
    }
}

/// P16: errors only on the challenged parts: asked again, always the same, then a logged failure.
#[test]
fn p16_refusals_of_the_challenge_become_a_logged_failure_after_reasking() {
    let (world, bundles) = run(Manner::Refuses);
    assert_eq!(outcome_of(&bundles[0]), Err(NoAnswer::Refused));
    let asked = world.hosts.asked(1);
    assert!(asked.len() > 10, "asked {} times", asked.len());
    assert!(asked.windows(2).all(|w| w[0] == w[1]));
    // The failure is in the log before the deadline.
    let (_, at) = world.log.decoded().pop().unwrap();
    assert!(at <= ROUND_MS + ANSWER_MS && bundles[0].answered_unix_ms <= at);
}

/// P17: a time-out gets the same question again, and no other cells.
#[test]
fn p17_after_timeouts_the_same_challenge_is_asked_again() {
    let (world, bundles) = run(Manner::SilentUntil(ROUND_MS + 30_000));
    assert_eq!(outcome_of(&bundles[0]), Ok(true));
    let asked = world.hosts.asked(1);
    assert!(asked.len() > 5 && asked.windows(2).all(|w| w[0] == w[1]));
    assert!(bundles[0].answered_unix_ms >= ROUND_MS + 30_000);
    let (world, bundles) = run(Manner::FailsOnce);
    assert_eq!(outcome_of(&bundles[0]), Ok(true));
    assert_eq!(world.hosts.asked(1).len(), 2);
}

/// P18: the proof is there, getting bytes is not: both are in the evidence.
#[test]
fn p18_get_fails_though_the_proof_is_good() {
    for outcome in [ProbeOutcome::Refused, ProbeOutcome::BadBytes, ProbeOutcome::TimedOut] {
        let (_, bundles) = run(Manner::GetFails(outcome));
        assert_eq!(outcome_of(&bundles[0]), Ok(true));
        assert_eq!(bundles[0].ranges.iter().map(|r| r.outcome).collect::<Vec<_>>(), [outcome; 2]);
    }
    let (_, bundles) = run(Manner::Honest);
    assert!(bundles[0].ranges.iter().all(|r| r.outcome == ProbeOutcome::Good));
}

/// P05, P07, P15: an answer to another challenge, or signed by another key, is none.
#[test]
fn p05_p15_replayed_and_foreign_answers_are_no_answers() {
    for manner in [Manner::Replays, Manner::ForeignAnswer] {
        let (_, bundles) = run(manner);
        assert_eq!(outcome_of(&bundles[0]), Err(NoAnswer::Refused), "{manner:?}");
    }
}

#[test]
fn a_signed_cannot_prove_is_an_answer() {
    let (world, bundles) = run(Manner::CannotProve);
    assert_eq!(outcome_of(&bundles[0]), Ok(false));
    assert_eq!(world.hosts.asked(1).len(), 1);
}

/// P12: the host answers past the cut-off: given up in time for the log.
#[test]
fn p12_an_answer_that_does_not_come_in_time_is_given_up_before_the_deadline() {
    let slow = |ms| run(Manner::SlowUntil(ROUND_MS + ms));
    let (_, bundles) = slow(ANSWER_MS - PACE.reserve_ms + 5_000);
    assert_eq!(outcome_of(&bundles[0]), Err(NoAnswer::TimedOut));
    let (_, bundles) = slow(ANSWER_MS - PACE.reserve_ms - 5_000);
    assert_eq!(outcome_of(&bundles[0]), Ok(true));
}

/// P12: an auditor that was away until after the deadline says so: the answer carries its time.
#[test]
fn p12_a_late_answer_is_recorded_with_its_time() {
    let world = World::new(1, &[Manner::SlowUntil(ROUND_MS + 20_000)]);
    world.run(&mut world.start().unwrap(), ROUND_MS + 10_000).unwrap();
    world.set_clock(ROUND_MS + ANSWER_MS + 1000);
    world.run(&mut world.start().unwrap(), u64::MAX).unwrap();
    let bundles = bundles(&world);
    assert_eq!(outcome_of(&bundles[0]), Ok(true));
    assert_eq!(bundles[0].answered_unix_ms, ROUND_MS + ANSWER_MS + 1000);
    assert!(bundles[0].asked_unix_ms < ROUND_MS + 10_000);
}

/// An auditor's crash is never a host's failure: after a restart at the very end the host has time again.
#[test]
fn p22_a_restart_past_the_cut_off_gives_the_host_time_again() {
    let back = ROUND_MS + ANSWER_MS;
    let world = World::new(1, &[Manner::SlowUntil(back + 10_000)]);
    world.run(&mut world.start().unwrap(), ROUND_MS + 10_000).unwrap();
    world.set_clock(back);
    world.run(&mut world.start().unwrap(), u64::MAX).unwrap();
    assert_eq!(outcome_of(&bundles(&world)[0]), Ok(true));
    // But not for ever.
    let world = World::new(1, &[Manner::SlowUntil(back + 40_000)]);
    world.run(&mut world.start().unwrap(), ROUND_MS + 10_000).unwrap();
    world.set_clock(back);
    world.run(&mut world.start().unwrap(), u64::MAX).unwrap();
    assert_eq!(outcome_of(&bundles(&world)[0]), Err(NoAnswer::TimedOut));
}

/// A host without an inventory is in the commitment as one, and has nothing that could be challenged.
#[test]
fn a_missing_inventory_is_committed_to_as_missing() {
    for why in [NoAnswer::Refused, NoAnswer::TimedOut, NoAnswer::Unreachable] {
        let world = World::new(1, &[Manner::NoInventory(why), Manner::Honest]);
        let mut engine = world.start().unwrap();
        world.run(&mut engine, u64::MAX).unwrap();
        let log = world.log.decoded();
        let (LogEntry::Epoch(c), at) = &log[1] else { panic!("another entry") };
        let offered = c.decode_unverified().unwrap().hosts;
        let of = |seed| offered.iter().find(|(h, _)| *h == world.host(seed)).unwrap().1;
        assert_eq!(of(1), Offered::Nothing(why));
        assert!(matches!(of(2), Offered::Inventory(_)));
        // Waited for until its time was over.
        assert_eq!(*at, ROUND_MS - PACE.commit_ms);
        assert_eq!((world.hosts.asked(1).len(), world.hosts.asked(2).len()), (0, 1));
        assert_eq!(engine.campaign().tally().inventories_missing, 1);
    }
}

#[test]
fn a_second_inventory_of_one_epoch_is_kept_as_evidence() {
    let (world, bundles) = run(Manner::Equivocates);
    assert_eq!(outcome_of(&bundles[0]), Ok(true));
    assert!(bundles[0].envelopes.is_empty());
    let dossier = dossier(&world.journal.records().unwrap(), &world.journal).unwrap();
    assert_eq!(dossier.inventories.len(), 1);
    let second = dossier.inventories[0].verify(world.host(1).as_bytes()).unwrap();
    let first = bundles[0].inventory.as_ref().unwrap().inventory.verify(world.host(1).as_bytes()).unwrap();
    assert_eq!((first.epoch, second.epoch), (1, 1));
    assert_ne!(first.digest(), second.digest());
}

/// P16: an answer whose opened leaves never come: asked for until the cut-off, then bundled without any and logged in time.
#[test]
fn p16_openings_that_never_come_are_given_up_at_the_cut_off() {
    for manner in [Manner::NoOpenings, Manner::ForeignEnvelopes, Manner::WrongLeaves] {
        let (world, bundles) = run(manner);
        assert_eq!(outcome_of(&bundles[0]), Ok(true));
        assert!(bundles[0].inventory.as_ref().unwrap().leaves.is_empty() && bundles[0].ranges.is_empty());
        let at = world.hosts.openings_at.lock().unwrap().clone();
        let cutoff = ROUND_MS + ANSWER_MS - PACE.reserve_ms;
        assert!(at.len() > 20 && at.iter().all(|at| *at < cutoff), "{manner:?}: {at:?}");
        assert!(cutoff - at.last().unwrap() <= PACE.reask_ms);
        let (_, logged) = world.log.decoded().pop().unwrap();
        assert!(logged <= ROUND_MS + ANSWER_MS, "the outcome is not late");
    }
}

/// A host that is away for a while after its proof is no failure: the leaves are asked for until the cut-off.
#[test]
fn openings_that_come_before_the_cut_off_are_in_the_bundle() {
    let from = |ms| run(Manner::OpeningsFrom(ROUND_MS + ms)).1;
    let cutoff = ANSWER_MS - PACE.reserve_ms;
    for ms in [0, 40_000, cutoff - 5000] {
        let bundles = from(ms);
        assert!(!bundles[0].inventory.as_ref().unwrap().leaves.is_empty(), "{ms}");
        assert_eq!(bundles[0].ranges.len(), 2);
    }
    assert!(from(cutoff)[0].inventory.as_ref().unwrap().leaves.is_empty());
}

/// An auditor's crash is never a host's failure, for the opened leaves either: half of the time again.
#[test]
fn p22_a_restart_past_the_cut_off_gives_the_openings_time_again() {
    let back = ROUND_MS + ANSWER_MS;
    let restarted = |from| {
        let world = World::new(1, &[Manner::OpeningsFrom(from)]);
        world.run(&mut world.start().unwrap(), ROUND_MS + 10_000).unwrap();
        assert!(!world.hosts.openings_at.lock().unwrap().is_empty(), "the answer was there before the crash");
        world.set_clock(back);
        world.run(&mut world.start().unwrap(), u64::MAX).unwrap();
        bundles(&world).remove(0).inventory.unwrap().leaves.len()
    };
    assert!(restarted(back + 20_000) > 0);
    // But not for ever.
    assert_eq!(restarted(back + 40_000), 0);
}

/// P18: a host that answers at the last moment and is slow with each block does not make its outcome late.
#[test]
fn p18_slow_blocks_do_not_make_an_outcome_late() {
    let (world, bundles) = run(Manner::Stalls(ROUND_MS + ANSWER_MS - PACE.reserve_ms - 2000));
    let outcomes: Vec<_> = bundles[0].ranges.iter().map(|r| r.outcome).collect();
    assert_eq!(outcomes, [ProbeOutcome::TimedOut], "one is asked for all the same");
    assert!(!bundles[0].inventory.as_ref().unwrap().leaves.is_empty());
    let (_, logged) = world.log.decoded().pop().unwrap();
    assert!(logged <= ROUND_MS + ANSWER_MS, "{}", logged - ROUND_MS);
    // With time left all of them are.
    let (_, bundles) = run(Manner::Stalls(ROUND_MS));
    assert_eq!(bundles[0].ranges.len(), 2);
}

/// B4: a host that says when to ask again is left alone until then, up to a minute, and never past the cut-off.
#[test]
fn b4_retry_after_is_honoured_and_never_past_the_cut_off() {
    let times = |until, pause| {
        let (world, bundles) = run(Manner::Busy(until, pause));
        let seen = world.hosts.seen.lock().unwrap();
        let at: Vec<u64> = seen.iter().map(|(_, _, at, _)| at - ROUND_MS).collect();
        (at, outcome_of(&bundles[0]))
    };
    // The pace alone would ask every two seconds.
    let (at, outcome) = times(ROUND_MS + 25_000, 10_000);
    assert_eq!((at.len(), outcome), (4, Ok(true)), "{at:?}");
    assert!(at.windows(2).all(|w| w[1] - w[0] >= 10_000), "{at:?}");
    // Whatever it says, one more question comes before the cut-off, and it saves the host.
    let last = ANSWER_MS - PACE.reserve_ms - PACE.reask_ms;
    for (pause, asked) in [(45_000, 45_000), (55_000, last), (3_600_000, last), (u64::MAX, last)] {
        let (at, outcome) = times(ROUND_MS + 40_000, pause);
        assert_eq!((at, outcome), (vec![0, asked], Ok(true)));
    }
    // A pause shorter than the auditor's own is no reason to hurry.
    let (at, _) = times(ROUND_MS + 10_000, 1);
    assert!(at.windows(2).all(|w| w[1] - w[0] >= PACE.reask_ms), "{at:?}");
}

/// The same before the round: the last question for an inventory comes before the commitment.
#[test]
fn b4_retry_after_of_an_inventory_ends_before_the_commitment() {
    let commit = ROUND_MS - PACE.commit_ms;
    let world = World::new(1, &[Manner::Busy(commit - PACE.reask_ms, 3_600_000)]);
    world.run(&mut world.start().unwrap(), u64::MAX).unwrap();
    let at = world.hosts.inventories_at.lock().unwrap().clone();
    assert_eq!(at, [ROUND_MS - PACE.lead_ms, commit - PACE.reask_ms]);
    assert_eq!(outcome_of(&bundles(&world)[0]), Ok(true));
}

/// The log says that there are entries and shows none: nothing is compared, so nothing is drawn or signed.
#[test]
fn a_log_that_hides_its_entries_is_not_compared() {
    let world = World::new(1, &[Manner::Honest]);
    world.run(&mut world.start().unwrap(), ROUND_MS - PACE.lead_ms - 1).unwrap();
    assert_eq!(world.log.entries().len(), 1);
    *world.log_manner.lock().unwrap() = LogManner::Hides;
    let mut engine = world.start().unwrap();
    world.run(&mut engine, ROUND_MS - PACE.commit_ms).unwrap();
    let fault = engine.last_fault().unwrap().to_string();
    assert_eq!(fault, "the log answered what does not verify: no entry from 0 on, of 1");
    assert_eq!(world.log.entries().len(), 1);
    *world.log_manner.lock().unwrap() = LogManner::Good;
    world.run(&mut engine, u64::MAX).unwrap();
    assert_eq!((world.log.entries().len(), bundles(&world).len()), (3, 1));
}

/// P10, P08: a forged round, another round and another chain's are not used; the genuine one is, later.
#[test]
fn p10_only_the_genuine_round_of_the_schedule_is_used() {
    let world = World::new(1, &[Manner::Honest]);
    let genuine = world.chain.round(FIRST_ROUND);
    let other = world.chain.round(FIRST_ROUND + 1);
    let other_chain = BeaconChain::new(1, 3).round(FIRST_ROUND);
    let forged = BeaconRound { signature: other.signature, ..genuine };
    *world.forged.lock().unwrap() = vec![forged, other, other_chain];
    world.run(&mut world.start().unwrap(), u64::MAX).unwrap();
    assert!(world.forged.lock().unwrap().is_empty());
    let seen = world.hosts.seen.lock().unwrap();
    assert_eq!(seen.len(), 1);
    assert_eq!(seen[0].1.decode_unverified().unwrap().beacon, Some(genuine));
}

/// The log takes an entry and the answer is lost: it is looked for, and not entered twice.
#[test]
fn an_entry_whose_acknowledgement_was_lost_is_not_entered_twice() {
    let world = World::new(1, &[Manner::Honest]);
    *world.log_manner.lock().unwrap() = LogManner::LosesTheAnswer;
    world.run(&mut world.start().unwrap(), u64::MAX).unwrap();
    assert_eq!(world.log.entries().len(), 3);
    assert_eq!(bundles(&world).len(), 1);
}

/// No host is shown a nonce that is not committed to in the log, however long the log is down.
#[test]
fn no_challenge_is_asked_before_its_commitment_is_logged() {
    let world = World::new(1, &[Manner::Honest]);
    let mut engine = world.start().unwrap();
    world.run(&mut engine, ROUND_MS - PACE.lead_ms - 1).unwrap();
    *world.log_manner.lock().unwrap() = LogManner::Down;
    world.run(&mut engine, ROUND_MS + 20_000).unwrap();
    assert!(world.hosts.asked(1).is_empty());
    assert!(engine.last_fault().is_some());
    *world.log_manner.lock().unwrap() = LogManner::Good;
    world.run(&mut engine, u64::MAX).unwrap();
    let seen = world.hosts.seen.lock().unwrap();
    assert_eq!((seen.len(), seen[0].3), (1, 2));
    drop(seen);
    assert_eq!(bundles(&world).len(), 1);
}

/// Too few witnesses: waited for while their time stamps help, then logged as it is.
#[test]
fn t12_entries_without_witnesses_are_kept_as_unwitnessed() {
    let world = World::new(1, &[Manner::Honest]);
    *world.log_manner.lock().unwrap() = LogManner::NoWitnesses;
    let mut engine = world.start().unwrap();
    world.run(&mut engine, ROUND_MS - 1).unwrap();
    assert_eq!(engine.campaign().tally().logged, 0);
    assert!(world.hosts.asked(1).is_empty());
    world.run(&mut engine, u64::MAX).unwrap();
    // The schedule is proven only at the round, so no commitment could be made before it.
    assert_eq!(engine.campaign().tally().epochs_missed, 1);
    assert_eq!(engine.campaign().tally().unwitnessed, 1);
}
