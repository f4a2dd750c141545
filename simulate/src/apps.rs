//! The apps that requests come from: those of the calibration and a long tail of private ones.

use std::collections::{BTreeSet, HashMap};
use std::sync::LazyLock;

use crate::calibration as cal;
use crate::chance::{cumulate, hash, pick};

pub(crate) struct Apps {
    names: Vec<String>,
    /// Whether the users of each app are mostly programmers.
    codes: Vec<bool>,
    at: HashMap<String, usize>,
    /// Cumulative shares of agentic requests and of conversations.
    agentic: Box<[f32]>,
    conversation: Box<[f32]>,
}

impl Apps {
    pub(crate) fn shared() -> &'static Self {
        static APPS: LazyLock<Apps> = LazyLock::new(Apps::new);
        &APPS
    }

    fn new() -> Self {
        let mut rows: Vec<(String, f64, f64)> =
            cal::APPS.iter().map(|(name, agentic, talk)| ((*name).to_owned(), *agentic, *talk)).collect();
        let left = |share: fn(&(&str, f64, f64)) -> f64| 100.0 - cal::APPS.iter().map(share).sum::<f64>();
        let (agentic, talk) = (left(|row| row.1), left(|row| row.2));
        // Falls with the rank as fast as the named apps do.
        let weight = |rank: usize| 1.0 / (rank as f64 + 6.0);
        let all: f64 = (0..cal::PRIVATE_APPS).map(weight).sum();
        let mut taken: BTreeSet<String> = rows.iter().map(|row| row.0.clone()).collect();
        let mut draw = 0;
        for rank in 0..cal::PRIVATE_APPS {
            let name = loop {
                draw += 1;
                let name = format!("app-{:04x}", hash(&[0xa995, draw]) & 0xffff);
                if taken.insert(name.clone()) {
                    break name;
                }
            };
            // Every third is made for programmers, every third for conversation.
            let (agents, people) = [(1.6, 0.2), (1.0, 1.0), (0.4, 1.8)][rank % 3];
            let part = weight(rank) / all;
            rows.push((name, agentic * part * agents, talk * part * people));
        }
        Self {
            codes: rows.iter().map(|row| row.1 > row.2).collect(),
            at: rows.iter().enumerate().map(|(at, row)| (row.0.clone(), at)).collect(),
            agentic: cumulate(rows.iter().map(|row| row.1)),
            conversation: cumulate(rows.iter().map(|row| row.2)),
            names: rows.into_iter().map(|row| row.0).collect(),
        }
    }

    /// Apps at places of the cumulative shares, for agentic work and for conversation.
    pub(crate) fn pick(&self, agentic: f64, conversation: f64) -> [u16; 2] {
        [pick(&self.agentic, agentic) as u16, pick(&self.conversation, conversation) as u16]
    }

    pub(crate) fn name(&self, app: u16) -> Option<&str> {
        self.names.get(usize::from(app)).map(String::as_str)
    }

    /// Whether the users of the app are mostly programmers.
    pub(crate) fn codes(&self, name: &str) -> bool {
        self.at.get(name).and_then(|at| self.codes.get(*at)).copied().unwrap_or(false)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn three_hundred_apps_share_the_traffic() {
        let apps = Apps::shared();
        assert_eq!(apps.names.len(), 310);
        assert_eq!(apps.at.len(), 310);
        assert_eq!(apps.pick(0.0, 0.999_999_9), [0, 309]);
        assert_eq!(apps.name(0), Some("kilo-code"));
        assert!(apps.codes("kilo-code") && !apps.codes("janitor") && !apps.codes("unknown"));
    }

    #[test]
    fn the_named_apps_leave_some_to_the_private_ones() {
        for left in [
            100.0 - cal::APPS.iter().map(|app| app.1).sum::<f64>(),
            100.0 - cal::APPS.iter().map(|app| app.2).sum::<f64>(),
        ] {
            assert!((5.0..20.0).contains(&left), "{left}");
        }
    }
}
