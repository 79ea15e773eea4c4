//! Errors: the caller's own exception where its file object raised one, else a class of `bailiwick._errors`.

use bailiwick_bindings::Error;
use pyo3::prelude::*;

/// Makes the exception.
pub(crate) fn raise(py: Python<'_>, error: Error) -> PyErr {
    let Error { code, message, io } = error;
    if let Some(raised) = io.and_then(|e| e.downcast::<PyErr>().ok()) {
        return raised;
    }
    let made = PyModule::import(py, "bailiwick._errors")
        .and_then(|m| m.getattr("from_code"))
        .and_then(|f| f.call1((code.name(), message)));
    made.map_or_else(|e| e, PyErr::from_value)
}

/// Gives results of the core to Python.
pub(crate) trait OrRaise<T> {
    fn or_raise(self, py: Python<'_>) -> PyResult<T>;
}

impl<T> OrRaise<T> for bailiwick_bindings::Result<T> {
    fn or_raise(self, py: Python<'_>) -> PyResult<T> {
        self.map_err(|e| raise(py, e))
    }
}
