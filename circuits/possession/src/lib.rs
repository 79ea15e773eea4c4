//! The possession statement as a circuit.
