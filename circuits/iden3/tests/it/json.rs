//! Keys, proofs and inputs as JSON: what snarkjs wrote, then what must not be read.

use ark_bn254::{Fq, Fq2, Fr, G1Affine, G2Affine};
use ark_ff::{BigInteger as _, PrimeField};
use bailiwick_groth16::{KeyError, VerifyError};
use bailiwick_iden3::json::{self, JsonError};
use serde_json::{Value, json};

use super::small;

fn key() -> Value {
    serde_json::from_str(small::KEY).unwrap()
}

fn proof() -> Value {
    serde_json::from_str(small::PROOF).unwrap()
}

fn read_key(key: &Value) -> Result<bailiwick_groth16::VerifyingKey, JsonError> {
    json::read_verification_key(key.to_string().as_bytes())
}

fn read_proof(proof: &Value) -> Result<bailiwick_groth16::Proof, JsonError> {
    json::read_proof(proof.to_string().as_bytes())
}

fn read_public(inputs: &Value) -> Result<Vec<Fr>, JsonError> {
    json::read_public(inputs.to_string().as_bytes())
}

fn with(mut value: Value, pointer: &str, to: Value) -> Value {
    *value.pointer_mut(pointer).unwrap() = to;
    value
}

/// The number at `pointer` plus the modulus of `F`, in decimal.
fn plus_modulus<F: PrimeField>(value: &Value, pointer: &str) -> Value {
    let mut n: ark_ff::BigInt<5> = ark_ff::BigInt::zero();
    let digits = value.pointer(pointer).unwrap().as_str().unwrap();
    for d in digits.bytes() {
        let mut ten = ark_ff::BigInt::<5>::zero();
        for _ in 0..10 {
            ten.add_with_carry(&n);
        }
        ten.add_with_carry(&u64::from(d - b'0').into());
        n = ten;
    }
    let mut modulus = ark_ff::BigInt::<5>::zero();
    modulus.0[..4].copy_from_slice(F::MODULUS.as_ref());
    n.add_with_carry(&modulus);
    Value::String(n.to_string())
}

const COORDINATES: [&str; 8] =
    ["/pi_a/0", "/pi_a/1", "/pi_b/0/0", "/pi_b/0/1", "/pi_b/1/0", "/pi_b/1/1", "/pi_c/0", "/pi_c/1"];

/// Z37: what snarkjs made and accepts, ours accepts.
#[test]
fn z37_snarkjs_proof_verifies_here() {
    let vk = json::read_verification_key(small::KEY.as_bytes()).unwrap();
    let proof = json::read_proof(small::PROOF.as_bytes()).unwrap();
    let public = json::read_public(small::PUBLIC.as_bytes()).unwrap();
    vk.prepare().verify(&public, &proof).unwrap();
    let other = [public[0] + Fr::from(1u64)];
    assert_eq!(vk.prepare().verify(&other, &proof), Err(VerifyError::False));
}

/// Member for member what snarkjs wrote, but for the pairing of alpha and beta, which we leave out.
#[test]
fn what_was_read_is_written_alike() {
    let mut expected = key();
    expected.as_object_mut().unwrap().remove("vk_alphabeta_12").unwrap();
    let vk = json::read_verification_key(small::KEY.as_bytes()).unwrap();
    let ours = json::verification_key(&vk);
    assert_eq!(serde_json::from_str::<Value>(&ours).unwrap(), expected);
    assert_eq!(json::read_verification_key(ours.as_bytes()).unwrap(), vk);
    let ours = json::proof(&read_proof(&proof()).unwrap());
    assert_eq!(serde_json::from_str::<Value>(&ours).unwrap(), proof());
    let public = json::read_public(small::PUBLIC.as_bytes()).unwrap();
    let ours: Value = serde_json::from_str(&json::public(&public)).unwrap();
    assert_eq!(ours, serde_json::from_str::<Value>(small::PUBLIC).unwrap());
}

/// Z03: snarkjs reads a coordinate plus the modulus as that coordinate; here it is refused, at every place.
#[test]
fn z03_numbers_not_below_their_modulus_are_refused() {
    for at in COORDINATES {
        let mutant = with(proof(), at, plus_modulus::<Fq>(&proof(), at));
        assert!(matches!(read_proof(&mutant), Err(JsonError::Number(_))), "{at}");
    }
    for at in ["/vk_alpha_1/0", "/vk_beta_2/1/0", "/vk_gamma_2/0/1", "/vk_delta_2/1/1", "/IC/1/1"] {
        let mutant = with(key(), at, plus_modulus::<Fq>(&key(), at));
        assert!(matches!(read_key(&mutant), Err(JsonError::Number(_))), "{at}");
    }
    let public: Value = serde_json::from_str(small::PUBLIC).unwrap();
    let mutant = with(public.clone(), "/0", plus_modulus::<Fr>(&public, "/0"));
    assert!(matches!(read_public(&mutant), Err(JsonError::Number(_))));
    let modulus = Fr::MODULUS.to_string();
    assert!(matches!(read_public(&json!([modulus])), Err(JsonError::Number(_))));
    let mut last = Fr::MODULUS;
    last.sub_with_borrow(&1u64.into());
    assert_eq!(read_public(&json!([last.to_string()])).unwrap(), [-Fr::from(1u64)]);
}

#[test]
fn a_number_has_one_spelling() {
    assert_eq!(read_public(&json!(["0", "10"])).unwrap(), [Fr::from(0u64), Fr::from(10u64)]);
    for digits in ["", "00", "01", "+1", "-1", " 1", "1 ", "1_0", "0x1", "1e3", "1.0", "١"] {
        assert!(matches!(read_public(&json!([digits])), Err(JsonError::Number(_))), "{digits:?}");
    }
    let long = "9".repeat(100_000);
    assert!(matches!(read_public(&json!([long])), Err(JsonError::Number(_))));
    assert!(matches!(read_public(&json!([1])), Err(JsonError::Json(_))), "numbers are strings");
}

#[test]
fn members_are_exactly_those() {
    let mut more = proof();
    more["more"] = json!(1);
    assert!(matches!(read_proof(&more), Err(JsonError::Json(_))));
    for member in ["pi_a", "pi_b", "pi_c", "protocol", "curve"] {
        let mut less = proof();
        less.as_object_mut().unwrap().remove(member).unwrap();
        assert!(matches!(read_proof(&less), Err(JsonError::Json(_))), "{member}");
    }
    let double = small::PROOF.replacen('{', "{\"curve\": \"bn128\",", 1);
    assert!(matches!(json::read_proof(double.as_bytes()), Err(JsonError::Json(_))));
    let trailing = format!("{}{{}}", small::PROOF);
    assert!(matches!(json::read_proof(trailing.as_bytes()), Err(JsonError::Json(_))));
}

#[test]
fn another_system_or_curve_is_refused() {
    for (member, other) in [("/protocol", "plonk"), ("/curve", "bls12381"), ("/curve", "BN128")] {
        assert!(matches!(read_proof(&with(proof(), member, json!(other))), Err(JsonError::System)));
        assert!(matches!(read_key(&with(key(), member, json!(other))), Err(JsonError::System)));
    }
}

/// Z01, Z02: a key that says another number of inputs than it has points for.
#[test]
fn z01_z02_n_public_is_the_number_of_points() {
    for n in [json!(0), json!(2), json!(u64::MAX)] {
        assert!(matches!(read_key(&with(key(), "/nPublic", n)), Err(JsonError::Count { found: 1, .. })));
    }
    assert!(matches!(read_key(&with(key(), "/IC", json!([]))), Err(JsonError::Count { .. })));
}

/// Z19: infinity as snarkjs writes it, and points scaled to another third coordinate.
#[test]
fn z19_infinity_and_other_scales_are_refused() {
    let infinity = json!(["0", "1", "0"]);
    assert!(matches!(read_proof(&with(proof(), "/pi_a", infinity.clone())), Err(JsonError::Scale("pi_a"))));
    assert!(matches!(read_key(&with(key(), "/IC/0", infinity)), Err(JsonError::Scale("IC"))));
    assert!(matches!(read_proof(&with(proof(), "/pi_c/2", json!("2"))), Err(JsonError::Scale("pi_c"))));
    assert!(matches!(read_proof(&with(proof(), "/pi_b/2/1", json!("1"))), Err(JsonError::Scale("pi_b"))));
    let zeros = json!(["0", "0", "1"]);
    assert!(matches!(read_proof(&with(proof(), "/pi_a", zeros)), Err(JsonError::Point("pi_a"))));
}

/// Z20: off the curve by every coordinate; on the twist's curve outside the subgroup.
#[test]
fn z20_points_outside_the_group_are_refused() {
    for at in COORDINATES {
        assert!(matches!(read_proof(&with(proof(), at, json!("5"))), Err(JsonError::Point(_))), "{at}");
    }
    let p = (1u64..64)
        .filter_map(|x| G2Affine::get_point_from_x_unchecked(Fq2::new(Fq::from(x), Fq::from(1u64)), false))
        .find(|p| p.is_on_curve() && !p.is_in_correct_subgroup_assuming_on_curve())
        .unwrap();
    let text = |x: Fq| x.into_bigint().to_string();
    let outside = json!([[text(p.x.c0), text(p.x.c1)], [text(p.y.c0), text(p.y.c1)], ["1", "0"]]);
    assert!(matches!(read_proof(&with(proof(), "/pi_b", outside.clone())), Err(JsonError::Point("pi_b"))));
    assert!(matches!(read_key(&with(key(), "/vk_delta_2", outside)), Err(JsonError::Point("vk_delta_2"))));
    let real_last = json!([
        [proof()["pi_b"][0][1], proof()["pi_b"][0][0]],
        [proof()["pi_b"][1][1], proof()["pi_b"][1][0]],
        ["1", "0"]
    ]);
    assert!(matches!(read_proof(&with(proof(), "/pi_b", real_last)), Err(JsonError::Point("pi_b"))));
    assert!(G1Affine::new(Fq::from(1u64), Fq::from(2u64)).is_on_curve());
}

/// Z07, Z08: keys anyone can forge under pass no door, this one included.
#[test]
fn z07_z08_a_key_anyone_can_forge_under_is_refused() {
    let same = with(key(), "/vk_delta_2", key()["vk_gamma_2"].clone());
    assert!(matches!(read_key(&same), Err(JsonError::Key(KeyError::GammaEqualsDelta))));
    let gamma_elsewhere = with(
        with(key(), "/vk_gamma_2", key()["vk_delta_2"].clone()),
        "/vk_delta_2",
        key()["vk_gamma_2"].clone(),
    );
    assert!(matches!(read_key(&gamma_elsewhere), Err(JsonError::Key(KeyError::DeltaIsGenerator))));
}

#[test]
fn the_pairing_of_alpha_and_beta_is_checked_when_it_is_there() {
    let one = json!("1");
    assert!(matches!(read_key(&with(key(), "/vk_alphabeta_12/1/2/0", one)), Err(JsonError::AlphaBeta)));
}

/// Z21: nothing is parsed beyond its bound.
#[test]
fn z21_too_long_is_refused() {
    let spaces = |text: &str, n: usize| [text.as_bytes(), &vec![b' '; n - text.len()]].concat();
    let (k, p, i) = (json::KEY_TEXT_BYTES_MAX, json::PROOF_TEXT_BYTES_MAX, json::PUBLIC_TEXT_BYTES_MAX);
    assert!(json::read_verification_key(&spaces(small::KEY, k)).is_ok());
    assert!(json::read_proof(&spaces(small::PROOF, p)).is_ok());
    assert!(json::read_public(&spaces(small::PUBLIC, i)).is_ok());
    let long = |e: JsonError| matches!(e, JsonError::TooLong { .. });
    assert!(long(json::read_verification_key(&spaces(small::KEY, k + 1)).unwrap_err()));
    assert!(long(json::read_proof(&spaces(small::PROOF, p + 1)).unwrap_err()));
    assert!(long(json::read_public(&spaces(small::PUBLIC, i + 1)).unwrap_err()));
}
