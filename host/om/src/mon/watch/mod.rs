//! `om mon --watch`: drawn again when something changes, until q.
//!
//! Inputs: keys and changes of the terminal's size, news of the daemon, what commands have printed, signals, a tick a second for
//! the age. Output: the screen. The daemon may end and come back meanwhile: what is shown grows old, and says so.
//!
//! What a key shows or does is a command of `om`, run beside: its checks, its words and its exit code are the same there.

mod command;
mod news;
mod run;
mod screen;
mod state;
#[cfg(test)]
mod tests;

use std::process::ExitCode;
use std::time::Duration;

use anyhow::Context;
use crossterm::event::Event;
use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio::sync::mpsc;

use crate::backend::block_on;
use crate::command::MonArgs;
use crate::exit::{Failure, Outcome};
use crate::mon::{selection, view};
use crate::render::mon::MonView;
use crate::session::Session;
use crate::terminal::{is_interactive, is_output_terminal};
use crate::words::{ObjectQuery, Target};
use news::{WatchNews, follow};
use screen::Screen;
use state::{WatchRequest, WatchState};

/// How often the age is drawn again.
const TICK: Duration = Duration::from_secs(1);

/// All that a watch needs.
struct Watch<'a> {
    session: &'a Session,
    args: &'a MonArgs,
    target: Option<Target>,
    state: WatchState,
    screen: Screen,
    /// Where commands that run beside tell what they have printed.
    tell: mpsc::Sender<WatchNews>,
}

pub(super) fn run(session: &Session, target: Option<Target>, args: &MonArgs) -> Outcome {
    if !is_output_terminal() || !is_interactive() {
        return Err(Failure::failed("--watch needs a terminal: om events prints what changes, a line each"));
    }
    block_on(async {
        // Room for one: while a status waits to be drawn, the daemon is not asked for the next, which
        // would be old before it is shown.
        let (tell, news) = mpsc::channel(1);
        let screen = Screen::open().context("cannot use the terminal")?;
        // The watch has the screen, and drops it before an error is printed: on the alternate
        // screen it would be gone with it.
        let watch = Watch { session, args, target, state: WatchState::default(), screen, tell };
        watch.until_quit(news).await
    })??;
    Ok(ExitCode::SUCCESS)
}

impl Watch<'_> {
    async fn until_quit(mut self, mut news: mpsc::Receiver<WatchNews>) -> Result<(), Failure> {
        let following = tokio::spawn(follow(self.session.daemon().client, self.args.stats, self.tell.clone()));
        let mut events = screen::events();
        let mut tick = tokio::time::interval(TICK);
        // Not SIGINT: in raw mode the terminal makes no signal of Ctrl-C, which is a key then.
        let (mut terminate, mut hangup) = (caught(SignalKind::terminate())?, caught(SignalKind::hangup())?);
        loop {
            tokio::select! {
                Some(news) = news.recv() => self.take(news),
                event = events.recv() => match event {
                    Some(Event::Key(key)) => match self.state.key(key) {
                        Some(WatchRequest::Quit) => break,
                        Some(request) => self.obey(request),
                        None => {}
                    },
                    // Its size has changed: everything is drawn again.
                    Some(_) => self.screen.forget(),
                    // The terminal is gone.
                    None => break,
                },
                _ = tick.tick() => {}
                _ = terminate.recv() => break,
                _ = hangup.recv() => break,
            }
            self.draw()?;
        }
        following.abort();
        Ok(())
    }

    fn take(&mut self, news: WatchNews) {
        match news {
            WatchNews::Status(status, usage) => self.state.renew(*status, usage),
            WatchNews::Absent(reason) => self.state.lose(reason),
            WatchNews::Shown(text) => self.state.open(&text),
            WatchNews::Acted(text) => self.state.say(text),
        }
    }

    fn obey(&mut self, request: WatchRequest) {
        match request {
            WatchRequest::Quit => {}
            WatchRequest::Show(words) => run::show(self.session, words, self.tell.clone()),
            WatchRequest::Act(words) => run::act(self.session, words, self.tell.clone()),
            WatchRequest::Filter(text) if text.is_empty() => self.target = None,
            WatchRequest::Filter(text) => match ObjectQuery::parse(&text) {
                Ok(query) => self.target = Some(Target::Selector(query)),
                Err(error) => self.state.say(format!("{error:#}")),
            },
        }
    }

    fn draw(&mut self) -> Result<(), Failure> {
        let (columns, rows) = self.screen.size();
        // Read again each time: objects come and go.
        let selection = selection(self.session, self.target.as_ref())?;
        let (usage, marked) = (self.state.usage(), self.state.marked());
        let view = MonView { width: Some(columns), selection, usage, marked, ..view(self.args) };
        let frame = self.state.frame(|status| view.lines(status), rows);
        Ok(self.screen.draw(&frame).context("cannot draw")?)
    }
}

fn caught(kind: SignalKind) -> Result<Signal, Failure> {
    Ok(signal(kind).context("cannot catch signals")?)
}
