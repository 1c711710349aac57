//! How properties are tried: deterministic, because a test without a clock or dice can run anywhere, and a
//! failure can be seen again.

use proptest::test_runner::{Config, RngAlgorithm, RngSeed};

/// `cases` cases from one fixed seed; failures are printed, not kept in files.
pub(crate) fn config(cases: u32) -> Config {
    Config {
        cases,
        failure_persistence: None,
        rng_algorithm: RngAlgorithm::ChaCha,
        rng_seed: RngSeed::Fixed(0x1eaf),
        ..Config::default()
    }
}
