//! `wit/log.wit`: the action's log. Always allowed. The [`CallContext`] keeps the budget, hides secrets, and keeps
//! the warnings of `status` for its report.

use driver::LogSeverity;

use crate::CallContext;

/// Writes a text, line by line.
pub fn log(context: &CallContext, level: &str, text: &str) {
    // One by one: a budget that is used up within a text drops whole lines, and cuts none.
    for line in text.lines() {
        context.say(level_of(level), line);
    }
}

/// The level that a word names. An unknown word is `info`: a later version of the contract may add some.
fn level_of(word: &str) -> LogSeverity {
    match word {
        "trace" => LogSeverity::Trace,
        "debug" => LogSeverity::Debug,
        "warn" => LogSeverity::Warn,
        "error" => LogSeverity::Error,
        _ => LogSeverity::Info,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn levels_are_words_and_unknown_ones_are_info() {
        for (word, level) in [
            ("trace", LogSeverity::Trace),
            ("debug", LogSeverity::Debug),
            ("info", LogSeverity::Info),
            ("warn", LogSeverity::Warn),
            ("error", LogSeverity::Error),
            ("panic", LogSeverity::Info),
            ("", LogSeverity::Info),
        ] {
            assert_eq!(level_of(word), level, "{word:?}");
        }
    }
}
