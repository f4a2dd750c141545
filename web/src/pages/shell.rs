//! What stands around every page: head, navigation, banners, footer.

use super::PLACES;
use super::parts::{Html, cells};
use crate::assets::href;
use crate::data::Dataset;
use crate::error::ErrorView;
use crate::format;
use crate::place::{Late, PageContext, Section, Stale};
use crate::url::{Format, Theme};

pub struct NavLink {
    pub href: &'static str,
    pub text: &'static str,
    pub current: bool,
    /// The link leads to this very page, not only to its part of the site.
    pub exact: bool,
}

#[derive(Clone, Debug)]
pub struct Shell {
    pub title: String,
    pub description: String,
    pub section: Section,
    /// `light` or `dark`; `None` = as the device says.
    pub theme: Option<&'static str>,
    pub canonical: String,
    pub stylesheet: String,
    pub icon: String,
    pub simulated: bool,
    /// How far a history is that is still being written.
    pub history: Option<String>,
    pub stale: Option<Html>,
    /// Nothing may be named, because the whole traffic has too few users.
    pub needs: Option<Html>,
    /// As-of times and quality of the data.
    pub quality: Option<Html>,
    path: String,
    chosen: Theme,
    files: Vec<(&'static str, String)>,
}

impl Shell {
    /// `description` is the finding: it goes where links to the page are previewed.
    pub fn new(ctx: &PageContext, data: Option<&Dataset>, title: &str, description: &str) -> Self {
        let files = if ctx.page.has_files() {
            vec![("text/csv", ctx.download(Format::Csv)), ("application/json", ctx.download(Format::Json))]
        } else {
            Vec::new()
        };
        Self {
            title: title.to_owned(),
            description: description.to_owned(),
            section: ctx.page.place().section,
            theme: theme_word(ctx.theme),
            canonical: ctx.canonical_url(),
            stylesheet: href("style.css"),
            icon: href("favicon.svg"),
            simulated: data.is_some_and(|data| data.simulated),
            history: data.and_then(|data| data.history).map(|written| written.sentence()),
            stale: data.zip(ctx.stale).map(|(data, stale)| late(data, stale)),
            needs: data.and_then(needs),
            quality: data.filter(|data| !data.is_empty()).map(quality),
            path: ctx.canonical(),
            chosen: ctx.theme,
            files,
        }
    }

    pub fn of_error(view: &ErrorView) -> Self {
        Self {
            title: view.title.clone(),
            description: view.detail.clone(),
            section: Section::None,
            theme: theme_word(view.theme),
            canonical: "/".to_owned(),
            stylesheet: href("style.css"),
            icon: href("favicon.svg"),
            simulated: view.simulated,
            history: None,
            stale: None,
            needs: None,
            quality: None,
            path: "/".to_owned(),
            chosen: view.theme,
            files: Vec::new(),
        }
    }

    /// Scheme and host when they are configured, for commands that a reader copies.
    pub fn origin(&self) -> &str {
        match self.canonical.find(&self.path) {
            Some(at) if at > 0 => self.canonical.get(..at).unwrap_or_default(),
            _ => "http://127.0.0.1:8080",
        }
    }

    pub fn canonical_path(&self) -> &str {
        &self.path
    }

    pub fn alternates(&self) -> &[(&'static str, String)] {
        &self.files
    }

    pub fn navigation(&self) -> Vec<NavLink> {
        PLACES
            .iter()
            .filter_map(|place| {
                Some(NavLink {
                    href: place.path,
                    text: place.navigation?,
                    current: place.section == self.section,
                    exact: self.path.split('?').next() == Some(place.path),
                })
            })
            .collect()
    }

    /// Value, text and whether it is chosen.
    pub fn themes(&self) -> [(&'static str, &'static str, bool); 3] {
        [(Theme::Auto, "As the device"), (Theme::Light, "Light"), (Theme::Dark, "Dark")]
            .map(|(theme, text)| (theme.word(), text, theme == self.chosen))
    }
}

fn theme_word(theme: Theme) -> Option<&'static str> {
    (theme != Theme::Auto).then(|| theme.word())
}

/// What an operator of a small site has to know.
fn needs(data: &Dataset) -> Option<Html> {
    data.too_few_users.map(|users| {
        Html::markup(format!(
            "<b>Usage needs {} users, you have {}.</b> Totals and health are shown. A site for yourself: \
             <code>profile = \"private\"</code>.",
            format::count(data.thresholds.users),
            format::count(users)
        ))
    })
}

fn late(data: &Dataset, stale: Stale) -> Html {
    let minutes = stale.limit_secs / 60;
    Html::markup(match stale.late {
        Late::Events => format!(
            "The newest event is of {} UTC, older than the limit of {minutes} minutes.",
            cells::instant(data.newest_event_at.unwrap_or(data.as_of))
        ),
        Late::Published => format!(
            "What is counted below ends with {} UTC and has not been brought up to date for more than {minutes} minutes.",
            cells::instant(data.as_of)
        ),
    })
}

/// As-of times and shares that tell how complete the data are.
fn quality(data: &Dataset) -> Html {
    let quality = &data.quality;
    let share = |name: &str, share: Option<f64>, of: &str| {
        share.map(|share| format!("{name} {} {of}", format::percent_sign(share, 2)))
    };
    let parts: Vec<String> = [
        share("unpriced", quality.unpriced, "of tokens"),
        share("unmapped names", quality.unmapped, "of requests"),
        share("duplicates removed", quality.duplicate_share(), "of records"),
        share("rejected", quality.reject_share(), "of records"),
        share("natural language known for", quality.label_coverage, "of labelled tokens"),
    ]
    .into_iter()
    .flatten()
    .collect();
    let week = if parts.is_empty() {
        String::new()
    } else {
        format!(" Last 7 complete days: {}.", Html::text(&parts.join("; ")))
    };
    Html::markup(format!(
        "As of {} UTC, up to which everything has arrived. Live windows end at {}; days end with {}.{week}",
        cells::instant(data.as_of),
        cells::clock(data.buckets_end),
        cells::date(data.last_complete_date()),
    ))
}

/// Pages of the same kind, none above another; the one that is shown is no link.
pub fn beside(pages: &[(&str, String)], here: &str) -> Html {
    let links: Vec<String> = pages
        .iter()
        .map(|(text, href)| {
            if href == here {
                format!("<b aria-current=\"page\">{}</b>", Html::text(text))
            } else {
                Html::link(href, text).as_str().to_owned()
            }
        })
        .collect();
    Html::markup(links.join(" · "))
}

/// Crumbs above a page: text and address of each step; the last has none.
pub fn crumbs(steps: &[(&str, Option<String>)]) -> Html {
    let steps: Vec<String> = steps
        .iter()
        .map(|(text, href)| Html::link_or_text(href.as_deref(), text).as_str().to_owned())
        .collect();
    Html::markup(steps.join(" / "))
}
