//! Durable objects and their index.
