//! A host: what it says it holds, what it really holds, and how it answers.

use std::collections::BTreeMap;
use std::sync::Arc;

use bailiwick_possession::challenge::{Sampled, sampled};
use bailiwick_possession::inventory::{InventoryError, InventoryTree};
use bailiwick_protocol::challenge::{Challenge, Target};
use bailiwick_protocol::ids::{HostKey, OwnerKey, UnitName};
use bailiwick_protocol::inventory::{Inventory, LeafOpening, SignedInventory};
use bailiwick_protocol::signing::{Signed, SigningKey};

use crate::object::StoredObject;
use crate::seed::Stream;

/// A question whose true answer a cheat signs as the answer to another.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OtherQuestion {
    /// Of the epoch before (P05).
    EarlierRound,
    /// About other files (P06).
    OtherFiles,
    /// Of another auditor (P07).
    OtherAuditor,
    /// To another host: one disk behind two names (P04).
    OtherHost(HostKey),
}

/// How a host behaves.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Conduct {
    /// As specified; says so when a sampled cell is not what its owner signed.
    Honest,
    /// Keeps the hashes of everything and always sends something as a proof.
    Bluffs,
    /// Holds nothing: fetches the sampled cells from another host while it answers.
    Relays(HostKey),
    /// Answers another question, truthfully.
    Answers(OtherQuestion),
    /// In this epoch opens a second signed inventory, without its first object.
    TwoInventories {
        /// When.
        epoch: u64,
    },
    /// From this epoch on leaves its first object out of the inventory.
    Omits {
        /// Since when.
        from: u64,
    },
    /// Signs the inventory of epoch 1, and none after: it has shown that it holds something.
    NoInventory,
    /// Takes challenges and never answers.
    Silent,
    /// Like an honest host until something it lost is drawn: then takes the challenge and never answers.
    FallsSilent,
    /// The same, but then signs that it does not know the object, although its own inventory lists it.
    Denies,
    /// The same, but then signs points of the curve that prove nothing, and refuses the opened leaves that it would be judged by.
    Withholds,
    /// The same, but then signs that it cannot prove, and opens the right leaves with an envelope that their owner did not sign.
    Missigns,
}

/// One host of a simulation.
#[derive(Debug)]
pub struct Host {
    name: String,
    key: SigningKey,
    objects: Vec<Arc<StoredObject>>,
    /// By name, what is on the disk now.
    disk: BTreeMap<UnitName, Vec<u8>>,
    whole: InventoryTree,
    /// Without its first object.
    less: Option<InventoryTree>,
    /// How it behaves.
    pub conduct: Conduct,
}

impl Host {
    /// An honest host that holds `objects`, at least one.
    ///
    /// # Errors
    /// `Empty`, or `Unsorted` when an object is there twice.
    pub fn new(
        name: &str,
        key: SigningKey,
        mut objects: Vec<Arc<StoredObject>>,
    ) -> Result<Self, InventoryError> {
        objects.sort_by_key(|o| o.target().name);
        let targets: Vec<Target> = objects.iter().map(|o| o.target().clone()).collect();
        let less = InventoryTree::new(targets[targets.len().min(1)..].to_vec()).ok();
        let whole = InventoryTree::new(targets)?;
        let disk = objects.iter().map(|o| (o.target().name, o.body().to_vec())).collect();
        Ok(Self { name: name.to_owned(), key, objects, disk, whole, less, conduct: Conduct::Honest })
    }

    /// The same host, behaving otherwise.
    #[must_use]
    pub fn behaving(mut self, conduct: Conduct) -> Self {
        self.conduct = conduct;
        self
    }

    /// What to call it.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Its key.
    #[must_use]
    pub fn key(&self) -> HostKey {
        HostKey(self.key.public())
    }

    pub(crate) fn signing_key(&self) -> &SigningKey {
        &self.key
    }

    /// Objects it says it holds.
    #[must_use]
    pub fn objects(&self) -> &[Arc<StoredObject>] {
        &self.objects
    }

    /// Cells of all of them.
    #[must_use]
    pub fn cells(&self) -> u64 {
        self.whole.target().cells
    }

    /// Cells of one owner's objects.
    #[must_use]
    pub fn cells_of(&self, owner: &OwnerKey) -> u64 {
        self.objects.iter().map(|o| o.target()).filter(|t| t.name.owner == *owner).map(|t| t.cells).sum()
    }

    /// Destroys the bytes of `count` random cells of all that it holds: they read as zeros from now on.
    pub fn lose(&mut self, count: u64, stream: &mut Stream) {
        for position in stream.distinct(count, self.cells()) {
            let (index, start) = self.whole.at(position).expect("below the total");
            let object = &self.objects[usize::try_from(index).expect("in memory")];
            let range = object.cell_range(position - start);
            if let Some(bytes) = self.disk.get_mut(&object.target().name) {
                bytes[range].fill(0);
            }
        }
    }

    /// Destroys every object of an owner.
    pub fn lose_owner(&mut self, owner: &OwnerKey) {
        for (_, bytes) in self.disk.iter_mut().filter(|(name, _)| name.owner == *owner) {
            bytes.fill(0);
        }
    }

    /// Deletes everything.
    pub fn lose_all(&mut self) {
        self.disk.clear();
    }

    /// Bytes on the disk of an object.
    #[must_use]
    pub fn stored(&self, name: &UnitName) -> Option<&[u8]> {
        self.disk.get(name).map(Vec::as_slice)
    }

    pub(crate) fn object(&self, name: &UnitName) -> Option<&Arc<StoredObject>> {
        let at = self.objects.binary_search_by(|o| o.target().name.cmp(name)).ok()?;
        self.objects.get(at)
    }

    /// The tree behind the inventory it gives for an epoch.
    #[must_use]
    pub fn tree(&self, epoch: u64) -> &InventoryTree {
        match (self.conduct, &self.less) {
            (Conduct::Omits { from }, Some(less)) if epoch >= from => less,
            _ => &self.whole,
        }
    }

    /// The tree without its first object.
    pub(crate) fn other_tree(&self) -> Option<&InventoryTree> {
        self.less.as_ref()
    }

    /// An inventory of `epoch` over `tree`, signed.
    pub(crate) fn sign_inventory(
        &self,
        epoch: u64,
        tree: &InventoryTree,
        made_unix_ms: u64,
    ) -> SignedInventory {
        let target = tree.target();
        let inventory = Inventory {
            host: self.key(),
            epoch,
            root: target.root,
            leaves: target.leaves,
            cells: target.cells,
            made_unix_ms,
        };
        Signed::new(&inventory, &self.key)
    }
}

/// What a challenge over `tree` samples, and the leaves to show for it.
pub(crate) fn draw(tree: &InventoryTree, challenge: &Challenge) -> Option<(Sampled, Vec<LeafOpening>)> {
    let leaves = tree.sample(challenge).ok()?;
    let sampled = sampled(challenge, &leaves).ok()?;
    Some((sampled, leaves))
}
