//! How a file is packed, and what is known of its content whatever the packing.

use super::{file, gzip, lines, run};
use crate::formats::Format;
use crate::import::ledger::{Ledger, Wanted};
use crate::import::{FileStatus, Options, import};
use crate::testing::{House, NOON_US, litellm_failure, native};

fn skippable(content: &[u8]) -> Vec<u8> {
    let size = u32::try_from(content.len()).unwrap().to_le_bytes();
    [&[0x50, 0x2a, 0x4d, 0x18][..], &size, content].concat()
}

#[tokio::test]
async fn zstd_files_of_several_frames_are_read_also_when_some_are_to_be_skipped() {
    let house = House::new().await;
    let frame = |from: u32, to: u32| zstd::encode_all(lines(from..to).as_bytes(), 1).unwrap();
    let pzstd = [skippable(&[9; 4]), frame(0, 3), skippable(&[9; 4]), frame(3, 5), skippable(b"")].concat();
    let summary = run(&house, &[file(&house, "pzstd", &pzstd)]).await.unwrap();
    assert_eq!((summary.rows, summary.rejects), (5, 0));
    assert!(!summary.is_unreadable());
    let several = [frame(10, 12), frame(12, 15)].concat();
    let summary = run(&house, &[file(&house, "several", &several)]).await.unwrap();
    assert_eq!((summary.rows, summary.rejects), (5, 0));
}

#[tokio::test]
async fn a_packing_that_is_not_understood_is_named() {
    let house = House::new().await;
    let xz = file(&house, "log.ndjson.xz", b"\xfd7zXZ\0\0\x04\xe6\xd6\xb4F\n\n{}\n");
    let summary = run(&house, &[xz]).await.unwrap();
    assert_eq!((summary.records, summary.rows, summary.rejects), (1, 0, 1));
    assert!(summary.is_unreadable());
    assert_eq!(
        house.ask("SELECT reason, detail FROM rejects").await,
        ["unknown_format|file: packed with xz, which is not understood; unpack it, or use gzip or zstd"]
    );
}

#[tokio::test]
async fn an_import_is_unreadable_only_when_nothing_of_it_can_be_read() {
    let house = House::new().await;
    let noise = file(&house, "noise", &[0xff, 0xfe, b'\n'].repeat(5));
    let good = file(&house, "good", lines(0..2).as_bytes());
    let empty = file(&house, "empty", b"");
    assert!(run(&house, std::slice::from_ref(&noise)).await.unwrap().is_unreadable());
    assert!(run(&house, &[noise.clone(), empty.clone()]).await.unwrap().is_unreadable());
    assert!(!run(&house, &[noise.clone(), good.clone()]).await.unwrap().is_unreadable());
    // What is there already could be read once.
    assert!(!run(&house, &[noise, good]).await.unwrap().is_unreadable());
    assert!(!run(&house, &[empty]).await.unwrap().is_unreadable());
}

#[tokio::test]
async fn zero_bytes_between_lines_are_one_reject_with_their_length() {
    let house = House::new().await;
    let content = [b"\0\0\0", lines(0..1).as_bytes(), &[0; 5_000], lines(1..3).as_bytes()].concat();
    let summary = run(&house, &[file(&house, "rotated", &content)]).await.unwrap();
    assert_eq!((summary.rows, summary.rejects), (3, 2));
    let at = 3 + lines(0..1).len();
    assert_eq!(
        house.ask("SELECT reason, detail, size_bytes FROM rejects ORDER BY src_offset").await,
        [
            "malformed_json|3 zero bytes at byte 0|3".to_owned(),
            format!("malformed_json|5000 zero bytes at byte {at}|5000")
        ]
    );
}

#[tokio::test]
async fn the_same_content_adds_nothing_however_it_is_packed() {
    let house = House::new().await;
    let content = lines(0..3) + "{broken\n";
    let plain = file(&house, "plain", content.as_bytes());
    let packed = file(&house, "packed.gz", &gzip(content.as_bytes()));
    let again = file(&house, "again.zst", &zstd::encode_all(content.as_bytes(), 1).unwrap());
    let summary = run(&house, &[plain, packed.clone()]).await.unwrap();
    assert_eq!((summary.rows, summary.rejects), (3, 1));
    let summary = run(&house, &[packed, again]).await.unwrap();
    assert!(summary.files.iter().all(|file| file.status == FileStatus::AlreadyImported));
    assert_eq!(house.count("SELECT count(*) FROM rejects").await, 1);
    // What is cut off is another content, even where it gives the same bytes.
    let whole = gzip(content.as_bytes());
    let cut = file(&house, "cut.gz", &whole[..whole.len() - 3]);
    let summary = run(&house, &[cut]).await.unwrap();
    assert_eq!((summary.files[0].status, summary.duplicates), (FileStatus::Imported, 3));
}

#[tokio::test]
async fn packed_files_that_an_earlier_version_imported_are_known_by_their_own_bytes() {
    let house = House::new().await;
    let packed = gzip(lines(0..3).as_bytes());
    let mut ledger = Ledger::open(&house.warehouse).await.unwrap();
    let former = Wanted {
        hash: blake3::hash(&packed).to_hex().to_string(),
        file_name: "former.gz".to_owned(),
        format: "auto".to_owned(),
        size_bytes: packed.len() as u64,
        first_item: 0,
        items: 3,
    };
    ledger.claim(&[former], NOON_US).await.unwrap();
    // It was cut off, so it goes on in the range that it has.
    let summary = run(&house, &[file(&house, "packed.gz", &packed)]).await.unwrap();
    assert_eq!((summary.files[0].status, summary.rows), (FileStatus::Resumed, 3));
    assert_eq!(house.count("SELECT count(*) FROM imports").await, 1);
}

#[tokio::test]
async fn what_was_rejected_before_comes_in_when_the_file_is_read_again() {
    let house = House::new().await;
    let mixed = (0..12)
        .map(|n| if n % 4 == 3 { litellm_failure(n, 500, "openai") } else { native(&format!("r{n}")) })
        .map(|line| line + "\n")
        .collect::<String>();
    let one = file(&house, "one", mixed.as_bytes());
    let options = |again, format| Options { flush_rows: 5, again, format, ..Options::default() };
    let import = async |again, format| {
        let files = std::slice::from_ref(&one);
        import(&house.warehouse, house.tools.clone(), files, &options(again, format), &|_| {}).await.unwrap()
    };
    // A version that knew one format.
    let first = import(false, Format::Native).await;
    assert_eq!((first.rows, first.rejects), (9, 3));
    assert_eq!(import(false, Format::Auto).await.files[0].status, FileStatus::AlreadyImported);
    let again = import(true, Format::Auto).await;
    assert_eq!((again.rows, again.duplicates, again.rejects), (3, 9, 0));
    assert_eq!(again.files[0].status, FileStatus::ImportedAgain);
    assert_eq!(import(true, Format::Auto).await.duplicates, 12);
    assert_eq!(house.count("SELECT count(*) FROM attempts").await, 12);
    assert_eq!(house.count("SELECT count(DISTINCT event_id) FROM attempts").await, 12);
}

#[tokio::test]
async fn what_was_given_up_stays_so_when_the_clock_was_set_back() {
    let house = House::new().await;
    let mut ledger = Ledger::open(&house.warehouse).await.unwrap();
    let wanted = Wanted {
        hash: "h".to_owned(),
        file_name: "one".to_owned(),
        format: "auto".to_owned(),
        size_bytes: 7,
        first_item: 0,
        items: 5,
    };
    ledger.claim(&[wanted], 1_000).await.unwrap();
    let claim = ledger.claim_of("h").unwrap().clone();
    ledger.give_up(&claim, claim.start, 10).await.unwrap();
    let again = Ledger::open(&house.warehouse).await.unwrap();
    assert_eq!(again.claim_of("h").unwrap().given_up_at, Some(0));
}
