//! What is wrong with a configuration, with the lines that it is wrong in.

use annotate_snippets::renderer::DecorStyle;
use annotate_snippets::{AnnotationKind, Level, Renderer, Snippet};
use config::diagnostic::{Diagnostic, Lines, Severity, Span};
use serde_json::{Value, json};

/// Every problem with its lines, and their count. `name` is what the text is called.
pub(crate) fn report(name: &str, text: &str, diagnostics: &[Diagnostic]) -> String {
    // Colour is decided where the text is written, not here.
    let renderer = Renderer::styled().decor_style(DecorStyle::Ascii);
    let mut report = String::new();
    let lines = Lines::of(text);
    for diagnostic in diagnostics {
        let title = match diagnostic.severity {
            Severity::Error => Level::ERROR,
            Severity::Warning => Level::WARNING,
        };
        let span = clamp(diagnostic.span, text);
        // The renderer looks at all that it is given, for each of what may be thousands of problems.
        let around = lines.around(span);
        let within = span.start - around.start..span.end - around.start;
        let annotation = AnnotationKind::Primary.span(within).label(diagnostic.label.as_str());
        let first = lines.position(around.start).line;
        let snippet = Snippet::source(around.of(text)).line_start(first).path(name).annotation(annotation);
        report += &renderer.render(&[title.primary_title(diagnostic.message.as_str()).element(snippet)]);
        report.push('\n');
    }
    report + &count(name, diagnostics) + "\n"
}

/// A span that lies in the text: an empty file still has a place to point at.
fn clamp(span: Span, text: &str) -> Span {
    let end = span.end.min(text.len());
    Span::new(span.start.min(end), end)
}

fn count(name: &str, diagnostics: &[Diagnostic]) -> String {
    let errors = diagnostics.iter().filter(|diagnostic| diagnostic.is_error()).count();
    let number = |n: usize, word: &str| match n {
        1 => format!("1 {word}"),
        n => format!("{n} {word}s"),
    };
    match (errors, diagnostics.len() - errors) {
        (0, 0) => format!("{name}: valid"),
        (0, warnings) => format!("{name}: valid, {}", number(warnings, "warning")),
        (errors, 0) => format!("{name}: {}", number(errors, "error")),
        (errors, warnings) => format!("{name}: {}, {}", number(errors, "error"), number(warnings, "warning")),
    }
}

/// The same, for programs.
pub(crate) fn value(name: &str, text: &str, diagnostics: &[Diagnostic]) -> Value {
    let lines = Lines::of(text);
    let items: Vec<Value> = diagnostics
        .iter()
        .map(|diagnostic| {
            let position = lines.position(diagnostic.span.start);
            json!({
                "file": name,
                "line": position.line,
                "column": position.column,
                "severity": diagnostic.severity.to_string(),
                "message": diagnostic.message,
                "label": diagnostic.label,
            })
        })
        .collect();
    Value::Array(items)
}
