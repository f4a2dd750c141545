use super::{Batch, Encoding, Message, Position, Slot, Stream};
use crate::dedup::Window;
use crate::formats::Format;
use crate::sink::{FlushReason, Sink};
use crate::testing::{House, NOON_US, native};

const RAW: Encoding = Encoding::Raw(Format::Native);

fn push(batch: &mut Batch, slot: Slot, offset: i64, record: &str) -> super::Outcome {
    let message = Message { offset, appended_at_us: NOON_US, payload: record.as_bytes() };
    batch.push(slot, &message, RAW).unwrap()
}

fn stream(partition: i32) -> Stream {
    Stream::kafka("cluster", "topic", 0, partition)
}

#[tokio::test]
async fn ranges_follow_each_other_and_count_what_happened() {
    let house = House::new().await;
    let mut batch = Batch::new(house.tools.clone());
    let slot = batch.assign(stream(0), Position::default(), 10, Window::new(100));
    assert!(batch.is_empty());
    push(&mut batch, slot, 10, &native("a"));
    push(&mut batch, slot, 11, "{broken");
    push(&mut batch, slot, 14, &native("a"));
    let frozen = batch.freeze().unwrap();
    assert_eq!(frozen.ranges.len(), 1);
    let range = &frozen.ranges[0];
    assert_eq!((range.start, range.end), (10, 15));
    assert_eq!(
        (range.counts.rows, range.counts.rejects, range.counts.duplicates, range.counts.skipped),
        (1, 1, 1, 2)
    );
    assert_eq!(frozen.rows.as_ref().unwrap().num_rows(), 1);
    assert_eq!(frozen.rejects.as_ref().unwrap().num_rows(), 1);
    assert!(batch.freeze().is_none());
    push(&mut batch, slot, 15, &native("b"));
    let next = batch.freeze().unwrap().ranges.remove(0);
    assert_eq!((next.start, next.end, next.from.attempts), (15, 16, Some(15)));
}

#[tokio::test]
async fn rows_of_one_record_are_numbered_whichever_of_them_are_new() {
    let house = House::new().await;
    let (mut sink, mut batch) =
        (Sink::open(&house.warehouse).await.unwrap(), Batch::new(house.tools.clone()));
    let slot = batch.assign(stream(0), Position::default(), 0, Window::new(100));
    let attempt = |id: &str| format!(r#"{{"event_id":"{id}","model":"acme/one","http_status":200}}"#);
    let record = |ids: &[&str]| {
        let attempts = ids.iter().map(|id| attempt(id)).collect::<Vec<_>>().join(",");
        format!(r#"{{"request_id":"r","started_at":"2026-11-25T11:00:00Z","attempts":[{attempts}]}}"#)
    };
    push(&mut batch, slot, 0, &record(&["a", "b", "c"]));
    let again = push(&mut batch, slot, 1, &record(&["d", "b", "e"]));
    assert_eq!((again.rows, again.duplicates), (2, 1));
    push(&mut batch, slot, 2, "{broken");
    sink.flush(&mut batch, FlushReason::End).await.unwrap();
    let rows = house.ask("SELECT event_id, src_offset, src_index FROM attempts ORDER BY 1").await;
    assert_eq!(rows, ["a|0|0", "b|0|1", "c|0|2", "d|1|0", "e|1|2"]);
    assert_eq!(house.ask("SELECT src_offset, src_index FROM rejects").await, ["2|0"]);
}

#[tokio::test]
async fn offsets_that_were_taken_are_ignored() {
    let house = House::new().await;
    let mut batch = Batch::new(house.tools.clone());
    let slot = batch.assign(stream(0), Position::default(), 10, Window::new(100));
    push(&mut batch, slot, 9, &native("early"));
    push(&mut batch, slot, 10, &native("a"));
    push(&mut batch, slot, 10, &native("b"));
    assert_eq!(batch.freeze().unwrap().counts().rows, 1);
}

#[tokio::test]
async fn duplicates_are_judged_by_partition_so_that_batch_borders_do_not_matter() {
    let house = House::new().await;
    let mut batch = Batch::new(house.tools.clone());
    let one = batch.assign(stream(0), Position::default(), 0, Window::new(100));
    let two = batch.assign(stream(1), Position::default(), 0, Window::new(100));
    assert_eq!(push(&mut batch, one, 0, &native("a")).rows, 1);
    assert_eq!(push(&mut batch, two, 0, &native("a")).rows, 1);
    batch.freeze().unwrap();
    assert_eq!(push(&mut batch, one, 1, &native("a")).duplicates, 1);
}

#[tokio::test]
async fn tables_that_are_ahead_get_only_the_rest() {
    let house = House::new().await;
    let mut batch = Batch::new(house.tools.clone());
    let ahead = Position { attempts: Some(0), labels: Some(2), rejects: Some(3), ..Position::default() };
    let slot = batch.assign(stream(0), ahead, 0, Window::new(100));
    for offset in 0..4 {
        push(&mut batch, slot, offset, if offset % 2 == 0 { "{" } else { "[" });
    }
    let frozen = batch.freeze().unwrap();
    assert_eq!(frozen.rejects.as_ref().unwrap().num_rows(), 1);
    assert_eq!(frozen.rejects_again.as_ref().unwrap().num_rows(), 3);
    assert_eq!(frozen.counts().rejects, 4);
    assert_eq!((frozen.ranges[0].from, frozen.ranges[0].known_below()), (ahead, Some(3)));
}

#[tokio::test]
async fn a_stream_is_released_only_when_nothing_of_it_waits() {
    let house = House::new().await;
    let mut batch = Batch::new(house.tools.clone());
    let slot = batch.assign(stream(0), Position::default(), 0, Window::new(100));
    push(&mut batch, slot, 0, &native("a"));
    assert!(!batch.release(slot));
    batch.freeze().unwrap();
    assert!(batch.release(slot));
    assert_eq!(batch.next_offset(slot), None);
}

#[tokio::test]
async fn a_record_out_of_time_is_a_reject_with_its_size() {
    let house = House::new().await;
    let mut batch = Batch::new(house.tools.clone());
    let slot = batch.assign(stream(0), Position::default(), 0, Window::new(100));
    let record = native("old").replace("2026-11-25T11", "2016-11-25T11");
    let reject = push(&mut batch, slot, 0, &record).rejected.unwrap();
    assert_eq!((reject.reason.as_str(), reject.size_bytes), ("time_out_of_range", record.len() as u64));
}

#[tokio::test]
async fn flawed_values_are_counted_by_source() {
    let house = House::new().await;
    let mut batch = Batch::new(house.tools.clone());
    let slot = batch.assign(stream(0), Position::default(), 0, Window::new(100));
    let record = native("a")
        .replace("\"input_tokens\":100", "\"input_tokens\":2000000000")
        .replace("\"duration_ms\":900", "\"duration_ms\":-900")
        .replace("\"http_status\":200", "\"http_status\":200,\"outcome\":\"success\"");
    assert_eq!(push(&mut batch, slot, 0, &record).rows, 1);
    let counts = batch.freeze().unwrap().sources["native"];
    assert_eq!((counts.absurd, counts.diagnostics, counts.words), (1, 1, 1));
}

#[tokio::test]
async fn a_record_time_that_cannot_be_leaves_the_judgement_to_those_before_it() {
    let house = House::new().await;
    let mut batch = Batch::new(house.tools.clone());
    let known = Position { attempts: Some(0), time: Some(NOON_US / 1000), ..Position::default() };
    let slot = batch.assign(stream(0), known, 0, Window::new(100));
    let push = |batch: &mut Batch, offset, appended_at_us, record: &str| {
        let message = Message { offset, appended_at_us, payload: record.as_bytes() };
        batch.push(slot, &message, RAW).unwrap()
    };
    // Times of 0, in seconds instead of milliseconds, and of a host that is years ahead, which moves what is known by a
    // day: the stream may have been idle.
    for (offset, appended_at_us) in [(0, 0), (1, 1_795_608_000_000), (2, 4_000_000_000_000_000)] {
        assert_eq!(push(&mut batch, offset, appended_at_us, &native(&format!("r{offset}"))).rows, 1);
    }
    let late = native("late").replace("2026-11-25T11", "2026-11-27T13");
    let reject = push(&mut batch, 3, 0, &late).rejected.unwrap();
    assert_eq!(reject.reason.as_str(), "time_out_of_range");
    assert_eq!(push(&mut batch, 4, NOON_US + 25 * 3_600_000_000, &late).rows, 1);
    let range = batch.freeze().unwrap().ranges.remove(0);
    assert_eq!((range.from.time, range.time), (Some(NOON_US / 1000), Some(NOON_US / 1000 + 25 * 3_600_000)));
}

#[tokio::test]
async fn a_held_stream_says_so_in_the_range_behind_which_it_stops_and_nowhere_else() {
    let house = House::new().await;
    let mut batch = Batch::new(house.tools.clone());
    let slot = batch.assign(stream(0), Position::default(), 0, Window::new(100));
    push(&mut batch, slot, 0, "{");
    batch.hold(slot, 77);
    let range = batch.freeze().unwrap().ranges.remove(0);
    assert_eq!((range.end, range.hold, range.after().stopped_under()), (1, Some(77), Some(77)));
    push(&mut batch, slot, 1, "{");
    let range = batch.freeze().unwrap().ranges.remove(0);
    assert_eq!((range.from.held, range.hold, range.after().stopped_under()), (Some(1), None, None));
}

#[test]
fn streams_name_their_transaction_and_lineage() {
    let stream = Stream::kafka("abc", "requests", 2, 7);
    assert_eq!(stream.app().0, "ingest/abc/requests/2/7");
    assert_eq!(stream.lineage(), "requests@2");
    assert_eq!(stream.time_app().0, "ingest/abc/requests/2/7/time");
    assert_eq!(stream.held_app().0, "held/ingest/abc/requests/2/7");
    assert_eq!(stream.start_app().0, "start/abc/requests/2");
    assert_eq!(Stream::kafka("abc", "requests", 0, 7).lineage(), "requests");
    assert_eq!(Stream::import().app().0, "import/warehouse/files/0/0");
}

#[tokio::test]
async fn no_account_number_of_an_arn_reaches_a_log_or_a_table() {
    let house = House::new().await;
    let arn = "arn:aws:bedrock:us-east-1:123456789012:inference-profile/us.anthropic.claude-sonnet-4-5-v1:0";
    let record = native("a").replace("acme/one", arn);
    let mut event = crate::formats::decode(Format::Native, record.as_bytes()).unwrap();
    event.strip(&house.tools.identities, &house.tools.labeller);
    let mut appended = Vec::new();
    crate::formats::write_event(&event, &mut appended);
    let appended = String::from_utf8(appended).unwrap();
    assert!(appended.contains(":us-east-1:*:inference-profile/") && !appended.contains("123456789012"));
    let mut sink = crate::sink::Sink::open(&house.warehouse).await.unwrap();
    let mut batch = Batch::new(house.tools.clone());
    let slot = batch.assign(stream(0), Position::default(), 0, Window::new(100));
    push(&mut batch, slot, 0, &record);
    sink.flush(&mut batch, crate::sink::FlushReason::End).await.unwrap();
    let shown = arn.replace("123456789012", "*");
    let names = house.ask("SELECT requested_model, raw_model, model_id FROM attempts").await;
    assert_eq!(names, [format!("{shown}|{shown}|{shown}")]);
}

#[tokio::test]
async fn times_of_the_spool_are_judged_like_those_of_a_broker() {
    let house = House::new().await;
    let mut batch = Batch::new(house.tools.clone());
    let slot = batch.assign(Stream::spool(uuid::Uuid::nil()), Position::default(), 0, Window::new(100));
    let mut push = |offset, appended_at_us, record: &str| {
        let message = Message { offset, appended_at_us, payload: record.as_bytes() };
        batch.push(slot, &message, RAW).unwrap()
    };
    assert_eq!(push(0, NOON_US, &native("a")).rows, 1);
    // The clock of the host was ahead by three days: an event of tomorrow is still none, and the newest time follows
    // by a day.
    let ahead = NOON_US + 3 * 86_400_000_000;
    assert_eq!(push(1, ahead, &native("b")).rows, 1);
    let late = native("late").replace("2026-11-25T11", "2026-11-28T11");
    assert_eq!(push(2, NOON_US, &late).rejected.unwrap().reason.as_str(), "time_out_of_range");
    let range = batch.freeze().unwrap().ranges.remove(0);
    assert_eq!(range.time, Some(NOON_US / 1000 + 86_400_000));
}
