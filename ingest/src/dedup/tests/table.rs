//! Windows read back from a planted table: which files are opened for them, and that nothing is missing.

use bellwether_warehouse::streams::StreamNames;
use bellwether_warehouse::tables::attempts::AttemptRow;
use bellwether_warehouse::testing::{DAY_US, NOON_US, attempt, batch};
use bellwether_warehouse::{Change, Table, TableId};

use super::held;
use crate::batch::Stream;
use crate::dedup::{Fingerprint, RebuildError};
use crate::sink::Sink;
use crate::testing::House;

/// Flushes, each with four offsets of every partition.
const FLUSHES: i64 = 20;
/// Offsets of partition 1, which shares its files with partition 0, are that much higher.
const AHEAD: i64 = 1000;

fn stream(partition: i32) -> Stream {
    Stream::kafka("c", "t", 0, partition)
}

fn id(partition: i32, offset: i64) -> String {
    format!("e{partition}-{offset}")
}

struct Planted {
    house: House,
    /// Partition of a file's first row, its flush, and where it lies.
    files: Vec<(i32, i64, String)>,
}

impl Planted {
    /// Partitions 0 and 1 share a file each flush, partition 2 has one of its own. One row is two days late.
    async fn new(is_tagged: impl Fn(i64) -> bool) -> Self {
        let house = House::new().await;
        let mut table = house.warehouse.table(TableId::Attempts).await.unwrap();
        let mut names = StreamNames::default();
        for partition in 0..3 {
            names.insert("t", partition, stream(partition).to_string());
        }
        let mut files = Vec::new();
        for flush in 0..FLUSHES {
            for (shared, own) in [(0, &[0, 1][..]), (2, &[2])] {
                let names = if is_tagged(flush) { names.clone() } else { StreamNames::default() };
                let paths = write(&mut table, own, flush, names).await;
                files.extend(paths.into_iter().map(|path| (shared, flush, path)));
            }
        }
        Self { house, files }
    }

    /// Deletes every file but those of the flushes that `keeps` tells for a partition.
    fn delete_but(&self, keeps: impl Fn(i32, i64) -> bool) {
        for (_, _, path) in self.files.iter().filter(|(partition, flush, _)| !keeps(*partition, *flush)) {
            std::fs::remove_file(self.house.dir.path().join("warehouse/attempts").join(path)).unwrap();
        }
    }

    async fn window(&self, partition: i32, limit: usize) -> Result<Vec<u64>, RebuildError> {
        let sink = Sink::open(&self.house.warehouse).await.unwrap();
        let window = sink.window(&stream(partition), i64::MAX, limit).await?;
        Ok(held(&window))
    }
}

async fn write(table: &mut Table, partitions: &[i32], flush: i64, names: StreamNames) -> Vec<String> {
    let offsets = || partitions.iter().flat_map(|p| (4 * flush..4 * flush + 4).map(|offset| (*p, offset)));
    let ids: Vec<String> = offsets().map(|(partition, offset)| id(partition, offset)).collect();
    let rows: Vec<AttemptRow<'_>> = offsets()
        .zip(&ids)
        .map(|((partition, offset), id)| AttemptRow {
            src_topic: "t",
            src_partition: partition,
            src_offset: if partition == 1 { offset + AHEAD } else { offset },
            started_at: if (partition, offset) == (0, 75) { NOON_US - 2 * DAY_US } else { NOON_US },
            ..attempt(id)
        })
        .collect();
    let mut staging = table.stage_of_streams(&[batch(&rows)], names).await.unwrap();
    staging.store().await.unwrap();
    let add = staging.files();
    let paths = add.iter().map(|file| file.path.clone()).collect();
    table.commit(Change { add, ..Change::default() }).await.unwrap();
    paths
}

/// Ids of the newest ten offsets of a partition.
fn newest_ten(partition: i32) -> Vec<u64> {
    (70..80).map(|offset| Fingerprint::of(&id(partition, offset)).0).collect()
}

async fn assert_like_a_full_read(planted: &Planted) {
    for partition in 0..3 {
        let all = planted.window(partition, 1000).await.unwrap();
        assert_eq!(all.len(), 80, "{partition}");
        assert_eq!(all[70..], newest_ten(partition), "{partition}");
        assert_eq!(planted.window(partition, 10).await.unwrap(), newest_ten(partition), "{partition}");
    }
}

#[tokio::test]
async fn of_tagged_files_only_those_with_the_newest_offsets_of_the_log_are_opened() {
    let planted = Planted::new(|_| true).await;
    assert_like_a_full_read(&planted).await;
    // Twelve offsets, of which the limit takes ten.
    planted.delete_but(|partition, flush| partition == 0 && flush >= 17);
    assert_eq!(planted.window(0, 10).await.unwrap(), newest_ten(0));
    assert_eq!(planted.window(1, 10).await.unwrap(), newest_ten(1));
    planted.window(2, 10).await.unwrap_err();
    planted.window(0, 12).await.unwrap_err();
}

#[tokio::test]
async fn files_without_tags_are_opened_as_far_as_their_statistics_reach() {
    let planted = Planted::new(|_| false).await;
    assert_like_a_full_read(&planted).await;
    // Partition 2 has files of its own; of those that 0 and 1 share, the highest offset is that of 1.
    planted.delete_but(|partition, flush| partition == 0 || flush >= 17);
    assert_eq!(planted.window(2, 10).await.unwrap(), newest_ten(2));
    assert_eq!(planted.window(0, 10).await.unwrap(), newest_ten(0));
}

#[tokio::test]
async fn files_of_before_the_tags_stand_beside_those_of_after() {
    let planted = Planted::new(|flush| flush >= 10).await;
    assert_like_a_full_read(&planted).await;
    planted.delete_but(|partition, flush| partition == 0 && !(10..17).contains(&flush));
    assert_eq!(planted.window(0, 10).await.unwrap(), newest_ten(0));
}
