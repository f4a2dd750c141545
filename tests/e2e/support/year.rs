//! A small simulated year in a warehouse, folded and served; with the truth that the simulator used.
//!
//! Shared by the tests that only read. Tests that stop or change a site make their own.

use std::path::PathBuf;
use std::sync::OnceLock;

use chrono::{Days, SecondsFormat, SubsecRound, Timelike, Utc};
use serde_json::Value;

use super::app::{Bellwether, Running};
use super::config::Config;
use super::guard::Guard;
use super::{http, scratch, wait};

/// Small enough to be made in seconds, large enough for the rankings' and health pages' thresholds.
const ATTEMPTS: &str = "400000";

#[derive(Debug)]
pub struct Year {
    pub warehouse: PathBuf,
    pub base: String,
    pub truth: Value,
    _site: Running,
    _guards: [Guard; 2],
}

impl Year {
    pub fn shared() -> &'static Self {
        static YEAR: OnceLock<Year> = OnceLock::new();
        YEAR.get_or_init(Self::make)
    }

    fn make() -> Self {
        let folder = scratch().keep();
        let folder_guard = Guard::over_folder(&folder);
        let config =
            Config::new(&folder).set("publication.profile", "demo").set("web.rate_limit", unlimited());
        let file = config.write();
        let truth = folder.join("truth.json");
        up_to_now(&config, &file, "21", "0.1", ATTEMPTS, 365).arg("--truth").arg(&truth).run().ok();
        Bellwether::new(&folder, &["jobs", "run", "--config", &file]).run().ok();
        let truth =
            serde_json::from_slice(&std::fs::read(truth).expect("the truth")).expect("the truth is JSON");
        let site = Bellwether::new(&folder, &["serve", "--roles", "web", "--config", &file]).start();
        let base = config.url("web", "");
        let site_guard = Guard::over(site.id(), None);
        wait::until("the site to be ready", wait::START, || {
            http::try_get(&config.url("admin", "/readyz")).filter(|answer| answer.status == 200)
        });
        Self { warehouse: config.warehouse(), base, truth, _site: site, _guards: [folder_guard, site_guard] }
    }

    pub fn get(&self, path: &str) -> http::Answer {
        http::get(&format!("{}{path}", self.base))
    }

    /// Model ids by tokens, most first.
    pub fn models(&self) -> Vec<String> {
        names(self, "model_id")
    }

    pub fn providers(&self) -> Vec<String> {
        names(self, "provider_id")
    }
}

/// What simulates the days up to this minute into the warehouse of `config`, which `file` holds.
pub fn up_to_now(
    config: &Config,
    file: &str,
    seed: &str,
    texts: &str,
    attempts_per_year: &str,
    days: u64,
) -> Bellwether {
    let until = Utc::now().trunc_subsecs(0).with_second(0).expect("a whole minute");
    let from = until.checked_sub_days(Days::new(days)).expect("an instant");
    Bellwether::new(config.folder(), &["simulate", "--seed", seed, "--texts", texts, "--config", file])
        .arg("--to")
        .arg(format!("warehouse:{}", config.warehouse().display()))
        .arg("--attempts-per-year")
        .arg(attempts_per_year)
        .arg("--year-end")
        .arg(until.date_naive().to_string())
        .arg("--from")
        .arg(from.to_rfc3339_opts(SecondsFormat::Secs, true))
        .arg("--minutes")
        .arg((until - from).num_minutes().to_string())
}

/// Tests ask for hundreds of pages from one address.
fn unlimited() -> toml::Value {
    let mut limit = toml::Table::new();
    limit.insert("enabled".into(), false.into());
    limit.into()
}

fn names(year: &Year, column: &str) -> Vec<String> {
    let sql = format!(
        "SELECT {column} AS name FROM usage_daily WHERE {column} IS NOT NULL AND variant = 'standard' GROUP BY 1 \
         ORDER BY sum(input_tokens + output_tokens) DESC"
    );
    super::store::rows(&year.warehouse, &sql)
        .iter()
        .filter_map(|row| row["name"].as_str().map(str::to_owned))
        .collect()
}
