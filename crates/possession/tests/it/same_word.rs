//! Regression for constructions 3: one word for object and cell.

use std::collections::BTreeSet;

use bailiwick_possession::challenge::{Slot, scale};
use bailiwick_protocol::challenge::Challenge;
use bailiwick_protocol::ids::ClassId;

use crate::fixture::{body, challenge, draw};

/// The rule with the mistake: the word that picks the object picks the cell in it as well.
fn with_one_word(cells: &[u64], w: u128) -> Slot {
    let mut position = scale(w, cells.iter().sum());
    for (target, c) in cells.iter().enumerate() {
        if position < *c {
            return Slot { target, cell: scale(w, *c) };
        }
        position -= c;
    }
    unreachable!("a position is below the total")
}

/// Same u for object and cell: with one word an object at positions [a, b) of T only ever yields cells [a, b)/T of itself, so a
/// host of ten equal objects keeps a tenth of each and is never caught. With two words every cell of every object is drawn.
#[test]
fn same_u_for_object_and_cell_would_leave_cells_never_drawn() {
    let bodies: Vec<Vec<u8>> = (0..10).map(|i| body(40 * 496, i)).collect();
    let mut c: Challenge = challenge(ClassId { samples: 1024, depth: 3 }, &bodies);
    let cells: Vec<u64> = c.targets.iter().map(|t| t.cells).collect();
    assert_eq!(cells, [40; 10]);

    // Every word, as far as its leading 20 bits: 2,621 words for each of the 400 cells.
    let one_word: BTreeSet<Slot> = (0..1u128 << 20).map(|w| with_one_word(&cells, w << 108)).collect();
    assert_eq!(one_word.len(), 40, "a host needs 40 of 400 cells, forever");

    let mut ours = BTreeSet::new();
    for round in 0..8 {
        c.nonce.0[0] = round;
        ours.extend(draw(&c).slots);
    }
    // 8,192 draws: the chance that any one of 400 cells is missed is below 400 · (1 - 1/400)^8192 < 10^-6.
    assert_eq!(ours.len(), 400);
}
