//! Rosters and blocs, as text and as signed bytes.

use bailiwick_protocol::codec::Canonical as _;
use bailiwick_protocol::ids::RosterKey;
use bailiwick_protocol::secret::Secret;
use bailiwick_protocol::signing::SigningKey;
use bailiwick_roster::{Blocs, Roster, SignedRoster};

const NETWORK: &str = include_str!("../../../audits/rosters/seed-network.toml");
const BLOCS: &str = include_str!("../../../audits/jurisdictions/blocs.toml");

fn key() -> SigningKey {
    SigningKey::from_seed(&Secret::init_with(|b| b.fill(7)))
}

/// What was read has one encoding, every principal is found by its name, and following who pushes code ends.
fn hold(roster: &Roster) {
    assert_eq!(Roster::from_bytes(&roster.to_bytes()).as_ref(), Ok(roster));
    let blocs = Blocs::shipped();
    for p in &roster.principals {
        assert_eq!(roster.principal(&p.name), Some(p));
        let own = bailiwick_roster::own_reach(p, &blocs);
        if let Ok(all) = roster.reach(p, &blocs) {
            assert!(own.jurisdictions().is_subset(&all.jurisdictions()));
        }
    }
    assert!(bailiwick_roster::diff(roster, roster).is_empty());
}

pub(super) fn signed(data: &[u8]) -> bool {
    let Ok(signed) = SignedRoster::from_bytes(data) else { return false };
    assert_eq!(signed.to_bytes(), data);
    let Ok(roster) = signed.decode_unverified() else { return false };
    hold(&roster);
    // Whatever was accepted, nobody but the authority is believed.
    if roster.authority.as_bytes() != &key().public() {
        assert!(Roster::open_undated(data, &RosterKey(key().public())).is_err());
    }
    true
}

pub(super) fn text(data: &[u8]) -> bool {
    let Ok(text) = core::str::from_utf8(data) else { return false };
    let Ok(roster) = Roster::parse(text, RosterKey(key().public()), Blocs::shipped().digest()) else {
        return false;
    };
    hold(&roster);
    true
}

pub(super) fn blocs(data: &[u8]) -> bool {
    let Some(blocs) = core::str::from_utf8(data).ok().and_then(|t| Blocs::parse(t).ok()) else {
        return false;
    };
    assert_eq!(Blocs::from_bytes(&blocs.to_bytes()).as_ref(), Ok(&blocs));
    true
}

pub(super) fn signed_seeds() -> Vec<Vec<u8>> {
    let roster = Roster::parse(NETWORK, RosterKey(key().public()), Blocs::shipped().digest());
    roster.map(|r| SignedRoster::new(&r, &key()).to_bytes()).into_iter().collect()
}

/// A short roster with every key, and the whole example.
pub(super) fn text_seeds() -> Vec<Vec<u8>> {
    const SHORT: &str = r#"format = 1
name = "r"
number = 2
issued = 2026-11-01T00:00:00Z
valid_until = 2027-11-01T00:00:00Z
previous = "0101010101010101010101010101010101010101010101010101010101010101"
[[principal]]
name = "v"
role = "vendor"
keys = [{ kind = "x25519", public = "0202020202020202020202020202020202020202020202020202020202020202" }]
provider = "p"
site = "s"
latitude_microdeg = -1
longitude_microdeg = 180000000
country = "HK"
law = "EU"
parent = "q"
parent_law = "US"
pushes_code = ["w"]
valid_from = 2026-11-02T00:00:00.5Z
valid_until = 2027-01-01T00:00:00Z
[[principal]]
name = "w"
role = "gateway"
country = "JP"
law = "JP"
pushes_code = ["v"]
"#;
    vec![SHORT.into(), NETWORK.into()]
}

pub(super) fn blocs_seeds() -> Vec<Vec<u8>> {
    vec![BLOCS.into()]
}
