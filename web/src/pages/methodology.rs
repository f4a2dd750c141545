//! Every published number and how it is defined; thresholds are those of this very site.

use crate::place::{self, PageContext, PageError, Place, Section};
use askama::Template;

use super::parts::Html;
use super::shell::Shell;
use crate::data::{Dataset, Profile, Thresholds};

pub static METHODOLOGY: Place = Place {
    path: "/methodology",
    title: "Methodology",
    section: Section::Methodology,
    navigation: Some("Methodology"),
    in_sitemap: true,
    before_traffic: true,
    page: Some(place::Page::of::<Page>()),
    ..Place::DEFAULT
};

#[derive(Template)]
#[template(path = "methodology.html")]
struct Page {
    shell: Shell,
    t: Thresholds,
    profile: &'static str,
    simulated: bool,
    reasons: Vec<(Html, String)>,
    unmapped: Vec<(Html, String)>,
    /// Attempts of a model and at a provider that nobody maps, where there are any.
    raw: Option<[String; 2]>,
}

impl place::Draw for Page {
    type Query = ();

    fn draw(ctx: &PageContext, _: &(), data: &Dataset) -> Result<String, PageError> {
        let profile = match data.profile {
            Profile::Public => "public",
            Profile::Private => "private",
            Profile::Demo => "demo",
        };
        let quality = &data.quality;
        let page = Page {
            shell: Shell::new(
                ctx,
                Some(data),
                "Methodology",
                "What every number means, how it is counted and what it needs before it is shown.",
            ),
            t: data.thresholds,
            profile,
            simulated: data.simulated,
            reasons: quality
                .reject_reasons
                .iter()
                .map(|reason| (Html::text(&reason.reason), crate::format::count(reason.n)))
                .collect(),
            unmapped: quality
                .unmapped_names
                .iter()
                .take(20)
                .map(|name| {
                    (Html::text(&format!("{} {}", name.kind, name.name)), crate::format::count(name.requests))
                })
                .collect(),
            raw: Some(quality.unmapped_attempts)
                .filter(|attempts| attempts.models > 0 || attempts.providers > 0)
                .map(|attempts| [attempts.models, attempts.providers].map(crate::format::count)),
        };
        Ok(page.render()?)
    }
}
