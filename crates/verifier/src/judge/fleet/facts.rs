//! What was audited, for the reader.

use std::collections::BTreeSet;

use bailiwick_roster::{ShareBy, Shares};

use super::{Fleet, few, hosts::due, stored};
use crate::fleet_report::{FleetFacts, HostFacts, LogFacts, RosterFacts, ScheduleFacts};
use crate::time::Moment;

/// What is no evidence, shown one by one.
const IGNORED_SHOWN_MAX: usize = 20;

pub(super) fn facts(fleet: &Fleet<'_>) -> FleetFacts {
    let auditors: BTreeSet<_> = fleet.audits.iter().map(|a| a.core.auditor).collect();
    FleetFacts {
        auditors: auditors.iter().filter_map(|k| fleet.anchors.auditor(k).cloned()).collect(),
        roster: fleet.people.roster().map(|r| RosterFacts {
            name: r.name.clone(),
            number: r.number,
            digest: r.digest(),
            authority: r.authority,
            readers_own: fleet.people.readers_own(),
        }),
        log: log(fleet),
        schedules: schedules(fleet),
        audits: stored::tally(fleet),
        objects: fleet.objects.count(),
        ignored: few(fleet.ignored.clone(), IGNORED_SHOWN_MAX, "pieces that are no evidence"),
        concentration: concentration(fleet),
        hosts: fleet.hosts.iter().map(|h| host(fleet, h)).collect(),
    }
}

fn log(fleet: &Fleet<'_>) -> Option<LogFacts> {
    let anchor = fleet.anchors.log()?;
    let (at, entries) = fleet.book.newest()?;
    Some(LogFacts {
        origin: anchor.key.name().to_owned(),
        entries,
        witnessed_at: Moment::new(at),
        age_ms: fleet.now_unix_ms.saturating_sub(at),
        quorum: u32::try_from(fleet.book.quorum()).unwrap_or(u32::MAX),
        witnesses: anchor.witnesses.len(),
    })
}

fn schedules(fleet: &Fleet<'_>) -> Vec<ScheduleFacts> {
    let chain = fleet.anchors.beacon();
    let published = |r: u64| bailiwick_beacon::Round::new(r).ok().and_then(|r| chain.published_at(r).ok());
    let horizon = fleet.book.horizon().min(fleet.now_unix_ms);
    let one =
        |(digest, p): (&bailiwick_protocol::ids::ScheduleDigest, &super::schedule::Plan)| ScheduleFacts {
            digest: *digest,
            first_epoch: p.schedule.first_epoch,
            epochs: p.schedule.epochs,
            hosts: p.schedule.hosts.len(),
            due: due(p, &published, horizon),
        };
    fleet.plans.counted().map(one).collect()
}

/// Weights are the cells of each host's newest audit that held.
fn concentration(fleet: &Fleet<'_>) -> Vec<Shares> {
    let Some(roster) = fleet.people.roster() else { return Vec::new() };
    let held: Vec<_> = fleet.hosts.iter().filter(|h| h.cells > 0).collect();
    if held.is_empty() {
        return Vec::new();
    }
    let weights = || {
        // A host the roster does not have counts as unknown: no principal's name is empty.
        held.iter().map(|h| (fleet.people.signer(h.key.as_bytes()).map_or("", |p| p.name.as_str()), h.cells))
    };
    [ShareBy::Provider, ShareBy::Country, ShareBy::Law, ShareBy::ParentLaw]
        .into_iter()
        .map(|by| roster.shares(by, weights()))
        .collect()
}

fn host(fleet: &Fleet<'_>, h: &super::hosts::Host) -> HostFacts {
    HostFacts {
        key: h.key,
        principal: fleet.anchors.host(&h.key).cloned(),
        audits: h.tally,
        last_held: h.last_held_ms.map(Moment::new),
        cells: h.cells,
        month_audits: h.month_audits,
        audit_detection: h.audit.clone(),
        month_detection: h.month.clone(),
        timeline: h.timeline.clone(),
    }
}
