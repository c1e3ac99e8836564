//! `daemon log`: what the daemon itself writes. What it does with services is in their logs, and among the events.

use std::fs::File;
use std::io::{ErrorKind, Read, Seek, SeekFrom};
use std::os::unix::fs::MetadataExt;
use std::path::Path;
use std::process::ExitCode;
use std::time::Duration;

use anyhow::Context;

use crate::command::DaemonLogArgs;
use crate::exit::{Failure, Outcome};
use crate::session::Session;
use crate::terminal::{is_closed, print_bytes};

/// How often a log that is followed is read again.
const PAUSE: Duration = Duration::from_millis(250);

pub(super) fn run(session: &Session, args: &DaemonLogArgs) -> Outcome {
    let log = session.backend.daemon_places()?.log;
    let mut file = match File::open(&log) {
        Ok(file) => file,
        Err(error) if error.kind() == ErrorKind::NotFound => {
            return Err(Failure::failed(format!("{}: no daemon has run yet: om daemon start", log.display())));
        }
        Err(error) => return Err(anyhow::Error::from(error).context(format!("cannot read {}", log.display())).into()),
    };
    let reading = || format!("cannot read {}", log.display());
    let mut text = Vec::new();
    file.read_to_end(&mut text).with_context(reading)?;
    print_bytes(last_lines(&text, args.lines));
    while args.follow && !is_closed() {
        std::thread::sleep(PAUSE);
        file = current(file, &log).with_context(reading)?;
        text.clear();
        file.read_to_end(&mut text).with_context(reading)?;
        if !text.is_empty() {
            print_bytes(&text);
        }
    }
    Ok(ExitCode::SUCCESS)
}

/// The last lines of a text, or all of it for zero.
fn last_lines(text: &[u8], count: usize) -> &[u8] {
    if count == 0 {
        return text;
    }
    // The end of the last line does not begin another one.
    let body = text.strip_suffix(b"\n").unwrap_or(text);
    let ends = body.iter().enumerate().rev().filter(|(_, byte)| **byte == b'\n');
    ends.map(|(at, _)| at + 1).nth(count - 1).map_or(text, |start| &text[start..])
}

/// The file to read on in: the new one if the log was rotated, from its start if it was emptied.
fn current(mut file: File, log: &Path) -> std::io::Result<File> {
    let (open, named) = (file.metadata()?, std::fs::metadata(log)?);
    if (open.dev(), open.ino()) != (named.dev(), named.ino()) {
        return File::open(log);
    }
    // As logrotate's `copytruncate` does it, see logrotate(8).
    if open.len() < file.stream_position()? {
        file.seek(SeekFrom::Start(0))?;
    }
    Ok(file)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_lines_are_whole() {
        let check = |text: &str, count, expected: &str| {
            assert_eq!(last_lines(text.as_bytes(), count), expected.as_bytes(), "{text:?} {count}");
        };
        check("a\nb\nc\n", 2, "b\nc\n");
        check("a\nb\nc", 2, "b\nc");
        check("a\nb\n", 9, "a\nb\n");
        check("a\nb\n", 0, "a\nb\n");
        check("", 3, "");
    }
}
