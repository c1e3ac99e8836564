//! What `om mon --watch` shows, and what keys do to it. No terminal and no daemon is here, so that all of it is tested.
//!
//! ```text
//!  List ──/──▶ Prompt(filter)      List ──Enter x l c h──▶ Pane ──Esc──▶ List
//!    └───:───▶ Prompt(command) ──▶ Prompt(confirmation) ──▶ the action ──▶ List
//! ```

use std::time::Instant;

use crossterm::event::{KeyCode, KeyEvent, KeyEventKind, KeyModifiers};
use model::ObjectPath;
use protocol::daemon::{DaemonUse, StatusDocument};

use super::command::{ActionWish, WatchCommand, command};
use crate::render::mon::MonLine;

/// What a key asks for, beyond another view of what is known. The words are those of a command of `om`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum WatchRequest {
    Quit,
    /// Show what a command prints.
    Show(Vec<String>),
    /// Run a command, and tell how it ended.
    Act(Vec<String>),
    /// Show only what this selector names. Empty: everything.
    Filter(String),
}

/// What is shown.
#[derive(Debug, Default)]
pub(super) struct WatchState {
    known: Option<KnownStatus>,
    /// Why the daemon cannot be asked, if so.
    lost: Option<String>,
    mode: WatchMode,
    /// The object that the keys are about.
    marked: Option<ObjectPath>,
    /// The objects of the last frame, in its order.
    objects: Vec<ObjectPath>,
    /// How the last action ended.
    message: String,
    /// How many lines are above the screen, and how many fit on it.
    above: usize,
    room: usize,
}

#[derive(Debug)]
struct KnownStatus {
    status: StatusDocument,
    usage: Option<DaemonUse>,
    at: Instant,
}

#[derive(Debug, Default)]
enum WatchMode {
    #[default]
    List,
    /// What a command has printed.
    Pane { lines: Vec<String>, above: usize },
    /// Something is typed.
    Prompt { purpose: PromptPurpose, typed: String },
}

#[derive(Debug, Clone)]
enum PromptPurpose {
    Filter,
    Command,
    Confirmation(ActionWish),
}

const HELP: &str = "  ↑ ↓  PgUp PgDn   choose an object             q        leave
  Enter            its status                   Esc      back
  x                why it is as it is           r        ask its drivers again
  l                its log                      /        show only what a selector names
  c                its configuration            :        a command: start stop restart freeze thaw
                                                         clear abort provision unprovision purge delete
                                                         takeover giveback, switch NODE";

impl WatchState {
    pub(super) fn renew(&mut self, status: StatusDocument, usage: Option<DaemonUse>) {
        self.known = Some(KnownStatus { status, usage, at: Instant::now() });
        self.lost = None;
    }

    pub(super) fn lose(&mut self, reason: String) {
        self.lost = Some(reason);
    }

    pub(super) fn open(&mut self, text: &str) {
        self.mode = WatchMode::Pane { lines: text.lines().map(str::to_owned).collect(), above: 0 };
    }

    pub(super) fn say(&mut self, message: String) {
        self.message = message;
    }

    pub(super) fn usage(&self) -> Option<DaemonUse> {
        self.known.as_ref().and_then(|known| known.usage.clone())
    }

    pub(super) fn marked(&self) -> Option<ObjectPath> {
        self.marked.clone()
    }

    pub(super) fn key(&mut self, key: KeyEvent) -> Option<WatchRequest> {
        // A terminal that tells of releases, too, would make each key act twice.
        if key.kind == KeyEventKind::Release {
            return None;
        }
        if key.code == KeyCode::Char('c') && key.modifiers == KeyModifiers::CONTROL {
            return Some(WatchRequest::Quit);
        }
        self.message.clear();
        match &mut self.mode {
            WatchMode::List => self.list_key(key.code),
            WatchMode::Pane { lines, above } => {
                let last = lines.len().saturating_sub(self.room);
                match key.code {
                    KeyCode::Esc | KeyCode::Char('q') => self.mode = WatchMode::List,
                    code => *above = scrolled(*above, code, self.room).min(last),
                }
                None
            }
            WatchMode::Prompt { .. } => self.prompt_key(key.code),
        }
    }

    fn list_key(&mut self, code: KeyCode) -> Option<WatchRequest> {
        let show = |words: &[&str]| self.about_marked(words).map(WatchRequest::Show);
        match code {
            KeyCode::Char('q') | KeyCode::Esc => return Some(WatchRequest::Quit),
            KeyCode::Enter => return show(&["print", "status"]),
            KeyCode::Char('x') => return show(&["explain"]),
            KeyCode::Char('l') => return show(&["logs", "--lines", "200"]),
            KeyCode::Char('c') => return show(&["print", "config"]),
            KeyCode::Char('r') => return show(&["print", "status", "--refresh"]),
            KeyCode::Char('h' | '?') => self.open(HELP),
            KeyCode::Char('/') => self.ask(PromptPurpose::Filter),
            KeyCode::Char(':') => self.ask(PromptPurpose::Command),
            code => self.mark(code),
        }
        None
    }

    fn prompt_key(&mut self, code: KeyCode) -> Option<WatchRequest> {
        let WatchMode::Prompt { typed, .. } = &mut self.mode else { return None };
        match code {
            KeyCode::Char(letter) => typed.push(letter),
            KeyCode::Backspace => drop(typed.pop()),
            KeyCode::Esc => self.mode = WatchMode::List,
            KeyCode::Enter => return self.answered(),
            _ => {}
        }
        None
    }

    /// What was typed is taken.
    fn answered(&mut self) -> Option<WatchRequest> {
        let WatchMode::Prompt { purpose, typed } = std::mem::take(&mut self.mode) else { return None };
        match purpose {
            PromptPurpose::Filter => Some(WatchRequest::Filter(typed.trim().to_owned())),
            PromptPurpose::Command => self.command(&typed),
            PromptPurpose::Confirmation(wish) if typed.trim() == wish.word() => Some(WatchRequest::Act(wish.words())),
            PromptPurpose::Confirmation(_) => {
                self.say("not confirmed: nothing was done".to_owned());
                None
            }
        }
    }

    fn command(&mut self, typed: &str) -> Option<WatchRequest> {
        let Some(path) = self.marked.clone() else {
            self.say("no object is chosen".to_owned());
            return None;
        };
        match command(&path, typed) {
            Ok(WatchCommand::Quit) => return Some(WatchRequest::Quit),
            Ok(WatchCommand::Show(words)) => return self.about_marked(&words).map(WatchRequest::Show),
            Ok(WatchCommand::Act(wish)) => self.ask(PromptPurpose::Confirmation(wish)),
            Err(error) => self.say(error),
        }
        None
    }

    fn ask(&mut self, purpose: PromptPurpose) {
        self.mode = WatchMode::Prompt { purpose, typed: String::new() };
    }

    /// A command about the marked object.
    fn about_marked(&self, words: &[&str]) -> Option<Vec<String>> {
        let path = self.marked.as_ref()?.to_string();
        Some(std::iter::once(path).chain(words.iter().map(|word| (*word).to_owned())).collect())
    }

    /// Marks another object.
    fn mark(&mut self, code: KeyCode) {
        let at = self.marked.as_ref().and_then(|marked| self.objects.iter().position(|path| path == marked));
        let next = scrolled(at.unwrap_or(0), code, self.room).min(self.objects.len().saturating_sub(1));
        self.marked = self.objects.get(next).cloned();
    }

    /// The lines of the screen: a head, as much as fits, a foot.
    pub(super) fn frame(&mut self, draw: impl FnOnce(&StatusDocument) -> Vec<MonLine>, rows: usize) -> Vec<String> {
        let mut frame = vec![self.head(Instant::now()), String::new()];
        // The head and a blank line below it, a blank line and the foot.
        self.room = rows.saturating_sub(4);
        let lines = self.known.as_ref().map(|known| draw(&known.status)).unwrap_or_default();
        self.objects = lines.iter().filter_map(|line| line.object.clone()).collect();
        // It was deleted, or a filter hides it: a key must not act on what is not seen.
        if !self.marked.as_ref().is_some_and(|marked| self.objects.contains(marked)) {
            self.marked = self.objects.first().cloned();
        }
        match &self.mode {
            WatchMode::Pane { lines, above } => frame.extend(lines.iter().skip(*above).take(self.room).cloned()),
            _ => frame.extend(self.scroll(lines)),
        }
        // Always as many lines as the screen has, so that what was below a shorter list before is overwritten.
        frame.resize(rows.saturating_sub(1), String::new());
        frame.push(self.foot());
        frame.truncate(rows);
        frame
    }

    /// The lines that fit, with the marked one among them.
    fn scroll(&mut self, lines: Vec<MonLine>) -> Vec<String> {
        let marked = lines.iter().position(|line| line.object.is_some() && line.object == self.marked);
        let first = self.objects.first() == self.marked.as_ref();
        self.above = match marked {
            // What stands above the objects is seen with the first of them.
            Some(_) if first => 0,
            Some(at) if at < self.above => at,
            Some(at) if at >= self.above + self.room => at + 1 - self.room,
            _ => self.above,
        };
        self.above = self.above.min(lines.len().saturating_sub(self.room));
        lines.into_iter().skip(self.above).take(self.room).map(|line| line.text).collect()
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
        match &self.mode {
            WatchMode::Prompt { purpose: PromptPurpose::Filter, typed } => format!("/{typed}_"),
            WatchMode::Prompt { purpose: PromptPurpose::Command, typed } => format!(":{typed}_"),
            WatchMode::Prompt { purpose: PromptPurpose::Confirmation(wish), typed } => {
                format!("{} {typed}_", wish.question())
            }
            _ if !self.message.is_empty() => self.message.clone(),
            WatchMode::Pane { .. } => "Esc back   ↑↓ scroll".to_owned(),
            WatchMode::List => {
                "q quit  ↑↓ choose  Enter open  x explain  l log  / filter  : command  h help".to_owned()
            }
        }
    }
}

/// A position after a key that moves it.
fn scrolled(at: usize, code: KeyCode, page: usize) -> usize {
    match code {
        KeyCode::Up | KeyCode::Char('k') => at.saturating_sub(1),
        KeyCode::Down | KeyCode::Char('j') => at + 1,
        KeyCode::PageUp => at.saturating_sub(page.max(1)),
        KeyCode::PageDown => at + page.max(1),
        KeyCode::Home => 0,
        KeyCode::End => usize::MAX,
        _ => at,
    }
}
