//! Groth16 over BN254: the one module that imports ark-groth16, with every check it leaves out.
