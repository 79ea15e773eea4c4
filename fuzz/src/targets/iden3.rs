//! Files of iden3's tools: proving keys and powers of tau.

use std::io::Cursor;

use bailiwick_iden3::ptau::Ptau;
use bailiwick_iden3::zkey::{CONTRIBUTIONS_MAX, Zkey};

/// A key that opens has counts a circuit can have, and a bounded record.
pub(super) fn zkey(data: &[u8]) -> bool {
    let Ok(key) = Zkey::open(Cursor::new(data)) else { return false };
    let header = key.header();
    assert!(header.public < header.variables && header.domain.is_power_of_two(), "counts of no circuit");
    assert!(key.contributions().list.len() <= CONTRIBUTIONS_MAX as usize, "more contributions than are read");
    let points = u64::from(header.variables) * (64 + 64 + 128);
    assert!(points < data.len() as u64, "a header that announces more than the file holds");
    true
}

pub(super) fn zkey_seeds() -> Vec<Vec<u8>> {
    vec![
        include_bytes!("../../../circuits/iden3/tests/vectors/chain_final.zkey").to_vec(),
        include_bytes!("../../../circuits/iden3/tests/vectors/chain_initial.zkey").to_vec(),
    ]
}

/// Powers that open are all there.
pub(super) fn ptau(data: &[u8]) -> bool {
    let Ok(powers) = Ptau::open(Cursor::new(data)) else { return false };
    assert!(
        (256u64 << powers.power()) < data.len() as u64,
        "a power that announces more than the file holds"
    );
    true
}

pub(super) fn ptau_seeds() -> Vec<Vec<u8>> {
    vec![
        include_bytes!("../../../circuits/iden3/tests/vectors/power5.ptau").to_vec(),
        include_bytes!("../../../circuits/iden3/tests/vectors/power5_unprepared.ptau").to_vec(),
    ]
}
