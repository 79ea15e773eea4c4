//! Seal and open: the sealed object format.
