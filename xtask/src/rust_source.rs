//! Rust text without its comments, string contents and test modules, line by line as it was.

/// Blanks comments and the contents of string and character literals; every line keeps its number.
pub(crate) fn without_comments_and_strings(source: &str) -> String {
    let s: Vec<char> = source.chars().collect();
    let mut out = String::with_capacity(source.len());
    let mut i = 0;
    while i < s.len() {
        let end = match s[i] {
            '/' if s.get(i + 1) == Some(&'/') => line_end(&s, i),
            '/' if s.get(i + 1) == Some(&'*') => comment_end(&s, i),
            '"' => string_end(&s, i),
            'r' if !after_word(&s, i) && is_raw_string(&s, i) => raw_string_end(&s, i),
            '\'' if is_char_literal(&s, i) => char_end(&s, i),
            c => {
                out.push(c);
                i += 1;
                continue;
            }
        };
        out.extend(s[i..end].iter().map(|c| if *c == '\n' { '\n' } else { ' ' }));
        i = end;
    }
    out
}

/// Blanks every item under `#[cfg(test)]`. Expects text without comments and strings.
pub(crate) fn without_tests(code: &str) -> String {
    let mut out = String::with_capacity(code.len());
    let mut rest = code;
    while let Some(at) = rest.find("#[cfg(test)]") {
        let (before, item) = rest.split_at(at);
        out.push_str(before);
        let end = item_end(item);
        out.extend(item[..end].chars().filter(|c| *c == '\n'));
        rest = &item[end..];
    }
    out.push_str(rest);
    out
}

/// Bytes up to the end of the first item: its `;`, or the brace that closes its first brace.
fn item_end(item: &str) -> usize {
    let mut depth = 0usize;
    for (i, c) in item.char_indices() {
        match c {
            ';' if depth == 0 => return i + 1,
            '{' => depth += 1,
            '}' if depth <= 1 => return i + 1,
            '}' => depth -= 1,
            _ => {}
        }
    }
    item.len()
}

fn line_end(s: &[char], from: usize) -> usize {
    s[from..].iter().position(|c| *c == '\n').map_or(s.len(), |n| from + n)
}

fn comment_end(s: &[char], from: usize) -> usize {
    let mut depth = 0usize;
    let mut i = from;
    while i + 1 < s.len() {
        match (s[i], s[i + 1]) {
            ('/', '*') => depth += 1,
            ('*', '/') if depth == 1 => return i + 2,
            ('*', '/') => depth -= 1,
            _ => {
                i += 1;
                continue;
            }
        }
        i += 2;
    }
    s.len()
}

fn string_end(s: &[char], from: usize) -> usize {
    let mut i = from + 1;
    while i < s.len() {
        match s[i] {
            '\\' => i += 2,
            '"' => return i + 1,
            _ => i += 1,
        }
    }
    s.len()
}

fn after_word(s: &[char], i: usize) -> bool {
    // `br"…"` is a raw byte string; any other letter before `r` makes it part of a word.
    i > 0 && (s[i - 1].is_alphanumeric() || s[i - 1] == '_') && s[i - 1] != 'b'
}

fn is_raw_string(s: &[char], i: usize) -> bool {
    s[i + 1..].iter().find(|c| **c != '#') == Some(&'"')
        && (s.get(i + 1) == Some(&'#') || s.get(i + 1) == Some(&'"'))
}

fn raw_string_end(s: &[char], from: usize) -> usize {
    let hashes = s[from + 1..].iter().take_while(|c| **c == '#').count();
    let mut i = from + hashes + 2;
    while i < s.len() {
        if s[i] == '"' && s[i + 1..].iter().take(hashes).filter(|c| **c == '#').count() == hashes {
            return i + 1 + hashes;
        }
        i += 1;
    }
    s.len()
}

fn is_char_literal(s: &[char], i: usize) -> bool {
    // 'x' or '\…'; otherwise a lifetime.
    s.get(i + 1) == Some(&'\\') || s.get(i + 2) == Some(&'\'')
}

fn char_end(s: &[char], from: usize) -> usize {
    let mut i = if s.get(from + 1) == Some(&'\\') { from + 3 } else { from + 2 };
    while i < s.len() && s[i] != '\'' {
        i += 1;
    }
    (i + 1).min(s.len())
}

#[cfg(test)]
mod tests {
    use super::{without_comments_and_strings, without_tests};

    #[test]
    fn comments_and_strings_go_and_code_and_lines_stay() {
        let text = "let a = \"std::fs \\\" x\"; // std::fs\n/* std::fs /* nested */ std::fs */ let b = '\"';\nlet c = r#\"std::fs\"#; std::net::x::<'a>();\n";
        let code = without_comments_and_strings(text);
        assert!(!code.contains("std::fs"), "{code}");
        assert!(code.contains("let a =") && code.contains("let b =") && code.contains("std::net::x::<'a>()"));
        assert_eq!(code.lines().count(), text.lines().count());
    }

    #[test]
    fn test_items_go_and_what_follows_them_stays() {
        let code = without_tests(
            "fn a() {}\n#[cfg(test)]\nmod t {\n fn x() { std::fs }\n}\nfn b() { std::env }\n#[cfg(test)]\nmod far;\nfn c() {}\n",
        );
        assert!(!code.contains("std::fs") && !code.contains("far"));
        assert!(code.contains("fn a()") && code.contains("std::env") && code.contains("fn c()"));
    }
}
