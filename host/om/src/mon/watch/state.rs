//! What `om mon --watch` shows, and what keys do to it. No terminal and no daemon is here, so that all of it is tested.

use std::time::Instant;

use crossterm::event::{KeyCode, KeyEvent, KeyEventKind, KeyModifiers};
use protocol::daemon::{DaemonUse, StatusDocument};

use crate::render::mon::MonLine;

/// What a key asks for, beyond another view of what is known.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum WatchRequest {
    Quit,
}

/// What is shown.
#[derive(Debug, Default)]
pub(super) struct WatchState {
    known: Option<KnownStatus>,
    /// Why the daemon cannot be asked, if so.
    lost: Option<String>,
    /// How many lines are above the screen.
    above: usize,
    /// How many lines there are, and how many of them fit: of the last frame.
    lines: usize,
    room: usize,
}

#[derive(Debug)]
struct KnownStatus {
    status: StatusDocument,
    usage: Option<DaemonUse>,
    at: Instant,
}

impl WatchState {
    pub(super) fn renew(&mut self, status: StatusDocument, usage: Option<DaemonUse>) {
        self.known = Some(KnownStatus { status, usage, at: Instant::now() });
        self.lost = None;
    }

    pub(super) fn lose(&mut self, reason: String) {
        self.lost = Some(reason);
    }

    pub(super) fn usage(&self) -> Option<DaemonUse> {
        self.known.as_ref().and_then(|known| known.usage.clone())
    }

    pub(super) fn key(&mut self, key: KeyEvent) -> Option<WatchRequest> {
        if key.kind == KeyEventKind::Release {
            return None;
        }
        let page = self.room.max(1);
        match (key.code, key.modifiers) {
            (KeyCode::Char('c'), KeyModifiers::CONTROL) | (KeyCode::Char('q') | KeyCode::Esc, _) => {
                return Some(WatchRequest::Quit);
            }
            (KeyCode::Up | KeyCode::Char('k'), _) => self.above = self.above.saturating_sub(1),
            (KeyCode::Down | KeyCode::Char('j'), _) => self.above += 1,
            (KeyCode::PageUp, _) => self.above = self.above.saturating_sub(page),
            (KeyCode::PageDown | KeyCode::Char(' '), _) => self.above += page,
            (KeyCode::Home, _) => self.above = 0,
            (KeyCode::End, _) => self.above = self.lines,
            _ => {}
        }
        None
    }

    /// The lines of the screen: a head, as much as fits, a foot.
    pub(super) fn frame(&mut self, draw: impl FnOnce(&StatusDocument) -> Vec<MonLine>, rows: usize) -> Vec<String> {
        let mut frame = vec![self.head(Instant::now()), String::new()];
        let lines = self.known.as_ref().map(|known| draw(&known.status)).unwrap_or_default();
        self.lines = lines.len();
        self.room = rows.saturating_sub(4);
        self.above = self.above.min(self.lines.saturating_sub(self.room));
        frame.extend(lines.into_iter().skip(self.above).take(self.room).map(|line| line.text));
        frame.resize(rows.saturating_sub(1), String::new());
        frame.push(self.foot());
        frame.truncate(rows);
        frame
    }

    /// The node, how old what is shown is, and why if it is.
    fn head(&self, now: Instant) -> String {
        let Some(known) = &self.known else {
            return match &self.lost {
                Some(reason) => format!("om mon   {reason}"),
                None => "om mon   asking the daemon".to_owned(),
            };
        };
        let node = &known.status.daemon.nodename;
        match &self.lost {
            None => format!("om mon   {node}"),
            Some(reason) => {
                let age = now.duration_since(known.at).as_secs();
                format!("om mon   {node}   {age} s old, connecting again: {reason}")
            }
        }
    }

    fn foot(&self) -> String {
        let below = self.lines.saturating_sub(self.above + self.room);
        let more = if below > 0 { format!("   {below} more lines") } else { String::new() };
        format!("q quit   ↑↓ scroll{more}")
    }
}
