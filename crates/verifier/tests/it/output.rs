//! What readers see: the same bytes every time, and nothing a hostile file can forge.

use bailiwick_verifier::{Label, Recheck, Report, Verdict, printable};

use crate::world::Scene;

/// Spaces before what would be a verdict at the start of a line.
const FAKE: &str = "x [ SUPPORTED  ] RESULT: SUPPORTED <b>";

fn outputs(r: &Report, recheck: &Recheck<'_>) -> [String; 3] {
    [r.to_json(), r.to_text(recheck), r.to_html(recheck)]
}

/// T17: the same inputs, the same bytes.
#[test]
fn t17_two_runs_are_equal_to_the_byte() {
    let s = Scene::honest();
    let recheck = Recheck::default();
    assert_eq!(outputs(&s.report(), &recheck), outputs(&Scene::honest().report(), &recheck));
    let mut later = Scene::honest();
    later.now += 1000;
    assert_ne!(s.report().to_json(), later.report().to_json());
}

/// T18: a host, owner and policy called like a verdict, with mark-up, however long: wherever lines are wrapped, no line
/// starts with it.
#[test]
fn t18_hostile_names_forge_no_line() {
    for pad in 0..=(64 - FAKE.len()) {
        let name = format!("{}{FAKE}", "x".repeat(pad));
        let mut s = Scene::honest();
        s.anchors = s.anchors.replace("\"host\"\nkey", &format!("\"{name}\"\nkey"));
        s.anchors = s.anchors.replace("\"alice\"\nkey", &format!("\"{name}\"\nkey"));
        s.policy = s.policy.replace("\"test\"", &format!("\"{name}\""));
        s.keys.clear();
        let report = s.report();
        assert_eq!(report.outcome, Verdict::Inconclusive);
        let text = report.to_text(&Recheck::default());
        assert!(text.replace('\u{a0}', " ").matches(&name).count() >= 3, "the names are shown: {text}");
        assert_eq!(text.lines().next().unwrap(), "RESULT: INCONCLUSIVE: stored (exit code 2)");
        for line in text.lines() {
            let start = line.trim_start();
            assert!(!start.starts_with("[ SUPPORTED") && !start.starts_with("SUPPORTED"), "{line}");
            assert!(!start.starts_with("RESULT: SUPPORTED"), "{line}");
            assert!(
                !start.starts_with("stored: SUPPORTED") && !start.starts_with("* stored      SUPPORTED"),
                "{line}"
            );
        }
        let html = report.to_html(&Recheck::default());
        assert!(!html.contains("<b>") && html.contains("&lt;b&gt;"));
    }
}

/// T18: names with control characters are refused when read; rendering escapes them all the same.
#[test]
fn t18_rendering_escapes_what_reading_would_refuse() {
    let mut report = Scene::honest().report();
    let bad = "a\u{1b}[2J\nRESULT: SUPPORTED\r\u{202e}\u{9b}<script>alert(1)</script>";
    report.audit.auditor.name = bad.to_owned();
    report.policy.name = bad.to_owned();
    let facts = report.audit.challenge.as_mut().unwrap();
    facts.host.principal.as_mut().unwrap().name = bad.to_owned();
    facts.objects[0].owner_name = Some(bad.to_owned());
    let recheck = Recheck { bundle: "a\u{1b}[2J\n'; rm -rf x; '", ..Recheck::default() };
    let [json, text, html] = outputs(&report, &recheck);
    for out in [&text, &html] {
        assert!(!out.chars().any(|c| c.is_control() && c != '\n'));
        assert!(!out.contains('\u{202e}'));
    }
    assert!(!json.chars().any(|c| c.is_ascii_control() && c != '\n'));
    assert_eq!(text.lines().filter(|l| l.starts_with("RESULT: ")).count(), 1);
    assert!(!html.contains("<script"));
}

/// T18: file names in the command are one shell word each.
#[test]
fn t18_command_is_quoted() {
    let report = Scene::honest().report();
    let recheck = Recheck { bundle: "my bundle'; touch pwned; '.bwa", ..Recheck::default() };
    let command = recheck.command(&report);
    assert!(command.contains(r"'my bundle'\''; touch pwned; '\''.bwa'"), "{command}");
    let command = Recheck { bundle: "a\u{1b}[2Jb", policy: "", ..Recheck::default() }.command(&report);
    assert!(command.starts_with(r"bailiwick verify 'a\u{1b}[2Jb' --policy '' "), "{command}");
    assert!(Recheck::default().command(&report).starts_with("bailiwick verify BUNDLE --policy POLICY.toml "));
}

/// The page is self-contained: no script, nothing loaded, no link out.
#[test]
fn html_is_self_contained() {
    let html = Scene::honest().report().to_html(&Recheck::default());
    for bad in ["<script", "http://", "https://", "src=", "<link", "@import", "url(", "<iframe", "<img"] {
        assert!(!html.contains(bad), "{bad}");
    }
    assert!(
        html.contains("lang=\"en\"") && html.contains("<h1>") && html.contains("prefers-color-scheme:dark")
    );
}

/// Every output says what the verdict rests on and what it does not show.
#[test]
fn every_output_carries_labels_assumptions_and_limits() {
    let report = Scene::honest().report();
    assert_eq!(report.labels, [Label::Unaudited, Label::SinglePartyKey]);
    for out in outputs(&report, &Recheck::default()) {
        // The terminal wraps lines.
        let flat = out.split_whitespace().collect::<Vec<_>>().join(" ").to_lowercase();
        for part in [
            "unaudited",
            "single-party",
            "does not collude with the host",
            "auditor\u{2019}s clock",
            "leaked no trapdoor",
            "relay",
            "anything between one audit and the next",
            "barbulescu",
            "inconclusive",
        ] {
            assert!(flat.contains(part), "{part}");
        }
    }
}

#[test]
fn printable_keeps_letters_and_escapes_controls() {
    assert_eq!(printable("Zürich 東京 é"), "Zürich 東京 é");
    assert_eq!(printable("a\u{1b}\u{7f}\u{2066}"), "a\\u{1b}\\u{7f}\\u{2066}");
    for (first, last) in [
        (0x00, 0x1f),
        (0x7f, 0x9f),
        (0xad, 0xad),
        (0x34f, 0x34f),
        (0x61c, 0x61c),
        (0x115f, 0x1160),
        (0x17b4, 0x17b5),
        (0x180e, 0x180e),
        (0x200b, 0x200f),
        (0x2028, 0x202e),
        (0x2060, 0x206f),
        (0x3164, 0x3164),
        (0xfeff, 0xfeff),
        (0xffa0, 0xffa0),
        (0xfff9, 0xfffb),
        (0x1d173, 0x1d17a),
        (0xe0000, 0xe00ff),
    ] {
        for c in first..=last {
            let c = char::from_u32(c).unwrap();
            assert_eq!(printable(&format!("a{c}b")), format!("a\\u{{{:x}}}b", u32::from(c)));
        }
        for c in [u32::wrapping_sub(first, 1), last + 1].into_iter().filter_map(char::from_u32) {
            assert_eq!(printable(&c.to_string()), c.to_string(), "{:x}", u32::from(c));
        }
    }
    // Variation selectors belong to names: Han variants, emoji, Mongolian.
    for name in ["\u{845b}\u{e0100}", "\u{2764}\u{fe0f}", "\u{1820}\u{180b}"] {
        assert_eq!(printable(name), name);
    }
}

/// Every output shows the epoch asked for and how long the answer took.
#[test]
fn every_output_shows_epoch_and_answer_time() {
    let mut s = Scene::honest();
    for (epoch, words) in [(0, "0, outside a schedule"), (4711, "4711")] {
        let mut c = s.challenge();
        c.epoch = epoch;
        s.ask(&c, "host");
        let [json, text, html] = outputs(&s.report(), &Recheck::default());
        assert!(json.contains(&format!("\"epoch\": {epoch},")) && json.contains("\"answer_ms\": 2300"));
        assert!(text.contains(&format!("\n  epoch       {words}\n")), "{text}");
        assert!(html.contains(&format!("<dt>Epoch</dt><dd>{words}</dd>")));
        assert!(text.contains("answered after 2.3 s") && html.contains(", after 2.3 s;"));
    }
}
