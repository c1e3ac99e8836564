//! Hooks: commands of node.conf that the daemon runs when something happens. Like triggers they run outside of any sandbox, with
//! the agent's own powers, so that the program must belong to root or to the agent's user, and no other user may change it.

use std::ffi::OsString;
use std::path::PathBuf;
use std::time::Duration;

use config::{ConfigKey, Document, ReadError, eval_node};
use exec::blocking;
use kernel::process::{CheckedProgram, ProgramLaunch, RunError};

use crate::file::durable;
use crate::instance::trigger;
use crate::{Agent, chain};

/// So much of a command's output is kept, for the message if it fails.
const OUTPUT: usize = 1 << 10;

/// An event that is longer is only on the standard input: the kernel refuses longer variables.
const VARIABLE: usize = 100_000;

/// A hook of node.conf.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HookRule {
    /// As its section calls it: `mail` of `[hook#mail]`.
    pub name: String,
    /// Patterns of the kinds of events that it runs for.
    pub events: Vec<String>,
    pub command: Vec<String>,
    pub timeout: Duration,
}

/// The event that a hook runs for.
#[derive(Debug, Clone, Copy)]
pub struct HookEvent<'e> {
    pub kind: &'e str,
    /// The object that it is about, if it is about one.
    pub path: Option<&'e str>,
    /// All of it, as JSON.
    pub json: &'e str,
}

/// Why a hook has failed.
#[derive(Debug, thiserror::Error)]
pub enum HookError {
    #[error("there is no program {0}")]
    NoProgram(String),
    #[error("cannot run the program")]
    Run(#[source] kernel::KernelError),
    #[error("it took longer than {0:?}, and was killed")]
    TimedOut(Duration),
    #[error("exit status {status}{}", after(.output))]
    Status { status: i32, output: String },
}

fn after(output: &str) -> String {
    if output.is_empty() { String::new() } else { format!(": {output}") }
}

impl Agent {
    /// The hooks of node.conf, and what is wrong with the others. Blocks.
    pub fn hooks(&self) -> (Vec<HookRule>, Vec<String>) {
        let content = match durable::read(&self.home().node_config()) {
            Ok(content) => content.unwrap_or_default(),
            Err(error) => return (Vec::new(), vec![chain(&error)]),
        };
        rules(&Document::parse(String::from_utf8_lossy(&content)))
    }

    /// Runs a hook to its end, or until its time is over.
    pub async fn run_hook(&self, rule: &HookRule, event: HookEvent<'_>) -> Result<(), HookError> {
        let launch = launch(rule, &event).await?;
        let mut output = String::new();
        let mut on_line = |line: &str| {
            if output.len() < OUTPUT {
                let separator = if output.is_empty() { "" } else { " | " };
                output.extend(separator.chars().chain(line.chars()).take(OUTPUT));
            }
        };
        // With a line feed, as hooks read it by `read` of the shell, which fails on a line without an end.
        let input = format!("{}\n", event.json);
        match kernel::process::run(launch, input.as_bytes(), rule.timeout, &mut on_line).await {
            Ok(ended) if ended.status == 0 => Ok(()),
            Ok(ended) => Err(HookError::Status { status: ended.status, output }),
            Err(RunError::TimedOut(limit)) => Err(HookError::TimedOut(limit)),
            Err(RunError::Kernel(error)) => Err(HookError::Run(error)),
        }
    }
}

async fn launch(rule: &HookRule, event: &HookEvent<'_>) -> Result<ProgramLaunch, HookError> {
    let (program, args) = rule.command.split_first().ok_or_else(|| HookError::NoProgram(String::new()))?;
    let mut name = program.clone();
    let opened = blocking(move || {
        trigger::with_path(&mut name);
        match name.starts_with('/') {
            true => CheckedProgram::open(&PathBuf::from(name), None).map_err(HookError::Run),
            false => Err(HookError::NoProgram(name)),
        }
    })
    .await;
    Ok(trigger::launch(opened?, args, environment(rule, event)))
}

/// The event has the names that hooks written for OpenSVC expect, too.
fn environment(rule: &HookRule, event: &HookEvent<'_>) -> Vec<(String, OsString)> {
    let facts =
        [("EVENT_KIND", event.kind), ("EVENT_PATH", event.path.unwrap_or_default()), ("HOOK", rule.name.as_str())];
    // execve(2) refuses a single string of more than 32 pages, its name included, and the program would not run at all.
    let json = Some(("EVENT", event.json)).filter(|(_, json)| json.len() < VARIABLE);
    let named = facts.into_iter().chain(json).flat_map(|(name, fact)| {
        ["", "HOSTLER_", "OPENSVC_"].map(|prefix| (format!("{prefix}{name}"), OsString::from(fact)))
    });
    capability::process::account_variables(None).into_iter().chain(named).collect()
}

fn rules(document: &Document) -> (Vec<HookRule>, Vec<String>) {
    let (mut rules, mut problems) = (Vec::new(), Vec::new());
    let mut names: Vec<&str> =
        document.sections().iter().filter_map(|section| section.name.strip_prefix("hook#")).collect();
    // A section that is written in two places is one hook, and runs once for each event.
    names.sort_unstable();
    names.dedup();
    for name in names {
        match rule(document, name) {
            Ok(rule) => rules.push(rule),
            Err(error) => problems.push(format!("hook#{name}: {error}")),
        }
    }
    (rules, problems)
}

fn rule(document: &Document, name: &str) -> Result<HookRule, ReadError> {
    let values = |option: &str| {
        let key = ConfigKey::new(format!("hook#{name}"), option);
        eval_node(document, &key).map(|evaluated| evaluated.values)
    };
    let (events, command) = (values("events")?, values("command")?);
    let millis = values("timeout")?.first().and_then(|millis| millis.parse().ok()).unwrap_or_default();
    Ok(HookRule { name: name.to_owned(), events, command, timeout: Duration::from_millis(millis) })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hooks_are_read_and_what_is_wrong_with_one_costs_no_other() {
        let text = "[hook#b]\nevents = order.* engine.down\ncommand = /bin/mail -s \"an event\" ops\ntimeout = 2s\n\
                    [hook#a]\nevents = order.end\n[node]\nenv = PRD\n";
        let (found, problems) = rules(&Document::parse(text));
        let words = |text: &str| text.split('|').map(str::to_owned).collect::<Vec<_>>();
        let expected = HookRule {
            name: "b".to_owned(),
            events: words("order.*|engine.down"),
            command: words("/bin/mail|-s|an event|ops"),
            timeout: Duration::from_secs(2),
        };
        assert_eq!(found, [expected]);
        assert_eq!(problems, ["hook#a: hook#a.command is not set"]);
    }

    #[test]
    fn a_large_event_is_on_the_standard_input_alone() {
        let rule = HookRule { name: "a".to_owned(), events: Vec::new(), command: Vec::new(), timeout: Duration::ZERO };
        let has = |json: &str| {
            let env = environment(&rule, &HookEvent { kind: "order.end", path: None, json });
            env.iter().any(|(name, value)| name == "EVENT" && value == json)
        };
        assert!(has("{}"));
        assert!(!has(&"x".repeat(VARIABLE)));
    }
}
