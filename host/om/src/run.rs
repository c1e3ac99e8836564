//! One run of the program: words → options → the family of commands → an exit code.

use std::ffi::OsString;
use std::io::Write;
use std::process::ExitCode;

use clap::{CommandFactory, Parser};

use crate::command::{ObjectLine, OmLine};
use crate::exit::{self, Failure, Outcome};
use crate::words::{self, CommandLine, ProgramName, ValueOptions};
use crate::{object, session, subsystem};

/// Parses, acts, prints.
pub fn main(argv: impl Iterator<Item = OsString>) -> ExitCode {
    let argv: Vec<String> = match argv.map(OsString::into_string).collect() {
        Ok(argv) => argv,
        // What stands in its place would be written into configurations.
        Err(word) => {
            session::complain(&format!("{word:?} is not UTF-8"));
            return ExitCode::from(exit::FAILED);
        }
    };
    if argv.get(1).is_some_and(|word| word == runtime::COMPILE_VERB) {
        return compile();
    }
    let code = run(argv).unwrap_or_else(|Failure { code, error }| {
        session::complain(&format!("{error:#}"));
        ExitCode::from(code)
    });
    match session::lost_output() {
        Some(error) if code == ExitCode::SUCCESS => {
            session::complain(&format!("cannot write the output: {error}"));
            ExitCode::from(exit::FAILED)
        }
        _ => code,
    }
}

fn run(argv: Vec<String>) -> Outcome {
    let typed = words::without_secrets(&argv);
    let program = ProgramName::of(&argv);
    match words::normalise(argv, &ValueOptions::of(ObjectLine::command))? {
        CommandLine::Subsystem(words) => match parse::<OmLine>(&program, words) {
            Ok(line) => subsystem::run(line, typed),
            Err(code) => Ok(code),
        },
        CommandLine::Object { target, words } => match parse::<ObjectLine>(&program, words) {
            Ok(line) => object::run(&target, line, typed),
            Err(code) => Ok(code),
        },
    }
}

/// Options that cannot be read are the parser's to explain; so are `--help` and `--version`, which succeed.
fn parse<P: Parser>(program: &ProgramName, words: Vec<String>) -> Result<P, ExitCode> {
    P::try_parse_from(std::iter::once("om".to_owned()).chain(words)).map_err(|error| {
        match (program, error.use_stderr()) {
            (ProgramName::Om, _) => session::written(error.print()),
            // It speaks of what the words were taken for.
            (program, true) => session::print_error(&program.name_in(&error.render().ansi().to_string())),
            (program, false) => session::print(&program.name_in(&error.render().ansi().to_string())),
        }
        ExitCode::from(if error.use_stderr() { exit::FAILED } else { 0 })
    })
}

/// The child that compiles a driver, see `runtime`.
fn compile() -> ExitCode {
    match runtime::compile_child() {
        Ok(()) => ExitCode::SUCCESS,
        Err(text) => {
            let _ = writeln!(std::io::stderr(), "{text}");
            ExitCode::FAILURE
        }
    }
}
