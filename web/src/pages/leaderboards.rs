//! Where the leaderboards are: of models, authors and providers, and the list of all models. All are drawn alike.

use std::marker::PhantomData;

use super::rankings::{ModelsQuery, render};
use crate::data::{Dataset, GroupBy, UserQuery};
use crate::files;
use crate::place::{self, Draw, PageContext, PageError, Place, Section};
use crate::url::{Query, Variants, query};
use crate::views::View as _;
use crate::views::rankings::{self, RankedQuery, Rankings};

query! {
    /// The same of what has neither variants nor authors.
    PlainQuery { metric, period + From + To, vs, sort, view, all_rows, skip }
}

query! {
    /// Of a list without a chart.
    ListQuery { metric, period, sort, all_rows }
}

/// A leaderboard that is asked no more than `Q`.
struct Board<Q>(PhantomData<Q>);

impl<Q: Query> Draw for Board<Q> {
    type Query = Q;

    fn draw(ctx: &PageContext, query: &Q, data: &Dataset) -> Result<String, PageError> {
        render(ctx, &ModelsQuery::of(&query.state()), data)
    }

    fn users(ctx: &PageContext, query: &Q, data: &Dataset) -> Vec<UserQuery> {
        Rankings::users(ctx, &RankedQuery::of(&query.state()), data)
    }
}

pub static MODELS: Place = Place {
    path: "/rankings/models",
    aliases: &["/rankings"],
    api: Some("/api/v1/rankings/models"),
    title: "Models ranked",
    navigation: Some("Rankings"),
    ranks: Some(|variants| match variants {
        Variants::Own => GroupBy::Series,
        Variants::Folded => GroupBy::Model,
    }),
    page: Some(place::Page::of::<Board<ModelsQuery>>()),
    file: Some(files::of::<Rankings>("models by tokens, requests, spend, users")),
    ..LEADERBOARD
};

pub static AUTHORS: Place = Place {
    path: "/rankings/authors",
    aliases: &["/authors"],
    api: Some("/api/v1/rankings/authors"),
    title: "Authors ranked",
    ranks: Some(|_| GroupBy::Author),
    file: Some(files::with_less::<Rankings, rankings::PlainQuery>("authors")),
    ..LEADERBOARD
};

pub static PROVIDER_RANKING: Place = Place {
    path: "/rankings/providers",
    api: Some("/api/v1/rankings/providers"),
    title: "Providers ranked",
    ranks: Some(|_| GroupBy::Provider),
    file: Some(files::with_less::<Rankings, rankings::PlainQuery>("providers")),
    ..LEADERBOARD
};

pub static MODEL_LIST: Place = Place {
    path: "/models",
    title: "All models",
    ranks: Some(|_| GroupBy::Series),
    page: Some(place::Page::of::<Board<ListQuery>>()),
    ..LEADERBOARD
};

/// What all of them share, and most of the rest.
const LEADERBOARD: Place = Place {
    section: Section::Rankings,
    in_sitemap: true,
    page: Some(place::Page::of::<Board<PlainQuery>>()),
    ..Place::DEFAULT
};
