//! End-to-end tests through the real binary.

mod it {
    mod circuit;
    mod demo;
    mod developer;
    mod host;
    mod program;
    mod verdict;
}
