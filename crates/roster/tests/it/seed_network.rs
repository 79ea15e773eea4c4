//! The worked example: the network of the seed case.

use bailiwick_protocol::codec::Canonical as _;
use bailiwick_protocol::ids::RosterKey;
use bailiwick_protocol::secret::Secret;
use bailiwick_protocol::signing::SigningKey;
use bailiwick_roster::{Blocs, Jurisdiction, KeyKind, Role, Roster, ShareBy, SignedRoster, open};

const TEXT: &str = include_str!("../../../../audits/rosters/seed-network.toml");

fn example_key(name: &str) -> SigningKey {
    let seed = blake3::hash(format!("bailiwick example key, public on purpose: {name}").as_bytes());
    SigningKey::from_seed(&Secret::init_with(|b| *b = *seed.as_bytes()))
}

fn network() -> Roster {
    let authority = RosterKey(example_key("authority").public());
    Roster::parse(TEXT, authority, Blocs::shipped().digest()).unwrap()
}

fn j(text: &str) -> Jurisdiction {
    text.parse().unwrap()
}

#[test]
fn it_is_read_signed_and_opened() {
    let r = network();
    let bytes = SignedRoster::new(&r, &example_key("authority")).to_bytes();
    let now = r.issued_unix_ms + 1;
    assert_eq!(open(&bytes, &r.authority, now, None).unwrap(), r);
    assert_eq!(r.of_role(Role::Host).count(), 24);
}

/// Nobody's real key is in it: each is the one its public seed gives.
#[test]
fn its_keys_are_the_documented_example_keys() {
    let r = network();
    let mut keys = 0;
    for p in &r.principals {
        for key in &p.keys {
            assert_eq!(
                (key.kind, key.public.as_slice()),
                (KeyKind::Ed25519, &example_key(&p.name).public()[..])
            );
            keys += 1;
        }
    }
    assert_eq!(keys, 26);
    assert!(TEXT.contains("EXAMPLE KEYS"));
}

/// The encoding is pinned: a change of either digest is a change of the format, of a label, or of what these files say.
#[test]
fn digests_are_pinned() {
    let digests = [Blocs::shipped().digest().to_string(), network().digest().to_string()];
    assert_eq!(
        digests,
        [
            "bbfaa8049610c813f3efd64df9acd8d85b5dc148a121e630d8db46707b81d9af",
            "2d659d757cd964437482c58d0272127239e910611f280170493f7668248363dc",
        ]
    );
}

/// Soil is not law: where the sites stand, and who reaches them.
#[test]
fn soil_and_law_are_told_apart() {
    let r = network();
    let blocs = Blocs::shipped();
    for (name, country, law) in [
        ("Tokyo", "JP", "US"),
        ("Johannesburg", "ZA", "US"),
        ("Paris", "FR", "US"),
        ("California", "US", "US"),
        ("Inside China, AWS 1", "CN", "US"),
        ("Inside China, China Mobile 18", "CN", "CN"),
    ] {
        let p = r.principal(name).unwrap();
        assert_eq!((p.country.as_str(), p.law.as_str()), (country, law), "{name}");
        // Whoever runs the machines, the operations platform deploys to them.
        assert!(r.reach(p, &blocs).unwrap().contains(&j("CN")), "{name}");
    }
    let tokyo = r.reach(r.principal("Tokyo").unwrap(), &blocs).unwrap();
    assert!(
        tokyo
            .reasons(&j("CN"))
            .iter()
            .all(|r| r.pushers.first().map(String::as_str) == Some("Network operations platform"))
    );
    assert!(tokyo.contains(&j("firm:State Information Center")));
    for outside in ["Example developer", "Example auditor"] {
        let reach = r.reach(r.principal(outside).unwrap(), &blocs).unwrap();
        assert!(!reach.contains(&j("CN")) && !reach.contains(&j("US")), "{outside}");
    }
}

/// Every host falls to one law at once: no placement in this network outlives its operator.
#[test]
fn one_law_reaches_every_host() {
    let r = network();
    let reached = r.reached(r.of_role(Role::Host), &Blocs::shipped()).unwrap();
    assert_eq!(reached[&j("CN")].len(), 24);
    assert_eq!(reached[&j("US")].len(), 6);
}

/// Nine sites of ten inside China are China Mobile's, as reported.
#[test]
fn concentration_is_the_reported_one() {
    let r = network();
    let inside =
        r.of_role(Role::Host).filter(|p| p.name.starts_with("Inside China")).map(|p| (p.name.as_str(), 1));
    let shares = r.shares(ShareBy::Provider, inside);
    let largest = shares.largest().unwrap();
    assert_eq!((largest.name.as_deref(), largest.basis_points), (Some("China Mobile"), 9000));
}
