//! From a dossier to a report: many hosts over time (spec verdict, clauses V24-V44).

use std::collections::{BTreeMap, BTreeSet};

use bailiwick_beacon::{BeaconVerifier, Round};
use bailiwick_protocol::codec::Canonical;
use bailiwick_protocol::dossier::Dossier;
use bailiwick_protocol::ids::{HostKey, VkDigest};
use bailiwick_roster::Blocs;
use bailiwick_scheme::{Schemes, Soundness};

use super::conclusion::{Conclusion, labels};
use super::signatures::Signatures;
use super::{Unusable, answer, digest};
use crate::anchors::Anchors;
use crate::claims::Claim;
use crate::fleet_report::{FLEET_REPORT_SCHEMA, FleetDigests, FleetReport};
use crate::policy::Policy;
use crate::reasons::Reason;

mod audits;
mod custody;
mod facts;
mod hosts;
mod keys;
mod log;
mod logged;
mod loss;
mod objects;
mod opaque;
mod people;
mod place;
mod schedule;
mod served;
mod sharing;
mod stored;

/// Everything a verdict on a dossier depends on.
#[derive(Clone, Copy, Debug)]
pub struct DossierInputs<'a> {
    /// A [`Dossier`], canonical bytes.
    pub dossier: &'a [u8],
    /// The policy, TOML.
    pub policy: &'a str,
    /// The trust anchors, TOML.
    pub anchors: &'a str,
    /// The reader's own signed roster; without one the dossier's is used, if the pinned authority signed it.
    pub roster: Option<&'a [u8]>,
    /// Jurisdiction blocs, TOML; without them those this program ships.
    pub blocs: Option<&'a str>,
    /// Verifying keys at hand, canonical bytes by digest; the digest is recomputed.
    pub verifying_keys: &'a BTreeMap<VkDigest, Vec<u8>>,
    /// The moment to judge at, milliseconds since 1970-01-01 UTC.
    pub now_unix_ms: u64,
}

/// What every judge of a dossier reads.
struct Fleet<'a> {
    policy: &'a Policy,
    anchors: &'a Anchors,
    people: people::People,
    book: log::Book,
    plans: schedule::Plans,
    audits: Vec<audits::Audited>,
    hosts: Vec<hosts::Host>,
    /// Hosts of the bundles and of the counted schedules, those nobody anchored too.
    asked: BTreeSet<HostKey>,
    objects: objects::Objects,
    /// What the answers rest on, once for each scheme of the keys at hand.
    schemes: Vec<Soundness>,
    /// Whether an audit is of a key that is not at hand, so that nobody can tell what its scheme rests on.
    unknown_scheme: bool,
    ignored: Vec<Reason>,
    now_unix_ms: u64,
}

/// Judges a dossier.
///
/// # Errors
/// [`Unusable`] when policy, anchors, roster, blocs or dossier cannot be read. Everything else, failures of evidence included,
/// is a verdict in the report.
pub fn verify_dossier(inputs: &DossierInputs<'_>) -> Result<FleetReport, Unusable> {
    verify_dossier_under(inputs, &Schemes::installed())
}

/// [`verify_dossier`], with the possession schemes the reader has.
///
/// # Errors
/// As [`verify_dossier`].
pub fn verify_dossier_under(inputs: &DossierInputs<'_>, schemes: &Schemes) -> Result<FleetReport, Unusable> {
    let keys = answer::Keys::new(inputs.verifying_keys, schemes);
    let policy = Policy::parse(inputs.policy)?;
    let anchors = Anchors::parse(inputs.anchors)?;
    let blocs = inputs.blocs.map_or_else(|| Ok(Blocs::shipped()), Blocs::parse)?;
    let verifier = BeaconVerifier::new(anchors.beacon().clone())?;
    let book = log::Book::new(anchors.log(), policy.logged.as_ref())?;
    let dossier = Dossier::from_bytes(inputs.dossier).map_err(Unusable::Dossier)?;
    let people = people::People::new(inputs, &anchors, blocs, dossier.roster.as_deref())?;
    let anchors = match people.roster() {
        Some(roster) => anchors.with_roster(roster),
        None => anchors,
    };
    let given = Given { policy: &policy, anchors: &anchors, keys: &keys, now: inputs.now_unix_ms };
    let fleet = establish(&given, people, book, &verifier, dossier);
    Ok(report(&fleet, inputs))
}

/// What the reader brings.
struct Given<'a, 'k> {
    policy: &'a Policy,
    anchors: &'a Anchors,
    keys: &'k answer::Keys<'k>,
    now: u64,
}

fn establish<'a>(
    given: &Given<'a, '_>,
    people: people::People,
    mut book: log::Book,
    verifier: &BeaconVerifier,
    dossier: Dossier,
) -> Fleet<'a> {
    let Given { policy, anchors, keys, now } = *given;
    let Dossier { roster: _, announced, audits, inventories, opened } = dossier;
    let mut ignored = Vec::new();
    let mut plans = schedule::Plans::read(&announced, policy, anchors, &mut book, now, &mut ignored);
    let mut objects = objects::Objects::default();
    let signatures = Signatures::default();
    let published = |round: u64| Round::new(round).ok().and_then(|r| verifier.chain().published_at(r).ok());
    let world = audits::World {
        policy,
        anchors,
        keys,
        signatures: &signatures,
        published: &published,
        now_unix_ms: now,
    };
    let prepared = audits::prepare(audits, &world, &mut ignored);
    let reader = schedule::Reader { policy, anchors, published: &published, now_ms: now };
    let mut linked = schedule::Linker::new(&plans, &prepared, &mut book, verifier, reader);
    let audits = audits::finish(prepared, &mut linked, &mut objects);
    plans.count_inventories(&audits, &inventories, anchors, now, &mut ignored);
    book.close(now);
    objects.count_releases(&plans.releases);
    objects.read_statements(&opened, anchors, &people, now, &mut ignored);
    let span = hosts::Span::new(&published, book.horizon(), now);
    let asked = hosts::asked(&audits, &plans);
    let mut schemes: Vec<Soundness> = Vec::new();
    for found in audits.iter().filter_map(|a| keys.soundness(a.core.vk?)) {
        if !schemes.contains(&found) {
            schemes.push(found);
        }
    }
    let unknown = |a: &audits::Audited| a.core.vk.is_some_and(|vk| keys.soundness(vk).is_none());
    let unknown_scheme = audits.iter().any(unknown);
    let hosts = hosts::gather(&audits, &plans, policy, anchors, &span, &mut ignored);
    Fleet {
        policy,
        anchors,
        people,
        book,
        plans,
        audits,
        hosts,
        asked,
        objects,
        schemes,
        unknown_scheme,
        ignored,
        now_unix_ms: now,
    }
}

fn report(fleet: &Fleet<'_>, inputs: &DossierInputs<'_>) -> FleetReport {
    let claims: Vec<_> = Claim::ALL
        .into_iter()
        .map(|claim| match claim {
            Claim::Opaque => opaque::judge(fleet),
            Claim::Stored => stored::judge(fleet),
            Claim::Served => served::judge(fleet),
            Claim::Resident => place::resident(fleet),
            Claim::Custody => keys::custody(fleet),
            Claim::Survivable => keys::survivable(fleet),
            Claim::Logged => logged::judge(fleet),
        })
        .collect();
    let Conclusion { software, judged_at, policy, outcome, exit_code } =
        Conclusion::of(&claims, fleet.policy, fleet.now_unix_ms);
    let keys = fleet.audits.iter().filter_map(|a| fleet.anchors.verifying_key(&a.core.vk?));
    FleetReport {
        schema: FLEET_REPORT_SCHEMA,
        software,
        inputs: FleetDigests {
            dossier_blake3: digest(inputs.dossier),
            policy_blake3: digest(inputs.policy.as_bytes()),
            anchors_blake3: digest(inputs.anchors.as_bytes()),
            roster_blake3: inputs.roster.map(digest),
            blocs_blake3: inputs.blocs.map(|b| digest(b.as_bytes())),
        },
        judged_at,
        policy,
        outcome,
        exit_code,
        labels: labels(keys.map(|k| &k.provenance)),
        fleet: facts::facts(fleet),
        claims,
    }
}

/// The first few reasons in full, then how many more of the kind.
fn few(mut reasons: Vec<Reason>, max: usize, what: &str) -> Vec<Reason> {
    if reasons.len() > max {
        let more = reasons.len() - max;
        let code = reasons[max].code;
        reasons.truncate(max);
        reasons.push(Reason::new(code, format!("and {more} more {what}")));
    }
    reasons
}
