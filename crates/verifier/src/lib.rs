//! Bytes in, verdict out: all judgement, offline.
//!
//! [`verify`] takes an evidence bundle, a policy, trust anchors, verifying keys by digest and a moment, and returns
//! a [`Report`]: the same inputs give the same report to the byte, on any machine. There is no file system, network,
//! clock, environment or randomness in this crate, no prover and no async runtime.
//!
//! What is believed comes from the reader's own files: keys of principals and provenance of verifying keys from the
//! [`Anchors`], terms from the [`Policy`]. Nothing read from a bundle is believed because the bundle says so: every
//! signature is checked under an anchored key before what it covers is decoded.
//!
//! Specification: `docs/spec/v1/{bundle,policy,verdict}.md`. What each claim means: `audits/claims.md`.
//!
//! ```
//! use bailiwick_verifier::{Inputs, exit_code_of, verify};
//!
//! let policy = r#"
//! version = 1
//! name = "example"
//! require = ["stored"]
//! [stored]
//! lost_fraction = 0.5
//! min_detection = 0.99
//! max_age_hours = 24
//! "#;
//! let inputs = Inputs {
//!     bundle: b"not a bundle",
//!     policy,
//!     anchors: "version = 1",
//!     verifying_keys: &Default::default(),
//!     now_unix_ms: 1_795_359_845_000,
//! };
//! let outcome = verify(&inputs);
//! assert!(outcome.is_err());
//! assert_eq!(exit_code_of(&outcome), 2);
//! ```

mod anchors;
mod claims;
mod detection;
mod fleet_report;
mod judge;
mod policy;
mod reasons;
mod render;
mod report;
mod text;
mod time;

pub use anchors::{
    ANCHORS_VERSION, AnchoredKey, Anchors, AnchorsError, LogAnchor, NAME_CHARS_MAX, NoteKeyFault, Principal,
    Provenance, Role, RosterAnchor,
};
pub use claims::{Claim, EXIT_UNUSABLE, Verdict, exit_code};
pub use detection::{Detection, chance_of_missing, detection, percent};
pub use fleet_report::{
    AuditTally, FLEET_REPORT_SCHEMA, FleetDigests, FleetFacts, FleetReport, HostFacts, LogFacts, RosterFacts,
    ScheduleFacts, Standing, TIMELINE_MAX, TimelineEntry,
};
pub use judge::{
    DossierInputs, Inputs, Unusable, exit_code_of, verify, verify_dossier, verify_dossier_under, verify_under,
};
pub use policy::{
    AcceptedProvenance, Contradiction, CustodyTerms, LoggedTerms, MONTH_DAYS, ObjectRule, OpaqueTerms,
    OpenedBy, POLICY_VERSION, PlaceTerms, Policy, PolicyError, Power, ResidentTerms, RosterSummary, Scope,
    ServedTerms, StoredTerms, SurvivableTerms, explain,
};
pub use reasons::{Assumption, AssumptionCode, Reason, ReasonCode};
pub use render::{FleetRecheck, Recheck};
pub use report::{
    AnswerFacts, AuditFacts, ChallengeFacts, ClaimReport, InputDigests, KeyFacts, Label, LogNumbers, Numbers,
    ObjectFacts, OpenedCount, Party, PolicyFacts, PowerCount, ProbeCount, REPORT_SCHEMA, RecipientCount,
    Report, ScopeDetection, Soundness,
};
pub use text::{TOML_BYTES_MAX, printable, shell_word};
pub use time::{Moment, duration};
