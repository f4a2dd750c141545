//! From rows to rollups: equal to an independent calculation, however the work was cut.

mod independent;
mod missing;
mod published;
mod steps;
