//! Rewriting who can open an object: a new envelope over the same body (spec envelope, clauses E12 and E13).
//!
//! Whoever could open the object before and kept its file key, or the data, still can: only sealing anew takes that away,
//! and only for data that was not read yet.

use bailiwick_protocol::envelope::{Envelope, RecipientEntry, Role, SignedEnvelope};
use bailiwick_protocol::ids::{OwnerKey, Unit};
use bailiwick_protocol::limits::RECIPIENTS_MAX;
use bailiwick_protocol::signing::SigningKey;
use rand_core::CryptoRng;

use crate::kem::{Context, KeyError, RecipientPublicKey, encapsulate};
use crate::open::{OpenError, Opener, verify};
use crate::passphrase::{self, PassphraseError, PassphraseRecipient};
use crate::seal::{SealError, sign_next};

/// What shall become of the recipients' entries.
#[derive(Clone, Copy, Debug, Default)]
pub enum RecipientChange<'a> {
    /// They stay.
    #[default]
    Keep,
    /// Some go, if they are there; some come; who is there already stays as it is.
    Edit {
        /// Keys whose entries go.
        remove: &'a [RecipientPublicKey],
        /// Keys that get an entry.
        add: &'a [RecipientPublicKey],
    },
    /// All entries that hold the file key go and these keys get one. Entries of a custody dealing's secret stay: they go by `Edit`.
    Replace(&'a [RecipientPublicKey]),
}

/// What shall become of the passphrase.
#[derive(Clone, Copy, Debug, Default)]
pub enum PassphraseChange<'a> {
    /// It stays.
    #[default]
    Keep,
    /// It goes.
    Remove,
    /// This one, with a fresh salt.
    Set(PassphraseRecipient<'a>),
}

/// A set of changes to one envelope.
#[derive(Clone, Copy, Debug, Default)]
pub struct Rewrap<'a> {
    /// Of the recipients.
    pub recipients: RecipientChange<'a>,
    /// Of the passphrase.
    pub passphrase: PassphraseChange<'a>,
    /// No entry names its key any more, old ones neither.
    pub anonymous: bool,
}

/// Why an envelope cannot be rewritten.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum RewrapError {
    /// Nobody could open the object any more.
    #[error("nobody could open the object any more: no recipient, passphrase or custodian is left")]
    NobodyLeft,
    /// Some entries name no key, so it cannot be told whose to remove.
    #[error("some recipients are anonymous: it cannot be told whose entries to remove; replace all instead")]
    Anonymous,
    /// More recipients than an envelope may have.
    #[error("{found} recipients, more than the limit of {RECIPIENTS_MAX}")]
    TooManyRecipients {
        /// Recipients there would be.
        found: usize,
    },
    /// A passphrase beside recipients' keys without saying so.
    #[error(
        "a passphrase beside recipients' keys must be asked for: the object is then only as strong as the passphrase"
    )]
    MixedPassphrase,
    /// A passphrase or a cost that cannot be used.
    #[error(transparent)]
    Passphrase(#[from] PassphraseError),
    /// A recipient's key.
    #[error("recipient key")]
    Key(#[from] KeyError),
    /// Signing.
    #[error(transparent)]
    Sign(#[from] SealError),
}

/// Applies `changes` to the envelope of `opener` and signs it as its next generation; none when nothing would change.
///
/// Body, commitments, shard set, custody part and policy stay as they are. Adding a key whose entry is there, by its name, changes nothing:
/// so a run over many objects can be taken up again. An anonymous entry cannot be told, so adding its key again adds it twice.
///
/// # Errors
/// `RewrapError`; the envelope of `opener` is as it was.
pub fn rewrap(
    opener: &Opener,
    changes: &Rewrap<'_>,
    owner: &SigningKey,
    rng: &mut impl CryptoRng,
) -> Result<Option<SignedEnvelope>, RewrapError> {
    let old = opener.envelope();
    let mut new = old.clone();
    let added = change_recipients(&mut new.recipients, &changes.recipients)?;
    let context = Context::of(old);
    for key in added {
        let file_key = opener.file_key().expose_secret();
        new.recipients.push(encapsulate(&context, key, changes.anonymous, Role::FileKey, file_key, rng)?);
    }
    if changes.anonymous {
        new.recipients.iter_mut().for_each(|r| r.key_id = None);
    }
    match &changes.passphrase {
        PassphraseChange::Keep => {}
        PassphraseChange::Remove => new.passphrase = None,
        PassphraseChange::Set(p) => {
            let beside = !new.recipients.is_empty() || new.custody.is_some();
            if beside && !p.beside_keys {
                return Err(RewrapError::MixedPassphrase);
            }
            new.passphrase = Some(passphrase::wrap(&context, p, opener.file_key(), rng)?);
        }
    }
    check_who_is_left(old, &new, &changes.passphrase)?;
    if new == *old {
        return Ok(None);
    }
    Ok(Some(sign_next(new, owner)?))
}

/// Removes entries, and gives the keys that are to have one.
fn change_recipients<'a>(
    entries: &mut Vec<RecipientEntry>,
    change: &RecipientChange<'a>,
) -> Result<Vec<&'a RecipientPublicKey>, RewrapError> {
    let named = |entries: &[RecipientEntry], key: &RecipientPublicKey| {
        let id = key.key_id();
        entries.iter().any(|e| e.role == Role::FileKey && e.key_id == Some(id))
    };
    let mut missing = Vec::new();
    let wanted = match *change {
        RecipientChange::Keep => return Ok(Vec::new()),
        RecipientChange::Edit { remove, add } => {
            for key in remove {
                remove_key(entries, key)?;
            }
            add
        }
        RecipientChange::Replace(keys) => {
            let ids: Vec<_> = keys.iter().map(RecipientPublicKey::key_id).collect();
            entries.retain(|e| e.role != Role::FileKey || e.key_id.is_some_and(|id| ids.contains(&id)));
            keys
        }
    };
    for key in wanted {
        if !named(entries, key) && !missing.contains(&key) {
            missing.push(key);
        }
    }
    Ok(missing)
}

/// Removes every entry of `key`, whatever it holds.
fn remove_key(entries: &mut Vec<RecipientEntry>, key: &RecipientPublicKey) -> Result<(), RewrapError> {
    // An anonymous entry might be the key's: it must not seem removed.
    if entries.iter().any(|e| e.key_id.is_none() && e.kem == key.kem()) {
        return Err(RewrapError::Anonymous);
    }
    let id = key.key_id();
    entries.retain(|e| e.key_id != Some(id));
    Ok(())
}

fn check_who_is_left(
    old: &Envelope,
    new: &Envelope,
    change: &PassphraseChange<'_>,
) -> Result<(), RewrapError> {
    if new.recipients.len() > RECIPIENTS_MAX {
        return Err(RewrapError::TooManyRecipients { found: new.recipients.len() });
    }
    if new.recipients.is_empty() && new.passphrase.is_none() && new.custody.is_none() {
        return Err(RewrapError::NobodyLeft);
    }
    // A passphrase that stood alone must not come to stand beside keys unsaid.
    let alone = old.passphrase.is_some() && old.recipients.is_empty() && old.custody.is_none();
    if alone && matches!(change, PassphraseChange::Keep) && !new.recipients.is_empty() {
        return Err(RewrapError::MixedPassphrase);
    }
    Ok(())
}

/// How an envelope stands to one that was seen before.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Succession {
    /// The very same.
    Same,
    /// A later generation.
    Newer,
}

/// Why an envelope must not take the place of one that was seen before.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum RollbackError {
    /// One of them is not an envelope of the owner.
    #[error(transparent)]
    Envelope(#[from] OpenError),
    /// They speak of different objects.
    #[error("the envelopes are of different objects")]
    OtherObject,
    /// They speak of different units of one object, shards of it for one, whose generations are counted apart.
    #[error("the envelopes are of different units of one object: {found} now, {known} was seen before")]
    OtherUnit {
        /// Unit seen before.
        known: Unit,
        /// Unit given now.
        found: Unit,
    },
    /// An earlier generation than the one seen.
    #[error(
        "generation {found} is older than {known}, which was seen before: someone gives back an old state"
    )]
    Older {
        /// Generation seen before.
        known: u64,
        /// Generation given now.
        found: u64,
    },
    /// The owner signed two envelopes of one generation: both are evidence.
    #[error(
        "two different envelopes of generation {generation} carry the owner's signature: keep both as evidence"
    )]
    Equivocation {
        /// The generation.
        generation: u64,
        /// The signed bytes seen before.
        known: Vec<u8>,
        /// The signed bytes given now.
        found: Vec<u8>,
    },
}

/// Compares an envelope with one of the same object that was seen before, both under the pinned owner key. At first sight there is nothing
/// to compare with: a rollback cannot be excluded then.
///
/// # Errors
/// `RollbackError`.
pub fn check_newer(pinned: &OwnerKey, known: &[u8], found: &[u8]) -> Result<Succession, RollbackError> {
    let (old, new) = (verify(pinned, known)?, verify(pinned, found)?);
    if (old.owner, old.object) != (new.owner, new.object) {
        return Err(RollbackError::OtherObject);
    }
    if old.unit != new.unit {
        return Err(RollbackError::OtherUnit { known: old.unit, found: new.unit });
    }
    match new.generation.cmp(&old.generation) {
        core::cmp::Ordering::Greater => Ok(Succession::Newer),
        core::cmp::Ordering::Less => {
            Err(RollbackError::Older { known: old.generation, found: new.generation })
        }
        // Ed25519 signatures are deterministic and strictly verified, yet an owner can sign one payload twice: that says nothing twofold.
        core::cmp::Ordering::Equal if old == new => Ok(Succession::Same),
        core::cmp::Ordering::Equal => Err(RollbackError::Equivocation {
            generation: old.generation,
            known: known.to_vec(),
            found: found.to_vec(),
        }),
    }
}
