//! Splits words into options and their values, as docker's own command line does: `--name value`, `--name=value`, `-v value`,
//! `-vvalue`, `-it`, and flags that take a value only after an `=`.

use crate::RunArgsError;
use crate::options::{self, OptionEntry};

/// An option as it was used, with its value.
#[derive(Debug)]
pub(crate) struct OptionUse {
    /// As it was written, without its value.
    pub(crate) option: String,
    pub(crate) entry: &'static OptionEntry,
    /// `true` for a flag without a value.
    pub(crate) value: String,
}

/// Splits words into options and their values.
pub(crate) fn split<W: AsRef<str>>(words: &[W]) -> Result<Vec<OptionUse>, RunArgsError> {
    let mut given = Vec::new();
    let mut words = words.iter().map(AsRef::as_ref);
    while let Some(word) = words.next() {
        if let Some(long) = word.strip_prefix("--").filter(|long| !long.is_empty()) {
            given.push(long_option(long, &mut words)?);
        // `-` and `--` end docker's options, and here nothing but options may stand: they fall through to the error.
        } else if let Some(short) = word.strip_prefix('-').filter(|short| !short.is_empty() && *short != "-") {
            short_options(short, &mut words, &mut given)?;
        } else {
            return Err(RunArgsError::NoOption(word.to_owned()));
        }
    }
    Ok(given)
}

fn long_option<'a>(text: &str, rest: &mut impl Iterator<Item = &'a str>) -> Result<OptionUse, RunArgsError> {
    let (name, value) = match text.split_once('=') {
        Some((name, value)) => (name, Some(value)),
        None => (text, None),
    };
    let option = format!("--{name}");
    let entry = options::long(name).ok_or_else(|| RunArgsError::Unknown(option.clone()))?;
    let value = match value {
        Some(value) => value,
        // Only `=` gives a flag a value: `--init web` is a flag, and a word that is not an option.
        None if entry.is_flag() => "true",
        None => rest.next().ok_or_else(|| RunArgsError::NoValue(option.clone()))?,
    };
    Ok(OptionUse { option, entry, value: value.to_owned() })
}

/// Flags may stand together; the first option that takes a value takes the rest of the word, or the next one.
fn short_options<'a>(
    text: &str,
    rest: &mut impl Iterator<Item = &'a str>,
    given: &mut Vec<OptionUse>,
) -> Result<(), RunArgsError> {
    let mut letters = text.chars();
    while let Some(letter) = letters.next() {
        let option = format!("-{letter}");
        let entry = options::short(letter).ok_or_else(|| RunArgsError::Unknown(option.clone()))?;
        let after = letters.as_str();
        if let Some(value) = after.strip_prefix('=') {
            given.push(OptionUse { option, entry, value: value.to_owned() });
            return Ok(());
        }
        if entry.is_flag() {
            given.push(OptionUse { option, entry, value: "true".to_owned() });
            continue;
        }
        let value = match after {
            "" => rest.next().ok_or_else(|| RunArgsError::NoValue(option.clone()))?,
            after => after,
        };
        given.push(OptionUse { option, entry, value: value.to_owned() });
        return Ok(());
    }
    Ok(())
}
