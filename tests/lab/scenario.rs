//! A scenario: the commands that are typed into the machines, and their expected output.
//!
//! ```text
//! # A comment.
//! $ om web start          typed into the machine; `a$` and `b$` where there are two
//! ? 1                     its exit code, if it is not 0
//! ? reset                 it does not return: the machine resets itself, and is booted again
//! ...                     what it prints; nothing, if nothing is written
//! web: fs#1: [..]
//! ```

use std::fmt::Write as _;
use std::fs;
use std::path::Path;

use anyhow::{Context, Result, bail, ensure};

use crate::image::Image;
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
    /// None: the machine resets itself meanwhile.
    code: Option<i32>,
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
                    commands.push(Typed { line, node, command, code: Some(0), output: Vec::new() });
                }
                (None, None) => bail!("line {line}: expected a command"),
                (None, Some(typed)) => match text.strip_prefix("? ") {
                    Some("reset") => typed.code = None,
                    Some(code) => {
                        let code = code.parse().with_context(|| format!("line {line}: no exit code"))?;
                        typed.code = Some(code);
                    }
                    None => typed.output.push(text.to_owned()),
                },
            }
        }
        ensure!(!commands.is_empty(), "no commands");
        // A machine that is booted again would not find the network of the others.
        let lone = |typed: &Typed| typed.node.is_empty() || typed.code.is_some();
        ensure!(commands.iter().all(lone), "only a machine that is alone may reset itself");
        let mut nodes: Vec<String> =
            commands.iter().map(|typed| typed.node.clone()).filter(|node| !node.is_empty()).collect();
        nodes.sort();
        nodes.dedup();
        Ok(Scenario { name, nodes, commands })
    }

    /// Types it in, up to the first command with an unexpected result. Leftovers are an error, too.
    pub(crate) fn play(&self, image: &Image, machines: &mut [Machine]) -> Result<()> {
        let before = leftovers::of_all(machines)?;
        let mut transcript = String::new();
        let result = self.type_in(image, machines, &mut transcript);
        let after = leftovers::of_all(machines);
        result.map_err(|error| error.context(transcript))?;
        leftovers::compare(&before, &after?)
    }

    fn type_in(&self, image: &Image, machines: &mut [Machine], transcript: &mut String) -> Result<()> {
        for typed in &self.commands {
            let machine = machines.iter_mut().find(|machine| machine.name() == typed.node);
            let machine = machine.with_context(|| format!("there is no machine {:?}", typed.node))?;
            let Some(code) = typed.code else {
                machine.must_reset(&typed.command)?;
                write!(transcript, "\n{}$ {}\n? reset\n", typed.node, typed.command)?;
                let booted = Machine::boot_all(image, &[&typed.node])?;
                booted.into_iter().for_each(|booted| *machine = booted);
                continue;
            };
            let ran = machine.run(&typed.command)?;
            write!(transcript, "\n{}$ {}\n? {}\n{}", typed.node, typed.command, ran.code, ran.output)?;
            let line = typed.line;
            ensure!(ran.code == code, "{} line {line}: exit code {}, not {code}", self.name, ran.code);
            if let Some(reason) = expected::mismatch(&typed.output, &ran.output) {
                bail!("{} line {line}: {reason}", self.name);
            }
        }
        Ok(())
    }
}
