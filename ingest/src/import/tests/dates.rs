//! Comparing with dates that are too large to be held whole.

use super::{file, lines, run};
use crate::config::Bytes;
use crate::dedup::Dates;
use crate::import::{Options, import};
use crate::sink::Sink;
use crate::testing::{House, NOON_US, native};

const HOUR_US: i64 = 3_600_000_000;

/// Two events an hour over the day of noon.
fn a_day(ids: &str) -> String {
    (0..48)
        .map(|n| {
            let at = format!("2026-11-25T{:02}:{:02}:30Z", n / 2, n % 2 * 30);
            native(&format!("{ids}{n}")).replace("2026-11-25T11:00:00Z", &at) + "\n"
        })
        .collect()
}

#[tokio::test]
async fn a_large_date_is_read_in_parts_and_gives_the_same() {
    let house = House::new().await;
    run(&house, &[file(&house, "one", a_day("a").as_bytes())]).await.unwrap();
    let mut sink = Sink::open(&house.warehouse).await.unwrap();
    let stream = crate::batch::Stream::import();
    sink.position(&stream).await.unwrap();
    // 48 rows of 18 bytes; four parts are to fit, so one of half a day holds at most an eighth.
    for (max_bytes, parts_loaded) in [(48 * 18 * 4, 1), (48 * 18 * 4 - 1, 2), (48 * 18 / 3, 12), (0, 24)] {
        let mut dates = Dates::new(max_bytes);
        let mut read = 0;
        for hour in -12..12 {
            read += u32::from(dates.load(sink.attempts(), NOON_US + hour * HOUR_US).await.unwrap());
        }
        assert_eq!(read, parts_loaded, "{max_bytes}");
        assert!(!dates.load(sink.attempts(), NOON_US).await.unwrap());
        assert_eq!(dates.is_loaded(NOON_US + 90_000_000), max_bytes > 0, "{max_bytes}");
        dates.clear();
        assert!(!dates.is_loaded(NOON_US));
    }
    let content = a_day("b") + &a_day("a") + &lines(0..2) + &a_day("b");
    for (name, max_ids) in [("two", 700), ("three", 0)] {
        let options = Options { max_ids: Bytes(max_ids), flush_rows: 30, ..Options::default() };
        let content = content.replace("\"b", &format!("\"{name}-"));
        let files = [file(&house, name, content.as_bytes())];
        let summary = import(&house.warehouse, house.tools.clone(), &files, &options, &|_| {}).await.unwrap();
        let first = u64::from(name == "two") * 2;
        assert_eq!((summary.rows, summary.duplicates), (48 + first, 98 - first), "{name}");
    }
}
