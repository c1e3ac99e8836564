//! HTTP: methods, addresses, and the paths of requests.

use std::fmt;

use url::Url;

use crate::bind::{Binder, Unbound};
use crate::glob::{Bit, Glob};
use crate::token::{Fault, Piece, Token};

/// The methods of a line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Methods {
    Any,
    These(Vec<String>),
}

impl Methods {
    pub(crate) fn parse(token: &Token) -> Result<Methods, Fault> {
        if token.only() == Some(&Piece::Star) {
            return Ok(Methods::Any);
        }
        let methods = token.literal().unwrap_or_default();
        let methods: Vec<String> = methods.split(',').map(str::to_owned).collect();
        let legal = |method: &String| !method.is_empty() && method.chars().all(|c| c.is_ascii_uppercase());
        if !methods.iter().all(legal) {
            return Err(token.fault("expected methods in upper case with commas between them, such as GET,POST"));
        }
        Ok(Methods::These(methods))
    }

    pub(crate) fn hold(&self, asked: &str) -> bool {
        match self {
            Methods::Any => true,
            Methods::These(methods) => methods.iter().any(|method| method == asked),
        }
    }

    /// Whether all of them only look.
    pub(crate) fn only_read(&self) -> bool {
        matches!(self, Methods::These(methods) if methods.iter().all(|m| m == "GET" || m == "HEAD"))
    }
}

impl fmt::Display for Methods {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Methods::Any => f.write_str("*"),
            Methods::These(methods) => f.write_str(&methods.join(",")),
        }
    }
}

/// Which paths of requests a line is about. A query is not restricted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct RequestPaths {
    segments: Vec<Glob>,
    below: bool,
}

impl RequestPaths {
    fn new(bits: Vec<Bit>, below: bool) -> RequestPaths {
        let mut segments = vec![Glob::default()];
        for bit in bits {
            let last = segments.len() - 1;
            match bit {
                Bit::Star => segments[last].0.push(Bit::Star),
                Bit::Text(text) => {
                    for (i, part) in text.split('/').enumerate() {
                        if i > 0 {
                            segments.push(Glob::default());
                        }
                        let last = segments.len() - 1;
                        if !part.is_empty() {
                            segments[last].0.push(Bit::Text(part.to_owned()));
                        }
                    }
                }
            }
        }
        // What stands before the first slash is nothing.
        segments.remove(0);
        if below {
            segments.pop();
        }
        RequestPaths { segments, below }
    }

    pub(crate) fn bind(pieces: &[Piece], binder: &Binder<'_>) -> Result<RequestPaths, Unbound> {
        match pieces {
            [front @ .., Piece::DoubleStar] => Ok(RequestPaths::new(binder.bits(front)?, true)),
            pieces => Ok(RequestPaths::new(binder.bits(pieces)?, false)),
        }
    }

    /// These paths below one path.
    fn join(self, below: RequestPaths) -> RequestPaths {
        RequestPaths { segments: [self.segments, below.segments].concat(), below: below.below }
    }

    /// Whether the path of a request, with or without its query, is one of these.
    pub(crate) fn hold(&self, asked: &str) -> bool {
        let path = asked.split(['?', '#']).next().unwrap_or_default();
        let Some(segments) = decoded(path) else { return false };
        let fits = segments.len() == self.segments.len() || (self.below && segments.len() > self.segments.len());
        fits && self.segments.iter().zip(&segments).all(|(glob, segment)| glob.matches(segment))
    }
}

/// The segments of a path, unescaped, so that a path has one spelling. None for what a server might read as another path.
fn decoded(path: &str) -> Option<Vec<String>> {
    let segments: Vec<String> = path.strip_prefix('/')?.split('/').map(unescaped).collect::<Option<_>>()?;
    let inner = segments.len().saturating_sub(1);
    let odd = |s: &String| s == "." || s == ".." || s.contains(['/', '\\', '\0']);
    let bad = segments.iter().any(odd) || segments[..inner].iter().any(String::is_empty);
    (!bad).then_some(segments)
}

/// The text without its percent escapes, see RFC 3986 §2.1.
fn unescaped(segment: &str) -> Option<String> {
    let mut bytes = Vec::new();
    let mut rest = segment.as_bytes();
    while let [first, after @ ..] = rest {
        if *first == b'%' {
            let digits = std::str::from_utf8(after.get(..2)?).ok()?;
            if !digits.chars().all(|c| c.is_ascii_hexdigit()) {
                return None;
            }
            bytes.push(u8::from_str_radix(digits, 16).ok()?);
            rest = &after[2..];
        } else {
            bytes.push(*first);
            rest = after;
        }
    }
    String::from_utf8(bytes).ok()
}

impl fmt::Display for RequestPaths {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for segment in &self.segments {
            f.write_str("/")?;
            if !segment.0.is_empty() {
                segment.fmt(f)?;
            }
        }
        f.write_str(if self.below { "/**" } else { "" })
    }
}

/// Which addresses a line is about.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Urls {
    scheme: String,
    host: Glob,
    port: u16,
    pub(crate) paths: RequestPaths,
}

/// An address with templates.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum UrlTemplate {
    /// The whole address that a keyword holds.
    Keyword(String),
    /// Paths below the address that a keyword holds: `{kw:endpoint}/projects/**`.
    Below { keyword: String, path: Vec<Piece> },
    /// `https://host[:port]/path`
    Parts { scheme: &'static str, authority: Vec<Piece>, path: Vec<Piece> },
}

impl UrlTemplate {
    pub(crate) fn parse(token: &Token) -> Result<UrlTemplate, Fault> {
        if let Some(Piece::Keyword(name)) = token.only() {
            return Ok(UrlTemplate::Keyword(name.clone()));
        }
        if let [Piece::Keyword(keyword), path @ ..] = &token.pieces[..] {
            crate::template::check_path(token)?;
            return Ok(UrlTemplate::Below { keyword: keyword.clone(), path: path.to_vec() });
        }
        let expected = || token.fault("expected https://HOST[:PORT]/PATH, or http, or {kw:NAME}/PATH");
        let [Piece::Literal(first), rest @ ..] = &token.pieces[..] else { return Err(expected()) };
        let (scheme, first) = match (first.strip_prefix("https://"), first.strip_prefix("http://")) {
            (Some(first), _) => ("https", first),
            (_, Some(first)) => ("http", first),
            _ => return Err(expected()),
        };
        let mut authority = Vec::new();
        let mut path = Vec::new();
        for piece in std::iter::once(&Piece::Literal(first.to_owned())).chain(rest) {
            match piece {
                piece if !path.is_empty() => path.push(piece.clone()),
                Piece::Literal(text) => match text.find('/') {
                    Some(slash) => {
                        authority.push(Piece::Literal(text[..slash].to_owned()));
                        path.push(Piece::Literal(text[slash..].to_owned()));
                    }
                    None => authority.push(piece.clone()),
                },
                piece => authority.push(piece.clone()),
            }
        }
        authority.retain(|piece| *piece != Piece::Literal(String::new()));
        match &authority[..] {
            [Piece::Keyword(_)] => {}
            [Piece::Keyword(_), Piece::Literal(port)] if port.starts_with(':') => {}
            [] => return Err(expected()),
            authority if authority.iter().any(|piece| matches!(piece, Piece::Keyword(_))) => {
                return Err(token.fault("{kw:NAME} is a whole host, never a part of one"));
            }
            _ => {}
        }
        if path.is_empty() {
            path.push(Piece::Literal("/".to_owned()));
        }
        crate::template::check_whole(token, &path)?;
        Ok(UrlTemplate::Parts { scheme, authority, path })
    }

    pub(crate) fn bind(&self, binder: &Binder<'_>) -> Result<Urls, Unbound> {
        match self {
            UrlTemplate::Keyword(name) => {
                let keyword = binder.values(name)?;
                let [value] = keyword.values else {
                    return Err(binder.illegal(name, &keyword.values.join(" "), "expected one address"));
                };
                exact(value).map_err(|reason| binder.illegal(name, value, reason))
            }
            UrlTemplate::Below { keyword: name, path } => {
                let keyword = binder.values(name)?;
                let [value] = keyword.values else {
                    return Err(binder.illegal(name, &keyword.values.join(" "), "expected one address"));
                };
                let below = RequestPaths::bind(path, binder)?;
                let base = base(value).map_err(|reason| binder.illegal(name, value, reason))?;
                Ok(Urls { paths: base.paths.join(below), ..base })
            }
            UrlTemplate::Parts { scheme, authority, path } => {
                let paths = RequestPaths::bind(path, binder)?;
                let mut host = binder.bits(authority)?;
                // A port is written in the line: a keyword stands for a host, never for a host and a port.
                let written = matches!(authority.last(), Some(Piece::Literal(_)));
                let port = if written { take_port(&mut host) } else { None };
                let port = port.unwrap_or(if *scheme == "https" { 443 } else { 80 });
                let host = Glob(host);
                if let Some(name) = host.literal().filter(|name| url::Host::parse(name).is_err()) {
                    let keyword = match authority.first() {
                        Some(Piece::Keyword(keyword)) => keyword,
                        _ => "the line",
                    };
                    return Err(binder.illegal(keyword, &name, "expected the name or the address of a host"));
                }
                Ok(Urls { scheme: (*scheme).to_owned(), host: lower(host), port, paths })
            }
        }
    }
}

/// The port at the end of a written authority.
fn take_port(host: &mut Vec<Bit>) -> Option<u16> {
    let Some(Bit::Text(last)) = host.last_mut() else { return None };
    let (front, digits) = last.rsplit_once(':')?;
    let port = digits.parse().ok()?;
    *last = front.to_owned();
    if last.is_empty() {
        host.pop();
    }
    Some(port)
}

fn lower(host: Glob) -> Glob {
    let lower = |bit| match bit {
        Bit::Text(text) => Bit::Text(text.to_ascii_lowercase()),
        Bit::Star => Bit::Star,
    };
    Glob(host.0.into_iter().map(lower).collect())
}

/// The one address that a keyword's value is.
fn exact(value: &str) -> Result<Urls, &'static str> {
    const EXPECTED: &str = "expected an address such as https://host/path, without a user or a fragment";
    let url = Url::parse(value).map_err(|_| EXPECTED)?;
    let asked = Target::of(&url).ok_or(EXPECTED)?;
    let segments = decoded(&asked.path).ok_or("its path is ambiguous")?;
    Ok(Urls {
        scheme: asked.scheme,
        host: Glob::text(&asked.host),
        port: asked.port,
        paths: RequestPaths { segments: segments.iter().map(|segment| Glob::text(segment)).collect(), below: false },
    })
}

/// The one address below which a line allows paths. Whatever stood after its path would end up elsewhere.
fn base(value: &str) -> Result<Urls, &'static str> {
    if value.contains(['?', '#']) || value.ends_with('/') {
        return Err("expected an address such as https://host/path, without a query and without a slash at its end");
    }
    let mut urls = exact(value)?;
    // An address without a path has that of the root, which adds nothing.
    urls.paths.segments.retain(|segment| segment.literal().is_none_or(|text| !text.is_empty()));
    Ok(urls)
}

/// An address that is asked for, in its only spelling.
struct Target {
    scheme: String,
    host: String,
    port: u16,
    path: String,
}

impl Target {
    fn of(url: &Url) -> Option<Target> {
        let plain = url.username().is_empty() && url.password().is_none() && url.fragment().is_none();
        let web = matches!(url.scheme(), "http" | "https");
        if !plain || !web {
            return None;
        }
        Some(Target {
            scheme: url.scheme().to_owned(),
            host: url.host_str()?.trim_end_matches('.').to_owned(),
            port: url.port_or_known_default()?,
            path: url.path().to_owned(),
        })
    }
}

impl Urls {
    /// Whether the address is one of these.
    pub(crate) fn hold(&self, asked: &str) -> bool {
        let Some(asked) = Url::parse(asked).ok().and_then(|url| Target::of(&url)) else { return false };
        self.scheme == asked.scheme
            && self.port == asked.port
            && self.host.matches_within(&asked.host, '.')
            && self.paths.hold(&asked.path)
    }
}

impl fmt::Display for Urls {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}://{}", self.scheme, self.host)?;
        if (self.scheme.as_str(), self.port) != ("https", 443) && (self.scheme.as_str(), self.port) != ("http", 80) {
            write!(f, ":{}", self.port)?;
        }
        self.paths.fmt(f)
    }
}
