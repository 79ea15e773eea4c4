//! The host's answer: whose it is, to what, and whether its proof verifies.

use bailiwick_groth16::VerifyingKey;
use bailiwick_possession::challenge::{Sampled, sampled};
use bailiwick_possession_circuit::VerifyError;
use bailiwick_possession_circuit::public::PublicInputs;
use bailiwick_protocol::bundle::{Answer, NoAnswer};
use bailiwick_protocol::challenge::{CannotProve, Challenge};

use super::Case;
use super::evidence::Evidence;
use crate::reasons::{Reason, ReasonCode};

/// What became of the challenge.
pub(super) enum Answered {
    /// Signed by the host, for this challenge, and the proof verifies.
    Valid,
    /// Signed by the host, for this challenge, and the proof does not verify.
    Invalid,
    /// A proof signed by the host for this challenge that cannot be judged, and why.
    Unjudged(Reason),
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

pub(super) fn examine(case: &Case<'_>, evidence: &Evidence) -> Answered {
    let Some(challenge) = &evidence.challenge else { return Answered::Nothing };
    let signed = match &case.bundle.answer {
        Answer::None(why) => {
            return match load_key(case, challenge).and_then(|_| has_statement(case, challenge)) {
                Ok(()) => Answered::NoAnswer(*why),
                Err(reason) => Answered::NoAnswerToUnjudged(*why, reason),
            };
        }
        Answer::Response(signed) => signed,
    };
    let Ok(response) = signed.verify(challenge.host.as_bytes()) else {
        return Answered::Unrelated(Reason::new(
            ReasonCode::AnswerNotByHost,
            "the answer in the bundle is not validly signed by the challenged host",
        ));
    };
    if response.challenge != challenge.digest() {
        return Answered::Unrelated(Reason::new(
            ReasonCode::AnswerToAnotherChallenge,
            "the answer in the bundle is to another challenge (a replay, or another object or time)",
        ));
    }
    match response.outcome {
        Err(why) => Answered::CannotProve(why),
        Ok(proof) => match load_key(case, challenge) {
            Err(reason) => Answered::Unjudged(reason),
            Ok(key) => check_proof(case, &key, challenge, &proof),
        },
    }
}

/// The bytes given for the challenge's digest, if they have that digest and pass every check of a key.
fn load_key(case: &Case<'_>, challenge: &Challenge) -> Result<VerifyingKey, Reason> {
    let Some(bytes) = case.verifying_keys.get(&challenge.vk) else {
        return Err(Reason::new(
            ReasonCode::KeyMissing,
            format!("the verifying key {} was not given", challenge.vk),
        ));
    };
    let key = VerifyingKey::from_bytes(bytes)
        .map_err(|e| Reason::new(ReasonCode::KeyMalformed, format!("the verifying key is refused: {e}")))?;
    if key.digest() != challenge.vk {
        return Err(Reason::new(
            ReasonCode::KeyDiffers,
            format!("the verifying key given has digest {}, not {}", key.digest(), challenge.vk),
        ));
    }
    Ok(key)
}

fn check_proof(case: &Case<'_>, key: &VerifyingKey, challenge: &Challenge, proof: &[u8; 128]) -> Answered {
    let sampled = match sampled_by(case, challenge) {
        Ok(sampled) => sampled,
        Err(reason) => return Answered::Unjudged(reason),
    };
    match bailiwick_possession_circuit::verify(&key.prepare(), challenge, &sampled, proof) {
        Ok(()) => Answered::Valid,
        // The host's doing: it signed bytes that are no proof, or a proof of something else.
        Err(VerifyError::Malformed(_) | VerifyError::False(_)) => Answered::Invalid,
        // Not the host's doing: it signed an answer to a question nobody could answer.
        Err(e) => Answered::Unjudged(no_statement(&e)),
    }
}

fn has_statement(case: &Case<'_>, challenge: &Challenge) -> Result<(), Reason> {
    let sampled = sampled_by(case, challenge)?;
    PublicInputs::of(challenge, &sampled).map(drop).map_err(|e| no_statement(&e))
}

/// What the challenge samples, with the leaves that the bundle opens.
fn sampled_by(case: &Case<'_>, challenge: &Challenge) -> Result<Sampled, Reason> {
    let leaves = case.bundle.inventory.as_ref().map_or(&[][..], |evidence| &evidence.leaves);
    sampled(challenge, leaves).map_err(|e| no_statement(&e))
}

fn no_statement(why: &dyn core::fmt::Display) -> Reason {
    Reason::new(ReasonCode::NoStatement, format!("no host could answer this challenge: {why}"))
}
