//! What a process tells of itself on its admin port.

use super::app::Running;
use super::config::Config;
use super::{http, wait};

/// One series, by name and labels as they are printed. None: it is not told, or nobody listens yet.
pub fn value(config: &Config, series: &str) -> Option<f64> {
    let text = http::try_get(&config.url("admin", "/metrics"))?.text();
    let line = text.lines().find_map(|line| line.strip_prefix(series)?.strip_prefix(' '))?;
    line.parse().ok()
}

/// All series of a name together.
pub fn sum(config: &Config, name: &str) -> f64 {
    let Some(answer) = http::try_get(&config.url("admin", "/metrics")) else { return 0.0 };
    let text = answer.text();
    let series = text
        .lines()
        .filter(|line| line.starts_with(&format!("{name}{{")) || line.starts_with(&format!("{name} ")));
    series.filter_map(|line| line.rsplit(' ').next()?.parse::<f64>().ok()).sum()
}

/// Until each series has its value. They follow the tables a moment later.
#[track_caller]
pub fn reach(config: &Config, running: &mut Running, expected: &[(&str, f64)]) {
    for (series, wanted) in expected {
        let mut last = None;
        wait::until(&format!("{series} {wanted}"), wait::START, || {
            assert!(running.exited().is_none(), "ended at {series} {last:?}: {}", running.printed());
            last = value(config, series);
            (last == Some(*wanted)).then_some(())
        });
    }
}
