//! What a person sees at the command line: help, its manual pages and completions, and refusals.

mod catalog;
mod catalog_file;
mod check;
mod generated;
mod help;
mod keys;
mod refusals;
mod regimes;
mod sql;
