//! `print config`: a configuration as it is written, or by section for programs, or with the values that hold on this node.

use std::collections::{HashMap, HashSet};
use std::process::ExitCode;

use config::{ConfigKey, Document};

use super::target::ConfigFile;
use crate::command::{OutputArgs, ShowArgs};
use crate::exit::{Failure, Outcome};
use crate::render::structured::OrderedValue;
use crate::render::value;
use crate::terminal::{print, print_exact};

/// How a configuration is printed.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct ShownConfig {
    /// With the values that hold on this node.
    pub(crate) eval: bool,
    /// With what is secret.
    pub(crate) secrets: bool,
}

impl From<&ShowArgs> for ShownConfig {
    fn from(args: &ShowArgs) -> ShownConfig {
        ShownConfig { eval: args.eval, secrets: args.secrets }
    }
}

pub(crate) fn run(files: &[ConfigFile<'_>], how: ShownConfig, output: &OutputArgs) -> Outcome {
    let mut values = Vec::new();
    for file in files {
        let text = match how {
            ShownConfig { eval: true, secrets } => evaluated(file, secrets)?,
            ShownConfig { secrets: true, .. } => file.text()?,
            ShownConfig { .. } => file.covered(&file.text()?)?,
        };
        if output.is_structured() {
            values.push(sections(&Document::parse(text)));
            continue;
        }
        if files.len() > 1 {
            // A comment, so that the output as a whole still has the syntax of a configuration.
            print(&format!("# {}\n", file.name()));
        }
        print_exact(&text);
        if files.len() > 1 || !text.ends_with('\n') {
            print("\n");
        }
    }
    // Not `one_or_all`: several configurations are members by the names of their objects, not a list.
    let value = match values.pop() {
        Some(value) if files.len() == 1 => value,
        last => OrderedValue::Members(files.iter().map(ConfigFile::name).zip(values.into_iter().chain(last)).collect()),
    };
    value.structured(output.format).iter().for_each(|text| print(text));
    Ok(ExitCode::SUCCESS)
}

/// The configuration with the values that hold on this node, each key once.
fn evaluated(file: &ConfigFile<'_>, secrets: bool) -> Result<String, Failure> {
    let document = Document::parse(file.text()?);
    let mut text = String::new();
    for section in document.sections() {
        text += &format!("{}[{}]\n", if text.is_empty() { "" } else { "\n" }, section.name);
        let mut known = HashSet::new();
        for entry in &section.entries {
            // Of the scopes of a key one holds, and the key's value is asked for once.
            if known.insert(entry.option()) {
                let key = ConfigKey::new(&section.name, entry.option()).to_string();
                let value = value::text(&file.evaluated(&key, None)?);
                let value = if secrets { value } else { file.covered_value(&value)? };
                text += &format!("{} = {}\n", entry.option(), value.replace('\n', "\n  "));
            }
        }
    }
    Ok(text)
}

/// The keys as they are written, by section, in the order of the file. Of a key that is written twice, the last one counts.
fn sections(document: &Document) -> OrderedValue {
    let mut sections: Vec<(String, Vec<(String, OrderedValue)>)> = Vec::new();
    let mut places: HashMap<&str, usize> = HashMap::new();
    for section in document.sections() {
        // A section may be written in several parts, and a file may have thousands of sections.
        let place = *places.entry(&section.name).or_insert_with(|| {
            sections.push((section.name.clone(), Vec::new()));
            sections.len() - 1
        });
        for entry in &section.entries {
            let known = &mut sections[place].1;
            known.retain(|(key, _)| *key != entry.key);
            known.push((entry.key.clone(), OrderedValue::Leaf(entry.value.clone())));
        }
    }
    OrderedValue::Members(sections.into_iter().map(|(name, keys)| (name, OrderedValue::Members(keys))).collect())
}
