//! From request logs to rows: sources, formats, labels, batches and the exactly-once sink.

pub mod event;
