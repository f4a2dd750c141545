use arrow::array::RecordBatch;
use bellwether_warehouse::tables::attempts::AttemptRow;
use bellwether_warehouse::testing::{DAY_US, NOON_US, attempt};
use bellwether_warehouse::{Advance, Change, TableId, snapshot};

use crate::Settling;
use crate::replace::Replacement;
use crate::statement::Rows;
use crate::testing::{Fixture, at};

const NOW: &str = "2026-11-25T13:00:00Z";

/// `commits` folds of a row each, `days` before today.
async fn fold_often(f: &mut Fixture, commits: usize, days: i64) {
    for commit in 0..commits {
        let model = ["acme/one", "acme/two"][commit % 2];
        f.append(&[AttemptRow {
            started_at: NOON_US - days * DAY_US,
            model_id: Some(model),
            user_key: Some(commit as i64),
            ..attempt("e")
        }])
        .await;
        f.jobs.fold(at(NOW)).await.unwrap();
    }
}

async fn files(f: &Fixture, table: TableId) -> Vec<String> {
    let snapshot = f.snapshot(table).await;
    snapshot.files().iter().map(|file| file.partition[0].1.clone().unwrap()).collect()
}

#[tokio::test]
async fn a_past_date_becomes_one_file_of_one_row_a_key() {
    let mut f = Fixture::new().await;
    fold_often(&mut f, 5, 1).await;
    fold_often(&mut f, 3, 0).await;
    let report = f.jobs.settle(Settling::Closed, at(NOW)).await.unwrap();
    // Nine tables of a day and less are made of attempts; the one by user has five keys. Week and month still run.
    assert_eq!((report.dates, report.files_before, report.files_after, report.rows), (9, 45, 9, 21));
    for table in [TableId::UsageHourly, TableId::UsageDaily, TableId::Health5m, TableId::HealthDaily] {
        assert_eq!(files(&f, table).await, ["2026-11-24", "2026-11-25", "2026-11-25", "2026-11-25"]);
    }
    assert_eq!(
        f.query("SELECT model_id, requests, hll_estimate(users) FROM usage_daily WHERE date = '2026-11-24'")
            .await,
        ["acme/one 3 3", "acme/two 2 2"]
    );
    assert_eq!(
        f.query(
            "SELECT model_id, attempts, ddsketch_count(ttft_ms) FROM health_5m WHERE date = '2026-11-24'"
        )
        .await,
        ["acme/one 3 3", "acme/two 2 2"]
    );
    // The rows changed, as Delta sees it, and the commit says who did it.
    let table = f.warehouse.table(TableId::UsageDaily).await.unwrap();
    let version = table.snapshot().version();
    let commit = table.commits(version - 1, version).await.unwrap().remove(0);
    assert_eq!((commit.added.len(), commit.info["bellwether"].as_str()), (1, Some("settle")));
    // There is nothing left to do, and F stands where it stood.
    assert_eq!(f.jobs.settle(Settling::Closed, at(NOW)).await.unwrap(), Default::default());
    assert_eq!(f.snapshot(TableId::UsageDaily).await.folded(), Some(8));
    assert_eq!(f.jobs.fold(at(NOW)).await.unwrap().attempts, 0);
}

#[tokio::test]
async fn an_open_date_is_merged_only_when_it_is_crowded() {
    let mut f = Fixture::new().await;
    fold_often(&mut f, 32, 0).await;
    for settling in [Settling::Crowded, Settling::Closed] {
        assert_eq!(f.jobs.settle(settling, at(NOW)).await.unwrap().dates, 0);
    }
    fold_often(&mut f, 1, 0).await;
    let report = f.jobs.settle(Settling::Crowded, at(NOW)).await.unwrap();
    assert_eq!((report.dates, report.files_before, report.files_after), (11, 363, 11));
    assert_eq!(f.query("SELECT sum(requests), count(*) FROM usage_hourly").await, ["33 2"]);
}

#[tokio::test]
async fn a_past_date_with_few_files_waits_for_the_settling_of_closed_dates() {
    let mut f = Fixture::new().await;
    fold_often(&mut f, 2, 1).await;
    assert_eq!(f.jobs.settle(Settling::Crowded, at(NOW)).await.unwrap().dates, 0);
    assert_eq!(f.jobs.settle(Settling::Closed, at(NOW)).await.unwrap().dates, 9);
}

#[tokio::test]
async fn tables_that_fail_hold_up_no_other_and_are_all_told() {
    let mut f = Fixture::new().await;
    fold_often(&mut f, 2, 3).await;
    fold_often(&mut f, 2, 1).await;
    let put_back = f.hide(TableId::UsageHourly, "2026-11-22").await;
    let mend = f.damage_log(TableId::UsageDaily).await;
    let error = f.jobs.settle(Settling::Closed, at(NOW)).await.unwrap_err();
    assert!(!error.is_fenced());
    let text = error.to_string();
    assert!(
        text.contains("`rows of usage_hourly`") && text.contains("the log of table `usage_daily`"),
        "{text}"
    );
    mend();
    for table in [TableId::Health5m, TableId::HealthHourly, TableId::HealthDaily] {
        assert_eq!(files(&f, table).await, ["2026-11-22", "2026-11-24"], "{}", table.name());
    }
    assert_eq!(files(&f, TableId::UsageDaily).await.len(), 4);
    put_back();
    let report = f.jobs.settle(Settling::Closed, at(NOW)).await.unwrap();
    assert_eq!((report.dates, report.files_before), (4, 8));
}

#[tokio::test]
async fn merging_changes_no_answer() {
    let mut f = Fixture::new().await;
    fold_often(&mut f, 7, 2).await;
    fold_often(&mut f, 4, 1).await;
    let sql = "SELECT u.date, u.model_id, u.requests, h.p50
        FROM (SELECT date, model_id, sum(requests) AS requests FROM usage_daily GROUP BY 1, 2) AS u
        JOIN (SELECT date, model_id, ddsketch_quantile(ddsketch_merge(duration_ms), 0.5) AS p50
              FROM health_hourly GROUP BY 1, 2) AS h USING (date, model_id)
        ORDER BY 1, 2";
    let before = f.query(sql).await;
    f.jobs.settle(Settling::Closed, at(NOW)).await.unwrap();
    assert_eq!(f.query(sql).await, before);
    assert_eq!(before.len(), 4);
}

#[tokio::test]
async fn a_replacement_leaves_what_a_fold_added_meanwhile_and_is_fenced_by_another_replacement() {
    let mut f = Fixture::new().await;
    fold_often(&mut f, 1, 1).await;
    let mut stale = f.warehouse.table(TableId::UsageDaily).await.unwrap();
    let mut later = f.warehouse.table(TableId::UsageDaily).await.unwrap();
    let remove = stale.snapshot().files().to_vec();
    fold_often(&mut f, 1, 1).await;
    let schema = TableId::UsageDaily.schema();
    let rows = Rows { schema: schema.clone(), batches: vec![RecordBatch::new_empty(schema)] };
    let replacement = || Replacement {
        job: "settle",
        advance: Vec::new(),
        remove: remove.clone(),
        rows: &rows,
        remapped: Default::default(),
    };
    assert_eq!(f.query("SELECT sum(requests) FROM usage_daily").await, ["2"]);
    replacement().commit(&mut stale).await.unwrap();
    assert_eq!(f.query("SELECT sum(requests) FROM usage_daily").await, ["1"]);
    assert!(replacement().commit(&mut later).await.unwrap_err().is_fenced());
}

#[tokio::test]
async fn a_table_that_was_never_folded_is_left_alone() {
    let mut f = Fixture::new().await;
    let mut table = f.warehouse.table(TableId::UsageDaily).await.unwrap();
    table
        .commit(Change {
            advance: vec![Advance {
                app: bellwether_warehouse::AppId("other".to_owned()),
                from: None,
                to: 1,
            }],
            ..Change::default()
        })
        .await
        .unwrap();
    assert_eq!(f.jobs.settle(Settling::Closed, at(NOW)).await.unwrap(), Default::default());
}

/// Writes what a date holds once more, as it was before the unserved part of spend was counted.
async fn make_old(f: &Fixture, table: TableId) {
    let mut table = f.warehouse.table(table).await.unwrap();
    let ctx = f.warehouse.session(2);
    snapshot::register(&ctx, &[table.snapshot().clone()]).unwrap();
    let sql = format!("SELECT * EXCEPT (unserved_cost_usd) FROM {}", table.id().name());
    let rows = ctx.sql(&sql).await.unwrap().collect().await.unwrap();
    let add = table.write(&rows).await.unwrap();
    let remove = table.snapshot().files().iter().map(|file| file.path.clone()).collect();
    table.commit(Change { add, remove, ..Change::default() }).await.unwrap();
}

#[tokio::test]
async fn what_is_merged_with_a_row_that_does_not_know_a_measure_does_not_know_it_either() {
    let mut f = Fixture::new().await;
    let charged = |id, days: i64, model| AttemptRow {
        started_at: NOON_US - days * DAY_US,
        model_id: Some(model),
        outcome: "fault",
        cost_usd: Some(2_000_000_000),
        ..attempt(id)
    };
    f.append(&[charged("a", 1, "acme/one")]).await;
    f.jobs.fold(at(NOW)).await.unwrap();
    make_old(&f, TableId::UsageDaily).await;
    f.append(&[charged("b", 1, "acme/one"), charged("c", 1, "acme/two"), charged("d", 2, "acme/one")]).await;
    f.jobs.fold(at(NOW)).await.unwrap();
    let sql = "SELECT date, model_id, count(*), sum(cost_usd),
            CASE WHEN count(unserved_cost_usd) = count(*) THEN sum(unserved_cost_usd) END
        FROM usage_daily GROUP BY date, model_id ORDER BY date, model_id";
    let of = |rows: [&str; 3], first: &str| {
        let [before, one, two] = rows;
        [
            format!("2026-11-23 acme/one {before}"),
            format!("2026-11-24 acme/one {first} {one}"),
            format!("2026-11-24 acme/two {two}"),
        ]
    };
    let rows = ["1 2.000000000 2.000000000", "4.000000000 -", "1 2.000000000 2.000000000"];
    assert_eq!(f.query(sql).await, of(rows, "2"));
    f.jobs.settle(Settling::Closed, at(NOW)).await.unwrap();
    assert_eq!(f.query(sql).await, of(rows, "1"));
    // A rebuilt date knows it.
    let date = "2026-11-24".parse().unwrap();
    f.jobs.rebuild(date, date, at(NOW)).await.unwrap();
    let rows = ["1 2.000000000 2.000000000", "4.000000000 4.000000000", "1 2.000000000 2.000000000"];
    assert_eq!(f.query(sql).await, of(rows, "1"));
}
