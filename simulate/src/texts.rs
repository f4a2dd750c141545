//! Prompts and completions, and the labels that a perfect labeller would give them.

use std::borrow::Cow;

use bellwether_ingest::event::Texts;

use crate::apps::Apps;
use crate::calibration as cal;
use crate::chance::{Chance, cumulate, hash, pick, unit};
use crate::phrases::PHRASES;
use crate::snippets::SNIPPETS;

/// Which requests carry texts.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum TextMode {
    None,
    /// A share of the requests, chosen by a hash of the request, so that a replay chooses the same ones.
    Share(f64),
}

/// What the texts of a request are, whether they are carried or not.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TextPlan {
    /// Natural language of the prompt, ISO 639-1.
    pub language: &'static str,
    /// Fence label of the code in the completion.
    pub code: Option<&'static str>,
    language_at: usize,
    code_at: usize,
    choice: u64,
}

pub(crate) struct Texter {
    seed: u64,
    code: Box<[f32]>,
    apps: &'static Apps,
}

impl Texter {
    pub(crate) fn new(seed: u64) -> Self {
        Self { seed, code: cumulate(cal::CODE.iter().map(|(_, share)| *share)), apps: Apps::shared() }
    }

    pub(crate) fn carried(&self, mode: TextMode, minute: i64, index: u32) -> bool {
        match mode {
            TextMode::None => false,
            TextMode::Share(share) => {
                unit(hash(&[self.seed, 0x7e87, minute as u64, u64::from(index)])) < share
            }
        }
    }

    /// `language` is the user's own, as an index into [`cal::LANGUAGES`].
    pub(crate) fn plan(&self, minute: i64, index: u32, language: u8, app: &str) -> TextPlan {
        let mut chance = Chance::new(&[self.seed, 0x91a7, minute as u64, u64::from(index)]);
        let language_at = if chance.happens(cal::ENGLISH_AWAY) { 0 } else { usize::from(language) };
        let language = PHRASES.get(language_at).map_or("en", |phrases| phrases.language);
        let has_code =
            chance.happens(if self.apps.codes(app) { cal::CODE_FROM_AGENTS } else { cal::CODE_FROM_CHAT });
        let code_at = match language {
            "ja" if chance.happens(cal::PYTHON_IN_JAPANESE) => 0,
            _ => pick(&self.code, chance.unit()),
        };
        let code = SNIPPETS.get(code_at).map(|(label, _)| *label).filter(|_| has_code);
        TextPlan { language, code, language_at, code_at, choice: chance.bits() }
    }

    /// The texts of a plan; `answered` says whether there is a completion.
    pub(crate) fn write<'a>(&self, plan: &TextPlan, answered: bool) -> Texts<'a> {
        let Some(phrases) = PHRASES.get(plan.language_at) else { return Texts::default() };
        let mut choice = plan.choice;
        let mut one_of = |list: &[&'static str]| {
            choice = choice.rotate_right(11);
            list.get((choice & 0x3ff) as usize % list.len().max(1)).copied().unwrap_or_default()
        };
        let prompt = if plan.code.is_some() { one_of(&phrases.code) } else { one_of(&phrases.talk) };
        let completion = answered.then(|| match plan.code {
            Some(label) => {
                let lead = one_of(&phrases.lead);
                let body = SNIPPETS.get(plan.code_at).map_or("", |(_, bodies)| one_of(bodies));
                Cow::Owned([lead, "\n\n```", label, "\n", body, "\n```"].concat())
            }
            None => Cow::Borrowed(one_of(&phrases.reply)),
        });
        Texts { user: vec![Cow::Borrowed(prompt)], completion, tool_paths: Vec::new() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn language_index(language: &str) -> u8 {
        cal::LANGUAGES.iter().position(|(name, _)| *name == language).unwrap() as u8
    }

    #[test]
    fn phrases_and_snippets_stand_in_the_order_of_the_calibration() {
        let languages: Vec<&str> = cal::LANGUAGES.iter().map(|(name, _)| *name).collect();
        assert_eq!(PHRASES.iter().map(|phrases| phrases.language).collect::<Vec<_>>(), languages);
        assert_eq!(cal::COUNTRIES.map(|(language, _)| language).to_vec(), languages);
        assert_eq!(cal::CODE.map(|(label, _)| label), SNIPPETS.map(|(label, _)| label));
    }

    /// Scripts and words that only the named language has among the simulated ones.
    fn looks_like(language: &str, text: &str) -> bool {
        let has = |low: char, high: char| text.chars().any(|c| (low..=high).contains(&c));
        let word = |words: &[&str]| {
            text.to_lowercase().split(|c: char| !c.is_alphabetic()).filter(|w| words.contains(w)).count()
        };
        let kana = has('\u{3041}', '\u{30ff}');
        match language {
            "ja" => kana,
            "zh" => has('\u{4e00}', '\u{9fff}') && !kana,
            "ko" => has('\u{ac00}', '\u{d7a3}'),
            "th" => has('\u{0e01}', '\u{0e5b}'),
            "hi" => has('\u{0904}', '\u{0939}'),
            "ar" => has('\u{0621}', '\u{064a}'),
            "ru" => has('\u{0430}', '\u{044f}'),
            "vi" => has('\u{1ea0}', '\u{1ef9}'),
            _ => {
                let votes = [
                    (
                        "en",
                        word(&["the", "a", "that", "for", "how", "with", "which", "to", "is", "you", "and"]),
                    ),
                    (
                        "es",
                        word(&[
                            "una", "un", "el", "la", "que", "los", "las", "con", "qué", "cómo", "cuando",
                            "en",
                        ]),
                    ),
                    ("pt", word(&["uma", "o", "que", "os", "em", "com", "você", "não", "um", "as", "quais"])),
                    (
                        "fr",
                        word(&[
                            "une", "le", "qui", "les", "des", "est", "à", "pour", "quand", "un", "la", "dans",
                        ]),
                    ),
                    (
                        "de",
                        word(&[
                            "eine", "die", "der", "ist", "wie", "und", "ich", "für", "du", "den", "einen",
                        ]),
                    ),
                ];
                let best = votes.iter().map(|(_, count)| *count).max().unwrap();
                best > 0 && votes.contains(&(language, best))
            }
        }
    }

    #[test]
    fn every_prompt_can_be_told_as_its_language() {
        for phrases in &PHRASES {
            for text in phrases.code.iter().chain(&phrases.talk) {
                assert!(looks_like(phrases.language, text), "{}: {text}", phrases.language);
            }
        }
    }

    #[test]
    fn texts_are_short_and_fence_their_code() {
        let texter = Texter::new(1);
        for index in 0..2000 {
            let plan = texter.plan(1, index, (index % 13) as u8, "kilo-code");
            let texts = texter.write(&plan, true);
            let prompt: usize = texts.user.iter().map(|text| text.len()).sum();
            let completion = texts.completion.unwrap_or_default();
            assert!(prompt > 30 && prompt <= 260, "{prompt}");
            assert!(completion.len() <= 420);
            assert_eq!(completion.matches("```").count(), if plan.code.is_some() { 2 } else { 0 });
            if let Some(label) = plan.code {
                assert!(completion.contains(&format!("```{label}\n")));
            }
        }
    }

    #[test]
    fn japanese_prompts_ask_for_python_more_often_than_english_ones() {
        let texter = Texter::new(7);
        let share = |language: &str| {
            let plans: Vec<TextPlan> =
                (0..20_000).map(|i| texter.plan(5, i, language_index(language), "kilo-code")).collect();
            let own: Vec<_> =
                plans.iter().filter(|plan| plan.language == language && plan.code.is_some()).collect();
            own.iter().filter(|plan| plan.code == Some("python")).count() as f64 / own.len() as f64
        };
        assert!((share("en") - 0.25).abs() < 0.02, "{}", share("en"));
        // Half by rule, and a quarter of the other half.
        assert!((share("ja") - 0.625).abs() < 0.02, "{}", share("ja"));
    }
}
