//! A small roster to start from.

use bailiwick_protocol::codec::Canonical as _;
use bailiwick_protocol::ids::RosterKey;
use bailiwick_protocol::secret::Secret;
use bailiwick_protocol::signing::SigningKey;
use bailiwick_roster::{Blocs, Roster, SignedRoster, TomlError};

/// 2026-11-22T12:00:00Z.
pub(crate) const NOW: u64 = 1_795_348_800_000;

/// The key of number `n`.
pub(crate) fn key(n: u8) -> SigningKey {
    SigningKey::from_seed(&Secret::init_with(|b| b.fill(n)))
}

pub(crate) fn authority() -> RosterKey {
    RosterKey(key(200).public())
}

/// Public key number `n`, hexadecimal.
pub(crate) fn public(n: u8) -> String {
    hex::encode(key(n).public())
}

/// Three principals: a host in Japan run by a US firm with a US parent, who ships code to it, and an owner.
pub(crate) fn text() -> String {
    format!(
        r#"format = 1
name = "test"
number = 1
issued = 2026-11-01T00:00:00Z
valid_until = 2027-11-01T00:00:00Z

[[principal]]
name = "Tokyo 1"
role = "host"
keys = [{{ kind = "ed25519", public = "{}" }}]
provider = "Cloud"
site = "Tokyo"
latitude_microdeg = 35689500
longitude_microdeg = 139691700
country = "JP"
law = "US"
parent = "Cloud Holdings"
parent_law = "US"
pushes_code = ["Vendor"]
valid_from = 2026-12-01T00:00:00Z

[[principal]]
name = "Vendor"
role = "vendor"
country = "CN"
law = "CN"

[[principal]]
name = "Alice"
role = "owner"
keys = [{{ kind = "ed25519", public = "{}" }}]
country = "DE"
law = "EU"
"#,
        public(1),
        public(2)
    )
}

pub(crate) fn parse(text: &str) -> Result<Roster, TomlError> {
    Roster::parse(text, authority(), Blocs::shipped().digest())
}

pub(crate) fn roster() -> Roster {
    parse(&text()).unwrap()
}

/// The text with one replacement, which must be there exactly once.
pub(crate) fn with(old: &str, new: &str) -> String {
    let text = text();
    assert_eq!(text.matches(old).count(), 1, "{old:?}");
    text.replace(old, new)
}

pub(crate) fn sign(roster: &Roster) -> Vec<u8> {
    SignedRoster::new(roster, &key(200)).to_bytes()
}
