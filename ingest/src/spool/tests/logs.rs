//! Several logs in one folder.

use bellwether_warehouse::health::State;

use super::{append, config, log_dir, open, pairs, read_all, read_former, segments};
use crate::spool::{Error, Reader, Reading, Spool, logs, was_read, was_written};

#[tokio::test]
async fn whoever_opened_the_folder_can_be_told_afterwards() {
    let dir = tempfile::tempdir().unwrap();
    let told = || (was_written(dir.path()), was_read(dir.path()));
    assert_eq!(told(), (false, false));
    drop(Reading::of(dir.path()).unwrap());
    assert_eq!(told(), (false, true));
    // Before its first record.
    drop(open(dir.path()));
    assert_eq!(told(), (true, true));
    assert!(!was_written(&dir.path().join("absent")));
}

#[tokio::test]
async fn each_opening_begins_a_log_of_its_own_that_shows_with_its_first_record() {
    let dir = tempfile::tempdir().unwrap();
    let first = open(dir.path());
    append(&first, &["one"]).await;
    let first_log = first.log().clone();
    drop(first);
    // An intake that takes nothing leaves nothing.
    drop(open(dir.path()));
    let second = open(dir.path());
    assert!(!first_log.is_ended(dir.path()).unwrap());
    append(&second, &["two"]).await;
    assert!(first_log.is_ended(dir.path()).unwrap());
    let found = logs(dir.path()).unwrap().readable;
    let uuids: Vec<_> = found.iter().map(|log| log.uuid()).collect();
    assert_eq!(uuids, [first_log.uuid(), second.uuid()]);
    assert_eq!(found[1].earlier(), [first_log.uuid()]);
    assert_eq!(read_former(dir.path(), &second).unwrap(), pairs(&["one"]));
    assert_eq!(read_all(&mut second.reader().unwrap()).unwrap(), pairs(&["two"]));
    first_log.remove(dir.path()).unwrap();
    assert!(!first_log.dir().exists());
    // The chain of logs outlives the log that was deleted.
    drop(second);
    let third = open(dir.path());
    assert_eq!(third.log().earlier(), [uuids[1], uuids[0]]);
}

/// What a folder of one log looked like: the same files in the spool's folder itself, and a manifest of version 1.
#[tokio::test]
async fn a_folder_of_the_former_layout_is_one_log_more_and_goes_when_it_is_ingested() {
    let dir = tempfile::tempdir().unwrap();
    let uuid = "6f1c1f4e-3a55-4f6e-9e37-0a4f0d7e6a11";
    {
        let made = open(dir.path());
        append(&made, &["one", "two"]).await;
        let log = log_dir(&made);
        drop(made);
        for file in segments(&log).into_iter().chain([log.join("head")]) {
            std::fs::rename(&file, dir.path().join(file.file_name().unwrap())).unwrap();
        }
        std::fs::remove_dir_all(log).unwrap();
        let manifest = format!("{{\n  \"version\": 1,\n  \"uuid\": \"{uuid}\",\n  \"lost\": []\n}}");
        std::fs::write(dir.path().join("manifest.json"), manifest).unwrap();
    }
    let spool = open(dir.path());
    append(&spool, &["three"]).await;
    let found = logs(dir.path()).unwrap().readable;
    assert_eq!(found[0].uuid().to_string(), uuid);
    assert_eq!(found[1].uuid(), spool.uuid());
    assert_eq!(found[1].earlier(), [found[0].uuid()]);
    assert_eq!(read_former(dir.path(), &spool).unwrap(), pairs(&["one", "two"]));
    found[0].remove(dir.path()).unwrap();
    assert_eq!(logs(dir.path()).unwrap().readable.len(), 1);
    assert_eq!(read_all(&mut spool.reader().unwrap()).unwrap(), pairs(&["three"]));
}

#[tokio::test]
async fn a_log_of_a_newer_build_and_one_without_a_manifest_stand_for_themselves() {
    let dir = tempfile::tempdir().unwrap();
    let mut made = Vec::new();
    for text in ["newer", "nameless"] {
        let spool = open(dir.path());
        append(&spool, &[text]).await;
        made.push(log_dir(&spool));
    }
    std::fs::write(made[0].join("manifest.json"), "{\"version\": 3, \"shape\": \"unknown\"}").unwrap();
    std::fs::remove_file(made[1].join("manifest.json")).unwrap();
    let spool = open(dir.path());
    append(&spool, &["good"]).await;
    let found = logs(dir.path()).unwrap();
    assert_eq!(found.readable.len(), 1);
    let mut errors: Vec<String> = found.unreadable.iter().map(|log| log.error.to_string()).collect();
    errors.sort();
    assert!(errors[0].contains("holds records but no manifest.json"), "{errors:?}");
    assert!(errors[1].contains("has version 3, which a newer build wrote"), "{errors:?}");
    assert_eq!(read_all(&mut spool.reader().unwrap()).unwrap(), pairs(&["good"]));
}

#[tokio::test]
async fn a_log_shows_when_it_is_whole_and_what_a_crash_left_of_one_is_cleared() {
    let dir = tempfile::tempdir().unwrap();
    let half = dir.path().join("6f1c1f4e-3a55-4f6e-9e37-0a4f0d7e6a11.new");
    std::fs::create_dir(&half).unwrap();
    std::fs::write(half.join("00000000000000000000.spool"), "half").unwrap();
    let found = logs(dir.path()).unwrap();
    assert!(found.readable.is_empty() && found.unreadable.is_empty(), "{found:?}");
    let spool = open(dir.path());
    assert!(!half.exists());
    // Looked at as often as can be while it is made, the log is never there without its manifest.
    let appending = {
        let spool = spool.clone();
        tokio::spawn(async move { append(&spool, &["one"]).await })
    };
    while !appending.is_finished() {
        assert!(logs(dir.path()).unwrap().unreadable.is_empty());
        tokio::task::yield_now().await;
    }
    appending.await.unwrap();
    assert_eq!(logs(dir.path()).unwrap().readable.len(), 1);
}

#[tokio::test]
async fn one_writer_and_one_reader_at_a_time() {
    let dir = tempfile::tempdir().unwrap();
    let spool = open(dir.path());
    assert!(matches!(Spool::open(dir.path(), &config(100)), Err(Error::Locked { .. })));
    let reading = Reading::of(dir.path()).unwrap();
    assert!(matches!(Reading::of(dir.path()), Err(Error::ReadElsewhere { .. })));
    drop((spool, reading));
    Spool::open(dir.path(), &config(100)).unwrap();
    Reading::of(dir.path()).unwrap();
}

#[tokio::test]
async fn a_failed_fsync_leaves_the_file_alone_and_goes_on_in_the_next_segment() {
    let dir = tempfile::tempdir().unwrap();
    let name = dir.path().file_name().unwrap().to_string_lossy().into_owned();
    let spool = open(dir.path());
    append(&spool, &["kept"]).await;
    // A reader that stands at the end of the file that fails.
    let mut reader = Reader::new(spool.log());
    assert_eq!(read_all(&mut reader).unwrap(), pairs(&["kept"]));
    fail::cfg("spool-sync", &format!("return({name})")).unwrap();
    spool.append(vec![b"refused".to_vec()]).await.unwrap_err();
    assert!(matches!(spool.state(), State::Down(why) if why.contains("input/output error")));
    fail::remove("spool-sync");
    append(&spool, &["after"]).await;
    assert_eq!(spool.state(), State::Works);
    assert_eq!(segments(&log_dir(&spool)).len(), 2);
    let all = pairs(&["kept", "after"]);
    assert_eq!(
        read_all(&mut spool.reader().unwrap()).unwrap(),
        all,
        "the refused record stands in the old file"
    );
    assert_eq!(read_all(&mut reader).unwrap(), all[1..]);
    // The same where the file that fails has no record yet.
    let dir = tempfile::tempdir().unwrap();
    let name = dir.path().file_name().unwrap().to_string_lossy().into_owned();
    let spool = open(dir.path());
    fail::cfg("spool-sync", &format!("return({name})")).unwrap();
    spool.append(vec![b"refused".to_vec()]).await.unwrap_err();
    fail::remove("spool-sync");
    append(&spool, &["first"]).await;
    assert_eq!(read_all(&mut spool.reader().unwrap()).unwrap(), pairs(&["first"]));
}

#[tokio::test]
async fn the_trouble_of_a_failed_fsync_passes_without_another_record() {
    let dir = tempfile::tempdir().unwrap();
    let name = dir.path().file_name().unwrap().to_string_lossy().into_owned();
    let spool = open(dir.path());
    fail::cfg("spool-sync", &format!("return({name})")).unwrap();
    spool.append(vec![b"refused".to_vec()]).await.unwrap_err();
    assert!(matches!(spool.state(), State::Down(_)));
    fail::remove("spool-sync");
    while spool.state() != State::Works {
        tokio::task::yield_now().await;
    }
}

#[tokio::test]
async fn a_record_whose_end_cannot_be_published_is_kept_and_read_with_the_next_one() {
    let dir = tempfile::tempdir().unwrap();
    let name = dir.path().file_name().unwrap().to_string_lossy().into_owned();
    let spool = open(dir.path());
    append(&spool, &["one"]).await;
    fail::cfg("spool-publish", &format!("return({name})")).unwrap();
    // On disk by its fsync: to refuse it now would make the sender repeat what is kept.
    assert_eq!(spool.append(vec![b"two".to_vec()]).await.unwrap(), 1..2);
    let mut reader = spool.reader().unwrap();
    assert_eq!(read_all(&mut reader).unwrap(), pairs(&["one"]));
    fail::remove("spool-publish");
    append(&spool, &["three"]).await;
    assert_eq!(read_all(&mut reader).unwrap(), pairs(&["one", "two", "three"])[1..]);
    // The same where no append follows: the next opening finds it.
    fail::cfg("spool-publish", &format!("return({name})")).unwrap();
    append(&spool, &["four"]).await;
    drop(spool);
    fail::remove("spool-publish");
    let spool = open(dir.path());
    assert_eq!(read_former(dir.path(), &spool).unwrap(), pairs(&["one", "two", "three", "four"]));
}

#[tokio::test]
async fn the_end_of_a_log_is_shown_only_where_its_files_agree() {
    let dir = tempfile::tempdir().unwrap();
    let spool = open(dir.path());
    append(&spool, &["first", "second"]).await;
    let log = spool.log().clone();
    let early = std::fs::read(log.dir().join("head")).unwrap();
    append(&spool, &["third"]).await;
    drop(spool);
    log.show_end().unwrap();
    // A head of before, as a power cut puts it back.
    std::fs::write(log.dir().join("head"), &early).unwrap();
    assert!(matches!(log.show_end(), Err(Error::NotEnded { published: 2, found: 3, .. })));
    // And a record before it that cannot be read, so that nothing could publish the end anew.
    let path = segments(log.dir()).remove(0);
    let mut bytes = std::fs::read(&path).unwrap();
    bytes[16 + 20] ^= 1;
    std::fs::write(&path, bytes).unwrap();
    assert!(matches!(log.show_end(), Err(Error::Damaged { byte: 16, .. })));
}
