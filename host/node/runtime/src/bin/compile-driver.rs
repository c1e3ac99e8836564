//! Compiles one driver for the tests of this crate, as `om` does for itself.

use std::io::Write;
use std::process::ExitCode;

fn main() -> ExitCode {
    match hostler_runtime::compile_child() {
        Ok(()) => ExitCode::SUCCESS,
        Err(text) => {
            let _ = writeln!(std::io::stderr(), "{text}");
            ExitCode::FAILURE
        }
    }
}
