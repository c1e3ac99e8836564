//! A cell: pieces of text with a colour each.

use anstyle::{AnsiColor, Style};
use model::text::harmless;

pub(super) const UP: Style = AnsiColor::Green.on_default();
pub(super) const DOWN: Style = AnsiColor::Red.on_default();
pub(super) const WARN: Style = AnsiColor::Yellow.on_default();
pub(super) const FROZEN: Style = AnsiColor::Blue.on_default();
pub(super) const FAINT: Style = Style::new().dimmed();
pub(super) const HEAD: Style = Style::new().bold();

/// Text of a cell, before its width is counted.
fn shown(text: String) -> String {
    harmless(&text).into_owned()
}

/// Pieces of text with a colour each.
#[derive(Debug, Clone, Default)]
pub(super) struct MonCell(Vec<(String, Style)>);

impl MonCell {
    pub(super) fn plain(text: impl Into<String>) -> MonCell {
        MonCell::of(text, Style::new())
    }

    pub(super) fn of(text: impl Into<String>, style: Style) -> MonCell {
        MonCell(vec![(shown(text.into()), style)])
    }

    pub(super) fn push(&mut self, text: impl Into<String>, style: Style) {
        self.0.push((shown(text.into()), style));
    }

    pub(super) fn width(&self) -> usize {
        self.0.iter().map(|(text, _)| text.chars().count()).sum()
    }

    /// With its colours, and filled up or cut to a width.
    pub(super) fn render(&self, width: Option<usize>) -> String {
        let own = self.width();
        let cut = match width {
            Some(width) if width < own => width.saturating_sub(1),
            _ => own,
        };
        let mut text = String::new();
        let mut left = cut;
        for (piece, style) in &self.0 {
            let piece: String = piece.chars().take(left).collect();
            left -= piece.chars().count();
            if !piece.is_empty() {
                text += &format!("{style}{piece}{style:#}");
            }
        }
        if cut < own {
            text.push('…');
        }
        text + &" ".repeat(width.unwrap_or(own).saturating_sub(own))
    }
}
