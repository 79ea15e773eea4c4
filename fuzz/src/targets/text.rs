//! Files people write.

use std::path::Path;

use bailiwick_node::config::Config;
use bailiwick_verifier::{Anchors, Policy};

pub(super) fn policy(data: &[u8]) -> bool {
    core::str::from_utf8(data).is_ok_and(|text| Policy::parse(text).is_ok())
}

pub(super) fn anchors(data: &[u8]) -> bool {
    core::str::from_utf8(data).is_ok_and(|text| Anchors::parse(text).is_ok())
}

/// A policy with every key of *stored*.
const POLICY: &str = r#"
version = 1
name = "every key of stored"
require = ["stored"]
[stored]
scope = "owner"
lost_fraction = 0.01
min_detection = 0.4
max_age_hours = 24
hosts = ["0101010101010101010101010101010101010101010101010101010101010101"]
owners = ["0202020202020202020202020202020202020202020202020202020202020202"]
provenance = ["auditor", "ceremony"]
"#;

/// Anchors with every key and every provenance.
const ANCHORS: &str = r#"
version = 1
[[principal]]
role = "owner"
name = "o"
key = "0101010101010101010101010101010101010101010101010101010101010101"
[[principal]]
role = "host"
name = "h"
key = "0202020202020202020202020202020202020202020202020202020202020202"
provider = "p"
site = "s"
country = "c"
law = "l"
[[principal]]
role = "auditor"
name = "a"
key = "0303030303030303030303030303030303030303030303030303030303030303"
[[verifying_key]]
digest = "0404040404040404040404040404040404040404040404040404040404040404"
class = { samples = 16, depth = 5 }
provenance = "auditor"
auditor = "0303030303030303030303030303030303030303030303030303030303030303"
[[verifying_key]]
digest = "0505050505050505050505050505050505050505050505050505050505050505"
class = { samples = 64, depth = 6 }
provenance = "development"
"#;

pub(super) fn policy_seeds() -> Vec<Vec<u8>> {
    let profiles = [
        &include_bytes!("../../../audits/profiles/strict.toml")[..],
        include_bytes!("../../../audits/profiles/eu-transfer.toml"),
        include_bytes!("../../../audits/profiles/bsn-international.toml"),
    ];
    [POLICY.as_bytes()].into_iter().chain(profiles).map(<[u8]>::to_vec).collect()
}

pub(super) fn anchors_seeds() -> Vec<Vec<u8>> {
    vec![b"version = 1".to_vec(), ANCHORS.into()]
}

pub(super) fn node_config(data: &[u8]) -> bool {
    core::str::from_utf8(data).is_ok_and(|text| Config::parse(text, Path::new("node.toml")).is_ok())
}

pub(super) fn node_config_seeds() -> Vec<Vec<u8>> {
    vec![include_bytes!("../../../crates/node/node.example.toml").to_vec()]
}
