//! Seal, open, range read, rewrap.

use std::path::PathBuf;

use bailiwick_bindings as core;
use pyo3::prelude::*;
use pyo3::pybacked::PyBackedBytes;
use pyo3::types::PyBytes;

use crate::errors::OrRaise as _;
use crate::keys::{OwnerKey, OwnerPublic, Recipient, RecipientKey, recipients};
use crate::sources::{Body, PyFile};

#[pyclass(frozen, module = "bailiwick")]
pub(crate) struct Sealed {
    body: Option<Py<PyBytes>>,
    #[pyo3(get)]
    envelope: Py<PyBytes>,
    #[pyo3(get)]
    object: String,
    #[pyo3(get)]
    data_bytes: u64,
    #[pyo3(get)]
    body_bytes: u64,
    #[pyo3(get)]
    blake3: String,
}

/// Bytes that are in memory; asking for those that went to a file is a mistake, not an empty answer.
fn in_memory(py: Python<'_>, bytes: Option<&Py<PyBytes>>) -> PyResult<Py<PyBytes>> {
    let elsewhere = || core::Error::new(core::Code::Argument, "these bytes went to a file");
    bytes.map(|b| b.clone_ref(py)).ok_or_else(elsewhere).or_raise(py)
}

#[pymethods]
impl Sealed {
    #[getter]
    fn body(&self, py: Python<'_>) -> PyResult<Py<PyBytes>> {
        in_memory(py, self.body.as_ref())
    }

    fn __repr__(&self) -> String {
        format!("<bailiwick.Sealed {}, {} bytes of data>", self.object, self.data_bytes)
    }
}

fn sealed(py: Python<'_>, body: Option<&[u8]>, made: core::Sealed) -> Sealed {
    Sealed {
        body: body.map(|b| PyBytes::new(py, b).unbind()),
        envelope: PyBytes::new(py, &made.envelope).unbind(),
        object: made.object,
        data_bytes: made.data_bytes,
        body_bytes: made.body_bytes,
        blake3: made.blake3,
    }
}

#[pyclass(frozen, module = "bailiwick")]
pub(crate) struct Opened {
    data: Option<Py<PyBytes>>,
    #[pyo3(get)]
    name: String,
    #[pyo3(get)]
    media_type: String,
    #[pyo3(get)]
    data_bytes: u64,
}

#[pymethods]
impl Opened {
    #[getter]
    fn data(&self, py: Python<'_>) -> PyResult<Py<PyBytes>> {
        in_memory(py, self.data.as_ref())
    }

    fn __repr__(&self) -> String {
        format!("<bailiwick.Opened {} bytes of data>", self.data_bytes)
    }
}

fn opened(py: Python<'_>, data: Option<&[u8]>, o: core::Opened) -> Opened {
    let data = data.map(|d| PyBytes::new(py, d).unbind());
    Opened { data, name: o.name, media_type: o.media_type, data_bytes: o.data_bytes }
}

fn options(name: &str, media_type: &str, anonymous: bool, pad: bool) -> core::Options {
    core::Options { name: name.to_owned(), media_type: media_type.to_owned(), anonymous, no_padding: !pad }
}

#[pyfunction]
#[pyo3(signature = (data, *, owner, to, name = "", media_type = "", anonymous = false, pad = true))]
#[expect(clippy::too_many_arguments, reason = "keyword arguments of Python")]
pub(crate) fn seal(
    py: Python<'_>,
    data: PyBackedBytes,
    owner: PyRef<'_, OwnerKey>,
    to: Vec<PyRef<'_, Recipient>>,
    name: &str,
    media_type: &str,
    anonymous: bool,
    pad: bool,
) -> PyResult<Sealed> {
    let (owner, to, options) = (&owner.0, recipients(&to), options(name, media_type, anonymous, pad));
    let mut body = Vec::new();
    let made = py.detach(|| core::seal(&data[..], &mut body, owner, &to, &options)).or_raise(py)?;
    Ok(sealed(py, Some(&body), made))
}

#[pyfunction]
#[pyo3(signature = (data, body, envelope = None, *, owner, to, name = None, media_type = "", anonymous = false, pad = true))]
#[expect(clippy::too_many_arguments, reason = "keyword arguments of Python")]
pub(crate) fn seal_file(
    py: Python<'_>,
    data: PathBuf,
    body: PathBuf,
    envelope: Option<PathBuf>,
    owner: PyRef<'_, OwnerKey>,
    to: Vec<PyRef<'_, Recipient>>,
    name: Option<String>,
    media_type: &str,
    anonymous: bool,
    pad: bool,
) -> PyResult<Sealed> {
    let name = name.or_else(|| data.file_name().map(|n| n.to_string_lossy().into_owned()));
    let envelope = envelope.unwrap_or_else(|| {
        let mut path = body.as_os_str().to_owned();
        path.push(".envelope");
        path.into()
    });
    let options = options(&name.unwrap_or_default(), media_type, anonymous, pad);
    let (owner, to) = (&owner.0, recipients(&to));
    let made = py.detach(|| core::seal_file(&data, &body, &envelope, owner, &to, &options)).or_raise(py)?;
    Ok(sealed(py, None, made))
}

#[pyfunction]
#[pyo3(signature = (data, body, *, owner, to, name = "", media_type = "", anonymous = false, pad = true))]
#[expect(clippy::too_many_arguments, reason = "keyword arguments of Python")]
pub(crate) fn seal_stream(
    py: Python<'_>,
    data: &Bound<'_, PyAny>,
    body: &Bound<'_, PyAny>,
    owner: PyRef<'_, OwnerKey>,
    to: Vec<PyRef<'_, Recipient>>,
    name: &str,
    media_type: &str,
    anonymous: bool,
    pad: bool,
) -> PyResult<Sealed> {
    let (from, into) = (PyFile::new(data), PyFile::new(body));
    let (owner, to, options) = (&owner.0, recipients(&to), options(name, media_type, anonymous, pad));
    let made = py.detach(|| core::seal(from, into, owner, &to, &options)).or_raise(py)?;
    Ok(sealed(py, None, made))
}

#[pyclass(frozen, module = "bailiwick")]
pub(crate) struct Object(core::Object);

#[pymethods]
impl Object {
    #[new]
    #[pyo3(signature = (envelope, *, owner, keys))]
    fn new(
        py: Python<'_>,
        envelope: PyBackedBytes,
        owner: PyRef<'_, OwnerPublic>,
        keys: Vec<PyRef<'_, RecipientKey>>,
    ) -> PyResult<Self> {
        let (owner, keys): (_, Vec<_>) = (&owner.0, keys.iter().map(|k| &k.0).collect());
        py.detach(|| core::Object::new(&envelope, owner, &keys)).or_raise(py).map(Self)
    }

    #[getter]
    fn name(&self) -> String {
        self.0.name()
    }

    #[getter]
    fn generation(&self) -> u64 {
        self.0.generation()
    }

    #[getter]
    fn recipients(&self) -> usize {
        self.0.recipients()
    }

    fn open(&self, py: Python<'_>, body: PyBackedBytes) -> PyResult<Opened> {
        let mut data = Vec::new();
        let done = py.detach(|| self.0.open(&body[..], &mut data)).or_raise(py)?;
        Ok(opened(py, Some(&data), done))
    }

    fn open_file(&self, py: Python<'_>, body: PathBuf, out: PathBuf) -> PyResult<Opened> {
        let done = py.detach(|| self.0.open_file(&body, &out)).or_raise(py)?;
        Ok(opened(py, None, done))
    }

    fn open_stream(
        &self,
        py: Python<'_>,
        body: &Bound<'_, PyAny>,
        out: &Bound<'_, PyAny>,
    ) -> PyResult<Opened> {
        let (from, into) = (PyFile::new(body), PyFile::new(out));
        let done = py.detach(|| self.0.open(from, into)).or_raise(py)?;
        Ok(opened(py, None, done))
    }

    fn read_range<'py>(
        &self,
        py: Python<'py>,
        body: &Bound<'py, PyAny>,
        offset: u64,
        length: u64,
    ) -> PyResult<Bound<'py, PyBytes>> {
        let body = Body::of(body)?;
        let mut data = Vec::new();
        py.detach(|| match body {
            Body::Bytes(bytes) => self.0.range(&mut &bytes[..], offset, length, &mut data),
            Body::Path(path) => self.0.range(&mut core::Object::source(&path)?, offset, length, &mut data),
            Body::File(file) => self.0.range(&mut core::Seekable(file), offset, length, &mut data),
        })
        .or_raise(py)?;
        Ok(PyBytes::new(py, &data))
    }

    fn __repr__(&self) -> String {
        format!("<bailiwick.Object {} generation {}>", self.0.name(), self.0.generation())
    }
}

#[pyfunction]
#[pyo3(signature = (envelope, *, owner, keys, add = Vec::new(), remove = Vec::new(), replace = None, anonymous = false))]
#[expect(clippy::too_many_arguments, reason = "keyword arguments of Python")]
pub(crate) fn rewrap<'py>(
    py: Python<'py>,
    envelope: PyBackedBytes,
    owner: PyRef<'py, OwnerKey>,
    keys: Vec<PyRef<'py, RecipientKey>>,
    add: Vec<PyRef<'py, Recipient>>,
    remove: Vec<PyRef<'py, Recipient>>,
    replace: Option<Vec<PyRef<'py, Recipient>>>,
    anonymous: bool,
) -> PyResult<Option<Bound<'py, PyBytes>>> {
    let (owner, keys): (_, Vec<_>) = (&owner.0, keys.iter().map(|k| &k.0).collect());
    let (add, remove, replace) = (recipients(&add), recipients(&remove), replace.map(|r| recipients(&r)));
    let changes = core::Rewrap { add: &add, remove: &remove, replace: replace.as_deref(), anonymous };
    let made = py.detach(|| {
        let object = core::Object::new(&envelope, &owner.public(), &keys)?;
        core::rewrap(&object, owner, &changes)
    });
    Ok(made.or_raise(py)?.map(|bytes| PyBytes::new(py, &bytes)))
}
