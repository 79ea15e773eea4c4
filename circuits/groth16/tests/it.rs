//! Groth16 wrapper: attacks on the verifier, on keys and on the prover, each with its honest twin.
//! Case ids (Z..) are those of docs/assurance.md.

mod it {
    mod batch;
    mod circuit;
    mod development;
    mod key;
    mod keys_on_disk;
    mod peers;
    mod proof;
    mod prover;
    mod source;
    mod subversion;
    mod verify;
}
