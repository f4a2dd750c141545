//! Counts by the source that records name.
//!
//! A native event names its source itself, and each name becomes a label of metrics, a member of commits and rows of
//! `intake_daily`. So only the first few are counted by name; rows keep the name that they came with.

use std::collections::{BTreeMap, BTreeSet};

use super::frozen::Counts;

/// Names beside those of our own formats.
const MAX_NAMED: usize = 64;
/// Always counted by name.
const OWN: [&str; 3] = ["litellm", "native", "unknown"];
/// Stands for all further names.
const OTHER: &str = "other";

#[derive(Debug, Default)]
pub(super) struct Sources {
    counts: BTreeMap<String, Counts>,
    named: BTreeSet<String>,
}

impl Sources {
    pub(super) fn of(&mut self, source: &str) -> &mut Counts {
        let source = self.name_of(source);
        if !self.counts.contains_key(source) {
            self.counts.insert(source.to_owned(), Counts::default());
        }
        #[expect(clippy::expect_used, reason = "the key was inserted above")]
        self.counts.get_mut(source).expect("source is present")
    }

    /// The counts since the last call. Names stay, so that a batch after the other names the same ones.
    pub(super) fn take(&mut self) -> BTreeMap<String, Counts> {
        std::mem::take(&mut self.counts)
    }

    fn name_of<'s>(&mut self, source: &'s str) -> &'s str {
        if OWN.contains(&source) || self.named.contains(source) {
            return source;
        }
        if self.named.len() >= MAX_NAMED {
            return OTHER;
        }
        self.named.insert(source.to_owned());
        source
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_first_names_are_counted_apart_for_good() {
        let mut sources = Sources::default();
        for round in 1..=2 {
            for number in 0..1_000 {
                sources.of(&format!("s{number:03}")).rows += 1;
            }
            sources.of("litellm").rows += 7;
            let counts = sources.take();
            assert_eq!(counts.len(), 64 + 2, "{round}");
            assert_eq!((counts["s000"].rows, counts["s063"].rows), (1, 1));
            assert_eq!((counts["other"].rows, counts["litellm"].rows), (936, 7));
        }
    }
}
