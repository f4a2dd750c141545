//! Buckets of the length of prompts.

/// Context buckets' upper bounds, inclusive.
pub(super) const CONTEXT: [i64; 5] = [1_000, 10_000, 100_000, 1_000_000, 10_000_000];

/// The most tokens of the bucket that holds so many: the least power of ten from the first bound on.
pub(super) fn bucket(input_tokens: i64) -> i64 {
    let mut bound = CONTEXT[0];
    while bound < input_tokens {
        bound = bound.saturating_mul(10);
    }
    bound
}
