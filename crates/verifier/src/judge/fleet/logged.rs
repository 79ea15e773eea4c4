//! *Logged* (spec verdict, clauses V34-V36).

use super::{Fleet, few, hosts::due, stored};
use crate::claims::{Claim, Verdict};
use crate::policy::LoggedTerms;
use crate::reasons::{Assumption, AssumptionCode, Reason, ReasonCode};
use crate::report::{ClaimReport, LogNumbers, Numbers};
use crate::time::duration;

const SHOWN_MAX: usize = 8;

pub(super) fn judge(fleet: &Fleet<'_>) -> ClaimReport {
    let (verdict, reasons) = decide(fleet);
    let headline = match (verdict, reasons.first().map(|r| r.code)) {
        (Verdict::Supported, _) => {
            "Yes: every audit due by the schedules shown is on a public record, failures included, and independent witnesses have seen it."
        }
        (Verdict::Refuted, Some(ReasonCode::OutcomeMissing)) => {
            "No: this dossier does not show audits that were announced and are due. Ask the log whether it has them."
        }
        (Verdict::Refuted, Some(ReasonCode::SplitView)) => {
            "No: the log signed two different histories of one length."
        }
        (Verdict::Refuted, _) => "No: signed records contradict each other.",
        (Verdict::Inconclusive, Some(ReasonCode::Unwitnessed)) => {
            "Unwitnessed: too few of the witnesses you trust have seen this record."
        }
        (Verdict::Inconclusive, Some(ReasonCode::CheckpointStale)) => {
            "Not shown: the newest witnessed state of the log is older than the policy allows."
        }
        (Verdict::Inconclusive, _) => "Not shown: the evidence in this dossier does not decide it.",
    };
    let stated = !reasons.iter().any(|r| r.code == ReasonCode::NoLogAnchored);
    let schedules = match fleet.plans.are_named() {
        true => AssumptionCode::SchedulesNamedBefore,
        false => AssumptionCode::AllSchedulesShown,
    };
    let assumptions: Vec<Assumption> =
        [AssumptionCode::WitnessesHonest, AssumptionCode::WitnessesClocks, schedules]
            .into_iter()
            .filter(|_| stated)
            .map(AssumptionCode::stated)
            .collect();
    ClaimReport {
        claim: Claim::Logged,
        required: fleet.policy.require.contains(&Claim::Logged),
        verdict,
        headline: headline.to_owned(),
        reasons,
        assumptions,
        numbers: Numbers { log: numbers(fleet), ..Numbers::default() },
        not_shown: Claim::Logged.not_shown().to_vec(),
    }
}

fn numbers(fleet: &Fleet<'_>) -> Option<LogNumbers> {
    let (at, entries) = fleet.book.newest()?;
    let tally = stored::tally(fleet);
    let in_time = |a: &&super::audits::Audited| a.link.logged.is_some() && a.link.late.is_none();
    Some(LogNumbers {
        scheduled: expected(fleet),
        logged_in_time: fleet.audits.iter().filter(in_time).count() as u64,
        logged_late: fleet.audits.iter().filter(|a| a.link.late.is_some()).count() as u64,
        missing: tally.missing,
        entries,
        checkpoint_age_ms: fleet.now_unix_ms.saturating_sub(at),
        quorum: u32::try_from(fleet.book.quorum()).unwrap_or(u32::MAX),
    })
}

/// Outcomes that must be in the log by now.
fn expected(fleet: &Fleet<'_>) -> u64 {
    let chain = fleet.anchors.beacon();
    let published = |r: u64| bailiwick_beacon::Round::new(r).ok().and_then(|r| chain.published_at(r).ok());
    let horizon = fleet.book.horizon().min(fleet.now_unix_ms);
    let of =
        |p: &super::schedule::Plan| due(p, &published, horizon).saturating_mul(p.schedule.hosts.len() as u64);
    fleet.plans.counted().map(|(_, p)| of(p)).fold(0, u64::saturating_add)
}

fn decide(fleet: &Fleet<'_>) -> (Verdict, Vec<Reason>) {
    let inconclusive = |code, text: &str| (Verdict::Inconclusive, vec![Reason::new(code, text)]);
    let Some(terms) = &fleet.policy.logged else {
        let text = "the policy has no [logged] section, so nothing says what would be enough";
        return inconclusive(ReasonCode::NoTermsInPolicy, text);
    };
    if !fleet.book.is_anchored() {
        let text = "the trust anchors name no log, so nothing says whose log to believe";
        return inconclusive(ReasonCode::NoLogAnchored, text);
    }
    let contradictions = contradictions(fleet);
    if !contradictions.is_empty() {
        return (Verdict::Refuted, contradictions);
    }
    let short = shortfalls(fleet, terms);
    if !short.is_empty() {
        return (Verdict::Inconclusive, short);
    }
    let text = format!(
        "all {} scheduled outcomes that are due are in the log, each seen by a quorum of {} witnesses before its deadline",
        expected(fleet),
        terms.quorum
    );
    (Verdict::Supported, vec![Reason::new(ReasonCode::ScheduleComplete, text)])
}

/// What refutes: gaps against the schedule, and signed contradictions.
fn contradictions(fleet: &Fleet<'_>) -> Vec<Reason> {
    let mut out = Vec::new();
    let gaps = fleet.hosts.iter().filter(|h| h.tally.missing > 0).map(|h| {
        let missing = crate::fleet_report::Standing::Missing;
        let last = h.timeline.iter().rev().find(|e| e.standing == missing).map_or(0, |e| e.epoch);
        let text = format!(
            "host {}: of {} scheduled audits that are due this dossier shows no outcome in the log, the last of epoch {last}; either the log has none, or it was left out of the dossier",
            stored::name(fleet, &h.key),
            h.tally.missing
        );
        Reason::new(ReasonCode::OutcomeMissing, text)
    });
    out.extend(few(gaps.collect(), SHOWN_MAX, "hosts"));
    if let Some(size) = fleet.book.split() {
        let text =
            format!("the log signed two checkpoints of size {size} with different roots: a split view");
        out.push(Reason::new(ReasonCode::SplitView, text));
    }
    let two = fleet.plans.equivocations().map(|(host, epoch)| {
        let text = format!("host {} signed two inventories for epoch {epoch}", stored::name(fleet, host));
        Reason::new(ReasonCode::TwoInventories, text)
    });
    out.extend(few(two.collect(), SHOWN_MAX, "pairs of inventories"));
    let commitments = fleet.plans.two_commitments().map(|(schedule, epoch)| {
        let text = format!("the auditor logged two commitments to epoch {epoch} of schedule {schedule}");
        Reason::new(ReasonCode::TwoCommitments, text)
    });
    out.extend(few(commitments.collect(), SHOWN_MAX, "epochs"));
    out.extend(few(other_questions(fleet), SHOWN_MAX, "audits"));
    out
}

/// Outcomes of questions other than the one that their auditor committed to.
fn other_questions(fleet: &Fleet<'_>) -> Vec<Reason> {
    let of = |a: &super::audits::Audited| {
        let differs =
            |r: &&Reason| matches!(r.code, ReasonCode::NonceDiffers | ReasonCode::InventoryNotCommitted);
        let r = a.link.obstacles.iter().find(differs)?;
        let host = a.core.host.map_or_else(String::new, |h| format!(" for host {}", stored::name(fleet, &h)));
        let text = format!(
            "the auditor signed an outcome{host}, epoch {}, that contradicts its own commitment: {}",
            a.core.epoch, r.text
        );
        Some(Reason::new(r.code, text))
    };
    fleet.audits.iter().filter_map(of).collect()
}

/// What leaves it open.
fn shortfalls(fleet: &Fleet<'_>, terms: &LoggedTerms) -> Vec<Reason> {
    let mut out = few(fleet.plans.refused.clone(), 2, "announcements");
    // Whatever keeps an outcome from being that of the epoch's own question: an entry that stands for a question of another making is
    // no entry of the audit that was announced.
    let links = fleet.audits.iter().flat_map(|a| &a.link.obstacles);
    let links = links.chain(fleet.hosts.iter().flat_map(|h| &h.loose));
    let mut kinds: Vec<(ReasonCode, usize, &Reason)> = Vec::new();
    for r in links {
        match kinds.iter_mut().find(|(code, ..)| *code == r.code) {
            Some((_, n, _)) => *n += 1,
            None => kinds.push((r.code, 1, r)),
        }
    }
    // Lack of witnesses first: it is the one a reader can mend by asking them.
    kinds.sort_by_key(|(code, ..)| *code != ReasonCode::Unwitnessed);
    out.extend(kinds.iter().map(|(code, n, r)| Reason::new(*code, format!("{n} audits: {}", r.text))));
    let late = fleet.audits.iter().filter(|a| a.link.late.is_some()).count();
    if late > 0 {
        out.push(Reason::new(
            ReasonCode::LoggedLate,
            format!("{late} outcomes were logged after their deadline"),
        ));
    }
    let alone =
        fleet.audits.iter().filter(|a| a.link.schedule.is_none() && a.link.obstacles.is_empty()).count();
    if alone > 0 {
        let text = format!("{alone} audits belong to no schedule and are in no log");
        out.push(Reason::new(ReasonCode::NotLogged, text));
    }
    let absent = fleet.plans.absent();
    if absent > 0 || fleet.plans.counted().next().is_none() {
        let text = match absent {
            0 => "no announced schedule is in the witnessed log, so nothing says what is missing".to_owned(),
            n => format!("{n} schedules that the policy names are not in the witnessed log"),
        };
        out.push(Reason::new(ReasonCode::NoSchedule, text));
    } else if expected(fleet) == 0 {
        let text = "no scheduled audit was due when witnesses last saw the log";
        out.push(Reason::new(ReasonCode::NothingDue, text));
    }
    let max_age = u64::from(terms.max_checkpoint_age_hours) * 3_600_000;
    let slow = fleet.plans.counted().filter(|(_, p)| p.schedule.answer_ms > max_age).map(|(digest, p)| {
        let text = format!(
            "schedule {digest} gives {} for an outcome, the policy lets the newest checkpoint be {} old: what is missing of that time would not be seen",
            duration(p.schedule.answer_ms),
            duration(max_age)
        );
        Reason::new(ReasonCode::DeadlineTooLong, text)
    });
    out.extend(few(slow.collect(), SHOWN_MAX, "schedules"));
    let age = fleet.book.newest().map(|(at, _)| fleet.now_unix_ms.saturating_sub(at));
    if let Some(age) = age.filter(|age| *age > max_age) {
        let text = format!(
            "the newest witnessed checkpoint is {} old, the policy allows {}: what was scheduled since then may be missing",
            duration(age),
            duration(max_age)
        );
        out.insert(0, Reason::new(ReasonCode::CheckpointStale, text));
    }
    out
}
