//! Gates over this crate's own source.

use std::fs;
use std::path::Path;

fn files(dir: &Path, out: &mut Vec<(String, String)>) {
    for entry in fs::read_dir(dir).expect("source folder") {
        let path = entry.expect("entry").path();
        if path.is_dir() {
            files(&path, out);
        } else if path.extension().is_some_and(|e| e == "rs") {
            out.push((path.display().to_string(), fs::read_to_string(&path).expect("UTF-8")));
        }
    }
}

/// Z20 (grep gate): the one unchecked decoder of shipped code is behind the digest of a proving key.
#[test]
fn z20_nothing_unchecked_but_the_proving_key_behind_its_digest() {
    let mut sources = Vec::new();
    files(&Path::new(env!("CARGO_MANIFEST_DIR")).join("src"), &mut sources);
    assert!(sources.len() > 8);
    let hits: Vec<_> = sources
        .iter()
        .flat_map(|(name, text)| text.lines().map(move |line| (name, line)))
        .filter(|(_, line)| line.contains("_unchecked"))
        .collect();
    assert_eq!(hits.len(), 1, "{hits:?}");
    assert!(hits[0].0.ends_with("proving_key.rs"));
}
