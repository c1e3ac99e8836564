//! The import of `wit/log.wit`.

use crate::fake::{Host, LogLine};

pub(crate) fn log(level: &str, text: &str) {
    Host::current("log.log").change(|world| {
        world.log.extend(text.lines().map(|line| LogLine { level: level.to_owned(), text: line.to_owned() }));
    });
}
