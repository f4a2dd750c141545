//! What a page shows, its files hold and the description of the API says is one thing, wherever there are files.

use std::collections::BTreeSet;

use axum::http::StatusCode;
use bellwether_warehouse::TableId;
use serde_json::{Value, json};

use super::addresses::open;
use super::routes::App;
use crate::data::testing::{Fixture, users};
use crate::pages::PLACES;
use crate::place::Place;

/// A list of a file, and the table of its page that shows the same rows.
struct List {
    address: &'static str,
    query: &'static str,
    /// Member of the JSON body.
    member: &'static str,
    /// Name of the table.
    table: &'static str,
    /// What stands in the head of a row.
    key: fn(&Value) -> Option<String>,
    order: Order,
}

#[derive(PartialEq)]
enum Order {
    Same,
    /// Files go on with time; pages begin with what is newest.
    NewestFirst,
    /// A page orders series by their newest week.
    OfSeries,
}

impl List {
    const fn of(
        address: &'static str,
        query: &'static str,
        table: &'static str,
        key: fn(&Value) -> Option<String>,
    ) -> Self {
        Self { address, query, member: "data", table, key, order: Order::Same }
    }
}

fn text(row: &Value, member: &str) -> Option<String> {
    row[member].as_str().map(str::to_owned)
}

fn name(row: &Value) -> Option<String> {
    let rest = match row["id"].as_str().or(row["code"].as_str()) {
        Some("hidden") => "Hidden",
        Some("unmapped") => "Unmapped names",
        Some("und") => "Undetermined",
        Some("other") if row["code"].is_string() => "Other languages",
        Some("other") if row.get("rank_best").is_some() => "Other models",
        _ => "Others",
    };
    text(row, "name").or_else(|| Some(rest.to_owned()))
}

fn model(row: &Value) -> Option<String> {
    text(row, "model").map(|id| format!("href=\"/models/{id}\""))
}

fn lists() -> Vec<List> {
    let mut lists = vec![
        List::of("/rankings/models", "", "Models by tokens", name),
        List::of("/rankings/models", "?metric=spend&variants=folded", "Models by spend", name),
        List::of("/rankings/authors", "", "Authors by tokens", name),
        List::of("/rankings/providers", "", "Providers by tokens", name),
        List {
            order: Order::OfSeries,
            ..List::of("/rankings/share", "", "Change of shares", |row| {
                // The newest whole week; the rest has no row where it is nothing.
                let is_shown = row["week"] == "2026-11-16" && row["share"].as_f64() > Some(1e-9);
                name(row).filter(|_| is_shown)
            })
        },
        List {
            order: Order::NewestFirst,
            ..List::of("/rankings/growth", "", "Growth by month", |row| {
                text(row, "month").map(|day| format!("datetime=\"{}\"", &day[..7]))
            })
        },
        List::of("/rankings/languages", "", "Natural languages of prompts", name),
        List::of("/rankings/languages/ja", "", "Models, most used first", name),
        List::of("/rankings/cross/nl/ja/code-out/python", "", "Models, most used first", name),
        List::of("/models/acme/one", "", "Providers of this model", name),
        List {
            order: Order::NewestFirst,
            ..List::of("/providers/north", "", "Uptime by day", |row| {
                text(row, "date").map(|day| format!("datetime=\"{day}\""))
            })
        },
        List { member: "models", ..List::of("/providers/north", "", "Uptime by model", model) },
    ];
    for sort in ["", "?sort=name", "?sort=-name", "?sort=uptime"] {
        lists.push(List::of("/providers", sort, "Providers", name));
        lists.push(List::of("/status", sort, "Providers over 90 days", name));
        lists.push(List::of("/uptime", sort, "Routed and pinned by model", |row| {
            model(row).filter(|_| row["window"] == "7d")
        }));
    }
    lists
}

/// Heads of the rows of one table of a page.
fn heads<'a>(page: &'a str, table: &str) -> Vec<&'a str> {
    let table =
        page.split_once(&format!("aria-label=\"{table}\"")).unwrap_or_else(|| panic!("{table}: {page}")).1;
    let rows = table.split_once("</table>").unwrap().0.split("<th scope=\"row\"").skip(1);
    rows.map(|row| row.split_once("</th>").unwrap().0).collect()
}

#[tokio::test]
async fn a_page_and_its_file_name_the_same_in_the_same_order() {
    let fixture = Fixture::filled().await;
    // Shares over time ask for two whole weeks.
    let earlier = json!({
        "date": "2026-11-02", "model_id": "acme/one", "author": "acme", "variant": "standard", "provider_id": "north",
        "requests": 200, "requests_with_user": 200, "users": users(1..=30), "input_tokens": 1_000_000,
    });
    fixture.append(TableId::UsageDaily, vec![earlier]).await;
    let app = App::over(fixture, open()).await;
    let mut places = BTreeSet::new();
    for List { address, query, member, table, key, order } in lists() {
        let page = app.get(&format!("{address}{query}")).await;
        let asked = format!("{address}.json{query}");
        let file = app.get(&asked).await;
        assert_eq!((page.status, file.status), (StatusCode::OK, StatusCode::OK), "{asked}");
        let mut keys: Vec<String> = file.json()[member].as_array().unwrap().iter().filter_map(key).collect();
        let mut heads = heads(page.text(), table);
        match order {
            Order::Same => {}
            Order::NewestFirst => keys.reverse(),
            Order::OfSeries => {
                let plain = |head: &str| keys.iter().find(|key| head.contains(key.as_str())).cloned();
                heads.sort_by_key(|head| plain(head));
                keys.sort();
            }
        }
        assert!(!keys.is_empty(), "{asked}");
        let is_named = heads.len() == keys.len()
            && heads.iter().zip(&keys).all(|(head, key)| head.contains(key.as_str()));
        assert!(is_named, "{asked}: {keys:?}, {heads:?}");
        places.insert(crate::routes::find(address).unwrap().page.place().path);
    }
    let all = PLACES.iter().filter(|place| place.page.is_some() && place.file.is_some());
    assert_eq!(places, all.map(|place| place.path).collect());
}

/// The address of a place in the API over the small warehouse.
fn filled(place: &Place) -> Option<String> {
    let api = place.api?;
    let code = if api.contains("{nl}") { "python" } else { "ja" };
    let names =
        [("{author}", "acme"), ("{slug}", "one"), ("{provider}", "north"), ("{nl}", "ja"), ("{code}", code)];
    Some(names.iter().fold(api.to_owned(), |path, (name, value)| path.replace(name, value)))
}

#[tokio::test]
async fn a_body_is_as_it_is_described_and_is_found_where_it_says() {
    let app = App::filled().await;
    let document = app.get("/api/v1/openapi.json").await.json();
    let named = |reference: &Value| {
        let pointer = reference["$ref"].as_str().unwrap().trim_start_matches('#');
        document.pointer(pointer).unwrap_or_else(|| panic!("{pointer}")).clone()
    };
    let members = |object: &Value| object.as_object().unwrap().keys().cloned().collect::<BTreeSet<String>>();
    let mut bodies = 0;
    for place in PLACES.iter().filter(|place| place.file.is_some()) {
        let address = filled(place).unwrap();
        let body = app.get(&address).await.json();
        let told = &document["paths"][place.api.unwrap()]["get"]["responses"]["200"]["content"];
        let schema = named(&told["application/json"]["schema"]);
        assert_eq!(members(&body), members(&schema["properties"]), "{address}");
        for (member, rows) in body.as_object().unwrap().iter().filter(|(_, value)| value.is_array()) {
            let row = named(&schema["properties"][member]["items"]);
            for value in rows.as_array().unwrap() {
                assert_eq!(members(value), members(&row["properties"]), "{address} {member}");
            }
        }
        let meta = named(&schema["properties"]["meta"]);
        assert!(members(&body["meta"]).is_subset(&members(&meta["properties"])), "{address}");
        // What is named as the address of these data answers with them.
        let canonical = app.get(body["meta"]["canonical_url"].as_str().unwrap()).await;
        assert_eq!(canonical.status, StatusCode::OK, "{address}");
        assert_eq!(canonical.json()["data"], body["data"], "{address}");
        bodies += 1;
    }
    assert_eq!(bodies, 14);
}

/// A member's own words, or those beside the form that it has where it is not null.
fn is_described(property: &Value) -> bool {
    let inner = property["oneOf"].as_array().into_iter().flatten();
    std::iter::once(property)
        .chain(inner)
        .any(|form| form["description"].as_str().is_some_and(|text| text.len() > 3))
}

#[tokio::test]
async fn every_schema_is_there_and_every_member_says_what_it_is() {
    let app = App::filled().await;
    let reply = app.get("/api/v1/openapi.json").await;
    let document = reply.json();
    let schemas = document["components"]["schemas"].as_object().unwrap();
    for (at, found) in reply.text().match_indices("#/components/schemas/") {
        let name = reply.text()[at + found.len()..].split('"').next().unwrap();
        assert!(schemas.contains_key(name), "{name}");
    }
    let mut members = 0;
    for (name, schema) in schemas.iter().filter(|(name, _)| *name != "Problem") {
        for (member, property) in schema["properties"].as_object().into_iter().flatten() {
            assert!(is_described(property), "{name}.{member}: {property}");
            members += 1;
        }
    }
    assert!(members > 150, "{members}");
}
