//! The imports of `wit/process.wit`.

use grant::op::{RunProgram, StartProgram};

use super::{ImportResult, not_found};
pub(crate) use crate::bindings::hostler::driver::process::{Command, Output, Piped, ProcessInfo, ProgramExit};
use crate::fake::grants::terms;
use crate::fake::ledger::HeldThing;
use crate::fake::world::HostState;
use crate::fake::{Host, ProgramRun};

pub(crate) fn run(c: &Command) -> ImportResult<Output> {
    let host = Host::current("process.run");
    let op = RunProgram { program: c.program.clone().into(), args: c.args.clone(), terms: terms(c) };
    host.hold_program("process.run", &op, c);
    let found = |world: &mut HostState| match world.programs.get(&c.program) {
        Some(program) => Ok(program.clone()),
        None => not_found(&c.program),
    };
    let subject = line(c);
    // A program that only reads is allowed in `status`.
    let program = if host.change(|world| only_looks(world, &c.program, &subject)) {
        Host::read("process.run", &subject, found)?
    } else {
        Host::mutate("process.run", &subject, |world| {
            let program = found(world)?;
            world.changes += 1;
            Ok(program)
        })?
    };
    // The program runs outside of the borrow of the host, which it may change.
    let output = program(&ProgramRun { host: &host, args: &c.args, stdin: &c.stdin, command: c });
    let crate::process::Output { status, stdout, stderr, truncated } = output;
    Ok(Output { status, stdout, stderr, truncated })
}

/// Runs the programs one after the other; the driver cannot tell that from running both at the same time.
pub(crate) fn pipe(source: &Command, sink: &Command) -> ImportResult<Piped> {
    let mut source = run(source)?;
    let through = std::mem::take(&mut source.stdout);
    let bytes = u64::try_from(through.len()).unwrap_or(u64::MAX);
    let sink = run(&Command { stdin: [sink.stdin.clone(), through].concat(), ..sink.clone() })?;
    Ok(Piped { source, sink, bytes })
}

impl Host {
    /// Adds a command line that only reads, although it comes from a keyword: the fake does not bind grants to keywords. A
    /// command line that an `exec(read)` grant spells out needs no such call.
    pub fn looking(self, line: &str) -> Host {
        self.change(|world| world.looking.insert(line.to_owned()));
        self
    }
}

fn only_looks(world: &HostState, program: &str, line: &str) -> bool {
    let readings: Vec<&str> = world.grants.iter().filter_map(|grant| read_by(grant)).collect();
    let named = readings.iter().any(|reading| begins_as(line, reading));
    let by_keyword =
        readings.iter().any(|reading| reading.starts_with('{') || reading.split(' ').next() == Some(program));
    // The word of the test is not enough: the driver needs a reading grant for that program, or for a keyword.
    named || (world.looking.contains(line) && by_keyword)
}

/// The command line of an `exec(read)` grant, as it is written.
fn read_by(grant: &str) -> Option<&str> {
    let (attributes, pattern) = grant.strip_prefix("exec(")?.split_once(')')?;
    let reads = attributes.split(',').any(|word| word.trim() == "read");
    reads.then(|| pattern.trim_start_matches([' ', '=']))
}

/// Whether a command line begins with the literal words of a grant, up to its first template or pattern.
fn begins_as(line: &str, reading: &str) -> bool {
    let written: Vec<&str> = reading.split_whitespace().take_while(|word| !word.contains(['{', '[', '*'])).collect();
    !written.is_empty() && line.split(' ').take(written.len()).eq(written.iter().copied())
}

fn line(c: &Command) -> String {
    let words = std::iter::once(&c.program).chain(&c.args).map(String::as_str);
    words.collect::<Vec<_>>().join(" ")
}

pub(crate) fn spawn(c: &Command) -> ImportResult<u32> {
    let op = StartProgram { program: c.program.clone().into(), args: c.args.clone(), terms: terms(c) };
    Host::current("process.spawn").hold_program("process.spawn", &op, c);
    Host::mutate("process.spawn", &line(c), |world| {
        world.changes += 1;
        if let Some(exited) = world.exiting.get(&c.program).cloned() {
            let pid = world.exited.keys().next_back().map_or(FIRST_EXITED, |pid| pid + 1);
            world.exited.insert(pid, exited);
            return Ok(pid);
        }
        // The faked program does not run: a process that outlives the call only has to be in the list.
        add_process(world, std::iter::once(&c.program).chain(&c.args).cloned().collect());
        // A shared program serves the whole object, and must outlive the stop of the resource that has started it.
        if !c.settings.iter().any(|setting| setting.key == "shared" && setting.value == "true") {
            world.hold_once(HeldThing::Processes);
        }
        Ok(world.processes.last().map_or(0, |process| process.pid))
    })
}

/// The number of the first process that exits at once: those that run have others.
const FIRST_EXITED: u32 = 900_000;

pub(crate) fn watch(pid: u32, _patience_ms: u64) -> ImportResult<Option<ProgramExit>> {
    // A process that runs goes on running.
    Host::read("process.watch", &pid.to_string(), |world| Ok(world.exited.get(&pid).cloned()))
}

impl Host {
    /// Makes a program exit as soon as it is spawned, with a status and after these lines of output.
    pub fn exits_at_once(self, program: &str, status: i32, lines: &[&str]) -> Host {
        let last_lines = lines.iter().copied().map(str::to_owned).collect();
        self.change(|world| world.exiting.insert(program.to_owned(), ProgramExit { status, last_lines }));
        self
    }
}

pub(crate) fn add_process(world: &mut HostState, argv: Vec<String>) {
    let pid = world.processes.iter().map(|process| process.pid).max().unwrap_or(999) + 1;
    world.processes.push(ProcessInfo { pid, argv });
}

pub(crate) fn running() -> ImportResult<Vec<ProcessInfo>> {
    Host::read("process.running", "", |world| Ok(world.processes.clone()))
}

pub(crate) fn terminate(signal: &str, _grace_ms: u64) -> ImportResult<u32> {
    Host::mutate("process.terminate", signal, |world| {
        let stopped = u32::try_from(world.processes.len()).unwrap_or(u32::MAX);
        // All processes obey the first signal, so the grace is never needed.
        world.processes.clear();
        world.forget(|held| *held == HeldThing::Processes);
        world.changes += u32::from(stopped > 0);
        Ok(stopped)
    })
}
