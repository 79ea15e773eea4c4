//! The report as one self-contained page: inline style, no script, nothing loaded from elsewhere. `maud` escapes every value.

use maud::{DOCTYPE, Markup, PreEscaped, html};

use super::style::CSS;
use super::{
    Recheck, answer, bytes, epoch, grouped, named, outcome_sentence, party, provenance, quoted, required,
    scope_name, scopes_shown, tally,
};
use crate::anchors::Principal;
use crate::claims::Verdict;
use crate::detection::{chance_of_missing, percent};
use crate::report::{
    AuditFacts, ChallengeFacts, ClaimReport, Numbers, ObjectFacts, ProbeCount, Report, ScopeDetection,
};
use crate::text::printable;
use crate::time::duration;

/// Objects and owners shown one by one, at most; the JSON form has all.
const SHOWN_MAX: usize = 50;

impl Verdict {
    pub(super) const fn class(self) -> &'static str {
        match self {
            Self::Supported => "supported",
            Self::Refuted => "refuted",
            Self::Inconclusive => "inconclusive",
        }
    }

    pub(super) const fn big(self) -> &'static str {
        match self {
            Self::Supported => "Supported",
            Self::Refuted => "Refuted",
            Self::Inconclusive => "Inconclusive",
        }
    }
}

impl Report {
    /// The report as an HTML page.
    #[must_use]
    pub fn to_html(&self, recheck: &Recheck<'_>) -> String {
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
                    style { (PreEscaped(CSS)) }
                }
                body { main {
                    h1 { "Audit report of a storage host" }
                    (result(self))
                    (overview(self))
                    (audited(&self.audit))
                    section aria-labelledby="claims" {
                        h2 id="claims" { "The seven claims, one by one" }
                        @for c in self.claims.iter().filter(|c| c.required) { (card(c, self.audit.challenge.as_ref())) }
                        @for c in self.claims.iter().filter(|c| !c.required) { (card(c, self.audit.challenge.as_ref())) }
                    }
                    (policy(self))
                    (repeat(self, recheck))
                } }
            }
        };
        page.into_string()
    }
}

/// Text from a file: escaped for the eye here, for HTML by maud.
fn shown(text: &str) -> String {
    printable(text)
}

fn badge(v: Verdict) -> Markup {
    html! { span class={ "badge " (v.class()) } { (v.word()) } }
}

fn result(r: &Report) -> Markup {
    let host = r.audit.challenge.as_ref().map(|c| party(&c.host));
    html! {
        section class={ "result " (r.outcome.class()) } aria-label="Result" {
            p class="word" { (r.outcome.big()) ": " (required(r)) }
            p class="sentence" { (outcome_sentence(r)) }
            p class="meta" {
                @if let Some(host) = host { "Host " (shown(&host)) ". " }
                "Asked " (r.audit.asked_at.utc) ", judged for " (r.judged_at.utc) "."
            }
            p class="meta" { (tally(r)) "; missing evidence is inconclusive. Exit code " (r.exit_code) "." }
        }
        ul class="warnings" aria-label="Warnings" {
            @for l in &r.labels { li { span class="tag" { (l.word()) } " " (l.text()) "." } }
        }
    }
}

fn overview(r: &Report) -> Markup {
    html! {
        section aria-labelledby="overview" {
            h2 id="overview" { "At a glance" }
            (overview_table(&r.claims))
        }
    }
}

/// All claims, a row each.
pub(super) fn overview_table(claims: &[ClaimReport]) -> Markup {
    html! {
        table class="overview" {
            @for c in claims {
                tr {
                    th scope="row" { (c.claim.name()) @if c.required { br; span class="soft" { "required" } } }
                    td { (c.headline) }
                    td { (badge(c.verdict)) }
                }
            }
        }
    }
}

fn principal(p: &Principal) -> Markup {
    let fields = [
        ("provider", &p.provider),
        ("site", &p.site),
        ("country", &p.country),
        ("law of the operator", &p.law),
    ];
    html! {
        (shown(&quoted(&p.name)))
        @for (what, value) in fields { @if let Some(v) = value { ", " (what) " " (shown(v)) } }
        @if fields.iter().any(|(_, v)| v.is_some()) { span class="soft" { " (as the trust anchors say; not verified)" } }
        br; code { (p.key) }
    }
}

fn audited(a: &AuditFacts) -> Markup {
    html! {
        section aria-labelledby="audited" {
            h2 id="audited" { "What was audited" }
            div class="panel" {
                dl {
                    @if let Some(c) = &a.challenge { (challenge_rows(c)) } @else {
                        dt { "Challenge" } dd { "not established; see the claim \u{201c}stored\u{201d}" }
                    }
                    dt { "Auditor" } dd { (principal(&a.auditor)) }
                    dt { "Asked" } dd { (a.asked_at.utc) " by the auditor\u{2019}s clock" }
                    dt { "Answered" } dd {
                        (a.answered_at.utc) ", after " (duration(a.answer_ms)) "; " (duration(a.age_ms)) " old when judged"
                    }
                }
                @if let Some(c) = &a.challenge { (objects(&c.objects)) }
            }
        }
    }
}

fn challenge_rows(c: &ChallengeFacts) -> Markup {
    html! {
        dt { "Host" } dd {
            @match &c.host.principal {
                Some(p) => (principal(p)),
                None => { "not in the trust anchors" br; code { (c.host.key) } }
            }
        }
        dt { "Data" } dd {
            (c.objects.len()) @if c.objects.len() == 1 { " object, " } @else { " objects, " }
            (bytes(c.bytes_total)) " of ciphertext in " (grouped(c.cells_total)) " cells"
        }
        dt { "Answer" } dd { (answer(c.answer)) }
        dt { "Challenge" } dd { code { (c.digest) } }
        dt { "Epoch" } dd { (epoch(c.epoch)) }
        dt { "Proof key" } dd {
            (shown(&provenance(c.verifying_key.provenance.as_ref()))) br;
            "class " (c.class) br; code { (c.verifying_key.digest) }
        }
    }
}

fn objects(all: &[ObjectFacts]) -> Markup {
    html! {
        h4 { "Objects" }
        div class="scroll" { table class="data" {
            thead { tr {
                th scope="col" { "Object" } th scope="col" { "Owner" } th scope="col" class="num" { "Bytes" }
                th scope="col" class="num" { "Generation" } th scope="col" class="num" { "Recipients" }
            } }
            tbody { @for o in all.iter().take(SHOWN_MAX) {
                tr {
                    th scope="row" { code { (o.name.object) } }
                    td { @match &o.owner_name {
                        Some(n) => (shown(&named(n, &o.name.owner.to_string()))),
                        None => { "not anchored: " code { (o.name.owner) } }
                    } }
                    td class="num" { (grouped(o.size)) }
                    td class="num" { (o.generation) }
                    td class="num" { @match o.recipients { Some(r) => (r.total), None => "unknown" } }
                }
            } }
        } }
        @if all.len() > SHOWN_MAX { p class="soft" { "and " (all.len() - SHOWN_MAX) " more, in the JSON report" } }
    }
}

pub(super) fn card(c: &ClaimReport, facts: Option<&ChallengeFacts>) -> Markup {
    html! {
        article class={ "card " (c.verdict.class()) } {
            header {
                div {
                    h3 { (c.claim.question()) }
                    p class="name" { "Claim \u{201c}" (c.claim.name()) "\u{201d}, " @if !c.required { "not " } "required by the policy" }
                }
                (badge(c.verdict))
            }
            p class="headline" { (c.headline) }
            div class="two" {
                div {
                    h4 { "Why" }
                    ul { @for r in &c.reasons { li { (shown(&r.text)) } } }
                    @if !c.assumptions.is_empty() {
                        h4 { "What the verdict rests on" }
                        ul { @for a in &c.assumptions { li { (a.text) } } }
                    }
                }
                div {
                    h4 { @if c.verdict == Verdict::Supported { "What it shows" } @else { "What it would show if supported" } }
                    p { (c.claim.shows()) }
                    h4 { "What this does not show" }
                    ul { @for n in &c.not_shown { li { (n) } } }
                }
            }
            (numbers(c, facts))
        }
    }
}

fn numbers(c: &ClaimReport, facts: Option<&ChallengeFacts>) -> Markup {
    let n = &c.numbers;
    html! {
        @if *n != Numbers::default() { h4 { "In numbers" } }
        @if let Some(samples) = n.samples {
            (chances(&n.detection, facts, &format!(
                "Chance that this one audit would have noticed a loss, by how much of each part was lost; below it, the chance of missing it. {samples} {} drawn at random, with replacement, over everything audited.",
                if samples == 1 { "cell" } else { "cells" }
            )))
        } @else if !n.detection.is_empty() {
            (chances(&n.detection, facts, "Chance that one audit would have noticed a loss, at the host where it is least likely."))
        }
        @if !n.month_detection.is_empty() {
            (chances(&n.month_detection, facts, "Chance that all audits of the month together would have, at the host where it is least likely."))
        }
        @if let Some(l) = &n.log {
            p {
                (grouped(l.scheduled)) " outcomes scheduled by now: " (grouped(l.logged_in_time)) " in the log in time, "
                (grouped(l.logged_late)) " late, " (grouped(l.missing)) " missing."
            }
        }
        @if let Some(o) = &n.opened { p { (o.opened) " of " (o.objects) " objects opened." } }
        @if !n.powers.is_empty() {
            ul { @for p in &n.powers { li { (shown(&quoted(&p.power))) ": " (p.holders) " holders of keys, " (p.objects) " objects" } } }
        }
        @if let Some(s) = n.soundness { p { "Strength: " (s.bits) " bits. " span class="soft" { (s.basis) "." } } }
        @if let Some(p) = n.probes { (probes(p)) }
        @if let Some(r) = n.recipients { p { (r.total) " recipient entries, " (r.anonymous) " of them anonymous." } }
    }
}

fn probes(p: ProbeCount) -> Markup {
    html! {
        p {
            (p.good) " random pieces came back right, " (p.bad_bytes) " came back wrong, "
            (p.refused + p.timed_out + p.unreachable) " did not come."
        }
    }
}

fn chances(all: &[ScopeDetection], facts: Option<&ChallengeFacts>, caption: &str) -> Markup {
    let (scopes, hidden) = scopes_shown(all, SHOWN_MAX);
    let heads = scopes.first().map_or(&[][..], |s| &s.losses);
    html! {
        div class="scroll" { table class="data" {
            caption { (caption) }
            thead { tr {
                th scope="col" { "Part" } th scope="col" class="num" { "Cells" }
                @for d in heads { th scope="col" class="num" { (percent(d.lost_fraction)) " lost" } }
            } }
            tbody { @for s in &scopes {
                tr {
                    th scope="row" { (shown(&scope_name(s, facts))) }
                    td class="num" { (grouped(s.cells)) }
                    @for d in &s.losses {
                        td class="num" { (percent(d.probability)) br; span class="soft" { "missed " (chance_of_missing(d.miss)) } }
                    }
                }
            } }
        } }
        @if hidden > 0 { p class="soft" { "and " (hidden) " more, in the JSON report" } }
    }
}

fn policy(r: &Report) -> Markup {
    html! {
        section aria-labelledby="policy" {
            h2 id="policy" { "What the reader asked for" }
            div class="panel" {
                p { "Policy " (shown(&quoted(&r.policy.name))) }
                ul { @for s in &r.policy.explained { li { (s) } } }
            }
        }
    }
}

fn repeat(r: &Report, recheck: &Recheck<'_>) -> Markup {
    html! {
        section aria-labelledby="repeat" {
            h2 id="repeat" { "Check it yourself" }
            div class="panel" {
                p {
                    "This page is not evidence; the bundle is. On any machine, without a network, this command gives the same verdict, byte for byte with "
                    code { "--json" } ":"
                }
                pre { code { (shown(&recheck.command(r))) } }
                dl {
                    dt { "Bundle, BLAKE3" } dd { code { (r.inputs.bundle_blake3) } }
                    dt { "Policy, BLAKE3" } dd { code { (r.inputs.policy_blake3) } }
                    dt { "Trust anchors, BLAKE3" } dd { code { (r.inputs.anchors_blake3) } }
                }
            }
        }
        footer {
            p {
                "A claim is supported, refuted or inconclusive. Missing evidence is inconclusive. Legal promises and certificates are not evidence and never count."
            }
            p { "Judged by " (r.software) "." }
        }
    }
}
