//! Golden vectors in `test-vectors/possession/v1`, one scenario a file, read back here.
//!
//! `cargo test --release -p bailiwick-possession -- --ignored rewrite_vectors` writes them again; a change needs a new version
//! of the specification.

use std::path::PathBuf;

use bailiwick_possession::challenge::sampled;
use bailiwick_possession::field::{Fr, element_from_bytes, element_to_bytes};
use bailiwick_possession::inventory::InventoryTree;
use bailiwick_possession::poseidon2::compress;
use bailiwick_possession::statement::{public_input, statement};
use bailiwick_possession::tree::{empty_node, lift};
use bailiwick_protocol::challenge::{Challenge, Target};
use bailiwick_protocol::codec::Canonical;
use bailiwick_protocol::ids::{ClassId, OwnerKey, Unit, UnitName};
use serde::{Deserialize, Serialize};

use bailiwick_possession::opening::{BlockPath, verify_block};

use crate::fixture::{block_of, body, challenge, draw, tree};
use crate::{inventory_vectors, oracle};

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Vector {
    scenario: String,
    provenance: String,
    case: Case,
}

/// A leaf: owner, object, generation, BLAKE3, size, root, cells; the unit is 1-1-0-0.
pub(crate) type Row = (String, String, u64, String, u64, String, u64);

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
enum Case {
    /// `C` of 16 elements.
    Compress { children: Vec<String>, node: String },
    /// The label elements: the statement sponge's first value and the empty nodes of levels 1 to 8.
    Labels { statement: String, empty: Vec<String> },
    /// Root, depth and lifted root of a body: the BLAKE3 XOF of one byte.
    Tree { seed: u8, size: u64, cells: u64, depth: u8, root: String, lifted_depth: u8, lifted_root: String },
    /// Everything derived from a challenge in its canonical bytes; slots are (target, cell).
    Draw { challenge: String, binding: String, slots: Vec<(usize, u64)>, public_input: String },
    /// A challenge over an inventory of these leaves (owner, object, generation, blake3, size, root, cells): its root and the
    /// canonical openings' places, and all that is derived.
    InventoryDraw {
        leaves: Vec<Row>,
        root: String,
        total: u64,
        challenge: String,
        opened: Vec<u64>,
        binding: String,
        slots: Vec<(usize, u64)>,
        public_input: String,
    },
    /// The path of one leaf of an inventory (hash, cells), from the leaf up.
    InventoryOpening { leaves: Vec<Row>, root: String, total: u64, index: u64, path: Vec<(String, u64)> },
    /// All leaves of an owner with their neighbours: the first one's place, how many, and the nodes that complete the tree.
    OwnerRange {
        leaves: Vec<Row>,
        root: String,
        total: u64,
        owner: String,
        first: u64,
        count: u64,
        around: Vec<(String, u64)>,
    },
    /// The encoded path of a block of a body as in `tree`.
    BlockPath { seed: u8, size: u64, block: u64, root: String, path: String },
    /// The sponge.
    Statement { samples: u16, depth: u8, binding: String, slots: Vec<(String, u64)>, statement: String },
}

fn folder() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../test-vectors/possession/v1")
}

fn text(x: &Fr) -> String {
    hex::encode(element_to_bytes(x))
}

fn element(text: &str) -> Fr {
    let bytes: [u8; 32] = hex::decode(text).expect("hex").try_into().expect("32 bytes");
    element_from_bytes(&bytes).expect("canonical")
}

pub(crate) fn leaf_of((owner, object, generation, blake3, size, root, cells): &Row) -> Target {
    let name = UnitName {
        owner: owner.parse().expect("hex"),
        object: object.parse().expect("hex"),
        unit: Unit::WHOLE,
    };
    let (blake3, root) = (blake3.parse().expect("hex"), root.parse().expect("hex"));
    Target { name, generation: *generation, blake3, size: *size, root, cells: *cells }
}

fn run(case: &Case) {
    match case {
        Case::Compress { children, node } => {
            let x: Vec<Fr> = children.iter().map(|c| element(c)).collect();
            assert_eq!(text(&compress(&x.try_into().expect("16 children"))), *node);
        }
        Case::Labels { statement, empty } => {
            assert_eq!(text(&bailiwick_possession::statement::label()), *statement);
            assert_eq!((1..=8).map(|l| text(&empty_node(l))).collect::<Vec<_>>(), *empty);
        }
        Case::Tree { seed, size, cells, depth, root, lifted_depth, lifted_root } => {
            let t = tree(&body(usize::try_from(*size).expect("small"), *seed));
            assert_eq!((t.size(), t.cells(), t.depth()), (*size, *cells, *depth));
            assert_eq!(text(&t.root_element()), *root);
            assert_eq!(text(&lift(t.root_element(), *depth, *lifted_depth)), *lifted_root);
        }
        Case::Draw { challenge, binding, slots, public_input: public } => {
            let c = Challenge::from_bytes(&hex::decode(challenge).expect("hex")).expect("canonical");
            let d = draw(&c);
            assert_eq!(text(&d.binding), *binding);
            assert_eq!(d.slots.iter().map(|s| (s.target, s.cell)).collect::<Vec<_>>(), *slots);
            assert_eq!(text(&public_input(&c, &d).expect("honest")), *public);
        }
        Case::InventoryDraw {
            leaves,
            root,
            total,
            challenge,
            opened,
            binding,
            slots,
            public_input: public,
        } => {
            let tree = InventoryTree::new(leaves.iter().map(leaf_of).collect()).expect("good leaves");
            assert_eq!((tree.target().root.to_string(), tree.target().cells), (root.clone(), *total));
            let c = Challenge::from_bytes(&hex::decode(challenge).expect("hex")).expect("canonical");
            let openings = tree.sample(&c).expect("its inventory");
            assert_eq!(openings.iter().map(|o| o.index).collect::<Vec<_>>(), *opened);
            let s = sampled(&c, &openings).expect("honest");
            assert_eq!(text(&s.binding), *binding);
            assert_eq!(s.slots.iter().map(|s| (s.target, s.cell)).collect::<Vec<_>>(), *slots);
            assert_eq!(text(&public_input(&c, &s).expect("honest")), *public);
        }
        Case::InventoryOpening { leaves, root, total, index, path } => {
            inventory_vectors::run_opening(leaves, (root, *total), *index, path);
        }
        Case::OwnerRange { leaves, root, total, owner, first, count, around } => {
            inventory_vectors::run_range(leaves, (root, *total), owner, (*first, *count), around);
        }
        Case::BlockPath { seed, size, block, root, path } => {
            let bytes = body(usize::try_from(*size).expect("small"), *seed);
            let t = tree(&bytes);
            assert_eq!(t.root().to_string(), *root);
            assert_eq!(hex::encode(t.block_path(*block).expect("in range").to_bytes()), *path);
            let given = BlockPath::from_bytes(&hex::decode(path).expect("hex")).expect("canonical");
            let of_block = block_of(&bytes, block * 256);
            verify_block(&t.root(), t.cells(), t.size(), *block, of_block, &given)
                .expect("leads to the root");
        }
        Case::Statement { samples, depth, binding, slots, statement: expected } => {
            let slots: Vec<_> = slots.iter().map(|(r, i)| (element(r), *i)).collect();
            let class = ClassId { samples: *samples, depth: *depth };
            assert_eq!(text(&statement(class, &element(binding), &slots)), *expected);
        }
    }
}

/// Z33, Z34: the frozen vectors. Fails with no files, unknown fields, or fewer than every kind.
#[test]
fn z34_golden_vectors() {
    let mut kinds = [0; 9];
    for entry in std::fs::read_dir(folder()).expect("the folder of vectors") {
        let path = entry.expect("readable").path();
        let file = std::fs::read_to_string(&path).expect("readable");
        let v: Vector = serde_json::from_str(&file).unwrap_or_else(|e| panic!("{}: {e}", path.display()));
        assert!(!v.scenario.is_empty() && !v.provenance.is_empty());
        let kind = match &v.case {
            Case::Compress { .. } => 0,
            Case::Labels { .. } => 1,
            Case::Tree { .. } => 2,
            Case::Draw { .. } => 3,
            Case::Statement { .. } => 4,
            Case::InventoryDraw { .. } => 5,
            Case::InventoryOpening { .. } => 6,
            Case::OwnerRange { .. } => 7,
            Case::BlockPath { .. } => 8,
        };
        kinds[kind] += 1;
        run(&v.case);
    }
    assert!(kinds.iter().all(|n| *n > 0), "files of each kind: {kinds:?}");
}

/// The runner notices: a field it does not know, and a wrong expectation.
#[test]
fn vectors_with_unknown_fields_or_wrong_values_are_noticed() {
    let good = r#"{"scenario":"s","provenance":"p","case":{"statement":
        {"samples":1,"depth":3,"binding":"","slots":[],"statement":""}}}"#;
    assert!(serde_json::from_str::<Vector>(good).is_ok());
    assert!(serde_json::from_str::<Vector>(&good.replace("\"depth\"", "\"x\":1,\"depth\"")).is_err());
    assert!(serde_json::from_str::<Vector>(&good.replace("\"case\"", "\"x\":1,\"case\"")).is_err());
    let wrong = Case::Compress { children: vec!["00".repeat(32); 16], node: "00".repeat(32) };
    assert!(std::panic::catch_unwind(|| run(&wrong)).is_err());
}

/// Writes the vectors. Values that the oracle can compute come from it, so they do not depend on the crate.
#[test]
#[ignore = "writes files; run it only to define a new version"]
fn rewrite_vectors() {
    let peer = "computed with crate taceo-poseidon2 0.3.1 by a separate recursive implementation (tests/it/oracle.rs)";
    let ours = "merlin 3.0.0 over the specified items; roots and sponge as in the other vectors";
    let write = |name: &str, scenario: &str, provenance: &str, case: Case| {
        let v = Vector { scenario: scenario.into(), provenance: provenance.into(), case };
        let file = serde_json::to_string_pretty(&v).expect("plain data") + "\n";
        std::fs::create_dir_all(folder()).expect("writable");
        std::fs::write(folder().join(name), file).expect("writable");
    };
    for (name, scenario, x) in [
        ("compress-zero.json", "sixteen zeros", [Fr::from(0u64); 16]),
        ("compress-minus-one.json", "sixteen times p - 1", [-Fr::from(1u64); 16]),
        ("compress-counting.json", "0, 1, .., 15", core::array::from_fn(|i| Fr::from(i as u64))),
    ] {
        let case =
            Case::Compress { children: x.iter().map(text).collect(), node: text(&oracle::compress(&x)) };
        write(name, scenario, peer, case);
    }
    let labels = Case::Labels {
        statement: text(&oracle::label_element("bailiwick/v1/possession-statement")),
        empty: (1..=8).map(|l| text(&oracle::empty(l))).collect(),
    };
    write("labels.json", "label elements", peer, labels);
    for (name, scenario, size) in [
        ("tree-one-byte.json", "one byte: one padded cell", 1),
        ("tree-cell-and-a-byte.json", "one cell and a byte", 497),
        ("tree-block.json", "exactly one block", 126_976),
        ("tree-block-and-a-byte.json", "one block and a byte", 126_977),
        ("tree-seventeen-blocks.json", "seventeen blocks less a byte", 17 * 126_976 - 1),
    ] {
        let b = body(size, 42);
        let depth = oracle::natural_depth(&b);
        let case = Case::Tree {
            seed: 42,
            size: size as u64,
            cells: size.div_ceil(496) as u64,
            depth: u8::try_from(depth).expect("small"),
            root: text(&oracle::root(&b)),
            lifted_depth: 6,
            lifted_root: text(&oracle::node(&b, 6, 0)),
        };
        write(name, scenario, peer, case);
    }
    for (name, scenario, class, bodies) in [
        ("draw-tiny.json", "one object, class tiny", ClassId::TINY, vec![body(5000, 1)]),
        (
            "draw-small.json",
            "three objects, class small",
            ClassId::SMALL,
            vec![body(1, 1), body(9000, 2), body(200_000, 3)],
        ),
        (
            "draw-standard.json",
            "two objects, class standard",
            ClassId::STANDARD,
            vec![body(600, 1), body(140_000, 2)],
        ),
    ] {
        let c = challenge(class, &bodies);
        let d = draw(&c);
        let case = Case::Draw {
            challenge: hex::encode(c.to_bytes()),
            binding: text(&d.binding),
            slots: d.slots.iter().map(|s| (s.target, s.cell)).collect(),
            public_input: text(&public_input(&c, &d).expect("honest")),
        };
        write(name, scenario, ours, case);
    }
    write_inventory_draws(&write);
    write_inventory_parts(&write);
    write_block_path(&write);
    let slots: Vec<(Fr, u64)> = (0..2).map(|i| (-Fr::from(i + 1), (1 << 16) - 1 - i)).collect();
    let mut items = [Fr::from(0u64); 16];
    items[..4].copy_from_slice(&[
        oracle::label_element("bailiwick/v1/possession-statement"),
        Fr::from(2u64),
        Fr::from(5u64),
        Fr::from(99u64),
    ]);
    for (i, (root, index)) in slots.iter().enumerate() {
        (items[4 + 2 * i], items[5 + 2 * i]) = (*root, Fr::from(*index));
    }
    let case = Case::Statement {
        samples: 2,
        depth: 5,
        binding: text(&Fr::from(99u64)),
        slots: slots.iter().map(|(r, i)| (text(r), *i)).collect(),
        statement: text(&oracle::compress(&items)),
    };
    write("statement-two-slots.json", "two slots fill one call of C", peer, case);
}

/// What writes one file: its name, scenario, provenance, case.
type Write<'a> = &'a dyn Fn(&str, &str, &str, Case);

/// Nine objects of three owners, without and with a beacon round; the root comes from the oracle, so it does not depend on the crate.
fn write_inventory_draws(write: Write<'_>) {
    let leaves = crate::inventory::leaves(9);
    let tree = InventoryTree::new(leaves.clone()).expect("good");
    let (root, total) = crate::inventory::oracle(&leaves);
    let case = |c: &Challenge| {
        let openings = tree.sample(c).expect("its inventory");
        let s = sampled(c, &openings).expect("honest");
        Case::InventoryDraw {
            leaves: leaves.iter().map(inventory_vectors::row).collect(),
            root: hex::encode(root),
            total,
            challenge: hex::encode(c.to_bytes()),
            opened: openings.iter().map(|o| o.index).collect(),
            binding: text(&s.binding),
            slots: s.slots.iter().map(|s| (s.target, s.cell)).collect(),
            public_input: text(&public_input(c, &s).expect("honest")),
        }
    };
    let provenance = "root computed by a separate recursive implementation (tests/it/inventory.rs); merlin 3.0.0 over the specified items";
    let c = crate::sampled_leaves::challenge(ClassId::SMALL, &tree);
    write("draw-inventory.json", "an inventory of nine objects, class small", provenance, case(&c));
    let c = Challenge { beacon: Some(inventory_vectors::quicknet_round()), ..c };
    let of_beacon = format!("{provenance}; round 1000 of quicknet as in beacon/v1/quicknet.json");
    write("draw-beacon.json", "the same inventory after a round of the beacon", &of_beacon, case(&c));
}

/// Paths of the first, a middle and the last leaf of nine, where the tree is lopsided, and the ranges of the middle
/// owner and of the last. (One without leaves has the range of any other between the same neighbours: tests/it/owner_range.rs has those.)
fn write_inventory_parts(write: Write<'_>) {
    let leaves = crate::inventory::leaves(9);
    let rows = || leaves.iter().map(inventory_vectors::row).collect::<Vec<_>>();
    let (root, total) = crate::inventory::oracle(&leaves);
    let root = hex::encode(root);
    let by = "computed by a separate recursive implementation (tests/it/inventory_vectors.rs)";
    for (name, index) in [("first", 0), ("middle", 4), ("last", 8)] {
        let path = inventory_vectors::path(&leaves, index);
        let case =
            Case::InventoryOpening { leaves: rows(), root: root.clone(), total, index: index as u64, path };
        write(&format!("opening-{name}.json"), &format!("the {name} leaf of nine"), by, case);
    }
    for (name, owner, scenario) in [
        ("middle", 2, "all leaves of the second of three owners, between two neighbours"),
        ("last", 3, "all leaves of the last owner, up to the end"),
    ] {
        let owner = OwnerKey([owner; 32]);
        let (first, count, around) = inventory_vectors::range(&leaves, &owner);
        let (root, owner) = (root.clone(), owner.to_string());
        let case = Case::OwnerRange { leaves: rows(), root, total, owner, first, count, around };
        write(&format!("owner-range-{name}.json"), scenario, by, case);
    }
}

/// The second block of a body of one block and a byte: one level of siblings.
fn write_block_path(write: Write<'_>) {
    let bytes = body(126_977, 42);
    let mut path = 1u64.to_le_bytes().to_vec();
    // Sixteen nodes of level 3 lie under the root; the block's own is the second.
    for place in (0..16).filter(|place| *place != 1) {
        path.extend(element_to_bytes(&oracle::node(&bytes, 3, place)));
    }
    let root = hex::encode(element_to_bytes(&oracle::root(&bytes)));
    let case = Case::BlockPath { seed: 42, size: 126_977, block: 1, root, path: hex::encode(path) };
    let by = "computed with crate taceo-poseidon2 0.3.1 by a separate recursive implementation (tests/it/oracle.rs)";
    write("block-path.json", "the last block of two, which is one byte long", by, case);
}
