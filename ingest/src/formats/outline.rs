//! A refused record as a `Value` of bounded size: senders choose how many values a record holds, and each of
//! them costs many times its bytes.

use std::cell::Cell;
use std::fmt;

use serde::de::{DeserializeSeed, Deserializer, Error, IgnoredAny, MapAccess, SeqAccess, Visitor};
use serde_json::{Map, Value};

use super::native::{MAX_ATTEMPTS, MAX_PLUGINS};

/// Elements of an array that are kept: enough to see that an array is longer than any may be.
pub(super) const MAX_ELEMENTS: usize = MAX_ATTEMPTS + 1;
const _: () = assert!(MAX_PLUGINS <= MAX_ATTEMPTS);
/// Values of a record that are kept.
pub(super) const MAX_VALUES: usize = 32_768;

pub(super) struct Outline {
    pub value: Value,
    /// False if members are missing because there were more than `MAX_VALUES` values.
    pub is_whole: bool,
}

pub(super) fn of(record: &str) -> Result<Outline, serde_json::Error> {
    let left = Cell::new(MAX_VALUES);
    let mut reader = serde_json::Deserializer::from_str(record);
    let value = Bounded { left: &left }.deserialize(&mut reader)?;
    reader.end()?;
    Ok(Outline { value, is_whole: left.get() > 0 })
}

#[derive(Clone, Copy)]
struct Bounded<'l> {
    left: &'l Cell<usize>,
}

impl Bounded<'_> {
    fn is_spent(self) -> bool {
        self.left.get() == 0
    }
}

impl<'de> DeserializeSeed<'de> for Bounded<'_> {
    type Value = Value;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Value, D::Error> {
        self.left.set(self.left.get().saturating_sub(1));
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Bounded<'_> {
    type Value = Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("any JSON value")
    }

    fn visit_unit<E: Error>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_bool<E: Error>(self, value: bool) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_i64<E: Error>(self, value: i64) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_u64<E: Error>(self, value: u64) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_f64<E: Error>(self, value: f64) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<Value, E> {
        Ok(text.into())
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Value, A::Error> {
        let mut items = Vec::new();
        while items.len() < MAX_ELEMENTS && !self.is_spent() {
            match seq.next_element_seed(self)? {
                Some(item) => items.push(item),
                None => return Ok(items.into()),
            }
        }
        while seq.next_element::<IgnoredAny>()?.is_some() {}
        Ok(items.into())
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Value, A::Error> {
        let mut members = Map::new();
        while !self.is_spent() {
            let Some(name) = map.next_key::<String>()? else { return Ok(members.into()) };
            members.insert(name, map.next_value_seed(self)?);
        }
        while map.next_entry::<IgnoredAny, IgnoredAny>()?.is_some() {}
        Ok(members.into())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn small_records_are_kept_as_they_are() {
        let record = r#"{"a":[1,-2,0.5,"x",null,true,{"b":{}}],"c":"é\n"}"#;
        let outline = of(record).ok().unwrap();
        assert!(outline.is_whole);
        assert_eq!(outline.value, serde_json::from_str::<Value>(record).unwrap());
        for broken in ["", "{", r#"{"a":1"#, "[1,]", r#"{"a":1} x"#] {
            let (ours, theirs) =
                (of(broken).err().unwrap(), serde_json::from_str::<Value>(broken).unwrap_err());
            assert_eq!(ours.to_string(), theirs.to_string(), "{broken}");
        }
    }

    #[test]
    fn no_record_makes_more_values_than_the_bound() {
        fn values(value: &Value) -> usize {
            1 + match value {
                Value::Array(items) => items.iter().map(values).sum(),
                Value::Object(members) => members.values().map(values).sum(),
                _ => 0,
            }
        }
        let long = of(&format!("[{}0]", "0,".repeat(100_000))).ok().unwrap();
        assert!(long.is_whole);
        assert_eq!(values(&long.value), 1 + MAX_ELEMENTS);
        let row = format!("[{}0]", "{},".repeat(255));
        let wide = of(&format!("[{}{{}}]", format!("{row},").repeat(255))).ok().unwrap();
        assert!(!wide.is_whole);
        assert_eq!(values(&wide.value), MAX_VALUES);
        let members = (0..50_000).map(|n| format!(r#""{n}":0,"#)).collect::<String>();
        let many = of(&format!(r#"{{{members}"x":0}}"#)).ok().unwrap();
        assert!(!many.is_whole);
        assert_eq!(values(&many.value), MAX_VALUES);
    }
}
