//! Rosters that may and may not be used.

use bailiwick_protocol::bundle::{Answer, Bundle, NoAnswer};
use bailiwick_protocol::challenge::{CannotProve, Response, SignedChallenge, SignedResponse};
use bailiwick_protocol::codec::Canonical;
use bailiwick_protocol::ids::{HostKey, RosterKey};
use bailiwick_protocol::inventory::SignedInventory;
use bailiwick_protocol::schedule::Offered;
use bailiwick_roster::{OpenError, Principal, Role, SignedRoster};
use bailiwick_verifier::{Claim, FleetReport, ReasonCode as C, Standing, Unusable, Verdict};

use crate::beacon_chain::published;
use crate::fleet_world::{
    Audit, EPOCHS, FleetScene, HOSTS, audit, challenge, held_by, inventory_of, object, roster,
    roster_principal, roster_with, round_of, standing,
};
use crate::world::{
    anchored_key, auditors_trapdoor, challenge_for, key, principal, response, set_up_by, signed_envelope,
};

use Verdict::{Inconclusive, Refuted, Supported};

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

/// Hosts, owners and the auditor are anchored by the roster alone, and the key by a ceremony.
fn by_roster(change: impl Fn(&mut Principal)) -> FleetScene {
    let mut s = FleetScene::honest();
    let roles = [
        ("host", "host"),
        ("host", "other host"),
        ("owner", "alice"),
        ("owner", "bob"),
        ("auditor", "auditor"),
    ];
    for (role, name) in roles {
        s.anchors = s.anchors.replace(&principal(role, name), "");
    }
    let vk = auditors_trapdoor().verifying_key().digest();
    let ceremony = "\"ceremony\"\ntranscript = \"t\"\ncontributors = 2\nbeacon = \"b\"";
    s.anchors = s.anchors.replace(&anchored_key(vk, &set_up_by("auditor")), &anchored_key(vk, ceremony));
    s.roster = Some(roster_with(|list| {
        list.push(roster_principal(Role::Auditor, "auditor", "CH", "CH"));
        list.iter_mut().for_each(&change);
    }));
    s
}

fn valid(who: &'static str, from: u64, until: u64) -> impl Fn(&mut Principal) {
    move |p| {
        if p.name == who {
            (p.valid_from_unix_ms, p.valid_until_unix_ms) = (from, until);
        }
    }
}

/// The host signs that it has lost cells, in its first audit.
fn confessed(mut s: FleetScene, host: &str) -> FleetScene {
    let of_host = |a: &crate::fleet_world::Audit| a.outcome.as_ref().unwrap().host.0 == key(host).public();
    let at = s.audits.iter().position(of_host).unwrap();
    let c = s.audits[at].bundle.challenge.decode_unverified().unwrap();
    let response = Response { challenge: c.digest(), outcome: Err(CannotProve::CellsUnavailable) };
    s.audits[at].bundle.answer = Answer::Response(SignedResponse::new(&response, &key(host)));
    s.outcomes();
    s
}

fn stored(r: &FleetReport) -> Verdict {
    r.claim(Claim::Stored).verdict
}

/// P15: an entry of the roster counts for the audits of its time: from its first moment, until before its last, whenever they are judged.
#[test]
fn p15_entries_of_a_roster_count_at_the_time_of_the_audit() {
    let (first, last) = (published(round_of(1)), published(round_of(EPOCHS)));
    let all = 4_000_000_000_000;
    assert_eq!(by_roster(|_| ()).report().exit_code, 0);
    // Ended since, all of its audits before: they hold.
    let report = by_roster(valid("host", first, last + 1)).report();
    assert_eq!((report.fleet.audits.held, stored(&report)), (2 * EPOCHS, Supported));
    for (who, from, until, refused) in
        [("host", first, last, C::HostNotAnchored), ("host", first + 1, all, C::HostNotAnchored)]
    {
        let report = by_roster(valid(who, from, until)).report();
        assert_eq!(standing(&report, Standing::Undecided), [refused], "{who} {from} {until}");
        assert_eq!(stored(&report), Inconclusive);
    }
}

/// P15: on its auditor's word alone a host has failed only at rounds at which its key was a host's.
#[test]
fn p15_no_inventory_of_a_host_whose_entry_was_not_valid_is_nothing_against_it() {
    let (last, all) = (published(round_of(EPOCHS)), 4_000_000_000_000);
    let silent = |from, until| {
        let mut s = by_roster(valid("host", from, until));
        let host = HostKey(key("host").public());
        let at = s.audits.iter().rposition(|a| a.outcome.as_ref().unwrap().host == host).unwrap();
        s.audits.remove(at);
        let (c, _) = s.commitments.last_mut().unwrap();
        c.hosts.iter_mut().find(|(h, _)| *h == host).unwrap().1 = Offered::Nothing(NoAnswer::TimedOut);
        s.report()
    };
    for (from, until, expected, failed) in [
        (1, last + 1, Refuted, 1),
        (1, all, Refuted, 1),
        (1, last, Inconclusive, 0),
        (last + 1, all, Inconclusive, 0),
    ] {
        let report = silent(from, until);
        assert_eq!((stored(&report), report.fleet.audits.failed), (expected, failed), "{from} {until}");
    }
}

/// P15: what a host signed against itself stands after its entry has ended, where a quorum saw it in the log before; what somebody signs
/// with its old key later does not, whatever round the question names.
#[test]
fn p15_a_signed_failure_outlives_the_hosts_entry() {
    let (first, now) = (published(round_of(1)), FleetScene::honest().now);
    // Logged a minute after the round; a quorum saw it at the end of that second.
    for (until, expected) in [(first + 61_000, (Refuted, 1)), (first + 60_999, (Inconclusive, 0))] {
        let report = confessed(by_roster(valid("host", 1, until)), "host").report();
        assert_eq!((stored(&report), report.fleet.audits.failed), expected, "{until}");
    }
    // In no log, nothing dates it; of a host of today nothing need.
    for (until, expected) in [(now + 1, (Refuted, 1)), (now, (Inconclusive, 0))] {
        let mut s = confessed(by_roster(valid("host", 1, until)), "host");
        s.audits.iter_mut().for_each(|a| a.outcome = None);
        let report = s.report();
        assert_eq!((stored(&report), report.fleet.audits.failed), expected, "{until}");
    }
    // Nothing dates an inventory beside the audits.
    let (_, second) = inventory_of("host", 2, &held_by("host")[..1]);
    let two = |until: u64| {
        let mut s = by_roster(valid("host", 1, until));
        s.inventories.push(SignedInventory::new(&second, &key("host")));
        stored(&s.report())
    };
    assert_eq!((two(now + 1), two(now)), (Refuted, Supported));
}

/// P15: nor does a bundle date the inventory in it, but the log does.
#[test]
fn p15_a_second_inventory_in_a_bundle_is_dated_by_the_log() {
    let now = FleetScene::honest().now;
    let two = |until: u64, is_logged: bool| {
        let mut s = by_roster(valid("host", 1, until));
        let held = &held_by("host")[..1];
        let (tree, inventory) = inventory_of("host", 2, held);
        let bundle = audit("host", &challenge("host", 2, &inventory), held, &inventory, &tree);
        let logged_ms = published(round_of(2)) + 60_000;
        s.audits.push(Audit { bundle, outcome: None, logged_ms });
        s.outcomes();
        if !is_logged {
            s.audits.last_mut().unwrap().outcome = None;
        }
        stored(&s.report())
    };
    assert_eq!((two(now + 1, false), two(now, false)), (Refuted, Supported));
    assert_eq!(two(now, true), Refuted);
}

/// P02: an object that only a host had whose entry has ended is not shown any more, however its last audit came out.
#[test]
fn p02_a_retired_hosts_objects_are_not_shown() {
    let name = format!("{}/{}", crate::world::hex("alice"), "09".repeat(16));
    let now = FleetScene::honest().now;
    for (until, shown) in [(now + 1, true), (now, false)] {
        let mut s = by_roster(|_| ());
        let mut old = roster_principal(Role::Host, "old host", "CH", "CH");
        old.valid_until_unix_ms = until;
        let roster = s.roster.as_mut().unwrap();
        roster.principals.push(old);
        roster.principals.sort_by(|a, b| a.name.cmp(&b.name));
        // One audit by itself: no schedule has this host.
        let held = [object("alice", 9, 20_000, &[Some("reader")])];
        let trapdoor = auditors_trapdoor();
        let mut c = challenge_for(&held, trapdoor.verifying_key().digest());
        c.host = HostKey(key("old host").public());
        let bundle = Bundle {
            challenge: SignedChallenge::new(&c, &key("auditor")),
            envelopes: held.iter().map(signed_envelope).collect(),
            inventory: None,
            answer: response(&c, Ok(trapdoor.forge(&c)), "old host"),
            ..s.audits[0].bundle.clone()
        };
        s.audits.push(Audit { bundle, outcome: None, logged_ms: 0 });
        s.policy += &format!("[[objects]]\nclaims = [\"stored\"]\nobjects = [\"{name}\"]\n");
        let report = s.report();
        assert_eq!(report.fleet.audits.held, 2 * EPOCHS + 1);
        let reasons = &report.claim(Claim::Stored).reasons;
        let lost = reasons.iter().any(|r| r.code == C::ObjectNotSampled && r.text.contains(&name));
        assert_eq!(lost, !shown, "{until}: {reasons:#?}");
    }
}

/// P15: an auditor whose entry has ended speaks where a quorum had seen its word before; not afterwards.
#[test]
fn p15_an_auditors_entry_counts_when_witnesses_saw_its_word() {
    let seen_last = published(round_of(EPOCHS)) + 60_000;
    let held = |until: u64| by_roster(valid("auditor", 1, until)).report().fleet.audits.held;
    // A quorum saw it at the end of that second.
    assert_eq!(held(seen_last + 1_001), 2 * EPOCHS);
    assert_eq!(held(seen_last), 2 * EPOCHS - 2);
}

/// P20: hosts that nobody anchored handle what they are asked for all the same: *opaque* looks for them in the roster.
#[test]
fn p20_a_host_nobody_anchored_is_looked_for_in_the_roster() {
    let asked = |roster_has_it: bool| {
        let mut s = FleetScene::honest();
        let held = held_by(HOSTS[0]);
        let (tree, inventory) = inventory_of("stranger", 1, &held);
        let bundle = audit("stranger", &challenge("stranger", 1, &inventory), &held, &inventory, &tree);
        let like = s.audits[0].clone();
        s.audits.push(crate::fleet_world::Audit { bundle, ..like });
        s.outcomes();
        if roster_has_it {
            s.roster = Some(roster_with(|l| l.push(roster_principal(Role::Host, "stranger", "FR", "FR"))));
        }
        let c = s.report().claim(Claim::Opaque).clone();
        (c.verdict, c.reasons[0].code)
    };
    assert_eq!(asked(false), (Inconclusive, C::HostNotInRoster));
    assert_eq!(asked(true), (Supported, C::Opened));
}
