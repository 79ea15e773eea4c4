//! Integration tests.
#[path = "it/base.rs"]
mod base;
#[path = "it/product.rs"]
mod product;
