//! Small values for arguments of transactions.

use bailiwick_bindings as core;
use napi::bindgen_prelude::{AsyncTask, ClassInstance, Uint8Array};
use napi_derive::napi;

use crate::keys::{OwnerKey, Recipient, RecipientKey};
use crate::objects::recipients;
use crate::raise;
use crate::tasks::{Work, promise};

/// Where a value belongs.
#[napi(object)]
pub(crate) struct Place {
    /// `eip155:1`, for instance.
    pub chain: String,
    /// An address in lower case, or a name.
    pub contract: String,
    /// With its types where the platform has them.
    pub function: String,
    /// Which record of the function's.
    pub record: Option<String>,
}

impl Place {
    fn core(self) -> core::Place {
        let Self { chain, contract, function, record } = self;
        core::Place { chain, contract, function, record: record.unwrap_or_default() }
    }
}

/// A value of a batch, or its sealed bytes.
#[napi(object)]
pub(crate) struct BatchValue {
    /// Which record of the function's.
    pub record: Option<String>,
    /// The bytes.
    pub value: Uint8Array,
}

/// A batch.
#[napi(object)]
pub(crate) struct SealedValues {
    /// What readers need beside the values.
    pub header: Uint8Array,
    /// In order.
    pub values: Vec<Uint8Array>,
}

fn owned(values: Vec<BatchValue>) -> Vec<(String, Vec<u8>)> {
    values.into_iter().map(|v| (v.record.unwrap_or_default(), v.value.to_vec())).collect()
}

fn borrowed(values: &[(String, Vec<u8>)]) -> Vec<(&str, &[u8])> {
    values.iter().map(|(record, value)| (record.as_str(), &value[..])).collect()
}

/// Seals a value.
#[napi]
pub(crate) fn seal_value(
    value: Uint8Array,
    place: Place,
    to: Vec<ClassInstance<'_, Recipient>>,
    owner: Option<ClassInstance<'_, OwnerKey>>,
    pad_to: Option<u32>,
    committing: Option<bool>,
) -> AsyncTask<Work<Uint8Array>> {
    let (value, place, to) = (value.to_vec(), place.core(), recipients(&to));
    let owner = owner.map(|o| o.0.clone());
    promise(move || {
        let committing = committing.unwrap_or(false);
        let options = core::ValueOptions { owner: owner.as_deref(), pad_to, committing };
        core::seal_value(&value, &place, &to, &options).map(Uint8Array::new)
    })
}

/// Opens a value.
#[napi]
pub(crate) fn open_value(
    sealed: Uint8Array,
    place: Place,
    keys: Vec<ClassInstance<'_, RecipientKey>>,
    owner: Option<String>,
) -> AsyncTask<Work<Uint8Array>> {
    let (sealed, place) = (sealed.to_vec(), place.core());
    let keys: Vec<_> = keys.iter().map(|k| k.0.clone()).collect();
    promise(move || {
        let owner = owner.as_deref().map(core::OwnerPublic::from_hex).transpose()?;
        let keys: Vec<_> = keys.iter().map(|k| &**k).collect();
        let value = core::open_value(&sealed, &place, &keys, owner.as_ref())?;
        Ok(Uint8Array::new(value.to_vec()))
    })
}

/// Seals many values.
#[napi]
pub(crate) fn seal_values(
    values: Vec<BatchValue>,
    place: Place,
    to: Vec<ClassInstance<'_, Recipient>>,
    owner: Option<ClassInstance<'_, OwnerKey>>,
    pad_to: Option<u32>,
) -> AsyncTask<Work<SealedValues>> {
    let (values, place, to) = (owned(values), place.core(), recipients(&to));
    let owner = owner.map(|o| o.0.clone());
    promise(move || {
        let options = core::ValueOptions { owner: owner.as_deref(), pad_to, committing: true };
        let (header, sealed) = core::seal_values(&borrowed(&values), &place, &to, &options)?;
        let values = sealed.into_iter().map(Uint8Array::new).collect();
        Ok(SealedValues { header: Uint8Array::new(header), values })
    })
}

/// Opens values of one batch.
#[napi]
pub(crate) fn open_values(
    header: Uint8Array,
    values: Vec<BatchValue>,
    place: Place,
    keys: Vec<ClassInstance<'_, RecipientKey>>,
    owner: Option<String>,
) -> AsyncTask<Work<Vec<Uint8Array>>> {
    let (header, values, place) = (header.to_vec(), owned(values), place.core());
    let keys: Vec<_> = keys.iter().map(|k| k.0.clone()).collect();
    promise(move || {
        let owner = owner.as_deref().map(core::OwnerPublic::from_hex).transpose()?;
        let keys: Vec<_> = keys.iter().map(|k| &**k).collect();
        let opened = core::open_values(&header, &borrowed(&values), &place, &keys, owner.as_ref())?;
        Ok(opened.iter().map(|v| Uint8Array::new(v.to_vec())).collect())
    })
}

/// The text form.
#[napi]
pub(crate) fn value_text(sealed: Uint8Array) -> String {
    core::value_text(&sealed)
}

/// The bytes of a text form.
#[napi]
pub(crate) fn value_from_text(text: String) -> napi::Result<Uint8Array> {
    core::value_from_text(&text).map(Uint8Array::new).map_err(raise)
}
