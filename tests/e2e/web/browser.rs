//! What headless Chromium finds on every page: nothing.

use super::crawl::pages;
use crate::support::browser;
use crate::support::year::Year;

#[test]
fn pages_in_a_browser_have_no_problems_in_both_themes_and_widths() {
    let year = Year::shared();
    let mut pages = pages(year);
    pages.push("/models/nobody/knows-this".to_owned());
    let problems: Vec<String> = browser::check(&year.base, &pages)
        .into_iter()
        // The browser logs the status of the one page that is meant to be missing.
        .filter(|line| {
            !(line.contains("/models/nobody/") && (line.contains("\"status\"") || line.contains("404")))
        })
        .collect();
    assert!(problems.is_empty(), "{} problems\n{}", problems.len(), problems.join("\n"));
}
