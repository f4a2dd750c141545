use super::*;
use crate::catalogue::{Alias, Model, Price};

const NAMES: &str = "authors = [{ slug = \"acme\", name = \"Acme\" }]\n";

fn alias(raw: &str, model_id: &str) -> Entry {
    Entry::Alias(Alias {
        raw_model: Some(raw.to_owned()),
        model_id: Some(model_id.to_owned()),
        ..Alias::default()
    })
}

fn model(id: &str, name: &str) -> Entry {
    Entry::Model(Model { id: id.to_owned(), name: name.to_owned(), ..Model::default() })
}

fn added(text: &str, entries: &[Entry]) -> String {
    let mut overlay = Overlay::parse(text.to_owned()).unwrap();
    overlay.add(entries).unwrap();
    overlay.text().to_owned()
}

#[test]
fn an_entry_is_put_behind_those_of_its_kind_and_nothing_else_moves() {
    let two = "  { raw_model = \"two\", model_id = \"acme/one\" },\n";
    let one = "{ raw_model = \"one, # not\", model_id = \"acme/one\" }";
    for (before, after) in [
        ("# Mine.\n".to_owned(), "# Mine.\n\n[[aliases]]\nraw_model = \"two\"\nmodel_id = \"acme/one\"\n".to_owned()),
        (String::new(), "[[aliases]]\nraw_model = \"two\"\nmodel_id = \"acme/one\"\n".to_owned()),
        ("aliases = []\n# End.\n".to_owned(), format!("aliases = [\n{two}]\n# End.\n")),
        ("aliases = [\n]\n".to_owned(), format!("aliases = [\n{two}]\n")),
        (format!("aliases = [{one}]\nmodels = []\n"), format!("aliases = [{one},\n{two}]\nmodels = []\n")),
        (
            format!("aliases = [\n  {one}, # kept, with it\n  # Last.\n]\n"),
            format!("aliases = [\n  {one}, # kept, with it\n{two}  # Last.\n]\n"),
        ),
        (
            format!("aliases = [\n  {one} # no comma, here\n]\n"),
            format!("aliases = [\n  {one}, # no comma, here\n{two}]\n"),
        ),
        (
            "[[aliases]]\nraw_model = \"one\"\nmodel_id = \"acme/one\"\n\n# Models.\n[[models]]\nid = \"acme/one\"\nname = \"One\"\n".to_owned(),
            "[[aliases]]\nraw_model = \"one\"\nmodel_id = \"acme/one\"\n\n# Models.\n[[models]]\nid = \"acme/one\"\nname = \"One\"\n\n[[aliases]]\nraw_model = \"two\"\nmodel_id = \"acme/one\"\n".to_owned(),
        ),
    ] {
        assert_eq!(added(&before, &[alias("two", "acme/one")]), after, "{before}");
    }
}

#[test]
fn every_kind_of_entry_is_read_back_as_it_was_written() {
    let text = r#"
        authors = [{ slug = "acme", name = "A \"c\" me", names = ["a'c", "模\\型"] }]
        providers = [
            { id = "north", name = "North", names = ["n"], hosts = ["n.example"], has_variants = true, facts = { country = "NO", retention_days = 0, trains_on_prompts = false } },
        ]
        models = [
            { id = "acme/one", name = "One", names = ["uno"], facts = { released_on = "2026-03-01", context_tokens = 200_000, max_output_tokens = 8_192, license = "MIT", has_open_weights = true, accepts_images = false, accepts_audio = true, accepts_video = false, makes_images = true, calls_tools = false, structures_output = true, reasons = false } },
        ]
        families = [{ prefix = "one-", splits = true, author = "acme" }]
        aliases = [{ source = "litellm", raw_model = "x\ty", raw_provider = "p", host = "h.example", model_id = "acme/one", provider_id = "north", variant = "free" }]
        prices = [
            { model = "acme/one", variant = "free", provider = "north", valid_from = "2026-01-01", valid_to = "2026-02-01", input = "0", cached_input = "0.000000001", cache_write = "10", output = "2.50", request = "0.01",
              tiers = [{ service_tier = "flex", input = "0.5" }, { above_input_tokens = 200_000, input = "2", cached_input = "0.2", cache_write = "3", output = "4" }] },
            { model = "acme/one", input = "1" },
        ]
    "#;
    let entries = Overlay::parse(text.to_owned()).unwrap().into_entries();
    assert_eq!(entries.len(), 7);
    for before in ["", "models = []\nprices = []\nauthors = [] # None.\n"] {
        let again = Overlay::parse(added(before, &entries)).unwrap().into_entries();
        assert_eq!(again, entries);
    }
}

#[test]
fn the_account_in_the_name_of_a_resource_reaches_no_file() {
    let arn = |account: &str| format!("arn:aws:bedrock:us-east-1:{account}:provisioned-model/x1");
    let entry = alias(&arn("123456789012"), "acme/one").blanked();
    assert_eq!(entry, alias(&arn("*"), "acme/one"));
    assert!(Overlay::parse(added("", std::slice::from_ref(&entry))).unwrap().has(&entry));
    assert_eq!(alias("x", "acme/one").blanked(), alias("x", "acme/one"));
}

#[test]
fn an_entry_stands_to_both_files_as_they_say() {
    let shipped = Catalogue::from_toml(&format!(
        "{NAMES}models = [{{ id = \"acme/one\", name = \"One\" }}]\nprices = [{{ model = \"acme/one\", input = \"1\" }}]\n\
         aliases = [{{ raw_model = \"x\", model_id = \"acme/one\" }}]"
    ))
    .unwrap();
    let own = Overlay::parse(
        "models = [{ id = \"acme/two\", name = \"Two\" }]\naliases = [{ raw_model = \"y\", model_id = \"acme/two\" }]".to_owned(),
    )
    .unwrap();
    let standing = |entry: &Entry| own.standing(entry, &shipped);
    assert_eq!(standing(&alias("z", "acme/one")), Standing::New);
    assert_eq!(standing(&alias("X", "acme/one")), Standing::Known);
    assert_eq!(standing(&alias("Y", "acme/two")), Standing::Known);
    assert_eq!(
        standing(&alias("Y", "acme/one")),
        Standing::Own {
            key: "aliases raw_model `Y`".into(),
            has: "raw_model = \"y\", model_id = \"acme/two\"".into()
        }
    );
    assert_eq!(
        standing(&alias("x", "acme/two")),
        Standing::Shipped {
            key: "aliases raw_model `x`".into(),
            has: "raw_model = \"x\", model_id = \"acme/one\"".into()
        }
    );
    assert_eq!(standing(&model("acme/two", "Two")), Standing::Known);
    assert!(matches!(standing(&model("acme/two", "Zwei")), Standing::Own { .. }));
    assert!(matches!(standing(&model("acme/one", "Uno")), Standing::Shipped { .. }));
    let price = |input: &str, provider: Option<&str>| {
        Entry::Price(Price {
            model: "acme/one".into(),
            variant: "standard".into(),
            provider: provider.map(str::to_owned),
            valid_from: Some("2026-05-01".parse().unwrap()),
            input: Some(input.parse().unwrap()),
            ..Price::default()
        })
    };
    assert_eq!(standing(&price("1.0", None)), Standing::Known);
    assert_eq!(standing(&price("1", Some("north"))), Standing::New);
    let Entry::Price(mut tiered) = price("1", None) else { panic!("a price") };
    tiered.tiers = vec![crate::catalogue::Tier { service_tier: Some("flex".into()), ..Default::default() }];
    assert!(matches!(standing(&Entry::Price(tiered)), Standing::Shipped { .. }));
    assert_eq!(
        standing(&price("2", None)),
        Standing::Shipped {
            key: "prices `acme/one`, variant `standard`".into(),
            has: "model = \"acme/one\", input = \"1\"".into()
        }
    );
}

#[test]
fn an_alias_behind_one_that_takes_all_its_names_is_told() {
    let text = "aliases = [{ raw_model = \"x\", model_id = \"acme/one\" }, { raw_model = \"y\", source = \"native\", model_id = \"acme/one\" }]";
    let overlay = Overlay::parse(text.to_owned()).unwrap();
    let of = |raw: &str, provider: Option<&str>| {
        let Entry::Alias(alias) = alias(raw, "acme/two") else { panic!("an alias") };
        overlay.hides(&Entry::Alias(Alias { raw_provider: provider.map(str::to_owned), ..alias }))
    };
    let first = Some("raw_model = \"x\", model_id = \"acme/one\"".to_owned());
    assert_eq!(of("X", Some("north")), first);
    assert_eq!(of("y", Some("north")), None);
    assert_eq!(of("z", None), None);
}
