//! Python's file objects as readers and writers, and whatever a body may be.

use std::io::{self, IoSliceMut, Read, Seek, SeekFrom, Write};
use std::path::PathBuf;

use pyo3::prelude::*;
use pyo3::pybacked::PyBackedBytes;
use pyo3::types::PyBytes;

/// A binary file object. Takes the interpreter's lock for each call, so it works from any thread.
pub(crate) struct PyFile(Py<PyAny>);

impl PyFile {
    pub(crate) fn new(object: &Bound<'_, PyAny>) -> Self {
        Self(object.clone().unbind())
    }
}

fn malformed(what: &'static str) -> io::Error {
    io::Error::other(pyo3::exceptions::PyTypeError::new_err(what))
}

impl Read for PyFile {
    fn read(&mut self, buf: &mut [u8]) -> io::Result<usize> {
        self.read_vectored(&mut [IoSliceMut::new(buf)])
    }

    /// One call of `read` for all of them: each takes the interpreter's lock.
    fn read_vectored(&mut self, bufs: &mut [IoSliceMut<'_>]) -> io::Result<usize> {
        let room: usize = bufs.iter().map(|b| b.len()).sum();
        let read: PyBackedBytes = Python::attach(|py| {
            self.0.bind(py).call_method1("read", (room,))?.extract::<PyBackedBytes>().map_err(PyErr::from)
        })
        .map_err(io::Error::other)?;
        if read.len() > room {
            return Err(malformed("read(n) gave more than n bytes"));
        }
        let mut rest = &read[..];
        for buf in bufs {
            let (now, later) = rest.split_at(rest.len().min(buf.len()));
            buf[..now.len()].copy_from_slice(now);
            rest = later;
        }
        Ok(read.len())
    }
}

impl Write for PyFile {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let written: Option<usize> =
            Python::attach(|py| self.0.bind(py).call_method1("write", (PyBytes::new(py, bytes),))?.extract())
                .map_err(io::Error::other)?;
        match written {
            Some(n) if n <= bytes.len() => Ok(n),
            _ => Err(malformed("write(bytes) must give how many bytes it took")),
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        Python::attach(|py| {
            let file = self.0.bind(py);
            if file.hasattr("flush")? { file.call_method0("flush").map(drop) } else { Ok(()) }
        })
        .map_err(io::Error::other)
    }
}

impl Seek for PyFile {
    fn seek(&mut self, to: SeekFrom) -> io::Result<u64> {
        let (offset, whence) = match to {
            SeekFrom::Start(n) => (i128::from(n), 0),
            SeekFrom::Current(n) => (i128::from(n), 1),
            SeekFrom::End(n) => (i128::from(n), 2),
        };
        Python::attach(|py| self.0.bind(py).call_method1("seek", (offset, whence))?.extract())
            .map_err(io::Error::other)
    }
}

/// Where a body is.
pub(crate) enum Body {
    Bytes(PyBackedBytes),
    Path(PathBuf),
    File(PyFile),
}

impl Body {
    /// `bytes`, a path, or a binary file object that seeks.
    pub(crate) fn of(object: &Bound<'_, PyAny>) -> PyResult<Self> {
        if let Ok(bytes) = object.extract() {
            return Ok(Self::Bytes(bytes));
        }
        if object.hasattr("read")? {
            return Ok(Self::File(PyFile::new(object)));
        }
        object.extract().map(Self::Path)
    }
}
