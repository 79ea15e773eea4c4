//! Linear combinations of variables, each distinct one once.

use std::collections::HashMap;

use ark_bn254::Fr;
use ark_ff::{One, Zero};
use rayon::prelude::*;

/// A non-zero entry: a column, and which of the distinct coefficients.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) struct Entry {
    pub(super) column: u32,
    coefficient: u32,
}

/// The coefficient 1 is number 0: most entries have it, and need no multiplication.
const ONE: u32 = 0;

/// Distinct linear combinations, numbered as they came.
///
/// A circuit uses one combination in several rows (`x·x`, `x²·x²` and `x⁴·x` of an s-box name the same sixteen variables
/// three times) and few coefficients: of the possession circuit's 3 entries in rows about one is kept, of 8 bytes instead of 40.
#[derive(Clone, Debug)]
pub(super) struct Combinations {
    coefficients: Vec<Fr>,
    /// Where each ends; it begins where the one before ends.
    ends: Vec<u32>,
    entries: Vec<Entry>,
}

/// What finds a combination or coefficient again while they are collected.
pub(super) struct Collector {
    combinations: Combinations,
    by_coefficient: HashMap<Fr, u32>,
    by_entries: HashMap<Box<[Entry]>, u32>,
    row: Vec<Entry>,
}

/// More entries, columns or coefficients than 32 bits count: 2^32 constraints are beyond any domain of the field.
#[derive(Clone, Copy, Debug)]
pub(super) struct TooMany;

fn narrow(n: usize) -> Result<u32, TooMany> {
    u32::try_from(n).map_err(|_| TooMany)
}

impl Collector {
    pub(super) fn new() -> Self {
        Self {
            combinations: Combinations {
                coefficients: vec![Fr::one()],
                ends: Vec::new(),
                entries: Vec::new(),
            },
            by_coefficient: HashMap::from([(Fr::one(), ONE)]),
            by_entries: HashMap::new(),
            row: Vec::new(),
        }
    }

    /// The number of the combination with these terms, in any order: columns are sorted, terms of one column added (`x + x` is one entry, so that
    /// digest and exports mean what the prover computes), zeros dropped.
    pub(super) fn number(&mut self, terms: &mut Vec<(Fr, usize)>) -> Result<u32, TooMany> {
        terms.sort_unstable_by_key(|(_, column)| *column);
        terms.dedup_by(|next, kept| {
            let same = next.1 == kept.1;
            if same {
                kept.0 += next.0;
            }
            same
        });
        let all = &mut self.combinations;
        self.row.clear();
        for (value, column) in terms.iter().filter(|(value, _)| !value.is_zero()) {
            let next = narrow(all.coefficients.len())?;
            let coefficient = *self.by_coefficient.entry(*value).or_insert_with(|| {
                all.coefficients.push(*value);
                next
            });
            self.row.push(Entry { column: narrow(*column)?, coefficient });
        }
        if let Some(number) = self.by_entries.get(self.row.as_slice()) {
            return Ok(*number);
        }
        let number = narrow(all.ends.len())?;
        all.entries.extend_from_slice(&self.row);
        all.ends.push(narrow(all.entries.len())?);
        self.by_entries.insert(self.row.as_slice().into(), number);
        Ok(number)
    }

    pub(super) fn finish(self) -> Combinations {
        let mut all = self.combinations;
        all.coefficients.shrink_to_fit();
        all.ends.shrink_to_fit();
        all.entries.shrink_to_fit();
        all
    }
}

impl Combinations {
    fn entries(&self, number: u32) -> &[Entry] {
        let at = number as usize;
        let start = if at == 0 { 0 } else { self.ends[at - 1] };
        &self.entries[start as usize..self.ends[at] as usize]
    }

    /// Entries of one combination.
    pub(super) fn len(&self, number: u32) -> usize {
        self.entries(number).len()
    }

    /// Entries kept.
    pub(super) const fn kept(&self) -> usize {
        self.entries.len()
    }

    /// (coefficient, column) of one combination, columns ascending.
    pub(super) fn terms(&self, number: u32) -> impl Iterator<Item = (Fr, usize)> {
        self.entries(number).iter().map(|e| (self.coefficients[e.coefficient as usize], e.column as usize))
    }

    /// The value of every combination at `z`, in parallel over the current pool.
    pub(super) fn evaluate(&self, z: &[Fr]) -> Vec<Fr> {
        let value = |number: usize| {
            let mut sum = Fr::zero();
            #[expect(clippy::cast_possible_truncation, reason = "numbers were given as 32 bits")]
            for entry in self.entries(number as u32) {
                let x = z[entry.column as usize];
                sum += if entry.coefficient == ONE {
                    x
                } else {
                    self.coefficients[entry.coefficient as usize] * x
                };
            }
            sum
        };
        (0..self.ends.len()).into_par_iter().with_min_len(512).map(value).collect()
    }
}
