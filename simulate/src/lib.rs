//! Seeded router traffic with the truth it used.
