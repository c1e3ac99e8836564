//! A scenario: the commands that are typed into the machines, and their expected output.
//!
//! ```text
//! # A comment.
//! $ om web start          typed into the machine; `a$` and `b$` where there are two
//! ? 1                     its exit code, if it is not 0
//! ...                     what it prints; nothing, if nothing is written
//! web: fs#1: [..]
//! ```

use std::fmt::Write as _;
use std::fs;
use std::path::Path;

use anyhow::{Context, Result, bail, ensure};

use crate::machine::Machine;
use crate::{expected, leftovers};

pub(crate) struct Scenario {
    pub(crate) name: String,
    /// The machines that it names. Empty if there is only one.
    pub(crate) nodes: Vec<String>,
    commands: Vec<Typed>,
}

/// A command and its expected result.
struct Typed {
    line: usize,
    node: String,
    command: String,
    code: i32,
    output: Vec<String>,
}

impl Scenario {
    /// All scenarios of a directory, in the order of their names.
    pub(crate) fn all(directory: &Path) -> Result<Vec<Scenario>> {
        expected::must_work();
        let mut files: Vec<_> = fs::read_dir(directory)?.map(|entry| Ok(entry?.path())).collect::<Result<_>>()?;
        files.sort();
        files.iter().map(|file| Scenario::read(file).with_context(|| file.display().to_string())).collect()
    }

    fn read(file: &Path) -> Result<Scenario> {
        let name = file.file_stem().context("no name")?.to_string_lossy().into_owned();
        let mut commands: Vec<Typed> = Vec::new();
        for (at, text) in fs::read_to_string(file)?.lines().enumerate() {
            let line = at + 1;
            let prompt = text.split_once("$ ").filter(|(node, _)| ["", "a", "b"].contains(node));
            match (prompt, commands.last_mut()) {
                _ if text.is_empty() || text.starts_with("# ") => {}
                (Some((node, command)), _) => {
                    let (node, command) = (node.to_owned(), command.to_owned());
                    commands.push(Typed { line, node, command, code: 0, output: Vec::new() });
                }
                (None, None) => bail!("line {line}: expected a command"),
                (None, Some(typed)) => match text.strip_prefix("? ") {
                    Some(code) => typed.code = code.parse().with_context(|| format!("line {line}: no exit code"))?,
                    None => typed.output.push(text.to_owned()),
                },
            }
        }
        ensure!(!commands.is_empty(), "no commands");
        let mut nodes: Vec<String> =
            commands.iter().map(|typed| typed.node.clone()).filter(|node| !node.is_empty()).collect();
        nodes.sort();
        nodes.dedup();
        Ok(Scenario { name, nodes, commands })
    }

    /// Types it in, up to the first command with an unexpected result. Leftovers are an error, too.
    pub(crate) fn play(&self, machines: &mut [Machine]) -> Result<()> {
        let before = leftovers::of_all(machines)?;
        let mut transcript = String::new();
        let result = self.type_in(machines, &mut transcript);
        let after = leftovers::of_all(machines);
        result.map_err(|error| error.context(transcript))?;
        leftovers::compare(&before, &after?)
    }

    fn type_in(&self, machines: &mut [Machine], transcript: &mut String) -> Result<()> {
        for typed in &self.commands {
            let machine = machines.iter_mut().find(|machine| machine.name() == typed.node);
            let machine = machine.with_context(|| format!("there is no machine {:?}", typed.node))?;
            let ran = machine.run(&typed.command)?;
            write!(transcript, "\n{}$ {}\n? {}\n{}", typed.node, typed.command, ran.code, ran.output)?;
            let line = typed.line;
            ensure!(ran.code == typed.code, "{} line {line}: exit code {}, not {}", self.name, ran.code, typed.code);
            if let Some(reason) = expected::mismatch(&typed.output, &ran.output) {
                bail!("{} line {line}: {reason}", self.name);
            }
        }
        Ok(())
    }
}
