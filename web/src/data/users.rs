//! Distinct users: HyperLogLog sketches merged for the window and grouping that a page asks for. Sketches are
//! read only for the days asked for, and stay in memory up to a budget.

use std::collections::{BTreeMap, HashMap, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use bellwether_warehouse::sketches::hll::Union;
use bellwether_warehouse::{DataFile, Snapshot};
use chrono::NaiveDate;

use super::Dataset;
use super::dictionary::{Dictionary, SeriesId};
use super::figure::NotEnough;
use super::gate::Gate;
use super::grouping::Grouping;
use super::load::{self, LoadError};
use super::usage::{Filter, Group, GroupBy};
use super::window::Window;

/// Which users to count.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct UserQuery {
    pub window: Window,
    pub by: GroupBy,
    pub filter: Filter,
}

/// Estimated distinct users, standard error 1.6 %.
#[derive(Clone, Debug, Default)]
pub struct UserCounts {
    groups: HashMap<Group, u64>,
    total: u64,
}

impl UserCounts {
    pub fn of(&self, group: Group) -> u64 {
        self.groups.get(&group).copied().unwrap_or(0)
    }

    /// Over all rows but hidden ones: with them, a site of one model beside hidden ones would tell how few use those.
    pub fn total(&self) -> u64 {
        self.total
    }
}

/// Sketch rows of one day as stored; partial rows stay apart.
#[derive(Debug, Default)]
pub(crate) struct UserDay {
    pub rows: Vec<(SeriesId, u32, Box<[u8]>)>,
}

impl UserDay {
    fn size_bytes(&self) -> usize {
        self.rows.iter().map(|(_, _, bytes)| bytes.len() + 48).sum()
    }
}

/// Sketch bytes and answers, shared by successive datasets and keyed by the files behind them.
#[derive(Debug)]
pub(crate) struct Store {
    budget_bytes: usize,
    days: Mutex<BTreeMap<NaiveDate, (u64, Arc<UserDay>)>>,
    answers: Mutex<Answers>,
    /// One load at a time: two pages that ask for the same days do not read them twice.
    loading: tokio::sync::Mutex<()>,
}

/// Answers kept; each is a few kilobytes. Many times what one page asks for, see [`Answers::use_again`].
const MAX_ANSWERS: usize = 512;

/// A query and the fingerprint of the files it was answered from.
type Key = (UserQuery, u64);

/// Answers, the one used longest ago first to go.
#[derive(Debug, Default)]
struct Answers {
    known: HashMap<Key, Arc<UserCounts>>,
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

    fn keep(&mut self, key: Key, counts: Arc<UserCounts>) {
        self.known.insert(key, counts);
        self.by_use.retain(|other| *other != key);
        self.by_use.push_back(key);
        while self.by_use.len() > MAX_ANSWERS {
            if let Some(oldest) = self.by_use.pop_front() {
                self.known.remove(&oldest);
            }
        }
    }
}

impl Store {
    pub fn new(budget_bytes: usize) -> Self {
        Self {
            budget_bytes,
            days: Mutex::default(),
            answers: Mutex::default(),
            loading: tokio::sync::Mutex::default(),
        }
    }

    fn day(&self, date: NaiveDate, fingerprint: u64) -> Option<Arc<UserDay>> {
        let days = self.days.lock().unwrap_or_else(PoisonError::into_inner);
        days.get(&date).filter(|(known, _)| *known == fingerprint).map(|(_, day)| day.clone())
    }

    fn keep(&self, date: NaiveDate, fingerprint: u64, day: Arc<UserDay>) {
        let mut days = self.days.lock().unwrap_or_else(PoisonError::into_inner);
        days.insert(date, (fingerprint, day));
        let mut size: usize = days.values().map(|(_, day)| day.size_bytes()).sum();
        // The oldest days are asked for least.
        while size > self.budget_bytes && days.len() > 1 {
            if let Some((_, (_, day))) = days.pop_first() {
                size -= day.size_bytes();
            }
        }
    }

    fn answers(&self) -> MutexGuard<'_, Answers> {
        self.answers.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// What one dataset knows of the sketches: where they lie, and the shared store.
#[derive(Clone, Debug)]
pub(crate) struct Users {
    pub snapshot: Option<Snapshot>,
    /// Fingerprint of each day's files and of what of them may be named.
    pub days: Arc<BTreeMap<NaiveDate, u64>>,
    pub store: Arc<Store>,
    pub gate: Arc<Gate>,
}

impl Users {
    fn fingerprint(&self, window: Window) -> u64 {
        let days = self.days.range(window.start..=window.end.max(window.start));
        days.fold(0xcbf2_9ce4_8422_2325, |hash, (date, day)| {
            let date = u64::from(chrono::Datelike::num_days_from_ce(date).unsigned_abs());
            (hash ^ day.rotate_left(17) ^ date).wrapping_mul(0x0100_0000_01b3)
        })
    }
}

impl Dataset {
    /// Distinct users, if they were loaded; see [`Dataset::load_users`].
    pub fn users(&self, query: &UserQuery) -> Option<Arc<UserCounts>> {
        self.users.store.answers().known.get(&(*query, self.users.fingerprint(query.window))).cloned()
    }

    /// Reads and merges what the queries need. After it [`Dataset::users`] answers each of them.
    ///
    /// # Errors
    /// When a file of the pinned version cannot be read.
    pub async fn load_users(&self, queries: &[UserQuery]) -> Result<(), LoadError> {
        let missing = || -> Vec<UserQuery> {
            let mut answers = self.users.store.answers();
            let known = |query: &UserQuery| (*query, self.users.fingerprint(query.window));
            queries.iter().filter(|query| !answers.use_again(&known(query))).copied().collect()
        };
        if missing().is_empty() {
            return Ok(());
        }
        let _one_at_a_time = self.users.store.loading.lock().await;
        for query in missing() {
            let fingerprint = self.users.fingerprint(query.window);
            let days = self.user_days(query.window).await?;
            let dictionary = self.dictionary.clone();
            let counts = tokio::task::spawn_blocking(move || merge(&dictionary, &query, &days))
                .await
                .map_err(|_| LoadError::Task)?;
            self.users.store.answers().keep((query, fingerprint), Arc::new(counts));
        }
        Ok(())
    }

    /// Why the usage of a model, author or provider is withheld in a window, if it is: no day of it may be told.
    pub fn usage_withheld(&self, window: Window, by: GroupBy, group: Group) -> Option<NotEnough> {
        // What may be named and had no traffic is nothing withheld.
        if self.gate.is_open() || self.tells(group, window.end) {
            return None;
        }
        let totals = self.totals(window, by, &Filter::default());
        let is_told = totals.iter().any(|(known, _)| *known == group);
        (!is_told).then(|| NotEnough::users(self.thresholds.users))
    }

    /// Distinct users of all traffic in the days that decide about names, where nothing of those days may be named and
    /// they are too few.
    pub(crate) async fn count_too_few_users(&self) -> Result<Option<u64>, LoadError> {
        let window = Window::trailing(self.newest_date(), bellwether_metrics::gate::DAYS);
        let totals = self.totals(window, GroupBy::Series, &Filter::default());
        if self.gate.is_open() || totals.is_empty() || totals.iter().any(|(group, _)| group.is_named()) {
            return Ok(None);
        }
        let days = self.user_days(window).await?;
        let count = move || {
            let mut all = Union::default();
            for (.., bytes) in days.iter().flat_map(|day| &day.rows) {
                add(&mut all, bytes);
            }
            round(all.estimate())
        };
        let users = tokio::task::spawn_blocking(count).await.map_err(|_| LoadError::Task)?;
        Ok(Some(users).filter(|users| *users < self.thresholds.users))
    }

    async fn user_days(&self, window: Window) -> Result<Vec<Arc<UserDay>>, LoadError> {
        let Some(snapshot) = &self.users.snapshot else { return Ok(Vec::new()) };
        let mut found = Vec::new();
        let mut wanted: BTreeMap<NaiveDate, u64> = BTreeMap::new();
        for (date, fingerprint) in self.users.days.range(window.start..=window.end.max(window.start)) {
            match self.users.store.day(*date, *fingerprint) {
                Some(day) => found.push(day),
                None => {
                    wanted.insert(*date, *fingerprint);
                }
            }
        }
        if wanted.is_empty() {
            return Ok(found);
        }
        let files: Vec<DataFile> = snapshot
            .files()
            .iter()
            .filter(|file| file.date().is_some_and(|date| wanted.contains_key(&date)))
            .cloned()
            .collect();
        for (date, day) in load::user_days(snapshot, files, &self.dictionary, &self.users.gate).await? {
            let day = Arc::new(day);
            if let Some(fingerprint) = wanted.get(&date) {
                self.users.store.keep(date, *fingerprint, day.clone());
            }
            found.push(day);
        }
        Ok(found)
    }
}

fn merge(dictionary: &Dictionary, query: &UserQuery, days: &[Arc<UserDay>]) -> UserCounts {
    let grouping = Grouping::new(dictionary, query.by, &query.filter);
    let mut sums: Vec<Option<Union>> = vec![None; grouping.len];
    let mut all = Union::default();
    for (series, provider, bytes) in days.iter().flat_map(|day| &day.rows) {
        if *series == SeriesId::HIDDEN {
            continue;
        }
        let Some(sum) = grouping.slot(series.0, *provider).and_then(|slot| sums.get_mut(slot)) else {
            continue;
        };
        add(sum.get_or_insert_default(), bytes);
    }
    let mut groups = HashMap::new();
    for (slot, sum) in sums.iter().enumerate() {
        if let Some(sum) = sum {
            all.merge(sum);
            let group = grouping.group(slot);
            if !group.is_hidden() {
                groups.insert(group, round(sum.estimate()));
            }
        }
    }
    UserCounts { groups, total: round(all.estimate()) }
}

fn add(sum: &mut Union, bytes: &[u8]) {
    if let Err(error) = sum.add(bytes) {
        tracing::warn!(%error, "a stored user sketch cannot be read; users may be counted short");
    }
}

#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "an estimate of users, never negative"
)]
fn round(estimate: f64) -> u64 {
    estimate.round().max(0.0) as u64
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key(day: u32) -> Key {
        let date = NaiveDate::from_num_days_from_ce_opt(739_000 + i32::try_from(day).unwrap()).unwrap();
        let window = Window { start: date, end: date };
        (UserQuery { window, by: GroupBy::Model, filter: Filter::default() }, 7)
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
