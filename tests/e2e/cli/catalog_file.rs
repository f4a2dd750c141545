//! What `catalog add` and `catalog import` do to an operator's own catalogue file.

use std::path::Path;

use crate::support::app::{Bellwether, Finished};
use crate::support::scratch;

/// A folder with a configuration that names `names.toml`.
fn folder() -> tempfile::TempDir {
    let folder = scratch();
    std::fs::write(folder.path().join("own.toml"), "[catalogue]\nfile = \"names.toml\"\n").unwrap();
    folder
}

fn catalog(folder: &Path, args: &[&str]) -> Finished {
    let args: Vec<&str> = ["catalog"].iter().chain(args).copied().collect();
    Bellwether::new(folder, &args).arg("--config").arg("own.toml").run()
}

fn names(folder: &Path) -> String {
    std::fs::read_to_string(folder.join("names.toml")).unwrap()
}

fn files(folder: &Path) -> Vec<String> {
    let mut files: Vec<String> = std::fs::read_dir(folder)
        .unwrap()
        .map(|file| file.unwrap().file_name().into_string().unwrap())
        .collect();
    files.sort();
    files
}

#[test]
fn an_added_alias_leads_to_its_model_and_another_one_is_refused() {
    let folder = folder();
    let folder = folder.path();
    let before =
        "# Ours.\naliases = [\n  { raw_model = \"a\", model_id = \"openai/gpt-5\" }, # The first.\n]\n";
    std::fs::write(folder.join("names.toml"), before).unwrap();
    let args = [
        "add",
        "alias",
        "my-deployment-gpt4o",
        "openai/gpt-4o",
        "--source",
        "litellm",
        "--provider",
        "azure",
    ];
    let told = catalog(folder, &args).ok().stdout;
    assert!(told.contains("names.toml`: added to aliases: source = \"litellm\""), "{told}");
    let after = "# Ours.\naliases = [\n  { raw_model = \"a\", model_id = \"openai/gpt-5\" }, # The first.\n  \
                 { source = \"litellm\", raw_model = \"my-deployment-gpt4o\", raw_provider = \"azure\", model_id = \"openai/gpt-4o\" },\n]\n";
    assert_eq!(names(folder), after);
    assert_eq!(files(folder), ["names.toml", "own.toml"]);
    let explained = catalog(folder, &["explain", "My-Deployment-gpt4o", "--provider", "azure"]).ok().stdout;
    assert!(explained.contains("model: openai/gpt-4o (GPT-4o)"), "{explained}");
    assert!(catalog(folder, &args).ok().stdout.contains("the catalogue says so already"));
    let other =
        ["add", "alias", "MY-deployment-gpt4o", "openai/gpt-5", "--source", "litellm", "--provider", "azure"];
    catalog(folder, &other).refused(
        2,
        &[
            "names.toml` says otherwise in aliases",
            "`MY-deployment-gpt4o`",
            "openai/gpt-4o",
            "correct it there",
        ],
    );
    catalog(folder, &["add", "alias", "x", "acme/none"]).refused(2, &["`acme/none`", "catalog add model"]);
    // What is shipped may be told otherwise.
    let shipped = ["add", "alias", "deepseek-chat", "openai/gpt-5", "--provider", "deepseek"];
    let told = catalog(folder, &["add", "alias", "x", "openai/gpt-5", "--provider-id", "nowhere"]);
    told.refused(2, &["`nowhere`", "catalog add provider"]);
    assert_eq!(names(folder), after);
    let told = catalog(folder, &shipped).ok().stdout;
    assert!(
        told.contains("takes the place of what is shipped in aliases raw_model `deepseek-chat`"),
        "{told}"
    );
    let explained = catalog(folder, &["explain", "deepseek-chat", "--provider", "deepseek"]).ok().stdout;
    assert!(explained.contains("model: openai/gpt-5 "), "{explained}");
}

#[test]
fn models_providers_and_prices_are_added_to_a_file_that_is_made_and_checked_as_a_whole() {
    let folder = folder();
    let folder = folder.path();
    let model = ["add", "model", "acme/rocket-1", "--name", "Rocket 1", "--context", "200000"];
    catalog(folder, &model).refused(2, &["author `acme`", "--author-name"]);
    assert_eq!(files(folder), ["own.toml"]);
    let with_author: Vec<&str> = model.into_iter().chain(["--author-name", "Acme"]).collect();
    catalog(folder, &with_author).ok();
    catalog(folder, &["add", "provider", "acme-cloud", "--name", "Acme Cloud", "--host", "llm.acme.example"])
        .ok();
    let price = |more: &[&str]| {
        let of = ["add", "price", "acme/rocket-1@acme-cloud"];
        catalog(folder, &of.into_iter().chain(more.iter().copied()).collect::<Vec<_>>())
    };
    price(&["--input", "2.50", "--output", "10.00", "--from", "2026-01-01"]).ok();
    let whole = names(folder);
    assert_eq!(
        whole,
        "[[authors]]\nslug = \"acme\"\nname = \"Acme\"\n\n\
         [[models]]\nid = \"acme/rocket-1\"\nname = \"Rocket 1\"\nfacts = { context_tokens = 200000 }\n\n\
         [[providers]]\nid = \"acme-cloud\"\nname = \"Acme Cloud\"\nhosts = [\"llm.acme.example\"]\n\n\
         [[prices]]\nmodel = \"acme/rocket-1\"\nprovider = \"acme-cloud\"\nvalid_from = \"2026-01-01\"\ninput = \"2.5\"\noutput = \"10\"\n"
    );
    for (refused, wanted) in [
        (
            price(&["--input", "3", "--from", "2026-02-01"]),
            &["holds on a day of another one", "`valid_to`"][..],
        ),
        (price(&["--input", "1000000", "--to", "2025-12-31"]), &["`input` of `acme/rocket-1`", "10000 USD"]),
        (price(&["--input", "1", "--from", "2025-02-02", "--to", "2025-02-01"]), &["ends before it begins"]),
        (
            catalog(folder, &["add", "price", "acme/none", "--input", "1"]),
            &["`acme/none`", "not in its lists"],
        ),
        (
            catalog(folder, &["add", "model", "acme/Rocket_1", "--name", "R"]),
            &["`acme/rocket-1`", "`acme/Rocket_1`", "spelled alike"],
        ),
        (
            catalog(folder, &["add", "model", "acme/two.json", "--name", "Two"]),
            &["`acme/two.json`", "`.json`"],
        ),
        (
            catalog(folder, &["add", "provider", "acme-cloud", "--name", "Other"]),
            &["says otherwise in providers `acme-cloud`"],
        ),
    ] {
        let mentions: Vec<&str> = ["names.toml"].into_iter().chain(wanted.iter().copied()).collect();
        refused.refused(2, &mentions);
    }
    price(&[]).refused(2, &["--input"]);
    catalog(folder, &["add", "model", "openai/gpt-4o", "--name", "Mine"])
        .refused(2, &["the shipped catalogue has models `openai/gpt-4o`", "by hand"]);
    assert_eq!(names(folder), whole);
    // Free, and before what stands.
    price(&["--input", "0", "--output", "0", "--to", "2025-12-31"]).ok();
    assert_eq!(files(folder), ["names.toml", "own.toml"]);
}

#[test]
fn a_list_of_others_is_recognised_told_and_merged() {
    let folder = folder();
    let folder = folder.path();
    let before = "models = [{ id = \"openai/own-1\", name = \"Own\" }]\n\
                  aliases = [{ raw_model = \"kept\", model_id = \"openai/gpt-5\" }]\n\
                  prices = [{ model = \"openai/own-1\", provider = \"azure\", input = \"1\" }]\n";
    std::fs::write(folder.join("names.toml"), before).unwrap();
    let csv = "source,raw_model,raw_provider,model_id\n,kept,,openai/gpt-5\n,KEPT,,openai/gpt-4o\nlitellm,new,azure,openai/own-1\n";
    std::fs::write(folder.join("aliases.csv"), csv).unwrap();
    let map = r#"{ "azure/own-1": { "litellm_provider": "azure", "input_cost_per_token": 2e-06 },
                   "groq/own-1": { "litellm_provider": "groq", "input_cost_per_token": 3e-07, "output_cost_per_token": 1e-06 },
                   "groq/nobodys": { "litellm_provider": "groq", "input_cost_per_token": 1 } }"#;
    std::fs::write(folder.join("prices.json"), map).unwrap();
    let lines = |args: &[&str]| catalog(folder, args).ok().stdout;
    let told = lines(&["import", "aliases.csv", "--dry-run"]);
    for line in [
        "`aliases.csv` is a table of aliases\n",
        "would add 1\n  aliases: source = \"litellm\", raw_model = \"new\", raw_provider = \"azure\", model_id = \"openai/own-1\"\n",
        "knows 1 already\n",
        "leaves out 1 that contradict\n  aliases raw_model `KEPT`: `",
        "names.toml` says raw_model = \"kept\", model_id = \"openai/gpt-5\"; `aliases.csv` says raw_model = \"KEPT\"",
    ] {
        assert!(told.contains(line), "`{line}` is missing in: {told}");
    }
    assert_eq!(names(folder), before);
    lines(&["import", "aliases.csv"]);
    let told = lines(&["import", "prices.json", "--from", "2026-11-30"]);
    for line in [
        "is LiteLLM's map of prices\n",
        "adds 1\n",
        "prices `openai/own-1@azure`, variant `standard`: `",
        "leaves out 1 names without a listed model or provider\n  groq/nobodys\n",
    ] {
        assert!(told.contains(line), "`{line}` is missing in: {told}");
    }
    let after = names(folder);
    assert!(
        after.ends_with(
            "prices = [{ model = \"openai/own-1\", provider = \"azure\", input = \"1\" },\n  { model = \"openai/own-1\", \
             provider = \"groq\", valid_from = \"2026-11-30\", input = \"0.3\", output = \"1\" },\n]\n"
        ),
        "{after}"
    );
    assert!(lines(&["explain", "new", "--provider", "azure"]).contains("model: openai/own-1 (Own)"));
    // A second time it says nothing new.
    assert!(lines(&["import", "prices.json"]).contains("names.toml` is left as it is\n"));
    assert_eq!(names(folder), after);
    std::fs::write(folder.join("x.yaml"), "model_list: []\n").unwrap();
    catalog(folder, &["import", "x.yaml"]).refused(2, &["`x.yaml`"]);
    catalog(folder, &["import", "none.csv"]).refused(2, &["cannot read `none.csv`"]);
}

#[test]
fn a_file_that_cannot_be_read_is_refused_by_its_name_and_stays() {
    let folder = folder();
    let folder = folder.path();
    let later = "version = 2\nshapes = []\n";
    std::fs::write(folder.join("names.toml"), later).unwrap();
    for args in [&["explain", "gpt-5"][..], &["add", "alias", "x", "openai/gpt-5"], &["import", "own.toml"]] {
        catalog(folder, args)
            .refused(2, &["names.toml", "`version` 2", "reads version 1", "update bellwether"]);
    }
    assert_eq!(names(folder), later);
    std::fs::write(folder.join("own.toml"), "").unwrap();
    catalog(folder, &["add", "alias", "x", "openai/gpt-5"]).refused(2, &["[catalogue] `file` is not set"]);
}
