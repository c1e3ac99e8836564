//! Keywords: the entries that a section of a configuration can hold, and the kinds of their values.
//!
//! The drivers' keywords come from their manifests, the core's own from the crate `config`.

/// The most memory that one call of a driver can have, in bytes: each call has a slot of this size.
pub const MOST_CALL_MEMORY: u64 = 64 << 20;

/// The kind of a keyword's value. A value that does not convert is an error that points at it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum ValueKind {
    /// Any text.
    String,
    /// `true` or `false`, also `yes no on off 1 0`, in any case.
    Boolean,
    /// A decimal integer.
    Integer,
    /// `512m`, `20g`: binary units. Canonical: bytes.
    Size,
    /// `10s`, `1h30m`; a bare integer is seconds. Canonical: milliseconds.
    Duration,
    /// Words separated by white space.
    List,
    /// Words as a shell splits them.
    Words,
    /// A command: split as a shell splits words, or `/bin/sh -c TEXT` where it holds shell metacharacters.
    Command,
    /// A command; or a boolean, and true stands for a script with the word for the verb. Canonical: `true` or `false`, as for an integer,
    /// which older services have there and which stands for the script too; or the command.
    Launcher,
    /// An absolute path.
    Path,
    /// Permission bits in octal. Canonical: decimal.
    Mode,
    /// Node names, globs and labels.
    Nodes,
    /// `[!][~]HH:MM-HH:MM[@interval] …`.
    Schedule,
}

/// Where a keyword that its section does not hold is looked up next.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum KeywordInheritance {
    /// Nowhere.
    No,
    /// In DEFAULT, under the same name.
    Default,
}

/// A keyword of a section.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Keyword {
    /// Its name.
    pub name: String,
    /// Old spellings that go on working.
    pub aliases: Vec<String>,
    /// The kind of its value.
    pub kind: ValueKind,
    /// Its value when it is not written, in the syntax of the file. May hold references.
    pub default: Option<String>,
    /// Whether a section without it is an error.
    pub required: bool,
    /// Whether `keyword@scope` is allowed.
    pub scopable: bool,
    /// Where else it is looked up.
    pub inherit: KeywordInheritance,
    /// Whether it matters to `provision` alone.
    pub provisioning: bool,
    /// Whether it is the path that the resource makes, and other resources may lie in: see `ResourceFacts::place` of the planner.
    pub place: bool,
    /// Whether its words may begin with the name of a volume of the object, `NAME/path:…`, which stands for its mount point.
    pub volumes: bool,
    /// Whether its value must never be shown.
    pub secret: bool,
    /// The kind of the data stores that its words refer to. The driver gets the variables `NAME=VALUE` that they resolve to.
    pub store: Option<crate::ObjectKind>,
    /// The values it may have. Empty: any.
    pub candidates: Vec<String>,
    /// Whether it is of a driver that does not come with the agent. Its default is then a third party's word.
    pub foreign: bool,
    /// The help text.
    pub help: String,
    /// An example of a value. May be empty.
    pub example: String,
}

impl Keyword {
    /// A keyword that may be scoped, has no default and is not inherited.
    pub fn new(name: impl Into<String>, kind: ValueKind, help: impl Into<String>) -> Keyword {
        Keyword {
            name: name.into(),
            aliases: Vec::new(),
            kind,
            default: None,
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
            help: help.into(),
            example: String::new(),
        }
    }

    /// With this value when it is not written.
    #[must_use]
    pub fn or(self, default: &str) -> Keyword {
        Keyword { default: Some(default.to_owned()), ..self }
    }

    /// With these values alone.
    #[must_use]
    pub fn among(self, candidates: &[&str]) -> Keyword {
        Keyword { candidates: candidates.iter().map(|candidate| (*candidate).to_owned()).collect(), ..self }
    }

    /// Also known by an old name.
    #[must_use]
    pub fn once(self, alias: &str) -> Keyword {
        let mut aliases = self.aliases;
        aliases.push(alias.to_owned());
        Keyword { aliases, ..self }
    }

    /// With a value to show.
    #[must_use]
    pub fn such_as(self, example: &str) -> Keyword {
        Keyword { example: example.to_owned(), ..self }
    }

    /// Looked up in DEFAULT where its section does not hold it.
    #[must_use]
    pub fn inherited(self) -> Keyword {
        Keyword { inherit: KeywordInheritance::Default, ..self }
    }

    /// Without scopes.
    #[must_use]
    pub fn unscoped(self) -> Keyword {
        Keyword { scopable: false, ..self }
    }
}
