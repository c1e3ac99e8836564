//! Words as a shell splits them, and commands: split where that is all that a shell would do, else handed to one.

use super::ConvertError;

/// The words of a text, and whether a shell would do more than split it.
#[derive(Default)]
struct SplitWords {
    words: Vec<String>,
    /// The word that is being read. None between two words.
    word: Option<String>,
    meta: bool,
}

impl SplitWords {
    fn push(&mut self, c: char) {
        self.word.get_or_insert_default().push(c);
    }

    fn end_word(&mut self) {
        self.words.extend(self.word.take());
    }
}

/// The words of a text as a shell splits them: quotes and backslashes are understood, nothing else is.
pub fn split_words(text: &str) -> Result<Vec<String>, ConvertError> {
    Ok(split(text)?.words)
}

/// A program and its arguments. Where the text holds what only a shell understands (`&&`, `|`, `*`, `$`…), they are
/// `/bin/sh -c TEXT`.
pub fn command(text: &str) -> Result<Vec<String>, ConvertError> {
    let split = split(text)?;
    let sets_variable = split.words.first().is_some_and(|word| is_assignment(word));
    if split.words.is_empty() {
        return Err(ConvertError::new("a command", "a program and its arguments"));
    }
    // Without a shell where possible: one process less, and signals reach the program itself.
    if split.meta || sets_variable {
        return Ok(vec!["/bin/sh".to_owned(), "-c".to_owned(), text.to_owned()]);
    }
    Ok(split.words)
}

/// Whether a word sets a variable for the program that follows, which only a shell does.
fn is_assignment(word: &str) -> bool {
    let name = word.split_once('=').map_or("", |(name, _)| name);
    let legal = |c: char| c.is_ascii_alphanumeric() || c == '_';
    name.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_') && name.chars().all(legal)
}

fn split(text: &str) -> Result<SplitWords, ConvertError> {
    let mut split = SplitWords::default();
    let mut chars = text.chars();
    while let Some(c) = chars.next() {
        match c {
            // Quotes make a word even if nothing is between them, so `''` is an empty argument.
            '\'' => single_quoted(&mut chars, &mut split)?,
            '"' => double_quoted(&mut chars, &mut split)?,
            '\\' => match chars.next() {
                // A backslash before the end of a line joins the lines.
                Some('\n') => {}
                // Escaped, a character is plain to a shell too, so none is needed for it.
                Some(escaped) => split.push(escaped),
                None => return Err(unfinished("a character behind the last backslash")),
            },
            _ if c.is_whitespace() => split.end_word(),
            _ => {
                // `~` and `#` mean something to a shell only at the beginning of a word.
                split.meta |= "|&;<>()$`*?[".contains(c) || ("~#".contains(c) && split.word.is_none());
                split.push(c);
            }
        }
    }
    split.end_word();
    Ok(split)
}

fn single_quoted(chars: &mut std::str::Chars<'_>, split: &mut SplitWords) -> Result<(), ConvertError> {
    // Nothing is special within single quotes, not even a backslash.
    let rest = chars.as_str();
    let (quoted, after) = rest.split_once('\'').ok_or_else(|| unfinished("a closing '"))?;
    split.word.get_or_insert_default().push_str(quoted);
    *chars = after.chars();
    Ok(())
}

fn double_quoted(chars: &mut std::str::Chars<'_>, split: &mut SplitWords) -> Result<(), ConvertError> {
    split.word.get_or_insert_default();
    while let Some(c) = chars.next() {
        match c {
            '"' => return Ok(()),
            '\\' => match chars.next() {
                Some('\n') => {}
                // Within double quotes a backslash escapes only these. Before any other character it stays.
                Some(escaped @ ('"' | '\\' | '$' | '`')) => split.push(escaped),
                Some(other) => {
                    split.push('\\');
                    split.push(other);
                }
                None => break,
            },
            _ => {
                // These two keep their meaning within double quotes, so they still need a shell.
                split.meta |= c == '$' || c == '`';
                split.push(c);
            }
        }
    }
    Err(unfinished("a closing \""))
}

fn unfinished(expected: &str) -> ConvertError {
    ConvertError::new("a command", expected)
}
