//! Cell tree, challenge derivation and the native statement of storage.
