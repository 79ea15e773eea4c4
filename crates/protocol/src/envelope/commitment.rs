//! What an owner commits to, so that storage can be proved: a list by scheme (spec envelope, clauses E7 and E14).

use super::{CELL_BYTES, COMMITMENT_SCHEME_CELL_TREE};
use crate::codec::{CodecError, Decoder, Encoder};
use crate::ids::CellRoot;
use crate::limits::{COMMITMENTS_MAX, FURTHER_COMMITMENT_BYTES_MAX};

/// A commitment that storage proofs are made against.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CellCommitment {
    /// Root of the cell tree at natural depth.
    pub root: CellRoot,
    /// Cells: ceil(size / 496).
    pub cells: u64,
}

/// A commitment of another scheme than the cell tree: what it says is the scheme's own business (spec envelope, clause E14).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FurtherCommitment {
    /// The scheme; not [`COMMITMENT_SCHEME_CELL_TREE`].
    pub scheme: u64,
    /// What the owner committed to, 1 to [`FURTHER_COMMITMENT_BYTES_MAX`] bytes in the scheme's encoding. A reader who does not know
    /// the scheme keeps them: the signature covers them.
    pub value: Vec<u8>,
}

/// Scheme 1 sorts first: schemes are numbered from 1.
pub(super) fn encode_commitments(
    cells: Option<&CellCommitment>,
    further: &[FurtherCommitment],
    e: &mut Encoder,
) {
    e.array(u64::from(cells.is_some()) + further.len() as u64);
    if let Some(c) = cells {
        e.map(3);
        e.u64(0);
        e.u64(COMMITMENT_SCHEME_CELL_TREE);
        e.u64(1);
        c.root.encode(e);
        e.u64(2);
        e.u64(c.cells);
    }
    for c in further {
        e.map(2);
        e.u64(0);
        e.u64(c.scheme);
        e.u64(1);
        e.bytes(&c.value);
    }
}

pub(super) type Commitments = (Option<CellCommitment>, Vec<FurtherCommitment>);

pub(super) fn decode_commitments(d: &mut Decoder<'_>, size: u64) -> Result<Commitments, CodecError> {
    let n = d.list("storage commitments", COMMITMENTS_MAX)?;
    if n == 0 {
        return Err(CodecError::Invalid("storage commitments"));
    }
    let (mut cells, mut further, mut last) = (None, Vec::new(), 0);
    for _ in 0..n {
        let mut m = d.map("storage commitment")?;
        m.required(d, 0)?;
        let scheme = d.u64()?;
        // Ascending, so that every set of commitments has one encoding.
        if scheme <= last {
            return Err(CodecError::Invalid("storage commitments: schemes must ascend"));
        }
        last = scheme;
        m.required(d, 1)?;
        if scheme == COMMITMENT_SCHEME_CELL_TREE {
            let root = CellRoot::decode(d)?;
            m.required(d, 2)?;
            let found = d.u64()?;
            if found != size.div_ceil(CELL_BYTES) {
                return Err(CodecError::Invalid("cells"));
            }
            cells = Some(CellCommitment { root, cells: found });
        } else {
            let value = d.bytes("storage commitment", FURTHER_COMMITMENT_BYTES_MAX)?.to_vec();
            if value.is_empty() {
                return Err(CodecError::Invalid("storage commitment"));
            }
            further.push(FurtherCommitment { scheme, value });
        }
        m.end(d)?;
    }
    Ok((cells, further))
}
