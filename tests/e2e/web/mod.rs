//! The site: every page, its numbers, its states, and what a browser makes of it.

mod apart;
mod browser;
mod crawl;
mod demo;
mod market;
mod numbers;
mod questions;
mod truth;
