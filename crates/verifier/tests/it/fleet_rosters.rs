//! Rosters that may and may not be used.

use bailiwick_protocol::codec::Canonical;
use bailiwick_protocol::ids::RosterKey;
use bailiwick_roster::{OpenError, SignedRoster};
use bailiwick_verifier::{Claim, ReasonCode as C, Unusable, Verdict};

use crate::fleet_world::{FleetScene, roster};
use crate::world::key;

use Verdict::Supported;

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
