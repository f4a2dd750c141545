//! The order inside each crate: no circle of imports among neighbours, no file that nothing names, no function that is
//! too long to be read at once.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use proc_macro2::Span;
use syn::spanned::Spanned;
use syn::visit::{self, Visit};

use crate::support::repository;

const CRATES: [&str; 7] = ["warehouse", "ingest", "metrics", "jobs", "web", "simulate", "."];
const LONGEST_FUNCTION: usize = 70;
/// Longer ones that stand: loops of which every round must be read whole, lists of members or lines, and pages that are
/// still computed where they are drawn. Whoever shortens one takes it out.
const LONG: &[(&str, &str)] = &[
    ("warehouse/src/commit.rs", "commit"),
    ("ingest/src/formats/litellm/mod.rs", "event"),
    ("ingest/src/formats/native/read.rs", "visit_map"),
    ("web/src/data/ranking.rs", "ranking"),
    ("web/src/pages/controls.rs", "picker"),
    ("web/src/pages/movers.rs", "movers"),
    ("web/src/pages/places.rs", "bump_figure"),
    ("web/src/pages/usage_charts.rs", "volume"),
    ("web/src/pages/usage_charts.rs", "share"),
    ("simulate/src/published/callers.rs", "people"),
    ("simulate/src/published/calls.rs", "requests"),
    ("src/commands/simulate/mod.rs", "run"),
];

/// Names from the root of the crate down; none for the root itself.
type Module = Vec<String>;

struct File {
    path: PathBuf,
    tree: syn::File,
}

#[test]
fn neighbours_do_not_import_each_other_in_circles() {
    let mut circles = Vec::new();
    for folder in CRATES {
        let files = files(folder);
        let mut between: BTreeMap<Module, Edges> = BTreeMap::new();
        for (module, file) in &files {
            let mut imports = Imports { module, files: &files, found: BTreeSet::new() };
            imports.visit_file(&file.tree);
            for other in imports.found {
                let shared = module.iter().zip(&other).take_while(|(a, b)| a == b).count();
                // A module and what lies in it are one thing.
                if let (Some(from), Some(to)) = (module.get(shared), other.get(shared)) {
                    let edges = between.entry(module[..shared].to_vec()).or_default();
                    let by = format!("{} → {}", module.join("::"), other.join("::"));
                    edges.entry(from.clone()).or_default().entry(to.clone()).or_insert(by);
                }
            }
        }
        for (parent, edges) in &between {
            for (from, to) in pairs(edges) {
                if leads(edges, to, from) {
                    circles.push(format!("{folder}: {} ({})", edges[from][to], parent.join("::")));
                }
            }
        }
    }
    assert!(circles.is_empty(), "imports that are part of a circle: {circles:#?}");
}

/// From a neighbour to those that it, or what lies in it, imports, with one import that shows it.
type Edges = BTreeMap<String, BTreeMap<String, String>>;

fn pairs(edges: &Edges) -> impl Iterator<Item = (&str, &str)> {
    edges.iter().flat_map(|(from, to)| to.keys().map(|to| (from.as_str(), to.as_str())))
}

fn leads(edges: &Edges, from: &str, to: &str) -> bool {
    let (mut seen, mut next) = (BTreeSet::new(), vec![from]);
    while let Some(at) = next.pop() {
        if at == to {
            return true;
        }
        if seen.insert(at) {
            next.extend(edges.get(at).into_iter().flat_map(|edges| edges.keys().map(String::as_str)));
        }
    }
    false
}

#[test]
fn every_source_file_is_a_module_of_its_crate() {
    let mut dead = Vec::new();
    for folder in CRATES {
        let files = files(folder);
        for (module, file) in files.iter().filter(|(module, _)| !module.is_empty()) {
            let (name, parent) = module.split_last().expect("not the root");
            let named = files.get(parent).is_some_and(|parent| declares(&parent.tree, name));
            if !named {
                dead.push(file.path.display().to_string());
            }
        }
    }
    assert!(dead.is_empty(), "files that no `mod` names: {dead:#?}");
}

fn declares(tree: &syn::File, name: &str) -> bool {
    tree.items.iter().any(|item| matches!(item, syn::Item::Mod(module) if module.ident == name))
}

#[test]
fn a_function_can_be_read_at_once() {
    let mut long = BTreeMap::new();
    for folder in CRATES {
        for file in files(folder).values() {
            let path = file.path.strip_prefix(repository(".")).expect("a file of the repository");
            let mut functions = Functions { found: Vec::new() };
            functions.visit_file(&file.tree);
            for (name, lines) in functions.found.into_iter().filter(|(_, lines)| *lines > LONGEST_FUNCTION) {
                long.insert((path.display().to_string(), name), lines);
            }
        }
    }
    let listed: BTreeSet<(String, String)> =
        LONG.iter().map(|(path, name)| ((*path).to_owned(), (*name).to_owned())).collect();
    long.retain(|found, _| !listed.contains(found));
    assert!(long.is_empty(), "functions of more than {LONGEST_FUNCTION} lines: {long:#?}");
}

/// The files of a crate that are no tests.
fn files(folder: &str) -> BTreeMap<Module, File> {
    let mut files = BTreeMap::new();
    let root = if folder == "." { repository("src") } else { repository(folder).join("src") };
    gather(&root, &Vec::new(), &mut files);
    assert!(!files.is_empty(), "{} holds no source files", root.display());
    files
}

fn gather(folder: &Path, within: &Module, files: &mut BTreeMap<Module, File>) {
    for entry in std::fs::read_dir(folder).unwrap_or_else(|error| panic!("{}: {error}", folder.display())) {
        let path = entry.expect("an entry").path();
        let stem = path.file_stem().and_then(|stem| stem.to_str()).expect("a name").to_owned();
        if matches!(stem.as_str(), "tests" | "testing") {
            continue;
        }
        let mut module = within.clone();
        if path.is_dir() {
            module.push(stem);
            gather(&path, &module, files);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            if !matches!(stem.as_str(), "mod" | "lib" | "main") {
                module.push(stem);
            }
            let text = std::fs::read_to_string(&path).expect("read a source file");
            let tree = syn::parse_file(&text).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
            files.insert(module, File { path, tree });
        }
    }
}

fn is_test(attributes: &[syn::Attribute]) -> bool {
    attributes.iter().any(|attribute| {
        let only = |text: &str| attribute.path().is_ident("cfg") && text.contains("test");
        attribute.meta.require_list().is_ok_and(|list| only(&list.tokens.to_string()))
    })
}

/// The modules of its crate that a file names, tests left out.
struct Imports<'a> {
    module: &'a Module,
    files: &'a BTreeMap<Module, File>,
    found: BTreeSet<Module>,
}

impl Imports<'_> {
    fn note(&mut self, path: &[String]) {
        let Some(first) = path.first() else { return };
        let ups = path.iter().take_while(|part| *part == "super").count();
        let (mut at, rest) = match first.as_str() {
            "crate" => (Module::new(), &path[1..]),
            "self" => (self.module.clone(), &path[1..]),
            "super" => (self.module[..self.module.len().saturating_sub(ups)].to_vec(), &path[ups..]),
            _ => (self.module.clone(), path),
        };
        for part in rest {
            at.push(part.clone());
            if !self.files.contains_key(&at) {
                at.pop();
                break;
            }
        }
        if at != *self.module && !(at.is_empty() && first != "crate") {
            self.found.insert(at);
        }
    }

    fn of_tree(&mut self, path: &mut Vec<String>, tree: &syn::UseTree) {
        match tree {
            syn::UseTree::Path(part) => {
                path.push(part.ident.to_string());
                self.of_tree(path, &part.tree);
                path.pop();
            }
            syn::UseTree::Group(group) => group.items.iter().for_each(|tree| self.of_tree(path, tree)),
            syn::UseTree::Name(name) => self.named(path, name.ident.to_string()),
            syn::UseTree::Rename(name) => self.named(path, name.ident.to_string()),
            syn::UseTree::Glob(_) => self.note(path),
        }
    }

    fn named(&mut self, path: &[String], name: String) {
        let mut path = path.to_vec();
        if name != "self" {
            path.push(name);
        }
        self.note(&path);
    }
}

impl<'ast> Visit<'ast> for Imports<'_> {
    fn visit_item_use(&mut self, item: &'ast syn::ItemUse) {
        if !is_test(&item.attrs) {
            self.of_tree(&mut Vec::new(), &item.tree);
        }
    }

    fn visit_path(&mut self, path: &'ast syn::Path) {
        let path_parts: Vec<String> = path.segments.iter().map(|part| part.ident.to_string()).collect();
        if path_parts.len() > 1 {
            self.note(&path_parts);
        }
        visit::visit_path(self, path);
    }

    fn visit_item_mod(&mut self, item: &'ast syn::ItemMod) {
        if !is_test(&item.attrs) {
            visit::visit_item_mod(self, item);
        }
    }
}

/// Names of functions and their lines, bodies included, tests left out.
struct Functions {
    found: Vec<(String, usize)>,
}

impl Functions {
    fn note(&mut self, name: &syn::Ident, all: Span) {
        let lines = all.end().line - name.span().start().line + 1;
        self.found.push((name.to_string(), lines));
    }
}

impl<'ast> Visit<'ast> for Functions {
    fn visit_item_fn(&mut self, item: &'ast syn::ItemFn) {
        self.note(&item.sig.ident, item.block.span());
        visit::visit_item_fn(self, item);
    }

    fn visit_impl_item_fn(&mut self, item: &'ast syn::ImplItemFn) {
        self.note(&item.sig.ident, item.block.span());
        visit::visit_impl_item_fn(self, item);
    }

    fn visit_item_mod(&mut self, item: &'ast syn::ItemMod) {
        if !is_test(&item.attrs) {
            visit::visit_item_mod(self, item);
        }
    }
}
