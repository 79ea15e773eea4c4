//! Curve points as lists of decimal text.

use ark_bn254::{Fq, Fq2, G1Affine, G2Affine};
use ark_ec::AffineRepr;
use ark_ec::short_weierstrass::{Affine, SWCurveConfig};
use ark_serialize::{CanonicalDeserialize, CanonicalSerialize};

use super::JsonError;
use super::number::{read, text};

/// x, y and the third coordinate of a point of G1.
pub(super) type PointText = [String; 3];
/// An element of Fq2: real part, imaginary part.
pub(super) type PairText = [String; 2];
/// x, y and the third coordinate of a point of G2.
pub(super) type TwistText = [PairText; 3];

pub(super) fn write_g1(p: &G1Affine) -> PointText {
    [text(&p.x), text(&p.y), "1".to_owned()]
}

pub(super) fn write_g2(p: &G2Affine) -> TwistText {
    let pair = |x: &Fq2| [text(&x.c0), text(&x.c1)];
    [pair(&p.x), pair(&p.y), ["1".to_owned(), "0".to_owned()]]
}

pub(super) fn read_g1(what: &'static str, [x, y, scale]: &PointText) -> Result<G1Affine, JsonError> {
    if scale != "1" {
        return Err(JsonError::Scale(what));
    }
    in_group(what, coordinate(what, x)?, coordinate(what, y)?)
}

pub(super) fn read_g2(what: &'static str, [x, y, scale]: &TwistText) -> Result<G2Affine, JsonError> {
    if *scale != ["1", "0"] {
        return Err(JsonError::Scale(what));
    }
    in_group(what, pair(what, x)?, pair(what, y)?)
}

fn pair(what: &'static str, [c0, c1]: &PairText) -> Result<Fq2, JsonError> {
    Ok(Fq2 { c0: coordinate(what, c0)?, c1: coordinate(what, c1)? })
}

fn coordinate(what: &'static str, digits: &str) -> Result<Fq, JsonError> {
    read(digits).ok_or(JsonError::Number(what))
}

/// The point of these coordinates. Read from `ark-serialize`'s uncompressed form, whose decoder checks curve and subgroup; x and y
/// below the modulus leave its flag bits clear, but for both zero, which it takes for infinity.
fn in_group<C: SWCurveConfig>(
    what: &'static str,
    x: C::BaseField,
    y: C::BaseField,
) -> Result<Affine<C>, JsonError> {
    let mut bytes = Vec::new();
    (x, y).serialize_uncompressed(&mut bytes).map_err(|_| JsonError::Point(what))?;
    let p = Affine::<C>::deserialize_uncompressed(bytes.as_slice()).map_err(|_| JsonError::Point(what))?;
    if p.x == x && p.y == y && !p.is_zero() { Ok(p) } else { Err(JsonError::Point(what)) }
}
