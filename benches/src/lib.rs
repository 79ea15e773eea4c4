//! Criterion benches against peers and physical limits.
