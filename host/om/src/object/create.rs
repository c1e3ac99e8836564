//! `create`: a configuration from a file, standard input or another object, with keywords set on top, checked before it
//! exists.

use std::io::Read;
use std::path::Path;
use std::process::ExitCode;

use agent::file::text::NotText;
use agent::{ObjectFiles, file::durable};
use anyhow::{Context, anyhow};
use config::diagnostic::Diagnostic;
use config::{DEFAULT, Document};
use model::ObjectPath;
use plan::Action;

use crate::command::{ActionArgs, CreateArgs};
use crate::config::target::ConfigFile;
use crate::config::{apply, key_ops};
use crate::exit::{self, Failure, Outcome};
use crate::object::life::{self, ActionScope, ActionTarget};
use crate::render::diagnostic;
use crate::session::{Session, print_error};
use crate::words::Target;

pub(crate) fn run(session: &Session, target: &Target, args: &CreateArgs) -> Outcome {
    let path = target.path()?;
    let objects = ObjectFiles::of(session.agent.home());
    let exists = objects.exists(&path);
    if exists && !args.force {
        return Err(Failure::new(exit::FAILED, format!("{path} exists already (--force replaces its configuration)")));
    }
    let file = ConfigFile::of_object(session, path.clone());
    let text = text(session, &file, args)?;
    check(session, &file, args, &text)?;
    match exists {
        true => file.replace(|_| Ok(text))?,
        false => objects.create(&path, &text)?,
    }
    match args.provision {
        true => life::run_on(
            session,
            &[path],
            Action::Provision,
            &ActionArgs::default(),
            ActionScope::Object,
            ActionTarget::default(),
        ),
        false => Ok(ExitCode::SUCCESS),
    }
}

/// The configuration that is asked for.
fn text(session: &Session, file: &ConfigFile<'_>, args: &CreateArgs) -> Result<String, Failure> {
    let mut document = Document::parse(match args.config.as_deref() {
        None => format!("[{DEFAULT}]\n"),
        Some(source) => read(session, source)?,
    });
    apply(file, &mut document, &key_ops(&args.keywords)?)?;
    for pair in &args.env {
        let (name, value) = pair.split_once('=').ok_or_else(|| anyhow!("--env {pair}: expected NAME=VALUE"))?;
        document.set("env", name, value).with_context(|| format!("cannot set --env {name}"))?;
    }
    Ok(document.text().to_owned())
}

/// What `--config` names: standard input, a file, or else an object.
fn read(session: &Session, source: &str) -> Result<String, Failure> {
    if source == "-" {
        let mut text = String::new();
        std::io::stdin().read_to_string(&mut text).context("cannot read the configuration on standard input")?;
        return Ok(text);
    }
    if let Some(content) = durable::read(Path::new(source)).map_err(anyhow::Error::from)? {
        return Ok(NotText::check(content).map_err(|odd| anyhow!(odd.sentence(source)))?);
    }
    match source.parse::<ObjectPath>() {
        Ok(path) if ObjectFiles::of(session.agent.home()).exists(&path) => {
            Ok(ObjectFiles::of(session.agent.home()).text(&path)?)
        }
        _ => Err(anyhow!("--config {source}: there is no such file and no such object").into()),
    }
}

/// A configuration with errors makes no object, and all of them are told.
fn check(session: &Session, file: &ConfigFile<'_>, args: &CreateArgs, text: &str) -> Result<(), Failure> {
    let diagnostics = file.diagnose(text);
    let object = file.name();
    if diagnostics.iter().any(Diagnostic::is_error) {
        print_error(&diagnostic::report(&source_of(args, &object), text, &diagnostics));
        if !args.force {
            return Err(Failure::new(exit::FAILED, format!("{object}: not created (--force creates it anyway)")));
        }
    } else if !diagnostics.is_empty() {
        let count = diagnostics.len();
        let warnings = if count == 1 { "1 warning".to_owned() } else { format!("{count} warnings") };
        session.note(&format!("{object}: {warnings}, see om {object} config validate"));
    }
    Ok(())
}

/// What messages call the text: the file that it was read from, unless keywords were set on top.
fn source_of(args: &CreateArgs, object: &str) -> String {
    let as_read = args.keywords.is_empty() && args.env.is_empty();
    match args.config.as_deref().filter(|_| as_read) {
        Some("-") => "standard input".to_owned(),
        Some(source) => source.to_owned(),
        None => object.to_owned(),
    }
}
