//! Integration tests of custody. Which field and point is tried where:
//!
//! | changed alone | refused by `verify` | by `release`, `check`, `recover` and records | as another envelope's |
//! |---|---|---|---|
//! | owner, object, body, policy, generation | `binding` | `bound` | `replay` |
//! | roster, t, n, name, attributes, order | `binding` | `bound` | |
//! | E_i, each; receipt and X-Wing keys, possession | `binding`, `adaptive`, `keys` | `bound` | |
//! | D, C_i, each; order of shares; proof; hybrid half | `binding`, `adaptive` | `bound`, `hybrid` | |
//! | a release's custodian, dealing, request, requester, bytes, proof | | `release`, `record` | |
//! | shares of before a resharing | | `reshare`, `recover` | |
//!
//! Shapes (t = 0, t >= n, n = 1, bounds): `shape`, `codec`. Points (not canonical, identity, small order, twice) as E, D, C, R, A, S, requester's,
//! custodian's and encapsulated keys: `points`, `release`, `recipient`.

#![allow(clippy::unwrap_used, reason = "in a test a panic is the message")]

mod it {
    mod adaptive;
    mod binding;
    mod bound;
    mod by_hand;
    mod case;
    mod cheating;
    mod codec;
    mod dealer;
    mod decoding;
    mod hybrid;
    mod jurisdiction;
    mod keys;
    mod own_dealer;
    mod points;
    mod recipient;
    mod record;
    mod recover;
    mod release;
    mod replay;
    mod reshare;
    mod shape;
    mod stranger;
    mod vector_cases;
    mod vector_object;
    mod vectors;
}
