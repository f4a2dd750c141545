//! Small pieces inside text and tables: changes, states, instants, and figures that may be withheld.

use chrono::{DateTime, NaiveDate, Utc};

use super::html::Html;
use crate::data::{Change, Figure, NotEnough, NotYet, State, Tally, Untold};
use crate::format::{self, NBSP};

/// Why a figure is missing: `not enough data (n = 37, needs 100)`.
pub fn untold(why: &Untold) -> Html {
    Html::markup(match why {
        Untold::NotEnough(why) => {
            let reason = reason(why);
            format!("<span class=\"nodata\"><span class=\"long\">not enough data </span>({reason})</span>")
        }
        Untold::NotYet(_) => format!("<span class=\"nodata\">{NOT_YET}</span>"),
    })
}

const NOT_YET: &str = "not published yet";

/// The same in a sentence, with what is to be expected.
pub fn why(why: &Untold) -> String {
    match why {
        Untold::NotEnough(why) => format!("not enough data ({})", reason(why)),
        Untold::NotYet(why) => match why.due_at {
            Some(at) => format!("{NOT_YET}: the first day closes at {} UTC", format::instant(at)),
            None => NOT_YET.to_owned(),
        },
    }
}

/// What a figure needs, and what there is.
pub fn reason(why: &NotEnough) -> String {
    let needs = format::count(why.needs);
    match why.needs_users.map(format::count) {
        None => match why.n {
            Some(n) => format!("n = {}, needs {needs}", format::count(n)),
            None => format!("needs n = {needs}"),
        },
        Some(users) if why.needs == 0 => format!("needs {users} users"),
        Some(users) => format!("needs n = {needs} and {users} users"),
    }
}

/// A figure in its format, or why it is withheld.
pub fn figure(figure: &Figure<f64>, show: impl Fn(f64) -> String) -> Html {
    match figure {
        Ok(value) => Html::text(&show(*value)),
        Err(why) => untold(why),
    }
}

/// A count, if anybody has counted.
pub fn tally(tally: Option<Tally>) -> Html {
    optional(tally.map(format::tally))
}

/// Unknown is a dash with a word, never 0.
pub fn unknown() -> Html {
    Html::markup("<span class=\"fine\">–<span class=\"vh\"> unknown</span></span>")
}

/// Rank of a row; those whose value is not known have none.
pub fn rank(rank: Option<u32>) -> Html {
    optional(rank.map(|rank| rank.to_string()))
}

pub fn optional(value: Option<String>) -> Html {
    value.map_or_else(unknown, |text| Html::text(&text))
}

/// Arrow, sign and word; no colour, because growth is not a virtue. `text` is the signed figure.
pub fn moved(direction: f64, text: &str) -> Html {
    let is_zero = !text.chars().any(|digit| ('1'..='9').contains(&digit));
    if is_zero || direction == 0.0 {
        return Html::markup(format!("<span class=\"chg same\">{}</span>", Html::text(text)));
    }
    let (icon, word) = if direction > 0.0 { ("a-up", "up ") } else { ("a-down", "down ") };
    Html::markup(format!(
        "<span class=\"chg\"><svg class=\"ic\" viewBox=\"0 0 10 10\" aria-hidden=\"true\"><use href=\"#{icon}\"/></svg>\
         <span class=\"vh\">{word}</span>{}</span>",
        Html::text(text)
    ))
}

/// Percentage points with a sign.
pub fn points(value: f64, decimals: usize) -> Html {
    moved(value, &format::signed(value, decimals))
}

/// Change of a value, in percent.
pub fn change(change: &Change) -> Html {
    match change {
        Change::Ratio(ratio) if *ratio >= 9.995 => {
            moved(1.0, &format!("×{}", format::decimal(ratio + 1.0, 0)))
        }
        Change::Ratio(ratio) => moved(*ratio, &format::signed(ratio * 100.0, 1)),
        Change::New => Html::markup("<span class=\"chg\">new</span>"),
        Change::NotEnough(why) => untold(&Untold::NotEnough(*why)),
        Change::NotYet => untold(&Untold::NotYet(NotYet::default())),
        Change::Unknown => unknown(),
    }
}

/// Change in a sentence: `up 6.9 %`, `down 2.0 %`, `unchanged`.
pub fn change_words(change: &Change) -> Option<String> {
    match change {
        Change::Ratio(ratio) => {
            let text = format::decimal(ratio.abs() * 100.0, 1);
            if text == "0.0" {
                return Some("unchanged".to_owned());
            }
            let word = if *ratio > 0.0 { "up" } else { "down" };
            Some(if *ratio >= 9.995 {
                format!("{} times as much", format::decimal(ratio + 1.0, 0))
            } else {
                format!("{word} {text}{NBSP}%")
            })
        }
        _ => None,
    }
}

/// Places won or lost; `new` where there was nothing before.
pub fn rank_change(change: Option<i64>, is_new: bool) -> Html {
    match change {
        Some(0) => Html::markup("<span class=\"chg same\">=<span class=\"vh\"> unchanged</span></span>"),
        Some(places) => moved(places as f64, &places.abs().to_string()),
        None if is_new => Html::markup("<span class=\"chg\">new</span>"),
        None => Html::default(),
    }
}

/// Shape, colour and word.
pub fn state(state: State) -> Html {
    state_with(state, "")
}

/// The same with a mark behind the word, e.g. a colon before the number that made the state.
pub fn state_with(state: State, mark: &str) -> Html {
    let (class, icon) = match state {
        State::Operational => ("ok", "st-ok"),
        State::Degraded => ("degraded", "st-deg"),
        State::Down => ("down", "st-down"),
        State::NoData => ("none", "st-none"),
    };
    Html::markup(format!(
        "<span class=\"state {class}\"><svg class=\"ic\" viewBox=\"0 0 10 10\" aria-hidden=\"true\">\
         <use href=\"#{icon}\"/></svg><span>{}{mark}</span></span>",
        state.label()
    ))
}

pub fn date(date: NaiveDate) -> Html {
    Html::markup(format!("<time datetime=\"{date}\">{}</time>", format::date(date)))
}

/// `25 Nov 2026, 00:40`
pub fn instant(at: DateTime<Utc>) -> Html {
    Html::markup(format!("<time datetime=\"{}\">{}</time>", format::machine(at), format::instant(at)))
}

pub fn clock(at: DateTime<Utc>) -> Html {
    Html::markup(format!("<time datetime=\"{}\">{}</time>", format::machine(at), format::clock(at)))
}

/// A link to the definition of a term, dotted.
pub fn term(anchor: &str, text: &str) -> Html {
    Html::markup(format!("<a class=\"def\" href=\"/methodology#{anchor}\">{}</a>", Html::text(text)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_withheld_figure_says_what_it_needs() {
        let html = figure(&Err(NotEnough::counts(37, 100).into()), |value| value.to_string());
        assert!(html.as_str().contains("not enough data </span>(n = 37, needs 100)"), "{html}");
        assert_eq!(reason(&NotEnough::labelled(0, 20)), "needs 20 users");
        assert_eq!(reason(&NotEnough::labelled(100, 20)), "needs n = 100 and 20 users");
        assert_eq!(why(&NotEnough::counts(0, 100).into()), "not enough data (n = 0, needs 100)");
    }

    #[test]
    fn what_is_still_to_be_published_is_not_too_little() {
        let due_at = Some("2026-11-26T02:00:00Z".parse().unwrap());
        let html = figure(&Err(NotYet { due_at }.into()), |value| value.to_string());
        assert_eq!(html.as_str(), "<span class=\"nodata\">not published yet</span>");
        let sentence = why(&NotYet { due_at }.into());
        assert_eq!(sentence, "not published yet: the first day closes at 26 Nov 2026, 02:00 UTC");
        assert_eq!(why(&NotYet::default().into()), "not published yet");
    }

    #[test]
    fn a_change_has_arrow_sign_and_word() {
        let up = change(&Change::Ratio(0.125));
        assert!(up.as_str().contains("#a-up") && up.as_str().contains("up </span>+12.5"), "{up}");
        let down = change(&Change::Ratio(-0.076));
        assert!(down.as_str().contains("#a-down") && down.as_str().contains("−7.6"), "{down}");
        assert!(change(&Change::Ratio(0.0001)).as_str().contains("same"));
        assert_eq!(change(&Change::New).as_str(), "<span class=\"chg\">new</span>");
        assert!(change(&Change::Unknown).as_str().contains("unknown"));
    }

    #[test]
    fn a_state_has_shape_and_word() {
        for (value, shape, word) in [
            (State::Operational, "st-ok", "Operational"),
            (State::Degraded, "st-deg", "Degraded"),
            (State::Down, "st-down", "Down"),
            (State::NoData, "st-none", "No data"),
        ] {
            let html = state(value);
            assert!(html.as_str().contains(shape) && html.as_str().contains(word), "{html}");
        }
    }

    #[test]
    fn unknown_is_not_zero() {
        assert!(optional(None).as_str().contains("unknown"));
        assert!(!optional(None).as_str().contains('0'));
    }
}
