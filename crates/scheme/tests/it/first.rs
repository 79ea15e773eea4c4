//! Scheme 1 through the boundary: what the crates behind it say, and nothing else.

use std::sync::OnceLock;

use bailiwick_possession::challenge::sampled;
use bailiwick_possession::tree::{BLOCK_BYTES, CellTree, block_len, commit};
use bailiwick_possession_circuit::ProverKey;
use bailiwick_protocol::challenge::{Challenge, Target};
use bailiwick_protocol::envelope::{COMMITMENT_SCHEME_CELL_TREE, Envelope};
use bailiwick_protocol::ids::{
    AuditorKey, ClassId, ContentId, HostKey, Nonce, ObjectId, OwnerKey, PkDigest, Unit, UnitName, VkDigest,
};
use bailiwick_scheme::{
    Held, KeyError, NotHeld, Phase, ProveFailure, ProvingKey, Question, Refused, Schemes, Shown,
};
use rand_chacha::ChaCha20Rng;
use rand_chacha::rand_core::SeedableRng;

fn body() -> Vec<u8> {
    let mut bytes = vec![0; 9_000];
    blake3::Hasher::new().finalize_xof().fill(&mut bytes);
    bytes
}

/// A host that holds the body above, or one block of it changed, or nothing.
enum Host {
    Honest,
    Rotten,
    Empty,
}

impl Held for Host {
    fn envelope(&mut self, _: &Target) -> Result<Envelope, NotHeld> {
        Err(NotHeld)
    }

    fn tree(&mut self, _: &Target) -> Result<CellTree, NotHeld> {
        if matches!(self, Self::Empty) { Err(NotHeld) } else { Ok(commit([body()]).unwrap()) }
    }

    fn block(&mut self, target: &Target, number: u64) -> Result<Vec<u8>, NotHeld> {
        let start = usize::try_from(number).unwrap() * BLOCK_BYTES;
        let mut block = body()[start..start + block_len(target.size, number)].to_vec();
        if matches!(self, Self::Rotten) {
            block.iter_mut().for_each(|b| *b ^= 1);
        }
        Ok(block)
    }
}

struct Files {
    vk: Vec<u8>,
    digest: VkDigest,
    pk: Vec<u8>,
    pk_digest: PkDigest,
}

fn files() -> &'static Files {
    static FILES: OnceLock<Files> = OnceLock::new();
    FILES.get_or_init(|| {
        let key = ProverKey::development(ClassId::TINY, &mut |_| {}).unwrap();
        let mut pk = Vec::new();
        let (digest, pk_digest) = key.write_to(&mut pk).unwrap();
        Files { vk: key.verifying_key().as_bytes().to_vec(), digest, pk, pk_digest }
    })
}

fn challenge(nonce: u8) -> Challenge {
    let tree = commit([body()]).unwrap();
    Challenge {
        class: ClassId::TINY,
        vk: files().digest,
        host: HostKey([1; 32]),
        targets: vec![Target {
            name: UnitName { owner: OwnerKey([2; 32]), object: ObjectId([3; 16]), unit: Unit::WHOLE },
            generation: 1,
            blake3: ContentId(blake3::hash(&body()).into()),
            size: 9_000,
            root: tree.root(),
            cells: tree.cells(),
        }],
        inventory: None,
        epoch: 0,
        beacon: None,
        auditor: AuditorKey([4; 32]),
        nonce: Nonce([nonce; 32]),
    }
}

fn prover() -> std::sync::Arc<dyn ProvingKey> {
    let scheme = Schemes::installed().by_id(COMMITMENT_SCHEME_CELL_TREE).unwrap().clone();
    scheme.proving_key(&mut std::io::Cursor::new(&files().pk), &files().pk_digest, ClassId::TINY).unwrap()
}

fn proof(challenge: &Challenge, host: &mut Host) -> Result<Vec<u8>, ProveFailure> {
    let drawn = sampled(challenge, &[]).unwrap();
    let mut phases = Vec::new();
    let mut rng = ChaCha20Rng::from_seed([5; 32]);
    let proof = prover().prove(challenge, &drawn, host, &mut rng, &mut |phase| phases.push(phase));
    if proof.is_ok() {
        assert!(phases.contains(&Phase::Reading(1.0)) && phases.last() == Some(&Phase::Proving));
    }
    proof
}

/// Each true proof is taken, each false one not, alone and together, in the order given.
#[test]
fn proofs_are_told_apart_alone_and_together() {
    let key = Schemes::installed().verifying_key(&files().vk, files().digest).unwrap();
    assert_eq!(
        (key.digest(), prover().verifying_key(), prover().class()),
        (files().digest, files().digest, ClassId::TINY)
    );
    let shown = |asked: u8, answered: u8| {
        let (asked, proof) = (challenge(asked), proof(&challenge(answered), &mut Host::Honest).unwrap());
        let drawn = sampled(&asked, &[]).unwrap();
        let question = Question { challenge: &asked, sampled: &drawn, envelopes: &[] };
        key.has_statement(&question).unwrap();
        key.shown(&question, &proof).unwrap()
    };
    let (good, other, false_one) = (shown(1, 1), shown(2, 2), shown(1, 2));
    let of_another_scheme = Shown::new(0u8);
    assert_eq!(key.verify(&[&good]), [true]);
    assert_eq!(key.verify(&[&false_one]), [false]);
    assert_eq!(key.verify(&[&of_another_scheme]), [false]);
    assert_eq!(key.verify(&[&good, &other]), [true, true]);
    let mixed = [&good, &of_another_scheme, &false_one, &other];
    assert_eq!(key.verify(&mixed), [true, false, false, true]);
}

#[test]
fn what_is_no_proof_and_what_has_no_statement_are_told_apart() {
    let key = Schemes::installed().verifying_key(&files().vk, files().digest).unwrap();
    let good = proof(&challenge(1), &mut Host::Honest).unwrap();
    let mut asked = challenge(1);
    let drawn = sampled(&asked, &[]).unwrap();
    for bad in [&good[..127], &[&good[..], &[0]].concat(), &[0xff; 128], &[]] {
        assert!(!key.is_proof(bad));
        let question = Question { challenge: &asked, sampled: &drawn, envelopes: &[] };
        assert!(matches!(key.shown(&question, bad), Err(Refused::NotAProof)));
    }
    assert!(key.is_proof(&good));
    // A root that is no element of the field: nobody could answer.
    asked.targets[0].root.0 = [0xff; 32];
    let drawn = sampled(&asked, &[]).unwrap();
    let question = Question { challenge: &asked, sampled: &drawn, envelopes: &[] };
    assert!(matches!(key.has_statement(&question), Err(Refused::NoStatement(_))));
    assert!(matches!(key.shown(&question, &good), Err(Refused::NoStatement(_))));
}

/// A loss is told apart from a fault, and neither gives a proof.
#[test]
fn a_host_that_lost_cells_gets_no_proof() {
    proof(&challenge(1), &mut Host::Honest).unwrap();
    assert!(matches!(proof(&challenge(1), &mut Host::Rotten), Err(ProveFailure::CellsUnavailable)));
    assert!(matches!(proof(&challenge(1), &mut Host::Empty), Err(ProveFailure::NotHeld(_))));
}

#[test]
fn keys_are_found_by_digest_and_decoded_after_it() {
    let schemes = Schemes::installed();
    assert!(matches!(schemes.verifying_key(&files().vk, VkDigest([0; 32])), Err(KeyError::Digest)));
    let cut = &files().vk[..40];
    assert!(matches!(schemes.verifying_key(cut, files().digest), Err(KeyError::Digest)));
    let first = schemes.by_id(COMMITMENT_SCHEME_CELL_TREE).unwrap();
    assert!(matches!(schemes.verifying_key(cut, first.key_digest(cut)), Err(KeyError::Refused(_))));
    assert!(schemes.of_key(&files().vk, files().digest).is_some());
    assert!(schemes.by_id(2).is_none());
    let mut changed = files().pk.clone();
    *changed.last_mut().unwrap() ^= 1;
    let wrong = first.proving_key(&mut std::io::Cursor::new(changed), &files().pk_digest, ClassId::TINY);
    assert!(wrong.unwrap_err().to_string().contains("digest"));
}

/// The commitment is the root that owners sign, whatever the pieces.
#[test]
fn the_committer_gives_the_signed_root() {
    let scheme = Schemes::installed().by_id(COMMITMENT_SCHEME_CELL_TREE).unwrap().clone();
    for piece in [1, 497, 9_000] {
        let mut committer = scheme.committer();
        body().chunks(piece).for_each(|bytes| committer.update(bytes));
        assert_eq!(committer.finish().unwrap(), commit([body()]).unwrap().root().as_bytes());
    }
    assert!(scheme.committer().finish().is_err(), "an empty body");
    assert!(!scheme.soundness().owner_secret && scheme.soundness().bits >= 100);
}
