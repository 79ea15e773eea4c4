//! Gates over the source of the whole workspace.

use std::fs;
use std::path::Path;

/// Shipped files that may say `_unchecked`: the one line, and why.
const ALLOWED: [(&str, &str, &str); 12] = [
    (
        "circuits/groth16/src/proving_key.rs",
        "deserialize_uncompressed_unchecked",
        "behind the digest of the proving key; curve, verifying key and, on request, subgroups are checked after",
    ),
    (
        "circuits/groth16/src/quotient/lanes.rs",
        "Fr::new_unchecked",
        "not a decoder: computed words below the modulus, already in Montgomery form",
    ),
    (
        "circuits/msm/src/lib.rs",
        "msm_unchecked",
        "not a decoder: what is not checked is that both slices are as long, and they are cut to that",
    ),
    ("circuits/msm/src/window.rs", "Affine::<P>::new_unchecked", "not a decoder: computed sums of points"),
    (
        "crates/field/src/base/portable.rs",
        "Fq::new_unchecked",
        "not a decoder: words already in Montgomery form",
    ),
    (
        "circuits/iden3/src/points.rs",
        "Fq::new_unchecked",
        "the format stores Montgomery form; compared with the modulus on the same line, the point with its curve after",
    ),
    (
        "circuits/iden3/src/points.rs",
        "Self::new_unchecked(x, y)",
        "G1: compared with its curve on the next line",
    ),
    (
        "circuits/iden3/src/points.rs",
        "Self::new_unchecked(x, y)",
        "G2: compared with its curve on the next line, and with its subgroup wherever one point is read",
    ),
    (
        "circuits/iden3/src/ceremony/generator.rs",
        "G1Affine::new_unchecked(x, y)",
        "not a decoder: y is the root that x gives",
    ),
    (
        "circuits/iden3/src/ceremony/generator.rs",
        "G2Affine::new_unchecked(x, y)",
        "not a decoder: y is the root that x gives; multiplied by the cofactor",
    ),
    (
        "circuits/iden3/src/ceremony/generator.rs",
        "Fp::new_unchecked",
        "not a decoder: drawn until below the modulus, and Montgomery form by the definition of the generator",
    ),
    (
        "crates/possession/src/poseidon2/lazy.rs",
        "Fr::new_unchecked",
        "not a decoder: computed words below the modulus, already in Montgomery form",
    ),
];

fn files(root: &Path, dir: &Path, out: &mut Vec<(String, String)>) {
    for entry in fs::read_dir(dir).expect("source folder") {
        let path = entry.expect("entry").path();
        if path.is_dir() {
            files(root, &path, out);
        } else if path.extension().is_some_and(|e| e == "rs") {
            let name = path.strip_prefix(root).expect("below the root").display().to_string();
            out.push((name, fs::read_to_string(&path).expect("UTF-8")));
        }
    }
}

/// Z20 (grep gate): the one unchecked decoder of shipped code, in any crate, is behind the digest of a proving key.
#[test]
fn z20_nothing_unchecked_but_the_proving_key_behind_its_digest() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let mut sources = Vec::new();
    let mut crates = 0;
    for group in ["circuits", "crates"] {
        for member in fs::read_dir(root.join(group)).expect("group of crates") {
            let src = member.expect("entry").path().join("src");
            if src.is_dir() {
                crates += 1;
                files(&root, &src, &mut sources);
            }
        }
    }
    assert!(crates >= 10, "{crates} crates");
    let hits: Vec<(&str, &str)> = sources
        .iter()
        .flat_map(|(name, text)| text.lines().map(move |line| (name.as_str(), line)))
        .filter(|(_, line)| line.contains("_unchecked") || line.contains("Validate::No"))
        .collect();
    assert_eq!(hits.len(), ALLOWED.len(), "{hits:#?}");
    for (file, call, why) in ALLOWED {
        assert!(hits.iter().any(|(name, line)| *name == file && line.contains(call)), "{file}: {why}");
    }
}
