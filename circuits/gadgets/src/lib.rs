//! Constraint twins of the native functions.
