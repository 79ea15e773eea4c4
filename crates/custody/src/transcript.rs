//! merlin transcripts: what is absorbed, what is drawn, and nonces that survive a bad generator.
//!
//! Challenges are 64 squeezed bytes, reduced: their distance from uniform is below 2^-250. merlin's own `TranscriptRng` is never used:
//! it wants a generator of an older interface.

use bailiwick_protocol::labels::Label;
use curve25519_dalek::ristretto::RistrettoPoint;
use curve25519_dalek::scalar::Scalar;
use merlin::Transcript;
use rand_core::CryptoRng;
use zeroize::Zeroizing;

use crate::point::Element;

/// An empty transcript of one use.
pub(crate) fn transcript(label: Label) -> Transcript {
    Transcript::new(label.as_bytes())
}

pub(crate) trait TranscriptExt {
    fn append_element(&mut self, label: &'static [u8], element: &Element);
    fn draw_scalar(&mut self, label: &'static [u8]) -> Scalar;
}

impl TranscriptExt for Transcript {
    fn append_element(&mut self, label: &'static [u8], element: &Element) {
        self.append_message(label, &element.bytes);
    }

    fn draw_scalar(&mut self, label: &'static [u8]) -> Scalar {
        let mut wide = [0; 64];
        self.challenge_bytes(label, &mut wide);
        Scalar::from_bytes_mod_order_wide(&wide)
    }
}

/// Secret scalars drawn from a fork of the public transcript, the secret itself and 32 bytes of the generator.
///
/// With a generator that repeats itself, two different statements still get different nonces; with one that an attacker knows,
/// the secret keeps them unknown. The fork is wiped on drop (merlin does so).
pub(crate) struct Hedge(Transcript);

impl Hedge {
    pub(crate) fn new(public: &Transcript, secrets: &[&[u8]], rng: &mut impl CryptoRng) -> Self {
        let mut fork = public.clone();
        fork.append_message(b"fork", Label::CustodyNonce.as_bytes());
        for secret in secrets {
            fork.append_message(b"secret", secret);
        }
        let mut fresh = Zeroizing::new([0; 32]);
        rng.fill_bytes(&mut *fresh);
        fork.append_message(b"fresh", &*fresh);
        Self(fork)
    }

    /// From secret and statement alone, for a proof that is made once and for all (as RFC 8032 does).
    pub(crate) fn deterministic(public: &Transcript, secret: &[u8]) -> Self {
        let mut fork = public.clone();
        fork.append_message(b"fork", Label::CustodyNonce.as_bytes());
        fork.append_message(b"only-secret", secret);
        Self(fork)
    }

    fn wide(&mut self) -> Zeroizing<[u8; 64]> {
        let mut wide = Zeroizing::new([0; 64]);
        self.0.challenge_bytes(b"nonce", &mut *wide);
        wide
    }

    pub(crate) fn scalar(&mut self) -> Zeroizing<Scalar> {
        Zeroizing::new(Scalar::from_bytes_mod_order_wide(&self.wide()))
    }

    /// A uniform element whose discrete logarithm nobody knows (RFC 9496 section 4.3.4).
    pub(crate) fn point(&mut self) -> RistrettoPoint {
        RistrettoPoint::from_uniform_bytes(&self.wide())
    }
}
