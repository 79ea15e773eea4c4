//! Node.js binding (napi-rs): the native half of package `bailiwick`; `index.js` makes errors and streams of it.
//!
//! What reads, writes or computes for long is a task of libuv's thread pool. Error messages begin with `CODE: `, which `index.js` takes off.

mod keys;
mod objects;
mod streams;
mod tasks;
mod values;
mod verify;

/// A core's error as JavaScript gets it.
pub(crate) fn raise(error: bailiwick_bindings::Error) -> napi::Error {
    napi::Error::from_reason(format!("{}: {}", error.code.name(), error.message))
}
