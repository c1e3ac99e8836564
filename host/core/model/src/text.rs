//! Text that others wrote, made harmless for a terminal: escape sequences would write over what stands there, hide what follows, or set
//! a clipboard, and controls of direction make a text read as another one.

use std::borrow::Cow;

/// Whether a character does something else than to be seen: the controls C0 and C1 with DEL, the controls of direction, separators of
/// lines, and letters without a shape.
pub fn steers_a_terminal(c: char) -> bool {
    c.is_control()
        || matches!(
            c,
            '\u{ad}' | '\u{61c}' | '\u{180e}' | '\u{200b}' | '\u{200e}' | '\u{200f}' | '\u{2028}'..='\u{202e}'
        )
        || matches!(c, '\u{2060}'..='\u{206f}' | '\u{feff}' | '\u{fff9}'..='\u{fffb}' | '\u{e0000}'..='\u{e007f}')
}

/// One line of text, with all that would steer a terminal written as Rust writes it: `\u{1b}`. Tabs stay.
pub fn harmless(text: &str) -> Cow<'_, str> {
    replaced(text, &['\t'])
}

/// The same of several lines.
pub fn harmless_lines(text: &str) -> Cow<'_, str> {
    replaced(text, &['\t', '\n'])
}

/// The same of lines with colours of our own: sequences that only choose colours and weights stay, which `ESC [ … m` does.
pub fn harmless_styled(text: &str) -> Cow<'_, str> {
    if !text.chars().any(|c| steers_a_terminal(c) && c != '\n' && c != '\t') {
        return Cow::Borrowed(text);
    }
    let mut out = String::with_capacity(text.len() + 16);
    let mut rest = text;
    while let Some(at) = rest.find('\u{1b}') {
        out.push_str(&harmless_lines(&rest[..at]));
        rest = &rest[at..];
        let length = style_length(rest);
        match length {
            0 => {
                out.push_str("\\u{1b}");
                rest = &rest[1..];
            }
            length => {
                out.push_str(&rest[..length]);
                rest = &rest[length..];
            }
        }
    }
    out.push_str(&harmless_lines(rest));
    Cow::Owned(out)
}

/// How many bytes of the text are a sequence of style. 0: it begins with none.
fn style_length(text: &str) -> usize {
    let Some(parameters) = text.strip_prefix("\u{1b}[") else { return 0 };
    let end = parameters.find(|c: char| !c.is_ascii_digit() && c != ';');
    match end {
        Some(end) if parameters[end..].starts_with('m') => "\u{1b}[".len() + end + 1,
        _ => 0,
    }
}

fn replaced<'t>(text: &'t str, but: &[char]) -> Cow<'t, str> {
    let steers = |c: char| steers_a_terminal(c) && !but.contains(&c);
    // Nearly no text holds any.
    if !text.chars().any(steers) {
        return Cow::Borrowed(text);
    }
    let mut out = String::with_capacity(text.len() + 16);
    for c in text.chars() {
        match steers(c) {
            true if matches!(c, '\n' | '\r' | '\t') => out.extend(c.escape_default()),
            true => out.extend(c.escape_unicode()),
            false => out.push(c),
        }
    }
    Cow::Owned(out)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_that_steers_a_terminal_is_left() {
        for (text, expected) in [
            ("plain déjà 漢字 👩‍💻\t|", "plain déjà 漢字 👩‍💻\t|"),
            ("a\u{1b}[2Jb", "a\\u{1b}[2Jb"),
            ("\u{1b}]52;c;eA==\u{7}", "\\u{1b}]52;c;eA==\\u{7}"),
            ("\u{9b}8m", "\\u{9b}8m"),
            ("a\rb\nc", "a\\rb\\nc"),
            ("user\u{202e}nimda", "user\\u{202e}nimda"),
            ("a\u{2066}b\u{2069}\u{200f}\u{61c}", "a\\u{2066}b\\u{2069}\\u{200f}\\u{61c}"),
            ("\u{e0041}\u{feff}\u{7f}\u{0}", "\\u{e0041}\\u{feff}\\u{7f}\\u{0}"),
        ] {
            assert_eq!(harmless(text), expected, "{text:?}");
            assert_eq!(harmless(&harmless(text)), expected, "twice is once");
        }
        assert_eq!(harmless_lines("a\n\u{1b}b\n"), "a\n\\u{1b}b\n");
    }

    #[test]
    fn of_sequences_only_colours_stay() {
        for (text, expected) in [
            ("\u{1b}[31mred\u{1b}[0m\n", "\u{1b}[31mred\u{1b}[0m\n"),
            ("\u{1b}[1;38;5;3mx\u{1b}[m", "\u{1b}[1;38;5;3mx\u{1b}[m"),
            ("\u{1b}[2K\u{1b}[31mx", "\\u{1b}[2K\u{1b}[31mx"),
            ("\u{1b}[?25lx\u{1b}", "\\u{1b}[?25lx\\u{1b}"),
            ("\u{1b}[31", "\\u{1b}[31"),
            ("\u{1b}]0;t\u{7}\u{1b}[31m", "\\u{1b}]0;t\\u{7}\u{1b}[31m"),
        ] {
            assert_eq!(harmless_styled(text), expected, "{text:?}");
        }
    }
}
