//! What statements are planned as.
//!
//! A join by inequality is run as a nested loop, and so is a product: both hold their left side in memory. Once the pool is full
//! the one fails where that side is empty ("Left side produced no data to spill"), and the other cannot go to disk at all. So what
//! stands left is a row, a list or days, which are small and there: a filter that compares a column of a table with one of the terms
//! or of a list of dimensions is such a join, and no harm. What grows with traffic or names stands right, or is joined by equality.

use std::sync::{Arc, Mutex};

use arrow::datatypes::DataType;
use bellwether_metrics::Metric;
use chrono::Datelike;
use datafusion::common::config::ConfigOptions;
use datafusion::common::stats::Precision;
use datafusion::error::DataFusionError;
use datafusion::execution::session_state::SessionStateBuilder;
use datafusion::physical_expr::PhysicalExpr;
use datafusion::physical_optimizer::PhysicalOptimizerRule;
use datafusion::physical_plan::aggregates::AggregateExec;
use datafusion::physical_plan::execution_plan::CardinalityEffect;
use datafusion::physical_plan::joins::{CrossJoinExec, NestedLoopJoinExec};
use datafusion::physical_plan::unnest::UnnestExec;
use datafusion::physical_plan::{ExecutionPlan, StatisticsArgs, StatisticsContext, displayable};
use datafusion::prelude::SessionContext;

use super::super::Publisher;
use super::market::{NOW, market, terms_of_market};
use crate::testing::at;

/// Rows that a list in a statement has at most; the catalogue of the market has more.
const LIST: usize = 16;

/// Every plan that a session makes, as the last rule sees it.
#[derive(Debug, Default)]
struct Seen(Mutex<Vec<Arc<dyn ExecutionPlan>>>);

impl PhysicalOptimizerRule for Seen {
    fn optimize(
        &self,
        plan: Arc<dyn ExecutionPlan>,
        _config: &ConfigOptions,
    ) -> Result<Arc<dyn ExecutionPlan>, DataFusionError> {
        self.0.lock().unwrap().push(Arc::clone(&plan));
        Ok(plan)
    }

    fn name(&self) -> &str {
        "seen"
    }

    fn schema_check(&self) -> bool {
        true
    }
}

/// Plans of all that a table is made by, for some days.
async fn plans(publisher: &Publisher, metric: &'static Metric) -> Vec<Arc<dyn ExecutionPlan>> {
    let round = publisher.begin(at(NOW)).await.unwrap();
    let own = publisher.tables.iter().find(|table| table.metric.id() == metric.id()).unwrap();
    let ctx = publisher.session(&round, metric, own.table.snapshot().provider(), 1).await.unwrap();
    let seen = Arc::new(Seen::default());
    let state = SessionStateBuilder::new_from_existing(ctx.state());
    let rule = Arc::clone(&seen) as Arc<dyn PhysicalOptimizerRule + Send + Sync>;
    let ctx = SessionContext::new_with_state(state.with_physical_optimizer_rule(rule).build());
    let today = round.terms.today;
    let rows = metric.moved_rows(&ctx, today.with_day(1).unwrap(), today).await.unwrap();
    assert!(rows.iter().any(|rows| rows.num_rows() > 0), "{}", metric.table.name);
    std::mem::take(&mut *seen.0.lock().unwrap())
}

/// Whether its rows are no more than one, those of a list in the statement, or one a day of the history, whatever the tables
/// hold; or made of such alone. Names, and amounts under them, never are.
fn is_short(plan: &Arc<dyn ExecutionPlan>) -> bool {
    if let Some(aggregate) = plan.downcast_ref::<AggregateExec>() {
        let groups = aggregate.group_expr();
        let input = aggregate.input_schema();
        let is_day = |group: &Arc<dyn PhysicalExpr>| group.data_type(&input).unwrap() == DataType::Date32;
        // Of no groups there is one row.
        return groups.input_exprs().iter().all(is_day) || is_short(aggregate.input());
    }
    match plan.children().as_slice() {
        // The terms are one row in memory, and lists are rows in memory too: of the catalogue, the market has more.
        [] => {
            let rows =
                StatisticsContext::new().compute(plan.as_ref(), &StatisticsArgs::new()).unwrap().num_rows;
            matches!(rows, Precision::Exact(rows) if rows <= LIST) && !is_of_files(plan)
        }
        [child] => {
            let effect = plan.cardinality_effect();
            // A list that is made of one row by another one: the days that are asked for, or ages of them.
            let is_list = plan.downcast_ref::<UnnestExec>().is_some();
            let is_no_more = matches!(effect, CardinalityEffect::Equal | CardinalityEffect::LowerEqual);
            (is_list || is_no_more) && is_short(child)
        }
        children => children.iter().all(|child| is_short(child)),
    }
}

/// Whether it reads a table, which may be as small as a list by chance.
fn is_of_files(plan: &Arc<dyn ExecutionPlan>) -> bool {
    displayable(plan.as_ref()).one_line().to_string().contains("file_groups")
}

/// Joins of a plan that collect rows of a table.
fn collecting(plan: &Arc<dyn ExecutionPlan>, found: &mut Vec<String>) {
    let is_loop = plan.downcast_ref::<NestedLoopJoinExec>().is_some();
    let is_meant = is_loop || plan.downcast_ref::<CrossJoinExec>().is_some();
    if is_meant && !plan.children().first().is_some_and(|left| is_short(left)) {
        found.push(displayable(plan.as_ref()).indent(false).to_string());
    }
    for child in plan.children() {
        collecting(child, found);
    }
}

#[tokio::test]
async fn no_statement_collects_what_grows_for_a_nested_loop_or_reads_a_sketch_twice() {
    let f = market(200).await;
    let mut publisher = Publisher::open(&f.warehouse, terms_of_market()).await.unwrap();
    publisher.publish(at(NOW)).await.unwrap();
    publisher.look().await.unwrap();
    let mut all = Vec::new();
    let (mut seen, mut allowed, mut summaries) = (0, 0, 0);
    for metric in bellwether_metrics::METRICS {
        let plans = plans(&publisher, metric).await;
        assert!(!plans.is_empty());
        seen += plans.len();
        for plan in &plans {
            let mut found = Vec::new();
            collecting(plan, &mut found);
            let all_of_it = displayable(plan.as_ref()).indent(false).to_string();
            allowed += all_of_it.matches("NestedLoopJoinExec").count();
            // A filter by their numbers would read each sketch once more.
            let read: Vec<&str> = all_of_it.split("ddsketch_summary(").skip(1).collect();
            let mut of: Vec<_> = read.iter().filter_map(|of| of.split('@').next()).collect();
            of.sort_unstable();
            of.dedup();
            assert_eq!(of.len(), read.len(), "{}: {of:?}\n{all_of_it}", metric.table.name);
            summaries += read.len();
            all.extend(found.into_iter().map(|found| format!("{}:\n{found}", metric.table.name)));
        }
    }
    assert!(all.is_empty(), "{} of {seen} plans\n{}", all.len(), all.join("\n"));
    // Those that are allowed are met.
    assert!(allowed > 10, "{allowed}");
    assert!(summaries > 20, "{summaries}");
}
