//! Dealings, requests, releases and receipts of custody.

use std::collections::BTreeSet;
use std::sync::OnceLock;

use bailiwick_custody::{
    Context, CustodianPublicKey, CustodianSecretKey, DealOptions, Dealing, DealtCustodian, Receipt, Release,
    ReleaseEntry, ReleaseRecord, Request, VerifiedDealing, deal, release,
};
use bailiwick_protocol::codec::Canonical;
use bailiwick_protocol::envelope::Kem;
use bailiwick_protocol::ids::{ObjectId, OwnerKey, RosterDigest};
use bailiwick_protocol::secret::Secret;
use rand_chacha::ChaCha20Rng;
use rand_core::SeedableRng as _;

/// Three custodians, a dealing in each mode, and a request.
struct World {
    keys: Vec<CustodianSecretKey>,
    dealings: [Vec<u8>; 2],
    verified: VerifiedDealing,
    request: Request,
    requester: Secret<32>,
}

fn fixed(byte: u8) -> Secret<32> {
    Secret::init_with(|b| b.fill(byte))
}

fn world() -> &'static World {
    static WORLD: OnceLock<World> = OnceLock::new();
    WORLD.get_or_init(|| {
        let mut rng = ChaCha20Rng::from_seed([5; 32]);
        let keys: Vec<_> = (1..4).map(|i| CustodianSecretKey::from_bytes(fixed(i))).collect();
        let custodians: Vec<_> = keys
            .iter()
            .zip(["JP", "CH", "NO"])
            .map(|(key, law)| DealtCustodian {
                name: format!("notary in {law}"),
                key: key.public(),
                attributes: BTreeSet::from([law.to_owned(), "firm:F".to_owned()]),
            })
            .collect();
        let mut dealt = |policy, hybrid| {
            let context = Context {
                owner: OwnerKey([1; 32]),
                object: ObjectId([2; 16]),
                key_commitment: [3; 32],
                policy,
                roster: RosterDigest([4; 32]),
                generation: 2,
            };
            let options = DealOptions { context, threshold: 2, custodians: &custodians, hybrid };
            deal(&options, &fixed(9), None, &mut rng).expect("a dealing of three").dealing
        };
        let classical = dealt(Some([5; 32]), false);
        let hybrid = dealt(None, true);
        let dealings = [classical.to_bytes(), hybrid.to_bytes()];
        let verified = hybrid.verify().expect("just dealt");
        let requester = fixed(200);
        let key =
            bailiwick_envelope::RecipientSecretKey::from_bytes(Kem::XWing, fixed(200)).expect("any 32 bytes");
        let request =
            Request::new(&verified, Kem::XWing, key.public().as_bytes(), &mut rng).expect("a sound key");
        World { keys, dealings, verified, request, requester }
    })
}

fn canonical<T: Canonical>(data: &[u8]) -> Option<T> {
    let message = T::from_bytes(data).ok()?;
    assert_eq!(message.to_bytes(), data);
    Some(message)
}

/// What was not dealt by the dealer of this world does not verify.
pub(super) fn dealing(data: &[u8]) -> bool {
    let Some(dealing) = canonical::<Dealing>(data) else { return false };
    let ours = world().dealings.iter().any(|d| d == data);
    assert_eq!(dealing.verify().is_ok(), ours);
    true
}

pub(super) fn request(data: &[u8]) -> bool {
    canonical::<Request>(data).is_some()
}

/// A release is accepted only as it was made.
pub(super) fn released(data: &[u8]) -> bool {
    let Some(release) = canonical::<Release>(data) else { return false };
    let w = world();
    let accepted = release.check(&w.verified, &w.request, &w.requester).is_ok();
    assert_eq!(accepted, release_seeds().iter().any(|s| s == data));
    true
}

pub(super) fn receipt(data: &[u8]) -> bool {
    let Some(receipt) = canonical::<Receipt>(data) else { return false };
    assert_eq!(receipt.verify(&world().verified).is_ok(), receipt_seeds().iter().any(|s| s == data));
    true
}

/// A record holds only as its custodian signed it.
pub(super) fn record(data: &[u8]) -> bool {
    let Some(entry) = canonical::<ReleaseEntry>(data) else { return false };
    assert_eq!(entry.verify(&world().verified).is_ok(), record_seeds().iter().any(|s| s == data));
    true
}

pub(super) fn custodian_key(data: &[u8]) -> bool {
    let Ok(key) = CustodianPublicKey::from_bytes(data) else { return false };
    assert_eq!(key.to_bytes(), data);
    true
}

pub(super) fn dealing_seeds() -> Vec<Vec<u8>> {
    world().dealings.to_vec()
}

pub(super) fn request_seeds() -> Vec<Vec<u8>> {
    vec![world().request.to_bytes()]
}

pub(super) fn release_seeds() -> Vec<Vec<u8>> {
    static SEEDS: OnceLock<Vec<Vec<u8>>> = OnceLock::new();
    let make = || {
        let w = world();
        let mut rng = ChaCha20Rng::from_seed([6; 32]);
        let made = |key| release(&w.verified, &w.request, key, &mut rng).expect("a custodian").to_bytes();
        w.keys.iter().map(made).collect()
    };
    SEEDS.get_or_init(make).clone()
}

pub(super) fn receipt_seeds() -> Vec<Vec<u8>> {
    let w = world();
    w.keys.iter().map(|k| Receipt::sign(&w.verified, k).expect("a custodian").to_bytes()).collect()
}

pub(super) fn record_seeds() -> Vec<Vec<u8>> {
    let w = world();
    let one = |(key, bytes): (&CustodianSecretKey, Vec<u8>)| {
        let made = Release::from_bytes(&bytes).expect("just made");
        ReleaseRecord::of(&made, &w.request, 1_700_000_000_000).sign(key).to_bytes()
    };
    w.keys.iter().zip(release_seeds()).map(one).collect()
}

pub(super) fn custodian_key_seeds() -> Vec<Vec<u8>> {
    world().keys.iter().map(|k| k.public().to_bytes()).collect()
}
