//! `test-vectors/shards/v1`: computed from the specification by reference/python/check_shards.py, without this project's code or its libraries; both codes and
//! the order come out the same here.

use std::path::PathBuf;

use bailiwick_erasure::{BLOCK_BYTES, Geometry, Order, StripeEncoder, bodies_digest, parity};
use serde::Deserialize;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Vector {
    #[serde(rename = "scenario")]
    _scenario: String,
    #[serde(rename = "provenance")]
    _provenance: String,
    case: Case,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "lowercase")]
enum Case {
    Code(Code),
    Inside(Inside),
    Order(Ordered),
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Code {
    k: u16,
    r: u16,
    block: usize,
    recovery: String,
    digest: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Inside {
    data_blocks: u64,
    parity_blocks: u64,
    parity: Vec<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Ordered {
    data_blocks: u64,
    key: String,
    groups: u64,
    parity_per_group: u64,
    data: Vec<Vec<u64>>,
    parity: Vec<Vec<u64>>,
}

fn pattern(length: usize) -> Vec<u8> {
    (0..length).map(|x| (x * x % 253) as u8).collect()
}

fn sha256(bytes: &[u8]) -> String {
    use sha2::Digest as _;
    hex::encode(sha2::Sha256::digest(bytes))
}

fn code(v: &Code) {
    let g = Geometry::new(v.k, v.k + v.r, (usize::from(v.k) * v.block) as u64).unwrap();
    assert_eq!(g.block_bytes(), v.block);
    let data = pattern(usize::from(v.k) * v.block);
    let mut made = vec![0; usize::from(v.r) * v.block];
    StripeEncoder::new(&g).unwrap().encode(&data, &mut made).unwrap();
    assert_eq!(sha256(&made), v.recovery);
    let all = data.chunks(v.block).chain(made.chunks(v.block));
    let all: Vec<[u8; 32]> = all.map(|b| *blake3::hash(b).as_bytes()).collect();
    assert_eq!(hex::encode(bodies_digest(&all)), v.digest);
}

fn inside(v: &Inside) {
    let g = Geometry::new(1, 2, v.data_blocks * BLOCK_BYTES as u64).unwrap();
    assert_eq!((g.stripes(), g.groups(), g.parity_blocks()), (v.data_blocks, 1, v.parity_blocks));
    let data = pattern(v.data_blocks as usize * BLOCK_BYTES);
    let mut made = Vec::new();
    parity(
        &Order::new(&g, &[0; 32]),
        |at, out| {
            out.copy_from_slice(&data[at as usize * BLOCK_BYTES..][..BLOCK_BYTES]);
            Ok(())
        },
        |at, block| {
            made.push((at - v.data_blocks, sha256(block)));
            Ok(())
        },
    )
    .unwrap();
    made.sort();
    assert_eq!(made, (0..).zip(v.parity.iter().cloned()).collect::<Vec<_>>());
}

fn order(v: &Ordered) {
    let g = Geometry::new(1, 2, v.data_blocks * BLOCK_BYTES as u64).unwrap();
    assert_eq!((g.groups(), g.parity_per_group()), (v.groups, v.parity_per_group));
    let key: [u8; 32] = hex::decode(&v.key).unwrap().try_into().unwrap();
    let order = Order::new(&g, &key);
    assert_eq!((v.data.len() as u64, v.parity.len() as u64), (v.groups, v.groups));
    for (group, (data, parity)) in (0..v.groups).zip(v.data.iter().zip(&v.parity)) {
        assert_eq!(order.data(group)[..4], data[..]);
        assert_eq!(order.parity(group)[..4], parity[..]);
    }
}

#[test]
fn vectors_made_from_the_specification_alone_come_out_the_same() {
    let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../test-vectors/shards/v1");
    let mut kinds = [0; 3];
    for item in std::fs::read_dir(&folder).unwrap() {
        let path = item.unwrap().path();
        let vector: Vector = serde_json::from_slice(&std::fs::read(&path).unwrap()).unwrap();
        println!("{}", path.display());
        match &vector.case {
            Case::Code(v) => code(v),
            Case::Inside(v) => inside(v),
            Case::Order(v) => order(v),
        }
        let kind = match vector.case {
            Case::Code(_) => 0,
            Case::Inside(_) => 1,
            Case::Order(_) => 2,
        };
        kinds[kind] += 1;
    }
    assert!(kinds.iter().all(|n| *n > 1), "{kinds:?} vectors in {}", folder.display());
}
