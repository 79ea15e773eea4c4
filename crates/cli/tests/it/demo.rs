//! The demonstration on a user's own, awkward files.

use std::fs;

use serde_json::Value;

use super::program::{Place, data};

/// Slow: two key set-ups and four proofs of class small.
#[test]
fn slow_demo_on_an_empty_a_tiny_and_a_strangely_named_file() {
    let place = Place::new();
    fs::create_dir_all(place.path("mine/deep")).unwrap();
    fs::write(place.path("mine/empty"), b"").unwrap();
    fs::write(place.path("mine/one byte"), b"x").unwrap();
    fs::write(place.path("mine/deep/it's \"quoted\"\nand long"), data(3000)).unwrap();
    let out = place.try_run(&["demo", "mine", "--dir", "demo", "--json"]);
    assert!(out.status.success(), "{}", String::from_utf8_lossy(&out.stderr));
    let record: Value = serde_json::from_slice(&out.stdout).unwrap();
    assert_eq!(record["as_it_must"], true);
    let steps = record["steps"].as_array().unwrap();
    for id in [
        "keys",
        "seal",
        "node",
        "put",
        "set-up",
        "audit",
        "verify",
        "report",
        "open",
        "control-keys",
        "control-scan",
        "control-replay",
        "control-development-key",
        "control-bit-flip",
        "control-deleted",
    ] {
        let step = steps.iter().find(|s| s["id"] == id).unwrap_or_else(|| panic!("no step {id}"));
        assert!(step["elapsed_ms"].as_u64().unwrap() > 0, "{id}");
        let roles: Vec<&str> =
            step["checks"].as_array().unwrap().iter().map(|c| c["role"].as_str().unwrap()).collect();
        assert!(!roles.is_empty(), "{id}");
        if id.starts_with("control-") {
            assert!(roles.contains(&"twin") && roles.contains(&"attack"), "{id}: {roles:?}");
        }
    }
    // Files, log and memory: nothing found, and in each of them something that must be found.
    let scan = steps.iter().find(|s| s["id"] == "control-scan").unwrap();
    let found: Vec<bool> = scan["checks"]
        .as_array()
        .unwrap()
        .iter()
        .map(|c| c["came_out"].as_str().unwrap().starts_with("found in "))
        .collect();
    assert_eq!(found, [false, false, false, true, true, true], "{scan}");
    assert!(place.path("demo/run-1/report.html").exists());
    let left = std::process::Command::new("pgrep")
        .args(["-f", &format!("{}/demo/run-1/node/node.toml", place.root().display())])
        .output();
    if let Ok(left) = left {
        assert!(left.stdout.is_empty(), "a node was left behind");
    }
}

#[test]
fn a_demonstration_that_cannot_begin_says_why() {
    let place = Place::new();
    place.refuse(&["demo", "missing"], "missing");
    fs::create_dir(place.path("nothing")).unwrap();
    place.refuse(&["demo", "nothing", "--dir", "d"], "no regular file");
}
