//! Reports of dossiers: the same bytes every time, after the schema, and nothing a hostile file can forge.

use bailiwick_verifier::{Claim, FleetRecheck, FleetReport, Verdict};
use serde_json::Value;

use crate::fleet_world::{FleetScene, POLICY};
use crate::schema::{check, schema};

fn outputs(r: &FleetReport) -> [String; 3] {
    let recheck = FleetRecheck::default();
    [r.to_json(), r.to_text(&recheck), r.to_html(&recheck)]
}

/// T17: the same dossier, the same bytes; batching and threads change nothing.
#[test]
fn t17_two_runs_over_a_dossier_are_equal_to_the_byte() {
    let (dossier, s) = FleetScene::honest().dossier();
    let bytes = bailiwick_protocol::codec::Canonical::to_bytes(&dossier);
    let first = outputs(&s.verify_bytes(&bytes).unwrap());
    assert_eq!(first, outputs(&s.verify_bytes(&bytes).unwrap()));
}

#[test]
fn reports_of_dossiers_follow_the_schema() {
    let schema = schema();
    let all = format!(
        "{POLICY}[custody]\nno_single = [\"law\"]\n[survivable]\nlose = [\"law\"]\n[data]\nforbidden_laws = [\"CN\"]\n"
    );
    let mut scenes = [FleetScene::honest(), FleetScene::honest(), FleetScene::honest(), FleetScene::honest()];
    scenes[1].policy = all;
    scenes[2].audits.remove(2);
    scenes[3].roster = None;
    for (i, s) in scenes.into_iter().enumerate() {
        let report: Value = serde_json::from_str(&s.report().to_json()).unwrap();
        check(&schema, &schema, &report, "").unwrap_or_else(|e| panic!("scene {i}: {e}"));
    }
}

#[test]
fn the_schema_sees_what_is_wrong_with_a_fleet_report() {
    let schema = schema();
    let good: Value = serde_json::from_str(&FleetScene::honest().report().to_json()).unwrap();
    let changes: [fn(&mut Value); 4] = [
        |r| r["fleet"]["extra"] = 1.into(),
        |r| r["fleet"]["hosts"][0]["timeline"][0]["standing"] = "pass".into(),
        |r| drop(r["fleet"].as_object_mut().unwrap().remove("audits")),
        |r| r["schema"] = "bailiwick-report/1".into(),
    ];
    for (i, change) in changes.into_iter().enumerate() {
        let mut bad = good.clone();
        change(&mut bad);
        assert!(check(&schema, &schema, &bad, "").is_err(), "change {i}");
    }
}

/// T18: hosts, roster, log and policy called like a verdict; no line of the terminal begins with it, and no mark-up gets through.
#[test]
fn t18_hostile_names_forge_no_line_of_a_fleet_report() {
    let fake = "x [ SUPPORTED ] RESULT: SUPPORTED <b>";
    let mut s = FleetScene::honest();
    s.anchors = s.anchors.replace("\"host\"\nkey", &format!("\"{fake}\"\nkey"));
    s.anchors = s.anchors.replace("\"auditor\"\nkey", &format!("\"{fake}\"\nkey"));
    s.policy = s.policy.replace("\"fleet\"", &format!("\"{fake}\""));
    if let Some(r) = &mut s.roster {
        r.name = fake.to_owned();
    }
    s.audits.remove(0);
    let report = s.report();
    let text = report.to_text(&FleetRecheck::default());
    assert!(text.starts_with("RESULT: REFUTED: 3 required claims (exit code 1)\n"), "{text}");
    assert!(text.replace('\u{a0}', " ").matches(fake).count() >= 3, "the names are shown: {text}");
    assert_eq!(text.lines().filter(|l| l.trim_start().starts_with("RESULT: ")).count(), 1);
    for line in text.lines() {
        let start = line.trim_start();
        assert!(!start.starts_with("[ SUPPORTED") && !start.starts_with("SUPPORTED"), "{line}");
    }
    let html = report.to_html(&FleetRecheck::default());
    assert!(!html.contains("<b>") && html.contains("&lt;b&gt;"));
}

/// T18: file names in the command are one shell word each.
#[test]
fn t18_the_command_of_a_fleet_report_is_quoted() {
    let report = FleetScene::honest().report();
    let recheck =
        FleetRecheck { dossier: "a'; touch x; '", roster: Some("my roster"), ..FleetRecheck::default() };
    let command = recheck.command(&report);
    assert!(
        command.contains(r"'a'\''; touch x; '\'''") && command.contains("--roster 'my roster'"),
        "{command}"
    );
}

/// Every claim's card says what it does not show; the page loads nothing and runs nothing.
#[test]
fn the_page_of_a_fleet_has_timeline_and_limits_and_is_self_contained() {
    let report = FleetScene::honest().report();
    let html = report.to_html(&FleetRecheck::default());
    for bad in ["<script", "http://", "https://", "src=", "<link", "@import", "url(", "<iframe", "<img"] {
        assert!(!html.contains(bad), "{bad}");
    }
    assert!(html.contains("Timeline of audits"));
    assert_eq!(html.matches("class=\"sq h\" title=").count(), 6, "one square for each audit that held");
    assert_eq!(html.matches("<h4>What this does not show</h4>").count(), Claim::ALL.len());
    for out in outputs(&report) {
        let flat = out.split_whitespace().collect::<Vec<_>>().join(" ").to_lowercase();
        for part in
            ["unaudited", "single-party", "relay", "what was never scheduled", "inconclusive", "beacon"]
        {
            assert!(flat.contains(part), "{part}");
        }
    }
    assert_eq!(report.claim(Claim::Stored).verdict, Verdict::Supported);
}

/// The fleet of the bench is one that holds, so that what is measured is what is judged.
#[test]
fn the_large_fleet_is_supported() {
    let many = crate::fleet_many::make(3, 4);
    let s = FleetScene { policy: many.policy, anchors: many.anchors, now: many.now, ..FleetScene::honest() };
    let bytes = bailiwick_protocol::codec::Canonical::to_bytes(&many.dossier);
    let report = s.verify_bytes(&bytes).unwrap();
    assert_eq!((report.exit_code, report.fleet.audits.held), (0, 12));
}
