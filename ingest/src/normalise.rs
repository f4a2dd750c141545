//! From a stripped event to rows of `attempts`.

use bellwether_warehouse::tables::attempts::AttemptRow;

use crate::catalogue::Catalogue;
use crate::event::Event;
use crate::reject::Reject;

/// Where a record stood in its log, and when it was appended there (µs).
#[derive(Clone, Copy, Debug)]
pub struct Lineage<'a> {
    pub source: &'a str,
    pub topic: &'a str,
    pub partition: i32,
    pub offset: i64,
    pub appended_at_us: i64,
}

pub fn normalise(
    event: &Event<'_>,
    catalogue: &Catalogue,
    lineage: &Lineage<'_>,
    each: &mut dyn FnMut(&AttemptRow<'_>),
) -> Result<(), Reject> {
    let _ = (event, catalogue, lineage, each);
    unimplemented!()
}
