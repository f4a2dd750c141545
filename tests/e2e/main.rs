//! End-to-end tests: the built program against a real broker, a real browser and independent engines.
//!
//! One binary, because each test binary links the query engine again. Services are started by the tests that need
//! them and shared between tests; `tests/prefetch` fetches them.

#![expect(clippy::expect_used, clippy::unwrap_used, reason = "a test fails by panicking")]

mod cli;
mod ingest;
mod jobs;
mod manifests;
mod package;
mod support;
mod tidy;
mod warehouse;
mod web;
