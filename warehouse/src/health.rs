//! Which parts of this process work: each part tells its own state, and the admin port lists them all.
//!
//! It lies here because this is the crate that every part knows. What it does not do: decide what follows from a
//! part that is down.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// The state of one part.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum State {
    Works,
    /// Goes on, but a human should know: the text says what is missing.
    Impaired(String),
    /// Does not do its work; the text says why, and what happens next.
    Down(String),
}

/// All parts of the process. Clones are one list.
#[derive(Clone, Debug, Default)]
pub struct Health {
    list: Arc<Mutex<List>>,
}

#[derive(Default)]
struct List {
    /// By name; the number tells parts of one name apart, so that one that ends late does not hide its successor.
    parts: BTreeMap<(String, u64), State>,
    next: u64,
    /// Parts that are asked.
    asked: Vec<(String, Ask)>,
}

type Ask = Arc<dyn Fn() -> State + Send + Sync>;

impl fmt::Debug for List {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("List").field("parts", &self.parts).field("asked", &self.asked.len()).finish()
    }
}

impl Health {
    /// Adds a part that works until it says otherwise. It is listed until the handle is dropped.
    pub fn part(&self, name: impl Into<String>) -> Part {
        let mut list = self.lock();
        let key = (name.into(), list.next);
        list.next += 1;
        list.parts.insert(key.clone(), State::Works);
        drop(list);
        Part { health: self.clone(), key }
    }

    /// Adds a part that is asked for its state each time, for the life of the process.
    pub fn ask(&self, name: impl Into<String>, state: impl Fn() -> State + Send + Sync + 'static) {
        self.lock().asked.push((name.into(), Arc::new(state)));
    }

    /// Every part by name.
    pub fn parts(&self) -> Vec<(String, State)> {
        let list = self.lock();
        let told = list.parts.iter().map(|((name, _), state)| (name.clone(), state.clone()));
        let (mut parts, asked) = (told.collect::<Vec<_>>(), list.asked.clone());
        // Whoever is asked may look at the list.
        drop(list);
        parts.extend(asked.into_iter().map(|(name, state)| (name, state())));
        parts.sort_by(|(one, _), (other, _)| one.cmp(other));
        parts
    }

    fn lock(&self) -> MutexGuard<'_, List> {
        // A panic elsewhere leaves whole states behind: nothing is changed in more than one step.
        self.list.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// One part's place in the list. Saying the same state again costs nothing worth avoiding.
#[derive(Debug)]
pub struct Part {
    health: Health,
    key: (String, u64),
}

impl Part {
    pub fn works(&self) {
        self.set(State::Works);
    }

    pub fn impaired(&self, why: impl Into<String>) {
        self.set(State::Impaired(why.into()));
    }

    pub fn down(&self, why: impl Into<String>) {
        self.set(State::Down(why.into()));
    }

    pub fn set(&self, state: State) {
        self.health.lock().parts.insert(self.key.clone(), state);
    }
}

impl Drop for Part {
    fn drop(&mut self) {
        self.health.lock().parts.remove(&self.key);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_part_is_listed_with_what_it_said_last_until_it_is_dropped() {
        let health = Health::default();
        let (spool, jobs) = (health.part("spool"), health.part("jobs"));
        jobs.impaired("routing failed");
        spool.down("the disk is full");
        let listed = |name: &str, state: State| (name.to_owned(), state);
        assert_eq!(
            health.parts(),
            [
                listed("jobs", State::Impaired("routing failed".into())),
                listed("spool", State::Down("the disk is full".into())),
            ]
        );
        spool.works();
        drop(jobs);
        assert_eq!(health.parts(), [listed("spool", State::Works)]);
    }

    #[test]
    fn a_part_that_is_asked_says_its_state_of_now() {
        let health = Health::default();
        let broken = Arc::new(std::sync::atomic::AtomicBool::new(false));
        health.ask("disk", {
            let broken = broken.clone();
            move || {
                if broken.load(std::sync::atomic::Ordering::Relaxed) {
                    State::Down("full".into())
                } else {
                    State::Works
                }
            }
        });
        let _told = health.part("a");
        assert_eq!(health.parts(), [("a".to_owned(), State::Works), ("disk".to_owned(), State::Works)]);
        broken.store(true, std::sync::atomic::Ordering::Relaxed);
        assert_eq!(health.parts()[1].1, State::Down("full".into()));
    }

    #[test]
    fn a_part_that_ends_late_does_not_hide_the_next_one_of_its_name() {
        let health = Health::default();
        let former = health.part("jobs");
        let next = health.part("jobs");
        next.down("cannot open the tables");
        drop(former);
        assert_eq!(health.parts(), [("jobs".to_owned(), State::Down("cannot open the tables".into()))]);
    }
}
