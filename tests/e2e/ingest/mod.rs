//! From logs to rows: exactly once, as specified, without texts.

mod bad_input;
mod canary;
mod copied;
mod full_disk;
mod idempotence;
mod kafka_alive;
mod kafka_frozen;
mod kafka_killed;
mod kafka_members;
mod kafka_secured;
mod litellm;
mod spool;
