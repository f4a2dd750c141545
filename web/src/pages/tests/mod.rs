//! Every page over small warehouses: its numbers, its states, its markup and its weight.

mod contrast;
mod markup;
mod numbers;
mod states;
mod weight;
mod year;

use std::sync::Arc;

use crate::data::testing::Fixture;
use crate::data::{Dataset, Names, Options, Profile};
use crate::place::{PageContext, PageError};
use crate::routes::find;
use crate::url::{Format, parse};

/// A fixture's dataset as a site of this profile shows it.
async fn dataset(fixture: &Fixture, profile: Profile, names: Names) -> Arc<Dataset> {
    let options =
        Options { names: Arc::new(names), simulated: profile == Profile::Demo, ..Options::new(profile) };
    fixture.dataset(options).await
}

fn context(address: &str) -> PageContext {
    let (path, query) = address.split_once('?').unwrap_or((address, ""));
    let route = find(path).unwrap_or_else(|| panic!("no page at {address}"));
    let state = parse(route.page.params(Format::Html), query).state;
    PageContext::new(route.page, state)
}

/// The page at an address, with the users figures it asks for.
async fn try_page(data: &Dataset, address: &str) -> Result<String, PageError> {
    let context = context(address);
    data.load_users(&context.users(data, Format::Html)).await.unwrap();
    context.body(data, Format::Html)
}

async fn page(data: &Dataset, address: &str) -> String {
    try_page(data, address).await.unwrap()
}

/// Visible text of a document, white space folded, so that markup between words does not matter.
fn text(html: &str) -> String {
    let body = html.split("<main").nth(1).unwrap_or(html);
    let mut out = String::new();
    let mut inside = false;
    for character in body.chars() {
        match character {
            '<' => {
                inside = true;
                out.push(' ');
            }
            '>' => inside = false,
            _ if inside => {}
            '\u{a0}' => out.push(' '),
            other => out.push(other),
        }
    }
    out.split_whitespace().collect::<Vec<_>>().join(" ").replace("&#39;", "'").replace("&amp;", "&")
}

/// Addresses that every test of all pages walks over, for a dataset with these names.
fn addresses(model: &str, provider: &str) -> Vec<String> {
    let author = model.split('/').next().unwrap_or(model);
    let mut out: Vec<String> = [
        "/",
        "/?metric=spend&period=28d",
        "/?metric=users",
        "/rankings/models",
        "/rankings/models?metric=users&period=28d",
        "/rankings/models?sort=-growth&n=all",
        "/rankings/authors",
        "/rankings/providers?metric=requests",
        "/rankings/share",
        "/rankings/share?by=model&skip=9",
        "/rankings/growth",
        "/rankings/languages",
        "/rankings/languages/ja",
        "/rankings/cross/nl/ja/code-out/python",
        "/rankings/cross/nl/fr/code-out/rust",
        "/models",
        "/providers",
        "/providers?sort=ttft",
        "/status",
        "/uptime",
        "/methodology",
        "/data",
        "/start",
        "/problems/not-found",
    ]
    .map(str::to_owned)
    .into();
    out.push(format!("/models/{model}"));
    out.push(format!("/authors/{author}"));
    out.push(format!("/providers/{provider}"));
    out
}
