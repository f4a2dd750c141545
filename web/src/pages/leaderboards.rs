//! Where the leaderboards are: of models, authors and providers, and the list of all models. All are drawn alike.

use super::rankings::render;
use crate::data::GroupBy;
use crate::files;
use crate::place::{self, Place, Section};
use crate::url::{Param, Variants};
use crate::views::rankings::{Rankings, users};

const PARAMS: &[Param] = &[
    Param::Metric,
    Param::Period,
    Param::From,
    Param::To,
    Param::Vs,
    Param::Sort,
    Param::View,
    Param::N,
    Param::Skip,
];
const FILE_PARAMS: &[Param] =
    &[Param::Metric, Param::Period, Param::From, Param::To, Param::Vs, Param::N, Param::Limit, Param::Offset];

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
    page: Some(
        place::Page::new(
            &[
                Param::Metric,
                Param::Period,
                Param::From,
                Param::To,
                Param::Vs,
                Param::Variants,
                Param::Author,
                Param::Sort,
                Param::View,
                Param::N,
                Param::Skip,
            ],
            render,
        )
        .with_users(users),
    ),
    file: Some(place::File {
        params: &[
            Param::Metric,
            Param::Period,
            Param::From,
            Param::To,
            Param::Vs,
            Param::Variants,
            Param::Author,
            Param::N,
            Param::Limit,
            Param::Offset,
        ],
        ..FILE
    }),
    ..LEADERBOARD
};

pub static AUTHORS: Place = Place {
    path: "/rankings/authors",
    aliases: &["/authors"],
    api: Some("/api/v1/rankings/authors"),
    title: "Authors ranked",
    ranks: Some(|_| GroupBy::Author),
    file: Some(place::File { holds: "authors", ..FILE }),
    ..LEADERBOARD
};

pub static PROVIDER_RANKING: Place = Place {
    path: "/rankings/providers",
    api: Some("/api/v1/rankings/providers"),
    title: "Providers ranked",
    ranks: Some(|_| GroupBy::Provider),
    file: Some(place::File { holds: "providers", ..FILE }),
    ..LEADERBOARD
};

pub static MODEL_LIST: Place = Place {
    path: "/models",
    title: "All models",
    ranks: Some(|_| GroupBy::Series),
    page: Some(
        place::Page::new(&[Param::Metric, Param::Period, Param::Sort, Param::N], render).with_users(users),
    ),
    ..LEADERBOARD
};

/// What all of them share, and most of the rest.
const LEADERBOARD: Place = Place {
    section: Section::Rankings,
    in_sitemap: true,
    page: Some(place::Page::new(PARAMS, render).with_users(users)),
    ..Place::DEFAULT
};

const FILE: place::File =
    files::of::<Rankings>("models by tokens, requests, spend, users", FILE_PARAMS).with_users(users);
