//! Runs each task by itself: one that fails or panics is started again, and takes no other with it.
//!
//! The process ends by itself only when nothing but the admin port is left: every other task has failed, and each of
//! them either for good or without having worked at all. So a process of one role that is set up wrongly says so and
//! ends, while in a process of many the intake goes on whatever becomes of the others.

use std::future::Future;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use anyhow::anyhow;
use bellwether_warehouse::health::Part;
use tokio::sync::Notify;
use tokio::task::JoinError;
use tokio_util::sync::CancellationToken;

use crate::exit::{Usage, chain};

/// How long to wait for what.
#[derive(Clone, Copy, Debug)]
pub struct Pauses {
    /// A run that lasted this long worked. Longer than brokers and stores are waited for at a start.
    pub steady: Duration,
    /// Before a task is started again; twice as long after each failure in a row.
    pub first: Duration,
    pub longest: Duration,
}

impl Default for Pauses {
    fn default() -> Self {
        Self {
            steady: Duration::from_secs(60),
            first: Duration::from_secs(1),
            longest: Duration::from_secs(60),
        }
    }
}

/// Marks an error that a new start would only meet again.
#[derive(Debug, thiserror::Error)]
#[error("this needs a human, and then a restart")]
pub struct Lasting(#[source] anyhow::Error);

/// An error after which the task stays down.
pub fn lasting(error: impl Into<anyhow::Error>) -> anyhow::Error {
    Lasting(error.into()).into()
}

/// Where every task of the process stands.
#[derive(Clone, Debug, Default)]
pub struct Board {
    tasks: Arc<Mutex<Vec<Standing>>>,
    changed: Arc<Notify>,
}

#[derive(Debug)]
enum Standing {
    Runs,
    /// Failed before it worked, or for good.
    Hopeless(anyhow::Error),
    /// Started again soon, after it had worked.
    Pauses,
}

impl Board {
    fn enter(&self) -> usize {
        let mut tasks = self.lock();
        tasks.push(Standing::Runs);
        tasks.len() - 1
    }

    fn set(&self, task: usize, standing: Standing) {
        if let Some(place) = self.lock().get_mut(task) {
            *place = standing;
        }
        self.changed.notify_waiters();
    }

    /// Resolves when no task is left that works or may work again, with the first one's error.
    pub async fn hopeless(&self) -> anyhow::Error {
        loop {
            let changed = self.changed.notified();
            if let Some(error) = self.first_of_all_failed() {
                return error;
            }
            changed.await;
        }
    }

    fn first_of_all_failed(&self) -> Option<anyhow::Error> {
        let mut tasks = self.lock();
        if !tasks.iter().all(|task| matches!(task, Standing::Hopeless(_))) {
            return None;
        }
        match std::mem::replace(tasks.first_mut()?, Standing::Pauses) {
            Standing::Hopeless(error) => Some(error),
            Standing::Runs | Standing::Pauses => None,
        }
    }

    fn lock(&self) -> MutexGuard<'_, Vec<Standing>> {
        self.tasks.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// What a task is known by, and where it says how it stands.
pub struct Task {
    pub name: String,
    pub part: Part,
    /// `None` for what is of no use alone.
    board: Option<(Board, usize)>,
}

impl Task {
    pub fn new(name: String, part: Part, board: Option<&Board>) -> Self {
        Self { name, part, board: board.map(|board| (board.clone(), board.enter())) }
    }

    fn set(&self, standing: Standing) {
        if let Some((board, place)) = &self.board {
            board.set(*place, standing);
        }
    }
}

/// Runs what `start` gives until the shutdown, again after each failure. An error is one of the ending.
pub async fn supervise<F>(
    task: Task,
    pauses: Pauses,
    shutdown: CancellationToken,
    mut start: impl FnMut() -> F,
) -> anyhow::Result<()>
where
    F: Future<Output = anyhow::Result<()>> + Send + 'static,
{
    let name = task.name.as_str();
    let (mut pause, mut has_worked) = (pauses.first, false);
    loop {
        // A task of its own, so that a panic ends there.
        let mut run = tokio::spawn(start());
        let ended = tokio::select! {
            ended = &mut run => ended,
            () = tokio::time::sleep(pauses.steady) => {
                (pause, has_worked) = (pauses.first, true);
                task.part.works();
                run.await
            }
        };
        let error = match ended {
            Ok(Ok(())) if shutdown.is_cancelled() => return Ok(()),
            Ok(Ok(())) => anyhow!("it stopped though nobody asked it to"),
            Ok(Err(error)) => error,
            Err(ended) if ended.is_panic() => anyhow!("it panicked: {}", panic_text(ended)),
            Err(_) => return Ok(()),
        };
        let error = error.context(format!("{name} ended"));
        if shutdown.is_cancelled() {
            return Err(error);
        }
        let text = chain(error.as_ref());
        if error.chain().any(|cause| cause.is::<Lasting>() || cause.is::<Usage>()) {
            tracing::error!(task = name, error = text, "stays down; the others go on");
            task.part.down(format!("{text}; it stays down"));
            task.set(Standing::Hopeless(error));
            // Listed as down for as long as the process lives.
            shutdown.cancelled().await;
            return Ok(());
        }
        let secs = pause.as_secs_f64();
        tracing::error!(task = name, error = text, again_in_secs = secs, "failed; the others go on");
        task.part.down(format!("{text}; started again {secs} s later"));
        task.set(if has_worked { Standing::Pauses } else { Standing::Hopeless(error) });
        tokio::select! {
            () = tokio::time::sleep(pause) => {}
            () = shutdown.cancelled() => return Ok(()),
        }
        pause = pause.saturating_mul(2).min(pauses.longest);
        task.set(Standing::Runs);
    }
}

/// A panic's message; its place is in the log, where the hook has written it.
fn panic_text(ended: JoinError) -> String {
    let panic = match ended.try_into_panic() {
        Ok(panic) => panic,
        Err(ended) => return ended.to_string(),
    };
    let text = panic.downcast_ref::<&str>().map(ToString::to_string);
    text.or_else(|| panic.downcast_ref::<String>().cloned()).unwrap_or_else(|| "no message".to_owned())
}

#[cfg(test)]
mod tests;
