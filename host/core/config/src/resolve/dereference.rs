//! Resolves references and arithmetic: the value of a text once everything that it refers to is looked up.

use crate::diagnostic::{Diagnostic, Severity, Span};
use model::object::{Exposure, LateReference, LateValue, ValuePart};
use model::{Group, NodeName, Rid};

use crate::ConfigKey;
use crate::document::text::{DEFAULT, Entry};
use crate::keyword::REFERENCES;
use crate::resolve::resolver::{KeywordResolver, ResolvedValue, ValueSource};
use crate::value::arithmetic::{ArithmeticError, ArithmeticExpression};
use crate::value::template::{TemplatePiece, TemplateReference, ValueTemplate};

/// How many references may lead from one to the next.
const MAX_DEPTH: usize = 64;
/// How long a value may become.
const MAX_LEN: usize = 1 << 20;
/// How long the values of an object may become together, each reference to a value counted.
const MAX_TOTAL: usize = 64 << 20;
/// How much of a value a message quotes.
const QUOTED: usize = 64;
/// The end of a message about a reference that another node may resolve.
pub(crate) const ELSEWHERE: &str = "does not resolve here";
/// The section of an author's own keys.
const ENV: &str = "env";
/// The name by which a reference asks for the devices of a resource that is up: `{disk#1.exposed_devs[0]}`.
const EXPOSED_DEVS: &str = "exposed_devs";
/// The name by which a reference asks where a volume is mounted: `{volume#1.mnt}`.
const MOUNT_POINT: &str = "mnt";

/// The text that is being resolved: its section and its place.
pub(crate) struct ValuePlace<'t> {
    pub(crate) section: &'t str,
    pub(crate) text: &'t str,
    pub(crate) entry: Option<&'t Entry>,
    /// Where to point if the text stands nowhere.
    pub(crate) fallback: Span,
}

impl ValuePlace<'_> {
    fn error(&self, span: Span, message: String, label: impl Into<String>) -> Diagnostic {
        Diagnostic::error(self.entry.map_or(self.fallback, |entry| entry.locate(span)), message, label)
    }
}

/// Why a reference has no value.
enum UnresolvedReference {
    /// The reference is wrong, for this reason.
    Because(String),
    /// Another node may resolve it, for this reason.
    Elsewhere(String),
    /// The keyword that it refers to has a problem of its own.
    Cause(Diagnostic),
}

impl<'a> KeywordResolver<'a> {
    pub(crate) fn place<'t>(&self, section: &'t str, source: ValueSource<'t>) -> ValuePlace<'t>
    where
        'a: 't,
    {
        let fallback = self.outline.span_of(section);
        match source {
            ValueSource::Written(entry) => ValuePlace { section, text: &entry.value, entry: Some(entry), fallback },
            ValueSource::Default(text) => ValuePlace { section, text, entry: None, fallback },
        }
    }

    /// The value of a text.
    pub(crate) fn template(&self, place: &ValuePlace<'_>) -> Result<LateValue, Diagnostic> {
        let (mut value, mut size) = (LateValue::default(), 0);
        for piece in ValueTemplate::parse(place.text).pieces {
            let piece = match piece {
                TemplatePiece::Text(text) => LateValue::text(text),
                TemplatePiece::Reference(reference) => self.reference(place, &reference)?,
                TemplatePiece::Arithmetic(expression, span) => self.arithmetic(place, &expression, span)?,
            };
            size += piece.size();
            value.push(piece);
            // Checked after each piece: a few levels of references that double the text would otherwise fill the memory.
            if size > MAX_LEN {
                let whole = Span::new(0, place.text.len());
                return Err(place.error(whole, "the value becomes longer than a mebibyte".to_owned(), ""));
            }
        }
        self.spent.set(self.spent.get() + size);
        if self.spent.get() > MAX_TOTAL {
            let message = format!("the values of {} become too long together", self.path);
            return Err(Diagnostic::error(Span::default(), message, "expected 64 MiB at most"));
        }
        Ok(value)
    }

    /// Every reference of a text that has no value, each on its own: the value as a whole ends at the first.
    pub(crate) fn unresolved(&self, place: &ValuePlace<'_>) -> Vec<Diagnostic> {
        let problem = |piece| match piece {
            TemplatePiece::Text(_) => None,
            TemplatePiece::Reference(reference) => self.reference(place, &reference).err(),
            TemplatePiece::Arithmetic(expression, span) => self.arithmetic(place, &expression, span).err(),
        };
        ValueTemplate::parse(place.text).pieces.into_iter().filter_map(problem).collect()
    }

    fn arithmetic(
        &self,
        place: &ValuePlace<'_>,
        expression: &ArithmeticExpression,
        span: Span,
    ) -> Result<LateValue, Diagnostic> {
        let mut secret = false;
        let mut resolve = |reference: &TemplateReference| {
            let value = self.reference(place, reference)?;
            secret |= value.secret;
            value.as_text().ok_or_else(|| {
                let message = format!("{} cannot be counted with", reference.span.of(place.text));
                place.error(reference.span, message, "known only when the other resource is up")
            })
        };
        match expression.evaluate(&mut resolve) {
            Ok(number) => Ok(LateValue { secret, ..LateValue::text(number.to_string()) }),
            Err(ArithmeticError::Reference(problem)) => Err(problem),
            Err(ArithmeticError::NoNumber(text, at)) => {
                // A diagnostic must not show a secret, even one that went into the arithmetic through several references.
                let label =
                    if secret { "not a number".to_owned() } else { format!("{:?} is not a number", shortened(&text)) };
                Err(place.error(at, format!("{} has no value", span.of(place.text)), label))
            }
            Err(error) => Err(place.error(span, format!("{} has no value", span.of(place.text)), error.to_string())),
        }
    }

    fn reference(&self, place: &ValuePlace<'_>, reference: &TemplateReference) -> Result<LateValue, Diagnostic> {
        let resolved = self
            .target(place.section, reference)
            .and_then(|value| picked(value, reference).map_err(UnresolvedReference::Because));
        resolved.map_err(|unresolved| match unresolved {
            UnresolvedReference::Cause(problem) => problem,
            UnresolvedReference::Because(label) => {
                place.error(reference.span, format!("{} does not resolve", reference.span.of(place.text)), label)
            }
            UnresolvedReference::Elsewhere(label) => {
                let message = format!("{} {ELSEWHERE}", reference.span.of(place.text));
                Diagnostic { severity: Severity::Warning, ..place.error(reference.span, message, label) }
            }
        })
    }

    /// The value of what a reference names.
    fn target(&self, own: &str, reference: &TemplateReference) -> Result<LateValue, UnresolvedReference> {
        let name = reference.name.as_str();
        match reference.section.as_deref() {
            // Well-known names hide keywords: `{name}` is the object's even in a section with a keyword `name`.
            None => match self.well_known(own, name) {
                Some(text) => Ok(LateValue::text(text)),
                None => self.bare(own, name),
            },
            Some("node") => self.of_node(name),
            Some(section @ ("env" | "labels" | "data")) => self.of_free_section(section, name),
            Some(section) => match self.neighbour(own, section) {
                // For devices only: with any other name, the word before the dot is a section.
                Some(rid) if name == EXPOSED_DEVS => self.of_section(&rid.to_string(), name),
                _ => self.of_section(section, name),
            },
        }
    }

    /// `{kw}`: of its own section, else of DEFAULT.
    fn bare(&self, own: &str, name: &str) -> Result<LateValue, UnresolvedReference> {
        if own == ENV
            && let Some(value) =
                self.guarded(own, name, || self.remembered(own, name, || self.free_value(own, name)))?
        {
            return Ok(value);
        }
        for section in [own, DEFAULT] {
            if let Some(value) = self.of_keyword(section, name)? {
                return Ok(value);
            }
        }
        if REFERENCES.contains(&name) {
            return Err(UnresolvedReference::Because("not supported here".to_owned()));
        }
        if let Some(cause) = self.outline.cause(own) {
            return Err(UnresolvedReference::Cause(cause.clone()));
        }
        let known = self.outline.keyword(own, name).or_else(|| self.outline.keyword(DEFAULT, name));
        Err(UnresolvedReference::Because(match known {
            Some(_) => format!("{name} is not set"),
            None if own == DEFAULT => format!("there is no keyword {name} in [{own}]{}", literal(name)),
            None => format!("there is no keyword {name} in [{own}] nor in [DEFAULT]{}", literal(name)),
        }))
    }

    fn of_section(&self, section: &str, name: &str) -> Result<LateValue, UnresolvedReference> {
        let resource = self.outline.resource_of(section);
        // `{disk#1.name}` reaches a section that is written the old way, such as `[vg#1]`.
        let section = resource.map_or(section, |resource| resource.name);
        // DEFAULT has its default values even where the text has no such section.
        if section != DEFAULT && self.outline.of(section).is_none() {
            return Err(UnresolvedReference::Because(format!("there is no section [{section}]")));
        }
        // Only the driver knows the devices, and only while the resource is up. So the reference stays in the value,
        // and is filled in when the other resource acts.
        if let (Some(resource), EXPOSED_DEVS) = (resource, name) {
            return Ok(late(resource.rid.clone(), Exposure::Devices));
        }
        // Likewise, where a volume is mounted: a file system says so by a keyword.
        if let Some(resource) = resource.filter(|resource| resource.rid.group() == Group::Volume)
            && name == MOUNT_POINT
        {
            return Ok(late(resource.rid.clone(), Exposure::MountPoint));
        }
        match self.of_keyword(section, name)? {
            Some(value) => Ok(value),
            None if self.outline.keyword(section, name).is_some() => {
                Err(UnresolvedReference::Because(format!("{name} is not set in [{section}]")))
            }
            None => Err(self.no_keyword(section, name)),
        }
    }

    /// Why a section does not have a keyword. The problem of the section itself is told once, and not again for each reference.
    fn no_keyword(&self, section: &str, name: &str) -> UnresolvedReference {
        match self.outline.cause(section) {
            Some(cause) => UnresolvedReference::Cause(cause.clone()),
            None => UnresolvedReference::Because(format!("there is no keyword {name} in [{section}]")),
        }
    }

    /// `{disk.exposed_devs}` within `[fs#01]` means disk#01: the resource of that group with the same index.
    fn neighbour(&self, own: &str, group: &str) -> Option<Rid> {
        let group: Group = group.parse().ok()?;
        let own = self.outline.resource_of(own)?;
        format!("{group}#{}", own.rid.index()).parse().ok()
    }

    /// Whether a text refers to a neighbour that the object does not have.
    pub(crate) fn lacks_neighbour(&self, own: &str, text: &str) -> bool {
        ValueTemplate::parse(text).pieces.iter().any(|piece| match piece {
            TemplatePiece::Reference(TemplateReference { section: Some(section), .. }) => {
                let rid = self.neighbour(own, section);
                rid.is_some_and(|rid| self.outline.resource_of(&rid.to_string()).is_none())
            }
            _ => false,
        })
    }

    /// The value of a keyword by any of its names. None if there is none.
    fn of_keyword(&self, section: &str, name: &str) -> Result<Option<LateValue>, UnresolvedReference> {
        match self.outline.keyword(section, name) {
            Some(spelling) if self.is_foreign_default(section, spelling.keyword) => {
                Err(UnresolvedReference::Because(format!(
                    "{name} is not set in [{section}], and the default of an installed driver cannot be referred to: write \
                     {name} = …"
                )))
            }
            Some(spelling) => self.guarded(section, &spelling.keyword.name, || self.value(section, spelling.keyword)),
            // Which keywords the section has is unknown. What it says of itself is not.
            None if self.outline.cause(section).is_some() => {
                self.guarded(section, name, || self.remembered(section, name, || self.free_value(section, name)))
            }
            None => Ok(None),
        }
    }

    fn of_free_section(&self, section: &str, name: &str) -> Result<LateValue, UnresolvedReference> {
        let resolve = || self.remembered(section, name, || self.free_value(section, name));
        let value = self.guarded(section, name, resolve)?;
        value.ok_or_else(|| UnresolvedReference::Because(format!("{name} is not set in [{section}]")))
    }

    /// Resolves a keyword, and refuses a loop of references.
    fn guarded(
        &self,
        section: &str,
        name: &str,
        resolve: impl FnOnce() -> ResolvedValue,
    ) -> Result<Option<LateValue>, UnresolvedReference> {
        let stack = self.stack.borrow();
        if let Some(start) = stack.iter().position(|(s, n)| s == section && n == name) {
            let mut round: Vec<String> = stack[start..].iter().map(|(s, n)| ConfigKey::new(s, n).to_string()).collect();
            round.push(ConfigKey::new(section, name).to_string());
            return Err(UnresolvedReference::Because(format!("a loop: {}", round.join(" → "))));
        }
        if stack.len() >= MAX_DEPTH {
            return Err(UnresolvedReference::Because(format!(
                "more than {MAX_DEPTH} references lead here from one to the next"
            )));
        }
        // Resolving pushes onto the stack, so it must not be borrowed any more.
        drop(stack);
        resolve().map_err(UnresolvedReference::Cause)
    }

    fn of_node(&self, name: &str) -> Result<LateValue, UnresolvedReference> {
        let found = match name.split_once('.') {
            Some(("env", name)) => self.node.env.get(name),
            Some(("labels", name)) => self.node.labels.get(name),
            _ => self.node.keywords.get(name),
        };
        // A node that is only impersonated may know the name in its own node.conf, so that is a warning.
        found.map(LateValue::text).ok_or_else(|| match &self.node.seen_from {
            None => UnresolvedReference::Because(format!(
                "{name} is not set in the configuration of node {}",
                self.node.name
            )),
            Some(own) => UnresolvedReference::Elsewhere(format!(
                "{name} is not set in the configuration of node {own}, and those of other nodes are not here"
            )),
        })
    }

    /// The value of a name that needs no keyword: a property of the node, of the object, or of the resource whose section
    /// refers to it.
    fn well_known(&self, own: &str, name: &str) -> Option<String> {
        let rid = || self.outline.resource_of(own).map(|resource| &resource.rid);
        Some(match name {
            "nodename" => self.node.name.to_string(),
            "short_nodename" => self.node.name.short().to_owned(),
            "rid" => rid()?.to_string(),
            "rindex" => rid()?.index().to_owned(),
            "rgroup" => rid()?.group().to_string(),
            "name" | "svcname" => self.path.name().to_owned(),
            "namespace" => self.path.namespace().to_owned(),
            "kind" => self.path.kind().to_string(),
            "path" | "svcpath" => self.path.to_string(),
            "fqdn" => self.path.fqdn(&self.node.cluster),
            "clustername" => self.node.cluster.clone(),
            "clusternodes" => {
                let names: Vec<&str> = self.node.peers.keys().map(NodeName::as_str).collect();
                names.join(" ")
            }
            "etc" => self.node.places.etc.clone(),
            "var" => self.node.places.var.clone(),
            // The installer links them to the program.
            "svcmgr" => "/usr/bin/svcmgr".to_owned(),
            "nodemgr" => "/usr/bin/nodemgr".to_owned(),
            _ => return None,
        })
    }
}

fn late(rid: Rid, exposure: Exposure) -> LateValue {
    LateValue { parts: vec![ValuePart::Late(LateReference::to(rid, exposure))], secret: false }
}

/// The word, the number of words or the modified text that a reference asks of a value.
fn picked(value: LateValue, reference: &TemplateReference) -> Result<LateValue, String> {
    if reference.index.is_none() && !reference.count && reference.modifier.is_none() {
        return Ok(value);
    }
    if let Some(text) = value.as_text() {
        let words = || text.split_whitespace();
        let picked = match reference.index {
            _ if reference.count => words().count().to_string(),
            None => text,
            Some(index) => words().nth(index).map(str::to_owned).ok_or_else(|| too_short(words().count()))?,
        };
        let picked = reference.modifier.map_or(picked.clone(), |modifier| modifier.apply(&picked));
        return Ok(LateValue { secret: value.secret, ..LateValue::text(picked) });
    }
    match <[ValuePart; 1]>::try_from(value.parts) {
        // An index or a modifier can wait for the device only if the value is that one reference and nothing else.
        Ok([ValuePart::Late(late)]) if late == LateReference::to(late.rid.clone(), late.exposure) => {
            let TemplateReference { index, count, modifier, .. } = *reference;
            let late = LateReference { index, count, modifier, ..late };
            Ok(LateValue { parts: vec![ValuePart::Late(late)], secret: value.secret })
        }
        _ => Err("known only when the other resource is up".to_owned()),
    }
}

/// The beginning of a text that a message quotes.
fn shortened(text: &str) -> String {
    match text.char_indices().nth(QUOTED) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text.to_owned(),
    }
}

fn too_short(words: usize) -> String {
    match words {
        0 => "it is empty".to_owned(),
        1 => "it has one word, [0]".to_owned(),
        _ => format!("it has {words} words, [0] to [{}]", words - 1),
    }
}

/// Many a program takes words in braces, such as `curl -w %{http_code}`.
fn literal(name: &str) -> String {
    format!(" (braces that the program is to see are written \\{{{name}}})")
}
