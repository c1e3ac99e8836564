//! Terms on keywords, such as `app.timeout>1m`, `ip:` or `monitor_schedule`.
//!
//! The text that a term compares with is converted as the keyword's own value is, so that `1m` and `60` are one duration.

use std::cmp::Ordering;

use regex::Regex;

use super::InvalidSelector;
use crate::convert::convert;
use crate::keyword::ValueKind;
use crate::{Group, ObjectPath, Rid};

/// The sections of a configuration that a term asks about.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SectionSource {
    /// DEFAULT.
    Default,
    /// One resource's.
    Resource(Rid),
    /// Those of a driver group.
    Group(Group),
    /// Those of all resources.
    AnyResource,
    /// Another section: `env`, `labels`, `data`.
    Named(String),
}

/// An evaluated value of a keyword, in canonical form: one text per element of a list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TypedValue {
    /// The kind of its values.
    pub kind: ValueKind,
    /// The values.
    pub values: Vec<String>,
}

/// Answers the questions of terms about an object's configuration. Only questions that the result depends on are asked. A
/// keyword that cannot be read or evaluated has no value.
pub trait KeywordSource {
    /// Whether there is any such section.
    fn has_section(&self, object: &ObjectPath, sections: &SectionSource) -> bool;

    /// Whether any of the sections writes the keyword, under any scope.
    fn is_written(&self, object: &ObjectPath, sections: &SectionSource, keyword: &str) -> bool;

    /// The values of the keyword, one for each of the sections, defaults included.
    fn values(&self, object: &ObjectPath, sections: &SectionSource, keyword: &str) -> Vec<TypedValue>;
}

/// How a keyword's value is compared.
#[derive(Debug, Clone)]
pub enum KeywordComparison {
    /// `<`
    Less,
    /// `<=`
    AtMost,
    /// `>`
    More,
    /// `>=`
    AtLeast,
    /// `=`
    Equal,
    /// `~`
    Matches(Regex),
}

/// A term on keywords.
#[derive(Debug, Clone)]
pub(super) struct KeywordTerm {
    sections: SectionSource,
    test: TermTest,
}

#[derive(Debug, Clone)]
enum TermTest {
    /// There is such a section.
    Section,
    /// The keyword is written.
    Written(String),
    /// The keyword's value compares so.
    Compares { keyword: String, comparison: KeywordComparison, with: String },
}

/// The longer operators first, because `<=` begins with `<`.
const OPERATORS: [&str; 8] = ["<=", ">=", "~=", "<", ">", "=", "~", ":"];

impl KeywordTerm {
    /// Whether the text is a term on keywords by its operator. Names and globs hold none.
    pub(super) fn has_operator(text: &str) -> bool {
        split_operator(text).is_some()
    }

    /// Reads a term. One without an operator asks whether the keyword is written.
    pub(super) fn parse(text: &str) -> Result<KeywordTerm, InvalidSelector> {
        let (parameter, operator, with) = split_operator(text).unwrap_or((text, ":", ""));
        let comparison = match operator {
            ":" if with.is_empty() => return KeywordTerm::existence(text, parameter),
            ":" => return Err(InvalidSelector::ValueAfterColon(text.to_owned())),
            "<" => KeywordComparison::Less,
            "<=" => KeywordComparison::AtMost,
            ">" => KeywordComparison::More,
            ">=" => KeywordComparison::AtLeast,
            "=" => KeywordComparison::Equal,
            _ => KeywordComparison::Matches(
                Regex::new(with).map_err(|source| InvalidSelector::Regex { term: text.to_owned(), source })?,
            ),
        };
        let (sections, keyword) = split_parameter(parameter);
        let keyword = legal_keyword(text, keyword)?;
        Ok(KeywordTerm { sections, test: TermTest::Compares { keyword, comparison, with: with.to_owned() } })
    }

    fn existence(text: &str, parameter: &str) -> Result<KeywordTerm, InvalidSelector> {
        // `fs:` and `fs#1:` ask for a section, `fs#1.dev:` for a keyword. An id can hold dots, so a text with a dot is a
        // keyword.
        let whole_section = parameter
            .parse()
            .map(SectionSource::Group)
            .ok()
            .or_else(|| parameter.parse().map(SectionSource::Resource).ok().filter(|_| !parameter.contains('.')));
        if let Some(sections) = whole_section {
            return Ok(KeywordTerm { sections, test: TermTest::Section });
        }
        let (sections, keyword) = split_parameter(parameter);
        Ok(KeywordTerm { sections, test: TermTest::Written(legal_keyword(text, keyword)?) })
    }

    /// Whether the term holds for an object.
    pub(super) fn holds(&self, object: &ObjectPath, keywords: &dyn KeywordSource) -> Result<bool, InvalidSelector> {
        match &self.test {
            TermTest::Section => Ok(keywords.has_section(object, &self.sections)),
            TermTest::Written(keyword) => Ok(keywords.is_written(object, &self.sections, keyword)),
            TermTest::Compares { keyword, comparison, with } => {
                for value in keywords.values(object, &self.sections, keyword) {
                    if compares(&value, comparison, with)? {
                        return Ok(true);
                    }
                }
                Ok(false)
            }
        }
    }
}

/// Cuts at the first operator.
fn split_operator(text: &str) -> Option<(&str, &str, &str)> {
    let at = text.find(['<', '>', '=', '~', ':'])?;
    // Each character that `find` looks for is an operator by itself, so one always fits.
    let operator = OPERATORS.into_iter().find(|operator| text[at..].starts_with(operator))?;
    Some((&text[..at], operator, &text[at + operator.len()..]))
}

/// Cuts `<section>.<keyword>`. An id may hold dots, a keyword of a resource does not.
fn split_parameter(parameter: &str) -> (SectionSource, &str) {
    // Without an id the first dot cuts, because the keys of env, labels and data may hold dots.
    let cut = if parameter.contains('#') { parameter.rsplit_once('.') } else { parameter.split_once('.') };
    let Some((section, keyword)) = cut else { return (SectionSource::Default, parameter) };
    let sections = match (section, section.parse(), section.parse()) {
        ("", ..) => SectionSource::AnyResource,
        ("DEFAULT", ..) => SectionSource::Default,
        (_, Ok(rid), _) => SectionSource::Resource(rid),
        (_, _, Ok(group)) => SectionSource::Group(group),
        _ => SectionSource::Named(section.to_owned()),
    };
    (sections, keyword)
}

fn legal_keyword(term: &str, keyword: &str) -> Result<String, InvalidSelector> {
    let legal = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '-' | '.');
    if keyword.is_empty() || !keyword.chars().all(legal) {
        return Err(InvalidSelector::Term(term.to_owned()));
    }
    Ok(keyword.to_owned())
}

/// Lists match by any of their elements, and are equal as a whole too.
fn compares(value: &TypedValue, comparison: &KeywordComparison, with: &str) -> Result<bool, InvalidSelector> {
    if let KeywordComparison::Matches(regex) = comparison {
        return Ok(value.values.iter().any(|value| regex.is_match(value)));
    }
    let wanted = match convert(value.kind, with) {
        Ok(wanted) => wanted,
        // A text that is not a path can still be equal to one as a text. A text that is not a duration must be a mistake.
        Err(source) if is_measured(value.kind) => {
            return Err(InvalidSelector::Value { value: with.to_owned(), source });
        }
        Err(_) => vec![with.to_owned()],
    };
    if matches!(comparison, KeywordComparison::Equal) && value.values == wanted {
        return Ok(true);
    }
    // A list is compared as a whole above. Its elements are compared with a single word only.
    let [wanted] = &wanted[..] else { return Ok(false) };
    Ok(value.values.iter().any(|value| holds(comparison, order(value, wanted))))
}

fn is_measured(kind: ValueKind) -> bool {
    matches!(kind, ValueKind::Boolean | ValueKind::Integer | ValueKind::Size | ValueKind::Duration | ValueKind::Mode)
}

/// Compares numbers by their value and booleans in any case. Other values are equal or cannot be compared.
fn order(value: &str, wanted: &str) -> Option<Ordering> {
    let boolean = |text: &str| text.eq_ignore_ascii_case("true") || text.eq_ignore_ascii_case("false");
    // Sizes, durations and modes are plain numbers in canonical form, so no unit is left to compare.
    match (value.parse::<f64>(), wanted.parse::<f64>()) {
        (Ok(value), Ok(wanted)) => value.partial_cmp(&wanted),
        _ if boolean(wanted) => value.eq_ignore_ascii_case(wanted).then_some(Ordering::Equal),
        _ => (value == wanted).then_some(Ordering::Equal),
    }
}

fn holds(comparison: &KeywordComparison, order: Option<Ordering>) -> bool {
    use Ordering::{Equal, Greater, Less};
    match comparison {
        KeywordComparison::Less => order == Some(Less),
        KeywordComparison::AtMost => matches!(order, Some(Less | Equal)),
        KeywordComparison::More => order == Some(Greater),
        KeywordComparison::AtLeast => matches!(order, Some(Greater | Equal)),
        KeywordComparison::Equal => order == Some(Equal),
        // Not reached: `compares` answers this one itself.
        KeywordComparison::Matches(_) => false,
    }
}
