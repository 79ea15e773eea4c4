//! The audits of a dossier: each judged by the rules of a single bundle, the pairing checks of all together.

use std::collections::BTreeMap;
use std::sync::Arc;

use bailiwick_protocol::beacon::BeaconRound;
use bailiwick_protocol::bundle::NoAnswer;
use bailiwick_protocol::dossier::LoggedAudit;
use bailiwick_protocol::ids::{
    AuditorKey, BundleDigest, ChallengeDigest, ClassId, HostKey, InventoryDigest, InventoryRoot, Nonce,
    OwnerKey, UnitName, VkDigest,
};
use bailiwick_scheme::{Shown, VerifyingKey};

use super::objects::{Objects, SeenObject};
use super::schedule::{Entered, Link, Linker};
use crate::anchors::Anchors;
use crate::claims::{Claim, Verdict};
use crate::fleet_report::Standing;
use crate::judge::answer::{Answered, Examined, Keys, Pending, examine};
use crate::judge::evidence::{Evidence, establish};
use crate::judge::signatures::Signatures;
use crate::judge::{Case, open_signed, others, stored};
use crate::policy::Policy;
use crate::reasons::{Reason, ReasonCode};
use crate::report::ProbeCount;

/// What judging one audit needs.
pub(super) struct World<'a> {
    pub(super) policy: &'a Policy,
    pub(super) anchors: &'a Anchors,
    pub(super) keys: &'a Keys<'a>,
    pub(super) signatures: &'a Signatures,
    pub(super) published: &'a (dyn Fn(u64) -> Option<u64> + Sync),
    pub(super) now_unix_ms: u64,
}

/// What is kept of a bundle.
pub(super) struct Core {
    pub(super) digest: BundleDigest,
    /// The question; several bundles may hold answers to one.
    pub(super) challenge: Option<ChallengeDigest>,
    pub(super) auditor: AuditorKey,
    pub(super) host: Option<HostKey>,
    pub(super) epoch: u64,
    pub(super) beacon: Option<BeaconRound>,
    pub(super) nonce: Option<Nonce>,
    pub(super) class: Option<ClassId>,
    pub(super) vk: Option<VkDigest>,
    /// Of the host's signed inventory, when the challenge asks for one.
    pub(super) inventory: Option<InventoryDigest>,
    /// Root of that inventory: of equal roots the lists are equal.
    pub(super) listed: Option<InventoryRoot>,
    /// Objects that inventory lists.
    pub(super) leaves: u64,
    /// T, cells of the question.
    pub(super) cells: u64,
    /// Samples on counted objects of each owner, of all samples of an inventory; empty for named objects.
    pub(super) hits: BTreeMap<OwnerKey, u64>,
    /// Objects that count for *stored*, with their cells.
    pub(super) counted: Vec<(UnitName, u64)>,
    pub(super) asked_ms: u64,
    pub(super) probes: ProbeCount,
}

/// What the rules of a single bundle say, but for age and detection.
#[derive(Clone)]
struct Decision {
    verdict: Verdict,
    reasons: Vec<Reason>,
    /// Whether only the auditor says that nothing came back.
    on_word: bool,
}

enum Judged {
    Done(Decision),
    Pending { proof: Box<Pending>, valid: Decision, invalid: Decision },
}

/// An audit whose proof is not verified yet.
pub(super) struct Prepared {
    pub(super) core: Core,
    outcome: Option<Entered>,
    seen: Vec<SeenObject>,
    judged: Judged,
}

/// A judged audit.
pub(super) struct Audited {
    pub(super) core: Core,
    pub(super) link: Link,
    pub(super) standing: Standing,
    /// Decisive first; empty when it held.
    pub(super) reasons: Vec<Reason>,
    /// When its round was published; outside a schedule when the auditor says it asked.
    pub(super) at_ms: u64,
}

/// Judges each audit as far as it goes alone. Bundles are dropped one by one.
pub(super) fn prepare(
    audits: Vec<LoggedAudit>,
    world: &World<'_>,
    ignored: &mut Vec<Reason>,
) -> Vec<Prepared> {
    #[cfg(feature = "parallel")]
    let all: Vec<_> = {
        use rayon::prelude::*;
        audits.into_par_iter().map(|a| prepare_one(a, world)).collect()
    };
    #[cfg(not(feature = "parallel"))]
    let all: Vec<_> = audits.into_iter().map(|a| prepare_one(a, world)).collect();
    let (good, bad): (Vec<_>, Vec<_>) = all.into_iter().partition(Result::is_ok);
    ignored.extend(bad.into_iter().filter_map(Result::err));
    good.into_iter().flatten().collect()
}

fn prepare_one(audit: LoggedAudit, world: &World<'_>) -> Result<Prepared, Reason> {
    let LoggedAudit { bundle: signed, outcome } = audit;
    let digest = signed.digest();
    let refused = |why: &dyn core::fmt::Display| {
        Reason::new(ReasonCode::BundleNotByAuditor, format!("bundle {digest} is no evidence: {why}"))
    };
    let bundle = open_signed(&signed, world.anchors, world.signatures).map_err(|e| refused(&e))?;
    drop(signed);
    let auditor = world
        .anchors
        .auditor(&bundle.auditor)
        .ok_or_else(|| refused(&"its auditor is not in the trust anchors"))?;
    let case = Case {
        bundle: &bundle,
        auditor,
        anchors: world.anchors,
        policy: world.policy,
        keys: world.keys,
        signatures: world.signatures,
        published: world.published,
        now_unix_ms: world.now_unix_ms,
        alone: false,
    };
    let evidence = establish(&case);
    let decide = |answer: &Answered| {
        let (verdict, reasons) = stored::decide(&case, &evidence, answer, &[]);
        Decision { verdict, reasons, on_word: answer.is_on_word() }
    };
    let judged = match examine(&case, &evidence) {
        Examined::Done(answer) => Judged::Done(decide(&answer)),
        Examined::Proof(proof) => {
            Judged::Pending { proof, valid: decide(&Answered::Valid), invalid: decide(&Answered::Invalid) }
        }
    };
    let core = core(&case, &evidence, digest);
    let seen = super::objects::seen(&evidence);
    let outcome = outcome.map(|logged| Entered::read(logged, &core.auditor, world.signatures));
    Ok(Prepared { core, outcome, seen, judged })
}

fn core(case: &Case<'_>, evidence: &Evidence, digest: BundleDigest) -> Core {
    let challenge = evidence.challenge.as_ref();
    let terms = case.policy.stored.as_ref();
    let counts =
        |owner: &OwnerKey| terms.and_then(|t| t.owners.as_ref()).is_none_or(|set| set.contains(owner));
    let mut counted = Vec::new();
    let mut hits = BTreeMap::new();
    for (i, t) in evidence.targets().iter().enumerate() {
        let named = case.policy.counts(Claim::Stored, &t.name.owner, &t.name.object);
        if !(evidence.counts(i) && named && counts(&t.name.owner)) {
            continue;
        }
        counted.push((t.name, t.cells));
        if let (Some(_), Ok(sampled)) = (&evidence.inventory, &evidence.sampled) {
            let n = sampled.slots.iter().filter(|s| s.target == i).count() as u64;
            *hits.entry(t.name.owner).or_default() += n;
        }
    }
    Core {
        digest,
        challenge: challenge.map(bailiwick_protocol::challenge::Challenge::digest),
        auditor: case.bundle.auditor,
        host: challenge.map(|c| c.host),
        epoch: challenge.map_or(0, |c| c.epoch),
        beacon: challenge.and_then(|c| c.beacon),
        nonce: challenge.map(|c| c.nonce),
        class: challenge.map(|c| c.class),
        vk: challenge.map(|c| c.vk),
        inventory: evidence.inventory.as_ref().map(bailiwick_protocol::inventory::Inventory::digest),
        listed: evidence.inventory.as_ref().map(|i| i.root),
        leaves: evidence.inventory.as_ref().map_or(0, |i| i.leaves),
        cells: challenge.map_or(0, bailiwick_protocol::challenge::Challenge::cells_total),
        hits,
        counted,
        asked_ms: case.bundle.asked_unix_ms,
        probes: others::count_probes(case, evidence),
    }
}

/// Verifies the proofs, those under one key together, and places each audit in its schedule.
pub(super) fn finish(
    mut prepared: Vec<Prepared>,
    linker: &mut Linker<'_>,
    objects: &mut Objects,
) -> Vec<Audited> {
    let valid = verify_all(&prepared);
    let mut settled: Vec<Settled> = prepared
        .drain(..)
        .zip(valid)
        .map(|(p, valid)| {
            let decision = match p.judged {
                Judged::Done(d) => d,
                Judged::Pending { valid: v, invalid, .. } => {
                    if valid {
                        v
                    } else {
                        invalid
                    }
                }
            };
            let link = linker.link(&p.core, p.outcome.as_ref());
            let on_word = decision.on_word;
            let (standing, reasons) = standing(decision, &link);
            let at_ms = link.published_ms.unwrap_or(p.core.asked_ms);
            Settled { audit: Audited { core: p.core, link, standing, reasons, at_ms }, on_word, seen: p.seen }
        })
        .collect();
    count_each_question_once(&mut settled);
    let add = |s: Settled| {
        objects.add(s.audit.core.host, s.audit.standing, s.seen);
        s.audit
    };
    settled.into_iter().map(add).collect()
}

struct Settled {
    audit: Audited,
    on_word: bool,
    seen: Vec<SeenObject>,
}

/// A proof can be copied in other bytes by whoever holds it (Groth16 is re-randomisable), so a second bundle of one question
/// shows nothing new. What counts is what the host signed against itself, then an answer that held, then a late one, then the
/// auditor's word that none came: with a signed answer in hand that word is contradicted.
fn count_each_question_once(settled: &mut [Settled]) {
    let rank = |s: &Settled| match s.audit.standing {
        Standing::Failed if !s.on_word => 0,
        Standing::Held => 1,
        Standing::Late => 2,
        Standing::Failed => 3,
        _ => 4,
    };
    let mut best: BTreeMap<ChallengeDigest, usize> = BTreeMap::new();
    for (i, s) in settled.iter().enumerate() {
        let Some(question) = s.audit.core.challenge else { continue };
        let first = *best.entry(question).or_insert(i);
        if rank(s) < rank(&settled[first]) {
            best.insert(question, i);
        }
    }
    for (i, s) in settled.iter_mut().enumerate() {
        if s.audit.core.challenge.is_some_and(|question| best.get(&question) != Some(&i)) {
            s.audit.standing = Standing::Undecided;
            let why =
                "another bundle of this dossier answers the very same challenge; a question counts once";
            s.audit.reasons.insert(0, Reason::new(ReasonCode::QuestionRepeated, why));
        }
    }
}

fn verify_all(prepared: &[Prepared]) -> Vec<bool> {
    let mut by_key: BTreeMap<VkDigest, (Arc<dyn VerifyingKey>, Vec<usize>)> = BTreeMap::new();
    for (i, p) in prepared.iter().enumerate() {
        if let Judged::Pending { proof, .. } = &p.judged {
            let entry = by_key.entry(proof.key.digest()).or_insert_with(|| (proof.key.clone(), Vec::new()));
            entry.1.push(i);
        }
    }
    let mut valid = vec![false; prepared.len()];
    for (key, places) in by_key.values() {
        let pending = places.iter().filter_map(|i| match &prepared[*i].judged {
            Judged::Pending { proof, .. } => Some(&proof.shown),
            Judged::Done(_) => None,
        });
        let shown: Vec<&Shown> = pending.collect();
        for (i, answer) in places.iter().zip(key.verify(&shown)) {
            valid[*i] = answer;
        }
    }
    valid
}

/// A host's own word against itself stands whatever the schedule says, if it is from a time when the key was the host's; the auditor's
/// word does not, where the question was not one that the host had to answer.
fn standing(decision: Decision, link: &Link) -> (Standing, Vec<Reason>) {
    let Decision { verdict, mut reasons, on_word } = decision;
    match verdict {
        Verdict::Refuted if on_word && !link.obstacles.is_empty() => {
            reasons.splice(0..0, link.obstacles.iter().cloned());
            (Standing::Undecided, reasons)
        }
        Verdict::Refuted => match &link.undated {
            Some(why) => {
                reasons.insert(0, why.clone());
                (Standing::Undecided, reasons)
            }
            None => (Standing::Failed, reasons),
        },
        Verdict::Inconclusive => {
            reasons.extend(link.obstacles.iter().cloned());
            (Standing::Undecided, reasons)
        }
        Verdict::Supported if !link.obstacles.is_empty() => (Standing::Undecided, link.obstacles.clone()),
        Verdict::Supported => match link.late.as_ref().or(link.slow.as_ref()) {
            Some(late) => (Standing::Late, vec![late.clone()]),
            None => (Standing::Held, Vec::new()),
        },
    }
}

/// The reason for a host that gave no inventory, on the auditor's word.
pub(super) fn no_inventory(why: NoAnswer) -> Reason {
    let what = match why {
        NoAnswer::Refused => "refused or answered with an error",
        NoAnswer::TimedOut => "did not answer in time",
        NoAnswer::Unreachable => "could not be reached",
        _ => "gave none",
    };
    Reason::new(
        ReasonCode::NoInventoryOffered,
        format!(
            "on the auditor\u{2019}s word, logged before the round: asked for its inventory, and asked again, the host {what}"
        ),
    )
}
