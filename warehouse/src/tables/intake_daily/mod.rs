//! `intake_daily`: what arrived and what became of it, by UTC date of the commit and source.

mod schema;

pub use schema::schema;
