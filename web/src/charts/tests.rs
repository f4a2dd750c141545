//! Properties every drawing must have, and reference drawings kept as files beside this one.

use chrono::{DateTime, TimeDelta, Utc};
use proptest::prelude::*;

use super::*;

const HOSTILE: &str = "<script>alert(1)</script> & \"co\"";

fn weeks(count: usize) -> Vec<DateTime<Utc>> {
    let first: DateTime<Utc> = "2025-12-01T00:00:00Z".parse().unwrap();
    (0..count).map(|week| first + TimeDelta::weeks(week as i64)).collect()
}

fn caption() -> Caption<'static> {
    Caption { id: "chart", title: HOSTILE, desc: HOSTILE }
}

/// No inline style, no script, nothing unescaped, no value that is not a number, every drawing named.
fn assert_sound(svg: &str) {
    for forbidden in ["NaN", "inf", "style=", "<script", "\"co\"", " on", "javascript:"] {
        assert!(!svg.contains(forbidden), "`{forbidden}` in {svg}");
    }
    let opened = svg.matches("<svg").count();
    assert_eq!(opened, svg.matches("</svg>").count());
    assert_eq!(svg.matches("<g").count() - svg.matches("<g/>").count(), svg.matches("</g>").count());
    let mut ids: Vec<&str> =
        svg.match_indices(" id=\"").map(|(at, _)| svg[at + 5..].split('"').next().unwrap()).collect();
    let all = ids.len();
    ids.sort_unstable();
    ids.dedup();
    assert_eq!(ids.len(), all, "an id occurs twice in {svg}");
    if svg.contains("role=\"img\"") {
        assert_eq!(svg.matches("role=\"img\"").count(), svg.matches("<title id=").count());
    }
}

/// Vertical positions of the labels at the right end, per drawing.
fn label_positions(svg: &str, beyond: f64) -> Vec<f64> {
    svg.split("<text ")
        .skip(1)
        .filter_map(|text| {
            let x: f64 = text.split("x=\"").nth(1)?.split('"').next()?.parse().ok()?;
            let y: f64 = text.split("y=\"").nth(1)?.split('"').next()?.parse().ok()?;
            (x > beyond && !text.contains("\"ax")).then_some(y)
        })
        .collect()
}

fn reference(name: &str, svg: &str) {
    let path = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("src/charts/reference").join(name);
    if std::env::var_os("BELLWETHER_WRITE_REFERENCE").is_some() {
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(&path, svg).unwrap();
    }
    let expected = std::fs::read_to_string(&path).unwrap();
    assert_eq!(
        svg, expected,
        "{name} changed: look at the new drawing, then set BELLWETHER_WRITE_REFERENCE=1"
    );
}

fn band(label: &str, class: &'static str, shares: &[f64]) -> Band100 {
    Band100 { label: label.to_owned(), class, shares: shares.to_vec() }
}

#[test]
fn a_stack_ends_at_the_last_complete_week_and_goes_on_in_dashes() {
    let at = weeks(4);
    let bands = [
        band("DeepSeek 50.0 %", "s0", &[0.4, 0.45, 0.5, 0.5]),
        band("OpenAI 30.0 %", "s1", &[0.3, 0.3, 0.3, 0.3]),
        band("Others 20.0 %", "s9", &[0.3, 0.25, 0.2, 0.2]),
    ];
    let svg = Stacked { caption: caption(), at: &at, bands: &bands, partial_from: 3, notes: &[] }.render();
    assert_sound(&svg);
    // The top band fills to 100 %: its edge is the frame and needs no dashes. Two edges, two drawings.
    assert_eq!(svg.matches("ln thin dash").count(), 4);
    assert_eq!(svg.matches(" area\"").count(), 6);
    reference("stacked.svg", &svg);
}

#[test]
fn a_volume_of_an_incomplete_week_stands_apart() {
    let at = weeks(5);
    let lines = [Line {
        label: "17.3 T".into(),
        class: "s0",
        dash: Dash::Solid,
        bold: true,
        values: vec![Some(10.0), None, Some(14.0), Some(17.3), Some(6.1)],
    }];
    let chart = LineChart {
        caption: caption(),
        unit: "T tokens",
        at: &at,
        lines: &lines,
        bands: &[],
        partial_from: 4,
        partial: Partial::Stem,
        domain: Domain::Zero,
        notes: &[],
    };
    let svg = chart.render();
    assert_sound(&svg);
    assert_eq!(svg.matches("class=\"hollow s0\"").count(), 2, "one hollow dot in each drawing");
    assert_eq!(svg.matches("<circle class=\"s0\"").count(), 2, "a point without neighbours is a dot");
    reference("line.svg", &svg);
}

#[test]
fn percentile_bands_stop_where_data_stop() {
    let at = weeks(6);
    let known =
        |values: [f64; 6]| values.iter().enumerate().map(|(i, v)| (i != 2).then_some(*v)).collect::<Vec<_>>();
    let bands = [Band { class: "band2", lower: known([5.; 6]), upper: known([9.; 6]) }];
    let lines =
        [Line { label: "p50 5".into(), class: "s0", dash: Dash::Solid, bold: true, values: known([5.; 6]) }];
    let chart = LineChart {
        caption: caption(),
        unit: "ms",
        at: &at,
        lines: &lines,
        bands: &bands,
        partial_from: 6,
        partial: Partial::Dashes,
        domain: Domain::Zero,
        notes: &[Note { at: at[3], text: HOSTILE.into() }],
    };
    let svg = chart.render();
    assert_sound(&svg);
    let ribbon = svg.split("class=\"band2\" d=\"").nth(1).unwrap().split('"').next().unwrap();
    assert_eq!(ribbon.matches('z').count(), 2, "two runs, two shapes: {ribbon}");
}

#[test]
fn an_uptime_axis_ends_at_100_percent() {
    let at = weeks(3);
    let lines = [Line {
        label: "routed".into(),
        class: "s0",
        dash: Dash::Solid,
        bold: true,
        values: vec![Some(99.2), Some(99.9), Some(98.4)],
    }];
    let chart = LineChart {
        caption: caption(),
        unit: "%",
        at: &at,
        lines: &lines,
        bands: &[],
        partial_from: 3,
        partial: Partial::Dashes,
        domain: Domain::Near { most: 100.0 },
        notes: &[],
    };
    let svg = chart.render();
    assert!(svg.contains(">98.0<") || svg.contains(">98<"), "{svg}");
    assert!(svg.contains(">100.0<") || svg.contains(">100<"));
    assert!(!svg.contains(">101"), "nothing is above 100 %");
}

#[test]
fn classes_change_at_the_published_thresholds() {
    let classes = [
        Some(100.0),
        Some(99.9),
        Some(99.89),
        Some(99.0),
        Some(95.0),
        Some(94.99),
        Some(80.0),
        Some(79.99),
        None,
    ]
    .map(Class::of);
    use Class::*;
    assert_eq!(classes, [Full, Full, High, High, Fair, Degraded, Degraded, Down, NoData]);
}

#[test]
fn no_data_is_hollow_and_never_blue() {
    let svg = row_strip(&[Class::NoData, Class::NoData]);
    assert!(svg.contains("u-none") && !svg.contains("u-ok"), "{svg}");
    assert_sound(&svg);
}

#[test]
fn a_strip_is_drawn_as_one_row_and_as_three() {
    let cells: Vec<Cell> = (0..90)
        .map(|day| Cell {
            class: Class::ALL[day % 6],
            tip: HOSTILE.into(),
            mark: (day == 5).then(|| "Sep".into()),
            name: format!("day {day}"),
        })
        .collect();
    let svg = days_strip(&caption(), &cells);
    assert_sound(&svg);
    let (wide, narrow) = svg.split_once("</svg>").unwrap();
    assert_eq!(wide.matches("class=\"hit\"").count(), 90);
    for name in ["day 0", "day 29", "day 30", "day 59", "day 60", "day 89"] {
        assert!(narrow.contains(&format!(">{name}<")), "{name}");
    }
    reference("days.svg", &svg);
}

#[test]
fn whiskers_hold_their_dot() {
    let rows: Vec<Whisker> = [(0.24, 0.19, 0.30), (0.19, 0.14, 0.25), (0.02, 0.01, 0.05)]
        .iter()
        .map(|(share, low, high)| Whisker {
            rank: "1–2".into(),
            name: HOSTILE.into(),
            share: *share,
            low: *low,
            high: *high,
            value: "24 %".into(),
            interval: "19 to 30".into(),
            leads: *share > 0.1,
        })
        .collect();
    let svg = whiskers(&caption(), &rows);
    assert_sound(&svg);
    assert_eq!(svg.matches("class=\"dot\"").count(), 4);
    reference("whiskers.svg", &svg);
}

#[test]
fn every_minute_has_a_column_and_an_unknown_one_has_none() {
    let svg = minute_columns(&caption(), &[Some(4.0), None, Some(2.0)]);
    assert_sound(&svg);
    assert_eq!(svg.matches("c-one").count(), 1);
    let columns = svg.split("c-one").nth(1).unwrap().split("/>").next().unwrap();
    assert_eq!(columns.matches('M').count(), 2, "{svg}");
}

#[test]
fn context_lines_are_written_once() {
    let at = weeks(10);
    let series: Vec<Multiple> = (0..4).map(|_| Multiple { class: "s0", shares: vec![0.2; 10] }).collect();
    let (context, panels) = multiples("mult", &at, &series, 9);
    assert_eq!(context.matches("class=\"ctx\"").count(), 4);
    assert_eq!(panels.len(), 4);
    assert!(panels.iter().all(|panel| panel.contains("href=\"#mult\"") && !panel.contains("ctx")));
    assert_sound(&(context + &panels.concat()));
}

#[test]
fn a_place_beyond_the_depth_runs_out_below_the_last_row() {
    let at = weeks(4);
    let rows = [
        Bump { label: HOSTILE.into(), class: "s0", ranks: vec![Some(2), Some(9), Some(1), Some(1)] },
        Bump { label: "two".into(), class: "ctx", ranks: vec![Some(1), Some(1), Some(2), Some(2)] },
        Bump { label: "gone".into(), class: "ctx", ranks: vec![Some(3), None, None, None] },
    ];
    let svg = bump(&caption(), &at, &rows, 3);
    assert_sound(&svg);
    let line = svg.split("class=\"ln s0\" d=\"").nth(1).unwrap().split('"').next().unwrap();
    assert_eq!(line.matches('M').count(), 2, "{line}");
    assert!(!svg.contains("gone"), "a row without a newest place has no label");
    reference("bump.svg", &svg);
}

#[test]
fn a_bar_shows_what_is_small_and_nothing_where_nothing_is() {
    assert!(bar(0.0001, "").contains("width=\".6\""));
    assert!(bar(0.0, "").contains("width=\"0\""));
    assert!(bar(f64::NAN, "hot").contains("width=\"0\""));
}

#[test]
fn a_label_wider_than_its_plot_is_cut_and_stays_inside() {
    let at = weeks(1);
    let columns = Columns {
        caption: caption(),
        unit: "",
        at: &at,
        names: &["2025-12".to_owned()],
        outer: &[Some(4.0)],
        inner: None,
        partial_from: 1,
        label: "W".repeat(90),
    };
    let svg = columns.render();
    assert_sound(&svg);
    assert_eq!(svg.matches("W…</text>").count(), 2, "one for each drawing: {svg}");
}

proptest! {
    #[test]
    fn any_shares_give_a_sound_stack(
        shares in prop::collection::vec(prop::collection::vec(prop_oneof![0.0f64..1.0, Just(f64::NAN)], 6), 1..11),
        partial in 0usize..8,
    ) {
        let at = weeks(6);
        let bands: Vec<Band100> = shares.iter().map(|shares| band(HOSTILE, "s0", shares)).collect();
        let svg = Stacked { caption: caption(), at: &at, bands: &bands, partial_from: partial, notes: &[] }.render();
        assert_sound(&svg);
        for (drawing, beyond) in svg.split("</svg>").zip([400.0, 190.0]) {
            let mut positions = label_positions(drawing, beyond);
            positions.sort_by(f64::total_cmp);
            prop_assert!(positions.windows(2).all(|pair| pair[1] - pair[0] > 10.5), "{positions:?}");
        }
    }

    #[test]
    fn any_values_give_a_sound_line_chart(
        values in prop::collection::vec(prop::option::of(prop_oneof![-1e9f64..1e15, Just(f64::NAN), Just(f64::INFINITY)]), 0..40),
        partial in 0usize..41,
        stem in any::<bool>(),
        near in any::<bool>(),
    ) {
        let at = weeks(values.len());
        let lines = [
            Line { label: HOSTILE.into(), class: "ctx", dash: Dash::Long, bold: false, values: values.clone() },
            Line { label: HOSTILE.into(), class: "s1", dash: Dash::Dots, bold: true, values: values.clone() },
        ];
        let chart = LineChart {
            caption: caption(),
            unit: HOSTILE,
            at: &at,
            lines: &lines,
            bands: &[Band { class: "band1", lower: values.clone(), upper: values.clone() }],
            partial_from: partial,
            partial: if stem { Partial::Stem } else { Partial::Dashes },
            domain: if near { Domain::Near { most: 100.0 } } else { Domain::Zero },
            notes: &[],
        };
        assert_sound(&chart.render());
        assert_sound(&sparkline(&values));
        assert_sound(&minute_columns(&caption(), &values));
        let names: Vec<String> = at.iter().map(|_| HOSTILE.to_owned()).collect();
        assert_sound(&Columns {
            caption: caption(),
            unit: HOSTILE,
            at: &at,
            names: &names,
            outer: &values,
            inner: Some(&values),
            partial_from: partial,
            label: HOSTILE.into(),
        }.render());
    }
}
