//! Section 2: what every other section's length follows from.

use std::io::Read;

use ark_bn254::{Fq, Fr, G1Affine, G2Affine};
use ark_ff::{BigInteger, PrimeField};

use super::{Element, POWER_MAX, ZkeyError};
use crate::binfile::Section;
use crate::points::{FIELD_BYTES, Point, strict};

/// The header of a key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Header {
    /// Columns: the constant one, public inputs, private variables.
    pub variables: u32,
    /// Public inputs; the constant one not counted.
    pub public: u32,
    /// Rows of the domain, a power of two.
    pub domain: u32,
    /// alpha · G1.
    pub alpha1: G1Affine,
    /// beta · G1.
    pub beta1: G1Affine,
    /// beta · G2.
    pub beta2: G2Affine,
    /// gamma · G2: the generator in every key of snarkjs.
    pub gamma2: G2Affine,
    /// delta · G1: the product of all contributions.
    pub delta1: G1Affine,
    /// delta · G2.
    pub delta2: G2Affine,
}

impl Header {
    /// Private variables.
    #[must_use]
    pub const fn private(&self) -> u32 {
        self.variables - self.public - 1
    }

    /// Reads section 2.
    pub(crate) fn read<R: Read>(mut s: Section<'_, R>) -> Result<Self, ZkeyError> {
        for modulus in [Fq::MODULUS, Fr::MODULUS] {
            // The length comes first: a modulus of another length is another curve, not bytes to read.
            if s.u32()? as usize != FIELD_BYTES || s.array::<FIELD_BYTES>()? != *modulus.to_bytes_le() {
                return Err(ZkeyError::Curve);
            }
        }
        let (variables, public, domain) = (s.u32()?, s.u32()?, s.u32()?);
        // The constant one is a variable, and it and every public input have a row.
        if public >= variables
            || public >= domain
            || !domain.is_power_of_two()
            || domain.trailing_zeros() > POWER_MAX
        {
            return Err(ZkeyError::Counts { variables, public, domain });
        }
        let header = Self {
            variables,
            public,
            domain,
            alpha1: point(&mut s, "alpha in G1")?,
            beta1: point(&mut s, "beta in G1")?,
            beta2: point(&mut s, "beta in G2")?,
            gamma2: point(&mut s, "gamma in G2")?,
            delta1: point(&mut s, "delta in G1")?,
            delta2: point(&mut s, "delta in G2")?,
        };
        s.finish()?;
        Ok(header)
    }

    /// The content of section 2.
    pub(crate) fn to_bytes(&self) -> Vec<u8> {
        let mut out = Vec::new();
        for modulus in [Fq::MODULUS, Fr::MODULUS] {
            out.extend_from_slice(&32u32.to_le_bytes());
            out.extend_from_slice(&modulus.to_bytes_le());
        }
        for n in [self.variables, self.public, self.domain] {
            out.extend_from_slice(&n.to_le_bytes());
        }
        self.alpha1.write(&mut out);
        self.beta1.write(&mut out);
        self.beta2.write(&mut out);
        self.gamma2.write(&mut out);
        self.delta1.write(&mut out);
        self.delta2.write(&mut out);
        out
    }
}

fn point<P: Point>(s: &mut Section<'_, impl Read>, name: &'static str) -> Result<P, ZkeyError> {
    let mut bytes = vec![0; P::BYTES];
    s.fill(&mut bytes)?;
    strict(&bytes).map_err(|fault| ZkeyError::Point { element: Element::Header(name), fault })
}
