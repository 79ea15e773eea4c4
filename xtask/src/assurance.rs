//! `docs/assurance.md`: which test tries each bad input that must be tried.
//!
//! A test claims a case by naming its id: in the function's name (`z14_trailing_bytes_…`) or in the doc comment
//! above it (`/// Z14: …`, `/// E17-E20: …`).

use std::collections::BTreeMap;
use std::fmt::Write as _;

use anyhow::Result;

use crate::repository::Repository;

mod cases;

use cases::{CASES, NAMED};

/// Tests of one case, as `path::function`.
type Found = BTreeMap<String, Vec<String>>;

/// Compares or writes the table; a case without a test is a violation.
pub(crate) fn check(write: bool) -> Result<Vec<String>> {
    let repo = Repository::load()?;
    let mut found = Found::new();
    for file in repo.files.iter().filter(|f| f.extension().is_some_and(|e| e == "rs")) {
        if let Some(text) = repo.text(file)? {
            collect(&file.display().to_string(), &text, &mut found);
        }
    }
    let mut out: Vec<String> = missing(&found).map(|id| format!("{id} has no test")).collect();
    out.extend(repo.generated("docs/assurance.md", &page(&found), write, "cargo xtask assurance --write")?);
    for page in ["audits/circuits.md", "audits/guards.md", "audits/sealed-objects.md"] {
        out.extend(unknown_tests(&repo, page)?);
        out.extend(unknown_kit_files(&repo, page)?);
    }
    if out.is_empty() {
        println!("{} cases have a test", CASES.len() + NAMED.len());
    }
    Ok(out)
}

/// Tests that a page names as `path.rs::function` and that are not there.
fn unknown_tests(repo: &Repository, page: &str) -> Result<Vec<String>> {
    let page_text = repo.text(page.as_ref())?.unwrap_or_default();
    let mut out = Vec::new();
    let mut named = 0;
    for (path, name) in page_text.split('`').filter_map(|word| word.split_once(".rs::")) {
        named += 1;
        let file = format!("{path}.rs");
        let text = repo.text(file.as_ref())?.unwrap_or_default();
        if !tests(&text).iter().any(|(found, _)| *found == name) {
            out.push(format!("{page}: there is no test {file}::{name}"));
        }
    }
    if named == 0 {
        out.push(format!("{page}: names no test, or is not there"));
    }
    Ok(out)
}

/// Files of the failure kit that a page names as `name.kit` and that are not there.
fn unknown_kit_files(repo: &Repository, page: &str) -> Result<Vec<String>> {
    let text = repo.text(page.as_ref())?.unwrap_or_default();
    let named = text.split('`').filter(|word| word.ends_with(".kit") && !word.contains(' '));
    let file = |word: &str| std::path::PathBuf::from(format!("test-vectors/kit/v1/{word}"));
    let missing = named.filter(|word| *word != "name.kit" && !repo.files.contains(&file(word)));
    Ok(missing.map(|word| format!("{page}: there is no file {word} in the failure kit")).collect())
}

fn missing(found: &Found) -> impl Iterator<Item = &'static str> {
    let ids = CASES.iter().map(|(id, _)| *id).chain(NAMED.iter().map(|(id, ..)| *id));
    ids.filter(|id| !found.contains_key(*id))
}

/// Adds every test of one file to the cases it claims.
fn collect(path: &str, text: &str, found: &mut Found) {
    for (name, comment) in tests(text) {
        for id in claimed(name, &comment) {
            found.entry(id).or_default().push(format!("{path}::{name}"));
        }
    }
}

/// Tests of one file: name, and the comment above it.
fn tests(text: &str) -> Vec<(&str, String)> {
    let mut out = Vec::new();
    let mut comment = String::new();
    let mut is_test = false;
    for line in text.lines().map(str::trim) {
        if let Some(words) = line.strip_prefix("///") {
            comment.push_str(words);
            comment.push('\n');
        } else if line.starts_with("#[") {
            is_test |= line.starts_with("#[test]") || line.starts_with("#[tokio::test");
        } else {
            if let Some(name) = function_name(line).filter(|_| is_test) {
                out.push((name, comment.clone()));
            }
            comment.clear();
            is_test = false;
        }
    }
    out
}

fn function_name(line: &str) -> Option<&str> {
    let rest = line.strip_prefix("pub ").unwrap_or(line);
    let rest = rest.strip_prefix("async ").unwrap_or(rest).strip_prefix("fn ")?;
    rest.split(['(', '<']).next().map(str::trim)
}

/// Ids a test claims, without repetition.
fn claimed(name: &str, comment: &str) -> Vec<String> {
    let mut ids: Vec<String> = name.split('_').filter_map(|w| case_id(&w.to_ascii_uppercase())).collect();
    let words: Vec<&str> = comment.split(|c: char| !(c.is_ascii_alphanumeric() || c == '-')).collect();
    for word in words {
        match word.split_once('-').map(|(a, b)| (case_id(a), case_id(b))) {
            Some((Some(a), Some(b))) => ids.extend(range(&a, &b)),
            _ => ids.extend(case_id(word)),
        }
    }
    ids.extend(NAMED.iter().filter(|(_, part, _)| name.contains(part)).map(|(id, ..)| (*id).to_owned()));
    ids.sort();
    ids.dedup();
    ids
}

/// `Z14` and the like.
fn case_id(word: &str) -> Option<String> {
    let mut chars = word.chars();
    let letter = chars.next().filter(|c| "ZPEDATS".contains(*c))?;
    let digits: String = chars.collect();
    (digits.len() == 2 && digits.bytes().all(|b| b.is_ascii_digit())).then(|| format!("{letter}{digits}"))
}

fn range(a: &str, b: &str) -> Vec<String> {
    match (a[1..].parse::<u8>(), b[1..].parse::<u8>()) {
        (Ok(from), Ok(to)) if a[..1] == b[..1] => (from..=to).map(|n| format!("{}{n:02}", &a[..1])).collect(),
        _ => vec![a.to_owned(), b.to_owned()],
    }
}

fn page(found: &Found) -> String {
    let mut out = String::from(
        "# Bad input and the tests that try it\n\n\
         Generated by `cargo xtask assurance --write`; checked in CI. Z: circuit and Groth16 verifier, P: storage proof\n\
         protocol and auditor, E: encryption and unpacking, D: durability of a node, A: interface of a node, T: verifier\n\
         command. Each test has its honest twin in the same test or beside it: what is refused here passes there, with\n\
         only the attacked thing put right.\n\n\
         | id | what is tried | tests |\n|---|---|---|\n",
    );
    let named = NAMED.iter().map(|(id, _, what)| (id, what));
    for (id, what) in CASES.iter().map(|(id, what)| (id, what)).chain(named) {
        let tests = found.get(*id).map_or("**none**".to_owned(), |t| {
            t.iter().map(|t| format!("`{t}`")).collect::<Vec<_>>().join("<br>")
        });
        writeln!(out, "| {id} | {what} | {tests} |").expect("writing to memory cannot fail");
    }
    out
}

#[cfg(test)]
mod tests {
    use super::{Found, collect, missing, page};

    fn found(text: &str) -> Found {
        let mut found = Found::new();
        collect("a.rs", text, &mut found);
        found
    }

    /// What a page names must be a test, not only a function.
    #[test]
    fn only_tests_are_tests() {
        let text =
            "/// Z14\n#[test]\nfn z14_a() {}\nfn helper() {}\n#[expect(x)]\n#[tokio::test]\nasync fn b() {}";
        assert_eq!(super::tests(text).iter().map(|(name, _)| *name).collect::<Vec<_>>(), ["z14_a", "b"]);
    }

    #[test]
    fn a_test_claims_by_name_by_comment_and_by_range() {
        let f = found(
            "/// E17-E19: recipients.\n#[test]\nfn z14_p07_trailing() {\n}\n/// A01, A04.\n#[tokio::test(flavor = \"x\")]\nasync fn b() {",
        );
        let ids: Vec<&str> = f.keys().map(String::as_str).collect();
        assert_eq!(ids, ["A01", "A04", "E17", "E18", "E19", "P07", "Z14"]);
        assert_eq!(f["Z14"], ["a.rs::z14_p07_trailing"]);
    }

    #[test]
    fn what_is_no_test_claims_nothing() {
        assert!(
            found("/// Z14: helper.\nfn z14_helper() {}\n/// Z15\nstruct X;\n#[test]\nfn plain() {}")
                .is_empty()
        );
        assert!(found("#[test]\nfn sha256_e2e_a1_z140() {}").is_empty());
    }

    #[test]
    fn a_case_without_a_test_is_missing_and_shown() {
        let f = found("#[test]\nfn z14_x() {}");
        assert!(missing(&f).any(|id| id == "Z15") && !missing(&f).any(|id| id == "Z14"));
        assert!(page(&f).contains("| Z14 |") && page(&f).contains("**none**"));
    }
}
