//! Ways to a key beside recipients: passphrases, and custodians who share it.

use std::collections::BTreeSet;

use bailiwick_custody::{Context, CustodianSecretKey, DealOptions, DealtCustodian, deal};
use bailiwick_protocol::envelope::{Envelope, PassphraseEntry};
use bailiwick_protocol::ids::RosterDigest;
use bailiwick_protocol::secret::Secret;
use bailiwick_roster::{KeyKind, Principal, PublicKey, Role};
use bailiwick_verifier::{Claim, ReasonCode as C, Verdict};
use rand_chacha::ChaCha20Rng;
use rand_chacha::rand_core::SeedableRng as _;

use crate::fleet_world::{FleetScene, POLICY, held_by, opened_by, roster_principal, roster_with};

use Verdict::{Inconclusive, Refuted, Supported};

pub(crate) const NOTARIES: [(&str, &str); 5] =
    [("notary a", "JP"), ("notary b", "BR"), ("notary c", "NO"), ("notary d", "ZA"), ("notary e", "IN")];

pub(crate) fn secret(name: &str) -> CustodianSecretKey {
    CustodianSecretKey::from_bytes(Secret::init_with(|b| {
        b.copy_from_slice(blake3::hash(name.as_bytes()).as_bytes())
    }))
}

/// Deals the key of `e` to all five, any three of whom recover it.
pub(crate) fn put_in_custody(e: &mut Envelope) {
    deal_to_all(e, 3);
}

/// Deals the key of `e` to all five.
pub(crate) fn deal_to_all(e: &mut Envelope, threshold: u16) {
    deal_by(e, threshold, false);
}

/// Deals the key of `e` to all five, in hybrid mode or not.
pub(crate) fn deal_by(e: &mut Envelope, threshold: u16, hybrid: bool) {
    let custodians: Vec<_> = NOTARIES
        .iter()
        .map(|(name, country)| DealtCustodian {
            name: (*name).to_owned(),
            key: secret(name).public(),
            attributes: BTreeSet::from([(*country).to_owned()]),
        })
        .collect();
    let mut context = Context::next_of(e, RosterDigest([0; 32]));
    context.generation = e.generation;
    let options = DealOptions { context, threshold, custodians: &custodians, hybrid };
    let file_key = Secret::init_with(|b| b.fill(7));
    let dealt = deal(&options, &file_key, None, &mut ChaCha20Rng::from_seed([3; 32])).unwrap();
    e.custody = Some(dealt.part());
}

fn notary((name, country): &(&str, &str)) -> Principal {
    let mut p = roster_principal(Role::Custodian, name, country, country);
    p.keys.push(PublicKey { kind: KeyKind::Ristretto255, public: secret(name).public().point().to_vec() });
    p
}

/// Every object changed by `each`, a roster with the notaries changed by `people`.
pub(crate) fn scene(each: impl Fn(&mut Envelope), people: impl Fn(&mut Vec<Principal>)) -> FleetScene {
    over_time(|e, _| each(e), people)
}

/// Every object changed by `each` in every epoch.
pub(crate) fn over_time(
    each: impl Fn(&mut Envelope, u64),
    people: impl Fn(&mut Vec<Principal>),
) -> FleetScene {
    let changed = |host: &str, epoch: u64| {
        let mut list = held_by(host);
        list.iter_mut().for_each(|e| each(e, epoch));
        list
    };
    let mut s = FleetScene::over_time(changed);
    s.opened =
        ["host", "other host"].iter().flat_map(|h| changed(h, 1)).map(|e| opened_by("reader", &e)).collect();
    s.roster = Some(roster_with(|list| {
        list.extend(NOTARIES.iter().map(notary));
        people(list);
    }));
    s
}

pub(crate) fn nobody(_: &mut Vec<Principal>) {}

/// The first `n` notaries are run by the firm that runs a host.
pub(crate) fn run_by_the_hosts_firm(n: usize) -> impl Fn(&mut Vec<Principal>) {
    move |list| {
        for p in list.iter_mut().filter(|p| p.role == Role::Custodian).take(n) {
            p.provider = Some("Example Cloud".to_owned());
        }
    }
}

pub(crate) fn with_passphrase(e: &mut Envelope) {
    e.passphrase = Some(PassphraseEntry {
        memory_kib: 65_536,
        passes: 1,
        lanes: 1,
        salt: [1; 16],
        commitment: [2; 32],
        ciphertext: [3; 48],
    });
}

/// A way to the key that names nobody must not leave *opaque* supported.
#[test]
fn a_passphrase_leaves_opaque_open() {
    scene(|_| (), nobody).expect(Claim::Opaque, Supported, C::Opened);
    scene(with_passphrase, nobody).expect(Claim::Opaque, Inconclusive, C::PassphraseHolders);
}

#[test]
fn known_custodians_apart_from_the_hosts_leave_opaque_supported() {
    scene(put_in_custody, nobody).expect(Claim::Opaque, Supported, C::Opened);
}

#[test]
fn custodians_the_roster_does_not_have_leave_opaque_open() {
    let s = scene(put_in_custody, |list| list.retain(|p| p.name != "notary b"));
    s.expect(Claim::Opaque, Inconclusive, C::CustodianUnknown);
}

/// t - 1 of them may be the host's; t are as a recipient who is.
#[test]
fn enough_custodians_of_the_hosts_firm_refute_opaque() {
    scene(put_in_custody, run_by_the_hosts_firm(2)).expect(Claim::Opaque, Supported, C::Opened);
    scene(put_in_custody, run_by_the_hosts_firm(3)).expect(Claim::Opaque, Refuted, C::CustodiansRelated);
}

/// A host that got itself a custodian's key counts by what it is.
#[test]
fn hosts_that_are_custodians_refute_opaque() {
    let s = scene(put_in_custody, |list| {
        for p in list.iter_mut().filter(|p| p.role == Role::Custodian).take(3) {
            p.role = Role::Vendor;
        }
    });
    s.expect(Claim::Opaque, Refuted, C::CustodiansRelated);
}

/// Dealings that are no dealings, were altered, or are about another object say nothing of who can open it.
#[test]
fn a_dealing_that_does_not_hold_leaves_opaque_and_custody_open() {
    let changes: [fn(&mut Envelope); 3] = [
        |e| e.custody.as_mut().unwrap().dealing.truncate(40),
        |e| e.policy = Some([9; 32]),
        |e| {
            let dealing = &mut e.custody.as_mut().unwrap().dealing;
            let last = dealing.len() - 1;
            dealing[last] ^= 1;
        },
    ];
    for change in changes {
        let each = |e: &mut Envelope| {
            put_in_custody(e);
            change(e);
        };
        scene(each, nobody).expect(Claim::Opaque, Inconclusive, C::DealingUnsound);
        let mut s = scene(each, nobody);
        s.policy = format!("{POLICY}{CUSTODY}");
        let c = s.expect(Claim::Custody, Inconclusive, C::DealingUnsound);
        assert!(c.reasons.iter().any(|r| r.code == C::NoSharing));
    }
}

pub(crate) const CUSTODY: &str = "[custody]\nno_single = [\"provider\"]\n";

pub(crate) fn custody(each: impl Fn(&mut Envelope), people: impl Fn(&mut Vec<Principal>)) -> FleetScene {
    let mut s = scene(each, people);
    s.policy = format!("{POLICY}{CUSTODY}");
    s
}

#[test]
fn custody_is_supported_by_dealings_out_of_every_powers_reach() {
    let c = custody(put_in_custody, nobody).expect(Claim::Custody, Supported, C::KeyShared);
    let said: Vec<_> = c.assumptions.iter().map(|a| a.text.as_str()).collect();
    assert!(said.iter().any(|t| t.contains("is not proved in public")), "{said:?}");
    custody(put_in_custody, run_by_the_hosts_firm(2)).expect(Claim::Custody, Supported, C::KeyShared);
}

#[test]
fn custody_is_refuted_by_a_power_that_reaches_enough_custodians() {
    custody(put_in_custody, run_by_the_hosts_firm(3)).expect(Claim::Custody, Refuted, C::PowerReachesKey);
    // A firm that pushes code to three of them reaches them, too.
    let pushed = |list: &mut Vec<Principal>| {
        let mut vendor = roster_principal(Role::Vendor, "vendor", "JP", "JP");
        vendor.provider = Some("Pusher".to_owned());
        for p in list.iter_mut().filter(|p| p.role == Role::Custodian).take(3) {
            p.pushes_code = vec!["vendor".to_owned()];
        }
        list.push(vendor);
    };
    custody(put_in_custody, pushed).expect(Claim::Custody, Refuted, C::PowerReachesKey);
}

/// Without any recipient, whoever can hold back n - t + 1 custodians can hold back the data.
#[test]
fn custody_is_refuted_by_a_power_that_leaves_too_few() {
    let alone = |e: &mut Envelope| {
        put_in_custody(e);
        e.recipients.clear();
    };
    custody(alone, nobody).expect(Claim::Custody, Supported, C::KeyShared);
    let c = custody(alone, run_by_the_hosts_firm(3)).report();
    assert!(c.claim(Claim::Custody).reasons.iter().any(|r| r.code == C::PowerTakesAll));
}

/// Every other way to the key counts: a recipient in reach, a passphrase, an object that is not in custody.
#[test]
fn custody_counts_every_other_way_to_the_key() {
    let reader = |list: &mut Vec<Principal>| {
        list.iter_mut().find(|p| p.name == "reader").unwrap().provider = Some("Reader Cloud".to_owned());
    };
    custody(put_in_custody, reader).expect(Claim::Custody, Refuted, C::PowerReachesKey);
    let both = |e: &mut Envelope| {
        put_in_custody(e);
        with_passphrase(e);
    };
    custody(both, nobody).expect(Claim::Custody, Inconclusive, C::RecipientUnknown);
    let some = |e: &mut Envelope| {
        if e.object.0[0] != 3 {
            put_in_custody(e);
        }
    };
    custody(some, nobody).expect(Claim::Custody, Inconclusive, C::NoSharing);
    custody(put_in_custody, |list| list.retain(|p| p.name != "notary b")).expect(
        Claim::Custody,
        Inconclusive,
        C::CustodianUnknown,
    );
}

/// The loss of every recipient is no loss of the key while enough custodians are left.
#[test]
fn custodians_outlive_the_recipients() {
    let survivable = |each: fn(&mut Envelope), people: fn(&mut Vec<Principal>)| {
        let mut s = scene(each, people);
        s.policy = format!("{POLICY}[survivable]\nlose = [\"law\"]\n");
        s
    };
    // The one recipient is under Swiss law.
    survivable(|_| (), nobody).expect(Claim::Survivable, Refuted, C::PowerTakesAll);
    let report = survivable(put_in_custody, nobody).report();
    assert_eq!(report.claim(Claim::Survivable).verdict, Inconclusive);
    let swiss = |list: &mut Vec<Principal>| {
        list.iter_mut()
            .filter(|p| p.role == Role::Custodian)
            .take(3)
            .for_each(|p| p.law = "CH".parse().unwrap());
    };
    survivable(put_in_custody, swiss).expect(Claim::Survivable, Refuted, C::PowerTakesAll);
    let report = survivable(with_passphrase, nobody).report();
    assert_eq!(report.claim(Claim::Survivable).verdict, Inconclusive);
}
