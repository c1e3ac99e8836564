//! `om config …`: files that are no objects yet, and what may stand in one.

use std::io::Read;
use std::path::Path;

use agent::file::text::NotText;
use agent::home::layout;
use anyhow::Context;
use model::ObjectPath;

use crate::command::FileCommand;
use crate::config::doc;
use crate::config::print_diagnosis;
use crate::exit::{Failure, Outcome};
use crate::object::life::block_on;
use crate::session::Session;

pub(crate) fn run(session: &Session, command: FileCommand) -> Outcome {
    match command {
        FileCommand::Doc(args) => doc::run(session, &args),
        FileCommand::Validate { file, path, output } => {
            let path = match path {
                Some(path) => path.parse().context("cannot read --path")?,
                None => likely_object(session, &file)?,
            };
            let name = file.display().to_string();
            let content = read(&file).with_context(|| format!("cannot read {name}"))?;
            let (text, odd) = match NotText::check(content) {
                Ok(text) => (text, None),
                Err(odd) => (odd.lossy().to_owned(), Some(odd.diagnostic())),
            };
            let diagnostics = odd.into_iter().chain(block_on(session.agent.diagnose(&path, &text))?).collect();
            Ok(print_diagnosis(vec![(name, text, diagnostics)], &output))
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

/// The object that a file is most likely meant for: its own one in the folder of configurations, else the service that is
/// called like the file.
fn likely_object(session: &Session, file: &Path) -> Result<ObjectPath, Failure> {
    let absolute = std::path::absolute(file).with_context(|| format!("cannot read {}", file.display()))?;
    if let Ok(within) = absolute.strip_prefix(&session.agent.home().etc)
        && let Some(path) = layout::object_of_config_file(within)
    {
        return Ok(path);
    }
    let stem = file.file_stem().map(|stem| stem.to_string_lossy().to_lowercase()).unwrap_or_default();
    let named = ObjectPath::svc(&stem).or_else(|_| ObjectPath::svc("service"));
    Ok(named.map_err(anyhow::Error::from)?)
}
