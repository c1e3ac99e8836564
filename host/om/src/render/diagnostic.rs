//! The problems of a configuration, each with the lines that it is in.

use annotate_snippets::renderer::DecorStyle;
use annotate_snippets::{AnnotationKind, Level, Renderer, Snippet};
use config::diagnostic::{LineIndex, Span};
use model::is_secret_name;
use model::text::{harmless, steers_a_terminal};
use protocol::{ConfigCheck, ConfigProblem, LocatedProblem, ProblemSeverity};

/// Every problem with its lines, and their count.
pub(crate) fn report(check: &ConfigCheck) -> String {
    let ConfigCheck { name, text, problems } = check;
    // Of the same length, as spans count bytes.
    let (name, text) = (&*harmless(name), &harmless_in_place(&covered_in_place(text)));
    // Colour is decided where the text is written, not here.
    let renderer = Renderer::styled().decor_style(DecorStyle::Ascii);
    let mut report = String::new();
    let lines = LineIndex::of(text);
    for problem in problems {
        let title = match problem.severity {
            ProblemSeverity::Error => Level::ERROR,
            ProblemSeverity::Warning => Level::WARNING,
        };
        let span = clamp(problem.span(), text);
        // The renderer looks at all that it is given, for each of what may be thousands of problems.
        let around = lines.around(span);
        let within = span.start - around.start..span.end - around.start;
        let (label, message) = (harmless(&problem.label), harmless(&problem.message));
        let annotation = AnnotationKind::Primary.span(within).label(&*label);
        let first = lines.position(around.start).line;
        let snippet = Snippet::source(around.of(text)).line_start(first).path(name).annotation(annotation);
        report += &renderer.render(&[title.primary_title(&*message).element(snippet)]);
        report.push('\n');
    }
    report + &count(name, problems) + "\n"
}

/// The text with stars in place of the values that have the names of secrets, as many bytes long. What refers to them stays.
fn covered_in_place(text: &str) -> String {
    let mut in_secret = false;
    text.split_inclusive('\n').map(|line| covered_line(line, &mut in_secret)).collect()
}

fn covered_line(line: &str, in_secret: &mut bool) -> String {
    let continues = line.starts_with(char::is_whitespace) && !line.trim().is_empty();
    if let Some((key, _)) = line.split_once('=').filter(|_| !continues) {
        // The scope of a key is no part of its name.
        let name = key.split('@').next().unwrap_or_default().trim();
        // `secrets_environment` names keys of a store, and holds none of them.
        // A keyword that ends in `key` names a file or a number more often than not.
        *in_secret = is_secret_name(name) && !name.ends_with("_environment") && name != "prkey";
        let from = key.len() + 1;
        return format!("{}{}", &line[..from], covered_words(&line[from..], *in_secret));
    }
    *in_secret &= continues;
    covered_words(line, *in_secret)
}

/// Covers the words, or those alone that are variables with the name of a secret.
fn covered_words(text: &str, all: bool) -> String {
    let stars = |word: &str| "*".repeat(word.len());
    let covered = |word: &str| match word.split_once('=') {
        _ if word.trim().is_empty() => word.to_owned(),
        _ if all => format!("{}{}", stars(word.trim_end()), &word[word.trim_end().len()..]),
        Some((name, value)) if is_secret_name(name) => {
            format!("{name}={}{}", stars(value.trim_end()), &value[value.trim_end().len()..])
        }
        _ => word.to_owned(),
    };
    text.split_inclusive(char::is_whitespace).map(covered).collect()
}

/// The text with a mark in place of each character that would steer a terminal, as many bytes long.
fn harmless_in_place(text: &str) -> String {
    let shown = |c: char| match c.len_utf8() {
        _ if c == '\n' || c == '\t' || !steers_a_terminal(c) => c,
        1 => '?',
        2 => '\u{bf}',
        3 => '\u{fffd}',
        _ => '\u{1f6d1}',
    };
    text.chars().map(shown).collect()
}

/// A span that lies in the text: an empty file still has a place to point at.
fn clamp(span: Span, text: &str) -> Span {
    let end = span.end.min(text.len());
    Span::new(span.start.min(end), end)
}

fn count(name: &str, problems: &[ConfigProblem]) -> String {
    let errors = problems.iter().filter(|problem| problem.is_error()).count();
    let number = |n: usize, word: &str| match n {
        1 => format!("1 {word}"),
        n => format!("{n} {word}s"),
    };
    match (errors, problems.len() - errors) {
        (0, 0) => format!("{name}: valid"),
        (0, warnings) => format!("{name}: valid, {}", number(warnings, "warning")),
        (errors, 0) => format!("{name}: {}", number(errors, "error")),
        (errors, warnings) => format!("{name}: {}, {}", number(errors, "error"), number(warnings, "warning")),
    }
}

/// The problems by their lines, for programs.
pub(crate) fn located(check: &ConfigCheck) -> Vec<LocatedProblem> {
    let lines = LineIndex::of(&check.text);
    let located = |problem: &ConfigProblem| {
        let position = lines.position(problem.start);
        LocatedProblem {
            file: check.name.clone(),
            line: position.line,
            column: position.column,
            severity: problem.severity,
            message: problem.message.clone(),
            label: problem.label.clone(),
        }
    };
    check.problems.iter().map(located).collect()
}
