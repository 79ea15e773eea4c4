//! Typed HTTP client of a node.
