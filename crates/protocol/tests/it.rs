//! Tests of the wire messages: round trips, canonical form, bounds and signatures.

mod it {
    mod canonical;
    mod messages;
    mod signed;
}
