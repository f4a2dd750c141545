//! The description of the API: made from the list of places, so that it cannot name what is not answered.

use std::collections::BTreeMap;
use std::sync::LazyLock;

use axum::body::Body;
use axum::extract::State;
use axum::http::Response;
use axum::http::request::Parts;
use serde_json::Value;
use utoipa::openapi::path::{Operation, OperationBuilder, Parameter, ParameterBuilder, ParameterIn};
use utoipa::openapi::schema::{Components, ComponentsBuilder, Object, ObjectBuilder, Schema, Type};
use utoipa::openapi::{
    Content, HttpMethod, InfoBuilder, LicenseBuilder, OpenApi, OpenApiBuilder, PathItem, Paths, PathsBuilder,
    Ref, RefOr, Required, ResponseBuilder,
};

use crate::compress::{Encoding, compress};
use crate::error::Kind;
use crate::headers::Policy;
use crate::pages::PLACES;
use crate::place::{File, Place};
use crate::respond::{Answered, body, refused, told};
use crate::state::Site;
use crate::url::{API, Format, Param, Values, names_of};
use crate::version::BUILD;

pub(crate) const PATH: &str = "/api/v1/openapi.json";

const PROBLEM: &str = "Problem";

static DOCUMENT: LazyLock<String> = LazyLock::new(|| document().to_json().unwrap_or_default());

pub(crate) async fn answer(State(site): State<Site>, request: Parts) -> Response<Body> {
    let outcome = refused(&request).map(|()| {
        let encoding = Encoding::negotiate(&request.headers);
        body(compress(DOCUMENT.as_bytes(), encoding), Format::Json.media_type(), encoding, Policy::Hour)
    });
    let mut response = told(&site, &request, outcome);
    response.extensions_mut().insert(Answered { label: PATH, is_data: true });
    response
}

fn document() -> OpenApi {
    let licence = LicenseBuilder::new().name("CC-BY-4.0").identifier(Some("CC-BY-4.0")).build();
    let info = InfoBuilder::new()
        .title("Bellwether")
        .version(BUILD)
        .description(Some(
            "The numbers of every page. 64-bit counts and money are decimal strings, ratios are 0 to 1, and a value that \
             is withheld has its reason beside it. A body under `/api/v1` is that of the file of its page.",
        ))
        .license(Some(licence))
        .build();
    OpenApiBuilder::new().info(info).paths(paths()).components(Some(components())).build()
}

fn paths() -> Paths {
    let mut paths = PathsBuilder::new();
    for place in PLACES {
        let Some(file) = &place.file else { continue };
        if let Some(api) = place.api {
            paths = paths.path(api, item(place, file, api, Format::Json));
        }
        if place.page.is_some() {
            for format in Format::FILES {
                let path = format!("{}{}", place.path, format.suffix());
                paths = paths.path(path, item(place, file, place.path, format));
            }
        }
    }
    paths.build()
}

fn item(place: &Place, file: &File, pattern: &'static str, format: Format) -> PathItem {
    PathItem::new(HttpMethod::Get, operation(place, file, pattern, format))
}

fn operation(place: &Place, file: &File, pattern: &'static str, format: Format) -> Operation {
    let schema = match format {
        Format::Json => (file.body.schema)(),
        Format::Csv | Format::Html => Object::with_type(Type::String).into(),
    };
    let content = Content::new(Some(schema));
    let found = ResponseBuilder::new().description(file.holds).content(format.media_type(), content).build();
    let mut operation = OperationBuilder::new()
        .tag(if pattern.starts_with(API) { "api" } else { "files" })
        .summary(Some(place.title))
        .response("200", found);
    for name in names_of(pattern) {
        operation = operation.parameter(path_parameter(name));
    }
    for param in place.params(format) {
        operation = operation.parameter(query_parameter(*param));
    }
    for status in problems().into_keys() {
        operation = operation.response(status.to_string(), Ref::from_response_name(problem_name(status)));
    }
    operation.build()
}

fn problem_name(status: u16) -> String {
    format!("{PROBLEM}{status}")
}

/// What GET may be answered with beside its body: titles by status.
fn problems() -> BTreeMap<u16, Vec<&'static str>> {
    let mut by_status: BTreeMap<u16, Vec<&'static str>> = BTreeMap::new();
    for kind in Kind::ALL.into_iter().filter(|kind| *kind != Kind::Method) {
        by_status.entry(kind.status().as_u16()).or_default().push(kind.title());
    }
    by_status
}

fn path_parameter(name: &str) -> Parameter {
    ParameterBuilder::new()
        .name(name)
        .parameter_in(ParameterIn::Path)
        .required(Required::True)
        .schema(Some(Object::with_type(Type::String)))
        .build()
}

fn query_parameter(param: Param) -> Parameter {
    ParameterBuilder::new()
        .name(param.word())
        .parameter_in(ParameterIn::Query)
        .required(Required::False)
        .description(Some(param.meaning()))
        .schema(Some(values(param)))
        .build()
}

fn values(param: Param) -> Object {
    let default = param.default_value();
    let text = ObjectBuilder::new().schema_type(Type::String).default(default.clone().map(Value::from));
    match param.values() {
        Values::Words(words) => text.enum_values(Some(words)).build(),
        Values::Keys(words) => {
            let descending = words.iter().map(|word| format!("-{word}"));
            text.enum_values(Some(words.iter().map(|word| (*word).to_owned()).chain(descending))).build()
        }
        Values::Date => text.format(Some(utoipa::openapi::SchemaFormat::Custom("date".to_owned()))).build(),
        Values::Author => text.max_length(Some(100)).build(),
        Values::Whole { least, most } => ObjectBuilder::new()
            .schema_type(Type::Integer)
            .default(default.and_then(|text| text.parse::<u32>().ok()).map(Value::from))
            .minimum(Some(least))
            .maximum(Some(most))
            .build(),
    }
}

fn components() -> Components {
    let mut schemas = vec![(PROBLEM.to_owned(), RefOr::T(problem()))];
    for file in PLACES.iter().filter_map(|place| place.file.as_ref()) {
        (file.body.parts)(&mut schemas);
    }
    let mut components = ComponentsBuilder::new().schemas_from_iter(schemas);
    for (status, titles) in problems() {
        let content = Content::new(Some(Ref::from_schema_name(PROBLEM)));
        let answer = ResponseBuilder::new()
            .description(titles.join("; "))
            .content("application/problem+json", content)
            .build();
        components = components.response(problem_name(status), answer);
    }
    components.build()
}

fn problem() -> Schema {
    let text =
        |meaning: &str| ObjectBuilder::new().schema_type(Type::String).description(Some(meaning)).build();
    let texts = |meaning: &str| {
        utoipa::openapi::ArrayBuilder::new()
            .items(Object::with_type(Type::String))
            .description(Some(meaning))
            .build()
    };
    let kinds = Kind::ALL.map(|kind| format!("/problems/{}", kind.word()));
    ObjectBuilder::new()
        .property("type", ObjectBuilder::new().schema_type(Type::String).enum_values(Some(kinds)).build())
        .property("title", text("The same for every problem of the type."))
        .property("status", Object::with_type(Type::Integer))
        .property("detail", text("What was wrong this time."))
        .property("instance", text("Path that was asked for."))
        .property("param", text("The parameter that is meant."))
        .property("allowed", texts("What would have been understood."))
        .property("nearest", texts("Pages with names near the one asked for."))
        .property("request_id", text("What the answer and the log call this request."))
        .required("type")
        .required("title")
        .required("status")
        .required("request_id")
        .into()
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;

    #[test]
    fn the_description_of_the_api_is_that_of_the_places() {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/openapi.json");
        let made = document().to_pretty_json().unwrap() + "\n";
        if std::env::var_os("BELLWETHER_WRITE_REFERENCE").is_some() {
            std::fs::write(&path, &made).unwrap();
        }
        let stands = std::fs::read_to_string(&path).unwrap_or_default();
        assert!(
            stands == made,
            "docs/openapi.json is not that of the places: set BELLWETHER_WRITE_REFERENCE=1, run this test, and look at \
             what changed"
        );
    }
}
