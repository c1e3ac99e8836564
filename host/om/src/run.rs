//! One run of the program: words → options → the family of commands → an exit code.

use std::ffi::OsString;
use std::io::Write;
use std::path::Path;
use std::process::ExitCode;

use clap::{CommandFactory, Parser};
use protocol::FailureKind;
use rustix::fs::Mode;

use crate::command::{self, ObjectLine, OmLine};
use crate::exit::{self, Failure, Outcome};
use crate::object::TypedLine;
use crate::words::{self, CommandLine, ProgramName, ValueOptions};
use crate::{backend, object, subsystem, terminal};

/// The first word of a command that the daemon runs for a user of another node.
const FORWARDED: &str = "forwarded";

/// Parses, acts, prints.
pub fn main(argv: impl Iterator<Item = OsString>) -> ExitCode {
    let argv: Vec<String> = match argv.map(OsString::into_string).collect() {
        Ok(argv) => argv,
        // A replacement character would be written into configurations.
        Err(word) => {
            terminal::complain(&format!("{word:?} is not UTF-8"));
            return ExitCode::FAILURE;
        }
    };
    // What is made is not for others to write, whatever the shell of the operator says.
    let before = rustix::process::umask(Mode::from_raw_mode(0o077));
    rustix::process::umask(before | Mode::from_raw_mode(0o022));
    // Before anything else: the child must not read configurations or words.
    if argv.get(1).is_some_and(|word| word == backend::COMPILE_VERB) {
        return compile();
    }
    // From the daemon, on behalf of a user of another node.
    let is_forwarded = argv.get(1).is_some_and(|word| word == FORWARDED);
    // The keeper must stay small: it touches nothing else of this program.
    if let [_, daemon, keeper, directory] = argv.as_slice()
        && (daemon.as_str(), keeper.as_str()) == ("daemon", "keeper")
    {
        return keep(directory.as_ref());
    }
    let code = run(argv, is_forwarded).unwrap_or_else(|Failure { kind, error }| {
        terminal::complain(&format!("{error:#}"));
        ExitCode::from(exit::of_failure(kind))
    });
    // A failure of the command says more than the lost output.
    match terminal::output_error() {
        Some(error) if code == ExitCode::SUCCESS => {
            terminal::complain(&format!("cannot write the output: {error}"));
            ExitCode::FAILURE
        }
        _ => code,
    }
}

fn run(mut argv: Vec<String>, is_forwarded: bool) -> Outcome {
    if is_forwarded {
        argv.remove(1);
    }
    // Before any word is moved or respelt: logs show what the operator typed.
    let typed = words::without_secrets(&argv);
    let program = ProgramName::of(&argv);
    match words::normalise(argv, &ValueOptions::of(ObjectLine::command))? {
        CommandLine::Subsystem(_) if is_forwarded => Err(object::not_forwarded()),
        CommandLine::Subsystem(words) => match parse::<OmLine>(&program, words) {
            Ok(line) => subsystem::run(line, typed),
            Err(code) => Ok(code),
        },
        CommandLine::Object { target, words } => match parse::<ObjectLine>(&program, words.clone()) {
            Ok(line) => object::run(&target, line, &TypedLine { typed, words, is_forwarded }),
            Err(code) => Ok(code),
        },
    }
}

/// The parser explains options that it cannot read. It also prints `--help` and `--version`, which succeed.
fn parse<P: Parser>(program: &ProgramName, words: Vec<String>) -> Result<P, ExitCode> {
    let line = || std::iter::once("om").chain(words.iter().map(String::as_str));
    if !words.iter().any(|word| may_ask_for_help(word)) {
        command::define_lazily();
        if command::define_named(&words) {
            let parsed = P::try_parse_from(line());
            command::define_all();
            if let Ok(parsed) = parsed {
                return Ok(parsed);
            }
        }
    }
    P::try_parse_from(line()).map_err(|error| {
        match (program, error.use_stderr()) {
            // clap itself chooses the stream and whether to colour.
            (ProgramName::Om, _) => terminal::keep_error(error.print()),
            // The parser speaks of om, whatever the program was called.
            (program, true) => terminal::print_error(&program.name_in(&error.render().ansi().to_string())),
            (program, false) => terminal::print_styled(&program.name_in(&error.render().ansi().to_string())),
        }
        // Not clap's own code 2, which here means that nothing matches.
        if error.use_stderr() { ExitCode::FAILURE } else { ExitCode::SUCCESS }
    })
}

/// Whether the word asks for help, or might: `help`, `--help`, and short options with an h among them.
fn may_ask_for_help(word: &str) -> bool {
    word == "help"
        || word.starts_with("--h")
        || (word.starts_with('-') && !word.starts_with("--") && word.contains('h'))
}

/// The process that the daemon starts beside itself, see docs/daemon.md.
fn keep(directory: &Path) -> ExitCode {
    match keeper::run(directory) {
        Ok(()) => ExitCode::SUCCESS,
        Err(fault) => {
            // The daemon quotes these words in a message of its own.
            let _ = writeln!(std::io::stderr(), "{fault}");
            let is_running = matches!(fault, keeper::KeeperFault::Running { .. });
            ExitCode::from(if is_running { exit::of_failure(FailureKind::Busy) } else { 1 })
        }
    }
}

/// The child process in which the agent compiles a driver.
fn compile() -> ExitCode {
    match backend::compile_child() {
        Ok(()) => ExitCode::SUCCESS,
        Err(text) => {
            // Without `error:`, because the parent process quotes these words in its own message.
            let _ = writeln!(std::io::stderr(), "{text}");
            ExitCode::FAILURE
        }
    }
}
