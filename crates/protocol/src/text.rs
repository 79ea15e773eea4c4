//! Text that came from outside and goes to a reader: what prints, what does not.

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
#[must_use]
pub fn is_unprintable(c: char) -> bool {
    c.is_control()
        || matches!(c,
            '\u{ad}' | '\u{34f}' | '\u{61c}' | '\u{115f}' | '\u{1160}' | '\u{17b4}' | '\u{17b5}' | '\u{180e}'
            | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{3164}'
            | '\u{feff}' | '\u{ffa0}' | '\u{fff9}'..='\u{fffb}' | '\u{1d173}'..='\u{1d17a}'
            | '\u{e0000}'..='\u{e00ff}')
}

/// Whether `text` may stand in a line as words of its own: it is not empty, every character prints, and its only white space is
/// single spaces between words (spec roster, clause J3; spec custody, clause K8).
#[must_use]
pub fn is_one_line(text: &str) -> bool {
    !text.chars().any(|c| is_unprintable(c) || (c.is_whitespace() && c != ' '))
        && text.split(' ').all(|word| !word.is_empty())
}

#[cfg(test)]
mod tests {
    use super::{is_one_line, printable};

    /// T18: what is shown as part of a line cannot begin another.
    #[test]
    fn t18_words_of_one_line() {
        for text in ["Notary 1", "\u{6771}\u{4eac}", "firm:O'Brien & S\u{f6}hne", "JP"] {
            assert!(is_one_line(text), "{text}");
        }
        for text in [
            "",
            " ",
            "a ",
            " a",
            "a  b",
            "a\nroster",
            "a\tb",
            "a\u{1b}[2K",
            "a\u{a0}b",
            "a\u{202e}b",
            "a\u{2028}b",
        ] {
            assert!(!is_one_line(text), "{text:?}");
        }
    }

    /// T18: nothing that moves the cursor, breaks a line or reorders it is left; letters of every script are.
    #[test]
    fn t18_what_does_not_print_is_escaped() {
        assert_eq!(printable("a\u{1b}[2K\nPASS\u{202e}\u{200b}"), "a\\u{1b}[2K\\u{a}PASS\\u{202e}\\u{200b}");
        assert_eq!(printable("東京 Überblick"), "東京 Überblick");
    }
}
