//! Durations and sizes in configuration, always with a unit.

/// `500ms`, `5s`, `2min`, `1h`, `30d`
pub(crate) mod duration {
    use std::time::Duration;

    use serde::{Deserializer, Serializer, de::Error};

    const UNITS: [(&str, u64); 6] =
        [("ms", 1), ("min", 60_000), ("s", 1_000), ("m", 60_000), ("h", 3_600_000), ("d", 86_400_000)];

    pub fn serialize<S: Serializer>(duration: &Duration, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(&format_args!("{}ms", duration.as_millis()))
    }

    pub fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Duration, D::Error> {
        let text = super::text(deserializer, "a duration with its unit such as \"5s\"")?;
        let text = text.trim();
        UNITS
            .iter()
            .find_map(|(unit, millis)| {
                let number: u64 = text.strip_suffix(unit)?.trim().parse().ok()?;
                Some(Duration::from_millis(number.checked_mul(*millis)?))
            })
            .ok_or_else(|| D::Error::custom(format!("`{text}` is not a duration with its unit such as 5s")))
    }
}

/// `64 MiB`, `512 KiB`, `1 GiB`, `100 B`
pub(crate) mod bytes {
    use serde::{Deserializer, Serializer, de::Error};

    const UNITS: [(&str, usize); 4] = [("KiB", 1 << 10), ("MiB", 1 << 20), ("GiB", 1 << 30), ("B", 1)];

    pub fn serialize<S: Serializer>(bytes: &usize, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(&format_args!("{bytes} B"))
    }

    pub fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<usize, D::Error> {
        let text = super::text(deserializer, "a size with its unit such as \"64 MiB\"")?;
        let text = text.trim();
        UNITS
            .iter()
            .find_map(|(unit, size)| {
                text.strip_suffix(unit)?.trim().parse::<usize>().ok()?.checked_mul(*size)
            })
            .ok_or_else(|| D::Error::custom(format!("`{text}` is not a size with its unit such as 64 MiB")))
    }
}

fn text<'de, D: serde::Deserializer<'de>>(
    deserializer: D,
    expected: &'static str,
) -> Result<String, D::Error> {
    struct Text(&'static str);

    impl serde::de::Visitor<'_> for Text {
        type Value = String;

        fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
            f.write_str(self.0)
        }

        fn visit_str<E: serde::de::Error>(self, text: &str) -> Result<String, E> {
            Ok(text.to_owned())
        }
    }

    deserializer.deserialize_str(Text(expected))
}
