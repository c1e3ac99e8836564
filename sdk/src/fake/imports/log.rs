//! The import of `wit/log.wit`.

use crate::fake::{Host, LogLine};

pub(crate) fn log(level: &str, text: &str) {
    Host::current("log.log").change(|world| {
        // The host writes each line of a text as an entry too.
        world.log.extend(text.lines().map(|line| LogLine { level: level.to_owned(), text: line.to_owned() }));
    });
}
