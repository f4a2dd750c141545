//! The program's commands.

/// Every command that help names.
pub const COMMANDS: [&[&str]; 28] = [
    &[],
    &["demo"],
    &["serve"],
    &["import"],
    &["simulate"],
    &["ingest"],
    &["ingest", "status"],
    &["ingest", "resume"],
    &["jobs"],
    &["jobs", "run"],
    &["jobs", "rebuild"],
    &["jobs", "remap"],
    &["jobs", "status"],
    &["maintain"],
    &["sql"],
    &["keys"],
    &["keys", "rotate"],
    &["catalog"],
    &["catalog", "explain"],
    &["catalog", "unmapped"],
    &["catalog", "add"],
    &["catalog", "add", "alias"],
    &["catalog", "add", "model"],
    &["catalog", "add", "provider"],
    &["catalog", "add", "price"],
    &["catalog", "import"],
    &["check"],
    &["completions"],
];

/// Names of the commands at the top.
pub fn top() -> impl Iterator<Item = &'static str> {
    COMMANDS.into_iter().filter_map(|path| if let [name] = path { Some(*name) } else { None })
}

/// File names of all manual pages.
pub fn pages() -> impl Iterator<Item = String> {
    COMMANDS.into_iter().map(|path| {
        let words = std::iter::once("bellwether").chain(path.iter().copied());
        format!("{}.1", words.collect::<Vec<_>>().join("-"))
    })
}
