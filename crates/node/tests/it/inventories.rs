//! Inventories: one for each epoch for ever, proven by one proof, provable after deletion, complete for every owner.

use bailiwick_client::{Client, ClientError};
use bailiwick_node::NodeError;
use bailiwick_possession::challenge::sampled;
use bailiwick_possession::inventory::{check_opening, check_owner_range};
use bailiwick_protocol::challenge::{CannotProve, Challenge, Target};
use bailiwick_protocol::codec::Canonical as _;
use bailiwick_protocol::ids::{AuditorKey, ClassId, OwnerKey, VkDigest};
use bailiwick_protocol::inventory::{Inventory, Openings, SignedInventory};
use bailiwick_store::StoreError;

use super::faulty::Call;
use super::proofs::{challenge, finish, signed};
use super::reads::flip;
use super::support::{
    AUDITOR, Node, OTHER_AUDITOR, OTHER_OWNER, OWNER, Object, READER, STRANGER, TINY_KEY, key, unix_seconds,
};

/// Linux: input/output error.
const EIO: i32 = 5;
/// Linux: too many open files.
const EMFILE: i32 = 24;

fn made(node: &Node, auditor: &Client, epoch: u64) -> (SignedInventory, Inventory) {
    let signed = auditor.make_inventory(epoch).unwrap();
    let inventory = signed.verify(node.host.as_bytes()).unwrap();
    assert_eq!((inventory.host, inventory.epoch), (node.host, epoch));
    (signed, inventory)
}

fn over(node: &Node, vk: VkDigest, inventory: &Inventory, nonce: u8) -> Challenge {
    let base = challenge(node, vk, &[], nonce);
    Challenge { inventory: Some(inventory.target()), epoch: inventory.epoch, ..base }
}

/// Asks, and judges the answer as a verifier does: from the signed inventory, the opened leaves and the owners' envelopes.
fn prove_and_verify(auditor: &Client, asked: &Challenge) -> Openings {
    let proof = finish(auditor, asked).1.outcome.unwrap();
    let openings = auditor.openings(&asked.digest()).unwrap();
    let s = sampled(asked, &openings.leaves).unwrap();
    bailiwick_possession_circuit::verify(TINY_KEY.prepared(), asked, &s, &proof).unwrap();
    for (leaf, envelope) in openings.leaves.iter().zip(&openings.envelopes) {
        let envelope = envelope.verify(leaf.leaf.name.owner.as_bytes()).unwrap();
        assert_eq!(Target::of(&envelope).as_ref(), Some(&leaf.leaf));
        check_opening(&asked.inventory.unwrap(), leaf).unwrap();
    }
    openings
}

fn refused<T: std::fmt::Debug>(result: Result<T, ClientError>) -> (u16, String) {
    match result {
        Err(ClientError::Refused { status, code, .. }) => (status, code),
        other => panic!("{other:?}"),
    }
}

fn node_with(objects: &[&Object]) -> (Node, VkDigest, Client) {
    let node = Node::new(|c| c.auditors.push(AuditorKey(key(OTHER_AUDITOR).public())));
    let vk = node.with_tiny_key();
    let mut node = node;
    node.start();
    for object in objects {
        object.put(&node.client(OWNER)).unwrap();
    }
    let auditor = node.client(AUDITOR);
    (node, vk, auditor)
}

/// One inventory over objects of two owners; one proof for all of it; each owner finds all its objects and no others.
#[test]
fn one_proof_for_all_that_is_held() {
    let (a, b) = (Object::new(1, 72), Object::new(2, 100_000));
    let c = Object::of(OTHER_OWNER, 3, 5000, 4);
    let (node, vk, auditor) = node_with(&[&a, &b]);
    c.put(&node.client(OTHER_OWNER)).unwrap();
    let (signed_inventory, inventory) = made(&node, &auditor, 7);
    let cells = |o: &Object| Target::of(&o.envelope).unwrap().cells;
    assert_eq!((inventory.leaves, inventory.cells), (3, cells(&a) + cells(&b) + cells(&c)));
    for nonce in 0..4 {
        prove_and_verify(&auditor, &over(&node, vk, &inventory, nonce));
    }
    for (who, owner, expected) in
        [(OWNER, OWNER, vec![&a, &b]), (OTHER_OWNER, OTHER_OWNER, vec![&c]), (READER, OWNER, vec![&a, &b])]
    {
        let owner = OwnerKey(key(owner).public());
        let range = node.client(who).owner_range(7, &owner).unwrap();
        assert_eq!(range.inventory, signed_inventory);
        let mut expected: Vec<Target> = expected.iter().map(|o| Target::of(&o.envelope).unwrap()).collect();
        expected.sort_by_key(|t| t.name);
        assert_eq!(check_owner_range(&inventory, &range, &owner), Ok(expected));
    }
    // One that holds nothing here: shown, not just said.
    let nobody = OwnerKey([0x55; 32]);
    let range = auditor.owner_range(7, &nobody).unwrap();
    assert_eq!(check_owner_range(&inventory, &range, &nobody), Ok(vec![]));
    let text = String::from_utf8(node.by_hand("GET", "/metrics").send().body).unwrap();
    for line in [
        "bailiwick_inventory_epoch 7",
        "bailiwick_inventories_live 1",
        "bailiwick_inventory_build_seconds_count 1",
    ] {
        assert!(text.contains(line), "{text}");
    }
}

/// The same epoch is the same bytes, whatever is put and deleted in between, also after a crash.
#[test]
fn an_epoch_has_one_inventory_for_ever() {
    let object = Object::new(1, 5000);
    let (mut node, _, auditor) = node_with(&[&object]);
    let (first, _) = made(&node, &auditor, 7);
    Object::new(2, 5000).put(&node.client(OWNER)).unwrap();
    assert_eq!(made(&node, &auditor, 7).0, first);
    assert_eq!(auditor.inventory(7).unwrap(), first);
    assert_eq!(refused(auditor.inventory(6)), (404, "not-found".into()));
    assert_eq!(refused(auditor.make_inventory(0)).0, 400);
    node.crash();
    node.start();
    let auditor = node.client(AUDITOR);
    assert_eq!(made(&node, &auditor, 7).0, first, "after a crash");
    let (_, next) = made(&node, &auditor, 8);
    assert_eq!(next.leaves, 2);
    node.client(OWNER).delete(&object.envelope.name()).unwrap();
    assert_eq!(made(&node, &auditor, 9).1.leaves, 1, "changes since the last one are in the next");
}

/// What an inventory lists stays provable when its owner rewraps or deletes it: gone for everybody else at once, and after
/// a restart; when its time is over the bytes go, and what was signed stays.
#[test]
fn what_is_listed_stays_provable_until_its_time_is_over() {
    let (gone, rewrapped) = (Object::new(1, 80_000), Object::new(2, 60_000));
    let (mut node, vk, auditor) = node_with(&[&gone, &rewrapped]);
    let (head, inventory) = made(&node, &auditor, 7);
    let owner = node.client(OWNER);
    owner.delete(&gone.envelope.name()).unwrap();
    Object::of(OWNER, 2, 60_000, rewrapped.envelope.generation + 1).put(&owner).unwrap();
    assert_eq!(owner.list_all().unwrap().len(), 1);
    assert_eq!(refused(owner.envelope(&gone.envelope.name())).0, 404);
    let asked: Vec<Challenge> = (0..8).map(|nonce| over(&node, vk, &inventory, nonce)).collect();
    let mut hit = std::collections::BTreeSet::new();
    for c in &asked {
        hit.extend(prove_and_verify(&auditor, c).leaves.iter().map(|l| l.index));
    }
    assert_eq!(hit.len(), 2, "both were sampled");
    // A named challenge is about what is held now.
    let named = challenge(&node, vk, &[&gone], 1);
    assert_eq!(finish(&auditor, &named).1.outcome, Err(CannotProve::ObjectUnknown));
    node.stop();
    node.start();
    let auditor = node.client(AUDITOR);
    prove_and_verify(&auditor, &asked[0]);
    node.stop();
    // 0 hours is refused by the configuration; here it stands for the passing of time.
    node.config.inventory.retain_hours = 0;
    node.start();
    let auditor = node.client(AUDITOR);
    assert_eq!(refused(auditor.challenge(&signed(&asked[1]))), (410, "inventory-gone".into()));
    assert_eq!(
        refused(auditor.owner_range(7, &OwnerKey(key(OWNER).public()))),
        (410, "inventory-gone".into())
    );
    assert_eq!(auditor.inventory(7).unwrap(), head);
    assert_eq!(auditor.make_inventory(7).unwrap(), head, "made again it is the same, and not live");
    let kept = std::fs::read_dir(node.config.objects_dir().join("retained")).unwrap().count();
    assert_eq!(kept, 0);
}

/// P01: a sampled cell that is damaged is a signed refusal, and asking again changes nothing.
#[test]
fn p01_a_damaged_object_fails_the_inventory() {
    let object = Object::new(1, 80_000);
    let (node, vk, auditor) = node_with(&[&object]);
    let (_, inventory) = made(&node, &auditor, 7);
    flip(&node, 80_000, 40_000);
    let asked = over(&node, vk, &inventory, 1);
    for _ in 0..2 {
        assert_eq!(finish(&auditor, &asked).1.outcome, Err(CannotProve::CellsUnavailable));
    }
}

/// Challenges that are not over this host's inventory of their epoch, or in a class that cannot sample it, are refused unasked.
#[test]
fn challenges_over_other_inventories_are_refused() {
    let object = Object::new(1, 5000);
    let (node, vk, auditor) = node_with(&[&object]);
    let (_, inventory) = made(&node, &auditor, 7);
    let good = over(&node, vk, &inventory, 1);
    let mut other = good.clone();
    other.inventory.as_mut().unwrap().cells += 1;
    assert_eq!(refused(auditor.challenge(&signed(&other))), (422, "inventory".into()));
    let of_another_epoch = Challenge { epoch: 8, ..good.clone() };
    assert_eq!(refused(auditor.challenge(&signed(&of_another_epoch))), (404, "not-found".into()));
    prove_and_verify(&auditor, &good);
    let named = challenge(&node, vk, &[&object], 1);
    finish(&auditor, &named).1.outcome.unwrap();
    assert_eq!(refused(auditor.openings(&named.digest())), (404, "not-found".into()));
    // 257 cells: class tiny holds 256. Stored by a host that allows what it cannot prove.
    let mut node = node;
    node.stop();
    node.config.body_bytes_max = Some(1_000_000);
    node.start();
    let auditor = node.client(AUDITOR);
    Object::new(2, LARGER_THAN_TINY).put(&node.client(OWNER)).unwrap();
    let (_, larger) = made(&node, &auditor, 8);
    assert_eq!(good.class, ClassId::TINY);
    assert_eq!(refused(auditor.challenge(&signed(&over(&node, vk, &larger, 1)))), (422, "class".into()));
}

/// A body of 257 cells.
const LARGER_THAN_TINY: usize = 257 * 496;

/// A15: no owner stores what would fail every audit of this host: an object that a circuit key at hand cannot prove. Without such a key it
/// is stored; so is the largest that can be proven.
#[test]
fn a15_no_object_is_taken_that_a_key_cannot_prove() {
    let (larger, largest) = (Object::new(1, LARGER_THAN_TINY), Object::new(2, 256 * 496));
    let node = Node::started();
    Object::new(3, LARGER_THAN_TINY).put(&node.client(OWNER)).unwrap();
    let vk = node.with_tiny_key();
    assert_eq!(refused(larger.put(&node.client(OWNER))), (413, "too-large".into()));
    largest.put(&node.client(OWNER)).unwrap();
    // A card that cannot be read for a while is still that of its class, and stops nobody.
    let card = node.config.circuit_keys_dir.join(format!("{vk}.toml"));
    std::fs::remove_file(&card).unwrap();
    std::fs::create_dir(&card).unwrap();
    assert_eq!(refused(larger.put(&node.client(OWNER))), (413, "too-large".into()));
    Object::new(4, 256 * 496).put(&node.client(OWNER)).unwrap();
}

/// A15: one card that cannot be read, or is none, stops neither uploads nor the other keys; the figures say so until it is mended.
#[test]
fn a15_one_bad_card_does_not_stop_the_other_keys() {
    let node = Node::new(|_| {});
    let vk = node.with_tiny_key();
    let dir = node.config.circuit_keys_dir.clone();
    let unreadable = dir.join(format!("{}.toml", VkDigest([8; 32])));
    std::fs::create_dir(&unreadable).unwrap();
    std::fs::write(dir.join(format!("{}.toml", VkDigest([9; 32]))), "no card").unwrap();
    let mut node = node;
    node.start();
    let unusable = |node: &Node| {
        let text = node.by_hand("GET", "/metrics").send().text();
        let line = text.lines().find_map(|l| l.strip_prefix("bailiwick_circuit_cards_unusable ")).unwrap();
        line.parse::<usize>().unwrap()
    };
    assert_eq!(unusable(&node), 2);
    let listed = node.client(AUDITOR).host_info().unwrap().circuits;
    assert_eq!(listed.iter().map(|c| c.vk).collect::<Vec<_>>(), [vk], "the good one");
    assert_eq!(refused(Object::new(1, LARGER_THAN_TINY).put(&node.client(OWNER))), (413, "too-large".into()));
    let object = Object::new(2, 5000);
    object.put(&node.client(OWNER)).unwrap();
    let named = challenge(&node, vk, &[&object], 1);
    finish(&node.client(AUDITOR), &named).1.outcome.unwrap();
    std::fs::remove_dir(&unreadable).unwrap();
    assert_eq!(unusable(&node), 1, "seen at once");
}

/// A06: only auditors make inventories and see them whole; an owner sees its own part.
#[test]
fn a06_who_may_ask_for_inventories() {
    let (node, _, auditor) = node_with(&[]);
    assert_eq!(refused(auditor.make_inventory(7)), (409, "nothing-held".into()));
    Object::new(1, 5000).put(&node.client(OWNER)).unwrap();
    made(&node, &auditor, 7);
    let me = OwnerKey(key(OWNER).public());
    for who in [OWNER, READER] {
        assert_eq!(refused(node.client(who).make_inventory(8)).0, 403);
        assert_eq!(refused(node.client(who).inventory(7)).0, 403);
        node.client(who).owner_range(7, &me).unwrap();
    }
    assert_eq!(refused(node.client(OTHER_OWNER).owner_range(7, &me)).0, 403);
    assert_eq!(refused(node.client(STRANGER).owner_range(7, &me)).0, 401);
    assert_eq!(refused(auditor.owner_range(9, &me)).0, 404);
}

/// D07: an inventory that could not be made durable was never shown: after a restart the epoch is open, or what is kept is answered.
#[test]
fn d07_no_inventory_is_answered_before_it_is_durable() {
    let (node, files) = Node::faulty();
    let mut node = node;
    node.start();
    Object::new(1, 5000).put(&node.client(OWNER)).unwrap();
    let auditor = node.client(AUDITOR);
    files.fail(|call, path| (call == Call::Sync && path.to_string_lossy().contains("tmp")).then_some(EIO));
    assert_eq!(refused(auditor.make_inventory(7)), (503, "read-only".into()));
    assert_eq!(refused(auditor.inventory(7)).0, 404);
    files.heal();
    node.stop();
    node.start();
    let auditor = node.client(AUDITOR);
    let (first, _) = made(&node, &auditor, 7);
    assert_eq!(auditor.inventory(7).unwrap().to_bytes(), first.to_bytes());
    // The head has its name already when the folder cannot be made durable: a power cut could still take it back.
    let count = std::sync::atomic::AtomicU32::new(0);
    files.fail(move |call, path| {
        let folder = call == Call::Sync && path.ends_with("inventories");
        let second = folder && count.fetch_add(1, std::sync::atomic::Ordering::Relaxed) == 1;
        second.then_some(EIO)
    });
    for _ in 0..2 {
        assert_eq!(refused(auditor.make_inventory(8)), (503, "read-only".into()));
        assert_eq!(refused(auditor.inventory(8)), (503, "read-only".into()));
        files.heal();
    }
    assert!(node.config.objects_dir().join("inventories/0000000000000008.head").exists(), "it has its name");
    assert_eq!(auditor.inventory(7).unwrap(), first, "what is durable is answered");
    node.stop();
    node.start();
    let auditor = node.client(AUDITOR);
    let (second, _) = made(&node, &auditor, 8);
    assert_eq!(auditor.inventory(8).unwrap(), second);
}

/// D07: a shortage or a bad sector at start destroys nothing that an inventory lists: the node does not start. One whose leaves are
/// damaged is given up, and its leaves with it.
#[test]
fn d07_what_cannot_be_read_at_start_is_not_given_up() {
    let (mut node, files) = Node::faulty();
    let vk = node.with_tiny_key();
    node.start();
    let object = Object::new(1, 50_000);
    object.put(&node.client(OWNER)).unwrap();
    let auditor = node.client(AUDITOR);
    let (_, inventory) = made(&node, &auditor, 7);
    node.client(OWNER).delete(&object.name).unwrap();
    node.stop();
    for (failing, number) in [(Call::Open, EMFILE), (Call::Read, EIO)] {
        for file in ["leaves", "head"] {
            files.fail(move |call, path| {
                (call == failing && path.extension().is_some_and(|e| e == file)).then_some(number)
            });
            let refusal = node.refusal_to_start();
            assert!(matches!(refusal, NodeError::Store(StoreError::Io { .. })), "{file}: {refusal}");
        }
    }
    files.heal();
    let key_file = node.config.host_key.clone();
    let other = Node::new(|_| {});
    node.config.host_key = other.config.host_key.clone();
    let refusal = node.refusal_to_start();
    assert!(matches!(refusal, NodeError::ForeignInventory { epoch: 7, .. }), "another host's key: {refusal}");
    node.config.host_key = key_file;
    node.start();
    prove_and_verify(&node.client(AUDITOR), &over(&node, vk, &inventory, 1));
    node.stop();
    let leaves = node.config.objects_dir().join("inventories/0000000000000007.leaves");
    let mut bytes = std::fs::read(&leaves).unwrap();
    *bytes.last_mut().unwrap() ^= 1;
    std::fs::write(&leaves, bytes).unwrap();
    node.start();
    assert!(!leaves.exists());
    let answer = refused(node.client(AUDITOR).challenge(&signed(&over(&node, vk, &inventory, 2))));
    assert_eq!(answer, (410, "inventory-gone".into()));
}

/// A15: whatever epochs one auditor asks for, the largest there is among them, another still gets its own, also after a restart.
#[test]
fn a15_one_auditor_blocks_no_epochs_of_another() {
    let object = Object::new(1, 5000);
    let (mut node, vk, auditor) = node_with(&[&object]);
    made(&node, &auditor, u64::MAX);
    node.stop();
    node.config.inventory.live_max = 2;
    node.start();
    let (auditor, other) = (node.client(AUDITOR), node.client(OTHER_AUDITOR));
    made(&node, &auditor, u64::MAX - 1);
    assert_eq!(refused(auditor.make_inventory(9)), (429, "inventories-live".into()), "counted over restarts");
    made(&node, &auditor, u64::MAX);
    let (first, inventory) = made(&node, &other, 8);
    assert_eq!(made(&node, &auditor, 8).0, first, "made already: whoever asks");
    made(&node, &other, 7);
    assert_eq!(refused(other.make_inventory(6)), (429, "inventories-live".into()));
    prove_and_verify(&auditor, &over(&node, vk, &inventory, 1));
}

/// A15: where epochs follow the time nobody has another's epoch decided long before it comes.
#[test]
fn a15_epochs_that_follow_the_time_are_not_decided_early() {
    let mut node = Node::new(|c| c.inventory.epoch_seconds = 20_000);
    node.start();
    Object::new(1, 5000).put(&node.client(OWNER)).unwrap();
    let auditor = node.client(AUDITOR);
    let now = unix_seconds() / 20_000;
    for epoch in [1, now - 3, now + 3, u64::MAX] {
        assert_eq!(refused(auditor.make_inventory(epoch)), (409, "epoch-time".into()), "{epoch}");
    }
    let (first, _) = made(&node, &auditor, now);
    node.stop();
    node.config.inventory.epoch_seconds = 10;
    node.start();
    assert_eq!(made(&node, &node.client(AUDITOR), now).0, first, "what is decided stays so");
}

/// A15: requests over an inventory that is not in memory build its tree once, however many come while it is built.
#[test]
fn a15_a_tree_is_built_once_for_many_requests() {
    let (mut node, files) = Node::faulty();
    node.start();
    Object::new(1, 5000).put(&node.client(OWNER)).unwrap();
    let auditor = node.client(AUDITOR);
    for epoch in 1..=3 {
        made(&node, &auditor, epoch);
    }
    let me = OwnerKey(key(OWNER).public());
    let owner = node.client(OWNER);
    // Long enough for the others to come, and to build one too if nothing keeps them.
    files.fail(|call, path| {
        if call == Call::Open && path.extension().is_some_and(|e| e == "leaves") {
            std::thread::sleep(std::time::Duration::from_millis(700));
        }
        None
    });
    std::thread::scope(|scope| {
        for _ in 0..8 {
            scope.spawn(|| owner.owner_range(1, &me).unwrap());
        }
    });
    let text = node.by_hand("GET", "/metrics").send().text();
    assert!(text.contains("bailiwick_inventory_reads_total 1\n"), "{text}");
}

/// An owner with more objects than fit one answer gets all of them, page by page.
#[test]
fn an_owners_part_comes_in_pages() {
    let objects: Vec<Object> = (1..=5).map(|id| Object::new(id, 5000)).collect();
    let (node, _, auditor) = node_with(&objects.iter().collect::<Vec<_>>());
    Object::of(OTHER_OWNER, 9, 5000, 1).put(&node.client(OTHER_OWNER)).unwrap();
    let (_, inventory) = made(&node, &auditor, 7);
    let nobody = OwnerKey([0x55; 32]);
    for owner in [OwnerKey(key(OWNER).public()), OwnerKey(key(OTHER_OWNER).public()), nobody] {
        let whole = auditor.owner_range(7, &owner).unwrap();
        let listed = check_owner_range(&inventory, &whole, &owner).unwrap();
        assert_eq!(listed.len(), if owner == nobody { 0 } else { 4 * usize::from(listed.len() > 1) + 1 });
        for limit in 1..=4 {
            assert_eq!(auditor.owner_range_by(7, &owner, limit).unwrap(), whole, "pages of {limit}");
        }
    }
    let me = OwnerKey(key(OWNER).public());
    assert_eq!(refused(auditor.owner_page(7, &me, 6, 1)).0, 400);
    for bad in ["from=x", "limit=0", "limit=100001", "from=1&from=1", "x=1", "from"] {
        let mut request = node.by_hand("GET", format!("/v1/inventories/7/owner/{me}"));
        request.query = Some(bad.to_owned());
        assert_eq!(request.send().status, 400, "{bad}");
    }
}

/// More live inventories of one auditor than configured are not made: none that is live is given up for a new one.
#[test]
fn live_inventories_are_bounded() {
    let node = Node::new(|c| c.inventory.live_max = 2);
    let mut node = node;
    node.start();
    Object::new(1, 5000).put(&node.client(OWNER)).unwrap();
    let auditor = node.client(AUDITOR);
    made(&node, &auditor, 1);
    made(&node, &auditor, 2);
    assert_eq!(refused(auditor.make_inventory(3)), (429, "inventories-live".into()));
    made(&node, &auditor, 1);
    auditor.owner_range(1, &OwnerKey(key(OWNER).public())).unwrap();
}
