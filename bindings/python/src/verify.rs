//! Judging evidence.

use std::collections::{BTreeMap, HashMap};
use std::path::PathBuf;

use bailiwick_bindings as core;
use pyo3::prelude::*;
use pyo3::pybacked::PyBackedBytes;

use crate::errors::OrRaise as _;

#[pyclass(frozen, get_all, module = "bailiwick")]
pub(crate) struct Verdict {
    exit_code: u8,
    json: String,
    text: String,
}

#[pymethods]
impl Verdict {
    /// Whether every claim the policy requires holds.
    #[getter]
    fn holds(&self) -> bool {
        self.exit_code == 0
    }

    fn __repr__(&self) -> String {
        format!("<bailiwick.Verdict exit_code={}>", self.exit_code)
    }
}

/// Verifying keys, in memory or in a folder.
#[derive(FromPyObject)]
pub(crate) enum Keys {
    Memory(HashMap<String, PyBackedBytes>),
    Folder(PathBuf),
}

#[pyfunction]
#[pyo3(signature = (evidence, *, policy, anchors, keys, roster = None, blocs = None, now_ms = None))]
#[expect(clippy::too_many_arguments, reason = "keyword arguments of Python")]
pub(crate) fn verify(
    py: Python<'_>,
    evidence: PyBackedBytes,
    policy: String,
    anchors: String,
    keys: Keys,
    roster: Option<PyBackedBytes>,
    blocs: Option<String>,
    now_ms: Option<u64>,
) -> PyResult<Verdict> {
    let judged = py.detach(|| {
        let verifying_keys: BTreeMap<_, _> = match keys {
            Keys::Memory(keys) => keys.into_iter().map(|(digest, key)| (digest, key.to_vec())).collect(),
            Keys::Folder(path) => core::verifying_keys(&path)?,
        };
        core::verify_evidence(&core::Evidence {
            evidence: &evidence,
            policy: &policy,
            anchors: &anchors,
            verifying_keys: &verifying_keys,
            roster: roster.as_deref(),
            blocs: blocs.as_deref(),
            now_unix_ms: now_ms,
        })
    });
    let core::Verdict { exit_code, json, text } = judged.or_raise(py)?;
    Ok(Verdict { exit_code, json, text })
}
