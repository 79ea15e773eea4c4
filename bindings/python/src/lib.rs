//! Python binding (PyO3, stable ABI of Python 3.9): the native half of package `bailiwick`.
//!
//! Everything that reads, writes or computes releases the interpreter's lock. Errors become classes of `bailiwick._errors`.

mod errors;
mod keys;
mod objects;
mod sources;
mod values;
mod verify;

use pyo3::prelude::*;

/// The module.
#[pymodule]
fn _native(m: &Bound<'_, PyModule>) -> PyResult<()> {
    m.add("__version__", env!("CARGO_PKG_VERSION"))?;
    m.add_class::<keys::OwnerKey>()?;
    m.add_class::<keys::OwnerPublic>()?;
    m.add_class::<keys::RecipientKey>()?;
    m.add_class::<keys::Recipient>()?;
    m.add_class::<objects::Sealed>()?;
    m.add_class::<objects::Opened>()?;
    m.add_class::<objects::Object>()?;
    m.add_class::<verify::Verdict>()?;
    m.add_function(wrap_pyfunction!(objects::seal, m)?)?;
    m.add_function(wrap_pyfunction!(objects::seal_file, m)?)?;
    m.add_function(wrap_pyfunction!(objects::seal_stream, m)?)?;
    m.add_function(wrap_pyfunction!(objects::rewrap, m)?)?;
    m.add_class::<values::Place>()?;
    m.add_function(wrap_pyfunction!(values::seal_value, m)?)?;
    m.add_function(wrap_pyfunction!(values::open_value, m)?)?;
    m.add_function(wrap_pyfunction!(values::seal_values, m)?)?;
    m.add_function(wrap_pyfunction!(values::open_values, m)?)?;
    m.add_function(wrap_pyfunction!(values::value_text, m)?)?;
    m.add_function(wrap_pyfunction!(values::value_from_text, m)?)?;
    m.add_function(wrap_pyfunction!(verify::verify, m)?)?;
    Ok(())
}
