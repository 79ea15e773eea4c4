//! The report as plain text. Every line passes one gate that escapes what could move the cursor or start a line
//! (T18), and text from files never begins a line.

use super::{
    Recheck, answer, bytes, epoch, grouped, named, outcome_sentence, party, provenance, quoted, required,
    scope_name, scopes_shown, tally,
};
use crate::detection::{chance_of_missing, percent};
use crate::report::{AuditFacts, ChallengeFacts, ClaimReport, Report};
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

struct Page(String);

impl Page {
    /// `head`, which is ours, then `text`, wrapped and indented to the end of `head`. `text` cannot break out of it.
    fn put(&mut self, head: &str, text: &str) {
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

    fn line(&mut self, text: &str) {
        self.put("", text);
    }

    /// A labelled line, two columns in.
    fn field(&mut self, label: &'static str, text: &str) {
        self.put(&format!("  {label:LABEL$}"), text);
    }

    /// Lines under one label.
    fn list<'a>(&mut self, label: &'static str, items: impl IntoIterator<Item = &'a str>) {
        for (i, item) in items.into_iter().enumerate() {
            self.put(&format!("  {:LABEL$}- ", if i == 0 { label } else { "" }), item);
        }
    }

    fn blank(&mut self) {
        self.0.push('\n');
    }
}

impl Report {
    /// The report for a terminal: no escape codes, ends with the command that repeats the verdict.
    #[must_use]
    pub fn to_text(&self, recheck: &Recheck<'_>) -> String {
        let mut p = Page(String::new());
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
        for c in &self.claims {
            let mark = if c.required { "*" } else { " " };
            p.put(&format!("{mark} {:LABEL$}{:14}", c.claim.name(), c.verdict.word()), &c.headline);
        }
        p.line("* required by the policy");
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

fn claim(p: &mut Page, c: &ClaimReport, facts: Option<&ChallengeFacts>) {
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
        chances(p, c, samples, facts);
    }
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

/// For each scope its name, then a column for each lost fraction.
fn chances(p: &mut Page, c: &ClaimReport, samples: u16, facts: Option<&ChallengeFacts>) {
    let (scopes, hidden) = scopes_shown(c, SHOWN_MAX);
    let Some(first) = scopes.first() else { return };
    let cells = if samples == 1 { "cell" } else { "cells" };
    p.field(
        "chances",
        &format!("that this audit noticed a loss; {samples} {cells} sampled, with replacement"),
    );
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
