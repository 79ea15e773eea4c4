//! Errors as numbers, with a message per thread.

use std::cell::RefCell;
use std::ffi::{CStr, CString, c_char};
use std::panic::{AssertUnwindSafe, catch_unwind};

use bailiwick_bindings::{Code, Error, Result};

thread_local! {
    static LAST: RefCell<CString> = RefCell::new(CString::default());
}

/// Runs `f`; 0, or the number of its error, whose message is kept for this thread. A panic is an error, too.
pub(crate) fn guard(f: impl FnOnce() -> Result<()>) -> i32 {
    let done = catch_unwind(AssertUnwindSafe(f));
    let done = done.unwrap_or_else(|_| Err(Error::new(Code::Internal, "a fault of the library")));
    match done {
        Ok(()) => 0,
        Err(e) => {
            let message = CString::new(e.message.replace('\0', "\\0")).unwrap_or_default();
            LAST.with(|last| *last.borrow_mut() = message);
            e.code.number()
        }
    }
}

/// What happened when a function last failed on this thread. Valid until one fails again on this thread.
#[unsafe(no_mangle)]
pub extern "C" fn bw_last_error() -> *const c_char {
    LAST.with(|last| last.borrow().as_ptr())
}

/// The stable name of an error's number, "not-authentic" for instance; "ok" for 0, "unknown" for a number of none.
#[unsafe(no_mangle)]
pub extern "C" fn bw_code_name(code: i32) -> *const c_char {
    let found = Code::ALL.into_iter().find(|c| c.number() == code);
    let name: &'static CStr = match found {
        None if code == 0 => c"ok",
        None => c"unknown",
        Some(Code::Argument) => c"argument",
        Some(Code::Io) => c"io",
        Some(Code::KeyFile) => c"key-file",
        Some(Code::Key) => c"key",
        Some(Code::Envelope) => c"envelope",
        Some(Code::NoRecipient) => c"no-recipient",
        Some(Code::WrongBody) => c"wrong-body",
        Some(Code::NotAuthentic) => c"not-authentic",
        Some(Code::Malformed) => c"malformed",
        Some(Code::Range) => c"range",
        Some(Code::TooLarge) => c"too-large",
        Some(Code::Recipients) => c"recipients",
        Some(Code::Rewrap) => c"rewrap",
        Some(Code::Unusable) => c"unusable",
        Some(Code::NotAlone) => c"not-alone",
        Some(_) => c"internal",
    };
    name.as_ptr()
}
