//! Statements of many challenges: their roots are lifted and their sponges absorb side by side.

use std::collections::BTreeMap;

use bailiwick_protocol::challenge::Challenge;

use super::{StatementError, block, items, label, root_elements};
use crate::challenge::Sampled;
use crate::field::Fr;
use crate::poseidon2::{WIDTH, compress_all};
use crate::tree::{depth_of, lifted_children};

/// [`super::public_input`] of each challenge with what it samples: the same answers, an eighth of the permutations' time where the processor
/// permutes eight states at once. Use some dozens at a time: memory is 64 bytes a slot.
///
/// # Errors
/// For each as [`super::public_input`].
#[must_use]
pub fn public_inputs(each: &[(&Challenge, &Sampled)]) -> Vec<Result<Fr, StatementError>> {
    let roots: Vec<_> = each.iter().map(|(c, s)| root_elements(c.class, &s.targets)).collect();
    let lifted = lift_drawn(each, &roots);
    let mut sponges: Vec<Sponge> = Vec::with_capacity(each.len());
    for (n, (c, s)) in each.iter().enumerate() {
        let slots: Vec<(Fr, u64)> =
            s.slots.iter().filter_map(|slot| Some((*lifted.get(&(n, slot.target))?, slot.cell))).collect();
        sponges.push(Sponge { state: label(), items: items(c.class, &s.binding, &slots) });
    }
    absorb(&mut sponges);
    roots.into_iter().zip(sponges).map(|(roots, sponge)| roots.map(|_| sponge.state)).collect()
}

/// Of one challenge, whose drawn roots are lifted side by side.
pub(super) fn one(challenge: &Challenge, sampled: &Sampled) -> Result<Fr, StatementError> {
    public_inputs(&[(challenge, sampled)]).swap_remove(0)
}

struct Sponge {
    state: Fr,
    items: Vec<Fr>,
}

fn absorb(sponges: &mut [Sponge]) {
    let rounds = sponges.iter().map(|s| s.items.len().div_ceil(WIDTH - 1)).max().unwrap_or(0);
    for round in 0..rounds {
        let mut left: Vec<(&mut Fr, &[Fr])> = sponges
            .iter_mut()
            .filter_map(|s| Some((&mut s.state, s.items.chunks(WIDTH - 1).nth(round)?)))
            .collect();
        let blocks: Vec<_> = left.iter().map(|(state, next)| block(**state, next)).collect();
        for ((state, _), next) in left.iter_mut().zip(compress_all(&blocks)) {
            **state = next;
        }
    }
}

/// The lifted root of each drawn target, by challenge and target. Of up to 4096 targets at most S are drawn: only those are lifted, each once.
/// Challenges without a statement draw nothing.
fn lift_drawn(
    each: &[(&Challenge, &Sampled)],
    roots: &[Result<Vec<Fr>, StatementError>],
) -> BTreeMap<(usize, usize), Fr> {
    let mut nodes: BTreeMap<(usize, usize), Node> = BTreeMap::new();
    for (n, ((c, s), roots)) in each.iter().zip(roots).enumerate() {
        let Ok(roots) = roots else { continue };
        for slot in &s.slots {
            if let (Some(root), Some(target)) = (roots.get(slot.target), s.targets.get(slot.target)) {
                let node = Node { value: *root, level: depth_of(target.cells), top: c.class.depth };
                nodes.entry((n, slot.target)).or_insert(node);
            }
        }
    }
    loop {
        let mut low: Vec<&mut Node> = nodes.values_mut().filter(|node| node.level < node.top).collect();
        if low.is_empty() {
            break;
        }
        let children: Vec<_> = low.iter().map(|node| lifted_children(node.value, node.level)).collect();
        for (node, parent) in low.iter_mut().zip(compress_all(&children)) {
            node.value = parent;
            node.level += 1;
        }
    }
    nodes.into_iter().map(|(key, node)| (key, node.value)).collect()
}

/// A root on its way up.
struct Node {
    value: Fr,
    level: u8,
    top: u8,
}
