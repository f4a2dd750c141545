//! The fold key: names that differ only in how they are spelled have one. And what may be cut from a name's end, because
//! it says when, where or how a model is served and not which one.

use std::borrow::Cow;

/// Folds names. `llama3` is `llama-3`, but only words of the list are split so: `o1` and `k2` are words of their own.
#[derive(Debug, Default)]
pub(super) struct Fold {
    /// Longest first.
    stems: Vec<String>,
}

impl Fold {
    pub fn new(stems: impl Iterator<Item = String>) -> Self {
        let mut stems: Vec<String> = stems.filter(|stem| !stem.is_empty()).collect();
        stems.sort_by_key(|stem| (std::cmp::Reverse(stem.len()), stem.clone()));
        stems.dedup();
        Self { stems }
    }

    /// Lower case; `_`, `.`, `:`, `@`, space and a `p` between digits are `-`; instruct, turbo, mini, sizes, contexts and
    /// numbers of versions stay what they are.
    pub fn key(&self, name: &str) -> String {
        let lower = name.to_ascii_lowercase();
        let bytes = lower.as_bytes();
        let is_digit = |at: Option<usize>| at.and_then(|at| bytes.get(at)).is_some_and(u8::is_ascii_digit);
        let mut key = String::with_capacity(lower.len() + 4);
        let mut word = String::new();
        for (at, c) in lower.char_indices() {
            let is_point = c == 'p' && is_digit(at.checked_sub(1)) && is_digit(at.checked_add(1));
            if is_point || matches!(c, '-' | '_' | '.' | ' ' | ':' | '@') {
                self.push(&mut key, &word);
                word.clear();
            } else {
                word.push(c);
            }
        }
        self.push(&mut key, &word);
        key
    }

    fn push(&self, key: &mut String, word: &str) {
        if word.is_empty() {
            return;
        }
        if !key.is_empty() {
            key.push('-');
        }
        let number = |stem: &String| {
            word.strip_prefix(stem.as_str()).filter(|rest| rest.starts_with(|c: char| c.is_ascii_digit()))
        };
        let may_split =
            word.starts_with(|c: char| !c.is_ascii_digit()) && word.bytes().any(|b| b.is_ascii_digit());
        let mut stems = if may_split { self.stems.iter() } else { [].iter() };
        match stems.find_map(|stem| number(stem).map(|rest| (stem, rest))) {
            Some((stem, rest)) => {
                key.push_str(stem);
                key.push('-');
                key.push_str(rest);
            }
            None => key.push_str(word),
        }
    }
}

/// What was cut from a name's end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Cut {
    Nothing,
    /// A day, or a place behind `@`.
    Date,
    /// `:0` of Bedrock, and a `-v1` in front of it.
    Version,
    /// How it is served: a quantisation, `-maas`.
    Offer,
}

/// The name itself, then shorter and shorter without date, version and offer. Whoever looks names up takes the first that
/// is listed, so a name that is listed with its date stays what it is.
pub(super) fn shortened(slug: &str) -> Vec<(Cut, &str)> {
    let mut found = vec![(Cut::Nothing, slug)];
    let (mut slug, mut had_version) = (slug, false);
    loop {
        let (cut, shorter) = if let Some(shorter) = without_date(slug) {
            (Cut::Date, shorter)
        } else if let Some(shorter) = had_version.then(|| without_version_name(slug)).flatten() {
            had_version = false;
            (Cut::Version, shorter)
        } else if let Some(shorter) = without_version(slug) {
            had_version = true;
            (Cut::Version, shorter)
        } else if let Some(shorter) = without_offer(slug) {
            (Cut::Offer, shorter)
        } else {
            return found;
        };
        found.push((cut, shorter));
        slug = shorter;
    }
}

/// `@20250514`, `@default`, `@001`, `@eu`, `-2024-07-18`, `-20250514`. `-0613` and `-2512` are versions and stay. A pointer that
/// moves, `-latest`, goes where the name says which generation it moves in.
fn without_date(slug: &str) -> Option<&str> {
    if let Some((name, end)) = slug.rsplit_once('@') {
        let is_end = matches!(end, "default" | "latest" | "eu" | "us" | "global" | "apac")
            || (end.len() == 3 && end.starts_with("00") && is_number(end))
            || is_day(end);
        return Some(name).filter(|name| is_end && !name.is_empty());
    }
    if let Some(name) = slug.strip_suffix("-latest") {
        let is_generation = |word: &str| word.contains(|c: char| c.is_ascii_digit()) && !is_size(word);
        return Some(name).filter(|name| name.split('-').any(is_generation));
    }
    [11, 9].into_iter().find_map(|length| {
        let (name, end) = slug.split_at_checked(slug.len().checked_sub(length)?)?;
        Some(name).filter(|name| !name.is_empty() && end.strip_prefix('-').is_some_and(is_day))
    })
}

/// `8b`, `1.5b`, `270m`.
fn is_size(word: &str) -> bool {
    let Some(number) = word.strip_suffix(['b', 'm']) else { return false };
    let (whole, rest) = number.split_once('.').unwrap_or((number, "0"));
    is_number(whole) && is_number(rest)
}

/// A day of the years in which there are such models.
fn is_day(text: &str) -> bool {
    let digits: Cow<'_, str> = match text.as_bytes() {
        [_, _, _, _, b'-', _, _, b'-', _, _] => text.replace('-', "").into(),
        _ => text.into(),
    };
    let part = |from: usize, to: usize| digits.get(from..to).and_then(|part| part.parse::<u32>().ok());
    digits.len() == 8
        && is_number(&digits)
        && part(0, 4).is_some_and(|year| (2022..=2035).contains(&year))
        && part(4, 6).is_some_and(|month| (1..=12).contains(&month))
        && part(6, 8).is_some_and(|day| (1..=31).contains(&day))
}

fn without_version(slug: &str) -> Option<&str> {
    slug.rsplit_once(':').filter(|(name, end)| !name.is_empty() && is_number(end)).map(|(name, _)| name)
}

fn without_version_name(slug: &str) -> Option<&str> {
    slug.rsplit_once("-v").filter(|(name, end)| !name.is_empty() && is_number(end)).map(|(name, _)| name)
}

fn without_offer(slug: &str) -> Option<&str> {
    slug.char_indices().rev().filter(|(_, c)| matches!(c, '-' | '_' | ':' | '.')).find_map(|(at, _)| {
        let (name, end) = slug.split_at_checked(at)?;
        Some(name).filter(|name| !name.is_empty() && end.get(1..).is_some_and(is_offer))
    })
}

fn is_offer(text: &str) -> bool {
    const OFFERS: [&str; 27] = [
        "fp4",
        "fp8",
        "fp16",
        "bf16",
        "awq",
        "gguf",
        "gptq",
        "int4",
        "int8",
        "nf4",
        "nvfp4",
        "mxfp4",
        "mxfp",
        "4bit",
        "8bit",
        "maas",
        "fp8-dynamic",
        "fp8-fast",
        "fp8-block",
        "fp8_dynamic",
        "int4-mixed-ar",
        "int4-autoround",
        "mlx",
        "hf",
        "tee",
        "priority",
        "high-throughput",
    ];
    OFFERS.contains(&text)
        || is_quantisation(text)
        || text.strip_prefix("variant").is_some_and(|rest| rest.len() == 1 && is_number(rest))
}

/// `q8_0`, `q4_k_m`, `q4-k-m`, `q6_k`, `q4`, `iq4_xs`.
fn is_quantisation(text: &str) -> bool {
    let text = text.strip_prefix('i').unwrap_or(text);
    let Some(rest) =
        text.strip_prefix('q').and_then(|rest| rest.strip_prefix(|c: char| matches!(c, '2'..='8')))
    else {
        return false;
    };
    let rest = rest.replace('-', "_");
    let rest = rest.strip_prefix(['_']).map_or("", |rest| rest);
    let size = |text: &str| matches!(text, "xxs" | "xs" | "s" | "m" | "l" | "xl" | "nl");
    match rest.split_once('_') {
        Some((kind, end)) => matches!(kind, "0" | "1" | "k") && size(end),
        None => rest.is_empty() || matches!(rest, "0" | "1" | "k") || size(rest),
    }
}

/// Whether a name has a word of another offer, with another price, that the id of its model does not have.
pub(super) fn says_other_offer(raw: &str, model_id: &str) -> bool {
    const WORDS: [&str; 11] = [
        "priority",
        "flex",
        "spot",
        "nitro",
        "cheaper",
        "turbo",
        "lite",
        "ultrafast",
        "tee",
        "stealth",
        "throughput",
    ];
    let has = |text: &str, word: &str| {
        text.split(|c: char| !c.is_ascii_alphanumeric()).any(|part| part.eq_ignore_ascii_case(word))
    };
    WORDS.iter().any(|word| has(raw, word) && !has(model_id, word))
}

fn is_number(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fold() -> Fold {
        Fold::new(["llama", "qwen", "gpt"].into_iter().map(str::to_owned))
    }

    #[test]
    fn spellings_of_one_model_have_one_key_and_other_models_another() {
        let one = |names: &[&str]| {
            let keys: Vec<String> = names.iter().map(|name| fold().key(name)).collect();
            assert!(keys.windows(2).all(|pair| pair[0] == pair[1]), "{keys:?}");
            keys[0].clone()
        };
        assert_eq!(
            one(&["claude-sonnet-4.5", "Claude Sonnet 4-5", "claude_sonnet_4p5"]),
            "claude-sonnet-4-5"
        );
        assert_eq!(one(&["llama3.1-8b", "Llama-3.1-8B", "llama-3p1-8b", "llama3-1-8b"]), "llama-3-1-8b");
        assert_eq!(one(&["Qwen2.5-7B", "qwen-2.5-7b", "qwen2p5:7b"]), "qwen-2-5-7b");
        assert_eq!(one(&["mistral-large@2407", "mistral-large-2407"]), "mistral-large-2407");
        // `p` is a point only between digits, and words that are not listed are not split.
        assert_eq!(one(&["phi3-vp8"]), "phi3-vp8");
        assert_eq!(one(&["-o1..mini-"]), "o1-mini");
        let apart = [
            "llama-3.1-8b",
            "llama-3.1-18b",
            "llama-3.1-1-8b",
            "llama-3.1-8b-instruct",
            "llama-3.1-8b-it",
            "gpt-4",
            "gpt-4-turbo",
            "gpt-4-mini",
            "gpt-4-0613",
            "gpt-4-vision",
            "gpt-4-32k",
            "gpt-4-preview",
            "gpt-4-thinking",
        ];
        let mut keys: Vec<String> = apart.iter().map(|name| fold().key(name)).collect();
        keys.sort();
        keys.dedup();
        assert_eq!(keys.len(), apart.len(), "{keys:?}");
    }

    #[test]
    fn dates_versions_and_offers_are_cut_and_nothing_else_is() {
        for (name, shorter) in [
            ("claude-sonnet-4-5-20250929-v1:0", "claude-sonnet-4-5"),
            ("gpt-4o-2024-08-06", "gpt-4o"),
            ("claude-sonnet-4-5@20250929", "claude-sonnet-4-5"),
            ("gpt-5@eu", "gpt-5"),
            ("jamba-1.5-large@001", "jamba-1.5-large"),
            ("nova-lite-v1:0", "nova-lite"),
            ("claude-v2:1", "claude"),
            ("llama-3.1-8b-instruct-awq", "llama-3.1-8b-instruct"),
            ("llama-3.3-70b-instruct-fp8-fast", "llama-3.3-70b-instruct"),
            ("llama-3.1-8b:q4_k_m", "llama-3.1-8b"),
            ("llama-3.1-405b-instruct-maas", "llama-3.1-405b-instruct"),
            ("deepseek-v3-fp8-maas", "deepseek-v3"),
            ("gpt-oss-120b-mxfp-gguf", "gpt-oss-120b"),
            ("gemma-4-e4b-it-mlx-4bit", "gemma-4-e4b-it"),
            ("gemma-4-e4b-it-iq4_xs", "gemma-4-e4b-it"),
            ("llava-v1.6-mistral-7b-hf", "llava-v1.6-mistral-7b"),
            ("glm-5-2:variant1", "glm-5-2"),
            ("minimax-m3:priority", "minimax-m3"),
            ("minimax-m2_5-high-throughput", "minimax-m2_5"),
            ("claude-3-5-sonnet-latest", "claude-3-5-sonnet"),
            ("ministral-3-8b-latest", "ministral-3-8b"),
        ] {
            assert_eq!(shortened(name).last().unwrap().1, shorter, "{name}");
            assert_eq!(shortened(name)[0], (Cut::Nothing, name));
        }
        for whole in [
            "gpt-4-0613",
            "mistral-large-2512",
            "doubao-seed-1-6-250615",
            "model-20501231",
            "model-20211231",
            "model-20251331",
            "titan-embed-text-v2",
            "mistral-large@2411-001",
            "llama3.2:3b",
            "-2024-07-18",
            "fp8",
            "command-r-08-2024",
            "qwen-q9",
            "mistral-large-latest",
            "ministral-8b-latest",
            "gemma-1.5b-latest",
            "llama3.1:latest",
            "-latest",
            "glm-5-variant",
            "glm-5-variant12",
            "llama-iq",
            "gemini-2.5-pro-preview-05-06",
        ] {
            assert_eq!(shortened(whole), [(Cut::Nothing, whole)]);
        }
        // Bedrock's `-v1` goes only with what stands behind it.
        assert_eq!(shortened("nova-lite-v1:0").len(), 3);
    }
}
