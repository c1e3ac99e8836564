//! The terminal as a screen: lines that are written only where they have changed, so that nothing flickers.

use std::io::{Stdout, Write};

use anstream::AutoStream;
use anstream::adapter::strip_str;
use crossterm::cursor::{Hide, MoveTo, Show};
use crossterm::event::Event;
use crossterm::terminal::{
    BeginSynchronizedUpdate, Clear, ClearType, DisableLineWrap, EnableLineWrap, EndSynchronizedUpdate,
    EnterAlternateScreen, LeaveAlternateScreen,
};
use crossterm::{execute, queue, terminal};
use model::text::{harmless_lines, harmless_styled};
use tokio::sync::mpsc;

/// The terminal, which is as before when this is dropped.
pub(super) struct Screen {
    output: Stdout,
    colours: bool,
    shown: Vec<String>,
}

impl Screen {
    pub(super) fn open() -> std::io::Result<Screen> {
        let output = std::io::stdout();
        let colours = AutoStream::choice(&output) != anstream::ColorChoice::Never;
        terminal::enable_raw_mode()?;
        // Made before anything is written: if that fails, its drop takes the raw mode back.
        let mut screen = Screen { output, colours, shown: Vec::new() };
        // A line that is longer than the terminal, as after it was made narrower, would
        // wrap and move all lines below it.
        execute!(screen.output, EnterAlternateScreen, DisableLineWrap, Hide, Clear(ClearType::All))?;
        Ok(screen)
    }

    /// Its columns and rows.
    pub(super) fn size(&self) -> (usize, usize) {
        let (columns, rows) = terminal::size().unwrap_or((80, 24));
        (usize::from(columns), usize::from(rows))
    }

    /// Draws everything again the next time.
    pub(super) fn forget(&mut self) {
        self.shown.clear();
    }

    pub(super) fn draw(&mut self, frame: &[String]) -> std::io::Result<()> {
        // Terminals that know the mode 2026 show all of it at once. Others ignore it, and for them
        // only what has changed is written.
        queue!(self.output, BeginSynchronizedUpdate)?;
        if self.shown.is_empty() {
            queue!(self.output, Clear(ClearType::All))?;
        }
        for (row, line) in frame.iter().enumerate() {
            if self.shown.get(row) == Some(line) {
                continue;
            }
            queue!(self.output, MoveTo(0, u16::try_from(row).unwrap_or(u16::MAX)))?;
            match self.colours {
                true => self.output.write_all(harmless_styled(line).as_bytes())?,
                false => self.output.write_all(harmless_lines(&strip_str(line).to_string()).as_bytes())?,
            }
            // Behind the text: a line that is cleared first would be seen empty for a moment.
            queue!(self.output, Clear(ClearType::UntilNewLine))?;
        }
        if frame.len() < self.shown.len() {
            queue!(
                self.output,
                MoveTo(0, u16::try_from(frame.len()).unwrap_or(u16::MAX)),
                Clear(ClearType::FromCursorDown)
            )?;
        }
        queue!(self.output, EndSynchronizedUpdate)?;
        self.output.flush()?;
        self.shown = frame.to_vec();
        Ok(())
    }
}

impl Drop for Screen {
    fn drop(&mut self) {
        // The terminal may be gone, as after SIGHUP: there is no place left to report that.
        let _ = execute!(self.output, Show, EnableLineWrap, LeaveAlternateScreen);
        let _ = terminal::disable_raw_mode();
    }
}

/// Keys and other events of the terminal, until it is gone. They are read on a thread that ends with the process.
pub(super) fn events() -> mpsc::UnboundedReceiver<Event> {
    let (tell, events) = mpsc::unbounded_channel();
    std::thread::spawn(move || {
        while let Ok(event) = crossterm::event::read() {
            if tell.send(event).is_err() {
                return;
            }
        }
    });
    events
}
