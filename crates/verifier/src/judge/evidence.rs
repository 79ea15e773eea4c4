//! What of the bundle is established before anyone looks at the answer: challenge, host, owners, verifying key.

use bailiwick_possession::challenge::{Sampled, sampled};
use bailiwick_protocol::challenge::{Challenge, Target};
use bailiwick_protocol::codec::CodecError;
use bailiwick_protocol::envelope::Envelope;
use bailiwick_protocol::ids::OwnerKey;
use bailiwick_protocol::inventory::Inventory;

use super::Case;
use crate::anchors::Provenance;
use crate::policy::AcceptedProvenance;
use crate::reasons::{Reason, ReasonCode};

/// Objects named one by one in reasons, at most; the rest are counted.
const NAMED_MAX: usize = 8;

/// What is established.
pub(super) struct Evidence {
    /// The challenge, if the bundle's auditor signed it in its own name.
    pub(super) challenge: Option<Challenge>,
    /// What the challenge asks for: its targets, or the leaves of its inventory that were opened.
    pub(super) sampled: Result<Sampled, Reason>,
    /// The host's inventory, when the challenge asks for one and the host signed it.
    pub(super) inventory: Option<Inventory>,
    /// One per target; `Some` if the anchored owner signed it and it describes the target.
    pub(super) envelopes: Vec<Option<Envelope>>,
    /// Why the bundle is not evidence about a host of this reader's world. Empty: it is.
    pub(super) obstacles: Vec<Reason>,
    /// Of an inventory, why the opened leaves are not what their owners signed. The host need not have been right about them to
    /// contradict itself: they do not touch what it signs against itself.
    pub(super) leaf_obstacles: Vec<Reason>,
    /// Why a valid proof would not support. Empty: it would.
    pub(super) key_obstacles: Vec<Reason>,
}

impl Evidence {
    fn none(reason: Reason) -> Self {
        Self {
            challenge: None,
            sampled: Err(reason.clone()),
            inventory: None,
            envelopes: Vec::new(),
            obstacles: vec![reason],
            leaf_obstacles: Vec::new(),
            key_obstacles: Vec::new(),
        }
    }

    /// The objects audited: targets of the challenge, or opened leaves.
    pub(super) fn targets(&self) -> &[Target] {
        match (&self.challenge, &self.sampled) {
            (_, Ok(sampled)) => &sampled.targets,
            (Some(challenge), Err(_)) => &challenge.targets,
            (None, Err(_)) => &[],
        }
    }

    /// Whether an object counts: of a named challenge all do, of an inventory those whose owners the reader knows.
    pub(super) fn counts(&self, at: usize) -> bool {
        self.inventory.is_none() || self.envelopes.get(at).is_some_and(Option::is_some)
    }
}

pub(super) fn establish(case: &Case<'_>) -> Evidence {
    let challenge = match case.signatures.verify(&case.bundle.challenge, case.bundle.auditor.as_bytes()) {
        Ok(c) => c,
        Err(CodecError::BadSignature) => {
            return Evidence::none(Reason::new(
                ReasonCode::ChallengeNotByAuditor,
                "the challenge in the bundle is not signed by the auditor who signed the bundle",
            ));
        }
        Err(e) => {
            return Evidence::none(Reason::new(
                ReasonCode::ChallengeNotByAuditor,
                format!("the challenge in the bundle is not valid: {e}"),
            ));
        }
    };
    if challenge.auditor != case.bundle.auditor {
        return Evidence::none(Reason::new(
            ReasonCode::ChallengeNamesAnotherAuditor,
            "the challenge names another auditor than the one who signed the bundle",
        ));
    }
    let mut obstacles = Vec::new();
    check_host(case, &challenge, &mut obstacles);
    let inventory = check_inventory(case, &challenge, &mut obstacles);
    let leaves = case.bundle.inventory.as_ref().map_or(&[][..], |i| &i.leaves);
    let sampled = sampled(&challenge, leaves).map_err(|e| {
        let text = format!("the opened parts of the inventory are not those that were sampled: {e}");
        Reason::new(ReasonCode::LeavesNotSampled, text)
    });
    let targets = match &sampled {
        Ok(s) => &s.targets,
        Err(_) => &challenge.targets,
    };
    let mut about_envelopes = Vec::new();
    let at_ms = case.audited_ms(&challenge);
    let envelopes = check_envelopes(case, targets, at_ms, inventory.is_some(), &mut about_envelopes);
    let mut leaf_obstacles = Vec::new();
    if inventory.is_none() {
        obstacles.append(&mut about_envelopes);
        check_policy_owners(case, &challenge, &mut obstacles);
    } else {
        leaf_obstacles = about_envelopes;
    }
    let key_obstacles = check_key(case, &challenge);
    Evidence {
        challenge: Some(challenge),
        sampled,
        inventory,
        envelopes,
        obstacles,
        leaf_obstacles,
        key_obstacles,
    }
}

/// The inventory challenged is the one this host signed for this epoch: else nobody could answer the question.
fn check_inventory(case: &Case<'_>, challenge: &Challenge, obstacles: &mut Vec<Reason>) -> Option<Inventory> {
    let target = challenge.inventory.as_ref()?;
    let Some(evidence) = &case.bundle.inventory else {
        obstacles.push(Reason::new(
            ReasonCode::InventoryMissing,
            "the challenge asks for an inventory, and the bundle does not hold one",
        ));
        return None;
    };
    let Ok(inventory) = case.signatures.verify(&evidence.inventory, challenge.host.as_bytes()) else {
        obstacles.push(Reason::new(
            ReasonCode::InventoryNotByHost,
            "the inventory in the bundle is not validly signed by the challenged host",
        ));
        return None;
    };
    if inventory.host != challenge.host || inventory.epoch != challenge.epoch || inventory.target() != *target
    {
        obstacles.push(Reason::new(
            ReasonCode::InventoryDiffers,
            "the challenge asks for another inventory than the one this host signed for the epoch",
        ));
        return None;
    }
    Some(inventory)
}

fn check_host(case: &Case<'_>, challenge: &Challenge, obstacles: &mut Vec<Reason>) {
    if case.anchors.host(&challenge.host).is_none() {
        obstacles.push(Reason::new(
            ReasonCode::HostNotAnchored,
            format!("the challenged host {} is not in the trust anchors", challenge.host),
        ));
    } else if !case.anchors.is_host_at(&challenge.host, case.audited_ms(challenge)) {
        obstacles.push(Reason::new(
            ReasonCode::HostNotAnchored,
            format!(
                "the roster\u{2019}s entry of the challenged host {} was not valid when it was audited",
                challenge.host
            ),
        ));
    }
    let hosts = case.policy.stored.as_ref().and_then(|t| t.hosts.as_ref());
    if hosts.is_some_and(|h| !h.contains(&challenge.host)) {
        obstacles.push(Reason::new(
            ReasonCode::HostOutsidePolicy,
            format!("the policy names other hosts than {}", challenge.host),
        ));
    }
}

/// Collects reasons of one kind over many objects: the first few in full, then how many more.
struct PerObject {
    code: ReasonCode,
    what: &'static str,
    count: usize,
}

impl PerObject {
    const fn new(code: ReasonCode, what: &'static str) -> Self {
        Self { code, what, count: 0 }
    }

    fn add(&mut self, target: &Target, reasons: &mut Vec<Reason>) {
        self.count += 1;
        if self.count <= NAMED_MAX {
            reasons.push(Reason::new(self.code, format!("object {}: {}", target.name, self.what)));
        }
    }

    fn finish(&self, reasons: &mut Vec<Reason>) {
        if self.count > NAMED_MAX {
            let more = self.count - NAMED_MAX;
            reasons.push(Reason::new(self.code, format!("and {more} more objects: {}", self.what)));
        }
    }
}

/// `junk`: leaves of an inventory whose owners the reader does not know are no obstacle, they only dilute the sampling.
fn check_envelopes(
    case: &Case<'_>,
    targets: &[Target],
    at_ms: u64,
    junk: bool,
    obstacles: &mut Vec<Reason>,
) -> Vec<Option<Envelope>> {
    let signed = &case.bundle.envelopes;
    if signed.len() != targets.len() {
        obstacles.push(Reason::new(
            ReasonCode::EnvelopeCount,
            format!("{} envelopes for {} objects", signed.len(), targets.len()),
        ));
        return targets.iter().map(|_| None).collect();
    }
    let mut unanchored = PerObject::new(
        ReasonCode::OwnerNotAnchored,
        "its owner\u{2019}s key is not in the trust anchors (anyone, a gateway too, can put their own key there)",
    );
    let mut unsigned =
        PerObject::new(ReasonCode::EnvelopeNotByOwner, "its envelope is not validly signed by the owner");
    let mut differs =
        PerObject::new(ReasonCode::EnvelopeDiffers, "the owner signed another body than the challenge names");
    let mut out = Vec::with_capacity(signed.len());
    for (target, envelope) in targets.iter().zip(signed) {
        let owner: &OwnerKey = &target.name.owner;
        let mut checked = None;
        if !case.anchors.is_owner_at(owner, at_ms) {
            if !junk {
                unanchored.add(target, obstacles);
            }
        } else {
            match case.signatures.verify_repeated(envelope, owner.as_bytes()) {
                Err(_) => unsigned.add(target, obstacles),
                Ok(e) if Target::of(&e).as_ref() != Some(target) => differs.add(target, obstacles),
                Ok(e) => checked = Some(e),
            }
        }
        out.push(checked);
    }
    for kind in [unanchored, unsigned, differs] {
        kind.finish(obstacles);
    }
    out
}

fn check_policy_owners(case: &Case<'_>, challenge: &Challenge, obstacles: &mut Vec<Reason>) {
    let Some(owners) = case.policy.stored.as_ref().and_then(|t| t.owners.as_ref()) else { return };
    for owner in owners {
        if !challenge.targets.iter().any(|t| t.name.owner == *owner) {
            obstacles.push(Reason::new(
                ReasonCode::OwnerMissing,
                format!("the policy names owner {owner}, of whom the audit has no object"),
            ));
        }
    }
}

/// Provenance comes from the anchors by digest, never from the bundle or the key's bytes.
fn check_key(case: &Case<'_>, challenge: &Challenge) -> Vec<Reason> {
    let Some(key) = case.anchors.verifying_key(&challenge.vk) else {
        return vec![Reason::new(
            ReasonCode::KeyNotAnchored,
            format!("the verifying key {} is not in the trust anchors", challenge.vk),
        )];
    };
    let mut out = Vec::new();
    if key.class != challenge.class {
        out.push(Reason::new(
            ReasonCode::KeyOfAnotherClass,
            format!(
                "the verifying key is anchored for class {}, the challenge is of class {}",
                key.class, challenge.class
            ),
        ));
    }
    let accepted = case.policy.stored.as_ref().map(|t| &t.provenance);
    let accepts = |p| accepted.is_none_or(|set| set.contains(&p));
    match &key.provenance {
        Provenance::Development => out.push(Reason::new(
            ReasonCode::KeyIsDevelopment,
            "the verifying key is a development key: its secret follows from a public seed, so anyone can forge a proof, and a proof under it shows nothing",
        )),
        Provenance::Auditor { auditor } if *auditor != challenge.auditor => out.push(Reason::new(
            ReasonCode::KeyOfAnotherAuditor,
            "the verifying key was set up by another auditor; it counts only in that auditor\u{2019}s own bundles",
        )),
        Provenance::Auditor { .. } if !accepts(AcceptedProvenance::Auditor) => out.push(Reason::new(
            ReasonCode::KeyOutsidePolicy,
            "the policy does not accept keys set up by one auditor alone",
        )),
        Provenance::Ceremony { .. } if !accepts(AcceptedProvenance::Ceremony) => out.push(Reason::new(
            ReasonCode::KeyOutsidePolicy,
            "the policy does not accept keys from a ceremony",
        )),
        Provenance::Auditor { .. } | Provenance::Ceremony { .. } => {}
    }
    out
}
