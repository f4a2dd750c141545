//! Bounds: of the spool, of its queue, of the disk.

use std::sync::Arc;

use bellwether_warehouse::health::State;

use super::{append, config, log_dir, open, pairs, read_all, segments};
use crate::config::{self as settings, Bytes};
use crate::spool::append::QUEUE_BYTES;
use crate::spool::{AppendError, Ballast, Spool, prune};

const FRAME: usize = 20;

/// The process stays ready: what is refused now is taken once there is room.
fn waits_for_room(why: &str) -> State {
    State::Impaired(format!("{why}; goes on by itself once there is room"))
}

#[tokio::test]
async fn a_full_disk_refuses_the_append_and_leaves_no_trace() {
    let dir = tempfile::tempdir().unwrap();
    let spool = open(dir.path());
    append(&spool, &["kept"]).await;
    let name = dir.path().file_name().unwrap().to_string_lossy().into_owned();
    fail::cfg("spool-write", &format!("return({name})")).unwrap();
    let answer = spool.append(vec![b"refused".to_vec()]).await;
    fail::remove("spool-write");
    assert!(matches!(answer, Err(AppendError::DiskFull)));
    assert_eq!(spool.state(), waits_for_room("the spool's disk is full"));
    append(&spool, &["after"]).await;
    assert_eq!(spool.state(), State::Works);
    assert_eq!(read_all(&mut spool.reader().unwrap()).unwrap(), pairs(&["kept", "after"]));
}

#[tokio::test]
async fn a_folder_deleted_under_the_writer_refuses_what_could_never_be_read() {
    let dir = tempfile::tempdir().unwrap();
    let spool = open(dir.path());
    append(&spool, &["kept"]).await;
    std::fs::remove_dir_all(log_dir(&spool)).unwrap();
    let refused = spool.append(vec![b"lost".to_vec()]).await.unwrap_err();
    assert!(refused.to_string().contains("deleted under this process"), "{refused}");
    assert_eq!(spool.state(), State::Down(refused.to_string()));
}

#[tokio::test]
async fn beyond_its_bound_the_spool_takes_nothing_until_ingest_has_freed_something() {
    let dir = tempfile::tempdir().unwrap();
    // Room for the header of one segment and ten records of 100 bytes, not for an eleventh.
    let max_bytes = Bytes(16 + 10 * 100 + 99);
    let spool = Spool::open(dir.path(), &settings::Spool { max_bytes, ..config(1 << 20) }).unwrap();
    let record = vec![b'x'; 100 - FRAME];
    for _ in 0..10 {
        spool.append(vec![record.clone()]).await.unwrap();
    }
    assert!(spool.refusal().is_none());
    assert!(matches!(spool.append(vec![record.clone()]).await, Err(AppendError::Bound)));
    // The test for room is of one byte, and 99 are left.
    assert_eq!(spool.state(), State::Works);
    // A refused append begins the next segment: what is ingested of the full one can go.
    let log = log_dir(&spool);
    while segments(&log).len() < 2 {
        tokio::task::yield_now().await;
    }
    assert_eq!(prune(&log, 10).unwrap(), 1);
    assert_eq!(spool.append(vec![record]).await.unwrap(), 10..11);
}

#[tokio::test]
async fn a_segment_that_fills_the_spool_to_the_byte_can_be_freed_too() {
    let dir = tempfile::tempdir().unwrap();
    let max_bytes = Bytes(16 + 100);
    let spool = Spool::open(dir.path(), &settings::Spool { max_bytes, ..config(1 << 20) }).unwrap();
    spool.append(vec![vec![b'x'; 100 - FRAME]]).await.unwrap();
    assert!(matches!(spool.refusal(), Some(AppendError::Bound)), "senders are refused before the writer");
    assert_eq!(spool.state(), waits_for_room("the spool holds `spool.max_bytes`; ingest is behind"));
    let log = log_dir(&spool);
    while segments(&log).len() < 2 {
        tokio::task::yield_now().await;
    }
    assert_eq!(prune(&log, 1).unwrap(), 1);
    assert!(spool.refusal().is_none());
}

#[tokio::test]
async fn the_bound_counts_the_logs_of_before() {
    let dir = tempfile::tempdir().unwrap();
    let former = open(dir.path());
    append(&former, &["one"]).await;
    drop(former);
    let held = (16 + FRAME + 3) as u64;
    let full = settings::Spool { max_bytes: Bytes(held), ..config(1 << 20) };
    let spool = Spool::open(dir.path(), &full).unwrap();
    assert!(matches!(spool.refusal(), Some(AppendError::Bound)));
    assert!(matches!(spool.append(vec![b"two".to_vec()]).await, Err(AppendError::Bound)));
}

#[tokio::test]
async fn what_waits_for_the_writer_is_bounded() {
    let dir = tempfile::tempdir().unwrap();
    let spool = open(dir.path());
    let taken = Arc::clone(&spool.inner.queue).acquire_many_owned(QUEUE_BYTES as u32).await.unwrap();
    let sender = spool.clone();
    let waiting = tokio::spawn(async move { sender.append(vec![b"late".to_vec()]).await });
    for _ in 0..100 {
        tokio::task::yield_now().await;
        assert!(!waiting.is_finished());
    }
    // A caller that goes away while it waits takes its records with it.
    waiting.abort();
    assert!(waiting.await.unwrap_err().is_cancelled());
    drop(taken);
    append(&spool, &["next"]).await;
    assert_eq!(read_all(&mut spool.reader().unwrap()).unwrap(), pairs(&["next"]));
    // And what was written leaves its place.
    while spool.inner.queue.available_permits() < QUEUE_BYTES {
        tokio::task::yield_now().await;
    }
}

#[tokio::test]
async fn the_ballast_holds_space_and_the_intake_waits_while_it_is_given_up() {
    let dir = tempfile::tempdir().unwrap();
    let bytes = Bytes::kib(64);
    let spool = Spool::open(dir.path(), &settings::Spool { ballast: bytes, ..config(1 << 20) }).unwrap();
    let held = || {
        use std::os::unix::fs::MetadataExt;
        let taken =
            |name: &str| std::fs::metadata(dir.path().join(name)).map(|file| file.blocks() * 512).ok();
        (taken("ballast").map(|taken| taken >= bytes.0), taken("ballast.given"))
    };
    assert_eq!(held(), (Some(true), None), "blocks, not a hole");
    let ballast = Ballast::new(dir.path(), bytes.0);
    assert!(ballast.give_up().unwrap());
    assert!(!ballast.give_up().unwrap(), "there is but one");
    assert_eq!(held(), (None, Some(0)));
    assert!(matches!(spool.refusal(), Some(AppendError::DiskFull)));
    assert!(matches!(spool.append(vec![b"early".to_vec()]).await, Err(AppendError::DiskFull)));
    assert_eq!(spool.state(), waits_for_room("the spool's disk is full"));
    assert!(ballast.restore().unwrap());
    assert_eq!(held(), (Some(true), None));
    append(&spool, &["now"]).await;
    // A size that was changed takes effect; 0 frees it.
    drop(spool);
    drop(open(dir.path()));
    assert_eq!(held(), (None, None));
}
