//! Proof files and the policy they are judged by.

use bailiwick_translog::{
    CheckpointError, Hash, LogPolicy, MerkleError, NoteError, NoteSigner, PROOF_BYTES_MAX, PolicyError,
    ProofError, SignatureKind, SignedCheckpoint, TlogProof, TlogProofError, Verified, cosign, verify_growth,
    verify_proof,
};
use proptest::prelude::*;

use super::fixture::{entry, key, log_of, log_signer, signer, tree, witness};

/// The proof of entry `index` of `size`, cosigned by `witnesses` at the times beside them.
fn proof_of(index: u64, size: u64, witnesses: &[(u8, u64)]) -> TlogProof {
    let (memory, log) = log_of(size);
    let mut note = log.head().note().to_text();
    for (number, time) in witnesses {
        note += &cosign(log.head(), &witness(*number), *time).unwrap().to_line();
    }
    let path = tree(&memory, size).inclusion(index, size).unwrap();
    TlogProof { extra: None, index, path, checkpoint: note.into_bytes() }
}

fn policy(witnesses: &[u8], quorum: usize) -> LogPolicy {
    LogPolicy::new(key(&log_signer()), witnesses.iter().map(|w| key(&witness(*w))).collect(), quorum).unwrap()
}

fn judge(proof: &TlogProof, policy: &LogPolicy) -> Result<Verified, ProofError> {
    verify_proof(&proof.to_bytes(), &entry(proof.index), policy)
}

#[test]
fn an_honest_proof_says_index_size_root_and_witnesses() {
    let proof = proof_of(3, 10, &[(1, 100), (2, 200)]);
    let v = judge(&proof, &policy(&[1, 2, 3], 2)).unwrap();
    assert_eq!((v.index, v.size), (3, 10));
    assert_eq!(v.root, log_of(10).1.head().checkpoint().root);
    assert_eq!(v.witnessed, [("witness.example/w1".to_owned(), 100), ("witness.example/w2".to_owned(), 200)]);
    assert_eq!(TlogProof::parse(&proof.to_bytes()).unwrap(), proof);
    let with_extra = TlogProof { extra: Some(b"anything".to_vec()), ..proof };
    assert_eq!(judge(&with_extra, &policy(&[1, 2, 3], 2)).unwrap(), v);
}

/// T12: below quorum is "unwitnessed", a case of its own, and never a pass.
#[test]
fn t12_missing_cosignatures_are_unwitnessed() {
    let unwitnessed = |found, quorum| Err(ProofError::Unwitnessed { found, quorum });
    assert_eq!(judge(&proof_of(0, 3, &[]), &policy(&[1, 2], 1)), unwitnessed(0, 1));
    assert_eq!(judge(&proof_of(0, 3, &[(1, 5)]), &policy(&[1, 2], 2)), unwitnessed(1, 2));
    // One witness twice counts once; one that nobody knows counts for nothing.
    assert_eq!(judge(&proof_of(0, 3, &[(1, 5), (1, 6)]), &policy(&[1, 2], 2)), unwitnessed(1, 2));
    assert_eq!(judge(&proof_of(0, 3, &[(1, 5), (9, 6)]), &policy(&[1, 2], 2)), unwitnessed(1, 2));
    judge(&proof_of(0, 3, &[(1, 5), (2, 6)]), &policy(&[1, 2], 2)).unwrap();
    judge(&proof_of(0, 3, &[]), &policy(&[], 0)).unwrap();
}

/// T12: a policy in which one key counts twice, or asks for more than there are, is refused.
#[test]
fn t12_policies_that_make_no_sense_are_refused() {
    let new = |log: &NoteSigner, witnesses: &[&NoteSigner], quorum| {
        LogPolicy::new(key(log), witnesses.iter().map(|w| key(w)).collect(), quorum).map(|_| ())
    };
    let (log, w) = (log_signer(), witness(1));
    let other_name = signer("other.example", SignatureKind::Cosignature, 101);
    let same_name = signer("witness.example/w1", SignatureKind::Cosignature, 55);
    let log_as_witness = signer("w.example", SignatureKind::Cosignature, 1);
    for witnesses in [[&w, &w], [&w, &other_name], [&w, &same_name], [&w, &log_as_witness]] {
        assert!(matches!(new(&log, &witnesses, 2), Err(PolicyError::Repeated { .. })));
    }
    assert!(matches!(new(&w, &[], 0), Err(PolicyError::Kind { .. })));
    assert!(matches!(new(&log, &[&log], 0), Err(PolicyError::Kind { .. })));
    assert_eq!(new(&log, &[&w], 2), Err(PolicyError::Quorum { quorum: 2, witnesses: 1 }));
    new(&log, &[&w, &witness(2)], 2).unwrap();
}

/// T13: how old a proof is, is what its quorum says, not what one witness says.
#[test]
fn t13_stale_checkpoint_is_told_by_the_quorum() {
    let v = judge(&proof_of(0, 3, &[(1, 100), (2, 900), (3, 500)]), &policy(&[1, 2, 3], 2)).unwrap();
    assert_eq!(v.witnessed_at(1), Some(900));
    assert_eq!(v.witnessed_at(2), Some(500));
    assert_eq!(v.witnessed_at(3), Some(100));
    assert_eq!(v.witnessed_at(4), None);
    assert_eq!(v.witnessed_at(0), None);
}

/// T10: after a rotation the old log's proofs stay good for the old key alone, and the new log's for the new.
#[test]
fn t10_key_rotation_makes_another_log() {
    let proof = proof_of(1, 4, &[(1, 5)]);
    let successor = signer("log.example/audits-2", SignatureKind::Ed25519, 2);
    let successors = LogPolicy::new(key(&successor), vec![key(&witness(1))], 1).unwrap();
    judge(&proof, &policy(&[1], 1)).unwrap();
    assert_eq!(judge(&proof, &successors), Err(ProofError::Checkpoint(CheckpointError::Unsigned)));
    // The same name with a new key is no way to rotate either: the old key's checkpoints are not the new key's.
    let rekeyed = signer(log_signer().verifier().name(), SignatureKind::Ed25519, 2);
    let rekeyed = LogPolicy::new(key(&rekeyed), vec![key(&witness(1))], 1).unwrap();
    assert_eq!(judge(&proof, &rekeyed), Err(ProofError::Checkpoint(CheckpointError::Unsigned)));
}

/// T05, T04: another entry, another index, a path of another tree.
#[test]
fn t04_a_proof_of_something_else_is_refused() {
    let p = policy(&[1], 1);
    let proof = proof_of(3, 10, &[(1, 5)]);
    let bytes = proof.to_bytes();
    for wrong in [entry(2), b"".to_vec(), [entry(3), entry(3)].concat()] {
        assert_eq!(verify_proof(&bytes, &wrong, &p), Err(ProofError::Merkle(MerkleError::Root)));
    }
    let moved = TlogProof { index: 4, ..proof.clone() };
    assert_eq!(verify_proof(&moved.to_bytes(), &entry(3), &p), Err(ProofError::Merkle(MerkleError::Root)));
    let beyond = TlogProof { index: 10, ..proof.clone() };
    assert_eq!(verify_proof(&beyond.to_bytes(), &entry(3), &p), Err(ProofError::Merkle(MerkleError::Range)));
    let other = TlogProof { checkpoint: proof_of(3, 11, &[(1, 5)]).checkpoint, ..proof };
    assert!(matches!(judge(&other, &p), Err(ProofError::Merkle(_))));
}

#[test]
fn forms_that_are_no_proofs() {
    let good = String::from_utf8(proof_of(3, 10, &[]).to_bytes()).unwrap();
    let hash = Hash([1; 32]).to_base64();
    for (bad, error) in [
        (String::new(), TlogProofError::Header),
        (good.replace("@v1", "@v2"), TlogProofError::Header),
        (good.replace("@v1\n", "@v1\r\n"), TlogProofError::Header),
        (good.replace("index 3", "index 03"), TlogProofError::Index),
        (good.replace("index 3", "index -3"), TlogProofError::Index),
        (good.replace("index 3", "index"), TlogProofError::Index),
        (good.replace("index 3\n", ""), TlogProofError::Index),
        (good.replace("index 3", "extra \nextra \nindex 3"), TlogProofError::Index),
        (good.replace("index 3", "extra x\nindex 3"), TlogProofError::Extra),
        (good.replace("index 3\n", "index 3\nnot a hash\n"), TlogProofError::Path),
        (good.replace("index 3\n", &format!("index 3\n{hash} \n")), TlogProofError::Path),
        (
            good.replace("index 3\n", &format!("index 3\n{}", format!("{hash}\n").repeat(65))),
            TlogProofError::Path,
        ),
        (good[..30].to_owned(), TlogProofError::Index),
        ("x".repeat(PROOF_BYTES_MAX + 1), TlogProofError::TooLong),
    ] {
        assert_eq!(TlogProof::parse(bad.as_bytes()), Err(error), "{bad:.80}");
    }
    // Deciding about the checkpoint inside is another step.
    let truncated = good.split("\n\n").next().unwrap().to_owned() + "\n\n";
    assert_eq!(
        verify_proof(truncated.as_bytes(), &entry(3), &policy(&[], 0)),
        Err(ProofError::Checkpoint(CheckpointError::Note(NoteError::NoSignatures)))
    );
}

/// T01: two checkpoints of one size with two roots are evidence, not growth; honest growth verifies.
#[test]
fn t01_growth_between_checkpoints() {
    let (memory, log) = log_of(7);
    let old = log_of(4).1.head().clone();
    let path = tree(&memory, 7).consistency(4, 7).unwrap();
    verify_growth(&old, log.head(), &path).unwrap();
    let split = super::fixture::Memory::default();
    let mut split = bailiwick_translog::Log::create(split, log_signer()).unwrap();
    let fork: SignedCheckpoint = split.append(&[b"a", b"b", b"c", b"d"]).unwrap().checkpoint;
    assert_eq!(verify_growth(&old, &fork, &[]), Err(ProofError::Merkle(MerkleError::Root)));
    assert_eq!(verify_growth(log.head(), &old, &path), Err(ProofError::Merkle(MerkleError::Range)));
    assert!(matches!(verify_growth(&fork, log.head(), &path), Err(ProofError::Merkle(MerkleError::Root))));
}

proptest! {
    #[test]
    fn proofs_round_trip_or_are_refused(text in "(c2sp.org/tlog-proof@v1\n)?(extra [A-Za-z0-9+/=]{0,8}\n)?index [0-9]{1,21}\n(\n)?.{0,40}") {
        if let Ok(proof) = TlogProof::parse(text.as_bytes()) {
            prop_assert_eq!(proof.to_bytes(), text.into_bytes());
        }
    }

    /// T04: any flipped bit of a whole file: either it is refused, or only what nobody relies on has changed.
    #[test]
    fn t04_flipped_bits_of_a_file(at in any::<prop::sample::Index>(), bit in 0u8..8) {
        let p = policy(&[1, 2], 2);
        let good = proof_of(3, 10, &[(1, 5), (2, 6)]);
        let mut bytes = good.to_bytes();
        let at = at.index(bytes.len());
        bytes[at] ^= 1 << bit;
        prop_assert!(verify_proof(&bytes, &entry(3), &p).is_err());
    }
}
