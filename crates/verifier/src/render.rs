//! A report for people: terminal text and one self-contained HTML page.

mod fleet;
mod html;
mod style;
mod terminal;

pub use fleet::FleetRecheck;

use bailiwick_protocol::bundle::NoAnswer;
use bailiwick_protocol::challenge::CannotProve;

use crate::anchors::Provenance;
use crate::claims::Verdict;
use crate::policy::Scope;
use crate::report::{AnswerFacts, ChallengeFacts, Party, Report, ScopeDetection};
use crate::text::shell_word;

/// File names for the command that repeats the verdict. They are shown, escaped, and never opened.
#[derive(Clone, Copy, Debug)]
pub struct Recheck<'a> {
    /// The bundle.
    pub bundle: &'a str,
    /// The policy.
    pub policy: &'a str,
    /// The trust anchors.
    pub anchors: &'a str,
    /// The folder with verifying keys.
    pub keys: &'a str,
}

impl Default for Recheck<'_> {
    fn default() -> Self {
        Self { bundle: "BUNDLE", policy: "POLICY.toml", anchors: "ANCHORS.toml", keys: "KEYS" }
    }
}

impl Recheck<'_> {
    /// The exact command, as one line for a POSIX shell.
    #[must_use]
    pub fn command(&self, report: &Report) -> String {
        format!(
            "bailiwick verify {} --policy {} --anchors {} --keys {} --now-ms {}",
            shell_word(self.bundle),
            shell_word(self.policy),
            shell_word(self.anchors),
            shell_word(self.keys),
            report.judged_at.unix_ms
        )
    }
}

/// `1,234,567 bytes (1.2 MB)`.
fn bytes(n: u64) -> String {
    let exact = grouped(n);
    for (unit, name) in [(1_000_000_000, "GB"), (1_000_000, "MB"), (1000, "kB")] {
        if n >= unit {
            return format!("{exact} bytes ({}.{} {name})", n / unit, n % unit * 10 / unit);
        }
    }
    format!("{exact} bytes")
}

/// Bytes of so many cells, the last ones not quite full.
fn bytes_of_cells(cells: u64) -> String {
    format!("at most {}", bytes(cells.saturating_mul(bailiwick_protocol::envelope::CELL_BYTES)))
}

/// Decimal digits in groups of three.
fn grouped(n: u64) -> String {
    let digits = n.to_string();
    let mut out = String::with_capacity(digits.len() + digits.len() / 3);
    for (i, c) in digits.chars().enumerate() {
        if i > 0 && (digits.len() - i).is_multiple_of(3) {
            out.push(',');
        }
        out.push(c);
    }
    out
}

/// A name in quotation marks and the start of its key, or the whole key when nobody anchored it.
fn party(p: &Party) -> String {
    match &p.principal {
        Some(principal) => named(&principal.name, &p.key),
        None => format!("unknown key {}", p.key),
    }
}

pub(crate) fn named(name: &str, key: &str) -> String {
    format!("{} ({})", quoted(name), short(key))
}

/// Text from a file in quotation marks that it cannot close, its spaces unbreakable: where a terminal's lines are
/// wrapped, no part of it can come to stand at the start of one.
fn quoted(text: &str) -> String {
    let text = text.replace(['\u{201c}', '\u{201d}'], "\"").replace(' ', "\u{a0}");
    format!("\u{201c}{text}\u{201d}")
}

/// First sixteen digits of a hexadecimal key or digest.
fn short(hex: &str) -> String {
    let head: String = hex.chars().take(16).collect();
    format!("{head}\u{2026}")
}

fn provenance(p: Option<&Provenance>) -> String {
    match p {
        None => "not in the trust anchors".to_owned(),
        Some(Provenance::Development) => {
            "DEVELOPMENT KEY, from a public seed; never supports a claim".to_owned()
        }
        Some(Provenance::Auditor { auditor }) => {
            format!("SINGLE-PARTY KEY, set up by auditor {}", short(&auditor.to_string()))
        }
        Some(Provenance::Ceremony { transcript, contributors, beacon }) => format!(
            "ceremony of {contributors} contributions, transcript {}, beacon {}",
            quoted(transcript),
            quoted(beacon)
        ),
    }
}

fn answer(a: AnswerFacts) -> &'static str {
    match a {
        AnswerFacts::ValidProof => "a proof, signed by the host, and it verifies",
        AnswerFacts::InvalidProof => "a proof, signed by the host, and it does not verify",
        AnswerFacts::UnjudgedProof => "a proof, signed by the host, that could not be judged",
        AnswerFacts::CannotProve(CannotProve::CellsUnavailable) => {
            "signed by the host: a sampled part is missing or damaged"
        }
        AnswerFacts::CannotProve(_) => "signed by the host: it says it does not hold one of the objects",
        AnswerFacts::NoAnswer(NoAnswer::Refused) => {
            "nothing signed: refused or an error (the auditor\u{2019}s word)"
        }
        AnswerFacts::NoAnswer(NoAnswer::TimedOut) => "nothing signed: too late (the auditor\u{2019}s word)",
        AnswerFacts::NoAnswer(_) => "nothing signed: not reachable (the auditor\u{2019}s word)",
        AnswerFacts::Unrelated => "nothing that belongs to this challenge",
    }
}

fn epoch(n: u64) -> String {
    if n == 0 { "0, outside a schedule".to_owned() } else { n.to_string() }
}

/// Scopes for display: all of them in order, but of many objects only the `max` least likely to be noticed.
fn scopes_shown(all: &[ScopeDetection], max: usize) -> (Vec<&ScopeDetection>, usize) {
    let (mut objects, mut shown): (Vec<_>, Vec<_>) = all.iter().partition(|s| s.scope == Scope::Object);
    let hidden_scopes = shown.len().saturating_sub(max);
    shown.truncate(max);
    objects.sort_by_key(|s| s.cells);
    let hidden = objects.len().saturating_sub(max);
    objects.truncate(max);
    shown.extend(objects);
    (shown, hidden + hidden_scopes)
}

/// What a scope is called: owners and objects by their anchored names where there are any.
fn scope_name(s: &ScopeDetection, challenge: Option<&ChallengeFacts>) -> String {
    let Some(of) = &s.of else { return "everything audited that counts".to_owned() };
    match s.scope {
        Scope::Owner => {
            let name = challenge
                .and_then(|c| c.objects.iter().find(|o| o.name.owner.to_string() == *of))
                .and_then(|o| o.owner_name.as_ref());
            name.map_or_else(|| format!("owner {}", short(of)), |n| format!("owner {}", named(n, of)))
        }
        _ => format!("object {}", object_of(of)),
    }
}

/// The middle part of `owner/object/unit`.
fn object_of(name: &str) -> &str {
    name.split('/').nth(1).unwrap_or(name)
}

/// The result in one sentence; with one required claim, that claim's own.
fn outcome_sentence(report: &Report) -> String {
    let names: Vec<_> = report.policy.require.iter().map(|c| c.name()).collect();
    let names = names.join(", ");
    if let [only] = report.policy.require[..] {
        return report.claim(only).headline.clone();
    }
    match report.outcome {
        Verdict::Supported => format!("The evidence supports all that the policy requires: {names}."),
        Verdict::Refuted => format!("The evidence refutes something that the policy requires: {names}."),
        Verdict::Inconclusive => {
            format!("The evidence does not decide all that the policy requires: {names}.")
        }
    }
}

/// `stored` or `3 required claims`.
fn required(report: &Report) -> String {
    match report.policy.require[..] {
        [only] => only.to_string(),
        ref many => format!("{} required claims", many.len()),
    }
}

/// How the seven claims came out.
fn tally(report: &Report) -> String {
    let count = |v| report.claims.iter().filter(|c| c.verdict == v).count();
    format!(
        "Of the seven claims {} supported, {} refuted, {} inconclusive",
        count(Verdict::Supported),
        count(Verdict::Refuted),
        count(Verdict::Inconclusive)
    )
}
