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
use tokio::time::Interval;

use crate::backend::block_on;
use crate::command::MonArgs;
use crate::exit::{Failure, Outcome};
use crate::mon::{selection, view};
use crate::render::mon::{MonSelection, MonView};
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
    /// What the target meant when it was last asked for. None before the first time.
    selected: Option<Option<MonSelection>>,
    state: WatchState,
    screen: Screen,
    /// Where commands that run beside tell what they have printed.
    tell: mpsc::Sender<WatchNews>,
}

/// What a watch waits for.
struct WatchInputs {
    news: mpsc::Receiver<WatchNews>,
    events: mpsc::UnboundedReceiver<Event>,
    tick: Interval,
    terminate: Signal,
    hangup: Signal,
}

pub(super) fn run(session: &Session, target: Option<Target>, args: &MonArgs) -> Outcome {
    if !is_output_terminal() || !is_interactive() {
        return Err(Failure::failed("--watch needs a terminal: om events prints what changes, a line each"));
    }
    let (mut watch, mut inputs, following) = block_on(async {
        // Room for one: while a status waits to be drawn, the daemon is not asked for the next, which
        // would be old before it is shown.
        let (tell, news) = mpsc::channel(1);
        let screen = Screen::open().context("cannot use the terminal")?;
        let following = tokio::spawn(follow(session.daemon().client, args.stats, tell.clone()));
        // Not SIGINT: in raw mode the terminal makes no signal of Ctrl-C, which is a key then.
        let (terminate, hangup) = (caught(SignalKind::terminate())?, caught(SignalKind::hangup())?);
        let inputs =
            WatchInputs { news, events: screen::events(), tick: tokio::time::interval(TICK), terminate, hangup };
        let watch = Watch { session, args, target, selected: None, state: WatchState::default(), screen, tell };
        Ok::<_, Failure>((watch, inputs, following))
    })??;
    // The screen is drawn between two waits, and not within one: to select objects may be to wait for a daemon elsewhere.
    while block_on(watch.turn(&mut inputs))? {
        // An error is printed when the watch, which has the screen, is dropped: on the alternate screen it would be gone with it.
        watch.draw()?;
    }
    following.abort();
    Ok(ExitCode::SUCCESS)
}

impl Watch<'_> {
    /// Waits for one thing, and does what it asks for. False at the end.
    async fn turn(&mut self, inputs: &mut WatchInputs) -> bool {
        let WatchInputs { news, events, tick, terminate, hangup } = inputs;
        tokio::select! {
            Some(news) = news.recv() => self.take(news),
            event = events.recv() => match event {
                Some(Event::Key(key)) => match self.state.key(key) {
                    Some(WatchRequest::Quit) => return false,
                    Some(request) => self.obey(request),
                    None => {}
                },
                // Its size has changed: everything is drawn again.
                Some(_) => self.screen.forget(),
                // The terminal is gone.
                None => return false,
            },
            _ = tick.tick() => {}
            _ = terminate.recv() => return false,
            _ = hangup.recv() => return false,
        }
        true
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
        let selection = match (selection(self.session, self.target.as_ref()), self.selected.take()) {
            (Ok(selection), _) => selection,
            // A daemon elsewhere may be away for a while, or cannot look for this: what was shown stays.
            (Err(error), Some(before)) => {
                self.state.say(format!("{:#}", error.error));
                before
            }
            (Err(error), None) => return Err(error),
        };
        self.selected = Some(selection.clone());
        let (usage, marked) = (self.state.usage(), self.state.marked());
        let view = MonView { width: Some(columns), selection, usage, marked, ..view(self.args) };
        let frame = self.state.frame(|status| view.lines(status), rows);
        Ok(self.screen.draw(&frame).context("cannot draw")?)
    }
}

fn caught(kind: SignalKind) -> Result<Signal, Failure> {
    Ok(signal(kind).context("cannot catch signals")?)
}
