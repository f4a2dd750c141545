//! Order, durability, recovery after a crash, and damage.

mod full;
mod logs;

use std::path::{Path, PathBuf};

use bellwether_warehouse::World;

use super::{Error, Reader, Spool, prune, segment};
use crate::config;

fn config(segment_bytes: u64) -> config::Spool {
    config::Spool {
        segment: config::Bytes(segment_bytes),
        ballast: config::Bytes(0),
        ..config::Spool::default()
    }
}

fn open(dir: &Path) -> Spool {
    Spool::open(dir, &config(1 << 20)).unwrap()
}

async fn append(spool: &Spool, texts: &[&str]) {
    spool.append(texts.iter().map(|text| text.as_bytes().to_vec()).collect()).await.unwrap();
}

/// The folder of the log that `spool` writes.
fn log_dir(spool: &Spool) -> PathBuf {
    spool.log().dir().to_owned()
}

/// All records of the only log in `dir` that is not `spool`'s own.
fn read_former(dir: &Path, spool: &Spool) -> Result<Vec<(i64, String)>, Error> {
    let logs = super::logs(dir).unwrap().readable;
    let formers: Vec<_> = logs.iter().filter(|log| log.uuid() != spool.uuid()).collect();
    assert_eq!(formers.len(), 1, "{formers:?}");
    let mut reader = Reader::new(formers[0]);
    reader.seek(reader.low()?)?;
    read_all(&mut reader)
}

fn read_all(reader: &mut Reader) -> Result<Vec<(i64, String)>, Error> {
    let mut all = Vec::new();
    loop {
        let records = reader.read(64)?;
        if records.is_empty() {
            return Ok(all);
        }
        all.extend(records.iter().map(|r| (r.offset, String::from_utf8_lossy(&r.payload).into_owned())));
    }
}

fn segments(dir: &Path) -> Vec<PathBuf> {
    segment::list(dir).unwrap().into_iter().map(|first| segment::path(dir, first)).collect()
}

fn pairs(texts: &[&str]) -> Vec<(i64, String)> {
    (0..).zip(texts).map(|(offset, text)| (offset, (*text).to_owned())).collect()
}

#[tokio::test]
async fn records_come_back_in_order_across_segments() {
    let dir = tempfile::tempdir().unwrap();
    let spool = Spool::open(dir.path(), &config(100)).unwrap();
    let texts =
        ["one", "two", "a longer record that fills a segment by itself, with room to spare", "", "five"];
    for text in texts {
        append(&spool, &[text]).await;
    }
    let expected = pairs(&texts);
    assert!(segments(&log_dir(&spool)).len() > 1);
    assert_eq!(read_all(&mut spool.reader().unwrap()).unwrap(), expected);
    assert_eq!(spool.head(), 5);
    // From any offset on, also when the writer has gone.
    let log = spool.log().clone();
    drop(spool);
    for from in 0..=5 {
        let mut reader = Reader::new(&log);
        reader.seek(from).unwrap();
        assert_eq!(read_all(&mut reader).unwrap(), expected[from as usize..]);
    }
}

#[tokio::test]
async fn a_second_writer_is_refused_until_the_first_is_gone() {
    let dir = tempfile::tempdir().unwrap();
    let spool = open(dir.path());
    assert!(matches!(Spool::open(dir.path(), &config(100)), Err(Error::Locked { .. })));
    drop(spool);
    Spool::open(dir.path(), &config(100)).unwrap();
}

#[tokio::test]
async fn concurrent_appends_get_every_offset_once_and_keep_each_callers_order() {
    let dir = tempfile::tempdir().unwrap();
    let spool = Spool::open(dir.path(), &config(2000)).unwrap();
    let callers = (0..8).map(|caller| {
        let spool = spool.clone();
        tokio::spawn(async move {
            let mut offsets = Vec::new();
            for number in 0..25 {
                let record = format!("{caller}:{number}").into_bytes();
                offsets.extend(spool.append(vec![record]).await.unwrap());
            }
            offsets
        })
    });
    let mut offsets = Vec::new();
    for caller in futures::future::join_all(callers).await {
        let caller = caller.unwrap();
        assert!(caller.is_sorted());
        offsets.extend(caller);
    }
    offsets.sort_unstable();
    assert_eq!(offsets, (0..200).collect::<Vec<i64>>());
    let read = read_all(&mut spool.reader().unwrap()).unwrap();
    assert_eq!(read.len(), 200);
    for caller in 0..8 {
        let prefix = format!("{caller}:");
        let numbers: Vec<u32> =
            read.iter().filter_map(|(_, text)| text.strip_prefix(&prefix)?.parse().ok()).collect();
        assert_eq!(numbers, (0..25).collect::<Vec<u32>>());
    }
}

/// A log whose last record was not acknowledged: the head file stands before it.
async fn crashed_during_last_record(dir: &Path) -> (PathBuf, u64) {
    let spool = open(dir);
    append(&spool, &["first", "second"]).await;
    let log = log_dir(&spool);
    let head = std::fs::read(log.join("head")).unwrap();
    let path = segments(&log).remove(0);
    let end = std::fs::metadata(&path).unwrap().len();
    append(&spool, &["third"]).await;
    drop(spool);
    std::fs::write(log.join("head"), head).unwrap();
    (path, end)
}

#[tokio::test]
async fn a_torn_end_is_cut_at_every_byte() {
    let whole = {
        let dir = tempfile::tempdir().unwrap();
        let (path, _) = crashed_during_last_record(dir.path()).await;
        std::fs::metadata(path).unwrap().len()
    };
    let last_bytes = segment::FRAME_BYTES as u64 + 5;
    for cut in 1..=last_bytes {
        let dir = tempfile::tempdir().unwrap();
        let (path, end) = crashed_during_last_record(dir.path()).await;
        assert_eq!(end + last_bytes, whole);
        std::fs::File::options().write(true).open(&path).unwrap().set_len(whole - cut).unwrap();
        let spool = open(dir.path());
        match spool.cuts() {
            [found] => {
                assert_eq!((found.byte, found.bytes, found.lost_records), (end, last_bytes - cut, 0));
            }
            none => {
                assert_eq!(none, []);
                assert_eq!(cut, last_bytes, "nothing is left of the third record");
            }
        }
        append(&spool, &["fourth"]).await;
        assert_eq!(read_former(dir.path(), &spool).unwrap(), pairs(&["first", "second"]));
        assert_eq!(read_all(&mut spool.reader().unwrap()).unwrap(), pairs(&["fourth"]));
    }
}

#[tokio::test]
async fn a_torn_end_with_wrong_bytes_is_cut() {
    let dir = tempfile::tempdir().unwrap();
    let (path, end) = crashed_during_last_record(dir.path()).await;
    let mut bytes = std::fs::read(&path).unwrap();
    *bytes.last_mut().unwrap() ^= 1;
    std::fs::write(&path, bytes).unwrap();
    let spool = open(dir.path());
    assert_eq!(spool.cuts().iter().map(|cut| cut.byte).collect::<Vec<_>>(), [end]);
    assert_eq!(read_former(dir.path(), &spool).unwrap(), pairs(&["first", "second"]));
}

#[tokio::test]
async fn a_whole_record_behind_the_published_end_is_kept() {
    let dir = tempfile::tempdir().unwrap();
    crashed_during_last_record(dir.path()).await;
    let spool = open(dir.path());
    assert_eq!(spool.cuts(), []);
    assert_eq!(read_former(dir.path(), &spool).unwrap(), pairs(&["first", "second", "third"]));
}

#[tokio::test]
async fn acknowledged_records_that_the_disk_lost_are_counted() {
    let dir = tempfile::tempdir().unwrap();
    let spool = open(dir.path());
    append(&spool, &["first", "second", "third"]).await;
    let path = segments(&log_dir(&spool)).remove(0);
    drop(spool);
    let length = std::fs::metadata(&path).unwrap().len();
    std::fs::File::options().write(true).open(&path).unwrap().set_len(length - 30).unwrap();
    let spool = open(dir.path());
    assert_eq!(spool.cuts().iter().map(|cut| cut.lost_records).collect::<Vec<_>>(), [2]);
    assert_eq!(read_former(dir.path(), &spool).unwrap(), pairs(&["first"]));
}

#[tokio::test]
async fn damage_that_is_no_torn_end_stops_and_names_the_place() {
    let dir = tempfile::tempdir().unwrap();
    let spool = Spool::open(dir.path(), &config(60)).unwrap();
    for text in ["first", "second", "third", "fourth", "fifth"] {
        append(&spool, &[text]).await;
    }
    let files = segments(&log_dir(&spool));
    drop(spool);
    assert!(files.len() > 2);
    let pristine = std::fs::read(&files[0]).unwrap();
    let mut bytes = pristine.clone();
    let at = segment::HEADER_BYTES as usize + segment::FRAME_BYTES + 2;
    bytes[at] ^= 0x40;
    std::fs::write(&files[0], &bytes).unwrap();
    let spool = Spool::open(dir.path(), &config(60)).unwrap();
    match read_former(dir.path(), &spool) {
        Err(Error::Damaged { file, byte }) => assert_eq!((file, byte), (files[0].clone(), 16)),
        other => panic!("expected damage, got {other:?}"),
    }
    // Truncating an earlier segment is damage too.
    std::fs::write(&files[0], &pristine[..pristine.len() - 1]).unwrap();
    assert!(matches!(read_former(dir.path(), &spool), Err(Error::Damaged { .. })));
    // So is a missing segment in the middle.
    std::fs::write(&files[0], &pristine).unwrap();
    std::fs::remove_file(&files[1]).unwrap();
    assert!(matches!(read_former(dir.path(), &spool), Err(Error::Damaged { .. })));
}

#[tokio::test]
async fn bit_rot_before_the_acknowledged_end_stops_that_log_behind_its_good_records() {
    let dir = tempfile::tempdir().unwrap();
    let spool = open(dir.path());
    append(&spool, &["first", "second"]).await;
    let path = segments(&log_dir(&spool)).remove(0);
    let log = spool.log().clone();
    drop(spool);
    let mut bytes = std::fs::read(&path).unwrap();
    *bytes.last_mut().unwrap() ^= 1;
    std::fs::write(&path, bytes).unwrap();
    let spool = open(dir.path());
    append(&spool, &["third"]).await;
    assert_eq!(read_all(&mut spool.reader().unwrap()).unwrap(), pairs(&["third"]));
    let mut reader = Reader::new(&log);
    assert_eq!(reader.read(1 << 20).unwrap().len(), 1, "what stands before the damage is given");
    match reader.read(1 << 20) {
        Err(Error::Damaged { file, byte }) => assert_eq!((file, byte), (path, 16 + 20 + 5)),
        other => panic!("expected damage, got {other:?}"),
    }
}

#[tokio::test]
async fn pruning_frees_whole_segments_below_the_offset_and_never_the_last() {
    let dir = tempfile::tempdir().unwrap();
    let spool = Spool::open(dir.path(), &config(60)).unwrap();
    for text in ["first", "second", "third", "fourth", "fifth"] {
        append(&spool, &[text]).await;
    }
    let log = log_dir(&spool);
    let firsts = segment::list(&log).unwrap();
    assert_eq!(prune(&log, firsts[1] - 1).unwrap(), 0);
    assert_eq!(prune(&log, firsts[1]).unwrap(), 1);
    let mut reader = spool.reader().unwrap();
    assert_eq!(read_all(&mut reader).unwrap()[0].0, firsts[1]);
    assert!(matches!(reader.seek(0), Err(Error::OutOfRange { low, head: 5, .. }) if low == firsts[1]));
    assert!(matches!(reader.seek(6), Err(Error::OutOfRange { .. })));
    prune(&log, 5).unwrap();
    assert_eq!(segments(&log).len(), 1);
    assert_eq!(spool.head(), 5);
}

#[tokio::test]
async fn readers_wake_up_for_new_records() {
    let dir = tempfile::tempdir().unwrap();
    let spool = open(dir.path());
    let mut reader = spool.reader().unwrap();
    let waiting = tokio::spawn(async move {
        reader.ready(&World::default()).await;
        reader.read(100).unwrap().len()
    });
    append(&spool, &["news"]).await;
    assert_eq!(waiting.await.unwrap(), 1);
}
