//! The report as plain text. Every line passes one gate that escapes what could move the cursor or start a line
//! (T18), and text from files never begins a line.

use super::{
    Recheck, answer, bytes, epoch, grouped, named, outcome_sentence, party, provenance, quoted, required,
    scope_name, scopes_shown, tally,
};
use crate::detection::{chance_of_missing, percent};
use crate::report::{AuditFacts, ChallengeFacts, ClaimReport, Numbers, Report, ScopeDetection};
use crate::text::printable;
use crate::time::duration;

/// Columns text is wrapped at; a quoted name of the greatest length fits after the widest indent.
const COLUMNS: usize = 80;
/// Width of a label column.
const LABEL: usize = 12;
/// Width of a column of the table of chances.
const CHANCE: usize = 21;
/// Objects and owners shown one by one, at most.
const SHOWN_MAX: usize = 8;

pub(super) struct Page(String);

impl Page {
    pub(super) const fn new() -> Self {
        Self(String::new())
    }

    pub(super) fn finish(self) -> String {
        self.0
    }

    /// Text that is ours or escaped already, whatever its length.
    pub(super) fn raw(&mut self, text: &str) {
        self.0.push_str(text);
    }

    /// `head`, which is ours, then `text`, wrapped and indented to the end of `head`. `text` cannot break out of it.
    pub(super) fn put(&mut self, head: &str, text: &str) {
        let indent = head.chars().count();
        self.0.push_str(head);
        let mut column = indent;
        for (i, word) in printable(text).split(' ').filter(|w| !w.is_empty()).enumerate() {
            let n = word.chars().count();
            if i > 0 && column + 1 + n > COLUMNS {
                self.0.push('\n');
                self.0.push_str(&" ".repeat(indent));
                column = indent;
            } else if i > 0 {
                self.0.push(' ');
                column += 1;
            }
            self.0.push_str(word);
            column += n;
        }
        self.0.push('\n');
    }

    pub(super) fn line(&mut self, text: &str) {
        self.put("", text);
    }

    /// A labelled line, two columns in.
    pub(super) fn field(&mut self, label: &'static str, text: &str) {
        self.put(&format!("  {label:LABEL$}"), text);
    }

    /// Lines under one label.
    fn list<'a>(&mut self, label: &'static str, items: impl IntoIterator<Item = &'a str>) {
        for (i, item) in items.into_iter().enumerate() {
            self.put(&format!("  {:LABEL$}- ", if i == 0 { label } else { "" }), item);
        }
    }

    pub(super) fn blank(&mut self) {
        self.0.push('\n');
    }
}

impl Report {
    /// The report for a terminal: no escape codes, ends with the command that repeats the verdict.
    #[must_use]
    pub fn to_text(&self, recheck: &Recheck<'_>) -> String {
        let mut p = Page::new();
        p.line(&format!(
            "RESULT: {}: {} (exit code {})",
            self.outcome.word(),
            required(self),
            self.exit_code
        ));
        p.line(&outcome_sentence(self));
        for label in &self.labels {
            p.put("  ! ", &format!("{}: {}", label.word(), label.text()));
        }
        p.blank();
        p.line(&format!("{}:", tally(self)));
        table(&mut p, &self.claims);
        p.blank();
        p.line(&format!("Policy {}", quoted(&self.policy.name)));
        for sentence in &self.policy.explained {
            p.put("  - ", sentence);
        }
        p.blank();
        audit(&mut p, &self.audit);
        for c in self.claims.iter().filter(|c| c.required).chain(self.claims.iter().filter(|c| !c.required)) {
            p.blank();
            claim(&mut p, c, self.audit.challenge.as_ref());
        }
        p.blank();
        p.line(&format!("Judged for {} by {}.", self.judged_at.utc, self.software));
        p.line("To repeat this verdict offline:");
        // One line whatever its length, so that it can be copied.
        p.0.push_str(&format!("  {}\n", printable(&recheck.command(self))));
        p.line("BLAKE3 of what was judged:");
        p.field("bundle", &self.inputs.bundle_blake3.to_string());
        p.field("policy", &self.inputs.policy_blake3.to_string());
        p.field("anchors", &self.inputs.anchors_blake3.to_string());
        p.0
    }
}

/// All claims, a line each.
pub(super) fn table(p: &mut Page, claims: &[ClaimReport]) {
    for c in claims {
        let mark = if c.required { "*" } else { " " };
        p.put(&format!("{mark} {:LABEL$}{:14}", c.claim.name(), c.verdict.word()), &c.headline);
    }
    p.line("* required by the policy");
}

fn audit(p: &mut Page, a: &AuditFacts) {
    p.line("What was audited");
    if let Some(c) = &a.challenge {
        p.field("host", &party(&c.host));
        p.field("answer", answer(c.answer));
    }
    p.field("auditor", &named(&a.auditor.name, &a.auditor.key));
    let (took, age) = (duration(a.answer_ms), duration(a.age_ms));
    p.field("asked", &format!("{}, answered after {took}; {age} old when judged", a.asked_at.utc));
    match &a.challenge {
        Some(c) => challenge(p, c),
        None => p.field("challenge", "not established: see the claim stored"),
    }
}

fn challenge(p: &mut Page, c: &ChallengeFacts) {
    p.field("epoch", &epoch(c.epoch));
    p.field("proof", &format!("class {}", c.class));
    p.field("key", &c.verifying_key.digest.to_string());
    p.field("", &provenance(c.verifying_key.provenance.as_ref()));
    let (all, cells) = (bytes(c.bytes_total), grouped(c.cells_total));
    p.field("objects", &format!("{} with {all} of ciphertext in {cells} cells", c.objects.len()));
    for o in c.objects.iter().take(SHOWN_MAX) {
        p.field("", &format!("{} {}", o.name.object, bytes(o.size)));
        let owner = o.name.owner.to_string();
        let name = o.owner_name.as_ref().map_or_else(|| format!("unknown {owner}"), |n| named(n, &owner));
        p.field("", &format!("of {name}"));
    }
    if c.objects.len() > SHOWN_MAX {
        p.field("", &format!("and {} more", c.objects.len() - SHOWN_MAX));
    }
}

pub(super) fn claim(p: &mut Page, c: &ClaimReport, facts: Option<&ChallengeFacts>) {
    p.line(&format!("{}: {}", c.claim, c.verdict.word()));
    p.put("  ", &c.headline);
    p.list("why", c.reasons.iter().map(|r| r.text.as_str()));
    p.list("rests on", c.assumptions.iter().map(|a| a.text.as_str()));
    p.list("not shown", c.not_shown.iter().copied());
    numbers(p, c, facts);
}

fn numbers(p: &mut Page, c: &ClaimReport, facts: Option<&ChallengeFacts>) {
    let n = &c.numbers;
    if let Some(samples) = n.samples {
        let what = if samples == 1 { "cell" } else { "cells" };
        let caption = format!("that this audit noticed a loss; {samples} {what} sampled, with replacement");
        chances(p, &c.numbers.detection, &caption, facts);
    } else if !n.detection.is_empty() {
        let caption = "that one audit noticed a loss, at the host where it is least likely";
        chances(p, &n.detection, caption, facts);
    }
    if !n.month_detection.is_empty() {
        let caption = "that the month\u{2019}s audits together did, at the host where it is least likely";
        chances(p, &n.month_detection, caption, facts);
    }
    fleet_numbers(p, n);
    if let Some(s) = n.soundness {
        p.field("strength", &format!("{} bits; {}", s.bits, s.basis));
    }
    if let Some(r) = n.recipients {
        p.field("recipients", &format!("{} entries, {} of them anonymous", r.total, r.anonymous));
    }
    if let Some(b) = n.probes {
        let text = format!(
            "{} right, {} wrong bytes, {} refused, {} timed out, {} unreachable",
            b.good, b.bad_bytes, b.refused, b.timed_out, b.unreachable
        );
        p.field("probes", &text);
    }
}

fn fleet_numbers(p: &mut Page, n: &Numbers) {
    if let Some(l) = &n.log {
        let text = format!(
            "{} outcomes scheduled by now: {} in the log in time, {} late, {} missing; {} entries; newest witnessed state {} old",
            grouped(l.scheduled),
            grouped(l.logged_in_time),
            grouped(l.logged_late),
            grouped(l.missing),
            grouped(l.entries),
            duration(l.checkpoint_age_ms)
        );
        p.field("log", &text);
    }
    if let Some(o) = &n.opened {
        p.field("opened", &format!("{} of {} objects", o.opened, o.objects));
    }
    for power in n.powers.iter().take(SHOWN_MAX) {
        p.field(
            "reach",
            &format!("{}: {} holders, {} objects", quoted(&power.power), power.holders, power.objects),
        );
    }
}

/// For each scope its name, then a column for each lost fraction.
fn chances(p: &mut Page, all: &[ScopeDetection], caption: &str, facts: Option<&ChallengeFacts>) {
    let (scopes, hidden) = scopes_shown(all, SHOWN_MAX);
    let Some(first) = scopes.first() else { return };
    p.field("chances", caption);
    let row = |p: &mut Page, label: &str, cells: &mut dyn Iterator<Item = String>| {
        let cells: String = cells.map(|t| format!("{t:CHANCE$}")).collect();
        p.0.push_str(&format!("      {label:9}{}\n", cells.trim_end()));
    };
    row(p, "if lost", &mut first.losses.iter().map(|d| percent(d.lost_fraction)));
    for (i, s) in scopes.iter().enumerate() {
        p.put("    ", &scope_name(s, facts));
        row(p, "noticed", &mut s.losses.iter().map(|d| percent(d.probability)));
        if i == 0 {
            row(p, "missed", &mut s.losses.iter().map(|d| chance_of_missing(d.miss)));
        }
    }
    if hidden > 0 {
        p.put("    ", &format!("and {hidden} more in the JSON report"));
    }
}
