//! What stands after the `=` of a line: which words it takes, and where templates may stand in them.

use crate::argv::CommandTemplate;
use crate::line::Capability;
use crate::token::{Fault, Piece, Token};
use crate::web::{Methods, UrlTemplate};

/// What stands after the `=`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Template {
    Path(Token),
    Mount { fstype: Token, source: Token, target: Token },
    Device(Token),
    Link(Token),
    Address { address: Token, dev: Token },
    Route { destination: Token, gateway: Option<Token>, dev: Option<Token> },
    Netns(Token),
    NetnsLink { mode: Token, dev: Token, netns: Token },
    NetnsAddress { address: Token, netns: Token },
    NetnsRoute { destination: Token, gateway: Option<Token>, dev: Option<Token>, netns: Token },
    Command(CommandTemplate),
    Url { methods: Methods, url: UrlTemplate, token: Token },
    Unix { methods: Methods, socket: Token, path: Token },
}

/// Reads the words after the `=`. `end` is where the line ends.
pub(crate) fn template(capability: Capability, words: &[Token], end: usize) -> Result<Template, Fault> {
    let one = |expected: &str| match words {
        [token] => Ok(token.clone()),
        [] => Err(Fault::new(end, format!("expected {expected}"))),
        [_, extra, ..] => Err(extra.fault(format!("expected {expected} and nothing after it"))),
    };
    Ok(match capability {
        Capability::FilesRead | Capability::FilesWrite | Capability::BlockLoop => {
            let token = one("an absolute path")?;
            check_path(&token)?;
            Template::Path(token)
        }
        Capability::BlockRead => {
            let token = one("a path, LABEL=NAME, UUID=NAME or *")?;
            check_source(&token)?;
            Template::Device(token)
        }
        Capability::NetLink => {
            let token = one("the name of an interface")?;
            check_word(&token)?;
            Template::Link(token)
        }
        Capability::Mount => mount(words, end)?,
        Capability::NetAddr => match words {
            [address, on, dev] if on.is_word("on") => {
                check_word(address)?;
                check_word(dev)?;
                Template::Address { address: address.clone(), dev: dev.clone() }
            }
            _ => return Err(expected(words, end, "ADDRESS on INTERFACE")),
        },
        Capability::NetRoute => {
            let (destination, gateway, dev) = route(words, end)?;
            Template::Route { destination, gateway, dev }
        }
        Capability::Netns => {
            let token = one("NETNS")?;
            check_source(&token)?;
            Template::Netns(token)
        }
        Capability::NetnsLink | Capability::NetnsAddr | Capability::NetnsRoute => inside(capability, words, end)?,
        Capability::Exec | Capability::Spawn => Template::Command(CommandTemplate::parse(words, end)?),
        Capability::Http => match words {
            [methods, url] => {
                Template::Url { methods: Methods::parse(methods)?, url: UrlTemplate::parse(url)?, token: url.clone() }
            }
            _ => return Err(expected(words, end, "METHODS https://HOST/PATH")),
        },
        Capability::HttpUnix => match words {
            [methods, socket, path] => {
                check_path(socket)?;
                check_path(path)?;
                Template::Unix { methods: Methods::parse(methods)?, socket: socket.clone(), path: path.clone() }
            }
            _ => return Err(expected(words, end, "METHODS /SOCKET /PATH")),
        },
    })
}

fn expected(words: &[Token], end: usize, expected: &str) -> Fault {
    Fault::new(words.first().map_or(end, |word| word.column), format!("expected {expected}"))
}

fn mount(words: &[Token], end: usize) -> Result<Template, Fault> {
    let [fstype, source, on, target] = words else { return Err(expected(words, end, "FSTYPE SOURCE on TARGET")) };
    if !on.is_word("on") {
        return Err(on.fault("expected on"));
    }
    check_word(fstype)?;
    check_source(source)?;
    check_path(target)?;
    Ok(Template::Mount { fstype: fstype.clone(), source: source.clone(), target: target.clone() })
}

/// What ends in `in NETNS`.
fn inside(capability: Capability, words: &[Token], end: usize) -> Result<Template, Fault> {
    let shape = match capability {
        Capability::NetnsLink => "MODE INTERFACE in NETNS",
        Capability::NetnsAddr => "ADDRESS in NETNS",
        _ => "DESTINATION [via GATEWAY] [dev INTERFACE] in NETNS",
    };
    let [words @ .., within, netns] = words else { return Err(expected(words, end, shape)) };
    if !within.is_word("in") {
        return Err(expected(words, end, shape));
    }
    check_source(netns)?;
    let netns = netns.clone();
    match (capability, words) {
        (Capability::NetnsLink, [mode, dev]) => {
            [mode, dev].into_iter().try_for_each(check_word)?;
            Ok(Template::NetnsLink { mode: mode.clone(), dev: dev.clone(), netns })
        }
        (Capability::NetnsAddr, [address]) => {
            check_word(address)?;
            Ok(Template::NetnsAddress { address: address.clone(), netns })
        }
        (Capability::NetnsRoute, words) => {
            let (destination, gateway, dev) = route(words, end)?;
            Ok(Template::NetnsRoute { destination, gateway, dev, netns })
        }
        _ => Err(expected(words, end, shape)),
    }
}

/// Destination, router, interface.
type Route = (Token, Option<Token>, Option<Token>);

fn route(words: &[Token], end: usize) -> Result<Route, Fault> {
    let [destination, rest @ ..] = words else {
        return Err(expected(words, end, "DESTINATION [via GATEWAY] [dev INTERFACE]"));
    };
    check_word(destination)?;
    let (gateway, rest) = match rest {
        [via, gateway, rest @ ..] if via.is_word("via") => (Some(gateway.clone()), rest),
        rest => (None, rest),
    };
    let (dev, rest) = match rest {
        [word, dev, rest @ ..] if word.is_word("dev") => (Some(dev.clone()), rest),
        rest => (None, rest),
    };
    gateway.iter().chain(&dev).try_for_each(check_word)?;
    match rest {
        [] => Ok((destination.clone(), gateway, dev)),
        [extra, ..] => Err(extra.fault("expected [via GATEWAY] [dev INTERFACE]")),
    }
}

/// A word: one text, one keyword, or a pattern.
fn check_word(token: &Token) -> Result<(), Fault> {
    let whole = token.pieces.len() == 1;
    for piece in &token.pieces {
        match piece {
            Piece::DoubleStar => return Err(token.fault("** stands at the end of paths and command lines only")),
            Piece::Command(_) => return Err(token.fault("{command:NAME} stands in exec and spawn only")),
            Piece::Keyword(_) if !whole => return Err(token.fault("{kw:NAME} is a whole word, never a part of one")),
            _ => {}
        }
    }
    if token.pieces.is_empty() { Err(token.fault("expected a word")) } else { Ok(()) }
}

/// A path, or a word.
fn check_source(token: &Token) -> Result<(), Fault> {
    match &token.pieces[..] {
        [Piece::Literal(text), ..] if text.starts_with('/') => check_path(token),
        [Piece::Name(name), ..] if name.is_path() => check_path(token),
        _ => check_word(token),
    }
}

/// An absolute path: it begins with `/`, with a keyword, or with the name of a directory.
pub(crate) fn check_path(token: &Token) -> Result<(), Fault> {
    match token.pieces.first() {
        Some(Piece::Literal(text)) if text.starts_with('/') => {}
        Some(Piece::Keyword(_)) => {}
        Some(Piece::Name(name)) if name.is_path() => {}
        _ => return Err(token.fault("expected an absolute path")),
    }
    check_whole(token, &token.pieces)
}

/// Within a path a keyword is a whole component, and `**` is the last.
pub(crate) fn check_whole(token: &Token, pieces: &[Piece]) -> Result<(), Fault> {
    for (i, piece) in pieces.iter().enumerate() {
        let opens = i == 0 || matches!(&pieces[i - 1], Piece::Literal(text) if text.ends_with('/'));
        let next = pieces.get(i + 1);
        let closes = next.is_none_or(|next| matches!(next, Piece::Literal(text) if text.starts_with('/')));
        match piece {
            Piece::Command(_) => return Err(token.fault("{command:NAME} stands in exec and spawn only")),
            Piece::Keyword(_) if !opens || !closes => {
                return Err(token.fault("{kw:NAME} is a whole path or a whole component, never a part of one"));
            }
            Piece::DoubleStar if i == 0 || !opens || next.is_some() => {
                return Err(token.fault("** is the last component of a path"));
            }
            _ => {}
        }
    }
    Ok(())
}
