//! The configurations of all objects, for selectors. A configuration is read once, when the first term needs it.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::rc::Rc;

use config::{ConfigKey, DEFAULT, Document, DriverSchemas, KeywordReader, NodeData, Section};
use model::select::{KeywordSource, SectionSource, TypedValue};
use model::{ObjectPath, Rid};

use crate::{Directories, ObjectFiles};

/// The configurations of all objects, evaluated for one node.
pub struct ConfigurationCatalogue<'a> {
    home: &'a Directories,
    node: &'a NodeData,
    schemas: &'a dyn DriverSchemas,
    read: RefCell<BTreeMap<ObjectPath, Rc<Document>>>,
}

impl<'a> ConfigurationCatalogue<'a> {
    /// The configurations below `home`. None of them is read yet.
    pub fn new(
        home: &'a Directories,
        node: &'a NodeData,
        schemas: &'a dyn DriverSchemas,
    ) -> ConfigurationCatalogue<'a> {
        ConfigurationCatalogue { home, node, schemas, read: RefCell::default() }
    }

    /// The text of a configuration. One that cannot be read counts as empty: it must not keep the others from being selected.
    fn document(&self, object: &ObjectPath) -> Rc<Document> {
        let read = || Rc::new(Document::parse(ObjectFiles::of(self.home).text(object).unwrap_or_default()));
        Rc::clone(self.read.borrow_mut().entry(object.clone()).or_insert_with(read))
    }
}

impl KeywordSource for ConfigurationCatalogue<'_> {
    fn has_section(&self, object: &ObjectPath, sections: &SectionSource) -> bool {
        within(&self.document(object), sections).next().is_some()
    }

    fn is_written(&self, object: &ObjectPath, sections: &SectionSource, keyword: &str) -> bool {
        within(&self.document(object), sections)
            .flat_map(|section| &section.entries)
            .any(|entry| entry.option() == keyword)
    }

    fn values(&self, object: &ObjectPath, sections: &SectionSource, keyword: &str) -> Vec<TypedValue> {
        let document = self.document(object);
        let reader = KeywordReader::new(object, &document, self.node, self.schemas);
        let mut names: Vec<&str> = within(&document, sections).map(|section| section.name.as_str()).collect();
        if *sections == SectionSource::Default && names.is_empty() {
            // A keyword that is not set still has its default.
            names.push(DEFAULT);
        }
        // A section that is written in two places counts once.
        names.dedup();
        let value = |section: &str| {
            let key = ConfigKey { section: section.to_owned(), option: keyword.to_owned(), scope: None };
            let evaluated = reader.eval(&key, &()).ok()?;
            Some(TypedValue { kind: evaluated.kind, values: evaluated.values })
        };
        names.into_iter().filter_map(value).collect()
    }
}

/// The sections that a term is about.
fn within<'d>(document: &'d Document, sections: &'d SectionSource) -> impl Iterator<Item = &'d Section> {
    document.sections().iter().filter(move |section| match sections {
        SectionSource::Default => section.name == DEFAULT,
        SectionSource::Named(name) => section.name == *name,
        SectionSource::Resource(rid) => section.name.parse() == Ok::<Rid, _>(rid.clone()),
        SectionSource::Group(group) => section.name.parse().is_ok_and(|rid: Rid| rid.group() == *group),
        SectionSource::AnyResource => section.name.parse::<Rid>().is_ok(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::file::durable;
    use config::DriverSchema;
    use model::keyword::{Keyword, KeywordInheritance, ValueKind};
    use model::select::ObjectSelector;
    use model::{DriverName, Group, NodeName};

    /// The driver `app.simple` with a single keyword.
    struct OneDriver {
        name: DriverName,
        keywords: Vec<Keyword>,
    }

    impl DriverSchemas for OneDriver {
        fn driver(&self, group: Group, type_name: &str) -> Option<DriverSchema<'_>> {
            let known = group == Group::App && type_name == "simple";
            known.then_some(DriverSchema { name: &self.name, keywords: &self.keywords })
        }
        fn names(&self, _: Group) -> Vec<String> {
            vec!["simple".to_owned()]
        }
    }

    fn schemas() -> OneDriver {
        let grace = Keyword {
            name: "grace".to_owned(),
            aliases: Vec::new(),
            kind: ValueKind::Duration,
            default: Some("10s".to_owned()),
            required: false,
            scopable: true,
            inherit: KeywordInheritance::No,
            provisioning: false,
            place: false,
            volumes: false,
            secret: false,
            store: None,
            candidates: Vec::new(),
            foreign: false,
            help: String::new(),
            example: String::new(),
        };
        OneDriver { name: "app.simple".parse().unwrap(), keywords: vec![grace] }
    }

    fn select(selector: &str) -> String {
        let (_root, home) = Directories::temporary();
        let files = [
            (
                "a",
                "[DEFAULT]\nflex_max = 3\n[app#1]\ntype = simple\ngrace = {env.long}\nmonitor = true\n[env]\nlong = 2m\n",
            ),
            ("b", "[app#1]\ntype = simple\ngrace@n1 = 30\ngrace = 1h\n"),
            ("c", "[app#1]\ntype = simple\n"),
            ("broken", "junk\n[app#1\ntype = simple\n"),
        ];
        for (name, text) in files {
            durable::write(&home.config(&name.parse().unwrap()), text.as_bytes()).unwrap();
        }
        durable::write(&home.config(&"bytes".parse().unwrap()), b"\xff").unwrap();
        let (node, schemas) = (NodeData::alone("n1".parse::<NodeName>().unwrap()), schemas());
        let objects = ObjectFiles::of(&home).list().unwrap();
        let catalogue = ConfigurationCatalogue::new(&home, &node, &schemas);
        let selected = selector.parse::<ObjectSelector>().unwrap().select(&objects, &catalogue).unwrap();
        selected.iter().map(|path| path.to_string()).collect::<Vec<_>>().join(" ")
    }

    #[test]
    fn keywords_are_compared_as_evaluated_for_this_node() {
        let check = |selector: &str, expected: &str| assert_eq!(select(selector), expected, "{selector}");
        check("app.grace>1m", "a");
        check("app.grace=30s", "b");
        check("app#1.grace<=10", "c");
        check("app.grace:", "a b");
        check("app:", "a b c");
        check("ip:", "");
        check(".monitor=TRUE", "a");
        check("flex_max=3", "a");
        check("flex_max:", "a");
        check("env.long=2m", "a");
        check("app.type~sim", "a b c");
    }

    #[test]
    fn an_unreadable_configuration_counts_as_empty() {
        assert_eq!(select("!app:"), "broken bytes");
    }
}
