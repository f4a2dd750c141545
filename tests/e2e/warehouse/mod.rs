//! Tables as other engines find them, in folders and in buckets.

mod buckets;
mod checkpoints;
mod forgotten;
mod former;
mod maintained;
mod refused_buckets;
mod versioned;
