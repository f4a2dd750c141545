//! The numbers on the pages and in their files are the numbers in the rollups.

use std::collections::BTreeMap;

use serde_json::Value;

use crate::support::store;
use crate::support::year::Year;

const RANKINGS: [(&str, &str); 3] = [
    ("/rankings/models", "variant_key"),
    ("/rankings/authors", "author"),
    ("/rankings/providers", "provider_id"),
];
const COLUMNS: [&str; 4] = ["requests", "input_tokens", "output_tokens", "tokens"];
/// Rows that stand for several: they close the sums.
const REMAINDERS: [&str; 3] = ["other", "hidden", "unmapped"];

fn text<'a>(row: &'a Value, name: &str) -> &'a str {
    row[name].as_str().unwrap_or("")
}

/// Counts are decimal text, so that readers with 53-bit numbers keep them whole.
fn count(row: &Value, name: &str) -> i64 {
    text(row, name).parse().unwrap_or_else(|_| panic!("{name} is no count in {row}"))
}

/// A count as it stands, or the power of ten below it where days of a name are told by their size only.
fn assert_told(row: &Value, name: &str, exact: i64) {
    match text(row, name) {
        "<100" => assert!(exact < 100, "{name} is {exact} in {row}"),
        told => match told.strip_suffix('+') {
            Some(band) => {
                let band: i64 = band.replace(',', "").parse().expect("a power of ten");
                assert!((band..band * 10).contains(&exact), "{name} is {exact} in {row}");
            }
            None => assert_eq!(count(row, name), exact, "{row}"),
        },
    }
}

fn dates(meta: &Value) -> (String, String) {
    (text(meta, "start_date").to_owned(), text(meta, "end_date").to_owned())
}

fn ranking(year: &Year, address: &str) -> (Vec<Value>, Value) {
    let answer = year.get(address);
    assert_eq!(answer.status, 200, "{address}: {}", answer.text());
    let body = answer.json();
    (body["data"].as_array().expect("data").clone(), body["meta"].clone())
}

/// Sums by id of the cells that the table `gate` lets be named, and the sum of all others. A variant that may not be named
/// names no provider either.
fn sums(year: &Year, key: &str, from: &str, to: &str) -> (BTreeMap<String, [i64; 4]>, [i64; 4]) {
    let provider = match key {
        "provider_id" => "AND (cells.provider_id IS NULL OR coalesce(providers.is_public, false))",
        _ => "",
    };
    let sql = format!(
        "WITH cells AS ( \
           SELECT *, model_id || CASE WHEN variant = 'standard' THEN '' ELSE ':' || variant END AS variant_key \
           FROM usage_daily WHERE date BETWEEN DATE '{from}' AND DATE '{to}' \
         ), told AS ( \
           SELECT cells.*, (cells.model_id IS NULL OR coalesce(variants.is_public, false)) {provider} AS is_told \
           FROM cells \
           LEFT JOIN gate AS variants ON variants.dimension = 'variant' AND variants.key = cells.variant_key \
             AND variants.date = cells.date \
           LEFT JOIN gate AS providers ON providers.dimension = 'provider' AND providers.key = cells.provider_id \
             AND providers.date = cells.date \
         ) \
         SELECT {key} AS id, is_told, CAST(sum(requests) AS BIGINT) AS requests, CAST(sum(input_tokens) AS BIGINT) AS input_tokens, \
         CAST(sum(output_tokens) AS BIGINT) AS output_tokens, \
         CAST(sum(input_tokens + output_tokens) AS BIGINT) AS tokens \
         FROM told WHERE {key} IS NOT NULL OR NOT is_told GROUP BY 1, 2 HAVING sum(requests) > 0"
    );
    let mut shown = BTreeMap::new();
    let mut hidden = [0; 4];
    for row in store::rows(&year.warehouse, &sql) {
        let values = COLUMNS.map(|column| row[column].as_i64().expect("a sum"));
        if row["is_told"].as_bool() == Some(false) {
            hidden.iter_mut().zip(values).for_each(|(sum, value)| *sum += value);
        } else {
            shown.insert(text(&row, "id").to_owned(), values);
        }
    }
    (shown, hidden)
}

#[test]
fn ranking_files_equal_the_rollups_for_every_grouping_and_period() {
    let year = Year::shared();
    for (path, key) in RANKINGS {
        for period in ["", "period=1d&", "period=28d&", "period=12m&"] {
            let address = format!("{path}.json?{period}n=all");
            let (rows, meta) = ranking(year, &address);
            let (from, to) = dates(&meta);
            let found: BTreeMap<String, [i64; 4]> = rows
                .iter()
                .filter(|row| !REMAINDERS.contains(&text(row, "id")))
                .map(|row| (text(row, "id").to_owned(), COLUMNS.map(|column| count(row, column))))
                .collect();
            let (expected, hidden) = sums(year, key, &from, &to);
            let differing = expected.iter().find(|(id, values)| found.get(*id) != Some(*values));
            assert!(differing.is_none(), "{address} from {from} to {to}: expected {differing:?}");
            assert_eq!(found.len(), expected.len(), "{address} from {from} to {to}");
            let told = rows.iter().find(|row| text(row, "id") == "hidden");
            let told = told.map_or([0; 4], |row| COLUMNS.map(|column| count(row, column)));
            assert_eq!(told, hidden, "{address}: rows that are not shown");
            let shares: f64 = rows.iter().filter_map(|row| row["share"].as_f64()).sum();
            assert!((shares - 1.0).abs() < 1e-6, "{address}: shares add up to {shares}");
            let tokens: Vec<i64> =
                rows.iter().filter(|row| row["rank"].is_number()).map(|r| count(r, "tokens")).collect();
            assert!(tokens.is_sorted_by(|a, b| a >= b), "{address}: not by tokens");
        }
    }
}

#[test]
fn csv_and_json_of_a_ranking_hold_the_same_values() {
    let year = Year::shared();
    for (path, _) in RANKINGS {
        let (rows, _) = ranking(year, &format!("{path}.json"));
        let answer = year.get(&format!("{path}.csv"));
        assert_eq!(answer.status, 200, "{}", answer.text());
        assert!(answer.header("content-type").starts_with("text/csv"), "{path}");
        let csv = answer.text();
        let mut lines = csv.lines();
        let columns: Vec<&str> = lines.next().unwrap_or("").split(',').collect();
        let lines: Vec<&str> = lines.collect();
        assert_eq!(lines.len(), rows.len(), "{path}");
        for (line, row) in lines.iter().zip(&rows) {
            // Names may hold commas in quotes; the compared columns do not.
            let cells: Vec<&str> = line.split(',').collect();
            if line.contains('"') {
                continue;
            }
            for (column, cell) in columns.iter().zip(cells) {
                let same = match &row[*column] {
                    Value::Null => cell.is_empty(),
                    Value::String(text) => text == cell,
                    other => other.as_f64() == cell.parse().ok(),
                };
                assert!(same, "{path} {column}: `{cell}` in CSV, {} in JSON", row[*column]);
            }
        }
    }
}

#[test]
fn ranking_pages_list_the_rows_of_their_files_in_the_same_order() {
    let year = Year::shared();
    for (path, folder) in [("/rankings/models", "/models/"), ("/rankings/authors", "/authors/")] {
        let (rows, _) = ranking(year, &format!("{path}.json"));
        let html = year.get(path).text();
        let mut at = html.find("<tbody").expect("a table");
        for row in rows.iter().filter(|row| row["rank"].is_number()).take(20) {
            let link = format!("{folder}{}\"", text(row, "id").split(':').next().unwrap_or(""));
            let next =
                html[at..].find(&link).unwrap_or_else(|| panic!("{path} does not list {link} in its place"));
            let share = row["share"].as_f64().expect("a share") * 100.0;
            let shown = format!("{share:.1}");
            let rest = &html[at + next..];
            let of_row = rest.split("</tr>").next().unwrap_or("");
            assert!(of_row.contains(&shown), "{path} {link}: share {shown} is not in {of_row}");
            at += next + link.len();
        }
    }
}

#[test]
fn weekly_shares_equal_the_rollup() {
    let year = Year::shared();
    let (rows, _) = ranking(year, "/rankings/share.json");
    let mut by_week: BTreeMap<String, f64> = BTreeMap::new();
    for row in &rows {
        *by_week.entry(text(row, "week").to_owned()).or_default() += count(row, "value") as f64;
    }
    assert!(by_week.len() >= 51, "{} weeks", by_week.len());
    let sql = "SELECT CAST(date_trunc('week', date) AS DATE) AS week, \
               CAST(sum(input_tokens + output_tokens) AS BIGINT) AS tokens FROM usage_daily GROUP BY 1 ORDER BY 1";
    let expected: BTreeMap<String, i64> = store::rows(&year.warehouse, sql)
        .iter()
        .map(|row| (text(row, "week").to_owned(), row["tokens"].as_i64().expect("tokens")))
        .collect();
    for (week, tokens) in &by_week {
        #[expect(clippy::cast_precision_loss, reason = "compared within a millionth")]
        let exact = expected[week] as f64;
        assert!((tokens - exact).abs() <= exact * 1e-6, "{week}: {tokens} tokens, exactly {exact}");
    }
}

#[test]
fn provider_days_and_model_endpoints_equal_the_rollups() {
    let year = Year::shared();
    let provider = &year.providers()[0];
    let (days, _) = ranking(year, &format!("/providers/{provider}.json"));
    let sql = format!(
        "SELECT CAST(date AS VARCHAR) AS date, CAST(sum(ok + cancelled_delivered) AS BIGINT) AS good, \
         CAST(sum(fault) AS BIGINT) AS fault, CAST(sum(attempts) AS BIGINT) AS attempts FROM health_daily \
         WHERE provider_id = '{provider}' GROUP BY 1"
    );
    let expected: BTreeMap<String, Value> = store::rows(&year.warehouse, &sql)
        .into_iter()
        .map(|row| (text(&row, "date").to_owned(), row))
        .collect();
    assert_eq!(days.len(), 90);
    let mut shown = 0;
    for day in &days {
        let Some(row) = expected.get(text(day, "date")) else {
            assert_eq!(count(day, "attempts"), 0, "{day}");
            continue;
        };
        let number = |name: &str| row[name].as_i64().expect("a number");
        let (good, fault) = (number("good"), number("fault"));
        assert_told(day, "attempts", number("attempts"));
        assert_told(day, "counted_attempts", good + fault);
        let is_exact = text(day, "attempts").parse::<i64>().is_ok();
        if let Some(uptime) = day["uptime"].as_f64() {
            #[expect(clippy::cast_precision_loss, reason = "counts of a day")]
            let exact = good as f64 / (good + fault) as f64 * 100.0;
            // Beside bands a percentage is cut to a tenth.
            let told = if is_exact { exact } else { (exact * 10.0 + 1e-9).floor() / 10.0 };
            assert!((uptime - told).abs() < 1e-6, "{day}: exactly {exact}");
            shown += 1;
        }
    }
    assert!(shown > 30, "only {shown} days show an uptime");

    let model = &year.models()[0];
    let (endpoints, meta) = ranking(year, &format!("/models/{model}.json"));
    let (from, to) = dates(&meta);
    // Days on which the model in its variant and the provider may both be named.
    let sql = format!(
        "SELECT u.provider_id, CAST(sum(u.requests) AS BIGINT) AS requests, \
         CAST(sum(u.input_tokens + u.output_tokens) AS BIGINT) AS tokens FROM usage_daily u \
         JOIN gate v ON v.dimension = 'variant' AND v.is_public AND v.date = u.date AND v.key = u.model_id || \
         CASE WHEN u.variant IS NULL OR u.variant = 'standard' THEN '' ELSE ':' || u.variant END \
         JOIN gate p ON p.dimension = 'provider' AND p.is_public AND p.date = u.date AND p.key = u.provider_id \
         WHERE u.model_id = '{model}' AND u.date BETWEEN DATE '{from}' AND DATE '{to}' GROUP BY 1 ORDER BY 1"
    );
    let expected: Vec<(String, i64, i64)> = store::rows(&year.warehouse, &sql)
        .iter()
        .map(|r| {
            (
                text(r, "provider_id").to_owned(),
                r["requests"].as_i64().unwrap_or(-1),
                r["tokens"].as_i64().unwrap_or(-1),
            )
        })
        .collect();
    let (told, withheld): (Vec<&Value>, Vec<&Value>) =
        endpoints.iter().partition(|row| !row["requests"].is_null());
    for row in withheld {
        assert!(text(row, "withheld").starts_with("usage: needs "), "{row}");
        assert!(expected.iter().all(|(provider, ..)| provider != text(row, "provider")), "{row}");
    }
    // A model at a provider is told by its size only.
    for row in &told {
        let own = expected.iter().find(|(provider, ..)| provider == text(row, "provider"));
        let (requests, tokens) = own.map_or((0, 0), |(_, requests, tokens)| (*requests, *tokens));
        assert_told(row, "requests", requests);
        assert_told(row, "tokens", tokens);
    }
    for (provider, ..) in &expected {
        let is_told = told.iter().any(|row| text(row, "provider") == provider);
        assert!(is_told, "{model} from {from} to {to}: {provider} is missing");
    }
}

/// An instant written to the minute, with its seconds.
fn whole(instant: &str) -> String {
    match instant.strip_suffix('Z') {
        Some(minute) if minute.len() == "2026-01-01T00:00".len() => format!("{minute}:00Z"),
        _ => instant.to_owned(),
    }
}

#[test]
fn last_hour_on_the_overview_equals_its_attempts() {
    let year = Year::shared();
    let html = year.get("/").text();
    let strip = html
        .split("id=\"hour-h\"")
        .nth(1)
        .and_then(|rest| rest.split("</section>").next())
        .expect("the strip");
    let mut instants = strip.split("datetime=\"").skip(1).filter_map(|rest| rest.split('"').next());
    let (first, last) =
        (instants.next().expect("the first minute"), instants.next().expect("the last minute"));
    let sql = format!(
        "SELECT count(*) AS n FROM attempts WHERE (outcome = 'ok' OR (outcome = 'cancelled' AND (output_tokens >= 1 \
         OR ttft_ms IS NOT NULL))) AND date_trunc('minute', started_at) BETWEEN TIMESTAMP '{}' AND TIMESTAMP '{}'",
        whole(first),
        whole(last)
    );
    let requests = store::number(&year.warehouse, &sql);
    assert!(requests > 0);
    let shown = strip.split("<b>").nth(1).and_then(|rest| rest.split("</b>").next()).expect("a number");
    assert_eq!(shown.replace(',', ""), requests.to_string(), "between {first} and {last}");
}
