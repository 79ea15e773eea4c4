//! Names from outside: what may be one, and how one is shown.

use core::fmt;

use bailiwick_protocol::text::{is_one_line, printable};

/// Characters of a name, at most: fits one terminal line with what is said about it.
pub const NAME_CHARS_MAX: usize = 64;

/// Bytes of a name, at most: four for each character.
pub(crate) const NAME_BYTES_MAX: usize = 4 * NAME_CHARS_MAX;

/// Whether `text` may be a name (clause J3): 1 to 64 characters that print, words separated by single spaces, and no
/// word that mixes Latin letters with the Greek or Cyrillic ones that look like them.
pub(crate) fn is_name(text: &str) -> bool {
    let n = text.chars().take(NAME_CHARS_MAX + 1).count();
    (1..=NAME_CHARS_MAX).contains(&n) && is_one_line(text) && !text.split(' ').any(mixes_scripts)
}

/// What two names that differ only in case have in common; no two principals share it.
pub(crate) fn folded(name: &str) -> String {
    name.to_lowercase()
}

fn mixes_scripts(word: &str) -> bool {
    let latin = |c: char| {
        c.is_ascii_alphabetic()
            || matches!(c, '\u{c0}'..='\u{24f}' | '\u{1e00}'..='\u{1eff}' | '\u{ff21}'..='\u{ff5a}')
    };
    let look_alike = |c: char| matches!(c, '\u{370}'..='\u{52f}' | '\u{1c80}'..='\u{1c8f}' | '\u{1f00}'..='\u{1fff}' | '\u{a640}'..='\u{a69f}');
    word.chars().any(latin) && word.chars().any(look_alike)
}

/// A name between quotation marks, so that no name can be taken for a word of the program's own.
#[derive(Clone, Copy, Debug)]
pub struct Quoted<'t>(pub &'t str);

impl fmt::Display for Quoted<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let escaped = self.0.replace('\\', "\\\\").replace('"', "\\\"");
        write!(f, "\"{}\"", printable(&escaped))
    }
}

#[cfg(test)]
mod tests {
    use super::{Quoted, is_name};

    #[test]
    fn names_of_every_script_are_names() {
        for name in
            ["Tokyo 1", "東京", "Йоханнесбург", "Αθήνα DC", "Zürich-2", "O'Brien & Söhne", &"x".repeat(64)]
        {
            assert!(is_name(name), "{name}");
        }
    }

    /// T18: nothing that moves the cursor, reorders, hides, or looks like other letters.
    #[test]
    fn t18_hostile_names_are_refused() {
        for name in [
            "",
            " ",
            "a ",
            " a",
            "a  b",
            "a\nPASS",
            "a\u{1b}[2K",
            "a\u{202e}b",
            "a\u{200b}b",
            "a\u{a0}b",
            "a\u{3000}b",
            "\u{feff}a",
            "a\u{ad}b",
            "P\u{410}SS",
            "\u{420}ASS",
            "supp\u{3bf}rted",
            &"x".repeat(65),
        ] {
            assert!(!is_name(name), "{name:?}");
        }
    }

    /// T18: a quotation mark in a name does not end the quotation.
    #[test]
    fn t18_a_name_cannot_leave_its_quotation_marks() {
        assert_eq!(Quoted("a\" supported \\").to_string(), "\"a\\\" supported \\\\\"");
    }
}
