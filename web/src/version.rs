//! What this binary is.

/// Version of the binary.
pub const BUILD: &str = env!("CARGO_PKG_VERSION");

/// Hash of everything that pages are made of in this binary: part of every validator, because two builds of one
/// version may print the same numbers in other words and link other assets.
pub(crate) const SOURCES: &str = env!("BELLWETHER_WEB_SOURCES");
