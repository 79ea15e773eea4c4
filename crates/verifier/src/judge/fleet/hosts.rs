//! Each host over time: its audits, what is missing, and how likely a loss was noticed.

use std::collections::{BTreeMap, BTreeSet};

use bailiwick_protocol::bundle::NoAnswer;
use bailiwick_protocol::ids::{HostKey, ScheduleDigest, UnitName};
use bailiwick_protocol::schedule::Offered;

use super::audits::{Audited, no_inventory};
use super::schedule::{Plan, Plans, offer};
use crate::anchors::Anchors;
use crate::fleet_report::{AuditTally, Standing, TIMELINE_MAX, TimelineEntry};
use crate::judge::scopes::losses;
use crate::policy::{MONTH_DAYS, Policy};
use crate::reasons::{Reason, ReasonCode};
use crate::report::ScopeDetection;
use crate::time::Moment;
use weights::Weights;

mod weights;

/// A month, milliseconds.
const MONTH_MS: u64 = MONTH_DAYS as u64 * 24 * 3_600_000;

/// The times that hosts are looked at over.
pub(super) struct Span<'a> {
    /// Of a round, milliseconds since 1970-01-01 UTC.
    published: &'a dyn Fn(u64) -> Option<u64>,
    /// Until when the log speaks.
    horizon: u64,
    now_ms: u64,
}

impl<'a> Span<'a> {
    pub(super) fn new(published: &'a dyn Fn(u64) -> Option<u64>, horizon: u64, now_ms: u64) -> Self {
        Self { published, horizon: horizon.min(now_ms), now_ms }
    }

    /// The start of the month.
    const fn since(&self) -> u64 {
        self.now_ms.saturating_sub(MONTH_MS)
    }
}

/// One host.
pub(super) struct Host {
    pub(super) key: HostKey,
    pub(super) tally: AuditTally,
    pub(super) last_held_ms: Option<u64>,
    pub(super) cells: u64,
    pub(super) month_audits: u64,
    pub(super) audit: Vec<ScopeDetection>,
    pub(super) month: Vec<ScopeDetection>,
    pub(super) timeline: Vec<TimelineEntry>,
    /// The newest reason of each refuted audit, newest first, some of them.
    pub(super) failures: Vec<(u64, Reason)>,
    /// The same of audits that decide nothing.
    pub(super) undecided: Vec<(u64, Reason)>,
    /// Scheduled audits of the month that neither held nor failed, newest first: what a host or an auditor would rather not show.
    pub(super) open: Vec<(u64, Standing, Reason)>,
    /// Why a commitment that says it gave no inventory says nothing.
    pub(super) loose: Vec<Reason>,
    /// Objects that its newest inventory lists; 0 of named objects.
    pub(super) leaves: u64,
    /// Objects that count and that an audit of the month, or the newest one, that held has sampled.
    pub(super) sampled: BTreeSet<UnitName>,
    /// Objects that count and that audits of the very list of its newest inventory have sampled: of others nobody knows whether they
    /// are on it still.
    pub(super) sampled_listed: u64,
    /// Whether its entry in the roster has ended and no schedule that counts has it: nobody expects audits of it any more.
    pub(super) retired: bool,
    /// Whether an inventory was audited: chances of objects then rest on owners looking for theirs.
    pub(super) by_inventory: bool,
}

/// Epochs whose deadline lies within what the log shows.
pub(super) fn due(plan: &Plan, published: &dyn Fn(u64) -> Option<u64>, horizon: u64) -> u64 {
    let s = &plan.schedule;
    let passed = |n: u64| {
        s.round_of(s.first_epoch + n)
            .and_then(published)
            .and_then(|at| at.checked_add(s.answer_ms))
            .is_some_and(|deadline| deadline <= horizon)
    };
    // Deadlines rise with the epoch: the first that has not passed, by bisection.
    let (mut low, mut high) = (0, s.epochs);
    while low < high {
        let middle = low + (high - low) / 2;
        if passed(middle) { low = middle + 1 } else { high = middle }
    }
    low
}

pub(super) fn gather(
    audits: &[Audited],
    plans: &Plans,
    policy: &Policy,
    anchors: &Anchors,
    span: &Span<'_>,
    ignored: &mut Vec<Reason>,
) -> Vec<Host> {
    let mut by_host: BTreeMap<HostKey, Vec<&Audited>> = BTreeMap::new();
    for a in audits {
        if let Some(host) = a.core.host {
            by_host.entry(host).or_default().push(a);
        }
    }
    for host in plans.counted().flat_map(|(_, p)| &p.schedule.hosts) {
        by_host.entry(host.host).or_default();
    }
    // A key that nobody anchored is no host of the reader's, unless a schedule that counts promises it.
    let promised = |key: &HostKey| plans.counted().any(|(_, p)| p.schedule.host(key).is_some());
    by_host.retain(|key, audits| {
        let known = anchors.host(key).is_some() || promised(key);
        if !known {
            let text =
                format!("{} audits are about host {key}, which is not in the trust anchors", audits.len());
            ignored.push(Reason::new(ReasonCode::HostNotAnchored, text));
        }
        known
    });
    let retired = |key: &HostKey| !anchors.is_host_at(key, span.now_ms) && !promised(key);
    let one = |(key, audits): (HostKey, Vec<&Audited>)| {
        let gone = retired(&key);
        let valid = |at_ms| anchors.is_host_at(&key, at_ms);
        Host { retired: gone, ..one(key, &audits, plans, (policy, &valid), span) }
    };
    by_host.into_iter().map(one).collect()
}

/// Hosts that auditors asked or promised to, anchored or not.
pub(super) fn asked(audits: &[Audited], plans: &Plans) -> BTreeSet<HostKey> {
    let promised = plans.counted().flat_map(|(_, p)| &p.schedule.hosts).map(|h| h.host);
    audits.iter().filter_map(|a| a.core.host).chain(promised).collect()
}

fn one(
    key: HostKey,
    audits: &[&Audited],
    plans: &Plans,
    (policy, valid): (&Policy, &dyn Fn(u64) -> bool),
    span: &Span<'_>,
) -> Host {
    let mut host = Host {
        key,
        tally: AuditTally::default(),
        last_held_ms: None,
        cells: 0,
        month_audits: 0,
        audit: Vec::new(),
        month: Vec::new(),
        timeline: Vec::new(),
        failures: Vec::new(),
        undecided: Vec::new(),
        open: Vec::new(),
        loose: Vec::new(),
        leaves: 0,
        sampled: BTreeSet::new(),
        sampled_listed: 0,
        retired: false,
        by_inventory: audits.iter().any(|a| a.core.inventory.is_some()),
    };
    for a in audits {
        host.note(a.core.epoch, a.at_ms, a.standing, a.reasons.first().cloned());
        host.open.extend(left_open(a, plans, span));
        if a.standing == Standing::Held {
            host.last_held_ms = host.last_held_ms.max(Some(a.at_ms));
        }
    }
    let held: Vec<&Audited> = audits.iter().filter(|a| a.standing == Standing::Held).copied().collect();
    let newest = held.iter().max_by_key(|a| a.at_ms);
    host.cells = newest.map_or(0, |a| a.core.cells);
    host.leaves = newest.map_or(0, |a| a.core.leaves);
    for (digest, plan) in plans.counted() {
        host.expect(digest, plan, audits, plans, (valid, span));
    }
    host.settle();
    let month = span.since()..=span.now_ms;
    let month: Vec<&Audited> = held.iter().filter(|a| month.contains(&a.at_ms)).copied().collect();
    host.month_audits = month.len() as u64;
    host.sampled = names(month.iter().chain(newest));
    host.sampled_listed = newest
        .and_then(|n| n.core.listed)
        .map_or(0, |list| names(held.iter().filter(|a| a.core.listed == Some(list))).len() as u64);
    // What was a share once may be padded away since.
    let recent = if month.is_empty() { newest.map_or(&[][..], core::slice::from_ref) } else { &month[..] };
    let weights = Weights::of(&held, recent);
    let losses = losses(policy);
    host.audit = newest.map_or_else(Vec::new, |a| weights.chances(core::slice::from_ref(a), &losses));
    host.month = if month.is_empty() { Vec::new() } else { weights.chances(&month, &losses) };
    host
}

/// Its auditor alone says that it gave nothing, and at the round nobody owed anything under this key.
fn not_its_time() -> Reason {
    Reason::new(
        ReasonCode::HostNotAnchored,
        "the roster\u{2019}s entry of the host was not valid at the round of this epoch: that it offered no inventory then is nothing against it",
    )
}

/// The auditor's own word that it has nothing to say of the host.
fn not_asked() -> Reason {
    Reason::new(
        ReasonCode::NotAsked,
        "the auditor says that it did not ask the host for its inventory of this epoch in time: that says nothing of the host",
    )
}

/// An empty inventory does not exist, so a host that holds nothing has none to give, and is not at fault.
fn nothing_listed(why: NoAnswer) -> Reason {
    let Reason { code, text } = no_inventory(why);
    let but = "but the dossier holds no inventory that it signed for this or an earlier epoch: one that held nothing has none to give";
    Reason::new(code, format!("{text}; {but}"))
}

/// What it listed before may have been removed by its owners, or lost: an inventory that says so cannot be signed, and nothing else shows it.
fn nothing_listed_any_more(why: NoAnswer) -> Reason {
    let Reason { code, text } = no_inventory(why);
    let but = "it signed one before; if its owners removed all that it held, nothing signed shows that, since no inventory can be empty (a host that keeps any one object has one to give)";
    Reason::new(code, format!("{text}; {but}"))
}

fn names<'a>(audits: impl Iterator<Item = &'a &'a Audited>) -> BTreeSet<UnitName> {
    audits.flat_map(|a| &a.core.counted).map(|(name, _)| *name).collect()
}

/// An audit of a schedule that counts, which neither held nor failed, of the month or of a round that nothing dates. One that answers a
/// question again leaves nothing open: the question has its answer. Nor does one of no schedule that counts: what it should have been
/// the record of is missing there.
fn left_open(a: &Audited, plans: &Plans, span: &Span<'_>) -> Option<(u64, Standing, Reason)> {
    let counts = a.link.schedule.is_some_and(|d| plans.counted().any(|(counted, _)| *counted == d));
    let open = counts && matches!(a.standing, Standing::Undecided | Standing::Late);
    let recent = a.link.published_ms.is_none_or(|at| at >= span.since());
    let why = a.reasons.first().filter(|r| r.code != ReasonCode::QuestionRepeated)?;
    (open && recent).then(|| (a.core.epoch, a.standing, why.clone()))
}

impl Host {
    fn note(&mut self, epoch: u64, at_ms: u64, standing: Standing, why: Option<Reason>) {
        let t = &mut self.tally;
        match standing {
            Standing::Held => t.held += 1,
            Standing::Late => t.late += 1,
            Standing::Failed => t.failed += 1,
            Standing::Undecided => t.undecided += 1,
            Standing::Missing => t.missing += 1,
        }
        if standing != Standing::Missing {
            t.total += 1;
        }
        let reason = why.clone().map(|r| (epoch, r));
        match standing {
            Standing::Failed => self.failures.extend(reason),
            Standing::Undecided | Standing::Late => self.undecided.extend(reason),
            Standing::Held | Standing::Missing => {}
        }
        self.timeline.push(TimelineEntry { epoch, at: Moment::new(at_ms), standing, why });
    }

    /// What the schedule says there should be: an outcome in the log for every epoch that is due.
    fn expect(
        &mut self,
        digest: &ScheduleDigest,
        plan: &Plan,
        audits: &[&Audited],
        plans: &Plans,
        (valid, span): (&dyn Fn(u64) -> bool, &Span<'_>),
    ) {
        let s = &plan.schedule;
        if s.host(&self.key).is_none() {
            return;
        }
        let due = due(plan, span.published, span.horizon);
        let end = s.first_epoch.saturating_add(due);
        let mut there: BTreeSet<u64> =
            audits.iter().filter(|a| a.link.schedule == Some(*digest)).map(|a| a.core.epoch).collect();
        let at = |epoch| s.round_of(epoch).and_then(span.published).unwrap_or(0);
        let range = (*digest, s.first_epoch)..(*digest, end);
        for ((_, epoch), list) in plans.commitments.range(range) {
            let nothing = list.iter().find_map(|(c, _)| match offer(c, &self.key) {
                Some(Offered::Nothing(why)) => Some(why),
                _ => None,
            });
            if let Some(why) = nothing
                && there.insert(*epoch)
            {
                let (_, mut loose) = plans.fixed(*digest, plan, *epoch, at(*epoch));
                if !valid(at(*epoch)) {
                    loose.push(not_its_time());
                }
                if why == NoAnswer::NotAsked {
                    loose.push(not_asked());
                }
                let held = plans.has_listed(&self.key, *epoch);
                self.without_inventory(*epoch, at(*epoch), (why, held), loose, span);
            }
        }
        let shown = there.range(s.first_epoch..end).count() as u64;
        let missing = due - shown;
        // Counted in one step, named one by one only as far as a timeline goes.
        let named = (s.first_epoch..end).rev().filter(|e| !there.contains(e)).take(TIMELINE_MAX);
        let named: Vec<u64> = named.take(usize::try_from(missing).unwrap_or(usize::MAX)).collect();
        for epoch in &named {
            let why = Reason::new(
                ReasonCode::OutcomeMissing,
                "the dossier does not show that an outcome of this epoch is in the log",
            );
            self.leave_open(*epoch, at(*epoch), Standing::Missing, &why, span);
            self.note(*epoch, at(*epoch), Standing::Missing, Some(why));
        }
        self.tally.missing += missing - named.len() as u64;
    }

    /// A failed audit on the auditor's word, which counts only where it was fixed before the round, and against a host that had something
    /// to list.
    fn without_inventory(
        &mut self,
        epoch: u64,
        at_ms: u64,
        (why, held): (NoAnswer, bool),
        mut loose: Vec<Reason>,
        span: &Span<'_>,
    ) {
        let open = loose.first().cloned().or_else(|| (!held).then(|| nothing_listed(why)));
        match open {
            None => self.note(epoch, at_ms, Standing::Failed, Some(nothing_listed_any_more(why))),
            Some(first) => {
                self.leave_open(epoch, at_ms, Standing::Undecided, &first, span);
                self.note(epoch, at_ms, Standing::Undecided, Some(first));
                self.loose.append(&mut loose);
            }
        }
    }

    fn leave_open(&mut self, epoch: u64, at_ms: u64, standing: Standing, why: &Reason, span: &Span<'_>) {
        if at_ms >= span.since() {
            self.open.push((epoch, standing, why.clone()));
        }
    }

    /// Orders what was collected, the newest reasons first.
    fn settle(&mut self) {
        self.timeline.sort_by_key(|e| (e.at.unix_ms, e.epoch, e.standing));
        let surplus = self.timeline.len().saturating_sub(TIMELINE_MAX);
        self.timeline.drain(..surplus);
        for list in [&mut self.failures, &mut self.undecided] {
            list.sort_by(|a, b| b.0.cmp(&a.0).then_with(|| a.1.text.cmp(&b.1.text)));
        }
        self.open.sort_by(|a, b| b.0.cmp(&a.0).then_with(|| a.2.text.cmp(&b.2.text)));
    }
}
