//! The host's daemon.
