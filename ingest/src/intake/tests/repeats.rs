//! Bodies that a sender sends again.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};

use axum::body::Body;
use axum::http::{Request, StatusCode};
use futures::future::BoxFuture;
use tower::ServiceExt;

use super::{gzip, open, read, state};
use crate::config;
use crate::intake::{AppendError, Appender, Outgoing, router};
use crate::testing::native;

#[tokio::test]
async fn a_body_that_is_sent_again_adds_no_rejects() {
    let intake = open();
    let bad = "{\"request_id\":7}";
    let body = format!("{}\n{bad}\n{bad}\n{}\n", native("a"), native("b"));
    let (status, first) = intake.post(body.clone()).await;
    assert_eq!((status, &first["rejected"]), (StatusCode::OK, &2.into()));
    for _ in 0..2 {
        let again = intake.post(gzip(body.as_bytes())).await;
        assert_eq!(again, (StatusCode::OK, first.clone()));
    }
    let rejects = || intake.log().iter().filter(|record| record.starts_with("{\"rejected\"")).count();
    assert_eq!((rejects(), intake.log().len()), (2, 2 + 3 * 2));
    // The same mistake in another body is another record.
    intake.post(format!("{}\n{bad}\n", native("longer than a"))).await;
    assert_eq!(rejects(), 3);
}

#[tokio::test]
async fn a_body_of_more_rejects_than_are_kept_adds_none_when_it_is_sent_again() {
    let intake = open();
    let junk = |lines: usize| gzip("1\n".repeat(lines).as_bytes());
    intake.post(junk(3000)).await;
    assert_eq!(intake.log().len(), 1000 + 1);
    intake.post(junk(3000)).await;
    assert_eq!(intake.log().len(), 1000 + 1);
    // Another body that begins alike: what it has beside is told.
    intake.post(junk(3001)).await;
    let log = intake.log();
    assert_eq!(log.len(), 1000 + 2);
    assert!(log[1001].contains("2001 further"), "{}", log[1001]);
}

/// Refuses the first append and keeps the records of the others.
#[derive(Debug, Default)]
struct SlowToStart {
    records: Mutex<Vec<String>>,
    is_up: AtomicBool,
}

impl Appender for SlowToStart {
    fn append(&self, records: Vec<Outgoing>) -> BoxFuture<'_, Result<(), AppendError>> {
        if !self.is_up.swap(true, Ordering::Relaxed) {
            return Box::pin(async { Err(AppendError::new(std::io::Error::other("not yet"))) });
        }
        let text = |record: Outgoing| String::from_utf8(record.payload).unwrap();
        self.records.lock().unwrap().extend(records.into_iter().map(text));
        Box::pin(async { Ok(()) })
    }
}

#[tokio::test]
async fn a_reject_that_was_not_appended_is_appended_when_it_comes_again() {
    let dir = tempfile::tempdir().unwrap();
    let appender = Arc::new(SlowToStart::default());
    let state = state(dir.path(), config::Intake::default(), Arc::clone(&appender) as Arc<dyn Appender>);
    let mut statuses = Vec::new();
    for _ in 0..3 {
        let body = format!("{}\n{{\"request_id\":7}}\n", native("a"));
        let request = Request::post("/intake/native").body(Body::from(body)).unwrap();
        statuses.push(read(router(state.clone()).oneshot(request).await.unwrap()).await.0.as_u16());
    }
    assert_eq!(statuses, [503, 200, 200]);
    let records = appender.records.lock().unwrap();
    assert_eq!(records.iter().filter(|record| record.starts_with("{\"rejected\"")).count(), 1);
    assert_eq!(records.len(), 3);
}
