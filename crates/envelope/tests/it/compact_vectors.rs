//! `test-vectors/compact/v1`: values made from the specification by reference/python/check_compact.py, without this project's code;
//! one scenario a file, with the outcome by name.

use std::path::PathBuf;

use bailiwick_envelope::RecipientSecretKey;
use bailiwick_envelope::compact::{BatchOpener, CompactError, Context, OpenedValue, from_text, open};
use bailiwick_protocol::envelope::Kem;
use bailiwick_protocol::ids::OwnerKey;
use bailiwick_protocol::secret::Secret;

#[derive(serde::Deserialize)]
#[serde(deny_unknown_fields)]
struct Vector {
    #[expect(dead_code, reason = "for readers")]
    scenario: String,
    #[expect(dead_code, reason = "for readers")]
    provenance: String,
    case: Kind,
}

#[derive(serde::Deserialize)]
#[serde(deny_unknown_fields)]
struct Kind {
    compact: Case,
}

#[derive(serde::Deserialize)]
#[serde(deny_unknown_fields)]
struct Case {
    chain: String,
    contract: String,
    function: String,
    record: String,
    recipients: Vec<Recipient>,
    owner: Option<String>,
    header: Option<String>,
    sealed: String,
    outcome: String,
    value: Option<String>,
    index: Option<u32>,
}

#[derive(serde::Deserialize)]
#[serde(deny_unknown_fields)]
struct Recipient {
    kem: u16,
    secret: String,
}

fn judge(case: &Case) -> Result<OpenedValue, CompactError> {
    let context = Context::new(&case.chain, &case.contract, &case.function)?.record(&case.record)?;
    let secret = |r: &Recipient| {
        let bytes: [u8; 32] = hex::decode(&r.secret).unwrap().try_into().unwrap();
        let kem = Kem::from_id(r.kem).unwrap();
        RecipientSecretKey::from_bytes(kem, Secret::init_with(|b| *b = bytes)).unwrap()
    };
    let keys: Vec<_> = case.recipients.iter().map(secret).collect();
    let owner = case.owner.as_ref().map(|k| OwnerKey(hex::decode(k).unwrap().try_into().unwrap()));
    let sealed = from_text(&case.sealed)?;
    match &case.header {
        None => open(&sealed, &context, &keys, owner.as_ref()),
        Some(header) => BatchOpener::new(&from_text(header)?, &context, &keys, owner.as_ref())?
            .open(&case.record, &sealed),
    }
}

/// `NotOpened` is `not-opened`: an error's variant as the vectors write it.
fn name(error: &CompactError) -> String {
    let debug = format!("{error:?}");
    let variant = debug.split([' ', '(']).next().unwrap_or_default();
    let mut out = String::new();
    for c in variant.chars() {
        if c.is_uppercase() && !out.is_empty() {
            out.push('-');
        }
        out.extend(c.to_lowercase());
    }
    out
}

#[test]
fn every_vector_has_its_outcome() {
    let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../test-vectors/compact/v1");
    let mut seen = 0;
    for file in std::fs::read_dir(folder).unwrap() {
        let path = file.unwrap().path();
        let vector: Vector = serde_json::from_slice(&std::fs::read(&path).unwrap()).unwrap();
        let case = vector.case.compact;
        let (outcome, value, index) = match judge(&case) {
            Ok(o) => ("opened".to_owned(), Some(hex::encode(&*o.value)), Some(o.index)),
            Err(e) => (name(&e), None, None),
        };
        assert_eq!((&outcome, &value, index), (&case.outcome, &case.value, case.index), "{}", path.display());
        seen += 1;
    }
    assert!(seen >= 50, "{seen} vectors");
}
