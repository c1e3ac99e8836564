//! The examples of the documents, word for word, on a small cluster; then every form of term.

use std::cell::RefCell;
use std::collections::BTreeMap;

use super::*;
use crate::keyword::ValueKind;
use crate::select::{SectionSource, TypedValue};

/// Configurations as `section.keyword` → what is written, and the objects that were asked about.
#[derive(Default)]
struct Fake {
    written: BTreeMap<(String, &'static str, &'static str), TypedValue>,
    defaults: BTreeMap<(&'static str, &'static str), TypedValue>,
    asked: RefCell<Vec<String>>,
}

fn typed(kind: ValueKind, values: &[&str]) -> TypedValue {
    TypedValue { kind, values: values.iter().map(|&value| value.to_owned()).collect() }
}

impl Fake {
    fn writes(mut self, object: &str, section: &'static str, keyword: &'static str, value: TypedValue) -> Fake {
        self.written.insert((object.to_owned(), section, keyword), value);
        self
    }

    fn sections(&self, object: &ObjectPath, wanted: &SectionSource) -> Vec<&'static str> {
        self.asked.borrow_mut().push(object.to_string());
        let group = |section: &str| section.split('#').next().unwrap().to_owned();
        let mut sections: Vec<&str> =
            self.written.keys().filter(|key| key.0 == object.fqn()).map(|key| key.1).collect();
        sections.dedup();
        sections.retain(|section| match wanted {
            SectionSource::Default => *section == "DEFAULT",
            SectionSource::Resource(rid) => *section == rid.to_string(),
            SectionSource::Group(wanted) => section.contains('#') && group(section) == wanted.as_str(),
            SectionSource::AnyResource => section.contains('#'),
            SectionSource::Named(name) => section == name,
        });
        sections
    }
}

impl KeywordSource for Fake {
    fn has_section(&self, object: &ObjectPath, sections: &SectionSource) -> bool {
        !self.sections(object, sections).is_empty()
    }

    fn is_written(&self, object: &ObjectPath, sections: &SectionSource, keyword: &str) -> bool {
        self.sections(object, sections)
            .iter()
            .any(|section| self.written.keys().any(|key| *key == (object.fqn(), section, keyword)))
    }

    fn values(&self, object: &ObjectPath, sections: &SectionSource, keyword: &str) -> Vec<TypedValue> {
        let value_in = |section: &&'static str| {
            let written = self.written.iter().find(|(key, _)| **key == (object.fqn(), *section, keyword));
            let default =
                || self.defaults.iter().find(|(key, _)| **key == (section.split('#').next().unwrap(), keyword));
            written.map(|(_, value)| value).or_else(|| default().map(|(_, value)| value)).cloned()
        };
        self.sections(object, sections).iter().filter_map(value_in).collect()
    }
}

fn objects() -> Vec<ObjectPath> {
    let all = [
        "ha1",
        "ha2",
        "ha3",
        "ha4",
        "pridns",
        "registry",
        "web",
        "ns1/svc/web1",
        "ns1/vol/web1",
        "cfg/web",
        "ns1/",
        "cluster",
        "system/sec/hb",
    ];
    all.iter().map(|path| path.parse().unwrap()).collect()
}

/// The cluster that the examples of the documents assume.
fn cluster() -> Fake {
    let duration = |value| typed(ValueKind::Duration, &[value]);
    let boolean = |value| typed(ValueKind::Boolean, &[value]);
    let mut fake = Fake::default();
    fake.defaults.insert(("app", "timeout"), duration("0"));
    for name in ["ha1", "ha2", "ha3", "pridns"] {
        fake = fake.writes(&format!("root/svc/{name}"), "app#1", "timeout", duration("30000"));
    }
    for name in ["ha1", "ha2", "ha3", "registry"] {
        fake = fake
            .writes(&format!("root/svc/{name}"), "ip#1", "name", typed(ValueKind::String, &["10.0.0.1"]))
            .writes(&format!("root/svc/{name}"), "task#1", "command", typed(ValueKind::Command, &["/bin/true"]));
    }
    for name in ["ha1", "ha3", "ha4"] {
        fake = fake.writes(&format!("root/svc/{name}"), "fs#1", "monitor", boolean("true"));
    }
    fake.writes("root/svc/ha3", "DEFAULT", "monitor_schedule", typed(ValueKind::Schedule, &["@10"]))
        .writes("root/svc/ha4", "app#1", "command", typed(ValueKind::Command, &["/bin/true"]))
        .writes("root/svc/web", "DEFAULT", "nodes", typed(ValueKind::Nodes, &["n1", "n2"]))
        .writes("root/svc/web", "DEFAULT", "flex_max", typed(ValueKind::Integer, &["3"]))
        .writes("root/svc/web", "fs#data", "size", typed(ValueKind::Size, &["1073741824"]))
        .writes("root/svc/web", "fs#data", "dev", typed(ValueKind::Path, &["/dev/sda"]))
        .writes("root/svc/web", "env", "colour", typed(ValueKind::String, &["True blue"]))
        .writes("root/svc/web", "env", "flag", typed(ValueKind::String, &["True"]))
}

fn selects(fake: &Fake, selector: &str) -> Result<String, InvalidSelector> {
    let objects = objects();
    let selected = selector.parse::<ObjectSelector>()?.select(&objects, fake)?;
    Ok(selected.iter().map(|path| path.to_string()).collect::<Vec<_>>().join(" "))
}

fn check(selector: &str, expected: &str) {
    assert_eq!(selects(&cluster(), selector).as_deref(), Ok(expected), "{selector}");
}

#[test]
fn the_examples_of_the_documents_hold() {
    check("**", "ha1 ha2 ha3 ha4 pridns registry web ns1/svc/web1 ns1/vol/web1 cfg/web ns1/ cluster system/sec/hb");
    check("*", "ha1 ha2 ha3 ha4 pridns registry web ns1/svc/web1");
    check("ns1/svc/web1", "ns1/svc/web1");
    check("ns1/svc/web1,ns1/vol/web1", "ns1/svc/web1 ns1/vol/web1");
    check("*dns,ha*+app.timeout>1", "ha1 ha2 ha3 pridns");
    check("ip:+task:", "ha1 ha2 ha3 registry");
    check("!monitor_schedule+.monitor=true", "ha1 ha4");
}

#[test]
fn globs_are_on_namespace_kind_and_name() {
    check("web*", "web");
    check("cfg/*", "cfg/web");
    check("root/svc/w*", "web");
    check("*/*/web*", "web ns1/svc/web1 ns1/vol/web1 cfg/web");
    check("*/vol/*", "ns1/vol/web1");
    check("ns1/*/web[01]", "ns1/svc/web1 ns1/vol/web1");
    check("ns1/**", "ns1/svc/web1 ns1/vol/web1 ns1/");
    check("**/web*", "web ns1/svc/web1 ns1/vol/web1 cfg/web");
    check("**/s*", "ha1 ha2 ha3 ha4 pridns registry web ns1/svc/web1 system/sec/hb");
    check("ns1/svc/", "ns1/svc/web1");
    check("ns*/", "ns1/");
    check("ns1/", "ns1/");
    check("cluster", "cluster");
}

#[test]
fn terms_combine() {
    check("web,ha1,web", "ha1 web");
    check("ha*+!ha2", "ha1 ha3 ha4");
    check("!*/svc/*", "ns1/vol/web1 cfg/web ns1/ cluster system/sec/hb");
    check("nosuch", "");
    check("nosuch,web", "web");
}

#[test]
fn values_are_compared_after_conversion() {
    check("app.timeout>=30", "ha1 ha2 ha3 pridns");
    check("app.timeout<1m", "ha1 ha2 ha3 ha4 pridns");
    check("app.timeout=30s", "ha1 ha2 ha3 pridns");
    check("app#1.timeout>1m", "");
    check("flex_max=3", "web");
    check("flex_max=03", "web");
    check("flex_max<=2", "");
    check("fs.size=1g", "web");
    check("fs#data.size<2g", "web");
    check("nodes=n1", "web");
    check("nodes=n1 n2", "web");
    check("nodes=n3", "");
    check("nodes~2$", "web");
    check("ip.name~^10\\.", "ha1 ha2 ha3 registry");
    check(".monitor=TRUE", "ha1 ha3 ha4");
    check("env.flag=true", "web");
    check("env.colour=true blue", "");
    check("env.colour>red", "");
    check("fs.dev=/dev/sda", "web");
    check("fs.dev=sda", "");
    check("fs.dev~sd[a-c]", "web");
}

/// Defaults count for a comparison; only what is written counts for existence.
#[test]
fn existence_asks_what_is_written() {
    check("app.timeout=0", "ha4");
    check("app.timeout:", "ha1 ha2 ha3 pridns");
    check("nodes:", "web");
    check("fs#data:", "web");
    check("fs#data", "web");
    check("flex_max", "web");
    check("nosuch:", "");
}

#[test]
fn an_invalid_selector_is_refused() {
    let check = |selector: &str, message: &str| {
        assert_eq!(selects(&cluster(), selector).unwrap_err().to_string(), message, "{selector}");
    };
    check("", r#""" has an empty term"#);
    check("a,,b", r#""a,,b" has an empty term"#);
    check("a+!", r#""a+!" has an empty term"#);
    check("a/b/c/d", r#""a/b/c/d" is not an object path: expected [namespace/][kind/]name"#);
    check("a/b/c/d*", r#""a/b/c/d*" is not a path, a pattern or a test of a keyword"#);
    check("fs#1.dev:x", r#""fs#1.dev:x" compares with nothing: a colon tests existence, use = for a value"#);
    check("!!web", r#""!web" is not a path, a pattern or a test of a keyword"#);
    check("=3", r#""=3" is not a path, a pattern or a test of a keyword"#);
    check("name~(", r#"the expression of "name~(" does not parse"#);
    check("[z-a]", r#""[z-a]" is not a pattern"#);
    check("app.timeout>soon", r#"cannot compare with "soon""#);
}

#[test]
fn objects_that_no_term_asks_about_are_not_read() {
    let fake = cluster();
    selects(&fake, "web*,ns1/**").unwrap();
    assert!(fake.asked.borrow().is_empty());
    selects(&fake, "app.timeout>1+ha1").unwrap();
    assert_eq!(*fake.asked.borrow(), ["ha1"]);
}

#[test]
fn the_path_of_an_object_is_distinguished_from_an_expression() {
    let path_of = |selector: &str| selector.parse::<ObjectSelector>().unwrap().as_path().map(ToString::to_string);
    assert_eq!(path_of("root/svc/web").as_deref(), Some("web"));
    for expression in ["web*", "!web", "web,ha1", "ip:"] {
        assert_eq!(path_of(expression), None, "{expression}");
    }
}
