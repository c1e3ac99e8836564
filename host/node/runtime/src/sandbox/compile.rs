//! Compiles a component in a child process with limits: one that is made to be slow or large to compile costs the child, not the
//! agent.
//!
//! The child is the program that embeds the runtime, called with [`VERB`]; it then calls [`compile_child`].

use std::io::{self, Read, Write};
use std::path::Path;
use std::process::{Command, Stdio};

use rustix::process::{Resource, Rlimit, setrlimit};

use super::engine::SandboxEngine;

/// The first argument of the child.
pub const VERB: &str = "compile-driver";

/// The child's address space, in bytes.
const MEMORY: u64 = 4 << 30;

/// The child's processor time, in seconds: a driver in Rust takes 0.3, one in Python 40.
const CPU: u64 = 120;

/// Compiles in a child. The error is what the child printed.
pub(crate) fn in_child(compiler: &Path, component: &[u8]) -> Result<Vec<u8>, String> {
    let mut child = Command::new(compiler)
        .arg(VERB)
        // Nothing in the caller's environment may change the code that the cache then keeps.
        .env_clear()
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .map_err(|error| format!("the compiler does not start: {error}"))?;
    // Taken out, so that the thread which writes it also closes it: the child reads up to the end of the file.
    let mut stdin = child.stdin.take().ok_or("the compiler has no standard input")?;
    let output = std::thread::scope(|scope| {
        // In a thread: with both pipes full, this process and the child would wait for each other. The write fails if the child
        // gives up early: its standard error says why, so the result is not needed.
        scope.spawn(move || stdin.write_all(component));
        child.wait_with_output()
    })
    .map_err(|error| format!("the compiler does not answer: {error}"))?;
    if output.status.success() {
        return Ok(output.stdout);
    }
    let words = String::from_utf8_lossy(&output.stderr);
    match words.trim() {
        "" => Err(format!("the compiler exited with {}", output.status)),
        words => Err(words.to_owned()),
    }
}

/// The child: a component on standard input, its compiled form on standard output.
pub fn compile_child() -> Result<(), String> {
    // First: the limits bound the reading as well.
    limit()?;
    let mut component = Vec::new();
    io::stdin().read_to_end(&mut component).map_err(|error| error.to_string())?;
    let engine = SandboxEngine::compiler().map_err(|error| error.to_string())?;
    let compiled = engine.precompile_component(&component).map_err(|error| format!("{error:#}"))?;
    io::stdout().write_all(&compiled).map_err(|error| error.to_string())
}

fn limit() -> Result<(), String> {
    // No core file: a compiler that is killed by its limit would write all its memory to the disk.
    for (resource, limit) in [(Resource::As, MEMORY), (Resource::Cpu, CPU), (Resource::Core, 0)] {
        let limit = Rlimit { current: Some(limit), maximum: Some(limit) };
        setrlimit(resource, limit).map_err(|error| format!("cannot limit the compiler: {error}"))?;
    }
    Ok(())
}
