//! Seeded router traffic with the truth it used.
//!
//! A [`Simulator`] is a pure function from (seed, minute) to requests: history, live traffic and the gap
//! after a restart give the same events for the same minute, in any order and on any number of threads.
//! It reads no clock and no file. What a measuring system should find in the traffic is told by [`Truth`],
//! which is counted from the events with definitions of its own and shares no code with the rollups.

mod apps;
mod calibration;
mod calls;
mod chance;
mod corrupt;
mod faults;
mod market;
mod outages;
mod people;
mod phrases;
mod population;
#[cfg(test)]
mod published;
mod regimes;
mod roster;
mod shape;
mod shares;
mod snippets;
mod texts;
mod traffic;
mod truth;
mod wire;

pub use calibration::{ATTEMPTS_PER_YEAR, DAYS_PER_YEAR, LONGEST_REQUEST_MINUTES};
pub use corrupt::{BadKind, Corruption};
pub use market::{Market, Place, Size, Speed, Tally};
pub use outages::{Cause, Outage};
pub use population::{Endpoint, Model};
pub use regimes::{Regime, RegimeKind};
pub use texts::{TextMode, TextPlan};
pub use traffic::{Config, Simulator};
pub use truth::{Truth, TruthBuilder};
pub use wire::{WireError, write_line};
