//! `wit/log.wit`: the action's log. Always allowed. The [`CallContext`] keeps the budget, hides secrets, and keeps
//! the warnings of `status` for its report.

use driver::Level;

use crate::CallContext;

/// Writes a text, line by line.
pub fn log(context: &CallContext, level: &str, text: &str) {
    for line in text.lines() {
        context.say(level_of(level), line);
    }
}

/// The level that a word names. An unknown word is `info`: a later version of the contract may add some.
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
