//! Programming languages by the names that models write behind a fence, and by file extension.

use std::collections::HashMap;

use github_languages::get_languages;

use super::fences::Block;
use crate::event::Str;

pub(super) const NONE: &str = "none";
pub(super) const OTHER: &str = "other";
const SHELL: &str = "shell";

/// The languages that are told apart: our label and the names of Linguist languages that fall under it. What
/// Linguist types as programming and is not listed is `other`; data and prose never count as code.
const LANGUAGES: [(&str, &[&str]); 58] = [
    ("abap", &["ABAP"]),
    ("apex", &["Apex"]),
    ("assembly", &["Assembly", "Unix Assembly"]),
    ("batch", &["Batchfile"]),
    ("c", &["C"]),
    ("clojure", &["Clojure"]),
    ("cmake", &["CMake"]),
    ("cobol", &["COBOL"]),
    ("cpp", &["C++"]),
    ("csharp", &["C#"]),
    ("css", &["CSS", "SCSS", "Sass", "Less"]),
    ("cuda", &["Cuda"]),
    ("dart", &["Dart"]),
    ("dockerfile", &["Dockerfile"]),
    ("elixir", &["Elixir"]),
    ("erlang", &["Erlang"]),
    ("fortran", &["Fortran", "Fortran Free Form"]),
    ("fsharp", &["F#"]),
    ("gdscript", &["GDScript"]),
    ("glsl", &["GLSL", "HLSL", "WGSL"]),
    ("go", &["Go"]),
    ("graphql", &["GraphQL"]),
    ("groovy", &["Groovy", "Gradle"]),
    ("haskell", &["Haskell"]),
    ("hcl", &["HCL"]),
    ("html", &["HTML"]),
    ("java", &["Java"]),
    ("javascript", &["JavaScript", "JSX"]),
    ("julia", &["Julia"]),
    ("kotlin", &["Kotlin"]),
    ("latex", &["TeX"]),
    ("lisp", &["Common Lisp", "Emacs Lisp", "Scheme", "Racket"]),
    ("lua", &["Lua", "Luau"]),
    ("makefile", &["Makefile"]),
    ("matlab", &["MATLAB"]),
    ("nim", &["Nim"]),
    ("nix", &["Nix"]),
    ("objective-c", &["Objective-C", "Objective-C++"]),
    ("ocaml", &["OCaml"]),
    ("pascal", &["Pascal"]),
    ("perl", &["Perl"]),
    ("php", &["PHP", "Blade"]),
    ("powershell", &["PowerShell"]),
    ("protobuf", &["Protocol Buffer"]),
    ("python", &["Python"]),
    ("r", &["R"]),
    ("ruby", &["Ruby"]),
    ("rust", &["Rust"]),
    ("scala", &["Scala"]),
    (SHELL, &["Shell"]),
    ("solidity", &["Solidity"]),
    ("sql", &["SQL", "PLSQL", "PLpgSQL", "TSQL"]),
    ("svelte", &["Svelte"]),
    ("swift", &["Swift"]),
    ("typescript", &["TypeScript", "TSX"]),
    ("vba", &["VBA", "Visual Basic .NET", "VBScript"]),
    ("vue", &["Vue"]),
    ("zig", &["Zig"]),
];

/// Names that Linguist lacks or gives to several languages. None: never counts.
const OVERRIDES: [(&str, Option<&str>); 44] = [
    ("h", Some("c")),
    ("hpp", Some("cpp")),
    ("cs", Some("csharp")),
    ("pl", Some("perl")),
    ("ex", Some("elixir")),
    ("sol", Some("solidity")),
    ("ts", Some("typescript")),
    ("tsx", Some("typescript")),
    ("sql", Some("sql")),
    ("m", Some("objective-c")),
    ("r", Some("r")),
    ("rs", Some("rust")),
    ("v", Some(OTHER)),
    ("ipython", Some("python")),
    ("python3", Some("python")),
    ("py3", Some("python")),
    ("postgresql", Some("sql")),
    ("postgres", Some("sql")),
    ("sqlite", Some("sql")),
    ("mysql", Some("sql")),
    ("shell-session", Some(SHELL)),
    ("console", Some(SHELL)),
    ("terminal", Some(SHELL)),
    ("shellscript", Some(SHELL)),
    ("docker", Some("dockerfile")),
    ("terraform", Some("hcl")),
    ("arduino", Some("cpp")),
    ("react", Some("javascript")),
    ("node", Some("javascript")),
    ("vb", Some("vba")),
    ("lisp", Some("lisp")),
    ("asm", Some("assembly")),
    ("tex", Some("latex")),
    ("txt", None),
    ("text", None),
    ("plaintext", None),
    ("plain", None),
    ("output", None),
    ("log", None),
    ("json", None),
    ("md", None),
    ("yml", None),
    ("svg", None),
    ("mermaid", None),
];

/// Every known name, in lower case, and what it stands for. None: data or prose, never code.
#[derive(Debug)]
pub(super) struct Names {
    by_name: HashMap<String, Option<&'static str>>,
    by_extension: HashMap<String, Option<&'static str>>,
}

impl Names {
    pub fn new() -> Self {
        let linguist = get_languages();
        let languages = linguist.all_languages();
        let mut by_name = HashMap::new();
        let mut extensions: HashMap<String, Vec<Option<&'static str>>> = HashMap::new();
        // Later entries never replace earlier ones: overrides, aliases, names, unique extensions.
        for (name, label) in OVERRIDES {
            by_name.insert(name.to_owned(), label);
        }
        for language in languages {
            for alias in language.aliases {
                by_name
                    .entry(alias.to_ascii_lowercase())
                    .or_insert_with(|| label_of(language.name, language.r#type));
            }
        }
        for language in languages {
            let label = label_of(language.name, language.r#type);
            by_name.entry(language.name.to_ascii_lowercase()).or_insert(label);
            for extension in language.extensions {
                let extension = extension.trim_start_matches('.').to_ascii_lowercase();
                extensions.entry(extension).or_default().push(label);
            }
        }
        let mut by_extension: HashMap<_, _> = extensions
            .into_iter()
            .filter_map(|(extension, mut labels)| {
                labels.dedup();
                (labels.len() == 1).then(|| (extension, labels.pop().flatten()))
            })
            .collect();
        for (name, label) in OVERRIDES {
            by_extension.insert(name.to_owned(), label);
        }
        for (extension, label) in &by_extension {
            by_name.entry(extension.clone()).or_insert(*label);
        }
        Self { by_name, by_extension }
    }

    /// The label of a message: the language with most bytes of code, shell only if nothing else stands there.
    pub fn of_blocks<'a>(&self, blocks: impl Iterator<Item = Block<'a>>) -> &'static str {
        let sizes = blocks.filter_map(|block| Some((self.by_info(block.info)?, block.body.len())));
        heaviest(sizes).unwrap_or(NONE)
    }

    /// The label of the files that tool calls name; None without one that is code.
    pub fn of_paths(&self, paths: &[Str<'_>]) -> Option<&'static str> {
        heaviest(paths.iter().filter_map(|path| {
            let name = path.rsplit(['/', '\\']).next()?;
            let (_, extension) = name.rsplit_once('.')?;
            let label = self.by_extension.get(&extension.to_ascii_lowercase()).copied().flatten()?;
            Some((label, 1))
        }))
    }

    /// A label of the closed list, from a router's spelling.
    pub fn canonical(&self, value: &str) -> &'static str {
        if value.eq_ignore_ascii_case(NONE) {
            return NONE;
        }
        let listed =
            LANGUAGES.iter().map(|(label, _)| *label).find(|label| label.eq_ignore_ascii_case(value));
        listed.or_else(|| self.by_info(value)).unwrap_or(OTHER)
    }

    /// None for what never counts; an unknown word is `other`.
    fn by_info(&self, info: &str) -> Option<&'static str> {
        if info.is_empty() {
            return None;
        }
        let known = if info.bytes().any(|b| b.is_ascii_uppercase()) {
            self.by_name.get(&info.to_ascii_lowercase())
        } else {
            self.by_name.get(info)
        };
        known.copied().unwrap_or(Some(OTHER))
    }
}

fn label_of(name: &str, kind: &str) -> Option<&'static str> {
    let listed = LANGUAGES.iter().find(|(_, names)| names.contains(&name)).map(|(label, _)| *label);
    listed.or_else(|| (kind == "programming").then_some(OTHER))
}

fn heaviest(sizes: impl Iterator<Item = (&'static str, usize)>) -> Option<&'static str> {
    let mut totals: Vec<(&'static str, usize)> = Vec::new();
    for (label, size) in sizes {
        match totals.iter_mut().find(|(known, _)| *known == label) {
            Some((_, total)) => *total += size,
            None => totals.push((label, size)),
        }
    }
    let is_only_shell = totals.iter().all(|(label, _)| *label == SHELL);
    totals
        .into_iter()
        .filter(|(label, _)| is_only_shell || *label != SHELL)
        // The first of equals wins.
        .reduce(|best, next| if next.1 > best.1 { next } else { best })
        .map(|(label, _)| label)
}
