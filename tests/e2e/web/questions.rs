//! Whoever asks, whichever way, is told the same: page, file, API and `bellwether sql`.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use chrono::{Days, NaiveDate};
use serde_json::Value;

use crate::support::app::{Bellwether, Running};
use crate::support::config::Config;
use crate::support::traffic::Dice;
use crate::support::year::up_to_now;
use crate::support::{http, scratch, wait};

const QUESTIONS: usize = 500;
/// Windows that the questions are about: the site computes what nobody has asked yet, and that takes its time.
const WINDOWS: usize = 60;
/// What is listed at an address, and the dimension of it.
const LISTS: [(&str, &str); 3] = [("models", "variant"), ("authors", "author"), ("providers", "provider")];
const METRICS: [&str; 3] = ["tokens", "requests", "spend"];

/// So much that some names are shown and some are not.
const ATTEMPTS_PER_YEAR: &str = "400000";
const DAYS: u64 = 40;

/// Tokens, requests and 10⁻⁹ USD.
type Amounts = [i128; 3];
type ById = BTreeMap<String, Amounts>;

/// A site over its own market.
struct Site {
    config: Config,
    file: String,
    _running: Running,
}

impl Site {
    /// In `folder`.
    fn open(folder: &Path) -> Self {
        let mut unlimited = toml::Table::new();
        unlimited.insert("enabled".into(), false.into());
        let config = Config::new(folder)
            .set("publication.profile", "demo")
            .set("web.rate_limit", toml::Value::Table(unlimited));
        let file = config.write();
        up_to_now(&config, &file, "23", "0", ATTEMPTS_PER_YEAR, DAYS).run().ok();
        let run = |args: &[&str]| Bellwether::new(folder, args).arg("--config").arg(&file);
        run(&["jobs", "run"]).run().ok();
        let running = run(&["serve", "--roles", "web"]).start();
        wait::until("the site to be ready", wait::START, || {
            http::try_get(&config.url("admin", "/readyz")).filter(|answer| answer.status == 200)
        });
        Self { config, file, _running: running }
    }

    /// What is shown in the end: of other forms of an address the canonical one answers.
    #[track_caller]
    fn get(&self, address: &str) -> http::Answer {
        let answer = http::get(&self.config.url("web", address));
        let answer = match answer.header("location") {
            "" => answer,
            canonical => http::get(&self.config.url("web", canonical)),
        };
        assert_eq!(answer.status, 200, "{address}: {}", answer.text());
        answer
    }

    /// Rows of `bellwether sql`.
    fn sql(&self, statement: &str) -> Vec<Value> {
        let asked = ["sql", statement, "--format", "json", "--config", &self.file];
        let answer = Bellwether::new(self.config.folder(), &asked).run().ok().json();
        answer.as_array().expect("rows").clone()
    }
}

struct Question {
    list: &'static str,
    dimension: &'static str,
    metric: usize,
    from: NaiveDate,
    to: NaiveDate,
}

impl Question {
    fn address(&self, before: &str, after: &str) -> String {
        let Self { list, from, to, .. } = self;
        format!("{before}/rankings/{list}{after}?metric={}&from={from}&to={to}&n=all", METRICS[self.metric])
    }
}

/// About days that have closed.
fn questions(site: &Site) -> Vec<Question> {
    let days = "SELECT CAST(min(end_date) AS varchar) AS oldest, CAST(max(end_date) AS varchar) AS newest FROM rankings \
                WHERE window_days = 1 AND NOT is_partial";
    let days = &site.sql(days)[0];
    let [oldest, newest] =
        ["oldest", "newest"].map(|end| text(&days[end]).parse::<NaiveDate>().expect("a date"));
    let mut dice = Dice::new(29);
    let windows: Vec<_> = (0..WINDOWS)
        .map(|_| {
            let last = u64::try_from((newest - oldest).num_days()).expect("a history");
            let from = dice.roll(last + 1);
            // Half of them are some days, half of them up to all.
            let longest = if dice.roll(2) == 0 { 10 } else { last };
            let to = (from + dice.roll(longest + 1)).min(last);
            (oldest + Days::new(from), oldest + Days::new(to))
        })
        .collect();
    let of = |dice: &mut Dice, length: usize| {
        usize::try_from(dice.roll(u64::try_from(length).expect("small"))).expect("small")
    };
    (0..QUESTIONS)
        .map(|_| {
            let (list, dimension) = LISTS[of(&mut dice, LISTS.len())];
            let (from, to) = windows[of(&mut dice, windows.len())];
            Question { list, dimension, metric: of(&mut dice, METRICS.len()), from, to }
        })
        .collect()
}

/// All of them in one statement; answers in the order of the questions. What has no name is one row of the site, whatever its kind.
fn answers(site: &Site, questions: &[Question]) -> Vec<ById> {
    let values = questions.iter().enumerate().map(|(number, Question { dimension, from, to, .. })| {
        format!("({number}, '{dimension}', DATE '{from}', DATE '{to}')")
    });
    let statement = format!(
        "WITH questions (number, dimension, first_date, last_date) AS (VALUES {}) \
         SELECT number, CASE kind WHEN 'key' THEN key WHEN 'none' THEN 'unmapped' ELSE kind END AS id, CAST(sum(tokens) AS varchar) AS tokens, \
         CAST(sum(requests) AS varchar) AS requests, CAST(coalesce(sum(spend_usd), 0) AS varchar) AS spend_usd \
         FROM questions JOIN usage_by_day ON usage_by_day.dimension = questions.dimension \
         AND date BETWEEN first_date AND last_date GROUP BY 1, 2 HAVING sum(requests) > 0",
        values.collect::<Vec<_>>().join(", ")
    );
    let mut answers = vec![ById::new(); questions.len()];
    for row in site.sql(&statement) {
        let number = usize::try_from(row["number"].as_u64().expect("a number")).expect("small");
        answers[number].insert(text(&row["id"]).to_owned(), amounts(&row));
    }
    answers
}

fn text(value: &Value) -> &str {
    value.as_str().unwrap_or("0")
}

fn amounts(row: &Value) -> Amounts {
    let whole = |name: &str| text(&row[name]).parse().expect("a count");
    [whole("tokens"), whole("requests"), nano(text(&row["spend_usd"]))]
}

fn nano(usd: &str) -> i128 {
    let (whole, part) = usd.split_once('.').unwrap_or((usd, ""));
    format!("{whole}{part:0<9}").parse().expect("an amount of money")
}

fn of_json(body: &Value) -> Vec<(String, Amounts)> {
    let rows = body["data"].as_array().expect("rows").iter();
    rows.map(|row| (text(&row["id"]).to_owned(), amounts(row))).collect()
}

fn of_csv(body: &str) -> Vec<(String, Amounts)> {
    let mut lines = body.lines().map(cells);
    let head = lines.next().expect("a header");
    let at = |name: &str| head.iter().position(|column| column == name).expect("a column");
    let [id, tokens, requests, spend] = ["id", "tokens", "requests", "spend_usd"].map(at);
    let amount = |cell: &str| if cell.is_empty() { 0 } else { cell.parse().expect("a count") };
    lines
        .map(|row| (row[id].clone(), [amount(&row[tokens]), amount(&row[requests]), nano(&row[spend])]))
        .collect()
}

/// Of a line of CSV. Names may hold commas in quotes.
fn cells(line: &str) -> Vec<String> {
    let mut cells = vec![String::new()];
    let mut is_quoted = false;
    for letter in line.trim_end().chars() {
        match letter {
            '"' => is_quoted = !is_quoted,
            ',' if !is_quoted => cells.push(String::new()),
            letter => cells.last_mut().expect("a cell").push(letter),
        }
    }
    cells
}

/// Named rows of a page in their order: id and requests.
fn of_page(html: &str) -> Vec<(String, i128)> {
    let within = |text: &str, before: &str, after: &str| -> Option<String> {
        let (_, rest) = text.split_once(before)?;
        Some(rest.split_once(after)?.0.to_owned())
    };
    let rows = html.split("<tr class=\"has-more\">").skip(1);
    rows.map(|row| {
        let path = within(row, "<a href=\"/", "\"").expect("a link");
        let id = path.split_once('/').expect("a folder").1.to_owned();
        let variant = within(row, "<span class=\"tag\">", "</span>").unwrap_or_default();
        let requests = within(row, "<dt>Requests</dt><dd>", "</dd>").expect("requests");
        (id + &variant, requests.replace(',', "").parse().expect("a count"))
    })
    .collect()
}

/// What one side says otherwise than the other.
fn differing(found: &ById, expected: &ById) -> Vec<String> {
    let ids: BTreeSet<_> = found.keys().chain(expected.keys()).collect();
    let ids = ids.into_iter().filter(|id| found.get(*id) != expected.get(*id));
    ids.map(|id| format!("{id}: {:?}, by SQL {:?}", found.get(id), expected.get(id))).collect()
}

#[test]
fn page_file_api_and_the_sql_command_give_one_answer_to_five_hundred_questions() {
    let folder = scratch();
    let site = Site::open(folder.path());
    let questions = questions(&site);
    let mut ids = BTreeSet::new();
    for (question, expected) in questions.iter().zip(answers(&site, &questions)) {
        let address = question.address("", "");
        let json = site.get(&question.address("", ".json")).json();
        let rows = of_json(&json);
        let found: ById = rows.iter().cloned().collect();
        assert_eq!(differing(&found, &expected), Vec::<String>::new(), "{address}");
        assert_eq!(rows.len(), expected.len(), "{address}");
        assert_eq!(of_csv(&site.get(&question.address("", ".csv")).text()), rows, "{address}");
        assert_eq!(site.get(&question.address("/api/v1", "")).json()["data"], json["data"], "{address}");
        let named = |row: &&(String, Amounts)| row.0 != "hidden" && row.0 != "unmapped";
        let listed: Vec<_> =
            rows.iter().filter(named).map(|(id, amounts)| (id.clone(), amounts[1])).collect();
        assert_eq!(of_page(&site.get(&address).text()), listed, "{address}");
        ids.extend(rows.into_iter().map(|(id, _)| id));
    }
    let variants = ids.iter().filter(|id| id.contains('/')).count();
    assert!(ids.contains("hidden") && variants > 20, "{ids:?}");
}
