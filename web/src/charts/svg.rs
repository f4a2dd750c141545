//! Writing SVG: escaping, coordinates with one decimal, paths in relative form. Nothing here knows a chart.

use std::borrow::Cow;
use std::fmt::Write as _;

/// `&`, `<`, `>`, and both quotes, so that a foreign name can stand in text and in attributes.
pub fn escape(text: &str) -> Cow<'_, str> {
    if !text.contains(['&', '<', '>', '"', '\'']) {
        return Cow::Borrowed(text);
    }
    let mut out = String::with_capacity(text.len() + 16);
    for character in text.chars() {
        match character {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\'' => out.push_str("&#39;"),
            other => out.push(other),
        }
    }
    Cow::Owned(out)
}

/// Tenths of a user unit. A value that is not finite becomes 0: a chart never prints NaN.
fn tenths(value: f64) -> i64 {
    if value.is_finite() { (value.clamp(-1e6, 1e6) * 10.0).round() as i64 } else { 0 }
}

/// A coordinate with at most one decimal and no superfluous digit: `12.5`, `-.4`, `7`.
pub fn coordinate(value: f64) -> String {
    short(tenths(value))
}

fn short(tenths: i64) -> String {
    let sign = if tenths < 0 { "-" } else { "" };
    let (whole, rest) = (tenths.abs() / 10, tenths.abs() % 10);
    match (whole, rest) {
        (0, 0) => "0".to_owned(),
        (whole, 0) => format!("{sign}{whole}"),
        (0, rest) => format!("{sign}.{rest}"),
        (whole, rest) => format!("{sign}{whole}.{rest}"),
    }
}

/// Path data in relative steps. Steps are differences of rounded positions, so rounding never accumulates.
#[derive(Clone, Debug, Default)]
pub struct Path {
    data: String,
    at: (i64, i64),
    repeats: bool,
}

impl Path {
    pub fn is_empty(&self) -> bool {
        self.data.is_empty()
    }

    pub fn data(&self) -> &str {
        &self.data
    }

    fn pair(&mut self, x: i64, y: i64) {
        let first = short(x);
        if self.repeats && !first.starts_with('-') {
            self.data.push(' ');
        }
        self.data.push_str(&first);
        let second = short(y);
        if !second.starts_with('-') {
            self.data.push(' ');
        }
        self.data.push_str(&second);
        self.repeats = true;
    }

    pub fn to(&mut self, x: f64, y: f64) -> &mut Self {
        self.data.push('M');
        self.repeats = false;
        self.at = (tenths(x), tenths(y));
        self.pair(self.at.0, self.at.1);
        self.repeats = false;
        self
    }

    pub fn line(&mut self, x: f64, y: f64) -> &mut Self {
        if self.is_empty() {
            return self.to(x, y);
        }
        let next = (tenths(x), tenths(y));
        if !self.repeats {
            self.data.push('l');
        }
        self.pair(next.0 - self.at.0, next.1 - self.at.1);
        self.at = next;
        self
    }

    /// A filled rectangle as a part of the path.
    pub fn rect(&mut self, x: f64, y: f64, width: f64, height: f64) -> &mut Self {
        self.to(x, y);
        let (w, h) = (tenths(width), tenths(height));
        let _ = write!(self.data, "h{}v{}h{}z", short(w), short(h), short(-w));
        self
    }

    pub fn close(&mut self) -> &mut Self {
        self.data.push('z');
        self.repeats = false;
        self
    }
}

/// One SVG element under construction.
#[derive(Debug)]
pub struct Svg {
    out: String,
}

impl Svg {
    /// A picture with a name and a description. `id` must be unique in the page.
    pub fn picture(class: &str, width: f64, height: f64, id: &str, title: &str, description: &str) -> Self {
        let id = escape(id);
        let mut out = String::with_capacity(4096);
        let _ = write!(
            out,
            "<svg class=\"{class}\" viewBox=\"0 0 {w} {h}\" role=\"img\" aria-labelledby=\"{id}-t {id}-d\">\
             <title id=\"{id}-t\">{title}</title><desc id=\"{id}-d\">{description}</desc><g aria-hidden=\"true\">",
            class = escape(class),
            w = coordinate(width),
            h = coordinate(height),
            title = escape(title),
            description = escape(description),
        );
        Self { out }
    }

    /// A mark beside its own number in text: hidden from assistive technology.
    pub fn decoration(class: &str, view_box: &str, stretch: bool) -> Self {
        let stretch = if stretch { " preserveAspectRatio=\"none\"" } else { "" };
        Self {
            out: format!("<svg class=\"{class}\" viewBox=\"{view_box}\"{stretch} aria-hidden=\"true\"><g>"),
        }
    }

    pub fn text(&mut self, x: f64, y: f64, class: &str, text: &str) {
        let (x, y, text) = (coordinate(x), coordinate(y), escape(text));
        let class = if class.is_empty() { String::new() } else { format!(" class=\"{class}\"") };
        let _ = write!(self.out, "<text x=\"{x}\" y=\"{y}\"{class}>{text}</text>");
    }

    pub fn segment(&mut self, class: &str, from: (f64, f64), to: (f64, f64)) {
        let mut path = Path::default();
        path.to(from.0, from.1).line(to.0, to.1);
        self.path(class, &path);
    }

    pub fn path(&mut self, class: &str, path: &Path) {
        if !path.is_empty() {
            let _ = write!(self.out, "<path class=\"{class}\" d=\"{}\"/>", path.data());
        }
    }

    pub fn circle(&mut self, class: &str, x: f64, y: f64, radius: f64) {
        let (x, y, r) = (coordinate(x), coordinate(y), coordinate(radius));
        let _ = write!(self.out, "<circle class=\"{class}\" cx=\"{x}\" cy=\"{y}\" r=\"{r}\"/>");
    }

    pub fn rect(&mut self, class: &str, x: f64, y: f64, width: f64, height: f64) {
        let (x, y) = (coordinate(x), coordinate(y));
        let (w, h) = (coordinate(width.max(0.0)), coordinate(height.max(0.0)));
        let class = if class.is_empty() { String::new() } else { format!(" class=\"{class}\"") };
        let _ = write!(self.out, "<rect{class} x=\"{x}\" y=\"{y}\" width=\"{w}\" height=\"{h}\"/>");
    }

    /// Opens a group that shows `tooltip` to a pointer.
    pub fn open_tip(&mut self, tooltip: &str) {
        let _ = write!(self.out, "<g><title>{}</title>", escape(tooltip));
    }

    pub fn close_tip(&mut self) {
        self.out.push_str("</g>");
    }

    /// Markup that is already SVG.
    pub(super) fn raw(&mut self, markup: &str) {
        self.out.push_str(markup);
    }

    pub fn finish(mut self) -> String {
        self.out.push_str("</g></svg>");
        self.out
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn coordinates_are_short_and_finite() {
        for (value, text) in [
            (0.0, "0"),
            (7.0, "7"),
            (12.54, "12.5"),
            (-0.44, "-.4"),
            (0.05, ".1"),
            (f64::NAN, "0"),
            (f64::INFINITY, "0"),
            (-0.01, "0"),
        ] {
            assert_eq!(coordinate(value), text, "{value}");
        }
    }

    #[test]
    fn relative_steps_do_not_accumulate_rounding() {
        let mut path = Path::default();
        for step in 0..=100 {
            path.line(f64::from(step) * 0.33, 5.0);
        }
        // 100 · 0.33 = 33.0: the steps must add up to it exactly.
        let steps: f64 = path
            .data()
            .split_once('l')
            .unwrap()
            .1
            .split(' ')
            .enumerate()
            .filter(|(index, _)| index % 2 == 0)
            .map(|(_, step)| step.parse::<f64>().unwrap())
            .sum();
        assert!((steps - 33.0).abs() < 1e-9, "{steps}");
    }

    #[test]
    fn negative_steps_need_no_blank() {
        let mut path = Path::default();
        path.to(10.0, 10.0).line(9.0, 11.0).line(8.0, 9.5);
        assert_eq!(path.data(), "M10 10l-1 1-1-1.5");
    }

    #[test]
    fn foreign_text_is_escaped() {
        let mut svg = Svg::picture("wide", 10.0, 10.0, "x", "<script>", "a & b");
        svg.text(0.0, 0.0, "", "\"q\" <b>");
        let out = svg.finish();
        assert!(
            out.contains("&lt;script&gt;")
                && out.contains("a &amp; b")
                && out.contains("&quot;q&quot; &lt;b&gt;")
        );
        assert!(!out.contains("<script") && !out.contains("<b>"));
    }
}
