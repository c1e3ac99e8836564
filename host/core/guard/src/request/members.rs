//! The members of a JSON object, taken out one by one: a member that is left over at the end is unknown to the guard, and denied.

use serde_json::{Map, Value};

use crate::refusal::GuardRefusal;

/// The shape of a member that can do no harm.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum MemberShape {
    Text,
    Texts,
    Flag,
    Number,
}

/// The members of an object that were not judged yet.
pub(crate) struct MemberReader {
    /// The path of the object, with a dot behind it: `HostConfig.`
    at: String,
    members: Map<String, Value>,
}

impl MemberReader {
    pub(crate) fn new(at: &str, members: Map<String, Value>) -> MemberReader {
        let at = if at.is_empty() { String::new() } else { format!("{at}.") };
        MemberReader { at, members }
    }

    /// The name of a member for people.
    pub(crate) fn name(&self, member: &str) -> String {
        format!("{}{member}", self.at)
    }

    fn shape(&self, member: &str, expected: &'static str) -> GuardRefusal {
        GuardRefusal::Shape { member: self.name(member), expected }
    }

    /// Takes a member. An empty one counts as absent.
    pub(crate) fn take(&mut self, member: &str) -> Option<Value> {
        self.members.remove(member).filter(|value| !is_nothing(value))
    }

    pub(crate) fn text(&mut self, member: &str) -> Result<Option<String>, GuardRefusal> {
        match self.take(member) {
            None => Ok(None),
            Some(Value::String(text)) => Ok(Some(text)),
            Some(_) => Err(self.shape(member, "a text")),
        }
    }

    pub(crate) fn texts(&mut self, member: &str) -> Result<Vec<String>, GuardRefusal> {
        let value = self.take(member);
        let text = |value: Value| match value {
            Value::String(text) => Some(text),
            _ => None,
        };
        match value {
            None => Some(Vec::new()),
            Some(Value::Array(list)) => list.into_iter().map(text).collect::<Option<_>>(),
            Some(_) => None,
        }
        .ok_or_else(|| self.shape(member, "a list of texts"))
    }

    pub(crate) fn flag(&mut self, member: &str) -> Result<bool, GuardRefusal> {
        match self.take(member) {
            None => Ok(false),
            Some(Value::Bool(value)) => Ok(value),
            Some(_) => Err(self.shape(member, "true or false")),
        }
    }

    pub(crate) fn number(&mut self, member: &str) -> Result<Option<i64>, GuardRefusal> {
        match self.take(member) {
            None => Ok(None),
            Some(value) => value.as_i64().map(Some).ok_or_else(|| self.shape(member, "a whole number")),
        }
    }

    pub(crate) fn object(&mut self, member: &str) -> Result<Map<String, Value>, GuardRefusal> {
        match self.take(member) {
            None => Ok(Map::new()),
            Some(Value::Object(members)) => Ok(members),
            Some(_) => Err(self.shape(member, "an object")),
        }
    }

    /// An object whose values are texts.
    pub(crate) fn pairs(&mut self, member: &str) -> Result<Vec<(String, String)>, GuardRefusal> {
        let pair = |(name, value): (String, Value)| match value {
            Value::String(value) => Some((name, value)),
            _ => None,
        };
        let pairs: Option<_> = self.object(member)?.into_iter().map(pair).collect();
        pairs.ok_or_else(|| self.shape(member, "an object of texts"))
    }

    /// The objects of a list.
    pub(crate) fn objects(&mut self, member: &str) -> Result<Vec<MemberReader>, GuardRefusal> {
        let at = self.name(member);
        let fields = |value: Value| match value {
            Value::Object(members) => Some(MemberReader::new(&at, members)),
            _ => None,
        };
        match self.take(member) {
            None => Some(Vec::new()),
            Some(Value::Array(list)) => list.into_iter().map(fields).collect::<Option<_>>(),
            Some(_) => None,
        }
        .ok_or_else(|| self.shape(member, "a list of objects"))
    }

    /// The names of an object whose values say nothing: a set, as the API writes it.
    pub(crate) fn set(&mut self, member: &str) -> Result<Vec<String>, GuardRefusal> {
        let members = self.object(member)?;
        // A value in there would mean something to the engine, and to the guard nothing.
        match members.values().all(is_nothing) {
            true => Ok(members.into_iter().map(|(name, _)| name).collect()),
            false => Err(self.shape(member, "an object of empty objects")),
        }
    }

    /// Copies members that can do no harm, if they have the right shape.
    pub(crate) fn keep(
        &mut self,
        out: &mut Map<String, Value>,
        harmless: &[(&str, MemberShape)],
    ) -> Result<(), GuardRefusal> {
        for (name, kind) in harmless {
            // False and 0 are kept here: for these members they overrule the engine's own configuration.
            let Some(value) = self.members.remove(*name).filter(|value| !value.is_null()) else { continue };
            let (fits, expected) = match kind {
                MemberShape::Text => (value.is_string(), "a text"),
                MemberShape::Flag => (value.is_boolean(), "true or false"),
                MemberShape::Number => (value.as_i64().is_some_and(|number| number >= -1), "a number from -1 on"),
                MemberShape::Texts => (value.as_array().is_some_and(|list| list.iter().all(Value::is_string)), "texts"),
            };
            if !fits {
                return Err(self.shape(name, expected));
            }
            out.insert((*name).to_owned(), value);
        }
        Ok(())
    }

    /// Denies the members that were not taken, unless they are empty.
    pub(crate) fn finish(self) -> Result<(), GuardRefusal> {
        match self.members.iter().find(|(_, value)| !is_nothing(value)) {
            Some((name, _)) => Err(GuardRefusal::Member(format!("{}{name}", self.at))),
            None => Ok(()),
        }
    }
}

/// Whether the engine reads the value as it reads an absent member.
fn is_nothing(value: &Value) -> bool {
    match value {
        Value::Null => true,
        Value::Bool(value) => !value,
        Value::Number(number) => number.as_i64() == Some(0),
        Value::String(text) => text.is_empty(),
        Value::Array(list) => list.is_empty(),
        Value::Object(members) => members.is_empty(),
    }
}
