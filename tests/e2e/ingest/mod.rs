//! From logs to rows: exactly once, as specified, without texts.

mod bad_input;
mod canary;
mod clock;
mod copied;
mod ended;
mod full_disk;
mod idempotence;
mod kafka_alive;
mod kafka_frozen;
mod kafka_killed;
mod kafka_members;
mod kafka_secured;
mod litellm;
mod metrics;
mod old_broker;
mod once;
mod prices;
mod spool;
mod upkeep;
