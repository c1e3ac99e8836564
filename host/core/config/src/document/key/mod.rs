//! Keys as people write them on the command line, `[section.]option[@scope]`, and the changes of a key's value.

use std::fmt;
use std::str::FromStr;

use crate::document::text::DEFAULT;
use crate::{Document, EditError};

/// Sections whose keys may hold dots: everything behind the first dot is the key.
const DOTTED: [&str; 3] = ["data", "env", "labels"];
/// Sections whose keys can hold an `@`, because they have no scopes.
pub(crate) const UNSCOPED: [&str; 2] = ["data", "labels"];

/// `[section.]option[@scope]`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ConfigKey {
    /// The section: `DEFAULT` if none is written, empty if nothing stands before the dot, which selectors read as any section.
    pub section: String,
    /// The keyword. Empty where a whole section is meant.
    pub option: String,
    /// The scope.
    pub scope: Option<String>,
}

impl ConfigKey {
    /// A keyword of a section, without a scope.
    pub fn new(section: impl Into<String>, option: impl Into<String>) -> ConfigKey {
        ConfigKey { section: section.into(), option: option.into(), scope: None }
    }

    /// The key as it stands before the `=` in the file: with its scope.
    pub fn scoped_option(&self) -> String {
        match &self.scope {
            Some(scope) => format!("{}@{scope}", self.option),
            None => self.option.clone(),
        }
    }
}

impl fmt::Display for ConfigKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.section != DEFAULT {
            write!(f, "{}.", self.section)?;
        }
        f.write_str(&self.scoped_option())
    }
}

/// A text that is not a key.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0:?} is not a key: expected [section.]keyword[@scope], such as fs#1.dev@node1")]
pub struct InvalidKey(pub String);

impl FromStr for ConfigKey {
    type Err = InvalidKey;

    fn from_str(s: &str) -> Result<ConfigKey, InvalidKey> {
        if s.is_empty() || s == "." || s.contains(|c: char| c.is_whitespace() || c == '=') {
            return Err(InvalidKey(s.to_owned()));
        }
        // Before a scope is cut off: the keys of these sections may hold an `@`.
        if let Some((section, option)) = s.split_once('.').filter(|(section, _)| UNSCOPED.contains(section)) {
            return Ok(ConfigKey::new(section, option));
        }
        let (unscoped, scope) = match s.split_once('@') {
            Some((_, "")) => return Err(InvalidKey(s.to_owned())),
            Some((unscoped, scope)) => (unscoped, Some(scope.to_owned())),
            None => (s, None),
        };
        let (section, option) = split_section(unscoped);
        // A whole section has no scope, and a lone `.` in front of a scope names nothing at all.
        if option.is_empty() && (scope.is_some() || section.is_empty()) {
            return Err(InvalidKey(s.to_owned()));
        }
        Ok(ConfigKey { section: section.to_owned(), option: option.to_owned(), scope })
    }
}

fn split_section(s: &str) -> (&str, &str) {
    match s.split_once('.') {
        Some((section, option)) if DOTTED.contains(&section) => (section, option),
        // From the end: the id of a resource may hold dots, its keywords do not.
        Some(_) => s.rsplit_once('.').unwrap_or((DEFAULT, s)),
        // Only sections have a `#` in their names, so this is a whole one.
        None if s.contains('#') => (s, ""),
        None => (DEFAULT, s),
    }
}

/// A change of the value of a key.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum KeyOperator {
    /// `=`: replaces it.
    Set,
    /// `+=`: adds a word at its end.
    Append,
    /// `-=`: takes a word out, wherever it is.
    Remove,
    /// `|=`: adds a word unless it is there.
    Merge,
    /// `^=`: takes a word out, or adds it where it is not there.
    Toggle,
    /// `[i]=`: puts a word before the i-th, counted from zero, or at the end.
    Insert(usize),
}

/// One change, as `om set` takes it: `nodes+=n3`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct KeyOperation {
    /// The key to change.
    pub key: ConfigKey,
    /// The kind of change.
    pub op: KeyOperator,
    /// The new value or the word.
    pub value: String,
}

/// A text that is not a change of a key.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum InvalidKeyOperation {
    /// The operator is missing.
    #[error("{0:?} sets nothing: expected <key>=<value>, or += -= |= ^= or [i]= in place of =")]
    Operator(String),
    /// The text before the operator is not a key.
    #[error(transparent)]
    Key(#[from] InvalidKey),
    /// It is a section, not a key.
    #[error("{0} is a section: expected one of its keywords, such as {0}.comment")]
    Section(String),
    /// The brackets hold no number.
    #[error("{0:?} is not an index: expected a number counted from 0")]
    Index(String),
}

impl FromStr for KeyOperation {
    type Err = InvalidKeyOperation;

    fn from_str(s: &str) -> Result<KeyOperation, InvalidKeyOperation> {
        // At the first `=`: a key cannot hold one, a value can.
        let (left, value) = s.split_once('=').ok_or_else(|| InvalidKeyOperation::Operator(s.to_owned()))?;
        let (key, op) = split_op(left)?;
        let key: ConfigKey = key.parse()?;
        if key.option.is_empty() {
            return Err(InvalidKeyOperation::Section(key.section));
        }
        Ok(KeyOperation { key, op, value: value.to_owned() })
    }
}

/// The text before the `=`: the key, and the rest of the operator.
fn split_op(left: &str) -> Result<(&str, KeyOperator), InvalidKeyOperation> {
    for (sign, op) in
        [('+', KeyOperator::Append), ('-', KeyOperator::Remove), ('|', KeyOperator::Merge), ('^', KeyOperator::Toggle)]
    {
        if let Some(key) = left.strip_suffix(sign) {
            return Ok((key, op));
        }
    }
    match left.strip_suffix(']').and_then(|rest| rest.rsplit_once('[')) {
        Some((key, index)) => {
            Ok((key, KeyOperator::Insert(index.parse().map_err(|_| InvalidKeyOperation::Index(index.to_owned()))?)))
        }
        None => Ok((left, KeyOperator::Set)),
    }
}

impl Document {
    /// Makes a change.
    pub fn apply(&mut self, change: &KeyOperation) -> Result<(), EditError> {
        let (section, option) = (section_of(&change.key), change.key.scoped_option());
        // As written: a list that is not written counts as empty, so no default and no inherited word gets into the
        // file.
        let old = self.get(section, &option).unwrap_or_default();
        match change.op.on(old, &change.value) {
            Some(value) => self.set(section, &option, &value),
            None => Ok(()),
        }
    }

    /// Removes a key, or a whole section where the key names one. False if it was not there.
    pub fn remove(&mut self, key: &ConfigKey) -> bool {
        if key.option.is_empty() {
            self.delete_section(&key.section)
        } else {
            self.unset(section_of(key), &key.scoped_option())
        }
    }
}

fn section_of(key: &ConfigKey) -> &str {
    if key.section.is_empty() { DEFAULT } else { &key.section }
}

impl KeyOperator {
    /// The value after the change. None if nothing changes.
    fn on(self, old: &str, value: &str) -> Option<String> {
        let words: Vec<&str> = old.split_whitespace().collect();
        let holds = words.contains(&value);
        match self {
            KeyOperator::Set => Some(value.to_owned()),
            KeyOperator::Append => Some(appended(old, value)),
            KeyOperator::Merge | KeyOperator::Toggle if !holds => Some(appended(old, value)),
            KeyOperator::Merge => None,
            KeyOperator::Remove if !holds => None,
            KeyOperator::Remove | KeyOperator::Toggle => {
                // The words are joined again, so a value over several lines comes out as one line.
                let rest: Vec<&str> = words.into_iter().filter(|word| *word != value).collect();
                Some(rest.join(" "))
            }
            KeyOperator::Insert(index) => {
                let (before, after) = words.split_at(index.min(words.len()));
                Some([before, &[value], after].concat().join(" "))
            }
        }
    }
}

fn appended(old: &str, value: &str) -> String {
    if old.is_empty() { value.to_owned() } else { format!("{old} {value}") }
}

#[cfg(test)]
mod tests;
