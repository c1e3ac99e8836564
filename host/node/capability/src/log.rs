//! `wit/log.wit`: the action's log. Always allowed; budget, secrets and the report of `status` are the scope's business.

use driver::Level;

use crate::Scope;

/// Writes a text, a line at a time.
pub fn log(scope: &Scope, level: &str, text: &str) {
    for line in text.lines() {
        scope.say(level_of(level), line);
    }
}

/// An unknown word is worth a line, but no alarm.
fn level_of(word: &str) -> Level {
    match word {
        "trace" => Level::Trace,
        "debug" => Level::Debug,
        "warn" => Level::Warn,
        "error" => Level::Error,
        _ => Level::Info,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn levels_are_words_and_unknown_ones_are_info() {
        for (word, level) in [
            ("trace", Level::Trace),
            ("debug", Level::Debug),
            ("info", Level::Info),
            ("warn", Level::Warn),
            ("error", Level::Error),
            ("panic", Level::Info),
            ("", Level::Info),
        ] {
            assert_eq!(level_of(word), level, "{word:?}");
        }
    }
}
