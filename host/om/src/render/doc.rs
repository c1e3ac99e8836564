//! The manual of keywords, for people: what sections may say, in lines of 80 columns.

use model::Group;
use protocol::{DriverDoc, KeywordManual};

use super::table::table;

/// The width of a line of text.
const WIDTH: usize = 80;
/// The indentation of the text of a keyword.
const INDENT: &str = "    ";

/// The hint at keywords that apply beside a driver's own.
const COMMON: &str = "Besides, what every resource may say: tags, subset, disable, optional, standby, restart, \
    requirements, triggers, timeouts and limits. See om config doc resource.";

/// Everything that has a manual.
pub(crate) fn index(drivers: &[DriverDoc]) -> String {
    let sections = [
        ("DEFAULT", "the object as a whole"),
        ("resource", "what every resource may say"),
        ("subset", "resources that act together"),
        ("node", "this node: section [node] of node.conf"),
    ];
    let mut rows: Vec<Vec<String>> = sections.map(|(name, what)| vec![name.to_owned(), what.to_owned()]).to_vec();
    rows.extend(drivers.iter().map(row));
    table(&["SECTION", "ABOUT"], &rows)
}

/// The drivers of a group.
pub(crate) fn group(group: Group, drivers: &[DriverDoc]) -> String {
    if drivers.is_empty() {
        return format!("There is no driver of group {group}.\n");
    }
    table(&["DRIVER", "ABOUT"], &drivers.iter().map(row).collect::<Vec<_>>())
}

fn row(manual: &DriverDoc) -> Vec<String> {
    vec![manual.driver.driver.clone(), manual.driver.summary.clone()]
}

/// A driver, and the keywords of its sections.
pub(crate) fn driver(manual: &DriverDoc) -> String {
    let DriverDoc { driver, keywords } = manual;
    let (name, version, summary, description) = (&driver.driver, &driver.version, &driver.summary, &driver.description);
    let (group, type_name) = name.split_once('.').unwrap_or((name, ""));
    let mut text = format!("{name} {version}: {summary}\n");
    // A manifest may repeat its summary as the description.
    if !description.is_empty() && description != summary {
        text += &format!("\n{}", paragraphs(description, ""));
    }
    text += &format!("\n[{group}#…]\ntype = {type_name}\n");
    text += &keywords.iter().map(|keyword| format!("\n{}", self::keyword(keyword))).collect::<String>();
    text + "\n" + &paragraphs(COMMON, "")
}

/// A section that is not a driver's.
pub(crate) fn section(name: &str, keywords: &[KeywordManual]) -> String {
    let blocks: Vec<String> = keywords.iter().map(keyword).collect();
    let head = match name {
        "resource" => "[<group>#<id>]".to_owned(),
        "subset" => "[subset#<group>:<name>]".to_owned(),
        name => format!("[{name}]"),
    };
    format!("{head}\n\n{}", blocks.join("\n"))
}

/// One keyword: its name, its type, and what it means.
pub(crate) fn keyword(keyword: &KeywordManual) -> String {
    let mut facts = vec![keyword.kind.as_str().to_owned()];
    if keyword.required {
        facts.push("required".to_owned());
    }
    facts.extend(keyword.default.iter().filter(|text| !text.is_empty()).map(|default| format!("default {default}")));
    let marks = [
        (keyword.inherit, "also looked up in DEFAULT"),
        (!keyword.scopable, "not scopable"),
        (keyword.provisioning, "for provision only"),
        (keyword.secret, "secret"),
    ];
    facts.extend(marks.into_iter().filter(|(holds, _)| *holds).map(|(_, mark)| mark.to_owned()));
    facts.extend(keyword.store.iter().map(|kind| format!("keys of {kind} stores")));
    let mut text = format!("{} ({})\n", keyword.keyword, facts.join(", "));
    text += &paragraphs(&keyword.help, INDENT);
    if !keyword.candidates.is_empty() {
        text += &paragraphs(&format!("One of {}.", keyword.candidates.join(", ")), INDENT);
    }
    if !keyword.example.is_empty() {
        text += &format!("{INDENT}Example: {} = {}\n", keyword.keyword, keyword.example);
    }
    if !keyword.aliases.is_empty() {
        text += &format!("{INDENT}Once called {}.\n", keyword.aliases.join(", "));
    }
    text
}

/// Text in lines of their width. A blank line stays one, and so does a line that is indented, which is an example.
fn paragraphs(text: &str, indent: &str) -> String {
    let mut wrapped = String::new();
    let mut paragraph: Vec<&str> = Vec::new();
    // The additional empty line completes the last paragraph.
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
        // A word that is longer than a line is not split: a path or a command must stay as it is.
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
    use model::keyword::{Keyword, ValueKind};

    #[test]
    fn a_keyword_says_what_it_takes() {
        let size =
            Keyword::new("size", ValueKind::Size, "The size of the file to make.").or("1g").such_as("20g").once("len");
        let size = Keyword { provisioning: true, ..size };
        let expected = "size (size, default 1g, for provision only)\n    The size of the file to make.\n    \
                        Example: size = 20g\n    Once called len.\n";
        assert_eq!(keyword(&KeywordManual::from(&size)), expected);
    }

    #[test]
    fn text_is_wrapped_between_words_and_examples_are_left_alone() {
        let long = "word ".repeat(40);
        let text = paragraphs(&format!("{long}\n\n    an example  of two blanks\nend"), "  ");
        assert!(text.lines().all(|line| line.chars().count() <= WIDTH), "{text}");
        assert!(text.ends_with("word word\n\n      an example  of two blanks\n  end\n"), "{text}");
    }
}
