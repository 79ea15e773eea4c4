//! Recipients who were sent the secret that custodians share: in hybrid mode it opens nothing (spec custody, clauses K17 and K28).

use bailiwick_protocol::envelope::{Envelope, Kem, RecipientEntry, Role as Entry};
use bailiwick_roster::{Principal, Role};
use bailiwick_verifier::{Claim, ReasonCode as C, Verdict};

use crate::fleet_custody::{CUSTODY, custody, deal_by, run_by_the_hosts_firm, scene};
use crate::fleet_world::{POLICY, held_by, key_id, opened_by, roster_principal, x25519};

use Verdict::{Inconclusive, Refuted, Supported};

/// An entry for `name`, who was sent what the role says.
fn entry(name: Option<&str>, role: Entry) -> RecipientEntry {
    let key_id = name.map(|name| key_id(Kem::X25519, &x25519(name)));
    RecipientEntry {
        kem: Kem::X25519,
        key_id,
        enc: vec![1; 32],
        ciphertext: vec![1; role.ciphertext_bytes()],
        role,
    }
}

/// `threshold` of five recover it, and nobody else but `name`, who was sent what the role says.
fn dealt(threshold: u16, hybrid: bool, name: Option<&'static str>, role: Entry) -> impl Fn(&mut Envelope) {
    move |e| {
        deal_by(e, threshold, hybrid);
        e.recipients = vec![entry(name, role)];
    }
}

/// An outsider of `firm`, and two custodians of the host's.
fn outsider(firm: &'static str) -> impl Fn(&mut Vec<Principal>) {
    move |list| {
        let mut p = roster_principal(Role::Recipient, "outsider", "CH", "CH");
        p.provider = Some(firm.to_owned());
        list.push(p);
        run_by_the_hosts_firm(2)(list);
    }
}

fn aside(list: &mut Vec<Principal>) {
    list.push(roster_principal(Role::Recipient, "outsider", "CH", "CH"));
    run_by_the_hosts_firm(2)(list);
}

/// Where a power blocks the custodians, whoever has half of a hybrid key is nobody who is left.
#[test]
fn the_secret_of_a_hybrid_dealing_leaves_nobody() {
    let on = |hybrid, role| custody(dealt(4, hybrid, Some("outsider"), role), aside);
    on(true, Entry::CustodySecret).expect(Claim::Custody, Refuted, C::PowerTakesAll);
    on(true, Entry::FileKey).expect(Claim::Custody, Supported, C::KeyShared);
    on(false, Entry::CustodySecret).expect(Claim::Custody, Supported, C::KeyShared);
    let anonymous = |hybrid| custody(dealt(4, hybrid, None, Entry::CustodySecret), aside);
    anonymous(true).expect(Claim::Custody, Refuted, C::PowerTakesAll);
    anonymous(false).expect(Claim::Custody, Inconclusive, C::RecipientUnknown);
    let survivable = |hybrid| {
        let mut s = scene(dealt(4, hybrid, Some("outsider"), Entry::CustodySecret), aside);
        s.policy = format!("{POLICY}[survivable]\nlose = [\"provider\"]\n");
        s.report().claim(Claim::Survivable).verdict
    };
    assert_eq!(survivable(true), Refuted);
    assert_eq!(survivable(false), Inconclusive);
}

/// Nor does a firm that reaches only that half reach the key.
#[test]
fn the_secret_of_a_hybrid_dealing_is_no_way_to_the_key() {
    assert!(CUSTODY.contains("provider"));
    let on = |hybrid, role| custody(dealt(3, hybrid, Some("outsider"), role), outsider("Outsider Cloud"));
    on(true, Entry::CustodySecret).expect(Claim::Custody, Supported, C::KeyShared);
    on(true, Entry::FileKey).expect(Claim::Custody, Refuted, C::PowerReachesKey);
    on(false, Entry::CustodySecret).expect(Claim::Custody, Refuted, C::PowerReachesKey);
    let opaque = |hybrid, role| {
        scene(dealt(3, hybrid, Some("outsider"), role), outsider("Example Cloud"))
            .report()
            .claim(Claim::Opaque)
            .verdict
    };
    assert_ne!(opaque(true, Entry::CustodySecret), Refuted);
    assert_eq!(opaque(true, Entry::FileKey), Refuted);
    assert_eq!(opaque(false, Entry::CustodySecret), Refuted);
}

/// Whoever has half of a key opened nothing, whatever it says.
#[test]
fn the_secret_of_a_hybrid_dealing_makes_no_opener() {
    let on = |hybrid| {
        let each = dealt(3, hybrid, Some("outsider"), Entry::CustodySecret);
        let mut s = scene(&each, aside);
        let said = |mut e: Envelope| {
            each(&mut e);
            opened_by("outsider", &e)
        };
        s.opened = ["host", "other host"].into_iter().flat_map(held_by).map(said).collect();
        s
    };
    on(false).expect(Claim::Opaque, Supported, C::Opened);
    on(true).expect(Claim::Opaque, Inconclusive, C::NotOpened);
}

/// An owner who deals twice under one generation, and once not in hybrid mode, may have dealt one secret: nobody can tell what it opens.
#[test]
fn a_second_dealing_that_is_not_hybrid_leaves_custody_open() {
    let twice = |second: bool| {
        let mut s = crate::fleet_custody::over_time(
            move |e, epoch| {
                // Of the host's two objects an audit may see only one.
                let changing = e.object.0[0] == 2;
                deal_by(e, if changing { 4 } else { 3 }, epoch == 1 || second);
                e.recipients.clear();
                if changing && epoch == 1 {
                    e.recipients.push(entry(Some("outsider"), Entry::CustodySecret));
                }
            },
            aside,
        );
        s.policy = format!("{POLICY}{CUSTODY}");
        s
    };
    twice(true).expect(Claim::Custody, Refuted, C::PowerTakesAll);
    twice(false).expect(Claim::Custody, Inconclusive, C::RecipientUnknown);
}
