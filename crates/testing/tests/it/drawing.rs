//! Drawn cells are even.

use bailiwick_possession::challenge::sampled;
use bailiwick_possession::inventory::InventoryTree;
use bailiwick_protocol::challenge::{Challenge, Target};
use bailiwick_protocol::ids::{AuditorKey, HostKey, Nonce, VkDigest};
use bailiwick_protocol::inventory::InventoryTarget;
use bailiwick_testing::stats::{binomial_bounds, chi_square, chi_square_tail};
use bailiwick_testing::{BeaconChain, CLASS, Seed};

use super::cast::{objects, seed};

fn question(seed: Seed, number: u64, inventory: Option<InventoryTarget>, targets: Vec<Target>) -> Challenge {
    let mut nonce = [0; 32];
    seed.stream(&format!("nonce {number}")).fill(&mut nonce);
    Challenge {
        class: CLASS,
        vk: VkDigest([1; 32]),
        host: HostKey([2; 32]),
        targets,
        inventory,
        epoch: 1,
        beacon: None,
        auditor: AuditorKey([3; 32]),
        nonce: Nonce(nonce),
    }
}

/// Neither uneven nor too even to be random, at 99 %.
#[track_caller]
fn even(what: &str, counts: &[u64], weights: &[f64]) {
    let draws: u64 = counts.iter().sum();
    let total: f64 = weights.iter().sum();
    let expected: Vec<f64> = weights.iter().map(|w| draws as f64 * w / total).collect();
    let (x, freedom) = (chi_square(counts, &expected), counts.len() as u64 - 1);
    let p = chi_square_tail(x, freedom);
    println!("{what}: {draws} draws, chi-square {x:.1} of {freedom} degrees of freedom, p = {p:.4}");
    assert!((0.005..=0.995).contains(&p), "{what}: p = {p}");
}

/// P25 challenge_bias: over 320,000 draws every cell of a body is drawn alike, the last one included, of which a byte is there.
#[test]
fn p25_cells_are_drawn_evenly_the_last_partial_one_included() {
    let seed = seed("evenness of cells", 1);
    let owner = seed.key("owner");
    let object = bailiwick_testing::StoredObject::new(seed, &owner, 0, 99 * 496 + 1);
    let target = object.target().clone();
    let mut counts = vec![0; 100];
    let beacon = BeaconChain::default().round(7);
    for number in 0..20_000 {
        let mut question = question(seed, number, None, vec![target.clone()]);
        question.beacon = Some(beacon);
        for slot in sampled(&question, &[]).unwrap().slots {
            counts[usize::try_from(slot.cell).unwrap()] += 1;
        }
    }
    even("cells of one body", &counts, &[1.0; 100]);
    // The test sees what it is for: a draw that never reaches the last cell does not pass.
    let mut biased = counts.clone();
    biased[0] += std::mem::take(&mut biased[99]);
    let expected = vec![counts.iter().sum::<u64>() as f64 / 100.0; 100];
    assert!(chi_square_tail(chi_square(&biased, &expected), 99) < 1e-6);
}

/// P25 for an inventory: objects are drawn by their cells and, whatever the object's place, its cells alike.
#[test]
fn p25_an_inventory_is_drawn_by_cells() {
    let seed = seed("evenness of an inventory", 7);
    let owner = seed.key("owner");
    let sizes = [1, 16, 33, 150];
    let mut targets: Vec<Target> = Vec::new();
    for cells in sizes {
        targets
            .extend(objects(seed, &owner, &format!("{cells}"), 1, cells).iter().map(|o| o.target().clone()));
    }
    targets.sort_by_key(|t| t.name);
    let tree = InventoryTree::new(targets.clone()).unwrap();
    let mut counts: Vec<Vec<u64>> =
        targets.iter().map(|t| vec![0; usize::try_from(t.cells).unwrap()]).collect();
    for number in 0..4_000 {
        let question = question(seed, number, Some(tree.target()), Vec::new());
        let drawn = sampled(&question, &tree.sample(&question).unwrap()).unwrap();
        for slot in &drawn.slots {
            let at = targets.iter().position(|t| t.name == drawn.targets[slot.target].name).unwrap();
            counts[at][usize::try_from(slot.cell).unwrap()] += 1;
        }
    }
    let by_object: Vec<u64> = counts.iter().map(|c| c.iter().sum()).collect();
    let weights: Vec<f64> = targets.iter().map(|t| t.cells as f64).collect();
    even("objects of an inventory", &by_object, &weights);
    even("cells of an inventory", &counts.concat(), &[1.0; 200]);
}

/// P21 parity_only, data_only host: of objects whose first half is data and whose second is parity a host keeps one half, which still
/// decodes. Whichever it keeps, it has lost half of the cells, and as many audits draw a lost one as the printed probability says: a
/// proof speaks of cells kept, not of whether what is left could be decoded.
#[test]
fn p21_keeping_only_data_or_only_parity_is_losing_half() {
    const QUESTIONS: u64 = 4_000;
    let seed = seed("only data, only parity", 21);
    let owner = seed.key("owner");
    let mut targets: Vec<Target> =
        objects(seed, &owner, "coded", 10, 20).iter().map(|o| o.target().clone()).collect();
    targets.sort_by_key(|t| t.name);
    let tree = InventoryTree::new(targets).unwrap();
    let (mut data_lost, mut parity_lost, mut first_slots) = (0, 0, 0);
    for number in 0..QUESTIONS {
        let question = question(seed, number, Some(tree.target()), Vec::new());
        let drawn = sampled(&question, &tree.sample(&question).unwrap()).unwrap();
        data_lost += u64::from(drawn.slots.iter().any(|s| s.cell < 10));
        parity_lost += u64::from(drawn.slots.iter().any(|s| s.cell >= 10));
        first_slots += u64::from(drawn.slots[0].cell < 10);
    }
    let p = bailiwick_verifier::detection(0.5, 200, 200, CLASS.samples).probability;
    let bounds = binomial_bounds(QUESTIONS, p, 0.99);
    println!(
        "only parity kept: {data_lost}, only data kept: {parity_lost} of {QUESTIONS} caught, bound {bounds:?}"
    );
    assert!(bounds.contains(&data_lost) && bounds.contains(&parity_lost));
    // One sample each, where the bound is not near all of them.
    assert!(binomial_bounds(QUESTIONS, 0.5, 0.99).contains(&first_slots), "{first_slots}");
}
