//! One run of the command line: the backend, the selection of objects, and the options that all commands have.

use std::sync::Arc;
use std::time::Instant;

use anyhow::Context;
use model::ObjectPath;
use protocol::{FailureKind, LogLevel, ObjectList};

use crate::backend::{self, Backend, LogLines, RemoteDaemon};
use crate::command::GlobalArgs;
use crate::exit::Failure;
use crate::terminal::{self, LogPrinter};
use crate::words::{ObjectQuery, Target};

/// One run of the command line.
pub(crate) struct Session {
    pub(crate) backend: Box<dyn Backend>,
    pub(crate) global: GlobalArgs,
    /// The command as it was typed, without secrets, for logs.
    pub(crate) typed: String,
    /// Whether it is for a user of another node, who sees what the nodes say side by side.
    pub(crate) is_forwarded: bool,
    began: Instant,
}

impl Session {
    pub(crate) fn open(global: GlobalArgs, typed: String) -> Result<Session, Failure> {
        let began = Instant::now();
        // Before the agent is opened, so that --color also applies to the errors of opening it.
        terminal::choose_color(global.color);
        let backend = backend::open(global.root.as_deref(), global.server.as_deref(), &typed)?;
        Ok(Session { backend, global, typed, is_forwarded: false, began })
    }

    /// The objects that a target names, and the files that look like objects of whatever name.
    pub(crate) fn list(&self, target: &Target) -> Result<ObjectList, Failure> {
        match target {
            Target::Selector(query) => self.backend.list(query),
            target => {
                let ObjectList { strays, .. } = self.backend.objects()?;
                Ok(ObjectList { objects: self.select(target)?, strays })
            }
        }
    }

    /// The objects that a target names. They may be none.
    pub(crate) fn select(&self, target: &Target) -> Result<Vec<ObjectPath>, Failure> {
        match target {
            Target::Selector(query) => self.backend.select(query),
            Target::Kind(kind) => {
                let mut objects = self.backend.objects()?.objects;
                objects.retain(|object| object.kind() == *kind);
                Ok(objects)
            }
            Target::Stdin => {
                let text = std::io::read_to_string(std::io::stdin()).context("cannot read standard input")?;
                let lines = text.lines().map(str::trim);
                let lines = lines.filter(|line| !line.is_empty() && !line.starts_with(['#', ';']));
                let mut selected = Vec::new();
                for line in lines {
                    selected.extend(self.backend.select(&ObjectQuery::parse(line)?)?);
                }
                // Two selectors in a row often name the same object. One that is named again further down is acted on
                // again.
                selected.dedup();
                Ok(selected)
            }
        }
    }

    /// The objects that a target names. It is an error if there is none.
    pub(crate) fn select_some(&self, target: &Target) -> Result<Vec<ObjectPath>, Failure> {
        let selected = self.select(target)?;
        if selected.is_empty() { Err(Failure::no_match(target)) } else { Ok(selected) }
    }

    /// The objects that a target names and that have instances to act on. Others are left out, unless there is nothing else.
    pub(crate) fn select_instances(&self, target: &Target, action: &str) -> Result<Vec<ObjectPath>, Failure> {
        let (instances, others): (Vec<_>, Vec<_>) =
            self.select_some(target)?.into_iter().partition(|path| path.kind().has_instances());
        // A pattern such as ** names stores too, which is not a mistake. A store that is named alone is one.
        match (others.first(), instances.is_empty()) {
            (Some(other), true) => {
                let text = match other.kind().is_store() {
                    true => format!(
                        "{other} is a store, which holds keys and has no instance: there is nothing to {action} (see om {other} keys)"
                    ),
                    false => {
                        format!("{other} is a {}, and has no instance: there is nothing to {action}", other.kind())
                    }
                };
                Err(Failure::message(FailureKind::NotSupported, text))
            }
            _ => Ok(instances),
        }
    }

    /// The daemon that is asked, whether it runs or not.
    pub(crate) fn daemon(&self) -> RemoteDaemon {
        self.backend.daemon()
    }

    /// The same, if it runs.
    pub(crate) fn running_daemon(&self) -> Result<Option<RemoteDaemon>, Failure> {
        let daemon = self.daemon();
        Ok(daemon.runs()?.then_some(daemon))
    }

    /// Takes the log of an action.
    pub(crate) fn log_lines(&self) -> Arc<dyn LogLines> {
        let least = match (self.global.quiet, self.global.debug) {
            // --quiet wins over --debug.
            (true, _) => LogLevel::Warn,
            (_, true) => LogLevel::Trace,
            _ => LogLevel::Info,
        };
        Arc::new(LogPrinter::new(least))
    }

    /// Prints how long the command took, for --debug.
    pub(crate) fn print_time(&self) {
        if self.global.debug {
            let (all, drivers) = (self.began.elapsed(), self.backend.time_in_drivers());
            let (all, drivers) = (all.as_secs_f64() * 1e3, drivers.as_secs_f64() * 1e3);
            // A note, so that standard output stays what a script can read.
            self.note(&format!("took {all:.1} ms, {drivers:.1} ms of it in drivers"));
        }
    }

    /// Prints a note to the operator, unless --quiet says otherwise.
    pub(crate) fn note(&self, text: &str) {
        if !self.global.quiet {
            terminal::note(text);
        }
    }
}
