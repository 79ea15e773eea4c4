//! The post-quantum half: S2, split as Shamir did (1979) over the scalar field, each share sealed to a custodian's X-Wing key.
//!
//! Nobody proves in public that these shares lie on one polynomial. Hash commitments name who gives a wrong one, receipts say who found
//! its share to be the committed one; that they fit together shows only when the key is recovered.

use bailiwick_protocol::codec::{Canonical, CodecError, Decoder, Encoder};
use bailiwick_protocol::envelope::Kem;
use bailiwick_protocol::ids::Signature;
use bailiwick_protocol::labels::Label;
use bailiwick_protocol::signing;
use curve25519_dalek::scalar::Scalar;
use zeroize::Zeroizing;

use crate::code::{at, evaluate_secret, lagrange_at_zero};
use crate::dealing::{Dealing, DealingDigest, VerifiedDealing, classical_transcript};
use crate::key::CustodianSecretKey;
use crate::point::decode_scalar;
use crate::sealed;
use crate::transcript::Hedge;

/// S2 with its polynomial.
pub(crate) struct SecondSecret {
    value: Zeroizing<Scalar>,
    polynomial: Vec<Zeroizing<Scalar>>,
}

impl SecondSecret {
    pub(crate) fn draw(hedge: &mut Hedge, degree: usize) -> Self {
        Self { value: hedge.scalar(), polynomial: (0..degree).map(|_| hedge.scalar()).collect() }
    }

    pub(crate) fn value(&self) -> &[u8; 32] {
        self.value.as_bytes()
    }

    /// Custodian `i` (from 0) gets the value at i + 1.
    pub(crate) fn share(&self, i: usize) -> Zeroizing<[u8; 32]> {
        let share = Zeroizing::new(*self.value + *evaluate_secret(&self.polynomial, &at(i)));
        Zeroizing::new(share.to_bytes())
    }
}

/// S2 from t shares of different custodians.
pub(crate) fn recover(shares: &[(usize, &Zeroizing<Scalar>)]) -> Zeroizing<[u8; 32]> {
    let indices: Vec<usize> = shares.iter().map(|(i, _)| *i).collect();
    let mut sum = Zeroizing::new(Scalar::ZERO);
    for ((_, share), lambda) in shares.iter().zip(lagrange_at_zero(&indices)) {
        *sum += ***share * lambda;
    }
    Zeroizing::new(sum.to_bytes())
}

/// LE16 of a custodian's point, 1..=n.
pub(crate) fn le_point(i: usize) -> [u8; 2] {
    u16::try_from(i + 1).expect("at most 128 custodians").to_le_bytes()
}

/// What the shares of S2 are sealed for and committed in: everything the dealing says but this half and the proof (clause K30a).
///
/// Bound to D alone, the sealed shares could be copied into a dealing about another object by whoever knows d, and a quantum computer
/// finds d: the custodians' answers about that object would then be shares of this S2.
pub(crate) struct ShareContext([u8; 32]);

impl ShareContext {
    pub(crate) fn of(dealing: &Dealing) -> Self {
        let mut context = [0; 32];
        classical_transcript(dealing).challenge_bytes(b"hybrid-context", &mut context);
        Self(context)
    }

    /// label ‖ context ‖ LE16 i
    pub(crate) fn info(&self, i: usize) -> Vec<u8> {
        [Label::CustodyShareInfo.as_bytes(), &self.0, &le_point(i)].concat()
    }

    /// BLAKE3 of context ‖ LE16 i ‖ share. A share has 252 bits of entropy even to t - 1 custodians, so its hash hides it.
    pub(crate) fn commitment(&self, i: usize, share: &[u8; 32]) -> [u8; 32] {
        let input = Zeroizing::new([&self.0[..], &le_point(i), share].concat());
        Label::CustodyShareCommitment.hash(&input)
    }
}

/// Why a custodian cannot use its post-quantum share.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum HybridError {
    /// The key belongs to no custodian of this dealing.
    #[error("this key belongs to no custodian of this dealing")]
    NotCustodian,
    /// A classical dealing has no post-quantum half.
    #[error("this dealing has no post-quantum half")]
    Classical,
    /// The dealer sealed something this custodian cannot open, or copied what was sealed for another object.
    #[error(
        "the dealer\u{2019}s post-quantum share does not open with this key: it is no share, or one that was sealed for another dealing"
    )]
    Sealed,
    /// The dealer sealed another share than it committed to.
    #[error("the dealer\u{2019}s post-quantum share is not the one it committed to")]
    Commitment,
    /// The dealer sealed, and committed to, a number that no share can be (clause K31a).
    #[error(
        "the dealer\u{2019}s post-quantum share is not below the order of the group: the dealer cheated or made a mistake"
    )]
    TooLarge,
}

/// Opens custodian `i`'s share, compares it with its commitment, and reads it as a requester will.
pub(crate) fn open_share(
    dealing: &VerifiedDealing,
    i: usize,
    key: &CustodianSecretKey,
) -> Result<Zeroizing<[u8; 32]>, HybridError> {
    let sealed_share = dealing.dealing.hybrid.get(i).ok_or(HybridError::Classical)?;
    let context = ShareContext::of(&dealing.dealing);
    let opened = sealed::open(
        Kem::XWing,
        &key.kem_seed(),
        &context.info(i),
        &sealed_share.enc,
        &sealed_share.ciphertext,
    )
    .ok_or(HybridError::Sealed)?;
    let share: Zeroizing<[u8; 32]> =
        Zeroizing::new(opened.as_slice().try_into().map_err(|_| HybridError::Sealed)?);
    if context.commitment(i, &share) != sealed_share.commitment {
        return Err(HybridError::Commitment);
    }
    // A receipt for what no requester takes would put the blame on who gave it.
    decode_scalar(&share).map(Zeroizing::new).ok_or(HybridError::TooLarge)?;
    Ok(share)
}

/// A custodian's word that its post-quantum share opens and is the committed one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Receipt {
    /// Which dealing.
    pub dealing: DealingDigest,
    /// The custodian's point, 1..=n.
    pub point: u16,
    /// Under the custodian's receipt key.
    pub signature: Signature,
}

/// A receipt that does not hold.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ReceiptError {
    /// For another dealing.
    #[error("the receipt is for another dealing")]
    OtherDealing,
    /// From nobody of this dealing.
    #[error("the receipt names no custodian of this dealing")]
    NotCustodian,
    /// Not signed by the custodian it names.
    #[error("the receipt is not signed by custodian {custodian:?}")]
    Signature {
        /// Whom it names.
        custodian: String,
    },
}

fn receipt_message(dealing: &DealingDigest, point: u16) -> [u8; 34] {
    let mut out = [0; 34];
    out[..32].copy_from_slice(&dealing.0);
    out[32..].copy_from_slice(&point.to_le_bytes());
    out
}

impl Receipt {
    /// Opens the share, compares it with its commitment, and signs that it is right.
    ///
    /// # Errors
    /// `HybridError`.
    pub fn sign(dealing: &VerifiedDealing, key: &CustodianSecretKey) -> Result<Self, HybridError> {
        let i = dealing.dealing.position(key.public().point()).ok_or(HybridError::NotCustodian)?;
        open_share(dealing, i, key)?;
        let point = u16::from_le_bytes(le_point(i));
        let message = receipt_message(&dealing.digest, point);
        let signature = key.receipt_key().sign(Label::CustodyReceipt, &message);
        Ok(Self { dealing: dealing.digest, point, signature })
    }

    /// The custodian (from 0) whose word this is.
    ///
    /// # Errors
    /// `ReceiptError`.
    pub fn verify(&self, dealing: &VerifiedDealing) -> Result<usize, ReceiptError> {
        if self.dealing != dealing.digest {
            return Err(ReceiptError::OtherDealing);
        }
        let i = usize::from(self.point).checked_sub(1).ok_or(ReceiptError::NotCustodian)?;
        let custodian = dealing.dealing.custodians.get(i).ok_or(ReceiptError::NotCustodian)?;
        let message = receipt_message(&self.dealing, self.point);
        signing::verify(custodian.key.receipt_key(), Label::CustodyReceipt, &message, &self.signature)
            .map_err(|_| ReceiptError::Signature { custodian: custodian.name.clone() })?;
        Ok(i)
    }
}

impl Canonical for Receipt {
    const WHAT: &'static str = "custody receipt";
    const BYTES_MAX: usize = 128;

    fn encode(&self, e: &mut Encoder) {
        e.map(4);
        e.u64(0);
        e.u64(1);
        e.u64(1);
        e.bytes(&self.dealing.0);
        e.u64(2);
        e.u64(u64::from(self.point));
        e.u64(3);
        e.bytes(self.signature.as_bytes());
    }

    fn decode(d: &mut Decoder<'_>) -> Result<Self, CodecError> {
        let mut m = d.map("custody receipt")?;
        m.required(d, 0)?;
        let version = d.u64()?;
        if version != 1 {
            return Err(CodecError::UnknownVersion { what: "custody receipt", found: version });
        }
        m.required(d, 1)?;
        let dealing = DealingDigest(d.array()?);
        m.required(d, 2)?;
        let point = d.uint("custody receipt: point")?;
        m.required(d, 3)?;
        let signature = Signature(d.array()?);
        m.end(d)?;
        Ok(Self { dealing, point, signature })
    }
}
