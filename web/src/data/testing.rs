//! Small warehouses for tests.
