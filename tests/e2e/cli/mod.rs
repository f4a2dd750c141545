//! What a person sees at the command line: help and refusals.

mod help;
mod refusals;
