//! Bytes in, verdict out: all judgement, offline.
