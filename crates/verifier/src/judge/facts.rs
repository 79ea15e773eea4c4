//! What was audited, for the reader.

use bailiwick_protocol::challenge::Challenge;
use bailiwick_protocol::envelope::Envelope;

use super::Case;
use super::answer::Answered;
use super::evidence::Evidence;
use crate::report::{AnswerFacts, ChallengeFacts, KeyFacts, ObjectFacts, Party, RecipientCount};

pub(super) fn recipient_count(envelope: &Envelope) -> RecipientCount {
    RecipientCount {
        total: envelope.recipients.len(),
        anonymous: envelope.recipients.iter().filter(|r| r.key_id.is_none()).count(),
    }
}

pub(super) fn challenge(
    case: &Case<'_>,
    evidence: &Evidence,
    challenge: &Challenge,
    answer: &Answered,
) -> ChallengeFacts {
    let key = case.anchors.verifying_key(&challenge.vk);
    let objects = evidence.targets().iter().zip(&evidence.envelopes).map(|(t, envelope)| ObjectFacts {
        name: t.name,
        owner_name: case.anchors.owner(&t.name.owner).map(|p| p.name.clone()),
        generation: t.generation,
        size: t.size,
        cells: t.cells,
        blake3: t.blake3,
        recipients: envelope.as_ref().map(recipient_count),
    });
    ChallengeFacts {
        digest: challenge.digest(),
        host: Party {
            key: challenge.host.to_string(),
            principal: case.anchors.host(&challenge.host).cloned(),
        },
        class: challenge.class,
        epoch: challenge.epoch,
        verifying_key: KeyFacts { digest: challenge.vk, provenance: key.map(|k| k.provenance.clone()) },
        objects: objects.collect(),
        bytes_total: evidence.targets().iter().map(|t| t.size).sum(),
        cells_total: challenge.cells_total(),
        answer: match answer {
            Answered::Valid => AnswerFacts::ValidProof,
            Answered::Invalid => AnswerFacts::InvalidProof,
            Answered::Unjudged(_) | Answered::Unopened => AnswerFacts::UnjudgedProof,
            Answered::CannotProve(why) => AnswerFacts::CannotProve(*why),
            Answered::NoAnswer(why) | Answered::NoAnswerToUnjudged(why, _) => AnswerFacts::NoAnswer(*why),
            Answered::Unrelated(_) | Answered::Nothing => AnswerFacts::Unrelated,
        },
    }
}
