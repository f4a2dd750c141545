use std::time::Duration;

use super::{Bytes, Ingest, Intake, Kafka, OnGap, Span, Start, TopicFormat};

#[test]
fn units_are_read_and_written() {
    for (text, millis) in
        [("500ms", 500), ("5s", 5000), ("2min", 120_000), ("1h", 3_600_000), ("30d", 2_592_000_000)]
    {
        let span: Span = text.parse().unwrap();
        assert_eq!(span.0, Duration::from_millis(millis));
        assert_eq!(span.to_string(), text);
    }
    for (text, bytes) in [("7 B", 7), ("256 KiB", 262_144), ("64 MiB", 67_108_864), ("1 GiB", 1_073_741_824)]
    {
        let size: Bytes = text.parse().unwrap();
        assert_eq!(size.0, bytes);
        assert_eq!(size.to_string(), text);
    }
    assert_eq!("64MiB".parse(), Ok(Bytes::mib(64)));
}

#[test]
fn a_number_without_a_unit_is_refused() {
    for text in ["5", "", "s", "-5s", "5 weeks", "1.5s", "99999999999999999999s"] {
        assert!(text.parse::<Span>().is_err(), "{text}");
    }
    for text in ["64", "64 MB", "MiB", "99999999999 GiB"] {
        assert!(text.parse::<Bytes>().is_err(), "{text}");
    }
    assert!(toml::from_str::<Ingest>("flush_age = 5").is_err());
}

#[test]
fn an_unknown_key_is_refused_by_name() {
    let error = toml::from_str::<Ingest>("flush_rowz = 5").unwrap_err().to_string();
    assert!(error.contains("flush_rowz"), "{error}");
}

#[test]
fn defaults_are_valid() {
    Ingest::default().validate().unwrap();
    Intake::default().validate().unwrap();
    Kafka::default().validate().unwrap();
    super::Spool::default().validate().unwrap();
}

#[test]
fn a_bad_value_names_key_and_value() {
    let config: Ingest = toml::from_str("flush_bytes = \"400 MiB\"").unwrap();
    let error = config.validate().unwrap_err().to_string();
    assert!(error.starts_with("`flush_bytes` = 400 MiB: must be at most a third"), "{error}");
    let open: Intake = toml::from_str("listen = \"0.0.0.0:4318\"").unwrap();
    assert!(
        open.validate().unwrap_err().to_string().starts_with("`tokens` = []"),
        "an open intake needs a token"
    );
    let small: super::Spool = toml::from_str("max_bytes = \"100 MiB\"").unwrap();
    let error = small.validate().unwrap_err().to_string();
    assert_eq!(error, "`max_bytes` = 100 MiB: must be at least twice `segment`");
    let short: Intake = toml::from_str("tokens = [\"sesame\"]").unwrap();
    let error = short.validate().unwrap_err().to_string();
    assert!(error.starts_with("`tokens[0]`") && !error.contains("sesame"), "{error}");
}

#[test]
fn a_kafka_section_is_read() {
    let config: Kafka = toml::from_str(
        r#"
        brokers = ["one:9092", "two:9092"]
        [[topics]]
        name = "requests"
        format = "litellm"
        incarnation = 2
        start = { at = "2026-11-01T00:00:00Z" }
        on_gap = "skip"
        [[topics]]
        name = "stripped"
        format = "appended"
        start = "latest"
        [sasl]
        mechanism = "SCRAM-SHA-512"
        username = "bellwether"
        password = "secret words"
        [tls]
        "#,
    )
    .unwrap();
    config.validate().unwrap();
    assert_eq!(config.topics[0].format, TopicFormat::LiteLlm);
    assert_eq!(config.topics[0].on_gap, OnGap::Skip);
    assert!(matches!(config.topics[0].start, Start::At(at) if at.timestamp() == 1_793_491_200));
    assert_eq!(config.topics[1].start, Start::Latest);
    assert!(!format!("{config:?}").contains("secret words"));
}

#[test]
fn a_property_that_would_break_exactly_once_is_refused() {
    let config: Kafka = toml::from_str(
        "brokers = [\"b:1\"]\n[[topics]]\nname = \"t\"\n[properties]\n\"enable.auto.commit\" = \"true\"",
    )
    .unwrap();
    let error = config.validate().unwrap_err().to_string();
    assert!(error.starts_with("`properties.enable.auto.commit` = (hidden)"), "{error}");
}

#[test]
fn properties_that_another_section_or_the_contract_sets_are_refused() {
    let with = |sections: &str, property: &str| {
        let text = format!(
            "brokers = [\"b:1\"]\n[[topics]]\nname = \"t\"\n{sections}\n[properties]\n\"{property}\" = \"x\""
        );
        toml::from_str::<Kafka>(&text).unwrap().validate().map_err(|error| error.to_string())
    };
    for property in ["partition.assignment.strategy", "group.protocol", "metadata.broker.list"] {
        assert!(with("", property).unwrap_err().contains("exactly-once"), "{property}");
    }
    let sasl = "[sasl]\nusername = \"u\"\npassword = \"secret words\"";
    for (sections, property) in [
        ("[tls]", "security.protocol"),
        (sasl, "security.protocol"),
        ("[tls]", "ssl.ca.location"),
        (sasl, "sasl.password"),
        (sasl, "sasl.mechanisms"),
    ] {
        let error = with(sections, property).unwrap_err();
        assert!(error.contains("`[kafka.tls]` or `[kafka.sasl]`"), "{property}: {error}");
        // Without the section the operator sets what we have no key for, OAUTHBEARER say.
        assert_eq!(with("", property), Ok(()), "{property}");
    }
    assert_eq!(with("[tls]", "ssl.cipher.suites"), Ok(()));
}
