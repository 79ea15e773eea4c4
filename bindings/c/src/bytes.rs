//! Bytes, texts and pointers in and out.

use std::ffi::{CStr, OsStr, c_char};
use std::os::unix::ffi::OsStrExt as _;
use std::path::PathBuf;
use std::slice;

use bailiwick_bindings::{Code, Error, Result};

/// Bytes the library made. Free them with bw_bytes_free.
#[repr(C)]
#[derive(Debug)]
pub struct bw_bytes {
    /// The first, NULL when there are none.
    pub data: *mut u8,
    /// How many.
    pub len: usize,
}

impl bw_bytes {
    pub(crate) const fn none() -> Self {
        Self { data: std::ptr::null_mut(), len: 0 }
    }

    pub(crate) fn of(bytes: Vec<u8>) -> Self {
        let whole = Box::leak(bytes.into_boxed_slice());
        let len = whole.len();
        Self { data: if len == 0 { std::ptr::null_mut() } else { whole.as_mut_ptr() }, len }
    }
}

/// Frees bytes and forgets them; nothing happens to none.
///
/// # Safety
/// `bytes` is NULL or points to what a function of this library filled in and nobody changed.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn bw_bytes_free(bytes: *mut bw_bytes) {
    // SAFETY: by the contract NULL or a valid bw_bytes.
    let Some(bytes) = (unsafe { bytes.as_mut() }) else { return };
    if !bytes.data.is_null() {
        let whole = std::ptr::slice_from_raw_parts_mut(bytes.data, bytes.len);
        // SAFETY: by the contract these are the pointer and length that `bw_bytes::of` took from a box.
        drop(unsafe { Box::from_raw(whole) });
    }
    *bytes = bw_bytes::none();
}

fn null(what: &str) -> Error {
    Error::new(Code::Argument, format!("{what} is NULL"))
}

/// A reference from C.
///
/// # Safety
/// `pointer` is NULL or valid for as long as the caller uses the reference.
pub(crate) unsafe fn reference<'a, T>(pointer: *const T, what: &str) -> Result<&'a T> {
    // SAFETY: the caller's contract.
    unsafe { pointer.as_ref() }.ok_or_else(|| null(what))
}

/// A slice from C; empty for a length of 0, whatever the pointer.
///
/// # Safety
/// As for [`reference`], for `len` values.
pub(crate) unsafe fn slice<'a, T>(pointer: *const T, len: usize, what: &str) -> Result<&'a [T]> {
    match (pointer.is_null(), len) {
        (_, 0) => Ok(&[]),
        (true, _) => Err(null(what)),
        // SAFETY: the caller's contract.
        (false, _) => Ok(unsafe { slice::from_raw_parts(pointer, len) }),
    }
}

/// A path from C.
///
/// # Safety
/// `pointer` is NULL or a string that ends in a zero byte.
pub(crate) unsafe fn path(pointer: *const c_char, what: &str) -> Result<PathBuf> {
    if pointer.is_null() {
        return Err(null(what));
    }
    // SAFETY: the caller's contract.
    let text = unsafe { CStr::from_ptr(pointer) };
    Ok(OsStr::from_bytes(text.to_bytes()).into())
}

/// A text from C, UTF-8; none for NULL.
///
/// # Safety
/// As for [`path`].
pub(crate) unsafe fn text<'a>(pointer: *const c_char, what: &str) -> Result<Option<&'a str>> {
    if pointer.is_null() {
        return Ok(None);
    }
    // SAFETY: the caller's contract.
    let text = unsafe { CStr::from_ptr(pointer) }.to_str();
    text.map(Some).map_err(|_| Error::new(Code::Argument, format!("{what} is not UTF-8")))
}

/// Writes `value` where C wants it.
///
/// # Safety
/// `out` is NULL or valid for a write; what is there is not dropped.
unsafe fn give<T>(out: *mut T, value: T, what: &str) -> Result<()> {
    if out.is_null() {
        return Err(null(what));
    }
    // SAFETY: not null, and by the contract valid for a write.
    unsafe { out.write(value) };
    Ok(())
}

/// A place of C's for a value, holding what means none until it is given: a caller that overlooks an error finds nothing to use.
pub(crate) struct Out<T>(*mut T);

impl<T> Out<T> {
    /// The place, with `none` in it.
    ///
    /// # Safety
    /// `out` is NULL or valid for writes until the last use of the result; what is there is not dropped.
    pub(crate) unsafe fn new(out: *mut T, none: T, what: &str) -> Result<Self> {
        // SAFETY: the caller's contract.
        unsafe { give(out, none, what) }?;
        Ok(Self(out))
    }

    pub(crate) fn give(self, value: T) {
        // SAFETY: not null and valid for a write, as `new` demands.
        unsafe { self.0.write(value) };
    }
}

impl Out<bw_bytes> {
    /// A place for bytes.
    ///
    /// # Safety
    /// As for [`Out::new`].
    pub(crate) unsafe fn bytes(out: *mut bw_bytes, what: &str) -> Result<Self> {
        // SAFETY: the caller's contract.
        unsafe { Self::new(out, bw_bytes::none(), what) }
    }

    /// A place for bytes that the caller may do without.
    ///
    /// # Safety
    /// As for [`Out::new`].
    pub(crate) unsafe fn bytes_unless_null(out: *mut bw_bytes, what: &str) -> Result<Option<Self>> {
        // SAFETY: the caller's contract.
        if out.is_null() { Ok(None) } else { unsafe { Self::bytes(out, what) }.map(Some) }
    }
}

impl<T> Out<*mut T> {
    /// A place for a handle.
    ///
    /// # Safety
    /// As for [`Out::new`].
    pub(crate) unsafe fn handle(out: *mut *mut T) -> Result<Self> {
        // SAFETY: the caller's contract.
        unsafe { Self::new(out, std::ptr::null_mut(), "out") }
    }

    pub(crate) fn give_handle(self, value: T) {
        self.give(Box::into_raw(Box::new(value)));
    }
}

impl Out<[u8; 32]> {
    /// A place for a public key.
    ///
    /// # Safety
    /// As for [`Out::new`], for 32 bytes.
    pub(crate) unsafe fn key(out: *mut u8) -> Result<Self> {
        // SAFETY: the caller's contract; zeros are no key that any signature verifies under.
        unsafe { Self::new(out.cast(), [0; 32], "out") }
    }
}

/// Frees a handle.
///
/// # Safety
/// `handle` is NULL or came from [`Out::give_handle`] and was not freed.
pub(crate) unsafe fn free<T>(handle: *mut T) {
    if !handle.is_null() {
        // SAFETY: the caller's contract.
        drop(unsafe { Box::from_raw(handle) });
    }
}
