//! Names that mean one file in one place on every system (spec archive, clauses AR4, AR5).

use unicode_normalization::UnicodeNormalization as _;

use crate::error::NameFault;
use crate::{ArchiveError, COMPONENT_BYTES_MAX, DEPTH_MAX, PATH_BYTES_MAX};

/// Refuses a path that is not relative, plain and portable. Components are separated by `/`; a folder's has none at its end.
///
/// # Errors
/// `Name` with the first fault found.
pub fn check_name(path: &str) -> Result<(), ArchiveError> {
    match fault(path) {
        None => Ok(()),
        Some(fault) => Err(ArchiveError::Name { name: path.to_owned(), fault }),
    }
}

fn fault(path: &str) -> Option<NameFault> {
    if path.len() > PATH_BYTES_MAX {
        return Some(NameFault::PathTooLong);
    }
    if path.starts_with('/') {
        return Some(NameFault::Absolute);
    }
    if path.split('/').count() > DEPTH_MAX {
        return Some(NameFault::TooDeep);
    }
    path.split('/').find_map(component_fault)
}

fn component_fault(part: &str) -> Option<NameFault> {
    let mut letters = part.chars();
    if part.is_empty() {
        Some(NameFault::Empty)
    } else if part == "." || part == ".." {
        Some(NameFault::Dots)
    } else if part.contains('\0') {
        Some(NameFault::Nul)
    } else if part.contains('\\') {
        Some(NameFault::Backslash)
    } else if part.chars().any(is_control) {
        Some(NameFault::Control)
    } else if letters.next().is_some_and(|c| c.is_ascii_alphabetic()) && letters.next() == Some(':') {
        Some(NameFault::Drive)
    } else if part.contains(['<', '>', ':', '"', '|', '?', '*']) {
        Some(NameFault::Forbidden)
    } else if part.ends_with(['.', ' ']) {
        Some(NameFault::Ending)
    } else if part.len() > COMPONENT_BYTES_MAX {
        Some(NameFault::ComponentTooLong)
    } else if is_reserved(part) {
        Some(NameFault::Reserved)
    } else {
        None
    }
}

/// Controls (C0, DEL, C1), line and paragraph separators, bidirectional controls (UTR 36 section 2.5).
fn is_control(c: char) -> bool {
    c.is_control()
        || matches!(c, '\u{61c}' | '\u{200e}' | '\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

/// Names of devices on Windows, with any extension ("Naming Files, Paths, and Namespaces", Microsoft).
fn is_reserved(part: &str) -> bool {
    let stem = part.split('.').next().unwrap_or(part).trim_end_matches(' ');
    // COM¹ and the like: superscript digits count as digits there.
    let numbered = |stem: &str, device: &str| {
        stem.get(..3).is_some_and(|s| s.eq_ignore_ascii_case(device))
            && stem.get(3..).is_some_and(|rest| {
                let mut rest = rest.chars();
                matches!(rest.next(), Some('0'..='9' | '¹' | '²' | '³')) && rest.next().is_none()
            })
    };
    ["con", "prn", "aux", "nul", "conin$", "conout$"].iter().any(|d| stem.eq_ignore_ascii_case(d))
        || numbered(stem, "com")
        || numbered(stem, "lpt")
}

/// What two names have in common when a file system that folds case or normalizes Unicode takes them for one: canonical
/// decomposition, lower case, upper case, lower case, canonical decomposition. The tables are those of the build; see clause AR5.
#[must_use]
pub fn collision_key(component: &str) -> String {
    // Upper then lower case, since some letters meet only in upper case (ß and SS, ſ and s, final sigma); lower case before, since ẞ is its own upper case.
    // The dotless ı is a letter of its own in every folding, though its upper case is I.
    let upper = |c: char| if c == 'ı' { String::from(c) } else { c.to_uppercase().collect() };
    let raised: String = component.nfd().flat_map(char::to_lowercase).map(upper).collect();
    let folded: String = raised.chars().flat_map(char::to_lowercase).collect();
    folded.nfd().filter(|c| !is_ignored(*c)).collect()
}

/// Code points that HFS+ leaves out when it compares names (Apple TN1150).
fn is_ignored(c: char) -> bool {
    matches!(c, '\u{200c}' | '\u{200d}' | '\u{206a}'..='\u{206f}' | '\u{feff}')
}
