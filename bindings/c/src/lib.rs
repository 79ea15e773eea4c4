//! C binding: opaque handles, numbers for errors, a message per thread. The header is `include/bailiwick.h`.
//!
//! This file's folder is where the workspace's bindings meet raw pointers: each function checks for null where it can, trusts what its
//! contract says of the rest, and lets no panic through.

#![allow(unsafe_code, reason = "a C interface is made of pointers")]
#![allow(non_camel_case_types, reason = "names as C writes them")]

mod bytes;
mod failure;
mod keys;
mod objects;
mod verify;

pub use bytes::*;
pub use failure::*;
pub use keys::*;
pub use objects::*;
pub use verify::*;
