//! Who is left when one power takes whom it reaches, and who counts as a custodian: a wrong *refuted* is as bad as a wrong *supported*.

use bailiwick_protocol::envelope::{Envelope, Kem, RecipientEntry, Role as Entry};
use bailiwick_roster::{KeyKind, Principal, PublicKey, Role};
use bailiwick_verifier::{AssumptionCode, Claim, ReasonCode as C, Verdict};

use crate::fleet_custody::{
    CUSTODY, NOTARIES, custody, deal_to_all, nobody, over_time, put_in_custody, run_by_the_hosts_firm, scene,
    with_passphrase,
};
use crate::fleet_world::{FleetScene, POLICY, key_id, x25519};

use Verdict::{Inconclusive, Refuted, Supported};

/// Four of five recover it, and no recipient does: two custodians of one firm compel nothing, and block.
fn four_of_five(e: &mut Envelope) {
    deal_to_all(e, 4);
    e.recipients.clear();
}

/// Of the host's two objects an audit may see only one: the object of the other host alone is dealt to `later` of the custodians from
/// the second epoch on, all others to three.
fn redealt(earlier: u16, later: u16, generation: u64) -> impl Fn(&mut Envelope, u64) {
    move |e, epoch| {
        e.recipients.clear();
        let changing = e.object.0[0] == 2;
        e.generation += if changing && epoch > 1 { generation } else { 0 };
        deal_to_all(
            e,
            if !changing {
                3
            } else if epoch > 1 {
                later
            } else {
                earlier
            },
        );
    }
}

pub(crate) fn recipient(e: &mut Envelope, key_id: Option<[u8; 8]>) {
    let (enc, ciphertext) = (vec![1; 32], vec![1; 48]);
    e.recipients.push(RecipientEntry { kem: Kem::X25519, key_id, enc, ciphertext, role: Entry::FileKey });
}

fn judged(each: impl Fn(&mut Envelope, u64), people: impl Fn(&mut Vec<Principal>)) -> FleetScene {
    let mut s = over_time(each, people);
    s.policy = format!("{POLICY}{CUSTODY}");
    s
}

#[test]
fn a_power_that_blocks_and_does_not_compel_refutes() {
    custody(four_of_five, nobody).expect(Claim::Custody, Supported, C::KeyShared);
    custody(four_of_five, run_by_the_hosts_firm(2)).expect(Claim::Custody, Refuted, C::PowerTakesAll);
}

/// Whoever knows the passphrase opens it without custodians; nobody can tell who that is.
#[test]
fn a_passphrase_may_be_left_when_custodians_are_not() {
    let both = |e: &mut Envelope| {
        four_of_five(e);
        with_passphrase(e);
    };
    custody(both, run_by_the_hosts_firm(2)).expect(Claim::Custody, Inconclusive, C::RecipientUnknown);
}

#[test]
fn an_anonymous_recipient_may_be_left_when_custodians_are_not() {
    let both = |e: &mut Envelope| {
        four_of_five(e);
        recipient(e, None);
    };
    custody(both, run_by_the_hosts_firm(2)).expect(Claim::Custody, Inconclusive, C::RecipientUnknown);
}

#[test]
fn a_recipient_the_roster_does_not_have_may_be_left() {
    let both = |e: &mut Envelope| {
        four_of_five(e);
        recipient(e, Some(key_id(Kem::X25519, &x25519("stranger"))));
    };
    custody(both, run_by_the_hosts_firm(2)).expect(Claim::Custody, Inconclusive, C::RecipientUnknown);
}

/// One that is known and out of reach is left; that its entry holds the key nobody has checked, and the report says so. It does not
/// where enough custodians are left.
#[test]
fn a_known_recipient_is_left() {
    let said = |threshold| {
        let each = |e: &mut Envelope| deal_to_all(e, threshold);
        let c = custody(each, run_by_the_hosts_firm(2)).expect(Claim::Custody, Supported, C::KeyShared);
        let assumed = c.assumptions.iter().any(|a| a.code == AssumptionCode::EntryHoldsKey);
        (c.headline.contains("enough custodians are out of"), assumed)
    };
    assert_eq!(said(3), (true, false));
    assert_eq!(said(4), (false, true));
}

/// The owner dealt again: what the superseded dealing needs, nobody needs any more.
#[test]
fn a_superseded_dealing_that_could_be_blocked_does_not_refute() {
    judged(redealt(4, 3, 1), run_by_the_hosts_firm(2)).expect(Claim::Custody, Supported, C::KeyShared);
    // Compelling is another matter: old custodians still open the body.
    judged(redealt(4, 3, 1), run_by_the_hosts_firm(3)).expect(Claim::Custody, Refuted, C::PowerReachesKey);
}

/// The other way about, only whoever kept the earlier envelope can open it: neither shown nor refuted.
#[test]
fn earlier_envelopes_of_the_same_body_leave_custody_open() {
    judged(redealt(3, 4, 1), nobody).expect(Claim::Custody, Supported, C::KeyShared);
    judged(redealt(3, 4, 1), run_by_the_hosts_firm(2)).expect(Claim::Custody, Inconclusive, C::PowerTakesAll);
}

/// Two dealings under one generation: any of them that is left is enough.
#[test]
fn a_second_dealing_of_one_generation_is_left() {
    judged(redealt(4, 3, 0), run_by_the_hosts_firm(2)).expect(Claim::Custody, Supported, C::KeyShared);
}

fn ended(p: &mut Principal) {
    p.valid_until_unix_ms = 1_000;
}

fn not_yet(p: &mut Principal) {
    p.valid_from_unix_ms = 3_999_999_999_999;
}

fn vendor(p: &mut Principal) {
    p.role = Role::Vendor;
}

fn one(change: fn(&mut Principal)) -> impl Fn(&mut Vec<Principal>) {
    move |list| change(list.iter_mut().find(|p| p.name == "notary e").unwrap())
}

/// Of an entry that has ended, has not begun, or is no custodian's, the roster does not say who holds the share now.
#[test]
fn custodians_the_roster_does_not_have_as_such_support_nothing() {
    custody(put_in_custody, one(|_| ())).expect(Claim::Custody, Supported, C::KeyShared);
    scene(put_in_custody, one(|_| ())).expect(Claim::Opaque, Supported, C::Opened);
    for change in [ended, not_yet, vendor] {
        custody(put_in_custody, one(change)).expect(Claim::Custody, Inconclusive, C::CustodianUnknown);
        scene(put_in_custody, one(change)).expect(Claim::Opaque, Inconclusive, C::CustodianUnknown);
    }
}

/// A principal with several keys is still one: with t of them it has the key, whatever powers reach it. So has any one custodian if t is 1.
#[test]
fn shares_in_one_hand_are_no_sharing() {
    let merged = |n: usize| {
        move |list: &mut Vec<Principal>| {
            let keys: Vec<_> = NOTARIES[1..n].iter().map(|(name, _)| key_of(list, name)).collect();
            list.retain(|p| !NOTARIES[1..n].iter().any(|(name, _)| p.name == *name));
            let first = list.iter_mut().find(|p| p.name == NOTARIES[0].0).unwrap();
            first.keys.extend(keys);
            first.keys.sort();
        }
    };
    custody(put_in_custody, merged(2)).expect(Claim::Custody, Supported, C::KeyShared);
    let c = custody(put_in_custody, merged(3)).expect(Claim::Custody, Inconclusive, C::NoSharing);
    assert!(c.reasons[0].text.contains("alone has as many shares"), "{:#?}", c.reasons);
    custody(|e| deal_to_all(e, 2), nobody).expect(Claim::Custody, Supported, C::KeyShared);
    custody(|e| deal_to_all(e, 1), nobody).expect(Claim::Custody, Inconclusive, C::NoSharing);
}

fn key_of(list: &[Principal], name: &str) -> PublicKey {
    let p = list.iter().find(|p| p.name == name).unwrap();
    p.keys.iter().find(|k| k.kind == KeyKind::Ristretto255).unwrap().clone()
}

/// Nor are they known to be taken; but what reached them reached their shares.
#[test]
fn custodians_whose_entry_ended_do_not_block_and_can_be_compelled() {
    let ended_of_the_firm = |n| {
        move |list: &mut Vec<Principal>| {
            run_by_the_hosts_firm(n)(list);
            ended(list.iter_mut().find(|p| p.name == "notary a").unwrap());
        }
    };
    custody(four_of_five, ended_of_the_firm(2)).expect(Claim::Custody, Inconclusive, C::CustodianUnknown);
    custody(put_in_custody, ended_of_the_firm(3)).expect(Claim::Custody, Refuted, C::PowerReachesKey);
}

/// *Survivable* counts the newest envelopes, too.
#[test]
fn survivable_is_not_refuted_by_what_was_superseded() {
    let survivable = |each: &dyn Fn(&mut Envelope, u64)| {
        let mut s = over_time(each, run_by_the_hosts_firm(2));
        s.policy = format!("{POLICY}[survivable]\nlose = [\"provider\"]\n");
        s.report().claim(Claim::Survivable).clone()
    };
    let blocked = survivable(&redealt(4, 4, 1));
    assert_eq!((blocked.verdict, blocked.reasons[0].code), (Refuted, C::PowerTakesAll));
    let superseded = survivable(&redealt(4, 3, 1));
    assert_eq!(superseded.verdict, Inconclusive);
    assert!(!superseded.reasons.iter().any(|r| r.text.contains("envelopes")), "{:#?}", superseded.reasons);
    let back = survivable(&redealt(3, 4, 1));
    assert_eq!(back.verdict, Inconclusive);
    assert!(back.reasons.iter().any(|r| r.text.contains("only earlier envelopes")), "{:#?}", back.reasons);
}
