//! Inventories of a fleet: exchanged, given twice, not given, padded.

use bailiwick_protocol::bundle::NoAnswer;
use bailiwick_protocol::envelope::Envelope;
use bailiwick_protocol::inventory::SignedInventory;
use bailiwick_protocol::schedule::Offered;
use bailiwick_verifier::{Claim, FleetReport, ReasonCode as C, Scope, Standing, Verdict};

use crate::beacon_chain::published;
use crate::fleet_world::{
    Audit, EPOCHS, FleetScene, HOSTS, audit, challenge, held_by, inventory_of, round_of, standing,
};
use crate::world::{envelope, key};

use Verdict::{Inconclusive, Refuted, Supported};

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
    let report = s.report();
    assert_eq!(standing(&report, Standing::Undecided), [C::InventoryNotCommitted]);
    assert_ne!(report.exit_code, 0);
    assert!(report.claim(Claim::Logged).reasons.iter().any(|r| r.code == C::InventoryNotCommitted));
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

/// P15: a stranger signs two inventories inside bundles that an anchored auditor signs: nothing is refuted, and they are named as ignored.
#[test]
fn p15_two_inventories_of_a_stranger_refute_nothing() {
    let with = |who: &str| {
        let mut s = FleetScene::honest();
        for n in [1, 2] {
            let held = &held_by("host")[..n];
            let (tree, inventory) = inventory_of(who, 1, held);
            let bundle = audit(who, &challenge(who, 1, &inventory), held, &inventory, &tree);
            let logged_ms = s.audits[0].logged_ms;
            s.audits.push(Audit { bundle, outcome: None, logged_ms });
        }
        s.report()
    };
    let report = with("stranger");
    let (stored, honest) = (report.claim(Claim::Stored), FleetScene::honest().report());
    assert_eq!((stored.verdict, &stored.reasons), (Supported, &honest.claim(Claim::Stored).reasons));
    assert_ne!(report.claim(Claim::Logged).verdict, Refuted);
    assert_eq!(report.fleet.ignored.iter().map(|r| r.code).collect::<Vec<_>>(), [C::HostNotAnchored]);
    // The reader's own host that does the same contradicts itself.
    let report = with("other host");
    for claim in [Claim::Stored, Claim::Logged] {
        assert_eq!(report.claim(claim).verdict, Refuted);
        assert!(report.claim(claim).reasons.iter().any(|r| r.code == C::TwoInventories));
    }
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
    let reason = &report.claim(Claim::Stored).reasons[0];
    assert_eq!(reason.code, C::NoInventoryOffered);
    // The verdict says which honest host it would be wrong about.
    assert!(
        reason.text.contains("if its owners removed all that it held, nothing signed shows that"),
        "{}",
        reason.text
    );
    assert_eq!(report.claim(Claim::Stored).verdict, Refuted);
    assert_eq!(report.claim(Claim::Logged).verdict, Supported);
}

/// The honest scene where the first host gave nothing in some epochs, as its auditor says.
fn silent_in(epochs: impl Fn(u64) -> bool, why: NoAnswer) -> FleetScene {
    let mut s = FleetScene::honest();
    let host = s.schedule.hosts[0].host;
    s.audits.retain(|a| a.outcome.as_ref().is_none_or(|o| o.host != host || !epochs(o.epoch)));
    for (c, _) in s.commitments.iter_mut().filter(|(c, _)| epochs(c.epoch)) {
        c.hosts.iter_mut().find(|(h, _)| *h == host).unwrap().1 = Offered::Nothing(why);
    }
    s
}

/// An auditor that did not ask says nothing of the host: nothing is refuted, and nothing of that epoch is shown.
#[test]
fn a_host_that_was_not_asked_has_not_failed() {
    let with = |why| silent_in(|epoch| epoch == EPOCHS, why);
    with(NoAnswer::Unreachable).expect(Claim::Stored, Refuted, C::NoInventoryOffered);
    with(NoAnswer::NotAsked).expect(Claim::Stored, Inconclusive, C::AuditsLeftOpen);
    with(NoAnswer::NotAsked).expect(Claim::Logged, Inconclusive, C::NotAsked);
    assert_eq!(standing(&with(NoAnswer::NotAsked).report(), Standing::Undecided), [C::NotAsked]);
}

/// There is no empty inventory: a host that holds nothing has none to give, and only one that signed an inventory before had something to
/// list. The log accounts for it either way.
#[test]
fn a_host_that_never_listed_anything_has_not_failed() {
    let never = || silent_in(|_| true, NoAnswer::Refused);
    let report = never().report();
    assert_eq!(report.claim(Claim::Stored).verdict, Inconclusive);
    assert_eq!(report.claim(Claim::Logged).verdict, Supported);
    let all = vec![C::NoInventoryOffered; usize::try_from(EPOCHS).unwrap()];
    assert_eq!(standing(&report, Standing::Undecided), all);
    let text = &report.claim(Claim::Stored).reasons[0].text;
    assert!(text.contains("one that held nothing has none to give"), "{text}");
    // It came to hold something later.
    let before = silent_in(|epoch| epoch == 1, NoAnswer::Refused);
    assert_ne!(before.report().claim(Claim::Stored).verdict, Refuted);
    // It held something before, whoever kept the inventory.
    let host = HOSTS.into_iter().find(|h| key(h).public() == never().schedule.hosts[0].host.0).unwrap();
    let (_, first) = inventory_of(host, 1, &held_by(host));
    let mut s = never();
    s.inventories.push(SignedInventory::new(&first, &key(host)));
    s.expect(Claim::Stored, Refuted, C::NoInventoryOffered);
    silent_in(|epoch| epoch > 1, NoAnswer::Refused).expect(Claim::Stored, Refuted, C::NoInventoryOffered);
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

/// P02: a host that starts padding after an honest history: what the month's samples show counts, not what was before.
#[test]
fn p02_an_honest_past_does_not_hide_padding() {
    let month = 30 * 24 * 3_600_000;
    // Padded from the second epoch on; the first is of the month still, and a moment later no more.
    let chance = |more: u64| {
        let mut s = FleetScene::over_time(|host, epoch| {
            let mut list = held_by(host);
            if epoch > 1 {
                list.extend((100..110).map(|id| envelope("mallory", id, 120_000)));
            }
            list.sort_by_key(Envelope::name);
            list
        });
        s.policy = s.policy.replace("max_age_hours = 24\n", "max_age_hours = 800\n");
        s.now = published(round_of(1)) + month + more;
        let d = s.report().claim(Claim::Stored).numbers.detection.clone();
        let all = d.iter().find(|s| s.scope == Scope::All).unwrap();
        all.losses.iter().find(|l| l.lost_fraction == 0.5).unwrap().probability
    };
    // Of three samples the first fell on what counts, of the other two, in the scene's seed, none.
    let (with, without) = (chance(0), chance(1));
    assert!((0.15..0.18).contains(&with), "{with}");
    assert!(without < 1e-9, "{without}");
}

/// A commitment that says a host gave no inventory fails it only if it was fixed before the round, once, by a schedule that was: else
/// any auditor could say so of any host afterwards.
#[test]
fn no_inventory_counts_only_where_it_was_committed_in_time() {
    let silent = || {
        let mut s = FleetScene::honest();
        let host = s.schedule.hosts[0].host;
        let at = s.audits.iter().rposition(|a| a.outcome.as_ref().unwrap().host == host).unwrap();
        s.audits.remove(at);
        let (c, _) = s.commitments.last_mut().unwrap();
        c.hosts.iter_mut().find(|(h, _)| *h == host).unwrap().1 = Offered::Nothing(NoAnswer::TimedOut);
        s
    };
    silent().expect(Claim::Stored, Refuted, C::NoInventoryOffered);
    // At the end of the second before the round: in time.
    let mut s = silent();
    s.commitments.last_mut().unwrap().1 = published(round_of(EPOCHS)) - 1_000;
    s.expect(Claim::Stored, Refuted, C::NoInventoryOffered);
    let late = || {
        let mut s = silent();
        s.commitments.last_mut().unwrap().1 = published(round_of(EPOCHS));
        s
    };
    late().expect(Claim::Stored, Inconclusive, C::AuditsLeftOpen);
    late().expect(Claim::Logged, Inconclusive, C::CommittedLate);
    // Nobody gave one, so no audit of the epoch shows that the commitment came late.
    let mut s = late();
    let (c, _) = s.commitments.last_mut().unwrap();
    c.hosts.iter_mut().for_each(|(_, offered)| *offered = Offered::Nothing(NoAnswer::TimedOut));
    s.audits.retain(|a| a.outcome.as_ref().unwrap().epoch != EPOCHS);
    s.expect(Claim::Logged, Inconclusive, C::CommittedLate);
    let twice = || {
        let mut s = silent();
        let (mut other, at) = s.commitments.last().unwrap().clone();
        other.nonce.0[0] ^= 1;
        s.commitments.push((other, at + 1_000));
        s
    };
    twice().expect(Claim::Stored, Inconclusive, C::AuditsLeftOpen);
    twice().expect(Claim::Logged, Refuted, C::TwoCommitments);
    let mut s = silent();
    s.announced_ms = published(round_of(EPOCHS));
    assert_ne!(s.report().claim(Claim::Stored).verdict, Refuted);
}
