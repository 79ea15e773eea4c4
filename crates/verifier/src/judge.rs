//! From bytes to a report (spec verdict, clauses V5-V20).

use std::collections::BTreeMap;

use bailiwick_protocol::bundle::{Bundle, SignedBundle};
use bailiwick_protocol::challenge::Challenge;
use bailiwick_protocol::codec::{Canonical, CodecError};
use bailiwick_protocol::ids::{AuditorKey, ContentId, VkDigest};
use bailiwick_scheme::Schemes;

use crate::anchors::{Anchors, AnchorsError, Principal};
use crate::claims::{Claim, EXIT_UNUSABLE};
use crate::policy::{Policy, PolicyError};
use crate::report::{AuditFacts, InputDigests, REPORT_SCHEMA, Report};
use crate::time::Moment;

use conclusion::{Conclusion, labels};

pub use fleet::{DossierInputs, verify_dossier, verify_dossier_under};

mod answer;
mod conclusion;
mod evidence;
mod facts;
mod fleet;
mod others;
mod scopes;
mod signatures;
mod stored;

/// Everything a verdict depends on.
#[derive(Clone, Copy, Debug)]
pub struct Inputs<'a> {
    /// A [`SignedBundle`], canonical bytes.
    pub bundle: &'a [u8],
    /// The policy, TOML.
    pub policy: &'a str,
    /// The trust anchors, TOML.
    pub anchors: &'a str,
    /// Verifying keys at hand, canonical bytes by digest; the digest is recomputed.
    pub verifying_keys: &'a BTreeMap<VkDigest, Vec<u8>>,
    /// The moment to judge at, milliseconds since 1970-01-01 UTC.
    pub now_unix_ms: u64,
}

/// Input that cannot be judged: nothing in it may be shown as evidence. Exit code 2.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum Unusable {
    /// The policy is not acceptable.
    #[error(transparent)]
    Policy(#[from] PolicyError),
    /// The trust anchors are not acceptable.
    #[error(transparent)]
    Anchors(#[from] AnchorsError),
    /// The bytes are not a bundle, or its signed contents are not canonical.
    #[error("bundle: {0}")]
    Bundle(#[from] CodecError),
    /// No anchored auditor signed the bundle.
    #[error("bundle: not signed by any auditor in the trust anchors, or changed since it was signed")]
    UnknownAuditor,
    /// The bytes are not a dossier, or not in its canonical form.
    #[error("dossier: {0}")]
    Dossier(#[source] CodecError),
    /// The reader's own roster is not to be used.
    #[error("roster: {0}")]
    Roster(#[from] bailiwick_roster::OpenError),
    /// A roster was given and no authority is pinned to check it by.
    #[error("roster: the trust anchors name no [roster] authority, so nothing says whose roster to believe")]
    NoAuthority,
    /// The blocs are not those the reader's roster was made with.
    #[error("blocs: {0}")]
    OtherBlocs(#[from] bailiwick_roster::OtherBlocs),
    /// The file of blocs is not acceptable.
    #[error("blocs: {0}")]
    Blocs(#[from] bailiwick_roster::TomlError),
    /// Log and witnesses of the trust anchors, and the quorum of the policy, do not fit together.
    #[error("policy and trust anchors: {0}")]
    Log(#[from] bailiwick_translog::PolicyError),
    /// The beacon chain of the trust anchors has no usable key.
    #[error("trust anchors: beacon: {0}")]
    Beacon(#[from] bailiwick_beacon::BeaconError),
    /// Signed by one anchored auditor in the name of another.
    #[error("bundle: names auditor {named} but is signed by {signer}")]
    AnotherAuditorsName {
        /// Key that signed.
        signer: AuditorKey,
        /// Key it names.
        named: AuditorKey,
    },
}

/// The exit code of a verification: the report's, or 2 for unusable input.
#[must_use]
pub fn exit_code_of(outcome: &Result<Report, Unusable>) -> u8 {
    outcome.as_ref().map_or(EXIT_UNUSABLE, |r| r.exit_code)
}

/// What every judge reads.
struct Case<'a> {
    bundle: &'a Bundle,
    auditor: &'a Principal,
    anchors: &'a Anchors,
    policy: &'a Policy,
    keys: &'a answer::Keys<'a>,
    signatures: &'a signatures::Signatures,
    /// When a beacon round was published, milliseconds since 1970-01-01 UTC.
    published: &'a (dyn Fn(u64) -> Option<u64> + Sync),
    now_unix_ms: u64,
    /// One audit by itself has to meet age and detection; of many they are judged together.
    alone: bool,
}

/// Judges a bundle.
///
/// # Errors
/// [`Unusable`] when policy, anchors or bundle cannot be read or nobody anchored signed the bundle. Everything
/// else, failures of evidence included, is a verdict in the report.
pub fn verify(inputs: &Inputs<'_>) -> Result<Report, Unusable> {
    verify_under(inputs, &Schemes::installed())
}

/// [`verify`], with the possession schemes the reader has.
///
/// # Errors
/// As [`verify`].
pub fn verify_under(inputs: &Inputs<'_>, schemes: &Schemes) -> Result<Report, Unusable> {
    let policy = Policy::parse(inputs.policy)?;
    let anchors = Anchors::parse(inputs.anchors)?;
    let signatures = signatures::Signatures::default();
    let bundle = open_signed(&SignedBundle::from_bytes(inputs.bundle)?, &anchors, &signatures)?;
    let auditor = anchors.auditor(&bundle.auditor).ok_or(Unusable::UnknownAuditor)?;
    let keys = answer::Keys::new(inputs.verifying_keys, schemes);
    let case = Case {
        bundle: &bundle,
        auditor,
        anchors: &anchors,
        policy: &policy,
        keys: &keys,
        signatures: &signatures,
        // The file of anchors says of no principal until when it is one.
        published: &|_| None,
        now_unix_ms: inputs.now_unix_ms,
        alone: true,
    };
    Ok(judge(&case, inputs))
}

/// Signature under an anchored auditor key first, contents after.
fn open_signed(
    signed: &SignedBundle,
    anchors: &Anchors,
    signatures: &signatures::Signatures,
) -> Result<Bundle, Unusable> {
    // Behind version and key number stand the bytes of the auditor it names: only a hint which key to try first.
    let named = |k: &AuditorKey| signed.payload().get(6..38) == Some(k.as_bytes().as_slice());
    let hinted = anchors.auditors().filter(named);
    for signer in hinted.chain(anchors.auditors().filter(|k| !named(k))) {
        match signatures.verify(signed, signer.as_bytes()) {
            Err(CodecError::BadSignature) => {}
            Err(e) => return Err(e.into()),
            Ok(bundle) if bundle.auditor == signer => return Ok(bundle),
            Ok(bundle) => return Err(Unusable::AnotherAuditorsName { signer, named: bundle.auditor }),
        }
    }
    Err(Unusable::UnknownAuditor)
}

fn judge(case: &Case<'_>, inputs: &Inputs<'_>) -> Report {
    let evidence = evidence::establish(case);
    let answer = answer::examine(case, &evidence).finish();
    let claims: Vec<_> = Claim::ALL
        .into_iter()
        .map(|claim| match claim {
            Claim::Stored => stored::judge(case, &evidence, &answer),
            Claim::Served => others::served(case, &evidence),
            Claim::Opaque => others::opaque(case, &evidence),
            other => others::without_evidence(case, other),
        })
        .collect();
    let Conclusion { software, judged_at, policy, outcome, exit_code } =
        Conclusion::of(&claims, case.policy, case.now_unix_ms);
    let key = evidence.challenge.as_ref().and_then(|c| case.anchors.verifying_key(&c.vk));
    Report {
        schema: REPORT_SCHEMA,
        software,
        inputs: InputDigests {
            bundle_blake3: digest(inputs.bundle),
            policy_blake3: digest(inputs.policy.as_bytes()),
            anchors_blake3: digest(inputs.anchors.as_bytes()),
        },
        judged_at,
        policy,
        outcome,
        exit_code,
        labels: labels(key.iter().map(|k| &k.provenance)),
        audit: audit_facts(case, &evidence, &answer),
        claims,
    }
}

fn digest(bytes: &[u8]) -> ContentId {
    ContentId(blake3::hash(bytes).into())
}

fn audit_facts(case: &Case<'_>, evidence: &evidence::Evidence, answer: &answer::Answered) -> AuditFacts {
    let b = case.bundle;
    AuditFacts {
        auditor: case.auditor.clone(),
        asked_at: Moment::new(b.asked_unix_ms),
        answered_at: Moment::new(b.answered_unix_ms),
        answer_ms: b.answered_unix_ms.saturating_sub(b.asked_unix_ms),
        age_ms: case.age_ms(),
        challenge: evidence.challenge.as_ref().map(|c| facts::challenge(case, evidence, c, answer)),
    }
}

impl Case<'_> {
    /// When the audit took place, as far as anything says: its beacon round's publication, else when its auditor says it asked.
    fn audited_ms(&self, challenge: &Challenge) -> u64 {
        let round = challenge.beacon.and_then(|b| (self.published)(b.round));
        round.unwrap_or(self.bundle.asked_unix_ms)
    }

    /// Milliseconds from the answer to the moment judged at.
    fn age_ms(&self) -> u64 {
        self.now_unix_ms.saturating_sub(self.bundle.answered_unix_ms)
    }
}
