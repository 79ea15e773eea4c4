//! Bundles judged whole.

use std::collections::BTreeMap;
use std::sync::LazyLock;

use bailiwick_protocol::bundle::{Bundle, SignedBundle};
use bailiwick_protocol::codec::Canonical;
use bailiwick_verifier::{Inputs, exit_code_of, verify};

use super::messages::{bundles, key};

pub(super) const POLICY: &str = r#"
version = 1
name = "stored"
require = ["stored"]
[stored]
lost_fraction = 0.5
min_detection = 0.1
max_age_hours = 24
"#;

/// Everyone the seeds speak of, so that mutations are judged and not turned away at the door.
pub(super) static ANCHORS: LazyLock<String> = LazyLock::new(|| {
    let principal = |role, seed| {
        let key: String = key(seed).public().iter().map(|b| format!("{b:02x}")).collect();
        format!("[[principal]]\nrole = \"{role}\"\nname = \"{role}\"\nkey = \"{key}\"\n")
    };
    let principals = [("owner", 1), ("host", 2), ("auditor", 3)].map(|(role, seed)| principal(role, seed));
    format!("version = 1\n{}", principals.concat())
});

/// The payload of a bundle, signed here by the auditor: no contents meet a policy without a verifying key, and the
/// same contents are judged the same twice.
pub(super) fn judgement(data: &[u8]) -> bool {
    let Ok(bundle) = Bundle::from_bytes(data) else { return false };
    let signed = SignedBundle::new(&bundle, &key(3)).to_bytes();
    let inputs = Inputs {
        bundle: &signed,
        policy: POLICY,
        anchors: &ANCHORS,
        verifying_keys: &BTreeMap::new(),
        now_unix_ms: 1_795_359_845_000,
    };
    let outcome = verify(&inputs);
    assert_ne!(exit_code_of(&outcome), 0, "a policy is met without a verifying key");
    assert_eq!(outcome, verify(&inputs), "one bundle, two judgements");
    outcome.is_ok()
}

pub(super) fn judgement_seeds() -> Vec<Vec<u8>> {
    bundles().iter().map(Canonical::to_bytes).collect()
}
