//! Tables as other engines find them.

mod checkpoints;
mod former;
mod maintained;
