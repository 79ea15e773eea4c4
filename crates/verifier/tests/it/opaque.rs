//! *Opaque* of a fleet: what must have been seen, of every body an owner signed, on hosts the roster knows; and whose keys still count.

use bailiwick_protocol::envelope::Envelope;
use bailiwick_protocol::ids::CellRoot;
use bailiwick_roster::{Principal, Role, Roster};
use bailiwick_verifier::{Claim, ReasonCode as C, Standing, Verdict};

use crate::beacon_chain::published;
use crate::fleet_world::{
    EPOCHS, FleetScene, HOSTS, POLICY, held_by, opened_by, roster, roster_principal, round_of,
};
use crate::world::{hex, key, principal};

use Verdict::{Inconclusive, Refuted, Supported};

fn roster_with(change: impl Fn(&mut Vec<Principal>)) -> Roster {
    let mut r = roster();
    change(&mut r.principals);
    r.principals.sort_by(|a, b| a.name.cmp(&b.name));
    r
}

fn ends_before(name: &'static str, now: u64) -> Roster {
    roster_with(|list| list.iter_mut().find(|p| p.name == name).unwrap().valid_until_unix_ms = now)
}

/// Of two objects that the policy names, one was never sampled: that the other was opened says nothing of it.
#[test]
fn opaque_needs_every_object_that_the_policy_names() {
    let named = |rule: String| {
        let mut s = FleetScene::honest();
        s.policy = format!("{POLICY}[[objects]]\nclaims = [\"opaque\"]\n{rule}\n");
        s
    };
    let (alice, bob) = (hex("alice"), hex("bob"));
    let (there, lost) = ("01".repeat(16), "77".repeat(16));
    let seen = held_by("host")[0].object;
    assert!(seen.to_string() == there || held_by("host")[1].object.to_string() == there);
    named(format!("objects = [\"{alice}/{there}\"]")).expect(Claim::Opaque, Supported, C::Opened);
    named(format!("objects = [\"{alice}/{there}\", \"{alice}/{lost}\"]")).expect(
        Claim::Opaque,
        Inconclusive,
        C::ObjectNotSampled,
    );
    named(format!("owners = [\"{alice}\", \"{bob}\"]")).expect(Claim::Opaque, Supported, C::Opened);
    named(format!("owners = [\"{alice}\", \"{}\"]", hex("carol"))).expect(
        Claim::Opaque,
        Inconclusive,
        C::OwnerMissing,
    );
}

/// A host that only the file of anchors knows: a recipient run by the very same firm could not be told from anybody else.
#[test]
fn opaque_needs_every_host_in_the_roster() {
    let without = |name: &'static str| {
        let mut s = FleetScene::honest();
        s.roster = Some(roster_with(|list| list.retain(|p| p.name != name)));
        s
    };
    let c = without("other host").expect(Claim::Opaque, Inconclusive, C::HostNotInRoster);
    assert!(c.reasons[0].text.contains(&hex("other host")[..16]), "{}", c.reasons[0].text);
    // Known, but as somebody else: then nothing is compared with it either.
    let mut s = FleetScene::honest();
    s.roster =
        Some(roster_with(|l| l.iter_mut().find(|p| p.name == "other host").unwrap().role = Role::Landmark));
    s.expect(Claim::Opaque, Inconclusive, C::HostNotInRoster);
    FleetScene::honest().expect(Claim::Opaque, Supported, C::Opened);
}

/// A host of the schedule of which there is no audit at all counts, too.
#[test]
fn opaque_needs_scheduled_hosts_without_audits_in_the_roster() {
    let mut s = FleetScene::honest();
    s.roster = Some(roster_with(|list| list.retain(|p| p.name != "other host")));
    s.audits.retain(|a| a.bundle.challenge.decode_unverified().unwrap().host.0 == key("host").public());
    s.expect(Claim::Opaque, Inconclusive, C::HostNotInRoster);
}

/// What refutes is said even where a host is unknown.
#[test]
fn an_unknown_host_hides_no_refutation() {
    let mut s = FleetScene::honest();
    s.roster = Some(roster_with(|list| {
        list.retain(|p| p.name != "other host");
        list.iter_mut().find(|p| p.name == "reader").unwrap().provider = Some("Example Cloud".to_owned());
    }));
    s.expect(Claim::Opaque, Refuted, C::RecipientIsHost);
}

/// The objects of `host`, each in a second body of the same generation.
fn twice(list: &mut [Envelope]) {
    for e in list {
        e.body.blake3.0 = [0; 32];
        e.commitment.as_mut().unwrap().root = CellRoot([1; 32]);
    }
}

/// An owner that signed two bodies of one generation had one of them opened: the other may be anything.
#[test]
fn every_body_of_the_newest_generation_must_have_been_opened() {
    // One host holds the object as it was opened, the other one a body that sorts below it.
    let scene = || {
        FleetScene::with(|host| {
            let mut list = held_by("host");
            if host != "host" {
                twice(&mut list);
            }
            list
        })
    };
    let mut s = scene();
    let first = held_by("host");
    s.opened = first.iter().map(|e| opened_by("reader", e)).collect();
    let c = s.expect(Claim::Opaque, Inconclusive, C::NotOpened);
    assert_eq!(c.numbers.opened.unwrap().objects, 2);
    assert_eq!(c.numbers.opened.unwrap().opened, 0);
    let mut s = scene();
    let mut second = held_by("host");
    twice(&mut second);
    s.opened = first.iter().chain(&second).map(|e| opened_by("reader", e)).collect();
    s.expect(Claim::Opaque, Supported, C::Opened);
}

/// An older generation need not have been opened.
#[test]
fn older_generations_need_not_have_been_opened() {
    let newer = || -> Vec<Envelope> {
        let up = |mut e: Envelope| {
            e.generation += 1;
            e.body.blake3.0 = [0; 32];
            e
        };
        held_by("host").into_iter().map(up).collect()
    };
    let mut s = FleetScene::with(|host| if host == "host" { held_by("host") } else { newer() });
    s.opened = newer().iter().map(|e| opened_by("reader", e)).collect();
    s.expect(Claim::Opaque, Supported, C::Opened);
}

/// P15: a principal counts while its entry in the roster is valid: a host or owner audited after that is anchored by nothing.
#[test]
fn p15_principals_past_their_validity_anchor_nothing() {
    let only_in_roster = |role: &str, name: &'static str| {
        let mut s = FleetScene::honest();
        s.anchors = s.anchors.replace(&principal(role, name), "");
        assert_eq!(s.now, FleetScene::honest().now);
        s
    };
    for (role, name, code) in
        [("host", "other host", C::HostNotAnchored), ("owner", "alice", C::DetectionBelowPolicy)]
    {
        assert_eq!(only_in_roster(role, name).report().claim(Claim::Stored).verdict, Supported, "{name}");
        let last = published(round_of(EPOCHS));
        let mut s = only_in_roster(role, name);
        s.roster = Some(ends_before(name, last + 1));
        assert_eq!(s.report().claim(Claim::Stored).verdict, Supported, "{name}: valid when it was audited");
        let mut s = only_in_roster(role, name);
        s.roster = Some(ends_before(name, last));
        let report = s.report();
        let stored = report.claim(Claim::Stored);
        assert_eq!(stored.verdict, Inconclusive, "{name}");
        let shown =
            report.fleet.hosts.iter().flat_map(|h| &h.timeline).filter(|e| e.standing != Standing::Held);
        let all = shown.filter_map(|e| e.why.as_ref()).chain(&stored.reasons);
        assert!(all.into_iter().any(|r| r.code == code), "{name}: {:#?}", stored.reasons);
    }
    // What the reader's own file of anchors says does not end with the roster's entry.
    let mut s = FleetScene::honest();
    s.roster = Some(ends_before("other host", s.now));
    assert_eq!(s.report().claim(Claim::Stored).verdict, Supported);
}

/// P15: nor may a recipient or an auditor of the roster say that it opened something; but it still can open it.
#[test]
fn p15_openers_past_their_validity_vouch_for_nothing() {
    let mut s = FleetScene::honest();
    s.roster = Some(ends_before("reader", s.now));
    s.expect(Claim::Opaque, Inconclusive, C::NotOpened);
    let auditor_opens = |until: u64| {
        let mut s = FleetScene::honest();
        let objects: Vec<Envelope> = HOSTS.iter().flat_map(|h| held_by(h)).collect();
        s.opened = objects.iter().map(|e| opened_by("second auditor", e)).collect();
        s.roster = Some(roster_with(|list| {
            let mut p = roster_principal(Role::Auditor, "second auditor", "CH", "CH");
            p.valid_until_unix_ms = until;
            list.push(p);
        }));
        s
    };
    let now = FleetScene::honest().now;
    auditor_opens(now + 1).expect(Claim::Opaque, Supported, C::Opened);
    auditor_opens(now).expect(Claim::Opaque, Inconclusive, C::NotOpened);
    // Its reach outlives its entry: the key it holds does not expire.
    let mut s = FleetScene::honest();
    s.roster = Some(roster_with(|list| {
        let reader = list.iter_mut().find(|p| p.name == "reader").unwrap();
        reader.provider = Some("Example Cloud".to_owned());
        reader.valid_until_unix_ms = now;
    }));
    s.expect(Claim::Opaque, Refuted, C::RecipientIsHost);
}
