//! `create`: an object from a configuration, which comes from a file, standard input or another object, and is checked first.

use std::fmt;
use std::io::Read;
use std::marker::PhantomData;
use std::process::ExitCode;

use anyhow::{Context, anyhow};
use config::DEFAULT;
use model::ObjectPath;
use protocol::{ConfigChange, ConfigCheck, ConfigEdit, ConfigTarget};
use serde::de::{Deserialize, Deserializer, MapAccess, Visitor};
use serde_json::Value;

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
    let written = args.config.as_deref().map(|source| read(session, source)).transpose()?;
    let mut edits = Vec::new();
    let text = match written {
        None => format!("[{DEFAULT}]\n"),
        Some(text) if text.trim_start().starts_with('{') => {
            edits = of_json(&text, &source_name(args, &config.to_string()))?;
            String::new()
        }
        Some(text) => text,
    };
    let keywords = args.keywords.iter().cloned().map(ConfigEdit::Apply);
    edits.extend(keywords);
    for pair in &args.env {
        let (name, value) = pair.split_once('=').ok_or_else(|| anyhow!("--env {pair}: expected NAME=VALUE"))?;
        let (keyword, value) = (name.to_owned(), value.to_owned());
        // In parts and not as one text, so that no character of the name becomes an operator.
        edits.push(ConfigEdit::SetIn { section: "env".to_owned(), keyword, value });
    }
    session.backend.edited(config, &text, &ConfigChange { edits, force: args.force })
}

/// The edits that make a configuration of the JSON that `print config --format json` writes: sections of keys.
fn of_json(text: &str, name: &str) -> Result<Vec<ConfigEdit>, Failure> {
    let JsonMembers(sections): JsonMembers<JsonMembers<Value>> = serde_json::from_str(text).map_err(|error| {
        let place = format!("{name}:{}:{}", error.line(), error.column());
        anyhow!("{place}: {error}: expected sections of keys, as print config --format json writes them")
    })?;
    let mut edits = Vec::new();
    for (section, JsonMembers(keys)) in sections {
        for (keyword, value) in keys {
            let value = text_of(value).map_err(|problem| anyhow!("{name}: {section}.{keyword}: {problem}"))?;
            edits.push(ConfigEdit::SetIn { section: section.clone(), keyword, value });
        }
    }
    Ok(edits)
}

/// An object of JSON, in the order of the text.
struct JsonMembers<T>(Vec<(String, T)>);

impl<'de, T: Deserialize<'de>> Deserialize<'de> for JsonMembers<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct MembersVisitor<T>(PhantomData<T>);

        impl<'de, T: Deserialize<'de>> Visitor<'de> for MembersVisitor<T> {
            type Value = JsonMembers<T>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
                let mut members = Vec::new();
                while let Some(member) = map.next_entry()? {
                    members.push(member);
                }
                Ok(JsonMembers(members))
            }
        }

        deserializer.deserialize_map(MembersVisitor(PhantomData))
    }
}

/// A value of a configuration in JSON: `print config --eval` writes numbers, booleans and lists as such.
fn text_of(value: Value) -> Result<String, String> {
    match value {
        Value::String(text) => Ok(text),
        Value::Number(_) | Value::Bool(_) => Ok(value.to_string()),
        Value::Array(values) => {
            values.into_iter().map(text_of).collect::<Result<Vec<_>, _>>().map(|words| words.join(" "))
        }
        Value::Null | Value::Object(_) => Err(format!("{value} is not a text, a number, a boolean or a list of them")),
    }
}

/// The text that `--config` names: standard input, a file, or else an object's configuration.
fn read(session: &Session, source: &str) -> Result<String, Failure> {
    if source == "-" {
        let mut text = String::new();
        std::io::stdin().read_to_string(&mut text).context("cannot read the configuration on standard input")?;
        // Most likely the first program of a pipe has failed.
        if text.trim().is_empty() {
            return Err(anyhow!("standard input is empty: expected a configuration").into());
        }
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
