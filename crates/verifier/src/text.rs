//! Text that came from a file and goes to a reader: lines of a TOML document, and escaping.

pub(crate) use bailiwick_protocol::text::is_unprintable;
pub use bailiwick_protocol::text::printable;

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
