//! Keys. Secret ones are opaque: no method gives their bytes, they cannot be pickled, and their `repr` shows the public half.

use std::path::PathBuf;

use bailiwick_bindings as core;
use pyo3::prelude::*;
use pyo3::types::PyBytes;

use crate::errors::OrRaise as _;

#[pyclass(frozen, module = "bailiwick")]
pub(crate) struct OwnerKey(pub(crate) core::OwnerKey);

#[pymethods]
impl OwnerKey {
    #[staticmethod]
    fn generate(py: Python<'_>) -> PyResult<Self> {
        py.detach(core::OwnerKey::generate).or_raise(py).map(Self)
    }

    #[staticmethod]
    fn load(py: Python<'_>, path: PathBuf) -> PyResult<Self> {
        py.detach(|| core::OwnerKey::read(&path)).or_raise(py).map(Self)
    }

    fn save(&self, py: Python<'_>, path: PathBuf) -> PyResult<()> {
        py.detach(|| self.0.write(&path)).or_raise(py)
    }

    #[getter]
    fn public(&self) -> OwnerPublic {
        OwnerPublic(self.0.public())
    }

    fn __repr__(&self) -> String {
        format!("<bailiwick.OwnerKey of {}>", self.0.public().to_hex())
    }
}

#[pyclass(frozen, eq, hash, module = "bailiwick")]
#[derive(PartialEq, Eq, Hash)]
pub(crate) struct OwnerPublic(pub(crate) core::OwnerPublic);

#[pymethods]
impl OwnerPublic {
    #[staticmethod]
    fn load(py: Python<'_>, path: PathBuf) -> PyResult<Self> {
        py.detach(|| core::OwnerPublic::read(&path)).or_raise(py).map(Self)
    }

    #[staticmethod]
    fn from_hex(py: Python<'_>, digits: &str) -> PyResult<Self> {
        core::OwnerPublic::from_hex(digits).or_raise(py).map(Self)
    }

    fn hex(&self) -> String {
        self.0.to_hex()
    }

    #[getter]
    fn fingerprint(&self) -> String {
        self.0.fingerprint()
    }

    fn __bytes__<'py>(&self, py: Python<'py>) -> Bound<'py, PyBytes> {
        PyBytes::new(py, self.0.as_bytes())
    }

    fn __repr__(&self) -> String {
        format!("bailiwick.OwnerPublic.from_hex('{}')", self.0.to_hex())
    }
}

#[pyclass(frozen, module = "bailiwick")]
pub(crate) struct RecipientKey(pub(crate) core::RecipientKey);

#[pymethods]
impl RecipientKey {
    #[staticmethod]
    #[pyo3(signature = (algorithm = "x-wing"))]
    fn generate(py: Python<'_>, algorithm: &str) -> PyResult<Self> {
        let algorithm = core::Algorithm::parse(algorithm).or_raise(py)?;
        py.detach(|| core::RecipientKey::generate(algorithm)).or_raise(py).map(Self)
    }

    #[staticmethod]
    fn load(py: Python<'_>, path: PathBuf) -> PyResult<Self> {
        py.detach(|| core::RecipientKey::read(&path)).or_raise(py).map(Self)
    }

    fn save(&self, py: Python<'_>, path: PathBuf) -> PyResult<()> {
        py.detach(|| self.0.write(&path)).or_raise(py)
    }

    #[getter]
    fn public(&self) -> Recipient {
        Recipient(self.0.public())
    }

    fn __repr__(&self) -> String {
        format!("<bailiwick.RecipientKey of {}>", self.0.public().fingerprint())
    }
}

#[pyclass(frozen, eq, module = "bailiwick")]
#[derive(PartialEq, Eq)]
pub(crate) struct Recipient(pub(crate) core::Recipient);

#[pymethods]
impl Recipient {
    #[staticmethod]
    fn load(py: Python<'_>, path: PathBuf) -> PyResult<Self> {
        py.detach(|| core::Recipient::read(&path)).or_raise(py).map(Self)
    }

    #[staticmethod]
    fn from_bytes(py: Python<'_>, algorithm: &str, key: &[u8]) -> PyResult<Self> {
        let algorithm = core::Algorithm::parse(algorithm).or_raise(py)?;
        core::Recipient::from_bytes(algorithm, key).or_raise(py).map(Self)
    }

    #[getter]
    fn algorithm(&self, py: Python<'_>) -> PyResult<&'static str> {
        self.0.algorithm().or_raise(py).map(core::Algorithm::name)
    }

    #[getter]
    fn fingerprint(&self) -> String {
        self.0.fingerprint()
    }

    fn __bytes__<'py>(&self, py: Python<'py>) -> Bound<'py, PyBytes> {
        PyBytes::new(py, self.0.as_bytes())
    }

    fn __repr__(&self) -> String {
        format!("<bailiwick.Recipient {}>", self.0.fingerprint())
    }
}

/// The keys among Python objects.
pub(crate) fn recipients(keys: &[PyRef<'_, Recipient>]) -> Vec<core::Recipient> {
    keys.iter().map(|k| k.0.clone()).collect()
}
