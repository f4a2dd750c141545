//! Addresses of names: where each one has its page, and names near a mistyped one, for "did you mean".

use super::{author_page, model_page, provider_page};
use crate::data::{Dataset, Group};
use crate::error::Candidate;

/// Characters of a mistyped name that are compared: the work grows with them, and no name is as long.
const COMPARED: usize = 100;

impl Dataset {
    /// Address of a group's page, path only; `None` for unknown and hidden, and for an id that no path can say, such as a
    /// model id that is not `author/slug`.
    pub fn href(&self, group: Group) -> Option<String> {
        let dictionary = &self.dictionary;
        if !group.is_named() {
            return None;
        }
        let page = match group {
            Group::Model(id) => model_page(dictionary.model(id)),
            Group::Series(id) => model_page(dictionary.model(dictionary.series(id).model)),
            Group::Author(id) => author_page(dictionary.author(id)),
            Group::Provider(id) => provider_page(dictionary.provider(id)),
        };
        page.leads_back().then(|| page.path())
    }

    /// Up to `limit` models, authors and providers near `wanted`, nearest first.
    pub fn nearest(&self, wanted: &str, limit: usize) -> Vec<Candidate> {
        let wanted = compared(wanted);
        let dictionary = &self.dictionary;
        let groups = dictionary
            .models()
            .map(Group::Model)
            .chain(dictionary.providers().map(Group::Provider))
            .chain(dictionary.authors().map(Group::Author));
        let mut scored: Vec<(usize, String, Group)> = groups
            .filter_map(|group| {
                let key = self.key(group);
                let slug = key.rsplit('/').next().unwrap_or(&key).to_owned();
                let wanted_slug = wanted.rsplit('/').next().unwrap_or(&wanted);
                let whole = distance(&wanted, &key);
                let part = distance(wanted_slug, &slug);
                let limit = (wanted_slug.chars().count() / 3).max(2);
                let inside = wanted_slug.len() >= 3 && slug.contains(wanted_slug);
                let score = whole.min(part);
                (score <= limit || inside).then_some((
                    if inside { score.min(limit) } else { score },
                    key,
                    group,
                ))
            })
            .collect();
        scored.sort();
        scored
            .into_iter()
            .take(limit)
            .filter_map(|(_, key, group)| {
                Some(Candidate { key, name: self.name(group).to_owned(), href: self.href(group)? })
            })
            .collect()
    }
}

/// What of a mistyped name is compared.
fn compared(wanted: &str) -> String {
    wanted.trim_matches('/').chars().flat_map(char::to_lowercase).take(COMPARED).collect()
}

/// Levenshtein distance in characters.
fn distance(a: &str, b: &str) -> usize {
    let b: Vec<char> = b.chars().collect();
    let mut row: Vec<usize> = (0..=b.len()).collect();
    for (i, from) in a.chars().enumerate() {
        let mut diagonal = i;
        let mut left = i + 1;
        let mut next = vec![left];
        for (to, above) in b.iter().zip(row.iter().skip(1)) {
            let substitute = diagonal + usize::from(from != *to);
            left = substitute.min(above + 1).min(left + 1);
            diagonal = *above;
            next.push(left);
        }
        row = next;
    }
    row.last().copied().unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::{compared, distance};

    #[test]
    fn a_long_address_is_compared_by_its_first_characters() {
        assert_eq!(compared("/Acme/One/"), "acme/one");
        assert_eq!(compared(&"é".repeat(4_000)).chars().count(), 100);
    }

    #[test]
    fn distances_are_those_worked_out_by_hand() {
        assert_eq!(distance("kitten", "sitting"), 3);
        assert_eq!(distance("flaw", "lawn"), 2);
        assert_eq!(distance("", "abc"), 3);
        assert_eq!(distance("abc", ""), 3);
        assert_eq!(distance("same", "same"), 0);
    }
}
