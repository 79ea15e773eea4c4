//! Evidence judged, not only decoded: whole dossiers, and openings of an inventory that is fixed here.

use std::collections::BTreeMap;
use std::sync::LazyLock;

use bailiwick_possession::inventory::{InventoryTree, check_opening, check_owner_range};
use bailiwick_protocol::bundle::SignedBundle;
use bailiwick_protocol::challenge::Target;
use bailiwick_protocol::codec::Canonical;
use bailiwick_protocol::dossier::{Dossier, SignedOpened};
use bailiwick_protocol::envelope::SignedEnvelope;
use bailiwick_protocol::ids::{HostKey, ObjectId, OwnerKey};
use bailiwick_protocol::inventory::{Inventory, Openings, OwnerRange, SignedInventory};
use bailiwick_verifier::{DossierInputs, verify_dossier};

use super::fleet::dossier_seeds;
use super::judgement::{ANCHORS, POLICY};
use super::messages::{envelopes, key};

/// Parts of a dossier, signed here by whom they speak for: judged twice alike, and no policy is met without a verifying key.
pub(super) fn dossier(data: &[u8]) -> bool {
    let Ok(mut dossier) = Dossier::from_bytes(data) else { return false };
    for audit in &mut dossier.audits {
        if let Ok(bundle) = audit.bundle.decode_unverified() {
            audit.bundle = SignedBundle::new(&bundle, &key(3));
        }
    }
    for inventory in &mut dossier.inventories {
        if let Ok(i) = inventory.decode_unverified() {
            *inventory = SignedInventory::new(&i, &key(2));
        }
    }
    for opened in &mut dossier.opened {
        if let Ok(o) = opened.decode_unverified() {
            *opened = SignedOpened::new(&o, &key(4));
        }
    }
    dossier.sort();
    let bytes = dossier.to_bytes();
    let inputs = DossierInputs {
        dossier: &bytes,
        policy: POLICY,
        anchors: &ANCHORS,
        roster: None,
        blocs: None,
        verifying_keys: &BTreeMap::new(),
        now_unix_ms: 1_795_359_845_000,
    };
    // Signed again, two audits may be one; such a dossier is refused.
    let Ok(report) = verify_dossier(&inputs) else { return false };
    assert_ne!(report.exit_code, 0, "a policy is met without a verifying key");
    let again = verify_dossier(&inputs).map(|r| r.to_json());
    assert_eq!(Ok(report.to_json()), again, "one dossier, two judgements");
    true
}

pub(super) fn dossier_judged_seeds() -> Vec<Vec<u8>> {
    dossier_seeds()
}

/// Leaves of two owners, of different sizes.
static TREE: LazyLock<InventoryTree> = LazyLock::new(|| {
    let Some(model) = envelopes().iter().find_map(Target::of) else { panic!("a seed has a commitment") };
    let leaf = |n: u8| {
        let mut leaf = model.clone();
        leaf.name.owner = owner(u8::from(n > 3));
        leaf.name.object = ObjectId([n; 16]);
        leaf.cells = 1 + u64::from(n) * 7;
        leaf.size = leaf.cells * 496;
        leaf
    };
    let mut leaves: Vec<Target> = (0..11).map(leaf).collect();
    leaves.sort_by_key(|l| l.name);
    InventoryTree::new(leaves).expect("sorted leaves with cells")
});

fn owner(n: u8) -> OwnerKey {
    OwnerKey([n + 1; 32])
}

fn inventory() -> Inventory {
    let t = TREE.target();
    let host = HostKey(key(2).public());
    Inventory { host, epoch: 3, root: t.root, leaves: t.leaves, cells: t.cells, made_unix_ms: 9 }
}

/// What is accepted as opened is a leaf of the tree, at its place.
pub(super) fn opening(data: &[u8]) -> bool {
    let Ok(openings) = Openings::from_bytes(data) else { return false };
    let mut accepted = false;
    for o in &openings.leaves {
        if let Ok(before) = check_opening(&TREE.target(), o) {
            let at = usize::try_from(o.index).expect("below the number of leaves");
            assert_eq!(TREE.leaves().get(at), Some(&o.leaf), "an opening of a leaf that is not there");
            assert_eq!(before, TREE.leaves()[..at].iter().map(|l| l.cells).sum::<u64>());
            accepted = true;
        }
    }
    accepted
}

pub(super) fn opening_seeds() -> Vec<Vec<u8>> {
    let signed = SignedInventory::new(&inventory(), &key(2));
    let envelope = SignedEnvelope::new(&envelopes()[0], &key(1));
    let of = |i: u64| {
        let leaves = TREE.open(i).into_iter().collect();
        Openings { inventory: signed.clone(), leaves, envelopes: vec![envelope.clone()] }.to_bytes()
    };
    (0..TREE.target().leaves).map(of).collect()
}

/// What is accepted as all that an owner has there is just that.
pub(super) fn owned(data: &[u8]) -> bool {
    let Ok(range) = OwnerRange::from_bytes(data) else { return false };
    let mut accepted = false;
    for owner in [owner(0), owner(1), owner(7)] {
        if let Ok(owned) = check_owner_range(&inventory(), &range, &owner) {
            let all: Vec<_> = TREE.leaves().iter().filter(|l| l.name.owner == owner).cloned().collect();
            assert_eq!(owned, all, "a range that hides or adds an object");
            accepted = true;
        }
    }
    accepted
}

pub(super) fn owned_seeds() -> Vec<Vec<u8>> {
    let signed = SignedInventory::new(&inventory(), &key(2));
    [owner(0), owner(1), owner(7)].iter().map(|o| TREE.owner_range(signed.clone(), o).to_bytes()).collect()
}
