//! *Opaque* of a fleet: recipients against the roster, and who opened what.

use bailiwick_protocol::envelope::{Envelope, Kem};
use bailiwick_roster::{KeyKind, Parent, Principal, PublicKey, Role};
use bailiwick_verifier::{Claim, FleetReport, ReasonCode as C, Verdict};

use crate::fleet_custody::{custody, put_in_custody, scene};
use crate::fleet_world::{
    FleetScene, HOSTS, POLICY, held_by, key_id, object, opened_by, roster_principal, roster_with,
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
    // EDPB 01/2020, use case 3: who pushes code to the recipient can read what it opens.
    let pushed = |vendor: bailiwick_roster::Principal| {
        let mut s = with("CH");
        s.roster = Some(roster_with(|list| {
            list.iter_mut().find(|p| p.name == "reader").unwrap().pushes_code =
                vec!["distributor".to_owned()];
            let mut between = roster_principal(Role::Vendor, "distributor", "CH", "CH");
            between.pushes_code = vec!["vendor".to_owned()];
            list.extend([between, vendor.clone()]);
        }));
        s
    };
    let vendor = |law: &str| roster_principal(Role::Vendor, "vendor", "US", law);
    let parent = Some(Parent { name: None, law: "US".parse().unwrap() });
    for controlled in [vendor("US"), bailiwick_roster::Principal { parent, ..vendor("CH") }] {
        let c = pushed(controlled).expect(Claim::Opaque, Refuted, C::PlaceForbidden);
        assert!(c.reasons[0].text.contains("in reach of US"), "{:#?}", c.reasons);
    }
    // Soil is what `allowed_countries` speaks of.
    pushed(vendor("CH")).expect(Claim::Opaque, Supported, C::Opened);
}

/// A recipient on P-256 is somebody, if the roster has its key.
#[test]
fn opaque_knows_recipients_on_p256() {
    let public = [&[4][..], &[7; 64]].concat();
    let scene = || {
        FleetScene::with(|host| {
            let mut list = held_by(host);
            for entry in list.iter_mut().flat_map(|e| &mut e.recipients) {
                entry.kem = Kem::P256;
                entry.key_id = Some(key_id(Kem::P256, &public));
                entry.enc = public.clone();
            }
            list
        })
    };
    scene().expect(Claim::Opaque, Inconclusive, C::RecipientUnknown);
    let mut s = scene();
    s.roster = Some(roster_with(|list| {
        let reader = list.iter_mut().find(|p| p.name == "reader").unwrap();
        reader.keys[1] = PublicKey { kind: KeyKind::P256, public: public.clone() };
    }));
    s.expect(Claim::Opaque, Supported, C::Opened);
}

/// The entry of `who` is valid from `from` until `until`, and the reader is run by a firm if `firm` says so.
fn valid(who: &str, (from, until): (u64, u64), firm: Option<&str>) -> impl Fn(&mut Vec<Principal>) {
    move |list| {
        let p = list.iter_mut().find(|p| p.name == who).unwrap();
        (p.valid_from_unix_ms, p.valid_until_unix_ms) = (from, until);
        p.provider = firm.map(str::to_owned);
    }
}

/// V38, V42: of a recipient, or an owner, whose entry has ended or has not begun, the roster does not say who has the key now.
#[test]
fn holders_whose_entry_is_not_valid_support_nothing() {
    let now = FleetScene::honest().now;
    let opaque = |when| {
        let mut s = scene(|_| (), valid("reader", when, None));
        s.opened = HOSTS.iter().flat_map(|h| held_by(h)).map(|e| opened_by("auditor", &e)).collect();
        s
    };
    let shared = |who, when| custody(put_in_custody, valid(who, when, None));
    opaque((1, now + 1)).expect(Claim::Opaque, Supported, C::Opened);
    shared("reader", (1, now + 1)).expect(Claim::Custody, Supported, C::KeyShared);
    shared("alice", (1, now + 1)).expect(Claim::Custody, Supported, C::KeyShared);
    for when in [(1, now), (now + 1, now + 2)] {
        let c = opaque(when).expect(Claim::Opaque, Inconclusive, C::RecipientUnknown);
        assert!(c.reasons[0].text.contains("not valid at this moment"), "{:#?}", c.reasons);
        let c = shared("reader", when).expect(Claim::Custody, Inconclusive, C::RecipientUnknown);
        assert!(c.reasons[0].text.contains("not valid at this moment"), "{:#?}", c.reasons);
    }
    shared("alice", (1, now)).expect(Claim::Custody, Inconclusive, C::RecipientUnknown);
}

/// V39, V40: what reached such a holder still counts against; but it is not known to be taken, so somebody may be left.
#[test]
fn holders_whose_entry_ended_can_be_compelled_and_are_not_known_to_be_lost() {
    let now = FleetScene::honest().now;
    for until in [now + 1, now] {
        let s = custody(put_in_custody, valid("reader", (1, until), Some("Reader Cloud")));
        s.expect(Claim::Custody, Refuted, C::PowerReachesKey);
    }
    let survivable = |until| {
        let mut s = scene(|_| (), valid("reader", (1, until), None));
        s.policy = format!("{POLICY}[survivable]\nlose = [\"law\"]\n");
        s
    };
    survivable(now + 1).expect(Claim::Survivable, Refuted, C::PowerTakesAll);
    let report = survivable(now).report();
    let c = report.claim(Claim::Survivable);
    assert_eq!(c.verdict, Inconclusive, "{:#?}", c.reasons);
    assert!(c.reasons.iter().any(|r| r.code == C::RecipientUnknown), "{:#?}", c.reasons);
}
