//! JSON that can be read in one way only: no member twice, no number with a fraction, and no more depth than a request has.

use std::fmt;

use serde::de::{DeserializeSeed, Error, MapAccess, SeqAccess, Visitor};
use serde_json::{Map, Value};

use crate::refusal::GuardRefusal;

/// The deepest nesting that is read. Requests of the API need half of it.
const DEPTH: usize = 12;

/// Reads a document. An empty body counts as an empty object.
pub(crate) fn object(bytes: &[u8]) -> Result<Map<String, Value>, GuardRefusal> {
    if bytes.is_empty() {
        return Ok(Map::new());
    }
    let mut reader = serde_json::Deserializer::from_slice(bytes);
    let unclear = |error: serde_json::Error| GuardRefusal::Unclear(format!("the JSON of its body: {error}"));
    let value = StrictValue(DEPTH).deserialize(&mut reader).map_err(unclear)?;
    reader.end().map_err(unclear)?;
    match value {
        Value::Object(members) => Ok(members),
        _ => Err(GuardRefusal::Unclear("its body is not a JSON object".to_owned())),
    }
}

/// Reads a value that may still nest this deep.
#[derive(Clone, Copy)]
struct StrictValue(usize);

impl StrictValue {
    fn below<E: Error>(self) -> Result<StrictValue, E> {
        self.0.checked_sub(1).map(StrictValue).ok_or_else(|| E::custom("too deep"))
    }
}

impl<'de> DeserializeSeed<'de> for StrictValue {
    type Value = Value;

    fn deserialize<D: serde::Deserializer<'de>>(self, deserializer: D) -> Result<Value, D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for StrictValue {
    type Value = Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a JSON value without fractions")
    }

    fn visit_unit<E>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_bool<E>(self, value: bool) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_i64<E>(self, value: i64) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_u64<E: Error>(self, value: u64) -> Result<Value, E> {
        // Engines read numbers as i64: a larger one would wrap or fail there.
        i64::try_from(value).map(Value::from).map_err(|_| E::custom("the number is too large"))
    }

    fn visit_str<E>(self, value: &str) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut access: A) -> Result<Value, A::Error> {
        let below = self.below()?;
        let mut elements = Vec::new();
        while let Some(element) = access.next_element_seed(below)? {
            elements.push(element);
        }
        Ok(Value::Array(elements))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut access: A) -> Result<Value, A::Error> {
        let below = self.below()?;
        let mut members: Map<String, Value> = Map::new();
        while let Some(name) = access.next_key::<String>()? {
            // Engines compare names without regard to case and take the last one, so two would be read in two ways.
            if members.keys().any(|known| known.eq_ignore_ascii_case(&name)) {
                return Err(A::Error::custom(format_args!("the member {name:?} stands there twice")));
            }
            let value = access.next_value_seed(below)?;
            members.insert(name, value);
        }
        Ok(Value::Object(members))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ambiguous_documents_are_refused() {
        for bad in [
            r#"{"a":1,"a":2}"#,
            r#"{"A":1,"a":2}"#,
            r#"{"a":{"b":1,"\u0062":2}}"#,
            r#"{"a":1.5}"#,
            r#"{"a":1e3}"#,
            r#"{"a":18446744073709551615}"#,
            r#"{"a":1} {"a":2}"#,
            r#"{"a":1},"#,
            r#"[1]"#,
            r#"{"a":"\ud800"}"#,
            "{\"a\":\"\u{1}\"}",
            r#"{"a":[[[[[[[[[[[[[1]]]]]]]]]]]]]}"#,
            " ",
        ] {
            assert!(object(bad.as_bytes()).is_err(), "{bad}");
        }
        assert!(object(b"{\"a\":\"\xff\"}").is_err());
    }

    #[test]
    fn plain_documents_are_read() {
        assert!(object(b"").is_ok_and(|members| members.is_empty()));
        let read = object(br#" {"a":[1,-2,null,true,"x"],"b":{"c":{}}} "#).map(Value::Object);
        assert_eq!(read, Ok(serde_json::json!({"a": [1, -2, null, true, "x"], "b": {"c": {}}})));
    }
}
