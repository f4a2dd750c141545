//! Files in every form, twice, cut off, damaged.

mod dates;
mod packing;

use std::io::Write;
use std::path::PathBuf;

use super::{FileStatus, ImportError, Options, Summary, import};
use crate::batch::{Batch, Encoding, Message, Position, Stream};
use crate::catalogue::{Catalogue, Current};
use crate::dedup::Window;
use crate::formats::Format;
use crate::sink::{FlushReason, Sink};
use crate::testing::{FORMER_FAILURE, House, NOON_US, attempts_of_one_call, native};

async fn run(house: &House, files: &[PathBuf]) -> Result<Summary, ImportError> {
    let options = Options { flush_rows: 10, ..Options::default() };
    import(&house.warehouse, house.tools.clone(), files, &options, &|_| {}).await
}

fn file(house: &House, name: &str, content: &[u8]) -> PathBuf {
    let path = house.dir.path().join(name);
    std::fs::write(&path, content).unwrap();
    path
}

fn lines(names: impl IntoIterator<Item = u32>) -> String {
    names.into_iter().map(|n| native(&format!("r{n}")) + "\n").collect()
}

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::default());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

#[tokio::test]
async fn plain_gzip_and_zstd_files_go_in_whatever_they_are_called() {
    let house = House::new().await;
    let array = format!("[{}]", (20..25).map(|n| native(&format!("r{n}"))).collect::<Vec<_>>().join(","));
    let files = [
        file(&house, "one.txt", lines(0..10).as_bytes()),
        file(&house, "two", &gzip(lines(10..20).as_bytes())),
        file(&house, "three.json", &zstd::encode_all(array.as_bytes(), 1).unwrap()),
    ];
    let summary = run(&house, &files).await.unwrap();
    assert_eq!((summary.records, summary.rows, summary.rejects, summary.duplicates), (25, 25, 0, 0));
    assert!(summary.files.iter().all(|file| file.status == FileStatus::Imported));
    assert_eq!(house.count("SELECT count(DISTINCT event_id) FROM attempts").await, 25);
    let claims = house.ask("SELECT file_name, start_offset, end_offset FROM imports ORDER BY 2").await;
    assert_eq!(claims, ["one.txt|0|10", "two|10|20", "three.json|20|25"]);
}

#[tokio::test]
async fn the_same_content_adds_nothing_a_second_time() {
    let house = House::new().await;
    let one = file(&house, "one", lines(0..10).as_bytes());
    run(&house, std::slice::from_ref(&one)).await.unwrap();
    let renamed = file(&house, "renamed", lines(0..10).as_bytes());
    let summary = run(&house, &[one, renamed]).await.unwrap();
    assert_eq!(summary.rows, 0);
    assert!(summary.files.iter().all(|file| file.status == FileStatus::AlreadyImported));
    assert_eq!(house.count("SELECT count(*) FROM attempts").await, 10);
    assert_eq!(house.count("SELECT count(*) FROM imports").await, 1);
}

#[tokio::test]
async fn events_that_are_there_already_are_dropped_and_counted() {
    let house = House::new().await;
    let one = file(&house, "one", lines(0..10).as_bytes());
    run(&house, &[one]).await.unwrap();
    let overlapping = file(&house, "two", lines(5..15).as_bytes());
    let repeated = file(&house, "three", (lines(13..16) + &lines(13..16)).as_bytes());
    let summary = run(&house, &[overlapping, repeated]).await.unwrap();
    assert_eq!((summary.rows, summary.duplicates), (6, 5 + 2 + 3));
    assert_eq!(house.count("SELECT count(*) FROM attempts").await, 16);
}

#[tokio::test]
async fn a_run_that_was_cut_off_goes_on_where_it_was() {
    let house = House::new().await;
    let content = lines(0..35).replacen("r12\"", "r12\\", 1);
    let one = file(&house, "one", content.as_bytes());
    let two = file(&house, "two", lines(100..105).as_bytes());
    fail::cfg("sink-after-label-cells", "return(a_run_that_was_cut_off files/0/0@10)").unwrap();
    let result = run(&house, &[one.clone(), two.clone()]).await;
    fail::remove("sink-after-label-cells");
    assert!(matches!(result, Err(ImportError::Flush(_))), "{result:?}");
    let half = house.count("SELECT count(*) FROM attempts").await;
    assert!((1..35).contains(&half), "{half}");
    let summary = run(&house, &[two, one]).await.unwrap();
    assert_eq!(summary.files[1].status, FileStatus::Resumed);
    all_of_one_and_two(&house).await;
}

async fn all_of_one_and_two(house: &House) {
    assert_eq!(house.count("SELECT count(*) FROM attempts").await, 39);
    assert_eq!(house.count("SELECT count(DISTINCT event_id) FROM attempts").await, 39);
    assert_eq!(house.ask("SELECT src_topic, reason FROM rejects").await, ["import|malformed_json"]);
    assert_eq!(house.count("SELECT sum(n) FROM label_cells").await, 39);
}

#[tokio::test]
async fn a_file_that_was_cut_off_and_left_goes_on_when_it_comes_again() {
    let house = House::new().await;
    let content = lines(0..35).replacen("r22\"", "r22\\", 1);
    let one = file(&house, "one", content.as_bytes());
    let two = file(&house, "two", lines(100..105).as_bytes());
    fail::cfg("sink-after-rejects", "return(cut_off_and_left files/0/0@10)").unwrap();
    let result = run(&house, std::slice::from_ref(&one)).await;
    fail::remove("sink-after-rejects");
    assert!(matches!(result, Err(ImportError::Flush(_))), "{result:?}");
    let summary = run(&house, std::slice::from_ref(&two)).await.unwrap();
    assert_eq!((summary.rows, summary.unfinished), (5, vec!["one".to_owned()]));
    let summary = run(&house, &[two, one.clone()]).await.unwrap();
    assert_eq!(summary.files[0].status, FileStatus::AlreadyImported);
    assert_eq!(summary.files[1].records, 25, "the first flush had taken ten");
    all_of_one_and_two(&house).await;
    assert_eq!(run(&house, &[one]).await.unwrap().files[0].status, FileStatus::AlreadyImported);
}

#[tokio::test]
async fn what_is_appended_to_a_file_while_it_is_read_is_left_for_the_next_time() {
    let house = House::new().await;
    let one = file(&house, "one", lines(0..10).as_bytes());
    let grown = std::sync::atomic::AtomicBool::new(false);
    let options = Options::default();
    let grow = |progress: super::Progress<'_>| {
        // Between the two readings.
        if progress.bytes > 0 && !grown.swap(true, std::sync::atomic::Ordering::Relaxed) {
            let mut file = std::fs::File::options().append(true).open(progress.file).unwrap();
            file.write_all(lines(10..12).as_bytes()).unwrap();
        }
    };
    let files = std::slice::from_ref(&one);
    let summary = import(&house.warehouse, house.tools.clone(), files, &options, &grow).await.unwrap();
    assert_eq!(summary.rows, 10);
    let summary = run(&house, &[one]).await.unwrap();
    assert_eq!((summary.rows, summary.duplicates), (2, 10));
}

#[tokio::test]
async fn a_second_import_at_the_same_time_is_refused() {
    let house = House::new().await;
    let _lock = super::lock::Lock::take(&house.warehouse).unwrap();
    let one = file(&house, "one", lines(0..1).as_bytes());
    assert!(matches!(run(&house, &[one]).await, Err(ImportError::Busy)));
}

#[tokio::test]
async fn a_damaged_gzip_gives_what_comes_before_the_damage_and_one_reject() {
    let house = House::new().await;
    let whole = gzip(lines(0..400).as_bytes());
    let cut = file(&house, "cut.gz", &whole[..whole.len() - 30]);
    let summary = run(&house, std::slice::from_ref(&cut)).await.unwrap();
    assert!(summary.rows > 100 && summary.rows < 400, "{}", summary.rows);
    assert_eq!(summary.reasons.into_iter().collect::<Vec<_>>(), [("truncated", 1)]);
    assert_eq!(house.count("SELECT count(*) FROM rejects").await, 1);
    assert_eq!(run(&house, &[cut]).await.unwrap().files[0].status, FileStatus::AlreadyImported);
}

#[tokio::test]
async fn names_that_the_catalogue_does_not_know_are_counted() {
    let house = House::new().await;
    let content = lines(0..3) + &native("x").replace("acme/one", "acme/two");
    let summary = run(&house, &[file(&house, "one", content.as_bytes())]).await.unwrap();
    let told: Vec<(Option<&str>, u64)> =
        summary.unmapped.iter().map(|name| (name.model.as_deref(), name.count)).collect();
    assert_eq!(told, [(Some("acme/one"), 3), (Some("acme/two"), 1)]);
}

#[tokio::test]
async fn a_variant_of_a_model_that_the_catalogue_knows_is_no_unmapped_name() {
    let mut house = House::new().await;
    let names = r#"
        authors = [{ slug = "acme", name = "Acme" }]
        providers = [{ id = "north", name = "North" }]
        models = [{ id = "acme/one", name = "One" }]
    "#;
    house.tools.catalogue = Current::new(Catalogue::from_toml(names).unwrap());
    let content = native("a").replace("acme/one", "acme/one:free");
    let summary = run(&house, &[file(&house, "one", content.as_bytes())]).await.unwrap();
    assert_eq!((summary.rows, summary.unmapped_names), (1, 0));
    assert_eq!(
        house.count("SELECT count(*) FROM attempts WHERE model_id = 'acme/one' AND variant = 'free'").await,
        1
    );
}

#[tokio::test]
async fn rows_that_the_list_prices_and_logged_prices_far_from_it_are_told_once_each() {
    let mut house = House::new().await;
    let names = r#"
        authors = [{ slug = "acme", name = "Acme" }]
        providers = [{ id = "north", name = "North" }, { id = "south", name = "South" }]
        models = [{ id = "acme/one", name = "One" }]
        prices = [{ model = "acme/one", input = "1", output = "10" }]
    "#;
    house.tools.catalogue = Current::new(Catalogue::from_toml(names).unwrap());
    // 100 × 1 and 20 × 10 are 0.0003 USD by the list.
    let logged = |id: &str, usd: &str| {
        native(id).replace("\"input_tokens\":100", &format!("\"input_tokens\":100,\"cost_usd\":{usd}")) + "\n"
    };
    // More than a flush takes, so that the counts are those of several.
    let content = lines(0..25)
        + &lines(3..5)
        + &logged("a", "0.0003")
        + &logged("b", "0.00036")
        + &logged("c", "0.000361")
        + &logged("d", "0.00361").replace("north", "south")
        + &logged("d", "0.00361").replace("north", "south")
        + &logged("e", "0.0001").replace("north", "nobody");
    let summary = run(&house, &[file(&house, "one", content.as_bytes())]).await.unwrap();
    assert_eq!((summary.rows, summary.duplicates, summary.priced_by_list), (30, 3, 25));
    let told: Vec<(&str, u64)> =
        summary.price_mismatches.iter().map(|(provider, rows)| (provider.as_str(), *rows)).collect();
    assert_eq!(told, [("north", 1), ("south", 1)]);
    let by_list = "SELECT count(*) FROM attempts WHERE price_source LIKE 'catalogue:%' AND cost_usd = 0.0003 \
                   AND input_cost_usd = 0.0001 AND output_cost_usd = 0.0002";
    assert_eq!(house.count(by_list).await, 25);
    assert_eq!(house.count("SELECT count(*) FROM attempts WHERE price_source = 'logged'").await, 5);
}

#[tokio::test]
async fn no_file_and_a_folder_are_named() {
    let house = House::new().await;
    let missing = house.dir.path().join("missing");
    assert!(matches!(run(&house, &[missing]).await, Err(ImportError::Read { .. })));
    let folder = house.dir.path().to_owned();
    assert!(matches!(run(&house, &[folder]).await, Err(ImportError::NotAFile { .. })));
}

#[tokio::test]
async fn an_empty_file_is_imported_and_adds_nothing() {
    let house = House::new().await;
    let summary = run(&house, &[file(&house, "empty", b"")]).await.unwrap();
    assert_eq!((summary.records, summary.files.len()), (0, 1));
}

#[tokio::test]
async fn a_gzip_with_something_behind_it_keeps_its_last_record() {
    let house = House::new().await;
    let whole = |n: u32| gzip(lines(n..n + 2).trim_end().as_bytes());
    let padded = file(&house, "padded.gz", &[&whole(0)[..], &[0; 700], &whole(2), &[0; 300_000]].concat());
    let summary = run(&house, &[padded]).await.unwrap();
    // Without a line end the second member goes on behind the first.
    assert_eq!((summary.rows, summary.rejects), (4, 0));
    for (n, garbage) in [(10, &b"garbage"[..]), (20, b"\x1f\x8bgarbage"), (30, b"\0\0\x1f")] {
        let name = format!("garbage{n}.gz");
        let garbage = file(&house, &name, &[&whole(n)[..], garbage].concat());
        let summary = run(&house, &[garbage]).await.unwrap();
        assert_eq!((summary.records, summary.rows), (3, 2), "{name}");
        assert_eq!(summary.reasons.into_iter().collect::<Vec<_>>(), [("truncated", 1)]);
    }
    // A record that is not complete is part of the damage.
    let half = gzip(&lines(40..42).as_bytes()[..600]);
    let half = file(&house, "half.gz", &[&half[..], b"garbage"].concat());
    let summary = run(&house, &[half]).await.unwrap();
    assert_eq!((summary.rows, summary.rejects), (1, 1));
}

#[tokio::test]
async fn a_file_of_which_every_record_was_rejected_can_come_again() {
    let house = House::new().await;
    let one = file(&house, "one", lines(0..15).as_bytes());
    let two = file(&house, "two", lines(20..22).as_bytes());
    let files = [one, two];
    let wrong = Options { flush_rows: 10, format: Format::LiteLlm, ..Options::default() };
    for status in [FileStatus::Imported, FileStatus::ImportedAgain] {
        let summary = import(&house.warehouse, house.tools.clone(), &files, &wrong, &|_| {}).await.unwrap();
        assert_eq!((summary.rows, summary.rejects), (0, 17));
        assert!(summary.files.iter().all(|file| file.status == status));
    }
    let summary = run(&house, &files).await.unwrap();
    assert_eq!((summary.rows, summary.rejects), (17, 0));
    assert!(summary.files.iter().all(|file| file.status == FileStatus::ImportedAgain));
    let summary = run(&house, &files).await.unwrap();
    assert!(summary.files.iter().all(|file| file.status == FileStatus::AlreadyImported));
    let summary = import(&house.warehouse, house.tools.clone(), &files, &wrong, &|_| {}).await.unwrap();
    assert!(summary.files.iter().all(|file| file.status == FileStatus::AlreadyImported));
    assert_eq!(house.count("SELECT count(*) FROM attempts").await, 17);
}

#[tokio::test]
async fn an_event_of_two_dates_is_compared_with_both_when_ids_do_not_fit() {
    let house = House::new().await;
    let event = |id: &str| {
        let attempt = |at: &str| format!(r#"{{"model":"m","started_at":"{at}","http_status":200}}"#);
        let attempts = [
            attempt("2026-11-23T23:59:58Z"),
            attempt("2026-11-24T00:00:01Z"),
            attempt("2026-11-22T00:00:00Z"),
        ];
        let attempts = attempts.join(",");
        format!(r#"{{"request_id":"{id}","started_at":"2026-11-23T23:59:58Z","attempts":[{attempts}]}}"#)
            + "\n"
    };
    let options = Options { max_ids: crate::config::Bytes(0), ..Options::default() };
    let one = file(&house, "one", event("a").as_bytes());
    let two = file(&house, "two", (event("b") + &event("a") + &event("b")).as_bytes());
    let mut added = Vec::new();
    for path in [one, two] {
        let summary =
            import(&house.warehouse, house.tools.clone(), &[path], &options, &|_| {}).await.unwrap();
        added.push((summary.rows, summary.duplicates, summary.rejects));
    }
    assert_eq!(added, [(3, 0, 0), (3, 6, 0)]);
}

#[tokio::test]
async fn a_call_that_an_earlier_version_read_without_its_start_is_not_imported_again() {
    for (record, is_new) in attempts_of_one_call() {
        let house = House::new().await;
        let mut sink = Sink::open(&house.warehouse).await.unwrap();
        let mut batch = Batch::new(house.tools.clone());
        let slot = batch.assign(Stream::kafka("c", "t", 0, 0), Position::default(), 0, Window::new(10));
        let former = Message { offset: 0, appended_at_us: NOON_US, payload: FORMER_FAILURE.as_bytes() };
        batch.push(slot, &former, Encoding::Appended).unwrap();
        sink.flush(&mut batch, FlushReason::End).await.unwrap();
        let summary = run(&house, &[file(&house, "one", record.as_bytes())]).await.unwrap();
        assert_eq!((summary.rows, summary.rejects), (u64::from(is_new), 0), "{record}");
    }
}
