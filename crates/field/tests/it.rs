//! Integration tests.
#[path = "it/base.rs"]
mod base;
#[path = "it/fft.rs"]
mod fft;
#[path = "it/ifma.rs"]
mod ifma;
#[path = "it/poseidon2.rs"]
mod poseidon2;
#[path = "it/product.rs"]
mod product;
