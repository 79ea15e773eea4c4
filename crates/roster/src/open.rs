//! Opening a signed roster under a pinned authority, at a moment, after what was seen before (clauses J9-J11).

use bailiwick_protocol::codec::{Canonical as _, CodecError};
use bailiwick_protocol::ids::{RosterDigest, RosterKey};
use bailiwick_protocol::time::rfc3339;

use crate::roster::{Roster, SignedRoster};

/// The newest roster a reader has accepted. Keeping it is what makes an old one recognisable as old.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LastSeen {
    /// Its number.
    pub number: u64,
    /// Its digest.
    pub digest: RosterDigest,
}

/// Why a signed roster is not to be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum OpenError {
    /// Not a signed roster, or not in its canonical form.
    #[error("not a signed roster")]
    Codec(#[from] CodecError),
    /// Signed, if at all, by a key the reader has not pinned.
    #[error("the roster names the authority {named}, which is not the pinned one")]
    UnknownKey {
        /// The authority it names; nothing vouches for it.
        named: RosterKey,
    },
    /// It names the pinned authority, who has not signed it.
    #[error("the signature of the roster does not verify under the pinned authority")]
    BadSignature,
    /// Issued in the future.
    #[error("the roster is not valid before {}", rfc3339(*issued_unix_ms))]
    NotYetValid {
        /// When it begins.
        issued_unix_ms: u64,
    },
    /// No longer valid.
    #[error("the roster expired at {}", rfc3339(*valid_until_unix_ms))]
    Expired {
        /// When it ended.
        valid_until_unix_ms: u64,
    },
    /// Older than one accepted before.
    #[error("the roster has number {found}, number {seen} was seen before: rolled back")]
    RolledBack {
        /// The number found.
        found: u64,
        /// The number seen before.
        seen: u64,
    },
    /// Two rosters of one number: the authority told two stories.
    #[error(
        "two rosters of number {number} are signed by one authority: {seen} was seen before, this one is {found}"
    )]
    Equivocation {
        /// The number of both.
        number: u64,
        /// Digest of the one found.
        found: RosterDigest,
        /// Digest of the one seen before.
        seen: RosterDigest,
    },
    /// The next number, but not made after the roster seen before.
    #[error("the roster follows another roster of number {} than the one seen before, {seen}", number - 1)]
    Forked {
        /// The number found.
        number: u64,
        /// Digest of the one seen before.
        seen: RosterDigest,
    },
}

/// Reads a signed roster: under the pinned `authority`, valid at `now_unix_ms`, not older than `seen`.
///
/// The signature is checked before anything is decoded; the error alone looks at what the bytes name.
///
/// # Errors
/// `OpenError`. `Equivocation` and `Forked` are evidence against the authority: keep the bytes.
pub fn open(
    bytes: &[u8],
    authority: &RosterKey,
    now_unix_ms: u64,
    seen: Option<&LastSeen>,
) -> Result<Roster, OpenError> {
    let roster = Roster::open_undated(bytes, authority)?;
    if let Some(seen) = seen {
        roster.follows(seen)?;
    }
    if now_unix_ms < roster.issued_unix_ms {
        return Err(OpenError::NotYetValid { issued_unix_ms: roster.issued_unix_ms });
    }
    if now_unix_ms >= roster.valid_until_unix_ms {
        return Err(OpenError::Expired { valid_until_unix_ms: roster.valid_until_unix_ms });
    }
    Ok(roster)
}

impl Roster {
    /// Like [`open`], whenever it is or was valid and whatever was seen: for comparing versions and for showing an old one.
    ///
    /// # Errors
    /// `Codec`, `UnknownKey`, `BadSignature`.
    pub fn open_undated(bytes: &[u8], authority: &RosterKey) -> Result<Self, OpenError> {
        let signed = SignedRoster::from_bytes(bytes)?;
        let roster = match signed.verify(authority.as_bytes()) {
            Ok(roster) => roster,
            Err(CodecError::BadSignature) => {
                let named = signed.decode_unverified()?.authority;
                return Err(if named == *authority {
                    OpenError::BadSignature
                } else {
                    OpenError::UnknownKey { named }
                });
            }
            Err(e) => return Err(e.into()),
        };
        // Signed by the pinned key in another authority's name.
        if roster.authority != *authority {
            return Err(OpenError::UnknownKey { named: roster.authority });
        }
        Ok(roster)
    }

    /// What to keep, to recognise an older roster later.
    #[must_use]
    pub fn seen(&self) -> LastSeen {
        LastSeen { number: self.number, digest: self.digest() }
    }

    /// Whether it may come after `seen`: the same roster, or one of a higher number that does not contradict it.
    ///
    /// # Errors
    /// `RolledBack`, `Equivocation`, `Forked`.
    pub fn follows(&self, seen: &LastSeen) -> Result<(), OpenError> {
        if self.number < seen.number {
            return Err(OpenError::RolledBack { found: self.number, seen: seen.number });
        }
        if self.number == seen.number {
            let found = self.digest();
            if found != seen.digest {
                return Err(OpenError::Equivocation { number: self.number, found, seen: seen.digest });
            }
        } else if self.number - seen.number == 1 && self.previous.is_some_and(|p| p != seen.digest) {
            return Err(OpenError::Forked { number: self.number, seen: seen.digest });
        }
        Ok(())
    }
}
