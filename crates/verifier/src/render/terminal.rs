//! The report as plain text. Every line passes one gate that escapes what could move the cursor or start a line
//! (T18), and text from files never begins a line.

use super::{
    Recheck, answer, bytes, grouped, label_line, named, outcome_sentence, party, provenance, quoted,
    scope_name, scopes_shown,
};
use crate::detection::{one_in, percent};
use crate::report::{AuditFacts, ChallengeFacts, ClaimReport, Report};
use crate::text::printable;
use crate::time::duration;

/// Columns text is wrapped at; a quoted name of the greatest length fits after the widest indent.
const COLUMNS: usize = 80;
/// Objects and owners shown one by one, at most.
const SHOWN_MAX: usize = 8;

struct Page(String);

impl Page {
    /// One paragraph, wrapped; later lines are indented by `hang` spaces. Nothing in `text` can break out of it.
    fn line(&mut self, hang: usize, text: &str) {
        let text = printable(text);
        let indent = text.chars().take_while(|c| *c == ' ').count();
        let mut column = indent;
        self.0.push_str(&" ".repeat(indent));
        for (i, word) in text.split(' ').filter(|w| !w.is_empty()).enumerate() {
            let n = word.chars().count();
            if i > 0 {
                if column + 1 + n > COLUMNS {
                    self.0.push('\n');
                    self.0.push_str(&" ".repeat(hang));
                    column = hang;
                } else {
                    self.0.push(' ');
                    column += 1;
                }
            }
            self.0.push_str(word);
            column += n;
        }
        self.0.push('\n');
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
        p.line(0, &format!("RESULT: {} (exit code {})", self.outcome.word(), self.exit_code));
        p.line(0, &outcome_sentence(self));
        for label in &self.labels {
            p.line(2, &format!("! {}", label_line(*label)));
        }
        p.blank();
        p.line(0, &format!("Policy {}", quoted(&self.policy.name)));
        for sentence in &self.policy.explained {
            p.line(4, &format!("  - {sentence}"));
        }
        p.blank();
        audit(&mut p, &self.audit);
        for c in &self.claims {
            p.blank();
            claim(&mut p, c, self.audit.challenge.as_ref());
        }
        p.blank();
        p.line(0, &format!("Judged for {} by {}.", self.judged_at.utc, self.software));
        p.line(0, "To repeat this verdict offline:");
        // One line whatever its length, so that it can be copied.
        p.0.push_str(&format!("  {}\n", printable(&recheck.command(self))));
        p.line(2, &format!("  bundle  BLAKE3 {}", self.inputs.bundle_blake3));
        p.line(2, &format!("  policy  BLAKE3 {}", self.inputs.policy_blake3));
        p.line(2, &format!("  anchors BLAKE3 {}", self.inputs.anchors_blake3));
        p.0
    }
}

fn audit(p: &mut Page, a: &AuditFacts) {
    p.line(0, "What was audited");
    p.line(12, &format!("  auditor   {}", named(&a.auditor.name, &a.auditor.key)));
    p.line(
        12,
        &format!(
            "  asked     {}, answered after {}; {} old when judged",
            a.asked_at.utc,
            duration(a.answer_ms),
            duration(a.age_ms)
        ),
    );
    match &a.challenge {
        Some(c) => challenge(p, c),
        None => p.line(12, "  challenge not established: see the claim \u{201c}stored\u{201d}"),
    }
}

fn challenge(p: &mut Page, c: &ChallengeFacts) {
    p.line(12, &format!("  host      {}", party(&c.host)));
    p.line(12, &format!("  answer    {}", answer(c.answer)));
    p.line(12, &format!("  proof     class {}, verifying key {}", c.class, c.verifying_key.digest));
    p.line(12, &format!("            {}", provenance(c.verifying_key.provenance.as_ref())));
    p.line(
        12,
        &format!(
            "  objects   {} with {} in {} cells",
            c.objects.len(),
            bytes(c.bytes_total),
            grouped(c.cells_total)
        ),
    );
    for o in c.objects.iter().take(SHOWN_MAX) {
        let owner = o.owner_name.as_ref().map_or_else(
            || format!("unknown owner {}", o.name.owner),
            |n| format!("owner {}", named(n, &o.name.owner.to_string())),
        );
        p.line(12, &format!("            {} {}, {owner}", o.name.object, bytes(o.size)));
    }
    if c.objects.len() > SHOWN_MAX {
        p.line(12, &format!("            and {} more", c.objects.len() - SHOWN_MAX));
    }
}

fn claim(p: &mut Page, c: &ClaimReport, facts: Option<&ChallengeFacts>) {
    let required = if c.required { "required" } else { "not required" };
    p.line(2, &format!("[{:^12}] {} ({required})", c.verdict.word(), c.claim));
    p.line(4, &format!("    {}", c.headline));
    for r in &c.reasons {
        p.line(8, &format!("    why:     {}", r.text));
    }
    numbers(p, c, facts);
    for a in &c.assumptions {
        p.line(8, &format!("    rests:   {}", a.text));
    }
    for n in &c.not_shown {
        p.line(8, &format!("    not shown: {n}"));
    }
}

fn numbers(p: &mut Page, c: &ClaimReport, facts: Option<&ChallengeFacts>) {
    let n = &c.numbers;
    if let Some(samples) = n.samples {
        p.line(
            8,
            &format!("    samples: {samples} cells drawn with replacement over all objects of the audit"),
        );
    }
    let (shown, hidden) = scopes_shown(c, SHOWN_MAX);
    for s in shown {
        let losses: Vec<_> = s
            .losses
            .iter()
            .map(|d| {
                format!(
                    "{} lost: noticed {} (missed {})",
                    percent(d.lost_fraction),
                    percent(d.probability),
                    one_in(d.miss)
                )
            })
            .collect();
        p.line(8, &format!("    chance:  {}: {}", scope_name(s, facts), losses.join("; ")));
    }
    if hidden > 0 {
        p.line(8, &format!("    chance:  {hidden} more in the JSON report"));
    }
    if let Some(s) = n.soundness {
        p.line(8, &format!("    strength: {} bits; {}", s.bits, s.basis));
    }
    if let Some(r) = n.recipients {
        p.line(8, &format!("    recipients: {} entries, {} of them anonymous", r.total, r.anonymous));
    }
    if let Some(b) = n.probes {
        p.line(
            8,
            &format!(
                "    probes:  {} right, {} wrong bytes, {} refused, {} timed out, {} unreachable",
                b.good, b.bad_bytes, b.refused, b.timed_out, b.unreachable
            ),
        );
    }
}
