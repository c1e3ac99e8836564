//! A grant line, read but not bound: `<capability>[(attribute, …)] = <pattern>`.
//!
//! The same grammar serves requests and policies. What only one of them may say is checked here, when the line is read:
//! keywords stand in requests, stars in policies (and where docs/grants.md says so).

use std::collections::BTreeSet;
use std::fmt;

use crate::Context;
use crate::argv::CommandTemplate;
use crate::bind::{Binder, NoLedger, Unbound};
use crate::caps::CAPS;
use crate::guard::Guard;
use crate::net::Side;
use crate::template::{Template, template};
use crate::token::{Fault, Name, Piece, Token, tokens};

/// What a line is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Capability {
    FilesRead,
    FilesWrite,
    Mount,
    BlockRead,
    BlockLoop,
    NetLink,
    NetAddr,
    NetRoute,
    Netns,
    NetnsLink,
    NetnsAddr,
    NetnsRoute,
    Exec,
    Spawn,
    Http,
    HttpUnix,
}

impl Capability {
    const ALL: [(&'static str, Capability); 16] = [
        ("files.read", Capability::FilesRead),
        ("files.write", Capability::FilesWrite),
        ("mount", Capability::Mount),
        ("block.read", Capability::BlockRead),
        ("block.loop", Capability::BlockLoop),
        ("net.link", Capability::NetLink),
        ("net.addr", Capability::NetAddr),
        ("net.route", Capability::NetRoute),
        ("netns", Capability::Netns),
        ("netns.link", Capability::NetnsLink),
        ("netns.addr", Capability::NetnsAddr),
        ("netns.route", Capability::NetnsRoute),
        ("exec", Capability::Exec),
        ("spawn", Capability::Spawn),
        ("http", Capability::Http),
        ("http.unix", Capability::HttpUnix),
    ];

    pub(crate) fn as_str(self) -> &'static str {
        Capability::ALL.iter().find(|(_, capability)| *capability == self).map_or("", |(name, _)| name)
    }
}

/// What stands in the parentheses.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Attributes {
    /// `read`: only what changes nothing.
    pub(crate) read: bool,
    /// `caps=cap_a+cap_b`, `caps=all`: the capabilities(7) that the program keeps.
    pub(crate) caps: BTreeSet<String>,
    /// `user=NAME`: the program runs as this user.
    pub(crate) user: Option<Token>,
    /// `guard=container`: who reads the requests.
    pub(crate) guard: Option<Guard>,
    /// `root_equivalent`: whoever may do this is root.
    pub(crate) root_equivalent: bool,
}

/// A grant line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Line {
    pub(crate) capability: Capability,
    pub(crate) attributes: Attributes,
    pub(crate) template: Template,
    pub(crate) side: Side,
    text: String,
}

impl Line {
    /// Reads a line. `column` is where the text begins.
    pub(crate) fn parse(text: &str, column: usize, side: Side) -> Result<Line, Fault> {
        let head = head(text, column)?;
        let attributes = attributes(&head)?;
        let words = tokens(head.rest, head.rest_column)?;
        let end = column + text.trim_end().chars().count();
        let template = template(head.capability, &words, end)?;
        let line = Line { capability: head.capability, attributes, template, side, text: text.trim().to_owned() };
        line.check_side()?;
        line.check_bound().map_err(|reason| Fault::new(words.first().map_or(end, |word| word.column), reason))?;
        Ok(line)
    }

    /// The line as it was written.
    pub(crate) fn as_str(&self) -> &str {
        &self.text
    }

    /// The keywords that it names.
    pub(crate) fn keywords(&self) -> BTreeSet<String> {
        let mut names: BTreeSet<String> =
            self.tokens().iter().flat_map(|token| token.keywords()).map(str::to_owned).collect();
        if let Template::Command(CommandTemplate::Keyword(name)) = &self.template {
            names.insert(name.clone());
        }
        names
    }

    /// Whether it is about the other nodes, one after the other.
    pub(crate) fn is_about_peers(&self) -> bool {
        self.tokens().iter().any(|token| token.pieces.contains(&Piece::Name(Name::Peer)))
    }

    /// The words that templates and stars may stand in.
    fn tokens(&self) -> Vec<&Token> {
        let mut tokens = match &self.template {
            Template::Path(token) | Template::Device(token) | Template::Link(token) | Template::Netns(token) => {
                vec![token]
            }
            Template::Mount { fstype, source, target } => vec![fstype, source, target],
            Template::Address { address, dev } => vec![address, dev],
            Template::Route { destination, gateway, dev } => {
                std::iter::once(destination).chain(gateway).chain(dev).collect()
            }
            Template::NetnsLink { mode, dev, netns } => vec![mode, dev, netns],
            Template::NetnsAddress { address, netns } => vec![address, netns],
            Template::NetnsRoute { destination, gateway, dev, netns } => {
                std::iter::once(destination).chain(gateway).chain(dev).chain([netns]).collect()
            }
            Template::Command(command) => command.tokens(),
            Template::Url { token, .. } => vec![token],
            Template::Unix { socket, path, .. } => vec![socket, path],
        };
        tokens.extend(&self.attributes.user);
        tokens
    }

    /// Binds the line to a resource that could be any, to find what is wrong with its own text already now.
    fn check_bound(&self) -> Result<(), &'static str> {
        let (Ok(object), Ok(rid)) = ("any".parse(), "app#any".parse()) else { return Ok(()) };
        let (Ok(node), Ok(peer)) = ("any".parse(), "any".parse()) else { return Ok(()) };
        let context = Context {
            object,
            rid,
            node,
            rundir: "/any".into(),
            statedir: "/any".into(),
            config: "/any".into(),
            peers: vec![peer],
        };
        match self.bind(&Binder::new(&context, &[], &NoLedger, &self.text)) {
            Ok(_) | Err(Unbound::Absent) => Ok(()),
            Err(Unbound::Illegal(error)) => Err(error.reason),
        }
    }

    /// Refuses stars in a request and keywords in a policy.
    fn check_side(&self) -> Result<(), Fault> {
        for token in self.tokens() {
            match self.side {
                Side::Policy if token.keywords().next().is_some() => {
                    return Err(token.fault("a policy knows no keywords: {kw:NAME} belongs in a driver's requests"));
                }
                Side::Request if token.pieces.contains(&Piece::Star) && !self.star_may_stand_in(token) => {
                    return Err(token.fault("a request may not hold a *: only policies do"));
                }
                _ => {}
            }
        }
        if let (Side::Request, Template::Command(command)) = (self.side, &self.template)
            && let Some(token) = command.unguarded_star()
        {
            return Err(token.fault("an argument that begins with a * could be an option: write -- before it"));
        }
        if self.side == Side::Policy && matches!(self.template, Template::Command(CommandTemplate::Keyword(_))) {
            return Err(Fault::new(1, "a policy knows no keywords: {command:NAME} belongs in a driver's requests"));
        }
        Ok(())
    }

    /// Where a request may say `*` too: for an argument or a part of one, and for any device to read.
    fn star_may_stand_in(&self, token: &Token) -> bool {
        let program = |command: &CommandTemplate| command.tokens().first().is_some_and(|first| *first == token);
        match &self.template {
            Template::Command(command) => !program(command),
            Template::Device(_) => token.only() == Some(&Piece::Star),
            _ => false,
        }
    }
}

impl fmt::Display for Line {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.text)
    }
}

/// A line, cut at the `=`.
struct Head<'a> {
    capability: Capability,
    attributes: &'a str,
    attributes_column: usize,
    rest: &'a str,
    rest_column: usize,
}

fn head(text: &str, column: usize) -> Result<Head<'_>, Fault> {
    let blank = text.len() - text.trim_start().len();
    let at = |byte: usize| column + text[..byte].chars().count();
    let name_end = text[blank..].find(|c: char| !c.is_ascii_lowercase() && c != '.').map_or(text.len(), |i| blank + i);
    let name = &text[blank..name_end];
    let capability = Capability::ALL.iter().find(|(known, _)| *known == name).map(|(_, capability)| *capability);
    let capability = capability.ok_or_else(|| {
        let known: Vec<&str> = Capability::ALL.iter().map(|(name, _)| *name).collect();
        Fault::new(at(blank), format!("unknown capability {name:?}: expected {}", known.join(", ")))
    })?;
    let (attributes, after) = match text[name_end..].strip_prefix('(') {
        None => (name_end..name_end, name_end),
        Some(inside) => {
            let close = inside.find(')').ok_or_else(|| Fault::new(at(name_end), "the ( is not closed"))?;
            (name_end + 1..name_end + 1 + close, name_end + close + 2)
        }
    };
    let equals = text[after..].len() - text[after..].trim_start().len() + after;
    if !text[equals..].starts_with('=') {
        return Err(Fault::new(at(equals), "expected ="));
    }
    Ok(Head {
        capability,
        attributes_column: at(attributes.start),
        attributes: &text[attributes],
        rest: &text[equals + 1..],
        rest_column: at(equals + 1),
    })
}

fn attributes(head: &Head<'_>) -> Result<Attributes, Fault> {
    let mut read = Attributes::default();
    let mut column = head.attributes_column;
    for part in head.attributes.split(',').filter(|_| !head.attributes.is_empty()) {
        let blank = part.chars().take_while(|c| c.is_whitespace()).count();
        attribute(&mut read, head.capability, part.trim()).map_err(|reason| Fault::new(column + blank, reason))?;
        column += part.chars().count() + 1;
    }
    Ok(read)
}

fn attribute(read: &mut Attributes, capability: Capability, text: &str) -> Result<(), String> {
    let program = matches!(capability, Capability::Exec | Capability::Spawn);
    match text.split_once('=') {
        None if text == "read"
            && matches!(capability, Capability::Exec | Capability::NetLink | Capability::NetAddr) =>
        {
            read.read = true;
        }
        None if text == "root_equivalent" && capability == Capability::HttpUnix => read.root_equivalent = true,
        Some(("caps", names)) if program => {
            for name in names.split('+') {
                if !CAPS.contains(&name) {
                    return Err(format!(
                        "unknown capability {name:?}: expected all, or a name of capabilities(7) such as cap_net_admin"
                    ));
                }
                read.caps.insert(name.to_owned());
            }
        }
        Some(("guard", name)) if capability == Capability::HttpUnix => {
            let guard = Guard::parse(name).ok_or_else(|| format!("unknown guard {name:?}: expected container"))?;
            read.guard = Some(guard);
        }
        Some(("user", name)) if program => match &tokens(name, 1).map_err(|fault| fault.reason)?[..] {
            [token] => read.user = Some(token.clone()),
            _ => return Err("expected user=NAME".to_owned()),
        },
        _ => return Err(format!("{} has no attribute {text:?}", capability.as_str())),
    }
    Ok(())
}
