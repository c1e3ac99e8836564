//! `om mon --watch`: drawn again when something changes, until q.
//!
//! Inputs: keys and changes of the terminal's size, news of the daemon, signals, a tick a second for the age. Output: the screen.
//! The daemon may end and come back meanwhile: what is shown grows old, and says so.

mod news;
mod screen;
mod state;

use std::process::ExitCode;
use std::time::Duration;

use anyhow::Context;
use crossterm::event::Event;
use protocol::daemon::StatusDocument;
use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::mpsc;

use crate::backend::block_on;
use crate::command::MonArgs;
use crate::exit::{Failure, Outcome};
use crate::mon::{selection, view};
use crate::render::mon::MonView;
use crate::session::Session;
use crate::terminal::{is_interactive, is_output_terminal};
use crate::words::Target;
use news::{WatchNews, follow};
use screen::Screen;
use state::{WatchRequest, WatchState};

/// How often the age is drawn again.
const TICK: Duration = Duration::from_secs(1);

pub(super) fn run(session: &Session, target: Option<&Target>, args: &MonArgs) -> Outcome {
    if !is_output_terminal() || !is_interactive() {
        return Err(Failure::failed("--watch needs a terminal: om events prints what changes, a line each"));
    }
    block_on(watch(session, target, args))??;
    Ok(ExitCode::SUCCESS)
}

async fn watch(session: &Session, target: Option<&Target>, args: &MonArgs) -> Result<(), Failure> {
    let client = session.daemon().client;
    let (tell, mut news) = mpsc::channel(1);
    let following = tokio::spawn(follow(client, args.stats, tell));
    let mut state = WatchState::default();
    let mut screen = Screen::open().context("cannot use the terminal")?;
    let mut events = screen::events();
    let mut tick = tokio::time::interval(TICK);
    let catch = |kind| signal(kind).context("cannot catch signals");
    let (mut terminate, mut hangup) = (catch(SignalKind::terminate())?, catch(SignalKind::hangup())?);
    loop {
        tokio::select! {
            Some(news) = news.recv() => state.take(news),
            event = events.recv() => match event {
                Some(Event::Key(key)) => if state.key(key) == Some(WatchRequest::Quit) { break },
                // Its size has changed: everything is drawn again.
                Some(_) => screen.forget(),
                // The terminal is gone.
                None => break,
            },
            _ = tick.tick() => {}
            _ = terminate.recv() => break,
            _ = hangup.recv() => break,
        }
        draw(session, target, args, &mut state, &mut screen)?;
    }
    following.abort();
    Ok(())
}

fn draw(
    session: &Session,
    target: Option<&Target>,
    args: &MonArgs,
    state: &mut WatchState,
    screen: &mut Screen,
) -> Result<(), Failure> {
    let (columns, rows) = screen.size();
    // Read again each time: objects come and go.
    let selection = selection(session, target)?;
    let view = MonView { width: Some(columns), selection, usage: state.usage(), ..view(args) };
    let frame = state.frame(|status: &StatusDocument| view.lines(status), rows);
    Ok(screen.draw(&frame).context("cannot draw")?)
}

impl WatchState {
    fn take(&mut self, news: WatchNews) {
        match news {
            WatchNews::Status(status, usage) => self.renew(*status, usage),
            WatchNews::Absent(reason) => self.lose(reason),
        }
    }
}
