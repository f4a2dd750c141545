//! What stands in the tables beside positions: how a topic was begun, and which partitions are held.
//!
//! * `start/<cluster>/<topic>/<incarnation>` = the number of partitions when the topic was begun. The same commit
//!   gave each of them its first T, so `start = "latest"` means one moment for the whole topic, whoever reads it
//!   and however often. A partition that comes later has no T and is read from its beginning.
//! * `held/<stream>` = the T at which the stream stopped for good, `held/<stream>/settings` = a fingerprint of the
//!   settings under which it did. It goes on when the settings change or the first is set to another value.

use bellwether_warehouse::{Advance, AppId, Change, CommitError, Table};
use serde_json::{Map, Value};

use super::{Sink, info};
use crate::batch::Stream;

/// Value of a hold that was lifted; no position.
const LIFTED: i64 = -1;
/// Each round lost means that another worker did a part of the same work.
const ROUNDS: u32 = 10;

#[derive(Debug, thiserror::Error)]
pub enum MarkError {
    #[error("failed to read the positions")]
    Read(#[source] Box<bellwether_warehouse::Error>),
    #[error("failed to write the marks")]
    Commit(#[source] Box<CommitError>),
}

/// Where the tables stand with one stream.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize)]
pub struct Standing {
    pub app: String,
    pub topic: String,
    pub partition: i32,
    /// Next offset of each table.
    pub attempts: i64,
    pub labels: Option<i64>,
    pub rejects: Option<i64>,
    /// Newest valid record time below the position of `attempts`, in milliseconds.
    pub newest_record_millis: Option<i64>,
    /// Stopped for good; `bellwether ingest resume` lets it go on.
    pub is_held: bool,
}

impl Sink {
    /// With how many partitions a topic was begun, as last read; None: not yet.
    pub fn begun_with(&self, start: &AppId) -> Option<i64> {
        self.attempts.snapshot().txn(start)
    }

    /// Another cluster with a topic of this stream's name and incarnation, as last read.
    pub fn other_cluster(&self, stream: &Stream) -> Option<String> {
        let known = self.attempts.snapshot().txns("ingest/");
        known.iter().find_map(|(app, _)| stream.shares_lineage_with(app)).map(str::to_owned)
    }

    /// Begins a topic of `count` partitions: gives each of those named here its first position, unless it has one,
    /// and marks the topic as begun, in one commit per table. When another worker began it first, its positions
    /// hold.
    ///
    /// # Errors
    /// A table cannot be read or written. What was done of it stays, and the next try goes on from there.
    pub async fn begin(
        &mut self,
        start: &AppId,
        count: i64,
        partitions: &[(Stream, i64)],
    ) -> Result<(), MarkError> {
        let mut round = 0;
        loop {
            self.refresh().await.map_err(|error| MarkError::Read(Box::new(error)))?;
            if self.begun_with(start).is_some() {
                return Ok(());
            }
            round += 1;
            match self.begin_once(start, count, partitions).await {
                Err(error) if error.is_refusal() && round < ROUNDS => {}
                result => return result.map_err(|error| MarkError::Commit(Box::new(error))),
            }
        }
    }

    async fn begin_once(
        &mut self,
        start: &AppId,
        count: i64,
        partitions: &[(Stream, i64)],
    ) -> Result<(), CommitError> {
        // `rejects` comes first: what stands there was decided by a worker that did not come to the end, or committed
        // by a flush that did not. No table may get ahead of it.
        let (rejects, cells) = (self.rejects.snapshot(), self.cells.snapshot());
        let count = rejects.txn(start).unwrap_or(count);
        let place_of = |app: &AppId, place: i64| {
            [rejects.txn(app), cells.txn(app)].into_iter().flatten().fold(place, i64::min)
        };
        let places: Vec<(AppId, i64)> = partitions
            .iter()
            .filter(|(stream, _)| i64::from(stream.partition()) < count)
            .map(|(stream, place)| (stream.app(), place_of(&stream.app(), *place)))
            .collect();
        for table in [&mut self.rejects, &mut self.cells, &mut self.attempts] {
            if table.snapshot().txn(start).is_some() {
                continue;
            }
            let mut advance = vec![Advance { app: start.clone(), from: None, to: count }];
            advance.extend(
                places
                    .iter()
                    .filter(|(app, _)| table.snapshot().txn(app).is_none())
                    .map(|(app, to)| Advance { app: app.clone(), from: None, to: *to }),
            );
            commit(table, advance, "start").await?;
        }
        Ok(())
    }

    /// Every log that is ingested continuously, as last read, sorted by name.
    pub fn standings(&self) -> Vec<Standing> {
        let attempts = self.attempts.snapshot();
        attempts
            .txns("ingest/")
            .into_iter()
            .filter_map(|(app, position)| {
                let mut parts = app.0.rsplitn(4, '/');
                let partition = parts.next()?.parse().ok()?;
                let _incarnation: u32 = parts.next()?.parse().ok()?;
                let topic = parts.next()?.to_owned();
                Some(Standing {
                    topic,
                    partition,
                    attempts: position,
                    labels: self.cells.snapshot().txn(&app),
                    rejects: self.rejects.snapshot().txn(&app),
                    newest_record_millis: attempts.txn(&AppId(format!("{app}/time"))),
                    is_held: attempts.txn(&held(&app.0)) == Some(position),
                    app: app.0,
                })
            })
            .collect()
    }

    /// Lifts the holds of a topic, or of one partition of it. Returns what goes on now.
    ///
    /// # Errors
    /// A table cannot be read or written.
    pub async fn resume(&mut self, topic: &str, partition: Option<i32>) -> Result<Vec<Standing>, MarkError> {
        self.refresh().await.map_err(|error| MarkError::Read(Box::new(error)))?;
        let mut held_back = self.standings();
        held_back.retain(|standing| {
            standing.is_held
                && standing.topic == topic
                && partition.is_none_or(|partition| partition == standing.partition)
        });
        if !held_back.is_empty() {
            let advance = held_back
                .iter()
                .map(|standing| Advance {
                    app: held(&standing.app),
                    from: Some(standing.attempts),
                    to: LIFTED,
                })
                .collect();
            commit(&mut self.attempts, advance, "resume")
                .await
                .map_err(|error| MarkError::Commit(Box::new(error)))?;
        }
        Ok(held_back)
    }
}

fn held(app: &str) -> AppId {
    AppId(format!("held/{app}"))
}

async fn commit(table: &mut Table, advance: Vec<Advance>, what: &str) -> Result<(), CommitError> {
    let mut info = Map::new();
    info.insert("decoder".to_owned(), info::DECODER.into());
    info.insert("bellwether".to_owned(), Value::from(what));
    table.commit(Change { advance, info, ..Change::default() }).await.map(|_| ())
}

#[cfg(test)]
mod tests {
    use bellwether_warehouse::{Advance, Change, TableId};

    use super::{Sink, Stream};
    use crate::batch::{Batch, Position};
    use crate::dedup::Window;
    use crate::reject::{Reason, Reject};
    use crate::sink::FlushReason;
    use crate::testing::House;

    fn stream(partition: i32) -> Stream {
        Stream::kafka("c", "t", 0, partition)
    }

    fn places(ends: &[i64]) -> Vec<(Stream, i64)> {
        (0..).zip(ends).map(|(partition, end)| (stream(partition), *end)).collect()
    }

    async fn begin(sink: &mut Sink, ends: &[i64]) {
        let start = stream(0).start_app();
        sink.begin(&start, i64::try_from(ends.len()).unwrap(), &places(ends)).await.unwrap();
    }

    async fn positions(house: &House, partitions: i32) -> Vec<[Option<i64>; 3]> {
        let mut sink = Sink::open(&house.warehouse).await.unwrap();
        sink.refresh().await.unwrap();
        (0..partitions)
            .map(|partition| sink.position_seen(&stream(partition)))
            .map(|position| [position.attempts, position.labels, position.rejects])
            .collect()
    }

    #[tokio::test]
    async fn a_topic_is_begun_once_and_the_first_worker_decides() {
        let house = House::new().await;
        let mut one = Sink::open(&house.warehouse).await.unwrap();
        let mut two = Sink::open(&house.warehouse).await.unwrap();
        begin(&mut one, &[5, 7]).await;
        // It saw later ends, and one partition more.
        begin(&mut two, &[50, 70, 90]).await;
        assert_eq!(positions(&house, 3).await, [[Some(5); 3], [Some(7); 3], [None; 3]]);
        assert_eq!(two.begun_with(&stream(0).start_app()), Some(2));
    }

    #[tokio::test]
    async fn a_topic_that_was_begun_in_one_table_only_is_begun_as_decided_there() {
        let house = House::new().await;
        let mut rejects = house.warehouse.table(TableId::Rejects).await.unwrap();
        let advance = [(stream(0).start_app(), 2), (stream(0).app(), 5), (stream(1).app(), 7)]
            .map(|(app, to)| Advance { app, from: None, to })
            .to_vec();
        rejects.commit(Change { advance, ..Change::default() }).await.unwrap();
        let mut sink = Sink::open(&house.warehouse).await.unwrap();
        begin(&mut sink, &[50, 70, 90]).await;
        assert_eq!(positions(&house, 3).await, [[Some(5); 3], [Some(7); 3], [None; 3]]);
    }

    #[tokio::test]
    async fn a_flush_that_did_not_come_to_the_end_is_read_again() {
        let house = House::new().await;
        for table in [TableId::Rejects, TableId::LabelCells] {
            let mut table = house.warehouse.table(table).await.unwrap();
            let advance = vec![Advance { app: stream(0).app(), from: None, to: 6 }];
            table.commit(Change { advance, ..Change::default() }).await.unwrap();
        }
        let mut sink = Sink::open(&house.warehouse).await.unwrap();
        begin(&mut sink, &[2]).await;
        assert_eq!(positions(&house, 1).await, [[Some(2), Some(6), Some(6)]]);
    }

    #[tokio::test]
    async fn positions_of_before_are_kept() {
        let house = House::new().await;
        let mut sink = Sink::open(&house.warehouse).await.unwrap();
        flush(&house, &mut sink, stream(0), 3, false).await;
        begin(&mut sink, &[50, 70]).await;
        assert_eq!(positions(&house, 2).await, [[Some(3); 3], [Some(70); 3]]);
    }

    /// Takes refused records up to `end`, and stops there where `holds`.
    async fn flush(house: &House, sink: &mut Sink, stream: Stream, end: i64, holds: bool) {
        let mut batch = Batch::new(house.tools.clone());
        let position = sink.position(&stream).await.unwrap();
        let slot = batch.assign(stream, position, position.attempts.unwrap_or(0), Window::new(1));
        batch.push_reject(slot, end - 1, 0, Reject::new(Reason::MalformedJson, "", "unknown", 1));
        if holds {
            batch.hold(slot, 11);
        }
        sink.flush(&mut batch, FlushReason::End).await.unwrap();
    }

    #[tokio::test]
    async fn a_hold_stands_until_it_is_lifted_and_can_come_again() {
        let house = House::new().await;
        let mut sink = Sink::open(&house.warehouse).await.unwrap();
        flush(&house, &mut sink, stream(0), 3, true).await;
        flush(&house, &mut sink, stream(1), 9, true).await;
        flush(&house, &mut sink, stream(2), 4, false).await;
        let held = |sink: &Sink| -> Vec<(i32, bool)> {
            sink.standings().iter().map(|standing| (standing.partition, standing.is_held)).collect()
        };
        assert_eq!(held(&sink), [(0, true), (1, true), (2, false)]);
        let position: Position = sink.position(&stream(1)).await.unwrap();
        assert_eq!(position.stopped_under(), Some(11));

        let resumed = sink.resume("t", Some(1)).await.unwrap();
        assert_eq!(resumed.iter().map(|standing| standing.partition).collect::<Vec<_>>(), [1]);
        assert_eq!(held(&sink), [(0, true), (1, false), (2, false)]);
        assert_eq!(sink.resume("other", None).await.unwrap(), []);
        assert_eq!(sink.resume("t", None).await.unwrap().len(), 1);
        assert_eq!(sink.resume("t", None).await.unwrap(), []);

        flush(&house, &mut sink, stream(1), 12, true).await;
        assert_eq!(sink.position(&stream(1)).await.unwrap().stopped_under(), Some(11));
        flush(&house, &mut sink, stream(1), 15, false).await;
        assert_eq!(sink.position(&stream(1)).await.unwrap().stopped_under(), None);
    }
}
