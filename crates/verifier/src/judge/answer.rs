//! The host's answer: whose it is, to what, and whether its proof verifies.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use bailiwick_protocol::bundle::{Answer, NoAnswer};
use bailiwick_protocol::challenge::{CannotProve, Challenge};
use bailiwick_protocol::ids::VkDigest;
use bailiwick_scheme::{KeyError, Question, Refused, Schemes, Shown, Soundness, VerifyingKey};

use super::Case;
use super::evidence::Evidence;
use crate::reasons::{Reason, ReasonCode};

/// What became of the challenge.
#[derive(Clone, Debug)]
pub(super) enum Answered {
    /// Signed by the host, for this challenge, and the proof verifies.
    Valid,
    /// Signed by the host, for this challenge, and the proof does not verify.
    Invalid,
    /// A proof signed by the host for this challenge that cannot be judged, and why.
    Unjudged(Reason),
    /// On the auditor's word: the host signed a proof about the inventory it signed, and withheld the leaves that the proof speaks of.
    Unopened,
    /// Signed by the host: it cannot prove.
    CannotProve(CannotProve),
    /// On the auditor's word: nothing signed came back to a question that has an answer.
    NoAnswer(NoAnswer),
    /// On the auditor's word: nothing signed came back, and that the question has an answer is not shown, and why.
    NoAnswerToUnjudged(NoAnswer, Reason),
    /// Not the host's answer to this challenge, and why. Supports and refutes nothing: whoever holds an older
    /// answer, or another host's, can put it into a bundle.
    Unrelated(Reason),
    /// There is no established challenge it could answer.
    Nothing,
}

impl Answered {
    /// Whether it fails on the auditor's word alone.
    pub(super) const fn is_on_word(&self) -> bool {
        matches!(self, Self::NoAnswer(_) | Self::Unopened)
    }
}

/// An answer, judged but for the scheme's own equation where there is a proof.
pub(super) enum Examined {
    /// Nothing is left to do.
    Done(Answered),
    /// A well-formed proof of this statement, to be verified under this key.
    Proof(Box<Pending>),
}

/// A proof that waits for its check.
pub(super) struct Pending {
    pub(super) key: Arc<dyn VerifyingKey>,
    pub(super) shown: Shown,
}

impl Examined {
    /// Verifies the proof by itself.
    pub(super) fn finish(self) -> Answered {
        match self {
            Self::Done(answered) => answered,
            Self::Proof(p) if p.key.verify(&[&p.shown]) == [true] => Answered::Valid,
            // The host's doing: it signed a proof of something else.
            Self::Proof(_) => Answered::Invalid,
        }
    }
}

pub(super) fn examine(case: &Case<'_>, evidence: &Evidence) -> Examined {
    use Examined::Done;
    let Some(challenge) = &evidence.challenge else { return Done(Answered::Nothing) };
    let signed = match &case.bundle.answer {
        Answer::None(why) => {
            let answerable =
                case.keys.get(challenge.vk).and_then(|key| answerable(&*key, challenge, evidence));
            return Done(match answerable {
                Ok(()) => Answered::NoAnswer(*why),
                Err(reason) => Answered::NoAnswerToUnjudged(*why, reason),
            });
        }
        Answer::Response(signed) => signed,
    };
    let Ok(response) = case.signatures.verify(signed, challenge.host.as_bytes()) else {
        return Done(Answered::Unrelated(Reason::new(
            ReasonCode::AnswerNotByHost,
            "the answer in the bundle is not validly signed by the challenged host",
        )));
    };
    if response.challenge != challenge.digest() {
        return Done(Answered::Unrelated(Reason::new(
            ReasonCode::AnswerToAnotherChallenge,
            "the answer in the bundle is to another challenge (a replay, or another object or time)",
        )));
    }
    match response.outcome {
        Err(why) => Done(Answered::CannotProve(why)),
        Ok(proof) => match case.keys.get(challenge.vk) {
            Err(reason) => Done(Answered::Unjudged(reason)),
            Ok(key) => check_proof(key, challenge, evidence, leaves_withheld(case, evidence), &proof),
        },
    }
}

/// Verifying keys at hand, read, linted and prepared once each.
pub(super) struct Keys<'a> {
    bytes: &'a BTreeMap<VkDigest, Vec<u8>>,
    schemes: &'a Schemes,
    prepared: Mutex<BTreeMap<VkDigest, Loaded>>,
}

type Loaded = Result<Arc<dyn VerifyingKey>, Reason>;

impl<'a> Keys<'a> {
    pub(super) const fn new(bytes: &'a BTreeMap<VkDigest, Vec<u8>>, schemes: &'a Schemes) -> Self {
        Self { bytes, schemes, prepared: Mutex::new(BTreeMap::new()) }
    }

    /// The key of this digest, if its bytes were given and pass every check of a key.
    pub(super) fn get(&self, digest: VkDigest) -> Loaded {
        let mut prepared = self.prepared.lock().unwrap_or_else(PoisonError::into_inner);
        prepared.entry(digest).or_insert_with(|| self.load(digest)).clone()
    }

    /// What answers under the key of this digest rest on, by the scheme whose key it is.
    pub(super) fn soundness(&self, digest: VkDigest) -> Option<Soundness> {
        Some(self.schemes.of_key(self.bytes.get(&digest)?, digest)?.soundness())
    }

    /// The bytes given for the challenge's digest, if they have that digest and pass every check of a key.
    fn load(&self, wanted: VkDigest) -> Loaded {
        let Some(bytes) = self.bytes.get(&wanted) else {
            return Err(Reason::new(
                ReasonCode::KeyMissing,
                format!("the verifying key {wanted} was not given"),
            ));
        };
        self.schemes.verifying_key(bytes, wanted).map_err(|e| match e {
            KeyError::Refused(why) => {
                Reason::new(ReasonCode::KeyMalformed, format!("the verifying key is refused: {why}"))
            }
            _ => Reason::new(
                ReasonCode::KeyDiffers,
                format!("the bytes given for the verifying key {wanted} have another digest"),
            ),
        })
    }
}

/// Whether none of the leaves of the host's own inventory is there. Others than the sampled ones are the auditor's doing: an honest
/// one keeps only those that fit.
fn leaves_withheld(case: &Case<'_>, evidence: &Evidence) -> bool {
    evidence.inventory.is_some() && case.bundle.inventory.as_ref().is_some_and(|i| i.leaves.is_empty())
}

fn check_proof(
    key: Arc<dyn VerifyingKey>,
    challenge: &Challenge,
    evidence: &Evidence,
    withheld: bool,
    proof: &[u8],
) -> Examined {
    let sampled = match &evidence.sampled {
        Ok(sampled) => sampled,
        Err(_) if withheld => {
            return Examined::Done(if key.is_proof(proof) { Answered::Unopened } else { Answered::Invalid });
        }
        Err(reason) => return Examined::Done(Answered::Unjudged(reason.clone())),
    };
    match key.shown(&Question { challenge, sampled, envelopes: &evidence.envelopes }, proof) {
        Ok(shown) => Examined::Proof(Box::new(Pending { key, shown })),
        // The host's doing: it signed bytes that are no proof.
        Err(Refused::NotAProof) => Examined::Done(Answered::Invalid),
        // The host's doing: leaves that lead to the inventory it signed list what no proof can speak of, and it signed one.
        Err(Refused::NoStatement(_)) if evidence.inventory.is_some() => Examined::Done(Answered::Invalid),
        // Not the host's doing: nobody could answer this question, or this reader cannot tell what it was.
        Err(why) => Examined::Done(Answered::Unjudged(no_statement(&why))),
    }
}

/// Whether the question has an answer. The leaves of an inventory come with the answer; that the inventory is the host's is
/// an obstacle elsewhere if it is not so.
fn answerable(key: &dyn VerifyingKey, challenge: &Challenge, evidence: &Evidence) -> Result<(), Reason> {
    if challenge.inventory.is_some() {
        return Ok(());
    }
    let sampled = evidence.sampled.as_ref().map_err(Clone::clone)?;
    key.has_statement(&Question { challenge, sampled, envelopes: &evidence.envelopes })
        .map_err(|why| no_statement(&why))
}

fn no_statement(why: &dyn core::fmt::Display) -> Reason {
    Reason::new(ReasonCode::NoStatement, format!("no host could answer this challenge: {why}"))
}
