//! The machine-readable forms: JSON, one line per value, YAML.

use model::text::steers_a_terminal;
use serde::ser::{Serialize, SerializeMap, Serializer};
use serde_json::Value;

use crate::command::OutputFormat;

/// A value in a machine-readable form. None where the format is for people.
pub(crate) fn structured(format: OutputFormat, value: &Value) -> Option<String> {
    match format {
        OutputFormat::Human | OutputFormat::Dot => None,
        OutputFormat::Json => serde_json::to_string_pretty(value).ok().map(|text| escaped(text) + "\n"),
        OutputFormat::FlatJson => {
            let mut lines = String::new();
            flatten(value, String::new(), &mut lines);
            Some(escaped(lines))
        }
        OutputFormat::Yaml => serde_saphyr::to_string(value).ok(),
    }
}

/// JSON in which no character steers a terminal: in its texts, where alone others may stand, they are written as escapes.
pub(crate) fn escaped(json: String) -> String {
    let steers = |c: char| steers_a_terminal(c) && c != '\n' && c != '\t';
    if !json.chars().any(steers) {
        return json;
    }
    let mut out = String::with_capacity(json.len() + 16);
    for c in json.chars() {
        match steers(c) {
            true => c.encode_utf16(&mut [0; 2]).iter().for_each(|unit| out += &format!("\\u{unit:04x}")),
            false => out.push(c),
        }
    }
    out
}

/// Names and what they stand for, in an order of their own, which a [`Value`] does not keep.
pub(crate) enum OrderedValue {
    Leaf(String),
    Members(Vec<(String, OrderedValue)>),
}

impl Serialize for OrderedValue {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            OrderedValue::Leaf(text) => serializer.serialize_str(text),
            OrderedValue::Members(members) => {
                let mut map = serializer.serialize_map(Some(members.len()))?;
                members.iter().try_for_each(|(name, member)| map.serialize_entry(name, member))?;
                map.end()
            }
        }
    }
}

impl OrderedValue {
    /// [`structured`], in this order.
    pub(crate) fn structured(&self, format: OutputFormat) -> Option<String> {
        match format {
            OutputFormat::Human | OutputFormat::Dot => None,
            OutputFormat::Json => serde_json::to_string_pretty(self).ok().map(|text| escaped(text) + "\n"),
            OutputFormat::FlatJson => {
                let mut lines = String::new();
                self.flatten(String::new(), &mut lines);
                Some(escaped(lines))
            }
            OutputFormat::Yaml => serde_saphyr::to_string(self).ok(),
        }
    }

    fn flatten(&self, at: String, lines: &mut String) {
        match self {
            OrderedValue::Leaf(text) => flatten(&Value::from(text.as_str()), at, lines),
            OrderedValue::Members(members) => {
                members.iter().for_each(|(name, member)| member.flatten(below(&at, name), lines));
            }
        }
    }
}

/// The value of the one thing that was asked about stands for itself. Those of several are a list, however many there are.
pub(crate) fn one_or_all(asked: usize, mut values: Vec<Value>) -> Value {
    match values.pop() {
        Some(value) if asked == 1 => value,
        last => values.into_iter().chain(last).collect(),
    }
}

/// `a.b[0] = "c"`, as OpenSVC prints it: names that are more than letters, digits and `_` are quoted.
fn flatten(value: &Value, at: String, lines: &mut String) {
    match value {
        Value::Object(members) if !members.is_empty() => {
            for (name, member) in members {
                flatten(member, below(&at, name), lines);
            }
        }
        Value::Array(items) if !items.is_empty() => {
            items.iter().enumerate().for_each(|(i, item)| flatten(item, format!("{at}[{i}]"), lines));
        }
        // As JSON, so that texts are quoted. Empty lists and objects are leaves too, and do not disappear.
        leaf => *lines += &format!("{at} = {leaf}\n"),
    }
}

fn below(at: &str, name: &str) -> String {
    let plain = !name.is_empty() && name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_');
    let name = if plain { name.to_owned() } else { Value::from(name).to_string() };
    if at.is_empty() { name } else { format!("{at}.{name}") }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn lists_with_an_order_of_their_own_keep_it() {
        let leaf = |name: &str| (name.to_owned(), OrderedValue::Leaf("1".to_owned()));
        let section = |name: &str| (name.to_owned(), OrderedValue::Members(vec![leaf("z"), leaf("a")]));
        let value = OrderedValue::Members(vec![section("fs#2"), section("env")]);
        let check = |format, expected: &str| assert_eq!(value.structured(format).as_deref(), Some(expected));
        check(OutputFormat::FlatJson, "\"fs#2\".z = \"1\"\n\"fs#2\".a = \"1\"\nenv.z = \"1\"\nenv.a = \"1\"\n");
        let json = value.structured(OutputFormat::Json).unwrap();
        assert!(json.find("fs#2") < json.find("env") && json.find("\"z\"") < json.find("\"a\""), "{json}");
    }

    #[test]
    fn flat_json_is_one_line_per_value() {
        let value = json!({"avail": "up", "resources": {"fs#1": {"log": [], "tags": ["a", 2]}}});
        let expected = "avail = \"up\"\nresources.\"fs#1\".log = []\nresources.\"fs#1\".tags[0] = \"a\"\n\
                        resources.\"fs#1\".tags[1] = 2\n";
        assert_eq!(structured(OutputFormat::FlatJson, &value).as_deref(), Some(expected));
    }

    #[test]
    fn a_list_is_one_because_of_what_was_asked_not_of_what_was_found() {
        assert_eq!(one_or_all(1, vec![json!(1)]), json!(1));
        assert_eq!(one_or_all(2, vec![json!(1)]), json!([1]));
        assert_eq!(one_or_all(2, vec![json!(1), json!(2)]), json!([1, 2]));
        assert_eq!(one_or_all(1, vec![]), json!([]));
    }

    #[test]
    fn people_get_something_else() {
        assert_eq!(structured(OutputFormat::Human, &json!({})), None);
    }
}
