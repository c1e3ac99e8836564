//! Signals by name.

pub use rustix::process::Signal;

/// The signal of that name, with or without `SIG`. Only signals that ask a process to do something are known.
pub fn signal_of(name: &str) -> Option<Signal> {
    Some(match name.strip_prefix("SIG").unwrap_or(name) {
        "HUP" => Signal::HUP,
        "INT" => Signal::INT,
        "QUIT" => Signal::QUIT,
        "KILL" => Signal::KILL,
        "USR1" => Signal::USR1,
        "USR2" => Signal::USR2,
        "TERM" => Signal::TERM,
        "WINCH" => Signal::WINCH,
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn signals_go_by_name() {
        assert_eq!(signal_of("TERM"), Some(Signal::TERM));
        assert_eq!(signal_of("SIGTERM"), Some(Signal::TERM));
        assert_eq!((signal_of("15"), signal_of("term"), signal_of("SEGV")), (None, None, None));
    }
}
