//! Dealing: the owner's side.

use std::collections::BTreeSet;

use bailiwick_protocol::codec::Canonical as _;
use bailiwick_protocol::envelope::{CustodyPart, Kem};
use bailiwick_protocol::limits::CUSTODY_DEALING_BYTES_MAX;
use bailiwick_protocol::secret::Secret;
use bailiwick_protocol::text::is_one_line;
use curve25519_dalek::ristretto::RistrettoPoint;
use curve25519_dalek::scalar::Scalar;
use rand_core::CryptoRng;
use zeroize::Zeroizing;

use super::verify::{check_shape, combine, dealing_transcript, generator, header_transcript, weights};
use super::{ATTRIBUTES_MAX, Context, Custodian, Dealing, DealingError, HybridShare, TEXT_BYTES_MAX};
use crate::code::{at, evaluate_secret};
use crate::dleq::{self, Statement};
use crate::hybrid::{SecondSecret, ShareContext};
use crate::key::CustodianPublicKey;
use crate::point::Element;
use crate::recipient;
use crate::sealed;
use crate::secret::SharedSecret;
use crate::transcript::Hedge;
use crate::wrap::wrap;

/// Why a key was not dealt.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum DealError {
    /// Custodians or threshold that no dealing may have.
    #[error(transparent)]
    Shape(#[from] DealingError),
    /// A name or attribute that is empty or too long or does not print as words of one line, or too many attributes.
    #[error(
        "custodian {0:?}: name and attributes have 1 to {TEXT_BYTES_MAX} bytes each, print as words between single spaces, and are at most {ATTRIBUTES_MAX} attributes"
    )]
    Text(String),
    /// More bytes than an envelope holds: fewer custodians, or classical mode.
    #[error(
        "the dealing has {found} bytes, more than an envelope holds ({CUSTODY_DEALING_BYTES_MAX}); take fewer custodians"
    )]
    TooLarge {
        /// Bytes it would have.
        found: usize,
    },
}

/// A custodian as the dealer names it.
#[derive(Clone, Debug)]
pub struct DealtCustodian {
    /// Its name in the roster.
    pub name: String,
    /// Its key, with its proof of possession checked.
    pub key: CustodianPublicKey,
    /// Every power that reaches it, in the roster's text form.
    pub attributes: BTreeSet<String>,
}

/// What to deal.
#[derive(Clone, Debug)]
pub struct DealOptions<'a> {
    /// What the dealing is about.
    pub context: Context,
    /// t: how many custodians recover the secret, 1 <= t < n.
    pub threshold: u16,
    /// The custodians, in the order of their points; 2 to 128.
    pub custodians: &'a [DealtCustodian],
    /// Make the key depend on a post-quantum half, too.
    pub hybrid: bool,
}

impl DealOptions<'_> {
    /// Whether custodians and threshold are such as a dealing may have: what [`deal`] looks at before it draws anything.
    ///
    /// # Errors
    /// `DealError::Shape` or `DealError::Text`.
    pub fn check(&self) -> Result<(), DealError> {
        Ok(check_shape(&custodians(self)?, self.threshold)?)
    }
}

/// A dealing and what only its dealer knows.
#[derive(Debug)]
pub struct Dealt {
    /// The dealing.
    pub dealing: Dealing,
    /// The file key under the shared secret.
    pub wrapped: [u8; 48],
    /// What a recipient of role custody-secret is sent: S and the proof that this dealing shares it.
    pub recipient_content: Secret<96>,
    /// The secret, for dealing it again to others.
    pub secret: SharedSecret,
}

impl Dealt {
    /// The custody part of the next envelope.
    #[must_use]
    pub fn part(&self) -> CustodyPart {
        CustodyPart { dealing: self.dealing.to_bytes(), wrapped: self.wrapped }
    }
}

/// Shares a secret among custodians and wraps `file_key` under it. The secret is `again`, or a fresh one.
///
/// Every dealing draws its own d, polynomial and (in hybrid mode) S2, so shares of two dealings never fit together, even of one secret.
///
/// # Errors
/// `DealError`.
pub fn deal(
    options: &DealOptions<'_>,
    file_key: &Secret<32>,
    again: Option<&SharedSecret>,
    rng: &mut impl CryptoRng,
) -> Result<Dealt, DealError> {
    let custodians = custodians(options)?;
    check_shape(&custodians, options.threshold)?;
    let header = header_transcript(&options.context, options.threshold, &custodians);
    let mut hedge = match again {
        Some(s) => Hedge::new(&header, &[file_key.expose_secret(), &*s.encode()], rng),
        None => Hedge::new(&header, &[file_key.expose_secret()], rng),
    };
    let secret = SharedSecret::new(again.map_or_else(|| hedge.point(), |s| *s.point()));
    let d = hedge.scalar();
    let ephemeral = Element::from(RistrettoPoint::mul_base(&d));
    let degree = usize::from(options.threshold) - 1;
    let polynomial: Vec<_> = (0..degree).map(|_| hedge.scalar()).collect();
    let shares: Vec<Element> = custodians
        .iter()
        .enumerate()
        .map(|(i, c)| {
            let masked = RistrettoPoint::mul_base(&evaluate_secret(&polynomial, &at(i)));
            Element::from(secret.point() + masked + *d * c.key.element.point)
        })
        .collect();
    let second = options.hybrid.then(|| SecondSecret::draw(&mut hedge, degree));
    let mut dealing = Dealing {
        context: options.context.clone(),
        threshold: options.threshold,
        custodians,
        ephemeral,
        shares,
        proof: [0; 64],
        hybrid: Vec::new(),
    };
    if let Some(s2) = &second {
        // Sealed for this owner, object, body and these custodians: everything above is in their context.
        dealing.hybrid = hybrid_shares(s2, options.custodians, &ShareContext::of(&dealing), rng)?;
    }
    dealing.proof = prove(&dealing, &d, rng);
    let found = dealing.to_bytes().len();
    if found > CUSTODY_DEALING_BYTES_MAX {
        return Err(DealError::TooLarge { found });
    }
    let digest = dealing.digest();
    let wrapped = wrap(&secret, second.as_ref().map(SecondSecret::value), &digest, file_key);
    let recipient_content = recipient::content(&dealing, &digest, &secret, &d, rng);
    Ok(Dealt { dealing, wrapped, recipient_content, secret })
}

fn custodians(options: &DealOptions<'_>) -> Result<Vec<Custodian>, DealError> {
    let fits = |text: &str| text.len() <= TEXT_BYTES_MAX && is_one_line(text);
    options
        .custodians
        .iter()
        .map(|c| {
            if !fits(&c.name) || c.attributes.len() > ATTRIBUTES_MAX || !c.attributes.iter().all(|a| fits(a))
            {
                return Err(DealError::Text(c.name.clone()));
            }
            Ok(Custodian { name: c.name.clone(), key: c.key.key, attributes: c.attributes.clone() })
        })
        .collect()
}

/// DLEQ(d; G, D; U, V): every word of the dual code takes the shares to d times what it takes the keys to.
fn prove(dealing: &Dealing, d: &Scalar, rng: &mut impl CryptoRng) -> [u8; 64] {
    let mut t = dealing_transcript(dealing);
    let weights = weights(&mut t, dealing.custodians.len(), usize::from(dealing.threshold));
    let u = combine(&weights, dealing.custodians.iter().map(|c| &c.key.element));
    // The sum over the shares is d times U: the polynomial's part vanishes.
    let v = Element::from(d * u.point);
    dleq::prove(t, &Statement { g1: &generator(), y1: &dealing.ephemeral, g2: &u, y2: &v }, d, rng)
}

fn hybrid_shares(
    second: &SecondSecret,
    custodians: &[DealtCustodian],
    context: &ShareContext,
    rng: &mut impl CryptoRng,
) -> Result<Vec<HybridShare>, DealError> {
    custodians
        .iter()
        .enumerate()
        .map(|(i, c)| {
            let share: Zeroizing<[u8; 32]> = second.share(i);
            let info = context.info(i);
            let (enc, ciphertext) = sealed::seal(Kem::XWing, &c.key.kem, &info, &*share, rng)
                .expect("a custodian's key was checked when it was read");
            Ok(HybridShare {
                commitment: context.commitment(i, &share),
                enc,
                ciphertext: ciphertext.try_into().expect("32 bytes and a 16-byte tag"),
            })
        })
        .collect()
}
