//! The natural language of a prompt: what is not code is cleaned, a non-Latin script decides by itself, the
//! rest is left to `whichlang`.

use whichlang::{Lang, detect_language};

use super::closed::UNDETERMINED;
use super::fences::{Part, parts};
use super::{RULE, WHICHLANG};
use crate::event::Str;

/// Characters of prose that are looked at.
const MAX_CHARS: usize = 1_000;
/// Letters that a verdict needs; one sign of a dense script counts as several.
const MIN_LETTERS: u32 = 12;

/// Language and source of the user's turns, oldest first. None without turns. A newest turn too short to tell
/// is read together with those before it.
pub(super) fn of(user: &[Str<'_>]) -> Option<(&'static str, &'static str)> {
    if user.is_empty() {
        return None;
    }
    let mut prose = String::new();
    for text in user.iter().rev() {
        clean(text, &mut prose);
        if Letters::of(&prose).total() >= MIN_LETTERS {
            break;
        }
    }
    Some(detect(&prose))
}

fn detect(prose: &str) -> (&'static str, &'static str) {
    let letters = Letters::of(prose);
    if letters.total() < MIN_LETTERS {
        return (UNDETERMINED, RULE);
    }
    if let Some(language) = letters.by_script() {
        return (language, RULE);
    }
    match detect_language(prose) {
        Lang::Deu => ("de", WHICHLANG),
        Lang::Eng => ("en", WHICHLANG),
        Lang::Fra => ("fr", WHICHLANG),
        Lang::Ita => ("it", WHICHLANG),
        Lang::Nld => ("nl", WHICHLANG),
        Lang::Por => ("pt", WHICHLANG),
        Lang::Spa => ("es", WHICHLANG),
        Lang::Swe => ("sv", WHICHLANG),
        Lang::Tur => ("tr", WHICHLANG),
        Lang::Vie => ("vi", WHICHLANG),
        // Languages of other scripts cannot be meant by Latin letters.
        Lang::Ara | Lang::Cmn | Lang::Hin | Lang::Jpn | Lang::Kor | Lang::Rus => (UNDETERMINED, WHICHLANG),
    }
}

/// Appends the prose of `text`: no fenced blocks, inline code, URLs, paths or lines of code.
fn clean(text: &str, prose: &mut String) {
    let mut left = MAX_CHARS.saturating_sub(prose.chars().count());
    for part in parts(text) {
        let Part::Prose(part) = part else { continue };
        for line in part.lines() {
            if left == 0 {
                return;
            }
            if is_code_like(line) {
                continue;
            }
            for word in without_inline_code(line).split_whitespace() {
                if is_place(word) {
                    continue;
                }
                let length = word.chars().count().min(left);
                prose.extend(word.chars().take(length));
                prose.push(' ');
                left -= length;
                if left == 0 {
                    return;
                }
            }
        }
    }
}

/// Drops what stands between pairs of backticks; a single backtick stays.
fn without_inline_code(line: &str) -> String {
    let mut kept = String::with_capacity(line.len());
    let mut rest = line;
    while let Some((before, after)) = rest.split_once('`') {
        kept.push_str(before);
        match after.split_once('`') {
            Some((_, behind)) => rest = behind,
            None => {
                rest = after;
                break;
            }
        }
        kept.push(' ');
    }
    kept.push_str(rest);
    kept
}

/// A URL, a path or an identifier of code.
fn is_place(word: &str) -> bool {
    word.contains("://")
        || word.starts_with("www.")
        || word.contains("::")
        || word.contains('\\')
        || word.contains('_')
        || word.bytes().filter(|b| *b == b'/').count() >= 2
        || (word.starts_with(['/', '~', '.']) && word.len() > 1 && word.contains('/'))
}

/// Starts of statements in common languages.
const STATEMENTS: [&str; 20] = [
    "import ",
    "from ",
    "def ",
    "class ",
    "fn ",
    "func ",
    "let ",
    "const ",
    "var ",
    "pub ",
    "use ",
    "#include",
    "return ",
    "SELECT ",
    "public ",
    "private ",
    "package ",
    "function ",
    "$ ",
    ">>> ",
];

/// Lines that look like code by their end, their start or dense punctuation.
fn is_code_like(line: &str) -> bool {
    let line = line.trim();
    let marks = line.bytes().filter(|b| b"{}[]()<>=;:|&$#@*+\\/\"'_".contains(b)).count();
    // A Greek question ends with `;` too.
    let is_ended = line.ends_with(['{', '}']) || (line.ends_with(';') && (marks >= 2 || line.is_ascii()));
    let is_started = STATEMENTS.iter().any(|start| line.starts_with(start)) && marks >= 2;
    let letters = line.chars().filter(|c| c.is_alphabetic()).count();
    is_ended || is_started || (marks >= 4 && marks * 3 > letters)
}

/// Letters by script, weighted: a sign of Chinese, Japanese or Korean stands for several Latin letters.
#[derive(Default)]
struct Letters {
    latin: u32,
    han: u32,
    kana: u32,
    hangul: u32,
    cyrillic: u32,
    ukrainian: u32,
    arabic: u32,
    persian: u32,
    others: [u32; OTHER_SCRIPTS.len()],
}

const DENSE: u32 = 3;

/// Scripts that one language of our list uses: first and last code point.
const OTHER_SCRIPTS: [(u32, u32, &str); 18] = [
    (0x0370, 0x03ff, "el"),
    (0x0530, 0x058f, "hy"),
    (0x0590, 0x05ff, "he"),
    (0x0900, 0x097f, "hi"),
    (0x0980, 0x09ff, "bn"),
    (0x0a00, 0x0a7f, "pa"),
    (0x0a80, 0x0aff, "gu"),
    (0x0b80, 0x0bff, "ta"),
    (0x0c00, 0x0c7f, "te"),
    (0x0c80, 0x0cff, "kn"),
    (0x0d00, 0x0d7f, "ml"),
    (0x0d80, 0x0dff, "si"),
    (0x0e00, 0x0e7f, "th"),
    (0x0e80, 0x0eff, "lo"),
    (0x1000, 0x109f, "my"),
    (0x10a0, 0x10ff, "ka"),
    (0x1200, 0x137f, "am"),
    (0x1780, 0x17ff, "km"),
];

impl Letters {
    fn of(text: &str) -> Self {
        let mut letters = Self::default();
        for c in text.chars() {
            if c.is_ascii() {
                letters.latin += u32::from(c.is_ascii_alphabetic());
                continue;
            }
            match c as u32 {
                // Marks that stand beside kana and beside Chinese names and sounds alike: no letters of either.
                0x3099..=0x309c | 0x30a0 | 0x30fb | 0x30fc | 0xff65 | 0xff70 | 0xff9e | 0xff9f => {}
                0x3041..=0x30ff | 0x31f0..=0x31ff | 0xff66..=0xff9f => letters.kana += DENSE,
                0x3400..=0x4dbf | 0x4e00..=0x9fff | 0xf900..=0xfaff | 0x20000..=0x3ffff => {
                    letters.han += DENSE
                }
                0x1100..=0x11ff | 0x3130..=0x318f | 0xac00..=0xd7af => letters.hangul += DENSE,
                0x0400..=0x052f => {
                    letters.cyrillic += 1;
                    letters.ukrainian += u32::from("іїєґІЇЄҐ".contains(c));
                }
                0x0600..=0x06ff | 0x0750..=0x077f | 0xfb50..=0xfdff | 0xfe70..=0xfeff => {
                    letters.arabic += u32::from(c.is_alphabetic());
                    letters.persian += u32::from("پچژگکی".contains(c));
                }
                code => {
                    match OTHER_SCRIPTS.iter().position(|(first, last, _)| (*first..=*last).contains(&code)) {
                        // Vowel signs of Indic scripts are no letters to Unicode but are written like ones.
                        Some(script) => {
                            if let Some(count) = letters.others.get_mut(script) {
                                *count += 1;
                            }
                        }
                        None => letters.latin += u32::from(c.is_alphabetic()),
                    }
                }
            }
        }
        letters
    }

    fn total(&self) -> u32 {
        let others: u32 = self.others.iter().sum();
        self.latin + self.han + self.kana + self.hangul + self.cyrillic + self.arabic + others
    }

    /// The language of a non-Latin script that holds a fifth of the letters.
    fn by_script(&self) -> Option<&'static str> {
        let east_asian = self.han + self.kana;
        let chinese_or_japanese = if self.kana > 0 { "ja" } else { "zh" };
        let slavic = if self.ukrainian > 0 { "uk" } else { "ru" };
        // Arabic text holds hardly any of these letters, Persian text one in six.
        let arabic = if self.persian * 12 > self.arabic { "fa" } else { "ar" };
        let named = [
            (east_asian, chinese_or_japanese),
            (self.hangul, "ko"),
            (self.cyrillic, slavic),
            (self.arabic, arabic),
        ];
        let others =
            self.others.iter().zip(OTHER_SCRIPTS).map(|(count, (_, _, language))| (*count, language));
        let (count, language) = named.into_iter().chain(others).max_by_key(|(count, _)| *count)?;
        (count * 5 >= self.total()).then_some(language)
    }
}
