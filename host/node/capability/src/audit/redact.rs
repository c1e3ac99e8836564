//! Keeps secrets out of logs and audit records.

use std::fmt;

use model::{is_secret_name, is_secret_option};

/// The text that replaces a secret.
const STARS: &str = "***";

/// Secrets shorter than this are replaced only where they stand alone: else a secret `a` would black out every text, and
/// be recognised by that.
const SHORT: usize = 4;

/// Replaces the secrets of a call by `***`.
#[derive(Clone, Default)]
pub struct Redactor {
    /// The longest first, so that a secret that holds another is replaced as a whole.
    secrets: Vec<String>,
}

impl fmt::Debug for Redactor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Redactor of {} secrets", self.secrets.len())
    }
}

impl Redactor {
    /// Hides these texts, and each line of them: a program may print a secret of many lines one by one.
    pub fn new(secrets: impl IntoIterator<Item = String>) -> Redactor {
        let lines = |secret: String| {
            let lines: Vec<String> = secret.lines().map(str::to_owned).collect();
            lines.into_iter().chain([secret])
        };
        let mut secrets: Vec<String> =
            // An empty secret would be found before each character, and a blank one in every text.
            secrets.into_iter().flat_map(lines).filter(|secret| !secret.trim().is_empty()).collect();
        secrets.sort_by(|a, b| b.len().cmp(&a.len()).then_with(|| a.cmp(b)));
        // A line of a secret may be a secret of its own.
        secrets.dedup();
        Redactor { secrets }
    }

    /// The text without the secrets, and without the values of `NAME=VALUE` whose name says that they are secret.
    pub fn redact(&self, text: &str) -> String {
        let known = self.secrets.iter().fold(text.to_owned(), |text, secret| match secret.len() < SHORT {
            true => replace_words(&text, secret),
            false => text.replace(secret.as_str(), STARS),
        });
        hide_secret_values(&known)
    }
}

/// Replaces a word where no letter or digit touches it.
fn replace_words(text: &str, word: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find(word) {
        let (before, after) = (&rest[..at], &rest[at + word.len()..]);
        let touches = |c: Option<char>| c.is_some_and(char::is_alphanumeric);
        // `out` ends in the character before a word only if that was replaced just before it.
        let inside =
            touches(before.chars().next_back().or_else(|| out.chars().next_back())) || touches(after.chars().next());
        out.push_str(before);
        out.push_str(if inside { word } else { STARS });
        rest = after;
    }
    out + rest
}

/// Hides the value of every `NAME=VALUE` whose name says that it is a password, a secret, a token or a key, and of every option
/// `--NAME VALUE` like that.
pub fn hide_secret_values(text: &str) -> String {
    hide_option_values(&hide_variables(text))
}

/// Hides the word behind every option that says that it is a secret, as `--password hunter2`. It may be on the next line, if that goes on
/// with the same value of a configuration.
pub fn hide_option_values(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find("--") {
        let (before, option) = rest.split_at(at);
        let is_in_word = before.chars().next_back().or_else(|| out.chars().next_back()).is_some_and(is_of_option);
        let end = option.find(|c: char| !is_of_option(c)).unwrap_or(option.len());
        out.push_str(before);
        out.push_str(&option[..end]);
        rest = &option[end..];
        if is_in_word || !is_secret_option(&option[..end]) {
            continue;
        }
        let gap = rest.find(|c: char| !c.is_whitespace() && !matches!(c, '"' | '\'' | ',')).unwrap_or(rest.len());
        let (between, value) = rest.split_at(gap);
        let is_next = between.contains([' ', '\t', ',']) && !between.ends_with('\n');
        if !is_next || value.is_empty() || value.starts_with('-') {
            continue;
        }
        let end = value_end(between.chars().next_back(), value);
        out.push_str(between);
        out.push_str(STARS);
        rest = &value[end..];
    }
    out + rest
}

fn is_of_option(c: char) -> bool {
    c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.')
}

fn hide_variables(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find('=') {
        let (before, after) = (&rest[..at], &rest[at + 1..]);
        out.push_str(before);
        out.push('=');
        rest = after;
        let name = name_before(before);
        if is_secret_name(name) {
            let end = value_end(before[..before.len() - name.len()].chars().next_back(), after);
            match &after[..end] {
                "" => {}
                // By convention `-` means standard input, so it is not a secret.
                "-" => out.push('-'),
                _ => out.push_str(STARS),
            }
            rest = &after[end..];
        }
    }
    out + rest
}

/// Where a value ends: at the quote that opened before its name, after the quotes that enclose the value itself, or at white
/// space.
fn value_end(opened: Option<char>, value: &str) -> usize {
    let is_quote = |c: &char| matches!(c, '"' | '\'');
    if let Some(quote) = opened.filter(is_quote) {
        return closing(value, quote).unwrap_or(value.len());
    }
    match value.chars().next().filter(is_quote) {
        Some(quote) => closing(&value[1..], quote).map_or(value.len(), |end| end + 2),
        None => value
            .find(|c: char| c.is_whitespace() || matches!(c, '"' | '\'' | '&' | ';' | '|' | ')' | ']'))
            .unwrap_or(value.len()),
    }
}

/// Where the quote closes. A quote after a backslash does not.
fn closing(text: &str, quote: char) -> Option<usize> {
    let mut escaped = false;
    text.char_indices().find_map(|(at, c)| {
        let found = c == quote && !escaped;
        escaped = c == '\\' && !escaped;
        found.then_some(at)
    })
}

/// The name at the end of the text.
fn name_before(text: &str) -> &str {
    let end = text
        .rfind(|c: char| !c.is_ascii_alphanumeric() && !matches!(c, '_' | '-' | '.'))
        .map_or(0, |at| at + text[at..].chars().next().map_or(0, char::len_utf8));
    &text[end..]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn secrets_are_replaced_by_stars() {
        let redactor =
            Redactor::new(["hunter2".to_owned(), "hunter2-long".to_owned(), "pw".to_owned(), "a b\nc d e".to_owned()]);
        for (text, expected) in [
            ("login hunter2 now", "login *** now"),
            ("xhunter2y", "x***y"),
            ("hunter2-long", "***"),
            ("pw -p pw: spwn pw", "*** -p ***: spwn ***"),
            ("line c d e alone", "line *** alone"),
            ("nothing here", "nothing here"),
            ("", ""),
        ] {
            assert_eq!(redactor.redact(text), expected, "{text:?}");
        }
        assert!(!format!("{redactor:?}").contains("hunter2"));
    }

    #[test]
    fn values_of_secret_names_are_hidden() {
        for (text, expected) in [
            ("docker run -e DB_PASSWORD=x1 -e PORT=80 img", "docker run -e DB_PASSWORD=*** -e PORT=80 img"),
            ("exec = /x \"API_TOKEN=a \\\"b\" c", "exec = /x \"API_TOKEN=***\" c"),
            ("SecretKey='a b' c", "SecretKey=*** c"),
            ("https://h/x?token=abc&y=1", "https://h/x?token=***&y=1"),
            ("echo A_KEY=b; exec x", "echo A_KEY=***; exec x"),
            ("cryptsetup open --key-file=- -- /dev/x", "cryptsetup open --key-file=- -- /dev/x"),
            ("key=", "key="),
            ("/x --password hunter2 --port 80", "/x --password *** --port 80"),
            ("/x --token 'a b' c", "/x --token '***' c"),
            (r#"["/x", "--api-key", "abc", "d"]"#, r#"["/x", "--api-key", "***", "d"]"#),
            ("/x --password=hunter2", "/x --password=***"),
            ("/x --password --port 80", "/x --password --port 80"),
            ("/x --password-file /run/pw --token -", "/x --password-file /run/pw --token -"),
            ("om sec/db add --key pin", "om sec/db add --key pin"),
            ("command = /x --password\n  hunter2\n", "command = /x --password\n  ***\n"),
            ("command = /x --password\ntags = a\n", "command = /x --password\ntags = a\n"),
            ("--password", "--password"),
            ("a=b=c", "a=b=c"),
        ] {
            assert_eq!(Redactor::default().redact(text), expected, "{text:?}");
        }
    }
}
