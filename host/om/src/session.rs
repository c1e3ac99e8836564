//! What every command works with: the agent, the selected objects, the terminal.

use std::io::Write;
use std::sync::{Arc, OnceLock};
use std::time::Instant;

use agent::log::LogConsole;
use agent::state::InstanceState;
use agent::{Agent, ConfigurationCatalogue, Directories, ObjectFiles};
use anstyle::{AnsiColor, Style};
use anyhow::Context;
use driver::Level;
use jiff::Timestamp;
use model::ObjectPath;

use crate::command::{ColorChoice, GlobalArgs};
use crate::exit::{Failure, NOT_SUPPORTED};
use crate::words::{ObjectQuery, Target};

/// One run of the command line.
pub(crate) struct Session {
    pub(crate) agent: Agent,
    pub(crate) global: GlobalArgs,
    /// The command as it was typed, for logs: without what is secret in it.
    pub(crate) typed: String,
    began: Instant,
}

impl Session {
    pub(crate) fn open(global: GlobalArgs, typed: String) -> Result<Session, Failure> {
        let began = Instant::now();
        choose_colour(global.color);
        let env = |name: &str| std::env::var_os(name);
        let home =
            Directories::find(global.root.as_deref(), env).context("cannot determine the agent's directories")?;
        let node = agent::home::node_name(env).context("cannot determine this node's name")?;
        let agent = Agent::open(home, &node).context("cannot read the node's configuration")?;
        Ok(Session { agent, global, typed, began })
    }

    /// The objects that a target names. They may be none.
    pub(crate) fn select(&self, target: &Target) -> Result<Vec<ObjectPath>, Failure> {
        match target {
            Target::Selector(query) => self.matching(query),
            Target::Kind(kind) => {
                let mut objects = ObjectFiles::of(self.agent.home()).list().context("cannot list the objects")?;
                objects.retain(|object| object.kind() == *kind);
                Ok(objects)
            }
            Target::Stdin => {
                let text = std::io::read_to_string(std::io::stdin()).context("cannot read standard input")?;
                let lines = text.lines().map(str::trim);
                let lines = lines.filter(|line| !line.is_empty() && !line.starts_with(['#', ';']));
                let mut selected = Vec::new();
                for line in lines {
                    selected.extend(self.matching(&ObjectQuery::parse(line)?)?);
                }
                selected.dedup();
                Ok(selected)
            }
        }
    }

    fn matching(&self, query: &ObjectQuery) -> Result<Vec<ObjectPath>, Failure> {
        let objects = ObjectFiles::of(self.agent.home());
        // Of a path, no other object needs to be listed.
        if let Some(path) = query.selector.as_path() {
            return Ok(Some(path.clone()).filter(|path| objects.exists(path)).into_iter().collect());
        }
        let all = objects.list().context("cannot list the objects")?;
        let (node, drivers) = (self.agent.node(), self.agent.drivers());
        let catalogue = ConfigurationCatalogue::new(self.agent.home(), &node, &*drivers);
        let selected = query.selector.select(&all, &catalogue);
        let selected = selected.with_context(|| format!("cannot apply the selector {:?}", query.text))?;
        Ok(selected.into_iter().cloned().collect())
    }

    /// The objects that a target names. It is an error if there is none.
    pub(crate) fn select_some(&self, target: &Target) -> Result<Vec<ObjectPath>, Failure> {
        let selected = self.select(target)?;
        if selected.is_empty() { Err(Failure::no_match(target)) } else { Ok(selected) }
    }

    /// The objects that a target names and that have instances to act on. Stores are left out, unless there is nothing else.
    pub(crate) fn select_instances(&self, target: &Target, action: &str) -> Result<Vec<ObjectPath>, Failure> {
        let (stores, others): (Vec<_>, Vec<_>) =
            self.select_some(target)?.into_iter().partition(|path| path.kind().is_store());
        match (stores.first(), others.is_empty()) {
            (Some(store), true) => {
                let text = format!(
                    "{store} is a store, which holds keys and has no instance: there is nothing to {action} (see om {store} keys)"
                );
                Err(Failure::new(NOT_SUPPORTED, text))
            }
            _ => Ok(others),
        }
    }

    /// Takes the log lines of an action.
    pub(crate) fn console(&self) -> Arc<dyn LogConsole> {
        let least = match (self.global.quiet, self.global.debug) {
            (true, _) => Level::Warn,
            (_, true) => Level::Trace,
            _ => Level::Info,
        };
        Arc::new(Terminal { least })
    }

    /// What an orchestrated action leaves behind: a stopped object is frozen, so that nobody starts it again, and a started
    /// one is not.
    pub(crate) fn follow_up(&self, path: &ObjectPath, action: plan::Action) -> Result<(), Failure> {
        let memory = InstanceState::of(self.agent.home(), path);
        match action {
            // What was asked for is done. That nobody may start it again is beyond a disk that nothing can be written to.
            plan::Action::Stop => {
                if let Err(error) = memory.freeze(Timestamp::now()) {
                    let error = anyhow::Error::from(error);
                    warn(&format!(
                        "{path}: stopped, but not frozen, so that it may be started automatically: {error:#}"
                    ));
                }
            }
            plan::Action::Start => {
                memory.thaw().context("cannot thaw the instance")?;
            }
            _ => {}
        }
        Ok(())
    }

    /// Prints how long the command took, for --debug.
    pub(crate) fn print_time(&self) {
        if self.global.debug {
            let (all, drivers) = (self.began.elapsed(), self.agent.time_in_drivers());
            let (all, drivers) = (all.as_secs_f64() * 1e3, drivers.as_secs_f64() * 1e3);
            self.note(&format!("took {all:.1} ms, {drivers:.1} ms of it in drivers"));
        }
    }

    /// A word to whoever sits there, beside the output proper.
    pub(crate) fn note(&self, text: &str) {
        if !self.global.quiet {
            let _ = writeln!(anstream::stderr(), "{text}");
        }
    }
}

/// Says what went wrong with one object of several.
pub(crate) fn complain(text: &str) {
    let style = AnsiColor::Red.on_default();
    let _ = writeln!(anstream::stderr(), "{style}error{style:#}: {text}");
}

/// Says what is not as it should be, but fails nothing.
pub(crate) fn warn(text: &str) {
    let style = AnsiColor::Yellow.on_default();
    let _ = writeln!(anstream::stderr(), "{style}warning{style:#}: {text}");
}

/// Writes what is wrong, in as many lines as it takes.
pub(crate) fn print_error(text: &str) {
    let _ = anstream::stderr().write_all(text.as_bytes());
}

/// Asks something of whoever sits there. The answer is on the same line.
pub(crate) fn ask(question: &str) {
    let _ = write!(anstream::stderr(), "{question}");
}

/// Why the output of this command could not be written, if so.
static OUTPUT: OnceLock<std::io::Error> = OnceLock::new();

/// Writes the output of a command. That it cannot be written ends no action halfway: [`lost_output`] tells of it at the end.
pub(crate) fn print(text: &str) {
    print_bytes(text.as_bytes());
}

/// The same, for what need not be text.
pub(crate) fn print_bytes(bytes: &[u8]) {
    let mut stdout = anstream::stdout();
    written(stdout.write_all(bytes).and_then(|()| stdout.flush()));
}

/// Keeps what came of writing output elsewhere.
pub(crate) fn written(result: std::io::Result<()>) {
    if let Err(error) = result {
        let _ = OUTPUT.set(error);
    }
}

/// Whether nobody reads the output any more.
pub(crate) fn is_closed() -> bool {
    OUTPUT.get().is_some()
}

/// Why output was lost. A reader that went away has seen enough, which is no error.
pub(crate) fn lost_output() -> Option<&'static std::io::Error> {
    OUTPUT.get().filter(|error| error.kind() != std::io::ErrorKind::BrokenPipe)
}

fn choose_colour(color: ColorChoice) {
    match color {
        ColorChoice::Auto => {}
        ColorChoice::Yes => anstream::ColorChoice::AlwaysAnsi.write_global(),
        ColorChoice::No => anstream::ColorChoice::Never.write_global(),
    }
}

/// Log lines on standard error.
struct Terminal {
    least: Level,
}

impl LogConsole for Terminal {
    fn line(&self, level: Level, line: &str) {
        if level < self.least {
            return;
        }
        let style = match level {
            Level::Error => AnsiColor::Red.on_default(),
            Level::Warn => AnsiColor::Yellow.on_default(),
            Level::Info => Style::new(),
            Level::Debug | Level::Trace => Style::new().dimmed(),
        };
        // One write for the line, whatever stands on it.
        let _ = anstream::stderr().write_all(format!("{style}{line}{style:#}\n").as_bytes());
    }
}
