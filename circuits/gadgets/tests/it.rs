//! Gadgets against the native functions they are twins of. Case ids (Z..) are those of docs/assurance.md.

mod it {
    mod poseidon2;
    mod select;
    mod system;
}
