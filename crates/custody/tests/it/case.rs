//! A dealing with everyone's secrets.

use std::collections::BTreeSet;

use bailiwick_custody::{
    Context, CustodianSecretKey, DealOptions, Dealing, Dealt, DealtCustodian, Request, Share,
    VerifiedDealing, deal, release,
};
use bailiwick_protocol::codec::Canonical as _;
use bailiwick_protocol::envelope::Kem;
use bailiwick_protocol::ids::{ObjectId, OwnerKey, RosterDigest};
use bailiwick_protocol::secret::Secret;
use rand::SeedableRng as _;
use rand::rngs::StdRng;

pub(super) const FILE_KEY: [u8; 32] = [0x5a; 32];

pub(super) fn rng(seed: u8) -> StdRng {
    StdRng::from_seed([seed; 32])
}

pub(super) fn secret32(bytes: [u8; 32]) -> Secret<32> {
    Secret::init_with(|b| b.copy_from_slice(&bytes))
}

pub(super) fn context() -> Context {
    Context {
        owner: OwnerKey([1; 32]),
        object: ObjectId([2; 16]),
        key_commitment: [3; 32],
        policy: Some([4; 32]),
        roster: RosterDigest([5; 32]),
        generation: 7,
    }
}

pub(super) struct Case {
    pub(super) keys: Vec<CustodianSecretKey>,
    pub(super) custodians: Vec<DealtCustodian>,
    pub(super) dealt: Dealt,
    /// The requester's secret, of an X-Wing key in hybrid mode and of an X25519 key else, and the rng that goes on.
    pub(super) requester: Secret<32>,
    pub(super) rng: StdRng,
}

pub(super) fn custodian(i: usize, key: &CustodianSecretKey) -> DealtCustodian {
    let country = ["JP", "CH", "NO", "BR", "ZA", "NZ", "CA", "IN"][i % 8];
    DealtCustodian {
        name: format!("Notary {i}"),
        key: key.public(),
        attributes: BTreeSet::from([country.to_owned(), format!("firm:Firm {i}")]),
    }
}

impl Case {
    pub(super) fn new(n: usize, threshold: u16) -> Self {
        Self::with(n, threshold, false, 1)
    }

    pub(super) fn with(n: usize, threshold: u16, hybrid: bool, seed: u8) -> Self {
        let mut rng = rng(seed);
        let keys: Vec<_> = (0..n).map(|_| CustodianSecretKey::generate(&mut rng)).collect();
        let custodians: Vec<_> = keys.iter().enumerate().map(|(i, k)| custodian(i, k)).collect();
        let options = DealOptions { context: context(), threshold, custodians: &custodians, hybrid };
        let dealt = deal(&options, &secret32(FILE_KEY), None, &mut rng).unwrap();
        Self { keys, custodians, dealt, requester: secret32([9; 32]), rng }
    }

    pub(super) fn verified(&self) -> VerifiedDealing {
        self.dealt.dealing.clone().verify().unwrap()
    }

    pub(super) fn bytes(&self) -> Vec<u8> {
        self.dealt.dealing.to_bytes()
    }

    pub(super) fn request(&mut self) -> Request {
        let (kem, key) = if self.dealt.dealing.is_hybrid() {
            (Kem::XWing, super::own_dealer::xwing(self.requester.expose_secret()))
        } else {
            (Kem::X25519, x25519(&self.requester).to_vec())
        };
        Request::new(&self.verified(), kem, &key, &mut self.rng).unwrap()
    }

    /// Checked shares of these custodians.
    pub(super) fn shares(&mut self, of: &[usize]) -> Vec<Share> {
        let (verified, request) = (self.verified(), self.request());
        of.iter()
            .map(|i| {
                let release = release(&verified, &request, &self.keys[*i], &mut self.rng).unwrap();
                release.check(&verified, &request, &self.requester).unwrap()
            })
            .collect()
    }
}

pub(super) fn x25519(secret: &Secret<32>) -> [u8; 32] {
    let secret = x25519_dalek::StaticSecret::from(*secret.expose_secret());
    x25519_dalek::PublicKey::from(&secret).to_bytes()
}

/// `bytes` with the one place that holds `old` holding `new`; lengths agree, so the CBOR around it stays sound.
pub(super) fn exchange(bytes: &[u8], old: &[u8], new: &[u8]) -> Vec<u8> {
    assert_eq!(old.len(), new.len());
    let places: Vec<_> =
        bytes.windows(old.len()).enumerate().filter(|(_, w)| *w == old).map(|(i, _)| i).collect();
    assert_eq!(places.len(), 1, "expected once, found {}", places.len());
    let mut out = bytes.to_vec();
    out[places[0]..places[0] + old.len()].copy_from_slice(new);
    out
}

pub(super) fn reread(bytes: &[u8]) -> Dealing {
    Dealing::from_bytes(bytes).unwrap()
}
