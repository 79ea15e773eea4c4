//! Integration tests of `bailiwick-iden3`.
#![expect(clippy::unwrap_used, reason = "tests")]

mod it {
    mod binfile;
    mod ceremony;
    mod circuit;
    mod json;
    mod keys;
    mod ptau;
    mod small;
    mod solidity;
    mod systems;
    mod zkey;
}
