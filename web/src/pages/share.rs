//! Market share: a year of weeks as a 100 % stack and as one line each; Others opens to the next ranks.

use crate::files;
use crate::place::{self, PageContext, PageError, Place, Section};
use crate::url::View;
use askama::Template;

use super::controls;
use super::parts::{Figure, Html, Picker, Table};
use super::shares::{Panel, Shares, concentration, panels, stack_figure};
use super::shell::Shell;
use crate::data::{Dataset, Metric, NAMED};
use crate::format;
use crate::views::View as _;
use crate::views::share::{Share, ShareQuery};

pub static SHARE: Place = Place {
    path: "/rankings/share",
    api: Some("/api/v1/share"),
    title: "Market share",
    section: Section::Share,
    navigation: Some("Share"),
    in_sitemap: true,
    page: Some(place::Page::of::<Page>()),
    file: Some(files::of::<Share>("weekly shares over a year")),
    ..Place::DEFAULT
};

#[derive(Template)]
#[template(path = "share.html")]
struct Page {
    shell: Shell,
    finding: String,
    deck: Html,
    pickers: Vec<Picker>,
    others: Option<(String, String)>,
    first: Option<String>,
    figure: Option<Figure>,
    summary: Table,
    context: Html,
    panels: Vec<Panel>,
    table_only: bool,
}

impl place::Draw for Page {
    type Query = ShareQuery;

    fn draw(ctx: &PageContext, query: &ShareQuery, data: &Dataset) -> Result<String, PageError> {
        let what = query.by.word();
        let Share { weekly, named, metric, .. } = Share::of(ctx, query, data)?;
        let skip = query.skip as usize;
        let shares = Shares::of(data, &weekly, metric, skip);
        let next = ShareQuery { skip: query.skip + u32::try_from(NAMED).unwrap_or(9), ..query.clone() };
        let more = named > skip + NAMED;
        let others = more.then(|| {
            let last = (skip + 2 * NAMED).min(named);
            (format!("Others: ranks {} to {last}", skip + NAMED + 1), ctx.href(&next))
        });
        let others_href = others.as_ref().map_or_else(|| ctx.canonical(), |(_, href)| href.clone());
        let (finding, figure, context, panels) = match &shares {
            Some(shares) => {
                let mut figure = stack_figure(shares, what, query.metric, controls::downloads(ctx), 1);
                figure.title = shares.leaders_title();
                let (context, panels) = panels(data, shares, &others_href);
                (shares.title(), Some(figure), context, panels)
            }
            None => ("Not enough history for shares over time".to_owned(), None, Html::default(), Vec::new()),
        };
        let hhi = concentration(&weekly, query.metric).filter(|_| skip == 0).map_or(
            String::new(),
            |(then, now)| {
                format!(
                    " Concentration (HHI) is {}, from {} in the first week.",
                    format::decimal(now, 0),
                    format::decimal(then, 0)
                )
            },
        );
        let users = query.metric == Metric::Users;
        let deck = format!(
            "Share of {} by {what} over up to 52 complete ISO weeks. The {} series are the largest over the whole span, so that colours stay; everything else is Others.{}{hhi}",
            metric.word(),
            format::in_words(NAMED),
            if users { " Users are not additive, so their shares are shown by requests." } else { "" },
        );
        let page = Page {
            shell: Shell::new(ctx, Some(data), "Market share", &finding),
            deck: Html::text(&deck),
            pickers: controls::pickers(ctx, query),
            first: (skip > 0).then(|| ctx.href(&ShareQuery { skip: 0, ..query.clone() })),
            others,
            figure,
            summary: shares.as_ref().map(|shares| shares.summary(data)).unwrap_or_default(),
            context,
            panels,
            table_only: query.view == View::Table,
            finding,
        };
        Ok(page.render()?)
    }
}
