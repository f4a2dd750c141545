//! Colours of the stylesheet: text and marks stand out from the ground in both themes.

use std::collections::BTreeMap;

const STYLE: &str = include_str!("../../../static/style.css");

/// Custom properties that are pairs: (light, dark).
fn pairs() -> BTreeMap<&'static str, (u32, u32)> {
    let root = STYLE.split(":root {").nth(1).unwrap().split("\n}").next().unwrap();
    root.split("--")
        .skip(1)
        .filter_map(|declaration| {
            let (name, value) = declaration.split_once(':')?;
            let inner = value.trim().strip_prefix("light-dark(")?.split(')').next()?;
            let (light, dark) = inner.split_once(',')?;
            let hex = |text: &str| u32::from_str_radix(text.trim().trim_start_matches('#'), 16).ok();
            Some((name.trim(), (hex(light)?, hex(dark)?)))
        })
        .collect()
}

/// Relative luminance of WCAG 2.
fn luminance(colour: u32) -> f64 {
    let channel = |shift: u32| {
        let value = f64::from((colour >> shift) & 0xff) / 255.0;
        if value <= 0.04045 { value / 12.92 } else { ((value + 0.055) / 1.055).powf(2.4) }
    };
    0.2126 * channel(16) + 0.7152 * channel(8) + 0.0722 * channel(0)
}

fn contrast(a: u32, b: u32) -> f64 {
    let (a, b) = (luminance(a), luminance(b));
    (a.max(b) + 0.05) / (a.min(b) + 0.05)
}

#[test]
fn contrast_is_that_of_the_standard() {
    assert!((contrast(0xff_ffff, 0) - 21.0).abs() < 1e-9);
    assert!((contrast(0x77_7777, 0xff_ffff) - 4.48).abs() < 0.01);
}

#[test]
fn text_and_marks_stand_out_in_both_themes() {
    let colours = pairs();
    let of = |name: &str| *colours.get(name).unwrap_or_else(|| panic!("no colour --{name}"));
    let (paper, tint) = (of("paper"), of("tint"));
    for text in ["ink", "ink-2", "ink-3", "accent"] {
        for ground in [paper, tint] {
            let (light, dark) = (contrast(of(text).0, ground.0), contrast(of(text).1, ground.1));
            assert!(light >= 4.5 && dark >= 4.5, "--{text}: {light:.2} light, {dark:.2} dark");
        }
    }
    let series = (0..=9).map(|index| format!("s{index}"));
    let marks = ["rule", "ok", "degraded", "down", "nodata"].map(str::to_owned);
    for mark in series.chain(marks) {
        let (light, dark) = (contrast(of(&mark).0, paper.0), contrast(of(&mark).1, paper.1));
        assert!(light >= 3.0 && dark >= 3.0, "--{mark}: {light:.2} light, {dark:.2} dark");
    }
}

/// Machado 2009, severity 1, on linear light.
const DEUTERANOPIA: [[f64; 3]; 3] =
    [[0.367322, 0.860646, -0.227968], [0.280085, 0.672501, 0.047413], [-0.011820, 0.042940, 0.968881]];
const PROTANOPIA: [[f64; 3]; 3] =
    [[0.152286, 1.052583, -0.204868], [0.114503, 0.786281, 0.099216], [-0.003882, -0.048116, 1.051998]];
const NORMAL: [[f64; 3]; 3] = [[1.0, 0.0, 0.0], [0.0, 1.0, 0.0], [0.0, 0.0, 1.0]];

/// CIE L*a*b* under D65 of a colour as seen with this deficiency.
fn lab(colour: u32, seen: &[[f64; 3]; 3]) -> [f64; 3] {
    let linear = [16, 8, 0].map(|shift: u32| {
        let value = f64::from((colour >> shift) & 0xff) / 255.0;
        if value <= 0.04045 { value / 12.92 } else { ((value + 0.055) / 1.055).powf(2.4) }
    });
    let rgb = seen.map(|row| (row[0] * linear[0] + row[1] * linear[1] + row[2] * linear[2]).clamp(0.0, 1.0));
    let xyz = [
        (0.4124564 * rgb[0] + 0.3575761 * rgb[1] + 0.1804375 * rgb[2]) / 0.95047,
        0.2126729 * rgb[0] + 0.7151522 * rgb[1] + 0.0721750 * rgb[2],
        (0.0193339 * rgb[0] + 0.1191920 * rgb[1] + 0.9503041 * rgb[2]) / 1.08883,
    ];
    let f = xyz.map(|t: f64| if t > 0.008856 { t.cbrt() } else { 7.787 * t + 16.0 / 116.0 });
    [116.0 * f[1] - 16.0, 500.0 * (f[0] - f[1]), 200.0 * (f[1] - f[2])]
}

#[test]
fn series_can_be_told_apart_without_full_colour_vision() {
    let colours = pairs();
    for seen in [NORMAL, DEUTERANOPIA, PROTANOPIA] {
        for dark in [false, true] {
            let all: Vec<[f64; 3]> = (0..=9)
                .map(|index| {
                    let pair = colours[format!("s{index}").as_str()];
                    lab(if dark { pair.1 } else { pair.0 }, &seen)
                })
                .collect();
            for (index, a) in all.iter().enumerate() {
                for b in all.iter().skip(index + 1) {
                    let distance = a.iter().zip(b).map(|(a, b)| (a - b).powi(2)).sum::<f64>().sqrt();
                    // Euclidean distance in L*a*b*; 2.3 is just noticeable.
                    assert!(distance > 13.0, "{distance:.1}, dark: {dark}");
                }
            }
        }
    }
}
