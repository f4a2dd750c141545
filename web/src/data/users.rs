//! Distinct users of windows: as `rankings` has them where a window is published, else by its own statements over the
//! days that somebody chose.

use std::collections::{BTreeMap, HashMap, VecDeque};
use std::ops::RangeInclusive;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use bellwether_metrics::{Chosen, Inputs, Terms, rankings};
use bellwether_warehouse::Snapshot;
use chrono::NaiveDate;
use datafusion::prelude::{col, lit};

use super::Dataset;
use super::dictionary::Dictionary;
use super::figure::NotEnough;
use super::group::{Filter, Group, GroupBy};
use super::keyed;
use super::load::{self, Columns, LoadError};
use super::usage_day::Of;
use super::window::Window;

/// Which users to count.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct UserQuery {
    pub window: Window,
    pub by: GroupBy,
    pub filter: Filter,
}

/// Estimated distinct users, standard error 1.6 %.
#[derive(Clone, Debug)]
pub struct UserCounts {
    window: Arc<UserWindow>,
    filter: Filter,
}

impl UserCounts {
    pub fn of(&self, group: Group) -> u64 {
        self.window.names.get(&group).copied().unwrap_or(0)
    }

    pub fn total(&self) -> u64 {
        match self.filter {
            Filter::All => self.window.total,
            Filter::Model(id) => self.of(Group::Model(id)),
            Filter::Author(id) => self.of(Group::Author(id)),
            Filter::Provider(id) => self.of(Group::Provider(id)),
        }
    }
}

/// Of every name of one window.
#[derive(Clone, Debug, Default)]
struct UserWindow {
    names: HashMap<Group, u64>,
    total: u64,
}

impl UserWindow {
    fn add(&mut self, dictionary: &Dictionary, columns: &Columns<'_>) -> Result<(), LoadError> {
        let rows = keyed::Rows::of(columns)?;
        let users = columns.counts(&["users"])?;
        let mut names = dictionary;
        for row in 0..columns.rows() {
            let users = users.first().map_or(0, |column| column.value(row));
            match rows.place(&mut names, row) {
                Some(Of::Total) => self.total = users,
                Some(Of::Name(by, id)) if by.group(id).is_named() => {
                    self.names.insert(by.group(id), users);
                }
                _ => {}
            }
        }
        Ok(())
    }
}

/// Windows that are kept, some hundred kilobytes each at most. Many times what one page asks for, see
/// [`Answers::use_again`].
const MAX_ANSWERS: usize = 128;

/// A window and the fingerprint of the files behind its days.
type Key = (Window, u64);

/// Answers, the one used longest ago first to go.
#[derive(Debug, Default)]
struct Answers {
    known: HashMap<Key, Arc<UserWindow>>,
    by_use: VecDeque<Key>,
}

impl Answers {
    /// Whether it is known. It is then the last to go, so a page keeps what it asked for while the rest is loaded.
    fn use_again(&mut self, key: &Key) -> bool {
        let known = self.known.contains_key(key);
        if known {
            self.by_use.retain(|other| other != key);
            self.by_use.push_back(*key);
        }
        known
    }

    fn keep(&mut self, key: Key, window: Arc<UserWindow>) {
        self.known.insert(key, window);
        self.by_use.retain(|other| *other != key);
        self.by_use.push_back(key);
        while self.by_use.len() > MAX_ANSWERS {
            if let Some(oldest) = self.by_use.pop_front() {
                self.known.remove(&oldest);
            }
        }
    }
}

/// Answers of successive datasets.
#[derive(Debug, Default)]
pub(crate) struct Store {
    answers: Mutex<Answers>,
    /// One load at a time: two pages that ask for the same days do not read them twice, and a chosen year takes memory.
    loading: tokio::sync::Mutex<()>,
}

impl Store {
    fn answers(&self) -> MutexGuard<'_, Answers> {
        self.answers.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Where one dataset finds users.
#[derive(Clone, Debug)]
pub(crate) struct Users {
    pub rankings: Option<Snapshot>,
    pub inputs: Inputs,
    pub terms: Terms,
    /// Fingerprint of each day's files.
    pub days: Arc<BTreeMap<NaiveDate, u64>>,
    pub store: Arc<Store>,
}

impl Users {
    fn key(&self, window: Window) -> Key {
        let days = self.days.range(window.start..=window.end.max(window.start));
        let fingerprint = days.fold(0xcbf2_9ce4_8422_2325, |hash: u64, (date, day)| {
            let date = u64::from(chrono::Datelike::num_days_from_ce(date).unsigned_abs());
            (hash ^ day.rotate_left(17) ^ date).wrapping_mul(0x0100_0000_01b3)
        });
        (window, fingerprint)
    }

    /// None: nobody has published it.
    async fn published(
        &self,
        dictionary: &Dictionary,
        window: Window,
    ) -> Result<Option<UserWindow>, LoadError> {
        let Some(rankings) = &self.rankings else { return Ok(None) };
        let holds = |file: &&bellwether_warehouse::DataFile| {
            let ends = file.bounds().date("end_date");
            ends.least.is_none_or(|least| least <= window.end)
                && ends.most.is_none_or(|most| window.end <= most)
        };
        let files = rankings.files().iter().filter(holds).cloned().collect();
        let days = i64::try_from(window.days()).unwrap_or(i64::MAX);
        let wanted = col("end_date").eq(load::date(window.end)).and(col("window_days").eq(lit(days)));
        let names: Vec<&str> = keyed::COLUMNS.into_iter().chain(["users"]).collect();
        let mut found = None;
        load::scan(rankings, files, &names, Some(wanted), |columns| {
            if columns.rows() > 0 {
                found.get_or_insert_with(UserWindow::default).add(dictionary, columns)?;
            }
            Ok(())
        })
        .await?;
        Ok(found)
    }

    async fn chosen(
        &self,
        dictionary: &Dictionary,
        window: Window,
        first_date: NaiveDate,
    ) -> Result<UserWindow, LoadError> {
        let chosen = Chosen { days: window.into(), before: None, first_date };
        let batches = self.inputs.rankings(&chosen, &self.terms).await.map_err(LoadError::Chosen)?;
        let names: Vec<&str> = rankings::TABLE.columns.iter().map(|column| column.name).collect();
        let mut found = UserWindow::default();
        for batch in &batches {
            found.add(dictionary, &Columns::new(rankings::TABLE.name, &names, batch))?;
        }
        Ok(found)
    }
}

impl From<Window> for RangeInclusive<NaiveDate> {
    fn from(window: Window) -> Self {
        window.start..=window.end.max(window.start)
    }
}

impl Dataset {
    /// Distinct users, if they were loaded; see [`Dataset::load_users`].
    pub fn users(&self, query: &UserQuery) -> Option<UserCounts> {
        let window = self.users.store.answers().known.get(&self.users.key(query.window)).cloned()?;
        Some(UserCounts { window, filter: query.filter })
    }

    /// Reads or computes what the queries need. After it [`Dataset::users`] answers each of them.
    ///
    /// # Errors
    /// When a file of the pinned version cannot be read.
    pub async fn load_users(&self, queries: &[UserQuery]) -> Result<(), LoadError> {
        let missing = || -> Vec<Window> {
            let mut answers = self.users.store.answers();
            let windows = queries.iter().map(|query| query.window);
            windows.filter(|window| !answers.use_again(&self.users.key(*window))).collect()
        };
        if missing().is_empty() {
            return Ok(());
        }
        let _one_at_a_time = self.users.store.loading.lock().await;
        for window in missing() {
            let published = self.users.published(&self.dictionary, window).await?;
            let found = match published {
                Some(found) => found,
                None => self.users.chosen(&self.dictionary, window, self.first_date()).await?,
            };
            self.users.store.answers().keep(self.users.key(window), Arc::new(found));
        }
        Ok(())
    }

    /// Why the usage of a model, author or provider is withheld in a window, if it is: no day of it may be told.
    pub fn usage_withheld(&self, window: Window, by: GroupBy, group: Group) -> Option<NotEnough> {
        // What may be named and had no traffic is nothing withheld.
        if self.gate.is_open() || self.tells(group, window.end) {
            return None;
        }
        let totals = self.totals(window, by, Filter::All);
        let is_told = totals.iter().any(|(known, _)| *known == group);
        (!is_told).then(|| NotEnough::users(self.thresholds.users))
    }

    /// Distinct users of all traffic in the days that decide about names, where nothing of those days may be named and
    /// they are too few.
    pub(crate) async fn count_too_few_users(&self) -> Result<Option<u64>, LoadError> {
        let window = Window::trailing(self.newest_date(), bellwether_metrics::gate::DAYS);
        let totals = self.totals(window, GroupBy::Series, Filter::All);
        if self.gate.is_open() || totals.is_empty() || totals.iter().any(|(group, _)| group.is_named()) {
            return Ok(None);
        }
        let everyone = self.users.inputs.everyone(window.into(), &self.users.terms).await;
        let users = everyone.map_err(LoadError::Chosen)?;
        Ok(Some(users).filter(|users| *users < self.thresholds.users))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key(day: u32) -> Key {
        let date = NaiveDate::from_num_days_from_ce_opt(739_000 + i32::try_from(day).unwrap()).unwrap();
        (Window { start: date, end: date }, 7)
    }

    #[test]
    fn a_full_store_forgets_the_answer_used_longest_ago() {
        let mut answers = Answers::default();
        let full = u32::try_from(MAX_ANSWERS).unwrap();
        for day in 0..full {
            answers.keep(key(day), Arc::default());
        }
        // A page asks for the oldest answer and a new one: both are there when it is rendered.
        assert!(answers.use_again(&key(0)));
        answers.keep(key(full), Arc::default());
        let known = |day| answers.known.contains_key(&key(day));
        assert!(known(0) && known(full) && known(2) && !known(1));
        assert_eq!((answers.known.len(), answers.by_use.len()), (MAX_ANSWERS, MAX_ANSWERS));
    }
}
