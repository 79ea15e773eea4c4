//! The report of a dossier: terminal text and one self-contained HTML page with a timeline of audits.

use maud::{DOCTYPE, Markup, PreEscaped, html};

use super::style::{CSS, TIMELINE_CSS};
use super::terminal::{self, Page};
use super::{bytes_of_cells, grouped, html as page, named, quoted, short};
use crate::claims::Verdict;
use crate::fleet_report::{FleetReport, HostFacts, Standing, TimelineEntry};
use crate::text::{printable, shell_word};
use crate::time::duration;

/// Hosts shown one by one, at most; the JSON form has all.
const HOSTS_MAX: usize = 200;
/// Squares of one host's timeline on the page.
const SQUARES_MAX: usize = 120;
/// Hosts shown one by one in a terminal.
const TERMINAL_HOSTS_MAX: usize = 40;

/// File names for the command that repeats the verdict on a dossier.
#[derive(Clone, Copy, Debug)]
pub struct FleetRecheck<'a> {
    /// The dossier.
    pub dossier: &'a str,
    /// The policy.
    pub policy: &'a str,
    /// The trust anchors.
    pub anchors: &'a str,
    /// The folder with verifying keys.
    pub keys: &'a str,
    /// The reader's own roster, if one was given.
    pub roster: Option<&'a str>,
    /// The reader's own blocs, if given.
    pub blocs: Option<&'a str>,
}

impl Default for FleetRecheck<'_> {
    fn default() -> Self {
        Self {
            dossier: "DOSSIER",
            policy: "POLICY.toml",
            anchors: "ANCHORS.toml",
            keys: "KEYS",
            roster: None,
            blocs: None,
        }
    }
}

impl FleetRecheck<'_> {
    /// The exact command, as one line for a POSIX shell.
    #[must_use]
    pub fn command(&self, report: &FleetReport) -> String {
        let mut command = format!(
            "bailiwick verify {} --policy {} --anchors {} --keys {}",
            shell_word(self.dossier),
            shell_word(self.policy),
            shell_word(self.anchors),
            shell_word(self.keys)
        );
        for (option, value) in [("--roster", self.roster), ("--blocs", self.blocs)] {
            if let Some(value) = value {
                command.push_str(&format!(" {option} {}", shell_word(value)));
            }
        }
        command.push_str(&format!(" --now-ms {}", report.judged_at.unix_ms));
        command
    }
}

fn required(r: &FleetReport) -> String {
    match r.policy.require[..] {
        [only] => only.to_string(),
        ref many => format!("{} required claims", many.len()),
    }
}

fn outcome_sentence(r: &FleetReport) -> String {
    if let [only] = r.policy.require[..] {
        return r.claim(only).headline.clone();
    }
    let names = r.policy.require.iter().map(|c| c.name()).collect::<Vec<_>>().join(", ");
    match r.outcome {
        Verdict::Supported => format!("The evidence supports all that the policy requires: {names}."),
        Verdict::Refuted => format!("The evidence refutes something that the policy requires: {names}."),
        Verdict::Inconclusive => {
            format!("The evidence does not decide all that the policy requires: {names}.")
        }
    }
}

fn tally(r: &FleetReport) -> String {
    let count = |v| r.claims.iter().filter(|c| c.verdict == v).count();
    format!(
        "Of the seven claims {} supported, {} refuted, {} inconclusive",
        count(Verdict::Supported),
        count(Verdict::Refuted),
        count(Verdict::Inconclusive)
    )
}

fn host_name(h: &HostFacts) -> String {
    let key = h.key.to_string();
    match &h.principal {
        Some(p) => named(&p.name, &key),
        None => format!("unknown key {key}"),
    }
}

fn host_place(h: &HostFacts) -> String {
    let Some(p) = &h.principal else { return String::new() };
    let parts = [("", &p.provider), ("in ", &p.country), ("law ", &p.law)];
    let parts = parts.iter().filter_map(|(what, v)| v.as_ref().map(|v| format!("{what}{}", quoted(v))));
    parts.collect::<Vec<_>>().join(", ")
}

fn counts(h: &HostFacts) -> String {
    let a = &h.audits;
    let mut parts = vec![format!("{} held of {}", a.held, a.total)];
    for (n, what) in
        [(a.failed, "failed"), (a.late, "late"), (a.undecided, "undecided"), (a.missing, "missing")]
    {
        if n > 0 {
            parts.push(format!("{n} {what}"));
        }
    }
    parts.join(", ")
}

fn overall(r: &FleetReport) -> String {
    let a = &r.fleet.audits;
    format!(
        "{} audits of {} hosts: {} held, {} failed, {} late, {} undecided; {} scheduled ones missing",
        grouped(a.total),
        r.fleet.hosts.len(),
        grouped(a.held),
        grouped(a.failed),
        grouped(a.late),
        grouped(a.undecided),
        grouped(a.missing)
    )
}

/// Per cent of basis points, two decimals.
fn share(points: u32) -> String {
    format!("{}.{:02} %", points / 100, points % 100)
}

fn by(b: bailiwick_roster::ShareBy) -> &'static str {
    match b {
        bailiwick_roster::ShareBy::Provider => "provider",
        bailiwick_roster::ShareBy::Country => "country",
        bailiwick_roster::ShareBy::Law => "law of the operator",
        bailiwick_roster::ShareBy::ParentLaw => "law of the parent",
        _ => "other",
    }
}

/// `largest share by provider: "Amazon" 62.10 %`.
fn concentration(r: &FleetReport) -> Vec<String> {
    let one = |s: &bailiwick_roster::Shares| {
        let largest = s.largest()?;
        let name = quoted(largest.name.as_deref().unwrap_or_default());
        Some(format!("largest share by {}: {name} {}", by(s.by), share(largest.basis_points)))
    };
    r.fleet.concentration.iter().filter_map(one).collect()
}

impl FleetReport {
    /// The report for a terminal: no escape codes, ends with the command that repeats the verdict.
    #[must_use]
    pub fn to_text(&self, recheck: &FleetRecheck<'_>) -> String {
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
        terminal::table(&mut p, &self.claims);
        p.blank();
        p.line(&format!("Policy {}", quoted(&self.policy.name)));
        for sentence in &self.policy.explained {
            p.put("  - ", sentence);
        }
        p.blank();
        audited(&mut p, self);
        for c in self.claims.iter().filter(|c| c.required).chain(self.claims.iter().filter(|c| !c.required)) {
            p.blank();
            terminal::claim(&mut p, c, None);
        }
        p.blank();
        p.line(&format!("Judged for {} by {}.", self.judged_at.utc, self.software));
        p.line("To repeat this verdict offline:");
        p.raw(&format!("  {}\n", printable(&recheck.command(self))));
        p.line("BLAKE3 of what was judged:");
        p.field("dossier", &self.inputs.dossier_blake3.to_string());
        p.field("policy", &self.inputs.policy_blake3.to_string());
        p.field("anchors", &self.inputs.anchors_blake3.to_string());
        if let Some(d) = &self.inputs.roster_blake3 {
            p.field("roster", &d.to_string());
        }
        p.finish()
    }

    /// The report as an HTML page: nothing loaded from elsewhere, no script.
    #[must_use]
    pub fn to_html(&self, recheck: &FleetRecheck<'_>) -> String {
        let page = html! {
            (DOCTYPE)
            html lang="en" {
                head {
                    meta charset="utf-8";
                    meta name="viewport" content="width=device-width, initial-scale=1";
                    meta name="color-scheme" content="light dark";
                    meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'";
                    meta name="referrer" content="no-referrer";
                    title { "bailiwick audit report: " (self.outcome.big()) ": " (required(self)) }
                    style { (PreEscaped(CSS)) (PreEscaped(TIMELINE_CSS)) }
                }
                body { main {
                    h1 { "Audit report of a fleet of storage hosts" }
                    (result(self))
                    section aria-labelledby="overview" {
                        h2 id="overview" { "At a glance" }
                        (page::overview_table(&self.claims))
                    }
                    (timeline(self))
                    (evidence(self))
                    section aria-labelledby="claims" {
                        h2 id="claims" { "The seven claims, one by one" }
                        @for c in self.claims.iter().filter(|c| c.required) { (page::card(c, None)) }
                        @for c in self.claims.iter().filter(|c| !c.required) { (page::card(c, None)) }
                    }
                    section aria-labelledby="policy" {
                        h2 id="policy" { "What the reader asked for" }
                        div class="panel" {
                            p { "Policy " (printable(&quoted(&self.policy.name))) }
                            ul { @for s in &self.policy.explained { li { (printable(s)) } } }
                        }
                    }
                    (repeat(self, recheck))
                } }
            }
        };
        page.into_string()
    }
}

fn audited(p: &mut Page, r: &FleetReport) {
    p.line("What was audited");
    p.field("audits", &overall(r));
    if let Some(log) = &r.fleet.log {
        p.field(
            "log",
            &format!(
                "{}, {} entries, {} of {} witnesses asked for, newest witnessed state {} old",
                quoted(&log.origin),
                grouped(log.entries),
                log.quorum,
                log.witnesses,
                duration(log.age_ms)
            ),
        );
    }
    if let Some(roster) = &r.fleet.roster {
        let whose = if roster.readers_own {
            "the reader\u{2019}s own"
        } else {
            "from the dossier, signed by the pinned authority"
        };
        p.field("roster", &format!("{} number {}, {whose}", quoted(&roster.name), roster.number));
    }
    for s in &r.fleet.schedules {
        let text = format!(
            "{}: epochs {} to {}, {} hosts, {} epochs due",
            short(&s.digest.to_string()),
            s.first_epoch,
            s.first_epoch.saturating_add(s.epochs.saturating_sub(1)),
            s.hosts,
            s.due
        );
        p.field("schedule", &text);
    }
    for text in concentration(r) {
        p.field("share", &text);
    }
    for reason in &r.fleet.ignored {
        p.field("no evidence", &reason.text);
    }
    for h in r.fleet.hosts.iter().take(TERMINAL_HOSTS_MAX) {
        p.field("host", &format!("{} {}: {}", host_name(h), host_place(h), counts(h)));
    }
    if r.fleet.hosts.len() > TERMINAL_HOSTS_MAX {
        p.field("", &format!("and {} more", r.fleet.hosts.len() - TERMINAL_HOSTS_MAX));
    }
}

fn result(r: &FleetReport) -> Markup {
    html! {
        section class={ "result " (r.outcome.class()) } aria-label="Result" {
            p class="word" { (r.outcome.big()) ": " (required(r)) }
            p class="sentence" { (printable(&outcome_sentence(r))) }
            p class="meta" { (overall(r)) "." }
            p class="meta" { "Judged for " (r.judged_at.utc) ". " (tally(r)) "; missing evidence is inconclusive. Exit code " (r.exit_code) "." }
        }
        ul class="warnings" aria-label="Warnings" {
            @for l in &r.labels { li { span class="tag" { (l.word()) } " " (l.text()) "." } }
        }
    }
}

const fn square(s: Standing) -> &'static str {
    match s {
        Standing::Held => "h",
        Standing::Late => "l",
        Standing::Failed => "f",
        Standing::Undecided => "u",
        Standing::Missing => "m",
    }
}

fn title(e: &TimelineEntry) -> String {
    let why = e.why.as_ref().map_or_else(String::new, |r| format!(": {}", r.text));
    printable(&format!("epoch {}, {}, {}{why}", e.epoch, e.at.utc, e.standing.word()))
}

fn timeline(r: &FleetReport) -> Markup {
    html! {
        section aria-labelledby="timeline" {
            h2 id="timeline" { "Timeline of audits" }
            div class="panel" {
                p class="legend" {
                    @for s in [Standing::Held, Standing::Late, Standing::Failed, Standing::Undecided, Standing::Missing] {
                        span class={ "sq " (square(s)) } {} " " (s.word()) " "
                    }
                }
                div class="scroll" { table class="data timeline" {
                    thead { tr { th scope="col" { "Host" } th scope="col" { "Audits, oldest to newest" } th scope="col" { "In all" } } }
                    tbody { @for h in r.fleet.hosts.iter().take(HOSTS_MAX) { tr {
                        th scope="row" { (printable(&host_name(h))) br; span class="soft" { (printable(&host_place(h))) } }
                        td class="squares" {
                            @for e in h.timeline.iter().skip(h.timeline.len().saturating_sub(SQUARES_MAX)) {
                                span class={ "sq " (square(e.standing)) } title=(title(e)) role="img" aria-label=(title(e)) {}
                            }
                        }
                        td { (counts(h)) @if let Some(last) = &h.last_held { br; span class="soft" { "last held " (last.utc) } } }
                    } } }
                } }
                @if r.fleet.hosts.len() > HOSTS_MAX { p class="soft" { "and " (r.fleet.hosts.len() - HOSTS_MAX) " more, in the JSON report" } }
            }
        }
    }
}

fn evidence(r: &FleetReport) -> Markup {
    html! {
        section aria-labelledby="evidence" {
            h2 id="evidence" { "What the evidence is" }
            div class="panel" {
                dl {
                    @for a in &r.fleet.auditors { dt { "Auditor" } dd { (printable(&named(&a.name, &a.key))) } }
                    dt { "Objects seen" } dd { (grouped(r.fleet.objects as u64)) ", " (bytes_of_cells(r.fleet.hosts.iter().map(|h| h.cells).fold(0, u64::saturating_add))) " listed by the hosts" }
                    @if let Some(log) = &r.fleet.log {
                        dt { "Log" } dd { (printable(&quoted(&log.origin))) ", " (grouped(log.entries)) " entries; newest state seen by " (log.quorum) " witnesses at " (log.witnessed_at.utc) ", " (duration(log.age_ms)) " before this judgement" }
                    } @else { dt { "Log" } dd { "no state of an anchored log that enough witnesses have seen" } }
                    @if let Some(roster) = &r.fleet.roster {
                        dt { "Roster" } dd {
                            (printable(&quoted(&roster.name))) " number " (roster.number)
                            @if roster.readers_own { ", the reader\u{2019}s own" } @else { ", from the dossier, signed by the pinned authority" }
                            br; code { (roster.digest) }
                        }
                    } @else { dt { "Roster" } dd { "none" } }
                    @for s in &r.fleet.schedules {
                        dt { "Schedule" } dd {
                            (grouped(s.epochs)) " epochs from " (s.first_epoch) ", " (s.hosts) " hosts, " (grouped(s.due)) " epochs due" br; code { (s.digest) }
                        }
                    }
                    @for text in concentration(r) { dt { "Concentration" } dd { (printable(&text)) } }
                }
                @if !r.fleet.ignored.is_empty() {
                    h4 { "In the dossier, and no evidence" }
                    ul { @for reason in &r.fleet.ignored { li { (printable(&reason.text)) } } }
                }
            }
        }
    }
}

fn repeat(r: &FleetReport, recheck: &FleetRecheck<'_>) -> Markup {
    html! {
        section aria-labelledby="repeat" {
            h2 id="repeat" { "Check it yourself" }
            div class="panel" {
                p {
                    "This page is not evidence; the dossier is. On any machine, without a network, this command gives the same verdict, byte for byte with "
                    code { "--json" } ":"
                }
                pre { code { (printable(&recheck.command(r))) } }
                dl {
                    dt { "Dossier, BLAKE3" } dd { code { (r.inputs.dossier_blake3) } }
                    dt { "Policy, BLAKE3" } dd { code { (r.inputs.policy_blake3) } }
                    dt { "Trust anchors, BLAKE3" } dd { code { (r.inputs.anchors_blake3) } }
                    @if let Some(d) = &r.inputs.roster_blake3 { dt { "Roster, BLAKE3" } dd { code { (d) } } }
                }
            }
        }
        footer {
            p { "A claim is supported, refuted or inconclusive. Missing evidence is inconclusive. Legal promises and certificates are not evidence and never count." }
            p { "Judged by " (r.software) "." }
        }
    }
}
