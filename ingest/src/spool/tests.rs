//! Order, durability, recovery after a crash, and damage.

use std::path::{Path, PathBuf};

use super::{AppendError, Error, Reader, Spool, prune, segment};
use crate::config;

fn config(segment_bytes: u64) -> config::Spool {
    config::Spool { folder: None, segment: config::Bytes(segment_bytes) }
}

fn open(dir: &Path) -> Spool {
    Spool::open(dir, &config(1 << 20)).unwrap()
}

async fn append(spool: &Spool, texts: &[&str]) {
    spool.append(texts.iter().map(|text| text.as_bytes().to_vec()).collect()).await.unwrap();
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
async fn records_come_back_in_order_across_segments_and_after_reopening() {
    let dir = tempfile::tempdir().unwrap();
    let uuid = {
        let spool = Spool::open(dir.path(), &config(100)).unwrap();
        for text in
            ["one", "two", "a longer record that fills a segment by itself, with room to spare", "", "five"]
        {
            append(&spool, &[text]).await;
        }
        spool.uuid()
    };
    let spool = Spool::open(dir.path(), &config(100)).unwrap();
    assert_eq!((spool.uuid(), spool.head(), spool.cut()), (uuid, 5, None));
    append(&spool, &["six"]).await;
    let expected = pairs(&[
        "one",
        "two",
        "a longer record that fills a segment by itself, with room to spare",
        "",
        "five",
        "six",
    ]);
    assert!(segments(dir.path()).len() > 1);
    assert_eq!(read_all(&mut spool.reader().unwrap()).unwrap(), expected);
    // A reader of another process sees the same, from any offset on.
    for from in 0..=6 {
        let mut reader = Reader::open(dir.path()).unwrap();
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

/// Copies a spool whose last record was not acknowledged: the head file stands before it.
async fn crashed_during_last_record(dir: &Path) -> (PathBuf, u64) {
    let spool = open(dir);
    append(&spool, &["first", "second"]).await;
    let head = std::fs::read(dir.join("head")).unwrap();
    let path = segments(dir).remove(0);
    let end = std::fs::metadata(&path).unwrap().len();
    append(&spool, &["third"]).await;
    drop(spool);
    std::fs::write(dir.join("head"), head).unwrap();
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
        match spool.cut() {
            Some(found) => {
                assert_eq!((found.byte, found.bytes, found.lost_records), (end, last_bytes - cut, 0));
            }
            None => assert_eq!(cut, last_bytes, "nothing is left of the third record"),
        }
        append(&spool, &["fourth"]).await;
        assert_eq!(read_all(&mut spool.reader().unwrap()).unwrap(), pairs(&["first", "second", "fourth"]));
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
    assert_eq!(spool.cut().map(|cut| cut.byte), Some(end));
    assert_eq!(spool.head(), 2);
}

#[tokio::test]
async fn acknowledged_offsets_are_never_given_twice() {
    let dir = tempfile::tempdir().unwrap();
    let spool = open(dir.path());
    append(&spool, &["first", "second", "third"]).await;
    drop(spool);
    let path = segments(dir.path()).remove(0);
    let length = std::fs::metadata(&path).unwrap().len();
    std::fs::File::options().write(true).open(&path).unwrap().set_len(length - 30).unwrap();
    let spool = open(dir.path());
    assert_eq!(spool.cut().map(|cut| cut.lost_records), Some(2));
    append(&spool, &["fourth"]).await;
    let read = read_all(&mut spool.reader().unwrap()).unwrap();
    assert_eq!(read, [(0, "first".to_owned()), (3, "fourth".to_owned())]);
}

#[tokio::test]
async fn damage_that_is_no_torn_end_stops_and_names_the_place() {
    let dir = tempfile::tempdir().unwrap();
    let spool = Spool::open(dir.path(), &config(60)).unwrap();
    for text in ["first", "second", "third", "fourth", "fifth"] {
        append(&spool, &[text]).await;
    }
    drop(spool);
    let files = segments(dir.path());
    assert!(files.len() > 2);
    let pristine = std::fs::read(&files[0]).unwrap();
    let mut bytes = pristine.clone();
    let at = segment::HEADER_BYTES as usize + segment::FRAME_BYTES + 2;
    bytes[at] ^= 0x40;
    std::fs::write(&files[0], &bytes).unwrap();
    let spool = Spool::open(dir.path(), &config(60)).unwrap();
    match read_all(&mut spool.reader().unwrap()) {
        Err(Error::Damaged { file, byte }) => assert_eq!((file, byte), (files[0].clone(), 16)),
        other => panic!("expected damage, got {other:?}"),
    }
    // Truncating an earlier segment is damage too.
    std::fs::write(&files[0], &pristine[..pristine.len() - 1]).unwrap();
    assert!(matches!(read_all(&mut spool.reader().unwrap()), Err(Error::Damaged { .. })));
    // So is a missing segment in the middle.
    std::fs::write(&files[0], &pristine).unwrap();
    std::fs::remove_file(&files[1]).unwrap();
    assert!(matches!(read_all(&mut spool.reader().unwrap()), Err(Error::Damaged { .. })));
}

#[tokio::test]
async fn bit_rot_before_the_acknowledged_end_refuses_to_open() {
    let dir = tempfile::tempdir().unwrap();
    let spool = open(dir.path());
    append(&spool, &["first", "second"]).await;
    drop(spool);
    let path = segments(dir.path()).remove(0);
    let mut bytes = std::fs::read(&path).unwrap();
    *bytes.last_mut().unwrap() ^= 1;
    std::fs::write(&path, bytes).unwrap();
    match Spool::open(dir.path(), &config(1 << 20)) {
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
    let firsts = segment::list(dir.path()).unwrap();
    assert_eq!(prune(dir.path(), firsts[1] - 1).unwrap(), 0);
    assert_eq!(prune(dir.path(), firsts[1]).unwrap(), 1);
    let mut reader = spool.reader().unwrap();
    assert_eq!(read_all(&mut reader).unwrap()[0].0, firsts[1]);
    assert!(matches!(reader.seek(0), Err(Error::OutOfRange { low, head: 5, .. }) if low == firsts[1]));
    assert!(matches!(reader.seek(6), Err(Error::OutOfRange { .. })));
    prune(dir.path(), 5).unwrap();
    assert_eq!(segments(dir.path()).len(), 1);
    drop((spool, reader));
    assert_eq!(open(dir.path()).head(), 5);
}

#[tokio::test]
async fn readers_wake_up_for_new_records() {
    let dir = tempfile::tempdir().unwrap();
    let spool = open(dir.path());
    let mut local = spool.reader().unwrap();
    let mut remote = Reader::open(dir.path()).unwrap();
    let waiting = tokio::spawn(async move {
        tokio::join!(local.ready(), remote.ready());
        (local.read(100).unwrap().len(), remote.read(100).unwrap().len())
    });
    append(&spool, &["news"]).await;
    assert_eq!(waiting.await.unwrap(), (1, 1));
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
    assert!(matches!(answer, Err(AppendError::Full)));
    append(&spool, &["after"]).await;
    assert_eq!(read_all(&mut spool.reader().unwrap()).unwrap(), pairs(&["kept", "after"]));
}

#[test]
fn a_folder_without_a_spool_is_named() {
    let dir = tempfile::tempdir().unwrap();
    assert!(matches!(Reader::open(dir.path()), Err(Error::NotFound { .. })));
}
