//! *Opaque* of a fleet: recipients against the roster, and who opened what.

use bailiwick_protocol::envelope::Envelope;
use bailiwick_roster::{Parent, Role};
use bailiwick_verifier::{Claim, FleetReport, ReasonCode as C, Verdict};

use crate::fleet_world::{
    FleetScene, HOSTS, POLICY, held_by, object, opened_by, roster_principal, roster_with,
};

use Verdict::{Inconclusive, Refuted, Supported};

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
