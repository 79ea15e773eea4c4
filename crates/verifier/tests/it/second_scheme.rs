//! A second possession scheme, from commitment to verdict, without a change to the verifier: the auditor keeps a notebook of
//! cell hashes, the owner signs its digest, the host answers with the drawn cell itself. Sound, and hides nothing.

use std::collections::BTreeMap;
use std::sync::Arc;

use bailiwick_possession::challenge::{Sampled, sampled};
use bailiwick_possession::tree::{BLOCK_BYTES, CELLS_PER_BLOCK, CellTree, block_len, commit};
use bailiwick_protocol::bundle::Answer;
use bailiwick_protocol::challenge::{Challenge, Response, SignedChallenge, SignedResponse, Target};
use bailiwick_protocol::envelope::{CELL_BYTES, Envelope, FurtherCommitment};
use bailiwick_protocol::ids::{ClassId, ObjectId, PkDigest, VkDigest};
use bailiwick_scheme::{
    Committer, Held, KeyRefused, KeySource, NoCommitment, NotHeld, Phase, ProveFailure, ProvingKey,
    ProvingKeyError, Question, Refused, Scheme, Schemes, Shown, Soundness, VerifyingKey,
};
use bailiwick_verifier::{AssumptionCode, ClaimReport, Inputs, ReasonCode, Verdict, verify_under};
use rand_chacha::ChaCha20Rng;
use rand_chacha::rand_core::{CryptoRng, SeedableRng};

use crate::world::{
    Scene, anchored_key, body, challenge_for, envelopes, key, principals, set_up_by, signed_envelope,
};

const NOTEBOOK: u64 = 77;
const CELL: usize = 496;
const _: () = assert!(CELL_BYTES == CELL as u64);

fn index(n: u64) -> usize {
    usize::try_from(n).unwrap()
}

type Hashes = Vec<[u8; 32]>;

#[derive(Debug)]
struct Notebook;

/// Digest of a body's cell hashes: what its owner signs.
fn digest_of(cells: &[[u8; 32]]) -> Vec<u8> {
    blake3::hash(cells.as_flattened()).as_bytes().to_vec()
}

#[derive(Default)]
struct Hashing(Vec<u8>);

impl Hashing {
    fn hashes(&self) -> Hashes {
        self.0.chunks(CELL).map(|cell| *blake3::hash(cell).as_bytes()).collect()
    }
}

impl Committer for Hashing {
    fn update(&mut self, bytes: &[u8]) {
        self.0.extend_from_slice(bytes);
    }

    fn finish(self: Box<Self>) -> Result<Vec<u8>, NoCommitment> {
        Ok(digest_of(&self.hashes()))
    }
}

impl Scheme for Notebook {
    fn id(&self) -> u64 {
        NOTEBOOK
    }

    fn name(&self) -> &'static str {
        "notebook of cell hashes"
    }

    fn committer(&self) -> Box<dyn Committer> {
        Box::<Hashing>::default()
    }

    fn key_digest(&self, key: &[u8]) -> VkDigest {
        VkDigest(blake3::derive_key("test notebook", key))
    }

    fn verifying_key(&self, key: &[u8]) -> Result<Arc<dyn VerifyingKey>, KeyRefused> {
        let mut pages = BTreeMap::new();
        let mut left = key;
        while let Some((head, rest)) = left.split_first_chunk::<17>() {
            let cells = usize::from(head[16]);
            let (hashes, rest) =
                rest.split_at_checked(32 * cells).ok_or_else(|| KeyRefused("a torn page".into()))?;
            pages.insert(ObjectId(head[..16].try_into().unwrap()), hashes.as_chunks::<32>().0.to_vec());
            left = rest;
        }
        Ok(Arc::new(Pages { digest: self.key_digest(key), pages }))
    }

    fn soundness(&self) -> Soundness {
        Soundness {
            bits: 128,
            basis: "collisions of BLAKE3",
            assumption: "nobody finds two cells with one hash",
            owner_secret: false,
        }
    }

    fn proving_key(
        &self,
        _: &mut dyn KeySource,
        _: &PkDigest,
        _: ClassId,
    ) -> Result<Arc<dyn ProvingKey>, ProvingKeyError> {
        Ok(Arc::new(Reveal))
    }
}

#[derive(Debug)]
struct Pages {
    digest: VkDigest,
    pages: BTreeMap<ObjectId, Hashes>,
}

/// The hash the drawn cell has to have, and the cell that came.
struct Revealed([u8; 32], Vec<u8>);

impl Pages {
    fn wanted(&self, question: &Question<'_>) -> Result<[u8; 32], Refused> {
        let none = |why: &str| Refused::NoStatement(why.into());
        let slot = question.sampled.slots.first().ok_or_else(|| none("nothing is drawn"))?;
        let envelope = question.envelopes.get(slot.target).and_then(Option::as_ref);
        let envelope = envelope.ok_or_else(|| Refused::Unknown("no envelope of the drawn object".into()))?;
        let page = self.pages.get(&envelope.object).ok_or_else(|| none("the notebook has no such object"))?;
        if envelope.further_commitment(NOTEBOOK) != Some(&digest_of(page)) {
            return Err(none("the owner did not sign this page of the notebook"));
        }
        page.get(index(slot.cell)).copied().ok_or_else(|| none("the page is too short"))
    }
}

impl VerifyingKey for Pages {
    fn digest(&self) -> VkDigest {
        self.digest
    }

    fn has_statement(&self, question: &Question<'_>) -> Result<(), Refused> {
        self.wanted(question).map(drop)
    }

    fn is_proof(&self, proof: &[u8]) -> bool {
        (1..=CELL).contains(&proof.len())
    }

    fn shown(&self, question: &Question<'_>, proof: &[u8]) -> Result<Shown, Refused> {
        let wanted = self.wanted(question)?;
        if !self.is_proof(proof) {
            return Err(Refused::NotAProof);
        }
        Ok(Shown::new(Revealed(wanted, proof.to_vec())))
    }

    fn verify(&self, shown: &[&Shown]) -> Vec<bool> {
        let holds = |r: &Revealed| blake3::hash(&r.1) == r.0;
        shown.iter().map(|s| s.get().is_some_and(holds)).collect()
    }
}

#[derive(Debug)]
struct Reveal;

impl ProvingKey for Reveal {
    fn verifying_key(&self) -> VkDigest {
        VkDigest([0; 32])
    }

    fn class(&self) -> ClassId {
        ClassId::TINY
    }

    fn prove(
        &self,
        _: &Challenge,
        sampled: &Sampled,
        held: &mut dyn Held,
        _: &mut dyn CryptoRng,
        _: &mut dyn FnMut(Phase),
    ) -> Result<Vec<u8>, ProveFailure> {
        let slot = sampled.slots[0];
        let block = held.block(&sampled.targets[slot.target], slot.cell / CELLS_PER_BLOCK as u64)?;
        Ok(block.chunks(CELL).nth(index(slot.cell) % CELLS_PER_BLOCK).unwrap().to_vec())
    }
}

/// A host that holds the bodies of the scene.
struct Host;

impl Held for Host {
    fn envelope(&mut self, _: &Target) -> Result<Envelope, NotHeld> {
        Err(NotHeld)
    }

    fn tree(&mut self, target: &Target) -> Result<CellTree, NotHeld> {
        commit([body(target.name.object.0[0], index(target.size))]).map_err(|_| NotHeld)
    }

    fn block(&mut self, target: &Target, number: u64) -> Result<Vec<u8>, NotHeld> {
        let start = index(number) * BLOCK_BYTES;
        let all = body(target.name.object.0[0], index(target.size));
        Ok(all[start..start + block_len(target.size, number)].to_vec())
    }
}

fn committed() -> (Vec<Envelope>, Vec<u8>) {
    let (mut list, mut notebook) = (envelopes(), Vec::new());
    for e in &mut list {
        let bytes = body(e.object.0[0], index(e.body.size));
        let mut committer = Notebook.committer();
        bytes.chunks(1000).for_each(|piece| committer.update(piece));
        let value = committer.finish().unwrap();
        e.further_commitments = vec![FurtherCommitment { scheme: NOTEBOOK, value }];
        let hashes = Hashing(bytes).hashes();
        notebook.extend_from_slice(e.object.as_bytes());
        notebook.push(u8::try_from(hashes.len()).unwrap());
        notebook.extend_from_slice(hashes.as_flattened());
    }
    (list, notebook)
}

fn answered(envelopes: &[Envelope], notebook: Vec<u8>, proof: impl FnOnce(Vec<u8>) -> Vec<u8>) -> Scene {
    let digest = Notebook.key_digest(&notebook);
    let challenge = challenge_for(envelopes, digest);
    let prover = Notebook.proving_key(&mut std::io::empty(), &PkDigest([0; 32]), ClassId::TINY).unwrap();
    let drawn = sampled(&challenge, &[]).unwrap();
    let mut rng = ChaCha20Rng::from_seed([0; 32]);
    let honest = prover.prove(&challenge, &drawn, &mut Host, &mut rng, &mut |_| {}).unwrap();
    let mut s = Scene::honest();
    s.anchors = principals() + &anchored_key(digest, &set_up_by("auditor"));
    s.keys = [(digest, notebook)].into();
    s.bundle.challenge = SignedChallenge::new(&challenge, &key("auditor"));
    s.bundle.envelopes = envelopes.iter().map(signed_envelope).collect();
    let response = Response { challenge: challenge.digest(), outcome: Ok(proof(honest)) };
    s.bundle.answer = Answer::Response(SignedResponse::new(&response, &key("host")));
    s
}

fn stored(s: &Scene, schemes: &Schemes) -> ClaimReport {
    let report = verify_under(
        &Inputs {
            bundle: &s.bytes(),
            policy: &s.policy,
            anchors: &s.anchors,
            verifying_keys: &s.keys,
            now_unix_ms: s.now,
        },
        schemes,
    )
    .unwrap();
    report.claim(bailiwick_verifier::Claim::Stored).clone()
}

#[track_caller]
fn expect(s: &Scene, schemes: &Schemes, verdict: Verdict, code: ReasonCode) {
    let stored = stored(s, schemes);
    assert_eq!((stored.verdict, stored.reasons[0].code), (verdict, code), "{:#?}", stored.reasons);
}

fn both() -> Schemes {
    Schemes::installed().with(Arc::new(Notebook))
}

#[test]
fn a_second_scheme_is_judged_like_the_first() {
    let (list, notebook) = committed();
    let honest = answered(&list, notebook.clone(), |proof| proof);
    expect(&honest, &both(), Verdict::Supported, ReasonCode::ProofVerifies);
    let other = answered(&list, notebook.clone(), |mut proof| {
        proof[0] ^= 1;
        proof
    });
    expect(&other, &both(), Verdict::Refuted, ReasonCode::ProofDoesNotVerify);
    let none = answered(&list, notebook, |_| Vec::new());
    expect(&none, &both(), Verdict::Refuted, ReasonCode::ProofDoesNotVerify);
    // The first scheme is there as before.
    expect(&Scene::honest(), &both(), Verdict::Supported, ReasonCode::ProofVerifies);
}

/// V15, V16: strength and assumption are those of the scheme whose key was asked under, and of no scheme where the reader has none.
#[test]
fn each_scheme_states_its_own_assumption() {
    let (list, notebook) = committed();
    let said = |s: &Scene, schemes: &Schemes| {
        let c = stored(s, schemes);
        let text = c.assumptions.into_iter().find(|a| a.code == AssumptionCode::Cryptography).unwrap().text;
        (text, c.numbers.soundness.map(|s| (s.bits, s.basis)))
    };
    let second = answered(&list, notebook, |proof| proof);
    let (text, strength) = said(&second, &both());
    assert_eq!(
        text,
        "assumes that nobody finds two cells with one hash, and that BLAKE3 and Ed25519 are secure"
    );
    assert_eq!(strength, Some((128, "collisions of BLAKE3")));
    let (text, strength) = said(&Scene::honest(), &both());
    assert!(text.contains("Groth16 over BN254") && text.contains("Poseidon2"), "{text}");
    assert_eq!(strength.unwrap().0, 100);
    let (text, strength) = said(&second, &Schemes::installed());
    assert_eq!(text, "assumes that the possession scheme is sound, and BLAKE3 and Ed25519 are secure");
    assert_eq!(strength, None);
}

/// What a reader lacks is not held against the host, whatever kind of question it was.
#[test]
fn a_statement_the_reader_cannot_know_is_nobodys_doing() {
    let (list, notebook) = committed();
    let key = Notebook.verifying_key(&notebook).unwrap();
    let challenge = challenge_for(&list, key.digest());
    let drawn = sampled(&challenge, &[]).unwrap();
    let known: Vec<_> = list.iter().cloned().map(Some).collect();
    let nothing = vec![None; list.len()];
    let question = |envelopes| Question { challenge: &challenge, sampled: &drawn, envelopes };
    key.has_statement(&question(&known)).unwrap();
    assert!(matches!(key.shown(&question(&nothing), &[0; CELL]), Err(Refused::Unknown(_))));
}

/// A reader without the scheme judges nothing: the digest names no key it can read.
#[test]
fn a_scheme_the_reader_lacks_supports_nothing() {
    let (list, notebook) = committed();
    let honest = answered(&list, notebook, |proof| proof);
    expect(&honest, &Schemes::installed(), Verdict::Inconclusive, ReasonCode::KeyDiffers);
}

/// The commitment is the owner's: a page of the notebook the owner did not sign asks nothing.
#[test]
fn a_commitment_the_owner_did_not_sign_has_no_statement() {
    let (mut list, notebook) = committed();
    for e in &mut list {
        e.further_commitments[0].value[0] ^= 1;
    }
    let s = answered(&list, notebook, |proof| proof);
    expect(&s, &both(), Verdict::Inconclusive, ReasonCode::NoStatement);
}
