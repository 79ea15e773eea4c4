//! The auditor's commands on stored and on hostile bundles.

use std::fs;
use std::path::Path;

use serde_json::Value;

use super::program::{Place, data};

/// Writes a scenario of `test-vectors/verifier/v1` out as the files a user has, and gives the `verify` command for it.
pub(super) fn scenario(place: &Place, name: &str) -> Vec<String> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../test-vectors/verifier/v1").join(name);
    let v: Value = serde_json::from_slice(&fs::read(path.with_extension("json")).unwrap()).unwrap();
    let text = |field: &str| v[field].as_str().unwrap();
    fs::write(place.path("bundle"), hex::decode(text("bundle")).unwrap()).unwrap();
    fs::write(place.path("policy.toml"), text("policy")).unwrap();
    fs::write(place.path("anchors.toml"), text("anchors")).unwrap();
    let _ = fs::create_dir(place.path("keys"));
    for (digest, key) in v["verifying_keys"].as_object().unwrap() {
        let bytes = hex::decode(key.as_str().unwrap()).unwrap();
        fs::write(place.path("keys").join(format!("{digest}.vk")), bytes).unwrap();
    }
    let now = v["now_unix_ms"].as_u64().unwrap().to_string();
    [
        "verify",
        "bundle",
        "--policy",
        "policy.toml",
        "--anchors",
        "anchors.toml",
        "--keys",
        "keys",
        "--now-ms",
        &now,
    ]
    .map(str::to_owned)
    .to_vec()
}

/// T15: supported 0, refuted 1, cannot tell 2; never 0 on an error, empty or missing input, or an unknown version.
#[test]
fn t15_exit_codes() {
    let place = Place::new();
    for (name, expected) in
        [("honest", 0), ("cannot-prove", 1), ("replayed-proof", 1), ("development-forgery", 2), ("stale", 2)]
    {
        let arguments = scenario(&place, name);
        assert_eq!(place.try_run(&arguments).status.code(), Some(expected), "{name}");
    }
    let honest = scenario(&place, "honest");
    fs::write(place.path("empty"), b"").unwrap();
    fs::write(place.path("noise"), data(5000)).unwrap();
    // Each input in turn missing, empty, noise, or a folder.
    for at in [1, 3, 5] {
        for wrong in ["missing", "empty", "noise", "."] {
            let mut a = honest.clone();
            a[at] = wrong.to_owned();
            assert_eq!(place.try_run(&a).status.code(), Some(2), "{a:?}");
        }
    }
    let newer = fs::read_to_string(place.path("policy.toml")).unwrap().replace("version = 1", "version = 2");
    fs::write(place.path("newer"), newer).unwrap();
    let mut a = honest.clone();
    a[3] = "newer".to_owned();
    assert_eq!(place.try_run(&a).status.code(), Some(2));
    assert_eq!(place.try_run(&["verify"]).status.code(), Some(2));
    assert_eq!(place.try_run(&honest).status.code(), Some(0));
}

/// Z11: without the verifying key at hand, or with another under its name, nothing is supported.
#[test]
fn z11_a_missing_or_swapped_verifying_key_supports_nothing() {
    let place = Place::new();
    let honest = scenario(&place, "honest");
    let path = fs::read_dir(place.path("keys")).unwrap().next().unwrap().unwrap().path();
    let key = fs::read(&path).unwrap();
    fs::remove_file(&path).unwrap();
    assert_eq!(place.try_run(&honest).status.code(), Some(2));
    let mut swapped = key.clone();
    let n = swapped.len();
    swapped.copy_within(n - 32..n, n - 64);
    fs::write(&path, swapped).unwrap();
    assert_eq!(place.try_run(&honest).status.code(), Some(2));
    fs::write(&path, key).unwrap();
    assert_eq!(place.try_run(&honest).status.code(), Some(0));
}

/// T16: cut, padded and flipped bundles are never supported, and never a panic.
#[test]
fn t16_hostile_bundles() {
    let place = Place::new();
    let arguments = scenario(&place, "honest");
    let honest = fs::read(place.path("bundle")).unwrap();
    let mut hostile: Vec<Vec<u8>> = (0..20).map(|i| honest[..honest.len() * i / 20].to_vec()).collect();
    hostile.extend((0..20).map(|i| {
        let mut b = honest.clone();
        b[honest.len() * i / 20] ^= 0x10;
        b
    }));
    hostile.push([honest.as_slice(), b"\0"].concat());
    hostile.push(vec![0x81; 100_000]);
    hostile.push(b"\x82\x5b\xff\xff\xff\xff\xff\xff\xff\xff".to_vec());
    for (i, bytes) in hostile.iter().enumerate() {
        fs::write(place.path("bundle"), bytes).unwrap();
        let out = place.try_run(&arguments);
        assert_eq!(out.status.code(), Some(2), "case {i}");
        assert!(!String::from_utf8_lossy(&out.stderr).contains("panicked"), "case {i}");
    }
    fs::write(place.path("bundle"), &honest).unwrap();
    assert_eq!(place.try_run(&arguments).status.code(), Some(0));
}

/// T17: the same verdict twice, byte for byte, from another directory and without any environment.
#[test]
fn t17_the_verdict_repeats_to_the_byte() {
    let (a, b) = (Place::new(), Place::new());
    let mut command = scenario(&a, "honest");
    assert_eq!(command, scenario(&b, "honest"));
    assert_eq!(a.run(&command), b.run(&command));
    command.push("--json".to_owned());
    let first = a.run(&command);
    assert_eq!(first, b.run(&command));
    assert!(first.len() > 1000);
}

#[test]
fn the_report_is_one_self_contained_page() {
    let place = Place::new();
    let mut a = scenario(&place, "honest");
    a[0] = "report".to_owned();
    a.extend(["--html", "r.html", "--json", "r.json"].map(str::to_owned));
    place.run(&a);
    let page = fs::read_to_string(place.path("r.html")).unwrap();
    assert!(page.starts_with("<!DOCTYPE html>") && page.trim_end().ends_with("</html>"));
    for outside in ["<script", "src=\"http", "href=\"http", "@import"] {
        assert!(!page.contains(outside), "{outside}");
    }
    let json: Value = serde_json::from_slice(&fs::read(place.path("r.json")).unwrap()).unwrap();
    assert_eq!(json["claims"].as_array().unwrap().len(), 7);
}
