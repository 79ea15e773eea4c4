//! The codes of reasons and assumptions as docs/spec/v1/reasons.md lists them, beside those of the program.

const PAGE: &str = include_str!("../../../../docs/spec/v1/reasons.md");
const SOURCE: &str = include_str!("../../src/reasons.rs");

/// The variants of an enum in their order, as JSON has them.
fn codes(name: &str) -> Vec<String> {
    let (_, rest) = SOURCE.split_once(&format!("pub enum {name} {{")).expect("the enum");
    let (body, _) = rest.split_once("\n}").expect("its end");
    let variants =
        body.lines().map(str::trim).filter(|l| !l.starts_with("///")).filter_map(|l| l.strip_suffix(','));
    variants.map(kebab).collect()
}

fn kebab(variant: &str) -> String {
    let mut out = String::new();
    for c in variant.chars() {
        if c.is_ascii_uppercase() && !out.is_empty() {
            out.push('-');
        }
        out.push(c.to_ascii_lowercase());
    }
    out
}

/// Codes and meanings of the table after a clause.
fn listed(clause: &str) -> Vec<(String, String)> {
    let (_, rest) = PAGE.split_once(&format!("**{clause}**")).expect("the clause");
    let rows = rest.lines().skip_while(|l| !l.starts_with("| `")).take_while(|l| l.starts_with("| `"));
    rows.map(|row| {
        let (code, meaning) = row.trim_start_matches("| `").split_once("` | ").expect("two columns");
        (code.to_owned(), meaning.trim_end_matches(" |").to_owned())
    })
    .collect()
}

/// V4: the page lists every code of the program, in its order, and no other; each says what it means.
#[test]
fn the_page_lists_the_codes_of_the_program() {
    for (clause, name, first) in
        [("RA1", "ReasonCode", "proof-verifies"), ("RA2", "AssumptionCode", "auditor-does-not-collude")]
    {
        let listed = listed(clause);
        let found: Vec<&str> = listed.iter().map(|(code, _)| code.as_str()).collect();
        assert_eq!(found, codes(name), "{clause}");
        assert_eq!(found[0], first);
        let short = listed.iter().filter(|(_, meaning)| meaning.len() < 15).collect::<Vec<_>>();
        assert!(short.is_empty(), "{short:?}");
    }
    // As the reports have them.
    let reported = serde_json::to_string(&bailiwick_verifier::ReasonCode::QuestionRepeated).unwrap();
    assert_eq!(reported, format!("\"{}\"", kebab("QuestionRepeated")));
}

/// V4: codes that a clause names are codes of the list.
#[test]
fn codes_that_clauses_name_exist() {
    let all: Vec<String> = [codes("ReasonCode"), codes("AssumptionCode")].concat();
    let named = [
        "host-denies-object",
        "leaves-withheld",
        "scope-estimated",
        "owners-check-inventory",
        "all-schedules-shown",
        "schedules-named-before",
        "release-records-true",
    ];
    let verdict = include_str!("../../../../docs/spec/v1/verdict.md");
    for code in named {
        assert!(verdict.contains(&format!("`{code}`")), "{code} is named no more: take it off this list");
        assert!(all.iter().any(|c| c == code), "{code}");
    }
}
