//! The possession circuit: honest cases, and per clause attacks that native check and circuit both refuse.
//! Case ids (Z..) are those of docs/assurance.md.

mod it {
    mod case;
    mod clauses;
    mod context;
    mod freedom;
    mod groups;
    mod inventory;
    mod kernel;
    mod keys;
    mod pinned;
    mod proofs;
    mod zero_body;
}
