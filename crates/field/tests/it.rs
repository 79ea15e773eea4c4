//! Integration tests.
#[path = "it/product.rs"]
mod product;
