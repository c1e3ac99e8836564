//! `print config`, `set`, `unset`, `get`, `eval` and `validate`, of objects and of the node.

pub(crate) mod check;
pub(crate) mod doc;
pub(crate) mod edit;
mod history;
pub(crate) mod show;
pub(crate) mod target;
pub(crate) mod text;

use std::process::ExitCode;

use anyhow::{Context, anyhow};
use config::{ConfigKey, KeyOperation};
use model::NodeName;
use protocol::{ConfigChange, ConfigCheck, ConfigEdit, ConfigTarget, EvaluatedKeyword};
use serde_json::{Value, json};

use crate::command::{ConfigCommand, GetArgs, OutputArgs, OutputFormat, SetArgs, UnsetArgs, ValidateArgs};
use crate::each::each;
use crate::exit::{Failure, Outcome};
use crate::render::structured::{one_or_all, structured};
use crate::render::{diagnostic, value};
use crate::session::Session;
use crate::terminal::{print, print_exact, print_styled};
use crate::words::Target;
use target::ConfigFile;

/// The configurations of the selected objects. It is an error if there is none.
pub(crate) fn files<'s>(session: &'s Session, target: &Target) -> Result<Vec<ConfigFile<'s>>, Failure> {
    let objects = session.select_some(target)?;
    Ok(objects.into_iter().map(|path| ConfigFile::of(session, ConfigTarget::Object(path))).collect())
}

/// The configuration of the only selected object, for a command that can deal with one.
pub(crate) fn one<'s>(session: &'s Session, target: &Target) -> Result<ConfigFile<'s>, Failure> {
    let files = files(session, target)?;
    only(&files, &target.to_string())?;
    files.into_iter().next().ok_or_else(|| Failure::no_match(target))
}

/// The only one of some configurations, which `target` selects.
fn only<'f, 's>(files: &'f [ConfigFile<'s>], target: &str) -> Result<&'f ConfigFile<'s>, Failure> {
    match files {
        [file] => Ok(file),
        _ => Err(anyhow!("{target} selects {} objects: expected one", files.len()).into()),
    }
}

/// `config …`, of objects and of the node.
pub(crate) fn run(session: &Session, files: &[ConfigFile<'_>], target: &str, command: &ConfigCommand) -> Outcome {
    match command {
        ConfigCommand::Show(args) => show::run(files, (&**args).into(), &args.output),
        ConfigCommand::Set(args) => set(files, args),
        ConfigCommand::Unset(args) => unset(files, args),
        ConfigCommand::Get(args) => get(files, args),
        ConfigCommand::Eval(args) => eval(files, args),
        ConfigCommand::Edit(args) => edit::run(session, only(files, target)?, args),
        ConfigCommand::Validate(args) => validate(files, args),
        ConfigCommand::History(args) => history::list(files, args),
        ConfigCommand::Diff(args) => history::diff(only(files, target)?, args),
        ConfigCommand::Rollback(args) => history::rollback(only(files, target)?, args),
        ConfigCommand::Doc(args) => doc::run(session, args),
    }
}

pub(crate) fn set(files: &[ConfigFile<'_>], args: &SetArgs) -> Outcome {
    let change = ConfigChange { edits: edits(args)?, force: args.force };
    Ok(each(files, |file| file.change(&change)).into())
}

/// The edits of `--kw`, and of `--param` and `--value` as the last one.
fn edits(args: &SetArgs) -> Result<Vec<ConfigEdit>, Failure> {
    // What cannot be read is reported once, not once for each configuration.
    for text in &args.keywords {
        text.parse::<KeyOperation>().with_context(|| format!("cannot read --kw {text}"))?;
    }
    let mut edits: Vec<ConfigEdit> = args.keywords.iter().cloned().map(ConfigEdit::Apply).collect();
    if let (Some(param), Some(value)) = (&args.param, &args.value) {
        check_keyword(param)?;
        // Not joined with `=`: a name that ends in `+` or `-` would then become another operator.
        edits.push(ConfigEdit::Set { keyword: param.clone(), value: value.clone() });
    }
    match edits.is_empty() {
        true => Err(anyhow!("nothing to set: expected --kw KEY=VALUE").into()),
        false => Ok(edits),
    }
}

/// Refuses what is not a keyword, and what is a whole section.
fn check_keyword(text: &str) -> Result<(), Failure> {
    let key: ConfigKey = text.parse().with_context(|| format!("cannot read the keyword {text:?}"))?;
    match key.option.is_empty() {
        true => Err(anyhow!("{text} is a section: expected one of its keywords, such as {text}.comment").into()),
        false => Ok(()),
    }
}

pub(crate) fn unset(files: &[ConfigFile<'_>], args: &UnsetArgs) -> Outcome {
    for text in &args.keywords {
        // A whole section is allowed here, unlike in `set`: `unset --kw fs#2` removes all of it.
        text.parse::<ConfigKey>().with_context(|| format!("cannot read the keyword {text:?}"))?;
    }
    let keywords = args.keywords.iter().cloned().map(|keyword| ConfigEdit::Unset { keyword });
    let sections = args.sections.iter().cloned().map(|section| ConfigEdit::UnsetSection { section });
    let change = ConfigChange { edits: keywords.chain(sections).collect(), force: args.force };
    if change.edits.is_empty() {
        return Err(anyhow!("nothing to unset: expected --kw KEY or --section SECTION").into());
    }
    Ok(each(files, |file| file.change(&change)).into())
}

/// The value of one keyword of one configuration.
struct FoundValue {
    file: String,
    key: String,
    text: String,
    value: Value,
}

pub(crate) fn get(files: &[ConfigFile<'_>], args: &GetArgs) -> Outcome {
    if args.eval {
        return eval(files, args);
    }
    print_values(files, args, |file, keyword| {
        // An error and not an empty line: a script must be able to distinguish an empty value from none.
        let text = file.written(keyword)?.ok_or_else(|| anyhow!("{} is not set", canonical(keyword)))?;
        let text = if args.secrets { text } else { file.covered_value(&text)? };
        Ok((text.clone(), text.into()))
    })
}

/// The keyword as messages spell it: with its section.
fn canonical(keyword: &str) -> String {
    keyword.parse::<ConfigKey>().map_or_else(|_| keyword.to_owned(), |key| key.to_string())
}

pub(crate) fn eval(files: &[ConfigFile<'_>], args: &GetArgs) -> Outcome {
    let peer: Option<NodeName> =
        args.impersonate.as_deref().map(str::parse).transpose().context("cannot read --impersonate")?;
    print_values(files, args, |file, keyword| {
        let evaluated = file.evaluated(keyword, peer.as_ref())?;
        let evaluated = if args.secrets { evaluated } else { covered(file, evaluated)? };
        Ok((value::text(&evaluated), value::json(&evaluated)))
    })
}

fn covered(file: &ConfigFile<'_>, mut evaluated: EvaluatedKeyword) -> Result<EvaluatedKeyword, Failure> {
    for value in &mut evaluated.values {
        *value = file.covered_value(value)?;
    }
    Ok(evaluated)
}

/// Asks every configuration for every keyword, and prints the values. A value that cannot be had is an error, but does not
/// stop the others.
fn print_values(
    files: &[ConfigFile<'_>],
    args: &GetArgs,
    ask: impl Fn(&ConfigFile<'_>, &str) -> Result<(String, Value), Failure>,
) -> Outcome {
    args.keywords.iter().try_for_each(|text| check_keyword(text))?;
    let mut found = Vec::new();
    // All keywords of an object before the next object, as the operator reads them.
    let pairs = files.iter().flat_map(|file| args.keywords.iter().map(move |keyword| (file, keyword)));
    let code = each(pairs, |(file, keyword)| {
        let (text, value) = ask(file, keyword).map_err(|failure| failure.context(file.name()))?;
        found.push(FoundValue { file: file.name(), key: canonical(keyword), text, value });
        Ok(())
    });
    // Printed at the end, because for programs several values are one document.
    print_exact(&values_text(found, files.len(), args.keywords.len(), args.output.format));
    Ok(code.into())
}

/// A single value is printed alone. Several are printed with their keywords and objects.
fn values_text(found: Vec<FoundValue>, files: usize, keys: usize, format: OutputFormat) -> String {
    let value = |one: &FoundValue| json!({"path": one.file, "keyword": one.key, "value": one.value});
    // By the number that was asked for: a list stays one even if only one of its values could be read.
    if let Some(text) = structured(format, &one_or_all(files * keys, found.iter().map(value).collect())) {
        return text;
    }
    let line = |one: FoundValue| {
        let key = if keys > 1 { format!("{} = ", one.key) } else { String::new() };
        let file = if files > 1 { format!("{}: ", one.file) } else { String::new() };
        format!("{file}{key}{}\n", one.text)
    };
    found.into_iter().map(line).collect()
}

pub(crate) fn validate(files: &[ConfigFile<'_>], args: &ValidateArgs) -> Outcome {
    // The text that was checked is the one that is shown, even if the file changes meanwhile.
    let check = |file: &ConfigFile<'_>| {
        let config = file.session.backend.config(&file.target)?;
        file.check(config.file, config.text)
    };
    let checks = files.iter().map(check).collect::<Result<_, Failure>>()?;
    Ok(print_checks(checks, &args.output))
}

/// Prints all problems. An error anywhere makes the command fail.
pub(crate) fn print_checks(checks: Vec<ConfigCheck>, output: &OutputArgs) -> ExitCode {
    let mut all = Vec::new();
    for check in &checks {
        match output.is_structured() {
            true => all.extend(diagnostic::located(check)),
            // On standard output, unlike after an edit: here the problems are what the operator asked for.
            false => print_styled(&diagnostic::report(check)),
        }
    }
    let value = serde_json::to_value(all).unwrap_or_default();
    structured(output.format, &value).iter().for_each(|text| print(text));
    match checks.iter().any(|check| check.errors() > 0) {
        true => ExitCode::FAILURE,
        false => ExitCode::SUCCESS,
    }
}
