//! The terminal: output, messages and questions. Nothing else in this crate writes to standard output or standard error.
//!
//! Nearly all that is printed holds words of others: of drivers, of configurations, of programs. So every function but
//! [`print_bytes`] makes what it is given harmless, and only [`print_styled`] and [`print_error`] let colours through, for renderers
//! that have made the words of others harmless before they coloured them.

use std::borrow::Cow;
use std::io::{BufRead, IsTerminal, Write};
use std::sync::OnceLock;

use anstream::AutoStream;
use anstream::adapter::strip_bytes;
use anstyle::{AnsiColor, Style};
use anyhow::Context;
use model::text::{harmless_lines, harmless_styled};
use protocol::LogLevel;

use crate::backend::LogLines;
use crate::command::ColorChoice;

/// Reports a failure.
pub(crate) fn complain(text: &str) {
    let style = AnsiColor::Red.on_default();
    // If standard error cannot be written to, there is no place left to report that.
    let _ = writeln!(anstream::stderr(), "{style}error{style:#}: {}", harmless_lines(text));
}

/// Reports what is not as it should be, but does not make the command fail.
pub(crate) fn warn(text: &str) {
    let style = AnsiColor::Yellow.on_default();
    let _ = writeln!(anstream::stderr(), "{style}warning{style:#}: {}", harmless_lines(text));
}

/// Prints a note to the operator, beside the output.
pub(crate) fn note(text: &str) {
    let _ = writeln!(anstream::stderr(), "{}", harmless_lines(text));
}

/// Prints a report of problems, which may have several lines, with colours.
pub(crate) fn print_error(text: &str) {
    let _ = anstream::stderr().write_all(harmless_styled(text).as_bytes());
}

/// Asks a question that is answered by yes or no. Anything but yes is no.
pub(crate) fn confirms(question: &str) -> anyhow::Result<bool> {
    // On standard error, so that the question is seen even if the output goes to a file.
    let _ = write!(anstream::stderr(), "{} [y/N] ", harmless_lines(question));
    let mut answer = String::new();
    std::io::stdin().lock().read_line(&mut answer).context("cannot read the answer")?;
    Ok(matches!(answer.trim(), "y" | "Y" | "yes"))
}

/// Asks for a word, which must be typed as it is.
pub(crate) fn types(question: &str, word: &str) -> anyhow::Result<bool> {
    let _ = write!(anstream::stderr(), "{} ", harmless_lines(question));
    let mut answer = String::new();
    std::io::stdin().lock().read_line(&mut answer).context("cannot read the answer")?;
    Ok(answer.trim() == word)
}

/// Whether an operator can be asked.
pub(crate) fn is_interactive() -> bool {
    // Standard input decides: that is where the answer is read from.
    std::io::stdin().is_terminal()
}

/// Whether the output is seen by a person.
pub(crate) fn is_output_terminal() -> bool {
    std::io::stdout().is_terminal()
}

/// The error of the first write to standard output that failed.
static OUTPUT_ERROR: OnceLock<std::io::Error> = OnceLock::new();

/// Writes the output of a command. A failure does not stop an action halfway: [`output_error`] reports it at the end.
pub(crate) fn print(text: &str) {
    print_bytes(harmless_lines(text).as_bytes());
}

/// The same with colours.
pub(crate) fn print_styled(text: &str) {
    print_bytes(harmless_styled(text).as_bytes());
}

/// The same of text that a program may want as it is. A person is shown it harmless.
pub(crate) fn print_exact(text: &str) {
    match shows_colours() {
        true => print(text),
        false => {
            let mut stdout = std::io::stdout();
            keep_error(stdout.write_all(text.as_bytes()).and_then(|()| stdout.flush()));
        }
    }
}

/// Whether the output goes to a terminal, or to a program that shows it on one.
fn shows_colours() -> bool {
    is_output_terminal() || AutoStream::choice(&std::io::stdout()) != anstream::ColorChoice::Never
}

/// The same, of output that need not be text, and is ours.
pub(crate) fn print_bytes(bytes: &[u8]) {
    // Asked once: a status of many objects prints each of them.
    static COLOR: OnceLock<anstream::ColorChoice> = OnceLock::new();
    let mut stdout = std::io::stdout();
    let plain = match COLOR.get_or_init(|| AutoStream::choice(&stdout)) {
        // Stripped as a whole: anstream would write each piece between two colours by itself.
        anstream::ColorChoice::Never => Cow::Owned(strip_bytes(bytes).into_vec()),
        _ => Cow::Borrowed(bytes),
    };
    // Flushed, so that an error shows now and the output does not come behind later messages on standard error.
    keep_error(stdout.write_all(&plain).and_then(|()| stdout.flush()));
}

/// Remembers the error of a write to standard output that was made elsewhere.
pub(crate) fn keep_error(result: std::io::Result<()>) {
    if let Err(error) = result {
        // The first error counts: later ones usually follow from it.
        let _ = OUTPUT_ERROR.set(error);
    }
}

/// Whether the output can no longer be written, for example because its reader has exited.
pub(crate) fn is_closed() -> bool {
    OUTPUT_ERROR.get().is_some()
}

/// The error that lost output. A reader that exited has seen enough, so that is not an error.
pub(crate) fn output_error() -> Option<&'static std::io::Error> {
    OUTPUT_ERROR.get().filter(|error| error.kind() != std::io::ErrorKind::BrokenPipe)
}

pub(crate) fn choose_color(color: ColorChoice) {
    match color {
        // anstream decides by itself, from the terminal and from NO_COLOR.
        ColorChoice::Auto => {}
        ColorChoice::Yes => anstream::ColorChoice::AlwaysAnsi.write_global(),
        ColorChoice::No => anstream::ColorChoice::Never.write_global(),
    }
}

/// Prints the log of a running action on standard error.
pub(crate) struct LogPrinter {
    /// Lines that matter less are left out.
    least: LogLevel,
    /// Whether standard error shows colours, which no line asks again.
    color: anstream::ColorChoice,
}

impl LogPrinter {
    pub(crate) fn new(least: LogLevel) -> LogPrinter {
        LogPrinter { least, color: AutoStream::choice(&std::io::stderr()) }
    }
}

impl LogLines for LogPrinter {
    fn line(&self, level: LogLevel, line: &str) {
        if level < self.least {
            return;
        }
        let style = match level {
            LogLevel::Error => AnsiColor::Red.on_default(),
            LogLevel::Warn => AnsiColor::Yellow.on_default(),
            LogLevel::Info => Style::new(),
            LogLevel::Debug | LogLevel::Trace => Style::new().dimmed(),
        };
        // One write for the whole line, so that lines of other processes do not come in between.
        let mut stderr = AutoStream::new(std::io::stderr(), self.color);
        let _ = stderr.write_all(format!("{style}{}{style:#}\n", harmless_lines(line)).as_bytes());
    }
}
