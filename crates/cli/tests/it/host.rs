//! The host's and auditor's commands against a real node process.
