//! Tests of the store: admission, durability under faults, damage, opening, and a model.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking, its helpers too")]

mod it {
    mod admission;
    mod crash;
    mod faults;
    mod fixture;
    mod forgetful;
    mod model;
    mod opening;
    mod real_disk;
    mod retained;
    mod rot;
}
