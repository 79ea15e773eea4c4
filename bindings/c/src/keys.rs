//! Keys. Secret ones are handles: no function gives their bytes.

use std::ffi::c_char;

use bailiwick_bindings as core;

use crate::bytes::{Out, bw_bytes, free, path, reference, slice, text};
use crate::failure::guard;

/// An owner's secret key: signs envelopes. Wiped when freed.
pub struct bw_owner_key(pub(crate) core::OwnerKey);

/// A recipient's secret key: opens objects. Wiped when freed.
pub struct bw_recipient_key(pub(crate) core::RecipientKey);

/// A recipient's public key.
pub struct bw_recipient(pub(crate) core::Recipient);

/// Makes an owner's key.
///
/// # Safety
/// `out` is valid for a write.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn bw_owner_key_generate(out: *mut *mut bw_owner_key) -> i32 {
    guard(|| {
        // SAFETY: by this function's contract.
        let out = unsafe { Out::handle(out) }?;
        out.give_handle(bw_owner_key(core::OwnerKey::generate()?));
        Ok(())
    })
}

/// Reads an owner's key file; refused when others can read it.
///
/// # Safety
/// `file` is a string, `out` valid for a write.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn bw_owner_key_read(file: *const c_char, out: *mut *mut bw_owner_key) -> i32 {
    guard(|| {
        // SAFETY: both by this function's contract.
        let (out, file) = unsafe { (Out::handle(out)?, path(file, "file")?) };
        out.give_handle(bw_owner_key(core::OwnerKey::read(&file)?));
        Ok(())
    })
}

/// Writes a key file only this user can read, and FILE.pub beside it. Nothing is replaced.
///
/// # Safety
/// `key` is a live handle, `file` a string.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn bw_owner_key_write(key: *const bw_owner_key, file: *const c_char) -> i32 {
    // SAFETY: both by this function's contract.
    guard(|| unsafe { reference(key, "key")?.0.write(&path(file, "file")?) })
}

/// The public key: what envelopes are checked against.
///
/// # Safety
/// `key` is a live handle, `out` has room for 32 bytes.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn bw_owner_key_public(key: *const bw_owner_key, out: *mut u8) -> i32 {
    guard(|| {
        // SAFETY: both by this function's contract.
        let (out, key) = unsafe { (Out::key(out)?, reference(key, "key")?) };
        out.give(*key.0.public().as_bytes());
        Ok(())
    })
}

/// Frees an owner's key.
///
/// # Safety
/// `key` is NULL or a live handle that nobody uses.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn bw_owner_key_free(key: *mut bw_owner_key) {
    // SAFETY: by this function's contract.
    unsafe { free(key) }
}

/// Reads the .pub file of an owner's key.
///
/// # Safety
/// `file` is a string, `out` has room for 32 bytes.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn bw_owner_public_read(file: *const c_char, out: *mut u8) -> i32 {
    guard(|| {
        // SAFETY: both by this function's contract.
        let (out, file) = unsafe { (Out::key(out)?, path(file, "file")?) };
        out.give(*core::OwnerPublic::read(&file)?.as_bytes());
        Ok(())
    })
}

/// Makes a recipient's key: "x-wing" (hybrid post-quantum; also for NULL), "x25519", "p256".
///
/// # Safety
/// `algorithm` is NULL or a string, `out` valid for a write.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn bw_recipient_key_generate(
    algorithm: *const c_char,
    out: *mut *mut bw_recipient_key,
) -> i32 {
    guard(|| {
        // SAFETY: both by this function's contract.
        let (out, name) = unsafe { (Out::handle(out)?, text(algorithm, "algorithm")?) };
        let algorithm = core::Algorithm::parse(name.unwrap_or("x-wing"))?;
        out.give_handle(bw_recipient_key(core::RecipientKey::generate(algorithm)?));
        Ok(())
    })
}

/// Reads a recipient's key file; refused when others can read it.
///
/// # Safety
/// `file` is a string, `out` valid for a write.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn bw_recipient_key_read(file: *const c_char, out: *mut *mut bw_recipient_key) -> i32 {
    guard(|| {
        // SAFETY: both by this function's contract.
        let (out, file) = unsafe { (Out::handle(out)?, path(file, "file")?) };
        out.give_handle(bw_recipient_key(core::RecipientKey::read(&file)?));
        Ok(())
    })
}

/// Writes a key file only this user can read, and FILE.pub beside it. Nothing is replaced.
///
/// # Safety
/// `key` is a live handle, `file` a string.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn bw_recipient_key_write(key: *const bw_recipient_key, file: *const c_char) -> i32 {
    // SAFETY: both by this function's contract.
    guard(|| unsafe { reference(key, "key")?.0.write(&path(file, "file")?) })
}

/// The public half, a handle of its own.
///
/// # Safety
/// `key` is a live handle, `out` valid for a write.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn bw_recipient_key_public(
    key: *const bw_recipient_key,
    out: *mut *mut bw_recipient,
) -> i32 {
    guard(|| {
        // SAFETY: both by this function's contract.
        let (out, key) = unsafe { (Out::handle(out)?, reference(key, "key")?) };
        out.give_handle(bw_recipient(key.0.public()));
        Ok(())
    })
}

/// Frees a recipient's secret key.
///
/// # Safety
/// `key` is NULL or a live handle that nobody uses.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn bw_recipient_key_free(key: *mut bw_recipient_key) {
    // SAFETY: by this function's contract.
    unsafe { free(key) }
}

/// Reads the .pub file of a recipient's key.
///
/// # Safety
/// `file` is a string, `out` valid for a write.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn bw_recipient_read(file: *const c_char, out: *mut *mut bw_recipient) -> i32 {
    guard(|| {
        // SAFETY: both by this function's contract.
        let (out, file) = unsafe { (Out::handle(out)?, path(file, "file")?) };
        out.give_handle(bw_recipient(core::Recipient::read(&file)?));
        Ok(())
    })
}

/// From the bytes of a public key: 1,216 ("x-wing"), 32 ("x25519"), 65 ("p256", uncompressed).
///
/// # Safety
/// `algorithm` is a string, `bytes` points to `len` bytes, `out` is valid for a write.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn bw_recipient_from_bytes(
    algorithm: *const c_char,
    bytes: *const u8,
    len: usize,
    out: *mut *mut bw_recipient,
) -> i32 {
    guard(|| {
        // SAFETY: all by this function's contract.
        let (out, name, bytes) =
            unsafe { (Out::handle(out)?, text(algorithm, "algorithm")?, slice(bytes, len, "bytes")?) };
        let algorithm = core::Algorithm::parse(name.unwrap_or_default())?;
        out.give_handle(bw_recipient(core::Recipient::from_bytes(algorithm, bytes)?));
        Ok(())
    })
}

/// The bytes of a public key.
///
/// # Safety
/// `key` is a live handle, `out` valid for a write.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn bw_recipient_bytes(key: *const bw_recipient, out: *mut bw_bytes) -> i32 {
    guard(|| {
        // SAFETY: both by this function's contract.
        let (out, key) = unsafe { (Out::bytes(out, "out")?, reference(key, "key")?) };
        out.give(bw_bytes::of(key.0.as_bytes().to_vec()));
        Ok(())
    })
}

/// Frees a recipient's public key.
///
/// # Safety
/// `key` is NULL or a live handle that nobody uses.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn bw_recipient_free(key: *mut bw_recipient) {
    // SAFETY: by this function's contract.
    unsafe { free(key) }
}

/// The keys behind handles.
///
/// # Safety
/// `keys` points to `len` live handles.
pub(crate) unsafe fn recipients(
    keys: *const *const bw_recipient,
    len: usize,
) -> core::Result<Vec<core::Recipient>> {
    // SAFETY: the caller's contract.
    let keys = unsafe { slice(keys, len, "recipients") }?;
    // SAFETY: the caller's contract.
    keys.iter().map(|k| unsafe { reference(*k, "a recipient") }.map(|k| k.0.clone())).collect()
}

/// The keys behind handles.
///
/// # Safety
/// `keys` points to `len` handles that live as long as the result is used.
pub(crate) unsafe fn recipient_keys<'a>(
    keys: *const *const bw_recipient_key,
    len: usize,
) -> core::Result<Vec<&'a core::RecipientKey>> {
    // SAFETY: the caller's contract.
    let keys = unsafe { slice(keys, len, "keys") }?;
    // SAFETY: the caller's contract.
    keys.iter().map(|k| unsafe { reference(*k, "a key") }.map(|k| &k.0)).collect()
}
