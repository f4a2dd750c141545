//! Fenced blocks of Markdown, as CommonMark defines them.
//!
//! One thing is looser: a fence may be indented by any amount, because answers put blocks into list items.

/// A stretch of a text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Part<'a> {
    Prose(&'a str),
    Block(Block<'a>),
}

/// A fenced block without its fences.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Block<'a> {
    /// First word of the info string, cut at white space, `,` or `{`; case as written.
    pub info: &'a str,
    pub body: &'a str,
}

/// The fenced blocks of a text.
pub(super) fn blocks(text: &str) -> impl Iterator<Item = Block<'_>> {
    parts(text).filter_map(|part| match part {
        Part::Block(block) => Some(block),
        Part::Prose(_) => None,
    })
}

/// Splits a text at its fences, in order. An unclosed block runs to the end.
pub(super) fn parts(text: &str) -> Parts<'_> {
    Parts { rest: text }
}

pub(super) struct Parts<'a> {
    rest: &'a str,
}

impl<'a> Iterator for Parts<'a> {
    type Item = Part<'a>;

    fn next(&mut self) -> Option<Part<'a>> {
        if self.rest.is_empty() {
            return None;
        }
        let mut at = 0;
        for line in self.rest.split_inclusive('\n') {
            if let Some(fence) = Fence::open(line) {
                if at > 0 {
                    let (prose, rest) = self.rest.split_at(at);
                    self.rest = rest;
                    return Some(Part::Prose(prose));
                }
                return Some(Part::Block(self.block(fence, line.len())));
            }
            at += line.len();
        }
        Some(Part::Prose(std::mem::take(&mut self.rest)))
    }
}

impl<'a> Parts<'a> {
    fn block(&mut self, fence: Fence<'a>, from: usize) -> Block<'a> {
        let inside = self.rest.get(from..).unwrap_or_default();
        let mut length = 0;
        for line in inside.split_inclusive('\n') {
            if fence.is_closed_by(line) {
                self.rest = inside.get(length + line.len()..).unwrap_or_default();
                return Block { info: fence.info, body: inside.get(..length).unwrap_or_default() };
            }
            length += line.len();
        }
        self.rest = "";
        Block { info: fence.info, body: inside }
    }
}

struct Fence<'a> {
    mark: u8,
    length: usize,
    info: &'a str,
}

impl<'a> Fence<'a> {
    fn open(line: &'a str) -> Option<Self> {
        let line = line.trim_start_matches([' ', '\t']);
        let mark = *line.as_bytes().first().filter(|b| matches!(b, b'`' | b'~'))?;
        let length = line.bytes().take_while(|b| *b == mark).count();
        let info = line.get(length..)?.trim();
        if length < 3 || (mark == b'`' && info.contains('`')) {
            return None;
        }
        let word =
            info.split(|c: char| c.is_whitespace() || matches!(c, ',' | '{')).next().unwrap_or_default();
        Some(Self { mark, length, info: word })
    }

    fn is_closed_by(&self, line: &str) -> bool {
        let line = line.trim();
        line.len() >= self.length && line.bytes().all(|b| b == self.mark)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn all(text: &str) -> Vec<(&str, &str)> {
        blocks(text).map(|block| (block.info, block.body)).collect()
    }

    #[test]
    fn fences_follow_commonmark() {
        for (text, want) in [
            ("a\n```python\nx = 1\n```\nb", vec![("python", "x = 1\n")]),
            ("~~~ js title=x\ny\n~~~~\n", vec![("js", "y\n")]),
            ("````md\n```rust\n```\n````\n", vec![("md", "```rust\n```\n")]),
            ("```sql\r\nSELECT 1\r\n```\r\nend", vec![("sql", "SELECT 1\r\n")]),
            ("```go\nunclosed", vec![("go", "unclosed")]),
            ("```a`b\nno fence\n", vec![]),
            ("~~~a`b\nfence\n", vec![("a`b", "fence\n")]),
            ("``\nno\n``\n", vec![]),
            ("1. item\n    ```c\n    int x;\n    ```\n", vec![("c", "    int x;\n")]),
            ("```python,ignore\n```\n```{r}\n1\n```", vec![("python", ""), ("", "1\n")]),
            ("```\nx\n~~~\ny\n``` not closed\n```", vec![("", "x\n~~~\ny\n``` not closed\n")]),
            ("", vec![]),
        ] {
            assert_eq!(all(text), want, "{text:?}");
        }
    }

    proptest! {
        #[test]
        fn parts_cover_the_text_in_order(text in r"([a-z `~\n\r{},é日]|```|~~~|\n```|\r\n~~~~){0,60}") {
            let mut at = 0;
            for part in parts(&text) {
                let piece = match part {
                    Part::Prose(prose) => prose,
                    Part::Block(block) => block.body,
                };
                let offset = piece.as_ptr() as usize - text.as_ptr() as usize;
                prop_assert!(piece.is_empty() || (offset >= at && offset + piece.len() <= text.len()));
                if !piece.is_empty() {
                    at = offset + piece.len();
                }
            }
            let kept: usize = parts(&text).map(|part| match part {
                Part::Prose(prose) => prose.len(),
                Part::Block(block) => block.body.len(),
            }).sum();
            prop_assert!(kept <= text.len());
            // Only lines of fences are missing, and prose never holds one.
            for part in parts(&text) {
                if let Part::Prose(prose) = part {
                    prop_assert!(prose.split_inclusive('\n').all(|line| Fence::open(line).is_none()));
                }
            }
        }

        #[test]
        fn any_text_is_split_without_panic(text in any::<String>()) {
            let _ = parts(&text).count();
        }
    }
}
