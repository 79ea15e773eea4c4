//! Text that came from a file and goes to a reader: lines of a TOML document, and escaping.

/// Bytes of a policy or trust-anchors file, at most: some thousands of principals fit, a parser stays quick.
pub const TOML_BYTES_MAX: usize = 1 << 20;

/// The line (from 1) that byte `at` of `text` lies on.
pub(crate) fn line_of(text: &str, at: usize) -> usize {
    1 + text.as_bytes().iter().take(at).filter(|b| **b == b'\n').count()
}

/// Line and message of a TOML error, the message safe to print.
pub(crate) fn toml_error(text: &str, error: &toml::de::Error) -> (usize, String) {
    (error.span().map_or(1, |s| line_of(text, s.start)), printable(error.message()))
}

/// `text` with every character that could move the cursor, break a line, hide or reorder text written as `\u{…}`.
///
/// Covers control characters (C0, DEL, C1), line and paragraph separators, bidirectional controls
/// (Unicode Technical Report 36 section 2.5), soft hyphens, zero-width and other invisible format characters, blank fillers,
/// and the tag block with the unassigned characters after it, which no font draws. Variation selectors stay: scripts need them.
#[must_use]
pub fn printable(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        if is_unprintable(c) {
            out.extend(c.escape_unicode());
        } else {
            out.push(c);
        }
    }
    out
}

/// Whether [`printable`] would escape `c`.
pub(crate) fn is_unprintable(c: char) -> bool {
    c.is_control()
        || matches!(c,
            '\u{ad}' | '\u{34f}' | '\u{61c}' | '\u{115f}' | '\u{1160}' | '\u{17b4}' | '\u{17b5}' | '\u{180e}'
            | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{3164}'
            | '\u{feff}' | '\u{ffa0}' | '\u{fff9}'..='\u{fffb}' | '\u{1d173}'..='\u{1d17a}'
            | '\u{e0000}'..='\u{e00ff}')
}

/// `text` as one word of a POSIX shell, printable.
#[must_use]
pub fn shell_word(text: &str) -> String {
    let text = printable(text);
    let plain = |c: char| c.is_ascii_alphanumeric() || "-_./:=@+,".contains(c);
    if !text.is_empty() && text.chars().all(plain) {
        return text;
    }
    format!("'{}'", text.replace('\'', "'\\''"))
}

#[cfg(test)]
mod tests {
    use super::line_of;

    #[test]
    fn a_line_break_belongs_to_the_line_it_ends() {
        let text = "ab\n\nc";
        assert_eq!([0, 2, 3, 4, 5, 99].map(|at| line_of(text, at)), [1, 1, 2, 3, 3, 3]);
    }
}
