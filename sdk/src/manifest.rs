//! The manifest of a driver, written as JSON at compile time.
//!
//! It must be a constant to become a custom section of the component, so no serialiser can be used: [`JsonWriter`] implements
//! the part of JSON that is needed in `const` functions. It runs twice, first to compute the length.

use crate::check;
use crate::export::DriverRegistration;
use crate::schema::{KeywordSchema, SchemaEntry};

/// The version of the contract: the version of the WIT package without its patch number.
const CONTRACT: &str = "0.1";

/// The length of the manifest in bytes.
pub const fn length<D: DriverRegistration>() -> usize {
    manifest::<D, 0>().length
}

/// The manifest, of exactly `LENGTH` bytes.
pub const fn write<D: DriverRegistration, const LENGTH: usize>() -> [u8; LENGTH] {
    manifest::<D, LENGTH>().bytes
}

const fn manifest<D: DriverRegistration, const CAPACITY: usize>() -> JsonWriter<CAPACITY> {
    let (group, name) = split(D::NAME);
    // Both panic, and the build of the driver fails: a mistake would only show on a node
    // else, when a resource is started.
    check::grants(D::GRANTS, D::SCHEMA);
    check::defaults(D::SCHEMA);
    let mut writer = JsonWriter::new()
        .open("{")
        .text("contract", CONTRACT)
        .text("group", group)
        .text("name", name)
        .texts("aliases", D::ALIASES)
        .text("version", D::VERSION)
        .text("summary", D::SUMMARY)
        .text("description", D::DESCRIPTION)
        .member("keywords")
        .open("[")
        .entries(D::SCHEMA)
        .close("]")
        .texts("grants", D::GRANTS)
        .texts("verbs", D::VERBS)
        .flag("persistent", D::PERSISTENT);
    // Left out by most drivers: the host accepts it only from those that are built into it.
    if let Some(section) = D::IMPLICIT {
        writer = writer.text("implicit", section);
    }
    writer.close("}")
}

/// Splits `disk.loop` into `disk` and `loop`.
const fn split(name: &'static str) -> (&'static str, &'static str) {
    // In a const function there are no iterators, and no `split_once`.
    let mut dot = 0;
    while dot < name.len() {
        if name.as_bytes()[dot] == b'.' {
            let (group, rest) = name.split_at(dot);
            return (group, rest.split_at(1).1);
        }
        dot += 1;
    }
    // The manifest is a constant, so this is an error of the compiler.
    panic!("Driver::NAME must be `<group>.<name>`");
}

/// Writes JSON up to a capacity and goes on counting after that.
struct JsonWriter<const CAPACITY: usize> {
    bytes: [u8; CAPACITY],
    length: usize,
    /// Whether a member or element was written at this depth, so that a comma must come next.
    follows: bool,
}

impl<const CAPACITY: usize> JsonWriter<CAPACITY> {
    const fn new() -> Self {
        JsonWriter { bytes: [0; CAPACITY], length: 0, follows: false }
    }

    const fn byte(mut self, byte: u8) -> Self {
        // In the first run the capacity is 0, and only the length is counted.
        if self.length < CAPACITY {
            self.bytes[self.length] = byte;
        }
        self.length += 1;
        self
    }

    const fn raw(mut self, text: &str) -> Self {
        let mut at = 0;
        while at < text.len() {
            self = self.byte(text.as_bytes()[at]);
            at += 1;
        }
        self
    }

    const fn quoted(mut self, text: &str) -> Self {
        self = self.byte(b'"');
        let mut at = 0;
        while at < text.len() {
            self = match text.as_bytes()[at] {
                b'"' => self.raw("\\\""),
                b'\\' => self.raw("\\\\"),
                b'\n' => self.raw("\\n"),
                byte if byte < b' ' => self.raw("\\u00").hexadecimal(byte >> 4).hexadecimal(byte & 15),
                // The bytes of other characters are copied one by one: JSON is UTF-8 too.
                byte => self.byte(byte),
            };
            at += 1;
        }
        self.byte(b'"')
    }

    const fn hexadecimal(self, digit: u8) -> Self {
        self.byte(b"0123456789abcdef"[digit as usize])
    }

    const fn separate(mut self) -> Self {
        if self.follows {
            self = self.byte(b',');
        }
        self.follows = true;
        self
    }

    const fn open(mut self, bracket: &str) -> Self {
        self.follows = false;
        self.raw(bracket)
    }

    const fn close(mut self, bracket: &str) -> Self {
        // The list or object around it has a member now, so the next one needs a comma.
        self.follows = true;
        self.raw(bracket)
    }

    const fn member(self, name: &str) -> Self {
        self.separate().quoted(name).byte(b':')
    }

    const fn text(self, name: &str, value: &str) -> Self {
        self.member(name).quoted(value)
    }

    const fn flag(self, name: &str, value: bool) -> Self {
        self.member(name).raw(if value { "true" } else { "false" })
    }

    const fn texts(mut self, name: &str, values: &[&str]) -> Self {
        self = self.member(name).open("[");
        let mut at = 0;
        while at < values.len() {
            self = self.separate().quoted(values[at]);
            at += 1;
        }
        self.close("]")
    }

    const fn entries(mut self, entries: &[SchemaEntry]) -> Self {
        let mut at = 0;
        while at < entries.len() {
            self = match &entries[at] {
                SchemaEntry::Keyword(keyword) => self.keyword(keyword),
                SchemaEntry::Group(group) => self.entries(group),
            };
            at += 1;
        }
        self
    }

    const fn keyword(mut self, keyword: &KeywordSchema) -> Self {
        self = self.separate().open("{").text("name", keyword.name).texts("aliases", keyword.aliases);
        self = self.text("kind", keyword.kind);
        if let Some(default) = keyword.default {
            self = self.text("default", default);
        }
        if let Some(store) = keyword.store {
            self = self.text("store", store);
        }
        if keyword.place {
            self = self.flag("place", true);
        }
        if keyword.volumes {
            self = self.flag("volumes", true);
        }
        self.flag("required", keyword.required)
            .flag("scopable", keyword.scopable)
            .flag("inherit", keyword.inherit)
            .flag("provisioning", keyword.provisioning)
            .flag("secret", keyword.secret)
            .texts("candidates", keyword.candidates)
            .text("help", keyword.help)
            .text("example", keyword.example)
            .close("}")
    }
}
