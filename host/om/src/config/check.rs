//! `om config …`: files that are not configurations of the agent yet.

use std::io::Read;
use std::path::Path;

use anyhow::Context;

use super::{doc, print_checks};
use crate::command::FileCommand;
use crate::exit::Outcome;
use crate::session::Session;

pub(crate) fn run(session: &Session, command: FileCommand) -> Outcome {
    match command {
        FileCommand::Doc(args) => doc::run(session, &args),
        FileCommand::Validate { files, path, output } => {
            let path = path.map(|path| path.parse()).transpose().context("cannot read --path")?;
            let mut checks = Vec::with_capacity(files.len());
            for file in &files {
                // Bytes and not text: a file that is not UTF-8 is not an error here, but one more problem with its line.
                let content = read(file).with_context(|| format!("cannot read {}", file.display()))?;
                checks.push(session.backend.check_file(path.as_ref(), file, content)?);
            }
            Ok(print_checks(checks, &output))
        }
    }
}

fn read(file: &Path) -> std::io::Result<Vec<u8>> {
    if file != Path::new("-") {
        return std::fs::read(file);
    }
    let mut content = Vec::new();
    std::io::stdin().read_to_end(&mut content)?;
    Ok(content)
}
