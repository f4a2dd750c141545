//! Chance, as something that is given: names that nobody else chooses, and pauses that do not come in step.
//!
//! Secrets are not made of it: whoever runs on given dice must not run on a known secret.

use std::fmt;

/// Numbers that nobody foresees, unless they were given on purpose.
pub trait Dice: fmt::Debug + Send + Sync {
    /// Evenly over all values.
    fn roll(&self) -> u64;
}

/// Seeded by the operating system.
#[derive(Clone, Copy, Debug, Default)]
pub struct SystemDice;

#[expect(clippy::disallowed_methods, reason = "these are the dice that everybody else is to throw")]
impl Dice for SystemDice {
    fn roll(&self) -> u64 {
        rand::random()
    }
}
