//! The code inside a shard.

use bailiwick_erasure::{BLOCK_BYTES, Geometry, InnerError, Order, mend, parity};
use proptest::prelude::*;

use super::across::bytes;

const KEY: [u8; 32] = [5; 32];

/// A shard's blocks with their parity.
fn shard(g: &Geometry, seed: u64) -> Vec<u8> {
    let mut blocks = bytes(usize::try_from(g.stripes()).unwrap() * g.block_bytes(), seed);
    let data = blocks.clone();
    blocks.resize(usize::try_from(g.shard_bytes()).unwrap(), 0);
    let b = g.block_bytes();
    let at = |p: u64| usize::try_from(p).unwrap() * b;
    parity(
        &Order::new(g, &KEY),
        |p, out| {
            out.copy_from_slice(&data[at(p)..][..b]);
            Ok(())
        },
        |p, made| {
            blocks[at(p)..][..b].copy_from_slice(made);
            Ok(())
        },
    )
    .unwrap();
    blocks
}

/// Deletes `lost`, mends, and gives what came back.
fn without(g: &Geometry, whole: &[u8], lost: &[u64]) -> Result<Vec<u8>, InnerError> {
    let b = g.block_bytes();
    let at = |p: u64| usize::try_from(p).unwrap() * b;
    let mut damaged = whole.to_vec();
    for p in lost {
        damaged[at(*p)..][..b].fill(0xdd);
    }
    let source = damaged.clone();
    let done = mend(
        &Order::new(g, &KEY),
        |p, out| {
            out.copy_from_slice(&source[at(p)..][..b]);
            Ok(!lost.contains(&p))
        },
        |p, made| {
            assert!(lost.contains(&p), "block {p} was not lost");
            damaged[at(p)..][..b].copy_from_slice(made);
            Ok(())
        },
    )?;
    assert_eq!(done.blocks, lost.len() as u64);
    Ok(damaged)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 24, failure_persistence: None, ..ProptestConfig::default() })]

    /// Any choice of as many blocks as there is parity, data or parity, is repaired; one more is refused with its group.
    #[test]
    fn any_sixteenth_is_repaired_and_one_more_is_named(stripes in 2u64..90, seed in any::<u64>()) {
        let g = Geometry::new(1, 2, stripes * BLOCK_BYTES as u64).unwrap();
        let whole = shard(&g, seed);
        let limit = g.parity_blocks();
        prop_assert!(limit * 15 >= stripes);
        let mut all: Vec<u64> = (0..g.blocks()).collect();
        let mut x = seed;
        for i in (1..all.len()).rev() {
            x = x.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            all.swap(i, (x >> 33) as usize % (i + 1));
        }
        let limit_at = usize::try_from(limit).unwrap();
        prop_assert!(without(&g, &whole, &all[..limit_at]).unwrap() == whole);
        prop_assert!(without(&g, &whole, &[]).unwrap() == whole);
        let beyond = without(&g, &whole, &all[..=limit_at]).unwrap_err();
        let named = matches!(beyond, InnerError::Limit { group: 0, lost, limit: l } if lost == limit + 1 && l == limit);
        prop_assert!(named);
    }
}

/// A contiguous sixteenth, at the start, the middle and the end, and all parity.
#[test]
fn a_contiguous_sixteenth_is_repaired() {
    let g = Geometry::new(1, 2, 300 * BLOCK_BYTES as u64).unwrap();
    let whole = shard(&g, 3);
    assert_eq!(g.parity_blocks(), 20);
    for start in [0, 1, 150, 281, 290, 300] {
        let lost: Vec<u64> = (start..start + 20).collect();
        assert!(without(&g, &whole, &lost).unwrap() == whole, "{start}");
    }
}

/// A shard of one block has no parity: losing it loses the shard, by name.
#[test]
fn a_shard_of_one_block_has_nothing_to_repair_from() {
    let g = Geometry::new(2, 3, 1000).unwrap();
    let whole = shard(&g, 3);
    assert_eq!(without(&g, &whole, &[]).unwrap(), whole);
    assert!(matches!(without(&g, &whole, &[0]), Err(InnerError::Limit { group: 0, lost: 1, limit: 0 })));
}

/// More than one group: every block has one place, whoever does not know the key cannot tell groups apart by position.
#[test]
fn groups_of_a_large_shard_partition_it_in_an_order_of_its_key() {
    let g = Geometry::new(1, 2, 9000 * BLOCK_BYTES as u64).unwrap();
    assert_eq!((g.groups(), g.parity_per_group()), (3, 200));
    let order = Order::new(&g, &KEY);
    let mut all: Vec<u64> = (0..3).flat_map(|i| [order.data(i), order.parity(i)].concat()).collect();
    all.sort_unstable();
    assert!(all.iter().copied().eq(0..g.blocks()));
    let other = [6; 32];
    assert_ne!(Order::new(&g, &other).data(0), order.data(0));
    assert_ne!(Order::new(&g, &other).parity(0), order.parity(0));
    // Neighbours are spread: of 600 neighbouring blocks each group has about 200.
    for group in 0..3 {
        let near = order.data(group).iter().filter(|p| **p < 600).count();
        assert!((140..260).contains(&near), "{near}");
    }
}

/// The order is part of the format.
#[test]
fn the_order_is_pinned() {
    let g = Geometry::new(1, 2, 9000 * BLOCK_BYTES as u64).unwrap();
    let order = Order::new(&g, &KEY);
    assert_eq!(order.data(1)[..4], [6860, 8837, 1494, 2105]);
    assert_eq!(order.parity(2)[..4], [9276, 9453, 9283, 9252]);
}

/// So is the parity.
#[test]
fn the_parity_is_pinned() {
    let g = Geometry::new(1, 2, 40 * BLOCK_BYTES as u64).unwrap();
    let whole = shard(&g, 3);
    assert_eq!(
        hex::encode(blake3::hash(&whole).as_bytes()),
        "5100b27d7a3fb4db1f6f526254d1e8195ef36e79638e92a0521925db1087f430"
    );
}

/// Two groups whose members are lost to the limit each, spread and in parity; one more in one of them.
#[test]
fn each_group_is_repaired_by_itself() {
    let g = Geometry::new(1, 2, 3841 * BLOCK_BYTES as u64).unwrap();
    assert_eq!((g.groups(), g.parity_per_group()), (2, 129));
    let whole = shard(&g, 8);
    let order = Order::new(&g, &KEY);
    let mut lost = [&order.data(0)[..129], &order.data(1)[5..105], &order.parity(1)[..29]].concat();
    assert!(without(&g, &whole, &lost).unwrap() == whole);
    lost.push(order.parity(1)[29]);
    assert!(matches!(without(&g, &whole, &lost), Err(InnerError::Limit { group: 1, lost: 130, limit: 129 })));
}
