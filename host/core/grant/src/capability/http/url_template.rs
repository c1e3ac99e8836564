//! The address of an `http` line, with templates.

use super::request_path::RequestPathSet;
use super::url_set::{HostSet, UrlSet};
use crate::bind::binder::{BindFailure, Binder};
use crate::line::check::{check_components, check_path};
use crate::line::glob::{Glob, GlobPart};
use crate::line::token::{LineFault, Token, TokenPiece};

/// An address with templates.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum UrlTemplate {
    /// `{kw:url}`: the keyword's value is the whole address.
    Keyword(String),
    /// `{kw:endpoint}/projects/**`: paths below the address that is the keyword's value.
    Below { keyword: String, path: Vec<TokenPiece> },
    /// `https://host[:port]/path`
    Parts { scheme: &'static str, authority: Vec<TokenPiece>, path: Vec<TokenPiece> },
}

impl UrlTemplate {
    pub(super) fn parse(token: &Token) -> Result<UrlTemplate, LineFault> {
        if let Some(TokenPiece::Keyword(name)) = token.only() {
            return Ok(UrlTemplate::Keyword(name.clone()));
        }
        if let [TokenPiece::Keyword(keyword), path @ ..] = &token.pieces[..] {
            check_path(token)?;
            return Ok(UrlTemplate::Below { keyword: keyword.clone(), path: path.to_vec() });
        }
        let expected = || token.fault("expected https://HOST[:PORT]/PATH, or http, or {kw:NAME}/PATH");
        let [TokenPiece::Literal(first), rest @ ..] = &token.pieces[..] else { return Err(expected()) };
        let (scheme, first) = match (first.strip_prefix("https://"), first.strip_prefix("http://")) {
            (Some(first), _) => ("https", first),
            (_, Some(first)) => ("http", first),
            _ => return Err(expected()),
        };
        // `https://{kw:host}:8443/` is a host and a port, `https://x-{kw:host}/` could become any host.
        let (authority, mut path) = split_authority(first, rest);
        match &authority[..] {
            [TokenPiece::Keyword(_) | TokenPiece::DoubleStar] => {}
            [TokenPiece::DoubleStar, TokenPiece::Literal(port)] if port.starts_with(':') => {}
            authority if authority.contains(&TokenPiece::DoubleStar) => {
                return Err(token.fault("** is a whole host: any name"));
            }
            [TokenPiece::Keyword(_), TokenPiece::Literal(port)] if port.starts_with(':') => {}
            [] => return Err(expected()),
            authority if authority.iter().any(|piece| matches!(piece, TokenPiece::Keyword(_))) => {
                return Err(token.fault("{kw:NAME} is a whole host, never a part of one"));
            }
            _ => {}
        }
        if path.is_empty() {
            path.push(TokenPiece::Literal("/".to_owned()));
        }
        check_components(token, &path)?;
        Ok(UrlTemplate::Parts { scheme, authority, path })
    }

    pub(super) fn bind(&self, binder: &Binder<'_>) -> Result<UrlSet, BindFailure> {
        match self {
            UrlTemplate::Keyword(name) => {
                let value = address(name, binder)?;
                UrlSet::exactly(value).map_err(|reason| binder.illegal(name, value, reason))
            }
            UrlTemplate::Below { keyword: name, path } => {
                let value = address(name, binder)?;
                let paths = RequestPathSet::bind(path, binder)?;
                let base = UrlSet::base(value).map_err(|reason| binder.illegal(name, value, reason))?;
                Ok(UrlSet { paths: paths.below(base.paths), ..base })
            }
            UrlTemplate::Parts { scheme, authority, path } => {
                let paths = RequestPathSet::bind(path, binder)?;
                let any_name = authority.first() == Some(&TokenPiece::DoubleStar);
                let mut host = binder.parts(authority)?;
                // Only the line itself may write a port: a keyword stands for a host, never for a host and a port.
                let written = matches!(authority.last(), Some(TokenPiece::Literal(_)));
                let port = if written { take_port(&mut host) } else { None };
                let port = port.unwrap_or(if *scheme == "https" { 443 } else { 80 });
                // Checked only after all is filled in: a keyword could hold anything.
                let host = Glob(host);
                if let Some(name) = host.literal().filter(|name| url::Host::parse(name).is_err()) {
                    let keyword = match authority.first() {
                        Some(TokenPiece::Keyword(keyword)) => keyword,
                        _ => "the line",
                    };
                    return Err(binder.illegal(keyword, &name, "expected the name or the address of a host"));
                }
                let host = if any_name { HostSet::AnyName } else { HostSet::new(host) };
                Ok(UrlSet { scheme: (*scheme).to_owned(), host, port, paths })
            }
        }
    }
}

/// Splits the pieces behind the scheme at the first slash, into host and port, and path.
fn split_authority(first: &str, rest: &[TokenPiece]) -> (Vec<TokenPiece>, Vec<TokenPiece>) {
    let (mut authority, mut path) = (Vec::new(), Vec::new());
    for piece in std::iter::once(&TokenPiece::Literal(first.to_owned())).chain(rest) {
        match piece {
            piece if !path.is_empty() => path.push(piece.clone()),
            TokenPiece::Literal(text) => match text.find('/') {
                Some(slash) => {
                    authority.push(TokenPiece::Literal(text[..slash].to_owned()));
                    path.push(TokenPiece::Literal(text[slash..].to_owned()));
                }
                None => authority.push(piece.clone()),
            },
            piece => authority.push(piece.clone()),
        }
    }
    // `https://{kw:host}/` leaves an empty literal before the keyword.
    authority.retain(|piece| *piece != TokenPiece::Literal(String::new()));
    (authority, path)
}

/// The one value of a keyword that is an address.
fn address<'a>(name: &str, binder: &Binder<'a>) -> Result<&'a str, BindFailure> {
    let keyword = binder.values(name)?;
    match keyword.values {
        [value] => Ok(value),
        values => Err(binder.illegal(name, &values.join(" "), "expected one address")),
    }
}

/// Takes the port off the end of a written authority.
fn take_port(host: &mut Vec<GlobPart>) -> Option<u16> {
    let Some(GlobPart::Text(last)) = host.last_mut() else { return None };
    let (front, digits) = last.rsplit_once(':')?;
    let port = digits.parse().ok()?;
    // Behind a keyword nothing but the port was written, and an empty part would match nothing.
    *last = front.to_owned();
    if last.is_empty() {
        host.pop();
    }
    Some(port)
}
