//! Small random worlds of day cells, and rows of answers as plain values. What the worlds should give is computed by loops
//! in the tests, from the cells alone.

mod answer;
mod rounded;
mod stand_ins;
mod world;

pub(crate) use answer::{Row, Value, of_batches, publish};
pub(crate) use stand_ins::{date, stand_in, terms};
pub(crate) use world::{Cell, DIMENSIONS, Dice, World};
