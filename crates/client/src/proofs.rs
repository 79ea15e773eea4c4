//! Challenges and their answers.

use bailiwick_protocol::api::{Job, MEDIA_TYPE_CHALLENGE};
use bailiwick_protocol::challenge::{SignedChallenge, SignedResponse};
use bailiwick_protocol::codec::Canonical;
use bailiwick_protocol::http_signature::{Content, sha256};
use bailiwick_protocol::ids::ChallengeDigest;
use bailiwick_protocol::limits::RESPONSE_BYTES_MAX;

use crate::client::Client;
use crate::error::ClientError;
use crate::transport::Request;

/// A job is named by its challenge: asking the same challenge again is the same job.
pub type JobId = ChallengeDigest;

impl Client {
    /// Hands a challenge to the node. Asking the same one again, also after an error, never draws new cells.
    ///
    /// # Errors
    /// Transport errors, refusals.
    pub fn challenge(&self, challenge: &SignedChallenge) -> Result<JobId, ClientError> {
        let bytes = challenge.to_bytes();
        let open = || Ok(Box::new(bytes.as_slice()) as Box<dyn std::io::Read>);
        let mut request = Request::new("POST", "/v1/challenges");
        request.content = Content::Digest(sha256(&bytes));
        request.headers.push(("content-type", MEDIA_TYPE_CHALLENGE.to_owned()));
        request.body = Some((&open, bytes.len() as u64));
        let job: Job = self.call(&request)?.json()?;
        Ok(job.id)
    }

    /// Where a job stands.
    ///
    /// # Errors
    /// Transport errors, refusals.
    pub fn job(&self, id: &JobId) -> Result<Job, ClientError> {
        self.call(&Request::get(format!("/v1/jobs/{id}")))?.json()
    }

    /// The answer of a finished job, for the caller to verify under the host's pinned key.
    ///
    /// # Errors
    /// Transport errors, refusals (409 while it is not finished), `Message`.
    pub fn response(&self, id: &JobId) -> Result<SignedResponse, ClientError> {
        let answer = self.call(&Request::get(format!("/v1/jobs/{id}/response")))?;
        // A signed message is a little longer than its payload.
        let bytes = answer.bytes(RESPONSE_BYTES_MAX as u64 + 128)?;
        Ok(SignedResponse::from_bytes(&bytes)?)
    }
}
