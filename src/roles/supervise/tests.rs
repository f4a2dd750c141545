use std::sync::atomic::{AtomicU32, Ordering};

use bellwether_warehouse::health::{Health, State};

use super::*;
use crate::exit::usage;

/// Long enough to be seen, short enough for a test; nothing here depends on how long exactly.
const PAUSES: Pauses = Pauses {
    steady: Duration::from_secs(3_600),
    first: Duration::from_millis(1),
    longest: Duration::from_millis(2),
};
const PATIENCE: Duration = Duration::from_secs(60);

#[derive(Default)]
struct Process {
    board: Board,
    health: Health,
    shutdown: CancellationToken,
    running: tokio::task::JoinSet<anyhow::Result<()>>,
}

impl Process {
    fn watch<F>(&mut self, name: &str, pauses: Pauses, start: impl FnMut() -> F + Send + 'static)
    where
        F: Future<Output = anyhow::Result<()>> + Send + 'static,
    {
        let task = Task::new(name.to_owned(), self.health.part(name), Some(&self.board));
        self.running.spawn(supervise(task, pauses, self.shutdown.clone(), start));
    }

    /// A task that does its work until it is told to end.
    fn good(&mut self, name: &str) {
        let shutdown = self.shutdown.clone();
        self.watch(name, PAUSES, move || {
            let shutdown = shutdown.clone();
            async move {
                shutdown.cancelled().await;
                Ok(())
            }
        });
    }

    fn state(&self, name: &str) -> State {
        self.health.parts().into_iter().find(|(part, _)| part == name).unwrap().1
    }

    async fn end(mut self) -> Vec<String> {
        self.shutdown.cancel();
        let mut errors = Vec::new();
        while let Some(ended) = tokio::time::timeout(PATIENCE, self.running.join_next()).await.unwrap() {
            errors.extend(ended.unwrap().err().map(|error| chain(error.as_ref())));
        }
        errors
    }
}

async fn until(what: impl Fn() -> bool) {
    let seen = async {
        while !what() {
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(PATIENCE, seen).await.unwrap();
}

/// How a run ends.
type Ending = fn() -> anyhow::Result<()>;

/// Fails as `how` says until the third start, which works.
fn third_time_lucky(process: &mut Process, how: Ending) -> Arc<AtomicU32> {
    let starts = Arc::new(AtomicU32::new(0));
    let (counted, shutdown) = (starts.clone(), process.shutdown.clone());
    process.watch("jobs", PAUSES, move || {
        let (counted, shutdown) = (counted.clone(), shutdown.clone());
        async move {
            if counted.fetch_add(1, Ordering::SeqCst) < 2 {
                return how();
            }
            shutdown.cancelled().await;
            Ok(())
        }
    });
    starts
}

#[tokio::test]
async fn a_task_that_fails_panics_or_stops_is_started_again_and_the_others_go_on() {
    let ways: [(Ending, &str); 3] = [
        (|| Err(anyhow!("the disk is full")), "jobs ended: the disk is full"),
        (|| panic!("an index out of bounds"), "jobs ended: it panicked: an index out of bounds"),
        (|| Ok(()), "jobs ended: it stopped though nobody asked it to"),
    ];
    for (way, expected) in ways {
        let mut process = Process::default();
        process.good("intake");
        let starts = third_time_lucky(&mut process, way);
        until(|| starts.load(Ordering::SeqCst) == 3).await;
        assert_eq!(process.state("intake"), State::Works);
        // It has not run for long enough to be believed.
        let State::Down(why) = process.state("jobs") else { panic!("{:?}", process.state("jobs")) };
        assert!(why.starts_with(expected), "{why}");
        assert!(why.contains("started again"), "{why}");
        assert_eq!(process.end().await, Vec::<String>::new());
    }
}

#[tokio::test]
async fn a_task_that_has_run_for_a_while_works_again() {
    let mut process = Process::default();
    let starts = Arc::new(AtomicU32::new(0));
    let (counted, shutdown) = (starts.clone(), process.shutdown.clone());
    process.watch("web", Pauses { steady: Duration::ZERO, ..PAUSES }, move || {
        let (counted, shutdown) = (counted.clone(), shutdown.clone());
        async move {
            if counted.fetch_add(1, Ordering::SeqCst) == 0 {
                return Err(anyhow!("no file handle left"));
            }
            shutdown.cancelled().await;
            Ok(())
        }
    });
    until(|| starts.load(Ordering::SeqCst) == 2 && process.state("web") == State::Works).await;
    assert_eq!(process.end().await, Vec::<String>::new());
}

#[tokio::test]
async fn an_error_that_a_new_start_would_meet_again_stays_down() {
    let errors: [fn() -> anyhow::Error; 2] =
        [|| lasting(anyhow!("records are missing")), || usage("[keys] `path` is wrong")];
    for error in errors {
        let mut process = Process::default();
        process.good("intake");
        let starts = Arc::new(AtomicU32::new(0));
        let counted = starts.clone();
        process.watch("ingest", PAUSES, move || {
            counted.fetch_add(1, Ordering::SeqCst);
            async move { Err(error()) }
        });
        until(|| matches!(process.state("ingest"), State::Down(why) if why.ends_with("it stays down"))).await;
        assert_eq!(starts.load(Ordering::SeqCst), 1);
        // The intake is left.
        let left = tokio::time::timeout(Duration::ZERO, process.board.hopeless()).await;
        assert!(left.is_err());
        assert_eq!(process.end().await, Vec::<String>::new());
    }
}

#[tokio::test]
async fn a_process_with_nothing_left_gives_up_with_the_first_error() {
    let mut process = Process::default();
    for name in ["ingest", "jobs"] {
        process.watch(name, PAUSES, move || async move { Err(lasting(anyhow!("{name} is set up wrongly"))) });
    }
    // The admin port is of no use alone, and does not hold the process.
    let admin = Task::new("admin".to_owned(), process.health.part("admin"), None);
    process.running.spawn(supervise(admin, PAUSES, process.shutdown.clone(), std::future::pending));
    let error = tokio::time::timeout(PATIENCE, process.board.hopeless()).await.unwrap();
    assert!(chain(error.as_ref()).starts_with("ingest ended: "), "{error:?}");
    assert!(chain(error.as_ref()).ends_with("ingest is set up wrongly"), "{error:?}");
    process.running.abort_all();
}

#[tokio::test]
async fn what_fails_while_the_process_ends_is_told() {
    let mut process = Process::default();
    let shutdown = process.shutdown.clone();
    process.watch("ingest", PAUSES, move || {
        let shutdown = shutdown.clone();
        async move {
            shutdown.cancelled().await;
            Err(anyhow!("the last flush failed"))
        }
    });
    assert_eq!(process.end().await, ["ingest ended: the last flush failed"]);
}
