//! The contract's text and call data. That the contract verifies is shown by executing it (reference/solidity).

use ark_bn254::Fr;
use bailiwick_iden3::json;
use bailiwick_iden3::solidity::{self, Trust};

use super::small;

fn contract(trust: Trust) -> String {
    solidity::contract(&json::read_verification_key(small::KEY.as_bytes()).unwrap(), trust)
}

#[test]
fn nothing_of_the_template_is_left_to_fill_in() {
    let text = contract(Trust::OneParty);
    let left: Vec<&str> =
        text.lines().filter(|l| l.contains('@') && !l.trim_start().starts_with("/// @")).collect();
    assert!(left.is_empty(), "{left:?}");
    assert_eq!(text.matches("_fold(").count(), 2, "one input: one call beside the definition");
}

/// Z11: whoever reads the contract of a development key reads that it is one.
#[test]
fn z11_the_contract_says_who_can_forge() {
    assert!(contract(Trust::Everyone).contains("@notice DEVELOPMENT KEY: anyone can forge"));
    assert!(contract(Trust::OneParty).contains("@notice SINGLE-PARTY KEY"));
    assert!(!contract(Trust::Unstated).contains("DEVELOPMENT"));
}

#[test]
fn the_contract_names_its_key() {
    let vk = json::read_verification_key(small::KEY.as_bytes()).unwrap();
    assert!(contract(Trust::Unstated).contains(&format!("VERIFYING_KEY = 0x{};", vk.digest())));
}

/// The words by the contract ABI's specification: selector, eight words in place, offset 288, length, elements; imaginary parts first.
#[test]
fn call_data_is_the_abi_encoding() {
    let proof = json::read_proof(small::PROOF.as_bytes()).unwrap();
    let text: serde_json::Value = serde_json::from_str(small::PROOF).unwrap();
    let data = solidity::call_data(&proof, &[Fr::from(7u64), Fr::from(256u64)]);
    assert_eq!(data.len(), 4 + 32 * (8 + 2 + 2));
    assert_eq!(data[..4], solidity::SELECTOR);
    let (words, _) = data[4..].as_chunks::<32>();
    let decimal = |word: &[u8; 32]| {
        let mut little = *word;
        little.reverse();
        let mut n = ark_ff::BigInt::<4>::zero();
        for (limb, b) in n.0.iter_mut().zip(little.as_chunks::<8>().0) {
            *limb = u64::from_le_bytes(*b);
        }
        n.to_string()
    };
    let order =
        ["/pi_a/0", "/pi_a/1", "/pi_b/0/1", "/pi_b/0/0", "/pi_b/1/1", "/pi_b/1/0", "/pi_c/0", "/pi_c/1"];
    for (word, pointer) in words.iter().zip(order) {
        assert_eq!(decimal(word), text.pointer(pointer).unwrap().as_str().unwrap(), "{pointer}");
    }
    let rest: Vec<String> = words[8..].iter().map(decimal).collect();
    assert_eq!(rest, ["288", "2", "7", "256"]);
}
