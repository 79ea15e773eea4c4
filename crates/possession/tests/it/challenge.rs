//! The transcript and the draw.

use bailiwick_possession::challenge::{Sampled, scale};
use bailiwick_protocol::challenge::{CHALLENGE_VERSION, Challenge, Target};
use bailiwick_protocol::codec::Canonical;
use bailiwick_protocol::ids::{
    AuditorKey, CellRoot, ClassId, ContentId, HostKey, ObjectId, OwnerKey, Unit, VkDigest,
};
use proptest::prelude::*;

use crate::fixture::{body, challenge, draw};

fn sample() -> Challenge {
    challenge(ClassId::SMALL, &[body(40_000, 1), body(300_000, 2)])
}

fn differ(a: &Sampled, b: &Sampled) -> bool {
    a.binding != b.binding && a.slots != b.slots
}

/// Z34: every absorbed field, of the challenge and of each target, changes binding and slots.
#[test]
fn z34_each_field_changes_the_draw() {
    let honest = sample();
    let base = draw(&honest);
    assert_eq!(draw(&honest.clone()), base, "the same challenge is drawn the same");
    let changes: [(&str, fn(&mut Challenge)); 19] = [
        ("class samples", |c| c.class.samples += 1),
        ("class depth", |c| c.class.depth += 1),
        ("vk", |c| c.vk = VkDigest([9; 32])),
        ("host", |c| c.host = HostKey([9; 32])),
        ("owner", |c| c.targets[1].name.owner = OwnerKey([9; 32])),
        ("object", |c| c.targets[1].name.object = ObjectId([9; 16])),
        ("unit k", |c| c.targets[1].name.unit.k = 2),
        ("unit n", |c| c.targets[1].name.unit.n = 2),
        ("unit shard", |c| c.targets[1].name.unit.shard = 2),
        ("unit replica", |c| c.targets[1].name.unit.replica = 2),
        ("generation", |c| c.targets[1].generation += 1),
        ("blake3", |c| c.targets[1].blake3 = ContentId([9; 32])),
        ("size", |c| c.targets[1].size += 1),
        ("root", |c| c.targets[1].root = CellRoot([9; 32])),
        ("cells", |c| c.targets[1].cells += 1),
        ("one target less", |c| c.targets.truncate(1)),
        ("epoch", |c| c.epoch += 1),
        ("auditor", |c| c.auditor = AuditorKey([9; 32])),
        ("nonce", |c| c.nonce.0[31] ^= 1),
    ];
    for (what, change) in changes {
        let mut other = honest.clone();
        change(&mut other);
        assert!(differ(&draw(&other), &base), "{what} is not absorbed");
    }
}

/// Z34: order, labels and lengths, against a second transcription of the specification's list. One item moved, renamed or
/// dropped there gives another binding.
#[test]
fn z34_the_items_are_absorbed_in_the_specified_order() {
    type Item = (&'static [u8], Vec<u8>);
    fn items(c: &Challenge) -> Vec<Item> {
        let le = |v: u64| v.to_le_bytes().to_vec();
        let mut out: Vec<Item> = vec![
            (b"version", le(CHALLENGE_VERSION)),
            (b"class-samples", le(u64::from(c.class.samples))),
            (b"class-depth", le(u64::from(c.class.depth))),
            (b"vk", c.vk.0.to_vec()),
            (b"host", c.host.0.to_vec()),
            (b"targets", le(c.targets.len() as u64)),
        ];
        for t in &c.targets {
            out.push((b"owner", t.name.owner.0.to_vec()));
            out.push((b"object", t.name.object.0.to_vec()));
            out.push((b"unit", t.name.unit.to_bytes().to_vec()));
            out.push((b"generation", le(t.generation)));
            out.push((b"blake3", t.blake3.0.to_vec()));
            out.push((b"size", le(t.size)));
            out.push((b"root", t.root.0.to_vec()));
            out.push((b"cells", le(t.cells)));
        }
        out.push((b"epoch", le(c.epoch)));
        out.push((b"beacon", vec![]));
        out.push((b"auditor", c.auditor.0.to_vec()));
        out.push((b"nonce", c.nonce.0.to_vec()));
        out
    }
    fn binding(label: &'static [u8], items: &[Item]) -> [u8; 31] {
        let mut t = merlin::Transcript::new(label);
        for (label, message) in items {
            t.append_message(label, message);
        }
        let mut out = [0; 31];
        t.challenge_bytes(b"binding", &mut out);
        out
    }
    let label = b"bailiwick/v1/challenge-transcript";
    let c = sample();
    let honest = items(&c);
    let ours = bailiwick_possession::field::element_to_bytes(&draw(&c).binding);
    assert_eq!(binding(label, &honest)[..], ours[..31]);
    assert_eq!(ours[31], 0);
    assert_ne!(binding(b"bailiwick/v2/challenge-transcript", &honest)[..], ours[..31]);
    for i in 0..honest.len() {
        let (mut swapped, mut dropped, mut renamed, mut longer) =
            (honest.clone(), honest.clone(), honest.clone(), honest.clone());
        swapped.swap(i, (i + 1) % honest.len());
        dropped.remove(i);
        renamed[i].0 = b"other";
        longer[i].1.push(0);
        for other in [swapped, dropped, renamed, longer] {
            assert_ne!(binding(label, &other)[..], ours[..31], "item {i}");
        }
    }
}

/// Z35: the same bytes cut differently between neighbouring fields are another challenge.
#[test]
fn z35_moving_bytes_between_neighbours_changes_the_draw() {
    let honest = sample();
    // auditor ‖ nonce, shifted by one byte as a whole.
    let mut shifted = honest.clone();
    let joined: Vec<u8> = honest.auditor.0.iter().chain(&honest.nonce.0).copied().collect();
    shifted.auditor.0.copy_from_slice(&joined[1..33]);
    shifted.nonce.0[..31].copy_from_slice(&joined[33..]);
    shifted.nonce.0[31] = joined[0];
    assert!(differ(&draw(&shifted), &draw(&honest)));
    let mut exchanged = honest.clone();
    (exchanged.auditor.0, exchanged.nonce.0) = (honest.nonce.0, honest.auditor.0);
    assert!(differ(&draw(&exchanged), &draw(&honest)));
    // object ‖ unit: replica bytes moved into the object id's place.
    let mut moved = honest.clone();
    moved.targets[0].name.object.0[15] = 1;
    let mut other = honest.clone();
    other.targets[0].name.unit.k = 1 << 8 | 1;
    assert!(differ(&draw(&moved), &draw(&other)));
}

/// P11: a host cannot grind. Its key enters the draw, and the auditor pins that key in the challenge it signs; everything else in
/// the draw is the auditor's (class, verifying key, epoch, nonce, which targets) or the owners' (what the targets say). The order
/// of targets is not free, and neither bodies, stored trees nor answers enter.
#[test]
fn p11_nothing_but_the_key_is_the_hosts() {
    let honest = sample();
    let base = draw(&honest);
    let mut keys = std::collections::BTreeSet::new();
    for k in 0..8 {
        let mut other = honest.clone();
        other.host = HostKey([k; 32]);
        keys.insert(draw(&other).slots);
    }
    assert_eq!(keys.len(), 8, "each host is asked for other cells");
    // Another order of the same targets would be another draw, so it is not a challenge at all.
    let mut reordered = honest.clone();
    reordered.targets.reverse();
    assert!(differ(&draw(&reordered), &base));
    assert!(Challenge::from_bytes(&honest.to_bytes()).is_ok());
    assert!(Challenge::from_bytes(&reordered.to_bytes()).is_err());
    // One round trip over the wire is the very same draw.
    assert_eq!(draw(&Challenge::from_bytes(&honest.to_bytes()).expect("canonical")), base);
}

/// P20, Z32: a body of one cell is drawn again and again, always its only cell. Slots may repeat; see the statement's tests for
/// how each is bound.
#[test]
fn p20_z32_a_one_cell_body_fills_every_slot() {
    let c = challenge(ClassId::SMALL, &[vec![1]]);
    let d = draw(&c);
    assert_eq!(d.slots.len(), 16);
    assert!(d.slots.iter().all(|s| (s.target, s.cell) == (0, 0)));
}

/// Nothing to draw from: no slots, and no panic. `public_input` refuses such challenges.
#[test]
fn without_cells_nothing_is_drawn() {
    let mut c = challenge(ClassId::SMALL, &[vec![1], vec![2]]);
    c.targets.iter_mut().for_each(|t| t.cells = 0);
    assert!(draw(&c).slots.is_empty());
    c.targets.iter_mut().for_each(|t| t.cells = u64::MAX);
    assert!(draw(&c).slots.is_empty());
    c.targets.clear();
    assert!(draw(&c).slots.is_empty());
}

/// Chi-square of counts against expected weights.
fn chi_square(counts: &[u64], weights: &[u64]) -> f64 {
    let (n, w) = (counts.iter().sum::<u64>() as f64, weights.iter().sum::<u64>() as f64);
    counts
        .iter()
        .zip(weights)
        .map(|(c, x)| (*c as f64 - n * *x as f64 / w).powi(2) / (n * *x as f64 / w))
        .sum()
}

/// P25: cells are drawn evenly, the last partial one included, and targets by their cells. The nonces are fixed, so this
/// outcome is too; the bounds are the 99.9 % points of chi-square.
#[test]
fn p25_draws_are_even() {
    // 1,000 cells of which the last is 1 byte; and targets of 100, 1 and 899 cells.
    let sizes: [(&[u64], usize); 2] = [(&[999 * 496 + 1], 0), (&[100 * 496, 1, 898 * 496 + 7], 2)];
    for (sizes, of) in sizes {
        let mut c = sample();
        let model = c.targets[0].clone();
        c.class.samples = 64;
        c.targets = (0..)
            .zip(sizes)
            .map(|(i, s)| Target {
                size: *s,
                cells: s.div_ceil(496),
                name: bailiwick_protocol::ids::UnitName {
                    object: ObjectId([i; 16]),
                    unit: Unit::WHOLE,
                    ..model.name
                },
                ..model.clone()
            })
            .collect();
        let cells: Vec<u64> = c.targets.iter().map(|t| t.cells).collect();
        let mut targets = vec![0; cells.len()];
        let mut hits = vec![0u64; usize::try_from(cells[of]).expect("small")];
        for round in 0..2_000u64 {
            c.nonce.0[..8].copy_from_slice(&round.to_le_bytes());
            for s in draw(&c).slots {
                targets[s.target] += 1;
                if s.target == of {
                    hits[s.cell as usize] += 1;
                }
            }
        }
        let dof = hits.len() as f64 - 1.0;
        let x = chi_square(&hits, &vec![1; hits.len()]);
        // Wilson-Hilferty: the 99.9 % point.
        let bound = dof * (1.0 - 2.0 / (9.0 * dof) + 3.09 * (2.0 / (9.0 * dof)).sqrt()).powi(3);
        assert!(x < bound, "chi-square {x:.0} of {dof} degrees of freedom, bound {bound:.0}");
        assert!(x > dof - 3.09 * (2.0 * dof).sqrt(), "chi-square {x:.0} is too even to be random");
        assert!(*hits.last().expect("cells") > 0, "the last partial cell is drawn");
        if targets.len() == 3 {
            let x = chi_square(&targets, &cells);
            assert!(x < 13.8, "chi-square {x:.1} of 2 degrees of freedom over targets");
        }
    }
}

#[test]
fn scaling_is_exact_at_the_ends() {
    assert_eq!((scale(0, 7), scale(u128::MAX, 7), scale(u128::MAX, 1), scale(5, 0)), (0, 6, 0, 0));
    assert_eq!(scale(u128::MAX, u64::MAX), u64::MAX - 1);
    assert_eq!(scale(1 << 127, u64::MAX), u64::MAX / 2);
    // floor(w n / 2^128) steps from 0 to 1 exactly at w = ceil(2^128 / n).
    let third = u128::MAX / 3;
    assert_eq!((scale(third, 3), scale(third + 1, 3)), (0, 1));
}

proptest! {
    /// Against long division of the 192-bit product, digit by digit.
    #[test]
    fn scaling_equals_long_multiplication(w: u128, n: u64) {
        let mut product = [0u8; 24];
        for (i, a) in w.to_le_bytes().iter().enumerate() {
            let mut carry = 0u32;
            for (j, b) in n.to_le_bytes().iter().enumerate() {
                let t = u32::from(product[i + j]) + u32::from(*a) * u32::from(*b) + carry;
                product[i + j] = (t & 0xff) as u8;
                carry = t >> 8;
            }
            product[i + 8] = carry as u8;
        }
        let expected = u64::from_le_bytes(product[16..].try_into().expect("eight bytes"));
        prop_assert_eq!(scale(w, n), expected);
    }
}
