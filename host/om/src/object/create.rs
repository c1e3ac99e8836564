//! `create`: an object from a configuration, which comes from a file, standard input or another object, and is checked first.

use std::io::Read;
use std::process::ExitCode;

use anyhow::{Context, anyhow};
use config::DEFAULT;
use model::ObjectPath;
use protocol::{ConfigChange, ConfigCheck, ConfigEdit, ConfigTarget};

use crate::command::{ActionArgs, CreateArgs};
use crate::config::text::read_text;
use crate::exit::{Failure, Outcome};
use crate::object::life::{self, ActionScope, ActionTarget};
use crate::render::diagnostic;
use crate::session::Session;
use crate::terminal::print_error;
use crate::words::Target;

pub(crate) fn run(session: &Session, target: &Target, args: &CreateArgs) -> Outcome {
    let path = target.path()?;
    let exists = session.backend.exists(&path)?;
    if exists && !args.force {
        return Err(Failure::failed(format!("{path} exists already (--force replaces its configuration)")));
    }
    let config = ConfigTarget::Object(path.clone());
    // The text is complete and checked before the object exists: a mistake leaves nothing behind.
    let text = text(session, &config, args)?;
    check(session, &config, args, &text)?;
    match exists {
        // --force replaces the configuration and keeps the state: what runs must still be found and stopped.
        true => session.backend.save_config(&config, None, &text)?.iter().for_each(|note| session.note(note)),
        false => session.backend.create(&path, &text)?,
    }
    match args.provision {
        true => {
            let args = ActionArgs::default();
            life::run_on(session, &[path], "provision", &args, ActionScope::Object, ActionTarget::default())
        }
        false => Ok(ExitCode::SUCCESS),
    }
}

/// The configuration that the options make.
fn text(session: &Session, config: &ConfigTarget, args: &CreateArgs) -> Result<String, Failure> {
    let text = match args.config.as_deref() {
        None => format!("[{DEFAULT}]\n"),
        Some(source) => read(session, source)?,
    };
    let mut edits: Vec<ConfigEdit> = args.keywords.iter().cloned().map(ConfigEdit::Apply).collect();
    for pair in &args.env {
        let (name, value) = pair.split_once('=').ok_or_else(|| anyhow!("--env {pair}: expected NAME=VALUE"))?;
        let (keyword, value) = (name.to_owned(), value.to_owned());
        // In parts and not as one text, so that no character of the name becomes an operator.
        edits.push(ConfigEdit::SetIn { section: "env".to_owned(), keyword, value });
    }
    session.backend.edited(config, &text, &ConfigChange { edits, force: args.force })
}

/// The text that `--config` names: standard input, a file, or else an object's configuration.
fn read(session: &Session, source: &str) -> Result<String, Failure> {
    if source == "-" {
        let mut text = String::new();
        std::io::stdin().read_to_string(&mut text).context("cannot read the configuration on standard input")?;
        return Ok(text);
    }
    // A file wins over an object of the same name.
    if let Some(text) = read_text(source.as_ref())? {
        return Ok(text);
    }
    match source.parse::<ObjectPath>() {
        Ok(path) if session.backend.exists(&path)? => Ok(session.backend.config(&ConfigTarget::Object(path))?.text),
        _ => Err(anyhow!("--config {source}: there is no such file and no such object").into()),
    }
}

/// Reports all problems. A configuration with errors creates no object.
fn check(session: &Session, config: &ConfigTarget, args: &CreateArgs, text: &str) -> Result<(), Failure> {
    let problems = session.backend.check_config(config, text)?;
    let name = source_name(args, &config.to_string());
    let check = ConfigCheck { name, text: text.to_owned(), problems };
    if check.errors() > 0 {
        print_error(&diagnostic::report(&check));
        if !args.force {
            return Err(Failure::failed(format!("{config}: not created (--force creates it anyway)")));
        }
    } else if !check.problems.is_empty() {
        let count = check.problems.len();
        // Warnings do not prevent the creation, so they are only counted here: validate shows them.
        let warnings = if count == 1 { "1 warning".to_owned() } else { format!("{count} warnings") };
        session.note(&format!("{config}: {warnings}, see om {config} config validate"));
    }
    Ok(())
}

/// The name of the text in messages: the file that it was read from, unless keywords were set on top.
fn source_name(args: &CreateArgs, object: &str) -> String {
    // Once keywords are set on top, the lines of the checked text are no longer those of the file.
    let as_read = args.keywords.is_empty() && args.env.is_empty();
    match args.config.as_deref().filter(|_| as_read) {
        Some("-") => "standard input".to_owned(),
        Some(source) => source.to_owned(),
        None => object.to_owned(),
    }
}
