//! `print config`, `set`, `unset`, `get`, `eval` and `validate`, of objects and of the node.

pub(crate) mod check;
pub(crate) mod doc;
pub(crate) mod edit;
pub(crate) mod target;

use std::collections::HashMap;
use std::process::ExitCode;

use anyhow::{Context, anyhow};
use config::{Document, Key, KeyOp, Op};
use model::NodeName;
use serde_json::{Value, json};

use crate::command::{GetArgs, OutputArgs, OutputFormat, SetArgs, UnsetArgs, ValidateArgs};
use crate::config::target::ConfigFile;
use crate::each::each;
use crate::exit::{self, Failure, Outcome};
use crate::render::structured::{Ordered, one_or_all, structured};
use crate::render::{diagnostic, value};
use crate::session::{Session, print};
use crate::words::Target;

/// The configurations of the selected objects. Not one is an error.
pub(crate) fn files<'s>(session: &'s Session, target: &Target) -> Result<Vec<ConfigFile<'s>>, Failure> {
    let objects = session.select_some(target)?;
    Ok(objects.into_iter().map(|path| ConfigFile::of_object(session, path)).collect())
}

/// The configuration of the one object that a command can deal with.
pub(crate) fn one<'s>(session: &'s Session, target: &Target) -> Result<ConfigFile<'s>, Failure> {
    let mut files = files(session, target)?;
    match files.pop() {
        Some(file) if files.is_empty() => Ok(file),
        _ => Err(anyhow!("{target} selects {} objects: expected one", files.len() + 1).into()),
    }
}

pub(crate) fn show(files: &[ConfigFile<'_>], output: &OutputArgs) -> Outcome {
    let mut values = Vec::new();
    for file in files {
        let text = file.text()?;
        if output.is_structured() {
            values.push(sections(&Document::parse(text)));
            continue;
        }
        if files.len() > 1 {
            print(&format!("# {}\n", file.name()));
        }
        print(&text);
        if files.len() > 1 || !text.ends_with('\n') {
            print("\n");
        }
    }
    let value = match values.pop() {
        Some(value) if files.len() == 1 => value,
        last => Ordered::Members(files.iter().map(ConfigFile::name).zip(values.into_iter().chain(last)).collect()),
    };
    value.structured(output.format).iter().for_each(|text| print(text));
    Ok(ExitCode::SUCCESS)
}

/// The keys as they are written, by section, in the order of the file. Of what is written twice, the last.
fn sections(document: &Document) -> Ordered {
    let mut sections: Vec<(String, Vec<(String, Ordered)>)> = Vec::new();
    let mut places: HashMap<&str, usize> = HashMap::new();
    for section in document.sections() {
        let place = *places.entry(&section.name).or_insert_with(|| {
            sections.push((section.name.clone(), Vec::new()));
            sections.len() - 1
        });
        for entry in &section.entries {
            let known = &mut sections[place].1;
            known.retain(|(key, _)| *key != entry.key);
            known.push((entry.key.clone(), Ordered::Leaf(entry.value.clone())));
        }
    }
    Ordered::Members(sections.into_iter().map(|(name, keys)| (name, Ordered::Members(keys))).collect())
}

pub(crate) fn set(files: &[ConfigFile<'_>], args: &SetArgs) -> Outcome {
    let changes = changes(args)?;
    Ok(each(files, |file| file.change(args.force, |document| apply(file, document, &changes))).into())
}

/// Makes all changes, in their order.
pub(crate) fn apply(file: &ConfigFile<'_>, document: &mut Document, changes: &[KeyOp]) -> Result<(), Failure> {
    for change in changes {
        let change = KeyOp { key: file.as_written(document, &change.key), ..change.clone() };
        document.apply(&change).with_context(|| format!("{}: cannot set {}", file.name(), change.key))?;
    }
    Ok(())
}

/// `--kw` as changes, `--param` and `--value` as the last of them.
fn changes(args: &SetArgs) -> Result<Vec<KeyOp>, Failure> {
    let mut changes = key_ops(&args.keywords)?;
    if let (Some(param), Some(text)) = (&args.param, &args.value) {
        let key: Key = key(param)?;
        changes.push(KeyOp { key, op: Op::Set, value: text.clone() });
    }
    match changes.is_empty() {
        true => Err(anyhow!("nothing to set: expected --kw KEY=VALUE").into()),
        false => Ok(changes),
    }
}

/// `--kw` as changes.
pub(crate) fn key_ops(keywords: &[String]) -> Result<Vec<KeyOp>, Failure> {
    let parse = |text: &String| text.parse::<KeyOp>().with_context(|| format!("cannot read --kw {text}"));
    Ok(keywords.iter().map(parse).collect::<Result<_, _>>()?)
}

/// A key that is no whole section.
fn key(text: &str) -> Result<Key, Failure> {
    let key: Key = text.parse().with_context(|| format!("cannot read the keyword {text:?}"))?;
    match key.option.is_empty() {
        true => Err(anyhow!("{text} is a section: expected one of its keywords, such as {text}.comment").into()),
        false => Ok(key),
    }
}

pub(crate) fn unset(files: &[ConfigFile<'_>], args: &UnsetArgs) -> Outcome {
    let parse = |text: &String| text.parse::<Key>().with_context(|| format!("cannot read the keyword {text:?}"));
    let mut keys = args.keywords.iter().map(parse).collect::<Result<Vec<Key>, _>>()?;
    keys.extend(args.sections.iter().map(|section| Key::new(section.as_str(), "")));
    if keys.is_empty() {
        return Err(anyhow!("nothing to unset: expected --kw KEY or --section SECTION").into());
    }
    let remove = |file: &ConfigFile<'_>, document: &mut Document| {
        for key in &keys {
            let key = file.as_written(document, key);
            document.remove(&key);
        }
        Ok(())
    };
    Ok(each(files, |file| file.change(args.force, |document| remove(file, document))).into())
}

/// What `get` and `eval` found of one keyword of one configuration.
struct Found {
    file: String,
    key: String,
    text: String,
    value: Value,
}

pub(crate) fn get(files: &[ConfigFile<'_>], args: &GetArgs) -> Outcome {
    if args.eval {
        return eval(files, args);
    }
    answer(files, args, |file, document, key| {
        let written = file.as_written(document, key);
        let text = document.get(&written.section, &written.scoped_option());
        let text = text.ok_or_else(|| anyhow!("{key} is not set"))?;
        Ok((text.to_owned(), text.into()))
    })
}

pub(crate) fn eval(files: &[ConfigFile<'_>], args: &GetArgs) -> Outcome {
    let node: Option<NodeName> =
        args.impersonate.as_deref().map(str::parse).transpose().context("cannot read --impersonate")?;
    answer(files, args, |file, document, key| {
        let evaluated = file.eval(document, key, node.as_ref())?;
        Ok((value::text(&evaluated), value::json(&evaluated)))
    })
}

/// Asks every configuration for every keyword, and prints what was found. What was not is an error, but stops nothing.
fn answer(
    files: &[ConfigFile<'_>],
    args: &GetArgs,
    ask: impl Fn(&ConfigFile<'_>, &Document, &Key) -> anyhow::Result<(String, Value)>,
) -> Outcome {
    let keys = args.keywords.iter().map(|text| key(text)).collect::<Result<Vec<Key>, _>>()?;
    let mut found = Vec::new();
    let code = each(files.iter().flat_map(|file| keys.iter().map(move |key| (file, key))), |(file, key)| {
        let document = Document::parse(file.text()?);
        let (text, value) = ask(file, &document, key).with_context(|| file.name())?;
        found.push(Found { file: file.name(), key: key.to_string(), text, value });
        Ok(())
    });
    print(&found_text(found, files.len(), keys.len(), args.output.format));
    Ok(code.into())
}

/// One value alone is printed alone. What there is more of is told apart.
fn found_text(found: Vec<Found>, files: usize, keys: usize, format: OutputFormat) -> String {
    let value = |one: &Found| json!({"path": one.file, "keyword": one.key, "value": one.value});
    if let Some(text) = structured(format, &one_or_all(files * keys, found.iter().map(value).collect())) {
        return text;
    }
    let line = |one: Found| {
        let key = if keys > 1 { format!("{} = ", one.key) } else { String::new() };
        let file = if files > 1 { format!("{}: ", one.file) } else { String::new() };
        format!("{file}{key}{}\n", one.text)
    };
    found.into_iter().map(line).collect()
}

pub(crate) fn validate(files: &[ConfigFile<'_>], args: &ValidateArgs) -> Outcome {
    let texts = files.iter().map(|file| Ok((file.file().display().to_string(), file.text()?)));
    let texts: Vec<(String, String)> = texts.collect::<Result<_, Failure>>()?;
    let checked = files.iter().zip(texts).map(|(file, (name, text))| {
        let diagnostics = file.diagnose(&text);
        (name, text, diagnostics)
    });
    Ok(print_diagnosis(checked.collect(), &args.output))
}

/// A text by its name, and what is wrong with it.
pub(crate) type Checked = (String, String, Vec<config::diagnostic::Diagnostic>);

/// Prints what is wrong. An error anywhere makes the command fail.
pub(crate) fn print_diagnosis(checked: Vec<Checked>, output: &OutputArgs) -> ExitCode {
    let mut all = Vec::new();
    for (name, text, diagnostics) in &checked {
        match diagnostic::value(name, text, diagnostics) {
            Value::Array(items) if output.is_structured() => all.extend(items),
            _ => print(&diagnostic::report(name, text, diagnostics)),
        }
    }
    structured(output.format, &Value::Array(all)).iter().for_each(|text| print(text));
    let has_error = checked.iter().any(|(_, _, diagnostics)| diagnostics.iter().any(|one| one.is_error()));
    ExitCode::from(if has_error { exit::FAILED } else { 0 })
}
