//! Tests of the store: admission, durability under faults, damage, opening, and a model.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking, its helpers too")]

mod it {
    mod admission;
    mod block_paths;
    mod crash;
    mod faults;
    mod fixture;
    mod forgetful;
    mod index_rot;
    mod model;
    mod opening;
    mod real_disk;
    mod replace;
    mod retained;
    mod rot;
    mod unreadable;
}
