//! What a row is recognised by: its id, and for LiteLLM's calls the id that earlier versions gave them.
//!
//! A call without a response id of its own bears the id of the call twice, and behind it the start, which earlier
//! versions left out. A batch whose first copy they read may come again, so the id without the start is asked for
//! too. It is shared by all attempts of the call: only a row with the same start, outcome and provider counts.

use arrow::array::{Array, AsArray, RecordBatch};
use arrow::datatypes::{DataType, Int64Type};
use arrow::error::ArrowError;
use bellwether_warehouse::tables::attempts::AttemptRow;

use super::Fingerprint;

/// What `each` reads of `attempts`, first in the row.
pub(super) const COLUMNS: &str = "event_id, started_at, outcome, raw_provider";

/// Fingerprints of one row.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Mark {
    pub(super) id: Fingerprint,
    pub(super) former: Option<Former>,
}

/// Fingerprint of the id without start together with start, outcome and provider.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Former {
    /// The row has the id without start.
    Bears(Fingerprint),
    /// The row has the id with its start; an earlier version may have stored it without.
    Asks(Fingerprint),
}

impl Mark {
    pub fn of(row: &AttemptRow<'_>) -> Self {
        Self::new(row.event_id, row.started_at, row.outcome, row.raw_provider)
    }

    /// `provider` is `raw_provider`, which no change of the catalogue moves.
    pub(super) fn new(event_id: &str, started_at_us: i64, outcome: &str, provider: Option<&str>) -> Self {
        let former = |id: &str| {
            let known = (provider.is_some(), provider.unwrap_or_default());
            Fingerprint::of(&format!("{id}\0{started_at_us}\0{outcome}\0{known:?}"))
        };
        let former = if has_no_start(event_id) {
            Some(Former::Bears(former(event_id)))
        } else {
            without_start(event_id, started_at_us).map(|id| Former::Asks(former(id)))
        };
        Self { id: Fingerprint::of(event_id), former }
    }

    /// What stays known of the row.
    pub(super) fn kept(self) -> impl Iterator<Item = Fingerprint> {
        let former = match self.former {
            Some(Former::Bears(former)) => Some(former),
            _ => None,
        };
        [self.id].into_iter().chain(former)
    }
}

impl From<Fingerprint> for Mark {
    fn from(id: Fingerprint) -> Self {
        Self { id, former: None }
    }
}

/// `litellm:<call id>:<call id>`.
fn has_no_start(event_id: &str) -> bool {
    let Some(ids) = event_id.strip_prefix("litellm:") else { return false };
    let half = ids.len() / 2;
    let (first, second) = (ids.get(..half), ids.get(half + 1..));
    ids.as_bytes().get(half) == Some(&b':') && first.is_some_and(|id| !id.is_empty()) && first == second
}

/// The id without the start that ends it.
fn without_start(event_id: &str, started_at_us: i64) -> Option<&str> {
    // Most ids are of other sources: no text is made for them.
    if !event_id.starts_with("litellm:") {
        return None;
    }
    let (id, start) = event_id.rsplit_once(':')?;
    (has_no_start(id) && start.parse() == Ok(started_at_us)).then_some(id)
}

/// Gives the number and the mark of each row of a batch that begins with `COLUMNS`.
pub(super) fn each(batch: &RecordBatch, mut to: impl FnMut(usize, Mark)) -> Result<(), ArrowError> {
    let column = |index: usize, kind: DataType| arrow::compute::cast(batch.column(index), &kind);
    let (ids, starts) = (column(0, DataType::Utf8)?, column(1, DataType::Int64)?);
    let (outcomes, providers) = (column(2, DataType::Utf8)?, column(3, DataType::Utf8)?);
    let (ids, starts) = (ids.as_string::<i32>(), starts.as_primitive::<Int64Type>());
    let (outcomes, providers) = (outcomes.as_string::<i32>(), providers.as_string::<i32>());
    for row in 0..batch.num_rows() {
        let provider = providers.is_valid(row).then(|| providers.value(row));
        to(row, Mark::new(ids.value(row), starts.value(row), outcomes.value(row), provider));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    const START: i64 = 1_795_359_890_339_072;

    fn mark(event_id: &str) -> Mark {
        Mark::new(event_id, START, "ok", Some("openai"))
    }

    #[test]
    fn an_id_with_a_start_asks_for_what_the_id_without_bears() {
        let Some(Former::Bears(former)) = mark("litellm:a:a").former else { panic!("bears") };
        assert_eq!(mark("litellm:a:a:1795359890339072").former, Some(Former::Asks(former)));
        for (outcome, provider, start) in [
            ("fault", Some("openai"), START),
            ("ok", Some("azure"), START),
            ("ok", None, START),
            ("ok", Some("openai"), START + 1),
        ] {
            let other = Mark::new("litellm:a:a", start, outcome, provider);
            assert_ne!(other.former, Some(Former::Bears(former)), "{outcome} {provider:?} {start}");
        }
        assert_ne!(
            Mark::new("litellm:a:a", START, "ok", None).former,
            Mark::new("litellm:a:a", START, "ok", Some("")).former
        );
    }

    #[test]
    fn other_ids_are_known_by_themselves_alone() {
        for id in [
            "native:a:a",
            "litellm:a:b",
            "litellm:a:b:1795359890339072",
            // The start of another row.
            "litellm:a:a:1795359890339073",
            "litellm:a:a:",
            "litellm::",
            "litellm::é",
            "litellm:",
            "",
        ] {
            assert_eq!(mark(id).former, None, "{id}");
        }
        assert!(matches!(mark("litellm:x:y:x:y").former, Some(Former::Bears(_))));
    }
}
