//! Small values for arguments of transactions.

use bailiwick_bindings as core;
use pyo3::prelude::*;
use pyo3::pybacked::PyBackedBytes;
use pyo3::types::PyBytes;

use crate::errors::OrRaise as _;
use crate::keys::{OwnerKey, OwnerPublic, Recipient, RecipientKey, recipients};

/// Where a value belongs.
#[pyclass(frozen, eq, hash, get_all, module = "bailiwick")]
#[derive(PartialEq, Eq, Hash)]
pub(crate) struct Place {
    chain: String,
    contract: String,
    function: String,
    record: String,
}

#[pymethods]
impl Place {
    #[new]
    #[pyo3(signature = (chain, contract, function, record = ""))]
    fn new(chain: String, contract: String, function: String, record: &str) -> Self {
        Self { chain, contract, function, record: record.to_owned() }
    }

    fn __repr__(&self) -> String {
        let Self { chain, contract, function, record } = self;
        format!("bailiwick.Place({chain:?}, {contract:?}, {function:?}, {record:?})")
    }
}

impl Place {
    fn core(&self) -> core::Place {
        let Self { chain, contract, function, record } = self;
        let (chain, contract) = (chain.clone(), contract.clone());
        core::Place { chain, contract, function: function.clone(), record: record.clone() }
    }
}

#[pyfunction]
#[pyo3(signature = (value, *, place, to, owner = None, pad_to = None, committing = false))]
pub(crate) fn seal_value<'py>(
    py: Python<'py>,
    value: PyBackedBytes,
    place: PyRef<'py, Place>,
    to: Vec<PyRef<'py, Recipient>>,
    owner: Option<PyRef<'py, OwnerKey>>,
    pad_to: Option<u32>,
    committing: bool,
) -> PyResult<Bound<'py, PyBytes>> {
    let (place, to, owner) = (place.core(), recipients(&to), owner.as_ref().map(|o| &o.0));
    let options = core::ValueOptions { owner, pad_to, committing };
    let sealed = py.detach(|| core::seal_value(&value, &place, &to, &options)).or_raise(py)?;
    Ok(PyBytes::new(py, &sealed))
}

#[pyfunction]
#[pyo3(signature = (sealed, *, place, keys, owner = None))]
pub(crate) fn open_value<'py>(
    py: Python<'py>,
    sealed: PyBackedBytes,
    place: PyRef<'py, Place>,
    keys: Vec<PyRef<'py, RecipientKey>>,
    owner: Option<PyRef<'py, OwnerPublic>>,
) -> PyResult<Bound<'py, PyBytes>> {
    let (place, owner) = (place.core(), owner.as_ref().map(|o| &o.0));
    let keys: Vec<_> = keys.iter().map(|k| &k.0).collect();
    let value = py.detach(|| core::open_value(&sealed, &place, &keys, owner)).or_raise(py)?;
    Ok(PyBytes::new(py, &value))
}

/// Records and values, as the core takes them.
fn borrowed(values: &[(String, PyBackedBytes)]) -> Vec<(&str, &[u8])> {
    values.iter().map(|(record, value)| (record.as_str(), &value[..])).collect()
}

#[pyfunction]
#[pyo3(signature = (values, *, place, to, owner = None, pad_to = None))]
pub(crate) fn seal_values<'py>(
    py: Python<'py>,
    values: Vec<(String, PyBackedBytes)>,
    place: PyRef<'py, Place>,
    to: Vec<PyRef<'py, Recipient>>,
    owner: Option<PyRef<'py, OwnerKey>>,
    pad_to: Option<u32>,
) -> PyResult<(Bound<'py, PyBytes>, Vec<Bound<'py, PyBytes>>)> {
    let (place, to, owner) = (place.core(), recipients(&to), owner.as_ref().map(|o| &o.0));
    let options = core::ValueOptions { owner, pad_to, committing: true };
    let made = py.detach(|| core::seal_values(&borrowed(&values), &place, &to, &options));
    let (header, sealed) = made.or_raise(py)?;
    Ok((PyBytes::new(py, &header), sealed.iter().map(|s| PyBytes::new(py, s)).collect()))
}

#[pyfunction]
#[pyo3(signature = (header, values, *, place, keys, owner = None))]
pub(crate) fn open_values<'py>(
    py: Python<'py>,
    header: PyBackedBytes,
    values: Vec<(String, PyBackedBytes)>,
    place: PyRef<'py, Place>,
    keys: Vec<PyRef<'py, RecipientKey>>,
    owner: Option<PyRef<'py, OwnerPublic>>,
) -> PyResult<Vec<Bound<'py, PyBytes>>> {
    let (place, owner) = (place.core(), owner.as_ref().map(|o| &o.0));
    let keys: Vec<_> = keys.iter().map(|k| &k.0).collect();
    let opened = py.detach(|| core::open_values(&header, &borrowed(&values), &place, &keys, owner));
    Ok(opened.or_raise(py)?.iter().map(|v| PyBytes::new(py, v)).collect())
}

#[pyfunction]
pub(crate) fn value_text(sealed: &[u8]) -> String {
    core::value_text(sealed)
}

#[pyfunction]
pub(crate) fn value_from_text<'py>(py: Python<'py>, text: &str) -> PyResult<Bound<'py, PyBytes>> {
    Ok(PyBytes::new(py, &core::value_from_text(text).or_raise(py)?))
}
