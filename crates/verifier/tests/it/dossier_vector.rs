//! `test-vectors/dossier/v1`: a stored dossier, judged again to the byte.

use std::collections::BTreeMap;
use std::path::PathBuf;

use bailiwick_protocol::codec::Canonical;
use bailiwick_protocol::ids::VkDigest;
use bailiwick_verifier::{Claim, DossierInputs, FleetReport, Verdict, verify_dossier};
use serde::{Deserialize, Serialize};

use crate::fleet_world::FleetScene;
use crate::world::auditors_trapdoor;

/// The stored inputs. Byte strings are hexadecimal.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Vector {
    scenario: String,
    provenance: String,
    now_unix_ms: u64,
    policy: String,
    anchors: String,
    verifying_keys: BTreeMap<VkDigest, String>,
    dossier: String,
    expect: Expect,
}

/// What holds whatever the words of a report are.
#[derive(Serialize, Deserialize, PartialEq, Debug)]
#[serde(deny_unknown_fields)]
struct Expect {
    exit_code: u8,
    /// Each claim's verdict and the code of its first reason.
    claims: BTreeMap<String, (Verdict, serde_json::Value)>,
}

fn folder() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../test-vectors/dossier/v1")
}

fn read() -> Vector {
    serde_json::from_slice(&std::fs::read(folder().join("honest.json")).unwrap()).unwrap()
}

fn judge(v: &Vector) -> FleetReport {
    let keys = v.verifying_keys.iter().map(|(d, k)| (*d, hex::decode(k).unwrap())).collect();
    verify_dossier(&DossierInputs {
        dossier: &hex::decode(&v.dossier).unwrap(),
        policy: &v.policy,
        anchors: &v.anchors,
        roster: None,
        blocs: None,
        verifying_keys: &keys,
        now_unix_ms: v.now_unix_ms,
    })
    .unwrap()
}

fn seen(report: &FleetReport) -> Expect {
    let of = |c: &Claim| {
        let claim = report.claim(*c);
        (c.to_string(), (claim.verdict, serde_json::to_value(claim.reasons[0].code).unwrap()))
    };
    Expect { exit_code: report.exit_code, claims: Claim::ALL.iter().map(of).collect() }
}

#[test]
fn the_stored_dossier_is_judged_as_it_always_was() {
    let v = read();
    let report = judge(&v);
    assert_eq!(seen(&report), v.expect);
    assert_eq!(v.expect.exit_code, 0);
    assert_eq!(report.fleet.audits.held, 6);
}

/// The whole report is the stored one. Words of the program may change between versions of it: then both are stored again, after a
/// look at the difference; what the test above compares may not.
#[test]
fn the_stored_dossier_gives_the_stored_report_to_the_byte() {
    let stored = std::fs::read_to_string(folder().join("honest.report.json")).unwrap();
    let again = judge(&read()).to_json();
    for (at, (a, b)) in again.lines().zip(stored.lines()).enumerate() {
        assert_eq!(a, b, "line {} of the report", at + 1);
    }
    assert_eq!(again, stored);
    assert_eq!(again, judge(&read()).to_json(), "and twice alike");
}

/// A byte of the stored dossier that is not as it was: never judged better.
#[test]
fn t16_a_changed_byte_of_the_stored_dossier_is_not_supported() {
    let v = read();
    let length = v.dossier.len() / 2;
    for at in (40..length).step_by(length / 40) {
        let mut bytes = hex::decode(&v.dossier).unwrap();
        bytes[at] ^= 1;
        let outcome = verify_dossier(&DossierInputs {
            dossier: &bytes,
            policy: &v.policy,
            anchors: &v.anchors,
            roster: None,
            blocs: None,
            verifying_keys: &v.verifying_keys.iter().map(|(d, k)| (*d, hex::decode(k).unwrap())).collect(),
            now_unix_ms: v.now_unix_ms,
        });
        if let Ok(report) = outcome {
            assert_ne!(report.exit_code, 0, "byte {at}");
        }
    }
}

#[test]
#[ignore = "rewrites the stored report, and the dossier if there is none"]
fn write_dossier_vector() {
    std::fs::create_dir_all(folder()).unwrap();
    let path = folder().join("honest.json");
    if !path.exists() {
        let (dossier, scene) = FleetScene::honest().dossier();
        let vk = auditors_trapdoor().verifying_key();
        let mut v = Vector {
            scenario: "honest".to_owned(),
            provenance: "made by crates/verifier/tests/it/dossier_vector.rs with keys from public seeds"
                .to_owned(),
            now_unix_ms: scene.now,
            policy: scene.policy.clone(),
            anchors: scene.anchors.clone(),
            verifying_keys: BTreeMap::from([(vk.digest(), hex::encode(vk.as_bytes()))]),
            dossier: hex::encode(dossier.to_bytes()),
            expect: Expect { exit_code: 0, claims: BTreeMap::new() },
        };
        v.expect = seen(&judge(&v));
        std::fs::write(path, serde_json::to_string_pretty(&v).unwrap() + "\n").unwrap();
    }
    std::fs::write(folder().join("honest.report.json"), judge(&read()).to_json()).unwrap();
}
