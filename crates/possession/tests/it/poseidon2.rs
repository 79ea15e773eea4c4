//! The permutation against published vectors and an independent implementation.

use ark_ff::{AdditiveGroup, Field, PrimeField, UniformRand as _};
use bailiwick_possession::field::{Fr, element_from_31, element_from_bytes, element_to_bytes};
use bailiwick_possession::poseidon2::{compress, compress_all, params, permute};
use proptest::prelude::*;

/// Z33: the known answer published in crate taceo-poseidon2 0.3.1 for the input 0, 1, .., 15.
#[test]
fn z33_published_vector() {
    let mut state: [Fr; 16] = core::array::from_fn(|i| Fr::from(i as u64));
    permute(&mut state);
    let expected = [
        "7129053404014098913941583447102076532611276040718594073862066403012892177215",
        "5458683216916715697310099658604278457911373519210593239261146303695981710820",
        "11764907654416682971926471140388165312909351793032868507449176373009888376893",
        "17363012907147515824232626923071954964539976031233523938322583063167173991942",
        "16754602647566413012759386310550362661092317428428132757066277153406453157400",
        "10442131742273378767812305849732860137449534508695657144865044457198204305243",
        "13315916208806700309353847107954103794241355430909228633658159683794835480566",
        "14675611827802190925530581036356245293764500457751312643178429199155385431971",
        "3800671750689110886099899395588427301982955036566905831860793275457528754896",
        "863058427093450397617252284543198432424871511785791089866952153042503171268",
        "16110421480974327191214802248220528120081914075253666769021797524181818259452",
        "3050248777345249982082587219460801555485024010345812479213241978893548171998",
        "8005144369031495385854140476761376792991595443174132540148616210767138457404",
        "193712991007063517677674367979478243863141973963118958643316643360558925992",
        "6765341258738133397733055933640609905610288576122407133007925535267189590216",
        "6411743912316957490668095751870764077217660758836562678571866082387292213586",
    ];
    for (found, text) in state.iter().zip(expected) {
        assert_eq!(found.to_string(), text);
    }
}

fn agree(input: [Fr; 16]) {
    let mut ours = input;
    permute(&mut ours);
    let theirs = taceo_poseidon2::bn254::t16::permutation(&input);
    assert_eq!(ours, theirs);
    assert_eq!(compress(&input), theirs[0] + input[0]);
}

/// Z33: zero, one, p-1, and mixtures of them, against crate taceo-poseidon2.
#[test]
fn z33_edge_inputs_equal_the_peer() {
    let edges = [Fr::ZERO, Fr::ONE, -Fr::ONE, -Fr::from(2u64), Fr::from(2u64).inverse().expect("not zero")];
    for a in edges {
        agree([a; 16]);
        for i in 0..16 {
            for b in edges {
                let mut x = [a; 16];
                x[i] = b;
                agree(x);
            }
        }
    }
}

/// Z33: a chain of 300 permutations, so inputs are spread over the whole field.
#[test]
fn z33_chained_inputs_equal_the_peer() {
    let mut x: [Fr; 16] = core::array::from_fn(|i| Fr::from(i as u64).inverse().unwrap_or(Fr::ZERO));
    for _ in 0..300 {
        agree(x);
        permute(&mut x);
    }
}

/// A slow, obvious permutation: matrices as matrices, the fifth power as a power, every sum by the field's own arithmetic.
fn oracle(input: [Fr; 16]) -> [Fr; 16] {
    const M4: [[u64; 4]; 4] = [[5, 7, 1, 3], [4, 6, 1, 1], [1, 3, 5, 7], [1, 1, 4, 6]];
    let p = params();
    let external: [[Fr; 16]; 16] = core::array::from_fn(|i| {
        core::array::from_fn(|j| Fr::from(M4[i % 4][j % 4] * if i / 4 == j / 4 { 2 } else { 1 }))
    });
    let internal: [[Fr; 16]; 16] = core::array::from_fn(|i| {
        core::array::from_fn(|j| if i == j { p.diagonal[i] + Fr::ONE } else { Fr::ONE })
    });
    let times = |m: &[[Fr; 16]; 16], x: [Fr; 16]| -> [Fr; 16] {
        core::array::from_fn(|i| (0..16).map(|j| m[i][j] * x[j]).sum())
    };
    let full =
        |x: [Fr; 16], rc: &[Fr; 16]| times(&external, core::array::from_fn(|i| (x[i] + rc[i]).pow([5])));
    let mut x = times(&external, input);
    for rc in &p.initial {
        x = full(x, rc);
    }
    for rc in &p.partial {
        x[0] = (x[0] + rc).pow([5]);
        x = times(&internal, x);
    }
    for rc in &p.terminal {
        x = full(x, rc);
    }
    x
}

fn any_element() -> impl Strategy<Value = Fr> {
    prop_oneof![
        4 => any::<[u8; 32]>().prop_map(|b| Fr::from_le_bytes_mod_order(&b)),
        1 => any::<[u8; 31]>().prop_map(|b| element_from_31(&b)),
        1 => (0u64..3).prop_map(Fr::from),
        1 => (1u64..3).prop_map(|x| -Fr::from(x)),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(128))]

    /// Z33: late reduction changes nothing: equal to the oracle and to the peer.
    #[test]
    fn z33_permutation_equals_the_oracle(x in prop::array::uniform16(any_element())) {
        let mut ours = x;
        permute(&mut ours);
        prop_assert_eq!(ours, oracle(x));
        agree(x);
    }

    /// Z03: an element has one encoding; anything at or above the modulus is refused.
    #[test]
    fn z03_element_encoding_is_canonical(bytes: [u8; 32], x in any_element()) {
        prop_assert_eq!(element_from_bytes(&element_to_bytes(&x)), Some(x));
        let above = bytes.iter().rev().cmp(element_to_bytes(&-Fr::ONE).iter().rev()).is_gt();
        prop_assert_eq!(element_from_bytes(&bytes).is_none(), above);
    }
}

/// Z03: the modulus itself is refused, one less is accepted.
#[test]
fn z03_the_modulus_is_not_an_element() {
    let mut bytes = element_to_bytes(&-Fr::ONE);
    assert_eq!(element_from_bytes(&bytes), Some(-Fr::ONE));
    bytes[0] += 1;
    assert_eq!(element_from_bytes(&bytes), None);
}

/// Eight side by side are one after the other, whatever their number: none, fewer than are worth it, whole eights, a rest.
#[test]
fn many_compressions_are_each_of_them() {
    let mut rng = ark_std::test_rng();
    let edges = [Fr::from(0u64), Fr::from(1u64), -Fr::from(1u64), -Fr::from(2u64), Fr::from(u64::MAX)];
    for n in [0, 1, 3, 4, 7, 8, 9, 15, 16, 40] {
        let children: Vec<[Fr; 16]> = (0..n)
            .map(|i| {
                core::array::from_fn(|k| match i % 3 {
                    0 => edges[(i + k) % edges.len()],
                    1 => edges[i % edges.len()],
                    _ => Fr::rand(&mut rng),
                })
            })
            .collect();
        let one_by_one: Vec<Fr> = children.iter().map(compress).collect();
        assert_eq!(compress_all(&children), one_by_one, "{n}");
    }
}

/// A thousand random states.
#[test]
fn a_thousand_compressions_are_each_of_them() {
    let mut rng = ark_std::test_rng();
    let children: Vec<[Fr; 16]> = (0..1000).map(|_| core::array::from_fn(|_| Fr::rand(&mut rng))).collect();
    let one_by_one: Vec<Fr> = children.iter().map(compress).collect();
    assert_eq!(compress_all(&children), one_by_one);
}
