//! The document: lossless, located, and edited a line at a time.

use config::diagnostic::TextPosition;
use config::{Document, EditError};
use proptest::prelude::*;

const WEB: &str = "\
# the web
[DEFAULT]
nodes = n1 n2

; the address
[ip#1]
name=10.0.0.9
tags = a
   b
# not about a nor b
   c

[env]
x =
";

#[test]
fn values_go_on_in_deeper_lines() {
    let document = Document::parse(WEB);
    assert_eq!(document.get("ip#1", "tags"), Some("a\nb\nc"));
    assert_eq!(document.get("ip#1", "name"), Some("10.0.0.9"));
    assert_eq!(document.get("env", "x"), Some(""));
    assert_eq!(document.get("env", "y"), None);
    assert_eq!(document.problems(), []);
}

#[test]
fn a_key_that_is_indented_itself_needs_deeper_lines_still() {
    let document = Document::parse("[a]\n  x = 1\n  y = 2\n    3\n");
    assert_eq!((document.get("a", "x"), document.get("a", "y")), (Some("1"), Some("2\n3")));
}

#[test]
fn a_part_of_a_value_is_found_in_its_own_line() {
    let document = Document::parse(WEB);
    let Some(entry) = document.entry("ip#1", "tags") else { panic!("no tags") };
    let line_of = |part: std::ops::Range<usize>| {
        let span = entry.locate(part.into());
        (span.of(document.text()).to_owned(), TextPosition::of(document.text(), span.start).to_string())
    };
    assert_eq!(line_of(0..1), ("a".to_owned(), "8:8".to_owned()));
    assert_eq!(line_of(2..3), ("b".to_owned(), "9:4".to_owned()));
    assert_eq!(line_of(4..5), ("c".to_owned(), "11:4".to_owned()));
}

#[test]
fn every_mistake_is_reported_where_it_stands() {
    let text = "early = 1\n[a]\nx = 1\nx = 2\njunk\nb c = 1\n= 1\n[a]\n[b\n[c] more\n[]\n";
    let document = Document::parse(text);
    let shown: Vec<String> =
        document.problems().iter().map(|problem| format!("{} {}", problem.position(text), problem.message)).collect();
    let expected = [
        "1:1 early stands before any section",
        "4:1 a.x is set twice",
        "5:1 not a line of a configuration",
        "6:1 \"b c\" is not a key",
        "7:1 a value without a key",
        "8:2 a second section [a]",
        "9:1 a section's name does not end",
        "10:4 unexpected text after [c]",
        "11:1 a section without a name",
    ];
    assert_eq!(shown, expected);
    assert_eq!(document.to_string(), text);
    assert_eq!(document.get("a", "x"), Some("2"));
}

fn edited(text: &str, edit: impl FnOnce(&mut Document)) -> String {
    let mut document = Document::parse(text);
    edit(&mut document);
    document.text().to_owned()
}

fn set(text: &str, section: &str, key: &str, value: &str) -> String {
    edited(text, |document| document.set(section, key, value).unwrap_or_else(|error| panic!("{error}")))
}

#[test]
fn set_replaces_in_place_or_adds_at_the_end_of_the_section() {
    assert_eq!(set(WEB, "ip#1", "name", "10.0.0.8"), WEB.replace("10.0.0.9", "10.0.0.8"));
    assert_eq!(set(WEB, "env", "x", "1"), WEB.replace("x =\n", "x = 1\n"));
    assert_eq!(set(WEB, "DEFAULT", "app", "web"), WEB.replace("n1 n2\n", "n1 n2\napp = web\n"));
    assert_eq!(set(WEB, "ip#1", "dev", "br0"), WEB.replace("   c\n", "   c\ndev = br0\n"));
    assert_eq!(set(WEB, "fs#1", "type", "ext4"), format!("{WEB}\n[fs#1]\ntype = ext4\n"));
    assert_eq!(set(WEB, "ip#1", "tags", "d"), WEB.replace("a\n   b\n# not about a nor b\n   c\n", "d\n"));
    assert_eq!(set("[a]\nx = 1\ny =\n   2\n", "a", "y", "# 3"), "[a]\nx = 1\ny = # 3\n");
    assert_eq!(set("[a]\n  x = 1\n", "a", "y", "2\n3"), "[a]\n  x = 1\n  y = 2\n      3\n");
}

#[test]
fn line_ends_survive() {
    assert_eq!(set("[a]\r\nx = 1\r\n", "a", "y", "2\n3"), "[a]\r\nx = 1\r\ny = 2\r\n    3\r\n");
    assert_eq!(set("[a]\nx = 1", "a", "y", "2"), "[a]\nx = 1\ny = 2");
    assert_eq!(set("[a]\nx = 1", "b", "y", "2"), "[a]\nx = 1\n\n[b]\ny = 2\n");
    assert_eq!(set("\u{feff}[a]\nx = 1\n", "DEFAULT", "y", "2"), "\u{feff}[DEFAULT]\ny = 2\n\n[a]\nx = 1\n");
    assert_eq!(set("", "DEFAULT", "y", "2"), "[DEFAULT]\ny = 2\n");
}

#[test]
fn a_value_that_could_not_be_read_back_is_refused() {
    let refused = |section: &str, key: &str, value: &str| {
        let mut document = Document::parse(WEB);
        let error = document.set(section, key, value).expect_err("refused");
        assert_eq!(document.text(), WEB, "a refused edit touches nothing");
        error
    };
    assert_eq!(refused("a]", "x", "1"), EditError::Section("a]".to_owned()));
    assert_eq!(refused("a\nb", "x", "1"), EditError::Section("a\nb".to_owned()));
    for key in ["", "a b", "a=b", "#a", ";a", "[a", "a\n"] {
        assert_eq!(refused("env", key, "1"), EditError::Key(key.to_owned()));
    }
    assert_eq!(refused("env", "x", "1\n \n3"), EditError::Blank("x".to_owned()));
    let comment = EditError::Comment { key: "x".to_owned(), line: "# 2".to_owned() };
    assert_eq!(refused("env", "x", "1\n# 2\n3"), comment);
}

#[test]
fn unset_takes_the_lines_of_the_entry_and_no_others() {
    let without = edited(WEB, |document| assert!(document.unset("ip#1", "tags")));
    assert_eq!(without, WEB.replace("tags = a\n   b\n# not about a nor b\n   c\n", ""));
    assert_eq!(edited(WEB, |document| assert!(!document.unset("ip#1", "nothing"))), WEB);
}

#[test]
fn a_deleted_section_leaves_the_comment_of_the_next() {
    let text = "[a]\nx = 1\n\n# about b\n[b]\ny = 2\n";
    assert_eq!(edited(text, |document| assert!(document.delete_section("a"))), "# about b\n[b]\ny = 2\n");
    assert_eq!(edited(text, |document| assert!(document.delete_section("b"))), "[a]\nx = 1\n\n# about b\n");
    assert_eq!(edited(text, |document| assert!(!document.delete_section("c"))), text);
}

/// Lines of a plausible file.
fn lines() -> impl Strategy<Value = String> {
    let line = prop_oneof![
        "\\[[a-c]\\]",
        "[x-z]{1,2}(@n[12])? ?= ?[ a-z{}$()]{0,8}",
        " {1,3}[a-z]{1,4}",
        "[#;][a-z ]{0,5}",
        Just(String::new()),
    ];
    let end = prop_oneof![Just("\n"), Just("\r\n")];
    (proptest::collection::vec(line, 0..20), end, any::<bool>())
        .prop_map(|(lines, end, closed)| lines.join(end) + if closed { end } else { "" })
}

proptest! {
    #[test]
    fn any_text_is_printed_as_it_was_read(text in "(\\[[a-z#]*\\]?|[a-z]+ ?=|\r?\n|[ \t#;=]|.)*") {
        let document = Document::parse(text.clone());
        prop_assert_eq!(document.to_string(), text.clone());
        for problem in document.problems() {
            prop_assert!(text.get(problem.span.range()).is_some());
        }
        for entry in document.sections().iter().flat_map(|section| &section.entries) {
            prop_assert_eq!(entry.key_span.of(&text), entry.key.as_str());
            prop_assert!(text.get(entry.value_span.range()).is_some());
        }
    }

    #[test]
    fn set_is_read_back_and_touches_nothing_else(text in lines(), key in "[x-z]{1,2}", value in "[a-z{}#= ]{0,9}") {
        let before = Document::parse(text);
        let mut after = before.clone();
        prop_assert_eq!(after.set("a", &key, &value), Ok(()));
        prop_assert_eq!(after.get("a", &key), Some(value.trim()));
        for section in before.sections() {
            for entry in section.entries.iter().filter(|entry| (section.name.as_str(), entry.key.as_str()) != ("a", &key)) {
                prop_assert_eq!(after.get(&section.name, &entry.key), before.get(&section.name, &entry.key));
            }
        }
        // All lines except those of the entry are still there, in the same order.
        let rest = |document: &Document| -> Vec<String> {
            let mut document = document.clone();
            document.unset("a", &key);
            document.text().lines().filter(|line| !line.is_empty() && *line != "[a]").map(str::to_owned).collect()
        };
        prop_assert_eq!(rest(&after), rest(&before));
    }

    #[test]
    fn unset_forgets_the_key_and_nothing_else(text in lines()) {
        let before = Document::parse(text);
        let mut after = before.clone();
        let found = after.unset("a", "x");
        prop_assert_eq!(found, before.get("a", "x").is_some());
        prop_assert_eq!(after.get("a", "x"), None);
        if !found {
            prop_assert_eq!(after.text(), before.text());
        }
        for section in before.sections() {
            for entry in section.entries.iter().filter(|entry| (section.name.as_str(), entry.key.as_str()) != ("a", "x")) {
                prop_assert_eq!(after.get(&section.name, &entry.key), before.get(&section.name, &entry.key));
            }
        }
    }
}

#[test]
fn what_is_written_very_often_is_removed_in_one_go() {
    let mut document = Document::parse(format!("[env]\na = 1\n{}b = 2\n", "x = 1\n".repeat(20_000)));
    assert!(document.unset("env", "x"));
    assert_eq!(document.text(), "[env]\na = 1\nb = 2\n");
    let mut document = Document::parse(format!("[a]\nx = 1\n\n{}[c]\n", "[b]\ny = 1\n# of c\n\n".repeat(20_000)));
    assert!(document.delete_section("b"));
    assert!(document.text().starts_with("[a]\nx = 1\n\n# of c\n\n") && document.text().ends_with("# of c\n\n[c]\n"));
    assert!(!document.delete_section("b") && !document.unset("env", "x"));
}
