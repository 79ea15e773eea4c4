//! Seal, open, range read, rewrap.

use std::ffi::c_char;
use std::ptr;

use bailiwick_bindings as core;

use crate::bytes::{Out, bw_bytes, free, path, reference, slice, text};
use crate::failure::guard;
use crate::keys::{bw_owner_key, bw_recipient, bw_recipient_key, recipient_keys, recipients};

/// How to seal. All zero is a good choice; a NULL instead of a pointer to it as well.
#[repr(C)]
#[derive(Debug)]
pub struct bw_seal_options {
    /// Name sealed with the data, UTF-8; NULL for none.
    pub name: *const c_char,
    /// Media type sealed with the data; NULL for none.
    pub media_type: *const c_char,
    /// Leave the recipients' key ids out of the envelope.
    pub anonymous: bool,
    /// Do not hide the true length.
    pub no_padding: bool,
}

/// A verified envelope and the key it holds.
pub struct bw_object(core::Object);

/// # Safety
/// `options` is NULL or valid, its texts NULL or strings.
unsafe fn read_options(options: *const bw_seal_options) -> core::Result<core::Options> {
    // SAFETY: the caller's contract.
    let Some(o) = (unsafe { options.as_ref() }) else { return Ok(core::Options::default()) };
    // SAFETY: the caller's contract.
    let (name, media_type) = unsafe { (text(o.name, "name")?, text(o.media_type, "media_type")?) };
    Ok(core::Options {
        name: name.unwrap_or_default().to_owned(),
        media_type: media_type.unwrap_or_default().to_owned(),
        anonymous: o.anonymous,
        no_padding: o.no_padding,
    })
}

/// Seals data in memory into a body and its envelope. Free both with bw_bytes_free.
///
/// # Safety
/// `data` points to `data_len` bytes, `owner` is a live handle, `to` points to `to_len` live handles, `options` is NULL or valid, `body` and
/// `envelope` are valid for a write.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn bw_seal(
    data: *const u8,
    data_len: usize,
    owner: *const bw_owner_key,
    to: *const *const bw_recipient,
    to_len: usize,
    options: *const bw_seal_options,
    body: *mut bw_bytes,
    envelope: *mut bw_bytes,
) -> i32 {
    guard(|| {
        // SAFETY: both by this function's contract.
        let (body, envelope) = unsafe { (Out::bytes(body, "body"), Out::bytes(envelope, "envelope")) };
        let (body, envelope) = (body?, envelope?);
        // SAFETY: all by this function's contract.
        let (data, owner, to, options) = unsafe {
            (
                slice(data, data_len, "data")?,
                reference(owner, "owner")?,
                recipients(to, to_len)?,
                read_options(options)?,
            )
        };
        let mut made = Vec::new();
        let sealed = core::seal(data, &mut made, &owner.0, &to, &options)?;
        body.give(bw_bytes::of(made));
        envelope.give(bw_bytes::of(sealed.envelope));
        Ok(())
    })
}

/// Seals file `data` into the new files `body` and `envelope`, which appear whole or not at all.
///
/// # Safety
/// The paths are strings; otherwise as for bw_seal.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn bw_seal_file(
    data: *const c_char,
    body: *const c_char,
    envelope: *const c_char,
    owner: *const bw_owner_key,
    to: *const *const bw_recipient,
    to_len: usize,
    options: *const bw_seal_options,
) -> i32 {
    guard(|| {
        // SAFETY: all by this function's contract.
        let (data, body, envelope) =
            unsafe { (path(data, "data")?, path(body, "body")?, path(envelope, "envelope")?) };
        // SAFETY: all by this function's contract.
        let (owner, to, options) =
            unsafe { (reference(owner, "owner")?, recipients(to, to_len)?, read_options(options)?) };
        core::seal_file(&data, &body, &envelope, &owner.0, &to, &options).map(drop)
    })
}

/// Verifies an envelope under the owner's public key, known from elsewhere than the envelope, and opens it with one of the keys.
///
/// # Safety
/// `envelope` points to `envelope_len` bytes, `owner` to 32, `keys` to `keys_len` live handles; `out` is valid for a write.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn bw_object_new(
    envelope: *const u8,
    envelope_len: usize,
    owner: *const u8,
    keys: *const *const bw_recipient_key,
    keys_len: usize,
    out: *mut *mut bw_object,
) -> i32 {
    guard(|| {
        // SAFETY: all by this function's contract.
        let (out, envelope, owner, keys) = unsafe {
            (
                Out::handle(out)?,
                slice(envelope, envelope_len, "envelope")?,
                *reference(owner.cast::<[u8; 32]>(), "owner")?,
                recipient_keys(keys, keys_len)?,
            )
        };
        let owner = core::OwnerPublic::from_bytes(owner);
        out.give_handle(bw_object(core::Object::new(envelope, &owner, &keys)?));
        Ok(())
    })
}

/// How often the envelope was rewritten, from 1; 0 for NULL.
///
/// # Safety
/// `object` is NULL or a live handle.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn bw_object_generation(object: *const bw_object) -> u64 {
    // SAFETY: by this function's contract.
    unsafe { object.as_ref() }.map_or(0, |o| o.0.generation())
}

/// Decrypts a body in memory. `name`, unless NULL, receives the name that was sealed with the data: text from outside, not ended by a zero byte.
///
/// # Safety
/// `object` is a live handle, `body` points to `body_len` bytes, `data` is valid for a write, `name` NULL or valid for a write.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn bw_object_open(
    object: *const bw_object,
    body: *const u8,
    body_len: usize,
    data: *mut bw_bytes,
    name: *mut bw_bytes,
) -> i32 {
    guard(|| {
        // SAFETY: both by this function's contract.
        let (data, name) = unsafe { (Out::bytes(data, "data"), Out::bytes_unless_null(name, "name")) };
        let (data, name) = (data?, name?);
        // SAFETY: both by this function's contract.
        let (object, body) = unsafe { (reference(object, "object")?, slice(body, body_len, "body")?) };
        let mut plain = Vec::new();
        let opened = object.0.open(body, &mut plain)?;
        data.give(bw_bytes::of(plain));
        if let Some(name) = name {
            name.give(bw_bytes::of(opened.name.into_bytes()));
        }
        Ok(())
    })
}

/// Decrypts file `body` into the new file `out`, which appears only when all of the body was checked.
///
/// # Safety
/// `object` is a live handle, the paths are strings.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn bw_object_open_file(
    object: *const bw_object,
    body: *const c_char,
    out: *const c_char,
) -> i32 {
    guard(|| {
        // SAFETY: all by this function's contract.
        let (object, body, out) =
            unsafe { (reference(object, "object")?, path(body, "body")?, path(out, "out")?) };
        object.0.open_file(&body, &out).map(drop)
    })
}

/// Decrypts `len` bytes from `offset` on of a body in memory into `out`, touching only the chunks they lie in. They are authentic among key
/// holders: the owner, or anyone who can open the object, wrote them. After an error `out` holds zeros.
///
/// # Safety
/// `object` is a live handle, `body` points to `body_len` bytes, `out` has room for `len`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn bw_object_read_range(
    object: *const bw_object,
    body: *const u8,
    body_len: usize,
    offset: u64,
    out: *mut u8,
    len: usize,
) -> i32 {
    guard(|| {
        let read = || {
            // SAFETY: both by this function's contract.
            let (object, mut body) =
                unsafe { (reference(object, "object")?, slice(body, body_len, "body")?) };
            object.0.range_bytes(&mut body, offset, len)
        };
        // SAFETY: by this function's contract.
        unsafe { read_into(read, out, len) }
    })
}

/// Like bw_object_read_range, from a file.
///
/// # Safety
/// `object` is a live handle, `body` a string, `out` has room for `len` bytes.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn bw_object_read_range_file(
    object: *const bw_object,
    body: *const c_char,
    offset: u64,
    out: *mut u8,
    len: usize,
) -> i32 {
    guard(|| {
        let read = || {
            // SAFETY: both by this function's contract.
            let (object, body) = unsafe { (reference(object, "object")?, path(body, "body")?) };
            object.0.range_bytes(&mut core::Object::source(&body)?, offset, len)
        };
        // SAFETY: by this function's contract.
        unsafe { read_into(read, out, len) }
    })
}

/// Only at the end is anything written: `out` may overlap what is read, and after an error, whichever, it holds zeros.
///
/// # Safety
/// `out` has room for `len` bytes.
unsafe fn read_into<T: std::ops::Deref<Target = Vec<u8>>>(
    read: impl FnOnce() -> core::Result<T>,
    out: *mut u8,
    len: usize,
) -> core::Result<()> {
    if len > 0 && out.is_null() {
        return Err(core::Error::new(core::Code::Argument, "out is NULL"));
    }
    let read = read();
    if len > 0 {
        match &read {
            // SAFETY: `range_bytes` gives `len` bytes, `out` has room for them, and fresh memory overlaps nothing of the caller's.
            Ok(data) => unsafe { ptr::copy_nonoverlapping(data.as_ptr(), out, len) },
            // SAFETY: as before.
            Err(_) => unsafe { ptr::write_bytes(out, 0, len) },
        }
    }
    read.map(drop)
}

/// Frees an object.
///
/// # Safety
/// `object` is NULL or a live handle that nobody uses.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn bw_object_free(object: *mut bw_object) {
    // SAFETY: by this function's contract.
    unsafe { free(object) }
}

/// Signs the next generation of an object's envelope, with recipients added and removed; `out` is empty when nothing would change. Whoever
/// could open the object before and kept its key, or the data, still can.
///
/// # Safety
/// `object` and `owner` are live handles, `add` and `remove` point to as many live handles as their lengths say, `out` is valid for a write.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn bw_rewrap(
    object: *const bw_object,
    owner: *const bw_owner_key,
    add: *const *const bw_recipient,
    add_len: usize,
    remove: *const *const bw_recipient,
    remove_len: usize,
    out: *mut bw_bytes,
) -> i32 {
    guard(|| {
        // SAFETY: all by this function's contract.
        let (out, object, owner, add, remove) = unsafe {
            (
                Out::bytes(out, "out")?,
                reference(object, "object")?,
                reference(owner, "owner")?,
                recipients(add, add_len)?,
                recipients(remove, remove_len)?,
            )
        };
        let changes = core::Rewrap { add: &add, remove: &remove, ..Default::default() };
        let made = core::rewrap(&object.0, &owner.0, &changes)?.unwrap_or_default();
        out.give(bw_bytes::of(made));
        Ok(())
    })
}
