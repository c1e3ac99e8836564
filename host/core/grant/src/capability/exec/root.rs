//! Why a driver with a command line is as good as root.

pub(super) const ANY_ARGUMENT: &str = "** allows any option";
pub(super) const ANY_PROGRAM: &str = "the configuration chooses the program";
pub(super) const INTERPRETER: &str = "an interpreter runs any code that it is given";

/// Whether the program runs code from its arguments.
pub(super) fn is_interpreter(program: &str) -> bool {
    const INTERPRETERS: [&str; 14] = [
        "sh", "bash", "dash", "zsh", "ksh", "busybox", "env", "perl", "python", "python3", "ruby", "node", "lua", "awk",
    ];
    program.rsplit('/').next().is_some_and(|name| INTERPRETERS.contains(&name))
}
