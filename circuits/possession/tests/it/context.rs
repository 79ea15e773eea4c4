//! A proof of one challenge under any other.

use bailiwick_groth16::VerifyError as PairingError;
use bailiwick_possession_circuit::{ProverKey, VerifyError, prove, verify};
use bailiwick_protocol::challenge::Challenge;
use bailiwick_protocol::ids::{
    AuditorKey, CellRoot, ClassId, ContentId, HostKey, Nonce, ObjectId, OwnerKey, Unit, VkDigest,
};

use super::case::{body, challenge, drawn, openings, rng, tiny_key};

type Change = (&'static str, fn(&mut Challenge));

fn answered() -> (Challenge, [u8; 128]) {
    let bodies = [body(49_500, 1), body(3000, 2)];
    let c = challenge(ClassId::TINY, tiny_key().prepared().digest(), &bodies);
    let proof =
        prove(tiny_key(), &c, &drawn(&c), openings(&c, &bodies), &mut rng(5), &mut |_| ()).expect("honest");
    (c, proof)
}

/// Z06: every field of the challenge, one at a time: host, file, round, class, auditor, nonce, and all of a target.
#[test]
fn z06_a_proof_answers_its_own_challenge_only() {
    let (honest, proof) = answered();
    assert_eq!(verify(tiny_key().prepared(), &honest, &drawn(&honest), &proof), Ok(()));
    let changes: [Change; 16] = [
        ("host", |c| c.host = HostKey([3; 32])),
        ("epoch", |c| c.epoch += 1),
        ("auditor", |c| c.auditor = AuditorKey([9; 32])),
        ("nonce", |c| c.nonce = Nonce([6; 32])),
        ("samples", |c| c.class.samples = 2),
        ("depth", |c| c.class.depth = 4),
        ("owner", |c| c.targets[0].name.owner = OwnerKey([8; 32])),
        ("object", |c| c.targets[1].name.object = ObjectId([0x77; 16])),
        ("replica", |c| c.targets[0].name.unit = Unit { replica: 1, ..Unit::WHOLE }),
        ("generation", |c| c.targets[0].generation += 1),
        ("content", |c| c.targets[0].blake3 = ContentId([1; 32])),
        ("size", |c| c.targets[0].size += 1),
        ("root", |c| c.targets[0].root = CellRoot([5; 32])),
        ("cells", |c| {
            c.targets[0].size += 496;
            c.targets[0].cells += 1;
        }),
        ("a target less", |c| c.targets.truncate(1)),
        ("order of targets", |c| c.targets.swap(0, 1)),
    ];
    for (what, change) in changes {
        let mut other = honest.clone();
        change(&mut other);
        let refused = verify(tiny_key().prepared(), &other, &drawn(&other), &proof);
        assert_eq!(refused, Err(VerifyError::False(PairingError::False)), "{what}");
    }
}

/// Z10: a key other than the challenge's is refused by digest, before the pairing; renaming it does not help.
#[test]
fn z10_a_key_of_another_set_up_is_refused() {
    let (honest, proof) = answered();
    let other = ProverKey::development(ClassId::TINY, &mut |_| ()).expect("set-up");
    let found = other.prepared().digest();
    let refused = VerifyError::WrongKey { expected: honest.vk, found };
    assert_eq!(verify(other.prepared(), &honest, &drawn(&honest), &proof), Err(refused));
    let renamed = Challenge { vk: found, ..honest.clone() };
    assert_eq!(
        verify(other.prepared(), &renamed, &drawn(&renamed), &proof),
        Err(VerifyError::False(PairingError::False))
    );
    let unknown = Challenge { vk: VkDigest([0; 32]), ..honest };
    assert!(matches!(
        verify(tiny_key().prepared(), &unknown, &drawn(&unknown), &proof),
        Err(VerifyError::WrongKey { .. })
    ));
}

/// Challenges without a statement: cells that do not fit size or class, a root above the modulus, no targets.
#[test]
fn challenges_without_a_statement_are_refused() {
    let (honest, proof) = answered();
    let changes: [fn(&mut Challenge); 6] = [
        |c| c.targets.clear(),
        |c| c.targets[0].cells = 0,
        |c| c.targets[0].cells += 1,
        |c| {
            c.targets[0].size = 257 * 496;
            c.targets[0].cells = 257;
        },
        |c| c.targets[0].root = CellRoot([0xff; 32]),
        |c| c.class.samples = 0,
    ];
    for change in changes {
        let mut other = honest.clone();
        change(&mut other);
        assert!(matches!(
            verify(tiny_key().prepared(), &other, &drawn(&other), &proof),
            Err(VerifyError::Statement(_))
        ));
    }
}

/// Z14–Z19 through this crate's door: bytes that are no proof.
#[test]
fn malformed_proofs_are_refused() {
    let (honest, proof) = answered();
    let mut infinity = proof;
    infinity[31] = (infinity[31] & 0x3f) | 0x40;
    for bytes in [[0; 128], [0xff; 128], infinity] {
        assert!(matches!(
            verify(tiny_key().prepared(), &honest, &drawn(&honest), &bytes),
            Err(VerifyError::Malformed(_))
        ));
    }
}
