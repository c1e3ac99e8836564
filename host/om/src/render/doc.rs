//! What sections may say, for people: keywords with what they mean, as wide as a terminal of the old days.

use agent::drivers::AvailableDriver;
use driver::Manifest;
use model::Group;
use model::keyword::{Inherit, Keyword, Kind};

use super::table::table;

/// How wide a line of text may be.
const WIDTH: usize = 80;
/// What stands before the text of a keyword.
const INDENT: &str = "    ";

/// What a driver's own keywords are not.
const COMMON: &str = "Besides, what every resource may say: tags, subset, disable, optional, standby, restart, \
    requirements, triggers, timeouts and limits. See om config doc resource.";

/// All that there is documentation about.
pub(crate) fn index(drivers: &[&AvailableDriver]) -> String {
    let sections = [
        ("DEFAULT", "the object as a whole"),
        ("resource", "what every resource may say"),
        ("subset", "resources that act together"),
        ("node", "this node: section [node] of node.conf"),
    ];
    let mut rows: Vec<Vec<String>> = sections.map(|(name, what)| vec![name.to_owned(), what.to_owned()]).to_vec();
    rows.extend(drivers.iter().map(|known| row(known)));
    table(&["SECTION", "ABOUT"], &rows)
}

/// The drivers of a group.
pub(crate) fn group(group: Group, drivers: &[&AvailableDriver]) -> String {
    if drivers.is_empty() {
        return format!("There is no driver of group {group}.\n");
    }
    table(&["DRIVER", "ABOUT"], &drivers.iter().map(|known| row(known)).collect::<Vec<_>>())
}

fn row(known: &AvailableDriver) -> Vec<String> {
    vec![known.manifest.name.to_string(), known.manifest.summary.clone()]
}

/// A driver, and what its sections may say.
pub(crate) fn driver(manifest: &Manifest) -> String {
    let Manifest { name, version, summary, description, keywords, .. } = manifest;
    let mut text = format!("{name} {version}: {summary}\n");
    if !description.is_empty() && description != summary {
        text += &format!("\n{}", paragraphs(description, ""));
    }
    text += &format!("\n[{}#…]\ntype = {}\n", name.group(), name.name());
    text += &keywords.iter().map(|keyword| format!("\n{}", self::keyword(keyword))).collect::<String>();
    text + "\n" + &paragraphs(COMMON, "")
}

/// A section that is none of a driver.
pub(crate) fn section(name: &str, keywords: &[Keyword]) -> String {
    let blocks: Vec<String> = keywords.iter().map(keyword).collect();
    let head = match name {
        "resource" => "[<group>#<id>]".to_owned(),
        "subset" => "[subset#<group>:<name>]".to_owned(),
        name => format!("[{name}]"),
    };
    format!("{head}\n\n{}", blocks.join("\n"))
}

/// One keyword: its name, what it is made of, and what it means.
pub(crate) fn keyword(keyword: &Keyword) -> String {
    let mut facts = vec![kind(keyword.kind).to_owned()];
    if keyword.required {
        facts.push("required".to_owned());
    }
    facts.extend(keyword.default.iter().filter(|text| !text.is_empty()).map(|default| format!("default {default}")));
    let marks = [
        (keyword.inherit == Inherit::Default, "also looked up in DEFAULT"),
        (!keyword.scopable, "not scopable"),
        (keyword.provisioning, "for provision only"),
        (keyword.secret, "secret"),
    ];
    facts.extend(marks.into_iter().filter(|(holds, _)| *holds).map(|(_, mark)| mark.to_owned()));
    facts.extend(keyword.store.map(|kind| format!("keys of {kind} stores")));
    let mut text = format!("{} ({})\n", keyword.name, facts.join(", "));
    text += &paragraphs(&keyword.help, INDENT);
    if !keyword.candidates.is_empty() {
        text += &paragraphs(&format!("One of {}.", keyword.candidates.join(", ")), INDENT);
    }
    if !keyword.example.is_empty() {
        text += &format!("{INDENT}Example: {} = {}\n", keyword.name, keyword.example);
    }
    if !keyword.aliases.is_empty() {
        text += &format!("{INDENT}Once called {}.\n", keyword.aliases.join(", "));
    }
    text
}

/// What a value is made of, as manifests spell it.
pub(crate) fn kind(kind: Kind) -> &'static str {
    match kind {
        Kind::String => "string",
        Kind::Boolean => "boolean",
        Kind::Integer => "integer",
        Kind::Size => "size",
        Kind::Duration => "duration",
        Kind::List => "list",
        Kind::Words => "words",
        Kind::Command => "command",
        Kind::Path => "path",
        Kind::Mode => "mode",
        Kind::Nodes => "nodes",
        Kind::Schedule => "schedule",
    }
}

/// Text in lines of their width. A blank line stays one, and so does a line that is indented, which is an example.
fn paragraphs(text: &str, indent: &str) -> String {
    let mut wrapped = String::new();
    let mut paragraph: Vec<&str> = Vec::new();
    for line in text.lines().chain([""]) {
        if !line.trim().is_empty() && !line.starts_with(' ') {
            paragraph.extend(line.split_whitespace());
            continue;
        }
        wrapped += &fill(&paragraph, indent);
        paragraph.clear();
        wrapped += &format!("{}\n", format!("{indent}{line}").trim_end());
    }
    wrapped.trim_end().to_owned() + "\n"
}

/// Words in lines of their width.
fn fill(words: &[&str], indent: &str) -> String {
    let mut text = String::new();
    let mut line = String::new();
    for word in words {
        if !line.is_empty() && indent.len() + line.chars().count() + 1 + word.chars().count() > WIDTH {
            text += &format!("{indent}{line}\n");
            line.clear();
        }
        if !line.is_empty() {
            line.push(' ');
        }
        line.push_str(word);
    }
    if line.is_empty() { text } else { text + &format!("{indent}{line}\n") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_keyword_says_what_it_takes() {
        let size =
            Keyword::new("size", Kind::Size, "The size of the file to make.").or("1g").such_as("20g").once("len");
        let size = Keyword { provisioning: true, ..size };
        let expected = "size (size, default 1g, for provision only)\n    The size of the file to make.\n    \
                        Example: size = 20g\n    Once called len.\n";
        assert_eq!(keyword(&size), expected);
    }

    #[test]
    fn text_is_wrapped_between_words_and_examples_are_left_alone() {
        let long = "word ".repeat(40);
        let text = paragraphs(&format!("{long}\n\n    an example  of two blanks\nend"), "  ");
        assert!(text.lines().all(|line| line.chars().count() <= WIDTH), "{text}");
        assert!(text.ends_with("word word\n\n      an example  of two blanks\n  end\n"), "{text}");
    }
}
