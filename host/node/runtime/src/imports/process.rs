//! `wit/process.wit`: programs.

use bindings::driver::hostler::driver::process::{Command, Host, Output, Piped, ProcessInfo, ProgramExit};
use capability::process;

use super::bounds::within_bounds;
use super::{ImportAnswer, answer, pairs};
use crate::sandbox::GuestState;

impl Host for GuestState {
    async fn run(&mut self, c: Command) -> ImportAnswer<Output> {
        within_bounds!(c);
        answer(process::run(&self.scope, command(c)).await.map(output))
    }

    async fn pipe(&mut self, source: Command, sink: Command) -> ImportAnswer<Piped> {
        within_bounds!(source, sink);
        answer(process::pipe(&self.scope, command(source), command(sink)).await.map(piped))
    }

    async fn spawn(&mut self, c: Command) -> ImportAnswer<u32> {
        within_bounds!(c);
        answer(process::spawn(&self.scope, command(c)).await)
    }

    async fn watch(&mut self, pid: u32, patience_ms: u64) -> ImportAnswer<Option<ProgramExit>> {
        answer(process::watch(&self.scope, pid, patience_ms).await.map(|exit| exit.map(exited)))
    }

    async fn running(&mut self) -> ImportAnswer<Vec<ProcessInfo>> {
        let found = process::running(&self.scope).await;
        answer(found.map(|list| list.into_iter().map(info).collect::<Vec<_>>()))
    }

    async fn terminate(&mut self, signal: String, grace_ms: u64) -> ImportAnswer<u32> {
        within_bounds!(signal);
        answer(process::terminate(&self.scope, &signal, grace_ms).await)
    }
}

fn command(c: Command) -> process::ProcessCommand {
    process::ProcessCommand {
        program: c.program,
        args: c.args,
        env: pairs(c.env),
        cwd: c.cwd,
        stdin: c.stdin,
        user: c.user,
        group: c.group,
        settings: pairs(c.settings),
        timeout_ms: c.timeout_ms,
    }
}

fn output(ended: process::ProgramOutput) -> Output {
    let process::ProgramOutput { status, stdout, stderr, truncated } = ended;
    Output { status, stdout, stderr, truncated }
}

fn exited(exit: process::ProgramExit) -> ProgramExit {
    let process::ProgramExit { status, last_lines } = exit;
    ProgramExit { status, last_lines }
}

fn piped(ended: process::PipeOutput) -> Piped {
    let process::PipeOutput { source, sink, bytes } = ended;
    Piped { source: output(source), sink: output(sink), bytes }
}

fn info(found: process::ProcessInfo) -> ProcessInfo {
    let process::ProcessInfo { pid, argv } = found;
    ProcessInfo { pid, argv }
}
