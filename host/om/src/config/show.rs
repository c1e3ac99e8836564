//! `print config`: a configuration as it is written, or by section for programs.

use std::collections::HashMap;
use std::process::ExitCode;

use config::Document;

use super::target::ConfigFile;
use crate::command::OutputArgs;
use crate::exit::Outcome;
use crate::render::structured::OrderedValue;
use crate::terminal::print;

pub(crate) fn run(files: &[ConfigFile<'_>], output: &OutputArgs) -> Outcome {
    let mut values = Vec::new();
    for file in files {
        let text = file.text()?;
        if output.is_structured() {
            values.push(sections(&Document::parse(text)));
            continue;
        }
        if files.len() > 1 {
            // A comment, so that the output as a whole still has the syntax of a configuration.
            print(&format!("# {}\n", file.name()));
        }
        print(&text);
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
