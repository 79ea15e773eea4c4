//! Small values for arguments of transactions (spec compact): one at a time, or many for the same readers.

use bailiwick_envelope::compact::{self, BatchOpener, BatchSealer, CompactError, Context, Pad};
use bailiwick_envelope::{RecipientPublicKey, RecipientSecretKey};
use zeroize::Zeroizing;

use crate::keys::system_rng;
use crate::{Code, Error, OwnerKey, OwnerPublic, Recipient, RecipientKey, Result};

/// Where a value belongs. It is bound to all of it, and none of it is in the sealed bytes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Place {
    /// `eip155:1`, `fabric:trade`, `fisco:group0`, `xuper:xuper`.
    pub chain: String,
    /// An address in lower case, or a name.
    pub contract: String,
    /// With its types where the platform has them: `put(bytes32,bytes)`.
    pub function: String,
    /// Which record of the function's; may be empty.
    pub record: String,
}

impl Place {
    fn context(&self) -> Result<Context> {
        Ok(Context::new(&self.chain, &self.contract, &self.function)?.record(&self.record)?)
    }
}

/// How to seal values.
#[derive(Clone, Copy, Debug, Default)]
pub struct ValueOptions<'a> {
    /// Signs them, 64 bytes each. Without it anyone who knows the recipients' keys could have sealed them.
    pub owner: Option<&'a OwnerKey>,
    /// All values alike: up to this many bytes, one for a mark included. Otherwise the length is visible to the byte.
    pub pad_to: Option<u32>,
    /// The key-committing form for one recipient, too; several have it always.
    pub committing: bool,
}

impl<'a> ValueOptions<'a> {
    fn compact(&self) -> compact::Options<'a> {
        let pad = self.pad_to.map_or(Pad::None, Pad::To);
        compact::Options { pad, signer: self.owner.map(OwnerKey::signing), committing: self.committing }
    }
}

/// Seals a value of at most 64 KiB.
///
/// # Errors
/// `Argument` for a place or padding that cannot be, `TooLarge`, `Recipients`, `Key`.
pub fn seal_value(
    value: &[u8],
    place: &Place,
    recipients: &[Recipient],
    options: &ValueOptions<'_>,
) -> Result<Vec<u8>> {
    let mut rng = system_rng()?;
    Ok(compact::seal(value, &place.context()?, &public(recipients), &options.compact(), &mut rng)?)
}

/// Opens a value. With `owner` it must carry that owner's signature; without, it must carry none, and anyone could have sealed it.
///
/// # Errors
/// `Malformed`, `NoRecipient`, `NotAuthentic`; `Argument` for a place that cannot be.
pub fn open_value(
    sealed: &[u8],
    place: &Place,
    keys: &[&RecipientKey],
    owner: Option<&OwnerPublic>,
) -> Result<Zeroizing<Vec<u8>>> {
    let opened = compact::open(sealed, &place.context()?, &secrets(keys)?, owner.map(|o| &o.0));
    Ok(opened.map_err(in_what_is_read)?.value)
}

/// Seals many values for the same recipients: one public-key operation for all of them. Each belongs to its own record of `place`, whose
/// record does not count. Gives the batch's header, which readers need beside the values, and the values in order.
///
/// # Errors
/// As [`seal_value`].
pub fn seal_values(
    values: &[(&str, &[u8])],
    place: &Place,
    recipients: &[Recipient],
    options: &ValueOptions<'_>,
) -> Result<(Vec<u8>, Vec<Vec<u8>>)> {
    let mut rng = system_rng()?;
    let mut batch = BatchSealer::new(&place.context()?, &public(recipients), options.compact(), &mut rng)?;
    let sealed: std::result::Result<_, _> = values.iter().map(|(record, v)| batch.seal(record, v)).collect();
    Ok((batch.header().to_vec(), sealed?))
}

/// Opens values of one batch, all or none; one that comes twice is refused.
///
/// # Errors
/// As [`open_value`].
pub fn open_values(
    header: &[u8],
    values: &[(&str, &[u8])],
    place: &Place,
    keys: &[&RecipientKey],
    owner: Option<&OwnerPublic>,
) -> Result<Vec<Zeroizing<Vec<u8>>>> {
    let opener = BatchOpener::new(header, &place.context()?, &secrets(keys)?, owner.map(|o| &o.0));
    let opened = opener.and_then(|o| o.open_all(values.iter().copied()));
    Ok(opened.map_err(in_what_is_read)?.into_iter().map(|o| o.value).collect())
}

/// `bwc1.` and base64url: a sealed value for arguments that are texts (Fabric, XuperChain). For arguments that are bytes
/// (EVM, FISCO BCOS) it is the sealed bytes themselves.
#[must_use]
pub fn value_text(sealed: &[u8]) -> String {
    compact::to_text(sealed)
}

/// The sealed bytes of either text form, `bwc1.` or `0x` and hexadecimal.
///
/// # Errors
/// `Malformed`.
pub fn value_from_text(text: &str) -> Result<Vec<u8>> {
    Ok(compact::from_text(text)?)
}

fn public(recipients: &[Recipient]) -> Vec<RecipientPublicKey> {
    recipients.iter().map(|r| r.0.clone()).collect()
}

fn secrets(keys: &[&RecipientKey]) -> Result<Vec<RecipientSecretKey>> {
    keys.iter().map(|k| k.copy()).collect()
}

/// What a caller who seals does wrong with recipients, a stranger has written into what is opened.
fn in_what_is_read(e: CompactError) -> Error {
    let mut error = Error::from(e);
    if error.code == Code::Recipients {
        error.code = Code::Malformed;
    }
    error
}

impl From<CompactError> for Error {
    fn from(e: CompactError) -> Self {
        let code = match e {
            CompactError::ValueTooLarge { .. } => Code::TooLarge,
            CompactError::PadTo { .. } | CompactError::Context { .. } | CompactError::BatchFull => {
                Code::Argument
            }
            CompactError::NoRecipients => Code::Recipients,
            CompactError::TooManyRecipients { .. } | CompactError::DuplicateRecipient => Code::Recipients,
            CompactError::Key(_) => Code::Key,
            CompactError::NoRecipient => Code::NoRecipient,
            CompactError::NotOpened
            | CompactError::Commitment
            | CompactError::OtherBatch
            | CompactError::IndexRepeated { .. }
            | CompactError::OwnerNeeded
            | CompactError::NotSigned
            | CompactError::Signature => Code::NotAuthentic,
            _ => Code::Malformed,
        };
        Self::of(code, &e)
    }
}
