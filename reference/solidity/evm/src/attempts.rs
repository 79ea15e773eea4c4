//! The honest call, and everything that must not pass for it.

use anyhow::{Context as _, ensure};
use ark_bn254::{Fq, Fq2, G2Affine};
use ark_ff::PrimeField as _;
use revm::primitives::{U256, keccak256};

use crate::bytes;
use crate::machine::Outcome;

/// What an attempt must end with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Must {
    /// The proof holds.
    Hold,
    /// The pairing says no.
    SayNo,
    /// Reverted: malformed.
    Revert,
    /// No or reverted, whichever, but not yes.
    NotHold,
}

impl Must {
    /// Whether it may end like that. With gas in plenty nothing may halt.
    pub fn allows(self, outcome: Outcome) -> bool {
        match self {
            Self::Hold => outcome == Outcome::True,
            Self::SayNo => outcome == Outcome::False,
            Self::Revert => outcome == Outcome::Reverted,
            Self::NotHold => matches!(outcome, Outcome::False | Outcome::Reverted),
        }
    }

    /// What the calls of one kind must end with.
    pub fn summary(calls: &[(Self, Vec<u8>)]) -> String {
        let mut all: Vec<String> = calls.iter().map(|(must, _)| format!("{must:?}")).collect();
        all.sort();
        all.dedup();
        all.join(" or ")
    }
}

/// A call in words of 32 bytes.
#[derive(Clone, PartialEq, Eq)]
pub struct Call {
    proof: [U256; 8],
    inputs: Vec<U256>,
}

/// Attempts of one kind, under a name.
type Kind = (&'static str, Vec<(Must, Vec<u8>)>);

impl Call {
    /// From hexadecimal words.
    pub fn read(proof: &[String; 8], inputs: &[String]) -> anyhow::Result<Self> {
        let word = |text: &String| {
            let b = bytes(text)?;
            ensure!(b.len() == 32, "a word has 32 bytes");
            Ok(U256::from_be_slice(&b))
        };
        let proof: Vec<U256> = proof.iter().map(word).collect::<anyhow::Result<_>>()?;
        let inputs = inputs.iter().map(word).collect::<anyhow::Result<_>>()?;
        Ok(Self { proof: proof.try_into().ok().context("eight words")?, inputs })
    }

    /// Call data: selector, proof, offset of the list, its length, the list.
    pub fn encode(&self) -> Vec<u8> {
        self.encode_with(9 * 32, self.inputs.len())
    }

    fn encode_with(&self, offset: usize, length: usize) -> Vec<u8> {
        let mut out = keccak256("verify(uint256[8],uint256[])")[..4].to_vec();
        let numbers = [U256::from(offset), U256::from(length)];
        for word in self.proof.iter().chain(&numbers).chain(&self.inputs) {
            out.extend(word.to_be_bytes::<32>());
        }
        out
    }

    fn with(&self, change: impl FnOnce(&mut Self)) -> Vec<u8> {
        let mut out = self.clone();
        change(&mut out);
        out.encode()
    }
}

fn number(n: impl ark_ff::BigInteger) -> U256 {
    U256::from_be_slice(&n.to_bytes_be())
}

/// A point of the twist's curve outside the subgroup, as the contract takes it. Nearly every point is.
fn outside_the_subgroup() -> anyhow::Result<[U256; 4]> {
    let p = (1u64..64)
        .filter_map(|x| G2Affine::get_point_from_x_unchecked(Fq2::new(Fq::from(x), Fq::from(1u64)), true))
        .find(|p| p.is_on_curve() && !p.is_in_correct_subgroup_assuming_on_curve())
        .context("some small x is that of a point")?;
    Ok([p.x.c1, p.x.c0, p.y.c1, p.y.c0].map(|c| number(c.into_bigint())))
}

/// The honest call first, then what must not pass.
pub fn attempts(honest: &Call) -> anyhow::Result<Vec<Kind>> {
    use Must::{Hold, NotHold, Revert, SayNo};
    let r = number(ark_bn254::Fr::MODULUS);
    let q = number(Fq::MODULUS);
    let one = U256::from(1);
    let encoded = honest.encode();
    let each_input = |must: Must, to: &dyn Fn(U256) -> U256| -> Vec<(Must, Vec<u8>)> {
        (0..honest.inputs.len()).map(|i| (must, honest.with(|c| c.inputs[i] = to(c.inputs[i])))).collect()
    };
    let each_word = |must: Must, to: &dyn Fn(U256) -> U256| -> Vec<(Must, Vec<u8>)> {
        (0..8).map(|i| (must, honest.with(|c| c.proof[i] = to(c.proof[i])))).collect()
    };
    let outside = outside_the_subgroup()?;
    let negated = |i: usize| honest.with(|c| c.proof[i] = q - c.proof[i]);
    let negated_b = honest.with(|c| (c.proof[4], c.proof[5]) = (q - c.proof[4], q - c.proof[5]));
    let generator = [one, U256::from(2)];
    Ok(vec![
        ("the honest proof", vec![(Hold, encoded.clone())]),
        ("the honest proof, bytes after the call data", vec![(Hold, [&encoded[..], &[7; 40]].concat())]),
        ("an input changed by one", each_input(SayNo, &|x| (x + one) % r)),
        ("an input of zero", each_input(SayNo, &|_| U256::ZERO)),
        ("an input plus the group's order", each_input(Revert, &|x| x + r)),
        ("an input of the group's order, of the largest word", {
            let mut all = each_input(Revert, &|_| r);
            all.extend(each_input(Revert, &|_| U256::MAX));
            all
        }),
        ("an input too many or too few", {
            let more = |extra: U256| (Revert, honest.with(|c| c.inputs.push(extra)));
            vec![
                more(U256::ZERO),
                more(one),
                (Revert, honest.with(|c| c.inputs.truncate(c.inputs.len() - 1))),
            ]
        }),
        ("each coordinate changed by one", each_word(Revert, &|x| x + one)),
        ("each coordinate plus the field's modulus", each_word(Revert, &|x| x.wrapping_add(q))),
        ("each coordinate zero", each_word(Revert, &|_| U256::ZERO)),
        ("each coordinate the largest word", each_word(Revert, &|_| U256::MAX)),
        ("a point at infinity", {
            let zero =
                |range: core::ops::Range<usize>| (Revert, honest.with(|c| c.proof[range].fill(U256::ZERO)));
            vec![zero(0..2), zero(2..6), zero(6..8), zero(0..8)]
        }),
        ("a point negated", vec![(SayNo, negated(1)), (SayNo, negated(7)), (SayNo, negated_b)]),
        ("another point of the group", {
            vec![
                (SayNo, honest.with(|c| c.proof[..2].copy_from_slice(&generator))),
                (SayNo, honest.with(|c| c.proof[6..].copy_from_slice(&generator))),
            ]
        }),
        (
            "A and C exchanged",
            vec![(
                SayNo,
                honest.with(|c| {
                    c.proof.swap(0, 6);
                    c.proof.swap(1, 7);
                }),
            )],
        ),
        (
            "limbs of G2 real part first",
            vec![
                (
                    Revert,
                    honest.with(|c| {
                        c.proof.swap(2, 3);
                        c.proof.swap(4, 5);
                    }),
                ),
                (Revert, honest.with(|c| c.proof.swap(2, 3))),
                (Revert, honest.with(|c| c.proof.swap(4, 5))),
            ],
        ),
        ("a point on the curve outside the subgroup", {
            vec![(Revert, honest.with(|c| c.proof[2..6].copy_from_slice(&outside)))]
        }),
        (
            "call data cut off anywhere",
            (0..encoded.len()).map(|n| (NotHold, encoded[..n].to_vec())).collect(),
        ),
        ("a list of inputs that lies elsewhere or is longer than it is", {
            let offsets = [0, 32, 8 * 32, 10 * 32, usize::MAX];
            let mut all: Vec<_> =
                offsets.map(|o| (Revert, honest.encode_with(o, honest.inputs.len()))).into();
            all.extend([0, 2, 1 << 32, usize::MAX].map(|n| (Revert, honest.encode_with(9 * 32, n))));
            all
        }),
        ("another function", vec![(Revert, [&[0; 4], &encoded[4..]].concat()), (Revert, Vec::new())]),
    ])
}
