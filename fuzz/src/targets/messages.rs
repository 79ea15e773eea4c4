//! Messages in canonical CBOR.

use bailiwick_protocol::beacon::BeaconRound;
use bailiwick_protocol::bundle::{Answer, Bundle, NoAnswer, ProbeOutcome, RangeOutcome, SignedBundle};
use bailiwick_protocol::challenge::{
    CannotProve, Challenge, Response, SignedChallenge, SignedResponse, Target,
};
use bailiwick_protocol::codec::Canonical;
use bailiwick_protocol::envelope::{
    BODY_FORMAT_COBBLESTONE_256, BodyInfo, CellCommitment, Envelope, Kem, RecipientEntry, Role, SUITE,
    SignedEnvelope,
};
use bailiwick_protocol::ids::{
    AuditorKey, CellRoot, ChallengeDigest, ClassId, ContentId, HostKey, InventoryRoot, Nonce, ObjectId,
    OwnerKey, Unit, VkDigest,
};
use bailiwick_protocol::inventory::InventoryTarget;
use bailiwick_protocol::secret::Secret;
use bailiwick_protocol::signing::SigningKey;

/// What is accepted encodes to the very bytes it came from.
pub(super) fn canonical<T: Canonical>(data: &[u8]) -> bool {
    let Ok(message) = T::from_bytes(data) else { return false };
    assert_eq!(message.to_bytes(), data, "{} has a second encoding", T::WHAT);
    true
}

pub(super) fn envelope(data: &[u8]) -> bool {
    canonical::<Envelope>(data)
}

/// Also: a change of any byte does not pass under the key that signed the seed, unless it is the seed.
pub(super) fn signed_envelope(data: &[u8]) -> bool {
    let Ok(signed) = SignedEnvelope::from_bytes(data) else { return false };
    assert_eq!(signed.to_bytes(), data, "a signed envelope has a second encoding");
    if signed.verify(&key(1).public()).is_ok() {
        assert!(signed_envelope_seeds().iter().any(|s| s == data), "a forged envelope verifies");
    }
    true
}

pub(super) fn challenge(data: &[u8]) -> bool {
    let accepted = canonical::<Challenge>(data);
    // What decodes can be drawn from: no overflow, every slot inside its target.
    if let Ok(c) = Challenge::from_bytes(data)
        && c.inventory.is_none()
    {
        let drawn = bailiwick_possession::challenge::sampled(&c, &[]).expect("named objects need no leaves");
        assert_eq!(drawn.slots.len(), usize::from(c.class.samples));
        assert!(drawn.slots.iter().all(|s| s.cell < c.targets[s.target].cells), "a slot outside its target");
    }
    accepted
}

pub(super) fn response(data: &[u8]) -> bool {
    canonical::<Response>(data)
}

pub(super) fn bundle(data: &[u8]) -> bool {
    canonical::<SignedBundle>(data)
        && SignedBundle::from_bytes(data).is_ok_and(|b| canonical::<Bundle>(b.payload()))
}

pub(super) fn key(seed: u8) -> SigningKey {
    SigningKey::from_seed(&Secret::init_with(|b| b.fill(seed)))
}

fn envelope_of(generation: u64, recipients: &[Kem], committed: bool) -> Envelope {
    let size: u64 = 56 + 16_400 + 500;
    let entry = |kem: Kem| RecipientEntry {
        kem,
        key_id: (kem == Kem::XWing).then_some([7; 8]),
        enc: vec![5; kem.enc_bytes()],
        ciphertext: vec![6; 48],
        role: Role::FileKey,
    };
    Envelope {
        suite: SUITE,
        owner: OwnerKey(key(1).public()),
        object: ObjectId([2; 16]),
        unit: Unit::WHOLE,
        body: BodyInfo {
            format: BODY_FORMAT_COBBLESTONE_256,
            salt: [3; 24],
            key_commitment: [4; 32],
            size,
            blake3: ContentId([8; 32]),
        },
        further_commitments: Vec::new(),
        shards: None,
        passphrase: None,
        custody: None,
        policy: None,
        commitment: committed.then(|| CellCommitment { root: CellRoot([9; 32]), cells: size.div_ceil(496) }),
        generation,
        recipients: recipients.iter().map(|k| entry(*k)).collect(),
    }
}

pub(super) fn envelopes() -> Vec<Envelope> {
    vec![
        envelope_of(1, &[], false),
        envelope_of(2, &[Kem::X25519], true),
        envelope_of(u64::MAX, &[Kem::XWing, Kem::X25519, Kem::X25519], true),
    ]
}

fn challenge_of() -> Challenge {
    Challenge {
        class: ClassId::SMALL,
        vk: VkDigest([1; 32]),
        host: HostKey(key(2).public()),
        targets: envelopes().iter().skip(2).filter_map(Target::of).collect(),
        inventory: None,
        epoch: 3,
        beacon: None,
        auditor: AuditorKey(key(3).public()),
        nonce: Nonce([5; 32]),
    }
}

fn responses() -> Vec<Response> {
    let challenge = ChallengeDigest([1; 32]);
    vec![
        Response { challenge, outcome: Ok(vec![2; 128]) },
        Response { challenge, outcome: Err(CannotProve::CellsUnavailable) },
        Response { challenge, outcome: Err(CannotProve::ObjectUnknown) },
    ]
}

pub(super) fn envelope_seeds() -> Vec<Vec<u8>> {
    envelopes().iter().map(Canonical::to_bytes).collect()
}

pub(super) fn signed_envelope_seeds() -> Vec<Vec<u8>> {
    envelopes().iter().map(|e| SignedEnvelope::new(e, &key(1)).to_bytes()).collect()
}

pub(super) fn challenge_seeds() -> Vec<Vec<u8>> {
    let inventory = InventoryTarget { root: InventoryRoot([8; 32]), leaves: 3, cells: 900 };
    let beacon = BeaconRound { chain: [1; 32], round: 5, signature: [2; 48] };
    let of_inventory =
        Challenge { targets: Vec::new(), inventory: Some(inventory), beacon: Some(beacon), ..challenge_of() };
    vec![challenge_of().to_bytes(), of_inventory.to_bytes()]
}

pub(super) fn response_seeds() -> Vec<Vec<u8>> {
    responses().iter().map(Canonical::to_bytes).collect()
}

pub(super) fn bundles() -> Vec<Bundle> {
    let answers = [
        Answer::Response(SignedResponse::new(&responses()[0], &key(2))),
        Answer::Response(SignedResponse::new(&responses()[1], &key(2))),
        Answer::None(NoAnswer::TimedOut),
    ];
    let range =
        RangeOutcome { target: 0, offset: 0, length: 126_976, outcome: ProbeOutcome::Good, elapsed_ms: 3 };
    let bundle = |answer| Bundle {
        auditor: AuditorKey(key(3).public()),
        challenge: SignedChallenge::new(&challenge_of(), &key(3)),
        envelopes: vec![SignedEnvelope::new(&envelopes()[2], &key(1))],
        inventory: None,
        answer,
        ranges: vec![range.clone()],
        asked_unix_ms: 10,
        answered_unix_ms: 20,
    };
    answers.into_iter().map(bundle).collect()
}

pub(super) fn bundle_seeds() -> Vec<Vec<u8>> {
    bundles().iter().map(|b| SignedBundle::new(b, &key(3)).to_bytes()).collect()
}
