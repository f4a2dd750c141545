//! The numbers on the pages are the numbers in the rollups.
