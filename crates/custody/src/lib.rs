//! Custody: an object's key in the hands of several custodians, none of whom has it alone, and anyone can check that.
//!
//! The scheme is DHPVSS (Cascudo, David, Garms, Konring, "YOLO YOSO", Asiacrypt 2022) on ristretto255 (RFC 9496) with merlin
//! transcripts. [`deal`] shares a secret element S and wraps the file key under it; [`Dealing::verify`] shows anyone that every t
//! custodians recover the *same* secret; [`release`] gives one custodian's share to one requester, with a proof; [`recover`] puts t
//! of them together.
//!
//! What public data does not show: that the body opens under that secret. Whoever holds S checks it
//! ([`VerifiedDealing::check_recipient`]), and so does a test recovery.
//!
//! The secret is safe against whoever holds fewer than t custodians' keys and cannot compute discrete logarithms; against a quantum
//! computer only in hybrid mode, whose second half is proved by receipts and not by the public proof.
//!
//! Normative: `docs/spec/v1/custody.md` (clauses K).

mod code;
mod dealing;
mod dleq;
mod hybrid;
mod jurisdiction;
mod key;
mod point;
mod possession;
mod recipient;
mod record;
mod recover;
mod release;
mod request;
mod sealed;
mod secret;
mod transcript;
mod wrap;

pub use dealing::{
    ATTRIBUTES_MAX, CUSTODIANS_MAX, Context, Custodian, DEALING_VERSION, DealError, DealOptions, Dealing,
    DealingDigest, DealingError, Dealt, DealtCustodian, HybridShare, OtherContext, TEXT_BYTES_MAX,
    VerifiedDealing, deal,
};
pub use hybrid::{HybridError, Receipt, ReceiptError};
pub use jurisdiction::{JurisdictionTest, PowerReach};
pub use key::{CUSTODIAN_PUBLIC_KEY_BYTES, CustodianKey, CustodianPublicKey, CustodianSecretKey, KeyError};
pub use point::PointError;
pub use recipient::RecipientError;
pub use record::{
    RELEASE_RECORD_VERSION, RecordError, ReleaseEntry, ReleaseRecord, SignedReleaseRecord, enough_released,
};
pub use recover::{RecoverError, Recovered, recover};
pub use release::{RELEASE_VERSION, RefusedRelease, Release, ReleaseError, Share, release};
pub use request::{ClassicalRequester, REQUEST_VERSION, Request, RequestError};
pub use sealed::SealingKeyError;
pub use secret::SharedSecret;
