//! `label_cells`: partial sums of labelled traffic per commit; no request id and no stable user key.

mod epoch;
mod row;
mod schema;

pub use epoch::{destroyed_app, epoch_of_day, first_day_after, week_of_day};
pub use row::{Builder, LabelCellRow};
pub use schema::schema;
