//! `om`, and by argv[0] also `svcmgr`, `nodemgr` and every service's own name.

use std::process::ExitCode;

fn main() -> ExitCode {
    hostler_om::main(std::env::args_os())
}
